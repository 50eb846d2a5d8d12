"""No press destroys what is recorded before the agent has said yes to it, in place. Proved over the whole list of acts: in every
scene of the session, recorded, held and ended, each button, answer, choice and entry of the menu is pressed, and the session
says what the press would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from softphone.calls.commands import to_event
from softphone.domain.changes import HoldBy
from softphone.domain.events import CallEnded
from softphone.domain.session.disputing import DELETE, KEPT_FOR_COMPLAINT
from softphone.domain.status import Action
from softphone.ui import controls
from softphone.ui.call.buttons import RightsButtons
from softphone.ui.call.page import CallPage
from softphone.ui.controls import Control
from softphone.ui.ready.rights import KeptRights
from softphone.ui.view import View
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallPhase, CallState
from softphone.wire.to_engine import Act, Choose, OptOut, RecordingCommand
from tests.domain.walk_call import Call
from tests.domain.walk_never import destroyed
from tests.domain.walk_scenes import SCENES, Start, way_to
from tests.ui import states as s

Pressed = Control | QAction
STARTS = (Start.TOLD, Start.HALF, Start.RECORDED, Start.HELD, Start.ENDED)
ASKED = {
    Action.PRIVATE_CALL,
    Action.NOT_UNDERSTOOD,
    Action.VOICEMAIL,
    Action.KEEP_OUT_OF_TRAINING,
    Action.WITHDRAW_DOCUMENTATION,
    Action.WITHDRAW_TRAINING,
    f"{KEPT_FOR_COMPLAINT}: {DELETE}",
}
"""of all presses there are; the second press of the opt-out asks too, and is proved beside the double presses"""


@dataclass(frozen=True)
class Stage:
    name: str
    call: Call
    shown: CallState


def stages() -> Iterator[Stage]:
    for name, scene in SCENES.items():
        for start in STARTS:
            call = Call(name)(*way_to(scene, start)[1:])
            phase = CallPhase.ENDED if start is Start.ENDED else CallPhase.CONNECTED
            yield Stage(f"{name} {start}", call, replace(s.call(call.status, phase), direction=scene.direction))
    complaint = Call("N3").hear().say_yes("2").dispute(HoldBy.PARTY).opt_out()
    assert complaint.status.choices
    yield Stage("N3 with a complaint", complaint, s.call(complaint.status))
    complaint(CallEnded())
    yield Stage("N3 with a complaint, ended", complaint, s.call(complaint.status, CallPhase.ENDED))


@pytest.mark.rule("G31")
def test_no_press_destroys_what_is_recorded_before_the_agent_has_said_yes(
    qapp: QApplication, view_of: Callable[[Snapshot], View], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = count(0, 10)
    monkeypatch.setattr(controls, "monotonic", lambda: next(hand))
    met: dict[str, set[str]] = {}
    for stage in stages():
        page = CallPage() if stage.shown.phase is CallPhase.CONNECTED else KeptRights("kept")
        page.resize(420, 760)
        sent: list[RecordingCommand] = []
        page.command.connect(sent.append)
        page.render_view(view_of(s.snapshot(stage.shown)), stage.shown)
        page.show()
        for control in pressed(page):
            done = press(control, page, sent)
            takes = loses(stage.call, done.command)
            assert done.asked is takes or isinstance(done.command, OptOut), f"{stage.name}: {done}"
            met.setdefault(name_of(done.command), set()).add("asks" if done.asked else "takes" if takes else "")
        page.close()
        page.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    for name, how in sorted(met.items()):
        print(f"{name:40}{', '.join(sorted(how - {''})) or '-'}")
    assert {name for name, how in met.items() if "asks" in how} == set(map(str, ASKED))


@dataclass(frozen=True)
class Done:
    command: RecordingCommand
    asked: bool


def press(control: Pressed, page: CallPage | KeptRights, sent: list[RecordingCommand]) -> Done:
    """Pressed once, and if it asks: a no sends nothing, and a yes what was asked about."""
    sure, push = rights_of(page).sure, control.trigger if isinstance(control, QAction) else control.click
    push()
    asked = sure.isVisible()
    if asked:
        sure.no.click()
        assert not sent
        assert not sure.isVisible()
        push()
        assert not sent
        sure.yes.click()
    [command] = sent
    sent.clear()
    return Done(command, asked)


def rights_of(page: CallPage | KeptRights) -> RightsButtons:
    return page.rights if isinstance(page, CallPage) else page.buttons


def pressed(page: CallPage | KeptRights) -> list[Pressed]:
    """All that can be pressed there and concerns the recording."""
    rights = [rights_of(page).opt_out, rights_of(page).dispute]
    if isinstance(page, KeptRights):
        found: list[Pressed] = [*rights, *page.choices.chips(), *page.beside.values()]
    else:
        moment, menu = page.moment, page.tools.menu
        entries = [one for one in menu.actions() if one.objectName().startswith("action_")]
        found = [*rights, *moment.first_presses(), *moment.choices.chips(), page.tools.pause, *entries]
    return [one for one in found if one.isEnabled() and one.isVisible()]


def loses(call: Call, command: RecordingCommand) -> bool:
    """Whether the session would destroy something of this call."""
    event, copy = to_event(command, call.status, "anna"), Call(call.scene)
    copy.state, copy.mono, before = call.state, call.mono, call.state
    after = copy(event).state  # type: ignore[arg-type]
    return any(destroyed(it, now) for it, now in zip(before.recordings, after.recordings, strict=False))


def name_of(command: RecordingCommand) -> str:
    match command:
        case Act():
            return command.action
        case Choose():
            return f"{command.choice}: {command.option}"
        case OptOut():
            return f"opt-out: {command.kind}"
        case _:
            return command.type
