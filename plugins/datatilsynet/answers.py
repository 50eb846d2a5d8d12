"""What a wording makes of a yes and of a no: what is said to follow on each, what a key means, and what a right or an ending is
aimed at. Where the words do not say it for sure, the answer is that they do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from .reading import Press, Reading

_CLAUSE = re.compile(r"[,;:.!?–]\s+|\s+(?=(?:eller|ellers|or|otherwise)\b)")
_ANEW = re.compile(r"[;:]|, (?:og|men|and|but) ")
_ENDS = ("delete", "cease", "stops")
_NO = ("refuse", "opt_out", "withdraw")
"""concepts by which a party says no, or takes a yes back"""


class Answer(Enum):
    YES = "yes"
    NO = "no"
    """a refusal, a yes taken back, or silence"""


def done_after(text: Reading, n: int, *, said_so: bool = False) -> Iterator[Answer | None]:
    """Each time a sentence says that it is recorded, kept or used: after which answer, if any. In a question nothing is, and a
    wish says it in other words. `said_so`: to say so is to say no, and what is done otherwise is done by right."""
    passage, begins = _passage(text, n)
    if passage.endswith("?"):
        return
    told = _answers(text, passage, said_so=said_so)
    for start in text.done(passage):
        if start < begins:
            continue
        before = [answer for end, answer in told if end <= start]
        later = [(end, answer) for end, answer in told if end > start and not said_so]
        beside = [answer for end, answer in later if not _ANEW.search(passage[start:end])]
        yield before[-1] if before else beside[0] if beside else None


def after(text: Reading, n: int, answer: Answer) -> str:
    """What a sentence says once it has spoken last of this answer; empty where it does not, or speaks last of the other."""
    passage, begins = _passage(text, n)
    told = _answers(text, passage)
    return passage[max(told[-1][0], begins) :] if told and told[-1][1] is answer else ""


def _passage(text: Reading, n: int) -> tuple[str, int]:
    """A sentence, with the one before where it answers that or goes on from it, and where it begins itself."""
    if not n or not (text.sentences[n - 1].endswith("?") or text.has("follows", text.sentences[n])):
        return text.sentences[n], 0
    return f"{text.sentences[n - 1]} {text.sentences[n]}", len(text.sentences[n - 1]) + 1


def _answers(text: Reading, passage: str, *, said_so: bool = False) -> list[tuple[int, Answer]]:
    """Where a passage has spoken of a yes or a no, in its order. A yes that is denied or taken back is a no."""
    no = ("a_refusal", "silence", *_NO, *(["tell"] if said_so else []))
    told = [(end, Answer.NO) for name in no for _, end in text.places(name, passage)]
    if said_so:
        told += [(end, Answer.YES) for _, end in text.places("otherwise", passage)]
    for start, end in text.places("a_consent", passage):
        clause = re.split(r"[,.;:?!]", passage[:start])[-1]
        denied = text.has("negation", clause) or any(text.has(one, clause) for one in ("a_refusal", *_NO))
        told.append((end, Answer.NO if denied else Answer.YES))
    return sorted(told, key=lambda one: (one[0], (one[1] is Answer.NO) is not said_so))


def key_clauses(text: Reading, press: Press) -> list[str]:
    """What is said of a key: its sentence's clauses, from the one that names it to the next key. A question that it answers
    comes first, and so does what stands before the first key."""
    sentence = text.sentences[press.sentence]
    presses = [one for one in text.presses() if one.sentence == press.sentence]
    begins = sentence.index(press.words) if press != presses[0] else 0
    following = [
        sentence.index(one.words) for one in presses if sentence.index(one.words) > sentence.index(press.words)
    ]
    told = sentence[begins : min(following, default=len(sentence))]
    if press.sentence and text.sentences[press.sentence - 1].endswith("?"):
        told = f"{text.sentences[press.sentence - 1]} {told}"
    return _joined(text, [one for one in _CLAUSE.split(told) if re.search(r"\w", one)])


def key_says(text: Reading, press: Press) -> Answer | None:
    """What a key means: the first of its clauses that says a yes or a no. None where none does, or the rest takes it back."""
    said: Answer | None = None
    for clause in key_clauses(text, press):
        no = text.has("negation", clause) or text.has("ended", clause) or any(text.has(one, clause) for one in _NO)
        if text.has("no_objection", clause) or (text.has("key_yes", clause) and text.has("key_no", clause)):
            return None
        if said is None and no:
            return Answer.NO
        if no or (said is Answer.YES and text.has("a_refusal", clause)):
            return None
        if text.has("key_yes", clause):
            if text.beyond(clause, "press", "key_yes", "key_small") and not _of_the_call(text, clause):
                return None
            said = Answer.YES
    return said


def _of_the_call(text: Reading, clause: str) -> bool:
    return any(text.has(one, clause) for one in ("recorded", "kept", "used", "document", "train"))


def whole_clauses(text: Reading, n: int) -> list[str]:
    """A sentence's clauses, what is wanted or refused together with what that is (*…, at vi optager*)."""
    return _joined(text, text.clauses(n))


def _joined(text: Reading, clauses: list[str]) -> list[str]:
    whole: list[str] = []
    for clause in clauses:
        if whole and text.has("object_clause", clause):
            whole[-1] += f", {clause}"
        else:
            whole.append(clause)
    return whole


def what_is_refused(text: Reading, clause: str) -> str:
    """What a clause says that the party may not want, up to where it says how to tell; empty where there is no such thing."""
    refused = text.has("refuse", clause) and text.has("negation", clause)
    return text.before("tell", clause) if refused else ""


def elsewhere(text: Reading, clause: str) -> bool:
    """Whether a right, a refusal or an ending is aimed at something other than the recording and its use (*we delete your
    order*, *access to the website*)."""
    ends = text.has("ended", clause) or any(text.has(one, clause) for one in _ENDS)
    takes = any(text.has(one, clause) for one in ("object", "access", *_NO))
    refused = what_is_refused(text, clause)
    return (
        bool(ends and text.besides(clause))
        or bool(text.besides(refused))
        or (takes and text.has("service", clause))
        or text.has("ended", refused)
        or (
            text.has("whom", refused)
            and text.unheard(("recorded", "kept", "train"), refused)
            and not text.has("used", refused)
        )
        or text.has("aimed_elsewhere", clause)
    )
