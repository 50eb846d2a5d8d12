"""One house with the same people before each archive that stands behind the interface. Not a test.

The local archive has files, keys and a log; the other is memory alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from uuid_utils import uuid7

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.call import CallFacts, PurposeEnd
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.access import viewer_of
from softphone.domain.archive.decisions import AgentNote, CaseKind
from softphone.domain.archive.interface import SeenArchive
from softphone.domain.archive.permission import Viewer
from softphone.domain.archive.recordings import AuditRow
from softphone.domain.changes import AuditEntry, CloseRecording, Restrict
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, KeyRole, Language, Purpose
from softphone.domain.roles import Role, role_of
from softphone.system.policy_file import parse_policy
from tests.archive.contract.memory import MemoryArchive
from tests.archive.contract.memory_store import Kept, Store, Stored
from tests.archive.people import ANNA, policy_of
from tests.archive.scene import AT, Scene

ZONE = "Europe/Copenhagen"
KEEPS = Period.parse("P3M")
PEOPLE: Mapping[str, tuple[KeyRole | None, str]] = {
    "it": (None, ""),
    "agent": (None, ANNA),
    "case handler": (KeyRole.DOCUMENTATION, ""),
    "lead": (KeyRole.TRAINING, ""),
    "custody": (KeyRole.CUSTODY, ""),
}
"""the key that each holds, and the account of their phone"""


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
    ) -> str:
        desk, at, call = self._desk, self.now - ago, str(uuid7())
        ends = {one: PurposeEnd(review=True) for one in purposes} if judged else {}
        periods = dict.fromkeys(Purpose, KEEPS)
        facts = CallFacts(
            call, "salg", Direction.INBOUND, number, at, Language.DA, ZONE, periods, agent=agent, ends=ends
        )
        desk.ledger.register_call(replace(facts, recipients=tuple(desk.policy_recipients)))
        recording = desk.recorded(1, *purposes, call=call, at=at)
        desk.commit(CloseRecording(recording, at + timedelta(seconds=1), purposes), recording=recording)
        if objection:
            entry = AuditEntry("restricted", "G23", at, call, recording, {"why": "objection"})
            desk.commit(Restrict(recording, "objection"), recording=recording, entries=[entry])
        return recording

    def noted(self, number: str, text: str) -> None:
        until = self.now.date() + self.policy.own_calls.length()
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


class MemoryWorld:
    def __init__(self, policy: Policy) -> None:
        self.now = AT
        self.policy = policy
        self._store = Store()

    def close(self) -> None:
        pass

    def recorded(
        self,
        *purposes: Purpose,
        agent: str = ANNA,
        number: str,
        ago: timedelta = timedelta(hours=1),
        judged: bool = False,
        objection: bool = False,
    ) -> str:
        at, recording = self.now - ago, f"{uuid7()}-1"
        kept = {one: Kept(KEEPS.after(at.date()), judged) for one in purposes}
        case = CaseKind.OBJECTION if objection else None
        made = Stored(recording, "salg", agent, number, at, kept, {role: role.value for role in KeyRole}, case)
        self._store.stored[recording] = made
        return recording

    def noted(self, number: str, text: str) -> None:
        until = self.now.date() + self.policy.own_calls.length()
        self._store.notes.setdefault(number, []).append(AgentNote(str(uuid7()), ANNA, self.now, until, text))

    def seen_by(self, who: str, user: str = "") -> SeenArchive:
        key, account = PEOPLE[who]
        roles = frozenset({role_of(key)} if key else {Role.AGENT} if account else {Role.IT})
        viewer = Viewer(
            roles,
            {key: (key.value,)} if key else {},
            tuple(team for team in self.policy.team if key is KeyRole.TRAINING and "lead-1" in team.leads),
            (account,) if account else (),
            finds_all=key is KeyRole.CUSTODY,
            own_calls=self.policy.own_calls,
            user=user or who,
        )
        return MemoryArchive(self._store, viewer, lambda: self.now)

    def log(self) -> list[AuditRow]:
        return self._store.log


WORLDS: Mapping[str, Callable[[Path], LocalWorld | MemoryWorld]] = {
    "local": lambda folder: LocalWorld(folder / "archive"),
    "memory": lambda folder: MemoryWorld(_policy(folder)),
}


def _policy(folder: Path) -> Policy:
    desk = Scene(folder / "of-a-policy")
    try:
        return parse_policy(policy_of(desk)).policy
    finally:
        desk.close()
