"""A desk of a house as the program has it: its own keyring, connection and tokens, against the real service."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from uuid_utils import uuid7

from softphone import cli
from softphone.domain.purpose import KeyRole
from softphone.house.connection import Connection
from softphone.house.desk_key import DeskKey
from softphone.house.membership import HouseFolder
from softphone.house.tokens import KeptTokens
from softphone.system.policy_file import filled
from softphone.system.secrets import DemoKeyFile, SystemKeyring
from softphone.system.signature import public_half, sign, signer_fingerprint
from softphone.system.signature import succession as succession_by
from tests.archive.people import Said
from tests.peers.second_phone import ROOT
from tests.team.desk import House
from tests.team.served import ANNA, POLICY_KEY, SIGNER, Team


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


class Ring(KeyringBackend):
    """One user's, in memory: what lies there, as it lies there. It ranks below none at all, so that only who sets it has it."""

    priority = -1  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[username]


class Home:
    """A user's home with a keyring of its own, and its commands as they are typed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.ring, self.capsys = folder, Ring(), capsys
        self.keys = SystemKeyring(self.ring)

    def does(self, *words: str) -> Said:
        before = keyring.get_keyring()
        keyring.set_keyring(self.ring)
        self.capsys.readouterr()
        try:
            status = cli.main(["--home", str(self.root), *words])
        finally:
            keyring.set_keyring(before)
        said = self.capsys.readouterr()
        return Said(status, said.out, said.err)

    def setting(self, key: str) -> dict[str, Any]:
        # What is wrong with what the organisation says follows in words.
        return json.JSONDecoder().raw_decode(self.does("settings", "show", key, "--json").out)[0][key]

    @property
    def folder(self) -> HouseFolder:
        return HouseFolder(self.root / "data")


def policy_text(team: Team, number: int, more: str = "") -> str:
    return policy_of(team.keys, number, more)


def policy_of(house: House, number: int, more: str = "") -> str:
    keys = {role: base64.b64encode(house.recipient(role).public_key).decode() for role in KeyRole}
    text = filled((ROOT / "resources" / "policies" / "demo.toml").read_text("utf-8"), keys)
    return f"{text}\n[house]\npolicy_number = {number}\n{more}"


def publish(team: Team, number: int, key: bytes, *, text: str = "", succession: str = "", status: int = 0) -> str:
    """A policy of that number, signed by that key and taken in by the house's command. What the command said."""
    path = team.home / "policy" / "policy.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text or policy_text(team, number), "utf-8")
    sign(path.read_bytes(), path, key)
    if team.sql("SELECT signer FROM newest_signed()") == [(SIGNER,)]:  # the fixture's
        succession = succession_by(POLICY_KEY, public_half(key))
    words = ["--succession", succession] if succession else []
    done = team.command("policy", str(path), "--signer", public_half(key), *words)
    assert done.status == status, done.errors
    return done.out + done.errors


def link(
    team: Team, key: bytes, *roles: str, name: str = "anna", agents: Sequence[str] = (ANNA,), least: int = 1
) -> str:
    """As `klartone team invite` prints it. `least`: the number of the policy that is newest then."""
    code, signer = team.code(*roles, agents=agents, name=name), signer_fingerprint(public_half(key))
    return f"{team.address}/join#{code}.{signer}.{least}"
