"""What the session asks of the store: changes of the catalog, and their audit entries.

A `Commit` carries both. The store writes them in one transaction, in the order given, and acknowledges its ticket. A change
is idempotent: repeated, it changes nothing. What takes something away from a missing recording succeeds; what keeps it
fails, so that a `PlaceHold` on nothing is never taken for a lock.

Of two changes that conflict, the one that keeps wins. A `Discard` of a recording with a hold that this session never saw
leaves it to custody alone. No session lifts a hold that custody has confirmed.

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
    """For whom, or for what, a hold is raised."""

    PARTY = "party"
    CONTROLLER = "controller"
    ACCESS = "access"
    """the party's request for access (G08): the recording is kept until the copy is given, whatever else ends. Never raised
    in a call"""

    @property
    def by_party(self) -> bool:
        """Such a hold is never void: the party has asked for the recording."""
        return self is not HoldBy.CONTROLLER


DISPUTED_BY = (HoldBy.PARTY, HoldBy.CONTROLLER)
"""those who can need it for a dispute"""


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording begins. The call's facts (line, direction, number) are known to the store by `call`."""

    recording: str
    call: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment under a new data key, wrapped for exactly these purposes, and always for custody."""

    recording: str
    segment: int
    purposes: tuple[Purpose, ...]
    bases: Mapping[Purpose, Basis]
    """of `purposes` and of `withheld`"""
    at: datetime
    withheld: tuple[Purpose, ...] = ()
    """recorded for these too, but not wrapped: a hold keeps training out, or only custody may open it. Lifting wraps anew
    for what each segment was recorded for"""


@dataclass(frozen=True, slots=True)
class AddWraps:
    """A yes to use (N6): earlier segments are wrapped for this purpose too, while their keys are in memory."""

    recording: str
    purpose: Purpose
    segments: tuple[int, ...]
    withheld: bool = False
    """a hold keeps training out: no wrap is made now, but the segments count as recorded for it once the hold is lifted"""


@dataclass(frozen=True, slots=True)
class DropWraps:
    """A purpose or a whole role can no longer open the recording: all its wraps go, in every segment."""

    recording: str
    role: KeyRole
    reason: str
    """`hold`: while a hold stands; anything else: the purpose has ended for this recording, and no lift brings it back"""


@dataclass(frozen=True, slots=True)
class Restrict:
    """Only custody can open the recording from now on: the wraps for documentation and training go.

    `ended_by`: how the last purpose ended, where a hold is all that keeps it.
    """

    recording: str
    reason: str
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Discard:
    """All wraps go, then the file, then the sealed number: only the audit log is left of the recording.

    If a hold stands that was not lifted before, only the wraps other than custody's go, and the log says so (G10).
    """

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
    """None: it stands until it is lifted. Else the sweep discards the recording then, and reports it (`hold_after_refusal`)"""
    why: str = ""
    confirm_by: datetime | None = None
    """custody is to confirm it by then (`hold_unconfirmed`). Overdue is reported and never deletes"""


@dataclass(frozen=True, slots=True)
class ChangeHold:
    """The hold is now for somebody else, or has become the only thing that keeps the recording."""

    hold: str
    by: HoldBy
    provisional_until: datetime | None


UNDONE = "undone"
"""the reason of a hold that its raiser took back within a minute"""


@dataclass(frozen=True, slots=True)
class LiftHold:
    hold: str
    reason: str
    restore_training: bool = False
    """undone within a minute: training that has neither ended nor expired is wrapped anew while the segments' keys are in
    memory"""


@dataclass(frozen=True, slots=True)
class CloseRecording:
    """The call's recording is whole. The store counts its expiry from the day of the call, by the line's periods."""

    recording: str
    at: datetime
    purposes: tuple[Purpose, ...]
    """those that keep it"""


@dataclass(frozen=True, slots=True)
class ListCallBack:
    """The party is to be called back without recording (N4). The store binds that to the call's number."""

    call: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EndCallBack:
    """The party has been called back, or need not be any more; `call_back` is the call in which it was promised."""

    call_back: str


@dataclass(frozen=True, slots=True)
class RememberRefusal:
    """The party of this call declined training. `declined_earlier` comes from this (keyed hash, 12 months)."""

    call: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RememberLanguage:
    """The party of this call chose the notice's language. A later call begins in it (keyed hash, 12 months)."""

    call: str
    language: Language
    at: datetime


@dataclass(frozen=True, slots=True)
class UseDraw:
    """The answered call uses up its place in the sample's block, drawn or not (G34)."""

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
    """One transaction. `Committed` or `CommitFailed` returns its `ticket`."""

    ticket: int
    changes: tuple[Change, ...]
    entries: tuple[AuditEntry, ...]
