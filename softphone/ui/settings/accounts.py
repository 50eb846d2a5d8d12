"""The settings of the accounts: what most people need, and behind *More* what a company's IT may ask for.

One account is shown at a time. The first of them is the one that calls go out on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from softphone.domain.errors import KlartoneError
from softphone.texts import Texts
from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import ComboBox
from softphone.ui.settings.forms import SaidLabel, Section, line_field
from softphone.ui.view import View, new_id
from softphone.ui.words.account import reason, sentence
from softphone.wire.snapshot import Account, AccountState, Registration, Settings, Srtp, Transport

_SRTP: tuple[Srtp, ...] = ("optional", "required", "off")
NEW = ""
"""the id of an account that is not saved yet"""
_AFTER: dict[Registration | None, tuple[str, str]] = {
    None: ("settings.account.saved", "muted"),
    Registration.REGISTERING: ("settings.account.saved.registering", "muted"),
    Registration.REFUSED: ("settings.account.saved.refused", "danger"),
    Registration.NO_PASSWORD: ("settings.account.saved.no_password", "danger"),
    Registration.UNREACHABLE: ("settings.account.saved.unreachable", "danger"),
}
"""the sentence about a saved account for each state of its registration, and its colour; else it is saved and well"""


class AccountSection(Section):
    """password(account_id, password) comes before `save`, if one was typed; an empty one: it is to be forgotten."""

    password = Signal(str, str)
    opened = Signal(bool)
    """whether the rest is shown"""

    def __init__(self) -> None:
        super().__init__("account")
        self.picker = ComboBox("accountPicker")
        self.address = line_field("accountAddress")
        self.user = line_field("accountUser")
        self.secret = line_field("accountPassword")
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.more = QuietButton("accountMore", size=14)
        self.transport = ComboBox("accountTransport")
        for transport in get_args(Transport):
            self.transport.addItem(transport.upper(), transport)
        self.srtp = ComboBox("accountSrtp")
        for word in _SRTP:
            self.srtp.addItem(word, word)
        self.authority = line_field("accountAuthority")
        self.proxy = line_field("accountProxy")
        self.shown_name = line_field("accountDisplayName")
        self.mailbox = line_field("accountMailbox")
        self.accept = line_field("accountAcceptFrom")
        self.register = ComboBox("accountRegister")
        for word in ("yes", "no"):
            self.register.addItem(word, word)
        self.state = SaidLabel("accountSaved")
        self.ice = ComboBox("accountIce")
        for word in ("no", "yes"):
            self.ice.addItem(word, word)
        self.button = FilledButton("saveAccount", "accent", 40)
        self.default = FilledButton("accountDefault", "plain", 36)
        self.add = FilledButton("addAccount", "plain", 36)
        self.remove = FilledButton("removeAccount", "plain", 36)
        self.field("settings.account.picker", self.picker)
        self.field("settings.account.address", self.address)
        self.field("settings.account.user", self.user)
        self.field("settings.account.password", self.secret)
        self.body.addSpacing(6)
        self.body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.rest = QWidget()
        inner = QVBoxLayout(self.rest)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        for code, widget in (
            ("settings.account.transport", self.transport),
            ("settings.account.srtp", self.srtp),
            ("settings.account.authority", self.authority),
            ("settings.account.proxy", self.proxy),
            ("settings.account.display_name", self.shown_name),
            ("settings.account.ice", self.ice),
            ("settings.account.mailbox", self.mailbox),
            ("settings.account.accept_from", self.accept),
            ("settings.account.register", self.register),
        ):
            self.field(code, widget, inner)
        self.rest.hide()
        self.body.addWidget(self.rest)
        self.body.addSpacing(6)
        self.body.addWidget(self.button)
        self.body.addWidget(self.state)
        self.others = QWidget()
        beside = QVBoxLayout(self.others)
        beside.setContentsMargins(0, 10, 0, 0)
        beside.setSpacing(8)
        for button in (self.default, self.add, self.remove):
            beside.addWidget(button)
        self.others.hide()
        self.body.addWidget(self.others)
        self.button.clicked.connect(self.press)
        self.more.clicked.connect(self._open)
        self.add.clicked.connect(self._begin_new)
        self.remove.clicked.connect(self._remove)
        self.default.clicked.connect(self._make_default)
        self.picker.activated.connect(self._pick)
        self.transport.activated.connect(self._again)
        lines = (
            self.address,
            self.user,
            self.secret,
            self.authority,
            self.proxy,
            self.shown_name,
            self.mailbox,
            self.accept,
        )
        for line in lines:
            line.returnPressed.connect(self.press)
        self._shown: str | None = None
        """the id of the account in the fields"""
        self._loaded: Account | None = None
        self._view: View | None = None
        self._waiting: Settings | None = None
        self._saving = ""
        """the id of the account that is on its way to the engine"""
        self._removing = False
        """whether the next press removes it"""
        self._stored = False
        """whether the keyring already has the password of what is being saved"""
        self._told: Callable[[Texts], str] | None = None
        self._saved = False
        """the last message; the registration's state follows it"""

    # --- what is shown -----------------------------------------------------------------------------

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        account = self._account()
        if account != self._loaded:
            self._load(account)
        self._render_picker(view)
        self.transport.render_view(view)
        yes_no: list[tuple[str, str | None]] = [
            (view.texts(f"settings.account.register.{word}"), word) for word in ("yes", "no")
        ]
        self.register.show_entries(view, yes_no, self.register.currentData() or "yes")
        no_yes: list[tuple[str, str | None]] = [
            (view.texts(f"settings.account.ice.{word}"), word) for word in ("no", "yes")
        ]
        self.ice.show_entries(view, no_yes, self.ice.currentData() or "no")
        kinds: list[tuple[str, str | None]] = [(view.texts(f"settings.account.srtp.{word}"), word) for word in _SRTP]
        self.srtp.show_entries(view, kinds, self.srtp.currentData() or "optional")
        by_tls = self.transport.currentData() == "tls"
        self.show_field(self.srtp, shown=by_tls)
        self.show_field(self.authority, shown=by_tls)
        self.hint(self.authority, view.texts("settings.account.authority.system"))
        if self._saved:
            self._tell_saved(view)
        if self._told is not None:
            self.state.setText(self._told(view.texts))
        self.hint(self.address, view.texts("settings.account.address.example"))
        self.hint(self.user, view.texts("settings.account.user.same"))
        self.hint(self.proxy, view.texts("settings.account.proxy.none"))
        self.hint(self.shown_name, view.texts("settings.account.display_name.none"))
        self.hint(self.mailbox, view.texts("settings.account.mailbox.exchange"))
        self.hint(self.accept, view.texts("settings.account.accept_from.none"))
        kept = account is not None and self._registration(view, account.id) is not Registration.NO_PASSWORD
        self.secret.setPlaceholderText(view.texts(f"settings.account.password.{'kept' if kept else 'new'}"))
        self._render_buttons(view, account)

    def _render_picker(self, view: View) -> None:
        several = len(self.settings.accounts) > 1 or (self._shown == NEW and bool(self.settings.accounts))
        entries: list[tuple[str, str | None]] = []
        for account in self.settings.accounts:
            registration = self._registration(view, account.id)
            said = view.texts(f"settings.account.is.{registration}") if registration else ""
            entries.append((f"{account.address} · {said}" if said else account.address, account.id))
        if self._shown == NEW:
            entries.append((view.texts("settings.account.new"), NEW))
        self.picker.show_entries(view, entries, self._shown)
        self.show_field(self.picker, shown=several)

    def _render_buttons(self, view: View, account: Account | None) -> None:
        why = "" if view.connected else view.texts("why_not.no_engine")
        place = self.place_of_lock("accounts")
        # The password is the user's own, whoever has set up the account.
        able = view.connected and (not place or account is not None)
        managed = view.texts("settings.managed", place=place) if place else ""
        save = view.texts("settings.account.save_password" if place else "settings.account.save")
        self.button.show_as(view, save, enabled=able, why=why or managed)
        opened = self.rest.isVisibleTo(self)
        words = "less" if opened else "more"
        self.more.show_as(view, view.texts(f"settings.{words}"), icon="up" if opened else "down")
        first = bool(self.settings.accounts) and account == self.settings.accounts[0]
        self.default.setVisible(len(self.settings.accounts) > 1 and account is not None and not place)
        self.default.show_as(
            view,
            view.texts("settings.account.is_default" if first else "settings.account.make_default"),
            enabled=view.connected and not first,
            why=why or (view.texts("settings.account.is_default") if first else ""),
        )
        self.add.setVisible(account is not None and not place)
        self.add.show_as(view, view.texts("settings.account.add"))
        self.remove.setVisible(account is not None and not place)
        code = "settings.account.remove.sure" if self._removing else "settings.account.remove"
        self.remove.show_as(view, view.texts(code), icon="trash", enabled=view.connected, why=why)

    def _account(self) -> Account | None:
        """The one in the fields; the first, where that has gone."""
        accounts = self.settings.accounts
        if self._shown == NEW and accounts and self._loaded is None and not self.place_of_lock("accounts"):
            return None
        found = next((one for one in accounts if one.id == self._shown), None)
        return found or (accounts[0] if accounts else None)

    def _registration(self, view: View, account: str) -> Registration | None:
        state = self._state(view, account)
        return state.registration if state else None

    def _state(self, view: View, account: str) -> AccountState | None:
        states = view.snapshot.accounts if view.snapshot else ()
        return next((one for one in states if one.account.id == account), None)

    def _load(self, account: Account | None) -> None:
        self._loaded, self._shown, self._removing = account, account.id if account else NEW, False
        shown = account or Account(NEW, "")
        self.address.setText(shown.address)
        self.user.setText(shown.user)
        self.secret.clear()
        self.transport.setCurrentIndex(max(0, self.transport.findData(shown.transport)))
        self.srtp.setCurrentIndex(_SRTP.index(shown.srtp))
        self.authority.setText(shown.certificate_authority)
        self.proxy.setText(shown.outbound_proxy)
        self.shown_name.setText(shown.display_name)
        self.mailbox.setText(shown.mailbox)
        self.accept.setText(", ".join(shown.accept_from))
        self.register.setCurrentIndex(0 if shown.register else 1)
        self.ice.setCurrentIndex(1 if shown.ice else 0)

    def _again(self) -> None:
        if self._view is not None:
            self.render_view(self._view)

    # --- presses -----------------------------------------------------------------------------------

    def _open(self) -> None:
        self._removing = False
        for part in (self.rest, self.others):
            part.setVisible(not part.isVisibleTo(self))
        self.opened.emit(self.rest.isVisibleTo(self))
        self._again()

    def _pick(self) -> None:
        self.tell(lambda _: "")
        self._show(next((one for one in self.settings.accounts if one.id == self.picker.currentData()), None))

    def _show(self, account: Account | None) -> None:
        self._load(account)
        self._again()

    def _begin_new(self) -> None:
        self.tell(lambda _: "")
        self._show(None)
        self.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_default(self) -> None:
        if (account := self._account()) is not None:
            others = tuple(one for one in self.settings.accounts if one.id != account.id)
            self._waiting, self._saving = replace(self.settings, accounts=(account, *others)), account.id
            self._send()

    def _remove(self) -> None:
        """The second press. The password goes with the account."""
        account = self._account()
        if account is None or self._view is None:
            return
        if not self._removing:
            self._removing = True
            self._again()
            return
        if self._refuse_in_call():
            return
        self._removing = False
        left = tuple(one for one in self.settings.accounts if one.id != account.id)
        self._waiting, self._saving = replace(self.settings, accounts=left), ""
        self.password.emit(account.id, "")

    def press(self) -> None:
        """Save: the password into the keyring first, then the account."""
        if self._view is None or not self.button.isEnabled():
            return
        address = self.address.text().strip().removeprefix("sip:")
        user, _, host = address.partition("@")
        if not user or not host or " " in address:
            self.tell(lambda texts: texts("settings.account.bad_address"), "danger")
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        # The account's own password would change at once, while the account must stay as it is.
        if self.secret.text() and self._refuse_in_call():
            return
        before = self._account()
        transport: Transport = next(one for one in get_args(Transport) if one == self.transport.currentData())
        srtp: Srtp = self.srtp.currentData() or "optional"
        wanted = replace(
            before or Account(new_id(), ""),
            address=address,
            user=self.user.text().strip(),
            transport=transport,
            srtp=srtp if transport == "tls" else "optional",
            certificate_authority=self.authority.text().strip(),
            outbound_proxy=self.proxy.text().strip().removeprefix("sip:"),
            display_name=self.shown_name.text().strip(),
            mailbox=self.mailbox.text().strip(),
            accept_from=tuple(one for one in re.split(r"[\s,;]+", self.accept.text()) if one),
            register=self.register.currentData() != "no",
            ice=self.ice.currentData() == "yes",
        )
        accounts = [wanted if one.id == wanted.id else one for one in self.settings.accounts]
        accounts += [] if before else [wanted]
        self._waiting, self._saving, self._removing = replace(self.settings, accounts=tuple(accounts)), wanted.id, False
        if self.secret.text():
            self.tell(lambda texts: texts("settings.account.saving"))
            self.password.emit(wanted.id, self.secret.text())
        else:
            self._send()

    def _refuse_in_call(self) -> bool:
        if self._view is None or self._view.call is None:
            return False
        self.tell(lambda texts: texts("error.settings.in_call"), "danger")
        return True

    # --- what comes of it --------------------------------------------------------------------------

    def password_stored(self) -> None:
        """The keyring holds it: now the account can follow."""
        if self._waiting:
            self._stored = bool(self.secret.text())
            self._send()

    def _send(self) -> None:
        if self._waiting:
            wanted, self._waiting = self._waiting, None
            self.tell(lambda texts: texts("settings.account.saving"))
            self.save.emit(wanted)

    def saved(self, *, taken: bool) -> None:
        """Whether the engine has taken it; if not, the window says why. Until then what was typed stays where it is."""
        alone, self._stored = self._stored and not taken, False
        if taken:
            self.secret.clear()
            self._shown = self._saving or self._shown
            if self._view is not None:
                self._tell_saved(self._view)
                self.render_view(self._view)
        else:
            self.tell(lambda texts: texts("settings.account.password_alone") if alone else "", "danger")

    def _tell_saved(self, view: View) -> None:
        """Saved, and what came of it: never green here while red stands above."""
        state = self._state(view, self._shown or "")
        code, role = _AFTER.get(state.registration, ("settings.account.saved", "ok")) if state else _AFTER[None]
        why = state if state is not None and reason(state) is not None else None
        self.tell(
            lambda texts: f"{texts('settings.account.saved')} {sentence(texts, why)}" if why else texts(code), role
        )
        self._saved = True

    def password_refused(self, error: KlartoneError) -> None:
        """Nothing is saved, and what was typed stays."""
        self._waiting = None
        self.tell(lambda texts: texts.error(error), "danger")

    def tell(self, said: Callable[[Texts], str], role: str = "muted") -> None:
        """Beside the button; in another language once that is chosen."""
        self._told, self._saved = said, False
        self.state.set_role(role)
        if self._view:
            self.state.setText(said(self._view.texts))
