"""The messages between the processes: what goes in comes out, and what is no message is refused without being repeated."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone import wire
from softphone.domain.purpose import Direction, Language, Purpose
from softphone.domain.status import OptOutKind

AT = datetime(2026, 11, 25, 9, 41, tzinfo=UTC)
SNAPSHOT = wire.Snapshot(
    version=3,
    at=AT,
    accounts=(wire.AccountState(wire.Account("a", "salg@nordlys.example"), wire.Registration.REGISTERED, AT),),
    lines=(
        wire.LineState(
            "salg",
            {Language.DA: "Salgslinjen", Language.EN: "Sales line"},
            ("+4570102030",),
            {Language.DA: "kunden", Language.EN: "the caller"},
            {Purpose.DOCUMENTATION: {Language.DA: "Aftaler skal kunne dokumenteres"}},
        ),
    ),
    calls=(),
    history=(),
    policy=wire.PolicyState(wire.PolicyPhase.READY),
    sound=wire.SoundState(),
    store=wire.StoreState(works=True),
    settings=wire.Settings(),
)


def test_a_command_survives_the_wire_as_one_line() -> None:
    command = wire.OptOut("c1", "call", 7, OptOutKind.TRAINING_ENDS)
    line = wire.encode(command)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert wire.decode_to_engine(line) == command


def test_a_dispute_about_earlier_calls_names_the_call_and_has_no_place_for_its_number() -> None:
    command = wire.LockEarlier("c1", "call", "party")
    assert wire.decode_to_engine(wire.encode(command)) == command
    with pytest.raises(wire.WireError):
        wire.decode_to_engine(b'{"type":"lock_earlier","id":"c1","call":"call","by":"access"}')
    assert set(wire.LockEarlier.__dataclass_fields__) == {"id", "call", "by", "why", "type"}


def test_a_snapshot_survives_the_wire() -> None:
    assert wire.decode_from_engine(wire.encode(SNAPSHOT)) == SNAPSHOT


def test_an_account_has_no_place_for_a_password() -> None:
    assert not any("password" in name or "secret" in name for name in wire.Account.__dataclass_fields__)


def test_a_fault_in_a_line_never_repeats_what_was_sent() -> None:
    with pytest.raises(wire.WireError) as fault:
        wire.decode_to_engine(b'{"type":"attach","secret":["hemmelig-4711"]}')
    assert "hemmelig-4711" not in str(fault.value)


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_can_be_said_on_the_wire(name: str, reason: str) -> None:
    """Surrogates too, which come of bytes that are no UTF-8: of a path, of a sound device, of SIP."""
    row = wire.PastCall("call", Direction.INBOUND, name, reason, None, AT, 0.0, "missed")
    refused = wire.Refused("1", wire.CodedText(reason, {name: reason}))
    for message in (refused, wire.Occurred("call", name, AT, None, {"why": reason}), replace(SNAPSHOT, history=(row,))):
        line = wire.encode(message)
        assert line.count(b"\n") == 1
        said = wire.decode_from_engine(line)
        if not re.search("[\ud800-\udfff]", name + reason):
            assert said == message
    assert wire.decode_to_engine(wire.encode(wire.Dial("1", name, reason)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_wire_error(line: bytes) -> None:
    with suppress(wire.WireError):
        wire.decode_to_engine(line)


@pytest.mark.parametrize(
    ("line", "id"),
    [
        (b'{"type": "mute", "id": "10", "call": "a", "on": "maybe"}', "10"),
        (b'{"type": "+4520123456", "id": "11"}', "11"),
        (b'{"id": 12}', ""),
        (b'{"id": "%s"}' % (b"9" * 65), ""),
        (b"[1]", ""),
        (b"\xff", ""),
    ],
)
def test_what_is_no_message_is_answered_under_its_id_and_not_repeated(line: bytes, id: str) -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.decode_to_engine(line)
    assert wire.id_of(line) == id
    assert not re.search(r"4520123456|maybe|^: ", str(caught.value.params["detail"]))
