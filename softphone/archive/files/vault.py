"""The folder of recordings: makes each file, hands out its segments' writers, sets files aside and deletes them.

`writing` puts the sound into them. The vault keeps no key.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from softphone.archive.files.container import (
    MAGIC,
    PREFIX_BYTES,
    SUFFIX,
    Header,
    Sealer,
    header_size,
    read_header,
)
from softphone.archive.files.opus import codec_header
from softphone.archive.files.writing import GoneError, RecordingFile, SegmentWriter, Written
from softphone.archive.folder.disk import refusal, refused, sync_folder
from softphone.archive.folder.inplace import in_place, leading_away, leads_away
from softphone.domain.errors import ArchiveError
from softphone.replacing import replace_file

ASIDE = "aside"
"""the folder of files that no catalog knows of"""
SLOW_SECONDS = 2.0
"""that somebody waits for the disk until it is said to be slow"""
_BLOCK = 1 << 20
_BINARY: int = getattr(os, "O_BINARY", 0)
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,99}", re.ASCII)


class Vault:
    """All methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects: dict[str, RecordingFile] = {}
        self._gone: set[str] = set()
        self._lock = threading.Lock()
        self.on_fault: Callable[[str], None] = _nobody
        """told of a write that failed, by its code: whoever tries the storage until it works"""
        self.on_slow: Callable[[bool], None] = _nobody_waits
        """told that somebody waits for the disk for long, and that this one waits no more: each once, and from any thread"""
        self.on_ended: Callable[[str, int, Written], None] = _nobody_ended
        """told (recording, segment, what is on the disk) that a segment's writer has ended"""

    def path(self, recording: str) -> Path:
        """Raises ValueError where `recording` is no id: it comes from a command line too, and names a file."""
        if not _ID.fullmatch(str(recording)):
            raise ValueError(recording)
        return self.folder / f"{recording}{SUFFIX}"

    def create(self, recording: str, opened_at: datetime, time_zone: str = "UTC") -> None:
        """A file with a header and no sound, on the disk when this returns. `time_zone` (IANA) is the call's. Of a recording that
        the catalog does not know: what an attempt before this one left is taken over.

        Raises ArchiveError.
        """
        head, delay = codec_header()
        header = Header(recording, opened_at, head, delay, time_zone).pack()
        path = self.path(recording)
        try:
            descriptor = _new_or_left(path, recording)
        except OSError as error:
            raise refused(path, error) from error
        opened = RecordingFile(path, descriptor, header)
        try:
            opened.append(header)
            sync_folder(self.folder)
        except OSError as error:
            opened.kill()
            with suppress(OSError):
                path.unlink()
            raise refused(path, error) from error
        with self._lock:
            self._gone.discard(recording)
            self._objects[recording] = opened

    def writer(
        self, recording: str, segment: int, key: bytes, origin: int, on_sealed: Callable[[int], None] | None = None
    ) -> SegmentWriter:
        """A segment's writer; end it with `finish` or `break_off`. `origin`: the call's frame number of its first frame.

        Raises ArchiveError, and GoneError where the recording was discarded.
        """
        with self._lock:
            opened = self._object(recording)
            opened.writers += 1
        return SegmentWriter(
            opened,
            Sealer(opened.header, recording, segment, key),
            origin,
            on_sealed,
            lambda written: self._writer_ended(recording, opened, segment, written),
            lambda code: self.on_fault(code),
        )

    def settle(self, recording: str) -> None:
        """No further segment follows here: the file is closed with the last one's writer, and stays."""
        with self._lock:
            opened = self._objects.get(recording)
            if opened is not None:
                opened.settled = True
                self._close_if_idle(recording, opened)

    def probe(self) -> None:
        """Whether recordings can be written now: room for some seconds is taken, and given back. Raises ArchiveError."""
        if found := refusal(self.folder):
            raise found

    def delete(self, *recordings: str) -> None:
        """The files go, also under a writer at work and where they were set aside: nothing of them is written once this
        returns. Names that are not ids are ignored.

        Raises ArchiveError: one of them did not go, and those behind it are there still.
        """
        path = self.folder
        try:
            for recording in filter(_ID.fullmatch, recordings):
                with self._lock:
                    self._gone.add(recording)
                    opened = self._objects.pop(recording, None)
                if opened is not None:
                    opened.kill()
                aside = () if leads_away(self.folder / ASIDE) else (self._aside(recording),)
                for path in (*aside, self.path(recording)):
                    with suppress(OSError):
                        # Where the file system writes in place, no look at the disk finds it; elsewhere its keys are gone.
                        _overwrite(path)
                    path.unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise refused(path, error) from error

    def recordings(self) -> list[str]:
        """In order. A million take a second or two."""
        return sorted(_ids(self.folder))

    def misnamed(self) -> list[Path]:
        """What lies here under a name that no recording has, as a file manager's copy or somebody's export: the program neither
        reads nor deletes it."""
        named = [(folder, name) for folder in (self.folder, self.folder / ASIDE) for name in _names(folder)]
        return sorted(folder / name for folder, name in named if _id_of(name) is None and name != ASIDE)

    def leading_away(self) -> list[Path]:
        """What lies here and is no file of the archive's own (`inplace`): it is neither overwritten nor cut."""
        aside = self.folder / ASIDE
        return [*leading_away(self.folder), *(() if leads_away(aside) else leading_away(aside))]

    def cut(self, recording: str, length: int) -> None:
        """A file that nobody writes to keeps its first `length` bytes; one that is not the archive's own, all.

        Raises ArchiveError.
        """
        path = self.path(recording)
        try:
            with open(path, "r+b", opener=in_place) as file:
                file.truncate(length)
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno == errno.ELOOP:
                return
            raise refused(path, error) from error

    def set_aside(self, recording: str) -> None:
        """A file that belongs to nothing is kept where no recording is looked for. Raises ArchiveError."""
        self._move(self.path(recording), self._aside(recording))

    def bring_back(self, recording: str) -> bool:
        """One that is missed may have been set aside. Raises ArchiveError."""
        if self.path(recording).exists() or not self._aside(recording).exists():
            return False
        self._move(self._aside(recording), self.path(recording))
        return True

    def aside(self) -> list[str]:
        return sorted(_ids(self.folder / ASIDE))

    def is_bare(self, recording: str) -> bool:
        """Whether a file that was set aside is of a recording that had only begun to begin."""
        return _is_bare(self._aside(recording).read_bytes())

    def _aside(self, recording: str) -> Path:
        return self.folder / ASIDE / self.path(recording).name

    def _move(self, path: Path, to: Path) -> None:
        try:
            to.parent.mkdir(mode=0o700, exist_ok=True)
            replace_file(path, to)
            sync_folder(to.parent)
            sync_folder(path.parent)
        except OSError as error:
            raise refused(path, error) from error

    def _object(self, recording: str) -> RecordingFile:
        if recording in self._gone:
            raise GoneError(recording)
        opened = self._objects.get(recording)
        if opened is None:
            path = self.path(recording)
            try:
                data = path.read_bytes()
                descriptor = in_place(str(path), os.O_RDWR | _BINARY)
            except FileNotFoundError as error:
                raise GoneError(recording) from error
            except OSError as error:
                raise refused(path, error) from error
            _, start = read_header(data)
            opened = self._objects[recording] = RecordingFile(path, descriptor, data[:start])
            # The encoder was still behind when the recording was closed, or it is of an earlier run: nobody will settle it.
            opened.settled = True
        return opened

    def _writer_ended(self, recording: str, opened: RecordingFile, segment: int, written: Written) -> None:
        with self._lock:
            opened.writers -= 1
            self._close_if_idle(recording, opened)
        self.on_ended(recording, segment, written)

    def _close_if_idle(self, recording: str, opened: RecordingFile) -> None:
        if opened.settled and opened.writers == 0 and self._objects.get(recording) is opened:
            del self._objects[recording]
            opened.kill()


def _nobody(_code: str) -> None:
    return None


def _nobody_waits(_is_so: bool) -> None:
    return None


def _nobody_ended(_recording: str, _segment: int, _written: Written) -> None:
    return None


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return [one.name for one in found]
    except FileNotFoundError:
        return []


def _id_of(name: str) -> str | None:
    """Of the recording whose file has this name."""
    stem = name.removesuffix(SUFFIX)
    return stem if stem != name and _ID.fullmatch(stem) else None


def _ids(folder: Path) -> Iterator[str]:
    """In no order."""
    return (one for name in _names(folder) if (one := _id_of(name)) is not None)


def _new_or_left(path: Path, recording: str) -> int:
    """A new file, or an attempt's before this one, emptied, where the disk did not let it go. Raises OSError: also where what is
    there has sound in it, is of another recording, or no file of the archive's own (`inplace`)."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    except FileExistsError as there:
        descriptor = in_place(str(path), os.O_RDWR | _BINARY)
        try:
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read()
            if not _is_bare(data) or _names_another(data, recording):
                raise there
            os.ftruncate(descriptor, 0)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _is_bare(data: bytes) -> bool:
    """Whether it is no more than a header, or not even that. A power cut may leave its bytes zero."""
    begun = MAGIC.startswith(data[: len(MAGIC)]) and len(data) <= header_size(data[:PREFIX_BYTES])
    return begun or not data.strip(b"\0")


def _names_another(data: bytes, recording: str) -> bool:
    try:
        header, _ = read_header(data)
    except ArchiveError:
        return False
    return header.recording != recording


def _overwrite(path: Path) -> None:
    with open(path, "r+b", opener=in_place) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(bytes(min(left, _BLOCK)))
        file.flush()
        os.fsync(file.fileno())
