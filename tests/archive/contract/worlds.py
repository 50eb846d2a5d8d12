"""One house with the same people before each archive that stands behind the interface. Not a test.

The local archive has files, keys and a log; the house's has its service, PostgreSQL and S3.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol

import pytest
from sqlalchemy import update
from uuid_utils import uuid7

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.call import CallFacts, PurposeEnd
from softphone.archive.schema import tables
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.access import viewer_of
from softphone.domain.archive.interface import SeenArchive
from softphone.domain.archive.recordings import AuditRow
from softphone.domain.changes import AuditEntry, CloseRecording, Restrict
from softphone.domain.decision import NoticeId
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Direction, Language, Purpose
from softphone.system.policy_file import parse_policy
from tests.archive.contract.people import PEOPLE
from tests.archive.people import ANNA, policy_of
from tests.archive.scene import AT, Scene
from tests.days import house_day

if TYPE_CHECKING:
    from tests.archive.contract.house_world import HouseWorld

ZONE = "Europe/Copenhagen"
KEEPS = Period.parse("P3M")


class World(Protocol):
    now: datetime
    policy: Policy

    def recorded(
        self,
        *purposes: Purpose,
        agent: str = ANNA,
        number: str,
        ago: timedelta = timedelta(hours=1),
        judged: bool = False,
        objection: bool = False,
        special: bool = False,
        basis: Basis | None = None,
    ) -> str:
        """A call's recording, of one second, closed."""
        ...

    def noted(self, number: str, text: str) -> None:
        """An agent's note about a call with this number."""
        ...

    def seen_by(self, who: str, user: str = "") -> SeenArchive: ...
    def log(self) -> list[AuditRow]: ...


class LocalWorld:
    def __init__(self, folder: Path) -> None:
        self.now = AT
        self._desk = Scene(folder)
        self._desk.archive.clock = lambda: self.now
        self.policy = parse_policy(policy_of(self._desk)).policy
        self._opened: dict[str, Archive] = {}
        # A key proves a role once something is sealed for it.
        self.recorded(*Purpose, number="+4511111111", ago=timedelta(hours=2))

    def close(self) -> None:
        for one in self._opened.values():
            one.close()
        self._desk.close()

    def recorded(
        self,
        *purposes: Purpose,
        agent: str = ANNA,
        number: str,
        ago: timedelta = timedelta(hours=1),
        judged: bool = False,
        objection: bool = False,
        special: bool = False,
        basis: Basis | None = None,
    ) -> str:
        desk, at, call = self._desk, self.now - ago, str(uuid7())
        ends = {one: PurposeEnd(review=True) for one in purposes} if judged else {}
        periods = dict.fromkeys(Purpose, KEEPS)
        facts = CallFacts(
            call, "salg", Direction.INBOUND, number, at, Language.DA, ZONE, periods, agent=agent, ends=ends
        )
        facts = replace(facts, notice=NoticeId.N8 if special else None)
        desk.ledger.register_call(replace(facts, recipients=tuple(desk.policy_recipients)))
        recording = desk.recorded(1, *purposes, call=call, at=at)
        desk.commit(CloseRecording(recording, at + timedelta(seconds=1), purposes), recording=recording)
        if basis:
            with desk.archive.catalog.writing() as tx:
                tx.execute(
                    update(tables.purposes).where(tables.purposes.c.recording == recording).values(basis=basis.value)
                )
        if objection:
            entry = AuditEntry("restricted", "G23", at, call, recording, {"why": "objection"})
            desk.commit(Restrict(recording, "objection"), recording=recording, entries=[entry])
        return recording

    def noted(self, number: str, text: str) -> None:
        until = house_day(self.now) + self.policy.own_calls.length()
        with self._desk.archive.catalog.writing() as tx:
            one = OwnCall(str(uuid7()), ANNA, self.now, until, "{}", text, number)
            own_calls.put(tx, self._desk.archive.secrets, one)

    def seen_by(self, who: str, user: str = "") -> SeenArchive:
        key, account = PEOPLE[who]
        if who not in self._opened:
            self._opened[who] = Archive.open(self._desk.folder, self._desk.only(*([key] if key else [])))
        archive = self._opened[who]
        viewer = viewer_of(archive, self.policy, [account], user or who)
        return LocalArchive(archive, viewer, lambda: self.now)

    def log(self) -> list[AuditRow]:
        return self._desk.archive.audit_of()


WORLDS = ("local", "house")


def made(which: str, folder: Path, request: pytest.FixtureRequest) -> LocalWorld | HouseWorld:
    if which == "local":
        return LocalWorld(folder / "archive")
    # Not loaded before it is asked for: the local archive does without it.
    from tests.archive.contract.house_world import HouseWorld

    server = request.getfixturevalue("postgres")
    database = f"contract_{token_hex(4)}"
    server.make(database, "klartone_house")
    request.addfinalizer(lambda: server.drop(database))
    return HouseWorld(folder, server, database, request.getfixturevalue("s3"))


def needs(world: World, *parts: str) -> None:
    """Skips a test of what one archive alone has."""
    seen = world.seen_by("it")
    for one in parts:
        if one and not hasattr(seen, one):
            pytest.skip(f"this archive has no {one}")
