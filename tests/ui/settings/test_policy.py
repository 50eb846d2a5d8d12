"""The policy in the settings: which file, what is wrong with it or worth a look, and who must have signed it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from softphone.wire import to_engine
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import (
    CodedText,
    PolicyPhase,
    PolicyState,
    Settings,
)
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import Scene
from tests.ui.settings.asked import field, saved


def test_each_fault_of_the_policy_is_listed_with_line_key_and_sentence(scene: Scene) -> None:
    faults = (
        CodedText("settings.policy.missing", {}, 12, "line[0].retention"),
        CodedText("settings.sound.no_microphone"),
    )
    state = replace(s.snapshot(), policy=PolicyState(PolicyPhase.FAULTY, "p.toml", faults=faults))
    desk = scene.open(state)
    scene.press("openSettings")
    assert desk.window.settings.policy.state.text() == "2 fejl. Intet optages, før de er rettet."
    assert desk.window.settings.policy.faults.text() == (
        "Linje 12 · line[0].retention\nDer er ingen regler, så intet optages.\n\nIngen mikrofon"
    )


def test_a_policy_file_is_typed_or_chosen_without_a_modal_dialog(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    path = field(scene, "policyPath")
    path.setText("/tmp/regler.toml")
    path.editingFinished.emit()
    assert saved(scene)[0].settings.policy == "/tmp/regler.toml"
    scene.press("choosePolicy")
    dialog = desk.window.findChild(QFileDialog, "policyDialog")
    assert dialog is not None
    assert not dialog.isModal()
    dialog.fileSelected.emit("/tmp/andre.toml")
    dialog.close()
    assert saved(scene, 2)[1].settings.policy == "/tmp/andre.toml"


def with_policy(phase: PolicyPhase) -> Snapshot:
    state = PolicyState(phase, "/tmp/regler.toml", faults=(CodedText("a"),) if phase is PolicyPhase.FAULTY else ())
    return replace(s.snapshot(), policy=state, settings=Settings(policy="/tmp/regler.toml", accounts=(s.ACCOUNT,)))


@pytest.mark.parametrize("phase", [PolicyPhase.FAULTY, PolicyPhase.MISSING])
def test_a_policy_that_has_been_mended_is_read_again(scene: Scene, phase: PolicyPhase) -> None:
    desk = scene.open(with_policy(phase))
    scene.press("openSettings")
    scene.press("readPolicyAgain")
    scene.qtbot.keyClick(field(scene, "policyPath"), Qt.Key.Key_Return)
    scene.press("choosePolicy")
    dialog = desk.window.findChild(QFileDialog, "policyDialog")
    assert dialog is not None
    dialog.fileSelected.emit("/tmp/regler.toml")
    dialog.close()
    assert [command.settings.policy for command in saved(scene, 3)] == ["/tmp/regler.toml"] * 3
    field(scene, "policyPath").setText("/tmp/andre.toml")
    scene.qtbot.keyClick(field(scene, "policyPath"), Qt.Key.Key_Return)
    assert [command.settings.policy for command in saved(scene, 4)][3:] == ["/tmp/andre.toml"]


@pytest.mark.parametrize("phase", [PolicyPhase.READY, PolicyPhase.LOADING])
def test_a_policy_in_use_is_not_read_again_by_the_way(scene: Scene, phase: PolicyPhase) -> None:
    desk = scene.open(with_policy(phase))
    scene.press("openSettings")
    assert not desk.window.settings.policy.again.isVisible()
    scene.qtbot.keyClick(field(scene, "policyPath"), Qt.Key.Key_Return)
    scene.press("testTone")
    assert [type(command) for command in scene.sent()] == [to_engine.TestTone]


def test_who_must_have_signed_the_policy_is_typed_and_saved_with_it(scene: Scene) -> None:
    scene.open(with_policy(PolicyPhase.READY))
    scene.press("openSettings")
    signer = field(scene, "policySigner")
    assert signer.placeholderText() == "skal ikke underskrives"
    signer.setText(" bm9nbGUgbmnDuGdsZXI= ")
    signer.editingFinished.emit()
    settings = saved(scene)[0].settings
    assert (settings.policy, settings.policy_signer) == ("/tmp/regler.toml", "bm9nbGUgbmnDuGdsZXI=")


def test_what_is_doubtful_in_a_policy_in_use_is_listed_and_is_no_fault(scene: Scene) -> None:
    desk = scene.open(e.WITH_REMARKS)
    scene.press("openSettings")
    section = desk.window.settings.policy
    assert section.state.text() == "Reglerne for Nordlys El A/S er i brug."
    assert section.remarks_fold.text() == "Én ting at se på"
    assert not section.remarks.isVisible()
    scene.press("policyRemarksFold")
    assert section.remarks.isVisible()
    assert section.remarks.text() == "Linje 12 · line[1].training.retention · regel G10\ningen fil valgt"
    assert not section.faults.isVisible()
    assert not section.again.isVisible()


def test_seventy_doubts_leave_language_and_colours_in_sight(scene: Scene) -> None:
    doubts = tuple(CodedText("settings.policy.none", {}, line, f"line[{line}].retention") for line in range(74))
    policy = replace(e.WITH_REMARKS.policy, faults=doubts)
    desk = scene.open(replace(e.WITH_REMARKS, policy=policy))
    desk.window.resize(376, 800)
    scene.press("openSettings")
    section = desk.window.settings.policy
    assert section.remarks_fold.text() == "74 ting at se på"
    assert section.height() < 400
    scene.press("policyRemarksFold")
    scene.qtbot.waitUntil(lambda: section.height() > 2000, timeout=10_000)
    assert section.remarks_fold.accessibleName() == "74 ting at se på. Skjul dem"
    scene.press("policyRemarksFold")
    scene.qtbot.waitUntil(lambda: section.height() < 400, timeout=10_000)
