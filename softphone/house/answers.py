"""What the service answers the courier, read strictly: what answers in the house's place may say anything.

Whether to believe it is the asker's: a receipt by its key, a head by its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from softphone.domain.errors import UnreachableError
from softphone.domain.heads import Head
from softphone.house.connection import Answer

PART = 5 << 20
"""bytes of each part but the last, as the house counts them"""
_STATES = ("going_on", "stored", "erased")


@dataclass(frozen=True, slots=True)
class Upload:
    """`missing`: numbers of parts of this file, each once. `receipt`, `ended`: as they were told."""

    state: str
    missing: tuple[int, ...]
    receipt: str
    ended: str = ""


def upload_of(answer: Answer, size: int) -> Upload:
    """`size`: the file's bytes. This and the others raise UnreachableError for what is no such answer."""
    told = _object(answer)
    state, missing, receipt = told.get("state"), told.get("missing", []), told.get("receipt", "")
    ended = told.get("ended", "")
    if (
        state not in _STATES
        or not isinstance(missing, list)
        or not isinstance(receipt, str)
        or not isinstance(ended, str)
    ):
        raise _no_service(answer)
    numbers, parts = cast("list[Any]", missing), -(-size // PART)
    if not all(type(one) is int and 1 <= one <= parts for one in numbers) or len(set(numbers)) != len(numbers):
        raise _no_service(answer)
    return Upload(cast("str", state), tuple(numbers), receipt, ended)


def heads_of(answer: Answer) -> list[Head]:
    told = _object(answer).get("heads")
    if not isinstance(told, list):
        raise _no_service(answer)
    try:
        return [Head.of(one) for one in cast("list[Any]", told)]
    except ValueError:
        raise _no_service(answer) from None


def names(answer: Answer, name: str, value: str) -> bool:
    """Whether a list of texts in it has this one."""
    told = _object(answer).get(name, [])
    if not isinstance(told, list):
        raise _no_service(answer)
    return value in cast("list[Any]", told)


def says_true(answer: Answer, name: str) -> bool:
    return _object(answer).get(name) is True


def _object(answer: Answer) -> dict[str, Any]:
    told = answer.json
    if not isinstance(told, dict):
        raise _no_service(answer)
    return cast("dict[str, Any]", told)


def _no_service(answer: Answer) -> UnreachableError:
    return UnreachableError("error.house.no_service", status=answer.status)
