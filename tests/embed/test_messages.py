"""Lines of another phone: each kind is read into its type, and whatever cannot be used is refused with the key at fault."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.changes import Change, Commit, Discard
from softphone.domain.decision import LookupResult
from softphone.domain.effects import StopRecorder
from softphone.domain.purpose import Direction, Language, Reason
from softphone.domain.status import Action, OptOutKind
from softphone.embed.messages import (
    KINDS,
    DigitPressed,
    Greeting,
    LineError,
    NoticeHeard,
    NoticeStarted,
    OutgoingMessage,
    Rang,
    id_of,
    named,
    read,
    write_effect,
)
from softphone.wire.to_engine import Act, OptOut

NUMBER = "+4520123456"


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("told", "body"),
    [
        ({"type": "hello", "protocol": 1}, Greeting(1)),
        ({"type": "hello", "protocol": 1, "auto_commit": True, "agent": "desk-7"}, Greeting(1, True, "desk-7")),
        ({"type": "hello", "protocol": 1, "plain": True}, Greeting(1, plain=True)),
        ({"type": "rang", "call": "c", "number": NUMBER}, Rang(number=NUMBER)),
        (
            {
                "type": "rang",
                "call": "c",
                "direction": "outbound",
                "line": "salg",
                "known": {"drawn": True, "language": "en", "declined_earlier": False},
            },
            Rang(Direction.OUTBOUND, line="salg", known=LookupResult(drawn=True, language=Language.EN)),
        ),
        (
            {"type": "rang", "call": "c", "direction": "internal", "ours": True},
            Rang(Direction.INTERNAL, ours=True),
        ),
        ({"type": "answered", "call": "c"}, ev.Answered()),
        ({"type": "notice_started", "call": "c", "play": 2, "ago": 0.25}, NoticeStarted(2, 0.25)),
        ({"type": "notice_started", "call": "c", "play": 2, "ago": 1}, NoticeStarted(2, 1.0)),
        ({"type": "notice_heard", "call": "c", "play": 2}, NoticeHeard(2)),
        ({"type": "digit_pressed", "call": "c", "digit": "*"}, DigitPressed("*")),
        ({"type": "hold_signalled", "call": "c", "held": True}, ev.HoldSignalled(True)),
        ({"type": "preference_signalled", "call": "c", "recording": False}, ev.PreferenceSignalled(False)),
        ({"type": "committed", "call": "c", "ticket": 3}, ev.Committed(3)),
        (
            {"type": "commit_failed", "call": "c", "ticket": 3, "reason": "storage_failed"},
            ev.CommitFailed(3, Reason.STORAGE_FAILED),
        ),
        ({"type": "call_ended", "call": "c"}, ev.CallEnded()),
        (
            {"type": "opt_out", "id": "7", "call": "c", "version": 2, "kind": "stop_and_delete"},
            OptOut("7", "c", 2, OptOutKind.STOP_AND_DELETE),
        ),
        ({"type": "act", "id": "7", "call": "c", "version": 2, "action": "resume"}, Act("7", "c", 2, Action.RESUME)),
    ],
)
def test_a_line_is_read_into_what_it_says(told: dict[str, Any], body: object) -> None:
    got = read(line(**told))
    assert got.body == body
    assert (got.id, got.call) == (told.get("id", ""), told.get("call", ""))


@pytest.mark.parametrize(
    ("told", "code", "key"),
    [
        (b"hello", "not_json", ""),
        (b"[]", "not_json", ""),
        (b"\xff\xfe", "not_json", ""),
        (b"[" * 5_000, "not_json", ""),
        (b'{"type": "rang", "call": "\\ud800"}', "not_json", ""),
        (line(call="c"), "type", "type"),
        (line(type=["rang"], call="c"), "type", "type"),
        (line(type="dance", call="c"), "type", "type"),
        (line(type="timed_out", call="c", timer="answer"), "type", "type"),
        (line(type="rang"), "id", "call"),
        (line(type="rang", call=7), "id", "call"),
        (line(type="rang", call="c" * 201), "id", "call"),
        (line(type="opt_out", call="c", version=1, kind="none"), "id", "id"),
        (line(type="rang", call="c", declined_earlier=True), "key", "declined_earlier"),
        (line(type="rang", call="c", known={"declined_earlyer": True}), "key", "known.declined_earlyer"),
        (line(type="rang", call="c", direction="sideways"), "value", "direction"),
        (line(type="opt_out", id="1", call="c", version=1, kind="dance"), "value", "kind"),
        (line(type="act", id="1", call="c", version=1, action="dance"), "value", "action"),
        (line(type="rang", call="c", known={"drawn": "true"}), "bool", "known.drawn"),
        (line(type="rang", call="c", ours=1), "bool", "ours"),
        (line(type="hold_signalled", call="c", held=None), "bool", "held"),
        (line(type="hello", protocol=1, auto_commit="yes"), "bool", "auto_commit"),
        (line(type="hello", protocol=1, plain=0.0), "bool", "plain"),
        (line(type="hello", protocol="1"), "value", "protocol"),
        (line(type="notice_heard", call="c", play=True), "value", "play"),
        (line(type="digit_pressed", call="c", digit="1", ago="0.5"), "value", "ago"),
        (line(type="digit_pressed", call="c", digit=1), "value", "digit"),
        (line(type="notice_started", call="c"), "missing", "play"),
        (line(type="notice_started", call="c", play=1, ago=-1), "value", "ago"),
        (b'{"type": "digit_pressed", "call": "c", "digit": "1", "ago": 1e999}', "value", "ago"),
        (line(type="digit_pressed", call="c", digit="12"), "value", "digit"),
        (line(type="committed", call="c", ticket="first"), "value", "ticket"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_key_at_fault(told: bytes, code: str, key: str) -> None:
    with pytest.raises(LineError) as refused:
        read(told)
    assert refused.value.code == f"error.embed.{code}"
    assert refused.value.key == key


@given(st.dictionaries(st.sampled_from(["type", "id", "call", "number", "known", "digit", "play", "version", "kind"]), st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.integers(), max_size=2),
    st.sampled_from(["rang", "hello", "digit_pressed", "committed", "opt_out", "act"]),
    st.dictionaries(st.text(max_size=5), st.booleans(), max_size=2),
)))  # fmt: skip
def test_no_line_does_anything_but_be_read_or_refused(told: dict[str, Any]) -> None:
    text = json.dumps(told).encode()
    with suppress(LineError):
        assert read(text).body is not None
    assert isinstance(id_of(text), str)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(told: bytes) -> None:
    with pytest.raises(LineError):
        read(b"\x00" + told)
    assert id_of(told) == ""


def test_the_page_of_the_protocol_shows_lines_that_are_of_it_and_names_every_type() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "embed.md").read_text(encoding="utf-8")
    said = re.findall(r"(?m)^    > (.*)$", page)
    assert len(said) > 8
    for one in said:
        read(one.encode())
    told = re.findall(r"(?m)^    < (.*)$", page)
    assert all(one.startswith('{"type":"') for one in told)
    named_there = set(re.findall(r"`([a-z_]+)`", page))
    ours = {named(kind) for kind in (*get_args(do.Effect), *get_args(Change))} - {"start_timer", "stop_timer"}
    ours |= {str(kind.__dataclass_fields__["type"].default) for kind in get_args(OutgoingMessage)}
    assert sorted((KINDS.keys() | ours) - named_there) == []


def test_a_refusal_never_repeats_a_value_that_was_sent() -> None:
    with pytest.raises(LineError) as refused:
        read(line(type="rang", call="c", number=[NUMBER]))
    assert NUMBER not in str(refused.value)
    assert NUMBER not in repr(read(line(type="rang", call="c", number=NUMBER)))


def test_effects_and_their_changes_go_under_their_own_names() -> None:
    assert json.loads(write_effect("c", StopRecorder("r", 1, hold_frames=True))) == {
        "type": "stop_recorder",
        "call": "c",
        "recording": "r",
        "segment": 1,
        "hold_frames": True,
    }
    told = json.loads(write_effect("c", Commit(4, (Discard("r", "declined_by_key"),), ())))
    assert told["changes"] == [{"type": "discard", "recording": "r", "reason": "declined_by_key"}]
