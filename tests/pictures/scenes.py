"""The calls of the pictures: each scene plays one through a real engine and takes the snapshots it came for.

A row that no scene reaches is told by its name, never drawn from anything made up.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from softphone.domain.purpose import Headline, Language, Purpose, Reason
from softphone.domain.status import DisputeKind, HoldPhase, PurposePhase, Status, Told
from softphone.system.policy_file import filled
from softphone.ui.pictures import Picture
from softphone.wire import CallPhase, Dial, EndWrapUp
from tests.journeys.lines import NOTICE_FILE
from tests.journeys.stage import LOOPBACK, Stage, build
from tests.peers.second_phone import SecondPhone, second_phone
from tests.policies import write_notice

POLICY = Path(__file__).with_name("policy.toml")
CALLER, NAME = "+4520123456", "Mette Holm"
NUMBERS = {
    "spoken": "+4570102030",
    "sales": "+4570102031",
    "service": "+4570102032",
    "law": "+4570102033",
    "advice": "+4570102034",
    "training": "+4570102035",
    "asked": "+4570102036",
    "none": "+4570102037",
    "objection": "+4570102038",
}
ROWS = {
    "notice-playing": "notice playing",
    "read-aloud": "to be read aloud",
    "nobody-confirmed": "outgoing, nobody confirmed yet",
    "consent-awaited": "consent awaited",
    "training-asked": "documentation runs, training asked (N6)",
    "recording": "recording",
    "obligation": "recording on obligation",
    "training-declined": "recording, training declined",
    "objection": "recording, objection received",
    "not-in-sample": "not in the sample",
    "no-answer": "no answer to consent",
    "deleted": "stopped and deleted",
    "paused-sensitive": "paused, sensitive",
    "paused-newcomer": "paused, newcomer",
    "locked": "locked (second line)",
    "storage-failed": "storage failed",
    "no-policy": "no policy",
}
"""desk.md's table, by the pictures' names"""
BESIDE = {
    "ready": "ready, today's calls",
    "first-start": "first start, without an account",
    "incoming": "an incoming call",
    "on-hold": "on hold",
    "keep-for-complaint": "opt-out while the party's dispute stands: a choice",
    "wrap-up": "wrap-up of the last call",
    "no-engine": "the engine is gone",
}


@dataclass
class Studio:
    """One language's run. `taken` holds the pictures so far."""

    on: Stage
    taken: dict[str, Picture] = field(default_factory=dict[str, Picture])
    numbers: set[str] = field(default_factory=set[str])

    def take(self, name: str, *, connected: bool = True, settings: bool = False) -> None:
        snapshot = self.on.desk.snapshot
        assert snapshot is not None
        self.taken[name] = Picture(name, snapshot, datetime.now(UTC), connected=connected, settings=settings)

    def when(self, name: str, call: str, wanted: Callable[[Status], object], seconds: float = 10) -> None:
        self.on.desk.wait_status(wanted, name, call, seconds)
        self.take(name)

    def recording(self, call: str) -> None:
        """For a while, so that the window has come to rest."""
        self.on.desk.wait_status(
            lambda status: status.headline is Headline.RECORDING and status.dispute.kind != DisputeKind.ARM,
            "recording",
            call,
        )
        time.sleep(1)

    def over(self, call: str) -> None:
        self.on.hang_up(call)
        self.forget(call)

    def forget(self, call: str) -> None:
        self.on.desk.ask(EndWrapUp, call=call)
        self.on.desk.wait(lambda s: not s.calls, "no call")

    def call(self, line: str, number: str = CALLER) -> str:
        self.ring(line, number)
        call = self.on.desk.answer()
        self.on.customer.wait_for("CallEstablished")
        return call.id

    def ring(self, line: str, number: str = CALLER) -> None:
        if number not in self.numbers:
            self.numbers.add(number)
            address = f"{number}@{LOOPBACK}"
            self.on.customer.do("account", id=number, address=address, display_name=NAME, register=False)
        self.on.customer.do("dial", account=number, target=f"sip:{NUMBERS[line]}@{LOOPBACK}:{self.on.sip_port}")


@contextmanager
def studio(folder: Path, language: Language) -> Generator[Studio]:
    on = build(folder, lines=("n1",))
    config = on.home.folders.config
    keys = filled(POLICY.read_text(encoding="utf-8"), on.public)
    (config / "policy.toml").write_text(keys.replace("$language", language), encoding="utf-8")
    write_notice(config / NOTICE_FILE, seconds=0.6)
    with ExitStack() as ending:
        ending.callback(on.end)
        on.start_engine()
        on.customer = ending.enter_context(second_phone(counter=True))
        on.ready()
        yield Studio(on)


# --- scenes ---------------------------------------------------------------------------------------


def incoming_and_notice(s: Studio) -> None:
    s.ring("spoken")
    s.on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING and one.status, "ringing")
    s.take("incoming")
    call = s.on.desk.answer().id
    s.on.customer.wait_for("CallEstablished")
    s.on.desk.wait_status(lambda status: status.notice and status.notice.told is Told.PLAYING, "playing", call)
    time.sleep(6)
    s.take("notice-playing")
    s.over(call)


def recorded(s: Studio) -> None:
    call = s.call("sales")
    s.recording(call)
    s.take("recording")
    s.on.desk.dispute(call)
    s.when("locked", call, lambda status: status.hold and status.hold.phase is HoldPhase.LOCKED)
    s.on.hang_up(call)
    s.take("wrap-up")
    s.forget(call)


def declined(s: Studio) -> None:
    call = s.call("sales", "+4520123457")
    s.recording(call)
    s.on.desk.opt_out(call)
    ended = PurposePhase.ENDED
    s.when(
        "training-declined", call, lambda status: status.purposes[Purpose.TRAINING].phase is ended and status.recording
    )
    s.over(call)


def obliged(s: Studio) -> None:
    call = s.call("law")
    s.recording(call)
    s.take("obligation")
    s.over(call)


def objected(s: Studio) -> None:
    call = s.call("objection")
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("objection", call, lambda status: "objection_received" in status.notes)
    s.over(call)


def paused(s: Studio) -> None:
    call = s.call("service")
    s.recording(call)
    s.on.desk.act(call, "pause_sensitive")
    s.when("paused-sensitive", call, lambda status: Reason.SENSITIVE in status.pauses)
    s.on.desk.act(call, "resume")
    s.recording(call)
    s.on.desk.act(call, "new_person")
    s.when("paused-newcomer", call, lambda status: Reason.NOT_TOLD in status.pauses)
    s.over(call)


def on_hold(s: Studio) -> None:
    call = s.call("service")
    s.recording(call)
    s.on.customer.do("hold")
    s.when("on-hold", call, lambda status: Reason.HELD in status.pauses)
    s.over(call)


def asked(s: Studio) -> None:
    call = s.call("advice")
    s.when("consent-awaited", call, lambda status: status.headline is Headline.ASKED)
    no_answer = Reason.NO_ANSWER
    s.when("no-answer", call, lambda status: status.reasons[0].reason is no_answer, 15)
    s.over(call)


def deleted(s: Studio) -> None:
    call = s.call("training", "+4520123460")
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("deleted", call, lambda status: status.headline is Headline.NOT_RECORDING and not status.kept)
    s.over(call)


def complained(s: Studio) -> None:
    call = s.call("training", "+4520123461")
    s.recording(call)
    s.on.desk.dispute(call, by="party")
    s.on.desk.wait_status(lambda status: status.hold and status.hold.phase is HoldPhase.LOCKED, "locked", call)
    s.on.desk.opt_out(call)
    s.when("keep-for-complaint", call, lambda status: status.choices and not status.recording)
    s.over(call)


def asked_while_recording(s: Studio) -> None:
    call = s.call("asked")
    asked = PurposePhase.ASKED
    s.when("training-asked", call, lambda status: status.recording and status.purposes[Purpose.TRAINING].phase is asked)
    s.over(call)


def not_drawn(s: Studio) -> None:
    call = s.call("none")
    s.when("not-in-sample", call, lambda status: status.reasons[0].reason is Reason.NOT_IN_SAMPLE)
    s.over(call)


def outgoing(s: Studio) -> None:
    with second_phone(auto_answer=True) as other:
        call = _dialled(s, other)
        s.when("nobody-confirmed", call, lambda status: "person_answered" in status.actions)
        s.on.desk.act(call, "person_answered")
        s.on.desk.wait_status(lambda status: status.notice and status.notice.told is Told.READING, "reading", call)
        time.sleep(2)
        s.take("read-aloud")
        other.do("hang_up")
        s.on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        s.forget(call)


def _dialled(s: Studio, other: SecondPhone) -> str:
    target = f"sip:+4523456789@{LOOPBACK}:{other.udp}"
    call = s.on.desk.do(Dial, account="agent", target=target, line="spoken").result["call"]
    s.on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call)
    return call


def ready(s: Studio) -> None:
    s.on.desk.wait(lambda snapshot: not snapshot.calls and len(snapshot.history) > 2, "today's calls")
    s.take("ready")


def storage(s: Studio) -> None:
    """The folder of the recordings has become a file: the next recording cannot be written."""
    for folder in s.on.archive_folder.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
            folder.write_bytes(b"")
    call = s.call("service")
    s.when("storage-failed", call, lambda status: status.headline is Headline.FAILED, 20)
    s.over(call)


def engine_gone(s: Studio) -> None:
    call = s.call("sales")
    s.recording(call)
    s.take("no-engine", connected=False)
    s.over(call)


SCENES: tuple[Callable[[Studio], None], ...] = (
    incoming_and_notice,
    recorded,
    declined,
    obliged,
    objected,
    paused,
    on_hold,
    asked,
    asked_while_recording,
    deleted,
    complained,
    not_drawn,
    outgoing,
    ready,
    engine_gone,
    storage,
)


def without_policy(folder: Path) -> dict[str, Picture]:
    """An engine that has none: a call comes and goes as always. Then one of a new user, who has no account either."""
    taken: dict[str, Picture] = {}
    on = build(folder / "a", lines=("n1",))
    settings = on.home.folders.config / "settings.toml"
    kept = [line for line in settings.read_text(encoding="utf-8").splitlines() if not line.startswith("policy =")]
    settings.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with ExitStack() as ending:
        ending.callback(on.end)
        on.start_engine()
        on.customer = ending.enter_context(second_phone())
        on.sip_port = on.desk.wait(lambda snapshot: snapshot.sip_port, "a port")
        studio = Studio(on, taken)
        call = studio.call("sales")
        studio.when("no-policy", call, lambda status: status.headline is Headline.FAILED)
        studio.over(call)
    new = build(folder / "b", lines=("n1",))
    (new.home.folders.config / "settings.toml").unlink()
    with ExitStack() as ending:
        ending.callback(new.end)
        new.start_engine()
        new.desk.wait(lambda snapshot: snapshot.sip_port, "a port")
        Studio(new, taken).take("first-start", settings=True)
    return taken
