"""The call passport: what a party was told and answered at one desk, for the desk that the call is transferred to. Pure.

What widens (told already, a yes) counts from a proved passport alone, for its own target and five minutes. A refusal
narrows, so it needs no proof. Who signs and who proves is not known here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose

if TYPE_CHECKING:
    from softphone.domain.events import CarriedAnswers

HEADER = "Klartone-Passport"
LIVES = timedelta(minutes=5)
AHEAD = timedelta(seconds=30)
"""how far another desk's clock may be ahead of this one"""
TOLD_WITHIN = timedelta(days=1)
"""how long before it was made the party was told at most: in the same conversation"""

Claims = dict[str, str | int]
_LETTERS = {"d": Purpose.DOCUMENTATION, "t": Purpose.TRAINING}
_TEXT = re.compile(r"[!-~]{1,128}")
_NEEDED = frozenset({"sub", "aud", "iat", "ctl", "line", "on", "yes", "no"})
_TOLD = frozenset({"notice", "lang", "told"})
_LATEST = 2**33


class Doubt(StrEnum):
    """Why nothing but the refusals of a passport counts."""

    UNREADABLE = "unreadable"
    UNPROVED = "unproved"
    """unsigned, forged, or signed by a key that no house key of the policy certifies"""
    LATE = "late"
    ANOTHER_TARGET = "another_target"
    USED = "used"
    """it came with another call before"""


@dataclass(frozen=True, slots=True)
class Told:
    """What the party heard there, and when."""

    notice: NoticeId
    language: Language
    at: datetime


@dataclass(frozen=True, slots=True)
class Passport:
    """`group`: the first call of all that belong together. `target`: the user part of the address that it was made for.
    `controller` and `line`: for whom the party was told; a controller by `fingerprint`."""

    group: str
    target: str
    made_at: datetime
    controller: str
    line: str
    told: Told | None = None
    active: frozenset[Purpose] = frozenset()
    """told of, and not refused"""
    agreed: frozenset[Purpose] = frozenset()
    """of these, what the party said yes to"""
    refused: frozenset[Purpose] = frozenset()


def fingerprint(controller: str) -> str:
    """Of a controller's name: two houses of that name are not told apart, and a house's key is."""
    return hashlib.sha256(controller.encode()).hexdigest()[:16]


def claims_of(passport: Passport) -> Claims:
    """As JSON has it, with the names of a JWT (RFC 7519) where they fit. Short, since it travels in a URI."""
    claims: Claims = {
        "sub": passport.group,
        "aud": passport.target,
        "iat": int(passport.made_at.timestamp()),
        "ctl": passport.controller,
        "line": passport.line,
        "on": _letters(passport.active),
        "yes": _letters(passport.agreed),
        "no": _letters(passport.refused),
    }
    if (told := passport.told) is not None:
        claims |= {"notice": told.notice.value, "lang": told.language.value, "told": int(told.at.timestamp())}
    return claims


def refusals_as_claims(refused: Collection[Purpose]) -> Claims:
    """All that an unsigned one says."""
    return {"no": _letters(refused)}


def read_passport(claims: Any) -> Passport | None:
    """None unless it says all that a passport says, and nothing else."""
    if not isinstance(claims, dict):
        return None
    found = cast("dict[str, Any]", claims)
    if frozenset(found) not in (_NEEDED, _NEEDED | _TOLD):
        return None
    texts = [found[name] for name in ("sub", "aud", "ctl", "line")]
    sets = [_purposes(found[name]) for name in ("on", "yes", "no")]
    made_at, (active, agreed, refused) = _moment(found["iat"]), sets
    if not all(isinstance(one, str) and _TEXT.fullmatch(one) for one in texts) or made_at is None:
        return None
    if active is None or agreed is None or refused is None or not agreed <= active or active & refused:
        return None
    told: Told | None = None
    if "notice" in found:
        at = _moment(found["told"])
        try:
            told = Told(NoticeId(found["notice"]), Language(found["lang"]), at) if at is not None else None
        except (ValueError, TypeError):
            return None
    if told is None and (active or "notice" in found):
        return None
    if told is not None and not made_at - TOLD_WITHIN <= told.at <= made_at:
        return None
    group, target, controller, line = texts
    return Passport(group, target, made_at, controller, line, told, active, agreed, refused)


def read_refusals(claims: Any) -> frozenset[Purpose]:
    """Also of claims that are none of a passport: whatever names a purpose as refused."""
    said = cast("dict[str, Any]", claims).get("no") if isinstance(claims, dict) else None
    return frozenset(_LETTERS[one] for one in said if one in _LETTERS) if isinstance(said, str) else frozenset()


def doubt_about(passport: Passport, targets: Collection[str], now: datetime) -> Doubt | None:
    """Of a proved one. `targets`: by what this desk was called, in every spelling."""
    if not now - LIVES <= passport.made_at <= now + AHEAD:
        return Doubt.LATE
    return None if passport.target.lower() in {one.lower() for one in targets} else Doubt.ANOTHER_TARGET


def carried(
    passport: Passport | None, refused: frozenset[Purpose], controller: str, line: str
) -> CarriedAnswers | None:
    """What counts on this line. `passport` is proved and about this call, or None; then the refusals alone count."""
    from softphone.domain.events import CarriedAnswers  # a phone that registers needs no session yet

    if (
        passport is not None
        and passport.told is not None
        and (passport.controller, passport.line) == (controller, line)
    ):
        told = passport.told
        return CarriedAnswers(
            _ordered(refused), _ordered(passport.active), _ordered(passport.agreed), told.notice, told.at
        )
    return CarriedAnswers(_ordered(refused)) if refused else None


def _ordered(purposes: Collection[Purpose]) -> tuple[Purpose, ...]:
    return tuple(one for one in Purpose if one in purposes)


def _letters(purposes: Collection[Purpose]) -> str:
    return "".join(letter for letter, one in _LETTERS.items() if one in purposes)


def _purposes(said: Any) -> frozenset[Purpose] | None:
    if not isinstance(said, str) or said not in ("", "d", "t", "dt"):
        return None
    return frozenset(_LETTERS[one] for one in said)


def _moment(said: Any) -> datetime | None:
    if type(said) is not int or not 0 < said < _LATEST:
        return None
    return datetime.fromtimestamp(said, UTC)
