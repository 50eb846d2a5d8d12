"""A recording that was reviewed: it counts as used, and what was kept for training alone goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from softphone.archive.archive import Archive
from softphone.archive.changes.call import PurposeEnd
from softphone.archive.examine.verify import verify
from softphone.archive.retention.sweep import Swept, sweep
from softphone.archive.review.session import mark_reviewed
from softphone.domain.changes import DropWraps, HoldBy, PlaceHold
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene


def kept(said: str | None) -> Mapping[Purpose, PurposeEnd]:
    """So long its line keeps on what was reviewed."""
    return {TRAINING: PurposeEnd(keep_reviewed=Period.parse(said))} if said else {}


def events(desk: Scene, recording: str) -> list[tuple[str, str]]:
    return [(row.event, row.rule) for row in desk.archive.audit_of(recording)]


@pytest.mark.rule("G38")
def test_what_was_kept_for_training_alone_goes_when_it_is_reviewed(desk: Scene) -> None:
    recording = desk.closed(TRAINING)
    sealed = [wrap.sealed for wrap in desk.archive.wraps_of(recording)]
    key = desk.recipients[KeyRole.TRAINING].key_id[:16]

    assert mark_reviewed(desk.archive, recording, "lead-1", AT, heard=72)

    assert desk.archive.list() == []
    assert not desk.archive.vault.path(recording).exists()
    assert not any(one in desk.pages() for one in sealed)
    assert events(desk, recording)[-3:] == [
        ("recording_reviewed", "G33"),
        ("training_used", "G38"),
        ("sweep_discarded", "G10"),
    ]
    assert desk.archive.audit_of(recording)[-3].params == {"by": "lead-1", "line": "salg", "heard": 72, "key": key}
    assert verify(desk.archive).ok


@pytest.mark.rule("G38")
@pytest.mark.parametrize(
    ("said", "keep", "days"),
    [
        ("P7D", "P3D", 3),
        ("P7D", "P60D", 7),
        ("P1M", None, 30),
        (None, "P7D", None),
        (None, None, None),
    ],
)
def test_nobody_keeps_it_for_training_longer_than_its_line_s_policy_says(
    desk: Scene, said: str | None, keep: str | None, days: int | None
) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING, ends=kept(said))
    assert mark_reviewed(desk.archive, recording, "lead-1", AT, keep=Period.parse(keep) if keep else None)
    row = desk.archive.find(recording)
    assert row.expires.get(TRAINING) == (AT.date() + timedelta(days=days) if days else None)
    assert DOCUMENTATION in row.purposes
    # That it was reviewed is no refusal, and in the log once.
    before = events(desk, recording)
    assert not mark_reviewed(desk.archive, recording, "lead-1", AT)
    assert events(desk, recording) == before


@pytest.mark.rule("G38")
def test_where_a_line_says_so_it_is_kept_some_days_more_and_never_longer_than_its_own_date(desk: Scene) -> None:
    soon, late = desk.closed(TRAINING, ends=kept("P7D")), desk.closed(TRAINING, ends=kept("P30D"))
    assert mark_reviewed(desk.archive, soon, "lead-1", AT)
    assert not mark_reviewed(desk.archive, soon, "lead-2", AT + timedelta(days=3), keep=Period(days=7))
    assert desk.archive.find(soon).expires == {TRAINING: date(2026, 12, 2)}
    assert mark_reviewed(desk.archive, late, "lead-1", AT + timedelta(days=85))
    assert desk.archive.find(late, AT).expires == {TRAINING: date(2027, 2, 25)}

    over = AT + timedelta(days=7)
    done = sweep(desk.archive, over, clock=over)
    assert [item.what for item in done] == [Swept.PURPOSE_EXPIRED, Swept.DISCARDED]
    assert [row.recording for row in desk.archive.list()] == [late]
    assert verify(desk.archive).ok


@pytest.mark.rule("G38")
def test_nothing_is_reviewed_against_a_hold_after_an_opt_out_or_without_the_key(desk: Scene) -> None:
    held, declined, other = desk.closed(TRAINING), desk.closed(DOCUMENTATION, TRAINING), desk.closed(TRAINING)
    desk.commit(PlaceHold("h", held, HoldBy.PARTY, "desk-3", AT, None))
    desk.commit(DropWraps(declined, KeyRole.TRAINING, "declined_by_key"))
    case_handler = Archive.open(desk.folder, desk.only(KeyRole.DOCUMENTATION))
    for archive, recording in ((desk.archive, held), (desk.archive, declined), (case_handler, other)):
        with pytest.raises(ArchiveError):
            mark_reviewed(archive, recording, "lead-1", AT)
        assert events(desk, recording)[-1] == ("review_refused", "G11")
    entry = desk.archive.audit_of(other)[-1]
    assert {"key": entry.params["key"]} == desk.shown(KeyRole.DOCUMENTATION)
    case_handler.close()
    assert len(desk.archive.list()) == 3
    assert verify(desk.archive).ok
