"""The page of the moment: between calls what is left to do and what stands in the way, the settings, the corner window."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Basis, Reason
from softphone.domain.status import OptOutButton, OptOutKind, PurposePhase
from softphone.ui.app import time_zone
from softphone.ui.controls import FilledButton
from softphone.ui.theme.style import MARGIN
from softphone.ui.window import NARROWEST
from softphone.wire.snapshot import AccountState, CodedText, HouseState, Mailbox, Registration, ShippingState
from softphone.wire.to_engine import Answer, BackToParty, Dial, HangUp, OptOut, RaiseDispute
from tests.ui import events as e
from tests.ui import several
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Registration.REGISTERED, "Klar · salg@nordlys.example"),
        (Registration.REGISTERING, "Logger på … · salg@nordlys.example"),
        (Registration.REFUSED, "Afvist af serveren (403) · salg@nordlys.example"),
        (Registration.UNREACHABLE, "Serveren svarer ikke – prøver igen · salg@nordlys.example"),
        (Registration.UNREGISTERED, "Klar uden server · salg@nordlys.example"),
        (Registration.NO_PASSWORD, "Adgangskoden mangler · salg@nordlys.example"),
    ],
)
def test_the_account_line_says_the_registration_in_words(scene: Scene, state: Registration, words: str) -> None:
    account = AccountState(s.ACCOUNT, state, code=403)
    desk = scene.open(replace(s.snapshot(), accounts=(account,)))
    assert desk.window.account.accessibleName() == words
    if state is Registration.UNREACHABLE:  # it answers, and what it says is no use
        trouble = CodedText("connection.answer", {"address": s.ACCOUNT.address, "sip": "503 Service Unavailable"})
        scene.show(replace(s.snapshot(), accounts=(replace(account, code=503, trouble=trouble),)))
        assert desk.window.account.accessibleName().startswith("Serveren er i uorden (503) – prøver igen · ")
        assert "svarer kontoen salg@nordlys.example med »503 " in desk.window.ready.fault_text.text()


def test_an_address_that_is_too_long_for_the_line_gives_way_to_its_user_s_name(scene: Scene) -> None:
    long = replace(s.ACCOUNT, address="4570102000@nordlys-service.dk:5061")
    state = replace(s.READY, accounts=(replace(s.READY.accounts[0], account=long),))
    window = scene.open(state).window
    window.resize(376, 700)
    QApplication.processEvents()
    assert (window.account.text(), window.account.elided()) == ("Klar · 4570102000", False)
    assert window.account.toolTip() == window.account.accessibleName() == f"Klar · {long.address}"
    window.resize(700, 700)
    QApplication.processEvents()
    assert window.account.text() == f"Klar · {long.address}"


def test_after_the_call_its_wrap_up_stands_on_the_ready_page(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.show(s.READY)
    assert desk.window.pages.currentWidget() is desk.window.ready
    wrap_up = desk.window.ready.wrap_up
    assert wrap_up.isVisible()
    assert wrap_up.rights.buttons.opt_out.isVisible()
    assert wrap_up.when.text() == "10.41 · 06:12"
    assert len(desk.window.ready.history.rows) == 5


@pytest.mark.rule("G04")
def test_after_the_call_what_the_opt_out_does_stands_on_no_second_button(scene: Scene) -> None:
    active = s.purpose(PurposePhase.ACTIVE, Basis.CONSENT, Reason.CONSENT)
    stop = OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True)
    assert s.ENDED.status is not None
    status = replace(s.ENDED.status, purposes={s.DOC: s.OFF, s.TRAIN: active}, opt_out=stop)
    scene.open(s.snapshot(s.ENDED))
    assert scene.widget("last_withdraw_training").isVisible()
    scene.show(s.snapshot(replace(s.ENDED, status=status)))
    assert scene.widget("lastOptOut").isVisible()
    assert not scene.widget("last_withdraw_training").isVisible()


def test_who_is_to_be_called_back_stands_on_the_page_with_names_for_a_screen_reader(scene: Scene) -> None:
    desk = scene.open(e.TO_CALL_BACK)
    rows = list(desk.window.ready.call_backs.rows.values())
    assert [(row.who.text(), row.when.text()) for row in rows] == [
        ("Alma Friis", "Salgslinjen · 09.31"),
        ("+45 40 11 90 17", "24. nov. 2026"),
    ]
    assert rows[0].call.accessibleName() == "Ring tilbage til Alma Friis"
    assert rows[1].done.accessibleName() == "+45 40 11 90 17 skal ikke ringes op mere"
    scene.show(replace(e.TO_CALL_BACK, call_backs=e.CALL_BACKS[1:]))
    assert [row.entry.id for row in desk.window.ready.call_backs.rows.values()] == ["cb2"]
    scene.show(replace(e.TO_CALL_BACK, call_backs=(replace(e.CALL_BACKS[0], number=""),)))
    [row] = desk.window.ready.call_backs.rows.values()
    assert (row.who.text(), row.number.text(), row.call.isEnabled()) == ("Skjult nummer", "", False)
    assert row.done.isEnabled()
    scene.show(s.snapshot())
    assert not desk.window.ready.call_backs.isVisible()


def test_standing_faults_are_said_on_the_ready_page_and_lead_to_the_settings(scene: Scene) -> None:
    faulty = replace(s.snapshot(), policy=s.PolicyState(s.PolicyPhase.FAULTY, faults=(CodedText("a"), CodedText("b"))))
    desk = scene.open(faulty)
    assert desk.window.ready.fault_text.text().startswith("Der er 2 fejl i reglerne")
    scene.press("toSettings")
    assert desk.window.settings_open


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "Én lås eller anmodning om indsigt skulle databeskyttelsesfunktionen have afgjort senest 2027-01-02."),
        (
            3,
            "3 låse og anmodninger om indsigt skulle databeskyttelsesfunktionen have afgjort, den første senest 2027-01-02.",
        ),
    ],
)
def test_what_is_overdue_for_data_protection_is_said_with_what_to_do(scene: Scene, count: int, said: str) -> None:
    fault = CodedText("error.archive.holds_overdue", {"count": count, "due": "2027-01-02"})
    desk = scene.open(replace(s.snapshot(), faults=(fault,)))
    told = desk.window.ready.fault_text.text()
    assert told.startswith(said)
    assert "»klartone holds list«" in told


def test_a_refused_policy_is_a_calm_line_while_the_last_good_one_holds_and_leads_to_its_faults(scene: Scene) -> None:
    desk = scene.open(e.LAST_GOOD)
    ready = desk.window.ready
    assert not ready.faults.isVisible()
    assert ready.policy_text.text() == (
        "De nye regler har 2 fejl og er ikke taget i brug. De regler, der gjaldt før, gælder stadig."
    )
    scene.press("seeFaults")
    section = desk.window.settings.policy
    scene.qtbot.waitUntil(section.choose.hasFocus, timeout=10_000)
    assert section.state.text() == "2 fejl i den nye fil. De hidtidige regler for Nordlys El A/S gælder fortsat."
    assert section.faults.text().startswith("Linje 12 · line[1].training.retention · regel G10\n")
    top = section.mapTo(desk.window, QPoint(0, 0)).y()
    assert 0 <= top < desk.window.height() - 100
    # Its times are those of the policy that holds.
    assert time_zone(e.LAST_GOOD) == "Europe/Copenhagen"


def test_an_unsigned_policy_is_said_on_the_page_and_in_the_settings(scene: Scene) -> None:
    desk = scene.open(e.UNSIGNED)
    assert desk.window.ready.faults.isVisible()
    assert desk.window.ready.fault_text.text().startswith("Reglerne er ikke underskrevet")
    scene.press("openSettings")
    assert desk.window.settings.policy.state.text().startswith("Ikke underskrevet med nøglen nedenfor")


def test_messages_that_wait_light_a_lamp_whose_press_calls_the_mailbox(scene: Scene) -> None:
    state = s.snapshot()
    one = state.accounts[0]
    desk = scene.open(replace(state, accounts=(replace(one, mailbox=Mailbox(False, 0)),)))
    lamps, name = desk.window.ready.mailboxes.lamps, f"mailbox_{one.account.id}"
    assert not lamps

    def told(**fields: Any) -> FilledButton:
        scene.show(replace(state, accounts=(replace(one, mailbox=Mailbox(True, **fields)),)))
        return lamps[one.account.id]

    assert told(new=1, target="sip:voice@host.test").text() == "1 ny besked på telefonsvareren"
    scene.press(name)
    assert scene.commands() == []
    assert desk.window.ready.dial.target.text() == "sip:voice@host.test", (
        "another domain than the account's: it is asked"
    )
    host = one.account.address.rpartition("@")[2]
    callee = desk.window.ready.mailboxes.callees[one.account.id]
    assert callee.text() == "Uden for telefoncentralen: voice@host.test"
    told(new=2, target=f"sip:+4520304050@{host.upper()}:5070;transport=udp")
    assert (callee.isVisible(), callee.text()) == (True, "Ringer til +45 20 30 40 50")
    scene.press(name)
    assert without_id(scene.sent()[-1]) == Dial(
        "", one.account.id, f"sip:+4520304050@{host.upper()}:5070;transport=udp"
    )
    told(new=3, target=f"sip:voice@{host};maddr=host.test")
    assert callee.text().startswith("Uden for telefoncentralen")
    lamp = told(new=4)
    assert (lamp.text(), lamp.isEnabled()) == ("4 nye beskeder på telefonsvareren", False), "whom to call is not known"
    # The person's own setting goes before what an exchange says.
    own = replace(one, account=replace(one.account, mailbox="*98"), mailbox=Mailbox(True, None, "sip:voice@host.test"))
    scene.show(replace(state, accounts=(own, replace(one, account=replace(one.account, id="b")))))
    assert lamps[one.account.id].text() == f"Nye beskeder på telefonsvareren · {one.account.address}"
    assert callee.text() == "Ringer til *98"
    scene.press(name)
    assert without_id(scene.sent(2)[-1]) == Dial("", one.account.id, "*98")


def test_settings_opened_while_it_rings_stay_open(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.INCOMING))
    scene.press("openSettings")
    scene.show(s.snapshot(s.INCOMING, version=30))
    assert desk.window.settings_open


def test_settings_in_a_call_keep_its_state_in_sight_and_go_back(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("openSettings")
    assert desk.window.strip.isVisible()
    assert desk.window.strip.text() == "Optages til dokumentation og uddannelse"
    scene.press("callStrip")
    assert desk.window.pages.currentWidget() is desk.window.call


def test_the_corner_window_shows_who_rings_and_takes_no_focus(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.activate()
    desk.window.ready.dial.target.setFocus()
    scene.show(s.snapshot(s.INCOMING))
    popup = desk.incoming
    assert popup.isVisible()
    assert popup.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert popup.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert popup.ringing.name.text() == "Mette Holm"
    assert popup.ringing.line.text() == "+45 20 12 34 56 · Salgslinjen"
    assert popup.ringing.waited.text() == "Indgående opkald · Har ventet 02:24"
    scene.show(s.snapshot(s.call(s.PLAYING)))
    assert not popup.isVisible()


@pytest.mark.rule("G31")
@pytest.mark.parametrize("away", ["minimised", "in the tray"])
def test_answered_in_the_corner_with_the_desk_out_of_sight_the_call_stays_in_the_corner(
    scene: Scene, away: str
) -> None:
    desk = scene.open(s.snapshot())
    (desk.window.showMinimized if away == "minimised" else desk.window.hide)()
    scene.show(s.snapshot(s.INCOMING))
    scene.press("popupAnswer")
    assert [without_id(one) for one in scene.sent()] == [Answer("", "call-1")]
    scene.show(s.snapshot(s.call(s.RECORDING)))
    popup = desk.incoming
    assert popup.isVisible()
    assert popup.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert not popup.ringing.isVisible()
    words = popup.talking.card.words
    assert words is not None
    assert words.sentence == "Optages til dokumentation og uddannelse"
    assert popup.windowTitle() == "Optages til dokumentation og uddannelse: Mette Holm"
    assert popup.height() >= popup.talking.hang_up.mapTo(popup, popup.talking.hang_up.rect().bottomLeft()).y()
    scene.press("cornerOptOut")
    scene.press("cornerDispute")
    scene.press("cornerHangUp")
    version = s.RECORDING.version
    assert [without_id(one) for one in scene.sent(4)][1:] == [
        OptOut("", "call-1", version, OptOutKind.TRAINING_ENDS),
        RaiseDispute("", "call-1", version),
        HangUp("", "call-1"),
    ]
    # What goes further asks there too, and the window grows with it.
    before = popup.height()
    scene.show(s.snapshot(s.call(s.TRAINING_DECLINED)))
    scene.press("cornerOptOut")
    assert scene.widget("cornerOptOutSure").isVisible()
    scene.qtbot.waitUntil(lambda: popup.height() > before, timeout=10_000)
    assert len(scene.commands()) == 4
    # It ends the call that is heard, and says whose.
    scene.show(several.STATES["consultation"])
    assert popup.talking.hang_up.text() == "Læg på hos Bo · Teknik"
    scene.press("cornerHangUp")
    assert without_id(scene.sent(5)[-1]) == BackToParty("", "colleague")
    scene.press("cornerOpen")
    assert desk.window.in_sight
    assert not popup.isVisible()
    desk.window.showMinimized()
    scene.qtbot.waitUntil(popup.isVisible, timeout=10_000)
    scene.show(s.snapshot())
    assert not popup.isVisible()


@pytest.mark.parametrize("undecided_first", [True, False])
def test_the_corner_window_is_as_high_as_its_words_also_when_they_come_later(
    scene: Scene, undecided_first: bool
) -> None:
    desk = scene.open(s.snapshot())
    popup = desk.incoming
    if undecided_first:
        scene.show(s.snapshot(replace(s.INCOMING, status=None)))
        assert popup.ringing.recording.text() == ""
    scene.show(s.snapshot(s.INCOMING))
    scene.qtbot.waitUntil(lambda: popup.ringing.recording.height() > 0)
    told = popup.ringing.recording
    assert told.heightForWidth(told.width()) > told.fontMetrics().height() * 1.5
    assert told.height() >= told.heightForWidth(told.width())
    below = popup.height() - popup.ringing.answer.mapTo(popup, popup.ringing.answer.rect().bottomLeft()).y()
    assert 14 <= below <= 18
    area = popup.screen().availableGeometry()
    assert area.bottom() - popup.geometry().bottom() == 16


def test_a_call_that_nobody_answered_leaves_no_corner_window(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.INCOMING))
    assert desk.incoming.isVisible()
    scene.show(s.snapshot())
    assert not desk.incoming.isVisible()


def test_what_waits_for_the_house_s_archive_is_said_with_its_age_and_why_it_does_not_go(scene: Scene) -> None:
    """And nothing of it on a desk that belongs to no house, or whose recordings have just gone."""
    page = scene.open(s.READY).window.ready
    assert not page.shipping.isVisible()
    away = CodedText("error.house.unreachable", {"server": "klartone.nordlys.example", "reason": "timed out"})
    waits = ShippingState(told=1, recordings=3, since=s.NOW - timedelta(seconds=30), trouble=away)
    scene.show(replace(s.READY, shipping=waits))
    assert not page.shipping.isVisible()
    scene.show(replace(s.READY, shipping=replace(waits, since=s.NOW - timedelta(minutes=3))))
    assert page.shipping.text() == "Venter på arkivet siden kl. 10.40: 3 optagelser, 1 lås eller fravalg."
    scene.show(replace(s.READY, shipping=replace(waits, since=s.NOW - timedelta(hours=18))))
    assert page.shipping.text().startswith("Venter på arkivet siden i går kl. 16.43: 3 optagelser")
    assert "klartone.nordlys.example svarer ikke" in page.shipping.text()
    refused = replace(waits, failed=1, refusal=CodedText("error.house.receipt_wrong"), signed_in=False)
    scene.show(replace(s.READY, shipping=refused))
    assert "har logget denne computer ud" in page.fault_text.text()
    assert "tager ikke imod én ting herfra" in page.fault_text.text()


def test_what_a_lead_has_shared_is_named_between_calls_until_it_has_been_opened(scene: Scene) -> None:
    """Below the last call, whose buttons do not move by it; in a call there is none of it."""
    asked: list[bool] = []
    page = scene.open(s.READY, start_review=asked.append).window.ready
    hint, house = page.shared, HouseState("https://klartone.nordlys.example", s.NOW, policy=7)
    scene.show(replace(s.READY, house=house))
    assert not hint.isVisible()
    ended = replace(s.READY, house=replace(house, shared=2))
    scene.show(ended)
    assert hint.text() == "Din leder har delt 2 samtaler"
    assert hint.minimumSizeHint().width() <= NARROWEST - 2 * MARGIN
    assert hint.y() > page.wrap_up.geometry().bottom()
    scene.press("sharedWithYou")
    assert (asked, hint.isVisible()) == ([True], False)
    # Where nothing has been opened when the house is heard of again, it is named again.
    again = replace(house, heard=s.NOW, shared=1)
    scene.show(replace(ended, house=again))
    assert hint.text() == "Din leder har delt en samtale"
    assert hint.isVisible()
    scene.show(replace(s.snapshot(s.call(s.RECORDING)), house=again))
    assert not hint.isVisible()
    scene.show(replace(ended, house=house))
    assert not hint.isVisible()
