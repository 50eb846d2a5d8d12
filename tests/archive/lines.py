"""A policy's line with training, for tests that ask what the archive knows of a call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from uuid_utils import uuid7

from softphone.archive.changes.lookups import PartyQuery
from softphone.domain.policy import Line
from tests.archive.scene import AT, NUMBER


def line(share: str = "10 %", *, id: str = "salg", training: bool = True, **more: Any) -> Line:
    """`more` goes into its training: capacity, retention."""
    told = {"basis": "legitimate_interest", "sample": share, "why_this_number": "Nok til en samtale om ugen.", **more}
    return Line.model_validate({"id": id, "name": "Salg"} | ({"training": told} if training else {}))


def asked(
    line: Line,
    *,
    call: str | None = None,
    agent: str = "anna",
    number: str | None = NUMBER,
    at: datetime = AT,
) -> PartyQuery:
    return PartyQuery(call or str(uuid7()), agent, number, line, "Europe/Copenhagen", at)
