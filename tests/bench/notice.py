"""INVITE to the notice's first packet, with a desk that answers as soon as the rulebook has decided."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from softphone.domain.notice import LEAD
from softphone.wire import CallPhase, EndWrapUp
from tests.bench.caller import call
from tests.bench.figures import Figure, spread
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import stage


def measure(times: int = 20) -> list[Figure]:
    first: list[float] = []
    notice: list[float] = []
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), lines=("n1",)) as on:
        desk = on.desk
        for _ in range(times):
            answering = threading.Thread(target=on.desk.answer)
            answering.start()
            heard = call(NUMBERS["n1"], on.sip_port, seconds=LEAD + 0.4)
            answering.join()
            ended = desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended")
            desk.ask(EndWrapUp, call=ended.id)
            desk.wait(lambda s: not s.calls, "no call")
            sound = heard.first_sound()
            assert heard.packets
            assert sound is not None
            first.append((heard.packets[0][0] - heard.invited) * 1000)
            notice.append((sound - heard.invited - LEAD) * 1000)
    return [
        Figure(
            "INVITE to the notice",
            spread(notice, "ms"),
            "30 ms",
            f"its first packet of sound, less its {LEAD} s of silence; {times} calls",
        ),
        Figure(
            "INVITE to the first packet",
            spread(first, "ms"),
            "",
            "rulebook asked, answered by a desk over its socket, ACK",
        ),
    ]
