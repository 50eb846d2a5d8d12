"""What a party takes back, in all that the house has of it (G04, G23, G31), and agents' notes about its calls (G08, G37)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from uuid_utils import uuid7

from softphone.archive.crypto.note_seals import open_note
from softphone.domain.archive.decisions import AgentNote, Right, WithdrawalResult
from softphone.domain.events import Terms
from softphone.domain.purpose import Purpose
from softphone.house.archive.asking import Asking, decoded


@dataclass(frozen=True, slots=True)
class _Seal:
    key_id: str
    suite: str
    sealed: str


@dataclass(frozen=True, slots=True)
class _Note:
    call: str
    agent: str
    at: datetime
    until: date
    seals: tuple[_Seal, ...]


@dataclass(frozen=True, slots=True)
class _Notes:
    notes: tuple[_Note, ...]


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


class Rights:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def take_back(
        self,
        id: str,
        right: Right,
        terms: Terms,  # noqa: ARG002 - how long a hold may stand against it is the house's policy's to say
        purpose: Purpose | None = None,
        received: date | None = None,
    ) -> WithdrawalResult:
        return self._taken({"id": id}, right, purpose, received)

    def take_back_of_number(
        self,
        number: str,
        right: Right,
        terms: Terms,  # noqa: ARG002
        purpose: Purpose | None = None,
        received: date | None = None,
    ) -> WithdrawalResult:
        return self._taken({"number": number}, right, purpose, received)

    def _taken(
        self, which: dict[str, str], right: Right, purpose: Purpose | None, received: date | None
    ) -> WithdrawalResult:
        told = {"withdrawal": str(uuid7()), "right": right.value, "purpose": purpose and purpose.value}
        told |= {"received": str(received)} if received else {}
        return self._asking.post("/v1/rights", {**which, **told}, WithdrawalResult)

    def notes(self, number: str) -> Sequence[AgentNote]:
        found = self._asking.post("/v1/notes/find", {"number": number}, _Notes).notes
        return [
            AgentNote(one.call, one.agent, one.at, one.until, text)
            for one in found
            if (text := self._words(one)) is not None
        ]

    def _words(self, note: _Note) -> str | None:
        for one in note.seals:
            if private := self._asking.private_key(one.key_id):
                text = open_note(decoded(one.sealed), one.suite, private, note.call)
                if text is not None:
                    return text
        return None

    def erase_notes(self, number: str, reason: str) -> int:
        return self._asking.post("/v1/notes/erase", {"number": number, "reason": reason}, _Count).count
