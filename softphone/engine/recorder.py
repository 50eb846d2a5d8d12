"""The recorder: frames of a call into sealed chunks, on a thread of its own. It obeys; the session decides.

`feed`, `start` and `stop` only check a gate and enqueue, so nobody waits for an encoder or a disk. A frame fed after `stop`
returned is never sealed. One fed before it is, however far behind the encoder may be.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from softphone.archive.files.container import LONGEST as CALL_FRAMES
from softphone.archive.files.vault import SLOW_SECONDS, Vault
from softphone.archive.files.writing import GAP_LIMIT, GoneError, SegmentWriter
from softphone.calls.turns import guarded, seconds
from softphone.domain.effects import HOLD_SECONDS
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Reason
from softphone.system.logbook import log, log_bug

_log = log.getChild("engine")

FRAMES_A_SECOND = 50
QUEUE_SECONDS = 60
"""how far encoder and disk may fall behind a call before its recorder has failed"""
LONGEST = CALL_FRAMES - 100
"""frames from a call's first, a little less than a file may hold (36 hours): there its recording ends"""
MISSED_SECONDS = 1.5
"""seconds without a frame of a recorded call: there is one each 20 ms, of silence too"""


def _no_figures(_recording: str, _segment: int, _samples: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class RecorderCallbacks:
    """Called on the recorder's thread, or the media thread's: they enqueue, nothing else."""

    on_first_sample: Callable[[str, int], None]
    """(recording, segment): its first frame is in the encoder"""
    on_failed: Callable[[str, str, Reason], None]
    """(call, recording, `STORAGE_FAILED` or `RECORDER_FAILED`): the segment broke off, and its gate is closed"""
    on_sealed: Callable[[str, int, int], None] = _no_figures
    """(recording, segment, samples): one more chunk is on the disk; samples a side, of this segment so far"""


@dataclass(frozen=True, slots=True)
class _Frame:
    index: int
    agent: bytes
    party: bytes


@dataclass(slots=True, eq=False)
class _Gate:
    """Where a call's frames go: into a segment, or (`held`) into memory, for a segment whose key is on its way."""

    call: str
    recording: str
    segment: int
    held: list[_Frame | int] | None = None
    """frames, and each number of frames that turned out lost before the next"""
    fed: float = 0.0
    """when its last frame came, or it was opened"""
    next: int | None = None
    """the index of the frame that follows"""
    broken: bool = False
    """it has failed, and that has been reported; written on the recorder's thread and, when too much waits, on the media
    thread. It only ever becomes true"""


@dataclass(frozen=True, slots=True)
class _Begin:
    gate: _Gate
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Write:
    gate: _Gate
    frame: _Frame


@dataclass(frozen=True, slots=True)
class _End:
    gate: _Gate


@dataclass(frozen=True, slots=True)
class _MarkLost:
    gate: _Gate
    frames: int


@dataclass(frozen=True, slots=True)
class _Quit:
    pass


class Recorder:
    """One for the engine. `start`, `stop` and `drop_frames` on its loop; `feed` on the media thread."""

    def __init__(
        self,
        vault: Vault,
        callbacks: RecorderCallbacks,
        missed_after: float = MISSED_SECONDS,
        clock: Callable[[], float] = seconds,
        longest: int = LONGEST,
    ) -> None:
        self._vault = vault
        self._longest = longest
        self._missed_after = missed_after
        self._clock = clock
        self._looks_at = 0.0
        self._missed: set[str] = set()
        """calls whose frames no longer come"""
        self._callbacks = callbacks
        self._gates: dict[str, _Gate] = {}
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Begin | _Write | _MarkLost | _End | _Quit] = queue.SimpleQueue()
        self._behind = Counter[str]()
        """of each call, frames that wait for encoder and disk"""
        self._slow = False
        self._writers: dict[_Gate, tuple[bytes, SegmentWriter | None]] = {}
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def feed(self, call: str, index: int, agent: bytes, party: bytes) -> None:
        """One tick of a call: 640 bytes a side, 16-bit mono at 16 kHz; b"" is silence. `index` counts the call's ticks."""
        failed: _Gate | None = None
        again = False
        with self._lock:
            gate = self._gates.get(call)
            if gate is None:
                again = call in self._missed
                self._missed.discard(call)
            elif gate.held is not None:
                gate.held.append(_Frame(index, agent, party))
                if len(gate.held) > HOLD_SECONDS * FRAMES_A_SECOND:
                    gate.held.clear()
                    failed = self._gates.pop(call)
            elif gate.next is not None and index - gate.next > GAP_LIMIT:
                # So long an absence is not a gap in a segment. A new one begins after it, and the pause between them is
                # known.
                failed = self._broken(gate)
            elif self._behind[call] >= QUEUE_SECONDS * FRAMES_A_SECOND:
                # What waits already was said in time: it is written once the disk takes it, and then the segment breaks off.
                failed = self._broken(gate)
            else:
                self._put(gate, _Frame(index, agent, party))
            if gate is not None:
                gate.fed, gate.next = self._clock(), index + 1
        if failed is not None:
            self._tell_failed(failed, Reason.RECORDER_FAILED)
        if again:
            # A new segment may begin.
            self._vault.on_fault(Reason.RECORDER_FAILED.value)

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None:
        """`StartRecorder`: frames from now on go into this segment, after those held for the recording."""
        gate = _Gate(call, recording, segment, fed=self._clock())
        with self._lock:
            self._missed.discard(call)
            before = self._gates.get(call)
            self._gates[call] = gate
            if before is not None and before.held is None:
                self._queue.put(_End(before))
            self._queue.put(_Begin(gate, key))
            if before is not None and before.held is not None:
                if before.recording == recording:
                    for one in before.held:
                        if isinstance(one, _Frame):
                            self._put(gate, one)
                        else:
                            self._queue.put(_MarkLost(gate, one))
                before.held.clear()

    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None:
        """`StopRecorder`: the gate is closed when this returns. What was fed before is sealed, with a final chunk."""
        with self._lock:
            gate = self._gates.get(call)
            if gate is None or gate.held is not None or (gate.recording, gate.segment) != (recording, segment):
                return
            # What is missing at its end stays missing.
            gate.broken = self._starves(gate)
            self._queue.put(_End(gate))
            if hold_frames:
                self._gates[call] = _Gate(call, recording, segment, held=[], fed=self._clock())
            else:
                del self._gates[call]

    def drop_frames(self, recording: str) -> None:
        """`DropFrames`: forget what is held for this recording's next segment."""
        with self._lock:
            for call, gate in list(self._gates.items()):
                if gate.recording == recording and gate.held is not None:
                    gate.held.clear()
                    del self._gates[call]

    def mark_lost(self, call: str, seconds: float) -> None:
        """What was fed in the last so many seconds has no sound of the party: none came. The segment that runs says so, also of
        the one before it."""
        frames = round(seconds * FRAMES_A_SECOND)
        with self._lock:
            gate = self._gates.get(call)
            if gate is not None and gate.held is not None:
                gate.held.append(frames)
            elif gate is not None:
                self._queue.put(_MarkLost(gate, frames))

    def close(self, timeout: float = 10.0) -> bool:
        """Ends every segment with its final chunk. False if the encoder or the disk did not finish in time."""
        with self._lock:
            for gate in self._gates.values():
                if gate.held is None:
                    gate.broken = self._starves(gate)
                    self._queue.put(_End(gate))
            self._gates.clear()
            self._queue.put(_Quit())
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _put(self, gate: _Gate, frame: _Frame) -> None:
        self._queue.put(_Write(gate, frame))
        self._behind[gate.call] += 1
        if not self._slow and self._behind[gate.call] >= SLOW_SECONDS * FRAMES_A_SECOND:
            self._slow = True
            self._vault.on_slow(True)

    def _broken(self, gate: _Gate) -> _Gate:
        """Closed; its segment breaks off after what waits to be written."""
        gate.broken = True
        self._queue.put(_End(gate))
        return self._gates.pop(gate.call)

    def _starves(self, gate: _Gate) -> bool:
        return self._clock() - gate.fed > self._missed_after

    # --- the recorder's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._look()
            try:
                item = self._queue.get(timeout=self._missed_after / 4 if self._gates else None)
            except queue.Empty:
                continue
            if isinstance(item, _Quit):
                return
            gate = item.gate
            try:
                match item:
                    case _Begin():
                        self._writers[gate] = (item.key, None)
                    case _Write():
                        self._write(gate, item.frame)
                    case _MarkLost():
                        _, writer = self._writers.get(gate, (b"", None))
                        if writer is not None:
                            writer.mark_lost(item.frames)
                    case _End():
                        self._end(gate)
            except GoneError:
                self._break_off(gate, None)
            except ArchiveError:
                self._break_off(gate, Reason.STORAGE_FAILED)
            except BaseException as error:  # noqa: BLE001 - this thread must live: a dead one is noticed by its silence alone
                log_bug(_log, error)
                self._break_off(gate, Reason.RECORDER_FAILED)
            if isinstance(item, _Write):
                self._caught_up(gate.call)

    def _look(self) -> None:
        """Whether frames come. If they do not (a bug in their way, a clock that stands), nobody else would notice. A look
        that is itself late shows that the machine stood still, and waits for the next."""
        now = self._clock()
        if now < self._looks_at:
            return
        late = now - self._looks_at > self._missed_after / 2
        self._looks_at = now + self._missed_after / 4
        if late:
            return
        with self._lock:
            starved = [
                self._broken(gate) for gate in [*self._gates.values()] if gate.held is None and self._starves(gate)
            ]
            self._missed.update(gate.call for gate in starved)
        for gate in starved:
            guarded(partial(self._callbacks.on_failed, gate.call, gate.recording, Reason.RECORDER_FAILED))

    def _caught_up(self, call: str) -> None:
        """By one frame; it is no longer slow once none waits at all."""
        with self._lock:
            self._behind[call] -= 1
            if not self._behind[call]:
                del self._behind[call]
            if self._slow and not self._behind:
                self._slow = False
                self._vault.on_slow(False)

    def _write(self, gate: _Gate, frame: _Frame) -> None:
        known = self._writers.get(gate)
        if known is None:
            return
        key, writer = known
        if frame.index >= self._longest:
            self._full(gate)
            return
        if writer is None:
            on_sealed = self._callbacks.on_sealed
            writer = self._vault.writer(
                gate.recording,
                gate.segment,
                key,
                frame.index,
                lambda samples: on_sealed(gate.recording, gate.segment, samples),
            )
            self._writers[gate] = (b"", writer)
            writer.write(frame.index, frame.agent, frame.party)
            self._callbacks.on_first_sample(gate.recording, gate.segment)
        else:
            writer.write(frame.index, frame.agent, frame.party)

    def _full(self, gate: _Gate) -> None:
        """No reader takes a longer file, nor would a new segment of this call help. So it is not reported as failed storage,
        which would begin a segment as soon as storage worked."""
        with self._lock:
            if self._gates.get(gate.call) is gate:
                del self._gates[gate.call]
        self._end(gate)
        self._callbacks.on_failed(gate.call, gate.recording, Reason.RECORDER_FAILED)

    def _end(self, gate: _Gate) -> None:
        _, writer = self._writers.pop(gate, (b"", None))
        if writer is None:
            return
        if gate.broken:
            writer.break_off()
        else:
            writer.finish()

    def _break_off(self, gate: _Gate, reason: Reason | None) -> None:
        """The segment ends here, without a final chunk. Without a reason nobody hears of it: it was discarded."""
        _, writer = self._writers.pop(gate, (b"", None))
        if writer is not None:
            with suppress(GoneError, ArchiveError):
                writer.break_off()
        with self._lock:
            reported = not gate.broken
            gate.broken = True
            current = self._gates.get(gate.call)
            if current is not None and current.recording == gate.recording and current.segment == gate.segment:
                del self._gates[gate.call]
        if reported and reason is not None:
            guarded(partial(self._tell_failed, gate, reason))

    def _tell_failed(self, gate: _Gate, reason: Reason) -> None:
        """Whatever it was: a new segment may begin once storage has been tried and works again."""
        self._callbacks.on_failed(gate.call, gate.recording, reason)
        self._vault.on_fault(reason.value)
