"""Takes out of a text who it is about: numbers, names, addresses, secrets. By what the phone knows, and by their shapes.

What is taken out is counted by its kind, and gets a name that is the same each time, so that a log can still be followed.
It is no defence against whoever writes a log in order to get past it. No rule looks at the same letters again and again: a
log may be one long line.
"""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, cast
from urllib.parse import quote


class Kind(StrEnum):
    NUMBER = "number"
    NAME = "name"
    ADDRESS = "address"
    """the user part of a SIP or e-mail address, and an IP address that is not a private one"""
    SECRET = "secret"  # noqa: S105 - the kind's name
    HEADER = "header"
    """a SIP header that says who somebody is"""


_SHORTEST = 3
"""letters of a known word; shorter ones stand everywhere"""
_SHORTEST_NUMBER = 5
_KEY = 40
"""letters that a key has, at least"""
_NATIONAL = 8
"""digits at the end of a number by which it is known, with its country or without"""
_ORDINARY = frozenset(
    {"klartone", "desk", "engine", "edge", "agent", "phone", "telefon", "konto", "account", "salg", "sales", "support"}
    | {
        "root",
        "user",
        "home",
        "admin",
        "python",
        "localhost",
        "none",
        "true",
        "false",
        "audio",
        "call",
        "calls",
        "error",
    }
    | {"warning", "info", "debug", "klar", "ready", "kunde", "kunden", "test", "linux", "windows", "debian", "server"}
)
"""words of the program's and of telephony's own, which a name may be made of too"""
_IDENTITY = (
    r"From|To|Contact|P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID|Diversion|History-Info|Referred-By|"
    r"Refer-To|Reply-To|Call-Info|Identity|Subject|Authorization|Proxy-Authorization|WWW-Authenticate|"
    r"Proxy-Authenticate|Authentication-Info|Call-ID|Replaces|X-Klartone-[A-Za-z-]+|Klartone-[A-Za-z-]+|P-Called-Party-ID|"
    r"Organization"
)
_BREAK = r"(?:^|\n|\\r\\n|\\n|\\r|\r)"
_SECRET_WORDS = (
    "password|passwd|passphrase|pwd|kodeord|adgangskode|secret|token|api[_-]?key|authorization|credential|cookie"  # noqa: S105 - what a secret is called
    "|x-amz-signature"
)
_VALUE = r"\"[^\"\n<]+\"|'[^'\n<]+'|[\"']?[^\s\"',;<]+"
"""what may follow it: in quotation marks, or one word"""
_BEFORE_SHORT = (
    "from|to|by|user|username|ext|extension|number|dialled|called|caller|mailbox|fra|til|bruger|lokal|nummer"
)
"""words after which a known extension is one, and not any other figure"""
_WHOLE = {
    "user": Kind.ADDRESS,
    "mailbox": Kind.ADDRESS,
    "display_name": Kind.NAME,
    "number": Kind.NUMBER,
}
"""keys of JSON whose values say who somebody is"""
_PART = r"[^\s/\\\"'<>:|,;]{1,64}"
_HOME = (
    r"(?:/(?:home|media)/|[\\/]{1,4}(?:users|homes?|profiles?|documents and settings)\$?[\\/]{1,4})"
    rf"({_PART}(?:[ ]{_PART}){{0,3}}(?=[\\/])|{_PART})"
)
"""a folder that is called after somebody"""

_PERSONS = (Kind.NAME, Kind.ADDRESS)

Replace = Callable[[re.Match[str]], str]


class Redactor:
    """`taken` counts what was taken out."""

    def __init__(
        self,
        *,
        names: Iterable[str] = (),
        numbers: Iterable[str] = (),
        users: Iterable[str] = (),
        secrets: Iterable[str] = (),
        hosts: Iterable[str] = (),
        public: Iterable[str] = (),
    ) -> None:
        """Names of people and of this machine; numbers as anybody writes them; user parts of addresses; secrets whole. A part
        of a name that is a part of one of the `hosts` too, such as a company's, stays. So do
        `public` keys, which look like secrets."""
        self.taken: Counter[Kind] = Counter()
        self._public = frozenset(public)
        self._named: dict[tuple[Kind, str], str] = {}
        self._different: Counter[Kind] = Counter()
        self._rules = [
            *_known(Kind.SECRET, secrets, self._as(Kind.SECRET)),
            *self._shapes(),
            *_known(Kind.NUMBER, _whole_numbers(numbers), self._as(Kind.NUMBER)),
            *_known(Kind.ADDRESS, users, self._as(Kind.ADDRESS)),
            *_known(Kind.NAME, _with_parts(names, hosts), self._as(Kind.NAME)),
        ]
        if short := sorted({one for one in (*numbers, *users) if one.isdigit() and len(one) < _SHORTEST_NUMBER}):
            after = re.compile(rf"\b(?:{_BEFORE_SHORT})[^\w\n]{{1,4}}({'|'.join(short)})(?!\w)", re.IGNORECASE)
            self._rules.append((after, self._as(Kind.ADDRESS, 1)))
        if digits := sorted({one[-_NATIONAL:] for one in map(_digits, numbers) if len(one) >= _NATIONAL}):
            spaced = "|".join(r"[\s().\-/]{0,2}".join(one) for one in digits)
            self._rules.insert(
                0,
                (
                    re.compile(rf"(?<!\d)(?:(?:\+|00)\d{{1,3}}[\s().\-/]{{0,2}})?(?:{spaced})(?!\d)"),
                    self._as(Kind.NUMBER),
                ),
            )

    def text(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        for pattern, replace in self._rules:
            text = pattern.sub(replace, text)
        return text

    def data(self, value: Any) -> Any:
        """Of JSON: keys are the program's own words, and stay. What a key calls secret or somebody goes whole."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._below(key, one) for key, one in cast("Mapping[str, Any]", value).items()}
        if isinstance(value, list | tuple):
            return [self.data(one) for one in cast("Iterable[Any]", value)]
        return value

    def _below(self, key: str, value: Any) -> Any:
        kind = _WHOLE.get(key)
        if kind is None and re.search(_SECRET_WORDS, key, re.IGNORECASE) and key not in _SPOKEN:
            kind = Kind.SECRET
        return self._name(kind, value) if kind and isinstance(value, str) and value else self.data(value)

    def _as(self, kind: Kind, group: int = 0) -> Replace:
        """The text of one group gives way; what stands around it stays."""

        def replace(found: re.Match[str]) -> str:
            whole, start = found.group(), found.start()
            named = self._name(kind, found.group(group))
            return whole[: found.start(group) - start] + named + whole[found.end(group) - start :]

        return replace

    def _name(self, kind: Kind, text: str) -> str:
        self.taken[kind] += 1
        key = (kind, _digits(text)[-_NATIONAL:] if kind is Kind.NUMBER else text.casefold())
        if kind in _PERSONS:  # one person, by whatever rule it was found first
            key = next((one for one in ((of, key[1]) for of in _PERSONS) if one in self._named), key)
        if key not in self._named:
            self._different[kind] += 1
            self._named[key] = f"<{kind}-{self._different[kind]}>"
        return self._named[key]

    def _shapes(self) -> list[tuple[re.Pattern[str], Replace]]:
        secret, header, address, name, number = (
            self._as(Kind.SECRET, 1),
            self._as(Kind.HEADER, 1),
            self._as(Kind.ADDRESS, 1),
            self._as(Kind.NAME, 1),
            self._as(Kind.NUMBER),
        )
        i = re.IGNORECASE
        return [
            (
                re.compile(
                    r"-----BEGIN [A-Z0-9 ]{1,40}-----((?:(?:\s|\\[rn])*[A-Za-z0-9+/=]{4,}(?![\w.:]|-(?!----)))+)"
                ),
                secret,
            ),
            (re.compile(rf"{_BREAK}[ \t]*(?:{_IDENTITY}|[bfimrst])[ \t]*:[ \t]*([^\r\n\\]+)", i), header),
            (
                re.compile(
                    rf"\b(?:{_IDENTITY}|[ft])[ \t]{{0,9}}:[ \t]{{0,9}}([^\r\n<>]{{1,80}})(?=<(?:sips?|tel):)", i
                ),
                header,
            ),
            (re.compile(r"\btext=\"([^\"\n]{1,200})", i), header),
            (re.compile(r"\bWarning[ \t]{0,9}:[^\"\n]{0,80}\"([^\"\n]{1,200})", i), header),
            (re.compile(r"\bSubject[ \t]{0,9}:[ \t]{0,9}([^\r\n\\]+)", i), header),
            (re.compile(rf"{_BREAK}[osiep]=([^\r\n\\]+)"), header),
            (re.compile(rf"{_BREAK}k=([^\r\n\\]+)"), secret),
            (re.compile(r"\b(eyJ[\w-]{4,}(?:\.[\w-]+){1,4})"), secret),
            (re.compile(r"[?&](?:code|state|session_state)=([^\s&\"'<]+)", i), secret),
            (re.compile(r"a=(?:crypto|fingerprint|ice-pwd|ice-ufrag|identity)[:=]([^\r\n\\]+)", i), secret),
            (re.compile(r"\binline:([A-Za-z0-9+/=|:]+)", i), secret),
            (re.compile(r"\bBearer\s+([A-Za-z0-9._~+/=-]+)", i), secret),
            (re.compile(r"\b(?:response|cnonce|nonce|opaque)=\"?([^\",\s<]+)", i), secret),
            (
                re.compile(rf"(?:{_SECRET_WORDS})[\w-]{{0,40}}[\"']?\s{{0,9}}[:=]\s{{0,9}}({_VALUE})", i),
                secret,
            ),
            (
                re.compile(rf"(?:--(?:{_SECRET_WORDS})[\w-]{{0,40}}|(?:{_SECRET_WORDS}) (?:is|er)) ({_VALUE})", i),
                secret,
            ),
            (re.compile(rf"(?<![\w-])pw ?[:=] ?({_VALUE})", i), secret),
            (re.compile(r"://([^/\s@]+)@"), secret),
            (re.compile(r"\bhttps?://[^\s\"']+", i), self._query),
            (re.compile(_HOME, i), name),
            (re.compile(r"\"([^\"\n<>]{1,80})\"\s*<sips?:", i), name),
            (re.compile(r"\b(?:sips?|tel|callto):([^@\s;?<>\"',]+)", i), address),
            (re.compile(r"(?<![\w.+%/-])([\w.+%-]+)(?=(?:@|%40)[A-Za-z0-9.\[-])"), address),
            (re.compile(r"(?<![\w/+.-])([A-Za-z0-9+/_-]{40,}={0,2})(?![\w/+])"), self._blob),
            (
                re.compile(
                    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)|(?<![\w:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}(?![\w:])",
                    i,
                ),
                self._ip,
            ),
            (
                re.compile(
                    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d[.,\d]*)?|\d\d:\d\d:\d\d[.,\d]*"  # a time, which stays
                    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # an id of ours too
                    r"|\d{8}T\d{6}"
                    r"|(?<![A-Za-z0-9])(?<!\d\.)(?:\+|00)\d[\d ().\-/\u00a0\u202f]{5,18}\d(?!\w)"
                    r"|(?<![A-Za-z0-9+])(?<!\d\.)\d{6}[- ]?\d{4}(?![\w-])"
                    r"|(?<![A-Za-z0-9+])(?<!\d\.)\d\d(?:[ .\-/\u00a0\u202f]\d\d){3}(?!\w)"
                    r"|(?<![A-Za-z0-9+])(?<!\d\.)\d\d(?:[ \-/]\d{6}|\.\d{3}\.\d{3})(?![\w.])"
                    r"|(?<![A-Za-z0-9+])(?<!\d\.)\d{2,4}(?:[ \-/\u00a0\u202f]\d{2,4}){1,6}(?!\w)"
                    r"|(?<![A-Za-z0-9+])(?<!\d\.)\d{8,15}(?!\w|\.\d)",
                    i,
                ),
                self._number_or_time,
            ),
            (re.compile(r"%2B\d{6,15}", i), number),
        ]

    def _query(self, found: re.Match[str]) -> str:
        """What an address says of somebody stands behind its path: also a code to join a house, behind `#`."""
        place, mark, query = [*re.split("([?#])", found.group(), maxsplit=1), "", ""][:3]
        return place + mark + (self._name(Kind.SECRET, query) if query else "")

    def _blob(self, found: re.Match[str]) -> str:
        """Letters and digits both: a key. A long word is none, nor is a path of short names."""
        text = found.group(1)
        if text in self._public:
            return found.group()
        short = text.startswith("/") and max(map(len, text.split("/"))) < _KEY
        path = "+" not in text and "=" not in text and (short or ("/" in text and not re.search(r"\d[A-Za-z]\d", text)))
        mixed = re.search(r"\d", text) and re.search(r"[A-Za-z]", text)
        return self._name(Kind.SECRET, text) if mixed and not path else found.group()

    def _ip(self, found: re.Match[str]) -> str:
        try:
            known = ipaddress.ip_address(found.group())
        except ValueError:
            return found.group()
        return self._name(Kind.ADDRESS, found.group()) if known.is_global else found.group()

    def _number_or_time(self, found: re.Match[str]) -> str:
        text = found.group()
        if re.match(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|[0-9a-f]{8}-|\d{8}T", text, re.IGNORECASE):
            return text
        # Groups of figures that are too few for a number stay.
        return self._name(Kind.NUMBER, text) if len(_digits(text)) >= _NATIONAL else text


_SPOKEN = frozenset({"password"})
"""of `account list`: whether there is one, in a word"""


def _known(kind: Kind, words: Iterable[str], replace: Replace) -> list[tuple[re.Pattern[str], Replace]]:
    """Longer ones first; in the forms in which a log or an address may have them."""
    found: set[str] = set()
    for word in words:
        plain = unicodedata.normalize("NFC", word).strip()
        least = 1 if kind is Kind.SECRET else _SHORTEST
        if plain.isdigit() and len(plain) < _SHORTEST_NUMBER:
            continue  # an extension: its address tells it from other figures
        if len(plain) >= least and (kind is Kind.SECRET or plain.casefold() not in _ORDINARY):
            found |= {plain, quote(plain), repr(plain.encode())[2:-1], json.dumps(plain)[1:-1], repr(plain)[1:-1]}
    if not found:
        return []
    edge = ("", "") if kind is Kind.SECRET else (r"(?<![^\W_])", r"(?:'?s)?(?![^\W_])")  # also somebody's
    words_ = "|".join(re.escape(one) for one in sorted(found, key=len, reverse=True))
    return [(re.compile(f"{edge[0]}(?:{words_}){edge[1]}", re.IGNORECASE), replace)]


def _with_parts(names: Iterable[str], hosts: Iterable[str]) -> list[str]:
    """A name whole, and each of its parts."""
    kept = {label.casefold() for host in hosts for label in re.split(r"[.:]", host)}
    parts = [part for name in names for part in (name, *re.split(r"[\s,._@-]+", name))]
    return [one for one in parts if one.casefold() not in kept]


def _whole_numbers(numbers: Iterable[str]) -> list[str]:
    """Short ones, such as extensions, as they stand."""
    return [one for one in numbers if one and len(_digits(one)) < _NATIONAL]


def _digits(text: str) -> str:
    return "".join(one for one in text if one.isdigit())
