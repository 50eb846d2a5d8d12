"""Numbers from SIP into E.164, which of them are our own, and what a person types into something to be dialled."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import unquote

import phonenumbers

from softphone.domain.errors import KlartoneError
from softphone.domain.lines import EXTENSION, Names, host_of, names
from softphone.domain.policy import Policy

_ADDRESS = re.compile(r"(?:sips?:)?[\w.+*#~!$&'()=-]+@[\w.\[\]:-]+(?:;[\w=.;-]+)?", re.IGNORECASE | re.ASCII)
_SCHEME = re.compile(r"sips?:", re.IGNORECASE)
_TEL = re.compile(r"tel:([^;]*)(?:;.*)?", re.IGNORECASE)
_DIGITS = re.compile(r"[+*#\d]+", re.ASCII)
_SEPARATORS = re.compile(r"[\s().\-/]+")
_WHOLE = re.compile(r"\+?\d{3,17}", re.ASCII)
_EXTENSION_BEHIND = re.compile(r"(?:^|;)\s*ext\b", re.IGNORECASE)
_CONTEXT = re.compile(r";\s*phone-context=([^;]*)", re.IGNORECASE)
_USER_PHONE = re.compile(r";\s*user=phone\b", re.IGNORECASE)
LONGEST = 255
"""letters of what can be dialled"""


def e164(number: str, region: str = "DK") -> str | None:
    """`+4520123456` from any usual spelling; None if it is not a whole number (an extension, a withheld number).

    A number within other words is found too: that is the safe side of whatever forbids recording, or looks for somebody. What
    a call is recorded by is `called_number`.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def called_number(user: str, region: str = "DK") -> str | None:
    """As `e164`, of a called user that is nothing but a number.

    A word that has a number in it is none (`vm70102030`), nor are letters that stand for digits, nor an extension behind a
    number. Other parameters (RFC 3966) belong to a number that begins with `+` alone: they would say whose a shorter one is.
    """
    bare, parameters, told = user.partition(";")
    if parameters and (not bare.startswith("+") or _EXTENSION_BEHIND.search(told)):
        return None
    bare = _SEPARATORS.sub("", bare)
    return e164(bare, region) if _WHOLE.fullmatch(bare) else None


def is_number(text: str) -> bool:
    """Whether it can be dialled as it stands, an extension as well."""
    return bool(_DIGITS.fullmatch(text))


def user_part(address: str) -> str:
    """The called party: the part before the `@` of a SIP address in any spelling, or the number itself."""
    return _SCHEME.sub("", address).partition("@")[0]


def host_part(address: str) -> str:
    """The host of a SIP address, without port and parameters; empty for a bare number."""
    return host_of(_SCHEME.sub("", address).partition("@")[2])


def exchange_part(address: str) -> str:
    """The host of an account's address with its port, without parameters."""
    return re.split("[;?]", _SCHEME.sub("", address).partition("@")[2], maxsplit=1)[0]


def names_of(user: str, account: str, accounts: Iterable[str] = (), region: str = "DK") -> Names:
    """How a policy may name `user` at the exchange of `account`'s address, where the phone has `accounts`."""
    return names(user, called_number(user, region), exchange_part(account), {exchange_part(one) for one in accounts})


def names_called(uri: str, account: str, accounts: Iterable[str] = (), server: str = "", region: str = "DK") -> Names:
    """As `names_of`, of the URI that was called at `account`, where `server` is the name that the exchange has proved.

    A proxy may leave that URI as the caller wrote it. So a number of another plan, and an extension or a name at another
    host, are in doubt. An address literal is a host as exchanges write it for themselves or for the phone.
    """
    scheme, _, rest = uri.partition(":")
    tel = scheme.lower() == "tel"
    written, _, behind = (rest, "", "") if tel else rest.rpartition("@")
    user, _, told = unquote(written).partition(";")
    contexts = [one.lower() for one in _CONTEXT.findall(f";{told}")]
    if told and (user.startswith("+") or _CONTEXT.sub("", f";{told}").strip(";")):
        return names_of(f"{user};{told}", account, accounts, region)
    own = {one for one in (host_part(account).lower(), server.lower()) if one}
    host = host_of(behind).lower()
    near = bool(contexts) and own.issuperset(contexts) if tel else host in own or _is_literal(host)
    country = f"+{phonenumbers.country_code_for_region(region)}"
    theirs = any(one not in {country, *own} for one in contexts)
    is_number = tel or _USER_PHONE.search(behind) is not None
    named = names_of(user, account, accounts, region)
    if theirs or (is_number and not user.startswith("+") and not (near or contexts)):
        return Names((), (*named.sure, *named.doubtful))
    if near:
        return named
    sure = tuple(one for one in named.sure if one == called_number(user, region))
    return Names(sure, tuple(one for one in (*named.sure, *named.doubtful) if one not in sure))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_houses(policy: Policy, address: str, account: str, region: str = "DK") -> bool:
    """Whether the policy names that address as the house's: a line's number, an agent of a team, or one of `[house]`.

    A number is the house's only where `account`, the one that is called from, or an agent of a team has its own: at any
    other host it is somebody else's. A bare number goes to the account's own server.
    """
    number, host = user_part(address), host_part(address).lower()
    agents = [(user_part(agent), host_part(agent).lower()) for team in policy.team for agent in team.agents]
    if any(number == user and host in ("", at) for user, at in agents):
        return True
    if host not in ("", host_part(account).lower(), *(at for _, at in agents)):
        return False
    named = {*policy.house.numbers, *(one for line in policy.line for one in line.numbers)}
    at = host or host_part(account).lower()
    return not named.isdisjoint({number, e164(number, region), f"{number}@{at}"})


def is_internal(policy: Policy, number: str, host: str = "", region: str = "DK") -> bool:
    """Whether the other side is one of our own: a line's number, an agent of a team, or an extension.

    An extension has two to five digits, and is neither an emergency number nor a short number of the public network (1813).
    `host` is empty if only a number was dialled.
    """
    known = e164(number, region)
    ours = [one for line in policy.line for one in line.numbers]
    if known is not None and known in ours:
        return True
    for address in (*(one for one in ours if "@" in one), *(agent for team in policy.team for agent in team.agents)):
        if number == user_part(address) and host.lower() in ("", host_part(address).lower()):
            return True
    if not EXTENSION.fullmatch(number) or number in policy.emergency:
        return False
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return True  # 00: nothing that the public network could call
    return not phonenumbers.is_valid_short_number_for_region(parsed, region)


def spellings(number: str, country: str = "45") -> tuple[str, ...]:
    """`number`, and without its country code if it has one: a short number (112) may be written +45 112."""
    bare = _SEPARATORS.sub("", number)
    for prefix in (f"+{country}", f"00{country}"):
        if bare.startswith(prefix):
            return (bare, bare.removeprefix(prefix))
    return (bare,)


def dialled(typed: str) -> str:
    """What SIP can dial for what a person typed or somebody named: a bare number, also of a `tel:`, or a SIP address. Raises
    KlartoneError."""
    text = typed.strip()
    if len(text) > LONGEST:
        raise KlartoneError("error.dial.target", target=text[:60])
    if _ADDRESS.fullmatch(text):
        return text
    tel = _TEL.fullmatch(text)
    number = _SEPARATORS.sub("", tel[1] if tel else text)
    if _DIGITS.fullmatch(number):
        return number
    raise KlartoneError("error.dial.target", target=text[:60])


def linked(link: str) -> str:
    """What a link of a web page or a mail (`tel:%2B4512345678`, `sip:…?subject=…`) names to be dialled. Raises KlartoneError."""
    scheme, _, rest = unquote(link.strip().partition("?")[0]).partition(":")
    return dialled(f"{scheme}:{rest.removeprefix('//')}" if rest else scheme)


def dialable(named: str) -> str:
    """The same for what somebody else named; empty if this phone cannot call it."""
    try:
        return dialled(named)
    except KlartoneError:
        return ""
