"""Who gives a command on an archive, and what of it they find: by the keys of their keyring, their accounts and the policy.

What each role may is `domain.roles`; this looks up whose roles they are and narrows a search to them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from softphone.archive.access import Sight, Viewer, refuse, seen_by, sights, viewer_of
from softphone.archive.archive import Archive
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.finding.searching import Cursor, Page, Query, page
from softphone.bootstrap.home import Home, texts
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy, PolicyError, Team
from softphone.domain.roles import Deed, Role
from softphone.system.policy_file import load_policy
from softphone.wire import Settings


def viewer_here(arguments: argparse.Namespace, archive: Archive) -> Viewer:
    """Whoever gives this command. Raises ArchiveError, KeyringError."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    return viewer_of(archive, policy_of(settings), [one.address for one in settings.accounts])


def policy_of(settings: Settings) -> Policy | None:
    """The policy that this machine works under; what is wrong with it is told on stderr."""
    if not settings.policy:
        return None
    try:
        return load_policy(Path(settings.policy), signer=settings.policy_signer).policy
    except PolicyError:
        print(texts()("keys.policy_unusable", path=settings.policy), file=sys.stderr)  # noqa: T201
        return None


def found(
    archive: Archive, viewer: Viewer, query: Query, now: datetime, after: Cursor | None = None, limit: int = 100
) -> Page:
    """As `searching.page`, of what this person finds; numbers only where they are told any.

    Raises ArchiveError, once the audit log tells of it: who may find nothing, or nothing by a number.
    """
    here = sights(viewer, now)
    if not here:
        refuse(archive, Deed.FIND_ALL, now, viewer=viewer)
        raise _nothing(viewer)
    if query.number is not None:
        here = tuple(one for one in here if one.by_number)
        if not here:
            refuse(archive, Deed.FIND_ALL, now, viewer=viewer)
            raise ArchiveError("error.archive.not_by_number")
    rows: dict[str, RecordingRow] = {}
    bad = set[str]()
    for sight in here:
        for row in _of_sight(archive, viewer, sight, query, now, after, limit + 1, bad):
            rows.setdefault(row.recording, row)
    ordered = sorted(rows.values(), key=lambda row: (row.opened_at, row.recording), reverse=True)
    last = ordered[limit - 1] if len(ordered) > limit else None
    return Page(tuple(ordered[:limit]), Cursor(last.opened_at, last.recording) if last else None, frozenset(bad))


def shown(archive: Archive, viewer: Viewer, asked: str, now: datetime) -> tuple[RecordingRow, Sight]:
    """One recording, by its id or a beginning of it, and by what it is found. Raises ArchiveError; a refusal is in the log."""
    row = archive.find(asked, now)
    sight = seen_by(viewer, now, opens_for=row.opens_for, line=row.line, agent=row.agent, at=row.opened_at)
    if sight is None:
        refuse(archive, Deed.FIND_ALL, now, call=row.call, recording=row.recording, viewer=viewer)
        raise _nothing(viewer)
    return (row if sight.numbers else replace(row, number=None)), sight


def _nothing(viewer: Viewer) -> ArchiveError:
    return ArchiveError("error.archive.only_health" if not viewer.roles - {Role.IT} else "error.archive.not_yours")


def _of_sight(
    archive: Archive,
    viewer: Viewer,
    sight: Sight,
    query: Query,
    now: datetime,
    after: Cursor | None,
    limit: int,
    bad: set[str],
) -> list[RecordingRow]:
    if sight.opens_for is not None and query.opens_for not in (None, sight.opens_for):
        return []
    narrowed = replace(query, opens_for=sight.opens_for or query.opens_for)
    if sight.agents is not None:
        agents = tuple(one for one in sight.agents if query.agents is None or one in query.agents)
        narrowed = replace(narrowed, agents=agents)
    if sight.since is not None:
        narrowed = replace(narrowed, since=max(sight.since, query.since or sight.since))
    of_team = sight.deed is Deed.FIND_TRAINING and not viewer.all_teams
    rows: list[RecordingRow] = []
    for each in [_of_team(team, narrowed) for team in viewer.teams] if of_team else [narrowed]:
        found, behind = list[RecordingRow](), after
        while True:
            one = page(archive, each, now, behind, limit)
            found += (row for row in one.rows if not of_team or viewer.leads(row.line, row.agent))
            bad |= one.unreadable
            behind = one.next
            if behind is None or len(found) >= limit:
                break
        rows += found[:limit]
    return [row if sight.numbers else replace(row, number=None) for row in rows]


def _of_team(team: Team, query: Query) -> Query:
    """Nothing of it is left out by this: a call of one of its lines may not tell its agent."""
    if team.lines:
        return replace(query, lines=_both(team.lines, query.lines))
    return replace(query, agents=_both(team.agents, query.agents))


def _both(of_team: tuple[str, ...], asked: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(one for one in of_team if asked is None or one in asked)
