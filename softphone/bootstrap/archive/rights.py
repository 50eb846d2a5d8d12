"""`klartone archive withdraw` and `opt-out`: what a party takes back after the call, at once (G04, G31, G37)."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from softphone.archive.access import refuse, require, seen_by
from softphone.archive.retention import taking_back
from softphone.archive.retention.taking_back import Asked, Ended, Right
from softphone.bootstrap.archive.shared import number_of, opened, print_line
from softphone.bootstrap.archive.viewing import meant, policy_unless_refused, viewer_here
from softphone.bootstrap.home import Home, texts
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.purpose import Purpose
from softphone.domain.roles import Deed
from softphone.texts import Texts


def archive_withdraw(arguments: argparse.Namespace) -> int:
    return _take_back(arguments, Right.WITHDRAW, arguments.purpose)


def archive_opt_out(arguments: argparse.Namespace) -> int:
    return _take_back(arguments, Right.OPT_OUT, None)


def _take_back(arguments: argparse.Namespace, right: Right, purpose: Purpose | None) -> int:
    """Which recordings it was is told to whoever finds them; of others, how many. Status 1 where a call is still on, or
    something cannot be read."""
    tell, now = texts(), datetime.now(UTC)
    with opened(arguments) as archive:
        viewer = viewer_here(arguments, archive, by_keys=True)
        require(archive, viewer, Deed.TAKE_BACK, now)
        key = next((ids[0] for ids in viewer.key_ids.values()), "")
        settings, _ = Home.of(arguments).settings(only_look=True)
        # What a party takes back does not wait until a policy is signed, or mended.
        terms = terms_afterwards(policy_unless_refused(settings, archive))
        asked = Asked(right, now, terms, purpose, key)
        if arguments.number is None:
            row = meant(archive, viewer, arguments.id, now, Deed.TAKE_BACK)
            named = {row.recording}
            done = taking_back.of_recording(archive, row, asked)
        else:
            if (number := number_of(arguments.number)) is None:
                raise ArchiveError("error.rights.no_number")
            if not archive.secrets.numbers:
                refuse(archive, Deed.TAKE_BACK, now)
            rows = taking_back.with_number(archive, number, now)
            named = {row.recording for row in rows if seen_by(archive, viewer, row, now)}
            done = taking_back.of_number(archive, number, asked)
    shown = [one for one in done.ended if one.recording in named]
    unnamed = len(done.ended) - len(shown)
    for one in shown:
        print_line(json.dumps(_as_json(one)) if arguments.json else f"{one.recording}  {_told(one, tell)}")
    if arguments.json:
        sums = {"ended": len(done.ended), "unnamed": unnamed, "running": done.running, "unreadable": done.unreadable}
        print_line(json.dumps({"sums": sums}))
    else:
        if unnamed:
            print_line(tell("rights.unnamed", count=unnamed))
        if not done.ended and not done.running:
            print_line(tell(f"rights.nothing.{right}"))
        if right is Right.OPT_OUT and arguments.number is not None:
            print_line(tell("rights.remembered"))
    if done.ended:
        print(tell("rights.tell"), file=sys.stderr)  # noqa: T201
    if done.running:
        print(tell("rights.running", count=done.running), file=sys.stderr)  # noqa: T201
    if done.unreadable:
        print(tell("rights.unreadable", count=done.unreadable), file=sys.stderr)  # noqa: T201
    return int(bool(done.running or done.unreadable))


def _told(one: Ended, tell: Texts) -> str:
    if one.gone:
        return tell("rights.gone")
    said = [tell("rights.ended", purpose=tell(f"purpose.{purpose}")) for purpose in one.purposes]
    if one.restricted:
        said.append(tell(f"rights.restricted.{one.restricted}"))
    return ", ".join(said)


def _as_json(one: Ended) -> dict[str, object]:
    purposes = [purpose.value for purpose in one.purposes]
    return {"recording": one.recording, "ended": purposes, "gone": one.gone, "restricted": one.restricted}
