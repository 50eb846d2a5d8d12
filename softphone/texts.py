"""Codes with parameters into sentences, in Danish and English. For desk, command line and reports alike.

A message id is a code (`card.headline.recording`), in both languages' catalogs: `<folder>/<language>/<catalog>.po`.
Nothing here knows Qt, and no sentence is written here.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language

_MONTHS = {
    Language.DA: ["jan.", "feb.", "mar.", "apr.", "maj", "jun.", "jul.", "aug.", "sep.", "okt.", "nov.", "dec."],
    Language.EN: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"],
}

_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""control characters, line breaks, changes of the direction of writing, and what no file's bytes can be"""


def is_plain(text: str) -> bool:
    """Whether it is one line without a control character."""
    return _COMMANDS.search(text) is None


def plain(text: str, keep: str = "") -> str:
    """Escape as JSON does (`\\u001b`) whatever would command a terminal, except `keep`."""
    return _COMMANDS.sub(lambda one: one[0] if one[0] in keep else f"\\u{ord(one[0]):04x}", text)


_MANY = 2
"""for a sentence that is said without a number"""


class _Shown(dict[str, object]):
    """A missing parameter leaves a gap in the sentence, never an error in front of a person."""

    def __missing__(self, _key: str) -> str:
        return "…"


class Texts:
    """The sentences of one language. `folder` holds a folder of compiled catalogs for each language."""

    def __init__(self, folder: Path, language: Language, time_zone: str | None = None) -> None:
        self.language = language
        self.zone: tzinfo | None = ZoneInfo(time_zone) if time_zone else None
        self._catalogs = _catalogs(folder, language)

    def __contains__(self, code: str) -> bool:
        return _sentence(self._catalogs, code, _MANY) is not None

    def __call__(self, code: str, /, **params: object) -> str:
        """The sentence for `code`, whose `error.` may be left out. An unknown code gives itself, so nothing is ever shown as
        empty.

        A sentence with a singular and a plural takes the one for `count`.
        """
        found = self._sentence(code, params)
        if found is None:
            text = ", ".join(f"{key}={value}" for key, value in params.items())
            return f"{code} ({text})" if text else code
        remedy = self._remedy(code, params)
        return f"{found} {remedy}" if remedy else found

    def halves(self, code: str, /, **params: object) -> tuple[str, str]:
        """What happened and what it means; and what to do about it, if a catalog holds that apart (`<code>.remedy`). Together
        they are the sentence."""
        remedy = self._remedy(code, params)
        return self(code, **params).removesuffix(f" {remedy}"), remedy

    def _remedy(self, code: str, params: Mapping[str, object]) -> str:
        if params.get("locked_in"):
            code = "doctor.locked"  # to correct it anywhere else would change nothing
        return (self._sentence(f"{code}.remedy", params) or "") if code else ""

    def _sentence(self, code: str, params: Mapping[str, object]) -> str | None:
        count = params.get("count")
        sentence = _sentence(self._catalogs, code, count if isinstance(count, int) else _MANY) if code else ""
        if sentence is None:
            return None
        return sentence.format_map(_Shown((key, self._shown(value)) for key, value in params.items()))

    def error(self, error: KlartoneError) -> str:
        """What happened, what it means, what to do."""
        return self(error.code, **error.params)

    def decimal(self, number: float, form: str = ".1f") -> str:
        """2,5 in Danish, 2.5 in English."""
        return f"{number:{form}}".replace(".", "," if self.language is Language.DA else ".")

    def clock(self, at: datetime, zone: tzinfo | None = None) -> str:
        """The time of day in the policy's zone (else the machine's): 10.42 in Danish, 10:42 in English."""
        local = at.astimezone(zone or self.zone)
        return local.strftime("%H.%M" if self.language is Language.DA else "%H:%M")

    def day(self, day: date) -> str:
        """25. feb. 2027, or 25 Feb 2027."""
        month = _MONTHS[self.language][day.month - 1]
        return f"{day.day}{'.' if self.language is Language.DA else ''} {month} {day.year}"

    def _shown(self, value: object) -> object:
        if isinstance(value, datetime):
            return self.clock(value)
        return self.day(value) if isinstance(value, date) else value


@lru_cache(4096)
def _sentence(catalogs: gettext.NullTranslations, code: str, count: int) -> str | None:
    """None for an unknown code: gettext gives that back as it came."""
    for known in (code, f"error.{code}"):
        for found in (catalogs.ngettext(known, known, count), catalogs.gettext(known)):
            if found != known:
                return found
    return None


@cache
def _catalogs(folder: Path, language: Language) -> gettext.NullTranslations:
    """Each catalog asks the next for what it does not know."""
    first = gettext.NullTranslations()
    for compiled in sorted((folder / language).glob("*.mo")):
        with compiled.open("rb") as file:
            first.add_fallback(gettext.GNUTranslations(file))
    return first
