"""What the edge adds to a call's beginning: INVITE to 180 and to 200, of the same phone with it and without it, by turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from tests.bench.figures import Figure, spread
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import SDP, header, wire

GOAL = 3.0
BETWEEN = 0.25
"""seconds: as many calls as the edge hands on at most"""


def measure(times: int = 60) -> list[Figure]:
    with second_phone(auto_answer=True) as without, second_phone(auto_answer=True, edge=True) as behind:
        took: dict[str, list[list[float]]] = {"without": [], "behind": []}
        for number in range(times + 4):
            for name, phone in (("without", without), ("behind", behind)):
                if number >= 4:  # what is loaded late is loaded
                    took[name].append(_call(phone))
                else:
                    _call(phone)
            time.sleep(BETWEEN)
    more = median(_column(took["behind"], 1)) - median(_column(took["without"], 1))
    return [
        Figure("INVITE to 180 behind the edge", spread(_column(took["behind"], 0), "ms"), "", f"{times} calls"),
        Figure("… without it", spread(_column(took["without"], 0), "ms"), "", "the same phone, by turns"),
        Figure("INVITE to 200 behind the edge", spread(_column(took["behind"], 1), "ms"), "", "answered at once"),
        Figure("… without it", spread(_column(took["without"], 1), "ms"), "", ""),
        Figure(
            "what the edge adds to a call's beginning", f"{more:.1f} ms", f"{GOAL:g} ms", "medians of the two above"
        ),
    ]


def _column(took: Sequence[Sequence[float]], which: int) -> list[float]:
    return [one[which] for one in took]


def _call(phone: SecondPhone) -> list[float]:
    """Milliseconds to 180 and to 200; the call is over when it returns."""
    with wire() as one:
        began = time.monotonic()
        one.send(one.request("INVITE", phone.udp, body=SDP), ("127.0.0.1", phone.udp))
        one.wait_for("SIP/2.0 180")
        rang = time.monotonic()
        one.them = header(one.wait_for("SIP/2.0 200"), "To")
        answered = time.monotonic()
        one.send(one.request("ACK", phone.udp), ("127.0.0.1", phone.udp))
        one.send(one.request("BYE", phone.udp, cseq=2), ("127.0.0.1", phone.udp))
        phone.wait_for("CallEnded")
        return [(rang - began) * 1000, (answered - began) * 1000]
