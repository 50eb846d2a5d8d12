"""One person's request on the house's archive: judged by the domain in the transaction that answers it.

A refusal is in the log before it is told, with the code that the local archive has for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.archive.permission import NotPermitted, Viewer
from softphone.domain.errors import ArchiveError
from softphone.domain.roles import OPENS
from softphone.team.api.service import Service
from softphone.team.people.asking import Asking
from softphone.team.rows.pool import Transaction
from softphone.team.rows.viewing import Seer, seer

NOTE = "SELECT audit_note(%s, %s, %s, %s, %s)"


class RefusedError(Exception):
    """Not now, or not for them: `fault` is what they read, `event` and `told` what the log has of it first."""

    def __init__(self, fault: ArchiveError, event: str = "refused", **told: str) -> None:
        super().__init__(fault.code)
        self.fault, self.event, self.told = fault, event, told


@dataclass
class Seeing:
    """`call` and `recording`: what a refusal is about, for the log, once that is known."""

    tx: Transaction
    seer: Seer
    call: str = ""
    recording: UUID | None = None

    @property
    def viewer(self) -> Viewer:
        return self.seer.viewer

    def about(self, call: object, recording: UUID) -> None:
        self.call, self.recording = str(call or ""), recording


@asynccontextmanager
async def seeing(here: Service, asking: Asking) -> AsyncGenerator[Seeing]:
    """Raises ArchiveError for what the domain refuses, or RefusedError says; TeamError for what the database does."""
    one: Seeing | None = None
    try:
        async with here.rows.asking(asking.token) as tx:
            one = Seeing(tx, await seer(tx))
            yield one
    except NotPermitted as error:
        role = next((role for role, needed in OPENS.items() if needed is error.permission), None)
        told = {"deed": error.permission.value} | ({"role": role.value} if role else {})
        await _note(here, asking, one, "refused", told)
        raise error.fault from None
    except RefusedError as error:
        await _note(here, asking, one, error.event, error.told)
        raise error.fault from None


async def _note(here: Service, asking: Asking, one: Seeing | None, event: str, told: dict[str, str]) -> None:
    call, recording = (one.call, one.recording) if one else ("", None)
    async with here.rows.asking(asking.token) as tx:
        await tx.all(NOTE, event, "G11", call, recording, Jsonb(told))
