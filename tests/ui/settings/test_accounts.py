"""Accounts in the settings: what is typed reaches the engine whole, a password only the keyring."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit

from softphone.domain.errors import KeyringError
from softphone.domain.purpose import Language
from softphone.wire.from_engine import Done, Refused, Snapshot
from softphone.wire.snapshot import (
    Account,
    AccountState,
    CallPhase,
    CallState,
    CodedText,
    Registration,
)
from softphone.wire.to_engine import Dial, SaveSettings
from tests.ui import states as s
from tests.ui.conftest import Scene
from tests.ui.settings.asked import field, saved
from tests.ui.window.places import place


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
