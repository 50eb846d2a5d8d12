"""The sound of the calls now: their media as they come and go, their notices from first sample to last, their tones.

Runs on the polling thread alone. It plays a notice when asked to and says when it was heard. It does not know what that
means.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping

import pjsua2 as pj

from softphone.calls.turns import seconds
from softphone.domain.errors import KlartoneError
from softphone.domain.notice import NoticeFile
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg
from softphone.engine.sip.media.bridge import RINGING, TONE, CallSide, Node, wanted
from softphone.engine.sip.media.notice import HEARD_MARGIN, READ_WITHIN, Notice, NoticeFiles
from softphone.engine.sip.media.ports import CallPorts
from softphone.engine.sip.media.wiring import Wires
from softphone.engine.sip.raw_events import MediaState, NoticeEnded, NoticeRead, Post
from softphone.engine.sip.timers import Timers

_WORKING = frozenset(
    {pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_LOCAL_HOLD, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD},
)


class CallAudio:
    """One for all calls. `attended`: those that the agent takes part in; two are a conference."""

    def __init__(
        self,
        legs: Mapping[str, Leg],
        ports: CallPorts,
        timers: Timers,
        post: Post,
        emit: Callable[[events.PhoneEvent], None],
    ) -> None:
        self.attended: frozenset[str] = frozenset()
        self._legs = legs
        self._ports = ports
        self._wires = Wires(self._media)
        self._timers = timers
        self._emit = emit
        self._serials = itertools.count(1)
        self._files = NoticeFiles(post)

    # The media

    def open_microphone(self, leg: Leg, opened: bool) -> None:
        leg.microphone_open = opened
        self.wire()

    def set_media(self, leg: Leg, media: MediaState | None, *, renewed: bool = False) -> None:
        leg.media = media
        self._look_at_media(leg)
        self.look_at_hold(leg, renewed=renewed)

    def set_way(self, leg: Leg, *, opened: bool) -> None:
        """Until our sound can reach the party there is no media, whatever pjsua2 sends."""
        if opened is leg.way_open:
            return
        leg.way_open = opened
        if not opened and not leg.media_active:
            self._emit(events.MediaChanged(leg.call, False))
        self._look_at_media(leg)
        self._look(leg)

    def _look_at_media(self, leg: Leg) -> None:
        active = leg.way_open and leg.media is not None and leg.media.status in _WORKING
        if active != leg.media_active:
            leg.media_active = active
            self._emit(events.MediaChanged(leg.call, active))

    def look_at_hold(self, leg: Leg, *, renewed: bool = False) -> None:
        """Whether the call is held, by the media and by what we have offered. Held by either side, nothing of it is heard."""
        media = leg.media
        status = media.status if media is not None else pj.PJSUA_CALL_MEDIA_NONE
        by_us = status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD
        silent = media is not None and media.direction == pj.PJMEDIA_DIR_NONE and status in _WORKING
        by_them = status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD or silent
        by_us = by_us or leg.offers.held or leg.held_alone
        held_before = leg.held_by_us, leg.held_by_them
        leg.held_by_us, leg.held_by_them = by_us, by_them
        self._look(leg)
        self.wire(leg if renewed else None)
        if (by_us, by_them) != held_before:
            self._emit(events.HoldChanged(leg.call, by_us, by_them))

    def attend(self, *calls: str) -> None:
        """The agent takes part in these calls from now on, and in no other."""
        self.attended = frozenset(calls)
        for leg in self._legs.values():
            self._look(leg)
        self.wire()

    def _look(self, leg: Leg) -> None:
        """The flag first: a wire changes a tick later."""
        leg.sound.held = leg.held_by_us or leg.held_by_them or leg.call not in self.attended
        if leg.sound.held or not leg.media_active:
            self.cut_notice(leg, "held" if leg.media_active else "media")

    def silence(self, leg: Leg) -> None:
        """From here on no frame of this call is passed on, sent or heard."""
        leg.sound.telling = leg.sound.talking = False
        self.cut_notice(leg, "ended")
        self.attended -= {leg.call}
        self.wire()
        self._ports.leave(leg.sound)

    def close(self) -> None:
        self._files.close()

    # The notice

    def play_notice(self, leg: Leg, file: NoticeFile, lead_in: float) -> None:
        """Raises KlartoneError `notice_not_possible`. What comes of the file is an event."""
        working = leg.media is not None and leg.media.status == pj.PJSUA_CALL_MEDIA_ACTIVE
        if not (working and leg.way_open) or leg.sound.held:
            raise KlartoneError("notice_not_possible")
        self.cut_notice(leg, "replaced")
        leg.notice = notice = Notice(leg.call, next(self._serials), seconds() + lead_in)
        self.wire()
        # By its name: a timer that held the leg would keep the pjsua2 call beyond its end.
        call, serial = leg.call, notice.serial
        self._timers.after(READ_WITHIN, lambda: self._not_read(call, serial))
        self._files.read(notice, file)

    def cut_notice(self, leg: Leg, reason: str) -> None:
        if leg.notice is not None:
            self._end_notice(leg)
            self._emit(events.NoticeCut(leg.call, reason))

    def notice_read(self, happening: NoticeRead) -> None:
        leg = self._playing(happening.call, happening.serial)
        if leg is None or leg.notice is None:
            return
        if not happening.pcm:
            self.cut_notice(leg, "file")
            return
        leg.notice.pcm = happening.pcm
        wait = leg.notice.ready_at - seconds()
        if wait > 0:
            self._timers.after(wait, lambda: self._start_notice(happening.call, happening.serial))
        else:
            self._start_notice(happening.call, happening.serial)

    def notice_ended(self, happening: NoticeEnded) -> None:
        if self._playing(happening.call, happening.serial) is not None:
            self._timers.after(HEARD_MARGIN, lambda: self._heard(happening.call, happening.serial))

    def _not_read(self, call: str, serial: int) -> None:
        leg = self._playing(call, serial)
        if leg is not None and leg.notice is not None and not leg.notice.pcm:
            self.cut_notice(leg, "late")

    def _start_notice(self, call: str, serial: int) -> None:
        leg = self._playing(call, serial)
        if leg is None or leg.notice is None:
            return
        self.wire()
        leg.notice.began = seconds()
        leg.sound.notice = leg.notice
        if (("leg", call), ("stream", call)) in self._wires.connected:
            self._emit(events.NoticeStarted(call, leg.notice.began))
        else:
            # The party would not hear it.
            self.cut_notice(leg, "media")

    def _heard(self, call: str, serial: int) -> None:
        leg = self._playing(call, serial)
        if leg is not None:
            self._end_notice(leg)
            self._emit(events.NoticePlayed(call))

    def _playing(self, call: str, serial: int) -> Leg | None:
        leg = self._legs.get(call)
        return leg if leg is not None and leg.notice is not None and leg.notice.serial == serial else None

    def _end_notice(self, leg: Leg) -> None:
        """It is silent from the next tick on."""
        leg.notice = leg.sound.notice = None
        self.wire()

    # The tones

    def warn(self, leg: Leg) -> None:
        """A short tone that agent and party hear over what they say; no recording has it."""
        if (TONE, ("stream", leg.call)) in self._wires.connected:
            self._ports.tone.warn()

    # The wires

    def wire(self, renewed: Leg | None = None) -> None:
        """Set who hears whom now. The microphone's flags first: a wire changes a tick later. `renewed`: its stream may be
        another one."""
        before = self._wires.connected
        in_ear = self._ports.notices is None
        wires = wanted([self._side(leg) for leg in self._legs.values()], notice_in_ear=in_ear)
        if wires == before and renewed is None:
            return
        if any(source == RINGING for source, _ in wires) and not any(source == RINGING for source, _ in before):
            self._ports.ringing.rewind()
        for fault in self._wires.connect(wires, ("stream", renewed.call) if renewed is not None else None):
            self._emit(events.PhoneFault("media", fault))

    def _side(self, leg: Leg) -> CallSide:
        status = leg.media.status if leg.media is not None else pj.PJSUA_CALL_MEDIA_NONE
        talking = status == pj.PJSUA_CALL_MEDIA_ACTIVE and leg.established and not leg.ending
        hearing = not leg.ending and status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
        leg.sound.talking = talking and leg.microphone_open and leg.notice is None and leg.call in self.attended
        return CallSide(
            leg.call,
            hearing=hearing,
            talking=talking,
            attended=leg.call in self.attended,
            held_by_us=leg.held_by_us,
            held_by_them=leg.held_by_them,
            notice=leg.notice is not None,
            rings=leg.progress == "ringing" and not (leg.established or leg.ending or hearing),
        )

    def _media(self, node: Node) -> pj.AudioMedia | None:
        kind, call = node
        match kind:
            case "device":
                return self._ports.device
            case "tone":
                return self._ports.tone
            case "ringing":
                return self._ports.ringing
            case "leg":
                return self._ports.leg_of(call)
            case _:
                leg = self._legs.get(call)
                with contextlib.suppress(pj.Error):
                    return leg.director.getAudioMedia(-1) if leg is not None else None
                return None
