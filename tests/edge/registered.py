"""An account of a phone's at an exchange by TLS, and descriptions of sound with and without keys of SRTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.peers.authority import Authority
from tests.peers.exchange import HOST, Exchange
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone
from tests.peers.wire import header

KEY = "inline:" + 40 * "A"
SDP = (
    "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/{profile} 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n{crypto}"
)
CRYPTO = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
PLAIN = SDP.format(version=1, profile="AVP", crypto="")
KEYED = SDP.format(version=1, profile="SAVP", crypto=CRYPTO)


class Registered:
    """An account of the phone's at an exchange, and what is said between them. `user`: another account has it too."""

    def __init__(self, phone: SecondPhone, authority: Authority, at: Exchange, user: str = "", **more: Any) -> None:
        self.phone, self.at, self.user = phone, at, user or f"user{uuid4().hex[:8]}"
        self.id = f"{user}-{at.port}" if user else self.user
        settings = {"transport": "tls", "authority": str(authority.file), "address": f"{self.user}@{HOST}:{at.port}"}
        # PJSIP keeps an account's place for a while after it has gone.
        until(lambda: self._is_added(settings | more), 10, "room for an account")
        phone.wait_for("RegistrationChanged", account=self.id, state="registered")
        self.register = at.wait_for("REGISTER")

    def _is_added(self, settings: dict[str, Any]) -> bool:
        refused = len(self.phone.told("Refused"))
        self.phone.do("account", id=self.id, **settings)

        def began() -> bool:
            return any(one["account"] == self.id for one in self.phone.told("RegistrationChanged"))

        until(lambda: began() or len(self.phone.told("Refused")) > refused, 10, "an answer")
        return began()

    def rings(self, body: str = KEYED, *, contact: str = "", more: str = "") -> str:
        """An INVITE by the exchange, again where the calls of the test before still have their places; the phone's 180."""
        said = ""
        while not said.startswith("SIP/2.0 180"):
            self.call = uuid4().hex
            self.at.say(self.at.request("INVITE", self.user, call=self.call, body=body, contact=contact, more=more))
            said = self.at.wait_for("SIP/2.0 ")
            assert said.startswith(("SIP/2.0 1", "SIP/2.0 486")), said
            if said.startswith("SIP/2.0 100"):
                said = self.at.wait_for("SIP/2.0 180")
        return said

    def answered(self) -> str:
        self.phone.do("answer")
        ok = self.at.wait_for("SIP/2.0 200")
        self.them = header(ok, "To")
        self.at.say(self.at.request("ACK", self.user, call=self.call, to=self.them))
        self.phone.wait_for("CallEstablished")
        return ok
