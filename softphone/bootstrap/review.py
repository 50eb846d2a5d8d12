"""`klartone review`, plugged together: the archive with this keyring, the policy's teams and score card, a speaker.

A window of a process of its own, which needs no engine. Why it has nothing to show, it says in that window.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.archive.access import Viewer, policy_recipients, refuse, viewer_of
from softphone.archive.archive import Archive
from softphone.archive.marker import is_here
from softphone.audio.playback import speaker
from softphone.bootstrap.archive.viewing import loaded
from softphone.bootstrap.home import Home, key_store, texts
from softphone.bootstrap.screen import has_screen
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import LocalText, Policy, PolicyError, ScoreItem, Team
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Deed
from softphone.system.logbook import start_log
from softphone.system.paths import program_folder
from softphone.system.policy_file import SOME_KEYS, filled, parse_policy
from softphone.wire import Said, Settings

if TYPE_CHECKING:
    from softphone.ui.review.given import ReviewDependencies, TeamLed

DEMO_POLICY = Path("policies") / "demo.toml"


def run_review(arguments: argparse.Namespace) -> int:
    """Until its window is closed. Raises KlartoneError where there is no screen, before anything is opened."""
    if not has_screen():
        raise KlartoneError("error.review.no_screen")
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    start_log(home.folders.log, "review")
    with ExitStack() as ending:
        deps = review_dependencies(settings, arguments.archive or home.archive(settings))
        if deps.archive is not None:
            ending.callback(deps.archive.close)
        from softphone.ui.review.app import run_review as run

        return run(deps)


def review_dependencies(settings: Settings, folder: Path, *, show: bool = True) -> ReviewDependencies:
    """All that the window needs, or in `refusal` why it has nothing to show. `archive` is to be closed by the caller."""
    from softphone.ui.review.given import ReviewDependencies

    resources = program_folder("resources")
    archive: Archive | None = None
    policy, viewer, refusal = None, None, None
    try:
        if not is_here(folder):
            raise _Nothing("review.refusal.no_archive", folder=str(folder))
        archive = Archive.open(folder, key_store(folder))
        policy = _policy(settings, archive)
        viewer = viewer_of(archive, policy, (account.address for account in settings.accounts))
        if why := _refused(archive, policy, viewer):
            refuse(archive, Deed.REVIEW, datetime.now(UTC))
            raise _Nothing(why)
    except _Nothing as why:
        refusal = why.said
    except KlartoneError as error:
        refusal = Said("review.refusal.closed", {"why": texts(settings.language).error(error)})
    if refusal is not None and archive is not None:
        archive.close()
        archive = None
    lines = policy.line if policy is not None else ()
    keys = viewer.key_ids.get(KeyRole.TRAINING, ()) if viewer is not None else ()
    teams = _teams(policy, viewer) if policy is not None and viewer is not None and refusal is None else ()
    return ReviewDependencies(
        archive=archive,
        teams=teams,
        by=keys[0] if keys else "",
        viewer=viewer,
        speaker=speaker(settings.speaker),
        texts=resources / "translations",
        icons=resources / "icons",
        themes=resources / "themes",
        lines={line.id: line.name for line in lines},
        parties={line.id: policy.party_of(line) for line in lines} if policy is not None else {},
        time_zone=policy.time_zone if policy is not None else "Europe/Copenhagen",
        refusal=refusal,
        settings=settings,
        show=show,
    )


class _Nothing(Exception):  # noqa: N818 - no error: a page that says so
    """There is nothing to show, and why."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.said = Said(code, dict(params))


def _refused(archive: Archive, policy: Policy, viewer: Viewer) -> str:
    """Why they may not review, as a code; empty: they may."""
    if viewer.key_ids.get(KeyRole.TRAINING):
        return "" if viewer.teams or viewer.all_teams else "review.refusal.no_team"
    # Where the policy names a key that is here, it is the recordings that are missing: a key counts by what it opens.
    training = [one for one in policy_recipients(policy) if one.role is KeyRole.TRAINING]
    here = any(archive.private_key(one.key_id) is not None for one in training)
    return "review.refusal.no_sample" if here else "review.refusal.no_key"


def _policy(settings: Settings, archive: Archive) -> Policy:
    if not settings.policy and not archive.policy_signer:
        if not archive.demo:
            raise _Nothing("review.refusal.no_policy")
        # A demo's calls are on the demo's lines; its keys lie beside its archive, whatever stands here.
        text = (program_folder("resources") / DEMO_POLICY).read_text(encoding="utf-8")
        return parse_policy(filled(text, SOME_KEYS)).policy
    try:
        return loaded(settings, archive)
    except PolicyError:
        raise _Nothing("review.refusal.faulty") from None


def _teams(policy: Policy, viewer: Viewer) -> tuple[TeamLed, ...]:
    from softphone.ui.review.given import TeamLed

    if viewer.all_teams:
        name = LocalText(da="Demo", en="Demo") if viewer.demo else None
        lines = tuple(line.id for line in policy.line)
        return (TeamLed("", name, lines, (), _capacity(policy, lines), policy.score),)
    return tuple(
        TeamLed(team.id, team.name, team.lines, team.agents, _team_capacity(policy, team), _card(policy, team))
        for team in viewer.teams
    )


def _card(policy: Policy, team: Team) -> tuple[ScoreItem, ...]:
    return tuple(item for item in policy.score if not item.teams or team.id in item.teams)


def _team_capacity(policy: Policy, team: Team) -> int | None:
    """None too where another team is on one of its lines: a line's capacity is for all its reviewers, and nobody has said how
    much of it is this team's."""
    others = {line for one in policy.team if one.id != team.id for line in one.lines}
    return None if others & set(team.lines) else _capacity(policy, team.lines)


def _capacity(policy: Policy, lines: Iterable[str]) -> int | None:
    """What the reviewers of these lines say they can review in a week; None where nobody has said."""
    found = [policy.line_named(line) for line in lines]
    said = [one.training.capacity for one in found if one and one.training and one.training.capacity]
    return sum(said) or None
