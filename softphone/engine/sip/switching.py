"""Which calls the agent takes part in: one, none, or the two of a conference. Every other established call is held.

Runs on the polling thread alone. `call_audio` carries it out in the sound, `negotiation` in SIP. A call is taken up by a press
alone, never because another one ended.
"""

from __future__ import annotations

from collections.abc import Mapping

from softphone.engine.sip.call import Leg
from softphone.engine.sip.call_audio import CallAudio
from softphone.engine.sip.negotiation import Negotiation


class Switching:
    def __init__(self, legs: Mapping[str, Leg], hearing: CallAudio, offers: Negotiation) -> None:
        self._legs = legs
        self._hearing = hearing
        self._offers = offers

    @property
    def attended(self) -> frozenset[str]:
        return self._hearing.attended

    def take_up(self, *calls: str) -> None:
        """These calls, two for a conference: the others are silent from here on, and held."""
        self._hearing.attend(*calls)
        for leg in [*self._legs.values()]:
            if leg.established and not leg.ending:
                self._agree(leg)

    def hold(self, leg: Leg) -> None:
        """Whoever is held leaves a conference. A call held alone stays the agent's."""
        if len(self.attended) > 1 and leg.call in self.attended:
            self._hearing.attend(*(self.attended - {leg.call}))
        self._offers.hold(leg, held=True)

    def established(self, leg: Leg) -> None:
        """Somebody answered us while the agent talks to somebody else."""
        if leg.call not in self.attended and not leg.ending:
            self._offers.hold(leg, held=True)

    def _agree(self, leg: Leg) -> None:
        attended = leg.call in self.attended
        if attended is (leg.offers.wanted.held or leg.held_alone):
            self._offers.hold(leg, held=not attended)
