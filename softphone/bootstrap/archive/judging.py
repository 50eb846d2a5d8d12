"""`klartone archive judge`: what has come to its day and is not simply deleted, for data protection to judge (G10)."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from softphone.archive.access import policy_recipients, require
from softphone.archive.archive import Archive
from softphone.archive.keys.wraps import Recipient
from softphone.archive.retention import judging
from softphone.archive.retention.judging import ToJudge
from softphone.archive.retention.sweep import Swept
from softphone.bootstrap.archive.retention import terms_of
from softphone.bootstrap.archive.shared import opened, print_line, words_of
from softphone.bootstrap.archive.viewing import policy_of, viewer_here
from softphone.bootstrap.home import Home, texts
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.retention import JUDGE_WITHIN
from softphone.domain.roles import Deed
from softphone.texts import Texts


def archive_judge(arguments: argparse.Namespace) -> int:
    """Without an id: the list, oldest first."""
    tell, now = texts(), datetime.now(UTC)
    terms = terms_of(arguments)
    within = terms.judge_within if terms else JUDGE_WITHIN
    with opened(arguments) as archive:
        if arguments.id is None:
            if arguments.keep_until is not None or arguments.delete:
                raise ArchiveError("error.judge.which")
            require(archive, viewer_here(arguments, archive), Deed.JUDGE, now)
            return _list(archive, now, within, tell, as_json=arguments.json)
        # A policy that cannot be used names nobody.
        recipients = policy_recipients(policy_of(Home.of(arguments).settings(only_look=True)[0])) if terms else []
        return _decide(archive, arguments, recipients, now, within, tell)


def archive_orphan(arguments: argparse.Namespace) -> int:
    """A file that was set aside, and that belongs to nothing: data protection lets it go, for a reason."""
    tell, now = texts(), datetime.now(UTC)
    reason = words_of(arguments.reason, "--reason")
    with opened(arguments) as archive:
        require(archive, viewer_here(arguments, archive), Deed.JUDGE, now)
        archive.let_orphan_go(arguments.id, now, why=reason)
    print_line(tell("archive.orphan.deleted", id=arguments.id))
    return 0


def _list(archive: Archive, now: datetime, within: Period, tell: Texts, *, as_json: bool) -> int:
    none = True
    for one in judging.waiting(archive, now, within):
        none = False
        if as_json:
            print_line(json.dumps(_as_json(one), ensure_ascii=False))
        else:
            print_line(f"{one.recording}  {_told(one, tell)}")
    if none and not as_json:
        print_line(tell("judge.none"))
    return 0


def _decide(
    archive: Archive,
    arguments: argparse.Namespace,
    recipients: list[Recipient],
    now: datetime,
    within: Period,
    tell: Texts,
) -> int:
    reason = words_of(arguments.reason, "--reason")
    if arguments.delete:
        went = judging.let_go(archive, arguments.id, now, reason=reason, purpose=arguments.purpose, within=within)
        gone = any(item.what is Swept.DISCARDED for item in went)
        print_line(tell("judge.deleted" if gone else "judge.ended", id=arguments.id))
        return 0
    if arguments.keep_until is None:
        raise ArchiveError("error.judge.what")
    if not reason:
        raise ArchiveError("error.judge.reason")
    row = judging.keep(
        archive, arguments.id, arguments.keep_until, reason, recipients, now, purpose=arguments.purpose, within=within
    )
    print_line(tell("judge.kept", id=row.recording, day=arguments.keep_until))
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
