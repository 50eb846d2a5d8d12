"""The house's archive as one person sees it: behind `domain.archive.interface`, over the house's service.

The service finds, judges and logs. What is sealed is opened here, where the keys are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from softphone.archive.crypto.wraps import KeyStore
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.house.archive.asking import Asking, refusing
from softphone.house.archive.deciding import Cases, Judging
from softphone.house.archive.finding import Finding
from softphone.house.archive.holds import Holds
from softphone.house.archive.log import Log
from softphone.house.archive.opening import Opening, opening
from softphone.house.archive.reviews import Reviews
from softphone.house.archive.rights import Rights
from softphone.house.archive.shared import SharedArchive, SharedReviews
from softphone.house.connection import Connection
from softphone.house.keys import prove
from softphone.house.reading_key import reading_key

_LOOKS = 1.0
"""seconds between two questions whether something has changed"""


@dataclass(frozen=True, slots=True)
class _Written:
    written: int


class HouseArchive:
    """For any thread: the connection sees to that."""

    def __init__(
        self,
        connection: Connection,
        keys: KeyStore,
        number_here: Callable[[str], str | None] = lambda _call: None,
        *,
        policy: Callable[[], Policy | None] = lambda: None,
        reading_key: Callable[[], bytes | None] = lambda: None,
        opened: Callable[[str, Sequence[str]], None] = lambda _one, _all: None,
    ) -> None:
        """`policy`: the signed one that this desk has. `reading_key`: the private key by which it reads what is shared.
        `opened`: as `SharedReviews` has it."""
        self._asking = Asking(connection, keys, number_here)
        self.shared = SharedReviews(self._asking, reading_key, policy, opened)
        self.find = Finding(self._asking, self.shared.own_review)
        self.holds = Holds(self._asking)
        self.rights = Rights(self._asking)
        self.judging = Judging(self._asking)
        self.cases = Cases(self._asking)
        self.log = Log(self._asking)
        self.reviews = Reviews(self._asking, policy)

    @property
    def looks(self) -> float:
        return _LOOKS

    @property
    def is_agents(self) -> bool:
        """Whether whoever is here has calls of their own, which may be shared with them."""
        return Role.AGENT in self._asking.viewer.roles

    @property
    def leads(self) -> bool:
        """By a training key that is proved."""
        return Role.LEAD in self._asking.viewer.roles

    def shared_with_me(self) -> SharedArchive:
        """What an agent's review window asks."""
        return SharedArchive(self.shared, self.written)

    def open(self, id: str, *, role: KeyRole | None = None, why: str = "", case: str = "") -> Opening:
        return opening(self._asking, id, role, why, case)

    def written(self) -> Hashable:
        """By the newest entries of the service's log that concern this person."""
        return self._asking.get("/v1/written", _Written).written

    def beside(self) -> HouseArchive:
        return self

    def close(self) -> None:
        """Idle connections end; whoever has another of these goes on."""
        self._asking.connection.close()


def signed_in_archive(
    connection: Connection,
    keys: KeyStore,
    desk: str,
    number_here: Callable[[str], str | None],
    policy: Callable[[], Policy | None] = lambda: None,
    opened: Callable[[str, Sequence[str]], None] = lambda _one, _all: None,
) -> HouseArchive:
    """With each key of this keyring proved, that the house does not know this person to have. `desk`: the id that it joined with.

    Raises ArchiveError, KeyringError.
    """
    read = cache(partial(reading_key, keys, desk))
    archive = HouseArchive(connection, keys, number_here, policy=policy, reading_key=read, opened=opened)
    asking = archive._asking
    known = {(role, one) for role, ids in asking.viewer.keys.items() for one in ids}
    with refusing():
        if prove(connection, keys, desk, asking.viewer.session_roles, known):
            asking.forget_viewer()
    return archive
