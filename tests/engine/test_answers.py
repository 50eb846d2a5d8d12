"""What a client is answered: a refusal's code is one that has a sentence as it stands, whoever raised it.

The one part that answers is hand-written here; the journeys drive the real ones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from softphone.calls.turns import Inbox
from softphone.domain.errors import KlartoneError
from softphone.engine.loop import UNDRAWN, Engine
from softphone.engine.outbox import Outbox
from softphone.engine.parts import Clients, Parts
from softphone.engine.server import Client, ClientMessage
from softphone.wire.codec import decode_from_engine
from softphone.wire.from_engine import Done, Refused
from softphone.wire.to_engine import QuitWhenIdle, SendDigits


class Calls:
    def __init__(self, fault: KlartoneError) -> None:
        self._fault = fault

    def send_digits(self, _call: str, _digits: str) -> None:
        raise self._fault


@pytest.mark.parametrize("raised", ["digits", "error.digits", "digits_not_possible"])
def test_a_fault_of_a_command_is_refused_under_its_whole_code(raised: str) -> None:
    parts: Any = SimpleNamespace(calls=Calls(KlartoneError(raised, most=3)))
    inbox = Inbox()
    engine = Engine(cast("Parts", parts), inbox, Clients())
    client = Client(desk=True, outbox=Outbox())

    engine.client(ClientMessage(client, SendDigits("7", "call", "12Q")))
    inbox.drain()
    client.outbox.close()

    answer = decode_from_engine(client.outbox.take() or b"")
    assert isinstance(answer, Refused)
    assert (answer.id, answer.said.params) == ("7", {"most": 3})
    assert answer.said.code == f"error.{raised.removeprefix('error.')}"


@pytest.mark.parametrize("owed", ["nothing", "has_unwritten", "settled"])
def test_who_asks_for_an_end_at_once_is_refused_while_something_is_unwritten(owed: str) -> None:
    calls = SimpleNamespace(any_open=False, talking=False, settled=owed != "settled", hang_up_all=lambda: None)
    store = SimpleNamespace(opened=True, has_unwritten=owed == "has_unwritten")
    parts: Any = SimpleNamespace(calls=calls, store=store, sound=SimpleNamespace(state=SimpleNamespace(own_call=None)))
    inbox = Inbox()
    engine = Engine(cast("Parts", parts), inbox, Clients())
    for desk, command in (
        (False, QuitWhenIdle("7", within=5)),
        # Overdue (`--now`), a desk's word counts no more than that.
        (False, QuitWhenIdle("8", latest=datetime(2026, 1, 1, tzinfo=UTC))),
        (True, QuitWhenIdle("9", ready=True)),
    ):
        client = Client(desk=desk, outbox=Outbox())
        engine.client(ClientMessage(client, command))
        inbox.drain()
        client.outbox.close()
        answer = decode_from_engine(client.outbox.take() or b"")
        if owed == "nothing" or command.id == "8":
            assert isinstance(answer, Done)
        else:
            assert isinstance(answer, Refused)
            assert answer.said.code == "refused.quit.busy"


@pytest.mark.expected_log("bug AttributeError", reason="no state can be made of such parts")
@pytest.mark.parametrize("talking", [True, False])
def test_a_state_that_cannot_be_drawn_ends_no_call_and_lets_the_desk_go(talking: bool) -> None:
    parts: Any = SimpleNamespace(calls=SimpleNamespace(talking=talking))
    clients = Clients()
    engine = Engine(cast("Parts", parts), Inbox(), clients)
    client = Client(desk=True, outbox=Outbox())
    clients.attached[client] = 0.0
    for _ in range(UNDRAWN):
        engine._draw()
    if talking:
        engine._draw()
        engine._draw()
        assert client.outbox.take() is None
    else:  # rather no engine than one that shows what is no longer so
        with pytest.raises(AttributeError):
            engine._draw()
