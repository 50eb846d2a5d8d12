"""What a disk may hold after the power went: a process's calls to the system, as strace wrote them down, done again up to a
moment, less what was not yet made fast by then.

What is promised of a disk: bytes are there once `fsync` or `fdatasync` of their file has returned, and names once that of a
folder has. Until then each write may be there, be missing, or be cut short at a sector; names come in their order, or do not.
More is not taken for granted, whatever a file system may do. Memory that processes share (SQLite's `-shm`) is gone.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "openat,close,lseek,write,pwrite64,writev,ftruncate,fsync,fdatasync,rename,unlink,mkdir"
"""what is to be traced"""
_SECTOR = 512
_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def strace(log: Path, *more: str) -> list[str]:
    """The words before a command whose calls are to be written down, of all its threads, with every byte."""
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-s", "1100000", "-e", "signal=none", "-o", str(log), *more]


@dataclass(frozen=True, slots=True)
class Call:
    """One that succeeded. `strings` are its texts, as bytes."""

    name: str
    rest: str
    strings: tuple[bytes, ...]
    result: int


def read_log(log: Path) -> Iterator[Call]:
    """In the order in which they returned."""
    begun: dict[str, str] = {}
    with log.open(encoding="ascii") as lines:
        for line in lines:
            found = _LINE.match(line)
            assert found is not None, line
            process, text = found.groups()
            if text.endswith("<unfinished ...>"):
                begun[process] = text.removesuffix("<unfinished ...>").rstrip()
                continue
            if text.startswith("<... "):
                text = begun.pop(process) + text.partition("resumed>")[2]
            if (call := _CALL.match(text)) and int(call[3]) >= 0:
                strings = tuple(bytes.fromhex(one.replace("\\x", "")) for one in _STRING.findall(call[2]))
                yield Call(call[1], _STRING.sub("", call[2]), strings, int(call[3]))


@dataclass(slots=True)
class _File:
    fast: bytes = b""
    loose: list[tuple[int, bytes | None]] = field(default_factory=list[tuple[int, "bytes | None"]])
    """writes since: offset and bytes; None cuts the file there"""

    def left(self, chance: random.Random) -> bytes:
        data, keep = bytearray(self.fast), chance.choice((0.0, 0.5, 1.0))
        for at, written in self.loose:
            if chance.random() >= keep:
                continue
            if written is not None and keep < 1 and chance.random() < 0.3:
                written = written[: chance.randint(0, len(written) // _SECTOR) * _SECTOR]
            _apply(data, at, written)
        return bytes(data)

    def sync(self) -> None:
        data = bytearray(self.fast)
        for at, written in self.loose:
            _apply(data, at, written)
        self.fast = bytes(data)
        self.loose.clear()


def _apply(data: bytearray, at: int, written: bytes | None) -> None:
    if written is None:
        del data[at:]
    elif written:
        data.extend(bytes(max(0, at - len(data))))
        data[at : at + len(written)] = written


class Disk:
    """A folder on a disk. `said` are the lines that the process had written to its stdout by then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._folders = {folder, *(path for path in folder.rglob("*") if path.is_dir())}
        there = {path: _File(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
        self._names, self._fast_names = dict(there), dict(there)
        self._loose_names: list[dict[Path, _File | None]] = []
        self._open: dict[int, tuple[_File | None, int]] = {}
        """descriptor to file (None: a folder) and place"""

    def take(self, call: Call) -> None:
        match call.name:
            case "openat":
                self._opened(call)
            case "rename" | "unlink":
                paths = [Path(text.decode()) for text in call.strings]
                if self.folder in paths[0].parents:
                    change: dict[Path, _File | None] = {paths[0]: None}
                    if call.name == "rename":
                        change[paths[1]] = self._names[paths[0]]
                    self._rename(change)
            case "mkdir":
                self._folders.add(Path(call.strings[0].decode()))
            case "writev":
                if call.rest.startswith("1,"):
                    self.said += b"".join(call.strings).decode().splitlines()
            case _:
                self._on_descriptor(call)

    def lose_power(self, to: Path, chance: random.Random) -> None:
        """What is there when it comes back, into an empty place."""
        names = dict(self._fast_names)
        for change in self._loose_names[: chance.randint(0, len(self._loose_names))]:
            _rename(names, change)
        shutil.rmtree(to, ignore_errors=True)
        for folder in self._folders:
            (to / folder.relative_to(self.folder)).mkdir(parents=True, exist_ok=True)
        for path, file in names.items():
            if not path.name.endswith("-shm"):
                (to / path.relative_to(self.folder)).write_bytes(file.left(chance))

    def _opened(self, call: Call) -> None:
        path = Path(call.strings[0].decode())
        self._open.pop(call.result, None)
        if path != self.folder and self.folder not in path.parents:
            return
        if path in self._folders:
            self._open[call.result] = None, 0
            return
        if path not in self._names:
            self._rename({path: _File()})
        self._open[call.result] = self._names[path], 0
        if "O_TRUNC" in call.rest:
            self._names[path].loose.append((0, None))

    def _rename(self, change: dict[Path, _File | None]) -> None:
        _rename(self._names, change)
        self._loose_names.append(change)

    def _on_descriptor(self, call: Call) -> None:
        words = [word.strip() for word in call.rest.split(",")]
        number = int(words[0])
        if number not in self._open:
            return
        file, place = self._open[number]
        match call.name:
            case "close":
                del self._open[number]
            case "lseek":
                self._open[number] = file, call.result
            case "write" if file is not None:
                file.loose.append((place, call.strings[0][: call.result]))
                self._open[number] = file, place + call.result
            case "pwrite64" if file is not None:
                file.loose.append((int(words[-1]), call.strings[0][: call.result]))
            case "ftruncate" if file is not None:
                file.loose.append((int(words[-1]), None))
            case "fsync" | "fdatasync" if file is not None:
                file.sync()
            case "fsync":
                for change in self._loose_names:
                    _rename(self._fast_names, change)
                self._loose_names.clear()
            case _:
                raise AssertionError(call)


def _rename(names: dict[Path, _File], change: dict[Path, _File | None]) -> None:
    for path, file in change.items():
        if file is None:
            names.pop(path, None)
        else:
            names[path] = file
