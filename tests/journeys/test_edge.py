"""A recorded call beside hostile peers: it is whole, and nobody waits for them. Real engine, real edge, real archive."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from softphone.system.settings import load_settings, save_settings
from softphone.wire import Account, Registration
from tests.edge.killers import IDLE
from tests.edge.mutations import mutations
from tests.edge.rfc4475 import MESSAGES
from tests.journeys.fault_words import begun
from tests.journeys.listening import numbers
from tests.journeys.stage import LOOPBACK, Stage, build, stage
from tests.peers.counter import gaps
from tests.peers.processes import until
from tests.peers.second_phone import talk
from tests.peers.wire import SDP, header, headers, wire

pytestmark = pytest.mark.journey

PACE = 0.01
TRIES = 3


class Registrar:
    """By TCP, in the test's own process: it says 200 to each REGISTER. The last of `flows` is the engine's own connection now."""

    def __init__(self) -> None:
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self.flows: list[socket.socket] = []
        self.registered = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self.flows.append(self._listening.accept()[0])
                threading.Thread(target=self._answer, args=(self.flows[-1],), daemon=True).start()

    def _answer(self, flow: socket.socket) -> None:
        waiting = b""
        with suppress(OSError):
            while data := flow.recv(65_536):
                waiting += data
                while (end := waiting.find(b"\r\n\r\n")) >= 0:
                    request, waiting = waiting[: end + 4].decode("utf-8", "replace"), waiting[end + 4 :]
                    if request.startswith("REGISTER"):
                        flow.sendall(self._ok(request))
                        self.registered += 1

    def _ok(self, request: str) -> bytes:
        copied = "".join(f"Via: {one}\r\n" for one in headers(request, "Via"))
        names = ("From", "To", "Call-ID", "CSeq")
        copied += "".join(f"{name}: {header(request, name)}\r\n" for name in names)
        contact = header(request, "Contact").split(";expires")[0]
        return f"SIP/2.0 200 OK\r\n{copied}Contact: {contact};expires=300\r\nContent-Length: 0\r\n\r\n".encode()

    def close(self) -> None:
        self._listening.close()
        for flow in self.flows:
            flow.close()


@contextmanager
def hostile(send: Callable[[bytes], None], seed: int) -> Generator[list[int]]:
    """Mutated messages of RFC 4475 and known killers, a hundred a second, from the beginning of the block to its end."""
    over = threading.Event()
    sent: list[int] = []

    def attack() -> None:
        kinds = [*MESSAGES.values(), *_killers()]
        for number, data in enumerate(mutations(kinds, seed, 100_000)):
            with suppress(OSError):
                send(kinds[number % len(kinds)] if number % 3 == 0 else data)
            sent.append(number)
            if over.wait(PACE):
                return

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


def _killers() -> list[bytes]:
    from tests.edge.raw_peer import RawPeer

    class Nobody:
        udp = 5060

    with RawPeer(Nobody()) as peer:  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        return [make(peer) for make in IDLE.values()]


def _broken(on: Stage, call: str, seconds: float) -> list[object]:
    """Where the recording does not go on by one frame, on either side."""
    row = on.row(call)
    assert row is not None
    sound = on.exported(row.recording)
    assert len(sound) >= seconds * 16_000
    return [gap for side in (0, 1) for gap in gaps(numbers(sound[:, side].tobytes()))]


def _recorded_call_under(on: Stage, send: Callable[[bytes], None]) -> None:
    """What others do to a busy machine may cost a frame, and then not each time: see `test_audio_truth`."""
    for left in reversed(range(TRIES)):
        with hostile(send, 4475) as sent:
            call = on.call("n7", "+4520990001")
            on.desk.wait_event("first_sample", 20, call=call)
            on.sealed(call, 4)
            assert len(sent) > 100
        on.over(call)
        broken = _broken(on, call, 3.5)
        if not broken:
            return
        assert left, broken


@pytest.mark.alone
def test_a_recorded_call_is_whole_while_hostile_datagrams_come_from_an_accepted_address(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",), codec="G722/16000/1") as on, wire() as attacker:

        def send(data: bytes) -> None:
            attacker.socket.sendto(data, (LOOPBACK, on.sip_port))

        _recorded_call_under(on, send)
        on.end()
        assert on.verified()["ok"]


@pytest.mark.alone
def test_a_recorded_call_is_whole_beside_hostile_bytes_on_our_own_flow_and_we_register_again(
    tmp_path: Path,
) -> None:
    registrar = Registrar()
    try:
        on = build(tmp_path, lines=("n7",))
        account = Account("agent", f"agent@{LOOPBACK}:{registrar.port}", transport="tcp")
        config = on.home.folders.config
        save_settings(config, replace(load_settings(config), accounts=(account,)))
        with begun(on):
            on.ready()
            on.desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED, "registered", 20)

            def send(data: bytes) -> None:
                registrar.flows[-1].sendall(data)

            _recorded_call_under(on, send)
            # What cannot be framed closed the connection, more than once; each time the account registered anew.
            until(lambda: registrar.registered > 1, 20, "a registration by a new connection")
            on.end()
    finally:
        registrar.close()


@pytest.mark.calm
def test_a_recorded_call_goes_on_where_its_edge_is_killed(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",), codec="G722/16000/1") as on:
        on.expects("edge ended", reason="it is killed")
        call = on.call("n7", "+4520990002")
        on.desk.wait_event("first_sample", 20, call=call)
        edge = next(
            one for one in psutil.Process(on.engine.pid).children() if "softphone.edge" in " ".join(one.cmdline())
        )
        os.kill(edge.pid, signal.SIGKILL)
        talk(on.customer, 100)
        on.sealed(call, 2)
        on.over(call)
        assert on.row(call) is not None
        on.end()
        assert on.verified()["ok"]


def test_a_name_that_leads_nowhere_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by the order of events: another is answered while the name server has not said a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        silent.settimeout(10)
        monkeypatch.setenv("KLARTONE_NAMESERVER", "{}:{}".format(*silent.getsockname()))
        with stage(tmp_path, lines=("n7",)) as on, wire() as named, wire() as other:
            contact = f"<sip:x@{uuid4().hex}.example>"
            invite = named.request(
                "INVITE", on.sip_port, contact=contact, more=f"Record-Route: {contact[:-1]};lr>\r\n", body=SDP
            )
            named.send(invite, (LOOPBACK, on.sip_port))
            silent.recv(1024)  # it is asked
            other.send(other.request("OPTIONS", on.sip_port), (LOOPBACK, on.sip_port))
            other.wait_for("SIP/2.0 200")
            assert not [one for one in named.heard if not one.startswith("SIP/2.0 100")]
            assert not on.desk.wait(lambda now: now, "a state").calls
            named.wait_for("SIP/2.0 400", 10)
            call = on.call("n7")
            on.over(call)
            on.end()
