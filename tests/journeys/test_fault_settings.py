"""Settings that cannot be used: an account that is none, a device that is not there, a file that is no settings. The agent
reads it, and whatever of the phone still works goes on working."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from softphone.system.settings import load_settings
from softphone.wire.from_engine import Refused
from softphone.wire.snapshot import Account, Look, Settings
from softphone.wire.to_engine import SaveSettings
from tests.journeys.fault_words import begun, change_settings, save, sentence, told_plainly, words
from tests.journeys.stage import Stage, build, shared

pytestmark = pytest.mark.journey

on = shared(lines=("n7",))


def _recorded_all_the_same(on: Stage) -> None:
    call = on.call("n7")
    on.sealed(call, 1.0)
    on.over(call)
    assert on.row(call) is not None
    told_plainly(words(on))


@pytest.mark.parametrize("side", ["microphone", "speaker"])
def test_a_device_that_is_not_there_is_told_of_and_the_party_is_recorded(on: Stage, side: str) -> None:
    now = on.desk.wait(lambda snapshot: snapshot.settings, "settings")
    save(on, **{side: f"Nobody's {side}"})
    assert side in sentence(on.desk.wait(lambda snapshot: snapshot.sound.fault, "a fault")).lower()
    _recorded_all_the_same(on)
    on.desk.do(SaveSettings, settings=now)
    on.desk.wait(lambda snapshot: not snapshot.sound.fault, "no fault any more")


def test_what_cannot_be_used_is_refused_with_a_sentence_and_changes_nothing(on: Stage) -> None:
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


@pytest.mark.parametrize("voice", ["policy.toml", "no.wav"], ids=["no sound", "not there"])
def test_an_account_that_is_none_and_a_voice_that_is_none_in_the_file_are_told_of_and_can_be_mended(
    tmp_path: Path, voice: str
) -> None:
    on = build(tmp_path, lines=("n7",))
    good = load_settings(on.home.folders.config)
    change_settings(
        on,
        accounts=(Account("agent", "just words", register=False),),
        microphone=f"file:{on.home.folders.config / voice}",
    )
    with begun(on):
        for fault in on.desk.wait(lambda now: now.faults if len(now.faults) == 2 else None, "two faults"):
            sentence(fault)
        save(on, accounts=good.accounts)
        on.desk.wait(lambda now: now.faults if len(now.faults) == 1 else None, "the voice's fault")
        on.ready()
        _recorded_all_the_same(on)
        save(on, microphone=good.microphone)
        on.desk.wait(lambda now: not now.faults, "no fault any more")
        on.end()
    assert on.verified()["ok"]


def test_a_settings_file_that_is_none_is_set_aside_and_told_of(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    folder = on.home.folders.config
    content = b"\x00\xff\xfe" * 50
    (folder / "settings.toml").write_bytes(content)
    with begun(on):
        sentence(on.desk.wait(lambda now: now.faults, "a fault")[0])
        assert on.desk.wait(lambda now: now.settings, "settings") == Settings()
        save(on, bind="127.0.0.1")
        on.desk.wait(lambda now: not now.faults, "no fault any more")
    assert (folder / "settings.faulty.toml").read_bytes() == content
