"""Where the scenes are played: a real engine under the policy of the pictures, a customer who calls, and what was taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from softphone.domain.purpose import Headline, Language, Purpose
from softphone.domain.status import Action, DisputeKind, PurposePhase, Status
from softphone.system.policy_file import filled
from softphone.ui.pictures import Picture
from softphone.wire.to_engine import (
    Act,
    EndWrapUp,
)
from tests.journeys.lines import NOTICE_FILE
from tests.journeys.stage import LOOPBACK, Stage, build
from tests.peers.second_phone import second_phone
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
    "both": "+4570102040",
    "mixed": "+4570102041",
    "watch": "+4570102042",
    "health": "+4570102043",
    "short_pause": "+4570102044",
    "call_back": "+4570102045",
}


@dataclass
class Studio:
    """One language's run. `taken` holds the pictures so far."""

    on: Stage
    taken: dict[str, Picture] = field(default_factory=dict[str, Picture])
    number: str = ""

    def take(self, name: str, *, pressed: str = "", said: str = "", **how: Any) -> None:
        """As it is now; `pressed`, `said` and `how` as `Picture` has them."""
        snapshot = self.on.desk.snapshot
        assert snapshot is not None
        self.taken[name] = Picture(name, snapshot, datetime.now(UTC), pressed=pressed, said=said, **how)

    def act(self, call: str, action: str, purpose: Purpose | None = None, language: Language | None = None) -> None:
        status = self.on.desk.call(call).status
        assert status is not None
        version = status.version
        self.on.desk.do(Act, call=call, version=version, action=Action(action), purpose=purpose, language=language)

    def answers(self, call: str, answer: str, purpose: Purpose) -> None:
        """And waits until it counts: the next answer is to what is then on the screen."""
        self.act(call, answer, purpose)
        asked = PurposePhase.ASKED
        self.on.desk.wait_status(lambda status: status.purposes[purpose].phase is not asked, answer, call)

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
        if number != self.number:
            # One at a time: a phone has room for eight accounts.
            if self.number:
                self.on.customer.do("remove_account", id=self.number)
            self.number = number
            address = f"{number}@{LOOPBACK}"
            self.on.customer.do("account", id=number, address=address, display_name=NAME, register=False)
        self.on.customer.do("dial", account=number, target=f"sip:{NUMBERS[line]}@{LOOPBACK}:{self.on.sip_port}")


@contextmanager
def studio(folder: Path, language: Language) -> Generator[Studio]:
    on = build(folder, lines=("n1",))
    config = on.home.folders.config
    keys = filled(POLICY.read_text(encoding="utf-8"), on.public)
    text = keys.replace("$language", language).replace("$year", str(datetime.now(UTC).year))
    (config / "policy.toml").write_text(text, encoding="utf-8")
    write_notice(config / NOTICE_FILE, seconds=0.6)
    with ExitStack() as ending:
        ending.callback(on.end)
        on.expects(reason="the exchange of `from_elsewhere` takes no offer", maybe=("phone fault offer_refused",))
        on.start_engine()
        on.customer = ending.enter_context(second_phone(counter=True))
        on.ready()
        yield Studio(on)
