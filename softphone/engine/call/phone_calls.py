"""The calls of this phone: reports of SIP and the desk go into each call's session, and what it asks for is done.

Nothing here decides whether a call is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.finding.history import PastRow
from softphone.calls.book import CallBook
from softphone.calls.live import LiveCall, NewCall
from softphone.calls.numbers import dialled, e164, host_part, is_houses, is_internal, names_called, names_of, user_part
from softphone.calls.ports import RulesPort
from softphone.calls.upstream import HEADER
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.changes import AuditEntry
from softphone.domain.ending import Ending
from softphone.domain.errors import EngineError, KlartoneError
from softphone.domain.lines import Found
from softphone.domain.passport import HEADER as PASSPORT
from softphone.domain.policy import Line, which_line
from softphone.domain.purpose import Direction, Reason
from softphone.engine.call.ended_calls import EndedCalls
from softphone.engine.call.groups import CallGroups
from softphone.engine.call.ports import CallPhonePort, CallRecorderPort, CallStorePort
from softphone.engine.call.recent_calls import RecentCalls
from softphone.engine.call.several import NO_SUCH_CALL, SeveralCalls
from softphone.engine.call.transferring import Transferring
from softphone.engine.sip import events as sip
from softphone.system.passports import Seal
from softphone.wire.from_engine import Fault
from softphone.wire.snapshot import CallPhase, CallRole, CallState, CodedText, PastCall
from softphone.wire.to_engine import LockEarlier, RecordingCommand, UndoDispute

NOT_HERE = 480
"""Temporarily Unavailable (RFC 3261): a caller, while the engine ends, may call again or reach somebody else"""


_SOUND_REFUSED = {"incoming": "fault.srtp.caller", "outgoing": "fault.srtp.called", "answered": "fault.srtp.ended"}


@dataclass(frozen=True, slots=True)
class Party:
    """The other side as SIP gives it, or as it was dialled. `host` is empty for a bare number."""

    name: str
    number: str
    host: str


class PhoneCalls:
    """`tell` reaches every client, `changed` says that a snapshot is due, `tone` sounds for the agent alone."""

    def __init__(
        self,
        phone: CallPhonePort,
        recorder: CallRecorderPort,
        store: CallStorePort,
        rules: RulesPort,
        *,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        changed: Callable[[], None],
        account_address: Callable[[str], str],
        own_accounts: Callable[[], Mapping[str, str]],
        microphone_opened: Callable[[], None],
        tone: Callable[[do.Tone], None],
    ) -> None:
        self._phone = phone
        self._recorder = recorder
        self._store = store
        self._rules = rules
        self._clock = clock
        self._changed = changed
        self._tell = tell
        self._account_address = account_address
        self._own_accounts = own_accounts
        self.look_for_seal: Callable[[], None] = lambda: None
        """called with each call, since IT may certify this desk at any time"""
        self._desk = True
        self._agent_hears = True
        self._ending = False
        self._book = CallBook(
            phone,
            recorder,
            store,
            rules,
            clock=clock,
            tell=tell,
            changed=changed,
            desk=lambda: self._desk,
            tone=tone,
            microphone_opened=microphone_opened,
        )
        recent = RecentCalls(rules, clock, own_accounts, store.list_own)
        self._ended = EndedCalls(
            self._book,
            recent,
            store,
            rules,
            clock=clock,
            tell=tell,
            changed=changed,
            sounding=lambda: self.several.sounding,
        )
        self.several = SeveralCalls(self._book, phone, self._consult)
        self.transferring = Transferring(self._book, phone, self._follow, tell, changed)
        self.reopen = self._ended.reopen
        self.save_note = self._ended.save_note
        self.seen = recent.seen
        self._groups = CallGroups(
            self._book, clock, lambda call: store.take_up(call, clock().utc), recent.taken_up, self._ended.close
        )
        self.looked_up = self._book.looked_up
        self.heard_late = self._book.heard_late
        self.decided = self._book.decided

    # --- what others ask -------------------------------------------------------------------------

    @property
    def talking(self) -> bool:
        """Whether any call is not over yet."""
        return any(call.phase is not CallPhase.ENDED for call in self._book.live.values())

    @property
    def any_open(self) -> bool:
        """Whether a call is on, or its wrap-up."""
        return any(not call.closed for call in self._book.live.values())

    @property
    def settled(self) -> bool:
        """Whether all that calls must write is written."""
        return not self._groups.owes and all(call.settled for call in self._book.live.values())

    def known(self, call_id: str) -> LiveCall | None:
        """While it is here, its wrap-up included."""
        return self._book.live.get(call_id)

    def shown(self) -> tuple[CallState, ...]:
        now = self._clock()
        self.several.look()
        earlier = self._ended.earlier()
        live = [call for call in self._book.live.values() if not call.closed]
        return tuple(call.shown(now, self._store.cause, earlier.get(call.id, ())) for call in live)

    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None:
        """The archive's answer: calls of an earlier run."""
        self._ended.remembered(past, own)
        self._groups.recall((row.group, row.id) for row in reversed(self._ended.shown()) if row.group)
        self._book.passports.recall(reversed(self._ended.shown()))

    def history(self) -> tuple[PastCall, ...]:
        return self._ended.shown()

    def next_due(self) -> float | None:
        """The monotonic time of the next clock to run out."""
        return min((due for call in self._book.live.values() if (due := call.next_due()) is not None), default=None)

    # --- SIP -------------------------------------------------------------------------------------

    def sign_with(self, seal: Seal | None) -> None:
        """The house has certified this desk: call passports are proved from now on. None: no longer."""
        self._book.passports.seal = seal

    def arrived(self, event: sip.CallArrived) -> None:
        if self._ending:
            self._phone.decline(event.call, NOT_HERE)
            return
        party = Party(event.name, event.number, event.host)
        call = self._begin(
            event.call,
            event.account,
            party,
            incoming=True,
            called=event.called,
            called_as=(event.called_as, event.peer_name),
        )
        call.record_aware = event.record_aware
        self._book.hear_exchange(call, event.headers.all_of(HEADER), event.peer_host, event.peer_name)
        self._book.hear_passport(call, event.headers.all_of(PASSPORT), (event.called, call.agent.partition("@")[0]))
        self._groups.joins(call)
        self._phone.ring(call.id)
        self._book.begin(call)
        if event.replaces and self.transferring.in_place_of(call, event.replaces):
            self.answer(call.id)

    def progress(self, event: sip.CallProgress) -> None:
        if (call := self._book.live.get(event.call)) and call.phase is CallPhase.DIALLING and event.state != "calling":
            call.phase = CallPhase.RINGING
            self.transferring.rings(call)
            self._changed()

    def established(self, event: sip.CallEstablished) -> None:
        if (call := self._book.live.get(event.call)) is None:
            return
        self.look_for_seal()
        self._next_begins(call)
        call.record_aware = event.record_aware
        self._book.answered(call, keyless=event.keyless)
        self._ended.may_break_off(call)
        self.transferring.established(call)
        if not self._agent_hears:
            self._look_for_agent(call)

    def ended(self, event: sip.CallEnded) -> None:
        if (call := self._book.live.get(event.call)) is None or call.phase is CallPhase.ENDED:
            return
        call.redirected_to, call.ending = event.redirected_to, event.ending
        self.transferring.ends(call, event.code)
        self._book.ended(call, event.code, by_us=event.by_us)
        self.several.ended(call, by_us=event.by_us)
        if event.ending and (not call.incoming or call.answered_at) and call.role is CallRole.PARTY:
            self._tell_ending(call, event.ending, event.again)
        self._ended.begun(call)

    def _tell_ending(self, call: LiveCall, ending: Ending, again: int) -> None:
        if call.answered_at:
            self._tell(Fault(CodedText("ended.broke_off"), call.id))
        elif ending is not Ending.MOVED:  # then its card says where to
            minutes = -(-again // 60)
            said = CodedText(f"ended.{ending}.again", {"count": minutes}) if minutes else CodedText(f"ended.{ending}")
            self._tell(Fault(said, call.id))

    def missed(self, event: sip.CallMissed) -> None:
        number = e164(event.number) or event.number
        row = PastCall(
            f"busy-{event.at.timestamp()}",
            Direction.INBOUND,
            event.name,
            number,
            None,
            event.at,
            0,
            "missed",
            unseen=True,
        )
        self._ended.put(row, self._account_address(event.account))

    def digit(self, event: sip.DigitReceived) -> None:
        self._book.signal(event.call, ev.DigitPressed(event.digit, event.at, event.in_sound, event.sure), "digit")

    def held(self, event: sip.HoldChanged) -> None:
        if call := self._book.live.get(event.call):
            call.held_by_us, call.held_by_them = event.by_us, event.by_them
            self._book.feed(call, ev.HoldSignalled(event.by_us or event.by_them))

    def encryption(self, event: sip.EncryptionChanged) -> None:
        if call := self._book.live.get(event.call):
            call.encrypted = event.encrypted
            self._changed()

    def sound_refused(self, event: sip.SoundRefused) -> None:
        """The agent hears why there is no call, or none any more."""
        code = {"plain": _SOUND_REFUSED[event.phase], "encrypted": "fault.srtp.off", "no_tls": "fault.srtp.no_tls"}[
            event.why
        ]
        self._tell(Fault(CodedText(code), event.call))

    def hold_failed(self, event: sip.HoldFailed) -> None:
        """The agent believes that the party waits, or hears again. If it does not, she will notice."""
        if call := self._book.live.get(event.call):
            wish, why = "hold" if event.held else "resume", "refused" if event.code else "unanswered"
            self._book.occurred(call, "hold_failed", {"wish": wish, "code": event.code})
            self._tell(Fault(CodedText(f"fault.{wish}.{why}"), call.id))

    def media(self, event: sip.MediaChanged) -> None:
        if call := self._book.live.get(event.call):
            call.has_media = event.active
            if call.answered_at is None:
                # A call that begins without a speaker is recorded as any other; one whose sound has no way yet waits.
                self._book.feed(call, ev.AgentMediaChanged(call.has_media))
            else:
                self._look_for_agent(call)

    def put_through(self, event: sip.IdentityChanged) -> None:
        self._book.signal(event.call, ev.IdentityChanged(), "identity_changed")

    def party_sound(self, event: sip.PartySound) -> None:
        """The seconds that it was not heard before that was noticed are recorded, and marked as a gap."""
        if event.silent:
            self._recorder.mark_lost(event.call, event.silent)
        changed = ev.PartySoundChanged(event.there, event.silent)
        self._book.signal(event.call, changed, "party_sound", {"there": event.there, "silent": round(event.silent, 1)})

    def sound_lost(self, event: sip.SoundLost) -> None:
        self._recorder.mark_lost(event.call, event.seconds)

    def source_doubted(self, event: sip.SourceDoubted) -> None:
        signal = ev.SourceChanged() if event.doubted else ev.SourceReturned()
        self._book.signal(event.call, signal, "source_doubted", {"doubted": event.doubted})

    def preference(self, event: sip.RecordPreference) -> None:
        """`off` refuses. Any other wish is neither a refusal nor a consent; a wish for a pause is noted."""
        self._book.signal(event.call, ev.PreferenceSignalled(event.wish != "off"), "preference", {"wish": event.wish})
        if event.wish == "pause" and event.call in self._book.live:
            noted = AuditEntry("preference_noted", "G31", self._clock().utc, event.call, params={"wish": event.wish})
            self._store.note([noted])

    def became_aware(self, event: sip.PeerBecameAware) -> None:
        if call := self._book.live.get(event.call):
            call.record_aware = True
            self._changed()

    def notice_started(self, event: sip.NoticeStarted) -> None:
        if call := self._book.live.get(event.call):
            self._book.notice_started(call, event.at)

    def notice_played(self, event: sip.NoticePlayed) -> None:
        if call := self._book.live.get(event.call):
            self._book.notice_heard(call)

    def notice_cut(self, event: sip.NoticeCut) -> None:
        if (call := self._book.live.get(event.call)) and event.reason not in ("stopped", "replaced"):
            self._book.notice_failed(call, event.reason)
            if event.reason == "file":
                self._rules.make_anew()

    def stood_still(self, event: sip.CallStalled) -> None:
        self._book.signal(event.call, ev.StoodStill(event.seconds), "stood_still", {"seconds": round(event.seconds, 2)})

    def quality(self, event: sip.QualityMeasured) -> None:
        if call := self._book.live.get(event.call):
            call.quality = event.quality
            self._changed()

    # --- store, recorder, rulebook ---------------------------------------------------------------

    def committed(self, call_id: str, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        if call := self._book.live.get(call_id):
            self._book.committed(call, ticket, keys)
            self._ended.drop_if_over(call)

    def commit_failed(self, call_id: str, ticket: int, reason: Reason, overtaken: str = "") -> None:
        if call := self._book.live.get(call_id):
            self._book.commit_failed(call, ticket, reason, overtaken)
            if overtaken:
                self._ended.overtaken(call)

    def sealed(self, call_id: str, recording: str, segment: int, samples: int) -> None:
        """One more chunk is on the disk; `samples` a side of this segment so far."""
        if call := self._book.live.get(call_id):
            self._book.occurred(call, "sealed", {"recording": recording, "segment": segment, "samples": samples})

    def first_sample(self, call_id: str, recording: str, segment: int) -> None:
        self._book.signal(call_id, ev.FirstSample(recording, segment), "first_sample", {"recording": recording})

    def recorder_failed(self, call_id: str, reason: Reason) -> None:
        self._book.signal(call_id, ev.RecorderFailed(reason), "recorder_failed", {"reason": reason.value})

    def taken_up(self, call_id: str, past: PastRow | None, *, failed: bool = False) -> None:
        """A call that has ended, as the archive has it now, or None."""
        if not self._groups.taken_up(call_id, past, failed=failed):
            self._ended.taken_up(call_id, past, failed=failed)

    def storage_works(self) -> None:
        self._ended.storage_works()
        for call in [*self._book.live.values()]:
            if not call.in_doubt:
                self._book.feed(call, ev.StorageWorks())

    def desk(self, present: bool) -> None:
        if present != self._desk:
            self._desk = present
            for call in [*self._book.live.values()]:
                self._book.feed(call, ev.DeskChanged(present))

    def agent_hears(self, on: bool) -> None:
        """An agent who no longer hears the party takes no part in what is said, however well the party hears them (L5)."""
        if on != self._agent_hears:
            self._agent_hears = on
            for call in [*self._book.live.values()]:
                if call.answered_at is not None:
                    self._look_for_agent(call)

    def _look_for_agent(self, call: LiveCall) -> None:
        self._book.feed(call, ev.AgentMediaChanged(call.has_media and self._agent_hears))

    # --- commands --------------------------------------------------------------------------------

    def dial(
        self,
        account: str,
        target: str,
        chosen: str | None,
        consults_for: LiveCall | None = None,
        referred: sip.ReferAsked | None = None,
    ) -> str:
        """The new call's id. Raises KlartoneError. `referred`: what goes along, if another call's party asked for it."""
        if self._ending:
            raise EngineError("sip_closed")
        if any(call.phase in (CallPhase.DIALLING, CallPhase.RINGING) for call in self._book.live.values()):
            raise KlartoneError("error.dial.busy")
        where = dialled(target)
        # The calls so far are held by it.
        replaces, passport = (referred.replaces, referred.passport) if referred else ("", "")
        policy = self._rules.policy if passport else None
        if policy is None or not is_houses(policy, where, self._account_address(account)):
            passport = ""
        call_id = self._phone.dial(account, where, replaces=replaces, passport=passport)
        party = Party("", user_part(where), host_part(where))
        self._book.passports.remember(self._book.live.values())
        try:
            call = self._begin(call_id, account, party, incoming=False, chosen=chosen, consults_for=consults_for)
            call.target = where
            self._next_begins(call)
        except Exception:
            # A call that is not known here could be ended by nobody.
            self._phone.hang_up(call_id)
            raise
        self._book.passports.call_back(call)
        self._groups.joins(call)
        self._book.begin(call)
        return call_id

    def answer(self, call_id: str) -> CodedText | None:
        def answer(call: LiveCall) -> None:
            if call.notice_id is not None:
                # A notice follows: nothing of the agent goes out before it.
                self._phone.open_microphone(call.id, opened=False)
            self._phone.answer(call.id)

        return self._in_phase(call_id, CallPhase.INCOMING, answer)

    def decline(self, call_id: str) -> CodedText | None:
        def decline(call: LiveCall) -> None:
            call.declined = True
            self._phone.decline(call.id)

        return self._in_phase(call_id, CallPhase.INCOMING, decline)

    def hang_up(self, call_id: str) -> CodedText | None:
        call = self._book.live.get(call_id)
        if call is None or call.phase is CallPhase.ENDED:
            return NO_SUCH_CALL
        self.several.look()
        for one in self.several.leaves_with(call):
            self._phone.hang_up(one.id)
        return None

    def mute(self, call_id: str, on: bool) -> CodedText | None:
        self.several.look()
        return self._in_phase(
            call_id, CallPhase.CONNECTED, lambda call: self.several.mute(self.several.mutes_with(call), on=on)
        )

    def hold(self, call_id: str, on: bool) -> CodedText | None:
        if on:
            return self._in_phase(call_id, CallPhase.CONNECTED, lambda call: self._phone.hold(call.id))
        return self.activate(call_id)

    def activate(self, call_id: str) -> CodedText | None:
        return self._done(self.several.activate(call_id))

    def consult(self, call_id: str, target: str) -> str | CodedText:
        return self.several.consult(call_id, target)

    def back_to_party(self, call_id: str) -> CodedText | None:
        refused = self.several.back_to_party(call_id)
        if refused is None:
            self.transferring.taken_back(call_id)
        return self._done(refused)

    def join(self, call_id: str) -> CodedText | None:
        self.several.look()
        return self._done(self.several.join(call_id))

    def send_digits(self, call_id: str, digits: str) -> CodedText | None:
        return self._in_phase(call_id, CallPhase.CONNECTED, lambda call: self._phone.send_digits(call.id, digits))

    def recording_command(self, command: RecordingCommand) -> CodedText | None:
        """Carry out a press that concerns the recording; returns a refusal if it no longer fits."""
        call = self._book.live.get(command.call)
        if call is None or not call.decided:
            return NO_SUCH_CALL
        if isinstance(command, UndoDispute):
            self._groups.undoes(call.id)
        return self._ended.press(call, command) if call.reopened else self._book.press(call, command)

    def lock_earlier(self, command: LockEarlier, answer: Callable[[dict[str, str] | CodedText], None]) -> None:
        """Also while a call is on, and for calls that others had. Its own session keeps one that is on."""
        on = {one.id for one in self._book.live.values() if one.phase is not CallPhase.ENDED}
        self._ended.lock(command, on, answer)

    def end_wrap_up(self, call_id: str) -> CodedText | None:
        return self._in_phase(call_id, CallPhase.ENDED, self._ended.close)

    def hang_up_all(self) -> None:
        """The engine is about to end: no call begins any more."""
        self._ending = True
        for call in [*self._book.live.values()]:
            if call.phase is not CallPhase.ENDED:
                self._phone.hang_up(call.id)

    def close_all(self) -> None:
        """The engine ends: every wrap-up is over."""
        self._groups.look()
        for call in [*self._book.live.values()]:
            self._ended.close(call)

    # --- clocks ----------------------------------------------------------------------------------

    def run_due(self) -> None:
        self.several.look_who_left()
        self._groups.look()
        self._book.passports.remember(self._book.live.values())
        self._book.run_due([*self._book.live.values()])
        self._ended.run_due()

    # --- inside ----------------------------------------------------------------------------------

    def _begin(
        self,
        call_id: str,
        account: str,
        party: Party,
        *,
        incoming: bool,
        called: str | None = None,
        called_as: tuple[str, str] = ("", ""),
        chosen: str | None = None,
        consults_for: LiveCall | None = None,
    ) -> LiveCall:
        """`called`: the number dialled at the other end; `called_as`: its URI, and the name that the server has proved; `chosen`:
        the agent's line."""
        agent = self._account_address(account)
        policy = self._rules.policy
        found: Found[Line] = Found()
        direction = Direction.INBOUND if incoming else Direction.OUTBOUND
        if policy:
            accounts = self._own_accounts()
            uri, server = called_as
            at = names_called(uri, agent, accounts, server) if uri else names_of(called or "", agent, accounts)
            own = names_of(user_part(agent), agent, accounts)
            found = which_line(policy, direction, called=at, account=own, chosen=chosen)
            if is_internal(policy, party.number, party.host):
                direction = Direction.INTERNAL
        ours = (agent.partition("@")[0], called or "")
        call = self._book.add(
            NewCall(
                call_id,
                account,
                direction,
                incoming,
                party.number,
                found.line,
                agent,
                ours,
                line_unclear=found.unclear,
                name=party.name,
            )
        )
        if consults_for is not None:
            call.role, call.consults_for = CallRole.CONSULTATION, consults_for.id
        self._book.occurred(call, "arrived" if incoming else "dialled")
        self._ended.begins(call)
        self._changed()
        return call

    def _consult(self, party: LiveCall, target: str) -> str:
        return self.dial(party.account, target, None, party)

    def _follow(self, call: LiveCall, target: str, referred: sip.ReferAsked) -> str:
        return self.dial(call.account, target, None, referred=referred)

    def _next_begins(self, call: LiveCall) -> None:
        """Beside another call a wrap-up stays within reach: it could not be taken up again."""
        self._ended.talks_to(call.e164 or call.number)
        if self.several.is_only(call):
            self._ended.next_begins()

    def _done(self, refused: CodedText | None) -> CodedText | None:
        self._changed()
        return refused

    def _in_phase(self, call_id: str, phase: CallPhase, act: Callable[[LiveCall], None]) -> CodedText | None:
        call = self._book.live.get(call_id)
        if call is None or call.phase is not phase:
            return NO_SUCH_CALL
        act(call)
        self._changed()
        return None
