"""A web page and telephone keys as a person would say them: *nordlys punktum d k, skråstreg telefonsamtaler*, *stjerne ni*."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from softphone.domain.notice import Piece
from softphone.domain.purpose import Language

_SIGNS = {
    Language.DA: {".": " punktum ", "/": ", skråstreg ", "-": " bindestreg ", "_": " understreg "},
    Language.EN: {".": " dot ", "/": ", slash ", "-": " dash ", "_": " underscore "},
}
_KEYS = {
    Language.DA: ["nul", "et", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "stjerne", "firkant"],
    Language.EN: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "star", "hash"],
}


def spoken_page(page: str, language: Language) -> Piece:
    """A page without its scheme and `www`; a country's ending letter by letter, each sign by its name."""
    parts = urlsplit(page)
    host = ".".join(_unicode(label) for label in (parts.hostname or "").split("."))
    host = host.removeprefix("www.")
    path = unquote(parts.path).rstrip("/")
    signs = _SIGNS[language]
    said = _with_signs(_ending_spelled(host), signs) + _with_signs(path, signs)
    # A pause before it, so that whoever wants to write it down knows that it comes.
    return Piece(host + path, ", " + re.sub(r"\s+", " ", said).replace(" ,", ",").strip())


def spoken_keys(keys: str, language: Language) -> str:
    """Telephone keys by their names, one by one."""
    return " ".join(_KEYS[language]["0123456789*#".index(key)] for key in keys)


def _unicode(label: str) -> str:
    if label.startswith("xn--"):
        try:
            return label.encode("ascii").decode("idna")
        except UnicodeError:
            return label
    return label


def _ending_spelled(host: str) -> str:
    name, _, ending = host.rpartition(".")
    return f"{name}.{' '.join(ending)}" if len(ending) == 2 else host


def _with_signs(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(character, character) for character in text)
