"""The edge's loop."""

import asyncio
import socket

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
