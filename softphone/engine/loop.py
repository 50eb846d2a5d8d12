"""The engine's loop: poll SIP, run what threads and clients have posted, run clocks, send snapshots.

Everything that concerns a call happens on this one thread, in order. It never waits for a client, a disk, a plugin or a
keyring.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from math import ceil

from softphone.calls.turns import Inbox, guarded, seconds
from softphone.engine.desk_commands import DeskCommands
from softphone.engine.leaving import Leaving
from softphone.engine.parts import Clients, Parts
from softphone.engine.server import Attached, Client, ClientMessage, Detached
from softphone.engine.sip import events as sip
from softphone.system.logbook import log
from softphone.wire.from_engine import Fault, Levels, Snapshot
from softphone.wire.snapshot import CodedText, QuitAsked, QuitPhase
from softphone.wire.to_engine import Ping, QuitWhenIdle

POLL_MS = 100
"""how long SIP may keep the loop; any post wakes it"""
DEAF_POLL_MS = 20
"""the same in a call where nothing wakes it. One frame, so that a press stops a recording with the next one"""
LOOK_EVERY = 0.1
"""seconds between two looks at the clients, if nothing else happens"""
DESK_SILENT = 5.0
"""seconds without a word from any desk until it counts as gone"""
ALONE = 10.0
"""seconds without call and desk after which the engine ends"""
ALONE_SHIPS = 120.0
"""the same while something goes to the house: what a day leaves goes before the night"""
LEVELS_EVERY = 0.1
LONG_TURN = 0.5
"""seconds: nothing in a turn waits, so a longer one comes from the machine or from a bug"""
UNDRAWN = 3
"""tries to show the state"""
OWED = 60.0
"""seconds that an ending engine goes on trying to write what it must: nobody else knows of a refusal"""
GOODBYE = 3.0
"""seconds for clients to read the last messages"""

_log = log.getChild("engine")


class Engine:
    """Runs until it is told to quit, or until nobody needs it. `version` of snapshots counts up."""

    def __init__(self, parts: Parts, inbox: Inbox, clients: Clients) -> None:
        self._parts = parts
        self._inbox = inbox
        self._clients = clients
        self._version = 0
        self._dirty = True
        self._undrawn = 0
        """failures to show the state, in a row"""
        self._quitting = False
        self._alone_since: float | None = seconds()
        self._watching = False
        self._levels_due = 0.0
        self._due = 0.0
        """when the next clock runs out; it may do so later, once something has happened"""
        self._longest_turn = 0.0
        self._faults: dict[str, CodedText] = {}
        self._since = datetime.now(UTC)
        self._leaving = Leaving()
        self._quit_asked: QuitAsked | None = None
        self._commands = DeskCommands(
            parts,
            inbox.post,
            changed=self.changed,
            fault=self.fault,
            watch=lambda on: self._watch(on=on),
            quit=self.quit,
            quit_when_idle=self._quit_when_idle,
            postpone_quit=self._leaving.postpone,
        )

    # --- for the parts ---------------------------------------------------------------------------

    def changed(self) -> None:
        """A snapshot is due at the end of this turn."""
        self._dirty = True

    def quit(self) -> None:
        """End after the call in progress has been hung up; none begins any more."""
        self._quitting = True
        self._parts.calls.hang_up_all()

    def _quit_when_idle(self, client: Client, command: QuitWhenIdle) -> CodedText | None:
        """A desk that is ready says so itself: what is typed there is not known here."""
        if command.ready and client.desk:
            if not (self._no_call if self._leaving.overdue else self._idle):
                return CodedText("refused.quit.busy")
            self.quit()
        elif command.within and not self._idle:
            return CodedText("refused.quit.busy")
        else:
            self._leaving.ask(command.within, command.latest)
        return None

    @property
    def _idle(self) -> bool:
        """No call, no wrap-up, nothing unwritten: to end now takes nothing from anybody."""
        parts = self._parts
        return not parts.calls.any_open and not self._owes() and not parts.sound.state.own_call

    @property
    def _no_call(self) -> bool:
        """A wrap-up may be open: it ends with the phone, as its own button ends it."""
        return not self._parts.calls.talking and not self._owes()

    def fault(self, name: str, said: CodedText | None) -> None:
        """A fault that stands until it is mended (`said` None), by its name."""
        if said is None:
            self._faults.pop(name, None)
        elif self._faults.get(name) != said:
            self._faults[name] = said
            self._clients.tell(Fault(said))
        self.changed()

    def read_settings(self) -> None:
        """Anew, once no call is on: something beside the desks has changed them."""
        self._commands.read_settings()

    def client(self, event: Attached | ClientMessage | Detached) -> None:
        """From a client's thread."""
        self._inbox.post(lambda: self._client(event))

    def heard(self, event: sip.PhoneEvent) -> None:
        """From the phone, on this thread."""
        guarded(lambda: self._heard(event))
        self.changed()

    def _heard(self, event: sip.PhoneEvent) -> None:
        calls, accounts = self._parts.calls, self._parts.accounts
        self._parts.journal.heard(event)
        match event:
            case sip.CallArrived():
                calls.arrived(event)
            case sip.CallProgress():
                calls.progress(event)
            case sip.CallEstablished():
                calls.established(event)
            case sip.CallEnded():
                calls.ended(event)
            case sip.CallMissed():
                calls.missed(event)
            case sip.TransferChanged():
                calls.transferring.progressed(event)
            case sip.ReferAsked():
                calls.transferring.asked(event)
            case sip.DigitReceived():
                calls.digit(event)
            case sip.HoldChanged():
                calls.held(event)
            case sip.HoldFailed():
                calls.hold_failed(event)
            case sip.MediaChanged():
                calls.media(event)
            case sip.IdentityChanged():
                calls.put_through(event)
            case sip.PartySound():
                calls.party_sound(event)
            case sip.SoundLost():
                calls.sound_lost(event)
            case sip.SourceDoubted():
                calls.source_doubted(event)
            case sip.RecordPreference():
                calls.preference(event)
            case sip.PeerBecameAware():
                calls.became_aware(event)
            case sip.NoticeStarted():
                calls.notice_started(event)
            case sip.NoticePlayed():
                calls.notice_played(event)
            case sip.NoticeCut():
                calls.notice_cut(event)
            case sip.CallStalled():
                calls.stood_still(event)
            case sip.QualityMeasured():
                calls.quality(event)
            case sip.EncryptionChanged():
                calls.encryption(event)
            case sip.SoundRefused():
                calls.sound_refused(event)
            case sip.RegistrationChanged():
                accounts.registration(event)
            case sip.MailboxChanged():
                accounts.mailbox(event)
            case sip.NotConnected():
                # A network that is away is everyday life, and a server that is not who it should be is not.
                level = logging.WARNING if event.why.startswith("tls_") else logging.INFO
                _log.log(level, "account's server not reached: %s %s", event.why, event.detail)
                accounts.not_connected(event)
            case sip.EdgeChanged(present=present):
                self.fault("edge", None if present else CodedText("fault.edge"))
            case sip.StrangerRefused():
                _log.warning("calls from an address that is not let in")
                self._parts.strangers(event.host, event.count)
            case sip.PhoneFault(code="bug" | "callback"):
                _log.error("bug %s", event.detail)
            case sip.PhoneFault():
                _log.warning("phone fault %s", event.code)
            case sip.FrameFault():
                # The recorder sees for itself whether a recording lacks them.
                _log.warning("phone fault frames")
            case sip.PeerRecording():
                pass

    # --- the loop --------------------------------------------------------------------------------

    def run(self) -> None:
        """By then the parts are started; their maker closes them."""
        while not (self._quitting and not self._parts.calls.talking):
            self.turn()
        guarded(self._parts.phone.leave)
        guarded(self._parts.calls.close_all)
        ends = seconds() + OWED
        while self._owes() and seconds() < ends:
            self.turn()
        if self._owes():
            _log.error("ended with transactions that could not be written")
        self._draw()
        self._clients.say_goodbye()
        ends = seconds() + GOODBYE
        while self._clients.attached and seconds() < ends:
            self.turn()

    def _owes(self) -> bool:
        """Whether something still has to be written, of a call or of none. Without an archive nothing was recorded either."""
        store = self._parts.store
        return store.opened and (store.has_unwritten or not self._parts.calls.settled)

    def turn(self) -> None:
        """One round: SIP first, so that a press that woke it is carried out right after it. Most polls bring nothing else."""
        limit = POLL_MS if self._parts.phone.can_wake or not self._parts.calls.talking else DEAF_POLL_MS
        began = seconds()
        left = 0 if self._inbox.waiting else ceil((self._due - began) * 1000)
        wait = max(0, min(limit, left))
        happened = self._parts.phone.poll(wait)
        # A poll may return at once, and may wait for longer than it was allowed.
        took = max(seconds() - began - wait / 1000, 0.0)
        if happened or self._dirty or self._inbox.waiting or seconds() >= self._due:
            began = seconds()
            self._work()
            took += seconds() - began
        if took > self._longest_turn:
            self._longest_turn = took
            if took > LONG_TURN:
                _log.warning("a turn took %d ms", took * 1000)

    def _work(self) -> None:
        parts = self._parts
        self._inbox.drain()
        guarded(self._settle_accounts)
        for action in (parts.calls.run_due, self._sound, self._look_after_desks, self._look_whether_to_leave):
            guarded(action)
        guarded(self._send_levels)
        if self._dirty:
            self._draw()
        due = parts.calls.next_due()
        look = seconds() + LOOK_EVERY
        self._due = look if due is None else min(due, look)

    def _settle_accounts(self) -> None:
        self._commands.settle(in_call=self._parts.calls.talking)
        if self._parts.accounts.settle(in_call=self._parts.calls.talking):
            self._dirty = True

    def _sound(self) -> None:
        calls, sound = self._parts.calls.several, self._parts.sound
        sound.ring(calls.ringing)
        sound.talking(calls.sounding)
        sound.call_waiting(calls.waiting)

    def _draw(self) -> None:
        """A desk that cannot be shown the state would show an old one: better no desk, and between calls better no engine. A
        call goes on by the rules for a desk that has gone."""
        self._undrawn += 1
        beyond = self._undrawn > UNDRAWN
        guarded(self._publish, passes=(Exception,) if beyond and not self._parts.calls.talking else ())
        self._dirty = self._undrawn > 0
        if self._dirty and beyond:
            self._clients.say_goodbye()

    def _publish(self) -> None:
        self._version += 1
        if self._clients.attached:
            self._clients.tell(self.snapshot())
        self._undrawn = 0

    def snapshot(self) -> Snapshot:
        parts = self._parts
        return Snapshot(
            version=self._version,
            at=datetime.now(UTC),
            accounts=parts.accounts.shown(),
            lines=parts.rules.lines(),
            calls=parts.calls.shown(),
            history=parts.calls.history(),
            policy=parts.rules.state,
            sound=parts.sound.state,
            store=parts.store.state,
            settings=parts.settings,
            call_backs=parts.store.call_backs(),
            sip_port=parts.phone.ports[0],
            faults=tuple(self._faults.values()),
            longest_turn=round(self._longest_turn, 4),
            locked=parts.locked,
            quit_asked=self._quit_asked,
            unwritten=self._owes(),
            since=self._since,
            desk=self._desk_there(),
            shipping=parts.store.shipping,
            house=parts.house(),
        )

    def _desk_there(self) -> bool:
        heard = self._clients.desk_heard()
        return heard is not None and seconds() - heard < DESK_SILENT

    def _look_whether_to_leave(self) -> None:
        """Without a desk nobody types, and nobody is asked. What an agent has put off waits for that desk, also while it is
        silent: a window that stalls, a machine that sleeps. It does not wait longer than it was given."""
        asked = self._leaving.shown(idle=self._idle, calls=not self._no_call)
        if asked != self._quit_asked:
            self._quit_asked = asked
            self.changed()
        over = asked is not None and asked.phase is QuitPhase.NOW
        if asked is None or asked.phase is QuitPhase.WAITS or not (over or self._idle):
            return
        gone = self._clients.desk_heard() is None
        if gone or (asked.phase is not QuitPhase.POSTPONED and not self._desk_there()):
            self.quit()

    def _look_after_desks(self) -> None:
        now = seconds()
        heard = self._clients.desk_heard()
        calls = self._parts.calls
        calls.desk(self._desk_there())
        # Only this process knows what could not be written yet (a refusal, on a full disk).
        if heard is not None or calls.talking or self._owes() or not self._parts.alone_ends:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > (ALONE_SHIPS if self._ships() else ALONE):
            self.quit()

    def _ships(self) -> bool:
        """Something goes to the house, and nothing keeps it."""
        now = self._parts.store.shipping
        return now is not None and now.trouble is None and now.count > now.failed

    def _send_levels(self) -> None:
        now = seconds()
        if self._watching and now >= self._levels_due:
            self._levels_due = now + LEVELS_EVERY
            self._clients.tell(Levels(*self._parts.sound.levels()))

    # --- clients ---------------------------------------------------------------------------------

    def _client(self, event: Attached | ClientMessage | Detached) -> None:
        client = event.client
        match event:
            case Attached():
                try:
                    client.outbox.put(self.snapshot())
                except Exception:
                    # A client that can be shown nothing could press nothing either, and must not count as a desk.
                    client.outbox.close()
                    raise
                self._clients.attached[client] = seconds()
            case Detached():
                self._clients.attached.pop(client, None)
                if not self._clients.attached:
                    self._watch(on=False)
                client.outbox.close()
            case ClientMessage(message=message):
                if client in self._clients.attached:
                    self._clients.attached[client] = seconds()
                if not isinstance(message, Ping):
                    self._commands.carry_out(client, message)

    def _watch(self, *, on: bool) -> None:
        self._watching = on
        self._parts.sound.watch(on)
