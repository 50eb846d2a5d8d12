"""Bytes that are no UTF-8, as older exchanges send them: read as Latin-1, wherever they come in."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.peers.plain_phone import plain_phone
from tests.peers.second_phone import SecondPhone, second_phone

LATIN_1 = "Søren Møller".encode("latin-1")


@pytest.mark.parametrize("turned_away_by", ["edge", "pjsip"])
def test_a_callers_latin_1_name_is_read_also_that_of_one_who_finds_the_line_busy(
    turned_away_by: str, request: pytest.FixtureRequest
) -> None:
    """Without an edge, or before it has heard that the phone is busy, PJSIP itself turns the caller away."""
    guarded: SecondPhone = request.getfixturevalue("guarded" if turned_away_by == "edge" else "agent")
    with (
        plain_phone(name=LATIN_1) as phone,
        plain_phone(number="+4520123457", name=LATIN_1) as other,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent,
    ):
        silent.bind(("127.0.0.1", 0))
        phone.call("127.0.0.1", guarded.udp, "agent", headers={"X-Queue": "k\udcf8"})
        arrived = guarded.wait_for("CallArrived")
        assert arrived["name"] == "Søren Møller"
        assert arrived["headers"]["x-queue"] == ["kø"]
        guarded.do("answer")
        guarded.wait_for("CallEstablished")
        # Whom it calls is there and says nothing, so its calls stay taken.
        for _ in range(3):
            guarded.do("dial", target=f"sip:nobody@127.0.0.1:{silent.getsockname()[1]}")
            guarded.wait_for("Dialled")
        other.call("127.0.0.1", guarded.udp, "agent")
        missed = guarded.wait_for("CallMissed")
        assert (missed["name"], missed["number"]) == ("Søren Møller", "+4520123457")
        phone.hang_up()
        guarded.wait_for("CallEnded")
        guarded.do("end_calls")
        guarded.wait_for("Idle")


def test_what_is_no_digit_is_no_key_pressed(agent: SecondPhone) -> None:
    with plain_phone() as phone:
        phone.call("127.0.0.1", agent.udp, "agent")
        agent.wait_for("CallArrived")
        agent.do("answer")
        agent.wait_for("CallEstablished")
        for sign in ("\udcf8", "\x01", "x", "9"):
            phone.press(sign)
        assert agent.wait_for("DigitReceived")["digit"] == "9"
        phone.hang_up()
        agent.wait_for("CallEnded")


@contextmanager
def registrar(status: bytes) -> Generator[str]:
    """Answers every request with that status; its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]

        def answer() -> None:
            while True:
                request, peer = door.recvfrom(65_536)
                if request == b"over":
                    return
                copied = re.findall(rb"^(?:Via|From|To|Call-ID|CSeq):.*\r\n", request, re.MULTILINE)
                door.sendto(b"SIP/2.0 %s\r\n%sContent-Length: 0\r\n\r\n" % (status, b"".join(copied)), peer)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            door.sendto(b"over", ("127.0.0.1", port))
            thread.join(2)


def test_a_registrars_latin_1_reason_is_read() -> None:
    with registrar("403 Din nøgle mangler".encode("latin-1")) as address, second_phone() as phone:
        phone.do("account", id="anna", address=f"anna@{address}", password="x", transport="udp")
        told = phone.wait_for("RegistrationChanged", state="refused")
        assert (told["code"], told["reason"]) == (403, "Din nøgle mangler")
