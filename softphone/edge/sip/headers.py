"""What each header that PJSIP parses may say: a pattern of how it is rewritten, and a way there from other honest spellings.

A value that fits its pattern stays as it is. Any other is tightened (white space, folded lines, escaped control characters,
addresses without brackets) and has to fit then. Headers without a rule are text (RFC 3261's extension-header).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from softphone.edge.sip import grammar as g
from softphone.edge.sip.malformed import Malformed

MOST_SECONDS = 2**31 - 1
MOST_WAITED = 86_400
"""of Min-Expires and Min-SE: a registrar's 4294967295 makes PJSIP register thousands of times a second"""
MOST_VALUE = 1_024
"""Characters of a value that has a rule. pjsua2 has to repeat many of them in a message of its own, which has 4000.

A long one would also take long to tighten.
"""
MOST_LIST = 4_096
"""of a comma list on one line"""


class Rule(NamedTuple):
    pattern: re.Pattern[str]
    tightened: Callable[[str], str]
    split: bool = False
    """a comma list that becomes one header for each value"""
    most: int = 1
    """the most values that a message may have"""
    limit: int = 0
    """of the number that it begins with"""


_LOOSE_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*+"')
_PIECE = re.compile(rf'({_LOOSE_QUOTED.pattern})|(<[^<>"]*+>)|([^"<>]++)')
_ESCAPED_CONTROL = re.compile(r"\\[\x00-\x1f\x7f]")
_SPACES = re.compile(r" {2,}")
_ADDR_SPEC = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*+:[^;<>\",? ]++)((?:;.*)?)", re.DOTALL)
_NAMED = re.compile(r'([^"<>]*?) ?(<[^<>"]*+>)(.*)', re.DOTALL)
_UNQUOTED = re.compile(r"[^\",;<>\\\x00-\x1f\x7f]++")
_PARAM = re.compile(rf"{g.TOKEN}(?:={g.PARAM_VALUE})?")
_TOKENS = re.compile(rf"{g.TOKEN}(?: {g.TOKEN})*+")


def _tightener(separators: str) -> Callable[[str], str]:
    around = re.compile(rf" ?([{re.escape(separators)}]) ?")

    def tightened(value: str) -> str:
        pieces: list[str] = []
        end = 0
        for piece in _PIECE.finditer(value):
            if piece.start() != end:
                break
            end = piece.end()
            if piece[3] is not None:
                pieces.append(around.sub(r"\1", _SPACES.sub(" ", piece[3])))
            elif piece[1] is not None:
                pieces.append(_ESCAPED_CONTROL.sub("", piece[1]))
            else:
                pieces.append(piece[0])
        if end != len(value):
            return value
        return "".join(pieces).strip(" ")

    return tightened


_params = _tightener(";=,")
_slashed = _tightener(";=,/")
_via = _tightener(";=,/:")


def _spaced(value: str) -> str:
    return _SPACES.sub(" ", value)


def _address(value: str) -> str:
    """The name without quotes if it needs none, else in quotes; the URI in brackets."""
    value = _params(value)
    if bare := _ADDR_SPEC.fullmatch(value):
        return f"<{bare[1]}>{bare[2]}"
    if value.startswith('"'):
        name, quote, rest = value.rpartition('"<') if '"<' in value else value.rpartition('" <')
        return f'{name}" <{rest}' if quote else value
    if named := _NAMED.fullmatch(value):
        name = named[1].strip(" ")
        if name and not _TOKENS.fullmatch(name) and _UNQUOTED.fullmatch(name):
            name = f'"{name}"'
        return f"{name}{' ' if name else ''}{named[2]}{named[3]}"
    return value


def _number(value: str) -> str:
    """Without leading zeros."""
    value = _params(value)
    return re.sub(r"^0+(?=[0-9])", "", value)


def _state(value: str) -> str:
    """Without what is no parameter: Linphone says `terminated;reason=reason=noresource`, and it is the state that counts."""
    state, *params = _params(value).split(";")
    return ";".join((state, *(one for one in params if _PARAM.fullmatch(one))))


def _numbered(value: str) -> str:
    return re.sub(r"(?<![^ ])0+(?=[0-9])", "", _spaced(value))


_SECONDS = r"(?:0|[1-9][0-9]{0,9})"
_MOMENTS = r"(?:0|[1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8})(?![0-9])"
_LIST = rf"{g.TOKEN}(?:, ?{g.TOKEN}){{0,31}}"
_AUTH_PARAM = rf"{g.TOKEN}=(?:{g.QUOTED}|{g.TOKEN})"
_DIALOG = rf"{g.WORD}(?:@{g.WORD})?"


def _rule(pattern: str, tightened: Callable[[str], str], *, split: bool = False, most: int = 1, limit: int = 0) -> Rule:
    return Rule(re.compile(pattern), tightened, split, most, limit)


_ROUTE = rf"(?!.*;(?ai:hide)[;=>]){g.NAME}<{g.SIP_URI}>{g.PARAMS}"
_TAG = r"(?!.*;(?ai:tag)(?:;|$|=[\"\[]|.*;(?ai:tag)=))"
_PARTY = rf"{_TAG}{g.NAME}<(?:{g.SIP_URI}|{g.TEL_URI})>{g.PARAMS}"
_CONTACT_PARAMS = (
    rf"(?:;(?ai:expires)={_MOMENTS}|;(?ai:q)=(?:0(?:\.[0-9]{{0,3}})?|1(?:\.0{{0,3}})?)"
    rf"|;(?!(?ai:expires|q)(?![A-Za-z0-9\-.!%*_+`'~])){g.TOKEN}(?:={g.PARAM_VALUE})?)*+"
)
_IDENTITY = rf"{g.NAME}<(?:{g.SIP_URI}|{g.TEL_URI})(?:{g.URI_HEADERS})?>{g.PARAMS}"
_CHALLENGE = rf"{g.TOKEN} {_AUTH_PARAM}(?:, ?{_AUTH_PARAM}){{0,31}}"

CONTACT = _rule(rf"{g.NAME}<{g.PLAIN_SIP_URI}(?:{g.URI_HEADERS})?>{_CONTACT_PARAMS}", _address, split=True, most=32)
"""In a dialog: where pjsua2 sends to. It has no TLS, and aborts if an ACK goes to a sips URI."""
SECURE_CONTACT = _rule(rf"{g.NAME}<{g.SIP_URI}(?:{g.URI_HEADERS})?>{_CONTACT_PARAMS}", _address, split=True, most=32)
"""The same by TLS, where `paths` makes a `sip` address of it."""
BINDING = _rule(rf"\*|{CONTACT.pattern.pattern}", _address, split=True, most=32)
"""of a REGISTER"""
ELSEWHERE = _rule(
    rf"{g.NAME}<(?:{g.SIP_URI}(?:{g.URI_HEADERS})?|(?!(?ai:sips?:)){g.ANY_URI})>{_CONTACT_PARAMS}",
    _address,
    split=True,
    most=32,
)
"""In a redirection or a registrar's answer: other phones too, of any kind."""

RULES: dict[str, Rule] = {
    "Via": _rule(rf"SIP/2\.0/{g.TOKEN} {g.HOST}(?::{g.PORT})?{g.VIA_PARAMS}", _via, split=True, most=70),
    "From": _rule(_PARTY, _address),
    "To": _rule(_PARTY, _address),
    "Contact": CONTACT,
    "Route": _rule(_ROUTE, _address, split=True, most=16),
    "Record-Route": _rule(_ROUTE, _address, split=True, most=16),
    "Service-Route": _rule(_ROUTE, _address, split=True, most=8),
    "Path": _rule(_ROUTE, _address, split=True, most=8),
    "Call-ID": _rule(r"[!-~]++", str),
    "CSeq": _rule(rf"{_SECONDS} {g.TOKEN}", _numbered, limit=MOST_SECONDS),
    "Max-Forwards": _rule(_SECONDS, _number, limit=255),
    "Expires": _rule(_SECONDS, _number, limit=MOST_SECONDS),
    "Min-Expires": _rule(_SECONDS, _number, limit=MOST_WAITED),
    "Min-SE": _rule(rf"{_SECONDS}{g.PARAMS}", _number, limit=MOST_WAITED),
    "Session-Expires": _rule(rf"{_SECONDS}{g.PARAMS}", _number, limit=MOST_SECONDS),
    "Retry-After": _rule(rf"{_SECONDS}(?: ?\([^()\\\x00-\x1f\x7f]*+\))?{g.PARAMS}", _number, limit=MOST_SECONDS),
    "RSeq": _rule(_SECONDS, _number, limit=MOST_SECONDS),
    "RAck": _rule(rf"{_SECONDS} {_SECONDS} {g.TOKEN}", _numbered, limit=MOST_SECONDS),
    "Content-Type": _rule(rf"{g.TOKEN}/{g.TOKEN}{g.PARAMS}", _slashed),
    "Accept": _rule(
        rf"(?:{g.TOKEN}/{g.TOKEN}{g.PARAMS}(?:, ?{g.TOKEN}/{g.TOKEN}{g.PARAMS}){{0,31}})?", _slashed, most=8
    ),
    "Allow": _rule(rf"(?:{_LIST})?", _params, most=16),
    "Supported": _rule(rf"(?:{_LIST})?", _params, most=16),
    "Require": _rule(_LIST, _params, most=16),
    "Proxy-Require": _rule(_LIST, _params, most=16),
    "Unsupported": _rule(_LIST, _params, most=16),
    "Allow-Events": _rule(_LIST, _params, most=16),
    "Event": _rule(rf"{g.TOKEN}{g.PARAMS}", _params),
    "Subscription-State": _rule(rf"{g.TOKEN}{g.PARAMS}", _state),
    "WWW-Authenticate": _rule(_CHALLENGE, _params, most=8),
    "Proxy-Authenticate": _rule(_CHALLENGE, _params, most=8),
    "Authorization": _rule(_CHALLENGE, _params, most=8),
    "Proxy-Authorization": _rule(_CHALLENGE, _params, most=8),
    "Refer-To": _rule(_IDENTITY, _address),
    "Referred-By": _rule(_IDENTITY, _address),
    "P-Asserted-Identity": _rule(_IDENTITY, _address, split=True, most=4),
    "P-Preferred-Identity": _rule(_IDENTITY, _address, split=True, most=4),
    "Replaces": _rule(rf"(?=.*;(?ai:to-tag)={g.TOKEN})(?=.*;(?ai:from-tag)={g.TOKEN}){_DIALOG}{g.PARAMS}", _params),
    "Reason": _rule(rf"{g.TOKEN}{g.PARAMS}", _params, split=True, most=8),
}

_OPAQUE = frozenset({"Call-ID", "Replaces"})
"""where brackets mean nothing"""
LEFT_OUT = frozenset({"P-Asserted-Identity", "P-Preferred-Identity", "Referred-By", "Reason"})
"""PJSIP keeps these as text, so a slip costs the header and not the call: what cannot be read vouches for nobody"""
_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
_SPELT = {
    name.lower(): name for name in (*RULES, "MIME-Version", "SIP-ETag", "SIP-If-Match", "Content-ID", "Remote-Party-ID")
}
_NAME = re.compile(g.TOKEN)


@lru_cache(1024)
def canonical(name: str) -> str:
    """A header's name as this package spells it. Raises Malformed if it is not one."""
    name = name.rstrip(" ")
    if not _NAME.fullmatch(name):
        raise Malformed("header_name")
    key = name.lower()
    return _COMPACT.get(key) or _SPELT.get(key) or key.title()


def values(name: str, rule: Rule, text: str, *, bounded: bool = True) -> list[str]:
    """The header's values, each rewritten. Raises Malformed."""
    if bounded and len(text) > MOST_LIST:
        raise Malformed(name, 513)
    found: list[str] = []
    for value in _split(text) if rule.split and "," in text else (text,):
        if bounded and len(value) > MOST_VALUE:
            raise Malformed(name, 513)
        fits = rule.pattern.fullmatch(value)
        if not fits:
            value = rule.tightened(value)
        if "%" in value and "<" in value and name not in _OPAQUE:
            value, fits = _IN_ANGLES.sub(_unescaped, value), None
        if not fits and not rule.pattern.fullmatch(value):
            raise Malformed(name)
        if rule.limit and any(int(number) > rule.limit for number in re.findall(r"[0-9]++(?=[ ;]|$)", value)[:2]):
            raise Malformed(name)
        if "[" in value and name not in _OPAQUE and not g.brackets_hold_addresses(value):
            raise Malformed(name)
        found.append(value)
    return found


def _unescaped(uri: re.Match[str]) -> str:
    """Without escapes for letters and digits: PJSIP would read `;%68ide` as `;hide`, and `;m%61ddr` as `;maddr`."""
    return _ESCAPED_SIGN.sub(lambda sign: chr(int(sign[0][1:], 16)), uri[0])


_IN_ANGLES = re.compile(r'<[^<>"]*+>')
_ESCAPED_SIGN = re.compile(r"%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])")
_ITEM = re.compile(rf'(?:[^",<>]++|{_LOOSE_QUOTED.pattern}|<[^<>"]*+>)++')


def _split(text: str) -> list[str]:
    """Split at commas outside quotes and brackets. An unbalanced text stays whole, and fits no pattern."""
    found: list[str] = []
    at = 0
    while item := _ITEM.match(text, at):
        found.append(item[0].strip(" "))
        at = item.end()
        if at == len(text):
            return found
        if text[at] != ",":
            break
        at += 1
    return [text]
