"""The commands on holds, in words for a person. The archive knows what a hold is and who may lift it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from softphone.bootstrap.archive.shared import number_of, print_line, words_of
from softphone.bootstrap.archive.viewing import Viewing, seeing, tell_of_other_keys
from softphone.bootstrap.home import texts
from softphone.cli.tables import show_table
from softphone.domain.archive.decisions import HoldShown, Lifted, Standing
from softphone.domain.archive.recordings import Query
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.retention import CONFIRM_WITHIN, local_day
from softphone.texts import Texts


def holds_list(arguments: argparse.Namespace) -> int:
    """Custody sees those on what its key opens, others those that they raised, with the recording if they may see it."""
    tell = texts()
    with seeing(arguments, by_keys=True) as viewing:
        seen = viewing.archive.holds.standing()
    tell_of_other_keys(seen.others)
    if arguments.json:
        for one in seen.holds:
            print_line(json.dumps(_as_json(one.standing, named=one.named, whole=one.whole), ensure_ascii=False))
        return 0
    if not seen.holds and not seen.others:
        print_line(tell("holds.none" if seen.all_of else "holds.none_of_yours"))
    _show(seen.holds, tell)
    return 0


def holds_raise(arguments: argparse.Namespace) -> int:
    """All of a number at once. Who may not search by one sees how many here, and in a house not even that. Status 1 if nothing of
    it is left, or nobody can read something."""
    tell = texts()
    access = arguments.raised_for == HoldBy.ACCESS
    by = HoldBy.ACCESS if access else HoldBy(arguments.by)
    why = _reason(arguments.why, "--why")
    with seeing(arguments, whatever_policy=True) as viewing:
        policy = viewing.policy_in_force
        within = policy.hold_unconfirmed if policy else CONFIRM_WITHIN
        if arguments.number is None:
            done = viewing.archive.holds.place(arguments.id, by, why, within)
        elif (number := number_of(arguments.number)) is None:
            raise ArchiveError("error.holds.no_number")
        else:
            done = viewing.archive.holds.place_on_number(number, by, why, within)
    for one in done.named:
        already = one.hold.hold in done.already
        if arguments.json:
            print_line(json.dumps({**_as_json(one), "already": already}, ensure_ascii=False))
        else:
            since = local_day(one.hold.at, one.time_zone)
            code = "holds.stood" if already else "holds.raised"
            print_line(tell(code, hold=one.hold.hold, recording=one.recording, day=since))
    if done.untold:
        print_line(json.dumps({"untold": True}) if arguments.json else tell("holds.raised_untold"))
    if done.unnamed:
        told_of = json.dumps({"locked": done.unnamed}) if arguments.json else None
        print_line(told_of or tell("holds.raised_unnamed", count=done.unnamed))
    if gone := done.found - done.raised:
        print(tell("holds.gone", count=gone), file=sys.stderr)  # noqa: T201
    if done.unreadable:
        print(tell("refused.earlier.unreadable", count=done.unreadable), file=sys.stderr)  # noqa: T201
    elif not (done.found or done.untold or arguments.json):
        print_line(tell("holds.nothing_of_number"))
    if done.first_day and not arguments.json:
        print_line(tell("holds.to_answer" if access else "holds.to_confirm", day=done.first_day))
    return int(not (done.raised or done.untold) or bool(done.unreadable))


def holds_confirm(arguments: argparse.Namespace) -> int:
    tell = texts()

    def confirm(hold: str) -> None:
        one = viewing.archive.holds.confirm(hold, arguments.look_again)
        said = "holds.extended" if one.hold.raised_for == HoldBy.ACCESS else "holds.confirmed"
        print_line(tell(said, recording=one.recording, day=arguments.look_again))

    with seeing(arguments, by_keys=True) as viewing:
        return _each(_meant(arguments, viewing, *HoldBy), confirm, tell)


def holds_lift(arguments: argparse.Namespace) -> int:
    tell, reason = texts(), _reason(arguments.reason, "--reason")

    def lift(hold: str) -> None:
        lifted = viewing.archive.holds.lift(hold, reason, policy, training_may_end=arguments.yes)
        print_line(tell("holds.lifted", recording=lifted.row.recording))
        _tell_what_is_left(lifted, tell)

    with seeing(arguments, by_keys=True) as viewing:
        these = _meant(arguments, viewing, HoldBy.PARTY, HoldBy.CONTROLLER)
        policy = viewing.policy() if these else None
        return _each(these, lift, tell)


def holds_close(arguments: argparse.Namespace) -> int:
    """A request for access has been answered, or will not be."""
    tell = texts()
    reason = "" if arguments.answered is not None else _reason(arguments.reason, "--reason")

    def close(hold: str) -> None:
        holds = viewing.archive.holds
        closed = holds.close(hold, policy, answered=arguments.answered, reason=reason, training_may_end=arguments.yes)
        print_line(tell("holds.closed", recording=closed.row.recording))
        _tell_what_is_left(closed, tell)

    with seeing(arguments, by_keys=True) as viewing:
        these = _meant(arguments, viewing, HoldBy.ACCESS)
        policy = viewing.policy() if these else None
        return _each(these, close, tell)


def _each(these: Sequence[str], decide: Callable[[str], None], tell: Texts) -> int:
    """What one of several is refused for is told, and the rest is decided. However it ends, it is told how many are done."""
    done = 0
    try:
        for hold in these:
            try:
                decide(hold)
            except ArchiveError as error:
                if len(these) == 1:
                    raise
                print(f"{hold}  {tell.error(error)}", file=sys.stderr)  # noqa: T201
            else:
                done += 1
    finally:
        if done < len(these) > 1:
            print(tell("holds.part_done", done=done, all=len(these)), file=sys.stderr)  # noqa: T201
    return int(done < len(these) or not these)


def _meant(arguments: argparse.Namespace, viewing: Viewing, *kinds: HoldBy) -> list[str]:
    """The holds that are named, or those of `kinds` on a number's recordings. None: that is said. By a number, one matter
    alone is meant: what one person raised in the same words. Raises ArchiveError where there are several, once they are shown."""
    if arguments.number is None:
        return list(dict.fromkeys(arguments.id))
    if (number := number_of(arguments.number)) is None:
        raise ArchiveError("error.holds.no_number")
    archive, after, those = viewing.archive, None, set[str]()
    standing = archive.holds.standing()
    while True:
        page = archive.find.page(Query(number=number, held=True), after)
        those |= {row.recording for row in page.rows}
        if (after := page.next) is None:
            break
    these = [one for one in standing.holds if one.standing.recording in those and one.standing.hold.raised_for in kinds]
    holds = [one.standing.hold for one in these]
    if not these:
        print_line(texts()("holds.none_of_number"))
    elif len({(hold.raised_for, hold.raised_by, hold.why or hold.hold) for hold in holds}) > 1:
        _show(these, texts())
        raise ArchiveError("error.holds.several_matters")
    return [hold.hold for hold in holds]


def _show(these: Sequence[HoldShown], tell: Texts) -> None:
    show_table(
        [(one.standing.hold.hold, one.standing.recording if one.named else "–", hold_line(one, tell)) for one in these]
    )


def hold_line(one: HoldShown, tell: Texts) -> str:
    """For whom it stands and until when, why, by whom and since when, as far as this person may see."""
    hold, whole = one.standing.hold, one.whole
    state = (
        f"holds.state.access.{one.standing.state}"
        if hold.raised_for == HoldBy.ACCESS
        else f"holds.state.{one.standing.state}"
    )
    said = [tell(f"archive.hold.{hold.raised_for}"), tell(state, day=one.standing.decide_by or "–")]
    said += [tell("archive.custody_only")] if one.standing.alone else []
    said += [hold.why] if hold.why and whole else []
    since = local_day(hold.at, one.standing.time_zone)
    said.append(tell("holds.by", who=hold.raised_by or "–", day=since) if whole else tell("holds.since", day=since))
    return ", ".join(said)


def _tell_what_is_left(lifted: Lifted, tell: Texts) -> None:
    row = lifted.row
    if lifted.training_ended:
        print_line(tell("holds.training_ended"))
    if row.holds:
        print_line(tell("holds.others", count=len(row.holds)))
    elif not row.purposes and not row.expires:
        print_line(tell("holds.goes"))


def _as_json(one: Standing, *, named: bool = True, whole: bool = True) -> dict[str, str | bool | None]:
    hold = one.hold
    return {
        "hold": hold.hold,
        "recording": one.recording if named else None,
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
