"""What an exchange says of an account's mailbox (RFC 3842), asked for by SUBSCRIBE or not: a few figures, and whom to call.

pjsua2 subscribes, since it has the password, and gets each NOTIFY without its body. Nothing that an exchange wrote is shown.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from softphone.edge.channel import MailboxTold
from softphone.edge.dialogs import tag_of
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import SipUri

KIND = "application/simple-message-summary"
MOST_BYTES = 4096
MOST_LINES = 32
MOST_MESSAGES = 9999
MOST_SUBSCRIPTIONS = 32
SHORTEST = 300
"""seconds that a subscription lasts at least, whatever the exchange grants: pjsua2 renews it just before"""
TOLD_EVERY = 1.0
"""seconds from one change of a mailbox to the next that is told: the last one counts"""
REFUSALS = frozenset({403, 404, 405, 406, 415, 489, 501, 603, 604, 606})
"""the exchange has no mailbox for this account: it is not asked again"""
_COUNT = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*(?:\(.*\))?\s*")
_TEL = re.compile(r"tel:\+?[0-9*#().-]{1,32}(?:;[0-9A-Za-z+.=;-]{1,200})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Summary:
    """`new` and `old` voice messages; None where it says no figures. `target`: whom to call, empty if it names nobody."""

    waiting: bool
    new: int | None = None
    old: int | None = None
    target: str = ""


def read_summary(message: SipMessage) -> Summary | None:
    """None if its body is no summary."""
    kind = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != KIND or len(message.body) > MOST_BYTES:
        return None
    lines = message.body.decode("latin-1").splitlines()[:MOST_LINES]
    said: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            said.setdefault(name.strip().lower(), value.strip())
    waiting = said.get("messages-waiting", "").lower()
    if waiting not in ("yes", "no"):
        return None
    found = _COUNT.fullmatch(said.get("voice-message", ""))
    new, old = (min(int(one), MOST_MESSAGES) for one in found.groups()) if found else (None, None)
    return Summary(waiting == "yes", new, old, _target(said.get("message-account", "")))


def _target(account: str) -> str:
    if _TEL.fullmatch(account):
        return account
    try:
        uri = SipUri.parse(account)
    except Malformed:
        return ""
    return str(uri._replace(headers="")) if uri.user and len(account) <= 256 else ""


class Mailboxes:
    """`tell` hears of each mailbox only what has changed."""

    def __init__(self, tell: Callable[[MailboxTold], None]) -> None:
        self._tell = tell
        self._subscriptions: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """account and our tag, by Call-ID"""
        self._number: dict[str, int] = {}
        """of each subscription's last NOTIFY"""
        self._said: dict[str, Summary] = {}
        """by the exchange"""
        self._told: dict[str, Summary] = {}
        self._resting: dict[str, asyncio.TimerHandle] = {}
        self._without: set[str] = set()

    def forget(self, account: str) -> None:
        self._said.pop(account, None)
        self._told.pop(account, None)
        if (resting := self._resting.pop(account, None)) is not None:
            resting.cancel()
        self._without.discard(account)
        for call_id in [one for one, (of, _) in self._subscriptions.items() if of == account]:
            del self._subscriptions[call_id]
            self._number.pop(call_id, None)

    def may_ask(self, account: str) -> bool:
        return account not in self._without

    def asked(self, subscribe: SipMessage, account: str) -> None:
        self._subscriptions[subscribe.get("Call-ID") or ""] = account, tag_of(subscribe, "From")
        while len(self._subscriptions) > MOST_SUBSCRIPTIONS:
            gone, _ = self._subscriptions.popitem(last=False)
            self._number.pop(gone, None)

    def answered(self, answer: SipMessage, account: str) -> None:
        """To our SUBSCRIBE; what pjsua2 reads of it asks for no renewal every second."""
        if answer.code in REFUSALS:
            self._without.add(account)
        expires = answer.get("Expires") or ""
        if 200 <= answer.code < 300 and expires.isdigit():
            answer.set_first("Expires", str(max(int(expires), SHORTEST)))

    def account_of(self, notify: SipMessage) -> str:
        """Whose subscription it is of; empty if of none that stands here."""
        account, ours = self._subscriptions.get(notify.get("Call-ID") or "", ("", ""))
        return account if ours and tag_of(notify, "To") == ours else ""

    def told(self, notify: SipMessage, account: str, *, subscribed: bool) -> None:
        call_id = notify.get("Call-ID") or ""
        number = int((notify.get("CSeq") or "0").split(" ")[0])
        if subscribed and number <= self._number.get(call_id, -1):
            return  # a repetition, or one that was overtaken
        if subscribed:
            self._number[call_id] = number
        summary = read_summary(notify)
        if summary is not None:
            self._said[account] = summary
            if account not in self._resting:
                self._tell_change(account)

    def _tell_change(self, account: str) -> None:
        self._resting.pop(account, None)
        summary = self._said[account]
        if summary != self._told.get(account):
            self._told[account] = summary
            self._tell(MailboxTold(account, summary.waiting, summary.new, summary.old, summary.target))
            self._resting[account] = asyncio.get_running_loop().call_later(TOLD_EVERY, self._tell_change, account)


def without_moments(notify: SipMessage) -> None:
    """What pjsua2 gets: the state of the subscription, and no moments in which it would ask again."""
    state = (notify.get("Subscription-State") or "active").partition(";")[0].strip().lower()
    notify.set_first("Subscription-State", state if state in ("active", "pending", "terminated") else "active")
