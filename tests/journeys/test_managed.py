"""A machine that an organisation manages, with its real place in /etc: what is locked stays, whatever a user tries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.archive import Archive
from softphone.edge.channel import NAMESERVER
from softphone.system.secrets import DemoKeyFile
from softphone.wire.codec import decode_from_engine, encode
from softphone.wire.from_engine import Done, Refused, Snapshot
from softphone.wire.snapshot import Look, PolicyPhase, Registration, Settings
from softphone.wire.to_engine import Quit, SaveSettings
from tests.edge.test_resolver import name_server
from tests.peers.authority import Authority
from tests.peers.exchange import exchange
from tests.peers.second_phone import ROOT
from tests.peers.wire import wire

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can stand in for /etc"),
]
LOCKED = """[default]
look = "dark"
[locked]
port = 5062
bind = "127.0.0.1"
policy = "/srv/klartone/policy.toml"
"""


class Machine:
    """This machine, with files of the test's in /etc/klartone: a mount that only its own processes see."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "over" / "klartone"
        self.etc.mkdir(parents=True)
        self.home = folder / "home"

    def manage(self, text: str, name: str = "settings.toml") -> None:
        path = self.etc / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        over = f'mount -t overlay overlay -o lowerdir={self.etc.parent}:/etc /etc && exec "$@"'
        return ["unshare", "-m", "sh", "-c", over, "sh", sys.executable, "-m", "softphone", *words]

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def shown(self, *before: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        return json.loads(self.run(*before, "settings", "show", "--json", env=env).stdout)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    probe = subprocess.run([*made.command()[:5], "sh", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no mounts here")
    return made


def own(home: Path, text: str) -> None:
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "settings.toml").write_text(text, encoding="utf-8")


def said_by(
    machine: Machine, wanted: Sequence[Settings], until: Callable[[Snapshot], bool] = lambda _: True
) -> tuple[Snapshot, list[Refused]]:
    """By the engine, asked over the wire for each of these: its last state, and what it refused."""
    command = machine.command("--home", str(machine.home), "engine", "--stdio")
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        for n, one in enumerate(wanted):
            engine.stdin.write(encode(SaveSettings(str(n), one)))
        engine.stdin.flush()
        told = []
        while len([one for one in told if isinstance(one, Done | Refused)]) < len(wanted) or not any(
            isinstance(one, Snapshot) and until(one) for one in told
        ):
            told.append(decode_from_engine(engine.stdout.readline()))
        engine.stdin.write(encode(Quit("q")))
        engine.stdin.close()
        told += [decode_from_engine(line) for line in engine.stdout]
    assert engine.returncode == 0
    states = [one for one in told if isinstance(one, Snapshot) and until(one)]
    return states[-1], [one for one in told if isinstance(one, Refused)]


def test_a_lock_holds_against_file_environment_command_and_window(machine: Machine) -> None:
    machine.manage(LOCKED)
    place = "/etc/klartone/settings.toml"
    text = 'port = 9999\nbind = "0.0.0.0"\npolicy = "/tmp/mine.toml"\nlook = "light"\n'
    own(machine.home, text)
    # The user's file, in a home of its own, and where the environment leads.
    elsewhere = machine.home.parent / "elsewhere"
    own(elsewhere, "")
    (elsewhere / "klartone").mkdir()
    (elsewhere / "klartone" / "settings.toml").write_text(text, encoding="utf-8")
    led = {"XDG_CONFIG_HOME": str(elsewhere), "HOME": str(elsewhere), "XDG_CONFIG_DIRS": str(elsewhere)}
    for found in (machine.shown("--home", str(machine.home)), machine.shown(env=led)):
        assert {key: found[key]["value"] for key in ("port", "bind", "policy", "look")} == {
            "port": 5062,
            "bind": "127.0.0.1",
            "policy": "/srv/klartone/policy.toml",
            "look": "light",
        }
        assert (found["port"]["origin"], found["port"]["place"], found["look"]["origin"]) == ("locked", place, "user")
    # Commands.
    for words in (("settings", "set", "port", "5060"), ("session", "--stdio", "--policy", "/tmp/mine.toml")):
        refused = machine.run("--home", str(machine.home), *words)
        assert refused.returncode == 1
        assert place in refused.stderr
    # What the window would send.
    now = Settings(port=5062, bind="127.0.0.1", policy="/srv/klartone/policy.toml", look=Look.LIGHT)
    wanted = [replace(now, port=5060), replace(now, bind="0.0.0.0"), replace(now, policy="/tmp/mine.toml")]
    after, refusals = said_by(machine, [*wanted, replace(now, plugins=("mine",)), replace(now, ring_volume=7)])
    assert [(one.id, one.said.code) for one in refusals] == [
        ("0", "error.settings.locked"),
        ("1", "error.settings.locked"),
        ("2", "error.settings.locked"),
        ("3", "error.settings.machine_only"),
    ]
    assert after.locked == dict.fromkeys(("port", "bind", "policy"), place)
    assert after.settings == replace(now, ring_volume=7)
    assert (machine.home / "config" / "settings.toml").read_text("utf-8") == f"{text}ring_volume = 7\n"


def test_while_the_organisations_file_cannot_be_read_calls_go_on_and_nothing_is_recorded(machine: Machine) -> None:
    machine.manage(LOCKED)
    machine.manage("[locked]\nport = \n", "settings.d/50.toml")
    own(machine.home, 'policy = "/tmp/mine.toml"\nring_volume = 30\n[[accounts]]\nid = "a"\naddress = "a@127.0.0.1"\n')
    with_words, refusals = said_by(machine, [Settings(policy="/tmp/mine.toml")])
    assert [one.said.code for one in refusals] == ["error.settings.locked"]
    assert with_words.policy.phase.value == "missing"
    assert (with_words.settings.ring_volume, with_words.settings.accounts[0].id) == (30, "a")
    assert [one.code for one in with_words.faults if "machine" in one.code] == ["error.settings.machine_shut"]
    checked = machine.run("--home", str(machine.home), "settings", "check")
    assert checked.returncode == 1
    assert "/etc/klartone/settings.d/50.toml: Line 2:" in checked.stdout
    assert "nothing is recorded" in machine.run("--home", str(machine.home), "doctor").stdout


def test_a_demo_goes_by_its_own_settings_on_a_managed_machine_and_reaches_that_machine_alone(machine: Machine) -> None:
    machine.manage(LOCKED)
    archive = machine.home / "demo"
    Archive.create(archive, DemoKeyFile(archive / "demo-keys.json"), demo=True).close()
    own(archive / "phone", f'archive = "{archive}"\npolicy = "/tmp/demo.toml"\nbind = "0.0.0.0"\n')
    found = machine.shown("--home", str(archive / "phone"))
    assert {key: found[key]["value"] for key in ("bind", "policy", "port", "look")} == {
        "bind": "127.0.0.1",
        "policy": "/tmp/demo.toml",
        "port": 0,
        "look": "system",
    }
    # A home of one's own that only names the demo's archive, and a demo that would call elsewhere, have the locks.
    for home, more in (
        (machine.home / "mine", ""),
        (archive / "phone", '[[accounts]]\nid = "a"\naddress = "a@pbx.example"\n'),
    ):
        own(home, f'archive = "{archive}"\npolicy = "/tmp/mine.toml"\n{more}')
        assert machine.shown("--home", str(home))["policy"]["value"] == "/srv/klartone/policy.toml"


def test_no_variable_leads_the_name_of_a_locked_account_elsewhere_nor_says_whom_to_trust(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority")
    with (
        name_server({("pbx.test", "A"): ["127.0.0.1"]}) as names,
        wire() as server,
        exchange(authority.sign("server", "127.0.0.1")) as by_tls,
    ):
        monkeypatch.setenv(NAMESERVER, "{}:{}".format(*names))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        account = f'id = "a"\naddress = "a@pbx.test:{server.port}"\n'
        trusting = f'id = "b"\naddress = "b@127.0.0.1:{by_tls.port}"\ntransport = "tls"\n'
        own(machine.home, f"[[accounts]]\n{account}[[accounts]]\n{trusting}")
        with ThreadPoolExecutor() as thread:
            refused = thread.submit(
                said_by,
                machine,
                [],
                lambda now: now.accounts[0].code == 403 and now.accounts[1].registration is Registration.REGISTERED,
            )
            server.send(server.answer(server.wait_for("REGISTER", 20), "403 Forbidden"), server.peer)
            refused.result(20)

        server.heard.clear()
        machine.manage(f"[[locked.accounts]]\n{account}[[locked.accounts]]\n{trusting}")
        with ThreadPoolExecutor() as thread:
            said = thread.submit(said_by, machine, [], lambda now: all(one.trouble or one.code for one in now.accounts))
            while not said.done():
                with suppress(TimeoutError):  # whatever comes all the same is answered: then it ends too
                    server.send(server.answer(server.wait_for("REGISTER", 0.3), "403 Forbidden"), server.peer)
            state, _ = said.result()
        # By the system's own name servers, if it has any: they do not know .test.
        wrong = [one.trouble.code for one in state.accounts if one.trouble]
        assert wrong[0] in ("connection.nowhere", "connection.dns_silent")
        assert wrong[1:] == ["connection.tls_unknown_authority"]
        told = json.loads(machine.run("--home", str(machine.home), "doctor", "--json").stdout)
        codes = [one["code"] for one in told["findings"]]
        assert set(wrong) <= set(codes)
        assert "doctor.names" not in codes
        assert server.heard == []


def test_plugins_and_policy_come_from_where_only_administrators_write(machine: Machine) -> None:
    policy, plugins = machine.home.parent / "policy.toml", machine.home.parent / "plugins"
    shutil.copy(ROOT / "resources" / "policies" / "demo.toml", policy)
    policy.chmod(0o666)
    for name in ("good_voice", "open_voice", "unlisted_voice"):
        shutil.copytree(ROOT / "plugins" / "espeak_voice", plugins / name, ignore=shutil.ignore_patterns("tests"))
        manifest = plugins / name / "plugin.toml"
        manifest.write_text(manifest.read_text("utf-8").replace("espeak_voice", name), encoding="utf-8")
    code = next((plugins / "open_voice").rglob("*.py"))
    code.chmod(0o666)
    (plugins / "linked_voice").symlink_to("good_voice")
    machine.manage(
        f'[locked]\npolicy = "{policy}"\npolicy_guarded = true\nplugin_folder = "{plugins}"\n'
        'plugins = ["good_voice", "open_voice", "linked_voice", "datatilsynet", "no_voice"]\n'
    )
    state, _ = said_by(machine, [], until=lambda now: now.policy.phase is PolicyPhase.UNSIGNED)
    (fault,) = state.policy.faults
    assert (fault.code, fault.params["path"]) == ("policy.fault.unguarded", str(policy))
    refused = {one.params["plugin"]: one.code for one in state.faults if one.code.startswith("error.plugin")}
    assert refused == {
        "datatilsynet": "error.plugin.taken",
        "linked_voice": "error.plugin.linked",
        "no_voice": "error.plugin.missing",
        "open_voice": "error.plugin.unguarded",
        "unlisted_voice": "error.plugin.unlisted",
    }
    told = machine.run("--home", str(machine.home), "doctor").stdout
    assert str(code) in told
    assert "unlisted_voice" in told
    assert f"Others than administrators can change {policy}" in told
