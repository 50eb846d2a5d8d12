"""Settings that cannot be used: an account that is none, a device that is not there, a file that is no settings. The agent
reads it, and whatever of the phone still works goes on working."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from softphone.system.settings import load_settings
from softphone.wire import Account, Look, Refused, Said, SaveSettings, Settings, Snapshot
from tests.journeys.fault_words import begun, change_settings, save, sentence
from tests.journeys.stage import Stage, build
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey


def _recorded_all_the_same(on: Stage) -> None:
    on.ready()
    call = on.call("n7")
    talk(on.customer, 25)
    on.sealed(call, 1.0)
    on.hang_up(call)
    on.end()
    assert on.row(call) is not None
    assert on.verified()["ok"]


def _sound_fault(now: Snapshot) -> Said | None:
    return now.sound.fault


def _standing_fault(now: Snapshot) -> Said | None:
    return now.faults[0] if now.faults else None


WAYS: dict[str, tuple[Callable[[Path], dict[str, str]], Callable[[Snapshot], Said | None], str]] = {
    "no such microphone": (lambda _: {"microphone": "Nobody's microphone"}, _sound_fault, "microphone"),
    "no such speaker": (lambda _: {"speaker": "Nobody's speaker"}, _sound_fault, "speaker"),
    "a voice that is no sound": (lambda folder: {"microphone": f"file:{folder / 'policy.toml'}"}, _standing_fault, ""),
    "a voice that is not there": (lambda folder: {"microphone": f"file:{folder / 'no.wav'}"}, _standing_fault, ""),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_sound_that_cannot_be_used_is_told_of_and_the_party_is_recorded(tmp_path: Path, way: str) -> None:
    on = build(tmp_path, lines=("n7",))
    change, where, word = WAYS[way]
    change_settings(on, **change(on.home.folders.config))
    with begun(on):
        fault = on.desk.wait(where, "a fault")
        assert word in sentence(fault).lower()
        _recorded_all_the_same(on)


def test_what_cannot_be_used_is_refused_with_a_sentence_and_changes_nothing(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with begun(on):
        on.ready()
        now = on.desk.wait(lambda snapshot: snapshot.settings, "settings")
        wrong = [
            replace(now, accounts=(Account("agent", address, register=False),))
            for address in ("", "just words", "sip:4711@", "a@b@c/d")
        ]
        wrong.append(replace(now, microphone=f"file:{on.home.folders.config / 'policy.toml'}", look=Look.DARK))
        for settings in wrong:
            refused = on.desk.ask(SaveSettings, settings=settings)
            assert isinstance(refused, Refused), settings
            sentence(refused.said)
        # Refused is refused: nothing of it is stored, and nothing is in force.
        assert load_settings(on.home.folders.config) == now
        assert on.desk.wait(lambda snapshot: snapshot, "a state").settings == now
        _recorded_all_the_same(on)


def test_an_account_that_is_none_in_the_file_is_told_of_and_can_be_mended(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    change_settings(on, accounts=(Account("agent", "just words", register=False),))
    with begun(on):
        sentence(on.desk.wait(_standing_fault, "a fault"))
        save(on, accounts=(Account("agent", "agent@127.0.0.1", register=False),))
        on.desk.wait(lambda now: not now.faults, "no fault any more")
        _recorded_all_the_same(on)


@pytest.mark.parametrize("content", [b"\x00\xff\xfe" * 50, b"accounts = 7\n", b'[[accounts]]\nid = "', b"colour = 3\n"])
def test_a_settings_file_that_is_none_is_set_aside_and_told_of(tmp_path: Path, content: bytes) -> None:
    on = build(tmp_path, lines=("n7",))
    folder = on.home.folders.config
    (folder / "settings.toml").write_bytes(content)
    with begun(on):
        sentence(on.desk.wait(_standing_fault, "a fault"))
        assert on.desk.wait(lambda now: now.settings, "settings") == Settings()
        save(on, bind="127.0.0.1")
        on.desk.wait(lambda now: not now.faults, "no fault any more")
    assert (folder / "settings.faulty.toml").read_bytes() == content
