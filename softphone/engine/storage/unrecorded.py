"""Calls that were to be recorded and could not be, until the audit log has them: a file that exists before the disk is full.

Without it nobody would hear of such a call if the engine ends before there is room. It holds a call's id, when it failed and
why, and neither a number nor a name. It is written in place, on a thread of its own.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

from softphone.domain.changes import AuditEntry
from softphone.domain.purpose import Reason
from softphone.wire.snapshot import CodedText

SIZE = 16_384
"""bytes, taken at once: on a full disk only a file that has its room already can be written"""
MOST = 100
"""calls; of more the oldest are left out"""
EVENT = "call_unrecorded"
_WRITTEN_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class UnrecordedCall:
    call: str
    at: str
    """UTC, ISO 8601"""
    why: str
    """a `Reason`"""


class UnrecordedCalls:
    """`earlier`: what an earlier engine left and nobody has read yet."""

    def __init__(self, path: Path) -> None:
        """It waits for the disk. A file that cannot be read or written is ignored."""
        self._path = path
        self.earlier: tuple[UnrecordedCall, ...] = tuple(_read(path))
        self._lost = {one.call: one for one in self.earlier}
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists() or path.stat().st_size < SIZE:
                self._write(self._content())
        self._contents: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="unrecorded", daemon=True)
        self._thread.start()

    def entries(self) -> list[AuditEntry]:
        """The audit log's entries about the earlier ones."""
        return [
            AuditEntry(EVENT, "G02", datetime.fromisoformat(one.at), "", params={"of": one.call, "reason": one.why})
            for one in self.earlier
        ]

    def message(self) -> CodedText | None:
        """The message about them: how many, and when and why the last one failed."""
        if not self.earlier:
            return None
        last = self.earlier[-1]
        at = datetime.fromisoformat(last.at).astimezone().strftime("%Y-%m-%d %H:%M")
        figures = {"count": len(self.earlier), "at": at}
        if last.why == Reason.STORAGE_FAILED:
            return CodedText("fault.unrecorded.disk", figures)
        return CodedText("fault.unrecorded.recorder", figures)

    def add(self, call: str, why: Reason) -> None:
        if call not in self._lost:
            self._lost[call] = UnrecordedCall(call, datetime.now(UTC).isoformat(), why.value)
            self._contents.put(self._content())

    def written(self, call: str) -> None:
        """All that this call must write is in the audit log."""
        if self._lost.pop(call, None):
            self._contents.put(self._content())

    def acknowledge(self) -> None:
        """The audit log has the earlier ones."""
        for one in self.earlier:
            self._lost.pop(one.call, None)
        self.earlier = ()
        self._contents.put(self._content())

    def close(self) -> None:
        self._contents.put(None)
        self._thread.join(_WRITTEN_WITHIN)

    def _content(self) -> bytes:
        lines = [json.dumps(asdict(one)) + "\n" for one in [*self._lost.values()][-MOST:]]
        return "".join(lines).encode().ljust(SIZE)

    def _run(self) -> None:
        while (content := self._contents.get()) is not None:
            with suppress(OSError):
                self._write(content)

    def _write(self, content: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path) -> Iterator[UnrecordedCall]:
    """Lines that are not records of ours are ignored."""
    with suppress(OSError, ValueError):
        for line in path.read_bytes()[:SIZE].decode().splitlines():
            with suppress(ValueError, TypeError, KeyError):
                one = UnrecordedCall(**json.loads(line))
                if datetime.fromisoformat(one.at).tzinfo and Reason(one.why):
                    yield one
