"""The line in which the call's agent answers: to which comment, and whether there is one."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtWidgets import QApplication

from softphone.domain.archive.reviews import Comment
from softphone.ui.review.comments import Comments
from tests.ui.review.test_panel import view


def test_an_answer_is_to_the_last_comment_before_it_and_names_its_moment(qapp: QApplication) -> None:
    now, line = datetime(2026, 11, 25, tzinfo=UTC), Comments(agent=True)
    line.render_view(view())
    assert not line.may_write
    theirs = [Comment(str(at), at * 16_000, "Fint", now, "lead-1", mine=False) for at in (9, 42)]
    own = Comment("own", 60 * 16_000, "Tak", now)
    line.show_comments([*theirs, own])
    assert line.may_write
    for at, told in ((3, "0:09"), (41, "0:09"), (42, "0:42"), (65, "0:42")):
        line.write_at(at * 16_000)
        assert line.line.accessibleName() == f"Svar på kommentaren ved {told} – Enter sender, Esc fortryder"
        line.leave()
    line.deleteLater()
