"""`klartone review`, plugged together: the archive with this keyring, the policy's teams and score card, a speaker.

A window in a process of its own, which needs no engine. If it has nothing to show, it says why in that window.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from softphone.archive.folder.marker import is_here
from softphone.archive.seen.machine import MachineArchive
from softphone.audio.playback import speaker
from softphone.bootstrap.archive.house import house_seen, meant_house
from softphone.bootstrap.archive.opening import open_archive
from softphone.bootstrap.archive.viewing import loaded
from softphone.bootstrap.home import Home, key_store, texts
from softphone.bootstrap.screen import has_screen
from softphone.domain.archive.reviews import NotReviewing
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Policy, PolicyError
from softphone.system.logbook import start_log
from softphone.system.paths import program_folder
from softphone.system.policy_file import SOME_KEYS, filled, parse_policy
from softphone.wire.snapshot import CodedText, Settings

if TYPE_CHECKING:
    from softphone.domain.archive.interface import SeenArchive
    from softphone.house.archive import HouseArchive
    from softphone.ui.review.dependencies import ReviewDependencies

DEMO_POLICY = Path("policies") / "demo.toml"


def run_review(arguments: argparse.Namespace) -> int:
    """Until its window is closed. Raises KlartoneError without a screen, before anything is opened."""
    if not has_screen():
        raise KlartoneError("error.review.no_screen")
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    start_log(home.folders.log, "review")
    with ExitStack() as ending:
        folder = arguments.archive or home.archive(settings)
        house = partial(house_seen, home, settings) if meant_house(arguments, home) else None
        shared = house is not None and arguments.shared
        deps = review_dependencies(settings, folder, home.folders.runtime, house=house, shared=shared)
        if deps.archive is not None:
            ending.callback(deps.archive.close)
        from softphone.ui.review.app import run_review as run

        return run(deps)


def review_dependencies(
    settings: Settings,
    folder: Path,
    runtime: Path | None = None,
    *,
    show: bool = True,
    house: Callable[[], HouseArchive] | None = None,
    shared: bool = False,
) -> ReviewDependencies:
    """All that the window needs, or in `refusal` why it has nothing to show. `runtime`: as `open_archive` has it. The caller
    closes `archive`.

    `house`: opens the house's archive, in place of this machine's in `folder`. Whoever leads no team there sees what is shared
    with them as an agent, and so does everybody with `shared`.
    """
    from softphone.ui.review.dependencies import ReviewDependencies

    resources = program_folder("resources")
    archive: MachineArchive | None = None
    seen: SeenArchive | None = None
    policy, refusal, teams, agent = None, None, (), False
    try:
        if house is not None:
            policy, joined = _policy(settings, None), house()
            agent = joined.is_agents and (shared or not joined.leads)
            seen = cast("SeenArchive", joined.shared_with_me() if agent else joined)
        elif not is_here(folder):
            raise _NothingToShow("review.refusal.no_archive", folder=str(folder))
        else:
            archive = open_archive(folder, runtime, key_store(folder))
            policy = _policy(settings, archive)
            seen = archive.seen_by(archive.viewer_of(policy, (account.address for account in settings.accounts)))
        teams = seen.reviews.teams(policy)
    except NotReviewing as why:
        refusal = CodedText(f"review.refusal.{why.code}")
    except _NothingToShow as why:
        refusal = why.said
    except KlartoneError as error:
        refusal = CodedText("review.refusal.closed", {"why": texts(settings.language).error(error)})
    if refusal is not None:
        if archive is not None:
            archive.close()
        elif seen is not None:
            seen.close()
        seen = None
    lines = policy.line if policy is not None else ()
    return ReviewDependencies(
        archive=seen,
        teams=teams,
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
        house=house is not None,
        agent=agent,
    )


class _NothingToShow(Exception):  # noqa: N818 - no error: a page that says so
    """There is nothing to show, and why."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.said = CodedText(code, dict(params))


def _policy(settings: Settings, archive: MachineArchive | None) -> Policy:
    if not settings.policy and not (archive and archive.policy_signer):
        if archive is None or not archive.demo:
            raise _NothingToShow("review.refusal.no_policy")
        # A demo's calls are on the demo's lines; its keys lie beside its archive, whatever the settings say.
        text = (program_folder("resources") / DEMO_POLICY).read_text(encoding="utf-8")
        return parse_policy(filled(text, SOME_KEYS)).policy
    try:
        return loaded(settings, archive)
    except PolicyError:
        raise _NothingToShow("review.refusal.faulty") from None
