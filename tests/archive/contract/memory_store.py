"""What the archive in memory keeps, and how it asks what somebody may: as every archive, by the domain's rules. Not a test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from softphone.domain import retention as k
from softphone.domain.archive import decisions as d
from softphone.domain.archive import permission
from softphone.domain.archive import recordings as r
from softphone.domain.archive import reviews as v
from softphone.domain.archive.permission import NotPermitted, Sealed, SearchScope, Viewer
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, KeyRole, Purpose
from softphone.domain.roles import Permission

ZONE = "Europe/Copenhagen"
TRAINING = Purpose.TRAINING


@dataclass
class Kept:
    expires: date
    judged: bool = False
    stands: k.Ended = k.Ended.KEEPS
    sealed: bool = True


@dataclass
class Stored:
    """A recording. `keys`: for whom it is sealed in each role, as long as its purpose is."""

    recording: str
    line: str
    agent: str
    number: str
    at: datetime
    purposes: dict[Purpose, Kept]
    keys: Mapping[KeyRole, str]
    case: d.CaseKind | None = None
    holds: list[r.HoldRow] = field(default_factory=list[r.HoldRow])
    comments: list[v.Comment] = field(default_factory=list[v.Comment])
    scores: dict[str, int] = field(default_factory=dict[str, int])
    shared: bool = False
    reviewed: datetime | None = None

    def sealed(self) -> dict[KeyRole, str]:
        roles = {KeyRole(one.value) for one, kept in self.purposes.items() if kept.sealed} | {KeyRole.CUSTODY}
        return {role: key for role, key in self.keys.items() if role in roles}

    def is_for(self, keys: permission.Keys) -> bool:
        return self.sealed().get(keys[0]) in keys[1]

    def lives(self) -> dict[Purpose, date]:
        return {one: kept.expires for one, kept in self.purposes.items() if kept.stands is k.Ended.KEEPS}

    def waits(self, now: datetime, within: Period = k.JUDGE_WITHIN) -> list[Purpose]:
        def does(day: date) -> bool:
            until = k.judge_by(day, within, listed_on=day)
            return k.has_expired(day, now, ZONE) and not k.has_expired(until, now, ZONE)

        return [one for one, day in self.lives().items() if self.purposes[one].judged and does(day)]

    def row(self, now: datetime) -> r.RecordingRow:
        held, restricted = bool(self.holds), self.case.value if self.case else None
        waits = bool(self.waits(now))
        sealed = {one.value for one in self.sealed()}
        opens = r.opens_for(sealed, self.lives(), now, ZONE, held=held, waits=waits, restricted=restricted)
        return r.RecordingRow(
            self.recording, f"call-{self.recording}", self.line, Direction.INBOUND, self.number, self.at,
            self.at + timedelta(seconds=1), opens, self.lives(), tuple(self.holds), restricted, 0, ZONE, self.agent,
        )  # fmt: skip

    def trains(self, now: datetime) -> bool:
        return KeyRole.TRAINING in self.row(now).opens_for and not self.case


@dataclass
class Store:
    """What everybody sees a part of."""

    stored: dict[str, Stored] = field(default_factory=dict[str, Stored])
    log: list[r.AuditRow] = field(default_factory=list[r.AuditRow])
    notes: dict[str, list[d.AgentNote]] = field(default_factory=dict[str, list[d.AgentNote]])
    """agents', by the party's number"""

    def note(self, event: str, now: datetime, recording: str | None = None, **params: str) -> None:
        self.log.append(r.AuditRow(len(self.log) + 1, now, event, "G11", params, recording))

    def settle(self, one: Stored, now: datetime) -> bool:
        """What nothing keeps is gone."""
        holds = (k.HoldStanding(HoldBy(hold.raised_for).by_party) for hold in one.holds)
        if k.is_kept((kept.stands for kept in one.purposes.values()), holds, now=now):
            return False
        del self.stored[one.recording]
        return True


class Asking:
    """Who asks, of which store; what is refused is in the log first."""

    def __init__(self, store: Store, viewer: Viewer, clock: Callable[[], datetime]) -> None:
        self.store, self.viewer, self.now = store, viewer, clock

    @contextmanager
    def refusing(self, one: Stored | None = None) -> Generator[None]:
        try:
            yield
        except NotPermitted as error:
            self.store.note("refused", self.now(), one.recording if one else None, deed=error.permission.value)
            raise error.fault from None

    def closed(self, one: Stored, role: KeyRole, opens: bool) -> None:
        if not opens:
            self.store.note("opening_refused", self.now(), one.recording, role=role.value)
            raise ArchiveError("error.archive.closed_to_role", id=one.recording, role=role.value)

    def require(self, deed: Permission, one: Stored | None = None) -> None:
        with self.refusing(one):
            permission.require(self.viewer, deed, (one.line, one.agent) if one else None)

    def sealed(self, one: Stored) -> Sealed:
        return lambda keys: one.is_for(keys)

    def scope(self, one: Stored) -> SearchScope | None:
        return permission.search_scope_of(self.viewer, one.row(self.now()), self.sealed(one), self.now())

    def opens(self, recording: str) -> bool:
        return permission.opens(self.viewer, KeyRole.CUSTODY, self.sealed(self.store.stored[recording]))

    def meant(self, id: str, *deeds: Permission) -> Stored:
        begins = [one for key, one in self.store.stored.items() if id and key.startswith(id)]
        exact = self.store.stored.get(id)
        with self.refusing(exact):
            permission.require_any(self.viewer, deeds)
        mine = begins if self.viewer.finds_all else [one for one in begins if self.scope(one)]
        if exact or len(mine) == 1:
            return exact or mine[0]
        if mine:
            raise ArchiveError("error.archive.ambiguous", id=id)
        if self.viewer.finds_all:
            raise ArchiveError("error.archive.no_such_recording", id=id)
        self.store.note("refused", self.now(), deed=deeds[0].value)
        raise ArchiveError("error.archive.not_among_yours")


class Part:
    def __init__(self, asking: Asking) -> None:
        self.a = asking

    def of_number(self, number: str) -> list[Stored]:
        return [one for one in self.a.store.stored.values() if one.number == number]
