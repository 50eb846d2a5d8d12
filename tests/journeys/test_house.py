"""A fresh home joins its house by a link: the real service, a real keyring, a real exchange, and the engine as a process."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from softphone import __version__, cli
from softphone.system.signature import new_signing_key, public_half, sign
from softphone.wire.codec import decode_from_engine, encode
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import PolicyPhase, Registration
from softphone.wire.to_engine import Quit, ReadSettings
from tests.house.joined import link, publish
from tests.journeys.lines import NUMBERS
from tests.peers.gnome_keyring import gnome_keyring
from tests.peers.kamailio import kamailio
from tests.peers.processes import until
from tests.peers.second_phone import ROOT
from tests.policies import POLICY
from tests.team.served import Team

pytestmark = [
    pytest.mark.journey,
    pytest.mark.peer("postgresql"),
    pytest.mark.peer("seaweedfs"),
    pytest.mark.peer("gnome-keyring"),
    pytest.mark.peer("kamailio"),
]
USER, PASSWORD = NUMBERS["n7"], "Tr0ub4dor-and-3"
Found = TypeVar("Found")


class Phone:
    """The engine, seen by its own wire."""

    def __init__(self, home: Path, env: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "softphone", "--home", str(home), "engine", "--stdio"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.now: Snapshot | None = None
        self._ids = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = decode_from_engine(line)
            if isinstance(said, Snapshot):
                self.now = said

    def reads_settings(self) -> None:
        self._ids += 1
        self._say(encode(ReadSettings(str(self._ids))))

    def wait(self, found: Callable[[Snapshot], Found], what: str, seconds: float = 30) -> Found:
        try:
            until(lambda: self.now is not None and bool(found(self.now)), seconds, what)
        except TimeoutError:
            raise TimeoutError(f"{what}: {self.now}"[:2_000]) from None
        assert self.now is not None
        return found(self.now)

    def quit(self) -> int:
        self._say(encode(Quit("q")))
        return self.process.wait(20)

    def _say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()


@contextmanager
def phone_of(home: Path, env: Mapping[str, str]) -> Generator[Phone]:
    one = Phone(home, env)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()
        for pipe in (one.process.stdin, one.process.stdout):
            if pipe is not None:
                pipe.close()


def klartone(home: Path, env: Mapping[str, str], *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "softphone", "--home", str(home), *words],
        cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def one_line(number: int) -> str:
    """Its notices are spoken in a moment."""
    return f"{POLICY}\n[house]\npolicy_number = {number}\n"


def codes(now: Snapshot) -> list[str]:
    return [one.code for one in now.faults if "house" in one.code]


def test_a_link_makes_a_phone_of_the_house_that_follows_its_policy_until_it_is_revoked_and_leaves(
    tmp_path: Path, team_tls: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, key, stranger, home = team_tls, new_signing_key(), new_signing_key(), tmp_path / "home"
    publish(team, 7, key, text=one_line(7))
    with gnome_keyring() as service, kamailio({USER: PASSWORD}) as exchange:
        env = {**service.env, "LC_ALL": "C.UTF-8"}
        address = f"{USER}@127.0.0.1:{exchange.port}"
        with monkeypatch.context() as server:
            for name, value in team.environment.items():
                server.setenv(name, value)
            server.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
            words = ["team", "account", "set", address, "--password-stdin", "--settings", str(team.settings)]
            assert cli.main(words) == 0
        joined = klartone(home, env, "join", link(team, key, "agent", agents=[f"sip:{address}"]), "--authority",
                          team.authority)  # fmt: skip
        assert address in joined
        with phone_of(home, env) as phone:
            # The house's account with its password from the keyring, its policy, and who says so.
            phone.wait(lambda now: [one.registration for one in now.accounts] == [Registration.REGISTERED], "registers")
            phone.wait(lambda now: now.policy.phase is PolicyPhase.READY, "the policy")
            house = phone.wait(lambda now: now.house and now.house.heard and now.house, "the house")
            assert house is not None
            assert (house.address, house.policy) == (team.address, 7)
            assert phone.now is not None
            assert phone.now.locked["accounts"] == phone.now.locked["policy"] == team.address
            # Renewed in the house, it counts for the next call.
            publish(team, 8, key, text=one_line(8))
            phone.reads_settings()
            phone.wait(lambda now: now.policy.path.endswith("/8/policy.toml") and now.policy.phase is PolicyPhase.READY,
                       "the policy that was renewed")  # fmt: skip
            # One that a stranger has signed does not, whatever the service says of it.
            team.credulous()
            path = team.home / "forged.toml"
            path.write_text(one_line(9), "utf-8")
            signed = sign(path.read_bytes(), path, stranger).read_bytes().strip() + b"\n" + path.read_bytes()
            team.sql("INSERT INTO policies (number, signed, signer, own_calls) VALUES (9, %s, %s, '7 days')",
                     signed, public_half(stranger))  # fmt: skip
            phone.reads_settings()
            phone.wait(lambda now: "error.house.policy_signer" in codes(now), "a fault that is told")
            assert phone.now.policy.path.endswith("/8/policy.toml")
            # IT sees it too.
            seen = f"{__version__}"
            until(lambda: team.sql("SELECT failed FROM desks") == [("error.house.policy_signer",)], 10, "what IT sees")
            (person,) = (json.loads(line) for line in team.command("people", "--json").out.splitlines())
            assert (person["program"], person["waiting"], person["failed"]) == (seen, 0, "error.house.policy_signer")
            team.sql("DELETE FROM policies WHERE number = 9")
            phone.reads_settings()
            phone.wait(lambda now: codes(now) == [], "no fault any more")
            # Revoked, it is told in words, and its calls go on.
            team.sql("UPDATE desks SET revoked_at = now()")
            phone.reads_settings()
            phone.wait(lambda now: codes(now) == ["error.house.signed_out"], "that it is signed out")
            assert phone.now.accounts[0].registration is Registration.REGISTERED
            assert "no longer belongs" in klartone(home, env, "leave")
            phone.reads_settings()  # without stdio the command itself would tell it
            phone.wait(lambda now: now.house is None and now.accounts == () and not now.locked, "nothing of the house")
            assert phone.now.policy.phase is PolicyPhase.MISSING
            assert phone.quit() == 0
