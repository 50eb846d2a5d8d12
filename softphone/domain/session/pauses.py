"""The pauses of a call as values: which stand, since when, and what they stop. `pausing` and `party` have the rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from softphone.domain.events import Now
from softphone.domain.purpose import Reason


class Sensitive(StrEnum):
    OFF = "off"
    PAUSED = "paused"
    WARNED = "warned"
    BY_HAND = "by_hand"
    """time is up and the line declares no ground: it resumes by hand"""


class PartySound(StrEnum):
    THERE = "there"
    NOT_YET = "not_yet"
    """none has come since the answer: the notice plays and keys count, and nothing is recorded"""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Pauses:
    held: bool = False
    consulting: bool = False
    sensitive: Sensitive = Sensitive.OFF
    newcomer_not_informed: bool = False
    agent_gone: bool = False
    sound: PartySound = PartySound.THERE
    sound_missing: bool = False
    """so long that the agent was reminded"""
    source_changed: bool = False
    objection: bool = False
    unclear: bool = False
    """keys or SIP objected, not words: asked by the agent, the party may have meant something else"""
    desk_gone: bool = False
    since: Now | None = field(default=None, compare=False)
    over: Now | None = field(default=None, compare=False)
    """when the last pause of all ended"""
    sensitive_until: datetime | None = field(default=None, compare=False)

    @property
    def for_all(self) -> tuple[Reason, ...]:
        """The pauses that stop everything: the one that outlasts the others first, then the one that hides the rest."""
        return tuple(
            reason
            for reason, stands in (
                (Reason.OBJECTION, self.objection),
                (Reason.SENSITIVE, self.sensitive is not Sensitive.OFF),
                (Reason.SOURCE_CHANGED, self.source_changed),
                (Reason.HELD, self.held or self.consulting),
                (Reason.NO_AGENT, self.agent_gone),
                (Reason.NO_SOUND, self.sound is not PartySound.THERE),
                (Reason.NOT_TOLD, self.newcomer_not_informed),
            )
            if stands
        )

    def after(self, was: Pauses, now: Now) -> Pauses:
        """These, with the time since when all is paused. A pause that was noticed late begins no earlier than the last ended."""
        if not self.for_all:
            return replace(self, since=None, over=now) if was.for_all else self
        if was.for_all:
            return self
        return replace(self, since=self.over if self.over is not None and self.over.mono > now.mono else now)

    @property
    def silent(self) -> bool:
        """Agent and party cannot talk, or must not be listened to: clocks of questions stand still, keys are no answers."""
        return bool(
            self.held
            or self.consulting
            or self.agent_gone
            or self.sound is PartySound.GONE
            or self.source_changed
            or self.sensitive is not Sensitive.OFF
        )
