"""An agent's note about a call, from its desk to data protection in the house."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from uuid_utils import uuid7

from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import OwnCall
from softphone.domain.purpose import KeyRole
from softphone.house.archive import HouseArchive
from softphone.system.policy_file import parse_policy
from tests.house.test_archive import member
from tests.house.test_courier import NUMBER, Office, office_of
from tests.peers.processes import until
from tests.policies import KEYS, POLICY
from tests.team.local import AGENT
from tests.team.served import Team

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]


@pytest.mark.rule("G08")
@pytest.mark.rule("G37")
@pytest.mark.expected_log("refused by the house: error.house.no_custody_key", reason="no policy yet")
def test_an_agents_note_reaches_data_protection_alone_and_once_erased_it_stays_away(
    team_tls: Team, tmp_path: Path
) -> None:
    with office_of(team_tls, tmp_path) as office:
        _noted(office, member(team_tls, tmp_path / "custody", KeyRole.CUSTODY)[1])


def _noted(office: Office, custody: HouseArchive) -> None:
    team, text = office.team, POLICY
    for role, public in KEYS.items():
        text = text.replace(public, base64.b64encode(team.keys.recipient(KeyRole(role)).public_key).decode())
    call, at = str(uuid7()), datetime.now(UTC)
    day = (at + timedelta(days=7)).date()
    office.policy = None
    one = OwnCall(call, AGENT, at, day, "{}", "Vil have den blå.", NUMBER)

    def written() -> str:
        with office.scene.archive.catalog.reading() as connection:
            return own_calls.note_of(connection, office.scene.archive.secrets, call)

    def noted(note: str | None) -> None:
        office.scene.ledger.list_own(replace(one, note=note))
        until(lambda: note is None or written() == note, 15, "that it is written here")

    with office.courier() as courier:
        noted("Vil have den blå.")
        noted("Vil have den røde.\nRing mandag.")
        noted(None)  # the list tells more of the call, and nothing of the note
        courier.look()
        until(lambda: office.refused() == "error.house.no_custody_key", 10, "that no key is named")
    office.policy = parse_policy(text).policy
    with office.courier() as courier:
        office.all_shipped()
        (note,) = custody.rights.notes(NUMBER)
        assert (note.call, note.agent, note.text, note.until) == (call, AGENT, "Vil have den røde.\nRing mandag.", day)
        assert all("røde".encode() not in bytes(sealed) for (sealed,) in team.sql("SELECT sealed FROM call_note_seals"))
        noted("")
        courier.look()
        until(lambda: custody.rights.notes(NUMBER) == [], 10, "that it was taken away there too")
        noted("Ring tirsdag.")
        courier.look()
        until(lambda: len(custody.rights.notes(NUMBER)) == 1, 10, "that there is one again")
        assert custody.rights.erase_notes(NUMBER, "sag 117") == 1
        noted("Ring onsdag.")
        courier.look()
        office.all_shipped()
        assert custody.rights.notes(NUMBER) == []
