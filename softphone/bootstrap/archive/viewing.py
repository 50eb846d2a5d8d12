"""Who gives a command on an archive, and what of it they find: by the keys of their keyring, their accounts and the policy.

What each role may is `domain.roles`; this looks up whose roles they are and narrows a search to them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.access import (
    FINDS,
    OPENS,
    Sight,
    Viewer,
    policy_recipients,
    refuse,
    refuse_policy,
    seen_by,
    sights,
    viewer_of,
)
from softphone.archive.archive import Archive
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.finding.searching import Cursor, Page, Query, count, page
from softphone.archive.keys.revocation import Gone, gone
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import at_its_place
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import LoadedPolicy, Policy, PolicyError, Team
from softphone.domain.roles import Deed, Role
from softphone.system.policy_file import load_policy
from softphone.wire import Settings


class PolicyRefusedError(ArchiveError):
    """The archive asks for a signature, and the policy here is without it. The audit log tells of it by then."""


def viewer_here(arguments: argparse.Namespace, archive: Archive, *, by_keys: bool = False) -> Viewer:
    """Whoever gives this command. `by_keys`: for what nobody needs a policy for. Raises ArchiveError, KeyringError."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    policy = None if by_keys else policy_of(settings, archive)
    return viewer_of(archive, policy, [one.address for one in settings.accounts])


def policy_of(settings: Settings, archive: Archive | None) -> Policy | None:
    """The policy that this machine works under; what is wrong with it is told on stderr. `archive`: None where nothing is done
    on one. Raises ArchiveError as `loaded`."""
    if not settings.policy and not (archive and archive.policy_signer):
        return None
    try:
        return loaded(settings, archive)
    except PolicyError:
        print(texts()("keys.policy_unusable", path=settings.policy), file=sys.stderr)  # noqa: T201
        return None


def policy_unless_refused(settings: Settings, archive: Archive) -> Policy | None:
    """As `policy_of`, for what must not wait until one is signed, as what locks a recording: a refusal is told on stderr."""
    try:
        return policy_of(settings, archive)
    except PolicyRefusedError as error:
        print(texts()("archive.policy_not_needed", **error.params), file=sys.stderr)  # noqa: T201
        return None


def loaded(settings: Settings, archive: Archive | None) -> Policy:
    """Raises PolicyError. Where the archive asks for a signature, one that cannot be used is refused, and so is none at all:
    PolicyRefusedError."""
    signer = archive.policy_signer if archive else ""
    try:
        return load_policy(Path(settings.policy), settings.policy_signer, signer).policy
    except PolicyError as error:
        if archive is None or not signer:
            raise
        refuse_policy(archive, error.faults[0].code, datetime.now(UTC))
        if not settings.policy:
            raise PolicyRefusedError("error.archive.policy_none", signer=signer) from None
        why = at_its_place(error.faults[0], texts())
        raise PolicyRefusedError("error.archive.policy_refused", signer=signer, path=settings.policy, why=why) from None


def revoked_in(archive: Archive, loaded: LoadedPolicy) -> list[Gone]:
    """Whom the policy names by a key that is revoked in this archive."""
    with archive.catalog.reading() as connection:
        return gone(connection, policy_recipients(loaded.policy))


def found(
    archive: Archive, viewer: Viewer, query: Query, now: datetime, after: Cursor | None = None, limit: int = 100
) -> Page:
    """As `searching.page`, of what this person finds; numbers only where they are told any.

    Raises ArchiveError, once the audit log tells of it: who may find nothing, or nothing by a number.
    """
    here = _looking(archive, viewer, query, now)
    rows: dict[str, RecordingRow] = {}
    bad = set[str]()
    for sight in here:
        for row in _of_sight(archive, viewer, sight, query, now, after, limit + 1, bad):
            rows.setdefault(row.recording, row)
    ordered = sorted(rows.values(), key=lambda row: (row.opened_at, row.recording), reverse=True)
    last = ordered[limit - 1] if len(ordered) > limit else None
    return Page(tuple(ordered[:limit]), Cursor(last.opened_at, last.recording) if last else None, frozenset(bad))


def found_in_all(
    archive: Archive,
    viewer: Viewer,
    query: Query,
    now: datetime,
    progress: Callable[[int, int], object] | None = None,
) -> int:
    """How many `found` finds in all, with those that cannot be read; raises as it. `progress` is `count`'s."""
    here = _looking(archive, viewer, query, now)
    return count(archive, [each for sight in here for each in _narrowed(viewer, sight, query)], now, progress)


def _looking(archive: Archive, viewer: Viewer, query: Query, now: datetime) -> tuple[Sight, ...]:
    """Raises ArchiveError as `found`."""
    here = sights(viewer, now)
    if not here:
        refuse(archive, Deed.FIND_ALL, now)
        raise _nothing(viewer)
    if query.number is not None:
        here = tuple(one for one in here if one.by_number)
        if not here:
            refuse(archive, Deed.FIND_ALL, now)
            raise ArchiveError("error.archive.not_by_number")
        if not archive.secrets.numbers:
            refuse(archive, Deed.FIND_ALL, now)  # how a number is found by is not here, which the search says
    return here


def tell_of_other_keys(count: int) -> None:
    """To custody whose key opens less than half of what another does, on stderr."""
    if count:
        print(texts()("archive.other_custody_key", count=count), file=sys.stderr)  # noqa: T201


def behind_other_keys(archive: Archive, viewer: Viewer, query: Query, now: datetime) -> int:
    """How many more of these there are that custody is not told of, for they are sealed for another custody key."""
    ours = next((one.sealed_for for one in sights(viewer, now) if one.deed is Deed.FIND_ALL), None)
    return count(archive, query, now) - count(archive, replace(query, sealed_for=ours), now) if ours else 0


def shown(archive: Archive, viewer: Viewer, asked: str, now: datetime) -> tuple[RecordingRow, Sight]:
    """One recording, and by what it is found. Raises ArchiveError as `meant`, also of one that is not theirs."""
    row = meant(archive, viewer, asked, now, *FINDS)
    sight = seen_by(archive, viewer, row, now)
    if sight is None:
        refuse(archive, FINDS[0], now, call=row.call, recording=row.recording)
        raise ArchiveError("error.archive.not_among_yours")
    return (row if sight.numbers else replace(row, number=None)), sight


def meant(archive: Archive, viewer: Viewer, asked: str, now: datetime, *deeds: Deed) -> RecordingRow:
    """The recording that a command means: by its whole id, which nobody guesses, or by a beginning of it that no other has of
    those that this person finds. One of `deeds` must be theirs; of the first the log tells.

    Raises ArchiveError. An id tells when its call was: where nothing that they find begins so, it sounds alike whether anything
    does, and the log tells of it.
    """
    row: RecordingRow | None = None
    with suppress(ArchiveError):
        row = archive.find(asked, now)
    call, recording = (row.call, row.recording) if row else ("", None)
    if not any(map(viewer.may, deeds)):
        refuse(archive, deeds[0], now, call=call, recording=recording)
        if not viewer.roles - {Role.AGENT} and set(deeds) <= set(OPENS.values()):
            raise ArchiveError("error.archive.agents_list")
        raise _nothing(viewer)
    if viewer.finds_all:
        return row or archive.find(asked, now)
    if row and recording == asked.lower():
        return row
    seen = found(archive, viewer, Query(begins=asked), now, limit=1) if asked and sights(viewer, now) else None
    if seen and seen.next:
        raise ArchiveError("error.archive.ambiguous", id=asked)
    if seen and seen.rows:
        return archive.find(seen.rows[0].recording, now)
    refuse(archive, deeds[0], now, call=call, recording=recording)
    raise ArchiveError("error.archive.not_among_yours")


def sees(archive: Archive, viewer: Viewer, recording: str, now: datetime) -> Sight | None:
    """As `seen_by`, by its id."""
    with suppress(ArchiveError):
        return seen_by(archive, viewer, archive.find(recording, now), now)
    return None


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
    rows: list[RecordingRow] = []
    for each in _narrowed(viewer, sight, query):
        found, behind = list[RecordingRow](), after
        while True:
            one = page(archive, each, now, behind, limit)
            found += one.rows
            bad |= one.unreadable
            behind = one.next
            if behind is None or len(found) >= limit:
                break
        rows += found[:limit]
    return [row if sight.numbers else replace(row, number=None) for row in rows]


def _narrowed(viewer: Viewer, sight: Sight, query: Query) -> list[Query]:
    """What of it is found by this sight: by any of these."""
    if sight.opens_for is not None and query.opens_for not in (None, sight.opens_for):
        return []
    narrowed = replace(query, opens_for=sight.opens_for or query.opens_for, sealed_for=sight.sealed_for)
    if sight.agents is not None:
        narrowed = replace(narrowed, agents=_both(sight.agents, query.agents))
    if sight.since is not None:
        narrowed = replace(narrowed, since=max(sight.since, query.since or sight.since))
    if sight.deed is Deed.FIND_TRAINING and not viewer.all_teams:
        return [_of_team(team, narrowed) for team in viewer.teams]
    return [narrowed]


def _of_team(team: Team, query: Query) -> Query:
    """As `Viewer.leads` has it. A call of one of its lines may not tell its agent."""
    agents = _both(team.agents, query.agents)
    if not team.lines:
        return replace(query, agents=agents)
    lines = _both(team.lines, query.lines)
    if not team.agents:
        return replace(query, lines=lines)
    return replace(query, lines=lines, agents=(*agents, None) if query.agents is None else agents)


def _both(ours: tuple[str, ...], asked: tuple[str | None, ...] | None) -> tuple[str, ...]:
    return tuple(one for one in ours if asked is None or one in asked)
