"""What each notice must say and must not promise, as the guideline's table has it (N1 to N8, G03 to G06, G31, G39), and a
wording held against it.

It refuses a missing page, a key that is not the line's, a question that is not last, a purpose left out, and a forbidden
promise. All else is shown to the person who reads the wording and answers for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from softphone.domain.decision import NoticeId
from softphone.domain.notice import MENTIONS, Judgement, PurposeMention, WordingFinding, asks
from softphone.domain.policy.checks import CONSENT_KEYS
from softphone.domain.policy.model import Line, Wording
from softphone.domain.policy.purposes import OptOut
from softphone.domain.purpose import Basis, Language, Purpose

from .reading import Press, Reading, Said

_ADDRESS = re.compile(r"\b(?:[\w-]+\.)+[a-zæøå]{2,12}(?:/[\w./-]*)?", re.UNICODE)
_NOT, _FACT, _ASKED, _OPT_OUT, _SPECIAL = (
    PurposeMention.NOT,
    PurposeMention.AS_FACT,
    PurposeMention.ASKED,
    PurposeMention.OPT_OUT,
    PurposeMention.SPECIAL,
)


def judge(line: Line, notice: NoticeId, language: Language, wording: Wording) -> Judgement:
    """What `wording` leaves out and promises as this notice of this line (`missing`, `forbidden`), and what a person must look
    at (`unsure`)."""
    bench = _Bench(line, notice, language, wording)
    for look in (_recorded, _purposes, _page, _rights, _keys, _consent, _opt_out, _promises, _claims):
        look(bench)
    return Judgement(tuple(bench.missing), tuple(bench.forbidden), tuple(bench.unsure))


@dataclass
class _Bench:
    """What is known of the wording, and what has been found so far."""

    line: Line
    notice: NoticeId
    language: Language
    wording: Wording
    missing: list[WordingFinding] = field(default_factory=list[WordingFinding])
    forbidden: list[WordingFinding] = field(default_factory=list[WordingFinding])
    unsure: list[WordingFinding] = field(default_factory=list[WordingFinding])

    def __post_init__(self) -> None:
        parts = (self.wording.essentials, self.wording.facts, self.wording.question)
        self.text = Reading(" ".join(part for part in parts if part), self.language)
        self.first = Reading(self.wording.essentials, self.language).text
        self.question = Reading(self.wording.question or "", self.language)
        self.documentation, self.training = MENTIONS[self.notice]
        self.asked = asks(self.notice)
        self.row = self.notice.value.partition("+")[0]

    @property
    def obliged(self) -> bool:
        return self.documentation is _FACT and self.line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION

    @property
    def calls_back(self) -> bool:
        training = self.line.training
        return self.notice is NoticeId.N4 and training is not None and training.opt_out is OptOut.CALL_BACK

    def doubt(self, code: str, rule: str, words: str = "") -> None:
        self.unsure.append(WordingFinding(code, rule, words))

    def needs(self, concept: str, rule: str, passage: str | None = None) -> None:
        """A fact that must be told: what is not surely said, a person looks for."""
        if self.text.said(concept, passage) is not Said.SURELY:
            self.doubt(concept, rule)


def _recorded(bench: _Bench) -> None:
    """That it is recorded, first of all (G05); as a wish where nothing is recorded without a yes (G03)."""
    if bench.text.said("recorded") is Said.NOT:
        bench.missing.append(WordingFinding("recorded", "G05"))
    else:
        bench.needs("recorded", "G05", bench.first)
    wishes = bench.text.has("wish", bench.first)
    nothing_yet = all(one in (_NOT, _ASKED) for one in (bench.documentation, bench.training))
    if nothing_yet and not wishes:
        bench.doubt("wish", "G03")
    elif wishes and not nothing_yet:
        bench.doubt("wish_as_fact", "G05", bench.wording.essentials)
    if bench.documentation is _FACT and bench.notice is not NoticeId.N8:
        bench.needs("kept", bench.row)


def _purposes(bench: _Bench) -> None:
    """Each purpose is named, and no other (G05)."""
    for concept, mention in (("document", bench.documentation), ("train", bench.training)):
        said = bench.text.said(concept)
        if mention is _NOT:
            if said is Said.SURELY:
                bench.doubt(f"not_for_{concept}", "G05")
        elif said is Said.NOT:
            bench.missing.append(WordingFinding(concept, "G05"))
        else:
            joined = mention is _ASKED and bench.notice not in (NoticeId.N2, NoticeId.N3)
            bench.needs(concept, "G05", None if joined else bench.first)
    if bench.documentation is not _NOT and not (bench.text.has("said") and bench.text.has("agreed")):
        bench.doubt("document_what", bench.row)
    for sentence in bench.text.sentences:
        if bench.text.has("other_purpose", sentence):
            bench.doubt("other_purpose", "G05", sentence)


def _page(bench: _Bench) -> None:
    """The page about recorded calls is said, in the place that the policy's own is put into (G06)."""
    if "{page}" in bench.text.text:
        if bench.text.has("page_general"):
            bench.doubt("page_general", "G06")
        return
    address = _ADDRESS.search(bench.text.text)
    if address and "/" in address[0]:
        bench.doubt("page_other", "G06", address[0])
    else:
        bench.missing.append(WordingFinding("page", "G06"))


def _rights(bench: _Bench) -> None:
    """Access (G08), and objection where there is one to make (G23, G32)."""
    bench.needs("access", "G08")
    objection = bench.training is _SPECIAL or (bench.documentation is _FACT and not bench.obliged)
    if objection:
        bench.needs("object", "G32" if bench.training is _SPECIAL else "G23")
    elif not bench.text.has("rights"):
        bench.doubt("rights", "G13")
    if bench.obliged and bench.training is not _SPECIAL and (said := bench.text.said("object")) is not Said.NOT:
        plain = said is Said.SURELY and not bench.text.has("negation", _sentence_of(bench, "object"))
        (bench.forbidden if plain else bench.unsure).append(WordingFinding("object_to_obligation", "G23"))
    for sentence in bench.text.sentences:
        if bench.text.has("right_open", sentence):
            bench.doubt("right_open", "G08", sentence)


def _sentence_of(bench: _Bench, concept: str) -> str:
    return next((one for one in bench.text.sentences if bench.text.said(concept, one) is Said.SURELY), "")


def _keys(bench: _Bench) -> None:
    """The keys that say yes are asked for last, each means yes, and no key is named that does nothing (G03, G31)."""
    own, presses = bench.line.opt_out_key, bench.text.presses()
    begins = len(bench.text.sentences) - len(bench.question.sentences)
    for n, purpose in enumerate(bench.asked):
        key = CONSENT_KEYS[n]
        found = [one for one in presses if one.key == key]
        if not found:
            bench.doubt(f"press_{key}", "G03")
        elif found[0].sentence < begins:
            bench.missing.append(WordingFinding("question_last", "G03", found[0].words))
        else:
            _means_yes(bench, found[0], purpose)
    if len(bench.asked) == 2 and bench.text.has("both_keys", bench.question.text):
        bench.doubt("both_keys", "G03", bench.question.text)
    known = {bench.line.language_key, *CONSENT_KEYS[: len(bench.asked)]}
    if bench.training is _OPT_OUT:
        known |= {own, "{keys}"}
        named = "{keys}" in bench.text.text or any(one.key == own for one in presses)
        if own and not bench.asked and not named:
            bench.doubt("opt_out_key", "G31", own)
    elif "{keys}" in bench.text.text:
        bench.forbidden.append(WordingFinding("keys_without_opt_out", bench.row, "{keys}"))
        known.add("{keys}")
    bench.forbidden += [
        WordingFinding("key_without_effect", "G31", one.words) for one in presses if one.key not in known
    ]


def _means_yes(bench: _Bench, press: Press, purpose: Purpose) -> None:
    sentence = bench.text.sentences[press.sentence]
    if bench.text.has("key_no", press.after):
        bench.forbidden.append(WordingFinding("yes_by_refusing", "G03", sentence))
    elif not bench.text.has("key_yes", sentence):
        bench.doubt("key_says_yes", "G03", sentence)
    if len(bench.asked) < 2:
        return
    names = {one: bench.text.said(concept, press.after) is Said.SURELY for one, concept in _NAMED.items()}
    other = next(one for one in Purpose if one is not purpose)
    if names[other] and not names[purpose]:
        bench.forbidden.append(WordingFinding("keys_swapped", "G03", sentence))
    elif not names[purpose]:
        bench.doubt("key_for_purpose", "G03", sentence)


_NAMED = {Purpose.DOCUMENTATION: "document", Purpose.TRAINING: "train"}


def _consent(bench: _Bench) -> None:
    """That a yes can be taken back at any time, and what happens then (G04); that it is explicit where it must be (G09)."""
    if not bench.asked:
        return
    bench.needs("withdraw", "G04")
    if not bench.text.has("any_time"):
        bench.doubt("any_time", "G04")
    if not (bench.text.has("delete") or bench.text.has("ends")):
        bench.doubt("withdraw_then", "G04")
    if "special_categories" in bench.line.sensitive.recorded:
        bench.doubt("names_sensitive", "G09")
    for passage in bench.text.passages():
        if bench.text.has("silence", passage) and bench.text.has("taken_as_yes", passage):
            bench.forbidden.append(WordingFinding("silence_as_yes", "G03", passage))


def _opt_out(bench: _Bench) -> None:
    """How to decline, and what happens then, in the notice itself (G31, G39)."""
    if bench.training is not _OPT_OUT:
        return
    offers = bench.text.with_all(("refuse", "tell"))
    if not offers:
        bench.doubt("say_so", "G39")
    elif not any(bench.text.has(one, passage) for one in ("ends", "delete", "call_back") for passage in offers):
        bench.doubt("say_so_then", "G39", offers[0])
    if bench.calls_back and not bench.text.has("call_back"):
        bench.doubt("call_back", "N4")
    if bench.documentation is _FACT and (stops := bench.text.with_all(("refuse", "stops_recording"))):
        bench.forbidden.append(WordingFinding("stops_recording", bench.row, stops[0]))


def _promises(bench: _Bench) -> None:
    """No opt-out where there is none, no deletion on demand where documentation stays or grounds are weighed, no call back that
    nobody makes (G10, G23, G32)."""
    if bench.training is not _OPT_OUT and not bench.asked:
        plain = bench.text.with_all(("refuse", "ends"))
        # An objection to documentation on interest does pause the recording, where the line's policy says so.
        paused = bench.notice is NoticeId.N1 and not bench.obliged and bench.line.objection_in_call == "stop"
        if plain and not paused:
            bench.forbidden.append(
                WordingFinding("opt_out", "G32" if bench.training is _SPECIAL else bench.row, plain[0])
            )
        elif offers := bench.text.with_all(("refuse",)):
            bench.doubt("opt_out", bench.row, offers[0])
    if bench.notice not in (NoticeId.N2, NoticeId.N3, NoticeId.N4, NoticeId.N2_N3):
        plain = bench.text.with_all(("delete", "demand"), without="weighed")
        if plain:
            bench.forbidden.append(WordingFinding("deletion", bench.row, plain[0]))
        elif bench.text.has("delete"):
            bench.doubt("deletion", bench.row, bench.text.with_all(("delete",))[0])
    if not bench.calls_back and (back := bench.text.with_all(("call_back",))):
        plain = [one for one in back if bench.text.has("without_recording", one)]
        (bench.forbidden if plain else bench.unsure).append(WordingFinding("no_call_back", "N4", (plain or back)[0]))


def _claims(bench: _Bench) -> None:
    """The law obliges only where it does (G02), and the service is the same after a no (G03, G31)."""
    for sentence in bench.text.sentences:
        if not bench.obliged and bench.text.has("law", sentence):
            bench.forbidden.append(WordingFinding("law", "G02", sentence))
        elif not bench.obliged and bench.text.has("must", sentence):
            bench.doubt("law", "G02", sentence)
        if (bench.asked or bench.training is _OPT_OUT) and bench.text.has("pressure", sentence):
            bench.forbidden.append(WordingFinding("pressure", "G03" if bench.asked else "G31", sentence))
