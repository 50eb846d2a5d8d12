"""Whether the party's sound is there, counted from packets of the believed source alone.

A phone that suppresses silence sends nothing for seconds and is there; a phone without power sends nothing and is gone. RTCP
and comfort noise tell them apart; else SIP asks the party. It keeps times and makes events, nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from softphone.edge.channel import NoSoundYet, PartySoundBack, PartySoundGone, SoundLost
from softphone.edge.relay.events import PartySilent, RelayEvent

GONE_AFTER = 5.0
RTCP_LATEST = 10.0
"""seconds without RTCP after which no more is expected: it comes every 5 s, give or take half of it"""
ASK_EVERY = 30.0
LOST_AFTER = 0.5
"""seconds of lost packets that are worth a mark in the recording"""
FEW = 5
"""packets; whoever skips fewer numbers in that time was silent rather than lost"""
LATE = 1000
"""packets behind the newest by which one may come late; what is farther behind begins anew"""


class _State(StrEnum):
    RINGING = "ringing"
    NOT_YET = "not_yet"
    THERE = "there"
    ASKED = "asked"
    GONE = "gone"


class Presence:
    def __init__(self, call_id: str, tell: Callable[[RelayEvent], None]) -> None:
        self._call_id = call_id
        self._tell = tell
        self._state = _State.RINGING
        self._rtp_at = self._sign_at = 0.0
        """its last packet of sound, and its last sign of life at all"""
        self._number = 0
        """of the newest packet of RTP"""
        self._rtcp_at: float | None = None
        """since the last RTP"""
        self._comfort = False
        self._asked_at = 0.0
        self._held = False
        self._resumed = False
        """nothing has come since another relay took over this call"""

    @property
    def heard(self) -> bool:
        """Whether the party has sent sound since the answer."""
        return self._state not in (_State.RINGING, _State.NOT_YET)

    def answered(self) -> None:
        if self._state is _State.RINGING:
            self._state = _State.NOT_YET
            self._tell(NoSoundYet(self._call_id))

    @property
    def state(self) -> str:
        return self._state.value

    def resume(self, state: str, now: float) -> None:
        """The call, and its sound, were under way before this relay began. Raises ValueError for an invalid state.

        Its first packet is reported in any case: without the relay the party counted as gone.
        """
        found = _State(state)
        self._resumed = True
        self._state = _State.THERE if found is _State.ASKED else found
        self._rtp_at = self._sign_at = now

    def hold(self, *, on: bool, now: float) -> None:
        self._held = on
        self._rtp_at, self._rtcp_at, self._sign_at = now, None, now
        if self._state is _State.ASKED:
            self._state = _State.THERE

    def rtp(self, now: float, number: int, *, comfort_noise: bool) -> None:
        silent, ahead = now - self._rtp_at, (number - self._number) & 0xFFFF
        overtaken = ahead > 0xFFFF - LATE
        expected = self._state in (_State.THERE, _State.ASKED) and not (self._held or self._resumed or self._comfort)
        if expected and silent >= LOST_AFTER and ahead > FEW and not overtaken:
            self._tell(SoundLost(self._call_id, silent))
        self._rtp_at, self._rtcp_at, self._sign_at = now, None, now
        if not overtaken:
            self._number = number
        self._comfort = comfort_noise
        if self._resumed or self._state in (_State.NOT_YET, _State.GONE):
            self._resumed = False
            self._tell(PartySoundBack(self._call_id))
        if self._state is not _State.RINGING:
            self._state = _State.THERE

    def rtcp(self, now: float) -> None:
        self._rtcp_at = self._sign_at = now

    def party_answers(self, now: float, *, alive: bool) -> None:
        """The answer to `PartySilent`: a final one other than 408 and 481, or none."""
        if self._state is _State.ASKED:
            if alive:
                self._state = _State.THERE
                self._asked_at = self._sign_at = now
            else:
                self._gone(now)

    def look(self, now: float) -> None:
        """To be called several times a second."""
        if self._held or self._state not in (_State.THERE, _State.ASKED) or now - self._rtp_at < GONE_AFTER:
            return
        if self._comfort:
            self._ask(now)
        elif self._rtcp_at is None or now - self._rtcp_at >= RTCP_LATEST:
            self._gone(now)
        else:
            self._ask(now)

    def _ask(self, now: float) -> None:
        asked_in_this_silence = self._asked_at > self._rtp_at
        if self._state is _State.THERE and not (asked_in_this_silence and now - self._asked_at < ASK_EVERY):
            self._state = _State.ASKED
            self._asked_at = now
            self._tell(PartySilent(self._call_id))

    def _gone(self, now: float) -> None:
        self._state = _State.GONE
        self._tell(PartySoundGone(self._call_id, now - self._sign_at))
