"""The torture messages, the killers, and thousands of broken ones, at a real phone behind a real edge: by UDP, by TCP, and by
TLS on the phone's own connection.

They come from accepted addresses, of which there are many, since each may send but so much. A recorded call under such fire is
in `tests/journeys/test_edge.py`, a pjsua2 without an edge in `test_pjsua2.py`.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.edge.killers import IDLE
from tests.edge.mutations import framed, mutations
from tests.edge.raw_peer import RawPeer
from tests.edge.rfc4475 import MESSAGES
from tests.peers.authority import Authority
from tests.peers.exchange import HOST, exchange
from tests.peers.forked import children
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, second_phone, talk
from tests.peers.wire import header

SOURCES = [f"127.0.9.{number}" for number in range(1, 41)]


def by_udp(peer: RawPeer, messages: Iterable[bytes]) -> None:
    """No faster than they are read: what does not fit into the socket would prove nothing."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in SOURCES]
    for one, host in zip(sockets, SOURCES, strict=True):
        one.bind((host, 0))
    for number, data in enumerate(messages):
        with suppress(OSError):  # too long for a datagram
            sockets[number % len(sockets)].sendto(data, ("127.0.0.1", peer.phone.udp))
        if number % 50 == 49:
            assert peer.lives(), number
    for one in sockets:
        one.close()


def by_tcp(peer: RawPeer, messages: Iterable[bytes]) -> None:
    """Each host's connection stands until the edge has closed it."""
    open_ones: dict[str, socket.socket] = {}
    for host, data in zip(itertools.cycle(SOURCES), messages, strict=False):
        for _ in range(2):
            if host not in open_ones:
                open_ones[host] = socket.create_connection(("127.0.0.1", peer.phone.tcp), 10, (host, 0))
            try:
                open_ones[host].sendall(data)
                break
            except OSError:
                open_ones.pop(host).close()
    for one in open_ones.values():
        one.close()


def by_tls(peer: RawPeer, messages: Iterable[bytes]) -> None:
    """Its server says them, whom nothing holds back. What would break the stream is left out: that is no news by TLS."""
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        with exchange(authority.sign("server", HOST)) as server:
            told = {"address": f"tls@{HOST}:{server.port}", "authority": str(authority.file)}
            peer.phone.do("account", id="tls", transport="tls", **told)
            peer.phone.wait_for("RegistrationChanged", account="tls", state="registered")
            for whole in filter(None, map(framed, messages)):
                server.say(whole)
            server.say(server.request("OPTIONS", "tls", call="after all of them"))
            until(lambda: any("after all of them" in one for one in [*server.heard]), 60, "an answer behind them")
            assert server.registered == 1, "the connection stands"
            # Else its calls keep their places until SIP gives their callers up.
            peer.phone.do("end_calls")
            peer.phone.wait_for("Idle")
            for said in [*server.heard]:
                if said.startswith("SIP/2.0") and (number := header(said, "CSeq")).endswith("INVITE"):
                    copied = (f"{name}: {header(said, name)}" for name in ("Via", "From", "To", "Call-ID"))
                    lines = (
                        f"ACK sip:tls@{HOST} SIP/2.0",
                        *copied,
                        f"CSeq: {number.replace('INVITE', 'ACK')}",
                    )
                    server.say("\r\n".join((*lines, "Max-Forwards: 70", "Content-Length: 0", "", "")))
                elif said.startswith("BYE"):
                    server.say(server.answer(said, "200 OK"))


BY: dict[str, Callable[[RawPeer, Iterable[bytes]], None]] = {"udp": by_udp, "tcp": by_tcp, "tls": by_tls}


def _answers(phone: SecondPhone, caller: SecondPhone) -> bool:
    caller.do("dial", target=f"sip:own@127.0.0.1:{phone.udp}")
    with suppress(TimeoutError):
        caller.wait_for("CallEstablished", 1.5)
        return True
    return False


def bears(count: int, seed: int, by: str) -> None:
    with second_phone(edge=True, auto_answer=True, counter=True) as phone, second_phone(counter=True) as other:
        processes = {one.pid for one in children(phone.pid)}
        with RawPeer(phone) as peer:
            kinds = [*MESSAGES.values(), *(make(peer) for make in IDLE.values())]
            BY[by](peer, itertools.chain(kinds, mutations(kinds, seed, count)))
            assert peer.lives()
        phone.do("end_calls")
        phone.wait_for("Idle")
        until(lambda: _answers(phone, other), 20, "a call, once those of before are over")
        talk(other, 25)
        assert {one.pid for one in children(phone.pid)} == processes
        assert not phone.told("PhoneFault")


@pytest.mark.parametrize("by", BY)
def test_a_phone_behind_its_edge_bears_what_is_broken(by: str) -> None:
    bears(500, 500, by)


@pytest.mark.torture
@pytest.mark.parametrize("by", BY)
def test_a_phone_behind_its_edge_bears_five_thousand_broken_messages(by: str) -> None:
    bears(5_000, 5_000, by)
