"""The edge's loop."""

import asyncio
import socket

import pytest

from softphone.edge.turns import EdgeLoop, edge_loop


def test_sound_without_end_keeps_no_timer_waiting() -> None:
    """The edge's heartbeat is a timer: an engine that misses it gives the edge up."""

    async def flooded() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.bind(("127.0.0.1", 0))
            flood.sendto(b"never read, so always there", flood.getsockname())
            left = 200_000

            def passed_on() -> None:
                nonlocal left
                left -= 1
                if not left:
                    edge_loop().remove_packet_reader(flood)

            edge_loop().add_packet_reader(flood, passed_on)
            await asyncio.sleep(0.01)
            edge_loop().remove_packet_reader(flood)
            assert 0 < left < 200_000

    with asyncio.Runner(loop_factory=EdgeLoop) as runner:
        runner.run(flooded())


@pytest.mark.parametrize("delay", [0, 0.01], ids=["call_soon", "call_later"])
def test_what_a_packets_reader_asks_for_does_not_wait_for_the_next_packet(delay: float) -> None:
    async def one_packet() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sound:
            sound.bind(("127.0.0.1", 0))
            done = asyncio.Event()

            def passed_on() -> None:
                sound.recv(100)
                if delay:
                    edge_loop().call_later(delay, done.set)
                else:
                    edge_loop().call_soon(done.set)

            edge_loop().add_packet_reader(sound, passed_on)
            began = edge_loop().time()
            edge_loop().call_later(2, done.set)  # otherwise nothing would end the wait
            sound.sendto(b"the only one", sound.getsockname())
            await done.wait()
            edge_loop().remove_packet_reader(sound)
            assert edge_loop().time() - began < 1

    with asyncio.Runner(loop_factory=EdgeLoop) as runner:
        runner.run(one_packet())
