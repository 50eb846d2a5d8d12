"""What the session asks of the store: changes of the catalog, and the audit entries that tell of them.

A `Commit` carries both; the store writes them in one transaction, in the order given, and acknowledges its ticket. A change is
idempotent: what is already so is no fault and changes nothing, and what takes something away from a recording that is not there
has nothing to take. What keeps fails there: a `PlaceHold` on nothing must not be taken for a lock. Of two the one that keeps has
its way too: a `Discard` of what a hold keeps that this session never saw leaves it to custody alone, and a hold that custody has
confirmed is lifted by no session.
Nothing here holds a sample, a key or a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from softphone.domain.purpose import Basis, KeyRole, Language, Purpose


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log: what happened, and the rule it follows. Never a number, a name or audio."""

    event: str
    rule: str
    at: datetime
    call: str
    """empty: it belongs to no call"""
    recording: str | None = None
    params: Mapping[str, str | int | bool | None] = field(default_factory=dict[str, "str | int | bool | None"])


class HoldBy(StrEnum):
    """Who, or what, a hold is raised for."""

    PARTY = "party"
    CONTROLLER = "controller"
    ACCESS = "access"
    """the party's request for access (G08): kept until the copy is given, whatever else ends meanwhile. Not a dispute, and
    never raised in a call"""

    @property
    def by_party(self) -> bool:
        """Such a hold is never void: the party has asked for what it keeps."""
        return self is not HoldBy.CONTROLLER


DISPUTED_BY = (HoldBy.PARTY, HoldBy.CONTROLLER)
"""who can need it for a dispute"""


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording begins. The call's facts (line, direction, number) are known to the store by `call`."""

    recording: str
    call: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment under a fresh data key, wrapped for exactly these purposes, and always for custody."""

    recording: str
    segment: int
    purposes: tuple[Purpose, ...]
    bases: Mapping[Purpose, Basis]
    """of `purposes` and of `withheld`"""
    at: datetime
    withheld: tuple[Purpose, ...] = ()
    """recorded for these too, but no wrap is made: a hold keeps training out, or the recording is restricted to custody. Who
    lifts that wraps anew for what each segment was recorded for, and for nothing else"""


@dataclass(frozen=True, slots=True)
class AddWraps:
    """A yes to use (N6): segments recorded already are wrapped for this purpose too, while their keys are in memory."""

    recording: str
    purpose: Purpose
    segments: tuple[int, ...]
    withheld: bool = False
    """a hold keeps training out: no wrap is made now, but the segments count as recorded for it when the hold is lifted"""


@dataclass(frozen=True, slots=True)
class DropWraps:
    """A purpose or the whole of a role can no longer open the recording: all its wraps go, in every segment."""

    recording: str
    role: KeyRole
    reason: str
    """`hold`: for as long as a hold stands; anything else: the purpose has ended for this recording, no lift brings it back"""


@dataclass(frozen=True, slots=True)
class Restrict:
    """Only custody can open the recording from now on: documentation's and training's wraps go, custody's stay."""

    recording: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discard:
    """All wraps go, then the object (the file), then the sealed number: nothing of the recording is left but the audit log.

    Where a hold stands that was not lifted before it, only the wraps go, but for custody's, and the log tells that (G10)."""

    recording: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlaceHold:
    hold: str
    recording: str
    by: HoldBy
    raised_by: str
    at: datetime
    provisional_until: datetime | None
    """None: it stands until it is lifted. Else the sweep discards the recording then, and reports it (hold_after_refusal)"""
    why: str = ""
    confirm_by: datetime | None = None
    """custody is to confirm it by then (hold_unconfirmed): overdue is reported, never a reason to delete"""


@dataclass(frozen=True, slots=True)
class ChangeHold:
    """The hold's raiser was corrected, or it became the only thing that keeps the recording."""

    hold: str
    by: HoldBy
    provisional_until: datetime | None


UNDONE = "undone"
"""the reason of a hold that whoever raised it has taken back within its minute"""


@dataclass(frozen=True, slots=True)
class LiftHold:
    hold: str
    reason: str
    restore_training: bool = False
    """undone within its minute: training, neither ended nor expired, is wrapped anew while the segments' keys are in memory"""


@dataclass(frozen=True, slots=True)
class CloseRecording:
    """The call's recording is whole; expiry is counted from the day of the call by the store, from the line's periods."""

    recording: str
    at: datetime
    purposes: tuple[Purpose, ...]
    """those that keep it"""


@dataclass(frozen=True, slots=True)
class ListCallBack:
    """The party is to be called back without recording (N4); bound to the call's number by the store."""

    call: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EndCallBack:
    """The party has been called back, or need not be any more; `call_back` is the call in which it was promised."""

    call_back: str


@dataclass(frozen=True, slots=True)
class RememberRefusal:
    """The party of this call declined training; `declined_earlier` is answered from this (keyed hash, 12 months)."""

    call: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RememberLanguage:
    """The party of this call chose the language of its notice; a later call begins in it (keyed hash, 12 months)."""

    call: str
    language: Language
    at: datetime


@dataclass(frozen=True, slots=True)
class UseDraw:
    """The place in the sample's block that this call held while it rang is used up by its answer, drawn or not (G34)."""

    call: str
    at: datetime


Change = (
    OpenRecording
    | OpenSegment
    | AddWraps
    | DropWraps
    | Restrict
    | Discard
    | PlaceHold
    | ChangeHold
    | LiftHold
    | CloseRecording
    | ListCallBack
    | EndCallBack
    | RememberRefusal
    | RememberLanguage
    | UseDraw
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction. Its `ticket` comes back in `Committed` or `CommitFailed`."""

    ticket: int
    changes: tuple[Change, ...]
    entries: tuple[AuditEntry, ...]
