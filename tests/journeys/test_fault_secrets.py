"""Who calls and with which password is told to nobody who reads logs: not in a call, not by a refusal, not by a crash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from softphone.bootstrap.home import password_name
from softphone.system.secrets import DemoKeyFile
from softphone.wire.from_engine import Refused
from softphone.wire.snapshot import Account, CallPhase, Registration
from softphone.wire.to_engine import Dial, HangUp
from tests.journeys.fault_words import begun, change_settings, words
from tests.journeys.lines import NUMBERS
from tests.journeys.process_window import window
from tests.journeys.stage import LOOPBACK, Stage, build, stage
from tests.peers.kamailio import kamailio
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey

NUMBER = "+4531415926"
NAME = "Zacharias Qvortrup"
PASSWORD = "kun-til-denne-ene-prøve"
PLANTED = (NUMBER, NUMBER.removeprefix("+45"), "Zacharias", "Qvortrup", PASSWORD)


def planted_in(folder: Path) -> dict[str, list[str]]:
    """Which file holds which of what was planted, in any of the encodings that a program on this machine writes."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    found = {
        str(file.relative_to(folder)): [
            word
            for word in PLANTED
            if any(word.encode(code) in content for code in ("utf-8", "utf-16-le", "utf-16-be"))
        ]
        for file in files
        if (content := file.read_bytes())
    }
    return {file: words for file, words in found.items() if words}


def test_what_is_planted_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"call from {NUMBER}", "utf-8")
    (tmp_path / "dump").write_bytes(NAME.encode("utf-16-le"))
    assert planted_in(tmp_path) == {"log": [NUMBER, NUMBER[3:]], "dump": ["Zacharias", "Qvortrup"]}


def _ring(on: Stage) -> None:
    on.customer.do("dial", account=NUMBER, target=f"sip:{NUMBERS['n7']}@{LOOPBACK}:{on.sip_port}")


def _introduce(on: Stage) -> None:
    """The customer has a name and that number."""
    on.customer.do("account", id=NUMBER, address=f"{NUMBER}@{LOOPBACK}", register=False, display_name=NAME)


@pytest.mark.peer("kamailio")
def test_neither_number_nor_name_nor_password_is_written_down_in_plain(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    log = tmp_path / "desk" / "desk.log"
    with kamailio({"4711": "another"}) as server:
        keys = DemoKeyFile(on.archive_folder / "demo-keys.json")
        wrong = Account("exchange", f"4711@{server.address}", register=True)
        change_settings(on, accounts=(wrong, Account("agent", "agent@127.0.0.1", register=False)))
        with begun(on), window(on.folder / "home") as desk:
            on.ready()
            _introduce(on)
            desk.press("openSettings")
            desk.type("accountPassword", PASSWORD)
            desk.press("saveAccount")
            on.desk.wait_until(lambda: keys.get(password_name("exchange")) == PASSWORD.encode(), "a stored password")
            on.desk.wait(lambda now: now.accounts[0].registration is Registration.REFUSED, "a refusal")
            _ring(on)
            ringing = on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "a ringing call")
            assert (ringing.name, ringing.number) == (NAME, NUMBER), "nothing was planted"
            call = on.desk.answer().id
            on.customer.wait_for("CallEstablished")
            on.sealed(call, 1.0)
            on.desk.dispute(call)
            on.sealed(call, 1.0)
            # The window knows all of it, and stumbles over it.
            desk.wait(lambda now: NAME in now.get("title", ""), "the customer's name")
            desk.press("openSettings")
            desk.type("accountPassword", PASSWORD)
            desk.stumble()
            on.desk.wait_until(lambda: "bug RuntimeError" in (log.read_text("utf-8") if log.exists() else ""), "a bug")
            on.hang_up(call)
            # A call of ours that comes to nothing, and a target that is none.
            assert isinstance(on.desk.ask(Dial, account="agent", target=f"{NAME} <{NUMBER}>"), Refused)
            dialled = on.desk.do(Dial, account="agent", target=f"sip:{NUMBER}@{LOOPBACK}:9").result["call"]
            on.desk.do(HangUp, call=dialled)
            on.desk.wait_event("ended", call=dialled)
            on.end()
    assert planted_in(tmp_path) == {}
    assert on.verified()["ok"]


LOGGED = {"loop": ["bug RuntimeError"], "fatal": ["bug _FatalError"]}


@pytest.mark.parametrize("bugs", [("loop", "sip", "draw", "thread"), ("fatal",), ("native",)], ids=" and ".join)
def test_a_crash_tells_where_and_not_about_whom(tmp_path: Path, bugs: Sequence[str]) -> None:
    program = ("-m", "tests.journeys.process_engine", "--bug", *bugs)
    with stage(tmp_path, lines=("n7",), program=program) as on:
        on.expects(*LOGGED.get(bugs[0], ()), reason="they are planted")
        _introduce(on)
        for bug in bugs:
            _ring(on)
            if bug not in ("fatal", "native"):
                call = on.desk.answer().id
                on.customer.wait_for("CallEstablished")
                talk(on.customer, 25)
                on.over(call)
            else:
                assert on.engine.wait(10) != 0
        on.customer.do("end_calls")
        on.customer.wait_for("Idle")
        on.end()
        told = words(on)
        if "native" not in bugs:
            assert told.count("Error at") >= len(bugs)
            assert "process_engine.py" in told
    assert planted_in(tmp_path) == {}
