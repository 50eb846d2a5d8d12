"""`klartone cases`: objections, and grounds under special circumstances, for data protection to decide (G23, G32, G37)."""

from __future__ import annotations

import argparse
import json
import sys

from softphone.bootstrap.archive.shared import print_line, words_of
from softphone.bootstrap.archive.viewing import seeing, tell_of_other_keys
from softphone.bootstrap.home import texts
from softphone.cli.audit import as_json as entry_as_json
from softphone.cli.audit import audit_row
from softphone.cli.tables import show_table
from softphone.domain.archive.decisions import Case
from softphone.domain.errors import ArchiveError
from softphone.domain.retention import local_day
from softphone.texts import Texts

_LEAST_WORDS, _LEAST_LETTERS = 3, 10
"""a reason is a sentence: the person gets it, and so does the authority they complain to"""


def cases_list(arguments: argparse.Namespace) -> int:
    """What is open, oldest first."""
    tell = texts()
    with seeing(arguments, by_keys=True) as viewing:
        found = viewing.archive.cases.open()
    for one in found.rows:
        print_line(json.dumps(_as_json(one)) if arguments.json else f"{one.recording}  {_told(one, tell)}")
    if not found.rows and not found.others and not arguments.json:
        print_line(tell("cases.none"))
    tell_of_other_keys(found.others)
    return 0


def cases_show(arguments: argparse.Namespace) -> int:
    """With the log's entries about the recording."""
    with seeing(arguments, by_keys=True) as viewing:
        tell = texts(time_zone=viewing.time_zone)
        _row, found, entries = viewing.archive.cases.show(arguments.id)
    if arguments.json:
        fields = {"cases": [_as_json(one) for one in found], "audit": [entry_as_json(entry) for entry in entries]}
        print_line(json.dumps(fields, ensure_ascii=False))
        return 0
    for one in found:
        print_line(f"{one.recording}  {_told(one, tell)}")
    print_line("")
    print_line(tell("archive.show.audit"))
    show_table([audit_row(entry, tell) for entry in entries])
    return 0


def cases_decide(arguments: argparse.Namespace) -> int:
    tell = texts()
    reason = words_of(arguments.reason, "--reason")
    if not reason:
        raise ArchiveError("error.cases.reason")
    if len(reason.split()) < _LEAST_WORDS or sum(one.isalpha() for one in reason) < _LEAST_LETTERS:
        raise ArchiveError("error.cases.reason_short")
    with seeing(arguments, by_keys=True) as viewing:
        # The policy names those for whom it is opened again; upholding needs none.
        done = viewing.archive.cases.decide(
            arguments.id,
            uphold=arguments.uphold,
            reason=reason,
            policy=None if arguments.uphold else viewing.policy(),
            purpose=arguments.purpose,
        )
    for one in done.cases:
        code = "upheld" if arguments.uphold else "rejected"
        print_line(tell(f"cases.{code}", id=one.recording, purpose=tell(f"purpose.{one.kind.purpose}")))
    if done.gone:
        print_line(tell("cases.gone"))
    elif done.held:
        print_line(tell("cases.held"))
    if arguments.uphold:
        print_line(tell("cases.remembered" if done.remembered else "cases.not_remembered"))
    print(tell("cases.tell.upheld" if arguments.uphold else "cases.tell.rejected"), file=sys.stderr)  # noqa: T201
    return 0


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
