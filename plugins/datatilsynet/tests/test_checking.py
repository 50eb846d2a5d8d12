"""What the check finds in wordings: ours, the guideline's own, and those that companies write."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.datatilsynet import checking
from plugins.datatilsynet.checking import judge
from plugins.datatilsynet.composing import standard
from plugins.datatilsynet.tests.lines import line
from plugins.datatilsynet.tests.wordings import BASES, WORDINGS, Own
from softphone.domain.decision import NoticeId
from softphone.domain.notice import WordingFinding
from softphone.domain.policy import Line
from softphone.domain.policy.model import Wording
from softphone.domain.purpose import Language

SPEAKS = Path(__file__).parents[3] / "tests" / "guideline" / "speaks.toml"


def codes(found: tuple[WordingFinding, ...]) -> list[str]:
    return sorted(one.code for one in found)


@pytest.mark.rule("G05")
@pytest.mark.rule("G39")
@pytest.mark.parametrize("own", WORDINGS, ids=[f"{n} {own.bases}" for n, own in enumerate(WORDINGS)])
def test_a_wording_is_refused_for_what_is_structural_and_all_else_is_shown(own: Own) -> None:
    judgement = judge(own.line, own.notice, own.language, own.wording)
    assert codes(judgement.missing) == sorted(own.missing), judgement
    assert codes(judgement.forbidden) == sorted(own.forbidden), judgement
    assert codes(judgement.unsure) == sorted(own.unsure), judgement


def test_there_are_forty_wordings_and_every_refusal_has_one_that_gets_it() -> None:
    assert len(WORDINGS) >= 40
    refusing = set(re.findall(r'(?:missing|forbidden).*?WordingFinding\("(\w+)"', inspect.getsource(checking)))
    given = {code for own in WORDINGS for code in (*own.missing, *own.forbidden)}
    assert len(refusing) > 10
    assert refusing - given == {"recorded"} - given


BASES_OF_SPEAKS = {
    "interest": "legitimate_interest",
    "consent": "consent",
    "special circumstances": "special",
    "interest, calls back": "call_back",
}


@pytest.mark.rule("G05")
@pytest.mark.rule("G39")
def test_the_wordings_that_the_guideline_suggests_leave_at_most_the_doubt_that_no_key_is_named() -> None:
    cases = tomllib.loads(SPEAKS.read_text("utf-8"))["case"]
    assert {case["rule"][0] for case in cases} == {"N1", "N3", "N4", "N5", "N6", "N7", "N8"}
    for case in cases:
        documentation, training = (BASES_OF_SPEAKS.get(case.get(one, "")) for one in ("documentation", "training"))
        asked = line(documentation, training)
        judgement = judge(asked, NoticeId(case["rule"][0]), Language.DA, Wording(**case["speak"]))
        assert (judgement.missing, judgement.forbidden) == ((), ()), case
        assert set(codes(judgement.unsure)) <= {"opt_out_key"}, case


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


@pytest.mark.rule("G05")
def test_the_words_of_one_notice_never_pass_as_those_of_another() -> None:
    """Where another purpose, basis or right is at stake, something is missing, forbidden or shown."""
    told = {(bases, language): wording for bases, _, _, language, wording in ours()}
    for bases, asked, notice, language, _ in ours():
        for (other, spoken), wording in told.items():
            if spoken is language and other.partition(" ")[0] != notice.value and not _alike(bases, other):
                assert not judge(asked, notice, language, wording).certain, (bases, other, language)


def _alike(bases: str, other: str) -> bool:
    """N1 with both purposes is N8 without the word *kept*."""
    return {bases.partition(" ")[0], other.partition(" ")[0]} in ({"N7", "N8"}, {"N1", "N8"})
