"""A recorded call beside hostile peers: it is whole, and nobody waits for them. Real engine, real edge, real archive."""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
import pytest

from softphone.archive.files.reader import MarkKind
from softphone.domain.purpose import Headline, KeyRole, Reason
from softphone.domain.status import InformedPhase
from softphone.system.settings import load_settings, save_settings
from softphone.wire.snapshot import Account, Registration
from tests.edge.killers import IDLE
from tests.edge.mutations import framed, mutations
from tests.edge.rfc4475 import MESSAGES
from tests.journeys.fault_words import begun
from tests.journeys.lines import NUMBERS
from tests.journeys.listening import numbers
from tests.journeys.stage import LOOPBACK, Stage, build, stage
from tests.journeys.watched_engine import WATCHED, watched
from tests.peers.counter import gaps
from tests.peers.forked import children
from tests.peers.plain_phone import plain_phone
from tests.peers.processes import until
from tests.peers.wire import SDP, header, headers, wire

pytestmark = pytest.mark.journey

PACE = 0.01
ATTACKS = pytest.mark.parametrize(
    "count", [500, pytest.param(5_000, marks=[pytest.mark.torture, pytest.mark.timeout(900)])]
)
SECOND = 50
"""frames"""


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


def counted(on: Stage) -> Counter[str]:
    """What the edge counted from its beginning to its end, as the engine's log has it."""
    log = (on.home.folders.log / "engine.log").read_text("utf-8")
    counts: Counter[str] = Counter()
    for line in re.findall(r" klartone\.edge edge (.*=.*)$", log, re.MULTILINE):
        for code, count in re.findall(r"((?:malformed\.no )?[\w.-]+)=(\d+)", line):
            counts[code] += int(count)
    return counts


def _recorded_call_under(on: Stage, send: Callable[[bytes], None], count: int) -> tuple[str, int]:
    """The call, and how many packets of sound the party had sent in it, which went on until so many attacks had been sent."""
    with hostile(send, 4475) as attacks:
        call = on.call("n7", "+4520990001")
        on.desk.wait_event("first_sample", 20, call=call)
        on.sealed(call, 4)
        until(lambda: len(attacks) >= count, 60 + count / 20, f"{count} attacks")
        sent = on.customer.ask("sent", "Sent")["packets"]
    return call, sent


def _whole(on: Stage, call: str, sent: int) -> None:
    """Every packet that the party sent came through the edge, and no turn of its loop was long enough to hold one back. Each
    frame that the engine's decoder made of them is in the export, in its place.

    A busy machine's effect on the two phones' own clocks is not asked. Their packets leave late and their buffers run dry
    with and without hostile bytes, and the decoder then repeats the last frame.
    """
    on.over(call)
    decoded = {index: number for index, _, number in watched(on, call)["frames"]}
    row = on.row(call)
    assert row is not None
    with on.archive() as archive:
        opened = archive.open_recording(row.recording, row.opened_at, role=KeyRole.DOCUMENTATION)
        # What a machine that gives the engine no time costs is marked, and told.
        begun = on.desk.told("first_sample", call=call)[0].at
        stalled = [one for one in on.desk.told("stood_still", call=call) if one.at > begun]
        assert [mark.kind for mark in opened.marks()] == [MarkKind.GAP] * len(stalled)
        (segment,) = opened.segments
        assert segment.complete
    party = numbers(np.ascontiguousarray(on.exported(row.recording)[:, 1]))
    given = [decoded.get(segment.origin + index) for index in range(len(party))]
    told = [(kept, said) for kept, said in zip(party, given, strict=True) if kept is not None and said is not None]
    assert len(told) > 3.5 * SECOND
    assert sum(kept != said for kept, said in told) <= 2 * len(gaps(given))
    on.end()
    counts = counted(on)
    assert sum(count for code, count in counts.items() if code.startswith("malformed.")) > 50, counts
    assert sent > 4 * SECOND
    assert counts["rtp.received"] >= sent, sorted(counts.items())
    lost = ("rtp.malformed", "rtp.strangers", "rtp.unasked", "rtp.unsent", "turn.slow")
    assert not {code: counts[code] for code in lost if counts[code]}, counts
    assert on.verified()["ok"]


@ATTACKS
@pytest.mark.calm
def test_a_recorded_call_is_whole_while_hostile_datagrams_come_from_an_accepted_address(
    tmp_path: Path, count: int
) -> None:
    with stage(tmp_path, lines=("n7",), codec="G722/16000/1", program=WATCHED) as on, wire() as attacker:

        def send(data: bytes) -> None:
            attacker.socket.sendto(data, (LOOPBACK, on.sip_port))

        _whole(on, *_recorded_call_under(on, send, count))


@ATTACKS
@pytest.mark.calm
def test_a_recorded_call_is_whole_beside_hostile_bytes_on_our_own_flow_and_we_register_again(
    tmp_path: Path,
    count: int,
) -> None:
    registrar = Registrar()
    try:
        on = build(tmp_path, lines=("n7",), program=WATCHED)
        account = Account("agent", f"agent@{LOOPBACK}:{registrar.port}", transport="tcp")
        config = on.home.folders.config
        save_settings(config, replace(load_settings(config), accounts=(account,)))
        with begun(on):
            on.ready()
            on.desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED, "registered", 20)

            def send(data: bytes) -> None:
                if whole := framed(data):
                    registrar.flows[-1].sendall(whole)

            call, sent = _recorded_call_under(on, send, count)
            assert registrar.registered == 1, "what can be framed leaves the flow as it is"
            registrar.flows[-1].sendall(MESSAGES["ncl"])
            # What cannot be framed closes it, and the account registers anew.
            until(lambda: registrar.registered > 1, 20, "a registration by a new connection")
            _whole(on, call, sent)
    finally:
        registrar.close()


def edge_of(on: Stage) -> psutil.Process:
    return next(one for one in children(on.engine.pid) if one.name().startswith("edge "))


@pytest.mark.rule("G10")
def test_while_an_edge_is_away_nothing_is_recorded_and_what_a_hung_one_cost_is_marked(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",), codec="G722/16000/1") as on:
        on.expects("edge ended", "edge hangs", reason="it is killed, and stopped")
        call = on.call("n7", "+4520990002")
        desk = on.desk
        for how, missing in ((signal.SIGKILL, False), (signal.SIGSTOP, True)):
            on.sealed(call, on.sealed_seconds(call) + 1)
            edge = edge_of(on)
            edge.send_signal(how)
            paused = desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call, 6)
            assert paused.reasons[0].reason is Reason.NO_SOUND
            assert bool(desk.told("stood_still", call=call)) == missing
            desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", call)
            assert edge_of(on).pid != edge.pid
        cost = float(desk.told("stood_still", call=call)[0].params["seconds"] or 0)
        assert 2 < cost < 6
        assert "stood_still" in paused.notes
        on.over(call)
        with on.archive() as archive:
            entries = [(one.event, one.params) for one in archive.audit_of(call=call)]
        assert sum(event == "party_sound_gone" for event, _ in entries) == 2
        (marked,) = [params["gap_seconds"] for event, params in entries if event == "stood_still"]
        assert abs(int(marked) - cost) <= 0.6, "the log has whole seconds"
        on.end()
        assert on.verified()["ok"]
        log = (on.home.folders.log / "engine.log").read_text("utf-8")
        assert "edge hangs: no word for" in log
        assert log.count("edge is back after") == 2


@pytest.mark.rule("G05")
def test_a_notice_in_which_the_edge_dies_was_not_heard_however_soon_the_next_one_is_there(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1",), notice_seconds=3) as on:
        on.expects("edge ended", reason="it is killed")
        on.ring("n1")
        call = on.desk.answer().id
        on.desk.wait_event("notice_started", call=call)
        edge_of(on).kill()
        on.desk.wait_status(
            lambda one: one.notice and one.notice.told is InformedPhase.FAILED, "a notice that was not heard", call
        )
        on.desk.wait_status(lambda one: "play_again" in one.actions, "the party's sound", call)
        assert not on.desk.told("first_sample", call=call)
        on.desk.act(call, "play_again")
        on.desk.wait_event("first_sample", 20, call=call)
        on.over(call)
        on.end()


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


@pytest.mark.rule("G31")
def test_an_opt_out_pressed_while_a_name_server_is_silent_is_done_before_the_look_up_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        silent.settimeout(10)
        monkeypatch.setenv("KLARTONE_NAMESERVER", "{}:{}".format(*silent.getsockname()))
        with stage(tmp_path, lines=("n7",)) as on, plain_phone() as phone:
            phone.call(LOOPBACK, on.sip_port, NUMBERS["n7"])
            call = on.desk.answer().id
            on.desk.wait_event("first_sample", call=call)
            phone.offer(headers={"Record-Route": f"<sip:x@{uuid4().hex}.example;lr>"})
            silent.recv(1024)  # it is asked
            on.desk.opt_out(call)
            on.desk.wait_event("audit.purpose_ended", call=call)
            assert phone.count("SIP/2.0 4") == 0  # nobody has given the name up yet
            phone.wait_for("SIP/2.0 400", seconds=10)
            phone.hang_up()
            on.desk.wait_event("ended", call=call)
            on.end()
