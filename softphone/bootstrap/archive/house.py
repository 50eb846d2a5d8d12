"""Which archive a command means: the house's, where this desk is a member of one, or this machine's.

The one place that decides it. A folder that is named, and what is asked for with `--here`, is this machine's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.bootstrap.archive.opening import open_archive
from softphone.bootstrap.home import Home, key_store
from softphone.domain.errors import HouseError
from softphone.domain.policy import Policy, PolicyError
from softphone.house.membership import HouseFolder
from softphone.wire.snapshot import Settings

if TYPE_CHECKING:
    from softphone.domain.archive.decisions import Overdue
    from softphone.domain.archive.interface import SeenArchive
    from softphone.house.archive import HouseArchive


def meant_house(arguments: argparse.Namespace, home: Home) -> bool:
    """Whether the house's archive is meant."""
    named = getattr(arguments, "archive", None) is not None or getattr(arguments, "here", False)
    return not named and HouseFolder(home.folders.data).is_there()


@contextmanager
def house_archive(arguments: argparse.Namespace) -> Generator[tuple[SeenArchive | None, Settings]]:
    """None: this machine's archive is meant. Raises KlartoneError."""
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    if not meant_house(arguments, home):
        yield None, settings
        return
    with closing(house_seen(home, settings)) as archive:
        yield archive, settings


def house_seen(home: Home, settings: Settings) -> HouseArchive:
    """With the keys in this keyring proved; to be closed. Raises KlartoneError."""
    from softphone.bootstrap.house import connection_of, desk_of
    from softphone.house.archive import signed_in_archive
    from softphone.house.reading_key import tell_reading_key

    connection = connection_of(home, settings)
    if connection is None:
        raise HouseError("error.house.not_joined")
    store, desk = key_store(home.archive(settings)), desk_of(home, settings).id
    opened = HouseFolder(home.folders.data).note_opened
    archive = signed_in_archive(connection, store, desk, own_numbers(home, settings), _signed(settings), opened)
    if archive.is_agents:
        with suppress(HouseError):  # without it what is shared is not heard here
            tell_reading_key(connection, store, desk)
    return archive


def house_overdue(home: Home, settings: Settings) -> Overdue:
    """What data protection should have decided in the house by now, as the keys in this keyring open it. Raises KlartoneError."""
    from softphone.bootstrap.house import connection_of
    from softphone.house.overdue import overdue

    with closing(house_seen(home, settings)):  # its keys are proved now
        connection = connection_of(home, settings)
    if connection is None:
        raise HouseError("error.house.not_joined")
    return overdue(connection)


def _signed(settings: Settings) -> Callable[[], Policy | None]:
    """The policy that the house sent, as its signer signed it. None: it is not here, or cannot be used."""

    @cache
    def policy() -> Policy | None:
        from softphone.system.policy_file import load_policy

        if not settings.policy:
            return None
        try:
            path, signer = Path(settings.policy), settings.policy_signer
            return load_policy(path, signer, guarded=settings.policy_guarded).policy
        except PolicyError:
            return None

    return policy


def own_numbers(home: Home, settings: Settings) -> Callable[[str], str | None]:
    """The party's number of an own call, from this desk's list: the house has it sealed for others alone."""

    @cache
    def numbers() -> dict[str, str]:
        folder = home.archive(settings)
        with closing(open_archive(folder, home.folders.runtime)) as here:
            accounts = [one.address for one in settings.accounts]
            return here.seen_by(here.viewer_of(None, accounts)).find.own_numbers()

    return lambda call: numbers().get(call)
