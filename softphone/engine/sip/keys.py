"""Keys both ways: as RFC 4733, by SIP INFO, or as tones in the sound, whichever the peer understands; each press counted once.

Runs on the polling thread, but for a listener's frames. What a key means is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pjsua2 as pj

from softphone.calls.turns import seconds
from softphone.domain.errors import KlartoneError
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg, Press
from softphone.engine.sip.raw_events import CallbackFailed, Post, RawDigit

DIGIT_SECONDS = 0.3
"""How long a digit and the pause after it take on their way out, at most."""
SAME_PRESS = 1.0
"""Seconds within which the same key in another form is the same press: gateways send a key in two forms at once."""
SAME_AS_SOUND = 2.0
"""… where one of them is a tone: its INFO may come at its end, and late"""

_KEYS = re.compile(r"[0-9A-D*#]+")
_SUPPORTED = 1  # pjsip_dialog_cap_status


class Keys:
    def __init__(self, post: Post, emit: Callable[[events.PhoneEvent], None]) -> None:
        self._post = post
        self._emit = emit

    def send(self, leg: Leg, keys: str) -> None:
        """Raises KlartoneError `digits` or `digits_not_possible`."""
        if not _KEYS.fullmatch(keys):
            raise KlartoneError("digits")
        if not leg.keyless:
            self._by_pjsip(leg, keys, pj.PJSUA_DTMF_METHOD_RFC2833)
        elif leg.director.remoteHasCap(pj.PJSIP_H_ALLOW, "", "INFO") == _SUPPORTED:
            self._by_pjsip(leg, keys, pj.PJSUA_DTMF_METHOD_SIP_INFO)
        elif not leg.sound.send(_as_sound(keys)):
            raise KlartoneError("digits_not_possible")
        leg.digits_until = max(seconds(), leg.digits_until) + len(keys) * DIGIT_SECONDS

    def _by_pjsip(self, leg: Leg, keys: str, method: int) -> None:
        params = pj.CallSendDtmfParam()
        params.method = method
        params.digits = keys
        failed = False
        try:
            leg.director.sendDtmf(params)
        except pj.Error:
            failed = True
        if failed:
            raise KlartoneError("digits_not_possible")

    def listen(self, leg: Leg) -> None:
        """In the party's sound while the peer names no telephone-event, and not at all once it does."""
        if not leg.keyless:
            leg.sound.listener = None
        elif leg.sound.listener is None:
            leg.sound.listener = _Listener(leg.call, self._post)

    def seen(self, leg: Leg, pressed: RawDigit) -> None:
        # An INFO could bring any byte as a digit.
        if not _KEYS.fullmatch(pressed.digit):
            return
        if pressed.form == "sound" and not leg.keyless:
            return
        if pressed.goes_on:
            for one in leg.presses:
                if one.digit == pressed.digit and pressed.form in one.forms:
                    one.until = max(one.until, pressed.at)
            return
        at, until = pressed.at, pressed.at + pressed.lasted
        leg.presses = [one for one in leg.presses if one.apart(at, until) < SAME_AS_SOUND]
        for one in leg.presses:
            within = SAME_AS_SOUND if "sound" in {pressed.form, *one.forms} else SAME_PRESS
            if one.digit == pressed.digit and pressed.form not in one.forms and one.apart(at, until) < within:
                one.forms.add(pressed.form)
                one.at, one.until = min(one.at, at), max(one.until, until)
                return
        leg.presses.append(Press(pressed.digit, at, until, {pressed.form}))
        in_sound = pressed.form == "sound"
        self._emit(events.DigitReceived(leg.call, pressed.digit, pressed.at, in_sound, pressed.sure))


class _Listener:
    """Called with each frame of the party's, on pjmedia's thread; 45 µs of it."""

    def __init__(self, call: str, post: Post) -> None:
        self._call = call
        self._post = post
        from softphone.audio.dtmf import KeyListener  # numpy: a phone registers without it

        self._new_ear = KeyListener
        self._ear = KeyListener()

    def __call__(self, pcm: bytes) -> None:
        """Whatever fails here must not cost the recording its frame."""
        try:
            for heard in self._ear.hear(pcm):
                began = seconds() - heard.lasted
                self._post(RawDigit(self._call, heard.key, began, "sound", heard.sure, heard.lasted))
        except Exception as error:  # noqa: BLE001 - as it says
            self._ear = self._new_ear()
            self._post(CallbackFailed("KeyListener.hear", type(error).__name__))


def _as_sound(keys: str) -> bytes:
    from softphone.audio.dtmf import keys_as_sound  # as above

    return keys_as_sound(keys)
