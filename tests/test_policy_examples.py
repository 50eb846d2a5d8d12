"""The example policies: each can be used once its keys are put in, leaves no doubt, is explained, and leads to what the
guideline says. What is expected of a call is written from the guideline, not from the code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softphone import cli
from softphone.bootstrap.home import Home, texts
from softphone.cli.policy.asking import Asked, asked_rulebook
from softphone.cli.policy.decide import as_json, decided, given_facts
from softphone.domain.decision import NoticeId
from softphone.domain.policy import Policy, PolicyError
from softphone.domain.purpose import KeyRole, Language
from softphone.system.policy_file import filled, parse_policy
from tests.policies import KEYS, policy_of

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "policies"
EXAMPLES = ("bank", "roadside", "municipality", "emergency", "training", "outbound_sales")
ALL = pytest.mark.parametrize("name", EXAMPLES)
pytestmark = pytest.mark.usefixtures("forked_hosts")


def text_of(name: str) -> str:
    return filled((FOLDER / f"{name}.toml").read_text("utf-8"), {KeyRole(role): key for role, key in KEYS.items()})


def policy(name: str) -> Policy:
    return parse_policy(text_of(name)).policy


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked_rulebook(Home.within(tmp_path_factory.mktemp("home"))) as asked:
        yield asked


def test_every_example_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == {*EXAMPLES, "example", "demo"}


@ALL
def test_an_example_leaves_no_doubt_once_its_keys_are_put_in(name: str) -> None:
    assert [one for one in policy_of(text_of(name)).remarks if not one.by] == []


def test_the_policy_of_the_pictures_is_doubted_for_no_more_than_it_leaves_unsaid() -> None:
    text = Path(__file__).with_name("pictures").joinpath("policy.toml").read_text("utf-8")
    keys = {KeyRole(role): key for role, key in KEYS.items()}
    loaded = policy_of(filled(text, keys).replace("$language", "da").replace("$year", str(datetime.now(UTC).year)))
    unsaid = {"no_why_kept", "no_capacity", "every_call", "no_rule", "go_on_elsewhere"}
    assert {one.code.removeprefix("policy.warning.") for one in loaded.remarks} == unsaid


@pytest.mark.parametrize("name", [*EXAMPLES, "example"])
def test_an_example_as_it_is_records_nothing_because_nobody_could_open_it(name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy((FOLDER / f"{name}.toml").read_text("utf-8"))
    assert {fault.code for fault in caught.value.faults} == {"policy.fault.public_key"}


@ALL
def test_an_example_explains_itself(name: str) -> None:
    lines = (FOLDER / f"{name}.toml").read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    comments = sum("#" in line for line in lines)
    assert comments >= len(policy(name).line) + 3


@ALL
def test_an_example_is_checked_with_its_notices_and_explained_in_both_languages(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text(text_of(name), encoding="utf-8")
    home = str(tmp_path_factory.getbasetemp() / "home of the examples")

    assert cli.main(["--home", home, "policy", "check", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["to_confirm"] == []
    spoken = {one["line"] for one in told["notices"]}
    lines = policy(name).line
    assert spoken == {line.id for line in lines if line.documentation or line.training}
    assert max(one["seconds"] for one in told["notices"]) < 25

    for language in Language:
        assert cli.main(["--home", home, "policy", "explain", str(file), "--language", language]) == 0
        explained = capsys.readouterr().out
        for line in lines:
            assert f"{line.name[language]} ({line.id})" in explained
        assert not re.search(r"explain\.|party=|[{}]|None|…", explained)
        assert all(len(row) <= 92 for row in explained.splitlines())


# The facts lack their braces and `"line": `; the rows are those that the outcome follows.
TABLE = """
bank | "investering", "drawn": true | planned legal_obligation | asked consent | N6 play | obligation consent | G02 G03
bank | "investering" | planned legal_obligation | off | N1 play | obligation not_in_sample | G34
bank | "investering", "drawn": true, "declined_earlier": true | planned legal_obligation | off | N1 play | \
obligation declined_earlier | G31
bank | "handelsbord", "direction": "internal", "number": "302" | planned legal_obligation | off | N1 play | \
obligation | G01
bank | "kundeservice" | planned legitimate_interest | off | N1 play | assessment | G20
bank | "kundeservice", "direction": "outbound" | planned legitimate_interest | off | N1 read | assessment | G05
bank | "kundeservice", "direction": "internal", "number": "302" | off | off | none | internal | G01
bank | "kundeservice", "direction": "outbound", "number": "112" | off | off | none | emergency | G01
bank | "kundeservice", "direction": "outbound", "number": "+45 112" | off | off | none | emergency | G01
bank | "whistleblower" | off | off | none | line_not_recorded | G01
roadside | "vejhjaelp", "drawn": true | planned legitimate_interest | asked consent | N6 play | assessment consent | G30
roadside | "vejhjaelp" | planned legitimate_interest | off | N1 play | assessment not_in_sample | G34
roadside | "medlemskab" | off | off | none | line_not_recorded | G01
municipality | "ydelser", "drawn": true | planned public_task | asked consent | N6 play | public_task consent | G02 G09
municipality | "hjaelpemidler" | asked consent | off | N2 play | consent | G03
municipality | "hjaelpemidler", "drawn": true | asked consent | off | N2 play | consent | G03
emergency | "alarm", "drawn": true | planned public_task | off | N1 upstream | public_task | G09
emergency | "alarm", "direction": "outbound" | off | off | none | line_not_recorded | G01
emergency | "redning", "drawn": true, "at": "2027-05-31T23:59:00+02:00" | planned public_task | planned public_task | N8 read | \
public_task special_circumstances | G32
emergency | "redning", "drawn": true, "at": "2027-06-01T00:01:00+02:00" | planned public_task | planned public_task | N7 read | \
public_task training_sample | G32 G39
emergency | "redning", "at": "2026-12-01T12:00:00Z" | planned public_task | off | N1 read | public_task not_in_sample | G34
training | "vandvagt", "drawn": true | off | planned legitimate_interest | N4 play | training_sample | G39
training | "vandvagt" | off | off | none | not_in_sample | G34
training | "vandvagt", "drawn": true, "declined_earlier": true | off | off | none | declined_earlier | G31
training | "raadgivning", "drawn": true | off | asked consent | N3 play | consent | G03
outbound_sales | "stromaftaler", "direction": "outbound", "drawn": true | planned legitimate_interest | \
planned legitimate_interest | N7 read | assessment training_sample | G01
outbound_sales | "stromaftaler" | off | off | none | line_not_recorded | G01
outbound_sales | "fiberordrer", "direction": "outbound" | asked consent | off | N2 play | consent | G03
"""
ROWS = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]


@pytest.mark.parametrize(
    ("name", "facts", "documentation", "training", "notice", "reasons"),
    [
        pytest.param(*row[:6], id=f"{row[0]} {row[1]}", marks=[pytest.mark.rule(rule) for rule in row[6].split()])
        for row in ROWS
    ],
)
def test_a_call_of_an_example_is_decided_as_the_guideline_has_it(
    rulebook: Asked, name: str, facts: str, documentation: str, training: str, notice: str, reasons: str
) -> None:
    given, loaded = given_facts(f'{{"line": {facts}}}', texts(Language.EN)), parse_policy(text_of(name))
    told = json.loads(json.dumps(as_json(decided(rulebook, loaded.policy, rulebook.maker.check(loaded), given))))

    for purpose, expected in (("documentation", documentation), ("training", training)):
        plan = told[purpose]
        assert (plan["state"] if plan["state"] == "off" else f"{plan['state']} {plan['basis']}") == expected
    assert (f"{told['notice']} {told['how']}" if told["notice"] else told["how"]) == notice
    assert told["reasons"] == reasons.split()


def test_several_controllers_have_each_its_own_page_in_its_notice(rulebook: Asked) -> None:
    sales = policy("outbound_sales")
    told = [
        text.shown
        for line, notice in zip(sales.line, ("N7", "N2"), strict=True)
        if (text := rulebook.text(sales, line, NoticeId(notice), Language.DA)) is not None
    ]
    assert "nordlys.example/telefonsamtaler" in told[0]
    assert "havnensfiber.example/opkald" in told[1]
    assert "nordlys" not in told[1]
