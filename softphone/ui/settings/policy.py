"""The policy in the settings: its file, its signer, whether it can be used, and each of its faults and doubts.

Nothing is judged here: every fault comes with its line, its key, its rule, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QSizePolicy

from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import TextLabel
from softphone.ui.settings.forms import Section, line_field
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View
from softphone.wire.snapshot import CodedText, PolicyPhase

_UNUSABLE = (PolicyPhase.FAULTY, PolicyPhase.MISSING, PolicyPhase.UNSIGNED)
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse
_ROLES = {PolicyPhase.READY: "ok", PolicyPhase.LOADING: "muted"}


class PolicySection(Section):
    """The policy file: where it lies, whether it can be used, and what is wrong or doubtful in it.

    Doubts are folded: there may be many, and agents change their language below.
    """

    def __init__(self) -> None:
        super().__init__("policy")
        self.path = line_field("policyPath")
        self.choose = FilledButton("choosePolicy", "plain", 40)
        self.again = FilledButton("readPolicyAgain", "plain", 40)
        self.state = TextLabel("policyState", size=SMALL, wrap=True)
        self.faults = TextLabel("policyFaults", size=SMALL, wrap=True)
        self.faults.setTextInteractionFlags(_SELECTABLE)
        self.remarks_fold = QuietButton("policyRemarksFold", size=14)
        self.remarks_fold.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._folded = True
        self.remarks = TextLabel("policyRemarks", size=SMALL, wrap=True)
        self.remarks.setTextInteractionFlags(_SELECTABLE)
        self.signer = line_field("policySigner")
        self.field("settings.policy.path", self.path)
        self.body.addSpacing(6)
        self.body.addWidget(self.choose)
        self.body.addSpacing(4)
        self.body.addWidget(self.state)
        self.body.addSpacing(4)
        self.body.addWidget(self.faults)
        self.body.addSpacing(4)
        self.body.addWidget(self.remarks_fold, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.remarks)
        self.body.addWidget(self.again)
        self.field("settings.policy.signer", self.signer)
        self.path.returnPressed.connect(self._read_again)
        self.path.editingFinished.connect(self._typed)
        self.choose.clicked.connect(self._browse)
        self.again.clicked.connect(self._read_again)
        self.signer.editingFinished.connect(self._typed)
        self.remarks_fold.clicked.connect(self._toggle_remarks)
        self._loaded = self._loaded_signer = ""
        self._view: View | None = None

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        if self.settings.policy != self._loaded:
            self._loaded = self.settings.policy
            self.path.setText(self.settings.policy)
        if self.settings.policy_signer != self._loaded_signer:
            self._loaded_signer = self.settings.policy_signer
            self.signer.setText(self.settings.policy_signer)
            self.signer.setCursorPosition(0)  # its beginning is what people compare
        self.hint(self.path, view.texts("settings.policy.none"))
        self.hint(self.signer, view.texts("settings.policy.signer.none"))
        why = "" if view.connected else view.texts("why_not.no_engine")
        place = self.place_of_lock("policy")
        self.choose.show_as(
            view,
            view.texts("settings.policy.choose"),
            icon="folder",
            enabled=view.connected and not place,
            why=view.texts("settings.managed", place=place) if place else why,
        )
        self._render_state(view)
        self.again.setVisible(self._unusable)
        self.again.show_as(view, view.texts("settings.policy.again"), icon="repeat", enabled=view.connected, why=why)

    def _render_state(self, view: View) -> None:
        policy = view.snapshot.policy if view.snapshot else None
        phase = policy.phase if policy else PolicyPhase.LOADING
        faults = policy.faults if policy else ()
        self.state.setText(
            view.texts(
                "settings.policy.last_good" if view.last_good else _state(phase, faults),
                controller=policy.controller if policy else "",
                count=len(faults),
            )
        )
        self.state.set_role("" if view.last_good else _ROLES.get(phase, "danger"))
        listed = "\n\n".join(_fault(view, fault) for fault in faults)
        good = phase is PolicyPhase.READY  # a policy in use has doubts, not faults
        self.faults.setText("" if good else listed)
        self.faults.setVisible(bool(listed) and not good)
        remarked = bool(listed) and good
        text = view.texts("settings.policy.remarks", count=len(faults))
        show = view.texts("settings.policy.remarks.show" if self._folded else "settings.policy.remarks.hide")
        icon = "down" if self._folded else "up"
        self.remarks_fold.setVisible(remarked)
        self.remarks_fold.show_as(view, text, icon=icon, name=f"{text}. {show}", why=show, means="remarks")
        self.remarks.setText(listed if good else "")
        self.remarks.setVisible(remarked and not self._folded)

    def _toggle_remarks(self) -> None:
        self._folded = not self._folded
        if self._view is not None:
            self._render_state(self._view)

    @property
    def _unusable(self) -> bool:
        """There is a file, and it may have been corrected since it was read."""
        policy = self._view.snapshot.policy if self._view and self._view.snapshot else None
        return bool(self.settings.policy) and policy is not None and policy.phase in _UNUSABLE

    def _typed(self) -> None:
        path, signer = self.path.text().strip(), self.signer.text().strip()
        if (path, signer) != (self.settings.policy, self.settings.policy_signer):
            self.save.emit(replace(self.settings, policy=path, policy_signer=signer))

    def _read_again(self) -> None:
        """The same path again; `_typed` handles another one."""
        if self._unusable and self.path.text().strip() == self.settings.policy:
            self.save.emit(self.settings)

    def _browse(self) -> None:
        assert self._view is not None
        dialog = QFileDialog(self, self._view.texts("settings.policy.choose"), self.settings.policy, "TOML (*.toml)")
        dialog.setObjectName("policyDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setModal(False)
        dialog.fileSelected.connect(self._chosen)
        dialog.show()

    def _chosen(self, path: str) -> None:
        self.path.setText(path)
        self._read_again()
        self._typed()


def _state(phase: PolicyPhase, faults: Sequence[CodedText]) -> str:
    unguarded = phase is PolicyPhase.UNSIGNED and any(one.code == "policy.fault.unguarded" for one in faults)
    return "settings.policy.unguarded" if unguarded else f"settings.policy.{phase}"


def _fault(view: View, fault: CodedText) -> str:
    """Its line, what is wrong and what to do."""
    rule = fault.params.get("rule")
    where = [view.texts("settings.policy.line", line=fault.line)] if fault.line is not None else []
    where += [fault.key] if fault.key else []
    sentence = view.texts(fault.code, **fault.params)
    by = [view.texts("settings.policy.rule", rule=rule)] if rule else []
    if where:
        return f"{' · '.join(where + by)}\n{sentence}"
    return f"{sentence} ({by[0]})" if by else sentence
