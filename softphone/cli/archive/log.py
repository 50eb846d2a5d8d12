"""`klartone archive log`: the whole audit log, for data protection, a page at a time; in a house also for IT, without calls."""

from __future__ import annotations

import argparse
import json
import sys
from difflib import get_close_matches
from functools import partial

from softphone.bootstrap.archive.shared import moment, print_line
from softphone.bootstrap.archive.viewing import Viewing, seeing
from softphone.bootstrap.home import texts
from softphone.cli.audit import as_json, audit_row
from softphone.cli.progress import Progress
from softphone.cli.tables import show_table
from softphone.domain.archive.recordings import BATCH, AuditRow, Wanted
from softphone.domain.errors import ArchiveError
from softphone.texts import Texts


def archive_log(arguments: argparse.Namespace) -> int:
    """By the custody key alone: the log may be what says why the policy is refused."""
    with seeing(arguments, by_keys=True) as viewing:
        tell = texts(time_zone=viewing.time_zone)
        wanted = _wanted(arguments, tell)
        rows, more = _page(viewing, wanted, arguments.before, arguments.limit, tell)
        seen = {entry.event for entry in rows}
        there = list[str]() if seen.issuperset(wanted.events) else viewing.archive.log.events()
    for event in set(wanted.events).difference(there, seen):
        near = get_close_matches(event, there)
        code = "archive.log.no_event.near" if near else "archive.log.no_event"
        print(tell(code, event=event, events=", ".join(near or there)), file=sys.stderr)  # noqa: T201
    if arguments.json:
        for entry in rows:
            print_line(json.dumps(as_json(entry), ensure_ascii=False))
        return 0
    show_table([audit_row(entry, tell, entry.recording or "") for entry in rows])
    if more:
        print_line(tell("archive.log.more", number=rows[0].number))
    elif not rows:
        print_line(tell("archive.log.nothing"))
    return 0


def _wanted(arguments: argparse.Namespace, tell: Texts) -> Wanted:
    """Raises ArchiveError."""
    since, until = moment(arguments.since, tell.zone), moment(arguments.until, tell.zone, whole=True)
    if since and until and since >= until:
        raise ArchiveError("error.archive.from_after_to")
    return Wanted(since, until, tuple(arguments.event or ()), arguments.refusals, arguments.recording or "")


def _page(viewing: Viewing, wanted: Wanted, before: int | None, limit: int, tell: Texts) -> tuple[list[AuditRow], bool]:
    """Oldest first; and whether there are earlier ones."""
    rows, looked_at = list[AuditRow](), 0
    with Progress() as running:
        while True:
            found, before = viewing.archive.log.look(wanted, before, limit + 1 - len(rows))
            rows += found
            if before is None or len(rows) > limit:
                return rows[:limit][::-1], len(rows) > limit
            looked_at += BATCH
            running.tell(partial(tell, "archive.log.looking", count=looked_at))
