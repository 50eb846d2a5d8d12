"""`klartone archive judge`: what has reached its day and is not simply deleted, for data protection to judge (G10)."""

from __future__ import annotations

import argparse
import json

from softphone.bootstrap.archive.shared import print_line, words_of
from softphone.bootstrap.archive.viewing import Viewing, seeing, seeing_here, tell_of_other_keys
from softphone.bootstrap.home import texts
from softphone.domain.archive.decisions import ToJudge
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.retention import JUDGE_WITHIN
from softphone.texts import Texts


def archive_judge(arguments: argparse.Namespace) -> int:
    """Without an id: the list, oldest first."""
    tell = texts()
    with seeing(arguments, by_keys=True) as viewing:
        keeps = arguments.keep_until is not None
        if arguments.id is None and (keeps or arguments.delete):
            raise ArchiveError("error.judge.which")
        # The policy says for whom it is kept, and one that cannot be used names nobody. Custody does all else by its key.
        policy = viewing.policy() if keeps else viewing.policy_unless_refused()
        within = policy.judge_within if policy else JUDGE_WITHIN
        if arguments.id is None:
            return _list(viewing, within, tell, as_json=arguments.json)
        reason = words_of(arguments.reason, "--reason")
        if arguments.delete:
            gone = viewing.archive.judging.let_go(arguments.id, reason, within, arguments.purpose)
            print_line(tell("judge.deleted" if gone else "judge.ended", id=arguments.id))
            return 0
        if arguments.keep_until is None:
            raise ArchiveError("error.judge.what")
        if not reason:
            raise ArchiveError("error.judge.reason")
        kept = viewing.archive.judging.keep(arguments.id, arguments.keep_until, reason, policy, arguments.purpose)
    print_line(tell("judge.kept", id=kept, day=arguments.keep_until))
    return 0


def archive_orphan(arguments: argparse.Namespace) -> int:
    """A file that was set aside and belongs to nothing: data protection deletes it, for a reason."""
    tell = texts()
    reason = words_of(arguments.reason, "--reason")
    with seeing_here(arguments, by_keys=True) as viewing:
        viewing.archive.upkeep.let_orphan_go(arguments.id, reason)
    print_line(tell("archive.orphan.deleted", id=arguments.id))
    return 0


def _list(viewing: Viewing, within: Period, tell: Texts, *, as_json: bool) -> int:
    none, others = True, 0
    for one in viewing.archive.judging.waiting(within):
        none = False
        if one is None:
            others += 1
        elif as_json:
            print_line(json.dumps(_as_json(one), ensure_ascii=False))
        else:
            print_line(f"{one.recording}  {_told(one, tell)}")
    if none and not as_json:
        print_line(tell("judge.none"))
    tell_of_other_keys(others)
    return 0


def _told(one: ToJudge, tell: Texts) -> str:
    sentence = tell(
        "judge.waits",
        purpose=tell(f"purpose.{one.purpose}"),
        line=one.line or "–",
        ended=one.ended_on,
        by=one.judge_by,
        most=one.keep_at_most,
    )
    return ", ".join([sentence, tell("archive.locked")] if one.held else [sentence])


def _as_json(one: ToJudge) -> dict[str, str | bool | None]:
    return {
        "recording": one.recording,
        "purpose": one.purpose.value,
        "line": one.line,
        "opened_at": one.opened_at.isoformat(),
        "ended_on": one.ended_on.isoformat(),
        "judge_by": one.judge_by.isoformat(),
        "keep_at_most": one.keep_at_most.isoformat(),
        "held": one.held,
    }
