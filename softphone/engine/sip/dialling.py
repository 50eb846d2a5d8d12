"""Calls that this phone makes: their INVITE, and the one that follows where the other phone takes sound with keys alone."""

from __future__ import annotations

from collections.abc import Sequence

import pjsua2 as pj

from softphone.domain.ending import Said
from softphone.domain.errors import KlartoneError
from softphone.engine.sip.account import target_uri
from softphone.engine.sip.call import CallDirector, Leg, call_params, new_call_id
from softphone.engine.sip.media import Frames
from softphone.engine.sip.media.ports import CallSound
from softphone.engine.sip.message import Identity, parse_address
from softphone.engine.sip.offers import Wish
from softphone.engine.sip.raw_events import Post
from softphone.engine.sip.registrations import Registrations
from softphone.engine.sip.transfers import header


class Dialling:
    def __init__(
        self, registrations: Registrations, post: Post, *, frames: Frames | None, record_aware: bool, by_edge: bool
    ) -> None:
        self._registrations = registrations
        self._post = post
        self._frames = frames
        self._record_aware = record_aware
        self._by_edge = by_edge

    def begin(
        self, account: str, target: str, prefers_recording: bool | None, headers: Sequence[tuple[str, str]] = ()
    ) -> Leg:
        registration = self._registrations.get(account)
        if registration.settings.lacks_tls:
            raise KlartoneError("dial_without_tls")
        uri = target_uri(registration.settings, target, by_edge=self._by_edge)
        call = new_call_id()
        director = CallDirector(registration.director, call, self._post)
        leg = Leg(
            call,
            account,
            director,
            incoming=False,
            sound=CallSound(call, self._frames, self._post),
            identity=Identity(parse_address(uri).user),
            dialled=(uri, tuple(headers)),
        )
        wish = Wish(preference=prefers_recording)
        leg.offers.wanted = leg.offers.agreed = wish
        director.attributes = wish.attributes()
        if reason := self._invite(leg):
            raise KlartoneError("dial_failed", reason=reason)
        return leg

    def again_with_keys_alone(self, leg: Leg) -> bool:
        """A phone that takes RTP/SAVP alone has refused RTP/AVP with keys (RFC 4568 does not say which to offer): it gets that,
        once, for the same press. Whether it was tried. No phone rings twice for it."""
        rang = leg.established or leg.progress not in ("", "calling")
        if not self._by_edge or leg.incoming or leg.ending or rang or leg.director.keys_alone:
            return False
        if leg.account not in self._registrations:
            return False
        registration, sip_id = self._registrations.get(leg.account), leg.director.sip_call_id
        if registration.settings.keys_sound != "optional":
            return False
        director = CallDirector(registration.director, leg.call, self._post)
        director.attributes, director.keys_alone, director.sip_call_id = leg.director.attributes, True, sip_id
        # The earlier one goes first: PJSIP may give its number to the next.
        leg.director = director
        if self._invite(leg):
            return False
        leg.said = Said()
        return True

    def _invite(self, leg: Leg) -> str:
        """Why it is not possible; else empty."""
        uri, headers = leg.dialled
        try:
            params = call_params(self._record_aware)
            for name, value in headers:
                params.txOption.headers.append(header(name, value))
            leg.director.makeCall(uri, params)
            leg.director.sip_call_id = leg.director.getInfo().callIdString
        except pj.Error as error:
            return error.reason or str(error.status)
        return ""
