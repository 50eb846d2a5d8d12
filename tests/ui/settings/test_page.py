"""The rest of the settings: sound, network, looks, the house, support, and what the organisation has locked."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QWidget

from softphone import __version__
from softphone.bootstrap.home import Home
from softphone.bootstrap.supporting import save_support
from softphone.domain.errors import HouseError
from softphone.domain.purpose import Language
from softphone.wire import snapshot, to_engine
from softphone.wire.from_engine import Levels
from softphone.wire.snapshot import (
    CodedText,
    HouseState,
    Look,
    PolicyPhase,
    PolicyState,
    Settings,
)
from softphone.wire.to_engine import SaveSettings
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id
from tests.ui.settings.asked import field, saved


def test_the_network_is_behind_more_and_what_cannot_be_used_is_said_and_stays_typed(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    network = desk.window.settings.network
    assert not network.isVisible()
    scene.press("accountMore")
    assert network.isVisible()
    field(scene, "networkPort").setText("99999")
    network.port.editingFinished.emit()
    assert "99999" in network.state.text()
    assert field(scene, "networkPort").text() == "99999"
    for name, line, wrong, named in (
        ("networkPort", network.port, "abc", "abc er ikke en port."),
        ("networkKeepAlive", network.keep_alive, "tit", "tit kan ikke bruges som sekunder mellem livstegn"),
    ):
        before = field(scene, name).text()
        field(scene, name).setText(wrong)
        line.editingFinished.emit()
        assert network.state.text().startswith(named)
        assert field(scene, name).text() == wrong
        field(scene, name).setText("" if name == "networkPort" else before)
    field(scene, "networkPort").setText("5062")
    field(scene, "networkStun").setText("stun example")
    network.port.editingFinished.emit()
    assert "stun example" in network.state.text()
    field(scene, "networkStun").setText("stun.example.com:3479")
    field(scene, "networkKeepAlive").setText("30")
    field(scene, "networkAcceptFrom").setText("10.0.0.0/24 192.0.2.7")
    network.port.editingFinished.emit()
    wanted = saved(scene)[0].settings
    assert wanted.stun == "stun.example.com:3479"
    assert (wanted.port, wanted.keep_alive, wanted.accept_from) == (5062, 30, ("10.0.0.0/24", "192.0.2.7"))


@pytest.mark.parametrize(
    ("box", "index", "change"),
    [
        ("microphone", 1, {"microphone": "m1"}),
        ("speaker", 2, {"speaker": "s1"}),
        ("language", 2, {"language": Language.EN}),
        ("language", 0, {"language": None}),
        ("look", 2, {"look": Look.DARK}),
    ],
)
def test_a_choice_from_a_list_is_saved_at_once(scene: Scene, box: str, index: int, change: dict[str, object]) -> None:
    state = s.snapshot()
    scene.open(state)
    scene.press("openSettings")
    picked = scene.widget(box)
    assert isinstance(picked, QComboBox)
    picked.setCurrentIndex(index)
    picked.activated.emit(index)
    wanted = replace(scene.dressed(state).settings, **change)  # pyright: ignore[reportArgumentType]
    assert without_id(saved(scene)[0]) == SaveSettings("", wanted)


def test_levels_move_the_meters(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    with scene.qtbot.waitSignal(desk.bridge.levels, timeout=10_000):
        scene.engine.tell(Levels(-12.0, -90.0))
    assert desk.window.settings.sound.meter.level == -12.0
    assert desk.window.settings.sound.speaker_meter.level == -60.0


def test_a_file_for_support_is_written_beside_the_window_and_its_end_is_said(scene: Scene, tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    desk = scene.open(s.snapshot(), save_support=lambda path: save_support(home, path))
    desk.window.resize(376, 800)
    scene.press("openSettings")
    page, file = desk.window.settings, tmp_path / "til-support.zip"
    for chosen, role in ((tmp_path / "not" / "there.zip", "danger"), (file, "muted")):
        scene.press("saveSupport")
        dialog = desk.window.findChild(QFileDialog, "supportDialog")
        assert dialog is not None
        assert not dialog.isModal()
        dialog.fileSelected.emit(str(chosen))
        dialog.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert not page.support.choose.isEnabled()
        scene.qtbot.waitUntil(page.support.choose.isEnabled, timeout=60_000)
        assert page.support.state.property("role") == role
    assert str(file) in page.support.state.text()
    assert zipfile.is_zipfile(file)
    # Who is asked for the version finds it there, and in the tray's menu.
    assert page.support.version.text() == f"Klartone {__version__}"
    page.reel.ensureWidgetVisible(page.support.version)
    _picture(scene, "support")
    for copies in (page.support.version.click, desk.tray.about_action.trigger):
        QApplication.clipboard().clear()
        copies()
        assert QApplication.clipboard().text() == f"Klartone {__version__}"
    assert page.support.version.text() == "Kopieret"


def test_a_link_that_is_pasted_joins_the_house_beside_the_window_and_the_phone_reads_what_it_set_up(
    scene: Scene,
) -> None:
    links: list[str] = []
    address, wrong = "https://klartone.nordlys.example", "the house is another"

    def join(link: str, stopped: threading.Event, asks: Callable[[bool], None]) -> None:
        links.append(link)
        if link == "" and links.count("") == 1:
            asks(True)
            assert stopped.wait(30), "its browser is asked, and nobody signs in there"
            raise HouseError("error.house.sign_in_stopped")
        if link == wrong:
            raise HouseError("error.house.other_signer")

    desk = scene.open(s.FIRST_START, join_house=join)
    scene.activate()
    section = desk.window.settings.house
    page = desk.window.settings
    assert page.account.y() < section.y() < page.sound.y(), "most have no link: the account comes first"
    assert not section.join.isEnabled()
    for link, role in ((wrong, "danger"), (f"  {address}/join#code.signer ", "muted")):
        section.link.setFocus()
        section.link.clear()
        scene.qtbot.keyClicks(section.link, link)
        scene.press("joinHouse")
        assert not section.cancel.isVisible(), "no browser is waited for"
        scene.qtbot.waitUntil(lambda link=link: links[-1:] == [link.strip()] and not section._works, timeout=10_000)
        assert section.said.property("role") == role
    scene.qtbot.waitUntil(lambda: any(isinstance(c, to_engine.ReadSettings) for c in scene.commands()), timeout=10_000)
    # A member sees which house, since when and how it stands; no field is there to join another.
    house = HouseState(address, s.NOW - timedelta(days=40), s.NOW - timedelta(minutes=1), policy=7)
    scene.show(replace(s.snapshot(), house=house))
    scene.qtbot.waitUntil(lambda: "klartone.nordlys.example" in section.state.text(), timeout=10_000)
    assert not section.link.isVisible()
    assert "7" in section.state.text()
    # Signed out, it says so, and a new link can be pasted.
    scene.show(replace(s.snapshot(), house=replace(house, trouble=CodedText("error.house.signed_out"))))
    scene.qtbot.waitUntil(section.link.isVisible, timeout=10_000)
    assert "har logget denne computer ud" in section.trouble.text()
    # Or, where the house signs its people in by itself, its browser is asked once more.
    scene.press("joinHouse")
    scene.qtbot.waitUntil(section.cancel.isVisible, timeout=10_000)
    assert section.said.text().startswith("Log ind i browseren.")
    scene.press("stopJoining")
    assert not section.cancel.isVisible()
    scene.qtbot.waitUntil(lambda: not section._works, timeout=10_000)
    scene.press("joinHouse")
    scene.qtbot.waitUntil(lambda: links[-2:] == ["", ""] and not section._works, timeout=10_000)
    # Where the organisation sets the policy itself, no house can.
    scene.show(replace(s.snapshot(), locked={"policy": "/etc/klartone/settings.toml"}))
    scene.qtbot.waitUntil(lambda: not section.link.isEnabled(), timeout=10_000)
    assert "/etc/klartone/settings.toml" in section.join.toolTip()
    assert section.state.text() == section.join.toolTip()


def test_a_first_start_that_is_none_says_what_became_of_the_settings(scene: Scene) -> None:
    params: dict[str, str | int | float] = {
        "path": "C/settings.toml",
        "aside": "settings.faulty.toml",
        "places": "3 colour",
    }
    fault = CodedText("error.settings.faulty", params)
    desk = scene.open(replace(s.snapshot(), settings=Settings(), accounts=(), faults=(fault,)))
    told = desk.window.settings.welcome
    assert told.isVisible()
    assert "3 colour" in told.text()
    assert "settings.faulty.toml" in told.text()
    assert "Velkommen" not in told.text()

    # The organisation's file explains more than the user's, and why there are no rules; what is locked nobody can choose.
    shut = CodedText("error.settings.machine_shut", {"places": "/etc/klartone/settings.toml"})
    missing = PolicyState(PolicyPhase.MISSING)
    bare = replace(s.snapshot(), settings=Settings(), accounts=(), policy=missing)
    etc = {"accounts": "/etc/klartone/settings.toml", "policy": "/etc/klartone/settings.toml"}
    scene.show(replace(bare, faults=(CodedText("fault.edge"), fault, shut), locked=etc))
    assert told.text().startswith("Organisationens indstillinger")
    _picture(scene, "shut")
    scene.press("back")
    said = desk.window.ready.fault_text.text()
    assert said.startswith("Organisationens indstillinger")
    assert "Der er ingen regler" not in said
    _picture(scene, "shut-home")
    scene.show(replace(bare, locked=etc))
    assert "Vælg filen" not in desk.window.ready.fault_text.text()
    assert "Sig det til IT" in desk.window.ready.fault_text.text()
    _picture(scene, "locked-home")
    scene.press("openSettings")
    assert told.text() == "Velkommen. Din organisation sætter kontiene op, og der er ingen endnu. Spørg IT."
    _picture(scene, "locked")


def _picture(scene: Scene, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        assert scene.desk is not None
        QApplication.processEvents()
        scene.desk.window.grab().save(f"{folder}/{name}-{scene.language}-{scene.look}.png")


def test_a_chosen_device_that_is_not_plugged_in_is_shown_as_the_chosen_one(scene: Scene) -> None:
    here = snapshot.SoundDevice("PulseAudio: jabra", "Evolve2 65", microphone=True, speaker=True)
    gone = "PulseAudio: alsa_input.usb-GN_Netcom_A_S_Jabra_Evolve2_65_MS_000123A4B5C6-00.mono-fallback"
    state = replace(s.snapshot(), sound=snapshot.SoundState((here,), here.id, here.id))
    chosen = replace(state.settings, microphone=gone, speaker=gone, ring_device=gone, notice_device=gone)
    desk = scene.open(replace(state, settings=chosen))
    scene.press("openSettings")
    sound = desk.window.settings.sound
    for box in (sound.microphone, sound.speaker, sound.ring_device, sound.notice_device):
        assert (box.currentText(), box.currentData()) == (
            "Ikke tilsluttet: GN Netcom A S Jabra Evolve2 65 MS",
            gone,
        )
        assert box.findText("Evolve2 65") > 0
    scene.engine.tell(replace(state, settings=replace(chosen, speaker=here.id)))
    scene.qtbot.waitUntil(lambda: sound.speaker.currentText() == "Evolve2 65", timeout=10_000)
    assert sound.speaker.findData(gone) == -1


def test_ring_volumes_and_what_is_taken_out_of_the_microphone_are_chosen_behind_more(scene: Scene) -> None:
    headset = snapshot.SoundDevice("PulseAudio: jabra", "Evolve2 65", microphone=True, speaker=True)
    state = replace(s.snapshot(), sound=snapshot.SoundState((headset,), headset.id, headset.id))
    desk = scene.open(state)
    scene.press("openSettings")
    sound = desk.window.settings.sound
    assert sound.ring_device.itemText(0) == "Samme som højttaleren"
    assert not sound.noise.isVisible()
    scene.press("ownCall")
    scene.qtbot.waitUntil(
        lambda: any(isinstance(one, to_engine.TestCall) for one in scene.commands()[-1:]), timeout=10_000
    )
    assert without_id(scene.commands()[-1]) == to_engine.TestCall("", state.settings.accounts[0].id)
    scene.press("soundMore")
    chosen = {
        "ringDevice": ("Evolve2 65", {"ring_device": headset.id}),
        "ringSound": ("Klokke", {"ring_sound": "bell"}),
        "ringVolume": ("Lydløs", {"ring_volume": 0}),
        "microphoneVolume": ("150 %", {"microphone_volume": 150}),
        "noise": ("Til", {"noise": True}),
    }
    for count, (name, (text, change)) in enumerate(chosen.items(), 1):
        box = scene.widget(name)
        assert isinstance(box, QComboBox)
        assert box.isVisible()
        box.setCurrentIndex(box.findText(text))
        box.activated.emit(box.currentIndex())
        assert saved(scene, count)[-1].settings == replace(desk.window.settings.sound.settings, **change)


def test_what_the_organisation_has_locked_is_shown_with_its_place_and_cannot_be_changed(scene: Scene) -> None:
    etc, more = "/etc/klartone/settings.toml", "/etc/klartone/settings.d/20.toml"
    locked = {"policy": etc, "port": etc, "accounts": more, "ring_volume": more, "language": etc, "look": etc}
    desk = scene.open(replace(s.snapshot(), locked=locked))
    scene.press("openSettings")
    for name in ("accountMore", "soundMore"):
        scene.press(name)
    page = desk.window.settings
    lines: list[QWidget] = [page.policy.path, page.network.port, page.account.address, page.account.transport]
    for widget in (*lines, page.sound.ring_volume, page.appearance.language):
        assert not widget.isEnabled()
        assert widget.accessibleName().endswith("Styret af din organisation")
        assert "/etc/klartone/settings" in widget.accessibleDescription()
    assert not page.policy.choose.isEnabled()
    assert not any(one.isVisible() for one in (page.account.add, page.account.remove, page.account.default))
    assert page.sound.managed.text() == f"Styret af din organisation ({more})"
    assert (page.account.user.placeholderText(), page.account.button.text()) == ("", "Gem adgangskode")
    _picture(scene, "managed")
    assert not page.appearance.text_size.accessibleDescription()
    assert not scene.widget("toggleLook").isEnabled()
    assert etc in scene.widget("toggleLook").accessibleDescription()
    # What is left to the user stays: another setting, and the account's password.
    assert all(one.isEnabled() for one in (page.sound.microphone, page.network.keep_alive, page.account.secret))
    field(scene, "accountPassword").setText("hemmelig-på-prøve")
    scene.press("saveAccount")
    assert saved(scene)[0].settings.accounts == (s.ACCOUNT,)
    assert scene.passwords == [("acc-1", "hemmelig-på-prøve")]
    # IT lets go of it.
    scene.show(s.snapshot())
    assert all(one.isEnabled() for one in (*lines, page.policy.choose, page.account.add))
    assert not page.sound.managed.isVisible()
    assert page.network.port.accessibleDescription() == ""
