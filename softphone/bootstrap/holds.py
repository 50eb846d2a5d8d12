"""The commands on holds, told to a person. What a hold is and who may lift it, is the archive's."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from softphone.archive.access import opens, policy_recipients, refuse, require, seen_by, viewer_of
from softphone.archive.archive import Archive
from softphone.archive.retention import holding
from softphone.bootstrap.archive.shared import number_of, opened, print_line, words_of
from softphone.bootstrap.archive.viewing import (
    meant,
    policy_of,
    policy_unless_refused,
    sees,
    tell_of_other_keys,
    viewer_here,
)
from softphone.bootstrap.home import Home, texts
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import JUDGE_WITHIN, HoldState, local_day
from softphone.domain.roles import Deed
from softphone.system.user import user_name
from softphone.texts import Texts


def holds_list(arguments: argparse.Namespace) -> int:
    """To custody those on what its key opens; to anybody those that they raised themselves, and on which recording where they
    see it."""
    tell, now = texts(), datetime.now(UTC)
    with opened(arguments) as archive:
        viewer = viewer_here(arguments, archive, by_keys=True)
        # At the phone its accounts have raised them.
        all_of, own = viewer.may(Deed.FIND_ALL), {user_name(), *viewer.agents}
        standing = [one for one in holding.standing(archive, now) if all_of or one.hold.raised_by in own]
        found = [
            one
            for one in standing
            if one.hold.raised_by in own or opens(archive, viewer, KeyRole.CUSTODY, one.recording)
        ]
        seen = {one.recording for one in found if viewer.finds_all or sees(archive, viewer, one.recording, now)}
    tell_of_other_keys(len(standing) - len(found))
    if arguments.json:
        for one in found:
            recording = {} if one.recording in seen else {"recording": None}
            about = {**_as_json(one, whole=is_whole(one, custody=all_of)), **recording}
            print_line(json.dumps(about, ensure_ascii=False))
        return 0
    if not standing:
        print_line(tell("holds.none" if all_of else "holds.none_of_yours"))
    for one in found:
        recording = one.recording if one.recording in seen else "–"
        print_line("  ".join([one.hold.hold, recording, told(one, tell, whole=is_whole(one, custody=all_of))]))
    return 0


def holds_raise(arguments: argparse.Namespace) -> int:
    """All of a number at once; to whoever may not search by one it is told how many. Status 1 where there is nothing of it left,
    or something that nobody can read."""
    tell, now, unreadable = texts(), datetime.now(UTC), set[str]()
    access = arguments.raised_for == HoldBy.ACCESS
    by = HoldBy.ACCESS if access else HoldBy(arguments.by)
    why, who = _reason(arguments.why, "--why"), user_name()
    with opened(arguments) as archive:
        settings, _ = Home.of(arguments).settings(only_look=True)
        policy = policy_unless_refused(settings, archive)
        within = policy.hold_unconfirmed if policy else holding.CONFIRM_WITHIN
        viewer = viewer_of(archive, policy, [one.address for one in settings.accounts])
        require(archive, viewer, Deed.RAISE_HOLD, now)
        if arguments.number is not None:
            number = number_of(arguments.number)
            if number is None:
                raise ArchiveError("error.holds.no_number")
            if not archive.secrets.numbers:
                refuse(archive, Deed.RAISE_HOLD, now)
            key = next((ids[0] for ids in viewer.key_ids.values()), "")
            found = holding.seek(archive, number, by, now, unreadable, key=key)
            rows = ((row, seen_by(archive, viewer, row, now)) for row in found)
            named = {row.recording for row, sight in rows if sight and sight.by_number}
        else:
            found = [meant(archive, viewer, arguments.id, now, Deed.RAISE_HOLD)]
            named = {row.recording for row in found}
        raised = holding.raise_holds(archive, found, by, why, who, now, within)
    for one in raised:
        if one.recording not in named:
            continue
        # What is new was raised at this very moment.
        already = one.hold.at != now
        if arguments.json:
            print_line(json.dumps({**_as_json(one, whole=True), "already": already}, ensure_ascii=False))
        else:
            since = local_day(one.hold.at, one.time_zone)
            code = "holds.stood" if already else "holds.raised"
            print_line(tell(code, hold=one.hold.hold, recording=one.recording, day=since))
    if unnamed := sum(one.recording not in named for one in raised):
        print_line(json.dumps({"locked": unnamed}) if arguments.json else tell("holds.raised_unnamed", count=unnamed))
    if gone := len(found) - len(raised):
        print(tell("holds.gone", count=gone), file=sys.stderr)  # noqa: T201
    if unreadable:
        print(tell("refused.earlier.unreadable", count=len(unreadable)), file=sys.stderr)  # noqa: T201
    elif not found and not arguments.json:
        print_line(tell("holds.nothing_of_number"))
    if not raised:
        return 1
    # One of their own that stood before may have been confirmed.
    days = [one.decide_by for one in raised if one.decide_by and (access or one.state is not HoldState.CONFIRMED)]
    if days and not arguments.json:
        print_line(tell("holds.to_answer" if access else "holds.to_confirm", day=min(days)))
    return 1 if unreadable else 0


def holds_confirm(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        one = holding.confirm(archive, arguments.id, arguments.look_again, datetime.now(UTC))
    said = "holds.extended" if one.hold.raised_for == HoldBy.ACCESS else "holds.confirmed"
    print_line(tell(said, recording=one.recording, day=arguments.look_again))
    return 0


def holds_lift(arguments: argparse.Namespace) -> int:
    tell, reason = texts(), _reason(arguments.reason, "--reason")
    with opened(arguments) as archive:
        policy = _policy(arguments, archive)
        lifted = holding.lift(
            archive,
            arguments.id,
            reason,
            policy_recipients(policy) if policy else None,
            datetime.now(UTC),
            judge_within=policy.judge_within if policy else JUDGE_WITHIN,
            training_may_end=arguments.yes,
        )
    print_line(tell("holds.lifted", recording=lifted.row.recording))
    _tell_what_is_left(lifted, tell)
    return 0


def holds_close(arguments: argparse.Namespace) -> int:
    """A request for access has been answered, or is not to be."""
    tell = texts()
    reason = "" if arguments.answered is not None else _reason(arguments.reason, "--reason")
    with opened(arguments) as archive:
        policy = _policy(arguments, archive)
        lifted = holding.close(
            archive,
            arguments.id,
            policy_recipients(policy) if policy else None,
            datetime.now(UTC),
            answered=arguments.answered,
            reason=reason,
            judge_within=policy.judge_within if policy else JUDGE_WITHIN,
            training_may_end=arguments.yes,
        )
    print_line(tell("holds.closed", recording=lifted.row.recording))
    _tell_what_is_left(lifted, tell)
    return 0


def is_whole(one: holding.Standing, *, custody: bool) -> bool:
    """Whether why it was raised, and by whom, is told: to custody and to the machine's user who raised it (L2). Whose account
    stands in the settings is no proof of who asks."""
    return custody or one.hold.raised_by == user_name()


def told(one: holding.Standing, tell: Texts, *, whole: bool = True) -> str:
    """For whom it stands and until when, why, by whom and since when. `whole`: why and by whom are told."""
    hold = one.hold
    state = f"holds.state.access.{one.state}" if hold.raised_for == HoldBy.ACCESS else f"holds.state.{one.state}"
    said = [tell(f"archive.hold.{hold.raised_for}"), tell(state, day=one.decide_by or "–")]
    said += [tell("archive.custody_only")] if one.alone else []
    said += [hold.why] if hold.why and whole else []
    since = local_day(hold.at, one.time_zone)
    said.append(tell("holds.by", who=hold.raised_by or "–", day=since) if whole else tell("holds.since", day=since))
    return ", ".join(said)


def _tell_what_is_left(lifted: holding.Lifted, tell: Texts) -> None:
    row = lifted.row
    if lifted.training_ended:
        print_line(tell("holds.training_ended"))
    if row.holds:
        print_line(tell("holds.others", count=len(row.holds)))
    elif not row.purposes and not row.expires:
        print_line(tell("holds.goes"))


def _as_json(one: holding.Standing, *, whole: bool) -> dict[str, str | bool | None]:
    hold = one.hold
    return {
        "hold": hold.hold,
        "recording": one.recording,
        "raised_for": hold.raised_for,
        "raised_by": hold.raised_by,
        "at": hold.at.isoformat(),
        "why": hold.why if whole else None,
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


def _policy(arguments: argparse.Namespace, archive: Archive) -> Policy | None:
    settings, _ = Home.of(arguments).settings(only_look=True)
    return policy_of(settings, archive)
