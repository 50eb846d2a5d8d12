"""What a supporter asks of a log: accounts registered and lost, calls by their codes. Figures and codes alone: a call is
*call 3* and an account *account 1*, so that no line says who calls whom.

The audit log is the archive's, and says more. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from softphone.calls.live import LiveCall
from softphone.engine.sip import events as sip
from softphone.system.logbook import log
from softphone.wire.from_engine import Occurred

_log = log.getChild("engine")

_TOLD: Mapping[str, tuple[str, ...]] = {
    "decided": ("notice", "reason"),
    "answered": (),
    "first_sample": (),
    "recorder_failed": ("reason",),
    "notice_cut": ("reason",),
    "notice_missing": (),
    "upstream_ignored": ("why",),
    "passport": ("doubt",),
    "hold_failed": ("wish", "code"),
    "transfer_asked": ("attended",),
    "transfer_done": ("code",),
    "transfer_failed": ("code",),
    "party_sound": ("there", "silent"),
    "source_doubted": ("doubted",),
    "stood_still": ("seconds",),
    "identity_changed": (),
}
"""what is logged of a call's events, and which of their parameters. Each is a code, a figure, or yes and no"""
_SOUND_AFTER = 1.0
"""seconds"""
_MOST = 64
"""calls that are still known by their figure"""


class Journal:
    """`account(id)` is its place in the settings, from 1; `call(id)` the call, if it is still here."""

    def __init__(
        self,
        account: Callable[[str], int] = lambda _: 0,
        call: Callable[[str], LiveCall | None] = lambda _: None,
    ) -> None:
        self._account, self._call = account, call
        self._calls: dict[str, int] = {}
        self._count = 0
        self._registered: dict[str, tuple[str, int]] = {}
        """how each account stood last: a registration is renewed every few minutes"""

    def heard(self, event: sip.PhoneEvent) -> None:
        if isinstance(event, sip.RegistrationChanged):
            now = event.state, event.code
            if self._registered.get(event.account) != now:
                self._registered[event.account] = now
                _log.info("account %d: %s %d", self._account(event.account), event.state, event.code)
        elif isinstance(event, sip.CallProgress) and event.state == "ringing":
            self._line(event.call, "rings")
        elif isinstance(event, sip.CallMissed):
            _log.info("a call on account %d: 486, another was on", self._account(event.account))

    def told(self, message: object) -> None:
        if not isinstance(message, Occurred):
            return
        call = self._call(message.call)
        if message.event in ("arrived", "dialled") and call is not None:
            self._count += 1
            self._calls[message.call] = self._count
            while len(self._calls) > _MOST:
                del self._calls[next(iter(self._calls))]
            line = call.line.id if call.line else "none"
            self._line(message.call, f"{message.event} account={self._account(call.account)} line={line}")
        elif message.event == "ended" and call is not None:
            self._line(message.call, _ended(call, message))
        elif message.event == "party_sound" and (message.since_answer or 0) < _SOUND_AFTER:
            pass  # as every call begins
        elif (known := _TOLD.get(message.event)) is not None:
            said = (f"{key}={message.params[key]}" for key in known if message.params.get(key) is not None)
            self._line(message.call, " ".join((message.event, *said)), message.since_answer)

    def _line(self, call: str, what: str, at: float | None = None) -> None:
        if (number := self._calls.get(call)) is not None:
            _log.info("call %d %s%s", number, what, f" at {at:.1f} s" if at else "")


def _ended(call: LiveCall, message: Occurred) -> str:
    said = message.params
    found = {
        "code": said.get("code"),
        "by": "us" if said.get("by_us") else "them",
        "seconds": round(call.talked, 1),
        "why": call.ending.value if call.ending else None,
        "status": said.get("status"),
        "reason": said.get("reason"),
        "encrypted": "yes" if call.encrypted else "no",
        "codec": call.quality.codec if call.quality else None,
    }
    return " ".join(("ended", *(f"{key}={value}" for key, value in found.items() if value is not None)))
