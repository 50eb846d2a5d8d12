"""A phone behind its edge: joins the edge's reports with pjsua2's calls, by their Call-ID.

To pjsua2 every peer is 127.0.0.1, so an INVITE waits here until the edge has said where it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from softphone.calls.turns import of_monotonic, seconds
from softphone.domain.ending import Said
from softphone.edge.channel import (
    CallMoved,
    CallOver,
    CancelTold,
    DigitByInfo,
    EdgeAccount,
    EdgeState,
    FlowLost,
    MailboxTold,
    MissedWhileBusy,
    NoSoundYet,
    NotConnected,
    PartyHears,
    PartySoundBack,
    PartySoundGone,
    PeerKnown,
    Ready,
    ReferAsked,
    ReferProgress,
    SoundLost,
    SoundRefused,
    SoundWay,
    SourceChanged,
    SourceReturned,
    StrangerRefused,
)
from softphone.edge.channel import FromEdge as Told
from softphone.engine.edge import Edge
from softphone.engine.sip import events
from softphone.engine.sip.account import domain_of
from softphone.engine.sip.call import InviteArrived
from softphone.engine.sip.calls import SipCalls
from softphone.engine.sip.message import mended
from softphone.engine.sip.raw_events import RawDigit
from softphone.engine.sip.registrations import Registrations
from softphone.engine.sip.settings import AccountSettings
from softphone.engine.sip.timers import Timers
from softphone.system.logbook import log

PEER_LIMIT = 1.0
"""seconds that an INVITE waits for the edge to say where it came from; after that nobody vouches for it"""
PEERS = 64
"""INVITEs that are remembered: a call that has begun has taken its own"""
RENEW_EVERY = 5.0
"""seconds between two registrations of an account whose connection keeps breaking: the first comes at once"""
LOG_EVERY = 60.0

_log = log.getChild("edge")


class EdgeAdapter:
    def __init__(
        self,
        edge: Edge,
        calls: SipCalls,
        registrations: Registrations,
        timers: Timers,
        emit: Callable[[events.PhoneEvent], None],
    ) -> None:
        self._edge = edge
        self._registrations = registrations
        self._was_ready = False
        self._calls = calls
        self._timers = timers
        self._emit = emit
        self._peers: dict[str, PeerKnown] = {}
        self._waiting: dict[str, InviteArrived] = {}
        self._counted: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._log_due = False
        self._bugs: set[str] = set()
        self._renew_from: dict[str, float] = {}
        """when each account may be registered anew"""
        calls.on_over = self._over

    def account(self, account: str, settings: AccountSettings) -> None:
        """Before the account's first message. Raises SettingsError `account_address`."""
        self._edge.know(
            EdgeAccount(
                account,
                settings.address.strip().removeprefix("sips:").removeprefix("sip:"),
                # By TLS there is always a server: it has to prove its name.
                settings.registrar or domain_of(settings) if settings.register or settings.transport == "tls" else "",
                settings.transport,
                settings.register,
                settings.accept_from,
                settings.proxy,
                settings.authority,
                "required" if settings.lacks_tls else settings.keys_sound,
                settings.ice,
            )
        )

    def gone(self, account: str) -> None:
        """Nothing comes from it any more: its connections end."""
        self._edge.forget(account)
        self._renew_from.pop(account, None)

    def arrived(self, invite: InviteArrived) -> None:
        call_id = invite.director.sip_call_id
        if (peer := self._peers.pop(call_id, None)) is not None:
            self._calls.arrived(_from(invite, peer))
            return
        self._waiting[call_id] = invite
        self._timers.after(PEER_LIMIT, lambda: self._unknown(call_id))

    def received(self, message: Told) -> None:
        match message:
            case PeerKnown(call_id=call_id):
                if (invite := self._waiting.pop(call_id, None)) is not None:
                    self._calls.arrived(_from(invite, message))
                elif (leg := self._calls.by_sip(call_id)) is not None:
                    self._calls.relayed.signalled_by(leg, tls=bool(message.name))
                else:
                    self._peers[call_id] = message
                    while len(self._peers) > PEERS:
                        del self._peers[next(iter(self._peers))]
            case Ready() if self._was_ready:
                # The next one counts from zero.
                self.log_counts()
                self._counted = {}
                # Connections died with the edge before; the ways of its datagrams are as they were.
                self._registrations.renew_by("tcp", "tls")
            case Ready():
                self._was_ready = True
            case FlowLost(account=account):
                self._renew(account)
            case CallMoved(call_id=call_id):
                self._calls.moved(call_id)
            case NotConnected(account=account, server=server, why=why, detail=detail):
                self._emit(events.NotConnected(account, server, why, mended(detail)))
            case MailboxTold(account=account, waiting=waiting, new=new, target=target):
                self._emit(events.MailboxChanged(account, waiting, new, target))
            case CancelTold(call_id=call_id, sip=sip, q850=q850):
                self._calls.endings.cancelled(call_id, Said(sip, q850))
            case SoundRefused():
                self._sound_refused(message)
            case StrangerRefused(host=host, count=count):
                self._emit(events.StrangerRefused(host, count))
            case MissedWhileBusy():
                at = datetime.fromtimestamp(message.at, UTC)
                name, number = mended(message.name), mended(message.number)
                self._emit(events.CallMissed(message.account, name, number, busy=True, at=at))
            case DigitByInfo(call_id=call_id, digit=digit, at=at):
                if (leg := self._calls.by_sip(call_id)) is not None:
                    self._calls.digit_seen(RawDigit(leg.call, digit, of_monotonic(at), "info"))
            case ReferAsked():
                self._calls.transfers.asked(message)
            case ReferProgress():
                self._calls.transfers.progressed(message)
            case EdgeState(counters=counters):
                self._count(counters)
            case (
                PartyHears()
                | PartySoundGone()
                | PartySoundBack()
                | SoundLost()
                | NoSoundYet()
                | SoundWay()
                | SourceChanged()
                | SourceReturned()
            ):
                self._calls.relayed.changed(message)
            case _:
                pass

    def _sound_refused(self, told: SoundRefused) -> None:
        leg = self._calls.by_sip(told.call_id)
        if told.phase == "answered" and (leg is None or leg.ending):
            return  # repeated, or it is over anyway
        why = "no_tls" if self._registrations.lacks_tls(told.account) else told.why
        self._emit(events.SoundRefused(told.account, told.phase, why, leg.call if leg else None))
        if told.phase == "answered" and leg is not None:
            self._calls.hang_up(leg.call)
        elif told.phase == "incoming":
            name, number = mended(told.name), mended(told.number)
            self._emit(events.CallMissed(told.account, name, number, busy=True, at=datetime.now(UTC)))

    def _renew(self, account: str) -> None:
        """A registrar that closes each connection behind its answer would be asked hundreds of times a second."""
        now = seconds()
        at = max(self._renew_from.get(account, now), now)
        if at - now > RENEW_EVERY:
            return  # then renew it once
        self._renew_from[account] = at + RENEW_EVERY
        self._timers.after(at - now, lambda: self._registrations.renew(account))

    def _unknown(self, call_id: str) -> None:
        if (invite := self._waiting.pop(call_id, None)) is not None:
            self._calls.arrived(replace(invite, peer=""))

    def _over(self, call_id: str) -> None:
        self._edge.tell(CallOver(call_id))

    def _count(self, counters: dict[str, int]) -> None:
        """Once a minute, log what the edge has turned away, as codes and figures."""
        for bug in counters:
            if bug.startswith("bug.") and bug not in self._bugs:
                self._bugs.add(bug)
                self._emit(events.PhoneFault("bug", f"edge {bug.removeprefix('bug.')}"))
        if not self._log_due:
            self._log_due = True
            self._timers.after(LOG_EVERY, self._log_in_time)
        self._counts = counters

    def _log_in_time(self) -> None:
        self._log_due = False
        self.log_counts()

    def log_counts(self, last: dict[str, int] | None = None) -> None:
        """Also at an edge's end, and the phone's: with its last report."""
        self._counts = last or self._counts
        changed = {
            code: count - self._counted.get(code, 0)
            for code, count in sorted(self._counts.items())
            if count > self._counted.get(code, 0)
        }
        if changed:
            _log.info("edge %s", " ".join(f"{code}={count}" for code, count in changed.items()))
        self._counted |= self._counts


def _from(invite: InviteArrived, peer: PeerKnown) -> InviteArrived:
    return replace(invite, peer=peer.host, proved=peer.name, replaces=peer.replaces)
