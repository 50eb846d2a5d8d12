"""A desk of a house as the program has it: its own keyring, connection and tokens, against the real service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uuid_utils import uuid7

from softphone.domain.purpose import KeyRole
from softphone.house.connection import Connection
from softphone.house.desk_key import DeskKey
from softphone.house.tokens import KeptTokens
from softphone.system.secrets import DemoKeyFile
from tests.team.served import ANNA, Team


@dataclass(frozen=True)
class Joined:
    """Its `folder` stands for one home. `again` is what another process of that home has."""

    team: Team
    folder: Path
    desk: str
    connection: Connection

    @property
    def keyring(self) -> DemoKeyFile:
        return DemoKeyFile(self.folder / "keys.json")

    @property
    def tokens(self) -> KeptTokens:
        return KeptTokens(self.keyring, self.desk, self.folder / "house.lock")

    def again(self) -> Connection:
        key = DeskKey.of(self.keyring, self.desk)
        assert key is not None
        return Connection(self.team.address, key, self.tokens, authority=self.team.authority)


def signed_in(
    team: Team,
    folder: Path,
    *roles: str,
    agents: Sequence[str] = (ANNA,),
    name: str = "",
    key: KeyRole | None = None,
    desk: str = "",
) -> Joined:
    """By a one-time code. `team`: one that serves by TLS. `key`: a private key of this role has been proved. `desk`: that of
    an archive."""
    folder.mkdir(parents=True, exist_ok=True)
    keyring, desk = DemoKeyFile(folder / "keys.json"), desk or str(uuid7())
    made = DeskKey.made(keyring, desk)
    bare = Connection(team.address, made, authority=team.authority)
    code = team.code(*roles, agents=agents, name=name or f"{'-'.join(roles)}-{desk[-6:]}")
    tokens = KeptTokens(keyring, desk, folder / "house.lock")
    tokens.keep(bare.sign_in({"grant": "invitation", "code": code, "desk": desk}))
    if key is not None:
        team.sql(
            "INSERT INTO person_keys (person, role, key_id) SELECT person, %s, %s FROM desks WHERE desk = %s",
            key.value, team.keys.recipient(key).key_id, desk,
        )  # fmt: skip
    return Joined(team, folder, desk, Connection(team.address, made, tokens, authority=team.authority))
