"""What an organisation says to a whole machine: whose word counts, and what happens where it cannot be read."""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from softphone.bootstrap.plugins import organisations_plugins
from softphone.domain.errors import SettingsError
from softphone.domain.purpose import Language
from softphone.system import guarded
from softphone.system.policy_file import SOME_KEYS, filled, load_policy
from softphone.system.settings import FILE, InForce, Origin, in_force, save_changes
from softphone.system.settings_house import from_house
from softphone.system.settings_machine import MachineSettings, from_folder, from_registry
from softphone.system.settings_registry import FILE_VALUE, ROOT
from softphone.system.user import user_name
from softphone.wire.snapshot import Account, Look, Settings
from tests.peers.second_phone import ROOT as PROJECT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files in /etc; Windows has its registry")


@pytest.fixture(autouse=True)
def _whoever_runs_this_is_the_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "ADMINISTRATORS", frozenset({0, os.getuid()}))


def written(folder: Path, files: Mapping[str, str]) -> MachineSettings:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return from_folder(folder)


def own(folder: Path, text: str) -> Path:
    path = folder / "home" / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_user_stands_between_defaults_and_locks_and_each_value_says_whose_it_is(tmp_path: Path) -> None:
    machine = written(
        tmp_path / "etc",
        {
            "settings.toml": '[default]\nring_volume = 50\nlook = "dark"\n[locked]\nport = 5060\n',
            "settings.d/10-a.toml": "[locked]\nkeep_alive = 30\nport = 5062\n",
            "settings.d/20-b.toml": '[default]\nkeep_alive = 40\n[[locked.accounts]]\nid = "desk"\n'
            'address = "{user}@pbx.example"\n',
            "settings.d/ignored.txt": "nonsense",
        },
    )
    held = in_force(own(tmp_path, "ring_volume = 70\nport = 9999\nkeep_alive = 5\n"), machine)
    assert held.settings == Settings(
        ring_volume=70,
        look=Look.DARK,
        port=5062,
        keep_alive=5,
        accounts=(Account("desk", f"{user_name()}@pbx.example"),),
    )
    etc = tmp_path / "etc"
    assert {
        key: (held.origin(key), held.place(key)) for key in ("ring_volume", "look", "port", "keep_alive", "bind")
    } == {
        "ring_volume": (Origin.USER, ""),
        "look": (Origin.DEFAULT, str(etc / "settings.toml")),
        "port": (Origin.LOCKED, str(etc / "settings.d/10-a.toml")),
        "keep_alive": (Origin.USER, ""),
        "bind": (Origin.BUILT_IN, ""),
    }
    assert machine.locks == {
        "port": str(etc / "settings.d/10-a.toml"),
        "accounts": str(etc / "settings.d/20-b.toml"),
    }


def test_all_faults_are_told_at_once_and_a_faulty_lock_opens_no_door(tmp_path: Path) -> None:
    machine = written(
        tmp_path,
        {
            "settings.toml": """[default]
ring_volume = 300
[locked]
policy_signer = 7
port = "many"
line = "sales"
archive = "recordings"
[[locked.accounts]]
id = "one"
address = "nothing"
[[locked.accounts]]
id = "two"
address = "anna@nordlys.example"
""",
            "settings.d/10.toml": '[lokced]\npolicy = "/srv/p.toml"\n',
        },
    )
    first, second = str(tmp_path / "settings.toml"), str(tmp_path / "settings.d/10.toml")
    assert [(one.place, one.fault.line, one.fault.key) for one in machine.faults] == [
        (first, 2, "default.ring_volume"),
        (first, 4, "locked.policy_signer"),
        (first, 5, "locked.port"),
        (first, 6, "locked.line"),
        (first, 7, "locked.archive"),
        (first, 10, "locked.accounts[1].address"),
        (second, 1, "lokced"),
    ]
    held = in_force(own(tmp_path, f'policy = "{tmp_path}/mine.toml"\nport = 5080\narchive = "/tmp/mine"\n'), machine)
    # No policy is in force: whose signature it would need is not known.
    assert held.settings == Settings(accounts=(Account("two", "anna@nordlys.example"),))
    for wanted in (
        replace(held.settings, policy=f"{tmp_path}/mine.toml"),
        replace(held.settings, port=5080),
        replace(held.settings, accounts=()),
        replace(held.settings, plugins=("mine",)),
    ):
        with pytest.raises(SettingsError):
            save_changes(tmp_path / "home", held, wanted)
    save_changes(tmp_path / "home", held, replace(held.settings, ring_volume=20))


@pytest.mark.parametrize("what", ["a file", "sticky", "its folder", "another owner", "too large", "no TOML", "no text"])
def test_a_file_that_counts_for_nothing_stops_recording_and_every_change_and_no_call(tmp_path: Path, what: str) -> None:
    etc = tmp_path / "etc"
    written(etc, {"settings.toml": '[locked]\nbind = "127.0.0.1"\n', "settings.d/90.toml": "[locked]\nport = 5060\n"})
    file = etc / "settings.d/90.toml"
    match what:
        case "a file":
            file.chmod(0o664)
        case "sticky":
            file.chmod(0o1666)
        case "its folder":
            file.parent.chmod(0o777)
        case "another owner":
            if os.getuid():
                pytest.skip("only root gives a file away")
            os.chown(file, 12345, 0)
        case "too large":
            file.write_text("[default]\n" + "# a comment\n" * 100_000 + "[locked]\nport = 5060\n")
        case "no TOML":
            file.write_text("[locked]\nport = \n")
        case _:
            file.write_bytes(b"\xff\xfe\x00")
    machine = from_folder(etc)
    (fault,) = machine.faults
    assert fault.place == str(file)
    mine = own(
        tmp_path, 'policy = "/home/anna/policy.toml"\nring_volume = 30\n[[accounts]]\nid = "a"\naddress = "a@b"\n'
    )
    held = in_force(mine, machine)
    assert held.settings == Settings(bind="127.0.0.1", ring_volume=30, accounts=(Account("a", "a@b"),))
    assert set(machine.locks) > {"policy", "ring_volume", "accounts", "look"}
    with pytest.raises(SettingsError, match=r"settings\.locked"):
        save_changes(mine.parent, held, replace(held.settings, look=Look.DARK))
    assert held.place("policy") == str(file)


def test_what_is_read_is_what_was_found_guarded_also_where_a_link_is_turned_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = filled((PROJECT / "resources" / "policies" / "demo.toml").read_text("utf-8"), SOME_KEYS)
    for name, port in (("ours", 5060), ("theirs", 5070)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "settings.toml").write_text(f"[locked]\nport = {port}\n", encoding="utf-8")
        (tmp_path / name / "policy.toml").write_text(f"# {name}\n{example}", encoding="utf-8")
        shutil.copytree(PROJECT / "plugins" / "espeak_voice", tmp_path / name / "own_voice")
        manifest = tmp_path / name / "own_voice" / "plugin.toml"
        manifest.write_text(manifest.read_text("utf-8").replace("espeak_voice", "own_voice"), encoding="utf-8")
    (tmp_path / "theirs").chmod(0o777)
    way = tmp_path / "way"
    way.symlink_to("ours")
    opens = Path.open

    def turned(path: Path, *words: Any, **more: Any) -> Any:
        """The link leads to theirs while a file is opened, and to ours while anybody looks who can write it."""
        way.unlink()
        way.symlink_to("theirs")
        try:
            return opens(path, *words, **more)
        finally:
            way.unlink()
            way.symlink_to("ours")

    monkeypatch.setattr(Path, "open", turned)
    policy = load_policy(way / "policy.toml", guarded=True)
    assert (policy.path, policy.sha256) == (
        str(tmp_path / "ours" / "policy.toml"),
        hashlib.sha256((tmp_path / "ours" / "policy.toml").read_bytes()).hexdigest(),
    )
    assert from_folder(way).locked == {"port": 5060}
    (plugin,), _ = organisations_plugins(Settings(plugins=("own_voice",), plugin_folder=str(way)))
    assert plugin.folder == tmp_path / "ours" / "own_voice"
    assert guarded.who_else(way / "policy.toml") == way


class Memory:
    """A registry."""

    def __init__(self, keys: Mapping[str, Mapping[str, object]]) -> None:
        self.all = keys

    def values(self, key: str) -> Mapping[str, object] | None:
        return self.all.get(key)

    def keys(self, key: str) -> tuple[str, ...]:
        below = (one[len(key) + 1 :].partition("\\")[0] for one in self.all if one.startswith(f"{key}\\"))
        return tuple(dict.fromkeys(below))


def test_the_registry_says_the_same_as_a_file_with_its_own_types_and_wins_over_the_file_it_names(
    tmp_path: Path,
) -> None:
    file = tmp_path / "klartone.toml"
    file.write_text('[locked]\nport = 5060\n[default]\nstun = "stun.example"\n')
    # Windows takes names in any case for the same.
    machine = from_registry(
        Memory(
            {
                ROOT: {FILE_VALUE.lower(): str(file)},
                rf"{ROOT}\Default": {"Ring_Volume": 40, "echo": 1, "LOOK": "dark"},
                rf"{ROOT}\Locked": {"Port": 5062, "accept_from": ["10.0.0.0/8", "192.0.2.1"], "policy": "/srv/p.toml"},
                rf"{ROOT}\Locked\accounts\1": {"ID": "desk", "Address": "a@b", "transport": "tls", "register": 0},
            }
        )
    )
    assert machine.faults == ()
    assert in_force(tmp_path / "none", machine).settings == Settings(
        stun="stun.example",
        ring_volume=40,
        echo=True,
        look=Look.DARK,
        port=5062,
        accept_from=("10.0.0.0/8", "192.0.2.1"),
        policy="/srv/p.toml",
        accounts=(Account("desk", "a@b", transport="tls", register=False),),
    )
    assert machine.places["port"] == rf"HKLM\{ROOT}\Locked"
    wrong = from_registry(Memory({rf"{ROOT}\Locked": {"port": 7, "echo": "perhaps", "policy": {"type": 2}}}))
    assert [one.fault.key for one in wrong.faults] == ["echo", "policy", "port"]
    assert wrong.unrecorded


def test_the_users_file_gets_what_the_user_changed_and_keeps_its_comments(tmp_path: Path) -> None:
    before = '# mine\nring_volume = 70 # loud\n\n[[accounts]]\n# the desk\nid = "a"\naddress = "a@b"\n'
    mine = own(tmp_path, before)
    machine = written(tmp_path / "etc", {"settings.toml": '[default]\nlook = "dark"\n'})
    held = in_force(mine, machine)
    save_changes(
        mine.parent, held, replace(held.settings, port=5060, accounts=(*held.settings.accounts, Account("b", "c@d")))
    )
    text = mine.read_text("utf-8")
    assert all(comment in text for comment in ("# mine", "# loud", "# the desk"))
    said = tomllib.loads(text)
    assert (said["port"], [one["id"] for one in said["accounts"]]) == (5060, ["a", "b"])
    assert "look" not in said
    later = written(tmp_path / "etc", {"settings.toml": '[default]\nlook = "light"\nport = 5070\n'})
    now = in_force(mine, later).settings
    assert (now.look, now.port, now.ring_volume) == (Look.LIGHT, 5060, 70)


def test_without_an_organisation_everything_is_the_users(tmp_path: Path) -> None:
    machine = from_folder(tmp_path / "none")
    assert machine == MachineSettings()
    assert InForce(Settings(), machine).machine.locks == {}


def test_whose_plugins_run_is_no_word_of_the_users(tmp_path: Path) -> None:
    path = own(tmp_path, f'plugins = ["mine"]\nplugin_folder = "{tmp_path}"\nring_volume = 70\n')
    assert in_force(path, MachineSettings()).settings == Settings(ring_volume=70)


@pytest.mark.parametrize(
    "text", ['[lokced]\npolicy = "/srv/p.toml"\n', '[locked]\npolcy = "/srv/p.toml"\n', "[locked]\npolicy_signer = 7\n"]
)
def test_what_could_have_been_a_lock_on_recording_stops_it(tmp_path: Path, text: str) -> None:
    machine = written(tmp_path, {"settings.toml": text})
    held = in_force(own(tmp_path, f'policy = "{tmp_path}/mine.toml"\nport = 5080\n'), machine)
    assert (held.settings.policy, held.settings.port) == ("", 5080)
    assert machine.lock_of("policy") == str(tmp_path / "settings.toml")


def test_a_user_goes_back_to_the_systems_language_where_the_organisation_gives_another(tmp_path: Path) -> None:
    machine = written(tmp_path / "etc", {"settings.toml": '[default]\nlanguage = "en"\n'})
    mine = own(tmp_path, "")
    held = in_force(mine, machine)
    assert held.settings.language is Language.EN
    save_changes(mine.parent, held, replace(held.settings, language=None))
    held = in_force(mine, machine)
    assert (held.settings.language, held.origin("language")) == (None, Origin.USER)


HEARD_OR_LET_IN = """
microphone_volume = 0
microphone = "none"
speaker = "none"
noise = true
echo = true
accept_from = ["0.0.0.0/0"]
archive = "/tmp/elsewhere"
policy = "/tmp/p.toml"
"""


@pytest.mark.rule("G11")
def test_a_house_says_nothing_about_what_is_recorded_heard_or_let_in() -> None:
    """Its service may have been taken over (ADR 069)."""
    text = f'[default]\nring_volume = 40\n{HEARD_OR_LET_IN}\n[locked]\nlook = "dark"\n{HEARD_OR_LET_IN}'
    said = from_house(text.encode(), "https://a.example")
    assert (set(said.default), set(said.locked)) == ({"ring_volume"}, {"look"})
    told = [one.fault.key for one in said.faults if one.fault.code == "settings.fault.not_the_houses"]
    assert set(told) == set(tomllib.loads(HEARD_OR_LET_IN))
