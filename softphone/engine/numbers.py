"""Numbers as SIP gives them into E.164, and what a person types into something that can be dialled."""

from __future__ import annotations

import re

import phonenumbers

from softphone.domain.errors import KlartoneError

_ADDRESS = re.compile(r"(?:sips?:)?[\w.+*#~!$&'()=-]+@[\w.\[\]:-]+(?:;[\w=.;-]+)?", re.IGNORECASE)
_SCHEME = re.compile(r"sips?:", re.IGNORECASE)
_DIGITS = re.compile(r"[+*#\d]+")
_SEPARATORS = re.compile(r"[\s().\-/]+")


def e164(number: str, region: str = "DK") -> str | None:
    """`+4520123456` of any usual spelling; None for what is no whole number (an extension, a withheld number)."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def user_part(address: str) -> str:
    """Who is called: the part before the `@` of a SIP address in any spelling, or the number itself."""
    return _SCHEME.sub("", address).partition("@")[0]


def spellings(number: str, country: str = "45") -> tuple[str, ...]:
    """`number`, and without its country code where it has one: a short number (112) may be written +45 112."""
    bare = _SEPARATORS.sub("", number)
    for prefix in (f"+{country}", f"00{country}"):
        if bare.startswith(prefix):
            return (bare, bare.removeprefix(prefix))
    return (bare,)


def dialled(typed: str) -> str:
    """What SIP can dial of what a person typed: a bare number or a SIP address. Raises KlartoneError."""
    text = typed.strip()
    if _ADDRESS.fullmatch(text):
        return text
    number = _SEPARATORS.sub("", text)
    if _DIGITS.fullmatch(number):
        return number
    raise KlartoneError("error.dial.target", target=text[:60])
