"""The catalog's rows, tied to the audit log: every entry that tells of a change says what the recording's rows were before it
and what they are since. A row that was changed past the log, or went past it, no longer fits.

A recording's wraps are among its rows: one that was deleted, added or exchanged shows also where no key opens it. A number's
sealed form is, with its random nonce: of a digest that outlives its recording no number can be tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DatabaseError

from softphone.archive.tables import audit, holds

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
_UNREADABLE = "unreadable"
DIGEST = 32
"""hex digits of one"""
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
REVOCATIONS, TALLIES, SIGNER, UPHELD = "revocations", "sample_tallies", "policy_signer", "upheld"
"""lists that are sealed whole, under these names in the place of a recording's; the tallies month by month (`of_month`)"""
LISTS = {
    REFUSALS: text("SELECT hex(number_index), at, until FROM refusals ORDER BY number_index"),
    CALL_BACKS: text(
        "SELECT call, hex(number_sealed), hex(number_index), line, at, until FROM call_backs ORDER BY call"
    ),
    LANGUAGES: text(
        "SELECT json_group_array(json_array(hex(number_index), language, at, until)) "
        "FROM (SELECT * FROM party_languages ORDER BY number_index)"
    ),
    UPHELD: text("SELECT hex(number_index), line, purpose, at, until FROM upheld ORDER BY number_index, line, purpose"),
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
NO_SIGNER = hashlib.sha256(json.dumps(["[]"]).encode("ascii")).hexdigest()[:DIGEST]
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
        if name in LISTS:
            digest = hashlib.sha256()
            for row in connection.execute(LISTS[name], {"part": part} if name == TALLIES else {}):
                digest.update(json.dumps([*row], default=str).encode("ascii"))
            return digest.hexdigest()[:DIGEST]
        told = connection.execute(_STATE, {"of": of}).first()
    except DatabaseError as error:
        # A value that is no text where the program writes text: told as another state, and it keeps nobody from the recording.
        if "JSON" in str(error.orig):
            return _UNREADABLE
        raise
    if told is None:
        return GONE
    return "".join(hashlib.sha256(str(one).encode("utf-8")).hexdigest()[:DIGEST] for one in told)


def changed(connection: Connection, touched: Iterable[str], *, first: bool = False) -> str | None:
    """For the entry that is about to be written: of each recording that is another than it was, both states; None: of none.

    `first` of a log, it tells of every list: what is in none of them then is known to have come later. Who signs policies is
    told whenever it is touched, changed or not: chosen once, it outlasts the entry. `connection` is one of `Catalog.writing`.
    """
    told: dict[str, tuple[Any, ...]] = {}
    sealed: dict[str, str] = connection.info[SEALED]
    more: dict[str, dict[str, Any]] = connection.info[TOLD]
    these = list(dict.fromkeys((*touched, *connection.info[TOUCHED], *more, *(LISTS if first else ()))))
    connection.info[TOUCHED].clear()
    if not these:
        return None
    unseen = [one for one in these if one not in sealed]
    if unseen:
        with connection.info[BEFORE]() as before:
            sealed |= {one: state_of(before, one) for one in unseen}
    for one in these:
        was, now = sealed[one], state_of(connection, one)
        if was != now or one == SIGNER or (first and one in LISTS):
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


def desks(connection: Connection) -> Iterator[str]:
    """Whoever has written to the log: from one to the next by its index."""
    desk: str | None = ""
    while desk is not None:
        asked = select(audit.c.desk).where(audit.c.desk > desk).order_by(audit.c.desk).limit(1)
        desk = connection.execute(asked).scalar()
        if desk is not None:
            yield desk
