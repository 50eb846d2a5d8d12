"""Who hears whom in a call now: its media as they come and go, its notice from first sample to last, its tones.

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
from softphone.engine.sip.media.notice import HEARD_MARGIN, READ_WITHIN, Notice, NoticeFiles
from softphone.engine.sip.media.ports import CallPorts
from softphone.engine.sip.raw_events import MediaState, NoticeEnded, NoticeRead, Post
from softphone.engine.sip.timers import Timers

_WORKING = frozenset(
    {pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_LOCAL_HOLD, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD},
)


class CallAudio:
    """One for all calls."""

    def __init__(
        self,
        legs: Mapping[str, Leg],
        ports: CallPorts,
        timers: Timers,
        post: Post,
        emit: Callable[[events.PhoneEvent], None],
    ) -> None:
        self._legs = legs
        self._ports = ports
        self._timers = timers
        self._emit = emit
        self._serials = itertools.count(1)
        self._files = NoticeFiles(post)

    # The media

    def open_microphone(self, leg: Leg, opened: bool) -> None:
        leg.microphone_open = opened
        self.wire(leg)

    def set_media(self, leg: Leg, media: MediaState | None, *, renewed: bool = False) -> None:
        leg.media = media
        active = media is not None and media.status in _WORKING
        if active != leg.media_active:
            leg.media_active = active
            self._emit(events.MediaChanged(leg.call, active))
        self.look_at_hold(leg, renewed=renewed)

    def look_at_hold(self, leg: Leg, *, renewed: bool = False) -> None:
        """Whether the call is held, by the media and by what we have offered. Held by either side, nothing of it is heard."""
        media = leg.media
        status = media.status if media is not None else pj.PJSUA_CALL_MEDIA_NONE
        by_us = status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD
        silent = media is not None and media.direction == pj.PJMEDIA_DIR_NONE and leg.media_active
        by_them = status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD or silent
        by_us = by_us or leg.offers.held or leg.held_alone
        leg.sound.held = by_us or by_them
        if leg.sound.held or not leg.media_active:
            self.cut_notice(leg, "held" if leg.media_active else "media")
        self.wire(leg, renewed=renewed)
        if (by_us, by_them) != (leg.held_by_us, leg.held_by_them):
            leg.held_by_us, leg.held_by_them = by_us, by_them
            self._emit(events.HoldChanged(leg.call, by_us, by_them))

    def silence(self, leg: Leg) -> None:
        """From here on no frame of this call is passed on, sent or heard."""
        leg.sound.telling = leg.sound.talking = False
        self.cut_notice(leg, "ended")
        self.wire(leg)
        self._ports.leave(leg.sound)

    def close(self) -> None:
        self._files.close()

    # The notice

    def play_notice(self, leg: Leg, file: NoticeFile, lead_in: float) -> None:
        """Raises KlartoneError `notice_not_possible`. What comes of the file is an event."""
        if leg.media is None or leg.media.status != pj.PJSUA_CALL_MEDIA_ACTIVE or leg.sound.held:
            raise KlartoneError("notice_not_possible")
        self.cut_notice(leg, "replaced")
        leg.notice = notice = Notice(leg.call, next(self._serials), seconds() + lead_in)
        self.wire(leg)
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
        leg.notice.sounding = True
        self._ports.notice.playing = leg.notice
        self.wire(leg)
        if ("notice", "stream") in leg.wires.connected:
            self._emit(events.NoticeStarted(call, seconds()))
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
        notice, leg.notice = leg.notice, None
        if self._ports.notice.playing is notice:
            self._ports.notice.playing = None
        self.wire(leg)

    # The tones

    def warn(self, leg: Leg) -> None:
        """A short tone that agent and party hear over what they say; no recording has it."""
        if ("tone", "stream") in leg.wires.connected:
            self._ports.tone.warn()

    # The wires

    def wire(self, leg: Leg, *, renewed: bool = False) -> None:
        """Set who hears whom now. The microphone's flag first: a wire changes a tick later."""
        status = leg.media.status if leg.media is not None else pj.PJSUA_CALL_MEDIA_NONE
        talking = status == pj.PJSUA_CALL_MEDIA_ACTIVE and leg.established and not leg.ending
        hearing = not leg.ending and (status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD))
        microphone = talking and leg.microphone_open and leg.notice is None
        leg.sound.talking = microphone
        notice = talking and leg.notice is not None and leg.notice.sounding
        waiting = leg.progress == "ringing" and not (leg.established or leg.ending or hearing)
        wanted = leg.wires.wanted(
            hearing=hearing, talking=talking, microphone=microphone, notice=notice, waiting=waiting
        )
        if wanted == leg.wires.connected and not renewed:
            return
        if waiting and ("ringing", "device") not in leg.wires.connected:
            self._ports.ringing.rewind()
        stream = None
        with contextlib.suppress(pj.Error):
            stream = leg.director.getAudioMedia(-1)
        for fault in leg.wires.connect(wanted, self._ports, stream, renewed=renewed):
            self._emit(events.PhoneFault("media", fault, leg.call))
