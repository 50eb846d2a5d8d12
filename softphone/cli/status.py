"""`klartone status` and `klartone quit`: for whoever updates or watches many phones. Neither says who calls whom."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.running import Running, desk_runs, ended_within, running
from softphone.domain.errors import EngineError, KlartoneError
from softphone.domain.purpose import Headline
from softphone.texts import Texts, plain
from softphone.wire.snapshot import CallPhase, CallState, QuitPhase, Registration
from softphone.wire.to_engine import QuitWhenIdle

NONE_RUNS, GOES_ON = 3, 4
"""exit statuses, beside 0, 1 (a fault) and 2 (a wrong command line)"""
COMES_WITHIN = 3.0
"""seconds in which the phone of a window that has just opened can be reached"""


def run_status(arguments: argparse.Namespace) -> int:
    """Status 3 if no phone runs."""
    home, tell = Home.of(arguments), texts()
    phone = running(home.folders.runtime)
    found = status_of(phone) if phone else {"running": False, "window": desk_runs(home.folders.runtime)}
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))  # noqa: T201
    elif phone is None:
        _tell(tell("status.window_alone" if found["window"] else "status.none"))
    else:
        _describe(found, tell)
    return 0 if phone else NONE_RUNS


def run_quit(arguments: argparse.Namespace) -> int:
    """Status 0 if no phone runs any more, 4 if it goes on. With `--when-idle` it still ends by itself then."""
    home, tell = Home.of(arguments), texts()
    runtime = home.folders.runtime
    began = time.monotonic()
    until = began + arguments.wait
    phone = running(runtime)
    while phone is None and desk_runs(runtime) and time.monotonic() < min(until, began + COMES_WITHIN):
        time.sleep(0.1)
        phone = running(runtime)
    if phone is None:
        there = desk_runs(runtime)
        _tell(tell("quit.window_alone" if there else "status.none"))
        return GOES_ON if there else 0
    with phone:
        try:
            phone.ask(QuitWhenIdle("quit", within=0 if arguments.when_idle else max(arguments.wait, 1.0)))
        except EngineError:
            if not ended_within(runtime, 0):  # it may be ending by itself just now
                raise
        except KlartoneError as error:
            _tell(tell.error(error))
            return GOES_ON
    if ended_within(runtime, max(until - time.monotonic(), 0)):
        _tell(tell("quit.done"))
        return 0
    _tell(tell(f"quit.goes_on.{_asked(runtime) if arguments.when_idle else 'no'}"))
    return GOES_ON


def _asked(runtime: Path) -> str:
    """How the end stands that was asked for."""
    phone = running(runtime)
    if phone is None:
        return "no"
    with phone:
        asked = phone.snapshot.quit_asked if phone.snapshot else None
    return asked.phase if asked else "no"


def status_of(phone: Running) -> dict[str, Any]:
    """As data, without a number, a name or an address."""
    with phone:
        now = phone.snapshot
    assert now is not None
    asked = now.quit_asked
    return {
        "running": True,
        "version": phone.hello.version,
        "protocol": phone.hello.protocol,
        "pid": phone.hello.pid,
        "since": now.since.isoformat() if now.since else None,
        "window": now.desk,
        "accounts": [
            {
                "id": one.account.id,
                "state": one.registration.value,
                "code": one.code,
                "trouble": one.trouble.code if one.trouble else None,
            }
            for one in now.accounts
        ],
        "calls": [_call(one) for one in now.calls],
        "policy": now.policy.phase.value,
        "store": now.store.works,
        "waiting": {
            "call_backs": len(now.call_backs),
            "unwritten": now.unwritten,
            "quit": asked.phase.value if asked else None,
            "typed": bool(asked and asked.phase is QuitPhase.DUE and now.desk),
            "quit_postponed_until": asked.until.isoformat() if asked and asked.until else None,
        },
        "faults": [one.code for one in now.faults],
    }


def _call(call: CallState) -> dict[str, Any]:
    """A wrap-up is a call whose phase is `ended`."""
    status = call.status
    since = call.ended_at if call.phase is CallPhase.ENDED else call.answered_at or call.arrived_at
    return {
        "phase": call.phase.value,
        "since": since.isoformat() if since else None,
        "recorded": status is not None and call.phase is CallPhase.CONNECTED and status.headline is Headline.RECORDING,
        "headline": status.headline.value if status else None,
    }


def _describe(found: dict[str, Any], tell: Texts) -> None:
    calls = [one for one in found["calls"] if one["phase"] != CallPhase.ENDED]
    _tell(tell("status.running", version=found["version"], pid=found["pid"]))
    for one in found["accounts"]:
        fine = one["state"] in (Registration.REGISTERED, Registration.UNREGISTERED)
        _tell(
            tell(
                "status.account.fine" if fine else "status.account",
                **{**one, "state": tell(f"status.state.{one['state']}")},
            )
        )
    _tell(tell("status.calls", count=len(calls)) if calls else tell("status.no_calls"))
    if recorded := [one for one in calls if one["recorded"]]:
        _tell(tell("status.recorded", count=len(recorded)))
    if len(calls) < len(found["calls"]):
        _tell(tell("status.wrap_up"))
    waiting = found["waiting"]
    if waiting["call_backs"]:
        _tell(tell("status.call_backs", count=waiting["call_backs"]))
    if waiting["unwritten"]:
        _tell(tell("status.unwritten"))
    if waiting["quit"]:
        _tell(tell(f"quit.goes_on.{QuitPhase(waiting['quit'])}"))


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
