"""The page between calls: dial field, what is wrong, the last call, who is to be called back, one's own calls."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from softphone.ui.controls import FilledButton
from softphone.ui.fields import Card, ScrollArea, TextLabel, chain
from softphone.ui.note_field import NoteField
from softphone.ui.ready.callbacks import CallBacks
from softphone.ui.ready.dial import DialField
from softphone.ui.ready.history import History
from softphone.ui.ready.lost import LostCalls
from softphone.ui.ready.mailbox import Mailboxes
from softphone.ui.ready.shared import SharedWithYou
from softphone.ui.ready.wrapup import WrapUp
from softphone.ui.theme.style import MARGIN, SMALL
from softphone.ui.view import View
from softphone.ui.words import account, shipping
from softphone.ui.words.machine import causes, is_shut
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CodedText, PolicyPhase, Registration

_NO_POLICY = (PolicyPhase.MISSING, PolicyPhase.FAULTY, PolicyPhase.UNSIGNED)


class ReadyPage(QWidget):
    """command(…): dialling, and the rights of the last call and of earlier ones.

    settings(): the settings are asked for; faults_wanted(): the policy's faults in them.
    """

    command = Signal(object)
    settings = Signal()
    faults_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.dial = DialField()
        self.mailboxes = Mailboxes()
        self.faults = Card("standingFaults", "fault")
        self.fault_text = TextLabel("standingFaultText", size=SMALL, wrap=True)
        self.to_settings = FilledButton("toSettings", "plain", 36)
        self.policy = Card("policyNews")
        self.policy_text = TextLabel("policyNewsText", size=SMALL, wrap=True)
        self.see_faults = FilledButton("seeFaults", "plain", 36)
        self.shipping = TextLabel("waitingForArchive", size=SMALL, role="muted", wrap=True)
        self.lost = LostCalls()
        self.wrap_up = WrapUp()
        self.call_backs = CallBacks()
        self.shared = SharedWithYou()
        self.missed = TextLabel("missedCalls", size=SMALL, strong=True)
        self.today = TextLabel("todayCaption", size=SMALL, role="muted")
        self.nothing = TextLabel("noCallsToday", size=SMALL, role="muted", wrap=True)
        self.history = History()
        self._chained: list[QWidget] = []
        self._inside = QWidget()
        inner = QVBoxLayout(self._inside)
        inner.setContentsMargins(MARGIN, 0, MARGIN, MARGIN)
        inner.setSpacing(12)
        faults = QVBoxLayout(self.faults)
        faults.setContentsMargins(14, 10, 14, 12)
        faults.setSpacing(8)
        faults.addWidget(self.fault_text)
        faults.addWidget(self.to_settings)
        policy = QVBoxLayout(self.policy)
        policy.setContentsMargins(14, 10, 14, 12)
        policy.setSpacing(8)
        policy.addWidget(self.policy_text)
        policy.addWidget(self.see_faults)
        inner.addWidget(self.dial)
        inner.addWidget(self.mailboxes)
        inner.addWidget(self.faults)
        inner.addWidget(self.policy)
        inner.addWidget(self.shipping)
        inner.addWidget(self.lost)
        inner.addWidget(self.wrap_up)
        inner.addWidget(self.call_backs)
        inner.addWidget(self.shared)
        inner.addWidget(self.missed)
        inner.addWidget(self.today)
        inner.addWidget(self.nothing)
        inner.addWidget(self.history)
        inner.addStretch(1)
        layout = self._outer = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.reel = ScrollArea("readyReel", self._inside)
        layout.addWidget(self.reel)
        self.dial.command.connect(self.command)
        self.mailboxes.command.connect(self.command)
        self.mailboxes.picked.connect(self.dial.fill)
        for calls in (self.lost, self.wrap_up):
            calls.command.connect(self.command)
            calls.called.connect(self.dial.call_again)
        self.call_backs.command.connect(self.command)
        self.history.command.connect(self.command)
        self.history.picked.connect(self.dial.fill)
        self.to_settings.clicked.connect(self.settings)
        self.see_faults.clicked.connect(self.faults_wanted)

    def take_note(self, note: QWidget) -> None:
        """A message for the person, at the foot."""
        self._outer.addWidget(note)

    def write_on(self, note: NoteField) -> None:
        """The call ended in the middle of its note."""
        last = self.wrap_up.note
        last.write_on(note)
        if last.hasFocus():
            QTimer.singleShot(0, last, lambda: self.reel.ensureWidgetVisible(last))  # once it has its place

    def render_view(self, view: View) -> None:
        self.dial.render_view(view)
        self.mailboxes.render_view(view)
        self.reel.render_view(view)
        self._render_faults(view)
        waiting = shipping.waiting_words(view)
        self.shipping.setText(waiting)
        self.shipping.setVisible(bool(waiting))
        last = view.last
        self.wrap_up.setVisible(last is not None)
        if last:
            self.wrap_up.render_view(view, last)
        self.lost.render_view(view)
        self.call_backs.render_view(view)
        self.shared.render_view(view)
        history = view.snapshot.history if view.snapshot else ()
        missed = len(view.missed)
        self.missed.setText(view.texts("missed.count", count=missed) if missed else "")
        self.missed.setVisible(bool(missed))
        self.today.setText(view.texts("history.today"))
        self.today.setVisible(not history)  # otherwise each day stands above its own
        self.nothing.setVisible(not history)
        self.nothing.setText(view.texts("history.none_but_last" if last else "history.none"))
        self.history.render_view(view)
        self._chain_tabs()

    def _chain_tabs(self) -> None:
        calls = (
            *self.lost.controls(),
            *self.wrap_up.tab_chain(),
            *self.call_backs.controls(),
            self.shared,
            *self.history.tab_chain(),
        )
        wanted: list[QWidget] = [*self.dial.tab_chain(), *self.mailboxes.controls()]
        wanted += [self.to_settings, self.see_faults, *calls]
        if wanted != self._chained:
            self._chained = wanted
            chain(wanted)

    def _render_faults(self, view: View) -> None:
        standing = _standing(view)
        first = causes(view)
        said = [view.texts(one.code, **one.params) for one in (*first, *(one for one in standing if one not in first))]
        if not view.connected:
            gone = f"{view.texts('card.no_engine.sub')}. {view.texts('card.no_engine.body')}" if view.snapshot else ""
            said = [view.trouble or gone] if view.trouble or gone else []
        snapshot = view.snapshot
        if (
            view.connected
            and snapshot
            and snapshot.policy.phase in _NO_POLICY
            and not view.last_good
            and not is_shut(view)
        ):
            said.insert(len(first), _no_policy(view, snapshot))
        if view.connected and snapshot:
            said += [
                view.texts(f"ready.registration.{state.registration}", address=state.account.address)
                for state in snapshot.accounts
                if state.registration in (Registration.NO_PASSWORD, Registration.REFUSED)
            ]
            said += [words for state in snapshot.accounts if (words := account.sentence(view.texts, state))]
            said += shipping.faults(view)
        self.faults.setVisible(bool(said))
        self.fault_text.setText("\n\n".join(dict.fromkeys(said)))
        self.to_settings.setVisible(view.connected)
        self.to_settings.show_as(view, view.texts("settings.open"))
        # No alarm: the earlier policy is still in force. The policy's writer needs to know, and agents that nothing has
        # changed.
        self.policy.setVisible(view.connected and view.last_good)
        if view.last_good and snapshot:
            # Its remedy is the button below.
            self.policy_text.setText(view.texts.halves("ready.policy.last_good", count=len(snapshot.policy.faults))[0])
        self.see_faults.show_as(view, view.texts("ready.policy.see"))


def _no_policy(view: View, snapshot: Snapshot) -> str:
    """Where the file is locked, the agent can choose none."""
    code, count = f"ready.policy.{snapshot.policy.phase}", len(snapshot.policy.faults)
    if "policy" in snapshot.locked:
        return f"{view.texts.halves(code, count=count)[0]} {view.texts('ready.policy.locked')}"
    return view.texts(code, count=count)


def _standing(view: View) -> list[CodedText]:
    snapshot = view.snapshot
    if snapshot is None:
        return []
    return [*(said for said in (snapshot.store.fault, snapshot.sound.fault) if said), *snapshot.faults]
