"""The guideline as a table: a case for every row that concerns the call, and for every notice, against the real rulebook,
policy reader and session.

The cases are the TOML files beside this one. What they expect is written from the guideline; each names the rows it proves.
"""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from plugins import datatilsynet
from softphone.domain.decision import Decision, PlanState, PurposePlan, not_recorded
from softphone.domain.notice import NoticeText, NoticeVariant
from softphone.domain.policy import LoadedPolicy, PolicyError, may_train
from softphone.domain.policy.model import Wording
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.retention import expires_on
from tests.guideline import call as calls
from tests.guideline.call import Call, decide, facts_of
from tests.guideline.facts import says
from tests.guideline.lines import read

HERE = Path(__file__).parent
TABLES = ("both_purposes", "documentation", "training", "notices", "speaks", "softphone", "elsewhere")
Case = dict[str, Any]

VERDICTS = {"refused", "warned", "unwarned", "accepted", "refused_or_warned"}
POLICY = {"documentation", "training", "line", "policy", "page", "sensitive", "not_informed"}
PLAYED = {"plan", "happens", "text", "newcomer", "speak", "waits", "keeps", "proved_by"} | VERDICTS
KNOWN = {"rule", "says", "call", "decided", "then"} | POLICY | PLAYED


def cases() -> list[Case]:
    return [case for table in TABLES for case in tomllib.loads((HERE / f"{table}.toml").read_text("utf-8"))["case"]]


CASES = cases()


def having(*keys: str) -> list[Any]:
    """The cases with any of these keys, each under its own words, marked with the rows it proves."""
    return [
        pytest.param(
            case, id=f"{case['rule'][0]} {case['says']}", marks=[pytest.mark.rule(row) for row in case["rule"]]
        )
        for case in CASES
        if set(keys) & set(case)
    ]


def policy_of(case: Case) -> LoadedPolicy:
    line = case.get("line", "")
    if "sensitive" in case:
        line += f"\n[line.sensitive]\n{case['sensitive']}\n"
    return read(
        case.get("documentation", ""),
        case.get("training", ""),
        line,
        case.get("policy", ""),
        page=case.get("page"),
        informed=not case.get("not_informed", False),
    )


# --- the policy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", having(*VERDICTS))
def test_a_policy_is_refused_warned_of_or_accepted_as_the_guideline_has_it(case: Case) -> None:
    rows = set(case["rule"])
    faults, remarks = _told_of(case)
    refused = rows & {fault.rule for fault in faults}
    warned = rows & {remark.rule for remark in remarks}
    told = [f"{one.rule} {one.code}" for one in (*faults, *remarks)]
    if case.get("refused"):
        assert refused, told
    elif case.get("refused_or_warned"):
        assert refused or warned, told
    else:
        assert not faults, told
        if case.get("warned"):
            assert warned, told
        if case.get("unwarned"):
            assert not warned, told


def _told_of(case: Case) -> tuple[list[Any], list[Any]]:
    try:
        return [], list(policy_of(case).remarks)
    except PolicyError as error:
        return list(error.faults), []


# --- while it rings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", having("plan"))
def test_while_it_rings_the_rulebook_plans_what_the_guideline_says(case: Case) -> None:
    loaded = policy_of(case)
    call = case.get("call", {})
    decision = decide(loaded, facts_of(loaded, call), drawn=call.get("drawn", True))
    planned = {
        "documentation": _in_words(decision.documentation),
        "training": _in_words(decision.training),
        "notice": decision.notice.value if decision.notice else "none",
        "how": decision.how.value,
    }
    assert {name: planned[name] for name in case["plan"]} == case["plan"]
    assert decision.reasons


def _in_words(plan: PurposePlan) -> str:
    return "off" if plan.state is PlanState.OFF else f"{plan.state.value} {plan.basis.value if plan.basis else ''}"


# --- what the notice says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case", having("text", "newcomer"))
def test_the_notice_says_what_it_must_and_promises_nothing_that_it_must_not(case: Case, language: Language) -> None:
    for name, variant in (("text", NoticeVariant.WHOLE), ("newcomer", NoticeVariant.NEWCOMER)):
        if name not in case:
            continue
        shown = _text(case, language, variant).shown
        missing = [fact for fact in case[name]["says"] if not says(shown, fact, language)]
        promised = [fact for fact in case[name].get("never", []) if says(shown, fact, language)]
        assert (missing, promised) == ([], []), shown


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case", having("text"))
def test_that_it_is_recorded_and_the_page_are_said_and_a_question_comes_last(case: Case, language: Language) -> None:
    text = _text(case, language, NoticeVariant.WHOLE)
    assert text.whole
    assert says(text.shown[: text.essentials], "recorded", language)
    assert says(text.shown[: text.informed], "page", language)
    asks = any(fact.startswith("press ") for fact in case["text"]["says"])
    assert asks is (text.question is not None)
    if text.question is not None:
        assert says(text.shown[text.question :], "press 1", language)


def _text(case: Case, language: Language, variant: NoticeVariant) -> NoticeText:
    loaded = policy_of(case)
    call = case.get("call", {})
    notice = decide(loaded, facts_of(loaded, call), drawn=call.get("drawn", True)).notice
    line = loaded.policy.line[0]
    assert notice is not None
    text = datatilsynet.notice_text(loaded.policy.controller_of(line), line, notice, language, variant)
    assert text is not None
    return text


@pytest.mark.parametrize("case", having("speak"))
def test_a_wording_that_the_guideline_itself_suggests_is_found_lawful(case: Case) -> None:
    loaded = policy_of(case)
    line = loaded.policy.line[0]
    notice = decide(loaded, facts_of(loaded, {}), drawn=True).notice
    assert notice is not None
    own = Wording(**case["speak"])
    judgement = datatilsynet.judge_notice(line, notice, Language.DA, own)
    assert judgement.lawful, judgement
    # and it is what the party hears
    worded = line.model_copy(update={"wording": {notice: {Language.DA: own}}})
    controller = loaded.policy.controller_of(line)
    text = datatilsynet.notice_text(controller, worded, notice, Language.DA, NoticeVariant.WHOLE)
    assert text is not None
    assert text.whole
    assert own.essentials in text.shown


@pytest.mark.parametrize("case", having("waits"))
def test_words_of_the_controllers_own_are_lawful_and_wait_for_a_person_and_until_then_no_call_is_drawn(
    case: Case,
) -> None:
    line = policy_of(case).policy.line[0]
    judged = [
        datatilsynet.judge_notice(line, notice, language, wording)
        for notice, each in line.wording.items()
        for language, wording in each.items()
    ]
    assert len(judged) == len(Language)
    for judgement in judged:
        assert judgement.lawful, judgement
        assert set(case["rule"]) <= {found.rule for found in judgement.unsure}, judgement
    # with the words that are used until then: the phone's own
    assert may_train(line)
    assert not may_train(line.model_copy(update={"wording": {}}))


# --- the call -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", having("happens"))
def test_in_the_call_it_goes_as_the_guideline_says(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    if "decided" in case:
        monkeypatch.setattr(calls, "decide", partial(_answers, not_recorded(Reason(case["decided"]))))
    call = Call(policy_of(case), case.get("call", {}))
    for words in case["happens"]:
        happening, _, recorded = words.partition(" → ")
        call.happens(happening)
        assert call.recorded == recorded, happening
        status = call.status
        assert status.reasons, "a status without a reason"
        assert all(entry.split()[1][:1] in "GLN" for entry in call.shelf.log), "an entry without a rule"
    _is_true(call, case.get("then", {}))


def _answers(decision: Decision, *_: object, **__: object) -> Decision:
    return decision


def _is_true(call: Call, then: Case) -> None:
    status, shelf = call.status, call.shelf
    reasons = [one.reason.value for one in status.reasons]
    found: Case = {
        "headline": status.headline.value,
        "button": status.opt_out.kind,
        "opens": shelf.openers(),
        "holds": sorted(set(shelf.holds.values())),
        "segments": shelf.segments(),
        "remembered": shelf.remembered,
        "called_back": shelf.called_back,
        "goes_on": not call.ended_by_policy,
    }
    assert {name: found[name] for name in then if name in found} == {name: then[name] for name in then if name in found}
    if "reasons" in then:
        assert reasons[0] == then["reasons"][0], reasons
        assert set(then["reasons"]) <= set(reasons), reasons
    for name, there in (("log", shelf.log), ("notes", status.notes), ("can", status.actions)):
        assert set(then.get(name, ())) <= set(there), list(there)
    assert not set(then.get("cannot", ())) & set(status.actions)
    assert set(then.get("proof", {}).items()) <= shelf.told, shelf.told


# --- how long it is kept ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", having("keeps"))
def test_each_purpose_ends_on_its_day(case: Case) -> None:
    loaded = policy_of(case)
    keeps = case["keeps"]
    recorded = datetime.fromisoformat(keeps["recorded"])
    for purpose in Purpose:
        period = loaded.policy.line[0].retention(purpose)
        wanted = date.fromisoformat(keeps[purpose]) if purpose.value in keeps else None
        assert (expires_on(recorded, period, loaded.policy.time_zone) if period else None) == wanted


# --- what other tests prove -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [case for case in CASES if "proved_by" in case], ids=lambda case: case["says"])
def test_the_test_that_proves_it_elsewhere_is_there_and_carries_the_mark(case: Case) -> None:
    """So this is no proof itself, and bears no mark."""
    path, _, name = case["proved_by"].partition("::")
    tree = ast.parse((HERE.parent.parent / path).read_text("utf-8"))
    named = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert named, name
    marks = [ast.unparse(mark) for mark in named[0].decorator_list]
    marks += [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)
    ]
    assert [row for row in case["rule"] if not any(f"mark.rule('{row}')" in mark for mark in marks)] == []


# --- the table itself ------------------------------------------------------------------------------------------------------


def test_every_case_is_played_and_says_nothing_that_no_test_reads() -> None:
    then = {"headline", "button", "opens", "holds", "segments", "remembered", "called_back", "goes_on"}
    then |= {"reasons", "log", "proof", "notes", "can", "cannot"}
    for case in CASES:
        assert set(case) <= KNOWN, case
        assert set(case) & PLAYED, case
        assert set(case.get("then", {})) <= then, case
        assert "happens" in case or "then" not in case, case
        assert all(" → " in words for words in case.get("happens", ())), case
    told = [(case["rule"][0], case["says"]) for case in CASES]
    assert len(set(told)) == len(told)


def test_no_word_of_the_vocabulary_is_idle() -> None:
    said = {words.partition(" → ")[0] for case in CASES for words in case.get("happens", ())}
    assert [one for one in calls.vocabulary() if not any(re.fullmatch(one, words) for words in said)] == []


def test_every_row_that_concerns_the_call_has_a_case_and_so_has_every_notice() -> None:
    """The rest is kept outside the call: docs/rules.md says where."""
    rows = {row for case in CASES for row in case["rule"]}
    outside = {"G07", "G08", "G13", "G37", "L2", "L3", "L4"}
    every = {f"G{n:02}" for n in (*range(1, 12), 13, *range(20, 24), *range(30, 40))}
    every |= {f"N{n}" for n in range(1, 9)} | {f"L{n}" for n in range(1, 6)}
    assert rows == every - outside
