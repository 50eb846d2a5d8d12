"""Codes with parameters into sentences, in Danish and English. For desk, command line and reports alike.

A message id is a code (`card.headline.recording`), in both languages' catalogs: `<folder>/<language>/<catalog>.po`.
Nothing here knows Qt, and no sentence is written here.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language

_MONTHS = {
    Language.DA: ["jan.", "feb.", "mar.", "apr.", "maj", "jun.", "jul.", "aug.", "sep.", "okt.", "nov.", "dec."],
    Language.EN: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}

_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""control characters, line breaks, changes of the direction of writing, and what no file's bytes can be"""


def is_plain(text: str) -> bool:
    """Whether it is one line without a control character."""
    return _COMMANDS.search(text) is None


def plain(text: str, keep: str = "") -> str:
    """Escape as JSON does (`\\u001b`) whatever would command a terminal, except `keep`."""
    return _COMMANDS.sub(lambda one: one[0] if one[0] in keep else f"\\u{ord(one[0]):04x}", text)


class _Shown(dict[str, object]):
    """A missing parameter leaves a gap in the sentence, never an error in front of a person."""

    def __missing__(self, _key: str) -> str:
        return "…"


class Texts:
    """The sentences of one language. `folder` holds a folder of compiled catalogs for each language."""

    def __init__(self, folder: Path, language: Language, time_zone: str | None = None) -> None:
        self.language = language
        self.zone: tzinfo | None = ZoneInfo(time_zone) if time_zone else None
        self._sentences = _sentences(folder, language)

    def __contains__(self, code: str) -> bool:
        return code in self._sentences or f"error.{code}" in self._sentences

    def __call__(self, code: str, /, **params: object) -> str:
        """The sentence for `code`, whose `error.` may be left out. An unknown code gives itself, so nothing is ever shown as
        empty.

        If `count` is 1 and `<code>.one` exists, it takes that.
        """
        if params.get("count") == 1 and f"{code}.one" in self._sentences:
            code = f"{code}.one"
        sentence = self._sentences.get(code, self._sentences.get(f"error.{code}")) if code else ""
        if sentence is None:
            text = ", ".join(f"{key}={value}" for key, value in params.items())
            return f"{code} ({text})" if text else code
        return sentence.format_map(_Shown((key, self._shown(value)) for key, value in params.items()))

    def error(self, error: KlartoneError) -> str:
        """What happened, what it means, what to do."""
        return self(error.code, **error.params)

    def clock(self, at: datetime) -> str:
        """The time of day in the policy's zone (else the machine's): 10.42 in Danish, 10:42 in English."""
        local = at.astimezone(self.zone)
        return local.strftime("%H.%M" if self.language is Language.DA else "%H:%M")

    def day(self, day: date) -> str:
        """25. feb. 2027, or 25 Feb 2027."""
        month = _MONTHS[self.language][day.month - 1]
        return f"{day.day}{'.' if self.language is Language.DA else ''} {month} {day.year}"

    def _shown(self, value: object) -> object:
        if isinstance(value, datetime):
            return self.clock(value)
        return self.day(value) if isinstance(value, date) else value


@cache
def _sentences(folder: Path, language: Language) -> Mapping[str, str]:
    sentences: dict[str, str] = {}
    for compiled in sorted((folder / language).glob("*.mo")):
        with compiled.open("rb") as file:
            catalog: dict[str, str] = gettext.GNUTranslations(file)._catalog  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
        sentences |= {str(code): str(text) for code, text in catalog.items() if code}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
    return sentences
