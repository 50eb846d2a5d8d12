"""`klartone archive judge`: what has come to its day and is not simply deleted, for data protection to judge (G10)."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from datetime import UTC, datetime

from softphone.archive.access import Viewer, opens, policy_recipients, require
from softphone.archive.archive import Archive
from softphone.archive.keys.wraps import Recipient
from softphone.archive.retention import judging
from softphone.archive.retention.judging import ToJudge
from softphone.archive.retention.sweep import Swept
from softphone.bootstrap.archive.shared import opened, print_line, words_of
from softphone.bootstrap.archive.viewing import meant, policy_of, policy_unless_refused, tell_of_other_keys, viewer_here
from softphone.bootstrap.home import Home, texts
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import JUDGE_WITHIN
from softphone.domain.roles import Deed
from softphone.texts import Texts


def archive_judge(arguments: argparse.Namespace) -> int:
    """Without an id: the list, oldest first."""
    tell, now = texts(), datetime.now(UTC)
    with opened(arguments) as archive:
        keeps = arguments.keep_until is not None
        if arguments.id is None and (keeps or arguments.delete):
            raise ArchiveError("error.judge.which")
        settings, _ = Home.of(arguments).settings(only_look=True)
        # Whom it is kept for stands in the policy, and one that cannot be used names nobody; all else custody does by its key.
        policy = policy_of(settings, archive) if keeps else policy_unless_refused(settings, archive)
        within = policy.judge_within if policy else JUDGE_WITHIN
        viewer = viewer_here(arguments, archive, by_keys=True)
        if arguments.id is None:
            require(archive, viewer, Deed.JUDGE, now)
            return _list(archive, viewer, now, within, tell, as_json=arguments.json)
        return _decide(archive, viewer, arguments, policy_recipients(policy), now, within, tell)


def archive_orphan(arguments: argparse.Namespace) -> int:
    """A file that was set aside, and that belongs to nothing: data protection lets it go, for a reason."""
    tell, now = texts(), datetime.now(UTC)
    reason = words_of(arguments.reason, "--reason")
    with opened(arguments) as archive:
        viewer = viewer_here(arguments, archive, by_keys=True)
        require(archive, viewer, Deed.JUDGE, now, recording=_known(archive, arguments.id, now))
        archive.let_orphan_go(arguments.id, now, why=reason)
    print_line(tell("archive.orphan.deleted", id=arguments.id))
    return 0


def _known(archive: Archive, asked: str, now: datetime) -> str | None:
    """The id for the log: what nothing here has may be anything that somebody typed."""
    if asked in archive.vault.aside():
        return asked
    with suppress(ArchiveError):
        return archive.find(asked, now).recording
    return None


def _list(archive: Archive, viewer: Viewer, now: datetime, within: Period, tell: Texts, *, as_json: bool) -> int:
    none, others = True, 0
    for one in judging.waiting(archive, now, within):
        none = False
        if not opens(archive, viewer, KeyRole.CUSTODY, one.recording):
            others += 1
            continue
        if as_json:
            print_line(json.dumps(_as_json(one), ensure_ascii=False))
        else:
            print_line(f"{one.recording}  {_told(one, tell)}")
    if none and not as_json:
        print_line(tell("judge.none"))
    tell_of_other_keys(others)
    return 0


def _decide(
    archive: Archive,
    viewer: Viewer,
    arguments: argparse.Namespace,
    recipients: list[Recipient],
    now: datetime,
    within: Period,
    tell: Texts,
) -> int:
    reason = words_of(arguments.reason, "--reason")
    recording = meant(archive, viewer, arguments.id, now, Deed.JUDGE).recording
    if arguments.delete:
        went = judging.let_go(archive, recording, now, reason=reason, purpose=arguments.purpose, within=within)
        gone = any(item.what is Swept.DISCARDED for item in went)
        print_line(tell("judge.deleted" if gone else "judge.ended", id=arguments.id))
        return 0
    if arguments.keep_until is None:
        raise ArchiveError("error.judge.what")
    if not reason:
        raise ArchiveError("error.judge.reason")
    row = judging.keep(
        archive, recording, arguments.keep_until, reason, recipients, now, purpose=arguments.purpose, within=within
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
