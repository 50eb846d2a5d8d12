"""The card over the list: what the figures say, over which time, in words and to a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from PySide6.QtWidgets import QApplication

from softphone.archive.review.panel import Figures, Verdict
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.review.panel import Panel
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import load_themes
from softphone.ui.view import View
from tests.ui.review.team import RESOURCES, ZONE

LIGHT, _ = load_themes(RESOURCES / "themes")
FIGURES = Figures(40, 38, 2, 35, 0, 0, 0.0, date(2026, 11, 27), Verdict.UNREVIEWED)


@pytest.fixture
def panel(qapp: QApplication) -> Iterator[Panel]:
    made = Panel()
    yield made
    made.deleteLater()


def view(language: Language = Language.DA) -> View:
    texts = Texts(RESOURCES / "translations", language, ZONE)
    now = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
    return View(None, texts, LIGHT, Icons(RESOURCES / "icons"), now, connected=True)


@pytest.mark.rule("G33")
def test_a_team_that_records_and_reviews_nothing_is_warned_once_the_first_day_is_near(panel: Panel) -> None:
    panel.figures = FIGURES
    panel.render_view(view())
    assert panel.verdict.accessibleName() == (
        "Ingen er gennemgået. 35 venter; den første udløber om 2 dage. Reglerne siger ikke, hvor mange I når om ugen "
        "(capacity). Optag ikke flere, end I gennemgår (G33)."
    )
    assert f"color:{LIGHT.danger}" in panel.verdict.text()
    panel.figures = replace(FIGURES, waiting=1, oldest_expires=date(2027, 2, 24))  # the first call was just now
    panel.render_view(view())
    assert f"color:{LIGHT.text}" in panel.verdict.text()
    panel.figures = replace(FIGURES, waiting=0, oldest_expires=None, verdict=Verdict.NONE)
    panel.render_view(view(Language.EN))
    assert panel.verdict.accessibleName().startswith("No recordings are waiting. ")


def test_it_says_over_which_time_and_that_what_waits_is_of_now(panel: Panel) -> None:
    panel.render_view(view())
    assert panel.period.text() == "Seneste tre måneder,\ndenne computer"
    assert panel.period.accessibleName() == "Seneste tre måneder, denne computer"
    assert panel.counts["expired_unseen"].accessibleName() == "– udløbet uden at blive hørt"
    assert panel.counts["waiting"].word.text() == "venter nu"


def test_while_another_team_is_counted_nothing_is_said_of_the_one_before(panel: Panel) -> None:
    panel.figures = FIGURES
    panel.render_view(view())
    panel.figures = None
    panel.render_view(view())
    assert panel.verdict.accessibleName() == panel.verdict.text() == "Tæller …"


def test_it_is_green_only_where_reviews_bear_it_out_and_no_figure_contradicts_what_waits(panel: Panel) -> None:
    """A desk tells the house what it drew later than what it recorded arrives; `capacity` is a promise."""
    panel.figures = Figures(0, 0, 0, 2, 0, 0, 0.0, date(2027, 1, 25), Verdict.FITS)
    panel.render_view(view())
    shown = {name: count.number.text() for name, count in panel.counts.items()}
    assert (shown["drawn"], shown["recorded"], shown["waiting"]) == ("2", "2", "2")
    assert f"color:{LIGHT.ok}" not in panel.verdict.text()
    assert panel.verdict.accessibleName().startswith("Stikprøven passer til jeres plan. 2 venter")
    panel.figures = Figures(40, 38, 2, 2, 20, 0, 5.0, date(2027, 1, 25), Verdict.FITS)
    panel.render_view(view())
    assert panel.counts["drawn"].number.text() == "40"
    assert f"color:{LIGHT.ok}" in panel.verdict.text()
