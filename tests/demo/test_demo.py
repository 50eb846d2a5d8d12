"""`klartone demo`, run as a person runs it: real processes, real SIP and RTP, real keys; the summary read back at the end."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.audio import devices
from softphone.audio.devices import Devices, SoundFault
from softphone.bootstrap.home import DEMO_KEYS, key_store, texts
from softphone.bootstrap.program import as_typed
from softphone.demo import story
from softphone.demo.stage import TURN, refuse_foreign, set_stage
from softphone.demo.story import Teller, _can_be_heard, _has_speaker
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.locking import locked
from softphone.system.secrets import DemoKeyFile
from tests.peers.forked import Ended, run

ROOT = Path(story.__file__).parent
KLARTONE = [sys.executable, "-m", "softphone"]
ENVIRONMENT = {**os.environ, "LANG": "C", "LC_ALL": "C", "PATH": "/usr/bin:/bin"}
SECONDS = 2
Refused = Callable[..., str]


def words_of(folder: Path, *options: str, json_lines: bool = True) -> list[str]:
    told = ["--json"] if json_lines else []
    return ["demo", "--headless", *told, "--seconds", str(SECONDS), "--archive", str(folder), *options]


def run_demo(folder: Path, *options: str, json_lines: bool = True) -> Ended:
    return run("softphone", *words_of(folder, *options, json_lines=json_lines), env=ENVIRONMENT, cwd="/")


def summary_of(run: Ended) -> dict[str, Any]:
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    return json.loads(run.stdout.splitlines()[-1])["summary"]


def one_event(run: Ended, event: str) -> dict[str, Any]:
    (told,) = [line for line in map(json.loads, run.stdout.splitlines()) if line.get("event") == event]
    return told


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """A demo that is refused before anything is begun: what is said."""
    monkeypatch.setenv("LC_ALL", "C")

    def demo(folder: Path, *options: str) -> str:
        assert cli.main(["demo", "--headless", "--json", "--archive", str(folder), *options]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    return demo


def chunks(folder: Path) -> list[str]:
    return sorted(one.stem for one in (folder / "recordings").iterdir())


@pytest.mark.journey
@pytest.mark.rule("G31")
@pytest.mark.rule("G04")
def test_a_yes_to_n3_is_recorded_and_a_no_later_leaves_nothing_of_it(folder: Path) -> None:
    ran = run_demo(folder, "--notice", "N3", "--party", "yes", "--agent", "opt-out")
    summary = summary_of(ran)
    assert one_event(ran, "pressed")["command"] == "opt_out"
    assert summary["consent"] is True
    assert summary["recorded_seconds"] > 0.5
    assert (summary["status"], summary["reason"]) == ("not_recording", "withdrawn")
    assert not summary["kept"]
    assert summary["purposes"] == []
    assert summary["audit_ok"]
    assert summary["recording_id"] not in chunks(folder)


@pytest.mark.journey
@pytest.mark.rule("G10")
def test_a_dispute_locks_the_recording(folder: Path) -> None:
    ran = run_demo(folder, "--notice", "N1", "--agent", "dispute")
    summary = summary_of(ran)
    assert one_event(ran, "pressed")["command"] == "raise_dispute"
    assert summary["on_hold"]
    assert summary["kept"]
    assert summary["purposes"] == ["documentation"]
    archive = Archive.open(folder, key_store(folder))
    with closing(archive):
        (row,) = [one for one in archive.list() if one.recording == summary["recording_id"]]
        assert summary["audit_entries"] == len(archive.audit_of(call=row.call))
    keys = folder / DEMO_KEYS
    assert keys.stat().st_mode & 0o077 == 0


@pytest.mark.journey
@pytest.mark.rule("G03")
def test_another_key_is_no_consent_to_the_one_of_two_purposes_that_is_asked_about(folder: Path) -> None:
    ran = run_demo(folder, "--notice", "N6", "--party", "other-key")
    summary = summary_of(ran)
    assert {"event": "party", "key": "5"}.items() <= one_event(ran, "party").items()
    assert (summary["notice"], summary["consent"], summary["audit_ok"]) == ("N6", False, True)
    assert summary["purposes"] == ["documentation"]
    assert summary["first_sample_at"] > summary["notice_ended_at"]


@pytest.mark.journey
def test_the_story_is_of_one_piece_and_says_where_the_recording_lies_and_that_it_is_a_demo(
    folder: Path, tmp_path: Path
) -> None:
    """One section ends and the next begins: recording has not stopped. Training's end and its key are each told once."""
    before = chunks(folder)
    options = ["--notice", "N7", "--agent", "opt-out", "--screenshots", str(tmp_path)]
    ran = run_demo(folder, *options, json_lines=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "has stopped" not in ran.stdout
    assert ran.stdout.count("Recording goes on without a gap") == 1
    assert ran.stdout.count("training key") == ran.stdout.count("training has ended") == 1
    (recording,) = {*chunks(folder)} - {*before}
    # By the program that ran, for this one has no name of its own; and as a file where no speaker is.
    klartone = shlex.join(KLARTONE)
    heard = f"play {recording}" if _has_speaker() else f"export {recording} --wav klartone.wav"
    assert f"{klartone} archive --archive {folder} {heard}\n" in ran.stdout
    assert f"{klartone} archive --archive {folder} show {recording}\n" in ran.stdout
    assert "demo-keys.json" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    assert len(list(tmp_path.glob("*.png"))) >= 4


@pytest.mark.skipif(sys.platform == "win32", reason="a file in the way is told otherwise there")
def test_a_demo_that_cannot_be_written_says_that_it_has_not_begun(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "file").write_text("in the way")
    said = refused(tmp_path / "file" / "demo")
    assert said.startswith(f"Nothing can be written in {tmp_path / 'file' / 'demo'} (Not a directory)")
    assert "Calls" not in said


def test_the_demos_own_folder_is_in_the_home_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "data" / "demo"
    own.mkdir(parents=True)
    (own / "letter.txt").write_text("not a demo's")
    assert cli.main(["--home", str(tmp_path), "demo", "--headless"]) == 1
    assert str(own) in capsys.readouterr().err


def test_what_happens_is_told_in_milliseconds_and_an_objection_by_what_becomes_of_the_recording(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Teller(texts(Language.EN), as_json=True)("answered", {"since_answer": 4.507000994635746e-06, "seconds": 20.1199999})
    told = json.loads(capsys.readouterr().out)
    assert (told["since_answer"], told["seconds"]) == (0.0, 20.12)
    story_teller = Teller(texts(Language.EN), as_json=False)
    for goes_on, word in ((False, "stops here"), (True, "goes on")):
        story_teller("audit.objection", {"goes_on": goes_on})
        assert word in capsys.readouterr().out


def test_the_demo_leaves_anothers_archive_alone(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "archive.json").write_text('{"format": 1, "archive": "a", "desk": "d", "demo": false}')
    assert "demo" in refused(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["archive.json"]


def test_the_demo_leaves_a_folder_with_anything_else_in_it_alone(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text("")
    said = refused(tmp_path, "--screenshots", str(tmp_path / "pictures"))
    assert said.startswith(f"{tmp_path} contains something that is not from a demo")
    assert [one.name for one in tmp_path.iterdir()] == ["config"]


def test_the_demo_takes_an_empty_folder_a_new_one_and_a_demos(tmp_path: Path) -> None:
    refuse_foreign(tmp_path)
    refuse_foreign(tmp_path / "new")
    Archive.create(tmp_path, DemoKeyFile(tmp_path / DEMO_KEYS), demo=True).close()
    refuse_foreign(tmp_path)


def test_of_two_demos_begun_at_the_same_moment_one_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with (tmp_path / TURN).open("ab") as other:
        assert locked(other)
        refuse_foreign(tmp_path)
        with pytest.raises(KlartoneError, match=r"error\.demo\.running"):
            set_stage(tmp_path, "N7", listen=False)
    assert [one.name for one in tmp_path.iterdir()] == [TURN]


@pytest.mark.skipif(sys.platform == "win32", reason="its shell quotes otherwise")
def test_a_command_to_type_is_the_bare_name_only_where_the_path_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "klartone"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "argv", [".venv/bin/klartone", "demo"])
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert as_typed("archive", "a folder") == ".venv/bin/klartone archive 'a folder'"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert as_typed("archive") == "klartone archive"


def test_pictures_that_have_no_place_are_told_before_anything_is_begun(tmp_path: Path, refused: Refused) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    said = refused(tmp_path / "demo", "--screenshots", str(file / "pictures"))
    assert said.startswith(f"The picture {file / 'pictures'} could not be written.")
    assert not (tmp_path / "demo").exists()


@pytest.mark.journey
@pytest.mark.rule("G34")
def test_a_call_outside_the_sample_is_neither_announced_nor_recorded_and_lost_pictures_are_told(
    folder: Path, tmp_path: Path
) -> None:
    """Whatever becomes of its pictures, the call is told and proved."""
    before, pictures = chunks(folder), tmp_path / "pictures"
    process = subprocess.Popen(
        [*KLARTONE, *words_of(folder, "--notice", "none", "--screenshots", str(pictures))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "ready"
    pictures.rmdir()
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    (told,) = errors.splitlines()
    assert told.startswith(f"The picture {pictures}")
    summary = json.loads(output.splitlines()[-1])["summary"]
    assert summary["audit_ok"]
    assert summary["notice"] is None
    assert summary["notice_started_at"] is None
    assert summary["recording_id"] is None
    assert (summary["status"], summary["reason"]) == ("not_recording", "not_in_sample")
    assert chunks(folder) == before


def test_without_a_speaker_listening_is_told_first_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one part that is not real here is the machine's list of devices."""
    teller = Teller(texts(Language.EN), as_json=False)
    monkeypatch.setattr(devices, "list_devices", lambda: Devices((), (SoundFault("no_speaker"),)))
    assert not _can_be_heard(teller)
    assert capsys.readouterr().out == "There is no speaker here, so the call cannot be heard.\n"


@pytest.mark.parametrize("language", list(Language))
def test_each_way_in_which_a_call_comes_to_nothing_is_told_in_words(language: Language) -> None:
    """`_give_up("…")` and `failed = "…"` in the demo's source, and the call that nobody answered."""
    source = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("director.py", "engines.py", "story.py"))
    ways = set(re.findall(r'(?:_give_up\(|failed = |failed or )["\']([a-z_]+)', source))
    assert {"customer", "time", "policy", "engine", "slow", "no_answer"} <= ways
    tell = texts(language)
    # An archive's fault has a sentence of its own, which is told instead.
    assert [way for way in sorted(ways - {"archive"}) if f"demo.why.{way}" not in tell] == []
