"""What a desk has yet to ship: a row in the transaction of each change that the house must hear of. No copy goes too early."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from uuid_utils import uuid7

from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.examine.verify import verify
from softphone.archive.finding.history import History
from softphone.archive.outbox import rows, shipping
from softphone.archive.outbox.rows import Item, Kind
from softphone.archive.retention.sweep import sweep
from softphone.domain.changes import (
    CloseRecording,
    Discard,
    DropWraps,
    HoldBy,
    LiftHold,
    ListCallBack,
    PlaceHold,
    RememberLanguage,
    RememberRefusal,
    Restrict,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Language
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, TRAINING, CommitFailedError, Scene, voices

BOTH = (DOCUMENTATION, TRAINING)
AGENT = "anna@klartone.test"


def joined(desk: Scene) -> None:
    with desk.archive.catalog.writing() as tx:
        rows.begin(tx, AT)


def waiting(desk: Scene) -> list[Item]:
    with desk.archive.catalog.reading() as connection:
        return rows.read(connection, desk.archive.secrets)


def figures(desk: Scene) -> shipping.Waiting:
    with desk.archive.catalog.reading() as connection:
        return shipping.waiting(connection, desk.archive.desk)


def due(desk: Scene) -> list[str]:
    with desk.archive.catalog.reading() as connection:
        return [row.recording for row in shipping.due(connection)]


def received(desk: Scene, recording: str, entry: int) -> None:
    with desk.archive.catalog.writing() as tx:
        shipping.begin(tx, recording, desk.archive.find(recording, AT).call)
        shipping.received(tx, recording, "a.receipt.here", (entry, "0" * 64), AT)


def hold(recording: str, name: str = "h1") -> PlaceHold:
    return PlaceHold(name, recording, HoldBy.CONTROLLER, "anna", AT, None, "price")


def decided(desk: Scene, at: datetime = AT) -> str:
    """A call in which all that concerns others is decided; its recording."""
    call = desk.call(line="salg", agent=AGENT, at=at)
    recording = desk.recorded(0.2, *BOTH, call=call, at=at)
    desk.commit(
        hold(recording, f"{recording}-h1"),
        RememberLanguage(call, Language.EN, AT),
        DropWraps(recording, KeyRole.TRAINING, "declined_by_voice"),
        RememberRefusal(call, AT),
        ListCallBack(call, AT),
        CloseRecording(recording, AT, (DOCUMENTATION,)),
        call=call,
        recording=recording,
    )
    return recording


def test_what_is_decided_in_a_call_waits_for_the_house_and_of_a_desk_on_its_own_nothing_does(desk: Scene) -> None:
    decided(desk, AT - timedelta(hours=1))
    assert (waiting(desk), figures(desk)) == ([], shipping.Waiting())
    joined(desk)
    recording = decided(desk)

    found = waiting(desk)
    assert [(one.kind, one.number) for one in found] == [
        (Kind.NUMBER, NUMBER),
        (Kind.WITHDRAWAL, None),
        (Kind.NUMBER, NUMBER),
        (Kind.NUMBER, NUMBER),
    ]
    assert [one.told.get("what") for one in found] == ["language", None, "refused", "call_back"]
    call = desk.archive.find(recording).call
    assert found[1].told == {"call_group": call, "purposes": ["training"], "reason": "kept_out_of_training"}
    assert NUMBER.encode() not in desk.pages()
    told = figures(desk)
    assert (told.told, told.recordings, told.failed) == (5, 1, 0)
    assert told.since is not None
    # Its hold is told of once the recording is there.
    received(desk, recording, 7)
    assert [one.told["hold"] for one in waiting(desk) if one.kind is Kind.HOLD] == [f"{recording}-h1"]


def test_a_change_that_is_not_written_leaves_nothing_to_be_told(desk: Scene) -> None:
    joined(desk)
    call = desk.call()
    with pytest.raises(CommitFailedError):
        desk.commit(RememberRefusal(call, AT), hold("no-such-recording"))
    assert waiting(desk) == []


def test_the_house_hears_of_what_it_has_and_of_a_no_and_of_nothing_else(desk: Scene) -> None:
    joined(desk)
    private, shipped, undone, objected = (desk.closed(*BOTH, seconds=0.2) for _ in range(4))
    desk.commit(Discard(private, "private"), recording=private)
    assert waiting(desk) == []
    received(desk, shipped, 3)
    received(desk, undone, 4)
    desk.commit(hold(undone), recording=undone)
    desk.commit(LiftHold("h1", "undone"), recording=undone)
    assert [(one.kind, one.told) for one in waiting(desk)] == [(Kind.UNDO, {"hold": "h1", "known": False})]
    # Of an objection in mid-upload it hears once it has the recording: before that it would know none.
    with desk.archive.catalog.writing() as tx:
        shipping.begin(tx, objected, desk.archive.find(objected, AT).call)
    desk.commit(Restrict(objected, "objection"), recording=objected)
    assert Kind.CASE not in [one.kind for one in waiting(desk)]
    received(desk, objected, 5)
    assert [one.recording for one in waiting(desk) if one.kind is Kind.CASE] == [objected]


@pytest.mark.rule("G10")
@pytest.mark.rule("G31")
@pytest.mark.parametrize(("why", "shipped"), [("declined_by_key", False), ("private", False), ("private", True)])
def test_the_whole_group_hears_of_a_no_that_meets_a_hold_and_of_an_agents_mark_none_but_its_call(
    desk: Scene, why: str, shipped: bool
) -> None:
    joined(desk)
    group = str(uuid7())
    call = desk.call(agent=AGENT, group=group)
    recording = desk.recorded(0.2, TRAINING, call=call)
    desk.commit(hold(recording), CloseRecording(recording, AT, (TRAINING,)), recording=recording)
    if shipped:
        received(desk, recording, 3)
    no = (RememberRefusal(call, AT),) if why == "declined_by_key" else ()
    desk.commit(Restrict(recording, "hold_only", why), *no, call=call, recording=recording)
    told = {"call_group": group, "purposes": ["training"], "reason": "kept_out_of_training"}
    expected = [told] if no else [{**told, "call": call}] if shipped else []
    assert [one.told for one in waiting(desk) if one.kind is Kind.WITHDRAWAL] == expected


@pytest.mark.rule("G01")
@pytest.mark.rule("G31")
def test_the_house_hears_of_an_agents_own_mark_for_that_call_and_of_a_no_for_its_whole_group(desk: Scene) -> None:
    joined(desk)
    group = str(uuid7())
    call = desk.call(agent=AGENT, group=group)
    recording = desk.recorded(0.2, *BOTH, call=call)
    desk.commit(CloseRecording(recording, AT, BOTH), recording=recording)
    received(desk, recording, 3)
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "private"), recording=recording)
    desk.commit(RememberRefusal(call, AT), call=call)
    desk.commit(Discard(recording, "private"), recording=recording)
    told = {"call_group": group, "purposes": ["training"], "reason": "kept_out_of_training"}
    mark = {"call_group": group, "call": call, "purposes": ["documentation"], "reason": "withdrawn"}
    found = [one.told for one in waiting(desk) if one.kind is Kind.WITHDRAWAL]
    assert found == [{**told, "call": call}, told, mark]


def test_a_copy_goes_only_once_all_is_told_and_what_is_left_of_it_is_proved_held_and_forgotten(desk: Scene) -> None:
    joined(desk)
    archive = desk.archive
    one, other = (desk.closed(*BOTH, seconds=0.2, agent=AGENT) for _ in range(2))
    with archive.catalog.writing() as tx:
        listed = OwnCall(archive.find(one, AT).call, AGENT, AT, (AT + timedelta(days=7)).date(), "{}")
        own_calls.put(tx, archive.secrets, listed)
    received(desk, one, 5)
    received(desk, other, 9)
    desk.commit(hold(one), recording=one)
    desk.commit(DropWraps(other, KeyRole.TRAINING, "declined_by_voice"), recording=other)
    with archive.catalog.writing() as tx:
        assert [*shipping.durable(tx.connection, 9)] == []
        held, no = rows.read(tx.connection, archive.secrets)
        rows.told(tx, no)
        assert [*shipping.durable(tx.connection, 5)] == []
        assert [*shipping.durable(tx.connection, 9)] == [other]
        rows.told(tx, held)
    with archive.catalog.reading() as connection:
        assert [*shipping.durable(connection, 5)] == [one]

    shipping.let_copy_go(archive.catalog, archive.vault, one, AT)
    assert not archive.vault.path(one).exists()
    assert verify(archive).ok
    with pytest.raises(ArchiveError):
        archive.open_recording(one, AT)
    # The agent takes the lock off again: training is as it was, in the house.
    desk.commit(LiftHold("h1", "undone", restore_training=True), recording=one)
    assert [item.kind for item in waiting(desk)] == [Kind.UNDO]
    past = History(archive.catalog, archive.secrets).call(listed.call, AT)
    assert past is not None
    assert all(it.wrapped and it.keeps for it in past.kept.recordings[0].purposes.values())
    assert "handed_over_forgotten" not in [it.what for it in sweep(archive, AT, clock=AT)]
    # Nor is it forgotten before the house has heard that.
    later = AT + timedelta(days=8)
    assert "handed_over_forgotten" not in [it.what for it in sweep(archive, later, clock=later, witness=later)]
    with archive.catalog.writing() as tx:
        rows.told(tx, *rows.read(tx.connection, archive.secrets))
    assert "handed_over_forgotten" in [it.what for it in sweep(archive, later, clock=later, witness=later)]
    assert [row.recording for row in archive.list(later)] == [other]
    assert verify(archive).ok
    assert Counter(row.event for row in archive.audit_of(one))["copy_handed_over"] == 1


def test_what_a_hold_alone_keeps_is_shipped_and_what_is_still_being_written_is_not(desk: Scene) -> None:
    joined(desk)
    held = desk.closed(TRAINING, seconds=0.2)
    desk.commit(hold(held), recording=held)
    desk.commit(DropWraps(held, KeyRole.TRAINING, "declined_by_key"), recording=held)
    call = desk.call()
    written = desk.open(call, *BOTH)
    desk.start(call, written, 0)
    desk.talk(call, voices(0.2))
    desk.commit(CloseRecording(written, AT, BOTH), recording=written)
    assert due(desk) == [held]


def test_a_house_that_was_set_back_gets_again_what_is_here(desk: Scene) -> None:
    joined(desk)
    one, other = (desk.closed(*BOTH, seconds=0.2) for _ in range(2))
    received(desk, one, 5)
    received(desk, other, 9)
    assert figures(desk).recordings == 0
    with desk.archive.catalog.writing() as tx:
        assert shipping.ships_again(tx, 5, AT) == 1
    assert figures(desk).recordings == 1
