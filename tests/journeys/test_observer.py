"""Another process of the same user looks on: it sees how the phone stands, may ask it to end once that takes nothing from
anybody, and can do nothing else."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from contextlib import redirect_stdout, suppress
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.catalog import database
from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.endpoint import read_endpoint
from softphone.system.secrets import DemoKeyFile
from softphone.wire.from_engine import Refused
from softphone.wire.snapshot import CallPhase, QuitPhase
from softphone.wire.to_engine import (
    Dial,
    EndWrapUp,
    LockEarlier,
    PostponeQuit,
    Quit,
    QuitWhenIdle,
    SaveNote,
    WatchLevels,
)
from tests.journeys.desk import Desk
from tests.journeys.stage import CUSTOMER, LOOPBACK, Stage, stage
from tests.peers.processes import until
from tests.peers.second_phone import ROOT
from tests.peers.wire import SDP, header, wire

pytestmark = pytest.mark.journey


def klartone(on: Stage, *words: str) -> tuple[int, str]:
    """As a person types it: its status, and what it says."""
    with redirect_stdout(io.StringIO()) as told:
        status = cli.main(["--home", str(on.home.root), *words])
    return status, told.getvalue()


def phase(on: Stage, wanted: QuitPhase | None) -> None:
    on.desk.wait(lambda one: (one.quit_asked.phase if one.quit_asked else None) == wanted, f"asked to end: {wanted}")


def calls_until_gone(port: int) -> set[str]:
    """Calls this phone, each 5 ms anew, until nobody has its port any more: what it answered, and what was left without."""
    sent, answered, said = dict[str, float](), set[str](), set[str]()
    with wire() as caller, suppress(ConnectionRefusedError):
        caller.socket.connect((LOOPBACK, port))
        caller.socket.settimeout(0.005)
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            call = f"end-{len(sent)}"
            sent[call] = time.monotonic()
            caller.socket.send(caller.request("INVITE", port, body=SDP, call_id=call).encode())
            with suppress(TimeoutError):
                while True:
                    answer = caller.socket.recv(65_536).decode()
                    said.add(answer.partition("\r\n")[0])
                    answered.add(header(answer, "Call-ID"))
    # The last ones reach a process that is just going, which takes a busy machine a while.
    due = max([max(sent.values()) - 2, *(sent[one] for one in answered)])
    return said | {one for one, at in sent.items() if at <= due} - answered


def test_an_observer_is_told_everything_and_may_only_ask_for_an_end_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(tmp_path, lines=("n7",)) as on, Desk.attached(on.runtime, "observer") as eye:
        answers = [
            eye.ask(Dial, account="agent", target=f"sip:somebody@{LOOPBACK}"),
            eye.ask(LockEarlier, call="none"),
            eye.ask(WatchLevels, on=True),
            eye.ask(PostponeQuit),
            eye.ask(Quit),
        ]
        for answer in answers:
            assert isinstance(answer, Refused)
            assert answer.said.code == "refused.observer"
        call = on.call("n7", CUSTOMER)
        eye.wait_event("answered", call=call)
        assert not eye.told("dialled")
        on.desk.wait_event("first_sample", call=call)

        # How it stands, and not who it is.
        status, told = klartone(on, "status", "--json")
        state = json.loads(told)
        assert (status, state["running"], state["pid"], state["window"]) == (0, True, on.engine.pid, True)
        assert [(one["phase"], one["recorded"]) for one in state["calls"]] == [("connected", True)]
        assert not [word for word in (CUSTOMER, CUSTOMER[3:], LOOPBACK) if word in told]
        assert "optages" in (said := klartone(on, "status")[1]) or "recorded" in said

        # Of this version, it records into no archive of an earlier schema: a copy of last year's is opened beside it.
        old = tmp_path / "last-year"
        with monkeypatch.context() as earlier:
            earlier.setattr(database, "HEAD", database.OLDEST)
            Archive.create(old, DemoKeyFile(old / DEMO_KEYS), demo=True).close()
        assert klartone(on, "archive", "--archive", str(old), "list")[0] == 0

        # What a command sets is taken up, but not in a call.
        assert klartone(on, "account", "add", f"second@{LOOPBACK}", "--id", "second", "--no-register")[0] == 0
        assert klartone(on, "settings", "set", "ring_volume", "30")[0] == 0

        # In a call it goes on, whoever asks; asked to wait, it takes calls meanwhile, and the agent can put it off.
        assert klartone(on, "quit", "--wait", "0")[0] == 4
        assert on.desk.snapshot is not None
        assert on.desk.snapshot.quit_asked is None
        assert klartone(on, "quit", "--when-idle", "--wait", "0")[0] == 4
        phase(on, QuitPhase.WAITS)
        refused = on.desk.ask(QuitWhenIdle, ready=True)
        assert isinstance(refused, Refused)
        assert refused.said.code == "refused.quit.busy"
        assert [one.account.id for one in on.desk.snapshot.accounts] == ["agent"]
        on.hang_up(call)
        on.desk.wait(lambda one: len(one.accounts) == 2 and one.settings.ring_volume == 30, "taken up")
        on.desk.do(SaveNote, call=call, text="Ring igen mandag")
        on.ring("n7", "+4520123457")
        second = on.desk.answer().id
        on.customer.wait_for("CallEstablished")
        on.desk.do(PostponeQuit)
        phase(on, QuitPhase.POSTPONED)
        assert json.loads(klartone(on, "status", "--json")[1])["waiting"]["quit"] == "postponed"
        on.hang_up(second)
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "wrap-up", second)
        on.desk.do(EndWrapUp, call=second)
        on.desk.wait(lambda one: not one.calls and not one.unwritten, "all is written")
        # Nor does a desk that says nothing for a while, as on a machine that sleeps, bring the end that was put off.
        on.desk.silent = True
        until(lambda: not json.loads(klartone(on, "status", "--json")[1])["window"], 10, "a desk that is silent")
        assert klartone(on, "status")[0] == 0
        on.desk.silent = False
        assert on.engine.poll() is None, "an hour is an hour"

        others_see = all(one.stat().st_mode & 1 for one in (ROOT, *ROOT.parents))
        if sys.platform == "linux" and os.getuid() == 0 and others_see:
            tmp_path.chmod(0o755)
            command = [sys.executable, "-m", "softphone", "--home", str(on.home.root), "quit"]
            other = subprocess.run(
                ["setpriv", "--reuid=65534", "--clear-groups", *command],
                cwd=ROOT,
                env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert (other.returncode, "do not have access" in other.stderr) == (1, True), other.stderr
            assert on.engine.poll() is None

        # At once for an update: a call goes on all the same, and a wrap-up no longer holds it up. Nobody can put that off.
        third = on.call("n7", CUSTOMER)
        status, told = klartone(on, "quit", "--now", "--wait", "0")
        assert (status, on.desk.call(third).phase) == (4, CallPhase.CONNECTED)
        assert "--now" not in told
        phase(on, QuitPhase.WAITS)
        for command, fields in ((PostponeQuit, {}), (QuitWhenIdle, {"ready": True})):
            refused = on.desk.ask(command, **fields)
            assert isinstance(refused, Refused), command
        assert on.desk.call(third).phase is CallPhase.CONNECTED
        assert json.loads(klartone(on, "status", "--json")[1])["waiting"]["quit_at_the_latest"] is not None
        on.hang_up(third)
        on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "wrap-up", third)
        phase(on, QuitPhase.NOW)

        # A desk that is gone has nothing typed: then it ends by itself, and nothing is lost. Who calls in that moment is told.
        port = on.desk.snapshot.sip_port
        on._desks.close()
        until(lambda: read_endpoint(on.runtime) is None, 10, "a loop that has ended")
        assert calls_until_gone(port) == {"SIP/2.0 480 Temporarily Unavailable"}
        assert on.engine.wait(10) == 0
        assert klartone(on, "status", "--json")[0] == 3
        assert klartone(on, "quit")[0] == 0
        notes = [json.loads(line)["note"] for line in on.klartone("notes", "--number", CUSTOMER, "--json").splitlines()]
        assert notes == ["Ring igen mandag"]
        assert on.verified()["ok"]

        # The log says what a supporter asks, and of whom nothing.
        log = (on.home.folders.log / "engine.log").read_text("utf-8")
        said = [
            r"policy in force: number - sha256 [0-9a-f]{16} lines 1",
            r"call 1 arrived account=1 line=n7",
            r"call 1 decided notice=N7 reason=\w+",
            r"call 1 answered",
            r"call 1 first_sample at \d+\.\d s",
            r"call 1 ended code=\d+ by=them seconds=\d+\.\d status=recording reason=\w+ encrypted=no( codec=\w+)?",
            r"settings taken up: (accounts ring_volume|ring_volume accounts|accounts|ring_volume)",
            r"call 3 ended ",
        ]
        assert [one for one in said if not re.search(rf"klartone\.engine {one}", log)] == [], log
        private = (
            CUSTOMER,
            "+4520123457",
            "4520123456",
            "20123457",
            LOOPBACK,
            "agent@",
            "Mandag",
            "mandag",
            "end-0",
            call,
        )
        assert [one for one in private if one in log] == []
