"""`klartone archive marks`: a lead's own teams in points, month by month (L2, L4)."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator

from softphone.bootstrap.archive.shared import print_line
from softphone.bootstrap.archive.viewing import seeing
from softphone.bootstrap.home import texts
from softphone.cli.tables import show_table
from softphone.domain.archive.reviews import Mark, Marks
from softphone.domain.policy import Policy
from softphone.texts import Texts

COLUMNS = ("of", "who", "month", "item", "question", "calls", "points", "average")


def archive_marks(arguments: argparse.Namespace) -> int:
    """Each agent's from the reviews that live; a team's, of those that have ended, once five agents are in it."""
    tell = texts()
    with seeing(arguments) as viewing:
        marks = viewing.archive.reviews.marks()
        policy = viewing.policy_unless_refused()
    rows = [*_rows(marks, policy, tell)]
    if arguments.csv:
        written = csv.writer(sys.stdout, lineterminator="\n")
        written.writerow(COLUMNS)
        written.writerows([_harmless(cell) for cell in row] for row in rows)
    elif arguments.json:
        for row in rows:
            print_line(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False))
    elif rows:
        for of in ("agent", "team"):
            if those := [row for row in rows if row[0] == of]:
                print_line(tell(f"archive.marks.{of}s"))
                show_table([_columns(row, tell) for row in those])
    else:
        print_line(tell("archive.marks.none"))
    return 0


def _rows(marks: Marks, policy: Policy | None, tell: Texts) -> Iterator[tuple[str | int | float, ...]]:
    questions = {one.id: one.name[tell.language] for one in policy.score} if policy else {}
    teams = {one.id: one.name[tell.language] for one in policy.team} if policy else {}

    def row(of: str, who: str, mark: Mark) -> tuple[str | int | float, ...]:
        average = round(mark.points / mark.calls, 2)
        return of, who, mark.month, mark.item, questions.get(mark.item, ""), mark.calls, mark.points, average

    for one in marks.agents:
        yield row("agent", one.who, one)
    for one in marks.teams:
        yield row("team", teams.get(one.who, one.who), one)


def _columns(row: tuple[str | int | float, ...], tell: Texts) -> tuple[str, ...]:
    _, who, month, item, question, calls, _, average = row
    told = tell("archive.marks.average", average=tell.decimal(float(average), ".1f"), count=int(calls))
    return str(who), str(month), told, str(question or item)


def _harmless(cell: str | float) -> str | float:
    """A spreadsheet must not take words for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell
