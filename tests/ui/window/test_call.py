"""A call in the window: its title and timer, what the party is told and what the person here is to say and to press."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Direction, Reason
from softphone.domain.status import Action, InformedPhase, OptOutButton, OptOutKind
from softphone.ui.call.tiles import ActionButton
from softphone.wire.from_engine import Occurred
from softphone.wire.snapshot import CodedText, PastCall
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import Scene


def test_the_title_carries_the_headline_and_the_party(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.windowTitle() == "Optages til dokumentation og uddannelse – Mette Holm – Klartone"
    scene.show(s.snapshot(s.call(s.RECORDING, name="", number="+46701234567")))
    assert "+46 70 123 45 67" in desk.window.windowTitle()
    scene.show(s.snapshot())
    assert desk.window.windowTitle() == "Klartone"


def test_a_changed_headline_is_announced_once_and_a_counting_second_is_not(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scene.open(s.snapshot(s.call(s.PLAYING)))
    said: list[str] = []
    monkeypatch.setattr(desk.window, "announce", said.append)
    for second in range(3):
        scene.show(s.snapshot(s.call(replace(s.PLAYING, until=s.NOW + s.timedelta(seconds=8 - second)))))
    assert said == []
    scene.show(s.snapshot(s.call(s.RECORDING)))
    scene.show(s.snapshot(s.call(s.RECORDING), version=8))
    scene.show(s.snapshot(s.LOCKED_CALL))
    assert said == [
        "Optages til dokumentation og uddannelse",
        "Optages kun til dokumentation. Kunden sagde nej til uddannelse kl. 10.44. Låst mod sletning · tvist siden 10.45",
    ]


def test_the_timer_runs_from_the_answer_in_digits_of_one_width(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    assert desk.window.call.party.timer.text() == "02:14"
    assert desk.window.call.party.timer.font().isFeatureSet(desk.window.call.party.timer.font().featureTags()[0])


def test_one_click_copies_the_number(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    QApplication.clipboard().clear()
    scene.press("copyNumber")
    assert QApplication.clipboard().text() == "+45 20 12 34 56"
    assert desk.window.call.party.number.text() == "Kopieret"


def test_the_words_being_said_are_marked_and_the_lines_stay_where_they_are(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.PLAYING)))
    notice = desk.window.call.moment.notice
    half = notice.text.text()
    assert 'background-color:#FFF2D1">du</span>' in half
    height = notice.text.heightForWidth(300)
    early = replace(s.PLAYING, notice=replace(s.PLAYING.notice or s.TOLD, started_at=s.NOW))
    scene.show(s.snapshot(s.call(early)))
    assert 'background-color:#FFF2D1">Vi</span>' in notice.text.text()
    assert notice.text.heightForWidth(300) == height


def test_a_heard_notice_is_folded_and_opens_in_place(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    notice = desk.window.call.moment.notice
    assert notice.fold.text() == "Kunden fik besked kl. 10.41 · interesseafvejning"
    assert notice.fold.accessibleName() == "Kunden fik besked kl. 10.41. Vis teksten"
    assert not notice.card.isVisible()
    scene.press("noticeFold")
    assert notice.card.isVisible()
    assert notice.text.accessibleName() == s.TEXT


def test_no_notice_is_missed_where_none_was_to_be_given(scene: Scene) -> None:
    untold = replace(s.TOLD, told=InformedPhase.NOTHING, heard_at=None)
    desk = scene.open(s.snapshot(s.call(replace(e.VOICEMAIL, notice=untold))))
    assert not desk.window.call.moment.notice.isVisible()


@pytest.mark.rule("G05")
def test_a_text_to_read_aloud_is_large_and_is_confirmed_only_after_its_time(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.READING)))
    assert desk.window.call.moment.notice.text.font().pixelSize() == 18
    button = scene.widget("noticeRead")
    assert isinstance(button, ActionButton)
    assert (button.isEnabled(), button.sub()) == (False, "om 4 sek.")
    scene.show(s.snapshot(s.call(replace(s.READING, actions=(Action.NOTICE_READ,)))))
    assert button.isEnabled()
    assert scene.commands() == []


def test_a_text_to_be_read_has_the_room_of_a_second_row_and_playing_it_is_in_the_menu(scene: Scene) -> None:
    outgoing = replace(s.READING, actions=(Action.VOICEMAIL, Action.PLAY_AGAIN, Action.NOT_UNDERSTOOD))
    desk = scene.open(s.snapshot(s.call(outgoing)))
    page = desk.window.call
    shown = [button.objectName() for button in page.moment.first_presses()]
    assert shown == ["noticeRead", "voicemail"]
    offered = {action.objectName() for action in page.tools.menu.actions()}
    assert "action_play_again" in offered


def test_what_to_say_stands_there_when_the_law_requires_the_recording(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["obliged_noted"]))
    assert desk.window.call.moment.to_say.isVisible()
    assert desk.window.call.moment.to_say_text.text() == e.CALLS["obliged_noted"].objection_answer
    scene.show(s.snapshot(s.call(s.ON_OBLIGATION)))
    assert not desk.window.call.moment.to_say.isVisible()


@pytest.mark.rule("G22")
def test_the_agent_is_told_throughout_that_consent_is_needed_for_want_of_an_assessment(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    aside = desk.window.call.moment.aside
    assert not aside.isVisible()
    for status in (s.PLAYING, e.UNASSESSED, s.RECORDING):
        told = replace(status, reasons=(*status.reasons, s.reason(Reason.NO_ASSESSMENT)))
        scene.show(s.snapshot(s.call(told)))
        assert aside.isVisible()
        assert aside.text() == "Vurderingen er ikke skrevet færdig, så dokumentation kræver samtykke."


def test_what_happened_and_what_to_say_are_announced_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = scene.open(s.snapshot(s.call(s.ON_OBLIGATION)))
    said: list[str] = []
    monkeypatch.setattr(desk.window, "announce", said.append)
    noted = e.CALLS["obliged_noted"]
    scene.show(s.snapshot(noted))
    scene.show(s.snapshot(noted, version=8))
    assert said == [
        "Ønsket er noteret. Optagelsen fortsætter, fordi loven kræver den. Loven kræver, at vi optager den her slags samtaler"
    ]


def test_no_microphone_is_said_in_the_call(scene: Scene) -> None:
    silent = replace(
        s.snapshot(s.call(s.RECORDING)), sound=s.SoundState(fault=CodedText("settings.sound.no_microphone"))
    )
    desk = scene.open(silent)
    assert desk.window.call.moment.fault.isVisible()
    assert desk.window.call.moment.fault_text.text() == "Ingen mikrofon"


@pytest.mark.rule("G09")
def test_the_warning_before_recording_resumes_is_announced_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = scene.open(s.snapshot(s.call(s.SENSITIVE)))
    said: list[str] = []
    monkeypatch.setattr(desk.window, "announce", said.append)
    for left in (10, 9, 8):
        warned = replace(e.WARNED, until=s.NOW + timedelta(seconds=left))
        scene.show(s.snapshot(s.call(warned), version=left))
    assert len(said) == 1
    assert "Optagelsen fortsætter om 10 sek" in said[0]


@pytest.mark.rule("G09")
def test_more_time_stands_there_from_the_start_of_a_pause_and_can_be_pressed_at_its_end(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.SENSITIVE)))
    button = scene.widget("moreTime")
    assert (button.isVisible(), button.isEnabled()) == (True, False)
    place = button.geometry()
    scene.show(s.snapshot(e.CALLS["warned"]))
    QApplication.processEvents()
    assert (button.isEnabled(), button.geometry()) == (True, place)
    scene.show(s.snapshot(e.CALLS["by_hand"]))
    assert not button.isVisible()
    assert desk.window.call.moment.first_presses()[0].objectName() == "resume"


def test_a_machine_is_asked_about_until_a_person_has_answered_and_then_from_the_menu(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.NOBODY_YET)))
    assert scene.widget("voicemail").isVisible()
    scene.show(s.snapshot(s.call(replace(s.DOCUMENTED, actions=(*s.TALK, Action.VOICEMAIL)))))
    assert not scene.widget("voicemail").isVisible()
    assert "action_voicemail" in [action.objectName() for action in desk.window.call.tools.menu.actions()]


def test_what_was_pressed_keeps_its_name_when_it_cannot_be_pressed_again(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["obliged_noted"]))
    button = desk.window.call.rights.opt_out
    assert (button.text(), button.sub(), button.isEnabled()) == ("Notér ønsket", "ønsket er noteret", False)


def test_the_length_of_what_is_missing_is_said_as_the_phone_goes_on(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.engine.tell(Occurred("call-1", "stood_still", s.NOW, 90.0, {"seconds": 4.2}))
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    told = desk.window.note.text.text()
    assert told == "Telefonen stod stille i 4 sek. Det, der blev sagt imens, mangler i optagelsen."


@pytest.mark.rule("G09")
def test_held_and_sensitive_at_once_no_countdown_and_no_press_promises_what_does_not_come(scene: Scene) -> None:
    desk = scene.open(s.snapshot(e.CALLS["held_too"]))
    words = desk.window.call.card.words
    assert words is not None
    assert words.progress is None
    assert "45" not in f"{words.body}{words.sentence}"
    resume = scene.widget("resume")
    assert isinstance(resume, ActionButton)
    assert (resume.text(), resume.sub()) == ("Ikke følsomt mere", "stadig på pause")
    assert desk.window.call.tools.pause.accessibleName() == "Ikke følsomt mere"
    scene.show(s.snapshot(s.call(s.SENSITIVE)))
    assert (resume.text(), resume.sub()) == ("Fortsæt nu", "optag igen")


@pytest.mark.rule("G23")
def test_a_recording_stopped_by_an_objection_does_not_read_as_a_pause_and_has_a_sentence_to_say(
    scene: Scene,
) -> None:
    call = e.CALLS["unclear"]
    assert call.status is not None
    desk = scene.open(s.snapshot(replace(call, status=replace(call.status, notes=("objection_received",)))))
    words = desk.window.call.card.words
    assert words is not None
    assert (words.title, words.tone, words.progress) == ("Optages ikke", "neutral", None)
    assert desk.window.windowTitle().startswith("Optages ikke · indsigelse modtaget kl. 10.44")
    assert desk.window.call.moment.to_say_text.text().startswith("Det har jeg noteret som en indsigelse.")
    scene.show(s.snapshot(s.call(replace(s.OBJECTED, notes=("objection_received",)))))
    assert desk.window.call.moment.to_say.isVisible()


@pytest.mark.rule("G11")
def test_where_nothing_could_be_stored_there_is_nothing_to_pause_to_lock_or_to_object_to(scene: Scene) -> None:
    failed = replace(
        s.STORAGE_FAILED,
        purposes={s.DOC: replace(s.ACTIVE, reason=Reason.STORAGE_FAILED), s.TRAIN: s.OFF},
        opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True),
        dispute=s.ARM,
        actions=(*s.TALK, Action.OBJECT),
    )
    desk = scene.open(s.snapshot(s.call(failed)))
    page = desk.window.call
    buttons = (page.tools.pause, page.rights.dispute, page.rights.opt_out)
    assert [(one.isEnabled(), one.accessibleDescription()) for one in buttons] == [
        (False, "der optages ikke lige nu"),
        (False, "intet er gemt"),
        (False, "intet optages"),
    ]
    objection = next(one for one in page.tools.menu.actions() if one.objectName() == "action_object")
    assert not objection.isEnabled()
    # What was stored before it failed can be locked, and a no to training counts for what may still come.
    scene.show(s.snapshot(s.call(replace(failed, kept=True, recordings=("rec-1",)))))
    assert page.rights.dispute.isEnabled()
    scene.show(s.snapshot(s.call(replace(failed, opt_out=s.ENDS))))
    assert page.rights.opt_out.isEnabled()


def test_the_notices_fold_tells_what_each_purpose_rests_on(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    notice = desk.window.call.moment.notice
    assert not notice.bases.isVisible()
    scene.press("noticeFold")
    assert notice.bases.isVisible()
    assert notice.bases.text() == (
        "Dokumentation · interesseafvejning: Aftaler på salgslinjen skal kunne dokumenteres\n"
        "Uddannelse · interesseafvejning: Vi uddanner nye kolleger på salgslinjen"
    )
    scene.show(s.snapshot(s.call(s.ON_OBLIGATION)))
    assert notice.bases.text().startswith("Dokumentation · loven kræver det")


def test_who_rang_meanwhile_is_shown_in_the_call(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    aside = desk.window.call.moment.aside
    assert not aside.isVisible()
    second = PastCall("busy-1", Direction.INBOUND, "", "+4531221009", "salg", s.at("10:42"), 0, "missed")
    scene.show(s.snapshot(s.call(s.RECORDING), history=(second, *s.HISTORY)))
    assert aside.text() == "+45 31 22 10 09 ringede kl. 10.42, mens du talte."
