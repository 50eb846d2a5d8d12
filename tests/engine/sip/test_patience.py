"""A caller who follows up neither its INVITE nor our answer keeps no call for ever. Shown in a process with less patience."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from softphone.edge.channel import FlowLost
from softphone.engine.sip import edge_adapter
from softphone.engine.sip.timers import Timers
from tests.peers.processes import until
from tests.peers.second_phone import ROOT
from tests.peers.wire import wire

IMPATIENT = """
import sys, time
from softphone.audio.files import Silence
from softphone.engine.sip import calls, events
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import AccountSettings, PhoneSettings

assert (calls.RING_LIMIT, calls.ACK_LIMIT) == (180, 10)
calls.RING_LIMIT = calls.ACK_LIMIT = 0.5
told = []
phone = Phone(PhoneSettings("127.0.0.1"), told.append, Silence())
phone.start()
phone.add_account("own", AccountSettings("own@127.0.0.1", register=False))
print(phone.ports[0], flush=True)
ends = time.monotonic() + 20
while not any(isinstance(one, events.CallEnded) for one in told) and time.monotonic() < ends:
    phone.poll(10)
    for one in told:
        if isinstance(one, events.CallArrived) and sys.argv[1] == "answers":
            told.remove(one)
            phone.answer(one.call)
print(*(type(one).__name__ for one in told))
phone.close()
"""


@pytest.mark.parametrize(("agent", "final"), [("waits", "SIP/2.0 480"), ("answers", "SIP/2.0 200")])
def test_a_call_that_its_caller_leaves_alone_is_ended(agent: str, final: str) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", IMPATIENT, agent], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as phone,
        wire() as caller,
    ):
        assert phone.stdout is not None
        port = int(phone.stdout.readline())
        caller.call(port)
        caller.wait_for(final, 10)  # of a 200, nobody says ACK
        assert "CallEnded" in phone.stdout.readline()
        assert "CallEstablished" not in phone.stdout.read()
        assert phone.wait(10) == 0


class _Renewed:
    def __init__(self) -> None:
        self.accounts: list[str] = []

    def renew(self, account: str) -> None:
        self.accounts.append(account)


def test_a_connection_that_breaks_again_and_again_is_renewed_at_once_and_then_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Renewals would pile up, and go on long after a server is well."""
    monkeypatch.setattr(edge_adapter, "RENEW_EVERY", 0.2)
    timers, renewed = Timers(), _Renewed()
    adapter = edge_adapter.EdgeAdapter(Any, SimpleNamespace(), renewed, timers, print)  # pyright: ignore[reportArgumentType]
    for _ in range(50):
        adapter.received(FlowLost("a"))
    adapter.received(FlowLost("b"))

    def are_over() -> bool:
        for action in timers.due():
            action()
        return timers.wait(1000) == 1000

    until(are_over, 15, "the last renewal")
    assert sorted(renewed.accounts) == ["a", "a", "b"]
