"""The notices' commands, as they are typed: what they print, the sound they write, and a recording from a real microphone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone import bootstrap, cli
from softphone.audio.files import read_wav, write_wav
from softphone.audio.loudness import TARGET, loudness
from softphone.domain.purpose import Language
from softphone.system.policy_file import load_policy
from tests.peers.processes import end
from tests.peers.pulse import null_sinks
from tests.policies import KEYS, POLICY, write_notice

ROOT = Path(__file__).parents[2]


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str | Path, status: int = 0) -> str:
    home = next(Path(word).parent for word in words if str(word).endswith(".toml")) / "home"
    assert cli.main(["--home", str(home), "policy", *map(str, words)]) == status
    told = capsys.readouterr()
    return told.err if status else told.out


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch, forked_hosts: None) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def heard(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    return np.frombuffer(read_wav(path), dtype="<i2").astype(np.int16)


def high_share(samples: NDArray[np.int16]) -> float:
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    return float(power[np.fft.rfftfreq(len(samples), 1 / 16_000) > 4200].sum() / power.sum())


@pytest.mark.rule("G05")
@pytest.mark.rule("G39")
def test_a_lines_notices_are_shown_with_their_length_and_what_there_is_to_say_about_them(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, "notice", "salg", "--policy", policy)
    heads = re.findall(r"(?m)^(N\d), (Danish|English), (\d+\.\d) seconds$", told)
    assert [(notice, language) for notice, language, _ in heads] == [
        ("N7", "Danish"),
        ("N7", "English"),
        ("N1", "Danish"),
        ("N1", "English"),
    ]
    assert all(8 < float(seconds) < 24 for *_, seconds in heads)
    assert "så sig bare til, eller tryk *9, så lader vi være" in told
    assert told.count("Says all that it must, and promises no more than it may.") == 4
    assert "For somebody who joins later: “This call is being recorded" in told


@pytest.mark.rule("N6")
def test_a_notice_that_the_line_does_not_need_can_be_looked_at_too(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, "notice", "salg", "--policy", policy, "--notice", "N6", "--language", "da")
    assert told.startswith("N6, Danish")
    assert "the line does not need this notice" in told
    assert re.search(r"From \d+\.\d s on, a key press counts as an answer", told)


@pytest.mark.rule("G39")
def test_own_words_with_doubts_are_shown_with_their_rule_and_how_to_confirm_them(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = """
[line.wording.N7.en]
essentials = "Calls may be recorded and stored to document what we agree and to train our staff."
facts = "If you'd rather not have it used for training, say so{keys}, and it won't be. Get access at {page}."
"""
    policy.write_text(POLICY.replace('opt_out = "stop"\n', f'opt_out = "stop"\n{own}'), "utf-8")
    told = said(capsys, "notice", "salg", "--policy", policy, "--notice", "N7", "--language", "en")
    assert "We record and keep this call" in told
    assert "does not find the right to object" in told
    assert "(G23)" in told
    assert re.search(r"--confirm [0-9a-f]{8} ", told)


@pytest.mark.rule("G39")
def test_own_words_that_cannot_be_used_are_refused_with_every_fault(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = '\n[line.wording.N7.en]\nessentials = "We record this call."\nfacts = "We delete it on demand."\n'
    policy.write_text(POLICY.replace('opt_out = "stop"\n', f'opt_out = "stop"\n{own}'), "utf-8")
    told = said(capsys, "notice", "salg", "--policy", policy, status=1)
    for rule in ("N7", "G05", "G06"):
        assert f"({rule})" in told, rule
    assert "line[1].wording.N7.en" in told


def test_the_notices_of_a_draft_are_shown_though_its_keys_are_missing(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for role, key in KEYS.items():
        policy.write_text(policy.read_text("utf-8").replace(key, f"${role}_key"), "utf-8")
    home = str(policy.parent / "home")
    assert cli.main(["--home", home, "policy", "notice", "salg", "--policy", str(policy), "--notice", "N7"]) == 0
    told = capsys.readouterr()
    assert "We record and keep this call" in told.out
    assert told.err.startswith("Some keys are still missing")


def test_a_line_that_is_not_there_is_said_with_those_that_are(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "notice", "slag", "--policy", policy, status=1)
    assert "salg, support" in told


@pytest.mark.rule("G05")
def test_a_notice_is_written_as_sound_and_as_a_telephone_carries_it(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide, narrow = policy.parent / "wide.wav", policy.parent / "narrow.wav"
    for path, *more in ((wide,), (narrow, "--narrow-band")):
        said(capsys, "notice", "support", "--policy", policy, "--language", "en", "--wav", path, *more)
    assert len(heard(wide)) == pytest.approx(len(heard(narrow)), abs=64)
    assert high_share(heard(wide)) > 50 * high_share(heard(narrow))


def test_a_finished_recording_is_made_ready_and_its_line_can_be_put_into_the_policy(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = write_notice(policy.parent / "given.wav", 4.0, rate=44_100)
    told = said(capsys, "record", "salg", "--policy", policy, "--notice", "N7", "--language", "da", "--from", given)

    assert "Vi optager og gemmer samtalen" in told
    assert "It is very short" in told
    file = policy.parent / "salg-n7-da.wav"
    assert loudness(heard(file)).integrated == pytest.approx(TARGET, abs=0.5)
    added = told.strip().splitlines()[-1]
    danish = tomllib.loads(added)["sound"]["N7"]["da"]
    assert danish["file"] == "salg-n7-da.wav"
    policy.write_text(POLICY.replace('id = "salg"', f'id = "salg"\n{added}'), "utf-8")
    assert load_policy(policy).policy.line[0].sound
    again = said(capsys, "notice", "salg", "--policy", policy, "--notice", "N7", "--language", "da")
    assert "The line's own recording is played." in again
    assert re.search(r"N7, Danish, 4\.[0-3] seconds", again)
    english = said(capsys, "record", "salg", "--policy", policy, "--notice", "N7", "--language", "en", "--from", given)
    both = tomllib.loads(english.strip().splitlines()[-1])["sound"]["N7"]
    assert both["da"] == danish
    assert both["en"]["file"] == "salg-n7-en.wav"
    assert both["en"]["hash"] != danish["hash"]


@pytest.mark.rule("G03")
def test_a_notice_in_parts_has_its_marks_where_they_meet(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts: list[Path] = []
    for name, seconds in (("why", 3.0), ("facts", 5.0), ("question", 2.0)):
        parts.append(write_notice(policy.parent / f"{name}.wav", seconds))
        write_wav(parts[-1], np.pad(heard(parts[-1]), 16_000).astype("<i2").tobytes())
    asked = ("record", "salg", "--policy", policy, "--notice", "N6", "--language", "da")
    told = said(capsys, *asked, *(word for part in parts for word in ("--from", part)))
    made = tomllib.loads(told.strip().splitlines()[-1])["sound"]["N6"]["da"]
    whole = heard(policy.parent / made["file"])
    quiet = [n / 100 for n, block in enumerate(np.array_split(np.abs(whole), len(whole) // 160)) if block.max() < 300]
    # 0.1 s before and 0.2 s after what is said is all that is left of the silence around it
    assert made["essentials"] == pytest.approx(3.3, abs=0.05)
    assert made["question"] == pytest.approx(8.6, abs=0.1)
    assert len(whole) / 16_000 == pytest.approx(10.9, abs=0.15)
    for mark in (made["essentials"], made["question"]):
        assert min(abs(mark - at) for at in quiet) < 0.03, "a mark lies between two parts"
    assert "not known" not in told

    alone = said(capsys, *asked, "--from", parts[0])
    assert "When in the file its 3 parts are said is not known" in alone
    assert set(tomllib.loads(alone.strip().splitlines()[-1])["sound"]["N6"]["da"]) == {"file", "hash"}
    wrong = said(capsys, *asked, "--from", parts[0], "--from", parts[1], status=1)
    assert "The notice has 3 parts" in wrong
    told = said(capsys, *asked[:5], "N7", *asked[6:], "--from", parts[0], "--from", parts[1])
    assert set(tomllib.loads(told.strip().splitlines()[-1])["sound"]["N7"]["da"]) == {"file", "hash", "essentials"}


def test_marks_that_stand_in_the_policy_stay_when_another_notice_is_recorded(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_notice(policy.parent / "own.wav", 4.0)
    stands = 'sound = { N7 = { en = { file = "own.wav", essentials = 1.5 } } }'
    policy.write_text(POLICY.replace('id = "salg"', f'id = "salg"\n{stands}'), "utf-8")
    given = policy.parent / "own.wav"
    told = said(capsys, "record", "salg", "--policy", policy, "--notice", "N7", "--language", "da", "--from", given)
    both = tomllib.loads(told.strip().splitlines()[-1])["sound"]["N7"]
    assert both["en"] == {"file": "own.wav", "essentials": 1.5}


@pytest.mark.parametrize("name", ["to\nlinjer.wav", 'a"b\\c.wav', "tab\tog\x7f.wav", "optagelse på dansk.wav"])
def test_whatever_the_recording_is_called_its_line_can_be_read(
    policy: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    given = write_notice(policy.parent / "given.wav", 4.0)
    asked = ("record", "salg", "--policy", policy, "--notice", "N2+N3", "--language", "da", "--from", given)
    told = said(capsys, *asked, "--wav", policy.parent / name)
    assert tomllib.loads(told.strip().splitlines()[-1])["sound"]["N2+N3"]["da"]["file"] == name


@pytest.mark.rule("G05")
def test_a_recording_is_played_as_long_as_the_notice_says_its_words_and_its_file_is_the_same(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = write_notice(policy.parent / "given.wav", 4.0)
    told = said(capsys, "record", "salg", "--policy", policy, "--notice", "N7", "--language", "da", "--from", given)
    text = POLICY.replace('id = "salg"', f'id = "salg"\n{told.strip().splitlines()[-1]}')

    def played(text: str) -> bool:
        policy.write_text(text, "utf-8")
        shown = said(capsys, "notice", "salg", "--policy", policy, "--notice", "N7", "--language", "da")
        return "The line's own recording is played." in shown

    assert played(text)
    assert not played(text.replace('id = "salg"', 'id = "salg"\nopt_out_key = "*7"'))
    write_notice(policy.parent / "salg-n7-da.wav", 3.0)
    assert not played(text)


def test_a_recording_too_long_to_be_listened_to_is_called_long(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = write_notice(policy.parent / "given.wav", 27.0)
    told = said(capsys, "record", "salg", "--policy", policy, "--notice", "N7", "--language", "da", "--from", given)
    assert "over 25 seconds" in told


def test_where_there_is_nothing_to_hear_nothing_is_written(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = policy.parent / "hiss.wav"
    hiss = np.random.default_rng(1).integers(-150, 150, 3 * 16_000).astype("<i2")
    hiss[1000::16_000] = 900
    write_wav(given, (hiss // 12).astype("<i2").tobytes())
    told = said(
        capsys, "record", "salg", "--policy", policy, "--notice", "N7", "--language", "da", "--from", given, status=1
    )
    assert told
    assert not (policy.parent / "salg-n7-da.wav").exists()


def test_without_a_microphone_it_says_so_and_what_to_do(policy: Path, tmp_path: Path) -> None:
    if Path("/dev/snd").exists():
        pytest.skip("this machine has sound cards, which cannot be hidden from PortAudio")
    env = {**os.environ, "HOME": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none", "LC_ALL": "C"}
    done = recording(policy, env).communicate("\n\n", timeout=60)
    assert "There is no microphone to record with" in done[1]
    assert "--from" in done[1]
    assert "Press Enter" not in done[0]
    assert "Traceback" not in done[1]


def recording(policy: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    words = ["policy", "record", "salg", "--policy", str(policy), "--notice", "N7", "--language", "da"]
    return subprocess.Popen(
        [sys.executable, "-m", "softphone.cli", "--home", str(policy.parent / "home"), *words],
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.peer("pulseaudio")
def test_what_is_said_into_the_microphone_becomes_the_notice_trimmed_and_as_loud_as_the_others(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken = policy.parent / "spoken.wav"
    said(capsys, "notice", "salg", "--policy", policy, "--notice", "N1", "--language", "da", "--wav", spoken)
    quiet = (heard(spoken)[: 5 * 16_000] // 8).astype("<i2")
    write_wav(spoken, quiet.tobytes())
    with null_sinks() as sinks:
        process = recording(policy, {**sinks.env, "LC_ALL": "C"})
        assert process.stdin is not None
        assert process.stdout is not None
        told = ""
        try:
            for line in process.stdout:
                told += line
                if "Press Enter to begin" in line:
                    process.stdin.write("\n")
                    process.stdin.flush()
                if "Recording." in line:
                    # whatever the part says, the same is said for each
                    speaking = sinks.speak(spoken)
                    assert speaking.wait(timeout=40) == 0
                    process.stdin.write("\n")
                    process.stdin.flush()
            wrong = process.communicate(timeout=60)[1]
        finally:
            end(process)
    assert process.returncode == 0, wrong
    assert "LUFS" in told
    assert "Part 2 of 2: " in told
    own = heard(policy.parent / "salg-n7-da.wav")
    found = loudness(own)
    assert found.integrated == pytest.approx(TARGET, abs=0.5)
    assert found.peak <= -3
    # the waiting before and after it is gone; what a busy sound server puts between the words is not ours to take out
    assert found.seconds == pytest.approx(2 * len(quiet) / 16_000, abs=3)
    made = tomllib.loads(told.strip().splitlines()[-1])["sound"]["N7"]["da"]
    assert made["essentials"] == pytest.approx(found.seconds / 2, abs=1.5)
    assert np.abs(own[round(0.15 * 16_000) : round(0.6 * 16_000)].astype(np.int32)).max() > 1000


def test_the_language_of_the_commands_is_either(policy: Path) -> None:
    parser = cli.build_parser(bootstrap.texts())
    parsed = parser.parse_args(["policy", "notice", "salg", "--language", "da"])
    assert parsed.language is Language.DA
