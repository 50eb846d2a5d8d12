"""Live sound through a real sound server: what is said into the microphone reaches the customer, what they say the speaker."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from softphone.audio.files import write_wav
from softphone.audio.player import tone
from softphone.domain.purpose import Reason
from softphone.wire.snapshot import CallPhase
from tests.engine.sip.hearing import pairs, tone_frames
from tests.journeys.fault_words import begun, change_settings, save, sentence
from tests.journeys.listening import numbers
from tests.journeys.stage import Stage, build
from tests.peers.processes import end, until
from tests.peers.pulse import NullSinks, null_sinks
from tests.peers.second_phone import talk

pytestmark = [pytest.mark.journey, pytest.mark.peer("pulseaudio")]

HERTZ = 620


@contextmanager
def with_sinks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Stage, NullSinks]]:
    """A phone that is ready, on a sound server of its own."""
    with null_sinks() as sinks:
        for name, value in sinks.env.items():
            monkeypatch.setenv(name, value)
        on = build(folder / "stage", lines=("n7",))
        change_settings(on, microphone="", speaker="")
        with begun(on):
            on.ready()
            yield on, sinks


def test_a_tone_into_the_microphone_reaches_the_customer_and_their_voice_the_speaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_sinks(tmp_path, monkeypatch) as (on, sinks):
        sound = on.desk.wait(lambda now: now.sound if now.sound.devices else None, "devices")
        assert sound.microphone is not None
        assert sound.speaker is not None
        assert sound.fault is None
        heard = tmp_path / "ear.raw"
        write_wav(tmp_path / "tone.wav", tone(HERTZ, 30, level_db=-12))
        speaking, listening = sinks.speak(tmp_path / "tone.wav"), sinks.listen(heard)
        try:
            call = on.call("n7")
            on.sealed(call, 3.0)
            talk(on.customer, 100)
            until(lambda: heard.stat().st_size > 2 * 16_000 * 2, 10, "sound at the speaker")
            # In the system's sound settings it has its own name, as a phone; ALSA and its plugins are not even loaded.
            assert sinks.who_speaks() == [("Klartone", "phone")]
            assert "libportaudio" not in Path(f"/proc/{on.engine.pid}/maps").read_text()
            on.hang_up(call)
        finally:
            end(speaking)
            end(listening)
        spoken = tone_frames(pairs(on.customer, tmp_path).heard, HERTZ)
        said = [number for number in numbers(heard.read_bytes()) if number is not None]
        print(f"{sum(spoken)} frames of tone at the customer; {len(said)} of their frames read at the speaker")
        assert sum(spoken) > 100
        assert len(said) > 50
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)

        save(on, microphone="Nobody's microphone")
        assert "Nobody's microphone" in sentence(on.desk.wait(lambda now: now.sound.fault, "a fault"))
        on.end()
    row = on.row(call)
    assert row is not None
    agent = tone_frames(on.exported(row.recording)[:, 0].copy().tobytes(), HERTZ)
    assert sum(agent) / len(agent) > 0.9


@pytest.mark.rule("L5")
def test_nothing_is_recorded_while_the_last_speaker_is_lost_or_stalls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_sinks(tmp_path, monkeypatch) as (on, sinks):
        call = on.call("n7")
        on.sealed(call, 1.0)
        sinks.lose("ear")
        on.sealed(call, 2.0)
        assert not on.desk.told("audit.agent_media_gone", call=call), "the sound server gave it another"
        sinks.lose("mouth")
        on.desk.wait_status(lambda status: status.pauses == (Reason.NO_AGENT,), "paused", call)
        fault = on.desk.wait(lambda now: now.sound.fault, "a fault")
        assert fault.code == "error.speaker_lost"
        sinks.find("ear")
        on.desk.wait_status(lambda status: status.recording and not status.pauses, "recording again", call)
        on.sealed(call, 1.0)
        assert not on.desk.told("audit.agent_media_gone", call=call)[1:], "once"
        # One that stalls takes what the agent would hear just the same, and the call goes on.
        sinks.stand_still()
        try:
            on.desk.wait_status(lambda status: status.pauses == (Reason.NO_AGENT,), "paused", call)
        finally:
            sinks.go_on()
        on.desk.wait_status(lambda status: status.recording and not status.pauses, "recording again", call)
        on.sealed(call, 1.0)
        on.hang_up(call)
        on.end()
