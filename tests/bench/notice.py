"""INVITE to the notice's first packet, with a desk that answers as soon as the rulebook has decided; with the edge and without
it, by turns."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from statistics import median

from softphone.domain.notice import LEAD
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import EndWrapUp
from tests.bench.bare_engine import BARE
from tests.bench.caller import call
from tests.bench.figures import Figure, spread
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import ENGINE, Stage, stage


def measure(times: int = 20) -> list[Figure]:
    took: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare").mkdir()
        (Path(folder) / "whole").mkdir()
        with (
            stage(Path(folder) / "bare", lines=("n1",), program=BARE) as bare,
            stage(Path(folder) / "whole", lines=("n1",), program=ENGINE) as whole,
        ):
            for number in range(times + 2):
                for edge, on in ((False, bare), (True, whole)):
                    one = one_call(on)
                    if number >= 2:  # what is loaded late is loaded
                        took[edge].append(one)
    first, notice = ([one[which] for one in took[True]] for which in (0, 1))
    without = [one[1] for one in took[False]]
    return [
        Figure(
            "INVITE to the notice",
            spread(notice, "ms"),
            "30 ms",
            f"its first packet of sound, less its {LEAD} s of silence; {times} calls",
        ),
        Figure("… without the edge", spread(without, "ms"), "", "an engine with its phone on the network, by turns"),
        Figure(
            "what the edge adds to it", f"{median(notice) - median(without):.1f} ms", "", "medians of the two above"
        ),
        Figure(
            "INVITE to the first packet",
            spread(first, "ms"),
            "",
            "rulebook asked, answered by a desk over its socket, ACK",
        ),
    ]


def one_call(on: Stage) -> tuple[float, float]:
    """Milliseconds to the first packet, and to the notice's first sound; the call is over when it returns."""
    answering = threading.Thread(target=on.desk.answer)
    answering.start()
    heard = call(NUMBERS["n1"], on.sip_port, seconds=LEAD + 0.4)
    answering.join()
    ended = on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended")
    on.desk.ask(EndWrapUp, call=ended.id)
    on.desk.wait(lambda s: not s.calls, "no call")
    sound = heard.first_sound()
    assert heard.packets
    assert sound is not None
    return (heard.packets[0][0] - heard.invited) * 1000, (sound - heard.invited - LEAD) * 1000
