"""From the network to pjsua2: who is heard, what is let in, and what the edge answers by itself.

A rejected message costs pjsua2 nothing. A final answer to its own request is never just dropped.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from urllib.parse import unquote

from softphone.domain.ending import read_said
from softphone.edge import paths, transfers
from softphone.edge.answers import PHRASES, answer, has_tag, is_summary, judge, reply_hop, seen_from, unreadable
from softphone.edge.channel import (
    CancelTold,
    DigitByInfo,
    MissedWhileBusy,
    PeerKnown,
    ReferAsked,
    ReferProgress,
    Sound,
    SoundRefused,
)
from softphone.edge.dialogs import Dialog, tag_of
from softphone.edge.failover import Failover
from softphone.edge.mailbox import without_moments
from softphone.edge.missed import MissedCallers
from softphone.edge.sdp_ports import bare, is_plain, needs_keys
from softphone.edge.sip.dtmf import DTMF_TYPES, read_digit
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.reading import parse
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.switch import Sent, Switch
from softphone.edge.transports import Hop
from softphone.edge.unwanted import UnwantedCalls

FIRST_HOP_LACKS_OUTBOUND = 439
MOST_REFERRED = 16
"""times that a party may ask its agent to call somebody"""
MOST_HELD = 16
"""calls with messages that wait for a name, and messages of each"""
_CALL_ID = re.compile(rb"\r\n(?:call-id|i)[ \t]*:[ \t]*([^\s]{1,256})", re.IGNORECASE)
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([^\s;,]{1,256})", re.IGNORECASE)
_RESOLVED = frozenset({"INVITE", "UPDATE"})
"""whose Contact says where later messages go"""
_SAID = {"plain": "SRTP is required", "encrypted": "SRTP is not taken"}
ENGINE_ENDS = 0.5
"""seconds in which the engine ends a call whose sound is refused"""
_NAMED = _RESOLVED | {"SUBSCRIBE", "NOTIFY"}
_DESCRIBE = _RESOLVED | {"ACK", "PRACK"}
"""whose body may be an offer or an answer"""


class Inward:
    def __init__(self, switch: Switch, failover: Failover) -> None:
        self._switch = switch
        self._failover = failover
        self._unwanted = UnwantedCalls(switch)
        self._held: dict[str, list[Callable[[], None]]] = {}
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
            self._response(message, source)
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
            return any(one.knows(name) for one in (self._unwanted, self._switch.asking)) or name in self._switch.sent
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
            self._unreadable(message, source)
        elif trusted and message.method != "ACK":
            self._answer(message, source, error.status, phrase=f"{PHRASES[error.status]} ({error.reason})")

    # --- requests --------------------------------------------------------------------------------

    def _request(self, message: SipMessage, source: Hop) -> None:
        switch = self._switch
        call_id = message.get("Call-ID") or ""
        if call_id in self._held:
            self._behind(call_id, lambda: self._request(message, source))
            return
        dialog = switch.dialogs.get(call_id)
        within = (dialog is not None and dialog.is_theirs(message)) or bool(switch.mailboxes.account_of(message))
        if message.method == "ACK" and not within:
            return  # to a refusal by the edge itself, or to nobody
        code, headers = judge(message, in_dialog=within, alive=switch.alive)
        if code:
            switch.counters[f"answered.{code}"] += 1
            self._answer(message, source, code, *headers)
        elif message.method == "INFO":
            self._info(message, source, call_id)
        elif message.method == "REFER" and dialog is not None:
            self._refer(message, source, dialog)
        elif is_summary(message):
            self._mailbox(message, source)
        elif message.method == "NOTIFY" and (progress := transfers.read_progress(message)) is not None:
            self._progress(message, source, dialog, progress)
        elif has_tag(message) or message.method in ("ACK", "CANCEL"):
            if dialog is not None:
                self._named(message, source, dialog)
            elif message.method == "CANCEL":
                self._answer(message, source, 481)
        else:
            self._invite(message, source, dialog)

    def _invite(self, message: SipMessage, source: Hop, dialog: Dialog | None) -> None:
        switch = self._switch
        branch = paths.inner_branch(Via.parse(message.get("Via") or ""), message)
        if dialog is not None and (not dialog.over or (dialog.refused and dialog.branch == branch)):
            if dialog.branch == branch:
                transfers.without_replaces(message)
                self._named(message, source, dialog)  # a repetition
            else:
                self._answer(message, source, 482)
            return
        replaced: Dialog | None = None
        if message.get("Replaces") is not None:
            code, replaced = transfers.replaced_by(message, switch.dialogs, source)
            if replaced is None:
                switch.counters[f"replaces.{code}"] += 1
                self._answer(message, source, code)
                return
            transfers.without_replaces(message)
        if switch.busy or not switch.admission.has_room_for_call():
            switch.counters["busy"] += 1
            self._answer(message, source, 486)
            self._tell_missed(message, source)
            return
        call_id = message.get("Call-ID") or ""
        account = switch.account_called(message, source)
        dialog = Dialog(call_id, account, True, source, theirs=[tag_of(message, "From")], branch=branch)
        switch.dialogs.add(dialog)
        switch.remember()
        switch.tell(self._peer_known(call_id, source, replaced.call_id if replaced else ""))
        if switch.sounds.stun.answers:
            switch.later(switch.sounds.prepare(call_id))  # while it rings
        self._named(message, source, dialog)

    def _peer_known(self, call_id: str, source: Hop, replaces: str = "") -> PeerKnown:
        name = self._switch.server(source.account).name if source.transport == "tls" else ""
        return PeerKnown(call_id, source.host, source.port, source.transport, name, replaces)

    def _refer(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        """The engine asks its agent; pjsua2 would dial at once."""
        referral = transfers.read_refer(message)
        if referral is None or not dialog.established or dialog.referred >= MOST_REFERRED:
            self._answer(message, source, 400 if referral is None else 603)
            return
        number, told = int((message.get("CSeq") or "0").split(" ")[0]), transfers.wants_to_hear(message)
        if number > dialog.refer_cseq:
            dialog.refer_cseq, dialog.referred = number, dialog.referred + 1
            self._switch.tell(
                ReferAsked(dialog.call_id, number, referral.target, referral.replaces, referral.passport, told)
            )
        account = self._switch.accounts.get(dialog.account)
        user = account.address.partition("@")[0] if account is not None else ""
        contact = SipUri("sip", user, *self._switch.public(source, dialog.account))
        contact = contact.with_param("transport", source.transport)
        headers = [("Contact", f"<{contact}>"), *([] if told else [("Refer-Sub", "false")])]
        self._answer(message, source, 202, *headers)

    def _mailbox(self, message: SipMessage, source: Hop) -> None:
        """Unasked it counts from the registrar alone. Of a subscription pjsua2 hears too: it renews it."""
        switch = self._switch
        account = switch.mailboxes.account_of(message)
        if account and self._came_as_registered(account, source):
            switch.mailboxes.told(message, account, subscribed=True)

            def let_in() -> None:
                bare(message)
                without_moments(message)
                paths.request_in(message, source, switch.place, account)
                switch.to_phone(message)

            self._when_resolved(message, source, let_in, lambda: self._answer(message, source, 400))
            return
        account = switch.account_called(message, source)
        flow = switch.flows.get(account)
        if flow is not None and flow.host == source.host and self._came_as_registered(account, source):
            switch.mailboxes.told(message, account, subscribed=False)
        self._answer(message, source, 200)

    def _came_as_registered(self, account: str, source: Hop) -> bool:
        """Anybody can write a server's address into a datagram: it counts where the account itself goes by UDP. By TLS there
        is one connection."""
        if self._switch.transport_of(account) == "tls":
            return source.account == account
        flow = self._switch.flows.get(account)
        return source.transport != "udp" or flow is None or flow.transport == "udp"

    def _progress(self, message: SipMessage, source: Hop, dialog: Dialog | None, progress: tuple[int, bool]) -> None:
        number = int((message.get("CSeq") or "0").split(" ")[0])
        if dialog is not None and number <= dialog.progress_cseq:
            self._answer(message, source, 200)  # a repetition
            return
        if dialog is None or not dialog.referring or not transfers.names_refer(message, dialog.referring):
            self._answer(message, source, 481)
            return
        code, over = progress
        dialog.progress_cseq, dialog.referring = number, 0 if over else dialog.referring
        self._switch.remember()
        self._switch.tell(ReferProgress(dialog.call_id, code, over))
        self._answer(message, source, 200)

    def _info(self, message: SipMessage, source: Hop, call_id: str) -> None:
        """None goes to pjsua2: a body without a line end would end it."""
        kind = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
        if not message.body:
            self._answer(message, source, 200)
        elif kind not in DTMF_TYPES:
            self._answer(message, source, 415, ("Accept", ", ".join(sorted(DTMF_TYPES))))
        elif (digit := read_digit(kind, message.body)) is not None:
            if self._is_new_info(message, call_id):
                self._switch.tell(DigitByInfo(call_id, digit, time.monotonic()))
            self._answer(message, source, 200)
        else:
            self._answer(message, source, 400)

    def _is_new_info(self, message: SipMessage, call_id: str) -> bool:
        """A repetition is not a second press."""
        dialog = self._switch.dialogs.get(call_id)
        number = int((message.get("CSeq") or "0").split(" ")[0])
        if dialog is None or number <= dialog.info_cseq:
            return False
        dialog.info_cseq = number
        return True

    def _named(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        """Let in once each name in it leads somewhere."""
        self._when_resolved(
            message,
            source,
            lambda: self._let_in(message, source, dialog),
            lambda: self._answer(message, source, 400, phrase="Name leads nowhere"),
        )

    def _let_in(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        switch = self._switch
        secure = switch.takes_keys(dialog.account, source)
        # pjsua2 refuses a CANCEL of another transaction (481): such a one says nothing of this call.
        takes_back = not dialog.established and dialog.branch in (
            "",
            paths.inner_branch(Via.parse(message.get("Via") or ""), message),
        )
        try:
            if message.method in _DESCRIBE and (why := self._not_allowed(message, dialog, secure=secure)):
                if message.method in _RESOLVED:
                    self._refuse_sound(message, source, dialog, why)
                    return
                # An answer in an ACK is refused by nothing but the call's end. PJSIP would end it without a word.
                bare(message)
                self._end(dialog, why)
                paths.request_in(message, source, switch.place, dialog.account)
                asyncio.get_running_loop().call_later(ENGINE_ENDS, switch.to_phone, message)
                return
            if message.method in _DESCRIBE:
                switch.sounds.inward(message, dialog.call_id, secure=secure, ice=switch.has_ice(dialog.account))
            else:
                bare(message)
        except (Malformed, OSError) as error:
            switch.counters["malformed.sdp" if isinstance(error, Malformed) else "rtp.no_ports"] += 1
            if message.method == "INVITE" and not dialog.established:
                switch.call_over(dialog.call_id)
            if message.method != "ACK":
                self._answer(message, source, 400 if isinstance(error, Malformed) else 503)
            return
        dialog.peer = source
        if message.method == "CANCEL" and takes_back:
            said = read_said(message.all("Reason"))
            switch.tell(CancelTold(dialog.call_id, said.sip, said.q850))
        if message.method == "INVITE":
            switch.asking.invited(message)
        paths.request_in(message, source, switch.place, dialog.account)
        switch.to_phone(message)

    def _end(self, dialog: Dialog, why: Sound) -> None:
        dialog.ends_for = f'SIP;cause=488;text="{_SAID[why]}"'
        self._switch.tell(SoundRefused(dialog.account, dialog.call_id, "answered", why))

    def _not_allowed(self, message: SipMessage, dialog: Dialog, *, secure: bool) -> Sound | None:
        """Why the account's `srtp` does not allow this description, if so. Raises Malformed."""
        if self._switch.refuses_plain(dialog.account) and is_plain(message, takes_keys=secure):
            return "plain"
        return "encrypted" if not secure and needs_keys(message) else None

    def _refuse_sound(self, message: SipMessage, source: Hop, dialog: Dialog, why: Sound) -> None:
        """488 (RFC 3261 21.4.26). What was agreed before stays."""
        self._switch.counters[f"srtp.{why}"] += 1
        if message.method == "INVITE" and not dialog.established and not dialog.refused:
            dialog.refused = True
            name, number = _caller(message)
            if self._missed.is_news(f"{why} {number or source.host}", time.time()):
                self._switch.tell(SoundRefused(dialog.account, dialog.call_id, "incoming", why, name, number))
            self._switch.call_over(dialog.call_id)
        self._answer(message, source, 488, ("Warning", f'399 klartone "{_SAID[why]}"'))

    def _tell_missed(self, message: SipMessage, source: Hop) -> None:
        name, number = _caller(message)
        now = time.time()
        if self._missed.is_news(number or source.host, now):
            account = self._switch.account_called(message, source)
            self._switch.tell(MissedWhileBusy(account, name, number, now))

    # --- responses -------------------------------------------------------------------------------

    def _response(self, message: SipMessage, source: Hop) -> None:
        switch = self._switch
        via = Via.parse(message.get("Via") or "")
        branch = via.branch
        if switch.keeping.knows(branch):
            switch.keeping.answered(via, message.code)
            return
        if switch.asking.knows(branch):
            switch.asking.answered(branch, message.code)
            return
        if self._unwanted.knows(branch):
            self._unwanted.answered(branch)
            return
        sent = switch.sent.get(branch)
        if sent is None or (message.method != sent.method and message.method != "CANCEL"):
            switch.counters["response.unknown"] += 1
            return
        if sent.hop.transport == "tls" and source.account != sent.account:
            switch.counters["stranger"] += 1
            return
        if branch != sent.network_branch:
            if not self._failover.late(message, source, sent) and message.method == "INVITE" and message.code >= 200:
                self._unwanted.end(message, source, sent, begun=False)
            return
        if self._failover.refused(message, source, sent):
            return
        call_id = message.get("Call-ID") or ""
        if call_id in self._held:
            self._behind(call_id, lambda: self._response(message, source))
            return
        message.set_first("Via", str(via.with_param("branch", sent.branch)))
        sent.provisional = True
        if message.code >= 200 and message.method == sent.method:
            sent.answered, sent.message, sent.at = True, None, time.monotonic()
        if message.code != 503:
            switch.servers.answered(sent.hop)
        if message.method == "REGISTER":
            self._registration(message, source, sent)
            return
        self._when_resolved(
            message,
            source,
            lambda: self._let_response_in(message, source, sent.account),
            lambda: self._unreadable(message, source),
        )

    def _let_response_in(self, message: SipMessage, source: Hop, account: str) -> None:
        switch = self._switch
        call_id = message.get("Call-ID") or ""
        dialog = switch.dialogs.get(call_id)
        transfers.spare_call(message)
        if message.method == "SUBSCRIBE":
            switch.mailboxes.answered(message, account)
        try:
            if dialog is not None and self._lacks_keys(message, dialog):
                if message.code >= 200 and dialog.established:
                    self._give_up(message, source, dialog)
                    return
                if message.code >= 200:
                    switch.tell(SoundRefused(dialog.account, call_id, "outgoing", "plain"))
                    self._unreadable(message, source, 488)
                    return
                bare(message)
            if message.method in _RESOLVED and message.code < 300 and not (dialog and dialog.is_anothers(message)):
                secure = switch.takes_keys(account, source)
                switch.sounds.inward(message, call_id, secure=secure, ice=switch.has_ice(account))
            else:
                # In a refusal it says what the peer could do, and changes nothing that was agreed.
                bare(message)
        except (Malformed, OSError):
            switch.counters["malformed.sdp"] += 1
            self._unreadable(message, source)
            return
        if dialog is not None:
            self._note(message, source, dialog)
        paths.response_in(message, switch.place, account)
        switch.to_phone(message)

    def _give_up(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        """Whoever answers an offer of ours so believes that it holds: nothing but the call's end undoes it."""
        self._end(dialog, "plain")
        sent = self._switch.sent.get(Via.parse(message.get("Via") or "").branch)
        if sent is not None and message.method == "INVITE":
            self._unwanted.end(message, source, sent, begun=True)
        # Later: the agent would hear of a hold that was refused, and not why the call ends.
        asyncio.get_running_loop().call_later(ENGINE_ENDS, self._unreadable, message, source, 488)

    def _lacks_keys(self, message: SipMessage, dialog: Dialog) -> bool:
        """Whether the other phone answers an offer of ours without encrypted sound, and the account wants no other."""
        if message.method not in _RESOLVED or not self._switch.refuses_plain(dialog.account):
            return False
        if message.code < 300:
            return is_plain(message) and not dialog.is_anothers(message)
        return message.code == 488 and message.method == "INVITE" and not dialog.established

    def _note(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        if message.code > 100 and message.code < 300:
            dialog.add_tag(tag_of(message, "To"))
            if not dialog.is_anothers(message):
                dialog.peer = source
        if message.method == "INVITE" and 200 <= message.code < 300:
            if not dialog.established:
                dialog.established = True
                dialog.answered_by = "" if dialog.incoming else tag_of(message, "To")
                self._switch.tell(self._peer_known(dialog.call_id, source))
            self._switch.sounds.answered(dialog.call_id)
            self._switch.remember(at_once=True)
        elif message.method in _RESOLVED and message.code >= 300 and dialog.established:
            self._switch.sounds.refused(dialog.call_id)
        elif (message.method == "INVITE" and message.code >= 300 and not dialog.established) or (
            # Who answered too late is ended alone.
            message.method == "BYE"
            and message.code >= 200
            and message.code not in (401, 407)
            and not dialog.is_anothers(message)
        ):
            self._switch.call_over(dialog.call_id)

    def _registration(self, message: SipMessage, source: Hop, sent: Sent) -> None:
        """Registered means that the registrar will call this account, at the address it was given, for longer than no time."""
        switch = self._switch
        via = Via.parse(message.get("Via") or "")
        seen = ((via.param("received") or sent.public[0]).strip("[]"), int(via.param("rport") or sent.public[1]))
        if sent.hop.transport == "udp" and seen != sent.public and sent.account in switch.accounts:
            switch.seen_as[sent.account] = seen
            switch.remember()
        bare(message)
        if message.code == FIRST_HOP_LACKS_OUTBOUND:
            # A proxy between us and the registrar: the next try does without.
            switch.no_outbound.add(sent.account)
            message = unreadable(message, "Registering without outbound")
        if 200 <= message.code < 300:
            ours = [one for one in message.all("Contact") if one != "*" and _is_ours(one, sent, seen)]
            message.remove("Contact")
            if sent.ends:
                switch.flows.pop(sent.account, None)
                switch.bound.pop(sent.account, None)
            elif not ours or _granted(ours[0], message) == 0:
                switch.counters["registrar.keeps_nothing"] += 1
                message = unreadable(message, "Registrar does not keep this address")
            else:
                contact = NameAddr.parse(ours[0]).with_uri(sent.contact)
                if 0 < sent.asks < _granted(ours[0], message):
                    # Else a registrar that forgets or moves is not asked for years.
                    contact = contact.with_param("expires", str(sent.asks))
                message.headers.append(("Contact", str(contact)))
                if sent.account in switch.accounts:
                    switch.flows[sent.account] = source
                    switch.servers.registered(sent.account, sent.hop)
                    switch.bound[sent.account] = sent.bound
                    switch.tell_moved(sent.account)
            switch.remember()
        paths.response_in(message, switch.place, sent.account)
        switch.to_phone(message)

    def _unreadable(self, message: SipMessage, source: Hop, code: int = 502) -> None:
        """pjsua2 hears of it at once; a call that the peer believes to stand is ended there."""
        switch = self._switch
        sent = switch.sent.get(Via.parse(message.get("Via") or "").branch)
        if sent is None or message.code < 200 or message.method not in ("", sent.method):
            return
        # Nothing is repeated of an answer whose own From or To cannot be read.
        substitute = unreadable(message, code=code) if sent.message is None else answer(sent.message, code)
        sent.answered, sent.message = True, None
        whole = all(message.get(name) for name in ("From", "To", "Call-ID"))
        if message.method == "INVITE" and message.code < 300 and whole:
            self._unwanted.end(message, source, sent, begun=self._established(message))
        if sent.method == "INVITE" and not self._established(substitute):
            switch.call_over(substitute.get("Call-ID") or "")
        switch.counters["answer.unreadable"] += 1
        paths.response_in(substitute, switch.place, sent.account)
        switch.to_phone(substitute)

    def _established(self, message: SipMessage) -> bool:
        dialog = self._switch.dialogs.get(message.get("Call-ID") or "")
        return dialog is not None and dialog.established

    # --- names -----------------------------------------------------------------------------------

    def _when_resolved(
        self, message: SipMessage, source: Hop, action: Callable[[], None], refuse: Callable[[], None]
    ) -> None:
        """Further messages of the same call wait behind it, and no others."""
        unnamed = message.method not in _NAMED or (not message.is_request and not 101 <= message.code < 300)
        if unnamed or source.transport == "tls":  # which has one way, whatever is named
            action()
            return
        resolver, transport = self._switch.resolver, source.transport
        names = [(host, port) for host, port in paths.names_in(message) if not resolver.known(host, port, transport)]
        if not names:
            action()
            return
        call_id = message.get("Call-ID") or ""
        if len(self._held) >= MOST_HELD:
            self._switch.counters["name.too_many"] += 1
            refuse()
            return
        self._held[call_id] = []

        async def ask() -> None:
            found = [await resolver.look_up(host, port, transport) for host, port in names]
            waiting = self._held.pop(call_id, [])
            if all(found):
                action()
            else:
                self._switch.counters["name.nowhere"] += 1
                if message.is_request and not has_tag(message):
                    self._switch.call_over(call_id)
                refuse()
            for one in waiting:
                one()

        self._switch.later(ask())

    def _behind(self, call_id: str, action: Callable[[], None]) -> None:
        if len(self._held[call_id]) < MOST_HELD:
            self._held[call_id].append(action)

    # --- answers ---------------------------------------------------------------------------------

    def _answer(self, message: SipMessage, source: Hop, code: int, *headers: tuple[str, str], phrase: str = "") -> None:
        if message.method == "ACK":
            return
        hop = reply_hop(message, source)
        seen_from(message, source)
        self._switch.to_network(answer(message, code, *headers, phrase=phrase), hop)


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


def _is_ours(contact: str, sent: Sent, seen: tuple[str, int]) -> bool:
    try:
        uri = SipUri.parse(NameAddr.parse(contact).uri)
        ours = SipUri.parse(sent.contact)
    except Malformed:
        return False
    return uri.user == ours.user and (uri.host.strip("[]"), uri.port or 5060) in (sent.public, seen)


def _granted(contact: str, message: SipMessage) -> int:
    said = NameAddr.parse(contact).param("expires") or message.get("Expires") or "1"
    return int(said) if said.isdigit() else 1
