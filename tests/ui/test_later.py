"""A row of today's calls opened in place: what is kept, and the buttons of wrap-up, by mouse and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Language, Reason
from softphone.domain.status import (
    Action,
    Choice,
    DisputeButton,
    DisputeKind,
    HoldPhase,
    HoldStatus,
    OptOutButton,
    OptOutKind,
    ReasonStatus,
    Stays,
)
from softphone.ui.call.tiles import ActionButton
from softphone.ui.ready.history import HistoryRow
from softphone.ui.view import View
from softphone.wire.from_engine import Done
from softphone.wire.snapshot import CallState, PastCall
from softphone.wire.to_engine import Act, Choose, Dial, EndWrapUp, OptOut, RaiseDispute, Reopen, UndoDispute
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id

V = s.RECORDING.version
STATUS = s.REOPENED.status or s.RECORDING
LOCKED = HoldStatus(HoldPhase.LOCKED, "party", s.NOW, None)
UNDO = replace(STATUS, hold=LOCKED, dispute=DisputeButton(DisputeKind.UNDO, enabled=True))
COMPLAINT = replace(STATUS, choices=(Choice("kept_for_complaint", ("keep", "delete"), "keep"),))


@pytest.mark.rule("G31")
def test_what_is_taken_back_later_is_told_to_be_done_with_a_word_on_whom_to_tell(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.REOPENED))
    scene.press("pastOpen_h1")
    scene.press("pastOptOut")
    command = scene.sent(2)[-1]
    assert isinstance(command, OptOut)
    scene.engine.tell(Done(command.id))
    scene.qtbot.waitUntil(
        lambda: desk.window.note.text.text() == "Det er gjort. Giv kunden besked om det.", timeout=10_000
    )


def test_a_row_asks_the_engine_for_its_call_and_shows_it_in_place_when_it_is_there(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("pastOpen_h1")
    assert [without_id(command) for command in scene.sent()] == [Reopen("", "h1")]
    assert not scene.widget("pastOpened_h1").isVisible()
    scene.show(s.snapshot(s.REOPENED))
    assert scene.widget("pastOpened_h1").isVisible()
    assert not desk.window.ready.wrap_up.isVisible()
    row = desk.window.ready.history.rows[0]
    QApplication.processEvents()
    assert row.opened.geometry().bottom() < row.height() - 6  # off the line below
    assert row.what is not None
    assert row.rights is not None
    assert row.what.text() == "Optaget til dokumentation og uddannelse\nSalgslinjen · 06:12"
    assert row.rights.kept.text() == "Gemmes til 25. feb. 2027 til dokumentation og uddannelse."
    assert row.rights.buttons.opt_out.sub() == "gemmes stadig til dokumentation"
    assert row.rights.buttons.dispute.sub() == "optagelsen bevares"
    scene.press("pastOpen_h1")
    assert without_id(scene.sent(2)[1]) == EndWrapUp("", "h1")
    scene.show(s.snapshot())
    assert not scene.widget("pastOpened_h1").isVisible()


@pytest.mark.parametrize(
    ("button", "call", "sends"),
    [
        ("pastOptOut", s.REOPENED, OptOut("", "h1", V, OptOutKind.TRAINING_ENDS)),
        ("pastDispute", s.REOPENED, RaiseDispute("", "h1", V, "controller")),
        ("pastDispute", replace(s.REOPENED, status=UNDO), UndoDispute("", "h1", V)),
        ("past_object", s.REOPENED, Act("", "h1", V, Action.OBJECT)),
        (
            "choice_kept_for_complaint_delete",
            replace(s.REOPENED, status=COMPLAINT),
            Choose("", "h1", V, "kept_for_complaint", "delete"),
        ),
    ],
)
def test_each_press_goes_to_the_engine_with_what_it_showed(
    scene: Scene, button: str, call: CallState, sends: object
) -> None:
    scene.open(s.snapshot(call))
    scene.press(button)
    assert [without_id(command) for command in scene.sent()] == [sends]


def test_beside_a_wrap_up_a_row_is_open_and_another_one_is_dialled(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.ENDED, s.REOPENED))
    assert scene.widget("pastOpened_h1").isVisible()
    assert desk.window.ready.wrap_up.isVisible()
    scene.press("past_h2")
    assert desk.window.ready.dial.target.text() == "+4531221009"


WITHDRAWN = ReasonStatus(Reason.WITHDRAWN, "G31", at=s.at("10:23"))


@pytest.mark.parametrize(
    ("outcome", "why", "seconds", "said"),
    [
        (
            "not_recorded",
            ReasonStatus(Reason.NOT_IN_SAMPLE, "G34"),
            201,
            "Intet er optaget · samtalen er ikke med i stikprøven\nKundeservice · 03:21",
        ),
        ("not_recorded", None, 201, "Intet er optaget\nKundeservice · 03:21"),
        ("missed", None, 0, "Intet er optaget · opkaldet blev ikke besvaret\nKundeservice"),
        ("declined", None, 0, "Intet er optaget · du afviste opkaldet\nKundeservice"),
        ("unanswered", None, 0, "Intet er optaget · der blev ikke svaret\nKundeservice"),
        (
            "deleted",
            WITHDRAWN,
            201,
            "Optagelsen er slettet. Kunden trak sit ja tilbage kl. 10.23.\nKundeservice · 03:21",
        ),
        ("deleted", None, 201, "Optagelsen er slettet.\nKundeservice · 03:21"),
    ],
)
def test_a_row_of_which_nothing_is_kept_opens_on_that_and_why(
    scene: Scene, outcome: str, why: ReasonStatus | None, seconds: float, said: str
) -> None:
    past = replace(s.HISTORY[1], outcome=outcome, why=why, seconds=seconds)
    desk = scene.open(s.snapshot(history=(s.HISTORY[0], past)))
    row = desk.window.ready.history.rows[1]
    assert row.toggle.accessibleDescription() == "Se, hvorfor intet er gemt"
    scene.press("pastOpen_h2")
    assert scene.commands() == []
    assert row.what is not None
    assert scene.widget("pastOpened_h2").isVisible()
    assert row.what.text() == said
    assert row.tab_chain() == [row.line, row.toggle, row.note]
    scene.show(s.snapshot(s.REOPENED, history=(s.HISTORY[0], past), version=8))
    assert scene.widget("pastOpened_h2").isVisible()
    scene.press("pastOpen_h2")
    assert not scene.widget("pastOpened_h2").isVisible()


def test_also_without_an_engine_a_row_says_why_nothing_is_kept(view_of: Callable[..., View]) -> None:
    row = HistoryRow(s.HISTORY[2])
    row.render_view(view_of(s.snapshot(), connected=False), s.HISTORY[2])
    assert row.toggle.isEnabled()
    row.toggle.click()
    assert row.what is not None
    assert row.what.text().startswith("Intet er optaget")


def test_a_row_makes_what_is_inside_when_it_is_first_opened(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    rows = desk.window.ready.history.rows
    assert [row for row in rows if row.rights or row.what] == []
    scene.show(s.snapshot(s.REOPENED))
    assert [row.line.past.id for row in rows if row.rights] == ["h1"]
    inside = rows[0].rights
    scene.show(s.snapshot())
    scene.show(s.snapshot(s.REOPENED))
    assert rows[0].rights is inside


def test_the_keyboard_alone_opens_a_row_goes_through_it_and_stays_where_it_was(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    toggle = scene.widget("pastOpen_h1")
    toggle.setFocus(Qt.FocusReason.TabFocusReason)
    scene.qtbot.keyClick(toggle, Qt.Key.Key_Return)
    assert [without_id(command) for command in scene.sent()] == [Reopen("", "h1")]
    newest = PastCall("h0", s.Direction.OUTBOUND, "Ny", "+4512345678", None, s.at("10:43"), 3, "unanswered")
    scene.show(s.snapshot(s.REOPENED, history=(newest, *s.HISTORY)))
    passed: list[str] = []
    for _ in range(4):
        focus = QApplication.focusWidget()
        assert focus is not None
        passed.append(focus.objectName())
        scene.qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert passed == ["pastOpen_h1", "pastOptOut", "pastDispute", "past_object"]
    assert [row.line.past.id for row in desk.window.ready.history.rows][:2] == ["h0", "h1"]


@pytest.mark.parametrize("width", [320, 376])
def test_a_row_shows_a_number_whole_and_a_long_outcome_by_its_short_word(scene: Scene, width: int) -> None:
    number = replace(s.HISTORY[2], outcome="both")
    name = replace(s.HISTORY[0], outcome="both")
    desk = scene.open(s.snapshot(history=(number, name)))
    desk.window.resize(width, 640)
    scene.show(s.snapshot(history=(number, name)))
    unnamed, named = (row.line for row in desk.window.ready.history.rows)
    assert unnamed.shown()[0] == "+45 40 11 90 17"
    assert unnamed.accessibleName().startswith("+45 40 11 90 17, dokumentation og uddannelse, ")
    if width == 376:
        assert named.shown() == ("Mette Holm", "dok. og uddannelse")
    desk.window.resize(560, 640)
    scene.show(s.snapshot(history=(number, name)))
    assert named.shown() == ("Mette Holm", "dokumentation og uddannelse")


@pytest.mark.parametrize("language", list(Language))
def test_what_an_open_row_offers_fits_in_the_narrowest_window(scene: Scene, language: Language) -> None:
    actions = (Action.WITHDRAW_DOCUMENTATION, Action.OBJECT)
    scene.language = language
    desk = scene.open(s.snapshot())
    desk.window.resize(320, 640)
    scene.show(s.snapshot(replace(s.REOPENED, status=replace(STATUS, actions=actions))))
    QApplication.processEvents()
    for action in actions:
        button = scene.widget(f"past_{action}")
        assert button.isVisible(), action
        assert button.mapTo(desk.window, QPoint(button.width(), 0)).x() <= 320 - 16 - 14, action


def test_without_an_engine_a_row_says_why_it_does_not_open(view_of: Callable[..., View]) -> None:
    row = HistoryRow(s.HISTORY[0])
    row.render_view(view_of(s.snapshot(), connected=False), s.HISTORY[0])
    assert not row.toggle.isEnabled()
    assert row.toggle.accessibleDescription() == "telefonen er stoppet"


@pytest.mark.rule("G10")
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("stays", [None, *Stays])
def test_what_a_no_to_the_last_purpose_leaves_is_said_and_fits_in_the_narrowest_window(
    scene: Scene, language: Language, stays: Stays | None, locked: bool
) -> None:
    stop = OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True, stays=stays)
    status = replace(STATUS, opt_out=stop, hold=LOCKED if locked or stays else None)
    said: set[str] = set()
    scene.language = language
    desk = scene.open(s.snapshot())
    desk.window.resize(320, 640)
    for shown, name in ((replace(s.REOPENED, status=status), "pastOptOut"), (s.call(status), "optOut")):
        scene.show(s.snapshot(shown))
        button = scene.widget(name)
        assert isinstance(button, ActionButton)
        assert not button.overflows(), (button.text(), button.sub())
        said |= {button.text(), button.sub()}
    deletes = {"optagelsen slettes helt", "den slettes helt", "the recording is deleted", "it is deleted for good"}
    assert bool(said & deletes) is (stays is None and not locked)
    lifts = {"låsen ophæves, alt slettes", "unlocks, then deletes all"}
    assert bool(said & lifts) is (stays is None and locked)


def test_earlier_days_stand_below_today_each_under_its_own(scene: Scene) -> None:
    day = timedelta(days=1)
    older = (
        replace(s.HISTORY[2], id="h6", at=s.HISTORY[2].at - day),
        replace(s.HISTORY[1], id="h7", at=s.HISTORY[1].at - 3 * day, name="Bo Friis"),
        replace(s.HISTORY[1], id="h8", at=s.HISTORY[1].at - 3 * day - timedelta(minutes=5)),
    )
    desk = scene.open(s.snapshot(history=(*s.HISTORY, *older)))
    rows = desk.window.ready.history.rows
    shown = [row.day.text() for row in rows if row.day.isVisible()]
    assert shown == ["I dag", "I går", "22. nov."]
    assert [row.day.isVisible() for row in rows] == [True, False, False, False, False, True, True, False]
    assert rows[5].line.accessibleName() == "+45 40 11 90 17, ubesvaret, I går 10.05"
    desk.window.ready.dial.target.setText("Bo Friis")
    scene.press("dial")
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "+4531221009", "salg")]


def test_the_last_caller_is_called_back_at_once_also_while_the_card_is_open(scene: Scene) -> None:
    desk = scene.open(s.READY)
    assert scene.widget("lastCallAgain").accessibleName() == "Ring op til Mette Holm"
    scene.press("lastCallAgain")
    assert [without_id(command) for command in scene.sent()] == [Dial("", "acc-1", "+4520123456", "salg")]
    assert desk.window.ready.wrap_up.isVisible()
    scene.show(s.snapshot(replace(s.ENDED, number="", name="")))
    assert not scene.widget("lastCallAgain").isEnabled()
