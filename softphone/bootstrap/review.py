"""`klartone review`, plugged together: the archive with this keyring, the policy's teams and score card, a speaker.

A window of a process of its own, which needs no engine. Why it has nothing to show, it says in that window.
"""

from __future__ import annotations

import argparse
import subprocess
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.archive.access import Viewer, viewer_of
from softphone.archive.archive import MARKER, Archive
from softphone.archive.keys.ring import KeyPurpose, known_keys
from softphone.audio.playback import speaker
from softphone.bootstrap.home import Home, key_store, texts
from softphone.bootstrap.program import has_screen, klartone_command
from softphone.domain.errors import EngineError, KeyringError, KlartoneError
from softphone.domain.policy import LocalText, Policy, PolicyError, ScoreItem, Team
from softphone.domain.purpose import KeyRole
from softphone.system.logbook import start_log
from softphone.system.paths import program_folder
from softphone.system.policy_file import filled, load_policy, parse_policy
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
        if not (folder / MARKER).exists():
            raise _Nothing("review.refusal.no_archive", folder=str(folder))
        archive = Archive.open(folder, key_store(folder))
        policy = _policy(settings, demo=archive.demo)
        viewer = viewer_of(archive, policy, (account.address for account in settings.accounts))
        if not viewer.key_ids.get(KeyRole.TRAINING):
            raise _Nothing("review.refusal.no_key")
        if not (viewer.teams or viewer.all_teams):
            raise _Nothing("review.refusal.no_team")
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


def offers_review(home: Home) -> bool:
    """Whether this keyring has a key to hear training recordings with. May take a moment: the keyring is asked."""
    settings, _ = home.settings(only_look=True)
    folder = home.archive(settings)
    if not (folder / MARKER).exists():
        return False
    try:
        store = key_store(folder)
        return store.demo or any(
            one.purpose is KeyPurpose.TRAINING and store.get(one.private_name) is not None for one in known_keys(store)
        )
    except KeyringError:
        return False


class ReviewStarter:
    """Starts the review in a process of its own, which outlives this one. One window is enough: both would be of the same."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._review: subprocess.Popen[bytes] | None = None

    def __call__(self) -> None:
        """Raises EngineError where it cannot be started, or is open already."""
        if self._review is not None and self._review.poll() is None:
            raise EngineError("error.review.open_already")
        self._review = _start_review(self._home)
        # Somebody must ask for its end, or it stays in the system's list of processes.
        threading.Thread(target=self._review.wait, name="review-ends", daemon=True).start()


def _start_review(home: Home) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [*klartone_command(), *(("--home", str(home.root)) if home.root else ()), "review"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path.home() if Path.home().is_dir() else "/",
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError("error.review.cannot_start", detail=error.strerror or str(error)) from None


class _Nothing(Exception):  # noqa: N818 - no error: a page that says so
    """There is nothing to show, and why."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.said = Said(code, dict(params))


def _policy(settings: Settings, *, demo: bool) -> Policy:
    if not settings.policy:
        if not demo:
            raise _Nothing("review.refusal.no_policy")
        # A demo's calls are on the demo's lines; its keys lie beside its archive, whatever stands here.
        text = (program_folder("resources") / DEMO_POLICY).read_text(encoding="utf-8")
        some = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        return parse_policy(filled(text, dict.fromkeys(KeyRole, some))).policy
    try:
        return load_policy(Path(settings.policy), signer=settings.policy_signer).policy
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
