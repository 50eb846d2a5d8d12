"""A second phone for a test: `customer.py` in a process of its own, started, driven and ended.

    with second_phone(record_aware=True) as customer:
        customer.do("dial", target=f"sip:agent@127.0.0.1:{port}")
        customer.wait_for("CallEstablished")

Nothing here knows SIP.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tests.peers.forked import ROOT as ROOT
from tests.peers.forked import forked
from tests.peers.processes import end

Event = dict[str, Any]


class SecondPhone:
    """`events` is all it told. `wait_for` takes each event once, in order."""

    def __init__(self, *options: str, env: Mapping[str, str] | None = None, inside: Sequence[str] = ()) -> None:
        self._process = forked("tests.peers.customer", *options, stdout=subprocess.PIPE, env=env, inside=inside)
        self.events: list[Event] = []
        self._taken = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        ready = self.wait_for("Ready", seconds=20)
        self.udp: int = ready["udp"]
        self.tcp: int = ready["tcp"]
        self.pid: int = ready["pid"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self.events.append({"event": "Gone"})
            self._changed.notify_all()

    def do(self, command: str, **fields: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **fields}).encode() + b"\n")
        self._process.stdin.flush()

    def wait_for(self, event: str, seconds: float = 10, **fields: Any) -> Event:
        """The next event of that name with those fields; those before it are passed over."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                for index in range(self._taken, len(self.events)):
                    told = self.events[index]
                    if told["event"] == event and all(told.get(name) == value for name, value in fields.items()):
                        self._taken = index + 1
                        return told
                if not self._changed.wait(max(0.0, limit - time.monotonic())):
                    told = [e["event"] for e in self.events[self._taken :]]
                    raise TimeoutError(f"no {event} {fields} within {seconds:g} s, but {told}")

    def ask(self, command: str, answer: str, **fields: Any) -> Event:
        self.do(command, **fields)
        return self.wait_for(answer)

    def told(self, event: str) -> list[Event]:
        with self._changed:
            return [told for told in self.events if told["event"] == event]

    def close(self) -> int:
        """End it politely; its exit status."""
        if self._process.poll() is None:
            self.do("quit")
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self._reader.join(2)
        end(self._process)
        return self._process.wait()


@contextmanager
def second_phone(
    *,
    record_aware: bool = False,
    auto_answer: bool = False,
    counter: bool = False,
    device: bool = False,
    speaker: str = "",
    codec: str = "",
    jitter: int = 100,
    edge: bool = False,
    accept: Sequence[str] = ("127.0.0.0/8",),
    env: Mapping[str, str] | None = None,
    bind: str = "127.0.0.1",
    inside: Sequence[str] = (),
    keep_alive: int = 15,
    stun: str = "",
    rtp_ports: str = "",
    asleep: float = 0.0,
) -> Generator[SecondPhone]:
    """`edge`: it stands behind one, which takes calls that come from `accept`.

    `bind`: the edge's address; empty: every one. `inside`: what puts a process into another network.
    `counter`: say the frame counter all along. `device`: live sound, on what `env` shows of it; `speaker`: the id of one.
    Codec as PJSIP names it, for example `PCMA/8000/1`. `jitter`: depth in ms; the program's own has 40, and a test more than
    that, so that what a busy machine delays does not count as lost."""
    options = [
        "--jitter",
        str(jitter),
        *(["--record-aware"] if record_aware else []),
        *(["--auto-answer"] if auto_answer else []),
        *(["--counter"] if counter else []),
        *(["--device"] if device else []),
        *(["--speaker", speaker] if speaker else []),
        *(["--edge", *(f"--accept={one}" for one in accept)] if edge else []),
        *(["--codec", codec] if codec else []),
        f"--bind={bind}",
        f"--keep-alive={keep_alive}",
        f"--stun={stun}",
        f"--rtp-ports={rtp_ports}",
        f"--asleep={asleep}",
    ]
    phone = SecondPhone(*options, env=env, inside=inside)
    try:
        yield phone
    finally:
        phone.close()


def connect(caller: SecondPhone, callee: SecondPhone, **dial: Any) -> tuple[str, str]:
    """A call from one to the other, answered; its ids at the caller's and the callee's."""
    caller.do("dial", target=f"sip:callee@127.0.0.1:{callee.udp}", **dial)
    arrived = callee.wait_for("CallArrived")
    callee.do("answer")
    callee.wait_for("CallEstablished")
    return caller.wait_for("CallEstablished")["call"], arrived["call"]


def talk(phone: SecondPhone, frames: int) -> None:
    """Wait until that phone has had so many more 20 ms frames of its call."""
    phone.do("talk", frames=frames)
    phone.wait_for("Talked", 5 + frames / 25)


def part(one: SecondPhone, other: SecondPhone) -> None:
    """`one` hangs up; both know it."""
    one.do("hang_up")
    one.wait_for("CallEnded")
    other.wait_for("CallEnded")
