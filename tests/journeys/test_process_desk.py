"""Desk and engine are two processes: either may freeze or die, and the call and its recording come to no harm."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from softphone.bootstrap.home import password_name
from softphone.domain.purpose import Direction, KeyRole, Purpose, Reason
from softphone.domain.status import HoldPhase, PurposePhase
from softphone.system.endpoint import read_endpoint
from softphone.system.secrets import DemoKeyFile
from softphone.wire.snapshot import Account, CallPhase
from tests.journeys.fault_words import change_settings
from tests.journeys.lines import NUMBERS
from tests.journeys.listening import jumps, numbers, spoken
from tests.journeys.process_window import no_engine_left, observed, recorded, window
from tests.journeys.stage import CUSTOMER, build
from tests.peers.counter import CYCLE
from tests.peers.kamailio import kamailio
from tests.peers.processes import until
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey


@pytest.mark.calm
def test_a_desk_blocked_for_five_seconds_costs_none_of_the_agents_frames(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with no_engine_left(on), window(on.folder / "home") as desk, observed(on) as eye:
        call = recorded(on, desk)
        desk.stop()
        stopped = time.monotonic()
        talk(on.customer, 250)
        assert time.monotonic() - stopped >= 4.9
        desk.go_on()
        woken = time.monotonic()
        desk.wait(lambda one: one.get("attached"), "the state again", after=woken)
        eye.wait_status(lambda one: set(one.recording) == set(Purpose), "both purposes again", call)
        on.sealed(call, 1.5)
        on.hang_up(call)
        row = on.row(call)
        assert row is not None
        sound = on.exported(row.recording)
    # The agent's side comes from the engine itself. The party's has crossed a network, where a busy machine may be late, yet
    # not for a good part of those five seconds.
    agent, party = (numbers(sound[:, side].copy()) for side in (0, 1))
    first, last = spoken(agent)
    assert last - first > 300
    assert jumps(sound[:, 0].copy()) == []
    first, last = spoken(party)
    assert last - first > 300
    said = {(number - (party[first] or 0)) % CYCLE for number in party if number is not None}
    assert max(said) + 1 - len(said) < 100, "frames of the caller that are missing"
    assert on.verified()["ok"]


@pytest.mark.rule("G23")
@pytest.mark.rule("G32")
def test_after_a_key_that_no_notice_named_the_desk_says_so_and_the_agent_asks_what_was_meant(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n8",))
    with no_engine_left(on), window(on.folder / "home") as desk, observed(on) as eye:
        call = recorded(on, desk, line="n8")
        on.customer.do("digits", digits="*9")
        eye.wait_status(lambda one: Reason.OBJECTION in one.pauses and not one.recording, "nothing recorded", call)
        shown = desk.wait(lambda one: {"unclearObject", "unclearGoOn"} <= set(one.get("can", ())), "both answers")
        assert shown["title"].startswith("Not recording · the caller pressed no at ")
        assert shown["say"] == "I can see that you pressed no. Do you object to our recording this call?"
        desk.press("unclearGoOn")
        eye.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "recorded again", call, 20)
        again = desk.wait(lambda one: one.get("title", "").startswith("Recording"), "so", after=shown["t"])
        assert not {"unclearObject", "unclearGoOn"} & set(again["can"])
        on.sealed(call, 0.5)
        on.customer.do("digits", digits="*9")
        desk.press("unclearObject")
        shown = desk.wait(lambda one: "say" in one and "objection" in one["say"], "what to say", after=again["t"])
        assert "unclearGoOn" not in shown["can"], "said in words, it is clear"
        on.hang_up(call)
    assert on.verified()["ok"]


@pytest.mark.calm
@pytest.mark.rule("G31")
def test_a_killed_desk_pauses_training_alone_and_a_new_one_has_the_whole_state_and_its_opt_out(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with no_engine_left(on), window(on.folder / "home", timed=True) as desk, observed(on) as eye:
        call = recorded(on, desk)
        headline = desk.now()["title"]
        killed = time.monotonic()
        desk.kill()
        paused = eye.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "training paused", call, 15)
        print(f"training paused {time.monotonic() - killed:.2f} s after the desk was killed")
        assert Reason.NO_DESK in paused.pauses
        on.sealed(call, 1.0)
        with window(on.folder / "home", timed=True) as another:
            whole = another.wait(lambda one: one.get("attached") and one["title"] == headline, "the whole state")
            print(f"a new desk shows the whole state {whole['t'] - another.began:.2f} s after it was started")
            assert whole["t"] - another.began < 2.0
            eye.wait_status(lambda one: set(one.recording) == set(Purpose), "training again", call)
            another.press("optOut")
            eye.wait_status(
                lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ENDED, "the end of training", call
            )
            on.sealed(call, 1.0)
            on.hang_up(call)
        row = on.row(call)
    assert row is not None
    assert row.purposes == (Purpose.DOCUMENTATION,)
    assert on.verified()["ok"]


@pytest.mark.rule("G31")
def test_a_no_that_is_pressed_as_the_engine_is_killed_is_carried_out_by_the_next_one(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with no_engine_left(on), window(on.folder / "home") as desk:
        with observed(on):
            call = recorded(on, desk)
            endpoint = read_endpoint(on.runtime)
            assert endpoint is not None
            os.kill(endpoint.pid, signal.SIGSTOP)  # what is pressed now, nobody reads
            desk.press("optOut")
            killed = time.monotonic()
            os.kill(endpoint.pid, signal.SIGKILL)
            desk.wait(lambda one: one.get("note", "").startswith("The phone stopped just"), "so", after=killed)
            desk.wait(lambda one: "now been carried out" in one.get("note", ""), "that it is done", 20, killed)
        with observed(on) as eye:
            past = eye.wait(lambda s: next((one for one in s.history if one.id == call), None), "its row", 20)
            assert past.kept
            until(lambda: (row := on.row(call)) is not None and KeyRole.TRAINING not in row.opens_for, 10, "its end")
        assert on.verified()["ok"]
        log = (on.folder / "desk" / "desk.log").read_text("utf-8")
        said = [line.split("klartone.desk ")[1].split(":")[0] for line in log.splitlines() if "klartone.desk " in line]
        assert said[-4:] == ["phone gone", "phone ended with status -9", "phone is being started", "phone attached"], (
            said
        )


def test_after_the_engine_was_killed_the_agent_sees_whom_she_has_lost_and_calls_back(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with no_engine_left(on), window(on.folder / "home") as desk:
        with observed(on):
            address = f"{CUSTOMER}@{on.host}"
            on.customer.do("account", id="mette", address=address, display_name="Mette Holm", register=False)
            on.customer.do("dial", account="mette", target=f"sip:{NUMBERS['n7']}@{on.host}:{on.sip_port}")
            desk.press("answer")
            on.customer.wait_for("CallEstablished")
            call = on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a call").id
            on.desk.wait_status(lambda one: one.hold is None and one.recording, "recording", call, 20)
            desk.press("dispute")
            on.desk.wait_status(lambda one: one.hold and one.hold.phase is HoldPhase.LOCKED, "locked", call)
            endpoint = read_endpoint(on.runtime)
            assert endpoint is not None
            killed = time.monotonic()
            os.kill(endpoint.pid, signal.SIGKILL)
            desk.wait(lambda one: one.get("lost") == ["The call broke off: Mette Holm"], "whom", 20, killed)
        with observed(on) as eye:
            past = eye.wait(lambda s: next((one for one in s.history if one.id == call), None), "its row", 20)
            assert (past.name, past.outcome, past.broke_off) == ("Mette Holm", "locked", True)
            desk.press(f"lostCall_{call}", 20)
            back = eye.wait(lambda s: next((one for one in s.calls if one.id != call), None), "a call back")
            assert (back.direction, back.number) == (Direction.OUTBOUND, CUSTOMER)
            eye.wait(lambda s: not any(one.unseen for one in s.history), "that she has called")


@pytest.mark.alone
@pytest.mark.peer("kamailio")
def test_a_killed_engine_is_told_of_started_again_and_registered_within_three_seconds(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with kamailio({"4711": "a-good-password"}) as server:
        store = DemoKeyFile(on.archive_folder / "demo-keys.json")
        store.set(password_name("agent"), b"a-good-password")
        change_settings(on, accounts=(Account("agent", f"4711@{server.address}", register=True),))
        with no_engine_left(on), window(on.folder / "home", timed=True) as desk:
            desk.wait(lambda one: "Ready" in one.get("account", ""), "registered")
            with observed(on):
                call = recorded(on, desk)
                on.sealed(call, 2.0)
                kept = on.sealed_seconds(call)
                endpoint = read_endpoint(on.runtime)
                assert endpoint is not None
                killed = time.monotonic()
                os.kill(endpoint.pid, signal.SIGKILL)
                gone = desk.wait(lambda one: one.get("attached") is False, "that the engine is gone", 5, killed)
                assert "No connection" in gone["title"]
                assert "starting again" in gone["account"]
                assert gone["t"] - killed < 0.5
                back = desk.wait(lambda one: "Ready" in one.get("account", ""), "registered again", 15, gone["t"])
                print(f"told after {gone['t'] - killed:.2f} s, registered again after {back['t'] - killed:.2f} s")
                assert back["t"] - killed < 3.0
            row = on.row(call)
            assert row is not None
            assert len(on.exported(row.recording, whole=False)) / 16_000 >= kept - 0.02
        assert on.verified()["ok"]
