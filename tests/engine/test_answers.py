"""What a client is answered: a refusal's code is one that has a sentence as it stands, whoever raised it.

The one part that answers is hand-written here; the journeys drive the real ones.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from softphone.domain.errors import KlartoneError
from softphone.engine.loop import Clients, Engine, Parts
from softphone.engine.outbox import Outbox
from softphone.engine.server import Client, ClientMessage
from softphone.engine.turns import Inbox
from softphone.wire import Refused, SendDigits, decode_from_engine


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
