"""Requests within a call, and about a mailbox, that the edge itself answers: INFO, REFER, NOTIFY. The engine is told what they
mean. pjsua2 would act on them at once, or end by one of them.
"""

from __future__ import annotations

import time

from softphone.edge import paths, transfers
from softphone.edge.answers import is_summary
from softphone.edge.channel import DigitByInfo, ReferAsked, ReferProgress
from softphone.edge.dialogs import Dialog
from softphone.edge.mailbox import without_moments
from softphone.edge.resolved_first import ResolvedFirst
from softphone.edge.sdp_ports import bare
from softphone.edge.sip.dtmf import DTMF_TYPES, read_digit
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import SipUri
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

MOST_REFERRED = 16
"""times that a party may ask its agent to call somebody"""


class AnsweredHere:
    def __init__(self, switch: Switch, names: ResolvedFirst) -> None:
        self._switch = switch
        self._names = names

    def take(self, message: SipMessage, source: Hop, dialog: Dialog | None) -> bool:
        """Whether it is one of these."""
        if message.method == "INFO":
            self._info(message, source, dialog)
        elif message.method == "REFER" and dialog is not None:
            self._refer(message, source, dialog)
        elif is_summary(message):
            self._mailbox(message, source)
        elif message.method == "NOTIFY" and (progress := transfers.read_progress(message)) is not None:
            self._progress(message, source, dialog, progress)
        else:
            return False
        return True

    def _refer(self, message: SipMessage, source: Hop, dialog: Dialog) -> None:
        """The engine asks its agent; pjsua2 would dial at once."""
        referral = transfers.read_refer(message)
        if referral is None or not dialog.established or dialog.referred >= MOST_REFERRED:
            self._switch.reply(message, source, 400 if referral is None else 603)
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
        self._switch.reply(message, source, 202, *headers)

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

            self._names.when_resolved(message, source, let_in, lambda: self._switch.reply(message, source, 400))
            return
        account = switch.account_called(message, source)
        flow = switch.flows.get(account)
        if flow is not None and flow.host == source.host and self._came_as_registered(account, source):
            switch.mailboxes.told(message, account, subscribed=False)
        self._switch.reply(message, source, 200)

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
            self._switch.reply(message, source, 200)  # a repetition
            return
        if dialog is None or not dialog.referring or not transfers.names_refer(message, dialog.referring):
            self._switch.reply(message, source, 481)
            return
        code, over = progress
        dialog.progress_cseq, dialog.referring = number, 0 if over else dialog.referring
        self._switch.remember()
        self._switch.tell(ReferProgress(dialog.call_id, code, over))
        self._switch.reply(message, source, 200)

    def _info(self, message: SipMessage, source: Hop, dialog: Dialog | None) -> None:
        """None goes to pjsua2: a body without a line end would end it."""
        kind = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
        if not message.body:
            self._switch.reply(message, source, 200)
        elif kind not in DTMF_TYPES:
            self._switch.reply(message, source, 415, ("Accept", ", ".join(sorted(DTMF_TYPES))))
        elif (digit := read_digit(kind, message.body)) is not None:
            if dialog is not None and self._is_new_press(message, dialog):
                self._switch.tell(DigitByInfo(dialog.call_id, digit, time.monotonic()))
            self._switch.reply(message, source, 200)
        else:
            self._switch.reply(message, source, 400)

    def _is_new_press(self, message: SipMessage, dialog: Dialog) -> bool:
        """A repetition is not a second press, and what a phone says that only rings is none of the party's."""
        number = int((message.get("CSeq") or "0").split(" ")[0])
        if not dialog.established or not dialog.is_party(message) or number <= dialog.info_cseq:
            return False
        dialog.info_cseq = number
        return True
