"""The kinds of values a policy holds: a period, a share, a day, a number, a public key, a text in both languages.

Each refuses a wrong value with a code of its own, which `reading` turns into a fault. Each tells an editor how to write it.
Nothing here reads a file.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from softphone.domain.lines import EXTENSION
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Language


class PolicyPart(BaseModel):
    """A table of the policy: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class LocalText(PolicyPart):
    """A text in both languages. In the file one string may stand for both."""

    da: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    en: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]

    def __getitem__(self, language: Language) -> str:
        return self.da if language is Language.DA else self.en


def _both_languages(value: Any) -> Any:
    return {"da": value, "en": value} if isinstance(value, str) else value


_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_SHORT_NUMBER = re.compile(r"\+?\d{2,15}", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d{1,4})?) ?%", re.ASCII)
_KEYS = re.compile(r"(?:[0-9*#]{1,6})?", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9._+*#-]{1,64}@[A-Za-z0-9._:\[\]-]{1,253}", re.ASCII)
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_HOST = re.compile(r"(?=.{4,253}\Z)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}", re.UNICODE)

_LOW_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    )
)
"""points of Curve25519 that would seal for everybody (RFC 7748, section 6.1)"""


def _period(value: Any) -> Any:
    if isinstance(value, Period):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "text wanted")
    try:
        return Period.parse(value)
    except ValueError:
        raise PydanticCustomError("period", "no ISO 8601 period", {"value": value[:60]}) from None


def _without_months(value: Period) -> Period:
    if value.months:
        raise PydanticCustomError("period_of_days", "days and hours only", {"value": str(value)})
    return value


def _share(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("share", "a share is text", {"value": str(value)[:60]})
    match = _SHARE.fullmatch(value.strip())
    share = Fraction(match[1].replace(",", ".")) / 100 if match else None
    if share is None or share > 1:
        raise PydanticCustomError("share", "no share", {"value": value[:60]})
    return share


def share_text(share: Fraction) -> str:
    """As the file writes it: `10 %`, `2.5 %`."""
    percent = share * 100
    number = str(int(percent)) if percent.denominator == 1 else f"{float(percent):g}"
    return f"{number} %"


def _seconds(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise PydanticCustomError("mark", "no time in a sound", {"value": str(value)[:60]})
    return float(value)


def _line_number(value: str) -> str:
    """A national number is refused: it would be somebody else's abroad, and could be an extension here."""
    text = value.strip().removeprefix("sip:")
    if "@" in text:
        user, _, exchange = text.partition("@")
        if _ADDRESS.fullmatch(text):
            return f"{user}@{exchange.lower()}"
        raise PydanticCustomError("number", "no address", {"value": value[:60]})
    plain = re.sub(r"[ .()-]", "", text)
    if not (_NUMBER.fullmatch(plain) or EXTENSION.fullmatch(plain)):
        raise PydanticCustomError("number", "neither E.164 nor an extension", {"value": value[:60]})
    return plain


def _short_number(value: str) -> str:
    plain = re.sub(r"[ .()-]", "", value)
    if not _SHORT_NUMBER.fullmatch(plain):
        raise PydanticCustomError("short_number", "no number", {"value": value[:60]})
    return plain


def _public_key(value: str) -> str:
    try:
        raw = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32 or raw in _LOW_ORDER:
        raise PydanticCustomError("public_key", "no X25519 public key")
    return base64.b64encode(raw).decode("ascii")


def _signing_key(value: str) -> str:
    """Whether anybody could sign with it is seen where a signature is checked."""
    try:
        raw = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise PydanticCustomError("signing_key", "no Ed25519 public key")
    return base64.b64encode(raw).decode("ascii")


_SPOKEN = re.compile(r"[\w./-]*", re.UNICODE)
"""the part of a path that can be spoken: letters, digits, full stop, slash, dash and underscore"""
ABOUT_CALLS = re.compile(r"telefon|samtale|opkald|optag|call|record|phone", re.IGNORECASE)
_OF_CALLS = re.compile(rf"(?:www\.)?[^.]*(?:{ABOUT_CALLS.pattern})[^.]*\.[^.]+\.[^.]", re.IGNORECASE)
"""a subdomain of the company's own site: a company may be called *Telefonhuset*"""


def _page(value: str) -> str:
    """What is checked is what is heard: a query, a fragment or a port is not spoken, and a host alone is not a page (G06)."""
    try:
        parts = urlsplit(value.strip())
        sound = parts.scheme in ("https", "http") and _HOST.fullmatch(parts.hostname or "") and not parts.username
    except ValueError:
        raise PydanticCustomError("page", "no web address", {"value": value[:60]}) from None
    if not sound or re.search(r"\s", value.strip()):
        raise PydanticCustomError("page", "no web address", {"value": value[:60]})
    path = unquote(parts.path)
    if parts.query or parts.fragment or _port(parts) or value.strip()[-1] in "?#" or not _SPOKEN.fullmatch(path):
        raise PydanticCustomError("page_spoken", "not what is said", {"value": value[:60]})
    if not path.strip("/") and not _OF_CALLS.match(parts.hostname or ""):
        raise PydanticCustomError("page_front", "a host alone", {"value": value[:60]})
    return value.strip()


def _port(parts: SplitResult) -> bool:
    try:
        return parts.port is not None
    except ValueError:
        return True


def _keys(value: str) -> str:
    if not _KEYS.fullmatch(value):
        raise PydanticCustomError("keys", "no keys of a telephone", {"value": value[:60]})
    return value


def _zone(value: str) -> str:
    try:
        if not _ZONE.fullmatch(value):
            raise ValueError(value)
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("time_zone", "no IANA zone", {"value": value[:60]}) from None
    return value


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == len("2026-11-25") else "")
    except ValueError:
        raise PydanticCustomError("day", "no day", {"value": str(value)[:60]}) from None


def _host(value: str) -> str:
    host = value.strip().lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    # something that looks like a wrong address is not a name either
    if not _HOST_NAME.fullmatch(host) or re.fullmatch(r"[\d.]+", host):
        raise PydanticCustomError("host", "no host", {"value": value[:60]})
    return host


def _address(value: str) -> str:
    address = value.strip().removeprefix("sip:")
    if not _ADDRESS.fullmatch(address):
        raise PydanticCustomError("address", "no SIP address", {"value": value[:60]})
    return address


def _written(pattern: str, *examples: str) -> WithJsonSchema:
    """Its schema for an editor: text, with a pattern and examples."""
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


_PERIOD = r"^P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$"
_PERIOD_OF_DAYS = r"^P(?=\d|T\d)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
BothLanguages = Annotated[
    LocalText,
    BeforeValidator(_both_languages, json_schema_input_type=str | LocalText),
]
Length = Annotated[Period, BeforeValidator(_period), PlainSerializer(str), _written(_PERIOD, "P3M", "P5Y")]
"""ISO 8601, calendar months allowed"""
DayLength = Annotated[
    Period,
    AfterValidator(_without_months),
    BeforeValidator(_period),
    PlainSerializer(str),
    _written(_PERIOD_OF_DAYS, "P14D", "PT8S"),
]
Share = Annotated[
    Fraction,
    BeforeValidator(_share),
    PlainSerializer(share_text),
    _written(r"^\s*(100([.,]0+)?|\d{1,2}([.,]\d{1,4})?) ?%\s*$", "10 %", "2.5 %"),
]
"""0 to 1; in the file a percentage"""
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""a day of the calendar, in the policy's time zone"""
LineNumber = Annotated[
    str,
    AfterValidator(_line_number),
    _written(
        r"^(\+[1-9][\d .()-]{6,24}|\d{2,5}|(sip:)?[^@\s]+@[^@\s]+)$", "+45 70 10 20 30", "100", "salg@pbx.example"
    ),
]
"""E.164, spaces allowed in the file; an extension; or a user at an exchange"""
ShortNumber = Annotated[str, AfterValidator(_short_number), _written(r"^\+?[\d .()-]{2,24}$", "112", "+4570102030")]
"""E.164, an extension, or a short number such as 112"""
PublicKey = Annotated[str, AfterValidator(_public_key), _written(r"^\s*[A-Za-z0-9+/]{43}=\s*$")]
"""X25519, 32 bytes in base64"""
SigningKey = Annotated[str, AfterValidator(_signing_key), _written(r"^\s*[A-Za-z0-9+/]{43}=\s*$")]
"""Ed25519, 32 bytes in base64"""
Page = Annotated[
    str, AfterValidator(_page), WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"})
]
Keys = Annotated[str, AfterValidator(_keys), _written(r"^[0-9*#]{0,6}$", "*9")]
"""keys of a telephone; empty for none"""
OneKey = Annotated[str, StringConstraints(pattern=r"^[0-9*#]?$")]
"""one key of a telephone; empty for none"""
ZoneName = Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Copenhagen"]})]
Host = Annotated[str, AfterValidator(_host), WithJsonSchema({"type": "string", "examples": ["10.0.0.5"]})]
"""an IP address or a host's name"""
SipAddress = Annotated[str, AfterValidator(_address), _written(r"^(sip:)?[^@\s]+@[^@\s]+$", "204@pbx.example")]
Seconds = Annotated[float, BeforeValidator(_seconds), WithJsonSchema({"type": "number", "minimum": 0})]
"""into a sound file, from its beginning"""
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal"""
