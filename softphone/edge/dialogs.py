"""The calls that pass the edge: who is at the other end, by Call-ID and tags. It knows no pjsua2, and judges nobody.

`Dialogs.written` is one text with all that the next edge needs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr
from softphone.edge.transports import Hop

MOST = 64
MOST_TAGS = 8
"""of the other side: forks of one call"""
LINGERS = 35.0
"""seconds for which an ended call stays known: its last messages may be repeated"""


@dataclass(slots=True)
class Dialog:
    """`peer` is the true source of the last message from the other side; `target` where our first request went."""

    call_id: str
    account: str
    incoming: bool
    peer: Hop
    ours: str = ""
    """our tag; empty until we have said one"""
    party: str | None = None
    """the other side's tag: the caller's, or that of the phone that has answered our INVITE; None until one has"""
    rang: list[str] = field(default_factory=list[str])
    """the tags of the phones that rang for our INVITE"""
    offered_in: int = -1
    """the CSeq of their INVITE without a description: our answer makes the offer, and their ACK or PRACK answers it"""
    branch: str = ""
    """of the unanswered INVITE"""
    refused: bool = False
    """whether that INVITE was refused for its sound: it may be repeated"""
    info_cseq: int = -1
    """of the last INFO with a digit, which may be repeated"""
    refer_cseq: int = -1
    """of the last REFER of theirs"""
    referred: int = 0
    """how many they have sent"""
    referring: int = 0
    """the CSeq of our REFER, as long as we are told what becomes of it"""
    progress_cseq: int = -1
    """of the last NOTIFY about a REFER of ours"""
    told: tuple[str, int] | None = None
    """our address, as the other side was told last"""
    ends_for: str = ""
    """why our BYE is sent (RFC 3326), if the edge asked for it"""
    established: bool = False
    over_at: float | None = None
    since: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        return self.over_at is not None

    def is_theirs(self, message: SipMessage) -> bool:
        """Whether a request's tags are this dialog's. Nobody can guess ours. Until somebody has answered, each phone that rings
        has a dialog of its own (RFC 3261 12.1); then the party's alone is left, and the others may do no more than end theirs."""
        if not self.ours or tag_of(message, "To") != self.ours:
            return False
        if self.party is None or self.is_party(message):
            return True
        return message.method == "BYE" and tag_of(message, "From") in self.rang

    def is_party(self, request: SipMessage) -> bool:
        return tag_of(request, "From") == self.party

    def is_anothers(self, response: SipMessage) -> bool:
        """From a phone that rang beside the one that has answered."""
        return self.party is not None and tag_of(response, "To") != self.party

    def note_ringing(self, tag: str) -> None:
        if self.party is None and tag and tag not in self.rang and len(self.rang) < MOST_TAGS:
            self.rang.append(tag)


def tag_of(message: SipMessage, name: str) -> str:
    return NameAddr.parse(message.get(name) or "").param("tag") or ""


class Dialogs:
    """`forgotten` is called with each call that is no longer known."""

    def __init__(self, forgotten: Callable[[Dialog], None] = lambda _: None) -> None:
        self._forgotten = forgotten
        self._known: dict[str, Dialog] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, call_id: str) -> Dialog | None:
        return self._known.get(call_id)

    def active(self) -> list[Dialog]:
        return [one for one in self._known.values() if not one.over]

    def taken(self, lingers: float) -> list[Dialog]:
        """The calls that stand, or ended so many seconds ago at most."""
        now = time.monotonic()
        return [one for one in self._known.values() if one.over_at is None or now - one.over_at < lingers]

    def add(self, dialog: Dialog) -> None:
        self._known[dialog.call_id] = dialog
        while len(self._known) > MOST:
            # An ended call goes first, then the oldest unanswered one.
            worst = min(self._known.values(), key=lambda one: (not one.over, one.established, one.since))
            self.forget(worst.call_id)

    def end(self, call_id: str) -> None:
        dialog = self._known.get(call_id)
        if dialog is not None and not dialog.over:
            dialog.over_at = time.monotonic()

    def forget(self, call_id: str) -> None:
        if (dialog := self._known.pop(call_id, None)) is not None:
            self._forgotten(dialog)

    def sweep(self) -> None:
        now = time.monotonic()
        for dialog in [*self._known.values()]:
            if dialog.over_at is not None and now - dialog.over_at > LINGERS:
                self.forget(dialog.call_id)

    def hosts(self) -> set[str]:
        """The addresses of the calls' other sides."""
        return {one.peer.host for one in self._known.values()}

    def written(self, more: Callable[[Dialog], Any]) -> list[dict[str, Any]]:
        """The calls, and those that ended lately: their BYE may have to be repeated. `more`: what else to keep of each."""
        return [
            {
                "call_id": one.call_id,
                "account": one.account,
                "incoming": one.incoming,
                "peer": list(one.peer),
                "ours": one.ours,
                "party": one.party,
                "rang": one.rang,
                "offered_in": one.offered_in,
                "established": one.established,
                "referring": one.referring,
                "progress_cseq": one.progress_cseq,
                "told": one.told,
                "over_at": one.over_at,
                "more": more(one),
            }
            for one in self._known.values()
        ]

    def read(self, written: list[dict[str, Any]], more: Callable[[Dialog, Any], None]) -> None:
        """What another edge wrote. It leaves out what cannot be read: those calls are no longer known."""
        for fields in written:
            try:
                dialog = Dialog(
                    str(fields["call_id"]),
                    str(fields["account"]),
                    bool(fields["incoming"]),
                    read_hop(fields["peer"]),
                    str(fields["ours"]),
                    None if fields["party"] is None else str(fields["party"]),
                    [str(tag) for tag in fields["rang"]],
                    int(fields["offered_in"]),
                    established=bool(fields["established"]),
                    referring=int(fields["referring"]),
                    progress_cseq=int(fields["progress_cseq"]),
                    told=(str(fields["told"][0]), int(fields["told"][1])) if fields["told"] else None,
                    over_at=float(fields["over_at"]) if fields["over_at"] is not None else None,
                )
                self.add(dialog)
                more(dialog, fields["more"])
            except (KeyError, TypeError, ValueError):
                continue


def read_hop(written: list[Any]) -> Hop:
    """Raises TypeError or ValueError for anything else than a hop."""
    transport, host, port, *account = written
    return Hop(str(transport), str(host), int(port), str(account[0]) if account else "")


def read_state(state: str) -> dict[str, Any]:
    """What `Remember` said; empty if it cannot be read."""
    try:
        found: Any = json.loads(state) if state else {}
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
