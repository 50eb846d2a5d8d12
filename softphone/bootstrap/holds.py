"""The commands on holds, told to a person. What a hold is and who may lift it, is the archive's."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive import holding
from softphone.archive.keys.wraps import Recipient
from softphone.bootstrap.archive import opened
from softphone.bootstrap.home import Home, texts
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import PolicyError
from softphone.engine.numbers import e164
from softphone.system.policy_file import load_policy
from softphone.texts import Texts


def holds_list(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        found = holding.standing(archive, datetime.now(UTC))
    if arguments.json:
        _tell(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
        return 0
    if not found:
        _tell(tell("holds.none"))
    for one in found:
        _tell("  ".join([one.hold.hold, one.recording, _told(one, tell)]))
    return 0


def holds_raise(arguments: argparse.Namespace) -> int:
    """Status 1 where there is nothing of that number."""
    tell, now = texts(), datetime.now(UTC)
    by, why, who = HoldBy(arguments.by), str(arguments.why), getpass.getuser()
    with opened(arguments) as archive:
        if arguments.number is not None:
            number = e164(arguments.number)
            if number is None:
                raise ArchiveError("error.holds.no_number")
            found = [row.recording for row in holding.with_number(archive, number, now)]
        else:
            found = [archive.find(arguments.id, now).recording]
        for recording in found:
            hold = holding.raise_hold(archive, recording, by, why, who, now)
            _tell(tell("holds.raised", hold=hold, recording=recording))
    if not found:
        _tell(tell("holds.nothing_of_number"))
        return 1
    _tell(tell("holds.to_confirm", days=holding.CONFIRM_WITHIN.days))
    return 0


def holds_confirm(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        one = holding.confirm(archive, arguments.id, arguments.look_again, datetime.now(UTC))
    _tell(tell("holds.confirmed", recording=one.recording, day=arguments.look_again))
    return 0


def holds_lift(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        row = holding.lift(archive, arguments.id, arguments.reason, _recipients(arguments, tell), datetime.now(UTC))
    _tell(tell("holds.lifted", recording=row.recording))
    if row.holds:
        _tell(tell("holds.others", count=len(row.holds)))
    elif not row.purposes:
        _tell(tell("holds.goes"))
    return 0


def _told(one: holding.Standing, tell: Texts) -> str:
    hold = one.hold
    until = hold.provisional_until or hold.confirm_by
    day = hold.look_again or (until.date() if until else None)
    said = [tell(f"archive.hold.{hold.raised_for}"), tell(f"holds.state.{one.state}", day=day or "–")]
    said += [tell("archive.custody_only")] if one.alone else []
    said += [hold.why] if hold.why else []
    return ", ".join(said)


def _as_json(one: holding.Standing) -> dict[str, str | bool | None]:
    hold = one.hold
    return {
        "hold": hold.hold,
        "recording": one.recording,
        "by": hold.raised_for,
        "at": hold.at.isoformat(),
        "why": hold.why,
        "state": one.state.value,
        "provisional_until": hold.provisional_until.isoformat() if hold.provisional_until else None,
        "confirm_by": hold.confirm_by.isoformat() if hold.confirm_by else None,
        "look_again": hold.look_again.isoformat() if hold.look_again else None,
        "custody_only": one.alone,
    }


def _recipients(arguments: argparse.Namespace, tell: Texts) -> Sequence[Recipient]:
    """Whom the policy lets open recordings: training that comes back is wrapped for them."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    if not settings.policy:
        return ()
    try:
        loaded = load_policy(Path(settings.policy), signer=settings.policy_signer)
    except PolicyError:
        print(tell("keys.policy_unusable", path=settings.policy), file=sys.stderr)  # noqa: T201
        return ()
    return [Recipient.from_policy(one.id, one.purpose, one.public_key) for one in loaded.policy.recipient]


def _tell(line: str) -> None:
    print(line)  # noqa: T201
