"""`klartone archive list --count`: as many as the list has, whoever asks, and no page is read for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from softphone.archive.access import viewer_of
from softphone.archive.retention import holding
from softphone.archive.seen import asking
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import parse_policy
from tests.archive.people import ANNA, BO, House, Person
from tests.archive.scene import DOCUMENTATION, TRAINING

OF_ANNA = f'agents = ["{ANNA}"]\nleads = ["lead-1"]'
CLARA = "clara@nordlys.example"
pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def several(home: House) -> dict[str, tuple[str, str | None]]:
    """Of every agent and line, for training alone and for both purposes; of each their line and agent."""
    made: dict[str, tuple[str, str | None]] = {}
    for agent in (ANNA, BO, CLARA, None):
        for line in ("salg", "service"):
            made[home.recorded(TRAINING, agent=agent, line=line)] = line, agent
    made[home.recorded(DOCUMENTATION, agent=BO)] = "salg", BO
    made[home.recorded(DOCUMENTATION, TRAINING, agent=ANNA)] = "salg", ANNA
    made[home.recorded(DOCUMENTATION, agent=ANNA, at=datetime.now(UTC) - timedelta(days=9))] = "salg", ANNA
    return made


def count(person: Person, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    with monkeypatch.context() as patch:
        patch.delattr(asking, "page")
        said = person.does("archive", "list", "--count", *words)
    assert said.status == 0, said
    return int(said.out)


@pytest.mark.rule("G11")
def test_whoever_asks_is_told_as_many_as_they_find(
    home: House, several: dict[str, tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = home.recorded(DOCUMENTATION, TRAINING, agent=ANNA)
    holding.raise_hold(home.desk.archive, held, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    documentation, training, custody = KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY
    other = home.person("other-custody")
    home.recorded_for_own_keys(other, (custody,), TRAINING, agent=BO)
    people = {
        home.person("dpo", custody): 13,
        other: 1,
        home.person("case", documentation): 4,
        home.person("lead", training): 3,
        home.person("anna", account=ANNA): 4,
        home.person("anna-handles", documentation, account=ANNA): 6,
        home.person("anna-leads", training, account=ANNA): 4,
        home.person("both-keys", documentation, training): 6,
        home.person("all-three", documentation, training, account=BO): 9,
    }
    for one, number in people.items():
        assert count(one, monkeypatch) == len(one.finds()) == number
        narrower = "--line", "salg", "--agent", ANNA
        assert count(one, monkeypatch, *narrower) == len(one.finds(*narrower))


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("teams", "number"),
    [
        (('agents = ["{ANNA}", "{BO}"]',), 5),
        (('lines = ["salg"]',), 5),
        (('agents = ["{ANNA}", "{BO}"]\nlines = ["salg"]',), 4),
        (('agents = ["{ANNA}"]\nlines = ["salg"]', 'agents = ["{ANNA}", "{BO}"]'), 6),
        (("",), 0),
    ],
    ids=["agents", "lines", "agents-on-lines", "two-that-overlap", "nobody"],
)
def test_a_lead_is_told_of_what_is_their_team_s_as_often_as_it_is_counted(
    home: House,
    several: dict[str, tuple[str, str | None]],
    monkeypatch: pytest.MonkeyPatch,
    teams: tuple[str, ...],
    number: int,
) -> None:
    lead, written = home.person("lead", KeyRole.TRAINING), home.policy("lead")
    names = 'leads = ["lead-1"]\n[[team]]\nid = "other"\nname = { da = "Anden", en = "Other" }\n'
    theirs = names.join(f"{one.format(ANNA=ANNA, BO=BO)}\n" for one in teams)
    written.write_text(written.read_text("utf-8").replace(OF_ANNA, f'{theirs}leads = ["lead-1"]'), encoding="utf-8")
    home.desk.archive.store = home.desk.only(KeyRole.TRAINING)
    viewer = viewer_of(home.desk.archive, parse_policy(written.read_text("utf-8")).policy, ())
    assert len(viewer.teams) == len(teams)
    living = {row.recording for row in home.desk.archive.list() if KeyRole.TRAINING in row.opens_for}
    led = {one for one, of in several.items() if one in living and viewer.leads(*of)}
    assert lead.finds() == led
    assert count(lead, monkeypatch) == len(led) == number
    for words, those in (
        (("--agent", BO), {one for one in led if several[one][1] == BO}),
        (("--line", "salg"), {one for one in led if several[one][0] == "salg"}),
    ):
        assert lead.finds(*words) == those
        assert count(lead, monkeypatch, *words) == len(those)
