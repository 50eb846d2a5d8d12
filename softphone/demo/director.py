"""Runs the demo's call: watches engine and window, tells the customer what to do, and presses the agent's buttons.

It decides nothing about recording and remembers what happened, for the story and the summary.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from softphone.bootstrap.program import klartone_command
from softphone.demo.stage import LOOPBACK, Stage
from softphone.domain.decision import NoticeId
from softphone.domain.errors import KlartoneError
from softphone.domain.status import InformedPhase, PurposePhase, Status
from softphone.processes import DETACHED
from softphone.ui.app import Desk
from softphone.ui.driver import DeskDriver, NotThereError
from softphone.wire.from_engine import Fault, Occurred, Snapshot
from softphone.wire.snapshot import CallPhase, CallState, CodedText, PolicyPhase
from softphone.wire.to_engine import Quit

ANSWER_AFTER = 0.8
"""seconds that it rings"""
THINK = 1.0
"""seconds the party takes to press a key, after the question begins"""
WRAP_UP = 1.2
ALL_OF_IT = 90.0
"""seconds besides the talk in which the call must begin and end"""

PARTY_KEYS = {"yes": "1", "other-key": "5"}
AGENT_BUTTONS = {"opt-out": "optOut", "dispute": "dispute"}

Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Options:
    notice: NoticeId | None
    party: str
    agent: str
    seconds: float
    listen: bool
    screenshots: Path | None


@dataclass(slots=True)
class Played:
    """What happened, as engine and window told it."""

    events: list[Occurred] = field(default_factory=list[Occurred])
    last: CallState | None = None
    """as it stood in the call, last"""
    ended: CallState | None = None
    pressed: bool | None = None
    """whether the agent's button could be pressed; None if nothing was to be done"""
    failed: str | None = None
    """why it did not reach its end, as in `demo.why.`"""
    fault: CodedText | None = None
    """the same in a sentence of its own, if there is one"""
    unsaved: KlartoneError | None = None
    """the first picture that could not be written"""


class Director:
    """`tell(event, params)` for each thing that happens. Give `start` to the desk as its `on_ready`."""

    def __init__(self, stage: Stage, options: Options, tell: Tell) -> None:
        self._stage = stage
        self._options = options
        self._tell = tell
        self._customer: subprocess.Popen[bytes] | None = None
        self._hand: DeskDriver | None = None
        self._desk: Desk | None = None
        self._seen: set[str] = set()
        self._pictures = 0
        self._drawn: tuple[object, ...] = ()
        self.played = Played()
        self.told_to_quit = False
        """the engine was, and ends by itself"""

    def start(self, desk: Desk) -> None:
        self._desk, self._hand = desk, DeskDriver(desk)
        desk.bridge.snapshot.connect(self._snapshot)
        desk.bridge.occurred.connect(self._occurred)
        desk.bridge.fault.connect(self._fault)
        desk.bridge.disconnected.connect(self._gone)
        self._hand.after(ALL_OF_IT + self._options.seconds, lambda: self._give_up("time"))
        self._snapshot(desk.view().snapshot)

    def close(self) -> None:
        """The customer's process is over too."""
        if self._customer:
            self._customer.kill()
            self._customer.wait()

    # --- what the engine shows -------------------------------------------------------------------

    def _snapshot(self, snapshot: Snapshot | None) -> None:
        if snapshot is None:
            return
        if snapshot.policy.phase is PolicyPhase.FAULTY:
            self._give_up("policy")
        elif snapshot.store.fault:
            self._give_up("archive", snapshot.store.fault)
        elif snapshot.policy.phase is PolicyPhase.READY and snapshot.store.works and self._first("ready"):
            self._tell("ready", {"port": snapshot.sip_port})
            self._start_customer(snapshot.sip_port)
        for call in snapshot.calls:
            self._call(call)

    def _call(self, call: CallState) -> None:
        if call.phase is CallPhase.INCOMING:
            if self._first("ringing"):
                self._picture("ringing")
                self._after(ANSWER_AFTER, lambda: self._press("answer"))
        elif call.phase is CallPhase.CONNECTED:
            self.played.last = call
            self._picture_when_changed(call)
            if call.status and _talk_begins(call.status) and self._first("talk"):
                self._talk()
        elif call.phase is CallPhase.ENDED:
            self.played.ended = call
            if self._first("ended"):
                self._picture("wrap-up")
                self._after(WRAP_UP, self._end)

    def _occurred(self, event: Occurred) -> None:
        self.played.events.append(event)
        self._tell(event.event, {"since_answer": event.since_answer, **event.params})
        if event.event == "notice_question":
            digits = PARTY_KEYS.get(self._options.party)
            if digits and self._first("party"):
                self._after(THINK, lambda: self._press_key(digits))

    def _fault(self, fault: Fault) -> None:
        self._tell("fault", {**fault.said.params, "code": fault.said.code})

    # --- what the people do ----------------------------------------------------------------------

    def _start_customer(self, port: int) -> None:
        listen = "yes" if self._options.listen else "no"
        self._customer = subprocess.Popen(
            [*klartone_command(), "demo-customer", str(self._stage.customer_voice), listen],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not sys.flags.dev_mode else None,
            # A terminal's Ctrl+C is not for her: only this process tells her to hang up, or ends her.
            start_new_session=True,
            creationflags=DETACHED,
        )
        self._say(f"call sip:{self._stage.number}@{LOOPBACK}:{port}")

    def _talk(self) -> None:
        self._tell("talk", {})
        self._say("talk")
        seconds = self._options.seconds
        self._after(seconds / 2, self._act)
        self._after(seconds, lambda: self._say("hang up"))

    def _press_key(self, digits: str) -> None:
        self._tell("party", {"key": digits})
        self._say(f"press {digits}")

    def _act(self) -> None:
        button = AGENT_BUTTONS.get(self._options.agent)
        if button:
            self._picture("before", at_once=True)
            self.played.pressed = self._press(button)

    def _end(self) -> None:
        if self._desk and self._first("quit"):
            self._desk.bridge.disconnected.connect(self._leave)
            self.told_to_quit = bool(self._desk.bridge.send(Quit("demo")))
            if self.told_to_quit:
                self._after(5.0, self._leave)
            else:
                self._leave()

    def _leave(self) -> None:
        if self._hand and self._first("left"):
            self._hand.leave()

    def _gone(self) -> None:
        """The engine broke off. Another comes up, but she called this one."""
        if "ready" in self._seen and "quit" not in self._seen:
            self._give_up("broke_off")

    def _give_up(self, why: str, fault: CodedText | None = None) -> None:
        if self._first("gave up") and "ended" not in self._seen:
            self.played.failed, self.played.fault = why, fault
            self._end()

    # --- hands -----------------------------------------------------------------------------------

    def _press(self, name: str) -> bool:
        if self._hand is None:
            return False
        try:
            self._hand.press(name)
        except NotThereError:
            self._tell("cannot_press", {"button": name})
            return False
        self._tell("press", {"button": name})
        return True

    def _say(self, words: str) -> None:
        pipe = self._customer.stdin if self._customer else None
        if pipe:
            try:
                pipe.write(words.encode() + b"\n")
                pipe.flush()
            except OSError:
                self._give_up("customer")

    def _after(self, seconds: float, action: Callable[[], object]) -> None:
        def do() -> None:
            if "left" not in self._seen:
                action()

        if self._hand:
            self._hand.after(seconds, do)

    def _first(self, name: str) -> bool:
        """Whether this is the first time."""
        if name in self._seen:
            return False
        self._seen.add(name)
        return True

    def _picture_when_changed(self, call: CallState) -> None:
        status = call.status
        if status is None:
            return
        drawn = (status.headline, status.recording, status.hold and status.hold.phase, status.reasons[0].reason)
        if drawn != self._drawn:
            self._drawn = drawn
            self._picture(status.headline.value)

    def _picture(self, name: str, *, at_once: bool = False) -> None:
        folder = self._options.screenshots
        if folder and self._hand:
            self._pictures += 1
            hand, path = self._hand, folder / f"{self._pictures:02}-{name.replace('_', '-')}.png"

            def take() -> None:
                try:
                    hand.picture(path)
                except KlartoneError as error:
                    self.played.unsaved = self.played.unsaved or error

            if at_once:
                take()
                return
            # The window draws a snapshot after it was reported; the picture shows what a person then sees.
            hand.after(0.15, take)


def _talk_begins(status: Status) -> bool:
    """Notice and questions are over."""
    if any(one.phase is PurposePhase.ASKED for one in status.purposes.values()):
        return False
    if status.notice is None:
        return True
    return status.notice.told in (InformedPhase.INFORMED, InformedPhase.FAILED)
