"""A recording as a WAV that a person asked for by name: the only plain sound that the program writes."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from softphone.archive.files.container import RATE
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.folder.disk import rename_new
from softphone.domain.archive.recordings import Mark
from softphone.domain.errors import ArchiveError

_SAMPLE = 4
"""bytes, of both sides"""
MOST = (1 << 32) - (1 << 20)
"""bytes: its header can say no more, and the marks stand behind the sound"""


def refuse_place(path: Path) -> None:
    """Raises ArchiveError where no file can come to be, or has the name already."""
    for one in (path, _part(path)):
        if os.path.lexists(one):
            raise _there(one)
    if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        detail = os.strerror(errno.EACCES if path.absolute().parent.is_dir() else errno.ENOENT)
        raise ArchiveError("error.archive.export_failed", path=str(path), detail=detail)


def write(
    sound: OpenedRecording, path: Path, marks: Sequence[Mark], whole: Callable[[], None], go_on: Callable[[int], object]
) -> None:
    """16 bits at 16 kHz, agent left, party right; marks as cue points. Raises ArchiveError.

    `go_on` is told how many samples are written, and may raise to end it. `whole` is called once all is written, before the file
    gets its name. If either raises, nothing of it stays.
    """
    part, samples = _part(path), sound.length
    # Before the first byte: nobody can know by a file's size how long what is in it is.
    if _SAMPLE * samples > min(shutil.disk_usage(path.absolute().parent).free, MOST):
        seconds, megabytes = samples // RATE, _SAMPLE * samples >> 20
        raise ArchiveError("error.archive.export_large", path=str(path), seconds=seconds, megabytes=megabytes)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError as error:
        raise _there(part) from error
    except OSError as error:
        raise _failed(part, error) from error
    with _gone_unless_done(part):
        with os.fdopen(descriptor, "wb") as file:
            cues, done = _cues(marks), 0
            file.write(_head(samples, len(cues)))
            for block in sound.pcm():
                file.write(np.ascontiguousarray(block, "<i2").tobytes())
                done += len(block)
                go_on(done)
            file.write(cues)
        if os.path.lexists(path):
            raise _there(path)
        whole()
        try:
            rename_new(part, path)
        except FileExistsError:
            raise _there(path) from None


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _there(path: Path) -> ArchiveError:
    return ArchiveError("error.archive.file_exists", path=str(path))


def _failed(path: Path, error: OSError) -> ArchiveError:
    return ArchiveError("error.archive.export_failed", path=str(path), detail=error.strerror or "")


@contextmanager
def _gone_unless_done(path: Path) -> Generator[None]:
    """Plain sound goes again, whatever ends what was to be done with it. Raises ArchiveError where the disk refuses."""
    try:
        yield
    except BaseException as error:
        try:
            path.unlink(missing_ok=True)
        except OSError as left:
            raise ArchiveError("error.archive.export_left", path=str(path), detail=left.strerror or "") from error
        if isinstance(error, OSError):
            raise _failed(path, error) from error
        raise


def _head(samples: int, more: int) -> bytes:
    data, form = samples * _SAMPLE, struct.pack("<HHIIHH", 1, 2, RATE, RATE * _SAMPLE, _SAMPLE, 16)
    return struct.pack("<4sI4s4sI", b"RIFF", 36 + data + more, b"WAVE", b"fmt ", 16) + form + _chunk_head(b"data", data)


def _chunk_head(name: bytes, size: int) -> bytes:
    return struct.pack("<4sI", name, size)


def _cues(marks: Sequence[Mark]) -> bytes:
    """A cue point and a label for each mark, as sound editors show them."""
    if not marks:
        return b""
    points = struct.pack("<I", len(marks))
    labels = b"adtl"
    for number, mark in enumerate(marks, 1):
        points += struct.pack("<II4sIII", number, mark.at, b"data", 0, 0, mark.at)
        text = f"{mark.kind} {mark.samples / RATE:.2f} s".encode("ascii") + b"\0"
        labels += _chunk_head(b"labl", 4 + len(text)) + struct.pack("<I", number) + text + b"\0" * (len(text) % 2)
    return _chunk_head(b"cue ", len(points)) + points + _chunk_head(b"LIST", len(labels)) + labels
