"""A disk's image with a file system on it, in a file, and what can be dug out of it: also of blocks that belong to no file.

Whoever mounts must be root, and the kernel must have loop devices; e2fsprogs and mount are Debian's. Nothing is skipped where
they are missing: the test that needs them fails, and says so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.archive.scene import page_of

_BLOCK = 4096
_LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""how SQLite's log of pages begins"""
_FRAMES = 800


@dataclass(frozen=True, slots=True)
class Image:
    file: Path
    mounted: Path

    def bytes(self) -> bytes:
        """What is on the disk now."""
        os.sync()
        return self.file.read_bytes()


@contextmanager
def tmpfs(folder: Path, name: str = "disk", size: str = "24m") -> Generator[Path]:
    """A disk in memory, as that folder in `folder`."""
    disk = folder / name
    disk.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk))
    try:
        yield disk
    finally:
        _run("umount", "--lazy", str(disk))


def fill(disk: Path) -> Path:
    """To its last byte. The file that does so."""
    path = disk / "filled"
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(os.urandom(_BLOCK)):
            pass
    return path


def remount(disk: Path, how: str) -> None:
    _run("mount", "-o", f"remount,{how}", str(disk))


@contextmanager
def ext4(folder: Path, *, journal: bool, block: int = _BLOCK) -> Generator[Image]:
    image = Image(folder / "disk", folder / "mounted")
    image.mounted.mkdir()
    with image.file.open("wb") as file:
        file.truncate(24 << 20)
    features = "has_journal" if journal else "^has_journal"
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(block), "-O", features, str(image.file))
    _run("mount", "-o", "loop", str(image.file), str(image.mounted))
    try:
        yield image
    finally:
        _run("umount", str(image.mounted))


def pages_in(image: bytes, key: bytes) -> bytes:
    """Whatever an image holds that could be a page of a catalog, decrypted: in its blocks, and in logs of pages that were cut
    off or removed."""
    found: list[bytes] = []
    for at in range(0, len(image) - _BLOCK + 1, _BLOCK):
        block = image[at : at + _BLOCK]
        if block.count(0) < _BLOCK // 2:
            found.append(page_of(block, key))
        if block.startswith(_LOG_MAGIC):
            frames = (image[frame : frame + _BLOCK] for frame in range(at + 56, len(image) - _BLOCK, _BLOCK + 24))
            found += [page_of(frame, key) for frame, _ in zip(frames, range(_FRAMES), strict=False)]
    return b"".join(found)


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stderr} (this test needs root, loop devices and e2fsprogs)"
