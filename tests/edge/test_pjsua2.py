"""What the edge lets through never ends a pjsua2, which the same datagrams end without it.

A real phone in a process of its own on loopback, without an edge, and a peer that sends it datagrams. The control run sends
them as they are, the others as the edge reads and rewrites them. The phone is idle, in a call, calls, or registers.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import pytest

from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.reading import parse
from tests.edge import killers
from tests.edge.mutations import mutations
from tests.edge.raw_peer import PhoneDiedError, RawPeer, answer
from tests.edge.rfc4475 import MESSAGES
from tests.peers.second_phone import SecondPhone

SEED = 4475
EACH = 25
"""how many datagrams are sent before the phone is asked whether it lives"""


@contextmanager
def phone_and_peer(*options: str) -> Generator[RawPeer]:
    phone = SecondPhone(*options)
    try:
        with RawPeer(phone) as peer:
            yield peer
    finally:
        phone.close()


@pytest.fixture(scope="module")
def peer() -> Generator[RawPeer]:
    """Of a phone that answers by itself."""
    with phone_and_peer("--auto-answer") as one:
        yield one


@pytest.fixture(scope="module")
def called() -> Generator[RawPeer]:
    """Of a phone that calls."""
    with phone_and_peer() as one:
        yield one


def let_in(peer: RawPeer, data: bytes) -> bool:
    """Whether it was sent."""
    try:
        written = peer.handed_in(data)
    except Malformed:
        return False
    if written.startswith(b"INVITE ") and b";tag=" not in re.findall(rb"\r\nTo: [^\r]*", written)[0]:
        # More calls than that the edge lets nobody make: PJSIP would die of its sockets.
        while not peer.calls.take(time.monotonic()):
            settle(peer)
    if written:
        peer.send(written)
    return True


def answered(peer: RawPeer, request: bytes, data: bytes) -> None:
    """An answer to the phone's own request; where it cannot be read, a 502, as the edge gives it."""
    if not let_in(peer, data) and not data.startswith(b"SIP/2.0 1"):
        peer.send(answer(request, 502))


def dial(peer: RawPeer) -> bytes:
    """Tried again where PJSIP has no room: after hundreds of calls some still wait for the end of a transaction."""
    limit = time.monotonic() + 60
    while True:
        peer.phone.do("end_calls")
        settle(peer)
        peer.phone.wait_for("Idle")
        peer.phone.do("dial", target=f"sip:raw@127.0.0.1:{peer.port}")
        try:
            return peer.received(b"INVITE ", 2)
        except TimeoutError:
            if time.monotonic() > limit:
                raise


def settle(peer: RawPeer) -> None:
    """Answers what the phone asks on ending a call, for as long as it asks."""
    while waiting := peer.waiting(0.1):
        parse(waiting, bounded=False)
        if waiting.startswith((b"BYE ", b"CANCEL ", b"PRACK ", b"UPDATE ")):
            peer.send(answer(waiting, 200))
        if waiting.startswith(b"CANCEL "):
            invite = waiting.replace(b" CANCEL\r\n", b" INVITE\r\n")
            peer.send(answer(invite, 487))


def register(peer: RawPeer, make: Callable[[bytes], bytes], deliver: Callable[[RawPeer, bytes, bytes], None]) -> int:
    """How many REGISTERs the phone sent until it had an answer, or until there were fifty."""
    name = f"r{peer.number()}"
    peer.phone.do("account", id=name, address=f"{name}@127.0.0.1:{peer.port}", password="p", retry_seconds=3600)
    asked = 0
    with suppress(TimeoutError):
        while asked < 50:
            request = peer.received(b"REGISTER ", 0.3 if asked else 5)
            asked += 1
            deliver(peer, request, make(request))
    if not peer.lives():
        raise PhoneDiedError("of what its registrar said")
    peer.phone.do("remove_account", id=name)
    with suppress(TimeoutError):
        peer.send(answer(peer.received(b"REGISTER ", 0.2), 200))
    return asked


def dies(peer: RawPeer) -> bool:
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        if peer.died() or not peer.lives(1):
            return peer.died()
    return False


def raw(peer: RawPeer, _: bytes, data: bytes) -> None:
    peer.send(data)


CONTROL = ("from", "dtmf_relay", "200_<tel:+4533445566>")
"""what the ordinary run proves of the control; the rest is torture's, since each costs a phone"""


def every(names: dict[str, Callable[..., bytes]]) -> list[object]:
    return [pytest.param(name, marks=() if name in CONTROL else pytest.mark.torture) for name in names]


@pytest.mark.parametrize("name", every(killers.IDLE))
def test_without_the_edge_one_datagram_ends_the_phone(name: str) -> None:
    with phone_and_peer("--auto-answer") as peer:
        peer.send(killers.IDLE[name](peer))
        assert dies(peer)


@pytest.mark.parametrize("name", every(killers.IN_CALL))
def test_without_the_edge_one_datagram_in_a_call_ends_the_phone(name: str) -> None:
    with phone_and_peer("--auto-answer") as peer:
        peer.send(killers.IN_CALL[name](peer, *peer.call()))
        assert dies(peer)


@pytest.mark.parametrize("name", every(killers.ANSWERS))
def test_without_the_edge_an_answer_ends_the_phone_that_calls(name: str) -> None:
    with phone_and_peer() as peer:
        peer.send(killers.ANSWERS[name](peer, dial(peer)))
        assert dies(peer)


@pytest.mark.torture
@pytest.mark.parametrize("name", [name for name in killers.REGISTRAR if name != "min_expires"])
def test_without_the_edge_a_registrar_ends_the_phone(name: str) -> None:
    with phone_and_peer() as peer, pytest.raises(PhoneDiedError):
        register(peer, killers.REGISTRAR[name], raw)


@pytest.mark.torture
def test_without_the_edge_a_registrar_makes_the_phone_a_flood() -> None:
    with phone_and_peer() as peer:
        assert register(peer, killers.REGISTRAR["min_expires"], raw) == 50


def test_through_the_edge_no_killer_ends_the_phone(peer: RawPeer) -> None:
    for name, make in killers.IDLE.items():
        assert not let_in(peer, make(peer)) or name == "sdp_family", name
    assert peer.lives()
    call, tag = peer.call()
    for make_in_call in killers.IN_CALL.values():
        let_in(peer, make_in_call(peer, call, tag))
    assert peer.lives()


def test_through_the_edge_no_answer_ends_the_phone(called: RawPeer) -> None:
    for name, make in killers.ANSWERS.items():
        invite = dial(called)
        answered(called, invite, make(called, invite))
        assert called.lives(), name
    for name, make_for_registrar in killers.REGISTRAR.items():
        assert register(called, make_for_registrar, answered) < 3, name
        assert called.lives(), name


def ordinary(peer: RawPeer) -> list[bytes]:
    """What peers send, with a word of their own in each header that PJSIP parses."""
    rich = (
        "Record-Route: <sip:127.0.0.1:9;lr>",
        "Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO",
        "Supported: replaces, timer, 100rel",
        "Session-Expires: 1800;refresher=uac",
        "Min-SE: 90",
        'P-Asserted-Identity: "Anna" <sip:anna@127.0.0.1>',
        "Accept: application/sdp",
        "Expires: 120",
        "User-Agent: Somebody's",
        'Reason: Q.850;cause=16;text="x"',
    )
    sdp = (
        peer.sdp
        + b"a=fmtp:101 0-16\r\na=ptime:20\r\na=rtcp:9 IN IP4 127.0.0.1\r\na=ssrc:1 cname:x\r\na=sendrecv\r\nb=AS:64\r\n"
    )
    plain = ("Content-Type: application/sdp",)
    return [
        peer.request("INVITE", call="o1", extra=(*plain, *rich), body=sdp),
        peer.request("INVITE", call="o2", extra=(*plain, "Require: 100rel"), body=sdp),
        peer.request("INVITE", call="o3", extra=("Replaces: a;to-tag=b;from-tag=c",)),
        peer.request("OPTIONS", call="o4", extra=rich),
        peer.request(
            "INFO", call="o5", extra=("Content-Type: application/dtmf-relay",), body=b"Signal=5\r\nDuration=9\r\n"
        ),
        peer.request("UPDATE", call="o6", extra=(*plain, *rich), body=sdp),
        peer.request("NOTIFY", call="o7", extra=("Event: refer;id=1", "Subscription-State: active;expires=9")),
        peer.request("REFER", call="o8", extra=("Refer-To: <sip:a@127.0.0.1:9>", "Referred-By: <sip:b@127.0.0.1>")),
        peer.request("PRACK", call="o9", extra=("RAck: 1 1 INVITE",)),
        *(peer.request(method, call="o10") for method in ("ACK", "CANCEL", "BYE", "SUBSCRIBE")),
    ]


def within(peer: RawPeer, call: str, tag: str) -> list[bytes]:
    """What a peer sends in the call, but for its end."""
    plain = ("Content-Type: application/sdp", "Supported: timer", "Session-Expires: 1800;refresher=uac")
    return [
        peer.request("INVITE", call=call, to_tag=tag, extra=plain, body=peer.sdp),
        peer.request("UPDATE", call=call, to_tag=tag, extra=plain, body=peer.sdp + b"a=sendonly\r\n"),
        peer.request("UPDATE", call=call, to_tag=tag),
        peer.request(
            "INFO", call=call, to_tag=tag, extra=("Content-Type: application/dtmf-relay",), body=b"Signal=5\r\n"
        ),
        peer.request("OPTIONS", call=call, to_tag=tag),
        peer.request("NOTIFY", call=call, to_tag=tag, extra=("Event: x", "Subscription-State: active")),
    ]


def bombard(peer: RawPeer, messages: list[bytes], seed: int, count: int) -> int:
    """How many were let in; the phone lives all along."""
    entered = 0
    for number, data in enumerate(mutations(messages, seed, count)):
        entered += let_in(peer, data)
        if number % EACH == EACH - 1:
            assert peer.lives(), f"seed {seed}, by {number}"
            peer.phone.do("end_calls")
            settle(peer)
    assert peer.lives()
    return entered


def stands(peer: RawPeer, seed: int, count: int) -> int:
    """How many were let in, while the call stands all along."""
    entered = 0
    call, tag = peer.call()
    ours = next(one["call"] for one in reversed(peer.phone.events) if one["event"] == "CallEstablished")
    every_kind = [*within(peer, call, tag) * 6, *ordinary(peer), *MESSAGES.values()]
    for number, data in enumerate(mutations(every_kind, seed, count)):
        if not data.startswith((b"BYE", b"CANCEL")):
            entered += let_in(peer, data)
        if number % EACH == EACH - 1:
            assert peer.lives(), f"seed {seed}, by {number}"
    assert peer.lives()
    assert not [one for one in peer.phone.events if one["event"] == "CallEnded" and one["call"] == ours]
    return entered


def answers(peer: RawPeer, seed: int, count: int) -> None:
    """To calls of the phone's own: progress and an end, each with something wrong in it."""
    chance = random.Random(seed)
    for number in range(count):
        invite = dial(peer)
        more = (f"Contact: <sip:raw@127.0.0.1:{peer.port}>", "Record-Route: <sip:127.0.0.1:9;lr>", "Supported: timer")
        kinds = [
            answer(invite, 180, *more, "Require: 100rel", "RSeq: 1"),
            answer(invite, 183, *more, body=peer.sdp),
            answer(invite, 200, *more, "Session-Expires: 90;refresher=uas", body=peer.sdp),
            answer(invite, 302, "Contact: <sip:a@127.0.0.1:9>;q=0.5"),
            answer(invite, 401, 'WWW-Authenticate: Digest realm="a", nonce="b", qop="auth"'),
            answer(invite, 422, "Min-SE: 90"),
        ]
        for data in mutations(kinds, chance.randrange(2**32), 3):
            answered(peer, invite, data)
        assert peer.lives(), f"seed {seed}, by {number}"


def registrations(peer: RawPeer, seed: int, count: int) -> None:
    chance = random.Random(seed)

    def something_wrong(request: bytes) -> bytes:
        contact = f"Contact: {killers.own_contact(request)};expires=300"
        kinds = [
            answer(
                request,
                200,
                contact,
                "Service-Route: <sip:127.0.0.1:9;lr>",
                "Path: <sip:127.0.0.1:9;lr>",
                "Expires: 300",
            ),
            answer(request, 401, 'WWW-Authenticate: Digest realm="a", nonce="b", qop="auth", algorithm=MD5'),
            answer(request, 423, "Min-Expires: 600"),
            answer(request, 503, "Retry-After: 9"),
        ]
        return next(mutations(kinds, chance.randrange(2**32), 1))

    for number in range(count):
        assert register(peer, something_wrong, answered) < 50
        assert peer.lives(), f"seed {seed}, by {number}"


def test_what_the_edge_lets_in_never_ends_an_idle_phone(peer: RawPeer) -> None:
    everything = [*ordinary(peer) * 3, *MESSAGES.values()]
    for data in everything:
        let_in(peer, data)
    assert bombard(peer, everything, SEED, 250) > 50


def test_what_the_edge_lets_in_never_ends_a_call() -> None:
    with phone_and_peer("--auto-answer") as peer:
        assert stands(peer, SEED, 250) > 60


def test_no_answer_that_the_edge_lets_in_ends_a_phone_that_calls(called: RawPeer) -> None:
    answers(called, SEED, 12)
    registrations(called, SEED, 5)


@pytest.mark.torture
def test_ten_thousand_messages_later_the_phone_lives(peer: RawPeer) -> None:
    entered = 0
    seed = SEED
    while entered < 10_000:
        seed += 1
        entered += bombard(peer, [*ordinary(peer) * 3, *MESSAGES.values()], seed, 2_500)


@pytest.mark.torture
def test_five_thousand_messages_later_the_call_stands() -> None:
    with phone_and_peer("--auto-answer") as peer:
        assert stands(peer, SEED + 1, 5_000) > 1_200


@pytest.mark.torture
def test_a_thousand_answers_later_the_phone_lives(called: RawPeer) -> None:
    answers(called, SEED + 1, 1_000)
    registrations(called, SEED + 1, 300)
