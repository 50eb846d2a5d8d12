"""What the engine says to its clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Discriminator

from softphone.wire.snapshot import (
    AccountState,
    CallBack,
    CallState,
    CodedText,
    HouseState,
    LineState,
    PastCall,
    PolicyState,
    QuitAsked,
    Settings,
    ShippingState,
    SoundState,
    StoreState,
)


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int
    version: str
    pid: int
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state. Snapshots coalesce: the latest wins."""

    version: int
    at: datetime
    accounts: tuple[AccountState, ...]
    lines: tuple[LineState, ...]
    calls: tuple[CallState, ...]
    history: tuple[PastCall, ...]
    policy: PolicyState
    sound: SoundState
    store: StoreState
    settings: Settings
    call_backs: tuple[CallBack, ...] = ()
    """oldest first"""
    sip_port: int = 0
    """where the phone listens (UDP and TCP)"""
    faults: tuple[CodedText, ...] = ()
    """faults that stand: a plugin left out, a keyring locked"""
    longest_turn: float = 0.0
    """the longest turn of the engine's loop in seconds, without the time it waits to be woken"""
    locked: Mapping[str, str] = field(default_factory=dict[str, str])
    """settings that the organisation has locked, by key, and where it says so"""
    quit_asked: QuitAsked | None = None
    """None: nobody has asked it to end"""
    unwritten: bool = False
    """something that must be kept is not on the disk yet"""
    since: datetime | None = None
    """when this engine started"""
    desk: bool = True
    """whether a desk is there"""
    shipping: ShippingState | None = None
    house: HouseState | None = None
    """None: this desk belongs to no house"""
    type: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True, slots=True)
class Occurred:
    """An event of a call: queued, never coalesced. `since_answer` is seconds, None before it."""

    call: str
    event: str
    at: datetime
    since_answer: float | None
    params: Mapping[str, str | int | float | bool | None] = field(
        default_factory=dict[str, "str | int | float | bool | None"]
    )
    type: Literal["occurred"] = "occurred"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something went wrong that a person should hear of, once."""

    said: CodedText
    call: str | None = None
    type: Literal["fault"] = "fault"


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to a command. `result` holds new ids (`call` of a `Dial`), and of a `LockEarlier` how many calls it locked
    and how many recordings it could not (`unreadable`)."""

    id: str
    result: Mapping[str, str] = field(default_factory=dict[str, str])
    type: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Refused:
    id: str
    said: CodedText
    type: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Levels:
    """Loudness in dBFS, about ten a second while watched; the latest wins."""

    microphone: float
    speaker: float
    type: Literal["levels"] = "levels"


@dataclass(frozen=True, slots=True)
class Tone:
    """The agent's short tone: recording started, stopped, or is about to go on."""

    call: str
    tone: Literal["started", "stopped", "warning"]
    type: Literal["tone"] = "tone"


FromEngine = Annotated[
    Hello | Snapshot | Occurred | Fault | Done | Refused | Levels | Tone,
    Discriminator("type"),
]
