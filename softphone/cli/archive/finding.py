"""`klartone archive list` and `show`: what there is, without a sound, and only what this person may find."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from softphone.bootstrap.archive.shared import here, moment, number_of, print_line, state_of
from softphone.bootstrap.archive.viewing import Viewing, seeing, tell_of_other_keys
from softphone.bootstrap.home import texts
from softphone.cli.audit import as_json, audit_row
from softphone.cli.holds import hold_line
from softphone.cli.policy.telling import in_words as in_words_of
from softphone.cli.progress import Progress
from softphone.cli.tables import show_table
from softphone.domain.archive.recordings import RATE, Cursor, OwnReview, Query, RecordingRow
from softphone.domain.errors import ArchiveError
from softphone.texts import Texts


def archive_list(arguments: argparse.Namespace) -> int:
    """`--json`: an object a line, each with the cursor that goes on behind it."""
    after = Cursor.parse(arguments.after) if arguments.after else None
    with seeing(arguments) as viewing:
        tell = texts(time_zone=viewing.time_zone)
        query = _query(arguments, tell)
        _tell_unknown_lines(arguments, viewing, tell)
        if after is None:
            tell_of_other_keys(viewing.archive.find.others(query))
        if arguments.count:
            print_line(str(_count(viewing, query, tell)))
            return 0
        one = viewing.archive.find.page(query, after, arguments.limit)
        nothing = "" if one.rows else _none(viewing, query, tell, after=after)
        waits = viewing.waits_here() if after is None else 0
    if waits:
        print(tell("archive.waits_here", count=waits), file=sys.stderr)  # noqa: T201
    if one.unreadable:
        print(tell("archive.list.unreadable", count=len(one.unreadable)), file=sys.stderr)  # noqa: T201
    if arguments.json:
        for row in one.rows:
            print_line(json.dumps(_as_json(row), ensure_ascii=False))
    else:
        show_table([_columns(row, tell) for row in one.rows])
    if not arguments.json:
        if one.next is not None:
            print_line(tell("archive.more", cursor=one.next))
        elif not one.rows:
            print_line(nothing)
    return 0


def _none(viewing: Viewing, query: Query, tell: Texts, *, after: Cursor | None) -> str:
    if after or query != Query():
        return tell("archive.no_more" if after else "archive.no_such")
    if (own := viewing.archive.find.only_own()) is not None:
        return tell("archive.none_of_yours", period=in_words_of(own, tell))
    return tell("archive.empty")


def _tell_unknown_lines(arguments: argparse.Namespace, viewing: Viewing, tell: Texts) -> None:
    """An earlier policy's line may still have recordings, so it is searched for."""
    policy = viewing.policy() if arguments.line else None
    known = [line.id for line in policy.line] if policy else []
    for line in arguments.line or ():
        if known and line not in known:
            print(tell("archive.no_line", line=line, lines=", ".join(known)), file=sys.stderr)  # noqa: T201


def _columns(row: RecordingRow, tell: Texts) -> list[str]:
    direction = tell(f"archive.direction.{row.direction}")
    about = [row.line or "–", row.agent or "–", direction, _length(row), row.number or ""]
    state = [state_of(row, tell), *([tell("archive.show.broke_off")] if row.broke_off else [])]
    return [row.recording, here(row.opened_at, tell.zone), *about, ", ".join(state)]


def _length(row: RecordingRow) -> str:
    """The length that can be played: a pause has no sound."""
    if row.stored is None:
        return "–"
    minutes, seconds = divmod(row.stored, 60)
    return f"{minutes}:{seconds:02}"


def _ended(row: RecordingRow, tell: Texts) -> str:
    at = here(row.closed_at, tell.zone) if row.closed_at else ""
    if row.broke_off:
        return ", ".join(filter(None, (at, tell("archive.show.broke_off"))))
    return at or tell("archive.show.running")


def archive_show(arguments: argparse.Namespace) -> int:
    with seeing(arguments) as viewing:
        tell = texts(time_zone=viewing.time_zone)
        shown = viewing.archive.find.show(arguments.id)
    row, said = shown.row, shown.review or OwnReview()
    if arguments.json:
        fields = {**_as_json(row), "audit": [as_json(entry) for entry in shown.log or ()]}
        if shown.review is not None:
            fields["review"] = {"scores": dict(said.scores), "comments": [list(one) for one in said.comments]}
        print_line(json.dumps(fields, ensure_ascii=False))
        return 0
    facts = {
        "id": row.recording,
        "opened": here(row.opened_at, tell.zone),
        "closed": _ended(row, tell),
        "length": _length(row),
        "line": row.line or "–",
        "agent": row.agent or "–",
        "number": row.number or tell("archive.show.withheld"),
        "state": state_of(row, tell),
        "bytes": f"{row.bytes:,}".replace(",", " "),
    }
    if not shown.numbers:
        del facts["number"]  # this person sees no number; that it was withheld is something else
    rows = [*facts.items(), *(("hold", hold_line(hold, tell)) for hold in shown.holds)]
    rows += [("score", f"{item}: {points}") for item, points in said.scores]
    for sample, text in said.comments:
        minutes, seconds = divmod(sample // RATE, 60)
        rows.append(("comment", f"{minutes}:{seconds:02} {' '.join(text.split())}"))
    show_table([(f"{tell(f'archive.show.{name}'):<12}", fact) for name, fact in rows])
    if shown.log is None:
        return 0
    print_line("")
    print_line(tell("archive.show.audit"))
    show_table([audit_row(entry, tell) for entry in shown.log])
    return 0


def _query(arguments: argparse.Namespace, tell: Texts) -> Query:
    """Raises ArchiveError."""
    number = number_of(arguments.number) if arguments.number else None
    if arguments.number and number is None:
        raise ArchiveError("error.archive.no_number")
    since, until = moment(arguments.since, tell.zone), moment(arguments.until, tell.zone, whole=True)
    if since and until and since >= until:
        raise ArchiveError("error.archive.from_after_to")
    return Query(
        number=number,
        since=since,
        until=until,
        lines=tuple(arguments.line) if arguments.line else None,
        agents=tuple(arguments.agent) if arguments.agent else None,
        held=True if arguments.held else None,
    )


def _count(viewing: Viewing, query: Query, tell: Texts) -> int:
    with Progress() as running:

        def report(seen: int, _found: int) -> None:
            running.tell(lambda: tell("archive.counting", count=seen))

        return viewing.archive.find.count(query, report)


def _as_json(row: RecordingRow) -> dict[str, Any]:
    return {
        "recording": row.recording,
        "call": row.call,
        "line": row.line,
        "agent": row.agent,
        "direction": row.direction.value,
        "number": row.number,
        "opened_at": row.opened_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "seconds": row.seconds,
        "stored_seconds": row.stored,
        "broke_off": row.broke_off,
        "time_zone": row.time_zone,
        "opens_for": [role.value for role in row.opens_for],
        "expires": {purpose.value: day.isoformat() for purpose, day in row.expires.items()},
        "holds": [{"hold": one.hold, "raised_for": one.raised_for, "at": one.at.isoformat()} for one in row.holds],
        "restricted": row.restricted,
        "bytes": row.bytes,
        "cursor": str(Cursor(row.opened_at, row.recording)),
    }
