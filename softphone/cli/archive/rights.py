"""`klartone archive withdraw` and `opt-out`: what a party takes back after the call, at once (G04, G31, G37).

And `klartone cases new`: what they object to, or want erased, by letter (G23, G37).
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, datetime

from softphone.bootstrap.archive.shared import number_of, print_line
from softphone.bootstrap.archive.viewing import HouseViewing, seeing
from softphone.bootstrap.home import texts
from softphone.domain.archive.decisions import PurposesEnded, Right
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.purpose import Purpose
from softphone.texts import Texts


def archive_withdraw(arguments: argparse.Namespace) -> int:
    return _take_back(arguments, Right.WITHDRAW, arguments.purpose)


def archive_opt_out(arguments: argparse.Namespace) -> int:
    return _take_back(arguments, Right.OPT_OUT, None)


def cases_new(arguments: argparse.Namespace) -> int:
    """Raises ArchiveError for a day to come."""
    if arguments.received and arguments.received > datetime.now().astimezone().date():
        raise ArchiveError("error.rights.received_later")
    right = Right.ERASE if arguments.asked_for == "erasure" else Right.OBJECT
    return _take_back(arguments, right, None, arguments.received)


def _take_back(
    arguments: argparse.Namespace, right: Right, purpose: Purpose | None, received: date | None = None
) -> int:
    """A person who finds the recordings sees which they were, others how many. Status 1 if a call is still on, or something
    cannot be read."""
    tell = texts()
    with seeing(arguments, by_keys=True) as viewing:
        # A party's no does not wait until a policy is signed or corrected.
        terms = terms_afterwards(viewing.policy_unless_refused())
        if arguments.number is None:
            done = viewing.archive.rights.take_back(arguments.id, right, terms, purpose, received)
        elif (number := number_of(arguments.number)) is None:
            raise ArchiveError("error.rights.no_number")
        else:
            done = viewing.archive.rights.take_back_of_number(number, right, terms, purpose, received)
    for one in done.ended:
        print_line(json.dumps(_as_json(one)) if arguments.json else f"{one.recording}  {_told(one, tell)}")
    if arguments.json:
        sums = {
            "ended": len(done.ended) + done.unnamed,
            "unnamed": done.unnamed,
            "running": done.running,
            "unreadable": done.unreadable,
        }
        print_line(json.dumps({"sums": sums}))
    else:
        if done.unnamed:
            print_line(tell("rights.unnamed", count=done.unnamed))
        if not (done.ended or done.unnamed or done.running):
            print_line(tell(f"rights.nothing.{right}"))
        if right is not Right.WITHDRAW and arguments.number is not None:
            print_line(tell("rights.remembered"))
        if isinstance(viewing, HouseViewing):
            print_line(tell("rights.later"))
    if done.ended or (done.unnamed and right is Right.ERASE):
        cased = right is Right.OPT_OUT and any(one.restricted == "case" for one in done.ended)
        code = ".erase" if right is Right.ERASE else ".object" if cased or right is Right.OBJECT else ""
        print(tell(f"rights.tell{code}"), file=sys.stderr)  # noqa: T201
    if done.running:
        print(tell("rights.running", count=done.running), file=sys.stderr)  # noqa: T201
    if done.unreadable:
        print(tell("rights.unreadable", count=done.unreadable), file=sys.stderr)  # noqa: T201
    return int(bool(done.running or done.unreadable))


def _told(one: PurposesEnded, tell: Texts) -> str:
    if one.gone:
        return tell("rights.gone")
    said = [tell("rights.ended", purpose=tell(f"purpose.{purpose}")) for purpose in one.purposes]
    if one.restricted:
        said.append(tell(f"rights.restricted.{one.restricted}"))
    return ", ".join(said)


def _as_json(one: PurposesEnded) -> dict[str, object]:
    purposes = [purpose.value for purpose in one.purposes]
    return {"recording": one.recording, "ended": purposes, "gone": one.gone, "restricted": one.restricted}
