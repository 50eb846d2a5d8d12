"""A real phone behind a real edge: what the network may ask of it, what it may not, and what an edge's death costs."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from softphone.engine.sip.edge_adapter import RENEW_EVERY
from tests.peers.forked import children
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, connect, part, second_phone, talk
from tests.peers.wire import SDP, Wire, header, wire

LOOPBACK = "127.0.0.1"
FRIEND, STRANGER = "127.0.0.1", "127.0.0.9"


@pytest.fixture(scope="module")
def phone_process() -> Generator[SecondPhone]:
    with second_phone(edge=True, counter=True, accept=[FRIEND], rtp_ports="15000-15199") as phone:
        yield phone


@pytest.fixture
def phone(phone_process: SecondPhone) -> Generator[SecondPhone]:
    phone_process.do("end_calls")
    phone_process.wait_for("Idle")
    phone_process.do("forget")
    yield phone_process
    assert not phone_process.told("PhoneFault")


def edge_of(phone: SecondPhone) -> psutil.Process:
    return next(one for one in children(phone.pid) if one.name().startswith("edge "))


def in_call(phone: SecondPhone, one: Wire) -> None:
    one.call(phone.udp)
    phone.wait_for("CallArrived", peer_host=one.host)
    phone.do("answer")
    one.answered(phone.udp)
    phone.wait_for("CallEstablished")


# --- who may speak --------------------------------------------------------------------------------


def test_a_stranger_gets_nothing_but_in_a_call_its_tags_let_any_address_speak(phone: SecondPhone) -> None:
    with wire(STRANGER) as stranger, wire(FRIEND) as friend:
        for method in ("INVITE", "OPTIONS", "BYE", "NONSENSE"):
            stranger.send(stranger.request(method, phone.udp), (LOOPBACK, phone.udp))
        assert stranger.silent()
        assert phone.wait_for("StrangerRefused")["host"] == STRANGER
        in_call(phone, friend)
        # The same dialog from another address (a phone that moved), and one that has but its Call-ID.
        stranger.call_id, stranger.them = friend.call_id, friend.them
        stranger.send(stranger.request("BYE", phone.udp, cseq=5), (LOOPBACK, phone.udp))
        assert stranger.silent()
        stranger.tag = friend.tag
        moved = stranger.request("BYE", phone.udp, cseq=5).replace(f"<sip:wire@{STRANGER}>", f"<sip:wire@{FRIEND}>")
        stranger.send(moved, (LOOPBACK, phone.udp))
        stranger.wait_for("SIP/2.0 200")
        phone.wait_for("CallEnded")


def test_whom_this_phone_has_called_may_not_call_it_for_that(phone: SecondPhone) -> None:
    with wire(STRANGER) as callee, wire(FRIEND) as friend:
        phone.do("dial", target=f"sip:x@{STRANGER}:{callee.port}")
        invite = callee.wait_for("INVITE")
        callee.send(callee.answer(invite, "486 Busy Here"), callee.peer)
        assert phone.wait_for("CallEnded")["code"] == 486
        callee.wait_for("ACK")
        callee.send(callee.request("INVITE", phone.udp, body=SDP), (LOOPBACK, phone.udp))
        assert callee.silent()
        friend.send(friend.request("OPTIONS", phone.udp), (LOOPBACK, phone.udp))
        friend.wait_for("SIP/2.0 200")


def test_methods_that_this_phone_does_not_do_are_refused_by_the_edge(phone: SecondPhone) -> None:
    with wire() as one:
        for method, code, more in (
            ("SUBSCRIBE", 405, "Event: presence\r\n"),
            ("MESSAGE", 405, ""),
            ("PUBLISH", 405, "Event: presence\r\n"),
            ("REGISTER", 405, ""),
            ("FROBNICATE", 405, ""),
            ("OPTIONS", 200, ""),
            ("OPTIONS", 420, "Require: teleport\r\n"),
            ("NOTIFY", 481, "Event: refer\r\n"),
            ("REFER", 603, "Refer-To: <sip:x@127.0.0.1:9>\r\n"),
            ("NOTIFY", 200, "Event: message-summary\r\n"),
            ("BYE", 481, ""),
        ):
            one.send(one.request(method, phone.udp, more=more), (LOOPBACK, phone.udp))
            told = one.wait_for("SIP/2.0")
            assert told.startswith(f"SIP/2.0 {code}"), (method, told)
            if code == 405:
                assert "SUBSCRIBE" not in header(told, "Allow")
        one.them = f"<sip:own@{LOOPBACK}>;tag=nobodys"
        one.send(one.request("OPTIONS", phone.udp), (LOOPBACK, phone.udp))
        one.wait_for("SIP/2.0 481")


def test_what_other_users_of_the_machine_send_to_pjsua2_itself_never_arrives(phone: SecondPhone) -> None:
    inner = [one for one in psutil.Process(phone.pid).net_connections("udp") if one.raddr and one.laddr.ip == LOOPBACK]
    places = {one.laddr.port for one in inner}
    assert len(places) == 2, "both ends are connected with each other"
    with wire() as one:
        for port in places:
            one.send(one.request("OPTIONS", port), (LOOPBACK, port))
            one.send(one.request("INVITE", port, body=SDP), (LOOPBACK, port))
        assert one.silent(1.0)
    assert not phone.told("CallArrived") or phone.told("CallArrived")[-1]["number"] != "nobody"


def test_what_cannot_be_read_is_answered_with_what_is_wrong(phone: SecondPhone) -> None:
    with wire() as one:
        asked = one.request("OPTIONS", phone.udp)
        for good, bad, said in (
            (f"To: <sip:own@{LOOPBACK}:{phone.udp}>", "To: <sip:own@[]>", "SIP/2.0 400 Bad Request (To)"),
            (
                f"OPTIONS sip:own@{LOOPBACK}:{phone.udp}",
                "OPTIONS isbn:1234",
                "SIP/2.0 416 Unsupported URI Scheme (scheme)",
            ),
            ("Max-Forwards: 70", "Subject: " + 9_000 * "a", "SIP/2.0 513 Message Too Large (header_too_long)"),
            ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE", "SIP/2.0 400 Bad Request (CSeq)"),
        ):
            assert good in asked
            one.send(asked.replace(good, bad), (LOOPBACK, phone.udp))
            assert one.wait_for("SIP/2.0").startswith(said)


# --- REFER and Replaces ---------------------------------------------------------------------------


def test_without_an_edge_refer_and_replaces_are_declined_and_nobody_is_dialled() -> None:
    with second_phone(counter=True) as phone, wire() as party, wire() as other, wire() as target:
        in_call(phone, party)
        refer = party.request("REFER", phone.udp, cseq=2, more=f"Refer-To: <sip:x@{LOOPBACK}:{target.port}>\r\n")
        party.send(refer, (LOOPBACK, phone.udp))
        party.wait_for("SIP/2.0 603")
        their_tag, our_tag = header(party.request("ACK", phone.udp), "To").split("tag=")[1], party.tag
        replaces = f"Replaces: {party.call_id};to-tag={their_tag};from-tag={our_tag}\r\n"
        other.send(other.request("INVITE", phone.udp, more=replaces, body=SDP), (LOOPBACK, phone.udp))
        assert other.wait_for("SIP/2.0 6").startswith("SIP/2.0 603")
        assert target.silent()
        talk(phone, 25)
        assert not phone.told("CallEnded")
        party.send(party.request("BYE", phone.udp, cseq=3), (LOOPBACK, phone.udp))
        phone.wait_for("CallEnded")


# --- where our sound goes -------------------------------------------------------------------------


def test_our_sound_goes_where_it_was_agreed_whatever_a_refusal_a_refused_offer_or_a_strange_ack_says(
    phone: SecondPhone,
) -> None:
    with wire() as party, wire() as media:
        elsewhere = SDP.replace("40000", "9")
        party.send(
            party.request("INVITE", phone.udp, body=SDP.replace("40000", str(media.port))), (LOOPBACK, phone.udp)
        )
        phone.wait_for("CallArrived")
        phone.do("answer")
        party.answered(phone.udp)
        phone.wait_for("CallEstablished")
        phone.do("hold")
        party.send(party.answer(party.wait_for("INVITE"), "488 Not Acceptable Here", body=elsewhere), party.peer)
        phone.wait_for("HoldFailed")
        media.socket.setblocking(False)
        strange = party.request("ACK", phone.udp, body=elsewhere, to=f"{party.them}x")
        fax = SDP.partition("m=")[0] + "m=image 40000 udptl t38\r\n"
        for told in ("", strange, party.request("INVITE", phone.udp, cseq=5, body=fax)):
            if told:
                party.send(told, (LOOPBACK, phone.udp))
            if told.startswith("INVITE"):
                party.wait_for("SIP/2.0 488")
                party.send(party.request("ACK", phone.udp, cseq=5), (LOOPBACK, phone.udp))
            party.send(party.request("OPTIONS", phone.udp, cseq=7), (LOOPBACK, phone.udp))
            party.wait_for("SIP/2.0 200")  # the edge has read what came before it
            while _came(media.socket):
                pass
            media.socket.setblocking(True)
            media.socket.settimeout(5)
            assert media.socket.recv(2048)
            media.socket.setblocking(False)
        party.send(party.request("BYE", phone.udp, cseq=9), (LOOPBACK, phone.udp))
        phone.wait_for("CallEnded")


def test_a_phone_that_rang_beside_the_one_that_answered_gets_no_sound(phone: SecondPhone) -> None:
    with wire(STRANGER) as callee, wire() as media, wire() as beside:
        phone.do("dial", target=f"sip:p@{STRANGER}:{callee.port}")
        invite = callee.wait_for("INVITE")
        assert re.search(r"m=audio 15[01]\d\d ", invite), "the ports that a firewall was told of"
        callee.send(callee.answer(invite, "200 OK", body=SDP.replace("40000", str(media.port))), callee.peer)
        callee.wait_for("ACK")
        phone.wait_for("CallEstablished")
        answered, callee.tag = callee.tag, "beside"
        for status in ("183 Session Progress", "200 OK"):
            callee.send(callee.answer(invite, status, body=SDP.replace("40000", str(beside.port))), callee.peer)
        callee.tag, callee.call_id = answered, header(invite, "Call-ID")
        callee.them = header(invite, "From")
        asked = callee.request("OPTIONS", phone.udp, cseq=7).replace(f"<sip:wire@{STRANGER}>", header(invite, "To"))
        callee.send(asked, (LOOPBACK, phone.udp))
        callee.wait_for("SIP/2.0 200")  # the edge has read what came before it
        media.socket.setblocking(False)
        while _came(media.socket):
            pass
        media.socket.settimeout(5)
        assert media.socket.recv(2048)
        assert beside.silent(0.2)
        phone.do("hang_up")
        phone.wait_for("CallEnded")


def _came(one: socket.socket) -> bytes:
    try:
        return one.recv(2048)
    except BlockingIOError:
        return b""


# --- floods ---------------------------------------------------------------------------------------


def flood(phone: SecondPhone, seconds: float) -> int:
    """INVITEs and SUBSCRIBEs, a hundred a second, each of another caller and call; how many were answered 486."""
    busy, sent, began = 0, 0, time.monotonic()
    with wire() as one:
        one.socket.setblocking(False)
        while (now := time.monotonic()) - began < seconds:
            if sent < (now - began) * 100:
                method = ("INVITE", "SUBSCRIBE")[sent % 2]
                text = one.request(method, phone.udp, more="Event: presence\r\n", call_id=f"flood-{sent}-{began}")
                one.send(text.replace("sip:wire@", f"sip:caller{sent}@"), (LOOPBACK, phone.udp))
                sent += 1
            try:
                busy += one.socket.recv(65_536).startswith(b"SIP/2.0 486")
            except BlockingIOError:
                time.sleep(0.002)
    return busy


def _flooded(phone: SecondPhone, seconds: float) -> None:
    with wire() as party:
        in_call(phone, party)
        flood(phone, 2)  # what is loaded late is loaded
        edge = edge_of(phone)
        before = edge.memory_info().rss
        missed = len(phone.told("CallMissed"))
        assert flood(phone, seconds) > seconds * 25
        assert edge.memory_info().rss - before < 4_000_000
        # One row a caller and minute, and no more callers than can be read: of those that the edge turns away, and of those
        # that the phone does while its word is on its way to the edge.
        assert len(phone.told("CallMissed")) - missed <= 2 * 20 * (2 + seconds / 60)
        talk(phone, 25)
        party.send(party.request("BYE", phone.udp, cseq=2), (LOOPBACK, phone.udp))
        phone.wait_for("CallEnded")


def test_a_flood_is_turned_away_by_the_edge_with_memory_flat_and_the_call_goes_on(phone: SecondPhone) -> None:
    _flooded(phone, 4)


@pytest.mark.torture
def test_two_thousand_invites_and_subscribes_are_turned_away_with_memory_flat(phone: SecondPhone) -> None:
    _flooded(phone, 20)


def test_five_hundred_silent_connections_keep_nobody_out(phone: SecondPhone) -> None:
    with ExitStack() as idle, wire() as party, second_phone() as other:
        for number in range(500):
            one = idle.enter_context(socket.socket())
            one.bind((FRIEND if number % 2 else STRANGER, 0))
            one.settimeout(10)  # a backlog that is full answers a second late
            one.connect((LOOPBACK, phone.tcp))
        in_call(phone, party)
        party.send(party.request("BYE", phone.udp, cseq=2), (LOOPBACK, phone.udp))
        phone.wait_for("CallEnded")
        other.do("account", id="tcp", address=f"tcp@{LOOPBACK}", register=False, transport="tcp")
        for left in reversed(range(3)):  # it counts as busy until its edge has heard that it is not
            other.do("dial", account="tcp", target=f"sip:own@{LOOPBACK}:{phone.tcp}")
            try:
                phone.wait_for("CallArrived")
                break
            except TimeoutError:
                assert left
                assert other.told("CallEnded")[-1]["code"] == 486
        other.do("hang_up")
        phone.wait_for("CallEnded")


# --- the edge dies --------------------------------------------------------------------------------


def test_an_edge_that_is_killed_in_a_call_is_back_within_a_second_and_the_call_stands(phone: SecondPhone) -> None:
    with second_phone(counter=True, auto_answer=True) as other:
        phone.do("dial", target=f"sip:other@{LOOPBACK}:{other.udp}")
        phone.wait_for("CallEstablished")
        talk(phone, 25)
        old = edge_of(phone)
        os.kill(old.pid, signal.SIGKILL)
        began = time.monotonic()
        until(lambda: any(one.pid != old.pid for one in children(phone.pid)), 15, "a new edge")
        talk(other, 50)
        phone.do("hold")
        other.wait_for("HoldChanged", by_them=True)
        assert time.monotonic() - began < 10
        phone.do("resume")
        other.wait_for("HoldChanged", by_them=False)
        part(other, phone)
        assert not phone.told("EdgeChanged"), "too short to be told"


def test_while_no_edge_comes_back_the_party_counts_as_not_heard_and_is_heard_again_with_the_next_one() -> None:
    # Not forked: its edges take a moment to come up, and are killed in that.
    with (
        second_phone(edge=True, counter=True, inside=("env",)) as phone,
        second_phone(counter=True, auto_answer=True) as other,
    ):
        phone.do("dial", target=f"sip:other@{LOOPBACK}:{other.udp}")
        phone.wait_for("PartySound", there=True)
        talk(phone, 50)
        gone = time.monotonic() + 30
        while not phone.told("EdgeChanged"):
            assert time.monotonic() < gone
            for one in psutil.Process(phone.pid).children():
                one.kill()
            time.sleep(0.05)
        phone.wait_for("PartySound", there=False)
        phone.wait_for("PartySound", there=True)
        until(lambda: [one["present"] for one in phone.told("EdgeChanged")] == [False, True], 15, "an edge again")
        part(phone, other)


# --- answers that cannot be let in ----------------------------------------------------------------


@pytest.mark.parametrize("contact", ["<sip:p@[]>", "<tel:+4520123456>", "<http://x>", "<sip:>"])
def test_the_peer_of_an_answer_that_cannot_be_let_in_hears_ack_and_bye_and_the_call_fails_at_once(
    phone: SecondPhone, contact: str
) -> None:
    with wire() as callee:
        phone.do("dial", target=f"sip:p@{LOOPBACK}:{callee.port}")
        invite = callee.wait_for("INVITE")
        callee.send(callee.answer(invite, "200 OK", contact=contact, body=SDP), callee.peer)
        callee.wait_for("ACK")
        callee.wait_for("BYE")
        assert phone.wait_for("CallEnded")["code"] == 502


def test_an_answer_whose_own_to_cannot_be_read_fails_the_call_at_once(phone: SecondPhone) -> None:
    with wire() as callee:
        phone.do("dial", target=f"sip:p@{LOOPBACK}:{callee.port}")
        invite = callee.wait_for("INVITE")
        answered = callee.answer(invite, "200 OK", contact=f"<sip:p@{LOOPBACK}:{callee.port}>", body=SDP)
        callee.send(re.sub(r"\r\nTo: [^\r]*", "\r\nTo: <sip:p@[]>;tag=x", answered), callee.peer)
        assert phone.wait_for("CallEnded", 15)["code"] == 502


@pytest.mark.parametrize("status", ["302 Moved Temporarily", "486 Busy Here", "487 Request Terminated"])
def test_a_call_that_is_led_elsewhere_ends_as_that_and_nobody_else_is_dialled(phone: SecondPhone, status: str) -> None:
    with wire() as callee, wire() as elsewhere:
        phone.do("dial", target=f"sip:wire@{LOOPBACK}:{callee.port}")
        contact = f"<sip:else@{LOOPBACK}:{elsewhere.port}>"
        callee.send(callee.answer(callee.wait_for("INVITE"), status, contact=contact), callee.peer)
        ended = phone.wait_for("CallEnded", 15)
        assert f"{ended['code']} {ended['reason']}" == status
        assert elsewhere.silent(0)


# --- registrars -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "state"),
    [("{ours};expires=60", "registered"), ("{ours};expires=0", "unreachable"), ("<sip:else@192.0.2.7>", "unreachable")],
)
def test_registered_is_who_the_registrar_will_call_for_longer_than_no_time(contact: str, state: str) -> None:
    with second_phone(edge=True) as phone, wire() as registrar:
        phone.do("account", id="anna", address=f"anna@{LOOPBACK}:{registrar.port}", password="x")
        request = registrar.wait_for("REGISTER", 10)
        assert header(request, "Contact") == f"<sip:anna@{LOOPBACK}:{phone.udp}>"
        told = contact.format(ours=header(request, "Contact"))
        registrar.send(registrar.answer(request, "200 OK", contact=told), registrar.peer)
        assert phone.wait_for("RegistrationChanged", state=state)["code"] == (200 if state == "registered" else 502)


@pytest.mark.parametrize("granted", [";expires=31536000", "\r\nExpires: 31536000"])
def test_a_registration_counts_for_no_longer_than_was_asked(granted: str) -> None:
    with second_phone(edge=True) as phone, wire() as registrar:
        phone.do("account", id="anna", address=f"anna@{LOOPBACK}:{registrar.port}", password="x")
        request = registrar.wait_for("REGISTER", 10)
        registrar.send(
            registrar.answer(request, "200 OK", contact=header(request, "Contact") + granted), registrar.peer
        )
        until = datetime.fromisoformat(phone.wait_for("RegistrationChanged", state="registered")["until"])
        assert until - datetime.now(UTC) <= timedelta(seconds=int(header(request, "Expires")))


def test_a_registrar_that_closes_each_connection_is_not_asked_again_and_again() -> None:
    came: list[float] = []
    with second_phone(edge=True) as phone, socket.create_server((LOOPBACK, 0)) as listening, wire() as writing:
        listening.settimeout(20)
        phone.do("account", id="a", address=f"a@{LOOPBACK}:{listening.getsockname()[1]}", password="x", transport="tcp")
        while len(came) < 3:
            flow, _ = listening.accept()
            with flow:
                flow.settimeout(20)
                asked = flow.recv(65_536).decode()
                came.append(time.monotonic())
                flow.sendall(writing.answer(asked, "200 OK", contact=header(asked, "Contact")).encode())
    assert came[1] - came[0] < RENEW_EVERY - 1 < came[2] - came[1]


# --- digits by INFO -------------------------------------------------------------------------------


def test_a_digit_by_info_is_heard_once_with_a_line_end_or_without_and_pjsua2_never_sees_it(phone: SecondPhone) -> None:
    with wire() as party:
        in_call(phone, party)
        for number, (body, digit) in enumerate((("Signal=5", "5"), ("Signal=*\r\nDuration=160\r\n", "*")), 2):
            info = party.request("INFO", phone.udp, cseq=number, body=body, kind="application/dtmf-relay")
            for _ in range(2):  # as a peer repeats it whose answer was lost
                party.send(info, (LOOPBACK, phone.udp))
                party.wait_for("SIP/2.0 200")
            assert phone.wait_for("DigitReceived")["digit"] == digit
        party.send(party.request("BYE", phone.udp, cseq=9), (LOOPBACK, phone.udp))
        phone.wait_for("CallEnded")
        assert len(phone.told("DigitReceived")) == 2


def test_two_phones_behind_edges_call_each_other_by_udp(phone: SecondPhone) -> None:
    with second_phone(edge=True, counter=True) as other:
        connect(other, phone)
        talk(phone, 25)
        talk(other, 25)
        part(phone, other)
