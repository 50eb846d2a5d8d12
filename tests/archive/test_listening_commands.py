"""`klartone archive play` and `export` as a person meets them: heard at once, ended at once, and of no file that is not whole."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.files import wav
from softphone.archive.files.container import Chunk, read_header, scan
from softphone.archive.files.opus import Pcm
from softphone.archive.files.reader import OpenedRecording
from softphone.audio import devices, playback
from softphone.audio.devices import Device, Devices
from softphone.domain.changes import AuditEntry, CloseRecording
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, DOCUMENTATION, RATE, Scene, export, voices

ROOT = Path(__file__).resolve().parents[2]
HERE = Device("1", "speaker", "alsa", 0, 0, 2, 48_000, False, True)
DEMO = True
pytestmark = pytest.mark.usefixtures("english")


class Loudspeaker:
    """The one part that is not real here. It asks for a hundredth of a second at a time, and `heard` is told of each that has
    sound in it."""

    def __init__(self, heard: Callable[[int], None]) -> None:
        self.samples = 0
        """that were sound"""
        self.active = True
        self._heard = heard
        self._closed = threading.Event()

    @property
    def called_at(self) -> float:
        return time.monotonic()

    @property
    def has_begun(self) -> bool:
        return True

    def open(self, _: Device, ask: Callable[[int], bytes]) -> Loudspeaker:
        self._closed.clear()
        threading.Thread(target=self._run, args=(ask,), daemon=True).start()
        return self

    def _run(self, ask: Callable[[int], bytes]) -> None:
        while not self._closed.is_set():
            if loud := int(np.count_nonzero(np.frombuffer(ask(RATE // 100 * 2), "<i2"))):
                self.samples += loud
                self._heard(self.samples)

    def close(self) -> None:
        self._closed.set()


@pytest.fixture
def loudspeaker(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], Loudspeaker]:
    def plugged_in(heard: Callable[[int], None] = lambda _samples: None) -> Loudspeaker:
        made = Loudspeaker(heard)
        for module in (devices, playback):
            monkeypatch.setattr(module, "list_devices", lambda: Devices((HERE,), ()))
        monkeypatch.setattr(playback, "open_speaker", made.open)
        return made

    return plugged_in


def recorded(desk: Scene, seconds: float, pause: int = 0) -> str:
    """Of which another second comes after `pause` seconds, where there are any."""
    call = desk.call(retention="P90Y")
    recording = desk.recorded(seconds, DOCUMENTATION, call=call)
    if pause:
        desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
        desk.start(call, recording, 1)
        desk.talk(call, voices(1), first=pause * 50)
        desk.recorder.stop(call, recording, 1)
        desk.drained(recording, 1, RATE)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    return recording


def words(desk: Scene, *of: str | Path) -> list[str]:
    return ["archive", "--archive", str(desk.folder), *map(str, of)]


def test_what_is_lost_of_a_recording_that_is_played_is_told(
    desk: Scene,
    loudspeaker: Callable[[], Loudspeaker],
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording, heard = recorded(desk, 2), loudspeaker()
    play = words(desk, "play", recording)

    def seconds(*more: str, status: int = 0) -> float:
        heard.samples = 0
        assert cli.main([*play, *more]) == status
        return heard.samples / RATE

    assert seconds() == pytest.approx(2, abs=0.03)
    assert seconds("--from", "1.5") == pytest.approx(0.5, abs=0.03)
    assert capsys.readouterr().err == ""
    assert cli.main([*play, "--from", "2"]) == 1
    assert "is 2.00 seconds long" in capsys.readouterr().err
    path = desk.archive.vault.path(recording)
    data = path.read_bytes()
    first, second, *_ = (one for one in scan(data, read_header(data)[1]) if isinstance(one, Chunk))
    path.write_bytes(data[: second.offset])
    for more, left in (((), 1.0), (("--from", "0.5"), 0.5)):
        assert seconds(*more, status=1) == pytest.approx(left, abs=0.03)
        assert "After 1.00 seconds it breaks off" in capsys.readouterr().err
    path.write_bytes(data[: first.offset + 100] + bytes([data[first.offset + 100] ^ 1]) + data[first.offset + 101 :])
    assert seconds("--from", "0.5", status=1) == pytest.approx(1, abs=0.05)
    assert "0.50 seconds" in capsys.readouterr().err
    assert seconds("--from", "1.2") == pytest.approx(0.8, abs=0.05)
    assert capsys.readouterr().err == ""


def test_the_first_sound_comes_before_the_rest_is_decoded_and_ctrl_c_ends_it(
    desk: Scene,
    loudspeaker: Callable[[Callable[[int], None]], Loudspeaker],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording, pulled, decoded, first = recorded(desk, 20), list[int](), Decoded(monkeypatch), threading.Event()

    def heard(samples: int) -> None:
        if not first.is_set():
            first.set()
            pulled.append(decoded.seconds)
        if samples > 2 * RATE and len(pulled) == 1:
            pulled.append(decoded.seconds)
            os.kill(os.getpid(), signal.SIGINT)

    loudspeaker(heard)
    assert cli.main(words(desk, "play", recording, "--from", "1")) == 130
    assert pulled[0] <= 3
    assert decoded.seconds < 10
    said = capsys.readouterr().err
    at = int(said.split("--from ")[1].split(".")[0])
    assert 2 <= at - 1 <= 4


class Decoded:
    """How much has been, in seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from softphone.archive.files.opus import Decoder

        self._packets, decode = 0, Decoder.decode

        def counted(decoder: Decoder, packet: bytes) -> Pcm:
            self._packets += 1
            return decode(decoder, packet)

        monkeypatch.setattr(Decoder, "decode", counted)

    @property
    def seconds(self) -> int:
        return self._packets // 50


class Changes:
    """The system tells of the next byte that is written in a folder."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init()
        assert libc.inotify_add_watch(self._descriptor, os.fsencode(folder), 0x2) > 0  # IN_MODIFY

    def wait(self) -> None:
        ready, _, _ = select.select([self._descriptor], [], [], 60)
        assert ready
        os.close(self._descriptor)


HEARS = """
import signal, sys
# Whoever runs the tests in the background, or without a terminal, may have it ignored.
signal.signal(signal.{signal}, signal.SIG_DFL)
from softphone.__main__ import main
sys.exit(main())
"""


@pytest.mark.rule("G11")
@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_export_that_somebody_ends_leaves_no_plain_sound_and_says_so(desk: Scene, tmp_path: Path, name: str) -> None:
    recording, to = recorded(desk, 1, pause=7_200), tmp_path / "to"
    to.mkdir()
    changes = Changes(to)
    command = [
        sys.executable,
        "-c",
        HEARS.format(signal=name),
        *words(desk, "export", recording, "--wav", to / "call.wav"),
    ]
    command += ["--home", str(tmp_path / "home")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        changes.wait()
        process.send_signal(getattr(signal, name))
        out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert f"Nothing is left of {to / 'call.wav'}" in said
    assert list(to.iterdir()) == []
    assert [row.event for row in desk.archive.audit_of(recording)][-1] == "recording_opened"


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("where", "end"),
    [
        ("decoding", RuntimeError("decoder")),
        ("telling", OSError(28, "No space left on device")),
        ("naming", KeyboardInterrupt()),
    ],
)
def test_whatever_ends_an_export_nothing_of_it_is_left(
    desk: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: BaseException, where: str
) -> None:
    recording, to = recorded(desk, 2), tmp_path / "to"
    to.mkdir()
    decoded, noted = OpenedRecording.segment_pcm, Archive.note

    def ends(*_: object) -> None:
        assert [one.name for one in to.iterdir()] == ["call.wav.part"]
        raise end

    def broken(*of: object) -> Iterator[Pcm]:
        yield next(decoded(*of))  # pyright: ignore[reportArgumentType]
        ends()

    def note(archive: Archive, entry: AuditEntry) -> None:
        if entry.event == "recording_exported":
            ends()
        noted(archive, entry)

    broken_at = {"decoding": (OpenedRecording, "segment_pcm", broken), "telling": (Archive, "note", note)}
    monkeypatch.setattr(*broken_at.get(where, (wav, "rename_new", ends)))
    with pytest.raises(ArchiveError if isinstance(end, OSError) else type(end)):
        export(desk.archive, recording, to / "call.wav")
    assert list(to.iterdir()) == []
    events = [row.event for row in desk.archive.audit_of(recording)]
    assert ("recording_exported" in events) == (where == "naming")


@pytest.mark.parametrize("links", [True, False], ids=["", "a-memory-stick"])
def test_an_export_has_its_name_only_once_it_is_whole_and_takes_no_other_s(
    desk: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError(1, "Operation not permitted")))
    recording, path = recorded(desk, 3), tmp_path / "call.wav"
    told: list[tuple[int, int]] = []

    def go_on(done: int, length: int) -> None:
        told.append((done, length))
        assert not path.exists()

    export(desk.archive, recording, path, go_on)
    assert path.stat().st_size > 3 * RATE * 4
    assert told[-1] == (3 * RATE, 3 * RATE)
    assert len(told) > 2
    path.rename(tmp_path / "other.wav.part")
    with pytest.raises(ArchiveError) as refused:
        export(desk.archive, recording, tmp_path / "other.wav")
    assert (refused.value.code, refused.value.params["path"]) == (
        "error.archive.file_exists",
        str(tmp_path / "other.wav.part"),
    )

    def other(*_: object) -> None:
        path.write_bytes(b"mine")

    with pytest.raises(ArchiveError) as refused:
        export(desk.archive, recording, path, other)
    assert refused.value.code == "error.archive.file_exists"
    assert path.read_bytes() == b"mine"
    path.unlink()
    # Nor in the very last moment.
    monkeypatch.setattr(Archive, "note", other)
    with pytest.raises(ArchiveError) as refused:
        export(desk.archive, recording, path)
    assert refused.value.code == "error.archive.file_exists"
    assert path.read_bytes() == b"mine"
    assert sorted(one.name for one in tmp_path.glob("call*")) == ["call.wav"]
