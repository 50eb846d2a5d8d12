"""What the check finds in wordings: ours, the guideline's own, and those that companies write."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from plugins.datatilsynet import judging
from plugins.datatilsynet.judging import judge
from plugins.datatilsynet.tests.lines import line
from plugins.datatilsynet.tests.wordings import BASES, CASES, Case
from plugins.datatilsynet.tests.wordings_denied import DENIED, TAKEN_BACK
from plugins.datatilsynet.tests.wordings_last import LAST
from plugins.datatilsynet.tests.wordings_more import MORE
from plugins.datatilsynet.tests.wordings_plain import PLAIN
from plugins.datatilsynet.tests.wordings_spoiled import ANCHORS, GRANTED, SAID_INSTEAD, SPOILS, WIDENED
from plugins.datatilsynet.wording import standard
from softphone.domain.decision import NoticeId
from softphone.domain.notice import Found, Judgement
from softphone.domain.policy import Line
from softphone.domain.policy.model import Wording
from softphone.domain.purpose import Language

ALL = [*CASES, *MORE, *LAST, *PLAIN, *DENIED]


def codes(found: tuple[Found, ...]) -> list[str]:
    return sorted(one.code for one in found)


@pytest.mark.rule("G05")
@pytest.mark.rule("G39")
@pytest.mark.parametrize(
    "case", ALL, ids=[f"{n} {case.bases} {case.language}: {case.what}" for n, case in enumerate(ALL)]
)
def test_a_wording_is_judged_by_its_facts(case: Case) -> None:
    judgement = judge(case.line, case.notice, case.language, case.wording)
    assert codes(judgement.missing) == sorted(case.missing.split()), judgement
    assert codes(judgement.forbidden) == sorted(case.forbidden.split()), judgement
    assert codes(judgement.unsure) == sorted(case.unsure.split()), judgement


def test_every_code_that_the_check_can_give_has_a_wording_that_gets_it() -> None:
    named = re.findall(r'(?:Found|need)\("(\w+)"', inspect.getsource(judging))
    given = {code for case in ALL for part in (case.missing, case.forbidden, case.unsure) for code in part.split()}
    assert len(set(named)) > 30
    assert sorted(set(named) - given) == []


@pytest.mark.rule("G03")
@pytest.mark.rule("G23")
def test_what_denies_or_presses_is_never_used_without_a_person() -> None:
    for case in DENIED:
        assert not judge(case.line, case.notice, case.language, case.wording).certain, case


def test_few_right_wordings_wait_for_a_person_and_none_is_refused() -> None:
    right = [case for case in [*CASES, *MORE, *LAST, *PLAIN] if not case.missing and not case.forbidden]
    waiting = [case for case in right if case.unsure == "unclear"]
    assert len(right) > 80
    assert len(waiting) < 0.1 * len(right), waiting


def ours() -> Iterator[tuple[str, Line, NoticeId, Language, Wording]]:
    for bases, (documentation, training) in BASES.items():
        for keys in ("*9", ""):
            asked = line(documentation, training, opt_out_key=keys)
            notice = NoticeId(bases.partition(" ")[0])
            for language in Language:
                yield bases, asked, notice, language, standard(asked, notice, language)


@pytest.mark.rule("G05")
@pytest.mark.rule("G06")
@pytest.mark.rule("G08")
@pytest.mark.rule("G39")
@pytest.mark.parametrize("row", [pytest.param(f"N{n}", marks=pytest.mark.rule(f"N{n}")) for n in range(1, 9)])
def test_our_own_wordings_say_all_and_promise_nothing_that_they_must_not(row: str) -> None:
    judged = [one for one in ours() if row in one[2].value.split("+")]
    assert judged
    for bases, asked, notice, language, wording in judged:
        judgement = judge(asked, notice, language, wording)
        assert judgement.certain, (bases, language, judgement)


@pytest.mark.rule("G03")
@pytest.mark.rule("G08")
@pytest.mark.rule("G23")
def test_no_notice_of_ours_can_be_spoiled_by_a_sentence_and_still_be_used_without_a_person() -> None:
    for bases, asked, notice, language, wording in ours():
        for spoiling in (*TAKEN_BACK[language], *WIDENED[language]):
            spoiled = changed(wording, "facts", f"{wording.facts} {spoiling}")
            assert not judge(asked, notice, language, spoiled).certain, (bases, spoiling)


@pytest.mark.rule("G08")
def test_what_is_the_partys_can_be_said_in_the_same_words() -> None:
    recorded = [one for one in ours() if one[2] is NoticeId.N1]
    for bases, asked, notice, language, wording in recorded:
        for granting in GRANTED[language]:
            told = changed(wording, "facts", f"{wording.facts} {granting}")
            assert judge(asked, notice, language, told).certain, (bases, granting)


@pytest.mark.rule("G03")
@pytest.mark.rule("G08")
@pytest.mark.rule("G23")
@pytest.mark.rule("G31")
def test_no_clause_of_ours_can_be_spoiled_from_within_and_still_be_used_without_a_person() -> None:
    passed: list[tuple[str, str]] = []
    spoiled = 0
    idle = {(language, anchor) for language in Language for anchor in ANCHORS[language]}
    for bases, asked, notice, language, wording in ours():
        if not asked.opt_out_key:
            continue
        for name, text in parts_of(wording):
            for anchor in ANCHORS[language]:
                for place in re.finditer(rf"(?:{anchor})\b", text):
                    idle.discard((language, anchor))
                    for spoil in SPOILS[language]:
                        spoiled += 1
                        words = f"{text[: place.end()]} {spoil}{text[place.end() :]}"
                        if judge(asked, notice, language, changed(wording, name, words)).certain:
                            passed.append((bases, words))
    assert (passed, idle) == ([], set())
    assert spoiled > 2500


@pytest.mark.rule("G03")
@pytest.mark.rule("G23")
@pytest.mark.rule("G31")
def test_no_words_of_ours_can_be_put_otherwise_to_restrict_or_press_and_still_be_used_without_a_person() -> None:
    idle = {(language, ours_) for language in Language for ours_, _ in SAID_INSTEAD[language]}
    for bases, asked, notice, language, wording in ours():
        for name, text in parts_of(wording):
            for said, instead in SAID_INSTEAD[language]:
                if said in text:
                    idle.discard((language, said))
                    spoiled = changed(wording, name, text.replace(said, instead))
                    assert not judge(asked, notice, language, spoiled).certain, (bases, instead)
    assert idle == set()


class Turned(BaseModel, extra="forbid"):
    """A row of `wordings_turned.toml`."""

    of: tuple[Language, str, str]
    """language, bases, part"""
    said: str | None = None
    right: list[str] = []
    waits: list[str] = []
    yes_by_refusing: list[str] = []
    silence_as_yes: list[str] = []
    keys_swapped: list[str] = []

    def judged(self, words: str) -> Judgement:
        language, bases, part = self.of
        documentation, training = BASES[bases]
        asked, notice = line(documentation, training, opt_out_key=""), NoticeId(bases)
        wording = standard(asked, notice, language)
        told = dict(parts_of(wording))[part]
        if self.said is None:
            told = words
        elif not self.said:
            told = f"{told} {words}"
        else:
            assert self.said in told
            told = told.replace(self.said, words)
        return judge(asked, notice, language, changed(wording, part, told))


TURNED = [
    Turned.model_validate(row)
    for row in tomllib.loads((Path(__file__).parent / "wordings_turned.toml").read_text("utf-8"))["turned"]
]


@pytest.mark.rule("G03")
@pytest.mark.rule("G08")
@pytest.mark.rule("G23")
@pytest.mark.rule("G31")
def test_our_words_turned_round_are_never_used_without_a_person() -> None:
    passed = [(*one.of, words) for one in TURNED for words in one.waits if one.judged(words).certain]
    assert passed == []


@pytest.mark.rule("G03")
@pytest.mark.parametrize("code", ["yes_by_refusing", "silence_as_yes", "keys_swapped"])
def test_what_makes_a_yes_of_a_no_is_forbidden(code: str) -> None:
    turned: list[tuple[Turned, str]] = [(one, words) for one in TURNED for words in getattr(one, code)]
    assert [words for one, words in turned if code not in codes(one.judged(words).forbidden)] == []


def test_our_words_put_otherwise_but_rightly_need_nobody() -> None:
    judged = [(*one.of, words, one.judged(words)) for one in TURNED for words in one.right]
    assert [one for one in judged if not one[-1].certain] == []


def parts_of(wording: Wording) -> list[tuple[str, str]]:
    return [(name, text) for name, text in wording.model_dump().items() if text]


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("facts", "certain"),
    [
        ("Den slettes efter tre måneder.", True),
        ("Den slettes efter 3 måneder.", True),
        ("Den slettes efter fem år.", False),
        ("Den slettes efter tre måneder eller efter fem år.", False),
        ("Den slettes efter mange måneder.", False),
    ],
)
def test_how_long_it_is_kept_is_said_as_the_policy_has_it(facts: str, certain: bool) -> None:
    kept = line("legitimate_interest", opt_out_key="")
    wording = standard(kept, NoticeId.N1, Language.DA)
    told = changed(wording, "facts", f"{facts} {wording.facts}")
    assert judge(kept, NoticeId.N1, Language.DA, told).certain is certain


def changed(wording: Wording, part: str, text: str) -> Wording:
    """Without what the policy's reader would refuse: an empty part."""
    return Wording.model_construct(None, **{**wording.model_dump(), part: text})


IDLE = re.compile(r"Ellers lader vi|Otherwise we won|Or press both|Vi vil også gerne|We would also like")
"""sentences that say nothing the table asks for, or whose facts another sentence says too"""


@pytest.mark.rule("G05")
def test_no_sentence_of_ours_can_go_without_being_missed() -> None:
    left_out = 0
    for bases, asked, notice, language, wording in ours():
        parts = {"essentials": wording.essentials, "facts": wording.facts or "", "question": wording.question or ""}
        for name, part in parts.items():
            sentences = re.split(r"(?<=[.?!]) (?=[A-ZÆØÅ])", part) if part else []
            for n, sentence in enumerate(sentences):
                if IDLE.match(sentence):
                    continue
                rest = " ".join(one for m, one in enumerate(sentences) if m != n)
                shorter = changed(wording, name, rest)
                assert not judge(asked, notice, language, shorter).certain, (bases, language, sentence)
                left_out += 1
    print(f"\n{left_out} times a sentence was left out")
    assert left_out > 150


@pytest.mark.rule("G03")
@pytest.mark.rule("G31")
def test_a_wording_for_one_notice_does_not_pass_as_another() -> None:
    """What each notice must say differs; only a text that says more than is needed may pass for a lesser one."""
    texts = [one for one in ours() if one[1].opt_out_key]
    for bases, asked, notice, language, _ in texts:
        for other, _, _, its_language, wording in texts:
            if its_language is language and other.partition(" ")[0] != notice.value:
                assert not judge(asked, notice, language, wording).certain, (bases, other, language)


def test_a_text_in_the_wrong_language_says_nothing() -> None:
    for bases, asked, notice, language, _ in ours():
        other = next(one for one in Language if one is not language)
        assert "recorded" in codes(judge(asked, notice, language, standard(asked, notice, other)).missing), bases


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "?!.,;", "{page}", "{keys} {page} {x}", "1" * 2000, "æøå " * 500, "ikke " * 400],
        "Slettes efter 99999999 år. Deleted after 99999999 years.",
        "Slettes efter noget år. Deleted after Ⅳ years.",
    ],
)
def test_nonsense_is_judged_too(text: str) -> None:
    nonsense = Wording.model_construct(essentials=text, facts=text, question=text)
    for _, asked, notice, language, _ in ours():
        if asked.opt_out_key:
            assert not judge(asked, notice, language, nonsense).lawful
