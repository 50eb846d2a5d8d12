"""Whether this version of the program and the database's fit together. Tables and functions go first, services one by one."""

from __future__ import annotations

from softphone import __version__
from softphone.team.rows.errors import UnavailableError
from softphone.team.rows.pool import Transaction
from softphone.team.schema import HEAD, release

STANDS = "SELECT step, program, serves FROM schema_stands()"


async def newer_program(tx: Transaction) -> str:
    """The newer version that has set the database up, and still serves this one; empty: there is none. Raises UnavailableError
    where `init` has not been run by this version, or where this one is too old."""
    stands = await tx.row(STANDS)
    if stands is None or stands["step"] < HEAD or release(stands["program"]) < release(__version__):
        raise UnavailableError("error.team.old_schema")
    if release(stands["serves"]) > release(__version__):
        raise UnavailableError("error.team.old_program", program=__version__, found=stands["program"])
    return stands["program"] if release(stands["program"]) > release(__version__) else ""
