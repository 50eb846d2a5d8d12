"""The score card: as many questions as a policy has, in the smallest window too. What is stored of it is tested with the page."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from softphone.domain.policy import LocalText, ScoreItem
from softphone.domain.purpose import Language
from softphone.ui.review.scores import Scores
from tests.ui import states as s
from tests.ui.test_words import MakeView

QUESTIONS = (
    "Listened and asked",
    "Explained the agreement and its commitment period",
    "Said what happens next",
    "Tone",
    "Repeated the wish",
    "Asked whether the caller is satisfied with what was agreed",
    "Pace",
    "Ended politely",
)
CARD = tuple(ScoreItem(id=f"q{n}", name=LocalText(da=words, en=words), points=5) for n, words in enumerate(QUESTIONS))


@pytest.mark.parametrize(("width", "height"), [(265, 150), (374, 250)])
def test_however_many_questions_none_lies_over_another_and_the_next_one_is_in_sight(
    qtbot: QtBot, view_of: MakeView, width: int, height: int
) -> None:
    scores = Scores()
    qtbot.addWidget(scores)
    scores.setFixedSize(width, height)
    scores.show_card(CARD)
    scores.begin({}, shared=False)
    scores.render_view(view_of(s.READY, Language.EN), "Anna")
    scores.show()
    for number, rings in enumerate(scores.rings):
        QApplication.processEvents()
        assert rings.visibleRegion().boundingRect().height() == rings.height(), number
        assert scores.give_next(3).startswith(QUESTIONS[number])
    for above, below in pairwise([*scores.rings]):
        assert above.geometry().bottom() < below.geometry().top()
    assert scores.reel.geometry().bottom() < scores.share.geometry().top()
    assert scores.share.geometry().bottom() < scores.height()
