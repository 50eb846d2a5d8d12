"""What custody should have decided in the house by now, for the desk of whoever is custody there."""

from __future__ import annotations

from datetime import date

from softphone.domain.archive.decisions import Overdue
from softphone.domain.errors import UnreachableError
from softphone.house.connection import Connection


def overdue(connection: Connection) -> Overdue:
    """Nothing for anybody else: nobody has asked, so nothing was refused. Raises HouseError, KeyringError."""
    answer = connection.ask("GET", "/v1/overdue")
    told = answer.json
    try:
        holds = tuple(date.fromisoformat(one) if one else None for one in told["holds"])
        return Overdue(holds, tuple(map(date.fromisoformat, told["cases"])))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreachableError("error.house.no_service", status=answer.status) from error
