"""What the commands on an archive share: opening it, and how they show a recording."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path

from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap.archive.opening import open_archive
from softphone.bootstrap.home import Home
from softphone.calls.numbers import e164, user_part
from softphone.domain.archive.recordings import RecordingRow
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.texts import Texts, is_plain, plain

WORDS = 500
"""the most characters behind an option"""
TIME = "%Y-%m-%d %H:%M:%S %z"
_NUMBER = re.compile(
    r"\d{8}"  # a phone number, or a CPR number in one
    r"|(?<!\d)(?:\d\d\s?){3}[-–]?\s?\d{4}(?!\d)"  # a CPR number
    r"|(?<!\d)(?:\d\d[\s.\-–]){3}\d\d(?!\d)|(?<!\d)\d{4}\s\d{4}(?!\d)"  # a phone number as it is written
    r"|(?:\+|\b00)\d{1,3}(?:[\s.\-–/()]*\d){6}"  # with its country's code
)
"""something that a person would read as one; a case's number, as 2026-117 or 2026/004512, is not"""
_DATE = re.compile(
    r"(?<![\d.\-/])(?:\d{4}-\d\d-\d\d|(?:0?[1-9]|[12]\d|3[01])[./-] ?(?:0?[1-9]|1[0-2])[./-] ?\d{4})(?![.\-/]?\d)"
)


@contextmanager
def opened(arguments: argparse.Namespace) -> Generator[MachineArchive]:
    """The archive that a command means: the named one, else the user's own. Raises ArchiveError."""
    archive = open_archive(folder_of(arguments), Home.of(arguments).folders.runtime)
    try:
        yield archive
    finally:
        archive.close()


def folder_of(arguments: argparse.Namespace) -> Path:
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    return arguments.archive or home.archive(settings)


def number_of(word: str) -> str | None:
    """A phone number in E.164; None: it is not one. `-` reads one line of standard input.

    An argument stands in the shell's history and, while the command runs, in everybody's list of processes.
    """
    return e164(sys.stdin.readline().strip() if word == "-" else word)


def party_of(word: str) -> str | None:
    """The same, or an extension or a name as a call came from it. None: neither."""
    said = sys.stdin.readline().strip() if word == "-" else word.strip()
    return e164(said) or (user if (user := user_part(said)) and " " not in user else None)


def line_of(text: str | None, option: str) -> str:
    """The words behind an option that go into the archive. Raises ArchiveError if they are long, or not one plain line."""
    words = (text or "").strip()
    if not is_plain(words):
        raise ArchiveError("error.archive.control_in_words", option=option)
    if len(words) > WORDS:
        raise ArchiveError("error.archive.long_words", option=option, length=len(words), most=WORDS)
    return words


def words_of(text: str | None, option: str) -> str:
    """As `line_of`. Raises ArchiveError if a phone or CPR number is in it, as far as its digits show; a date is not one."""
    words = line_of(text, option)
    if _NUMBER.search(_DATE.sub("", words)):
        raise ArchiveError("error.archive.number_in_words", option=option)
    return words


def state_of(row: RecordingRow, tell: Texts) -> str:
    """For what it is kept and until when, and whether only custody can open it."""
    case = row.is_case
    lines = [
        tell("archive.until", purpose=tell(f"purpose.{purpose}"), day=tell.day(row.expires[purpose]))
        if purpose in row.expires
        else tell(f"purpose.{purpose}")
        for purpose in (row.expires if case else row.purposes)
    ]
    if row.holds:
        access = all(one.raised_for == HoldBy.ACCESS for one in row.holds)
        lines.append(tell("archive.locked.access" if access else "archive.locked"))
    if case:
        lines.append(tell("archive.custody_decides"))
    elif not row.purposes:
        lines.append(tell("archive.custody_only"))
    return ", ".join(lines)


def here(at: datetime, zone: tzinfo | None = None) -> str:
    """In that zone (None: the machine's), with the distance from UTC."""
    return at.astimezone(zone).strftime(TIME)


def moment(asked: date | datetime | None, zone: tzinfo | None = None, *, whole: bool = False) -> datetime | None:
    """In that zone (None: the machine's), if it names none itself. `whole`: a date means the end of its day."""
    if asked is None:
        return None
    if not isinstance(asked, datetime):
        asked = datetime.combine(asked + timedelta(days=whole), time())
    return (asked if asked.tzinfo else asked.replace(tzinfo=zone)).astimezone(UTC)


def print_line(line: str) -> None:
    """Whatever stands in the archive becomes one line that commands no terminal."""
    print(plain(line))  # noqa: T201
