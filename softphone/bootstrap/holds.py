"""The commands on holds, told to a person. What a hold is and who may lift it, is the archive's."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from softphone.archive.access import policy_recipients, require
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.retention import holding
from softphone.bootstrap.archive.shared import number_of, opened, words_of
from softphone.bootstrap.archive.viewing import policy_of, viewer_here
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.telling import in_words
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.retention import JUDGE_WITHIN, answer_by, local_day
from softphone.domain.roles import Deed
from softphone.system.user import user_name
from softphone.texts import Texts


def holds_list(arguments: argparse.Namespace) -> int:
    """All of them to custody; to anybody else those that they raised themselves."""
    tell, now, who = texts(), datetime.now(UTC), user_name()
    with opened(arguments) as archive:
        all_of = viewer_here(arguments, archive).may(Deed.FIND_ALL)
        found = [one for one in holding.standing(archive, now) if all_of or one.hold.raised_by == who]
    if arguments.json:
        for one in found:
            _tell(json.dumps(_as_json(one), ensure_ascii=False))
        return 0
    if not found:
        _tell(tell("holds.none" if all_of else "holds.none_of_yours"))
    for one in found:
        _tell("  ".join([one.hold.hold, one.recording, told(one, tell)]))
    return 0


def holds_raise(arguments: argparse.Namespace) -> int:
    """Status 1 where there is nothing of that number."""
    tell, now = texts(), datetime.now(UTC)
    access = arguments.raised_for == HoldBy.ACCESS
    by = HoldBy.ACCESS if access else HoldBy(arguments.by)
    why, who = _reason(arguments.why, "--why"), user_name()
    policy = _policy(arguments)
    within = policy.hold_unconfirmed if policy else holding.CONFIRM_WITHIN
    with opened(arguments) as archive:
        require(archive, viewer_here(arguments, archive), Deed.RAISE_HOLD, now)
        if arguments.number is not None:
            number = number_of(arguments.number)
            if number is None:
                raise ArchiveError("error.holds.no_number")
            found = holding.with_number(archive, number, now)
        else:
            found = [archive.find(arguments.id, now)]
        for row in found:
            hold = holding.raise_hold(archive, row.recording, by, why, who, now, within)
            _tell(tell("holds.raised", hold=hold, recording=row.recording))
    if not found:
        _tell(tell("holds.nothing_of_number"))
        return 1
    if access:
        _tell(tell("holds.to_answer", day=local_day(answer_by(now, found[0].time_zone), found[0].time_zone)))
    else:
        _tell(tell("holds.to_confirm", period=in_words(within, tell)))
    return 0


def holds_confirm(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        one = holding.confirm(archive, arguments.id, arguments.look_again, datetime.now(UTC))
    said = "holds.extended" if one.hold.raised_for == HoldBy.ACCESS else "holds.confirmed"
    _tell(tell(said, recording=one.recording, day=arguments.look_again))
    return 0


def holds_lift(arguments: argparse.Namespace) -> int:
    tell, policy, reason = texts(), _policy(arguments), _reason(arguments.reason, "--reason")
    with opened(arguments) as archive:
        row = holding.lift(
            archive,
            arguments.id,
            reason,
            policy_recipients(policy),
            datetime.now(UTC),
            judge_within=policy.judge_within if policy else JUDGE_WITHIN,
        )
    _tell(tell("holds.lifted", recording=row.recording))
    _tell_what_is_left(row, tell)
    return 0


def holds_close(arguments: argparse.Namespace) -> int:
    """A request for access has been answered, or is not to be."""
    tell, policy = texts(), _policy(arguments)
    reason = "" if arguments.answered is not None else _reason(arguments.reason, "--reason")
    with opened(arguments) as archive:
        row = holding.close(
            archive,
            arguments.id,
            policy_recipients(policy),
            datetime.now(UTC),
            answered=arguments.answered,
            reason=reason,
            judge_within=policy.judge_within if policy else JUDGE_WITHIN,
        )
    _tell(tell("holds.closed", recording=row.recording))
    _tell_what_is_left(row, tell)
    return 0


def told(one: holding.Standing, tell: Texts, *, who: bool = True) -> str:
    """For whom it stands and until when, why, by whom and since when. `who`: whether the name of who raised it is told."""
    hold = one.hold
    state = f"holds.state.access.{one.state}" if hold.raised_for == HoldBy.ACCESS else f"holds.state.{one.state}"
    said = [tell(f"archive.hold.{hold.raised_for}"), tell(state, day=one.decide_by or "–")]
    said += [tell("archive.custody_only")] if one.alone else []
    said += [hold.why] if hold.why else []
    since = local_day(hold.at, one.time_zone)
    said.append(tell("holds.by", who=hold.raised_by, day=since) if who else tell("holds.since", day=since))
    return ", ".join(said)


def _tell_what_is_left(row: RecordingRow, tell: Texts) -> None:
    if row.holds:
        _tell(tell("holds.others", count=len(row.holds)))
    elif not row.purposes and not row.expires:
        _tell(tell("holds.goes"))


def _as_json(one: holding.Standing) -> dict[str, str | bool | None]:
    hold = one.hold
    return {
        "hold": hold.hold,
        "recording": one.recording,
        "by": hold.raised_for,
        "raised_by": hold.raised_by,
        "at": hold.at.isoformat(),
        "why": hold.why,
        "state": one.state.value,
        "provisional_until": hold.provisional_until.isoformat() if hold.provisional_until else None,
        "confirm_by": hold.confirm_by.isoformat() if hold.confirm_by else None,
        "look_again": hold.look_again.isoformat() if hold.look_again else None,
        "custody_only": one.alone,
    }


def _reason(text: str | None, option: str) -> str:
    words = words_of(text, option)
    if not words:
        raise ArchiveError("error.holds.reason", option=option)
    return words


def _policy(arguments: argparse.Namespace) -> Policy | None:
    settings, _ = Home.of(arguments).settings(only_look=True)
    return policy_of(settings)


def _tell(line: str) -> None:
    print(line)  # noqa: T201
