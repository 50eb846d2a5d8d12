"""The archive as the engine uses it: opened beside the loop, asked without waiting. If it fails, the engine goes on without
it.

Its threads post their answers to the loop. The archive itself is `softphone.archive`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import steady
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.call import CallFacts
from softphone.archive.changes.ledger import Ledger
from softphone.archive.changes.lookups import CallBackRow, PartyQuery
from softphone.archive.examine.repair import repair
from softphone.archive.files.vault import Vault
from softphone.archive.finding.history import PastRow
from softphone.archive.folder.disk import REFUSALS, UNWRITABLE
from softphone.archive.folder.lock import IN_USE, REPLACING, UNFINISHED
from softphone.archive.retention.swept import DEFAULT_TERMS, SweepTerms
from softphone.calls.live import LiveCall
from softphone.calls.turns import Post
from softphone.domain.archive.decisions import Overdue
from softphone.domain.changes import (
    AddWraps,
    AuditEntry,
    Change,
    Commit,
    EndCallBack,
    ListCallBack,
    OpenRecording,
    OpenSegment,
    RememberRefusal,
    UseDraw,
)
from softphone.domain.decision import LookupResult
from softphone.domain.errors import KeyringError, KlartoneError
from softphone.domain.house_knows import HouseKnows, HouseWaiting, with_house
from softphone.domain.purpose import Reason
from softphone.engine.call import earlier
from softphone.engine.call.earlier import Answer, LockRequest
from softphone.engine.storage.backup_runner import BackupRunner
from softphone.engine.storage.call_facts import facts_of, recipients_of
from softphone.engine.storage.disk import DiskMonitor
from softphone.engine.storage.reader import OF_AN_EARLIER_RUN, CallBackList, OwnCalls, PastCall, StoreReader
from softphone.engine.storage.sweeper import Sweeper
from softphone.engine.storage.unrecorded import EVENT as UNRECORDED
from softphone.engine.storage.unrecorded import UnrecordedCalls
from softphone.system.logbook import log, log_bug, log_failed
from softphone.wire.snapshot import CallBack, CodedText, ShippingState, StoreState

if TYPE_CHECKING:
    # A desk on its own loads none of it.
    from softphone.house.courier import Courier, Report
    from softphone.house.numbers import HouseNumbers

_log = log.getChild("engine")
_UNWRITTEN = 1_000
SWEEP = "archive.sweep"
"""the name of the fault that keeps the sweep from its work"""
HOLDS = "archive.holds"
"""that of the holds that custody should have decided by now"""
CASES = "archive.cases"
"""that of the cases"""
_BEGINS = frozenset({OpenRecording, OpenSegment, AddWraps, UseDraw})
"""changes of which the house need not hear at once"""
_NUMBERS = 100
"""calls whose number is kept, for a no on its way into the archive"""
_OPEN_AGAIN = 10.0
"""seconds"""


class StoreListener(Protocol):
    """What the store reports, on the loop's thread."""

    def committed(self, call_id: str, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None: ...
    def commit_failed(self, call_id: str, ticket: int, reason: Reason, overtaken: str = "") -> None: ...
    def looked_up(self, call_id: str, known: LookupResult) -> None: ...
    def heard_late(self, call_id: str, house: HouseKnows) -> None: ...
    def storage_works(self) -> None: ...
    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None: ...
    def taken_up(self, call_id: str, past: PastRow | None, *, failed: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A commit's own ticket counts a call's; the ledger's counts the store's. Without a call it is the store's own, and
    tried again."""

    commit: Commit
    call: str | None = None
    written: Callable[[bool], None] | None = None
    """who waits for it, and tries again by hand"""

    @property
    def lists(self) -> bool:
        """Whether it changes the list of those to be called back."""
        return any(isinstance(change, ListCallBack | EndCallBack) for change in self.commit.changes)


class Store:
    """`open_archive` may take its time (a keyring that asks): it runs on a thread, and until it is done nothing is recorded."""

    def __init__(self, open_archive: Callable[[], Archive], post: Post, changed: Callable[[], None]) -> None:
        self._open_archive = open_archive
        self._post = post
        self._changed = changed
        self._answers: StoreListener | None = None
        self._archive: Archive | None = None
        self._ledger: Ledger | None = None
        self._facts: dict[str, CallFacts] = {}
        self._tickets: dict[int, _Ticket] = {}
        self._last = 0
        self._unopened = False
        self._closing = threading.Event()
        self._reader = StoreReader(post, self)
        self._asking: dict[str, list[Callable[[], None]]] = {}
        """what follows once a call has been looked up"""
        self._house_said: dict[str, tuple[HouseKnows | None, bool] | None] = {}
        """calls that the house is asked about, and what it has said"""
        self._to_ask: dict[str, tuple[str, str]] = {}
        """number and line of calls that it is asked about once it can be reached"""
        self._known_here: dict[str, LookupResult] = {}
        """what is known here of those that it has not answered yet"""
        self._numbers: dict[str, str] = {}
        """of the newest calls"""
        self._just_declined: set[str] = set()
        """calls whose party's earlier no was on its way to the archive when they rang"""
        self._own: dict[str, OwnCall] = {}
        """rows of own calls, until an archive is open"""
        self._unwritten: deque[Commit] = deque(maxlen=_UNWRITTEN)
        self._call_backs: list[CallBackRow] = []
        self._talking: set[str] = set()
        self.sweep_terms: Callable[[], SweepTerms | None] = lambda: DEFAULT_TERMS
        """what the policy in force says of the sweep; asked on the sweeper's thread"""
        self.house_overdue: Callable[[], Overdue] = Overdue
        """what custody has to decide in the house; asked on the sweeper's thread"""
        self._sweeper = Sweeper(
            lambda fault: post(lambda: self.on_fault(SWEEP, fault)),
            terms=lambda: self.sweep_terms(),
            overdue=lambda said: post(lambda: self.on_fault(HOLDS, said)),
            cases=lambda said: post(lambda: self.on_fault(CASES, said)),
            elsewhere=lambda: self.house_overdue(),
        )
        self.backup: BackupRunner | None = None
        """if one is set; before the start"""
        self.courier: Courier | None = None
        """if this desk belongs to a house; before the start"""
        self.house_numbers: HouseNumbers | None = None
        """as `courier`: what its desks know of a party"""
        self.in_house = False
        """whether this desk belongs to one, though it may not reach it yet"""
        self.house_waiting: HouseWaiting | None = None
        """what waits for review in it, as it was last told"""
        self.shipping: ShippingState | None = None
        self.unrecorded: UnrecordedCalls | None = None
        """where it is kept; before the start"""
        self.state = StoreState(works=False)
        self._disk = DiskMonitor(post, changed)
        self.on_opened: Callable[[Vault], None] = lambda _vault: None
        self.on_policy_signer: Callable[[str], None] = lambda _key: None
        """whose signature the archive asks of a policy, once it is open and whenever another is chosen; on the loop's thread"""
        self.on_fault: Callable[[str, CodedText | None], None] = lambda _name, _fault: None
        """a fault beside the calls that stands until it is mended, by its name; on the loop's thread"""

    def start(self, answers: StoreListener) -> None:
        self._answers = answers
        if self.unrecorded and self.unrecorded.earlier:
            self.note(self.unrecorded.entries())
        threading.Thread(target=self._open, name="open archive", daemon=True).start()

    def close(self) -> bool:
        """Write what was committed. False if that did not succeed."""
        self._closing.set()
        self._disk.works()
        if self.courier:
            self.courier.stop()
        if self.house_numbers:
            self.house_numbers.close()
        self._sweeper.stop()
        if self.backup:
            self.backup.stop()
        written = self._ledger.stop() if self._ledger else True
        self._reader.stop()
        if self._archive:
            self._archive.close()
        return written

    def ship_by(self, courier: Courier | None, numbers: HouseNumbers | None = None) -> None:
        """This desk has joined a house, or left it (None), while the archive is open or about to be."""
        if self.house_numbers is not None:
            self.house_numbers.close()
        self.house_numbers = numbers
        if numbers is not None:
            for call, (number, line) in self._to_ask.items():
                self._ask_house(numbers, call, number, line)
        self._to_ask.clear()
        if courier is None:
            self.house_waiting = None
        if self.courier is not None and courier is None:
            self.courier.stop(0)
            self._set_shipping(None)
        self.courier = courier
        if courier is not None and self._archive is not None:
            courier.start(self._archive.beside)

    def cause(self) -> str | None:
        """Why writing fails, by the disk's own answer: disk_full, unwritable."""
        return self._disk.cause

    # --- what a call needs -----------------------------------------------------------------------

    @property
    def opened(self) -> bool:
        return self._ledger is not None

    @property
    def has_unwritten(self) -> bool:
        """Whether something that belongs to no call has yet to be written. Calls know themselves what they must write."""
        return bool(self._unwritten) or any(one.call is None for one in self._tickets.values())

    @property
    def unopened(self) -> bool:
        """Whether the archive could not be opened: then no call is announced as recorded."""
        return self._unopened

    def look_up(self, call: LiveCall) -> None:
        """Ask what is known of its party, and for its place in the sample: the answer comes to `looked_up`."""
        self._talks(call.id)
        if call.line is None or self._unopened:
            self.looked_up(call.id, LookupResult())
        else:
            # Wait for an archive that is still being opened as long as for a rulebook: it knows who declined.
            zone = call.policy.time_zone if call.policy else "UTC"
            self._asking[call.id] = []
            if call.e164 is not None:
                if self._declines(call.e164):
                    self._just_declined.add(call.id)
                self._numbers[call.id] = call.e164
                if len(self._numbers) > _NUMBERS:
                    del self._numbers[next(iter(self._numbers))]
                if self.house_numbers:
                    self._house_said[call.id] = None
                    self._ask_house(self.house_numbers, call.id, call.e164, call.line.id)
                elif self.in_house:
                    self._house_said[call.id] = None, True
                    self._to_ask[call.id] = call.e164, call.line.id
            agent = call.agent or call.account
            elsewhere: Mapping[date, int] | None = None
            if self.in_house:
                told = self.house_waiting
                elsewhere = told.lines.get(call.line.id, {}) if told else {}
            asked = PartyQuery(
                *(call.id, agent, call.e164, call.line, zone, call.arrived_at, recipients_of(call)),
                elsewhere=elsewhere,
            )
            self._reader.ask(asked)

    def _ask_house(self, numbers: HouseNumbers, call: str, number: str, line: str) -> None:
        numbers.ask(number, line, self._house_says(call), wanted=lambda: call in self._talking)

    def _house_says(self, call: str) -> Callable[[HouseKnows | None, bool], None]:
        def said(knows: HouseKnows | None, silent: bool) -> None:
            self._post(lambda: self._house_told(call, knows, silent=silent))

        return said

    def _house_told(self, call: str, knows: HouseKnows | None, *, silent: bool) -> None:
        if call in self._house_said:
            self._house_said[call] = knows, silent
            if known := self._known_here.pop(call, None):
                self.looked_up(call, known)
        elif knows is not None and self._answers:
            self._answers.heard_late(call, knows)

    def _declines(self, number: str) -> bool:
        """Whether its no has been said and not yet been written."""
        on_their_way = (change for one in self._tickets.values() for change in one.commit.changes)
        return any(isinstance(it, RememberRefusal) and self._numbers.get(it.call) == number for it in on_their_way)

    def answered(self, call: str) -> None:
        """The call's place in the sample is used up, drawn or not. The session also says so for a drawn one."""
        self._once_known(call, lambda: self._write(UseDraw(call, datetime.now(UTC))))

    def over(self, call: str) -> None:
        """The call is over and all of it is written. If it was not answered, another takes its place in the sample."""
        if self.unrecorded:
            self.unrecorded.written(call)
        self._once_known(call, lambda: self._ledger.give_up_place(call) if self._ledger else None)
        self._house_said.pop(call, None)
        self._to_ask.pop(call, None)
        self._known_here.pop(call, None)
        self._talks(call, over=True)

    def _once_known(self, call: str, action: Callable[[], None]) -> None:
        """What concerns a place waits until the call has one."""
        if call in self._asking:
            self._asking[call].append(action)
        else:
            action()

    def _talks(self, call: str, *, over: bool = False) -> None:
        if over:
            self._talking.discard(call)
        else:
            self._talking.add(call)
        for one in (self._sweeper, self.backup):
            if one:
                one.talking(bool(self._talking))
        if self.courier:
            self.courier.calls(frozenset(self._talking))

    def ring(self, call: LiveCall) -> None:
        self._talks(call.id)
        facts = facts_of(call)
        if self._ledger:
            self._ledger.register_call(facts)
        else:
            self._facts[call.id] = facts

    def commit(self, call: str, commit: Commit) -> None:
        if self._ledger is None:
            self._fail(call, commit.ticket, Reason.STORAGE_FAILED)
            return
        self._submit(self._ledger, _Ticket(commit, call))

    def unrecorded_call(self, call: str, why: Reason) -> None:
        """What is to be recorded of it cannot be. Until the audit log has it, that is noted in a file with room even on a
        full disk."""
        _log.warning("a call is not recorded: %s", why.value)
        if self.unrecorded:
            self.unrecorded.add(call, why)

    def forget_keys(self, recording: str) -> None:
        if self._ledger:
            self._ledger.forget_keys(recording)

    # --- calls of earlier ------------------------------------------------------------------------

    def look_back(self, agents: Sequence[str], since: datetime, now: datetime, *, again: bool = False) -> None:
        """Ask what is kept of these accounts' calls, and listed of them: the answer comes to `remembered`. `again`: only once
        all that was to be listed is."""
        asked = OwnCalls(tuple(agents), since, now)
        if again and self._ledger:
            self._ledger.once_listed(lambda: self._reader.ask(asked))
        else:
            self._reader.ask(asked)

    def list_own(self, call: OwnCall) -> None:
        """Without an open archive it waits for one."""
        if self._ledger:
            self._ledger.list_own(call)
        else:
            self._own[call.call] = call.after(self._own.get(call.call))
            if len(self._own) > OF_AN_EARLIER_RUN:
                del self._own[next(iter(self._own))]

    def take_up(self, call: str, now: datetime) -> bool:
        """Ask for one of them, as it is now: the answer comes to `taken_up`. False if no archive is open."""
        if self._ledger is None:
            return False
        self._reader.ask(PastCall(call, now))
        return True

    def lock_earlier(self, asked: LockRequest, answer: Answer) -> None:
        """Write it all or nothing, and once: if it fails, the asker may ask again."""
        archive = self._archive
        if archive is None:
            answer(earlier.NO_ARCHIVE)
            return

        def look() -> None:
            try:
                with closing(archive.beside()) as beside:
                    found = earlier.find(beside, asked)
            except Exception as error:  # noqa: BLE001 - whatever it is: who asked is told
                log_failed(_log, error, "not locked")
                found = earlier.FAILED
            self._post(lambda: self._lock(found, answer))

        threading.Thread(target=look, name="earlier calls", daemon=True).start()

    def _lock(self, found: earlier.LockCandidates | CodedText, answer: Answer) -> None:
        if isinstance(found, CodedText) or self._ledger is None:
            answer(found if isinstance(found, CodedText) else earlier.NO_ARCHIVE)
            return
        self._submit(
            self._ledger, _Ticket(found.commit, written=lambda well: answer(found if well else earlier.FAILED))
        )

    # --- what belongs to no call -----------------------------------------------------------------

    def call_backs(self) -> tuple[CallBack, ...]:
        """Those to be called back without recording (N4), oldest first. A withheld number is empty."""
        today = datetime.now(UTC).date()
        return tuple(
            CallBack(one.id, one.number or "", one.line, one.at) for one in self._call_backs if today < one.until
        )

    def end_call_back(self, id: str) -> None:
        """The party has been called back, or need not be."""
        if any(one.id == id for one in self._call_backs):
            self._write(EndCallBack(id), entries=(AuditEntry("call_back_ended", "N4", datetime.now(UTC), id),))

    def note(self, entries: Sequence[AuditEntry]) -> None:
        """Entries that belong to no call: their `call` is empty. They wait until the archive is open."""
        self._write(entries=entries)

    def _write(self, *changes: Change, entries: Sequence[AuditEntry] = ()) -> None:
        self._keep(Commit(0, changes, tuple(entries)))
        self._write_unwritten()

    def _keep(self, commit: Commit) -> None:
        """Until it can be written. If too much waits, the oldest goes, and the log says which."""
        if len(self._unwritten) == _UNWRITTEN:
            lost = self._unwritten[0]
            what = (*(type(one).__name__ for one in lost.changes), *(one.event for one in lost.entries))
            _log.error("never written: %s", ", ".join(what))
        self._unwritten.append(commit)

    def _write_unwritten(self) -> None:
        while self._ledger and self._unwritten:
            self._submit(self._ledger, _Ticket(self._unwritten.popleft()))

    def _submit(self, ledger: Ledger, ticket: _Ticket) -> None:
        self._last += 1
        self._tickets[self._last] = ticket
        ledger.submit(replace(ticket.commit, ticket=self._last))

    # --- beside the loop -------------------------------------------------------------------------

    def _open(self) -> None:
        """A disk that takes nothing now may later, and a restore comes to its end: until then it is asked again."""
        while not self._try_to_open():
            if self._closing.wait(_OPEN_AGAIN):
                return

    def _try_to_open(self) -> bool:
        """False: it may yet be opened."""
        try:
            archive = self._open_archive()
        except KlartoneError as error:
            fault = CodedText(error.code, error.params)
            self._post(lambda: self._cannot_open(fault))
            # A keyring that is locked or slow may be neither a moment later.
            return error.code not in {*REFUSALS, UNFINISHED} and not isinstance(error, KeyringError)
        except Exception as error:  # noqa: BLE001 - a path that no system takes, a backend's own error: said, never silent
            log_bug(_log, error)
            unknown = CodedText("error.archive.unopenable", {"detail": type(error).__name__})
            self._post(lambda: self._cannot_open(unknown))
            return True
        trouble = ""
        try:
            if repaired := repair(archive, datetime.now(UTC), steady()):
                _log.info("archive repaired: %d", len(repaired))
        except KlartoneError as error:
            if error.code in (REPLACING, IN_USE):
                # A restore is about to move this folder aside, with whatever would be recorded into it; or another phone's
                # recordings run there.
                archive.close()
                taken = CodedText(error.code, error.params)
                self._post(lambda: self._cannot_open(taken))
                return False
            # What was left half-done stays so for `verify` to report. Keep asking whether anything can be written until it
            # can.
            _log.warning("archive not repaired: %s", error.code)
            trouble = error.code
        except Exception as error:  # noqa: BLE001 - as above: what nobody thought of keeps no call from being recorded
            log_bug(_log, error, "archive not repaired")
        if self.courier:
            try:
                self.courier.joins(archive)
            except KlartoneError as error:
                # A disk that takes nothing: what a call changes is not written there either.
                _log.warning("the house's outbox was not begun: %s", error.code)
        self._reader.start(archive)
        self._post(lambda: self._opened(archive, trouble))
        return True

    # --- on the loop -----------------------------------------------------------------------------

    def _cannot_open(self, fault: CodedText) -> None:
        """Nothing can be recorded, so it does not matter who declined."""
        self._unopened = True
        self._set_state(StoreState(works=False, fault=fault))
        for asked in self._reader.drop():
            self.looked_up(asked.call, LookupResult())

    def _opened(self, archive: Archive, trouble: str) -> None:
        self._archive = archive
        self._unopened = False
        post = self._post
        self._ledger = archive.ledger(
            lambda ticket, keys: post(lambda: self._done(ticket, keys)),
            lambda ticket, reason, _detail: post(lambda: self._failed(ticket, reason)),
            lambda works, detail: post(lambda: self._storage(works, detail)),
            lambda ticket, recording: post(lambda: self._failed(ticket, Reason.STORAGE_FAILED, recording)),
        )
        self._ledger.on_signer = lambda key: post(lambda: self.on_policy_signer(key))
        for facts in self._facts.values():
            self._ledger.register_call(facts)
        self._facts.clear()
        self._ledger.start()
        for own in self._own.values():
            self._ledger.list_own(own)
        self._own.clear()
        self._reader.ask(CallBackList())
        self._write_unwritten()
        self._sweeper.start(archive.beside)
        if self.backup:
            self.backup.start(archive.beside)
        if self.courier:
            self.courier.start(archive.beside)
        self.on_opened(archive.vault)
        if trouble:
            self._set_state(StoreState(works=False, demo=archive.demo))
            self._ledger.suspect(trouble)
            return
        self._set_state(StoreState(works=True, demo=archive.demo))
        if self._answers:
            self._answers.storage_works()

    def _done(self, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        if (known := self._tickets.pop(ticket, None)) is None:
            return
        if known.lists:
            self._reader.ask(CallBackList())
        if self.courier and not _BEGINS.issuperset(map(type, known.commit.changes)):
            self.courier.look()
        if known.written:
            known.written(True)
        if self.unrecorded and any(entry.event == UNRECORDED for entry in known.commit.entries):
            self.unrecorded.acknowledge()
        if known.call and self._answers:
            self._answers.committed(known.call, known.commit.ticket, keys)

    def _failed(self, ticket: int, reason: Reason, overtaken: str = "") -> None:
        if (known := self._tickets.pop(ticket, None)) is None:
            return
        if known.written:
            known.written(False)
        elif known.call:
            self._fail(known.call, known.commit.ticket, reason, overtaken)
        else:
            self._keep(known.commit)

    def _fail(self, call: str, ticket: int, reason: Reason, overtaken: str = "") -> None:
        self._post(lambda: self._answers.commit_failed(call, ticket, reason, overtaken) if self._answers else None)

    def _storage(self, works: bool, detail: str) -> None:
        demo = self._archive.demo if self._archive else False
        if not works:
            _log.warning("storage fails: %s", detail)
        fault = None if works else self._why(detail)
        self._set_state(StoreState(works, fault, demo))
        if works:
            self._disk.works()
        elif self._archive:
            self._disk.fails(self._archive.vault.folder)
        if works:
            self._write_unwritten()
            if self._answers:
                self._answers.storage_works()

    def _why(self, code: str) -> CodedText:
        if code in REFUSALS - {UNWRITABLE} and self._archive:
            return CodedText(code, {"path": str(self._archive.vault.folder)})
        return CodedText("error.archive.storage_failed")

    def looked_up(self, call: str, known: LookupResult) -> None:
        told = self.house_waiting
        if self.in_house and (told is None or not told.is_new(datetime.now(UTC))):
            # Nobody here knows how many wait for the reviewers.
            known = replace(known, house_silent=True)
        if call in self._house_said:
            if (said := self._house_said[call]) is None:
                self._known_here[call] = known
                return
            del self._house_said[call]
            known = with_house(known, said[0], silent=said[1] or known.house_silent)
        if call in self._just_declined:
            self._just_declined.discard(call)
            known = replace(known, declined_earlier=True)
        if self._answers:
            self._answers.looked_up(call, known)
        for action in self._asking.pop(call, ()):
            action()

    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None:
        if self._answers:
            self._answers.remembered(past, own)

    def taken_up(self, call: str, past: PastRow | None, *, failed: bool) -> None:
        if past and self._ledger and not self._ledger.knows(call):
            # Later changes may need to know the call after nothing of it is left. The facts from its ring say more: no row
            # has whom its policy lets open it.
            self._ledger.register_call(past.facts)
        if self._answers:
            self._answers.taken_up(call, past, failed=failed)

    def listed(self, rows: list[CallBackRow]) -> None:
        self._call_backs = rows
        self._changed()

    def shipped(self, report: Report) -> None:
        """What waits for the house now; from any thread."""
        waits, trouble = report.waiting, report.trouble
        state = ShippingState(
            told=waits.told,
            recordings=waits.recordings,
            since=waits.since,
            failed=waits.failed,
            refusal=CodedText(waits.code) if waits.code else None,
            trouble=CodedText(trouble.code, trouble.params) if trouble else None,
            signed_in=report.joined,
        )
        self._post(lambda: self._set_shipping(state))

    def _set_shipping(self, state: ShippingState | None) -> None:
        self.shipping = state
        self._changed()

    def _set_state(self, state: StoreState) -> None:
        self.state = state
        self._changed()
