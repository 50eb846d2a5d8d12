"""The ledger: writes what the session commits, in order, state and audit entry in one transaction, on its own thread.

It makes data keys and wraps them, and makes files go; it decides nothing. A commit is written whole or not at all, and what
failed is for the session to try again: every change may be made twice.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, func, select

from softphone.archive.catalog import Catalog
from softphone.archive.changes import FOR_A_HOLD, HOLD_ONLY, CallFacts, Tables, recorded_for
from softphone.archive.files.vault import SLOW_SECONDS, Vault
from softphone.archive.keys import policy_signer
from softphone.archive.keys import wraps as keys
from softphone.archive.keys.revocation import revoked, standing
from softphone.archive.keys.wraps import Recipient, Secrets, Wrap
from softphone.archive.known import Places
from softphone.archive.proof import audit, written
from softphone.archive.proof.checkpoint import Signer
from softphone.archive.proof.proofs import BEFORE, CALL_BACKS, LANGUAGES, REFUSALS, TOUCHED, recordings_of
from softphone.archive.review.tally import Tallied, counted, declines, says_no, tally_call
from softphone.archive.tables import condemned, recordings, segments
from softphone.domain.changes import (
    UNDONE,
    AddWraps,
    AuditEntry,
    Change,
    ChangeHold,
    CloseRecording,
    Commit,
    Discard,
    DropWraps,
    EndCallBack,
    LiftHold,
    ListCallBack,
    OpenRecording,
    OpenSegment,
    PlaceHold,
    RememberLanguage,
    RememberRefusal,
    Restrict,
    UseDraw,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose, Reason
from softphone.domain.retention import Ended, local_day

_log = logging.getLogger(__name__)
SegmentKeys = Mapping[tuple[str, int], bytes]
"""(recording, segment) to its data key: for the recorder, never stored"""
PROBE_SECONDS = 1.0
_PROBE_SECONDS_AT_MOST = 60.0
_LOOK_SECONDS = 5.0
"""until it looks whether something that was deleted is still in a page, and who signs policies"""
_RELAPSE_SECONDS = 30.0
"""storage that fails again so soon is tried half as often"""
_IN_LISTS: Mapping[type[Change], str] = {
    ListCallBack: CALL_BACKS,
    EndCallBack: CALL_BACKS,
    RememberRefusal: REFUSALS,
    RememberLanguage: LANGUAGES,
}
"""changes of what no recording's rows are"""
_FACTS_KEPT = 200
_HEARD_KEPT = 1_000
_CLOSED_KEPT = 1_000
_FILES = 50
"""that go before their rows do, in one transaction"""


@dataclass(frozen=True, slots=True)
class _Forget:
    recording: str


@dataclass(frozen=True, slots=True)
class _GiveUp:
    call: str


@dataclass(frozen=True, slots=True)
class _Suspect:
    detail: str


@dataclass(frozen=True, slots=True)
class _Ended:
    """A segment's writer has, with so many chunks on the disk."""

    recording: str
    segment: int
    chunks: int


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


class OvertakenError(Exception):
    """The catalog is no longer as the session took it to be: its argument is the recording concerned."""


class UnsignedError(Exception):
    """The call's policy lacks the signature that the archive asks for: nothing of the call is begun."""


class NoKeyError(Exception):
    """A purpose, or custody, has no recipient: nothing is sealed that nobody can open."""


class Ledger:
    """Nothing here blocks but `stop`. The callbacks come on the ledger's thread: they enqueue, nothing else.

    `on_done(ticket, keys)`: committed and on the disk; `keys` of the segments that it opened.
    `on_failed(ticket, reason, detail)`: nothing of it was written. `STORAGE_FAILED`, `NO_KEY` or `POLICY_UNSIGNED`; detail is a
    code for the log.
    `on_overtaken(ticket, recording)`: nothing was written either, and trying again would not help (`CommitFailed.overtaken`);
    without it, that has failed too.
    `on_storage(works, detail)`: the storage has failed (a code), and once it has been tried with success: it works again.
    """

    def __init__(
        self,
        catalog: Catalog,
        vault: Vault,
        secrets: Secrets,
        places: Places,
        signer: Signer,
        on_done: Callable[[int, SegmentKeys], None],
        on_failed: Callable[[int, Reason, str], None],
        on_storage: Callable[[bool, str], None] | None = None,
        on_overtaken: Callable[[int, str], None] | None = None,
    ) -> None:
        self._catalog = catalog
        self._vault = vault
        self._secrets = secrets
        self._places = places
        self._signer = signer
        self._desk = signer.desk
        self._on_done = on_done
        self._on_failed = on_failed
        self._on_storage = on_storage or _nobody
        self._on_overtaken = on_overtaken
        self._facts: dict[str, CallFacts] = {}
        self._keys: dict[str, dict[int, bytes]] = {}
        self._aside: dict[str, list[Wrap]] = {}
        """training wraps that a hold has taken away, for an undo of it: where the keys themselves are long forgotten"""
        self._heard: dict[str, frozenset[Tallied]] = {}
        """what has become of the calls that ring, go on or were on lately, as far as they are in the sample"""
        self._chunks: dict[str, dict[int, int]] = {}
        """of recordings that are not closed yet: segments whose writer has ended, and how many each has"""
        self._closed: dict[str, None] = {}
        """lately, or discarded; what their last writers say comes into the rows by itself, where there are any"""
        self.on_signer: Callable[[str], None] = lambda _key: None
        """whose signature a policy must have from now on, on the ledger's thread; before the start"""
        self._policy_signer = ""
        self._begun: dict[str, None] = {}
        """calls of which something was sealed: they go on as they began, whoever signs from then on"""
        self._suspected = False
        self._to_scour = False
        self._pause = PROBE_SECONDS
        self._looked = 0.0
        self._worked_since = -_RELAPSE_SECONDS
        vault.on_fault = self.suspect
        self._inbox: queue.SimpleQueue[Commit | _Forget | _GiveUp | _Suspect | _Ended | _Stop] = queue.SimpleQueue()
        vault.on_ended = lambda recording, segment, chunks: self._inbox.put(_Ended(recording, segment, chunks))
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Writes what was submitted, then ends. False where that took longer."""
        self._inbox.put(_Stop())
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def knows(self, call: str) -> bool:
        return call in self._facts

    def register_call(self, facts: CallFacts) -> None:
        """Before the first commit of this call. Kept in memory alone until something of the call is kept."""
        self._facts[facts.call] = facts
        while len(self._facts) > _FACTS_KEPT:
            with suppress(KeyError, StopIteration):
                del self._facts[next(iter(self._facts))]

    def submit(self, commit: Commit) -> None:
        self._inbox.put(commit)

    def forget_keys(self, recording: str) -> None:
        """`ForgetKeys`: after what was submitted before it."""
        self._inbox.put(_Forget(recording))

    def give_up_place(self, call: str) -> None:
        """The call is over: its place in the sample, where no answer has used it up, is another's. After what was submitted."""
        self._inbox.put(_GiveUp(call))

    def suspect(self, detail: str) -> None:
        """The vault found, on the recorder's thread, that the storage fails (a full disk). It is tried until it works."""
        self._inbox.put(_Suspect(detail))

    # --- the ledger's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        self._look_to_signer()
        self._looked = time.monotonic()
        while True:
            pause = self._pause if self._suspected or self._to_scour else _LOOK_SECONDS
            left = self._looked + pause - time.monotonic()
            if left <= 0:
                self._look()
                continue
            try:
                item = self._inbox.get(timeout=left)
            except queue.Empty:
                continue
            match item:
                case Commit():
                    self._take(item)
                case _Forget(recording):
                    self._keys.pop(recording, None)
                    self._aside.pop(recording, None)
                case _GiveUp(call):
                    self._places.give_up(call)
                case _Suspect(detail):
                    self._trouble(detail)
                case _Ended():
                    self._ended(item)
                case _Stop():
                    with suppress(ArchiveError), self._catalog.writing() as connection:
                        self._signer.sign(connection, datetime.now(UTC))
                    return

    @contextmanager
    def _timed(self) -> Generator[None]:
        """Whoever waits for a disk cannot say so meanwhile."""
        told = threading.Event()

        def tell() -> None:
            told.set()
            self._vault.on_slow(True)

        late = threading.Timer(SLOW_SECONDS, tell)
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()
            late.join()
            if told.is_set():
                self._vault.on_slow(False)

    def _take(self, commit: Commit) -> None:
        try:
            with self._timed():
                opened = self._execute(commit)
        except OvertakenError as error:
            if self._on_overtaken:
                self._on_overtaken(commit.ticket, str(error))
            else:
                self._on_failed(commit.ticket, Reason.STORAGE_FAILED, "overtaken")
        except NoKeyError as error:
            self._on_failed(commit.ticket, Reason.NO_KEY, str(error))
        except UnsignedError as error:
            self._on_failed(commit.ticket, Reason.POLICY_UNSIGNED, str(error))
            self._look_to_signer()
        except ArchiveError as error:
            self._trouble(error.code)
            self._on_failed(commit.ticket, Reason.STORAGE_FAILED, error.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the thread: later stops have to be written
            self._on_failed(commit.ticket, Reason.STORAGE_FAILED, type(error).__name__)
        else:
            self._on_done(commit.ticket, opened)

    def _ended(self, one: _Ended) -> None:
        """With the recording's own end it is written there; where that was quicker, by itself."""
        if one.recording not in self._closed:
            self._chunks.setdefault(one.recording, {})[one.segment] = one.chunks
            return
        try:
            with self._catalog.writing() as connection:
                call = Tables(connection, self._desk, self._secrets).call_of(one.recording)
                if call is not None and written.count(connection, one.recording, {one.segment: one.chunks}):
                    told: dict[str, str | int | bool | None] = {"segment": one.segment, "chunks": one.chunks}
                    entry = AuditEntry(written.WHOLE, "G10", datetime.now(UTC), call, one.recording, told)
                    audit.append(connection, self._desk, [entry])
        except ArchiveError as error:
            # The next start counts them.
            self._trouble(error.code)
        except Exception as error:  # noqa: BLE001 - nor may a fault here: later stops have to be written
            at = traceback.extract_tb(error.__traceback__)[-1]
            _log.error("bug %s at %s:%d", type(error).__name__, Path(at.filename).name, at.lineno or 0)

    def _trouble(self, detail: str) -> None:
        if not self._suspected:
            self._suspected = True
            self._looked = time.monotonic()
            relapse = time.monotonic() - self._worked_since < _RELAPSE_SECONDS
            self._pause = min(self._pause * 2, _PROBE_SECONDS_AT_MOST) if relapse else PROBE_SECONDS
            self._on_storage(False, detail)

    def _look(self) -> None:
        """At what others do and nobody tells, and whether the storage works again."""
        self._look_to_pages()
        self._look_to_signer()
        if self._suspected:
            self._probe()
        self._looked = time.monotonic()

    def _probe(self) -> None:
        try:
            with self._catalog.writing():
                self._vault.probe()
        except ArchiveError:
            return
        self._suspected = False
        self._worked_since = time.monotonic()
        self._on_storage(True, "")

    def _execute(self, commit: Commit) -> SegmentKeys:
        deed = _Deed()
        try:
            with self._catalog.writing() as connection:
                tables = Tables(connection, self._desk, self._secrets)
                for change in commit.changes:
                    self._apply(change, tables, deed)
                for entry in commit.entries:
                    if declines(entry):
                        self._hear(Tallied.DECLINED, entry.call, tables, deed)
                entries = _as_done(commit.entries, deed) or _place_used(connection, commit.changes)
                audit.append(connection, self._desk, entries, _touched(connection, commit.changes))
        except BaseException:
            for recording in deed.created:
                with suppress(ArchiveError):
                    self._vault.delete(recording)
            raise
        for (recording, segment), key in deed.opened.items():
            self._keys.setdefault(recording, {})[segment] = key
        for recording in (*deed.discarded, *deed.taken_back):
            self._aside.pop(recording, None)
        for recording in deed.discarded:
            self._keys.pop(recording, None)
        self._begun |= dict.fromkeys(deed.begun)
        while len(self._begun) > _FACTS_KEPT:
            del self._begun[next(iter(self._begun))]
        self._keep_closed(deed)
        self._aside |= deed.aside
        self._keep_heard(deed.heard)
        if deed.dropped or deed.discarded:
            self._scour()
        if deed.discarded:
            # Committed it is; a file that cannot go now goes when the archive is next opened or swept.
            with suppress(ArchiveError):
                remove_condemned(self._catalog, self._vault)
        return deed.opened

    def _keep_closed(self, deed: _Deed) -> None:
        # Of one that is no more a writer may still have to end, and is asked after no row then.
        over = (*deed.closed, *deed.discarded)
        for recording in over:
            self._chunks.pop(recording, None)
        self._closed |= dict.fromkeys(over)
        while len(self._closed) > _CLOSED_KEPT:
            del self._closed[next(iter(self._closed))]

    def _scour(self) -> None:
        """Nothing is left of wraps in any page; where a reader is in the way, soon."""
        self._to_scour = True
        with suppress(ArchiveError):
            self._to_scour = not self._catalog.scour()

    def _look_to_pages(self) -> None:
        """Also what others deleted, and could not scour."""
        with suppress(ArchiveError):
            self._to_scour = self._catalog.to_scour()
            if self._to_scour:
                self._scour()

    def _look_to_signer(self) -> None:
        """Custody chooses by a command, in another process."""
        with suppress(ArchiveError), self._catalog.reading() as connection:
            chosen = policy_signer.chosen(connection)
            if chosen != self._policy_signer:
                self._policy_signer = chosen
                self.on_signer(chosen)

    def _apply(self, change: Change, tables: Tables, deed: _Deed) -> None:
        match change:
            case OpenRecording():
                if not tables.exists(change.recording):
                    facts = self._facts_of(tables, change.call)
                    tables.open_recording(change.recording, facts, change.at)
                    self._vault.create(change.recording, change.at, facts.time_zone)
                    deed.created.append(change.recording)
            case OpenSegment():
                self._open_segment(change, tables, deed)
            case AddWraps():
                self._add_wraps(change, tables, deed)
            case DropWraps():
                tables.drop_wraps(change.recording, change.role)
                if change.role is KeyRole.TRAINING and change.reason != FOR_A_HOLD:
                    deed.taken_back.append(change.recording)
                if change.role is not KeyRole.CUSTODY and change.reason != FOR_A_HOLD:
                    tables.end_purpose(change.recording, Purpose(change.role.value), Ended.TAKEN_BACK, change.reason)
                deed.dropped = True
            case Restrict():
                tables.restrict(change.recording, change.reason)
                deed.taken_back.append(change.recording)
                deed.dropped = True
            case Discard():
                if tables.is_held(change.recording):
                    # Raised or confirmed elsewhere meanwhile: what was withdrawn nobody can read, and what is held is there.
                    tables.restrict(change.recording, HOLD_ONLY)
                    deed.held[change.recording] = tables.call_of(change.recording) or ""
                    deed.taken_back.append(change.recording)
                    deed.dropped = True
                else:
                    tables.discard(change.recording, datetime.now(UTC))
                    deed.discarded.append(change.recording)
            case PlaceHold():
                if not tables.exists(change.recording):
                    raise OvertakenError(change.recording)
                if taken := tables.wraps_of(change.recording, KeyRole.TRAINING):
                    deed.aside[change.recording] = taken
                tables.place_hold(change)
                deed.dropped = True
            case ChangeHold():
                tables.change_hold(change)
            case LiftHold():
                if confirmed := tables.confirmed(change.hold):
                    if change.restore_training or change.reason == UNDONE:
                        raise OvertakenError(confirmed)
                    deed.unlifted.append(confirmed)
                    return
                recording = tables.lift_hold(change.hold, change.reason, datetime.now(UTC))
                if change.restore_training and recording is not None:
                    back = tables.opens_to(recording, Purpose.TRAINING)
                    self._wrap_again(recording, Purpose.TRAINING, back, tables, deed)
            case CloseRecording():
                tables.close_recording(change)
                written.count(tables.connection, change.recording, self._chunks.get(change.recording, {}))
                deed.closed.append(change.recording)
                deed.dropped = True
                self._vault.settle(change.recording)
            case ListCallBack():
                tables.list_call_back(change, self._facts_of(tables, change.call))
            case EndCallBack():
                tables.end_call_back(change)
                deed.dropped = True
            case RememberRefusal():
                tables.remember_refusal(change, self._facts_of(tables, change.call))
            case RememberLanguage():
                tables.remember_language(change, self._facts_of(tables, change.call))
            case UseDraw():
                if self._places.use(tables.connection, change.call, change.at):
                    self._hear(Tallied.DRAWN, change.call, tables, deed)

    def _open_segment(self, change: OpenSegment, tables: Tables, deed: _Deed) -> None:
        call = tables.call_of(change.recording)
        if call is None:
            return
        facts = self._facts_of(tables, call)
        tables.open_segment(change, facts)
        if Purpose.TRAINING in (*change.purposes, *change.withheld):
            self._hear(Tallied.RECORDED, call, tables, deed)
        key = keys.data_key()
        roles = [KeyRole(purpose.value) for purpose in tables.wrappable(change.recording, change.purposes)]
        if call not in self._begun:
            _ask_for_signature(tables, facts)
            deed.begun.append(call)
        recipients = standing(tables.connection, facts.recipients)
        wraps = _wraps(recipients, key, change.recording, change.segment, [*roles, KeyRole.CUSTODY])
        tables.add_wraps(wraps)
        deed.opened[change.recording, change.segment] = key

    def _add_wraps(self, change: AddWraps, tables: Tables, deed: _Deed) -> None:
        call = tables.call_of(change.recording)
        if call is None:
            return
        tables.add_purpose(change.recording, change.purpose, change.segments, self._facts_of(tables, call))
        if change.purpose is Purpose.TRAINING:
            self._hear(Tallied.RECORDED, call, tables, deed)
        if not change.withheld and tables.wrappable(change.recording, (change.purpose,)):
            self._wrap_again(change.recording, change.purpose, change.segments, tables, deed)

    def _wrap_again(
        self, recording: str, purpose: Purpose, numbers: Sequence[int], tables: Tables, deed: _Deed
    ) -> None:
        held = dict(self._keys.get(recording, {}))
        held |= {segment: key for (of, segment), key in deed.opened.items() if of == recording}
        call = tables.call_of(recording)
        recipients = standing(tables.connection, self._facts_of(tables, call).recipients) if call else []
        role, gone = KeyRole(purpose.value), revoked(tables.connection)
        for number in numbers:
            if number in held:
                back = _wraps(recipients, held[number], recording, number, [role])
            else:
                aside = self._aside.get(recording, ())
                back = [one for one in aside if (one.role, one.segment) == (role, number) and one.key_id not in gone]
            if not back:
                raise NoKeyError(f"{purpose.value} {number}")
            tables.add_wraps(back)

    def _hear(self, what: Tallied, call: str, tables: Tables, deed: _Deed) -> None:
        """Counted once a call, and only if the commit is written: until then it is the deed's."""
        before = deed.heard.get(call, self._heard.get(call))
        if before is None:
            before = _heard_before(tables.connection, call)
        deed.heard[call] = after = before | {what}
        facts = self._facts.get(call) or tables.facts(call)
        if facts is None:
            # Nothing is kept of it any more, from this commit on.
            with tables.connection.info[BEFORE]() as earlier:
                facts = Tables(earlier, self._desk, self._secrets).facts(call)
        if facts is None:
            return
        for one in counted(after) - counted(before):
            tally_call(tables.connection, self._desk, facts, one, local_day(facts.started_at, facts.time_zone))

    def _keep_heard(self, heard: Mapping[str, frozenset[Tallied]]) -> None:
        self._heard |= heard
        while len(self._heard) > _HEARD_KEPT:
            del self._heard[next(iter(self._heard))]

    def _facts_of(self, tables: Tables, call: str) -> CallFacts:
        facts = self._facts.get(call) or tables.facts(call)
        if facts is None:
            raise ArchiveError("error.archive.unknown_call")
        return facts


@dataclass(slots=True)
class _Deed:
    """What a transaction leaves to be done beside it."""

    opened: dict[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes], repr=False)
    begun: list[str] = field(default_factory=list[str])
    """calls of which nothing had been sealed before"""
    created: list[str] = field(default_factory=list[str])
    closed: list[str] = field(default_factory=list[str])
    discarded: list[str] = field(default_factory=list[str])
    taken_back: list[str] = field(default_factory=list[str])
    """recordings that training is never wrapped for again"""
    aside: dict[str, list[Wrap]] = field(default_factory=dict[str, list[Wrap]], repr=False)
    heard: dict[str, frozenset[Tallied]] = field(default_factory=dict[str, frozenset[Tallied]])
    held: dict[str, str] = field(default_factory=dict[str, str])
    """recordings that were to be discarded, and that a hold keeps, and their calls"""
    unlifted: list[str] = field(default_factory=list[str])
    """of each hold that was to be lifted, and that custody has confirmed, its recording"""
    dropped: bool = False


def _as_done(entries: Sequence[AuditEntry], deed: _Deed) -> list[AuditEntry]:
    """The log tells what was done, also where that is less than was asked."""
    unlifted = [*deed.unlifted]
    told: list[AuditEntry] = []
    for entry in entries:
        if entry.event == "recording_discarded" and entry.recording in deed.held:
            told.append(replace(entry, event="restricted", rule="G10", params={"why": HOLD_ONLY}))
        elif entry.event == "hold_lifted" and entry.recording in unlifted:
            unlifted.remove(entry.recording)
        else:
            told.append(entry)
    named = {entry.recording for entry in told if entry.event == "restricted"}
    now = datetime.now(UTC)
    told += [
        AuditEntry("restricted", "G10", now, call, recording, {"why": HOLD_ONLY})
        for recording, call in deed.held.items()
        if recording not in named
    ]
    return told


def _place_used(connection: Connection, changes: Sequence[Change]) -> list[AuditEntry]:
    """The engine uses up each call's place, also of one that the session has no word for: no change without an entry."""
    used = [one for one in changes if isinstance(one, UseDraw)] if connection.info[TOUCHED] else []
    return [AuditEntry("place_used", "G34", one.at, one.call) for one in used]


def _touched(connection: Connection, changes: Sequence[Change]) -> list[str]:
    """The recordings whose rows these change, also where no entry names them."""
    of_holds = [one.hold for one in changes if isinstance(one, ChangeHold | LiftHold)]
    named = [str(of) for one in changes if (of := getattr(one, "recording", None)) is not None]
    lists = [_IN_LISTS[type(one)] for one in changes if type(one) in _IN_LISTS]
    return [*named, *recordings_of(connection, of_holds), *lists]


def _heard_before(connection: Connection, call: str) -> frozenset[Tallied]:
    """Of a call that nobody here remembers: whose training was recorded was drawn, and what the log tells was counted."""
    with connection.info[BEFORE]() as before:
        of_call = select(segments.c.purposes).join(recordings, recordings.c.recording == segments.c.recording)
        made = before.execute(of_call.where(recordings.c.call == call)).scalars()
        heard = set[Tallied]()
        if any(Purpose.TRAINING in recorded_for(one) for one in made):
            heard = {Tallied.DRAWN, Tallied.RECORDED}
        told = before.execute(select(audit.audit.c.event, audit.audit.c.params).where(audit.audit.c.call == call))
        for row in told:
            # An entry that was changed may hold anything: the chain tells of that.
            with suppress(ValueError, AttributeError):
                if says_no(row.event, json.loads(row.params)):
                    heard.add(Tallied.DECLINED)
    return frozenset(heard)


def _ask_for_signature(tables: Tables, facts: CallFacts) -> None:
    """Raises UnsignedError."""
    signer = policy_signer.chosen(tables.connection)
    if signer and facts.recipients and signer not in facts.signed_by:
        raise UnsignedError(facts.call)


def _nobody(_works: bool, _detail: str) -> None:
    return None


def remove_condemned(catalog: Catalog, vault: Vault) -> list[str]:
    """The files of discarded recordings go; also those that an earlier run could not make go. Raises ArchiveError.

    One whose recording stands, or that is no id, was put on the list past the program: it stays, for `verify` to tell.
    """
    stands = select(recordings.c.recording).where(recordings.c.recording == condemned.c.recording).exists()
    with catalog.reading() as connection:
        is_text = func.typeof(condemned.c.recording) == "text"
        listed = list(connection.execute(select(condemned.c.recording).where(~stands, is_text)).scalars())
    for first in range(0, len(listed), _FILES):
        some = listed[first : first + _FILES]
        # The files first: what is cut off in between is tried again, and a file that has gone is no fault.
        vault.delete(*some)
        with catalog.writing() as connection:
            connection.execute(delete(condemned).where(condemned.c.recording.in_(some)))
    return listed


def _wraps(
    recipients: Sequence[Recipient], key: bytes, recording: str, segment: int, roles: Sequence[KeyRole]
) -> list[Wrap]:
    """A wrap for each of these roles' recipients. Raises NoKeyError for a role that has none."""
    made: list[Wrap] = []
    for role in roles:
        those = [recipient for recipient in recipients if recipient.role is role]
        if not those:
            raise NoKeyError(role.value)
        made += [keys.wrap(key, recipient, recording, segment) for recipient in those]
    return made
