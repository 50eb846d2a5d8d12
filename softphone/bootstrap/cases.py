"""`klartone cases`: objections, and grounds under special circumstances, for data protection to decide (G23, G32)."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from softphone.archive.access import Viewer, opens, policy_recipients, require
from softphone.archive.archive import Archive
from softphone.archive.retention.cases import Case, open_cases
from softphone.archive.retention.deciding import decide
from softphone.bootstrap.archive.shared import opened, print_line, when, words_of
from softphone.bootstrap.archive.viewing import meant, policy_of, tell_of_other_keys, viewer_here
from softphone.bootstrap.audit import as_json as entry_as_json
from softphone.bootstrap.audit import entries_of, in_words
from softphone.bootstrap.home import Home, texts
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import local_day
from softphone.domain.roles import Deed
from softphone.texts import Texts

_LEAST_WORDS, _LEAST_LETTERS = 3, 10
"""a reason is a sentence: it is told to the person, and shown to whom they complain to"""


def cases_list(arguments: argparse.Namespace) -> int:
    """What is open, oldest first."""
    tell, now = texts(), datetime.now(UTC)
    with opened(arguments) as archive:
        viewer = _custody(arguments, archive, now)
        with archive.catalog.reading() as connection:
            found = open_cases(connection, now)
        own = [one for one in found if opens(archive, viewer, KeyRole.CUSTODY, one.recording)]
    for one in own:
        print_line(json.dumps(_as_json(one)) if arguments.json else f"{one.recording}  {_told(one, tell)}")
    if not found and not arguments.json:
        print_line(tell("cases.none"))
    tell_of_other_keys(len(found) - len(own))
    return 0


def cases_show(arguments: argparse.Namespace) -> int:
    """With what the log tells of the recording."""
    tell, now = texts(), datetime.now(UTC)
    with opened(arguments) as archive:
        viewer = _custody(arguments, archive, now)
        row = meant(archive, viewer, arguments.id, now, Deed.DECIDE_CASE)
        with archive.catalog.reading() as connection:
            found = open_cases(connection, now, row.recording)
        if not found:
            raise ArchiveError("error.cases.none", id=row.recording)
        entries = entries_of(archive, row)
    if arguments.json:
        told = {"cases": [_as_json(one) for one in found], "audit": [entry_as_json(entry) for entry in entries]}
        print_line(json.dumps(told, ensure_ascii=False))
        return 0
    for one in found:
        print_line(f"{one.recording}  {_told(one, tell)}")
    print_line("")
    print_line(tell("archive.show.audit"))
    for entry in entries:
        at = when(entry.at, row) if entry.at else "–"
        print_line(f"{entry.number:>5}  {at:<25}  {entry.rule:<4} {in_words(entry, tell)}")
    return 0


def cases_decide(arguments: argparse.Namespace) -> int:
    tell, now = texts(), datetime.now(UTC)
    reason = words_of(arguments.reason, "--reason")
    if not reason:
        raise ArchiveError("error.cases.reason")
    if len(reason.split()) < _LEAST_WORDS or sum(one.isalpha() for one in reason) < _LEAST_LETTERS:
        raise ArchiveError("error.cases.reason_short")
    with opened(arguments) as archive:
        viewer = _custody(arguments, archive, now)
        recording = meant(archive, viewer, arguments.id, now, Deed.DECIDE_CASE).recording
        # Whom it is opened for again stands in the policy; what is upheld needs none.
        settings, _ = Home.of(arguments).settings(only_look=True)
        recipients = [] if arguments.uphold else policy_recipients(policy_of(settings, archive))
        done = decide(
            archive,
            recording,
            now,
            uphold=arguments.uphold,
            reason=reason,
            recipients=recipients,
            purpose=arguments.purpose,
        )
    for one in done.cases:
        code = "upheld" if arguments.uphold else "rejected"
        print_line(tell(f"cases.{code}", id=recording, purpose=tell(f"purpose.{one.kind.purpose}")))
    if done.gone:
        print_line(tell("cases.gone"))
    elif done.held:
        print_line(tell("cases.held"))
    if arguments.uphold:
        print_line(tell("cases.remembered" if done.remembered else "cases.not_remembered"))
    print(tell("cases.tell.upheld" if arguments.uphold else "cases.tell.rejected"), file=sys.stderr)  # noqa: T201
    return 0


def _custody(arguments: argparse.Namespace, archive: Archive, now: datetime) -> Viewer:
    viewer = viewer_here(arguments, archive, by_keys=True)
    require(archive, viewer, Deed.DECIDE_CASE, now)
    return viewer


def _told(one: Case, tell: Texts) -> str:
    said = [tell(f"cases.kind.{one.kind}", line=one.line or "–", day=local_day(one.received_at, one.time_zone))]
    said.append(tell("cases.overdue" if one.overdue else "cases.decide_by", day=one.deadline))
    if one.goes_on is not None:
        said.append(tell("cases.goes", day=one.goes_on))
    if one.held:
        said.append(tell("archive.locked"))
    return ", ".join(said)


def _as_json(one: Case) -> dict[str, str | bool | None]:
    return {
        "recording": one.recording,
        "kind": one.kind.value,
        "purpose": one.kind.purpose.value,
        "rule": one.kind.rule,
        "line": one.line,
        "received_at": one.received_at.isoformat(),
        "deadline": one.deadline.isoformat(),
        "overdue": one.overdue,
        "goes_on": one.goes_on.isoformat() if one.goes_on else None,
        "held": one.held,
    }
