"""What a client says to the engine: commands, each with an id that its answer names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AwareDatetime, Discriminator

from softphone.domain.purpose import Language, Purpose
from softphone.domain.status import Action, OptOutKind, Stays
from softphone.wire.snapshot import (
    Settings,
)


@dataclass(frozen=True, slots=True)
class Attach:
    """A client's first line. A `desk` is somebody who can press opt-out; an `observer` looks on, and may ask what
    `ForEverybody` says."""

    secret: str
    role: Literal["desk", "observer"] = "desk"
    type: Literal["attach"] = "attach"


@dataclass(frozen=True, slots=True)
class Ping:
    """A desk says every second that it lives; after five silent seconds it counts as gone."""

    type: Literal["ping"] = "ping"


@dataclass(frozen=True, slots=True)
class Dial:
    id: str
    account: str
    target: str
    line: str | None = None
    """the agent's choice, if the account's number does not decide"""
    type: Literal["dial"] = "dial"


@dataclass(frozen=True, slots=True)
class Answer:
    id: str
    call: str
    type: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True)
class Decline:
    id: str
    call: str
    type: Literal["decline"] = "decline"


@dataclass(frozen=True, slots=True)
class HangUp:
    id: str
    call: str
    type: Literal["hang_up"] = "hang_up"


@dataclass(frozen=True, slots=True)
class Mute:
    id: str
    call: str
    on: bool
    type: Literal["mute"] = "mute"


@dataclass(frozen=True, slots=True)
class HoldCall:
    id: str
    call: str
    on: bool
    type: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True)
class SendDigits:
    id: str
    call: str
    digits: str
    type: Literal["send_digits"] = "send_digits"


@dataclass(frozen=True, slots=True)
class OptOut:
    """`version`, `kind` and `stays` are those of the button as shown. A press that would by now do something else is
    refused."""

    id: str
    call: str
    version: int
    kind: OptOutKind
    stays: Stays | None = None
    type: Literal["opt_out"] = "opt_out"


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    id: str
    call: str
    version: int
    by: Literal["party", "controller"] = "controller"
    why: str = ""
    type: Literal["raise_dispute"] = "raise_dispute"


@dataclass(frozen=True, slots=True)
class UndoDispute:
    id: str
    call: str
    version: int
    type: Literal["undo_dispute"] = "undo_dispute"


@dataclass(frozen=True, slots=True)
class LockEarlier:
    """A dispute about the earlier calls with the number of `call`, which itself stays as it is. `result.locked`: how many."""

    id: str
    call: str
    by: Literal["party", "controller"] = "controller"
    why: str = ""
    type: Literal["lock_earlier"] = "lock_earlier"


@dataclass(frozen=True, slots=True)
class Choose:
    id: str
    call: str
    version: int
    choice: str
    option: str
    type: Literal["choose"] = "choose"


@dataclass(frozen=True, slots=True)
class Act:
    """One of the status's `actions`, by its name; `purpose` where it concerns one."""

    id: str
    call: str
    version: int
    action: Action
    purpose: Purpose | None = None
    language: Language | None = None
    """of `play_again` and `read_instead`: the notice in another language"""
    type: Literal["act"] = "act"


RecordingCommand = OptOut | RaiseDispute | UndoDispute | Choose | Act
"""a press that concerns what is recorded"""


@dataclass(frozen=True, slots=True)
class Reopen:
    """One of today's calls of which something is kept. It stands among the snapshot's calls until `EndWrapUp`, or until the
    next one begins or is taken up."""

    id: str
    call: str
    type: Literal["reopen"] = "reopen"


@dataclass(frozen=True, slots=True)
class SaveNote:
    """The agent's note about a call, while it is on or of the own calls: instead of the one before. Empty: there is none."""

    id: str
    call: str
    text: str = field(repr=False)
    type: Literal["save_note"] = "save_note"


@dataclass(frozen=True, slots=True)
class Activate:
    """The agent talks on this call now; the one before is held."""

    id: str
    call: str
    type: Literal["activate"] = "activate"


@dataclass(frozen=True, slots=True)
class Consult:
    """Hold `call` and call a colleague. `result.call` is the consultation."""

    id: str
    call: str
    target: str
    type: Literal["consult"] = "consult"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Blind: the party calls `target`, and this phone is out of it."""

    id: str
    call: str
    target: str
    type: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class CompleteTransfer:
    """Attended: `call` is the consultation; its party and the colleague talk to each other."""

    id: str
    call: str
    type: Literal["complete_transfer"] = "complete_transfer"


@dataclass(frozen=True, slots=True)
class FollowTransfer:
    """Call whom the party of `call` names; once that stands, `call` ends. `result.call` is the new one.

    `target` is `asked_to_call` as the agent saw it. Refused if it says something else by now.
    """

    id: str
    call: str
    target: str
    type: Literal["follow_transfer"] = "follow_transfer"


@dataclass(frozen=True, slots=True)
class DeclineTransfer:
    id: str
    call: str
    type: Literal["decline_transfer"] = "decline_transfer"


@dataclass(frozen=True, slots=True)
class Join:
    """A conference of three: `call` is the consultation, which is joined with its party; else a call that waits, joined with
    the active one."""

    id: str
    call: str
    type: Literal["join"] = "join"


@dataclass(frozen=True, slots=True)
class BackToParty:
    """The consultation `call` ends, and its party is on the line again. Where it has ended by itself, `call` is the party's."""

    id: str
    call: str
    type: Literal["back_to_party"] = "back_to_party"


@dataclass(frozen=True, slots=True)
class EndWrapUp:
    id: str
    call: str
    type: Literal["end_wrap_up"] = "end_wrap_up"


@dataclass(frozen=True, slots=True)
class Seen:
    """The agent has seen these rows of the own calls, missed or broken off."""

    id: str
    calls: tuple[str, ...]
    type: Literal["seen"] = "seen"


@dataclass(frozen=True, slots=True)
class EndCallBack:
    """The party has been called back, or no longer needs to be."""

    id: str
    call_back: str
    type: Literal["end_call_back"] = "end_call_back"


@dataclass(frozen=True, slots=True)
class SaveSettings:
    """The engine validates, stores and applies them. The desk puts a password into the keyring first."""

    id: str
    settings: Settings
    type: Literal["save_settings"] = "save_settings"


@dataclass(frozen=True, slots=True)
class WatchLevels:
    id: str
    on: bool
    type: Literal["watch_levels"] = "watch_levels"


@dataclass(frozen=True, slots=True)
class TestTone:
    id: str
    type: Literal["test_tone"] = "test_tone"


@dataclass(frozen=True, slots=True)
class TestCall:
    """To oneself: the notice of this account's line, and oneself, as callers hear them. Nothing of it is recorded. `on`
    false ends it."""

    id: str
    account: str
    on: bool = True
    type: Literal["test_call"] = "test_call"


@dataclass(frozen=True, slots=True)
class Quit:
    """The engine ends; a call in progress is hung up."""

    id: str
    type: Literal["quit"] = "quit"


@dataclass(frozen=True, slots=True)
class QuitWhenIdle:
    """The engine ends once nothing goes on: no call, no wrap-up, nothing unwritten, nothing typed in a desk. An observer may
    ask this too. What stands is in the snapshot (`quit_asked`)."""

    id: str
    within: float = 0.0
    """seconds: refused while something goes on, and forgotten where it has not come about by then. 0: it stands"""
    ready: bool = False
    """of a desk: nothing is typed there, or the agent wants it at once. The engine ends, if nothing else goes on"""
    latest: AwareDatetime | None = None
    """from then on it waits for calls alone, and for what must be written. It cannot be put off beyond that"""
    type: Literal["quit_when_idle"] = "quit_when_idle"


@dataclass(frozen=True, slots=True)
class PostponeQuit:
    """The agent puts the end off for an hour, at the longest until its `latest`. Then it is asked for again."""

    id: str
    type: Literal["postpone_quit"] = "postpone_quit"


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """A command has changed the settings' file: the engine reads it anew, once no call is on. An observer may ask this too."""

    id: str
    type: Literal["read_settings"] = "read_settings"


CallCommand = (
    Answer
    | Decline
    | HangUp
    | Mute
    | HoldCall
    | SendDigits
    | OptOut
    | RaiseDispute
    | UndoDispute
    | Choose
    | Act
    | Reopen
    | EndWrapUp
    | Seen
    | SaveNote
    | Activate
    | Consult
    | Transfer
    | CompleteTransfer
    | FollowTransfer
    | DeclineTransfer
    | Join
    | BackToParty
)
ForEverybody = QuitWhenIdle | ReadSettings
"""what an observer may ask too: a command of the same user's"""
AnsweredAtOnce = CallCommand | Dial | EndCallBack | WatchLevels | TestTone | TestCall | Quit | PostponeQuit
Command = AnsweredAtOnce | ForEverybody | LockEarlier | SaveSettings
ToEngine = Annotated[Attach | Ping | Command, Discriminator("type")]
