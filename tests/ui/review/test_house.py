"""A lead reviews on one machine what an agent of the house recorded on another, who hears it and answers: the two windows."""

from __future__ import annotations

import argparse
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from softphone.bootstrap.archive.house import house_seen
from softphone.bootstrap.home import Home as OwnHome
from softphone.bootstrap.review import review_dependencies
from softphone.bootstrap.reviewing import offers_review, shares_review
from softphone.domain.purpose import KeyRole
from softphone.house.joining import Desk
from softphone.house.watch import Heard, NewsWatch
from softphone.system.signature import new_signing_key
from softphone.ui.review.app import Review
from tests.house.joined import Home, policy_text, publish
from tests.house.test_archive_commands import joined
from tests.team.desk import NUMBER, made, spoken
from tests.team.served import ANNA, Team, whole
from tests.ui.review.team import Loudspeaker

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
CARD = '[[score]]\nid = "tone"\nname = { da = "Tone", en = "Tone" }\n'


def loudspeaker(_name: str) -> Loudspeaker:
    return Loudspeaker()


def window(home: Home, *, agent: bool = False) -> Review:
    """As `klartone review` makes it."""
    own, before = OwnHome.of(argparse.Namespace(home=home.root)), keyring.get_keyring()
    keyring.set_keyring(home.ring)
    try:
        assert (offers_review(own), shares_review(own)) == (not agent, agent)
        settings, _ = own.settings(only_look=True)
        deps = review_dependencies(settings, own.archive(settings), house=lambda: house_seen(own, settings))
        assert deps.refusal is None
    finally:
        keyring.set_keyring(before)
    review = Review(deps)
    review.open()
    return review


def watching(home: Home, heard: list[Heard]) -> NewsWatch:
    """As her phone does."""
    membership = home.folder.read()
    assert membership is not None
    desk = Desk(home.folder, home.keys, membership.desk)
    return NewsWatch(desk, desk.connection(membership), taken=lambda _: None, heard=heard.append, gone=lambda: None)


def press(qtbot: QtBot, review: Review, key: Qt.Key) -> None:
    """On its machine: there the other windows are not."""
    review.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is review.window, timeout=10_000)
    QTest.keyClick(review.window.list, key)


def opened(qtbot: QtBot, review: Review) -> None:
    qtbot.waitUntil(lambda: len(review.window.model.rows) == 1, timeout=10_000)
    press(qtbot, review, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: review.opened is not None, timeout=10_000)


def said(review: Review) -> list[str]:
    """Of each comment, as it stands there."""
    comments = review.window.detail.comments
    return [label.text() for _, _, label, _ in comments._rows]


def says(qtbot: QtBot, review: Review, text: str) -> None:
    press(qtbot, review, Qt.Key.Key_C)
    line = review.window.detail.comments.line
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: text in said(review), timeout=10_000)


@pytest.mark.rule("L3")
@pytest.mark.rule("L4")
def test_a_lead_reviews_and_shares_and_the_agent_hears_it_on_another_machine_and_answers(
    qtbot: QtBot, qapp: QApplication, team_tls: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setattr("softphone.bootstrap.review.speaker", loudspeaker)
    team, key = team_tls, new_signing_key()
    publish(team, 7, key, text=f"{policy_text(team, 7)}\n{CARD}")
    anna, sofie, jonas = (Home(tmp_path / name, capsys) for name in ("anna", "sofie", "jonas"))
    joined(team, anna, key, "agent", agents=(ANNA,))
    for lead in (sofie, jonas):
        joined(team, lead, key, "lead", KeyRole.TRAINING)
    one = made(team.keys, line="n4", sound=spoken(2), started=datetime.now(UTC) - timedelta(hours=1))
    assert whole(team.desk("agent", name="anna").upload(one))["state"] == "stored"
    heard = list[Heard]()
    watch = watching(anna, heard)
    windows = [window(sofie), window(jonas)]
    first, second = windows
    try:
        for lead in windows:
            opened(qtbot, lead)
        assert NUMBER[3:] not in first.window.detail.title.text()
        assert first.opened is not None
        assert first.opened.length == 32_000
        says(qtbot, first, "A fine beginning.")
        # The other lead sees it without asking, and that somebody else has it open.
        qtbot.waitUntil(lambda: said(second) == ["training-1: A fine beginning."] or bool(said(second)), timeout=10_000)
        assert said(second)[0].endswith(": A fine beginning.")
        qtbot.waitUntil(lambda: "also open with" in second.window.detail.until.text(), timeout=10_000)
        assert second.window.detail.comments._rows[0][3].isHidden()
        press(qtbot, first, Qt.Key.Key_4)
        qtbot.waitUntil(lambda: dict(second.window.detail.scores.points) == {"tone": 4}, timeout=10_000)
        press(qtbot, first, Qt.Key.Key_D)
        qtbot.waitUntil(lambda: team.sql("SELECT shared FROM reviews") == [(True,)], timeout=10_000)
        qtbot.waitUntil(lambda: team.sql("SELECT count(*) FROM review_wraps") == [(1,)], timeout=10_000)
        told = [*csv.DictReader(io.StringIO(sofie.does("archive", "marks", "--csv").out))]
        assert [(row["of"], row["who"], row["question"], row["average"]) for row in told] == [
            ("agent", "anna@klartone.test", "Tone", "4.0")
        ]
        printed = sofie.does("archive", "marks").out
        assert "Agents, from the reviews that are still there" in printed
        assert "4.0 points on average (1 call)" in printed
        assert anna.does("archive", "marks", "--csv").status == 1
        # Her phone knows of one that nobody has opened there, until she has.
        watch.start()
        qtbot.waitUntil(lambda: [one.shared for one in heard] == [1], timeout=9000)
        windows.append(window(anna, agent=True))
        agent = windows[2]
        assert agent.window.windowTitle().startswith("Shared with you")
        opened(qtbot, agent)
        assert agent.opened is not None
        assert agent.opened.length == 32_000
        watch.look()
        qtbot.waitUntil(lambda: heard[-1].shared == 0, timeout=9000)
        assert dict(agent.window.detail.scores.points) == {"tone": 4}
        assert said(agent)[0].endswith(": A fine beginning.")
        row = agent.window.model.data(agent.window.model.index(0, 0))
        assert str(row).startswith("Guidance, "), "they are all her own: the line tells them apart"
        for hidden in (agent.window.detail.reviewed_button, agent.window.detail.scores.share, agent.window.panel):
            assert hidden.isHidden()
        for pressed in (Qt.Key.Key_2, Qt.Key.Key_D, Qt.Key.Key_R):
            press(qtbot, agent, pressed)
        says(qtbot, agent, "Thank you, noted.")
        qtbot.waitUntil(lambda: "The agent's answer: Thank you, noted." in said(first), timeout=10_000)
        assert team.sql("SELECT points FROM review_scores") == [(4,)]
        assert team.sql(
            "SELECT count(*) FROM comment_seals WHERE position('noted' IN encode(sealed, 'escape')) > 0"
        ) == [(0,)]
        # What is sealed for other keys than those here is not left out: the list has counted it.
        team.sql("UPDATE comment_seals SET key_id = 'elsewhere' WHERE role = 'training'")
        press(qtbot, second, Qt.Key.Key_5)
        sealed = "[cannot be read here: no key on this computer opens it]"
        qtbot.waitUntil(lambda: f"The agent's answer: {sealed}" in said(second), timeout=10_000)
        # Shared no longer, it is gone from the agent's window, sound and words, within seconds.
        press(qtbot, first, Qt.Key.Key_D)
        qtbot.waitUntil(lambda: agent.opened is None and said(agent) == [], timeout=10_000)
        assert agent.window.detail.place.isVisible() == agent.window.isVisible()
    finally:
        watch.stop()
        for each in windows:
            each.close()
            each.window.deleteLater()
            each.deleteLater()
            assert each._deps.archive is not None
            each._deps.archive.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
