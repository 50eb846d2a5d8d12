"""What the edge adds to a call's beginning, and TLS with SRTP to that: INVITE to 180 and to 200, with it and without it, by
turns."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

from tests.bench.figures import Figure, spread
from tests.peers.authority import Authority
from tests.peers.exchange import HOST, Exchange, exchange
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import SDP, header, wire

GOAL = 3.0
KEYED = SDP.replace("RTP/AVP", "RTP/SAVP") + (
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(bytes(30)).decode()}\r\n"
)
BETWEEN = 0.25
"""seconds: as many calls as the edge hands on at most"""


def measure(times: int = 60) -> list[Figure]:
    with ExitStack() as open_ones:
        authority = Authority(Path(open_ones.enter_context(TemporaryDirectory())))
        server = open_ones.enter_context(exchange(authority.sign("server", HOST)))
        without = open_ones.enter_context(second_phone(auto_answer=True))
        behind = open_ones.enter_context(second_phone(auto_answer=True, edge=True))
        by_tls = open_ones.enter_context(second_phone(auto_answer=True, edge=True))
        told = {"address": f"tls@{HOST}:{server.port}", "transport": "tls", "authority": str(authority.file)}
        by_tls.do("account", id="tls", **told)
        by_tls.wait_for("RegistrationChanged", account="tls", state="registered")
        calls: dict[str, Callable[[], list[float]]] = {
            "without": lambda: _call(without),
            "behind": lambda: _call(behind),
            "tls": lambda: _call_by_tls(server, by_tls),
        }
        took: dict[str, list[list[float]]] = {name: [] for name in calls}
        for number in range(times + 4):
            for name, call in calls.items():
                lasted = call()
                if number >= 4:  # what is loaded late is loaded
                    took[name].append(lasted)
            time.sleep(BETWEEN)
    secure = median(_column(took["tls"], 1)) - median(_column(took["behind"], 1))
    more = median(_column(took["behind"], 1)) - median(_column(took["without"], 1))
    return [
        Figure("INVITE to 180 behind the edge", spread(_column(took["behind"], 0), "ms"), "", f"{times} calls"),
        Figure("… without it", spread(_column(took["without"], 0), "ms"), "", "the same phone, by turns"),
        Figure("INVITE to 200 behind the edge", spread(_column(took["behind"], 1), "ms"), "", "answered at once"),
        Figure("… without it", spread(_column(took["without"], 1), "ms"), "", ""),
        Figure(
            "what the edge adds to a call's beginning", f"{more:.1f} ms", f"{GOAL:g} ms", "medians of the two above"
        ),
        Figure(
            "INVITE to 200 by TLS, with SRTP", spread(_column(took["tls"], 1), "ms"), "", "on a standing connection"
        ),
        Figure("what TLS and SRTP add to that", f"{secure:.1f} ms", "", "medians; the peer is Python's TLS"),
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


def _call_by_tls(server: Exchange, phone: SecondPhone) -> list[float]:
    call = uuid4().hex
    began = time.monotonic()
    server.say(server.request("INVITE", "tls", call=call, body=KEYED))
    server.wait_for("SIP/2.0 180")
    rang = time.monotonic()
    to = header(server.wait_for("SIP/2.0 200"), "To")
    answered = time.monotonic()
    server.say(server.request("ACK", "tls", call=call, to=to))
    server.say(server.request("BYE", "tls", call=call, to=to, cseq=2))
    server.wait_for("SIP/2.0 200")
    phone.wait_for("CallEnded")
    return [(rang - began) * 1000, (answered - began) * 1000]
