"""The messages between the processes: what goes in comes out, and what is no message is refused without being repeated."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.domain.purpose import Direction, Language, Purpose
from softphone.domain.status import OptOutKind
from softphone.wire import codec, from_engine, snapshot, to_engine

AT = datetime(2026, 11, 25, 9, 41, tzinfo=UTC)
SNAPSHOT = from_engine.Snapshot(
    version=3,
    at=AT,
    accounts=(
        snapshot.AccountState(snapshot.Account("a", "salg@nordlys.example"), snapshot.Registration.REGISTERED, AT),
    ),
    lines=(
        snapshot.LineState(
            "salg",
            {Language.DA: "Salgslinjen", Language.EN: "Sales line"},
            ("+4570102030",),
            {Language.DA: "kunden", Language.EN: "the caller"},
            {Purpose.DOCUMENTATION: {Language.DA: "Aftaler skal kunne dokumenteres"}},
        ),
    ),
    calls=(),
    history=(),
    policy=snapshot.PolicyState(snapshot.PolicyPhase.READY),
    sound=snapshot.SoundState(),
    store=snapshot.StoreState(works=True),
    settings=snapshot.Settings(),
)


def test_a_command_survives_the_wire_as_one_line() -> None:
    command = to_engine.OptOut("c1", "call", 7, OptOutKind.TRAINING_ENDS)
    line = codec.encode(command)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert codec.decode_to_engine(line) == command


def test_a_dispute_about_earlier_calls_names_the_call_and_has_no_place_for_its_number() -> None:
    command = to_engine.LockEarlier("c1", "call", "party")
    assert codec.decode_to_engine(codec.encode(command)) == command
    with pytest.raises(codec.WireError):
        codec.decode_to_engine(b'{"type":"lock_earlier","id":"c1","call":"call","by":"access"}')
    assert set(to_engine.LockEarlier.__dataclass_fields__) == {"id", "call", "by", "why", "type"}


def test_a_snapshot_survives_the_wire() -> None:
    assert codec.decode_from_engine(codec.encode(SNAPSHOT)) == SNAPSHOT


def test_an_account_has_no_place_for_a_password() -> None:
    assert not any("password" in name or "secret" in name for name in snapshot.Account.__dataclass_fields__)


def test_a_fault_in_a_line_never_repeats_what_was_sent() -> None:
    with pytest.raises(codec.WireError) as fault:
        codec.decode_to_engine(b'{"type":"attach","secret":["hemmelig-4711"]}')
    assert "hemmelig-4711" not in str(fault.value)


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_can_be_said_on_the_wire(name: str, reason: str) -> None:
    """Surrogates too, which come of bytes that are no UTF-8: of a path, of a sound device, of SIP."""
    row = snapshot.PastCall("call", Direction.INBOUND, name, reason, None, AT, 0.0, "missed")
    refused = from_engine.Refused("1", snapshot.CodedText(reason, {name: reason}))
    for message in (
        refused,
        from_engine.Occurred("call", name, AT, None, {"why": reason}),
        replace(SNAPSHOT, history=(row,)),
    ):
        line = codec.encode(message)
        assert line.count(b"\n") == 1
        said = codec.decode_from_engine(line)
        if not re.search("[\ud800-\udfff]", name + reason):
            assert said == message
    assert codec.decode_to_engine(codec.encode(to_engine.Dial("1", name, reason)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_wire_error(line: bytes) -> None:
    with suppress(codec.WireError):
        codec.decode_to_engine(line)


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
    with pytest.raises(codec.WireError) as caught:
        codec.decode_to_engine(line)
    assert codec.id_of(line) == id
    assert not re.search(r"4520123456|maybe|^: ", str(caught.value.params["detail"]))
