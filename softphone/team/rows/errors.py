"""What the database refuses, as errors with the product's codes. No message holds a value of a row."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from softphone.domain.errors import TeamError


class SignedOutError(TeamError):
    """The token is nobody's whose session lives: it ended, ran out, or its desk was revoked."""


class NotPermittedError(TeamError):
    """`deed` names what they wanted, for the log."""

    def __init__(self, deed: str) -> None:
        super().__init__("error.team.not_yours")
        self.deed = deed


class MissingError(TeamError):
    """It is not here, or not for who asks."""


class ConflictError(TeamError):
    """It contradicts what is here."""


class WrongError(TeamError):
    """What was sent does not hold together."""


class TooManyError(TeamError):
    """A desk may do so much of it in a minute, or a day. `seconds`: until it may go on."""


class UnavailableError(TeamError):
    """The database does not answer, or took too long: the same may work later."""


_ENDED = frozenset({"25P03", "57P05"})
"""PostgreSQL has ended a connection that said nothing for too long"""


@contextmanager
def told(deed: str) -> Generator[None]:
    """Raises TeamError in place of what the driver raises. A fault of ours stays what it is."""
    try:
        yield
    except psycopg.Error as error:
        match error.sqlstate:
            case "KT401":
                raise SignedOutError("error.team.signed_out") from None
            case "KT403" | "42501":
                raise NotPermittedError(deed) from None
            case "KT404":
                raise MissingError("error.team.missing") from None
            case "KT409":
                raise ConflictError("error.team.conflict") from None
            case "KT429":
                raise TooManyError("error.team.too_many", seconds=600) from None
            case "KT422" | "23502" | "23503" | "23514" | "22P02" | "22007" | "22008" | "22023" | "2200S" | "23505":
                raise WrongError("error.team.wrong") from None
            case "42883" | "42P01" | "42703":
                # A function, a table or a column that this program names is not there: the tables are older than it is.
                raise UnavailableError("error.team.old_schema") from None
            case _ if isinstance(error, psycopg.OperationalError) or error.sqlstate in _ENDED:
                raise UnavailableError("error.team.unavailable", detail=error.sqlstate or "") from None
            case _ if isinstance(error, psycopg.DataError):
                raise WrongError("error.team.wrong") from None
            case _:
                raise
