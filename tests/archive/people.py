"""One archive, and people who each have a keyring with some of its user's keys: so roles are tried. Not a test.

The keyring is `keyring`'s own, with a backend that keeps everything in a dictionary: all else is the program.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from softphone import cli
from softphone.archive.crypto.ring import known_keys
from softphone.bootstrap import Home
from softphone.domain.purpose import KeyRole, Purpose
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Account, Settings
from tests.archive.scene import NUMBER, MemoryKeys, Scene
from tests.policies import KEYS, POLICY

ANNA, BO = "anna@nordlys.example", "bo@nordlys.example"
TEAM = f"""
[[team]]
id = "salg"
name = {{ da = "Salg", en = "Sales" }}
agents = ["{ANNA}"]
leads = ["lead-1"]

[[team]]
id = "service"
name = {{ da = "Service", en = "Service" }}
agents = ["{BO}"]
"""
JUST = timedelta(hours=1)


class Ring(KeyringBackend):
    """What one person's keyring holds."""

    priority = 0  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __init__(self, keys: MemoryKeys) -> None:
        super().__init__()
        self.keys = keys

    def get_password(self, service: str, username: str) -> str | None:
        held = self.keys.get(username)
        return None if held is None else base64.b64encode(held).decode("ascii")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys.set(username, base64.b64decode(password))

    def delete_password(self, service: str, username: str) -> None:
        self.keys.delete(username)


@dataclass
class Said:
    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Person:
    """Somebody at the machine. `account`: their phone's address, where they have one."""

    def __init__(
        self, desk: Scene, keys: MemoryKeys, home: Path, capsys: pytest.CaptureFixture[str], account: str | None
    ) -> None:
        self.desk = desk
        self.keys = keys
        self._home = home
        self._capsys = capsys
        accounts = (Account("one", account),) if account else ()
        home.mkdir()
        (home / "policy.toml").write_text(policy_of(desk), encoding="utf-8")
        save_settings(
            Home.within(home).folders.config,
            Settings(accounts=accounts, policy=str(home / "policy.toml"), archive=str(desk.folder)),
        )

    def does(self, *words: str) -> Said:
        before = keyring.get_keyring()
        keyring.set_keyring(Ring(self.keys))
        self._capsys.readouterr()
        try:
            status = cli.main(["--home", str(self._home), *words])
        finally:
            keyring.set_keyring(before)
        said = self._capsys.readouterr()
        return Said(status, said.out, said.err)

    def lists(self, *words: str) -> list[dict[str, object]]:
        said = self.does("archive", "list", "--json", *words)
        assert said.status == 0, said.err
        return [json.loads(line) for line in said.out.splitlines()]

    def finds(self, *words: str) -> set[str]:
        return {str(one["recording"]) for one in self.lists(*words)}


class House:
    """One archive, and who works with it."""

    def __init__(self, desk: Scene, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk = desk
        self._folder = folder
        self._capsys = capsys

    def person(self, name: str, *roles: KeyRole, account: str | None = None) -> Person:
        """At the machine whose archive it is, with these private keys alone."""
        return Person(self.desk, self.desk.only(*roles), self._folder / name, self._capsys, account)

    def policy(self, name: str) -> Path:
        """The file that this person's settings name."""
        return self._folder / name / "policy.toml"

    def recorded(
        self,
        *purposes: Purpose,
        agent: str | None = ANNA,
        line: str = "salg",
        number: str = NUMBER,
        at: datetime | None = None,
        keeps: str = "P3M",
    ) -> str:
        """A call's recording, of one second, closed."""
        at = at or datetime.now(UTC) - JUST
        return self.desk.closed(*purposes, at=at, agent=agent, line=line, number=number, retention=keeps)

    def recorded_for_own_keys(self, person: Person, roles: Iterable[KeyRole], *purposes: Purpose, agent: str) -> str:
        """A call's recording that is sealed for keys of somebody's own besides, as by a policy of their own."""
        the_house_has = list(self.desk.policy_recipients)
        for role in roles:
            assert person.does("keys", "create", role.value, "--id", f"my-{role}").status == 0
        self.desk.policy_recipients += [one.recipient for one in known_keys(person.keys)]
        recording = self.recorded(*purposes, agent=agent)
        self.desk.policy_recipients[:] = the_house_has
        return recording


def policy_of(desk: Scene) -> str:
    """The tests' policy with this archive's keys, and with two teams."""
    text = POLICY
    for role, public in KEYS.items():
        text = text.replace(public, base64.b64encode(desk.recipients[KeyRole(role)].public_key).decode("ascii"))
    return text.replace("[[line]]", f"{TEAM}\n[[line]]", 1)


@contextmanager
def house(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Generator[House]:
    desk = Scene(tmp_path / "archive")
    desk.archive.clock = lambda: datetime.now(UTC)
    try:
        yield House(desk, tmp_path, capsys)
    finally:
        desk.close()
