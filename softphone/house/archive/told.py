"""What the service's answers mean where the interface has words of its own for them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.house.archive.asking import Asking, refusing

_MISSING = "error.team.missing"
_CONFLICT = "error.team.conflict"
_SECONDS = 2.0
"""for what is asked again and again while somebody listens"""


def is_missing(error: ArchiveError) -> bool:
    return error.code == _MISSING


def answers(asking: Asking, path: str) -> bool:
    """Whether what is open may still be heard. Raises ArchiveError: no answer is not a yes."""
    try:
        with refusing():
            asking.connection.ask("GET", path, seconds=_SECONDS)
    except ArchiveError as error:
        if is_missing(error):
            return False
        raise
    return True


@contextmanager
def while_open(recording: str) -> Generator[None]:
    """What may no longer be heard, as the local archive says it; and that somebody else was faster."""
    try:
        yield
    except ArchiveError as error:
        if is_missing(error):
            raise ArchiveError("error.archive.closed_to_role", id=recording, role=KeyRole.TRAINING.value) from error
        if error.code == _CONFLICT:
            raise ArchiveError("error.review.changed_meanwhile") from error
        raise
