"""What each notice must say and must not promise, as the guideline's table has it (N1 to N8, G03 to G06, G31, G39), and a
wording judged by it: facts, not words. What the words leave open is listed for a person. Whose words they are is all one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from softphone.domain.decision import NoticeId
from softphone.domain.notice import TELLS, Found, Judgement, Told, asks
from softphone.domain.policy.checks import CONSENT_KEYS
from softphone.domain.policy.model import Line, Wording
from softphone.domain.policy.purposes import OptOut
from softphone.domain.purpose import Basis, Language, Purpose

from .answers import Answer, after, done_after, elsewhere, key_clauses, key_says, what_is_refused, whole_clauses
from .reading import Heard, Press, Reading, Weight

_ADDRESS = re.compile(r"\b(?:[\w-]+\.)+[a-zæøå]{2,12}(?:/[\w./-]*)?", re.UNICODE)

_DOCUMENTED = ("happened", "said", "agreed")
"""what it is recorded to document: each is said"""
_NAMES = {Purpose.DOCUMENTATION: ("document", "kept"), Purpose.TRAINING: ("train",)}
_NOT, _FACT, _ASKED, _OPT_OUT, _SPECIAL = Told.NOT, Told.AS_FACT, Told.ASKED, Told.OPT_OUT, Told.SPECIAL


def judge(line: Line, notice: NoticeId, language: Language, wording: Wording) -> Judgement:
    """What `wording` lacks, promises and leaves open as this notice of this line."""
    parts = [part or "" for part in (wording.essentials, wording.facts, wording.question)]
    bench = _Bench(line, notice, Reading(" ".join(part for part in parts if part), language))
    bench.first = range(len(Reading(parts[0], language).sentences))
    bench.question = parts[2]
    for look in (
        _purposes,
        _page_and_rights,
        _question,
        _withdrawal,
        _sensitive,
        _opt_out,
        _deletion,
        _keys,
        _pressure,
        _aims,
        _claims,
        _strays,
    ):
        look(bench)
    return Judgement(tuple(bench.missing), tuple(bench.forbidden), tuple(bench.unsure))


@dataclass
class _Bench:
    """What is known of the wording, and what has been found so far."""

    line: Line
    notice: NoticeId
    text: Reading
    first: range = range(0)
    """the sentences of the essentials"""
    question: str = ""
    missing: list[Found] = field(default_factory=list[Found])
    forbidden: list[Found] = field(default_factory=list[Found])
    unsure: list[Found] = field(default_factory=list[Found])

    @property
    def row(self) -> str:
        """The table's row; for a joined notice, its first."""
        return self.notice.value.partition("+")[0]

    @property
    def documentation(self) -> Told:
        return self.told(Purpose.DOCUMENTATION)

    @property
    def training(self) -> Told:
        return self.told(Purpose.TRAINING)

    def told(self, purpose: Purpose) -> Told:
        return TELLS[self.notice][purpose is Purpose.TRAINING]

    def names(self, purpose: Purpose, words: str) -> bool:
        return any(self.text.has(one, words) for one in _NAMES[purpose])

    def asked_of(self, words: str) -> bool:
        """Whether words are of what may be done only after a yes."""
        facts = [one for one in Purpose if self.told(one) not in (_NOT, _ASKED)]
        asked = asks(self.notice)
        others = any(self.names(one, words) for one in facts) or not self.text.has("used", words)
        return bool(asked) and (not facts or any(self.names(one, words) for one in asked) or not others)

    @property
    def obliged(self) -> bool:
        return self.documentation is _FACT and self.line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION

    @property
    def calls_back(self) -> bool:
        return self.line.training is not None and self.line.training.opt_out is OptOut.CALL_BACK

    def need(self, code: str, rule: str, heard: Heard) -> None:
        if heard.weight is Weight.LOOSE:
            self.unsure.append(Found(code, rule, heard.words))
        elif heard.weight is not Weight.SURE:
            self.missing.append(Found(code, rule))

    def everywhere(self, concept: str) -> Heard:
        return self.text.heard(concept)


def _purposes(bench: _Bench) -> None:
    """That it is recorded and for which purposes, first of all (G05); as a wish where nothing is recorded without a yes (G03)."""
    told = (bench.documentation, bench.training)
    recorded = bench.text.heard("recorded", bench.first, as_fact=True)
    wishes = [n for n in bench.text.with_sure("wish") if n in bench.first]
    if all(one in (_NOT, _ASKED) for one in told):
        recorded = bench.text.heard("recorded", bench.first)
        bench.need("recorded", "G05", recorded)
        if recorded.weight is Weight.SURE and not wishes:
            bench.need("wish", "G03", bench.text.heard("wish", bench.first))
    else:
        bench.need("recorded", "G05", recorded)
        if wishes and _only_wished(bench, wishes):
            bench.unsure.append(Found("wish_as_fact", "G05", bench.text.sentences[wishes[0]]))
    if recorded.weight is Weight.SURE and bench.text.has("hedge", bench.text.sentences[recorded.sentence]):
        bench.unsure.append(Found("hedged", "G05", bench.text.sentences[recorded.sentence]))
    if bench.documentation is _FACT and bench.notice is not NoticeId.N8:
        bench.need("kept", bench.row, bench.text.heard("kept", as_fact=True))
    for name, how in (("document", bench.documentation), ("train", bench.training)):
        _purpose(bench, name, how)
    documents = bench.text.with_sure("document") if bench.documentation is not _NOT else []
    bench.unsure += [
        Found(name, bench.row)
        for name in _DOCUMENTED
        if documents and bench.text.heard(name, documents).weight is not Weight.SURE
    ]


def _only_wished(bench: _Bench, wishes: list[int]) -> bool:
    """A recording that is a fact, spoken of as if the party had a choice."""
    stated = [n for n in bench.first if bench.text.has("recorded", bench.text.sentences[n])]
    return bool(stated) and all(n in wishes for n in stated)


def _purpose(bench: _Bench, name: str, how: Told) -> None:
    if how is _NOT:
        named = bench.text.heard(name, as_fact=True)
        if named.weight is Weight.SURE:
            bench.forbidden.append(Found(f"not_for_{name}", "G05", named.words))
    elif how is _ASKED and bench.notice not in (NoticeId.N2, NoticeId.N3):
        bench.need(name, "G05", bench.everywhere(name))
    else:
        bench.need(name, "G05", bench.text.heard(name, bench.first, as_fact=how is not _ASKED))


def _page_and_rights(bench: _Bench) -> None:
    """The page (G06), access (G08), and objection where there is one to make (G23, G32)."""
    text = " ".join(bench.text.sentences)
    if "{page}" not in text:
        address = _ADDRESS.search(text)
        if address and "/" in address[0]:
            bench.unsure.append(Found("page_other", "G06", address[0]))
        else:
            bench.missing.append(Found("page", "G06"))
    if bench.everywhere("page_general").weight is Weight.SURE and "{page}" in text:
        bench.unsure.append(Found("page_general", "G06", bench.everywhere("page_general").words))
    bench.need("access", "G08", bench.text.right("access"))
    objection = bench.text.right("object")
    special = bench.training is _SPECIAL
    if special or (bench.documentation is _FACT and not bench.obliged):
        bench.need("object", "G32" if special and bench.documentation is not _FACT else "G23", objection)
    elif bench.documentation is not _FACT and bench.everywhere("rights").weight is not Weight.SURE:
        bench.unsure.append(Found("rights", bench.row, bench.everywhere("rights").words))
    if bench.obliged and objection.weight is Weight.SURE:
        to_training = bench.text.has("train", bench.text.sentences[objection.sentence])
        if not special and not (bench.training is _OPT_OUT and to_training):
            bench.forbidden.append(Found("object_to_obligation", "G23", objection.words))
        elif special and not to_training:
            bench.unsure.append(Found("object_to_training", "G32", objection.words))
    elif bench.obliged and not special and objection.weight is Weight.LOOSE:
        bench.unsure.append(Found("object_to_obligation", "G23", objection.words))


def _question(bench: _Bench) -> None:
    """The keys that say yes, each for its own purpose, in the question, which is said last (G03)."""
    asked = asks(bench.notice)
    if not asked:
        return
    presses = bench.text.presses()
    begins = len(bench.text.sentences) - len(Reading(bench.question, bench.text.language).sentences)
    for key, purpose in zip(CONSENT_KEYS, asked, strict=False):
        told = [press for press in presses if press.key == key]
        if not told:
            bench.missing.append(Found(f"press_{key}", "G03"))
            continue
        if not bench.question or told[0].sentence < begins:
            bench.missing.append(Found("question_last", "G03", told[0].words))
        for press in told:
            _key(bench, press, purpose)


def _key(bench: _Bench, press: Press, purpose: Purpose) -> None:
    """A key means yes, for sure, and for its own purpose (G03)."""
    sentence = bench.text.sentences[press.sentence]
    says = key_says(bench.text, press)
    if says is Answer.NO:
        bench.forbidden.append(Found("yes_by_refusing", "G03", sentence))
    elif says is None and not bench.text.has("pressure", sentence):
        bench.unsure.append(Found("key_says_yes", "G03", sentence))
    words = " ".join(key_clauses(bench.text, press))
    if bench.names(purpose, words):
        return
    both, other = len(asks(bench.notice)) == 2, bench.names(_other(purpose), words)
    records = bench.text.has("recorded", words) and not bench.text.has("used", words)
    if both and other:
        bench.forbidden.append(Found("keys_swapped", "G03", sentence))
    elif both or ((other or records) and bench.told(_other(purpose)) is not _NOT):
        bench.unsure.append(Found("key_for_purpose", "G03", sentence))


def _other(purpose: Purpose) -> Purpose:
    return Purpose.TRAINING if purpose is Purpose.DOCUMENTATION else Purpose.DOCUMENTATION


def _withdrawal(bench: _Bench) -> None:
    """That a yes can be taken back at any time, and what happens then (G04)."""
    if not asks(bench.notice):
        if bench.text.has("consent_named", " ".join(bench.text.sentences)):
            bench.unsure.append(Found("consent_named", "G02"))
        return
    said = bench.text.with_sure("withdraw")
    if not said:
        bench.need("withdraw", "G04", bench.everywhere("withdraw"))
        return
    if not any(bench.text.has("any_time", bench.text.sentences[n]) for n in said):
        bench.need("any_time", "G04", bench.text.heard("any_time", said) if said else Heard())
    passages = [bench.text.passage(n) for n in said]
    deletes = bench.notice in (NoticeId.N2, NoticeId.N3)
    then = ("delete",) if deletes else ("cease", "delete")
    if not any(bench.text.has(one, passage) for one in then for passage in passages):
        elsewhere = any(bench.everywhere(one).weight is Weight.SURE for one in then)
        (bench.unsure if elsewhere else bench.missing).append(Found("withdraw_then", "G04"))


def _sensitive(bench: _Bench) -> None:
    """An explicit consent names what it is for: whether the question names health, or whatever else the line records, no word
    list knows (G09)."""
    if _ASKED in (bench.documentation, bench.training) and "special_categories" in bench.line.sensitive.recorded:
        bench.unsure.append(Found("names_sensitive", "G09"))


def _opt_out(bench: _Bench) -> None:
    """How to decline, and what happens then, in the notice itself (G31, G39); no such promise where there is none."""
    offers = _offers(bench)
    back = bench.everywhere("call_back")
    if bench.training is not _OPT_OUT:
        _no_opt_out(bench, offers)
    elif not offers:
        hints = [
            n
            for n in range(len(bench.text.sentences))
            if any(_in(bench, n, one) for one in ("tell", "refuse", "opt_out"))
        ]
        (bench.unsure if hints else bench.missing).append(
            Found("say_so", "G39", bench.text.sentences[hints[0]] if hints else "")
        )
    else:
        then = ("cease", "stops", "delete", "call_back") if bench.notice is NoticeId.N4 else ("cease",)
        results = [bench.text.without("refuse", _rest(bench, n)) for n in offers]
        if not any(bench.text.has(one, result) for one in then for result in results):
            beside = [bench.text.sentences[n + 1] for n in offers if n + 1 < len(bench.text.sentences)]
            perhaps = any(bench.text.has(one, sentence) for one in then for sentence in beside)
            (bench.unsure if perhaps else bench.missing).append(
                Found("say_so_then", "G39", bench.text.sentences[offers[0]])
            )
        if bench.notice is NoticeId.N4 and bench.calls_back and back.weight is not Weight.SURE:
            bench.missing.append(Found("call_back", "N4"))
        if bench.documentation is _FACT and any(bench.text.has("stops_recording", result) for result in results):
            bench.forbidden.append(Found("stops_recording", bench.row, bench.text.sentences[offers[0]]))
    if back.weight is Weight.SURE and not (bench.notice is NoticeId.N4 and bench.calls_back):
        promised = bench.text.has("without_recording", bench.text.sentences[back.sentence]) or back.sentence in offers
        (bench.forbidden if promised else bench.unsure).append(Found("no_call_back", "N4", back.words))


def _in(bench: _Bench, n: int, concept: str) -> bool:
    return bench.text.has(concept, bench.text.sentences[n])


def _offers(bench: _Bench) -> list[int]:
    """The sentences by which the party can decline."""
    found: list[int] = []
    for n, sentence in enumerate(bench.text.sentences):
        told = bench.text.has("tell", bench.text.without("refuse", bench.text.passage(n)))
        if bench.text.has("opt_out", sentence) or (bench.text.has("refuse", sentence) and told):
            found.append(n)
    return found


def _rest(bench: _Bench, n: int) -> str:
    """What an offer says will happen: after the telling, or before it where it says so first."""
    passage = bench.text.passage(n)
    rest = bench.text.after("tell", passage) or bench.text.after("opt_out", passage)
    return rest if len(rest.split()) > 2 else passage


def _no_opt_out(bench: _Bench, offers: list[int]) -> None:
    for n, sentence in enumerate(bench.text.sentences):
        ends = _in(bench, n, "cease") or _in(bench, n, "stops")
        if n not in offers and ends and bench.text.has("refuse", sentence):
            offers = sorted([*offers, n])
    offers = [
        n
        for n in offers
        if not any(press.sentence == n and press.key in CONSENT_KEYS for press in bench.text.presses())
    ]
    if not offers or bench.notice in (NoticeId.N2, NoticeId.N3, NoticeId.N2_N3, NoticeId.N6):
        return
    found = Found("opt_out", "G32" if bench.training is _SPECIAL else bench.row, bench.text.sentences[offers[0]])
    # An objection to documentation on interest does pause the recording, where the line's policy says so.
    kept = bench.notice is NoticeId.N1 and not bench.obliged and bench.line.objection_in_call == "stop"
    (bench.unsure if kept else bench.forbidden).append(found)


def _deletion(bench: _Bench) -> None:
    """No deletion on demand where documentation stays, or grounds are weighed; when it is due anyway may be said (G10, G23)."""
    if bench.notice in (NoticeId.N2, NoticeId.N3, NoticeId.N4):
        return
    for n in bench.text.with_sure("delete"):
        context = bench.text.context(n)
        demanded = bench.text.has("demand", context)
        if bench.documentation is _ASKED and bench.text.has("nothing_left", bench.text.sentences[n]):
            continue
        if bench.text.has("deadline", bench.text.sentences[n]) and not demanded:
            continue
        found = Found("deletion", "G04" if bench.documentation is _ASKED else bench.row, bench.text.sentences[n])
        (bench.forbidden if demanded else bench.unsure).append(found)
    heard = bench.everywhere("delete")
    if heard.weight is Weight.LOOSE:
        bench.unsure.append(Found("deletion", bench.row, heard.words))


def _keys(bench: _Bench) -> None:
    """No key that does nothing (G31). The line's opt-out keys need not be said, for saying so is enough; but who leaves them out
    may have forgotten them. Where the notice also asks for a yes, what they refuse is unclear, so they refuse that too."""
    own = bench.line.opt_out_key
    presses = bench.text.presses()
    placed = any("{keys}" in sentence for sentence in bench.text.sentences)
    named = placed or any(press.key == own for press in presses)
    if bench.training is _OPT_OUT and own and not named and not asks(bench.notice):
        bench.unsure.append(Found("opt_out_key", "G31", own))
    if placed and bench.training is not _OPT_OUT:
        bench.forbidden.append(Found("keys_without_opt_out", bench.row, "{keys}"))
    known = {"{keys}", bench.line.language_key, *CONSENT_KEYS[: len(asks(bench.notice))]}
    if bench.training is _OPT_OUT and own:
        known.add(own)
    for press in presses:
        if press.key in known:
            continue
        # A key for a no that is none does no harm: whoever presses it has not said yes.
        a_yes = press.key in CONSENT_KEYS and not _in(bench, press.sentence, "negation")
        offered = press.sentence in _offers(bench) or press.key[:1] in ("*", "#") or a_yes
        (bench.forbidden if offered else bench.unsure).append(Found("key_without_effect", "G31", press.words))


def _pressure(bench: _Bench) -> None:
    """Silence is no yes, nor is a no; and the service is the same after it (G03, G31)."""
    asked = bool(asks(bench.notice))
    for n, sentence in enumerate(bench.text.sentences):
        if bench.text.has("silence", sentence):
            ends = _in(bench, n, "cease") or _in(bench, n, "stops")
            records = bench.asked_of(sentence) and bench.text.has("silence_records", sentence) and not ends
            if records or bench.text.has("silence_means", sentence):
                bench.forbidden.append(Found("silence_as_yes", "G03", sentence))
            else:
                bench.unsure.append(Found("silence", "G03", sentence))
        if not asked and bench.training is not _OPT_OUT:
            continue
        cost = bench.text.heard("cost", [n]) if bench.text.has("a_no", sentence) else Heard()
        if bench.text.has("pressure", sentence) or cost.weight is Weight.SURE:
            bench.forbidden.append(Found("pressure", "G03" if asked else "G31", sentence))
        elif not bench.text.has("silence", sentence):
            _anyway(bench, n)


def _anyway(bench: _Bench, n: int) -> None:
    """What may be done only after a yes is said to be done after a no, or whatever is answered (G03); or a no, told by saying
    so, changes nothing (G31)."""
    sentence = bench.text.sentences[n]
    if sentence in [found.words for found in bench.forbidden]:
        return
    if bench.text.has("goes_on", sentence) or (
        asks(bench.notice) and (_just_stops(bench, n) or _unexplained(bench, n))
    ):
        bench.unsure.append(Found("unclear", "G03", sentence))
        return
    if not bench.asked_of(sentence):
        if bench.training is _OPT_OUT and Answer.NO in done_after(bench.text, n, said_so=True):
            bench.unsure.append(Found("recorded_anyway", "G31", sentence))
        return
    answers = [*done_after(bench.text, n)]
    unasked = n in bench.first and any(found.code == "wish" for found in bench.missing)
    no, yes = (after(bench.text, n, one) for one in (Answer.NO, Answer.YES))
    if Answer.NO in answers:
        bench.forbidden.append(Found("silence_as_yes", "G03", sentence))
    elif (None in answers and not unasked) or _goes_on(bench, no):
        bench.unsure.append(Found("recorded_anyway", "G03", sentence))
    elif bench.text.has("ended", yes) or bench.text.has("no_way", yes):
        bench.unsure.append(Found("unclear", "G03", sentence))


def _goes_on(bench: _Bench, rest: str) -> bool:
    """Whether words speak of recording, and of nothing that ends."""
    said = any(bench.text.has(one, rest) for one in ("recorded", "kept", "used", "train", "document"))
    return said and not bench.text.has("ended", rest) and not bench.text.has("cease", rest)


def _just_stops(bench: _Bench, n: int) -> bool:
    """A no after which something stops, though nothing has begun without a yes: what, if not the service?"""
    begun = bench.training is _OPT_OUT or _in(bench, n, "withdraw")
    return not begun and bench.text.has("just_stops", after(bench.text, n, Answer.NO))


def _unexplained(bench: _Bench, n: int) -> bool:
    """A no after which something else happens than that nothing is done."""
    no = after(bench.text, n, Answer.NO)
    ends = any(_in(bench, n, one) for one in ("ended", "cease", "stops", "delete"))
    choice = (*_CHOICE, "call_back") if bench.training is _OPT_OUT else ("refuse", "any_time")
    known = (*choice, "harmless", "no_way", "page", "recorded", "kept", "used", "train")
    return len(no.split()) > 1 and not ends and not any(bench.text.has(one, no) for one in known)


def _aims(bench: _Bench) -> None:
    """A right, a no and what then ends are of the recording and its use, not of what the party calls about (G03, G23, G31)."""
    told = {found.words for found in (*bench.forbidden, *bench.unsure)}
    for n, sentence in enumerate(bench.text.sentences):
        for clause in [] if sentence in told else whole_clauses(bench.text, n):
            refused = what_is_refused(bench.text, clause)
            documents = bench.names(Purpose.DOCUMENTATION, refused) and not bench.names(Purpose.TRAINING, refused)
            if elsewhere(bench.text, clause) or (documents and bench.documentation is not _NOT):
                bench.unsure.append(Found("aimed_elsewhere", bench.row, clause))


def _claims(bench: _Bench) -> None:
    """A law that obliges is named only where there is one (G02); purposes beyond the two are not the policy's (G05)."""
    for sentence in bench.text.sentences:
        if bench.text.has("law", sentence) and not bench.obliged:
            bench.forbidden.append(Found("law", "G02", sentence))
        if bench.text.has("other_purpose", sentence):
            bench.unsure.append(Found("other_purpose", "G05", sentence))


_SUBJECT = ("recorded", "kept", "document")
_ELSEWHERE = (
    "wish",
    "train",
    "page",
    "page_general",
    "object",
    "access",
    "rights",
    "kept",
    "document",
    "delete",
    "harmless",
)
_CHOICE = ("refuse", "tell", "opt_out", "cease", "stops", "any_time")


def _strays(bench: _Bench) -> None:
    """A clause that says nothing of what this notice must say, or says it in more than plain words, is not passed over in
    silence: a person reads it (G05). What restricts a right, asks for a reason or sets a price takes other words (G23, G31); what
    is for all that one likes takes plain ones (G03)."""
    choice = (*_CHOICE, "withdraw", "call_back") if asks(bench.notice) or bench.training is _OPT_OUT else ()
    known = [*_ELSEWHERE, *choice] + (["a_yes"] if asks(bench.notice) else [])
    told = {found.words for found in (*bench.forbidden, *bench.unsure)}
    for n, sentence in enumerate(bench.text.sentences):
        if sentence in told:
            continue
        # What is recorded, and what of it is documented, is said where that is the subject; elsewhere the word says nothing.
        subject = any(_in(bench, n, one) for one in _SUBJECT)
        recorded = n in bench.first or any(_in(bench, n, one) for one in (*choice, "delete"))
        more = (["recorded"] if recorded else []) + ([*_DOCUMENTED] if subject else [])
        stray = [
            clause
            for clause in bench.text.clauses(n)
            if (bench.text.unknown(clause) and bench.text.unknown(clause, *_beside(bench, n, clause)))
            or bench.text.unheard([*known, *more], clause)
            or _unexplained_no(bench, clause)
        ]
        if stray or bench.text.has("taken_back", sentence) or _reserved(bench, n) or _widened(bench, sentence):
            bench.unsure.append(Found("unclear", "G05", stray[0] if stray else sentence))
        elif bench.text.has("blanket", sentence):
            bench.unsure.append(Found("other_purpose", "G05", sentence))


_LIMITED = ("object", "access", "withdraw", "refuse", "opt_out", "a_yes")
"""what no limit may stand beside"""


def _beside(bench: _Bench, n: int, clause: str) -> list[str]:
    """What a sentence that grants nothing may say besides: whose calls, and for how long where that is what the policy says."""
    if any(bench.text.has(one, bench.text.context(n)) for one in _LIMITED):
        return []
    told = bench.text.period(clause)
    purpose = Purpose.TRAINING if bench.documentation is _NOT else Purpose.DOCUMENTATION
    return ["whose_calls", *(["period_told"] if told and told == bench.line.retention(purpose) else [])]


def _reserved(bench: _Bench, n: int) -> bool:
    """*You can have access if …*, *you can object, but …*: both rights are unconditional. Nor does a no take a page."""
    right = any(_in(bench, n, one) for one in ("object", "access"))
    but = (right or _in(bench, n, "withdraw")) and _in(bench, n, "but")
    elsewhere = bench.training is _OPT_OUT and n in _offers(bench) and _in(bench, n, "page")
    return but or elsewhere or (right and _in(bench, n, "right_condition"))


def _widened(bench: _Bench, sentence: str) -> bool:
    """Others get what is the party's alone, it is kept without end or for one thing more, or a yes is asked for other calls too,
    all in plain words (G03, G05, G10)."""
    asked = bench.asked_of(sentence) or (asks(bench.notice) and bench.text.has("press", sentence))
    if asked and bench.text.has("other_calls", sentence):
        return True
    rights = bench.text.has("a_right", sentence) and not bench.text.has("the_partys", sentence)
    return rights or bench.text.has("widened", sentence)


def _unexplained_no(bench: _Bench, clause: str) -> bool:
    """A negation that belongs to nothing the notice says: neither to a refusal nor to what is then no longer done."""
    explained = any(bench.text.has(one, clause) for one in ("refuse", "cease", "stops", "nothing_left", "silence"))
    return bench.text.has("no_way", bench.text.without("refuse", clause)) and not explained
