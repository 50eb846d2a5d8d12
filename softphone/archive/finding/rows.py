"""Recordings as a list shows them, read by their ids: a page costs as many statements as a single one.

`searching` says which recordings are meant. Nothing is opened here but a party's number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Select, func, or_, select

from softphone.archive.catalog.database import Catalog
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.files.vault import Vault
from softphone.archive.schema.readable import day_of, moment_of, read_row
from softphone.archive.schema.tables import calls, holds, purposes, recordings, segments, wraps
from softphone.domain.archive.recordings import HoldRow, RecordingRow, opens_for
from softphone.domain.purpose import Direction, Purpose, Reason
from softphone.domain.retention import Ended, has_expired

REVIEW = "review"
"""a purpose that is judged when its day comes (`at_end`)"""


class Source(Protocol):
    """An archive that is open."""

    @property
    def catalog(self) -> Catalog: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def vault(self) -> Vault: ...


def hold_of(row: Any) -> HoldRow:
    """One that stands, of a row of `holds`."""
    return HoldRow(
        row.hold,
        row.raised_for,
        moment_of(row.at),
        _time(row.provisional_until),
        _time(row.confirm_by),
        row.why,
        day_of(row.look_again),
        row.raised_by,
    )


def rows_of(
    source: Source, connection: Connection, ids: Sequence[str], now: datetime, unreadable: set[str] | None = None
) -> list[RecordingRow]:
    """Those that exist, in the order of `ids`. Raises ArchiveError within `reading`.

    One that cannot be read is left out, and is in `unreadable`.
    """
    asked = select(recordings, calls.c.direction, calls.c.number_sealed, calls.c.time_zone).join(
        calls, calls.c.call == recordings.c.call
    )
    found = {row.recording: row for row in connection.execute(asked.where(recordings.c.recording.in_(ids)))}
    roles = select(wraps.c.recording, wraps.c.role).where(wraps.c.recording.in_(ids)).distinct()
    # Custody still has to judge what was taken back on grounds, until its date (`waits_for_case`).
    given = purposes.c.reason == Reason.GROUNDS_GIVEN.value
    kept = select(purposes).where(purposes.c.recording.in_(ids), or_(purposes.c.stands == Ended.KEEPS.value, given))
    held = select(holds).where(holds.c.recording.in_(ids), holds.c.lifted_at.is_(None))
    sealed, made_for = _by_recording(connection, roles), _by_recording(connection, kept.order_by(purposes.c.purpose))
    standing, stored = _by_recording(connection, held.order_by(holds.c.at)), _stored(connection, ids)

    def made(row: Any) -> RecordingRow:
        of = row.recording
        opened_by = {one.role for one in sealed[of]}
        return _row(source, row, opened_by, made_for[of], [hold_of(one) for one in standing[of]], now, stored.get(of))

    rows = (read_row(found[one], made, unreadable) for one in ids if one in found)
    return [row for row in rows if row is not None]


def _by_recording(connection: Connection, asked: Select[*tuple[Any, ...]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(asked):
        found[row.recording].append(row)
    return found


def _stored(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Of those whose segments are all counted. Each chunk has a second of sound, except a segment's last."""
    of_all = (func.count() == func.count(segments.c.chunks)).label("counted")
    asked = select(segments.c.recording, func.sum(func.max(segments.c.chunks - 1, 0)).label("chunks"), of_all)
    rows = connection.execute(asked.where(segments.c.recording.in_(ids)).group_by(segments.c.recording))
    return {row.recording: int(row.chunks) for row in rows if row.counted}


def unlisted(connection: Connection, ids: Iterable[str]) -> Iterator[str]:
    """Those of these, in order, that the catalog does not list: it goes through both side by side, and holds neither."""
    listed = connection.execute(select(recordings.c.recording).order_by(recordings.c.recording)).scalars()
    known = next(listed, None)
    for one in ids:
        # Ids that are not text sort after all others, and are no ids.
        while isinstance(known, str) and known < one:
            known = next(listed, None)
        if known != one:
            yield one


def _row(
    source: Source,
    row: Any,
    roles: set[str],
    made_for: Iterable[Any],
    standing: list[HoldRow],
    now: datetime,
    stored: int | None,
) -> RecordingRow:
    keeps, waits = dict[Purpose, date | None](), False
    for one in made_for:
        waits = waits or (one.reason == Reason.GROUNDS_GIVEN.value and not _is_over(one.expires_on, now, row))
        if one.stands == Ended.KEEPS.value:
            waits = waits or (one.at_end == REVIEW and not _is_over(one.judge_by, now, row))
            keeps[Purpose(one.purpose)] = day_of(one.expires_on)
    return RecordingRow(
        recording=row.recording,
        call=row.call,
        line=row.line,
        direction=Direction(row.direction),
        number=source.secrets.open_number(row.number_sealed, row.call) if row.number_sealed else None,
        opened_at=moment_of(row.opened_at),
        closed_at=_time(row.closed_at),
        opens_for=opens_for(
            roles, keeps, now, row.time_zone, held=bool(standing), waits=waits, restricted=row.restricted
        ),
        expires={one: on for one, on in keeps.items() if on is not None},
        holds=tuple(standing),
        restricted=row.restricted,
        bytes=_size(source.vault, row.recording),
        time_zone=row.time_zone,
        agent=row.agent,
        broke_off=row.broke_off_at is not None,
        stored=stored,
        kept=any(on is None or not has_expired(on, now, row.time_zone) for on in keeps.values()),
    )


def _is_over(day: str | None, now: datetime, row: Any) -> bool:
    on = day_of(day)
    return on is not None and has_expired(on, now, row.time_zone)


def _size(vault: Vault, recording: str) -> int:
    try:
        return vault.path(recording).stat().st_size
    except OSError:
        return 0


def _time(text: str | None) -> datetime | None:
    return None if text is None else moment_of(text)
