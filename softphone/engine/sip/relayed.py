"""What the edge says of the calls' sound and of the way that their messages take: it relays both, and pjsua2 sees neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from softphone.edge import channel
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg
from softphone.engine.sip.call_audio import CallAudio
from softphone.engine.sip.quality import QualityWatch


class Relayed:
    def __init__(
        self,
        legs: Mapping[str, Leg],
        by_sip: Callable[[str], Leg | None],
        hearing: CallAudio,
        quality: QualityWatch,
        emit: Callable[[events.PhoneEvent], None],
    ) -> None:
        self._legs = legs
        self._by_sip = by_sip
        self._hearing = hearing
        self._quality = quality
        self._emit = emit

    def changed(self, event: channel.RelayEvent) -> None:
        leg = self._by_sip(event.call_id)
        match event:
            case _ if leg is None or leg.ending:
                pass
            case channel.PartySoundBack():
                leg.party_heard = True
                self._emit(events.PartySound(leg.call, there=True))
            case channel.PartySoundGone():
                leg.party_heard = False
                if leg.established:
                    self._emit(events.PartySound(leg.call, there=False, silent=event.silent))
            case channel.SoundLost():
                self._emit(events.SoundLost(leg.call, event.seconds))
            case channel.SourceChanged() | channel.SourceReturned():
                # A call that is answered and not yet acknowledged hears of it later.
                leg.source_doubted = isinstance(event, channel.SourceChanged)
                if leg.established:
                    self._emit(events.SourceDoubted(leg.call, leg.source_doubted))
            case channel.PartyHears(loss=loss, discarded=discarded):
                self._quality.heard_there(leg.call, loss + discarded)
            case channel.SoundWay():
                self._hearing.set_way(leg, opened=event.open)
            case channel.NoSoundYet():
                pass  # so it counts as there until something else is reported

    def gone(self, silent: float) -> None:
        """There is no relay: no sound comes or goes until the next one reports the party's, and none has for so many
        seconds.

        A held call was to have none.
        """
        for leg in self._legs.values():
            if leg.held_by_us or leg.held_by_them:
                continue
            leg.party_heard = False
            if leg.established and not leg.ending:
                if silent:
                    self._emit(events.CallStalled(leg.call, silent))
                self._emit(events.PartySound(leg.call, there=False))
        for leg in self._legs.values():
            self._hearing.set_way(leg, opened=True)  # the next relay has no ICE: it goes on by the addresses

    def signalled_by(self, leg: Leg, *, tls: bool) -> None:
        """How its messages go between here and the server, as the edge knows."""
        leg.by_tls = tls
        self.look_at_encryption(leg)

    def look_at_encryption(self, leg: Leg) -> None:
        encrypted = leg.by_tls and leg.director.has_srtp()
        if encrypted is not leg.encrypted:
            leg.encrypted = encrypted
            self._emit(events.EncryptionChanged(leg.call, encrypted))
