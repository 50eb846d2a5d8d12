"""RFC 3261's terminals, and the few productions that many headers share, as pieces of regular expressions.

Every repetition is possessive or begins with what its neighbour cannot hold, so no input makes a match slow. Two things are
wider than the RFC, since honest peers need them: an underscore in a host name, and `#` in a user part (`*31#`). Case is
ASCII's alone: to Unicode `ſip` is `sip` too.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address

TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"  # noqa: S105 - RFC 3261's token
WORD = r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]++"
QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*+"'
"""A quoted string as it is rewritten: without control characters, even escaped ones."""

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_LABEL = r"[A-Za-z0-9_]++(?:-++[A-Za-z0-9_]++)*+"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}(?![A-Za-z0-9_.\-])"
_NAME = rf"(?![0-9.]++(?![A-Za-z0-9_\-]))(?![A-Za-z0-9_.\-]{{128}}){_LABEL}(?:\.{_LABEL})*+\.?"
_IPV6 = r"[0-9A-Fa-f:.]{2,45}+"
HOST = rf"(?:{_IPV4}|{_NAME}|\[{_IPV6}\])"
PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})(?![0-9])"

_ESCAPED = r"%[0-9A-Fa-f]{2}"
USER = rf"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|{_ESCAPED})++"
PASSWORD = rf"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|{_ESCAPED})*+"
_PARAMETER = rf"(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|{_ESCAPED})++"
_URI_PARAM_END = r"(?![A-Za-z0-9\-_.!~*'()\[\]/:&+$%])"
URI_PARAMS = (
    rf"(?:;(?ai:maddr)=(?:{_IPV4}|\[{_IPV6}\])|;(?ai:ttl)={_OCTET}(?![0-9])|;(?ai:transport)=[A-Za-z0-9\-]++"
    rf"|;(?!(?ai:maddr|ttl|transport){_URI_PARAM_END}){_PARAMETER}(?:={_PARAMETER})?)*+"
)
"""`maddr` holds an address only: pjsua2 would look a name up, and stand still meanwhile"""

_HEADER = rf"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$]|{_ESCAPED})"
URI_HEADERS = rf"\?{_HEADER}++={_HEADER}*+(?:&{_HEADER}++={_HEADER}*+)*+"

PARAM_VALUE = rf"(?:{TOKEN}|{QUOTED})"
"""without IPv6 addresses: PJSIP silently drops a message with one in an unknown parameter"""
PARAMS = rf"(?:;{TOKEN}(?:={PARAM_VALUE})?)*+"
"""`*(SEMI generic-param)` without white space"""

_ADDRESS = r"(?=[0-9A-Fa-f.]*+:)[0-9A-Fa-f:.]++"
VIA_PARAMS = (
    rf"(?:;(?ai:branch)={TOKEN}|;(?ai:rport)(?:={PORT})?|;(?ai:received)=(?:{_ADDRESS}|{HOST})|;(?ai:maddr)=(?:{_IPV4}|\[{_IPV6}\])|;(?ai:ttl)={_OCTET}(?![0-9])"
    rf"|;(?!(?ai:branch|rport|received|maddr|ttl)(?![A-Za-z0-9\-.!%*_+`'~])){TOKEN}(?:={PARAM_VALUE})?)*+"
)
"""`received` holds an IPv6 address without brackets"""

NAME = rf"(?:{QUOTED} |{TOKEN}(?: {TOKEN})*+ )?"
SIP_URI = rf"(?ai:sips?):(?:{USER}(?::{PASSWORD})?@)?{HOST}(?::{PORT})?{URI_PARAMS}"
PLAIN_SIP_URI = SIP_URI.replace("sips?", "sip", 1)
TEL_URI = r"(?ai:tel):\+?[0-9A-Fa-f*#().\-]++(?:;[A-Za-z0-9\-]++(?:=[A-Za-z0-9\-_.!~*'()\[\]/:&+$%]++)?)*+"
ANY_URI = r"[A-Za-z][A-Za-z0-9+.\-]*+:[A-Za-z0-9\-_.!~*'();/?:@&=+$,%#\[\]]++"

TEXT = re.compile(r"[^\x00-\x1f\x7f]*+")
"""TEXT-UTF8 on one line"""

_IN_QUOTES = re.compile(QUOTED)
_IN_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def brackets_hold_addresses(text: str) -> bool:
    """Whether each pair of brackets outside quotes holds an IPv6 address; the expressions above only see its characters."""
    if "[" not in text and "]" not in text:
        return True
    rest = _IN_QUOTES.sub("", text)
    for address in _IN_BRACKETS.findall(rest):
        try:
            IPv6Address(address)
        except ValueError:
            return False
    return not re.search(r"[\[\]]", _IN_BRACKETS.sub("", rest))
