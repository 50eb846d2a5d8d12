"""From the network to pjsua2: who is heard, and which requests are let in. A rejected message costs pjsua2 nothing.

`responses` has the answers to its own requests, `answered_here` what the edge answers by itself.
"""

from __future__ import annotations

import asyncio
import re
import time
from urllib.parse import unquote

from softphone.domain.ending import read_said
from softphone.edge import paths, srtp_rules, transfers
from softphone.edge.answered_here import AnsweredHere
from softphone.edge.answers import PHRASES, has_tag, judge
from softphone.edge.channel import (
    CancelTold,
    MissedWhileBusy,
    Sound,
    SoundRefused,
)
from softphone.edge.dialogs import Dialog, tag_of
from softphone.edge.failover import Failover
from softphone.edge.missed import MissedCallers
from softphone.edge.resolved_first import ResolvedFirst
from softphone.edge.responses import Responses
from softphone.edge.sdp_ports import bare
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.reading import parse
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.srtp_rules import RESOLVED
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

_CALL_ID = re.compile(rb"\r\n(?:call-id|i)[ \t]*:[ \t]*([^\s]{1,256})", re.IGNORECASE)
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([^\s;,]{1,256})", re.IGNORECASE)


class Inward:
    def __init__(self, switch: Switch, failover: Failover) -> None:
        self._switch = switch
        self._names = ResolvedFirst(switch)
        self._responses = Responses(switch, failover, self._names)
        self._answered_here = AnsweredHere(switch, self._names)
        self._missed = MissedCallers()

    def take(self, data: bytes, source: Hop) -> None:
        switch = self._switch
        switch.counters["in"] += 1
        if data[0] < 4 and switch.sounds.stun.take(data, (source.host, source.port)):
            return
        ours = switch.transports.ours(source)
        if not ours and not switch.admission.has_room_for(source.host):
            switch.counters["flood"] += 1
            return
        trusted = ours or switch.admission.admits(source.host)
        if not trusted and not self._knows(data):
            self._stranger(data[:7] == b"INVITE ", source)
            return
        try:
            message = parse(data, secure=source.transport == "tls")
        except Malformed as error:
            self._malformed(error, source, trusted=trusted)
            return
        if not message.is_request:
            self._responses.take(message, source)
        elif self._strays(message, source):
            self._stranger(False, source)
        elif trusted or self._belongs(message):
            self._request(message, source)
        else:
            self._stranger(message.method == "INVITE", source)

    def _strays(self, message: SipMessage, source: Hop) -> bool:
        """Whether it is of a call by TLS, and did not come by that account's own connection."""
        dialog = self._switch.dialogs.get(message.get("Call-ID") or "")
        return dialog is not None and dialog.peer.transport == "tls" and source.account != dialog.account

    def _knows(self, data: bytes) -> bool:
        """Whether a stranger's message may belong to one of our calls: its head is scanned, not parsed."""
        head = data[:4096]
        if head[:8] == b"SIP/2.0 ":
            branch = _BRANCH.search(head)
            name = branch[1].decode("latin-1") if branch is not None else ""
            return self._responses.knows(name)
        call_id = _CALL_ID.search(head)
        return call_id is not None and self._switch.dialogs.get(call_id[1].decode("latin-1")) is not None

    def _belongs(self, message: SipMessage) -> bool:
        dialog = self._switch.dialogs.get(message.get("Call-ID") or "")
        return dialog is not None and dialog.is_theirs(message)

    def _stranger(self, calls: bool, source: Hop) -> None:
        self._switch.counters["stranger"] += 1
        if calls:
            self._switch.admission.refuse(source.host)

    def _malformed(self, error: Malformed, source: Hop, *, trusted: bool) -> None:
        self._switch.counters[f"malformed.{error.reason}"] += 1
        message = error.message
        if message is None:
            return
        if not message.is_request:
            self._responses.unreadable(message, source)
        elif trusted and message.method != "ACK":
            self._switch.reply(message, source, error.status, phrase=f"{PHRASES[error.status]} ({error.reason})")

    # --- requests --------------------------------------------------------------------------------

    def _request(self, message: SipMessage, source: Hop) -> None:
        switch = self._switch
        call_id = message.get("Call-ID") or ""
        if self._names.waits(call_id):
            self._names.behind(call_id, lambda: self._request(message, source))
            return
        dialog = switch.dialogs.get(call_id)
        within = (dialog is not None and dialog.is_theirs(message)) or bool(switch.mailboxes.account_of(message))
        if message.method == "ACK" and not within:
            return  # to a refusal by the edge itself, or to nobody
        code, headers = judge(message, in_dialog=within, alive=switch.alive)
        if code:
            switch.counters[f"answered.{code}"] += 1
            self._switch.reply(message, source, code, *headers)
        elif dialog is not None and message.method == "INVITE" and has_tag(message) and not dialog.established:
            # The first one is not answered yet (RFC 3261 14.2).
            switch.reply(message, source, 500 if dialog.incoming else 491, ("Retry-After", "5"))
        elif not self._answered_here.take(message, source, dialog):
            self._pass_on(message, source, dialog)

    def _pass_on(self, message: SipMessage, source: Hop, dialog: Dialog | None) -> None:
        """To pjsua2, if it belongs to a call or begins one."""
        if not has_tag(message) and message.method not in ("ACK", "CANCEL"):
            self._invite(message, source, dialog)
        elif dialog is not None:
            self._named(message, source, dialog)
        elif message.method == "CANCEL":
            self._switch.reply(message, source, 481)

    def _invite(self, message: SipMessage, source: Hop, dialog: Dialog | None) -> None:
        switch = self._switch
        branch = paths.inner_branch(Via.parse(message.get("Via") or ""), message)
        if dialog is not None and (not dialog.over or (dialog.refused and dialog.branch == branch)):
            if dialog.branch == branch:
                transfers.without_replaces(message)
                self._named(message, source, dialog)  # a repetition
            else:
                self._switch.reply(message, source, 482)
            return
        if switch.ends:
            switch.counters["ends"] += 1
            switch.reply(message, source, 480)
            return
        replaced: Dialog | None = None
        if message.get("Replaces") is not None:
            code, replaced = transfers.replaced_by(message, switch.dialogs, source)
            if replaced is None:
                switch.counters[f"replaces.{code}"] += 1
                self._switch.reply(message, source, code)
                return
            transfers.without_replaces(message)
        if switch.busy or not switch.admission.has_room_for_call():
            switch.counters["busy"] += 1
            self._switch.reply(message, source, 486)
            self._tell_missed(message, source)
            return
        call_id = message.get("Call-ID") or ""
        account = switch.account_called(message, source)
        dialog = Dialog(call_id, account, True, source, party=tag_of(message, "From"), branch=branch)
        switch.dialogs.add(dialog)
        switch.remember()
        switch.tell(self._switch.peer_known(call_id, source, replaced.call_id if replaced else ""))
        if switch.sounds.stun.answers:
            switch.later(switch.sounds.prepare(call_id))  # while it rings
        self._named(message, source, dialog)

    def _named(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        """Let in once each name in it leads somewhere."""
        self._names.when_resolved(
            message,
            source,
            lambda: self._let_in(message, source, dialog),
            lambda: self._switch.reply(message, source, 400, phrase="Name leads nowhere"),
        )

    def _let_in(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        switch = self._switch
        secure = switch.takes_keys(dialog.account, source)
        # pjsua2 refuses a CANCEL of another transaction (481): such a one says nothing of this call.
        takes_back = not dialog.established and dialog.branch in (
            "",
            paths.inner_branch(Via.parse(message.get("Via") or ""), message),
        )
        describes = message.method in RESOLVED or _answers_offer(message, dialog)
        try:
            if describes and (why := srtp_rules.not_allowed(switch, message, dialog, secure=secure)):
                if message.method in RESOLVED:
                    self._refuse_sound(message, source, dialog, why)
                    return
                # An answer in an ACK is refused by nothing but the call's end. PJSIP would end it without a word.
                bare(message)
                srtp_rules.end(switch, dialog, why)
                paths.request_in(message, source, switch.place, dialog.account)
                asyncio.get_running_loop().call_later(srtp_rules.ENGINE_ENDS, switch.to_phone, message)
                return
            if describes:
                switch.sounds.inward(message, dialog.call_id, secure=secure, ice=switch.has_ice(dialog.account))
            else:
                bare(message)
        except (Malformed, OSError) as error:
            switch.counters["malformed.sdp" if isinstance(error, Malformed) else "rtp.no_ports"] += 1
            if message.method == "INVITE" and not dialog.established:
                switch.call_over(dialog.call_id)
            if message.method != "ACK":
                self._switch.reply(message, source, 400 if isinstance(error, Malformed) else 503)
            return
        if dialog.is_party(message):
            dialog.peer = source
        if message.method == "CANCEL" and takes_back:
            said = read_said(message.all("Reason"))
            switch.tell(CancelTold(dialog.call_id, said.sip, said.q850))
        if message.method == "INVITE":
            dialog.offered_in = -1 if message.body else int((message.get("CSeq") or "0").split(" ")[0])
            switch.asking.invited(message)
        paths.request_in(message, source, switch.place, dialog.account)
        switch.to_phone(message)

    def _refuse_sound(self, message: SipMessage, source: Hop, dialog: Dialog, why: Sound) -> None:
        """488 (RFC 3261 21.4.26). What was agreed before stays."""
        self._switch.counters[f"srtp.{why}"] += 1
        if message.method == "INVITE" and not dialog.established and not dialog.refused:
            dialog.refused = True
            name, number = _caller(message)
            if self._missed.is_news(f"{why} {number or source.host}", time.time()):
                self._switch.tell(SoundRefused(dialog.account, dialog.call_id, "incoming", why, name, number))
            self._switch.call_over(dialog.call_id)
        self._switch.reply(message, source, 488, ("Warning", f'399 klartone "{srtp_rules.SAID[why]}"'))

    def _tell_missed(self, message: SipMessage, source: Hop) -> None:
        name, number = _caller(message)
        now = time.time()
        if self._missed.is_news(number or source.host, now):
            account = self._switch.account_called(message, source)
            self._switch.tell(MissedWhileBusy(account, name, number, now))


def _answers_offer(message: SipMessage, dialog: Dialog) -> bool:
    """Whether our own answer made the offer, to which an ACK or a PRACK has the answer (RFC 3261 13.2.1, RFC 3262 5). It does so
    once; in any other, a description would change the sound behind the engine's back, and pjsua2 does not read it."""
    of = (message.get("CSeq") or "") if message.method == "ACK" else (message.get("RAck") or "").partition(" ")[2]
    if message.method not in ("ACK", "PRACK") or dialog.offered_in < 0 or not of.startswith(f"{dialog.offered_in} "):
        return False
    if message.method == "ACK" or message.body:
        dialog.offered_in = -1
    return True


def _caller(message: SipMessage) -> tuple[str, str]:
    """Name and number, by From; an anonymous caller has neither."""
    caller = NameAddr.parse(message.get("From") or "")
    if caller.uri.lower().startswith("tel:"):
        return caller.display[:128], caller.uri[4:].split(";")[0][:128]
    uri = SipUri.parse(caller.uri)
    number = unquote(uri.user.split(":")[0].split(";")[0])
    if number.lower() == "anonymous" or uri.host.lower().endswith("anonymous.invalid"):
        return "", ""
    return caller.display[:128], number[:128]
