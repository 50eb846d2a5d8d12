"""What is heard comes from the sealed container and goes to the device: while a recording is opened, played and jumped in,
nothing is opened for writing but the catalog and the log, and no file has a piece of the sound.

Real processes at a real sound server; strace tells what they open.
"""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.archive import Archive
from tests.archive.powerloss import read_log, strace
from tests.archive.scene import DOCUMENTATION, RATE, TRAINING, Scene
from tests.peers.pulse import NullSinks, null_sinks
from tests.ui.review.team import ANNA, conversation, take

ROOT = Path(__file__).resolve().parents[2]
OPENS = "open,openat,openat2,creat"
_WRITES = re.compile(r"\b(O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE)\b")
JACK = "/dev/shm/jack_db"
"""what PortAudio's look for a JACK server leaves"""
PIECE = 64
"""samples in a row that nothing else has by chance"""
DEMO = True
pytestmark = pytest.mark.peer("pulseaudio")

COMMAND = """
import sys
from softphone.__main__ import main
sys.exit(main())
"""
PLANTS = """
import tempfile
from softphone.audio.playback import Playback
pull = Playback._pull
def kept(playback):
    piece = pull(playback)
    if piece is not None:
        with tempfile.{how} as file:
            file.write(piece.pcm)
    return piece
Playback._pull = kept
"""
IN_THE_REVIEW = f"""
from PySide6.QtCore import QTimer
from softphone.archive.files.container import RATE
from softphone.ui.review import app

class Played(app.Review):
    def open(self):
        super().open()
        self.steps, self.timer = self.hand(), QTimer(self)
        self.timer.timeout.connect(lambda: next(self.steps, None))
        self.timer.start(10)

    def hand(self):
        while not self.window.model.rows:
            yield
        self.open_recording(self.window.model.rows[0].recording)
        while self.opened is None or not self.window.detail.waveform.drawn_whole:
            yield
        self.window.key.emit("play")
        for key, low, high in (("on", 0.3, 4), ("back", 5.3, 9), ("speed", 0.5, 4), ("skip", 0.7, 4), ("play", 1, 9)):
            while not low * RATE < self.sound.position < high * RATE:
                yield
            self.window.key.emit(key)
        self.window.close()

app.Review = Played
{COMMAND}
"""


@pytest.fixture(scope="module")
def sinks() -> Iterator[NullSinks]:
    with null_sinks() as running:
        yield running


@dataclass
class Heard:
    """A desk's archive, a sound server, and the folder in which all lies that a process of ours may write."""

    desk: Scene
    sinks: NullSinks
    folder: Path

    def run(self, script: str, *words: str) -> set[Path]:
        """What it opened for writing, whether or not it is still there; devices are none."""
        home, temporary, calls = self.folder / "home", self.folder / "tmp", self.folder / "calls"
        home.mkdir(exist_ok=True)
        temporary.mkdir(exist_ok=True)
        command = [sys.executable, "-B", "-c", script, *words, "--archive", str(self.desk.folder), "--home", str(home)]
        done = subprocess.run(
            [*strace(calls, "-e", f"trace={OPENS}"), *command],
            cwd=ROOT,
            env={**self.sinks.env, "TMPDIR": str(temporary), "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        opened = {
            Path(call.strings[0].decode())
            for call in read_log(calls)
            if call.name == "creat" or _WRITES.search(call.rest)
        }
        calls.unlink()
        return {path for path in opened if not (path.is_char_device() or str(path).startswith(JACK))}

    def may_write(self) -> set[Path]:
        catalog = [self.desk.folder / f"catalog.db{end}" for end in ("", "-wal", "-shm")]
        log = self.folder / "home" / "log"
        # A report is opened before anything crashes, and has no more than its head until then.
        crashes = {one for one in (log / "crashes").glob("review-*.txt") if one.read_bytes().endswith(b"\n\n")}
        return {*catalog, log / "review.log", log / "review.lock", *crashes}


@pytest.fixture
def heard(desk: Scene, sinks: NullSinks, tmp_path: Path) -> Heard:
    return Heard(desk, sinks, tmp_path)


def recorded(desk: Scene, seconds: float) -> str:
    at = datetime.now(UTC) - timedelta(hours=1)
    return take(desk, ANNA, at, line="n1", sound=conversation(seconds), purposes=(DOCUMENTATION, TRAINING))


def sound(archive: Archive, recording: str) -> dict[str, bytes]:
    """Decoded, as a file could have it: both voices, each alone, and as the loudspeaker gets them."""
    both = np.concatenate(list(archive.open_recording(recording, datetime.now(UTC)).pcm()))
    mixed = ((both[:, 0].astype(np.int32) + both[:, 1]) // 2).astype("<i2")
    return {
        "both": both.astype("<i2").tobytes(),
        "agent": both[:, 0].astype("<i2").tobytes(),
        "party": both[:, 1].astype("<i2").tobytes(),
        "mixed": mixed.tobytes(),
    }


def with_a_piece_of(heard: dict[str, bytes], *folders: Path) -> set[Path]:
    """The files that have any of it, however short. But for the catalog's, which have nothing in plain: whoever closes one here
    takes its locks from the desk."""
    pieces = {
        piece
        for one in heard.values()
        for at in range(0, len(one) - 2 * PIECE, RATE // 5)
        if len(set(piece := one[at : at + 2 * PIECE])) > PIECE // 2
    }
    assert len(pieces) > 20
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    others = [path for path in files if not path.name.startswith("catalog.db")]
    assert others
    return {path for path in others if (data := path.read_bytes()) and any(one in data for one in pieces)}


@pytest.mark.rule("G11")
def test_what_is_played_at_the_command_line_is_in_no_file_at_any_moment(heard: Heard) -> None:
    recording = recorded(heard.desk, 2)
    said = sound(heard.desk.archive, recording)
    for more in ((), ("--from", "1")):
        assert heard.run(COMMAND, "archive", "play", recording, *more) <= heard.may_write()
    assert heard.desk.archive.audit_of(recording)[-1].event == "recording_opened"
    assert with_a_piece_of(said, heard.folder, Path(heard.sinks.env["HOME"])) == set()


@pytest.mark.rule("G11")
def test_what_is_played_and_jumped_in_in_the_review_is_in_no_file_at_any_moment(heard: Heard) -> None:
    recording = recorded(heard.desk, 9)
    said = sound(heard.desk.archive, recording)
    assert heard.run(IN_THE_REVIEW, "review") <= heard.may_write()
    assert heard.desk.archive.audit_of(recording)[-1].event == "recording_opened"
    assert with_a_piece_of(said, heard.folder, Path(heard.sinks.env["HOME"])) == set()


def test_a_file_that_has_it_would_be_found_and_one_that_is_gone_at_once_as_well(heard: Heard) -> None:
    recording = recorded(heard.desk, 9)
    said = sound(heard.desk.archive, recording)
    temporary, play = heard.folder / "tmp", ("archive", "play", recording, "--from", "8")
    opened = heard.run(PLANTS.format(how="TemporaryFile()") + COMMAND, *play)
    assert {path for path in opened - heard.may_write() if temporary in (path, path.parent)}
    assert with_a_piece_of(said, heard.folder) == set()
    opened = heard.run(PLANTS.format(how="NamedTemporaryFile(delete=False)") + COMMAND, *play)
    assert opened - heard.may_write() >= with_a_piece_of(said, heard.folder) > set()
    for name, one in said.items():
        with wave.open(str(heard.folder / f"{name}.wav"), "wb") as file:
            file.setparams((2 if name == "both" else 1, 2, RATE, 0, "NONE", ""))
            file.writeframes(one)
    assert with_a_piece_of(said, heard.folder) >= {heard.folder / f"{name}.wav" for name in said}
