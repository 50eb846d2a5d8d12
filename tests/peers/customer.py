"""A phone in a process of its own, driven by JSON lines on stdin, telling its events on stdout.

Started by `second_phone.py`; by hand: `python tests/peers/customer.py --record-aware`. Commands are
objects with `do`; every event of `softphone.engine.sip.events` comes out under its type's name.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from softphone.audio.bridge import LiveBridge
from softphone.audio.devices import SoundFault, SoundWorks
from softphone.audio.files import FileSound, read_wav, write_wav
from softphone.bootstrap.program import edge_command
from softphone.domain.errors import KlartoneError
from softphone.domain.notice import NoticeFile
from softphone.engine.edge import Edge
from softphone.engine.sip import events
from softphone.engine.sip.call import CallDirector
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import AccountSettings, PhoneSettings
from softphone.system.settings_schema import rtp_range
from tests.peers.counter import CYCLE, counter_sound


class Customer:
    """`frames` holds each call's pairs: what this phone sent and what it heard, by index."""

    def __init__(self, out: Callable[[dict[str, Any]], None], options: argparse.Namespace) -> None:
        self._out = out
        self._options = options
        self.sound = FileSound(remember=True)
        self.live = LiveBridge("", options.speaker, tell=self._sound_changed) if options.device else None
        if options.counter:
            self.sound.say(counter_sound(CYCLE), loop=True)
        self.frames: dict[str, tuple[list[bytes], list[bytes]]] = {}
        self.clock: dict[str, tuple[int, float]] = {}
        self.call = ""
        self.calls: set[str] = set()
        self.idle_wanted = False
        self._had = 0
        self._talked = 0
        """of all frames it has had, the one that was asked for; 0 for none"""
        self.phone = Phone(
            PhoneSettings(
                address="127.0.0.1",
                port=options.port,
                record_aware=options.record_aware,
                jitter_ms=options.jitter,
                codecs=tuple(options.codec) if options.codec else PhoneSettings().codecs,
            ),
            self._happened,
            self.live or self.sound,
            self._frame,
            Edge(
                options.bind,
                options.port,
                _edge(options),
                tuple(options.accept),
                options.keep_alive,
                options.stun,
                rtp_range(options.rtp_ports),
            )
            if options.edge
            else None,
        )

    def _frame(self, call: str, index: int, own: bytes, heard: bytes) -> None:
        sent, received = self.frames.setdefault(call, ([], []))
        while len(sent) < index:
            # This process got no time for so long: what it missed is silence in what it keeps.
            sent.append(bytes(640))
            received.append(bytes(640))
        assert index == len(sent)
        self.clock[call] = (index, time.monotonic())
        sent.append(own)
        received.append(heard)
        self._had += 1
        if 0 < self._talked <= self._had:
            self._talked = 0
            self._out({"event": "Talked", "t": time.monotonic()})

    def _sound_changed(self, told: SoundFault | SoundWorks) -> None:
        self._out({"event": type(told).__name__, **dataclasses.asdict(told)})

    def _happened(self, event: events.PhoneEvent) -> None:
        told: dict[str, Any] = {"event": type(event).__name__, "t": time.monotonic()}
        for field in dataclasses.fields(event):
            value = getattr(event, field.name)
            if isinstance(value, events.Headers):
                value = {name: list(value.all_of(name)) for name in value}
            if dataclasses.is_dataclass(value):
                value = dataclasses.asdict(value)  # pyright: ignore[reportArgumentType]
            told[field.name] = value.isoformat() if isinstance(value, datetime) else value
        self._out(told)
        if isinstance(event, events.CallEnded):
            self.calls.discard(event.call)
            self._tell_idle()
        if isinstance(event, events.CallArrived):
            self.calls.add(event.call)
            self.call = event.call
            self.phone.ring(event.call)
            if self._options.auto_answer:
                self.phone.answer(event.call)

    def _tell_idle(self) -> None:
        if self.idle_wanted and not self.calls:
            self.idle_wanted = False
            self._out({"event": "Idle", "t": time.monotonic()})

    def obey(self, command: dict[str, Any]) -> bool:
        """Do one command; False after `quit`. A refusal comes out as an event `Refused`."""
        call = command.get("call") or self.call
        phone = self.phone
        match command["do"]:
            case "account":
                settings = {k: v for k, v in command.items() if k not in ("do", "id")}
                phone.add_account(command["id"], AccountSettings(**settings))
            case "remove_account":
                phone.remove_account(command["id"])
            case "renew":
                phone._running()[0].renew(command["account"])
            case "dial":
                self.call = phone.dial(
                    command.get("account", "own"),
                    command["target"],
                    prefers_recording=command.get("prefers_recording"),
                    replaces=command.get("replaces", ""),
                    passport=command.get("passport", ""),
                )
                self.calls.add(self.call)
                self._out({"event": "Dialled", "call": self.call, "t": time.monotonic()})
            case "transfer":
                fields = {name: command[name] for name in ("passport", "consultation") if name in command}
                phone.transfer(call, command["target"], **fields)
            case "tell_referrer":
                phone.tell_referrer(call, command["code"])
            case "answer":
                phone.answer(call)
            case "decline":
                phone.decline(call, command.get("code", 603))
            case "hang_up":
                phone.hang_up(call)
            case "hold":
                phone.hold(call)
            case "resume":
                phone.resume(call)
            case "join":
                phone.join(call, command["other"])
            case "digits":
                phone.send_digits(call, command["digits"])
            case "talk":
                self._talked = self._had + command["frames"]
            case "mute":
                phone.set_muted(call, command["on"])
            case "microphone":
                phone.open_microphone(call, command["on"])
            case "notice":
                phone.play_notice(call, NoticeFile(command["wav"], command.get("seconds")), command.get("lead_in", 0.4))
            case "stop_notice":
                phone.stop_notice(call)
            case "recording":
                phone.set_recording(call, command["state"])
            case "warn":
                phone.sound_warning(call)
            case "prefer":
                if command.get("reinvite"):
                    # As a phone that knows no UPDATE.
                    phone._running()[1]._legs[call].takes_update = False
                phone.prefer_recording(call, command["wanted"])
            case "say":
                pcm = read_wav(Path(command["wav"])) if "wav" in command else b""
                self.sound.say(pcm, loop=command.get("loop", False))
            case "say_counter":
                self.sound.say(counter_sound(CYCLE), loop=True)
            case "save":
                own, heard = self.frames.get(call, ([], []))
                write_wav(Path(command["own"]), b"".join(own))
                write_wav(Path(command["heard"]), b"".join(heard))
                self._out({"event": "Saved", "frames": len(own), "t": time.monotonic()})
            case "ear":
                # What the person at this phone heard, the notices it played included.
                write_wav(Path(command["wav"]), self.sound.heard())
                self._out({"event": "Saved", "t": time.monotonic()})
            case "state":
                self._out(
                    {
                        "event": "State",
                        "frames": {name: len(pair[0]) for name, pair in self.frames.items()},
                        "clock": dict(self.clock),
                        # An object that outlives its call hangs up a later one.
                        "kept": sum(isinstance(kept, CallDirector) for kept in gc.get_objects()),
                        "descriptors": psutil.Process().num_fds(),
                        "memory": psutil.Process().memory_info().rss,
                        "t": time.monotonic(),
                    }
                )
            case "sent":
                # Packets of sound, by pjsua2's own count.
                packets = phone._running()[1]._legs[call].director.getStreamStat(0).rtcp.txStat.pkt
                self._out({"event": "Sent", "packets": packets, "t": time.monotonic()})
            case "forget":
                self.frames.clear()
                self.sound.forget()
            case "end_calls":
                # Answered when no call is left, so that tests do not meet each other's calls.
                for one in self.calls:
                    phone.hang_up(one)
                self.idle_wanted = True
                self._tell_idle()
            case "quit":
                return False
            case _:
                self._out({"event": "Refused", "code": "no_such_command"})
        return True


def _edge(options: argparse.Namespace) -> Sequence[str]:
    if not options.asleep:
        return edge_command()
    # Sleep is seen after twenty seconds by the clock that counts while processes are stopped.
    late = f"from softphone.edge import network, process; network.STOOD = {options.asleep}; process.main()"
    return (sys.executable, "-c", late)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record-aware", action="store_true")
    parser.add_argument("--auto-answer", action="store_true")
    parser.add_argument("--counter", action="store_true")
    parser.add_argument("--device", action="store_true", help="the default sound device")
    parser.add_argument("--speaker", default="", help="the id of another one")
    parser.add_argument("--codec", action="append")
    parser.add_argument("--edge", action="store_true", help="behind an edge, as the engine's phone is")
    parser.add_argument("--keep-alive", type=int, default=15, help="seconds between two signs of life to a registrar")
    parser.add_argument("--rtp-ports", default="", help="the ports that calls' sound may use at the edge")
    parser.add_argument("--stun", default="", help="the server that says how others see the edge's sockets")
    parser.add_argument(
        "--asleep", type=float, default=0.0, help="seconds without a turn after which the edge has slept"
    )
    parser.add_argument("--bind", default="127.0.0.1", help="the edge's address; empty: every one")
    parser.add_argument("--accept", action="append", default=[], help="whose calls the edge takes")
    # Deeper than the program's own: what a busy test machine delays must not count as lost.
    parser.add_argument("--jitter", type=int, default=100)
    options = parser.parse_args()
    # The protocol takes stdout before any library can print into it.
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    one_at_a_time = threading.Lock()

    def out(told: dict[str, Any]) -> None:
        with one_at_a_time:
            wire.write(json.dumps(told) + "\n")
            wire.flush()

    commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            commands.put(json.loads(line))
        commands.put({"do": "quit"})

    threading.Thread(target=read, daemon=True).start()
    sys.setswitchinterval(0.0005)
    customer = Customer(out, options)
    customer.phone.start()
    if customer.live is not None:
        customer.live.open()
    udp, tcp = customer.phone.ports
    customer.phone.add_account("own", AccountSettings("customer@127.0.0.1", register=False))
    out({"event": "Ready", "udp": udp, "tcp": tcp, "pid": os.getpid(), "t": time.monotonic()})
    going = True
    while going:
        customer.phone.poll(5)
        while going and not commands.empty():
            try:
                going = customer.obey(commands.get())
            except KlartoneError as error:
                out({"event": "Refused", "code": error.code, "params": dict(error.params)})
    customer.phone.close()
    if customer.live is not None:
        customer.live.close()
    out({"event": "Closed", "t": time.monotonic()})
    wire.close()


if __name__ == "__main__":
    gc.freeze()  # what is loaded stays
    main()
