"""`klartone status`, for whoever watches many phones. It does not say who calls whom."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.running import Running, desk_runs, running
from softphone.domain.purpose import Headline
from softphone.texts import Texts, plain
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallPhase, CallState, QuitAsked, QuitPhase, Registration, ShippingState

NONE_RUNS = 3
"""exit status, beside 0, 1 (a fault) and 2 (a wrong command line)"""


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
        _describe(found, phone.snapshot, tell)
        if phone.snapshot and phone.snapshot.quit_asked:
            _tell(how_the_end_stands(phone.snapshot.quit_asked, tell))
    return 0 if phone else NONE_RUNS


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
            "quit_at_the_latest": asked.latest.isoformat() if asked and asked.latest else None,
        },
        "shipping": _shipping(now.shipping) if now.shipping else None,
        "faults": [one.code for one in now.faults],
    }


def _shipping(now: ShippingState) -> dict[str, Any]:
    """None: it belongs to no house."""
    return {
        "recordings": now.recordings,
        "changes": now.told,
        "since": now.since.isoformat() if now.since else None,
        "refused": now.failed,
        "refusal": now.refusal.code if now.refusal else None,
        "trouble": now.trouble.code if now.trouble else None,
        "signed_in": now.signed_in,
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


def _describe(found: dict[str, Any], now: Snapshot | None, tell: Texts) -> None:
    """To the user of this machine, who knows an account by its address: one that a house sets up has an id that says nothing."""
    sent, names = (now.shipping, {one.account.id: one.account.address for one in now.accounts}) if now else (None, {})
    calls = [one for one in found["calls"] if one["phase"] != CallPhase.ENDED]
    _tell(tell("status.running", version=found["version"], pid=found["pid"]))
    for one in found["accounts"]:
        fine = one["state"] in (Registration.REGISTERED, Registration.UNREGISTERED)
        _tell(
            tell(
                "status.account.fine" if fine else "status.account",
                **{**one, "id": names.get(one["id"], one["id"]), "state": tell(f"status.state.{one['state']}")},
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
    if sent is not None:
        if (count := sent.recordings + sent.told) and sent.since:
            _tell(tell("status.shipping", count=count, at=sent.since, day=sent.since.astimezone(tell.zone).date()))
        if said := sent.trouble or sent.refusal:
            why = tell(said.code, **said.params)
            _tell(tell("status.not_shipped", why=why) if sent.signed_in else why)


def how_the_end_stands(asked: QuitAsked, tell: Texts) -> str:
    """Why it goes on, and until when."""
    over = asked.phase is QuitPhase.WAITS and asked.latest is not None and asked.latest <= datetime.now(UTC)
    said = tell("quit.goes_on.call" if over else f"quit.goes_on.{asked.phase}", until=asked.until)
    if asked.latest is None or over or asked.phase is QuitPhase.NOW:
        return said
    return f"{said} {tell('quit.latest', at=asked.latest, day=asked.latest.astimezone(tell.zone).date())}"


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
