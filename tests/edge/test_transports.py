"""Connections of the edge, over real sockets."""

from __future__ import annotations

import asyncio
import socket

from softphone.edge.transports import Hop, Transports


def listening(port: int = 0) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("127.0.0.1", port))
    return one


def test_a_server_that_connects_from_its_own_port_hides_no_end_of_our_connection_to_it() -> None:
    udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), listening()
    udp.bind(tcp.getsockname())

    async def deed() -> None:
        loop, lost, counts = asyncio.get_running_loop(), asyncio.Event(), list[str]()

        def heard(_data: bytes, _from: Hop) -> None:
            pass

        def ended(_hop: Hop, _fault: object) -> None:
            lost.set()

        transports = Transports(heard, lambda _: True, ended, counts.append)
        await transports.start((udp, tcp))
        server = listening()
        server.listen()
        server.setblocking(False)
        there = Hop("tcp", *server.getsockname())
        stands = asyncio.Event()
        transports.reach(there, stands.set, lambda _: None)
        accepted, _ = await loop.sock_accept(server)
        await asyncio.wait_for(stands.wait(), 5)
        # From the port on which it listens.
        back = listening(there.port)
        back.setblocking(False)
        await loop.sock_connect(back, tcp.getsockname())
        assert await asyncio.wait_for(loop.sock_recv(back, 1), 5) == b""
        assert counts == ["connect.twice"]
        accepted.close()
        await asyncio.wait_for(lost.wait(), 5)
        for one in (back, server, *transports._udp.values()):
            one.close()
        await asyncio.sleep(0)  # in which the last of them closes

    asyncio.run(deed())
    for one in (udp, tcp):
        one.close()
