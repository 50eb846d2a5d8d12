"""The real engine, watched from inside its process: when each frame came to the recorder's gate, when a digit was pressed or an
opt-out reached it, and how long the machine then kept it waiting.

Started as the engine is (`python -m tests.journeys.watched_engine --home DIR engine`). It changes nothing the engine does but
one thing, on the word `stall SECONDS` on stdin: the encoder's next frame takes so long, as behind a disk that hangs. On the word
`tell CALL`, what was seen of that call is written to `CALL.json` in the home.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softphone import cli
from softphone.archive.files import writing
from softphone.archive.files.opus import Encoder
from softphone.bootstrap import engine_parts as bootstrap
from softphone.engine.loop import Engine
from softphone.engine.recorder_port import Recording
from softphone.engine.server import Attached, ClientMessage, Detached
from softphone.engine.sip.events import DigitReceived, PhoneEvent
from softphone.wire.to_engine import OptOut
from tests.peers.processes import until

if TYPE_CHECKING:
    from tests.journeys.stage import Stage

WATCHED = ("-m", "tests.journeys.watched_engine")
STALLED = "stalled"

_frames: list[tuple[str, int, float, bytes]] = []
_opt_outs: list[tuple[str, float]] = []
_kept_waiting: dict[str, float] = {}
"""by call, from its opt-out to the closed gate: seconds in which this process's threads could have run and had no processor"""
_digits: list[tuple[str, float]] = []
_stall: list[float] = []


class _WatchedRecording(Recording):
    def feed(self, call: str, index: int, agent: bytes, party: bytes) -> None:
        _frames.append((call, index, time.monotonic(), party))
        super().feed(call, index, agent, party)

    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None:
        super().stop(call, recording, segment, hold_frames=hold_frames)
        if call in _kept_waiting:
            _kept_waiting[call] += _waited()


class _WatchedEngine(Engine):
    def client(self, event: Attached | ClientMessage | Detached) -> None:
        if isinstance(event, ClientMessage) and isinstance(event.message, OptOut):
            _kept_waiting[event.message.call] = -_waited()
            _opt_outs.append((event.message.call, time.monotonic()))
        super().client(event)

    def heard(self, event: PhoneEvent) -> None:
        if isinstance(event, DigitReceived):
            _digits.append((event.call, event.at))
        super().heard(event)


class _StallingEncoder(Encoder):
    def encode(self, agent: bytes, party: bytes) -> list[bytes]:
        if _stall:
            seconds = _stall.pop()
            (_home() / STALLED).write_text("begun")
            time.sleep(seconds)
            (_home() / STALLED).write_text("over")
        return super().encode(agent, party)


def _waited() -> float:
    """Seconds that the threads of this process have waited for a processor, all together, by the kernel's account."""
    waited = 0
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended
            waited += int((thread / "schedstat").read_text().split()[1])
    return waited / 1e9


def _home() -> Path:
    return Path(sys.argv[sys.argv.index("--home") + 1])


def _obey() -> None:
    for line in sys.stdin:
        word, _, what = line.strip().partition(" ")
        if word == "stall":
            _stall.append(float(what))
        if word == "tell":
            new = _home() / f"{what}.new"
            new.write_text(json.dumps(_told(what)))
            new.replace(new.with_suffix(".json"))


def _told(call: str) -> dict[str, Any]:
    from tests.journeys.listening import numbers

    own = [(index, at, party) for one, index, at, party in _frames if one == call]
    said = numbers(b"".join(party or bytes(640) for *_, party in own))
    return {
        "frames": [[index, at, number] for (index, at, _), number in zip(own, said, strict=True)],
        "opt_outs": [at for one, at in _opt_outs if one == call],
        "kept_waiting": _kept_waiting.get(call, 0.0),
        "digits": [at for one, at in _digits if one == call],
    }


def watched(on: Stage, call: str) -> dict[str, Any]:
    """What was seen of the call in the engine of this stage, which still runs."""
    seen = on.folder / "home" / f"{call}.json"
    _tell_engine(on, f"tell {call}")
    until(seen.exists, 180, f"what was seen of {call}")
    return json.loads(seen.read_text())


def stall_encoder(on: Stage, seconds: float) -> None:
    """It stands still when this returns."""
    _tell_engine(on, f"stall {seconds}")
    until((on.folder / "home" / STALLED).exists, 15, "a stalled encoder")


def _tell_engine(on: Stage, words: str) -> None:
    assert on.engine.stdin is not None
    on.engine.stdin.write(f"{words}\n".encode())
    on.engine.stdin.flush()


def main() -> int:
    bootstrap.Recording = _WatchedRecording
    bootstrap.Engine = _WatchedEngine
    writing.Encoder = _StallingEncoder
    threading.Thread(target=_obey, daemon=True).start()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
