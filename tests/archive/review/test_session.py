"""One call under review: told before it is heard, said something of, and closed to it as soon as it may not be heard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta

import numpy as np
import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.verify import verify
from softphone.archive.retention.holding import lift
from softphone.archive.retention.sweep import sweep
from softphone.archive.review.sample import SampleFilter, SampleQuery, page
from softphone.archive.review.session import Reviewing, mark_reviewed, open_review
from softphone.domain.changes import Discard, DropWraps, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.holds import raise_hold
from tests.archive.review.calls import ANNA, CARD, reviewable
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene

WORDS = "Her kunne bindingsperioden være nævnt først."
OF_WORDS = b"Her kunne bindingsperioden"


def opened(desk: Scene, recording: str) -> Reviewing:
    return open_review(desk.archive, recording, "lead-1", lambda: desk.archive.clock(), items=CARD)


def events(desk: Scene, recording: str) -> list[str]:
    return [row.event for row in desk.archive.audit_of(recording)]


def code(deed: Callable[[], object]) -> str:
    with pytest.raises(ArchiveError) as refused:
        deed()
    return refused.value.code


@pytest.mark.rule("G11")
def test_it_is_told_before_it_is_heard_by_whose_key(desk: Scene) -> None:
    recording = reviewable(desk)
    with closing(opened(desk, recording)) as reviewing:
        told, key = desk.archive.audit_of(recording)[-1], desk.recipients[KeyRole.TRAINING].key_id[:16]
        assert (told.event, told.rule) == ("recording_opened", "G11")
        assert told.params == {"role": "training", "segments": 1, "by": "lead-1", "key": key}
        sound = np.concatenate(list(reviewing.reader.pcm()))
        assert sound.shape == (reviewing.reader.length, 2) == (16_000, 2)
        assert (reviewing.reader.marks(), reviewing.row.agent) == ([], ANNA)


def test_who_has_no_key_or_asks_for_what_is_held_goes_on_or_is_over_is_refused_and_that_is_told(desk: Scene) -> None:
    over, keyless, held = reviewable(desk), reviewable(desk), reviewable(desk)
    raise_hold(desk.archive, held, HoldBy.PARTY, "", "desk-3", AT)
    running = desk.recorded(1, TRAINING, call=desk.call(agent=ANNA))
    with closing(Archive.open(desk.folder, desk.only(KeyRole.DOCUMENTATION))) as handler:
        assert code(lambda: open_review(handler, keyless, "case-1", lambda: AT)) == "error.archive.no_private_key"
    assert code(lambda: opened(desk, held)) == "error.archive.closed_to_role"
    assert code(lambda: opened(desk, running)) == "error.archive.still_running"
    late = AT + timedelta(days=100)
    assert code(lambda: open_review(desk.archive, over, "lead-1", lambda: late)) == "error.archive.closed_to_role"
    for recording in (keyless, held, running, over):
        assert events(desk, recording)[-1] == "opening_refused"
        assert "recording_opened" not in events(desk, recording)


@pytest.mark.rule("G11")
def test_a_file_that_cannot_be_opened_is_refused_and_that_is_told(desk: Scene) -> None:
    gone, of_another, other = reviewable(desk), reviewable(desk), reviewable(desk)
    desk.archive.vault.path(gone).unlink()
    desk.archive.vault.path(of_another).write_bytes(desk.archive.vault.path(other).read_bytes())
    for recording, why in ((gone, "recording_unreadable"), (of_another, "foreign_recording")):
        assert code(lambda recording=recording: opened(desk, recording)) == f"error.archive.{why}"
        last = desk.archive.audit_of(recording)[-1]
        assert (last.event, last.params["why"]) == ("opening_refused", why)
        assert "recording_opened" not in events(desk, recording)


def test_comments_points_and_sharing_are_kept_in_order_can_be_taken_back_and_none_of_it_is_in_the_log(
    desk: Scene,
) -> None:
    recording = reviewable(desk)
    with closing(opened(desk, recording)) as reviewing:
        late = reviewing.comment(16_000, "  Fin opsamling.\n")
        desk.archive.clock = lambda: AT + timedelta(minutes=1)
        first = reviewing.comment(0, WORDS)
        assert reviewing.comments() == (first, late)
        assert (late.text, late.sample, late.at) == ("Fin opsamling.", 16_000, AT)
        for gone in (late.id, "no-such"):
            reviewing.remove(gone)
        assert reviewing.comments() == (first,)
        for item, points in (("listened", 4), ("clear", 3), ("listened", 5), ("clear", 0)):
            reviewing.score(item, points)
        for item, points in (("clear", 4), ("clear", -1), ("tone", 1)):
            refused = code(lambda item=item, points=points: reviewing.score(item, points))
            assert refused == "error.review.not_on_the_card"
        assert reviewing.scores() == {"listened": 5}
        for on in (True, True, False):
            reviewing.share(on)
            assert reviewing.shared is on
    assert OF_WORDS.decode() not in str(desk.archive.audit_of(recording))
    assert events(desk, recording)[-2:] == ["review_shared", "review_unshared"]
    assert verify(desk.archive).ok


Ending = Callable[[Scene, str], None]


def by_opt_out(desk: Scene, recording: str) -> None:
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"), recording=recording)


def by_withdrawal(desk: Scene, recording: str) -> None:
    desk.commit(Discard(recording, "withdrawn"), recording=recording)


@pytest.mark.rule("G31")
@pytest.mark.parametrize("way", [by_opt_out, by_withdrawal])
def test_it_is_closed_at_once_when_it_may_no_longer_be_heard_also_while_it_is_open(desk: Scene, way: Ending) -> None:
    recording = reviewable(desk, DOCUMENTATION, TRAINING)
    with closing(opened(desk, recording)) as reviewing:
        comment = reviewing.comment(0, WORDS)
        way(desk, recording)
        for deed in (
            reviewing.comments,
            reviewing.scores,
            lambda: reviewing.shared,
            lambda: reviewing.comment(0, "x"),
            lambda: reviewing.score("clear", 1),
            lambda: reviewing.share(True),
            lambda: reviewing.remove(comment.id),
        ):
            assert code(deed) == "error.archive.closed_to_role"
        with pytest.raises(ArchiveError):
            mark_reviewed(desk.archive, recording, "lead-1", AT)
    assert verify(desk.archive).ok


def by_review(desk: Scene, recording: str) -> None:
    assert mark_reviewed(desk.archive, recording, "lead-1", AT)


def by_sweep(desk: Scene, _recording: str) -> None:
    over = AT + timedelta(days=100)
    sweep(desk.archive, over, clock=over, witness=over)


@pytest.mark.rule("G38")
@pytest.mark.rule("L4")
@pytest.mark.parametrize("way", [by_opt_out, by_review, by_sweep, None])
def test_whichever_way_training_ends_no_word_of_the_review_is_left_in_any_page(desk: Scene, way: Ending | None) -> None:
    beside = [reviewable(desk, retention="P50Y") for _ in range(3)]
    for number in beside:
        with closing(opened(desk, number)) as reviewing:
            reviewing.comment(0, "Fin opsamling.")
    recording = reviewable(desk, DOCUMENTATION, TRAINING)
    with closing(opened(desk, recording)) as reviewing:
        reviewing.comment(0, WORDS)
        reviewing.score("clear", 2)
        reviewing.share(True)
    desk.archive.catalog.empty_log()
    assert OF_WORDS in desk.pages()

    if way is not None:
        way(desk, recording)

    assert (OF_WORDS in desk.pages()) == (way is None)
    with desk.archive.catalog.reading() as connection:
        for table in ("review_comments", "review_scores", "reviews"):
            asked = f"SELECT count(*) FROM {table} WHERE recording = ?"
            assert connection.exec_driver_sql(asked, (recording,)).scalar_one() == (1 if way is None else 0)
        left = connection.exec_driver_sql("SELECT count(*) FROM review_comments").scalar_one()
    assert left == (4 if way is None else 3)
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_a_hold_keeps_what_was_said_unseen_and_brings_it_back_with_the_training(desk: Scene) -> None:
    recording = reviewable(desk)
    with closing(opened(desk, recording)) as reviewing:
        reviewing.comment(0, WORDS)
        reviewing.score("clear", 2)
    hold = raise_hold(desk.archive, recording, HoldBy.PARTY, "", "desk-3", AT)
    assert code(lambda: opened(desk, recording)) == "error.archive.closed_to_role"
    lift(desk.archive, hold, "settled", desk.policy_recipients, AT)
    with closing(opened(desk, recording)) as reviewing:
        assert [one.text for one in reviewing.comments()] == [WORDS]
        assert reviewing.scores() == {"clear": 2}


@pytest.mark.rule("G33")
@pytest.mark.rule("G38")
def test_what_the_policy_lets_be_kept_on_stays_with_all_that_was_said_of_it_and_goes_with_it(desk: Scene) -> None:
    recording = reviewable(desk, keep="P14D")
    with closing(opened(desk, recording)) as reviewing:
        reviewing.comment(0, WORDS)
        reviewing.share(True)
        assert mark_reviewed(desk.archive, recording, "lead-1", AT)
        desk.archive.clock = lambda: AT + timedelta(days=13)
        assert not mark_reviewed(desk.archive, recording, "lead-1", desk.archive.clock())
        assert (len(reviewing.comments()), reviewing.shared) == (1, True)
    (row,) = page(desk.archive, SampleQuery((), (ANNA,), SampleFilter.REVIEWED), AT).rows
    assert (row.reviewed_at, row.expires_on) == (AT, date(2026, 12, 9))
    over = AT + timedelta(days=14)
    sweep(desk.archive, over, clock=over)
    assert desk.archive.list() == []
    assert OF_WORDS not in desk.pages()
    assert verify(desk.archive).ok
