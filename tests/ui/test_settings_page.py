"""The settings: what is typed reaches the engine whole, a password only the keyring."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QWidget

from softphone import __version__
from softphone.bootstrap.home import Home
from softphone.bootstrap.supporting import save_support
from softphone.domain.errors import HouseError, KeyringError
from softphone.domain.purpose import Language
from softphone.wire import snapshot, to_engine
from softphone.wire.from_engine import Done, Levels, Refused, Snapshot
from softphone.wire.snapshot import (
    Account,
    AccountState,
    CallPhase,
    CallState,
    CodedText,
    HouseState,
    Look,
    PolicyPhase,
    PolicyState,
    Registration,
    Settings,
)
from softphone.wire.to_engine import Dial, SaveSettings
from tests.ui import events as e
from tests.ui import states as s
from tests.ui.conftest import Scene, without_id
from tests.ui.window.places import place


def field(scene: Scene, name: str) -> QLineEdit:
    found = scene.widget(name)
    assert isinstance(found, QLineEdit)
    return found


def saved(scene: Scene, count: int = 1) -> list[SaveSettings]:
    scene.qtbot.waitUntil(
        lambda: len([c for c in scene.commands() if isinstance(c, SaveSettings)]) >= count, timeout=10_000
    )
    return [command for command in scene.commands() if isinstance(command, SaveSettings)]


def test_a_first_start_without_an_account_leads_to_the_settings(scene: Scene) -> None:
    desk = scene.open(s.FIRST_START)
    assert desk.window.settings_open
    assert desk.window.settings.welcome.isVisible()


def test_an_account_is_typed_and_saved_by_the_keyboard_alone(scene: Scene) -> None:
    desk = scene.open(s.FIRST_START)
    scene.activate()
    scene.qtbot.waitUntil(desk.window.settings.account.address.hasFocus, timeout=10_000)
    scene.qtbot.keyClicks(desk.window.settings.account.address, "salg@nordlys.example")
    scene.qtbot.keyClick(desk.window.settings.account.address, Qt.Key.Key_Tab)
    assert desk.window.settings.account.user.hasFocus()
    scene.qtbot.keyClicks(desk.window.settings.account.user, "4571")
    scene.qtbot.keyClick(desk.window.settings.account.user, Qt.Key.Key_Return)
    account = saved(scene)[0].settings.accounts[0]
    assert replace(account, id="") == Account("", "salg@nordlys.example", "4571", "udp")
    assert account.id
    assert scene.passwords == []


def test_a_password_goes_to_the_keyring_first_and_never_over_the_wire(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    field(scene, "accountPassword").setText("hemmelig-på-prøve")
    transport = scene.widget("accountTransport")
    assert isinstance(transport, QComboBox)
    transport.setCurrentIndex(1)
    scene.press("saveAccount")
    command = saved(scene)[0]
    assert scene.passwords == [("acc-1", "hemmelig-på-prøve")]
    assert command.settings.accounts == (replace(s.ACCOUNT, transport="tcp"),)
    assert "hemmelig" not in repr(scene.engine.received)
    assert desk.window.settings.account.state.text() == "Gemmer …"
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(command.id))
    assert desk.window.settings.account.state.text() == "Gemt."
    assert field(scene, "accountPassword").text() == ""


@pytest.mark.expected_log("bug ValueError", reason="the keyring throws what no keyring should")
def test_a_keyring_that_stumbles_is_said_without_its_words_and_what_was_typed_stays(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    desk = scene.open(s.snapshot())
    scene.keyring_fault = ValueError("cannot store hemmelig-på-prøve")
    scene.press("openSettings")
    field(scene, "accountPassword").setText("hemmelig-på-prøve")
    scene.press("saveAccount")
    account = desk.window.settings.account
    scene.qtbot.waitUntil(lambda: account.state.text() != "Gemmer …", timeout=10_000)
    assert account.state.text().startswith("Adgangskoden kunne ikke lægges i systemets nøglering (ValueError).")
    assert account.secret.text() == "hemmelig-på-prøve"
    assert "bug ValueError" in caplog.text
    assert "hemmelig" not in caplog.text
    assert not any(isinstance(command, SaveSettings) for command in scene.commands())


def test_an_account_that_the_engine_refuses_is_not_said_to_be_saved(scene: Scene) -> None:
    desk = scene.open(s.snapshot(s.call(s.RECORDING)))
    scene.press("openSettings")
    field(scene, "accountAddress").setText("ny@nordlys.example")
    scene.press("saveAccount")
    state = desk.window.settings.account.state
    scene.engine.tell(Refused(saved(scene)[0].id, CodedText("error.settings.in_call")))
    assert state.text() == "Gemmer …"
    scene.qtbot.waitUntil(desk.window.note.isVisible, timeout=10_000)
    assert desk.window.note.text.text().startswith("Kontoen kan ikke ændres")
    assert state.text() == ""
    assert field(scene, "accountAddress").text() == "ny@nordlys.example"


@pytest.mark.parametrize("call", [s.call(s.RECORDING), s.INCOMING, s.call(None, CallPhase.DIALLING, answered=None)])
def test_while_a_call_is_on_no_password_is_stored_and_what_was_typed_stays(scene: Scene, call: CallState) -> None:
    desk = scene.open(s.snapshot(call))
    scene.press("openSettings")
    field(scene, "accountAddress").setText("ny@nordlys.example")
    field(scene, "accountPassword").setText("hemmelig-på-prøve")
    scene.press("saveAccount")
    account = desk.window.settings.account
    assert account.state.text().startswith("Kontoen kan ikke ændres under en samtale.")
    scene.show(s.snapshot())
    assert scene.passwords == []
    assert scene.commands() == []
    assert (account.address.text(), account.secret.text()) == ("ny@nordlys.example", "hemmelig-på-prøve")
    scene.press("saveAccount")
    assert saved(scene)[0].settings.accounts[0].address == "ny@nordlys.example"
    assert scene.passwords == [("acc-1", "hemmelig-på-prøve")]


def test_a_password_that_was_stored_alone_is_owned_up_to_and_can_be_saved_again(scene: Scene) -> None:
    """A call may begin while the keyring is being unlocked."""
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    field(scene, "accountPassword").setText("hemmelig-på-prøve")
    scene.press("saveAccount")
    with scene.qtbot.waitSignal(desk.bridge.refused, timeout=10_000):
        scene.engine.tell(Refused(saved(scene)[0].id, CodedText("error.settings.in_call")))
    account = desk.window.settings.account
    assert account.state.text() == "Adgangskoden er gemt, men kontoen er ikke ændret. Gem kontoen igen."
    assert account.secret.text() == "hemmelig-på-prøve"
    scene.press("saveAccount")
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(saved(scene, 2)[1].id))
    assert account.state.text() == "Gemt."
    assert account.secret.text() == ""


def test_what_the_page_does_not_show_of_an_account_is_saved_as_it_was(scene: Scene) -> None:
    account = replace(s.ACCOUNT, accept_from=("10.0.0.0/24",), display_name="Anna", register=False)
    snapshot = s.snapshot()
    settings = replace(snapshot.settings, accounts=(account,), accept_from=("192.0.2.1",))
    scene.open(replace(snapshot, settings=settings))
    scene.press("openSettings")
    field(scene, "accountAddress").setText("ny@nordlys.example")
    scene.press("saveAccount")
    wanted = saved(scene)[0].settings
    assert wanted.accounts == (replace(account, address="ny@nordlys.example"),)
    assert wanted.accept_from == settings.accept_from


def several(*accounts: Account) -> Snapshot:
    snapshot = s.snapshot()
    states = (
        AccountState(accounts[0], Registration.REGISTERED),
        *(AccountState(one, Registration.UNREACHABLE) for one in accounts[1:]),
    )
    return replace(snapshot, settings=replace(snapshot.settings, accounts=accounts), accounts=states)


def test_behind_more_lies_the_rest_of_an_account_and_another_can_be_added(scene: Scene) -> None:
    desk = scene.open(several(s.ACCOUNT))
    scene.press("openSettings")
    assert not desk.window.settings.account.rest.isVisible()
    assert not desk.window.settings.account.picker.isVisible()
    scene.press("accountMore")
    field(scene, "accountProxy").setText("sip:proxy.nordlys.example:5080")
    field(scene, "accountAcceptFrom").setText("10.0.0.0/24, 192.0.2.7")
    field(scene, "accountDisplayName").setText("Anna")
    field(scene, "accountMailbox").setText("*98")
    desk.window.settings.account.ice.setCurrentIndex(1)
    scene.press("saveAccount")
    wanted = replace(
        s.ACCOUNT,
        outbound_proxy="proxy.nordlys.example:5080",
        accept_from=("10.0.0.0/24", "192.0.2.7"),
        display_name="Anna",
        mailbox="*98",
        ice=True,
    )
    assert saved(scene)[0].settings.accounts == (wanted,)

    scene.press("addAccount")
    assert field(scene, "accountAddress").text() == field(scene, "accountProxy").text() == ""
    field(scene, "accountAddress").setText("vagt@nordlys.example")
    field(scene, "accountPassword").setText("hemmelig-på-prøve")
    scene.press("saveAccount")
    command = saved(scene, 2)[1]
    first, second = command.settings.accounts
    assert (first, second.address, second.transport) == (s.ACCOUNT, "vagt@nordlys.example", "udp")
    assert scene.passwords == [(second.id, "hemmelig-på-prøve")]
    with scene.qtbot.waitSignal(desk.bridge.refused, timeout=10_000):
        scene.engine.tell(Refused(command.id, CodedText("error.settings.accounts", {"most": 7})))
    assert field(scene, "accountAddress").text() == "vagt@nordlys.example", "what was typed stays"
    scene.press("saveAccount")
    command = saved(scene, 3)[2]
    scene.show(several(s.ACCOUNT, command.settings.accounts[1]))
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(command.id))
    picker = desk.window.settings.account.picker
    assert picker.isVisible()
    assert [picker.itemText(index) for index in range(picker.count())] == [
        f"{s.ACCOUNT.address} · klar",
        "vagt@nordlys.example · serveren svarer ikke",
    ]
    assert picker.currentIndex() == 1
    assert desk.window.settings.account.state.text().startswith("Gemt, men serveren svarer ikke.")


def test_calls_go_out_on_the_account_that_is_chosen_and_one_is_removed_with_its_password_by_two_presses(
    scene: Scene,
) -> None:
    other = Account("acc-2", "vagt@nordlys.example")
    desk = scene.open(several(s.ACCOUNT, other))
    scene.press("openSettings")
    scene.press("accountMore")
    account = desk.window.settings.account
    assert not account.default.isEnabled(), "the first is the one already"
    account.picker.setCurrentIndex(1)
    account.picker.activated.emit(1)
    assert account.address.text() == other.address
    scene.press("accountDefault")
    assert saved(scene)[0].settings.accounts == (other, s.ACCOUNT)
    scene.press("removeAccount")
    assert scene.passwords == []
    scene.press("accountMore")
    scene.press("accountMore")
    scene.press("removeAccount")
    assert scene.passwords == [], "another press in between, and it is asked again"
    scene.press("removeAccount")
    assert saved(scene, 2)[1].settings.accounts == (s.ACCOUNT,)
    assert scene.passwords == [("acc-2", "")]
    scene.show(several(s.ACCOUNT))
    assert account.address.text() == s.ACCOUNT.address
    assert not account.picker.isVisible()


def test_each_account_has_its_state_in_the_window_and_a_call_goes_out_on_the_one_that_is_picked(scene: Scene) -> None:
    other = Account("acc-2", "vagt@nordlys.example")
    desk = scene.open(several(s.ACCOUNT, other))
    assert "Serveren svarer ikke – prøver igen · vagt" in desk.window.account.text()
    assert desk.window.account.toolTip().splitlines()[1] == f"Klar · {s.ACCOUNT.address}"
    dial = desk.window.ready.dial
    assert [dial.account.itemText(place) for place in (0, 1)] == [f"Fra {s.ACCOUNT.address}", f"Fra {other.address}"]

    def dialled() -> list[Dial]:
        return [command for command in scene.commands() if isinstance(command, Dial)]

    for count, account in enumerate((s.ACCOUNT, other), 1):
        place = dial.account.findData(account.id)
        dial.account.setCurrentIndex(place)
        dial.account.activated.emit(place)
        dial.target.setText("+4533221100")
        if not dial.line.isHidden():
            dial.line.setCurrentIndex(dial.line.count() - 1)
            dial.line.activated.emit(dial.line.count() - 1)
        dial.press()
        scene.qtbot.waitUntil(lambda count=count: len(dialled()) == count, timeout=10_000)
        assert dialled()[-1].account == account.id
        with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
            scene.engine.tell(Done(dialled()[-1].id))
    scene.show(several(s.ACCOUNT))
    assert dial.account.isHidden()


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


def test_an_account_by_tls_stays_one_when_something_else_of_it_is_saved(scene: Scene) -> None:
    scene.open(several(replace(s.ACCOUNT, transport="tls", srtp="required", certificate_authority="/etc/ca.pem")))
    scene.press("openSettings")
    field(scene, "accountUser").setText("4571")
    scene.press("saveAccount")
    account = saved(scene)[0].settings.accounts[0]
    assert (account.transport, account.srtp, account.certificate_authority) == ("tls", "required", "/etc/ca.pem")


def test_an_account_is_not_being_saved_for_ever_when_the_engine_goes_away(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    scene.press("saveAccount")
    saved(scene)
    with scene.qtbot.waitSignal(desk.bridge.disconnected, timeout=10_000):
        scene.engine.die()
    assert desk.window.settings.account.state.text() == ""


@pytest.mark.parametrize(
    ("registration", "words"),
    [(Registration.NO_PASSWORD, "gemmes i nøgleringen"), (Registration.REGISTERED, "skriv kun for at skifte")],
)
def test_no_password_is_called_stored_that_nobody_may_have_given(
    scene: Scene, registration: Registration, words: str
) -> None:
    scene.open(replace(s.snapshot(), accounts=(AccountState(s.ACCOUNT, registration),)))
    scene.press("openSettings")
    assert field(scene, "accountPassword").placeholderText() == words


@pytest.mark.parametrize("language", Language)
def test_what_the_empty_fields_say_can_be_read_in_the_narrowest_window(scene: Scene, language: Language) -> None:
    scene.language = language
    desk = scene.open(s.snapshot())
    desk.window.resize(320, 700)
    scene.press("openSettings")
    for box in desk.window.settings.findChildren(QLineEdit):
        if box.isVisible():
            words = box.fontMetrics().horizontalAdvance(box.placeholderText())
            assert words <= box.width() - 24, box.objectName()


def test_a_locked_keyring_is_said_and_nothing_is_saved(scene: Scene) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    scene.keyring_fault = KeyringError("why_not.not_now")
    field(scene, "accountPassword").setText("x")
    scene.press("saveAccount")
    state = desk.window.settings.account.state
    scene.qtbot.waitUntil(lambda: state.text() == "ikke muligt lige nu", timeout=10_000)
    # What was typed is still there: it can be saved once there is a keyring.
    assert field(scene, "accountPassword").text() == "x"
    assert not [command for command in scene.commands() if isinstance(command, SaveSettings)]


@pytest.mark.parametrize("address", ["", "salg", "@nordlys", "salg@", "sa lg@nordlys"])
def test_an_address_that_is_none_is_said_beside_the_field(scene: Scene, address: str) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    field(scene, "accountAddress").setText(address)
    scene.press("saveAccount")
    assert desk.window.settings.account.state.text().startswith("Adressen skal se ud som navn@server")


def test_what_is_being_typed_survives_a_snapshot(scene: Scene) -> None:
    scene.open(s.snapshot())
    scene.press("openSettings")
    field(scene, "accountAddress").setText("ny@nordlys.example")
    scene.show(s.snapshot(version=30))
    assert field(scene, "accountAddress").text() == "ny@nordlys.example"


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
    assert section.remarks_fold.text() == "Ét sted, der bør ses efter"
    assert not section.remarks.isVisible()
    scene.press("policyRemarksFold")
    assert section.remarks.isVisible()
    assert section.remarks.text() == "Linje 12 · line[1].training.retention · regel G10\ningen fil valgt"
    assert not section.faults.isVisible()
    assert not section.again.isVisible()


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
    assert told.text() == "Velkommen. Din organisation sætter kontiene op, og der er ingen endnu: Spørg IT."
    _picture(scene, "locked")


def _picture(scene: Scene, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        assert scene.desk is not None
        QApplication.processEvents()
        scene.desk.window.grab().save(f"{folder}/{name}-{scene.language}-{scene.look}.png")


@pytest.mark.parametrize(
    ("state", "said", "role"),
    [
        (Registration.REGISTERED, "Gemt.", "ok"),
        (Registration.REGISTERING, "Gemt. Logger på …", "muted"),
        (Registration.REFUSED, "Gemt, men serveren afviser kontoen. Tjek bruger og adgangskode.", "danger"),
        (Registration.NO_PASSWORD, "Gemt, men adgangskoden mangler. Skriv den ovenfor.", "danger"),
        (Registration.UNREACHABLE, "Gemt, men serveren svarer ikke. Tjek adressen.", "danger"),
    ],
)
def test_a_saved_account_is_not_green_below_a_red_line(scene: Scene, state: Registration, said: str, role: str) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    scene.press("saveAccount")
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(saved(scene)[0].id))
    scene.show(replace(s.snapshot(), accounts=(AccountState(s.ACCOUNT, state, code=403),)))
    label = desk.window.settings.account.state
    assert (label.text(), label.property("role")) == (said, role)


def test_seventy_doubts_leave_language_and_colours_in_sight(scene: Scene) -> None:
    doubts = tuple(CodedText("settings.policy.none", {}, line, f"line[{line}].retention") for line in range(74))
    policy = replace(e.WITH_REMARKS.policy, faults=doubts)
    desk = scene.open(replace(e.WITH_REMARKS, policy=policy))
    desk.window.resize(376, 800)
    scene.press("openSettings")
    section = desk.window.settings.policy
    assert section.remarks_fold.text() == "74 steder, der bør ses efter"
    assert section.height() < 400
    scene.press("policyRemarksFold")
    scene.qtbot.waitUntil(lambda: section.height() > 2000, timeout=10_000)
    assert section.remarks_fold.accessibleName() == "74 steder, der bør ses efter. Skjul dem"
    scene.press("policyRemarksFold")
    scene.qtbot.waitUntil(lambda: section.height() < 400, timeout=10_000)


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


def test_an_account_by_tls_says_how_sound_is_encrypted_and_whom_it_trusts_and_why_its_server_is_not(
    scene: Scene,
) -> None:
    desk = scene.open(s.snapshot())
    scene.press("openSettings")
    scene.press("accountMore")
    account = desk.window.settings.account
    assert not account.srtp.isVisibleTo(account), "without TLS there is nothing to choose"
    QApplication.processEvents()
    steps = {
        place(below).top() - place(above).bottom()
        for above, below in ((account.transport, account.proxy), (account.proxy, account.shown_name))
    }
    assert len(steps) == 1, "what is not shown leaves a gap"
    account.transport.setCurrentIndex(2)
    account.transport.activated.emit(2)
    assert account.authority.isVisibleTo(account)
    account.srtp.setCurrentIndex(1)
    account.authority.setText(" /etc/klartone/authority.pem ")
    scene.press("saveAccount")
    command = saved(scene)[0]
    wanted = replace(s.ACCOUNT, transport="tls", srtp="required", certificate_authority="/etc/klartone/authority.pem")
    assert command.settings.accounts == (wanted,)
    trouble = CodedText("connection.tls_name", {"server": "sip.nordlys.example", "detail": "pbx.example"})
    away = AccountState(wanted, Registration.UNREACHABLE, code=503, trouble=trouble)
    scene.show(replace(s.snapshot(), accounts=(away,), settings=command.settings))
    with scene.qtbot.waitSignal(desk.bridge.done, timeout=10_000):
        scene.engine.tell(Done(command.id))
    why = "Certifikatet fra sip.nordlys.example gælder pbx.example."
    assert account.state.text().startswith(f"Gemt. {why}")
    user = wanted.address.partition("@")[0]
    assert desk.window.account.text().startswith(f"Ingen sikker forbindelse – prøver igen · {user}")
    assert why in desk.window.account.toolTip()
    assert why in desk.window.ready.fault_text.text()
    # Once it is reached again, the trouble of before is no longer told.
    scene.show(replace(s.snapshot(), accounts=(replace(away, registration=Registration.REGISTERED),)))
    assert desk.window.account.text().startswith(f"Klar · {user}")
    assert why not in desk.window.ready.fault_text.text()


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
