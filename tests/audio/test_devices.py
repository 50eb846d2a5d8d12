"""Sound devices, real ones on a private PulseAudio, and a machine without any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sounddevice

from softphone.audio import devices
from softphone.audio.files import read_wav, write_wav
from softphone.audio.player import level_dbfs, tone
from softphone.domain.errors import SoundError
from tests.engine.sip.hearing import tone_frames
from tests.peers.processes import end, until
from tests.peers.pulse import NullSinks, null_sinks
from tests.peers.second_phone import ROOT, part, second_phone, talk

pulseaudio = pytest.mark.peer("pulseaudio")


def run(script: str, env: Mapping[str, str], *arguments: str) -> Any:
    """What a script prints as JSON, in a process that sees the sound of `env` only."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sinks() -> Generator[NullSinks]:
    with null_sinks() as running:
        yield running


@pytest.fixture
def no_devices(tmp_path: Path) -> dict[str, str]:
    if Path("/dev/snd").exists():
        pytest.skip("this machine has sound cards, which cannot be hidden from PortAudio")
    return {**os.environ, "HOME": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none"}


LIST = """
import json
from softphone.audio.devices import list_devices
found = list_devices()
print(json.dumps({
    "microphones": [d.id for d in found.microphones()],
    "names": [d.name for d in found.all],
    "of_old": getattr(found.find("speaker", "ALSA: pulse"), "id", None),
    "speakers": [d.id for d in found.speakers()],
    "faults": [f.code for f in found.faults],
    "default_microphone": getattr(found.find("microphone", ""), "id", None),
    "unknown": getattr(found.find("speaker", "ALSA: gone"), "code", None),
}))
"""


@pulseaudio
def test_devices_are_listed_with_the_default_and_an_unknown_one_is_said_to_be_unknown(
    sinks: NullSinks,
) -> None:
    """By the names of the sound server's own settings, and each once. A loudspeaker's echo is no microphone, unless it is
    the system's choice, as it is here."""
    found = run(LIST, sinks.env)
    assert found["microphones"] == ["PulseAudio: mouth.monitor", "PulseAudio: quiet"]
    assert found["speakers"] == ["PulseAudio: mouth", "PulseAudio: ear"]
    assert set(found["names"]) == {"Monitor of Null Output", "Null Output", "Null Input"}
    assert found["default_microphone"] == "PulseAudio: mouth.monitor"
    assert found["of_old"] == "PulseAudio: ear", "the default, for settings from before"
    assert found["faults"] == []
    assert found["unknown"] == "no_such_speaker"


def test_a_machine_without_devices_says_no_microphone_and_no_speaker(
    no_devices: dict[str, str],
) -> None:
    found = run(LIST, no_devices)
    assert found["microphones"] == found["speakers"] == []
    assert found["faults"] == ["no_microphone", "no_speaker"]
    assert found["unknown"] == "no_speaker"


def test_windows_lists_a_headset_once_by_its_whole_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """PortAudio's own list there has it three times, in MME's cut off at 31 letters. Two of a kind have names of their own."""
    headsets = ("Headset Microphone (Jabra Evolve2 40)", "Headset Microphone (2- Jabra Evolve2 40)")
    apis = ("MME", "Windows DirectSound", "Windows WASAPI")
    found = [(api, name[:31] if api == "MME" else name) for api in apis for name in headsets]
    infos = [
        {
            "name": name,
            "index": index,
            "hostapi": apis.index(api),
            "max_input_channels": 1,
            "max_output_channels": 0,
            "default_samplerate": 48_000.0,
        }
        for index, (api, name) in enumerate(found)
    ]
    hosts = [
        {"name": api, "default_input_device": 2 * n + 1, "default_output_device": -1} for n, api in enumerate(apis)
    ]
    monkeypatch.setattr(sounddevice, "query_devices", lambda: infos)
    monkeypatch.setattr(sounddevice, "query_hostapis", lambda: tuple(hosts))
    monkeypatch.setattr(devices, "pulse_devices", lambda: None)
    seen = devices.list_devices()
    assert [one.id for one in seen.microphones()] == [f"Windows WASAPI: {name}" for name in headsets]
    default = seen.find("microphone", "")
    assert isinstance(default, devices.Device)
    assert default.name == headsets[1]


WITHOUT_PORTAUDIO = f"""
import ctypes.util
ctypes.util.find_library = lambda name: None
{LIST}
"""


def test_a_machine_without_portaudio_says_that_sound_is_missing(no_devices: dict[str, str]) -> None:
    found = run(WITHOUT_PORTAUDIO, no_devices)
    assert found["faults"] == ["sound_missing"]
    assert found["unknown"] == "sound_missing"


@pulseaudio
@pytest.mark.calm
def test_a_tone_into_the_microphone_reaches_the_far_end_and_the_far_end_the_speaker(
    sinks: NullSinks, tmp_path: Path
) -> None:
    mouth, said, ear = tmp_path / "mouth.wav", tmp_path / "said.wav", tmp_path / "ear.raw"
    write_wav(mouth, tone(500, 20, level_db=-14))
    write_wav(said, tone(900, 20, level_db=-14))
    with (
        second_phone(device=True, env=sinks.env) as agent,
        second_phone(auto_answer=True) as customer,
    ):
        speaking = sinks.speak(mouth)
        listening = sinks.listen(ear)
        try:
            customer.do("say", wav=str(said))
            agent.do("dial", target=f"sip:customer@127.0.0.1:{customer.udp}")
            agent.wait_for("CallEstablished")
            customer.wait_for("CallEstablished")
            talk(customer, 100)
            heard = tmp_path / "heard.wav"
            customer.ask("save", "Saved", own=str(tmp_path / "own.wav"), heard=str(heard))
            part(agent, customer)
        finally:
            end(speaking)
            end(listening)
    pcm = read_wav(heard)
    assert all(tone_frames(pcm, 500)[-40:])
    assert level_dbfs(pcm[-640 * 40 :]) == pytest.approx(-14, abs=1.5)
    assert sum(tone_frames(ear.read_bytes(), 900)) > 40
    assert not agent.told("SoundFault")


def test_without_any_device_the_faults_are_told_and_the_call_is_made_all_the_same(
    no_devices: dict[str, str],
) -> None:
    with (
        second_phone(device=True, env=no_devices) as agent,
        second_phone(auto_answer=True, counter=True) as customer,
    ):
        assert agent.wait_for("SoundFault")["code"] == "no_microphone"
        assert agent.wait_for("SoundFault")["code"] == "no_speaker"
        agent.do("dial", target=f"sip:customer@127.0.0.1:{customer.udp}")
        agent.wait_for("CallEstablished")
        talk(agent, 20)
        customer.wait_for("CallEstablished")
        part(agent, customer)


@pulseaudio
def test_sound_that_comes_late_is_taken_into_use_and_when_it_is_lost_in_a_call_the_call_goes_on() -> None:
    with null_sinks() as sinks, second_phone(auto_answer=True, counter=True) as customer:
        sinks.kill()
        with second_phone(device=True, env=sinks.env) as agent:
            assert {agent.wait_for("SoundFault")["code"] for _ in range(2)} == {"no_microphone", "no_speaker"}
            sinks.plug_in()
            assert {agent.wait_for("SoundWorks")["side"] for _ in range(2)} == {"microphone", "speaker"}
            agent.do("dial", target=f"sip:customer@127.0.0.1:{customer.udp}")
            agent.wait_for("CallEstablished")
            talk(agent, 20)
            # It stands still, and does not even close a device.
            sinks.stand_still()
            try:
                lost = {agent.wait_for("SoundFault")["code"] for _ in range(2)}
                assert lost == {"microphone_lost", "speaker_lost"}
                talk(agent, 20)
            finally:
                sinks.go_on()
            assert {agent.wait_for("SoundWorks", seconds=20)["side"] for _ in range(2)} == {"microphone", "speaker"}
            sinks.kill()
            lost = {agent.wait_for("SoundFault")["code"] for _ in range(2)}
            assert lost == {"microphone_lost", "speaker_lost"}
            talk(agent, 30)
            customer.wait_for("CallEstablished")
            part(agent, customer)


def test_what_was_plugged_in_is_found_at_the_next_look_and_no_look_ends_a_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts: list[str] = []
    there = ["headset"]
    seen: list[str] = []
    api = {"name": "ALSA", "default_input_device": 0, "default_output_device": 0}

    def start() -> None:
        starts.append("start")
        seen[:] = there

    def info(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "hostapi": 0,
            "index": seen.index(name),
            "max_input_channels": 1,
            "max_output_channels": 2,
            "default_samplerate": 48_000.0,
        }

    monkeypatch.setattr(sounddevice, "_terminate", lambda: starts.append("end"))
    monkeypatch.setattr(sounddevice, "_initialize", start)
    monkeypatch.setattr(sounddevice, "query_devices", lambda: [info(name) for name in seen])
    monkeypatch.setattr(sounddevice, "query_hostapis", lambda: (api,))
    start()
    (headset,) = devices.list_devices().all
    there.insert(0, "camera")
    assert devices.list_devices().all == (headset,)
    with devices.steady("microphone", headset) as now:
        assert now == headset
        assert devices.list_devices(refresh=True).all == (headset,)
    assert starts == ["start"]
    assert [one.name for one in devices.list_devices(refresh=True).all] == ["camera", "headset"]
    assert starts == ["start", "end", "start"]
    # It is another number's by now, and opened under that.
    with devices.steady("microphone", headset) as now:
        assert (now.id, now.index) == (headset.id, 1)
    there.remove("headset")
    devices.list_devices(refresh=True)
    with pytest.raises(SoundError, match="no_such_microphone"), devices.steady("microphone", headset):
        pass
    # What failed to open holds nothing.
    devices.list_devices(refresh=True)
    assert starts[-2:] == ["end", "start"]
    assert devices._streams == 0


PLAY = """
import json, sys
from softphone.audio.player import LevelMeter, Player, TestTone, tone
from softphone.domain.errors import SoundError
levels = []
meter = LevelMeter(changed=levels.append)
meter.open()
player = Player()
player.play(tone(700, 1.0, rate=48_000), rate=48_000)
played = player.wait(10)
seconds, kept = player.seconds, len(player._pcm)
test = TestTone()
test.play(0.5)
test.wait(10)
meter.close()
refused = ""
try:
    Player("ALSA: gone").play(b"")
except SoundError as error:
    refused = error.code
print(json.dumps({"played": played, "seconds": seconds, "kept": kept, "levels": levels, "refused": refused}))
"""


WITHOUT_LIBPULSE = f"""
import sys
sys.modules["pulsectl"] = None
{LIST}
"""


@pulseaudio
def test_without_the_sound_servers_library_its_one_device_is_listed_as_portaudio_has_it(sinks: NullSinks) -> None:
    found = run(WITHOUT_LIBPULSE, sinks.env)
    assert "ALSA: default" in found["microphones"]
    assert found["default_microphone"] == "ALSA: default"
    assert found["faults"] == []


@pulseaudio
@pytest.mark.calm
def test_a_headset_that_was_chosen_and_goes_in_mid_call_is_lost_and_nobody_else_hears_the_party(tmp_path: Path) -> None:
    """The sound server would lead its sound to the loudspeaker that is left."""
    there, elsewhere, back = (tmp_path / f"{name}.raw" for name in ("headset", "ear", "back"))
    write_wav(tmp_path / "said.wav", tone(900, 30, level_db=-14))
    with null_sinks() as sinks, second_phone(auto_answer=True) as customer:
        sinks.find("headset")
        assert "Evolve2" in run(LIST, sinks.env)["names"]
        listening = [sinks.listen(there, "headset"), sinks.listen(elsewhere)]
        try:
            with second_phone(device=True, speaker="PulseAudio: headset", env=sinks.env) as agent:
                assert agent.wait_for("SoundWorks", side="speaker")["device"] == "PulseAudio: headset"
                customer.do("say", wav=str(tmp_path / "said.wav"), loop=True)
                agent.do("dial", target=f"sip:customer@127.0.0.1:{customer.udp}")
                agent.wait_for("CallEstablished")
                until(
                    lambda: there.exists() and sum(tone_frames(there.read_bytes(), 900)) > 30,
                    10,
                    "the party in the ear",
                )
                assert sum(tone_frames(elsewhere.read_bytes(), 900)) == 0
                # A plug that is moved: nobody hears of it, and the sound comes back to it.
                sinks.lose("headset")
                sinks.find("headset")
                listening.append(sinks.listen(back, "headset"))
                until(
                    lambda: back.exists() and sum(tone_frames(back.read_bytes(), 900)) > 30,
                    10,
                    "the party in the ear again",
                )
                assert not agent.told("SoundFault")
                assert len([one for one in agent.told("SoundWorks") if one["side"] == "speaker"]) == 1
                sinks.lose("headset")
                assert agent.wait_for("SoundFault")["code"] == "speaker_lost"
                talk(agent, 25)
                sinks.find("headset")
                assert agent.wait_for("SoundWorks", side="speaker")["device"] == "PulseAudio: headset"
                talk(agent, 10)
                assert sum(tone_frames(elsewhere.read_bytes(), 900)) == 0
                customer.wait_for("CallEstablished")
                part(agent, customer)
        finally:
            for one in listening:
                end(one)


HANGING = """
import json, os, sys, threading, time
from softphone.audio.pulse import pulse_devices
def open_files():
    return len(os.listdir("/proc/self/fd"))
before = len(pulse_devices())
print(json.dumps(before), flush=True)
sys.stdin.readline()
began = time.monotonic()
known, threads, files = [], [], []
for _ in range(3):
    known.append(pulse_devices() is not None)
    threads.append(threading.active_count())
    files.append(open_files())
took = time.monotonic() - began
print(json.dumps({"known": known, "threads": threads, "files": files, "took": took}), flush=True)
sys.stdin.readline()
until = time.monotonic() + 10
while (again := pulse_devices()) is None and time.monotonic() < until:
    time.sleep(0.05)
print(json.dumps(len(again or ())), flush=True)
"""


@pulseaudio
def test_a_sound_server_that_hangs_is_asked_once_and_is_known_again_when_it_answers() -> None:
    with null_sinks() as sinks:
        asker = subprocess.Popen(
            [sys.executable, "-c", HANGING],
            cwd=ROOT,
            env=dict(sinks.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert asker.stdin is not None
        assert asker.stdout is not None
        # One that waits for ever fails here, and not never.
        watch = threading.Timer(20, asker.kill)
        watch.start()
        try:
            there = json.loads(asker.stdout.readline())
            sinks.stand_still()
            asker.stdin.write("\n")
            told = json.loads(asker.stdout.readline() or "{}")
            sinks.go_on()
            asker.stdin.write("\n")
            assert told, "it has waited for ever"
            assert told["known"] == [False] * 3
            assert told["took"] < 4
            assert told["threads"] == [2] * 3
            assert len(set(told["files"])) == 1
            assert json.loads(asker.stdout.readline()) == there == 4
        finally:
            watch.cancel()
            sinks.go_on()
            end(asker)
            asker.stdin.close()
            asker.stdout.close()


ECHO = """
import json, time
from softphone.audio.bridge import LiveBridge
from softphone.audio.cleaning import Cleaner
from softphone.audio.player import level_dbfs, tone
class Hears(Cleaner):
    played = b""
    def heard(self, pcm):
        self.played += pcm
cleaner = Hears(echo=False, noise=False)
bridge = LiveBridge(None, "", tell=lambda _: None, cleaner=cleaner)
bridge.open()
said = tone(700, 0.04, level_db=-14)
until = time.monotonic() + 10
loud = False
while not loud and time.monotonic() < until:
    bridge.push(said)
    time.sleep(0.02)
    loud = len(cleaner.played) > 6400 and level_dbfs(cleaner.played[-6400:]) > -30
bridge.close()
print(json.dumps(loud))
"""


@pulseaudio
def test_what_the_loudspeaker_plays_reaches_the_echo_canceller(sinks: NullSinks) -> None:
    assert run(ECHO, sinks.env) is True


OWN_CALL = """
import json
from softphone.audio import own_call
from softphone.audio.cleaning import Cleaner
from softphone.audio.player import tone
own_call.SPEAK_SECONDS = 1.5
steps = []
one = own_call.OwnCall("", "", volumes=(100, 100), cleaner=Cleaner(echo=False, noise=False), stepped=steps.append)
one.run(tone(700, 1.0, level_db=-14))
print(json.dumps({"steps": steps}))
"""


@pulseaudio
@pytest.mark.calm
def test_a_test_call_gives_the_notice_and_then_what_the_agent_said(sinks: NullSinks, tmp_path: Path) -> None:
    mouth, ear = tmp_path / "mouth.wav", tmp_path / "own.raw"
    write_wav(mouth, tone(500, 20, level_db=-14))
    speaking, listening = sinks.speak(mouth), sinks.listen(ear)
    try:
        until(lambda: ear.exists() and ear.stat().st_size > 3200, 15, "the first sound")
        told = run(OWN_CALL, sinks.env)
    finally:
        end(speaking)
        end(listening)
    assert told["steps"] == ["notice", "speak", "listen", ""]
    heard = ear.read_bytes()
    notice, own = tone_frames(heard, 700), tone_frames(heard, 500)
    assert 45 <= sum(notice) <= 52
    assert 55 <= sum(own) <= 80
    assert notice.index(True) < own.index(True), "by turns"


@pulseaudio
@pytest.mark.calm
def test_the_player_the_test_tone_and_the_level_meter_use_real_devices(sinks: NullSinks, tmp_path: Path) -> None:
    mouth, ear = tmp_path / "mouth.wav", tmp_path / "ear.raw"
    write_wav(mouth, tone(500, 20, level_db=-14))
    speaking, listening = sinks.speak(mouth), sinks.listen(ear)
    try:
        until(lambda: ear.exists() and ear.stat().st_size > 3200, 15, "the first sound")
        told = run(PLAY, sinks.env)
    finally:
        end(speaking)
        end(listening)
    assert told["played"] is True
    assert told["seconds"] == pytest.approx(1.0, abs=0.01)
    assert told["kept"] == 0  # what was played does not stay in memory
    assert told["refused"] == "no_such_speaker"
    assert len(told["levels"]) >= 8
    assert np.median(told["levels"]) == pytest.approx(-14, abs=1.5)
    heard = ear.read_bytes()
    assert 45 <= sum(tone_frames(heard, 700)) <= 52
    assert 20 <= sum(tone_frames(heard, 440)) <= 27


_ENDS_IN_A_LOOK = """
import os, sys, threading, time
from softphone.audio import devices
import sounddevice
real, began = sounddevice._lib, threading.Event()
class Slow:
    def __getattr__(self, name):
        return getattr(real, name)
    def Pa_Terminate(self):
        done = real.Pa_Terminate()
        began.set()
        time.sleep(0.3)
        return done
sounddevice._lib = Slow()
threading.Thread(target=lambda: devices.list_devices(refresh=True), daemon=True).start()
assert began.wait(10)
sys.unraisablehook = lambda one: os._exit(3)
"""


def test_a_process_that_ends_while_it_looks_for_devices_ends_portaudio_once(no_devices: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", _ENDS_IN_A_LOOK], env=no_devices, timeout=30, check=False)
    assert done.returncode == 0
