"""What a word on the command line may be: a path, a day, a number. A wrong one is refused with a sentence, status 2."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.domain.purpose import Language
from softphone.texts import Texts

if TYPE_CHECKING:
    from softphone.domain.policy import Period

_YEARS = range(1900, 3000)
"""for a day that somebody may write: what is reckoned from it must be a day too"""


def word(texts: Texts) -> Callable[[str], str]:
    """An empty one is a shell variable without a value. It is refused, and never means all or the current folder."""

    def parse(text: str) -> str:
        if not text.strip():
            raise argparse.ArgumentTypeError(texts("cli.empty"))
        return text

    return parse


def path(texts: Texts) -> Callable[[str], Path]:
    def parse(text: str) -> Path:
        return Path(word(texts)(text))

    return parse


def sound_file(texts: Texts) -> Callable[[str], Path]:
    def parse(text: str) -> Path:
        if text == "-":
            raise argparse.ArgumentTypeError(texts("cli.no_stdout"))
        return path(texts)(text)

    return parse


def choices(them: type[StrEnum]) -> list[str]:
    return [one.value for one in them]


def one_of(them: type[StrEnum]) -> Callable[[str], str]:
    """Any other word stays one, and argparse names the choices."""

    def parse(word: str) -> str:
        return them(word) if word in choices(them) else word

    return parse


def days(texts: Texts) -> Callable[[str], Period]:
    def parse(word: str) -> Period:
        from softphone.domain.policy import Period  # the whole policy's model, for a word of one command

        try:
            return Period.parse(word)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_period")) from None

    return parse


def language(texts: Texts) -> Callable[[str], Language]:
    def read(text: str) -> Language:
        try:
            return Language(text.lower())
        except ValueError:
            known = ", ".join(Language)
            raise argparse.ArgumentTypeError(texts("cli.one_of", known=known)) from None

    return read


def _refuse_far(at: date, texts: Texts) -> None:
    if at.year not in _YEARS:
        raise argparse.ArgumentTypeError(texts("cli.far_date", first=_YEARS[0], last=_YEARS[-1]))


def day(texts: Texts) -> Callable[[str], date]:
    def parse(text: str) -> date:
        try:
            asked = date.fromisoformat(text)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_date")) from None
        _refuse_far(asked, texts)
        return asked

    return parse


def moment(texts: Texts) -> Callable[[str], date | datetime]:
    def parse(word: str) -> date | datetime:
        try:
            at = date.fromisoformat(word) if len(word) == len("2026-11-25") else datetime.fromisoformat(word)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_moment")) from None
        _refuse_far(at, texts)
        return at

    return parse


_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_AHEAD = timedelta(days=31)


def still_to_come(texts: Texts) -> Callable[[str], datetime]:
    """The next time at which clocks here show it, or a day and a time."""

    def parse(text: str) -> datetime:
        now = datetime.now(UTC).astimezone()
        if clock := _CLOCK.fullmatch(text.strip()):
            at = now.replace(
                hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, tzinfo=None
            ).astimezone()
            return at if at > now else (at.replace(tzinfo=None) + timedelta(days=1)).astimezone()
        try:
            at = datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(texts("cli.quit.no_time")) from None
        if not now < at <= now + _AHEAD or len(text) <= len("2026-11-30"):
            raise argparse.ArgumentTypeError(texts("cli.quit.no_time"))
        return at

    return parse


def entry(texts: Texts) -> Callable[[str], int]:
    def parse(word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 18):  # what SQLite can count to
            raise argparse.ArgumentTypeError(texts("cli.log.no_entry"))
        return int(word)

    return parse


def policy_number(texts: Texts) -> Callable[[str], int]:
    def parse(word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 18):
            raise argparse.ArgumentTypeError(texts("cli.join.no_policy_number"))
        return int(word)

    return parse


def limit(texts: Texts) -> Callable[[str], int]:
    def parse(word: str) -> int:
        if not (word.isascii() and word.isdigit() and 1 <= int(word[:6]) <= 10_000 and len(word) <= 5):
            raise argparse.ArgumentTypeError(texts("cli.list.no_limit"))
        return int(word)

    return parse


def seconds(texts: Texts) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            long = float(text)
        except ValueError:
            long = 0.0
        if not 1 <= long <= 3600:
            raise argparse.ArgumentTypeError(texts("cli.no_seconds"))
        return long

    return parse


def waits(texts: Texts) -> Callable[[str], float]:
    """Seconds to wait, up to a day; 0: not at all."""

    def parse(text: str) -> float:
        try:
            long = float(text)
        except ValueError:
            long = -1.0
        if not 0 <= long <= 86_400:
            raise argparse.ArgumentTypeError(texts("cli.no_wait"))
        return long

    return parse
