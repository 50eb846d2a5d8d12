"""The catalog's rows, tied to the audit log: every entry that tells of a change says what the recording's rows were before it
and what they are since. A row that was changed past the log, or went past it, no longer fits.

A recording's wraps are among its rows: one that was deleted, added or exchanged shows also where no key opens it. A number's
sealed form is, with its random nonce: of a digest that outlives its recording no number can be tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, cast

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DatabaseError

from softphone.archive.tables import audit, audit_begins, holds, recordings, sample_tallies

BEFORE = "before"
"""in a writing connection's `info`: gives a connection that still sees what was there when it began"""
SEALED = "sealed"
"""in its `info`: what this transaction has told of each recording so far"""
TOUCHED = "touched"
"""in its `info`: what this transaction has changed that no entry need name; its next entry seals it"""
TOLD = "told"
"""in its `info`: what that entry is to say of recordings besides"""
HOLDS, SOUND = "holds", "sound"
"""what there is to say of a recording: which holds were placed on it (true) and lifted (false), by their ids; and a segment's
digest, by its number"""
GONE = ""
ENDED_AGAIN = frozenset({"erased_again", "terms_taken_up"})
"""what the entries of a restore are, by which what had ended ends again"""
_UNREADABLE = "unreadable"
_DIGEST = 32
"""hex digits of one"""
BATCH = 500
"""recordings compared at one look"""
_HALF = 16
"""bytes: to find other sound with the same takes as much as to find a key"""
_SEGMENTS = 100_000
"""no call has as many"""
_ENTRIES = 5_000
"""of the log, read at one look"""
_STATE = text("""
SELECT json_array(
  recordings.recording, recordings.call, recordings.opened_at, recordings.closed_at, recordings.restricted,
  recordings.broke_off_at, recordings.line, recordings.agent,
  calls.line, calls.direction, calls.agent, calls.started_at, calls.time_zone,
  hex(calls.number_index), hex(calls.number_sealed), calls.language, calls.notice,
  (SELECT value FROM meta WHERE name = 'archive'), (SELECT value FROM meta WHERE name = 'demo'),
  (SELECT json_group_array(json(CASE WHEN chunks IS NULL THEN json_array(segment, opened_at, purposes)
   ELSE json_array(segment, opened_at, purposes, chunks) END))
   FROM (SELECT * FROM segments WHERE recording = :of ORDER BY segment)),
  (SELECT json_group_array(json_array(purpose, basis, retention, expires_on, stands, reason, reviewed_at, at_end,
   keep_reviewed, judge_by))
   FROM (SELECT * FROM purposes WHERE recording = :of ORDER BY purpose)),
  (SELECT json_group_array(json_array(hold, raised_for, raised_by, at, provisional_until, confirm_by, why, lifted_at,
   lifted_reason, confirmed_at, look_again))
   FROM (SELECT * FROM holds WHERE recording = :of ORDER BY hold)),
  (SELECT json_array(shared, at, "by") FROM reviews WHERE recording = :of),
  (SELECT json_group_array(json_array(comment, sample, text, at, "by"))
   FROM (SELECT * FROM review_comments WHERE recording = :of ORDER BY comment)),
  (SELECT json_group_array(json_array(item, points, at, "by"))
   FROM (SELECT * FROM review_scores WHERE recording = :of ORDER BY item))),
(SELECT json_group_array(json_array(segment, role, key_id, suite, hex(sealed)))
   FROM (SELECT * FROM wraps LEFT JOIN slots USING (slot) WHERE recording = :of ORDER BY segment, role, key_id))
FROM recordings LEFT JOIN calls ON calls.call = recordings.call WHERE recordings.recording = :of
""")
"""columns by name: one that a later version adds leaves what was sealed before as it is, where it is empty"""
REFUSALS, CALL_BACKS, LANGUAGES, RUNS = "refusals", "call_backs", "party_languages", "sample_runs"
REVOCATIONS, TALLIES, SIGNER = "revocations", "sample_tallies", "policy_signer"
"""lists that are sealed whole, under these names in the place of a recording's; the tallies month by month (`of_month`)"""
_LISTS = {
    REFUSALS: text("SELECT hex(number_index), at, until FROM refusals ORDER BY number_index"),
    CALL_BACKS: text(
        "SELECT call, hex(number_sealed), hex(number_index), line, at, until FROM call_backs ORDER BY call"
    ),
    LANGUAGES: text(
        "SELECT json_group_array(json_array(hex(number_index), language, at, until)) "
        "FROM (SELECT * FROM party_languages ORDER BY number_index)"
    ),
    RUNS: text(
        'SELECT json_group_array(json_array(line, agent, number, hex(seed), share, block, start, "next", taken, until)) '
        "FROM (SELECT * FROM sample_runs ORDER BY line, agent)"
    ),
    REVOCATIONS: text(
        "SELECT json_group_array(json_array(name, value)) "
        "FROM (SELECT * FROM meta WHERE name LIKE 'revoked-%' ORDER BY name)"
    ),
    SIGNER: text(
        "SELECT json_group_array(json_array(name, value)) FROM (SELECT * FROM meta WHERE name = 'policy-signer')"
    ),
    TALLIES: text(
        'SELECT json_group_array(json_array(line, agent, what, "count")) '
        "FROM (SELECT * FROM sample_tallies WHERE month = :part ORDER BY desk, line, agent, what)"
    ),
}
_NO_SIGNER = hashlib.sha256(json.dumps(["[]"]).encode("ascii")).hexdigest()[:_DIGEST]
"""the digest of that list where it is empty"""


def of_month(month: str) -> str:
    """The name under which its tallies are sealed: those of a year would take too long with each call."""
    return f"{TALLIES} {month}"


def touch(connection: Connection, *these: str) -> None:
    """Recordings and lists that are about to be another, for the transaction's next entry to seal."""
    connection.info[TOUCHED].update(dict.fromkeys(these))


def tell(connection: Connection, recording: str, what: str, name: str, value: str | bool) -> None:
    """For the transaction's next entry to say: of a recording whose rows it has changed."""
    connection.info[TOLD].setdefault(recording, {}).setdefault(what, {})[name] = value


def state_of(connection: Connection, of: str) -> str:
    """A digest of what the catalog says of a recording, then one of its wraps; `GONE` where it says nothing. Of a list, by its
    name, one of all of it."""
    name, _, part = str(of).partition(" ")
    try:
        if name in _LISTS:
            digest = hashlib.sha256()
            for row in connection.execute(_LISTS[name], {"part": part} if name == TALLIES else {}):
                digest.update(json.dumps([*row], default=str).encode("ascii"))
            return digest.hexdigest()[:_DIGEST]
        told = connection.execute(_STATE, {"of": of}).first()
    except DatabaseError as error:
        # A value that is no text where the program writes text: told as another state, and it keeps nobody from the recording.
        if "JSON" in str(error.orig):
            return _UNREADABLE
        raise
    if told is None:
        return GONE
    return "".join(hashlib.sha256(str(one).encode("utf-8")).hexdigest()[:_DIGEST] for one in told)


def changed(connection: Connection, touched: Iterable[str], *, first: bool = False) -> str | None:
    """For the entry that is about to be written: of each recording that is another than it was, both states; None: of none.

    `first` of a log, it tells of every list: what is in none of them then is known to have come later. Who signs policies is
    told whenever it is touched, changed or not: chosen once, it outlasts the entry. `connection` is one of `Catalog.writing`.
    """
    told: dict[str, tuple[Any, ...]] = {}
    sealed: dict[str, str] = connection.info[SEALED]
    more: dict[str, dict[str, Any]] = connection.info[TOLD]
    these = list(dict.fromkeys((*touched, *connection.info[TOUCHED], *more, *(_LISTS if first else ()))))
    connection.info[TOUCHED].clear()
    if not these:
        return None
    unseen = [one for one in these if one not in sealed]
    if unseen:
        with connection.info[BEFORE]() as before:
            sealed |= {one: state_of(before, one) for one in unseen}
    for one in these:
        was, now = sealed[one], state_of(connection, one)
        if was != now or one == SIGNER or (first and one in _LISTS):
            told[one] = (was, now, more[one]) if one in more else (was, now)
        sealed[one] = now
    more.clear()
    return json.dumps(told, sort_keys=True) if told else None


def recordings_of(connection: Connection, held: Iterable[str]) -> list[str]:
    """Those that these holds are on."""
    ids = list(held)
    if not ids:
        return []
    return list(connection.execute(select(holds.c.recording).where(holds.c.hold.in_(ids))).scalars())


Found = tuple[str, dict[str, str | int]]


Reading = Callable[[], AbstractContextManager[Connection]]
"""gives a look at the catalog; none is kept open for long"""


def read_log(told: Told, reading: Reading, step: Callable[[], object] = lambda: None) -> Iterator[Found]:
    """All of it, and where it contradicts itself: a finding's code and its parameters. `step` is asked between two looks, and may
    raise."""
    while True:
        with reading() as connection:
            found, more = told.read_on(connection)
        yield from found
        step()
        if not more:
            break


def against_the_log(
    reading: Reading, step: Callable[[], object] = lambda: None, told: Told | None = None
) -> Iterator[Found]:
    """What the catalog's rows are that the log does not tell of: one finding a recording. `told`: where it has been read."""
    if told is None:
        yield from read_log(told := Told(), reading, step)
    these = list(told.last)
    for first in range(0, len(these), BATCH):
        step()
        with reading() as connection:
            found = told.compare(connection, these[first : first + BATCH])
        yield from found
    after = ""
    while True:
        step()
        with reading() as connection:
            asked = select(recordings.c.recording).where(recordings.c.recording > after)
            some = connection.execute(asked.order_by(recordings.c.recording).limit(BATCH)).scalars().all()
            found = told.compare(connection, [])
            found += told.of_none(connection, some) if some else told.of_no_list(connection)
        yield from found
        if not some:
            break
        after = some[-1]


class Told:
    """What the log tells of each recording, as far as it has been read: the state that it was left in last, the digest of each
    of its segments, and which holds stand."""

    def __init__(self) -> None:
        self.last: dict[str, str] = {}
        self._sound: dict[str, bytes] = {}
        """of each recording its segments' digests, one behind the other, half of each: there may be a million"""
        self.since: dict[str, int] = {}
        """of each desk, the first entry that says more than states: from then on decisions are proved"""
        self.lifted: dict[str, int] = {}
        """holds, each with the entry that says so; not what a restore ended again"""
        self.empty: set[tuple[str, int]] = set()
        """entries of a signer, by desk and number, at which nothing was here: custody has no key that could prove it"""
        self._holds: dict[str, set[str]] = {}
        self._faulty: set[str] = set()
        self._at: dict[str, int] = {}
        """a desk's entry that was read last"""

    def read_on(self, connection: Connection) -> tuple[list[Found], bool]:
        """A batch of each desk's entries, and whether there may be more."""
        found: list[Found] = []
        more = False
        for desk in desks(connection):
            here = (audit.c.desk == desk) & (audit.c.number > self._at.get(desk, 0)) & audit.c.state.is_not(None)
            columns = (audit.c.number, audit.c.event, audit.c.state)
            rows = connection.execute(select(*columns).where(here).order_by(audit.c.number).limit(_ENTRIES)).all()
            for row in rows:
                self._at[desk] = row.number
                for recording, was, now, besides in _read(row.state):
                    before = self._before(recording)
                    if before is not None and not _same(before, was) and recording not in self._faulty:
                        self._faulty.add(recording)
                        found.append(_differs(recording, row.number, before, was))
                    self.last[recording] = now
                    if recording == SIGNER and not self._is_anything_here():
                        self.empty.add((desk, row.number))
                    if besides:
                        self.since.setdefault(desk, row.number)
                    found += self._held(recording, row, besides, gone=now == GONE)
                    found += self._sounds(recording, row, besides, gone=now == GONE)
            more = more or len(rows) == _ENTRIES
        return found, more

    def sound(self, of: str, segment: int) -> bytes | None:
        """The first half of a segment's digest; None: the log has none."""
        one = self._sound.get(of, b"")[segment * _HALF : (segment + 1) * _HALF]
        return one if one.strip(b"\0") else None

    def is_sound(self, of: str, segment: int, digest: str) -> bool:
        """Whether a segment's sound has this digest, as far as the log says one."""
        return self.sound(of, segment) in (None, bytes.fromhex(digest)[:_HALF])

    def _is_anything_here(self) -> bool:
        return any(state != GONE and not _is_list(of) for of, state in self.last.items())

    def _held(self, of: str, row: Any, told: Mapping[str, Any], *, gone: bool) -> Iterator[Found]:
        """Whether it went while a hold stood on it. A restore ends again what had ended, whatever the backup has of it."""
        standing = self._holds.setdefault(of, set()) if HOLDS in told or of in self._holds else set[str]()
        for hold, stands in _items(told.get(HOLDS)):
            (standing.add if stands is True else standing.discard)(hold)
            if stands is True:
                self.lifted.pop(hold, None)
            elif row.event not in ENDED_AGAIN:
                self.lifted[hold] = row.number
        if gone:
            self._holds.pop(of, None)
            if standing and row.event not in ENDED_AGAIN:
                yield "held_gone", {"recording": of, "number": row.number}

    def _sounds(self, of: str, row: Any, told: Mapping[str, Any], *, gone: bool) -> Iterator[Found]:
        """A segment ends once: a second digest would be of other sound."""
        for segment, digest in _items(told.get(SOUND)):
            with suppress(ValueError, TypeError):
                number, one = int(segment), bytes.fromhex(digest)[:_HALF]
                if self.sound(of, number) not in (None, one):
                    yield "sound_told_twice", {"recording": of, "segment": number, "number": row.number}
                elif 0 <= number < _SEGMENTS and len(one) == _HALF:
                    before = self._sound.get(of, b"").ljust((number + 1) * _HALF, b"\0")
                    self._sound[of] = before[: number * _HALF] + one + before[(number + 1) * _HALF :]
        if gone:
            self._sound.pop(of, None)

    def _before(self, of: str) -> str | None:
        """As what is told of was before, as far as that is known: a month that no entry names began with no tallies, where the
        log tells of them from its beginning."""
        return self.last.get(of, self.last.get(TALLIES) if of.startswith(of_month("")) else None)

    def compare(self, connection: Connection, these: Sequence[str]) -> list[Found]:
        """These as they are and as the log left them: what has been written meanwhile, it tells of too."""
        found, more = self.read_on(connection)
        while more:
            again, more = self.read_on(connection)
            found += again
        alive = select(recordings.c.recording).where(recordings.c.recording.in_(these))
        living = set(connection.execute(alive).scalars()) if these else set[str]()
        for recording in these:
            state = self.last[recording]
            if recording in self._faulty:
                continue
            if _is_list(recording):
                if (now := state_of(connection, recording)) != state:
                    found.append(_differs(recording, 0, state, now))
            elif recording not in living:
                if state != GONE:
                    found.append(("recording_lost", {"recording": recording}))
            elif state == GONE:
                found.append(("recording_untold", {"recording": recording}))
            elif not _same(state, now := state_of(connection, recording)):
                found.append(_differs(recording, 0, state, now))
        return found

    def of_none(self, connection: Connection, these: Sequence[str]) -> list[Found]:
        """Of these, those that no entry names at all. Of what is older than the log's first part nothing can be told."""
        if connection.execute(select(audit_begins.c.desk).limit(1)).first() is not None:
            return []
        unseen = [one for one in these if one not in self.last]
        asked = select(audit.c.recording).where(audit.c.recording.in_(unseen)).distinct()
        named = set(connection.execute(asked).scalars()) if unseen else set[str]()
        return [("recording_untold", {"recording": one}) for one in unseen if one not in named]

    def of_no_list(self, connection: Connection) -> list[Found]:
        """Tallies of months that no entry names, where the log tells of them from its beginning; and a signer of policies that
        none does: before there was one, no entry tells that there is none."""
        months = connection.execute(select(sample_tallies.c.month).distinct()).scalars() if TALLIES in self.last else ()
        unseen = [of_month(one) for one in months if of_month(one) not in self.last]
        if SIGNER not in self.last and state_of(connection, SIGNER) != _NO_SIGNER:
            unseen.append(SIGNER)
        return [_differs(one, 0, "", "") for one in unseen]


def desks(connection: Connection) -> Iterator[str]:
    """Whoever has written to the log: from one to the next by its index."""
    desk: str | None = ""
    while desk is not None:
        asked = select(audit.c.desk).where(audit.c.desk > desk).order_by(audit.c.desk).limit(1)
        desk = connection.execute(asked).scalar()
        if desk is not None:
            yield desk


def _is_list(of: str) -> bool:
    return of.partition(" ")[0] in _LISTS


def _same(one: str, other: str) -> bool:
    """What an earlier version told of a recording is the beginning of what is told today: it says nothing of its wraps."""
    if GONE in (one, other):
        return one == other
    return one.startswith(other) or other.startswith(one)


def _differs(of: str, number: int, told: str, found: str) -> Found:
    name, _, part = of.partition(" ")
    if name in _LISTS:
        return f"{name}_changed", {"number": number, **({"month": part} if name == TALLIES else {})}
    rows_too = told[:_DIGEST] != found[:_DIGEST]
    return "rows_changed" if rows_too else "wraps_changed", {"recording": of, "number": number}


def _read(state: str) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """What was told of each, before and since, and what else. An entry that was changed may hold anything: the chain tells of
    that."""
    try:
        told: dict[str, Any] = json.loads(state)
        return [(of, str(was), str(now), dict(*more)) for of, (was, now, *more) in told.items()]
    except (ValueError, TypeError, AttributeError):
        return []


def _items(told: object) -> list[tuple[str, Any]]:
    return [*cast("dict[str, Any]", told).items()] if isinstance(told, dict) else []
