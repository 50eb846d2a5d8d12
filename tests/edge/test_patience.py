"""A real edge process with a pjsua2 that is written by hand: what is let in late, and what comes before the edge has begun."""

from __future__ import annotations

import queue
import socket
import subprocess
import sys

import psutil
import pytest

from softphone.edge.channel import EdgeAccount, EdgeState, FromEdge, Heartbeat, Ready
from softphone.edge.paths import account_param
from softphone.engine.edge import Edge
from tests.peers.wire import SDP, header, wire

LOOPBACK = "127.0.0.1"
FORGETS_SOON = (
    "from softphone.edge import process, switch; switch.SENT_FOR = 0.5; process.main()"  # SIP's own time is 32 s
)
GIVES_UP_SOON = "from softphone.edge import outward, process; outward.REFER_LIMIT = 0.5; process.main()"


EDGE = "import sys; from softphone.edge import process; sys.exit(process.main())"


def wait_for(told: queue.Queue[FromEdge], kind: type[object]) -> None:
    while not isinstance(told.get(timeout=20), kind):
        pass


def route(inner: socket.socket) -> str:
    """As pjsua2 writes it: to the edge, for the account."""
    return "Route: <sip:{}:{};lr;{}>\r\n".format(*inner.getsockname(), account_param("own"))


def test_a_call_that_rings_longer_than_any_request_waits_is_still_answered() -> None:
    with wire() as phone, wire() as callee:
        told: queue.Queue[FromEdge] = queue.Queue()
        edge = Edge(LOOPBACK, 0, [sys.executable, "-c", FORGETS_SOON])
        inner = edge.inner
        inner.bind((LOOPBACK, 0))
        inner.connect((LOOPBACK, phone.port))
        edge.bind()
        try:
            edge.know(EdgeAccount("own", f"wire@{LOOPBACK}", ""))
            edge.start(told.put, lambda _: None)
            wait_for(told, Ready)
            phone.send(phone.request("INVITE", callee.port, body=SDP, more=route(inner)), inner.getsockname())
            asked = callee.wait_for("INVITE")
            callee.send(callee.answer(asked, "180 Ringing"), callee.peer)
            phone.wait_for("SIP/2.0 180")
            for _ in range(4):  # one a second
                wait_for(told, EdgeState)
            for _ in range(2):  # once more, as where the ACK was lost
                callee.send(callee.answer(asked, "200 OK", body=SDP), callee.peer)
                assert header(phone.wait_for("SIP/2.0 200"), "CSeq") == "1 INVITE"
        finally:
            edge.close()


def test_a_refer_that_nobody_answers_is_answered_before_pjsua2_ends_the_call_for_it() -> None:
    with wire() as phone, wire() as party:
        told: queue.Queue[FromEdge] = queue.Queue()
        edge = Edge(LOOPBACK, 0, [sys.executable, "-c", GIVES_UP_SOON])
        inner = edge.inner
        inner.bind((LOOPBACK, 0))
        inner.connect((LOOPBACK, phone.port))
        edge.bind()
        try:
            edge.know(EdgeAccount("own", f"wire@{LOOPBACK}", ""))
            edge.start(told.put, lambda _: None)
            wait_for(told, Ready)
            for method, status in (("REFER", "480"), ("NOTIFY", "200")):
                to = f"<sip:own@{LOOPBACK}>;tag=theirs"
                request = phone.request(method, party.port, to=to, more=route(inner))
                phone.send(request, inner.getsockname())
                party.wait_for(method)
                assert header(phone.wait_for(f"SIP/2.0 {status}"), "CSeq") == f"1 {method}"
        finally:
            edge.close()


@pytest.mark.expected_log("edge ended", reason="it is killed")
def test_a_call_that_rings_while_its_edge_dies_is_answered_by_way_of_the_next_one() -> None:
    with wire() as phone, wire() as callee:
        told: queue.Queue[FromEdge] = queue.Queue()
        edge = Edge(LOOPBACK, 0, [sys.executable, "-c", EDGE])
        inner = edge.inner
        inner.bind((LOOPBACK, 0))
        inner.connect((LOOPBACK, phone.port))
        edge.bind()
        try:
            edge.know(EdgeAccount("own", f"wire@{LOOPBACK}", ""))
            edge.start(told.put, lambda _: None)
            wait_for(told, Ready)
            phone.send(phone.request("INVITE", callee.port, body=SDP, more=route(inner)), inner.getsockname())
            asked = callee.wait_for("INVITE")
            callee.send(callee.answer(asked, "180 Ringing"), callee.peer)
            phone.wait_for("SIP/2.0 180")
            for _ in range(2):  # one a second: by then all is remembered
                wait_for(told, EdgeState)
            next(one for one in psutil.Process().children() if EDGE in one.cmdline()).kill()
            wait_for(told, Ready)
            callee.send(callee.answer(asked, "200 OK", body=SDP), callee.peer)
            assert header(phone.wait_for("SIP/2.0 200"), "CSeq") == "1 INVITE"
        finally:
            edge.close()


def test_what_the_phone_said_before_the_edge_had_begun_leaves_once_it_has() -> None:
    with (
        wire() as phone,
        socket.create_server((LOOPBACK, 0)) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inner,
    ):
        server.settimeout(20)
        place = "{}:{}".format(*server.getsockname())
        edge = Edge(LOOPBACK, 0, [sys.executable, "-c", EDGE])
        inner = edge.inner
        inner.bind((LOOPBACK, 0))
        inner.connect((LOOPBACK, phone.port))
        edge.bind()
        try:
            edge.know(EdgeAccount("own", f"wire@{LOOPBACK}", place, "tcp"))
            asked = phone.request("REGISTER", server.getsockname()[1], more=route(inner))
            phone.send(asked, inner.getsockname())
            edge.start(lambda _: None, lambda _: None)
            flow, _ = server.accept()
            with flow:
                flow.settimeout(20)
                asked = flow.recv(65_536).decode()
            assert asked.startswith("REGISTER ")
            assert header(asked, "Contact") == f"<sip:wire@{LOOPBACK}:{edge.port};transport=tcp>"
        finally:
            edge.close()


def test_a_heartbeat_from_before_the_end_of_a_call_keeps_the_next_caller_from_nothing() -> None:
    with (
        wire() as phone,
        wire() as first,
        wire() as second,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inner,
    ):
        told: queue.Queue[FromEdge] = queue.Queue()
        edge = Edge(LOOPBACK, 0, [sys.executable, "-c", EDGE], accept_from=("127.0.0.0/8",))
        inner = edge.inner
        inner.bind((LOOPBACK, 0))
        inner.connect((LOOPBACK, phone.port))
        edge.bind()
        try:
            edge.know(EdgeAccount("own", f"own@{LOOPBACK}", ""))
            edge.start(told.put, lambda _: None)
            wait_for(told, Ready)
            edge.tell(Heartbeat(busy=False))
            first.call(edge.port)
            phone.send(phone.answer(phone.wait_for("INVITE"), "603 Decline"), inner.getsockname())
            first.wait_for("SIP/2.0 603")
            edge.tell(Heartbeat(busy=True))  # the engine has not heard of it yet
            for _ in range(2):  # one a second: by then the edge has
                wait_for(told, EdgeState)
            second.call(edge.port)
            assert header(phone.wait_for("INVITE"), "Call-ID") == second.call_id
        finally:
            edge.close()


@pytest.mark.parametrize("line", ["", "hello\n", '{"type": "Heartbeat"}\n'])
def test_an_edge_started_by_hand_says_that_the_engine_starts_it(line: str) -> None:
    ended = subprocess.run([sys.executable, "-c", EDGE], input=line, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "klartone engine" in ended.stderr
