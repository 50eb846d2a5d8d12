"""Responses from the network to pjsua2's requests: whose they are, what they change, and which of them pjsua2 gets.

A final answer to a request of pjsua2's own is never just dropped.
"""

from __future__ import annotations

import asyncio
import time

from softphone.edge import paths, srtp_rules, transfers
from softphone.edge.answers import answer, unreadable
from softphone.edge.bindings import take_registration
from softphone.edge.channel import SoundRefused
from softphone.edge.dialogs import Dialog, tag_of
from softphone.edge.failover import Failover
from softphone.edge.resolved_first import ResolvedFirst
from softphone.edge.sdp_ports import bare
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import Via
from softphone.edge.srtp_rules import RESOLVED
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop
from softphone.edge.unwanted import UnwantedCalls


class Responses:
    def __init__(self, switch: Switch, failover: Failover, names: ResolvedFirst) -> None:
        self._switch = switch
        self._failover = failover
        self._names = names
        self._unwanted = UnwantedCalls(switch)

    def knows(self, branch: str) -> bool:
        """Whether a request of ours has this branch."""
        return any(one.knows(branch) for one in (self._unwanted, self._switch.asking)) or branch in self._switch.sent

    def take(self, message: SipMessage, source: Hop) -> None:
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
        if self._names.waits(call_id):
            self._names.behind(call_id, lambda: self.take(message, source))
            return
        dialog = switch.dialogs.get(call_id)
        unwanted = sent.refused or (dialog is not None and dialog.is_anothers(message))
        if unwanted and message.method == "INVITE" and message.code < 300:
            # A second phone has answered, or one after the call was refused: pjsua2 has one call, and knows no other party.
            if message.code >= 200:
                switch.counters["answer.unwanted"] += 1
                self._unwanted.end(message, source, sent, begun=False)
            return
        message.set_first("Via", str(via.with_param("branch", sent.branch)))
        sent.provisional = True
        if message.code >= 200 and message.method == sent.method:
            sent.answered, sent.message, sent.at = True, None, time.monotonic()
            sent.refused = message.code >= 300
        if message.code != 503:
            switch.servers.answered(sent.hop)
        if message.method == "REGISTER":
            take_registration(switch, message, source, sent)
            return
        self._names.when_resolved(
            message,
            source,
            lambda: self._let_response_in(message, source, sent.account),
            lambda: self.unreadable(message, source),
        )

    def _let_response_in(self, message: SipMessage, source: Hop, account: str) -> None:
        switch = self._switch
        call_id = message.get("Call-ID") or ""
        dialog = switch.dialogs.get(call_id)
        transfers.spare_call(message)
        if message.method == "SUBSCRIBE":
            switch.mailboxes.answered(message, account)
        try:
            if dialog is not None and srtp_rules.lacks_keys(switch, message, dialog):
                if message.code >= 200 and dialog.established:
                    self._give_up(message, source, dialog)
                    return
                if message.code >= 200:
                    switch.tell(SoundRefused(dialog.account, call_id, "outgoing", "plain"))
                    self.unreadable(message, source, 488)
                    return
                bare(message)
            if message.method in RESOLVED and message.code < 300 and not (dialog and dialog.is_anothers(message)):
                secure = switch.takes_keys(account, source)
                switch.sounds.inward(message, call_id, secure=secure, ice=switch.has_ice(account))
            else:
                # In a refusal it says what the peer could do, and changes nothing that was agreed.
                bare(message)
        except (Malformed, OSError):
            switch.counters["malformed.sdp"] += 1
            self.unreadable(message, source)
            return
        if dialog is not None:
            self._note(message, source, dialog)
        paths.response_in(message, switch.place, account)
        switch.to_phone(message)

    def _give_up(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        """Whoever answers an offer of ours so believes that it holds: nothing but the call's end undoes it."""
        srtp_rules.end(self._switch, dialog, "plain")
        sent = self._switch.sent.get(Via.parse(message.get("Via") or "").branch)
        if sent is not None and message.method == "INVITE":
            self._unwanted.end(message, source, sent, begun=True)
        # Later: the agent would hear of a hold that was refused, and not why the call ends.
        asyncio.get_running_loop().call_later(srtp_rules.ENGINE_ENDS, self.unreadable, message, source, 488)

    def _note(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        if message.code > 100 and message.code < 300:
            dialog.note_ringing(tag_of(message, "To"))
            if not dialog.is_anothers(message):
                dialog.peer = source
        if message.method == "INVITE" and 200 <= message.code < 300:
            if not dialog.established:
                dialog.established = True
                dialog.party = tag_of(message, "To")
                self._switch.tell(self._switch.peer_known(dialog.call_id, source))
            self._switch.sounds.answered(dialog.call_id)
            self._switch.remember(at_once=True)
        elif message.method in RESOLVED and message.code >= 300 and dialog.established:
            self._switch.sounds.refused(dialog.call_id)
        elif (message.method == "INVITE" and message.code >= 300 and not dialog.established) or (
            # Who answered too late is ended alone.
            message.method == "BYE"
            and message.code >= 200
            and message.code not in (401, 407)
            and not dialog.is_anothers(message)
        ):
            self._switch.call_over(dialog.call_id)

    def unreadable(self, message: SipMessage, source: Hop, code: int = 502) -> None:
        """pjsua2 hears of it at once; a call that the peer believes to stand is ended there."""
        switch = self._switch
        sent = switch.sent.get(Via.parse(message.get("Via") or "").branch)
        if sent is None or message.code < 200 or message.method not in ("", sent.method):
            return
        # Nothing is repeated of an answer whose own From or To cannot be read.
        substitute = unreadable(message, code=code) if sent.message is None else answer(sent.message, code)
        sent.answered, sent.refused, sent.message = True, True, None
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
