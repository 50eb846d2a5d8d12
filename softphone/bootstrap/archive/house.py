"""Which archive a command means: the house's, where this desk is a member of one, or this machine's.

The one place that decides it. A folder that is named, and what is asked for with `--here`, is this machine's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from softphone.bootstrap.archive.opening import open_archive
from softphone.bootstrap.home import Home, key_store
from softphone.domain.errors import HouseError
from softphone.house.membership import HouseFolder
from softphone.wire.snapshot import Settings

if TYPE_CHECKING:
    from softphone.domain.archive.interface import SeenArchive


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


def house_seen(home: Home, settings: Settings) -> SeenArchive:
    """With the keys in this keyring proved; to be closed. Raises KlartoneError."""
    from softphone.bootstrap.house import connection_of, desk_of
    from softphone.house.archive import signed_in_archive

    connection = connection_of(home, settings)
    if connection is None:
        raise HouseError("error.house.not_joined")
    store = key_store(home.archive(settings))
    return signed_in_archive(connection, store, desk_of(home, settings).id, own_numbers(home, settings))


def own_numbers(home: Home, settings: Settings) -> Callable[[str], str | None]:
    """The party's number of an own call, from this desk's list: the house has it sealed for others alone."""

    @cache
    def numbers() -> dict[str, str]:
        folder = home.archive(settings)
        with closing(open_archive(folder, home.folders.runtime)) as here:
            accounts = [one.address for one in settings.accounts]
            return here.seen_by(here.viewer_of(None, accounts)).find.own_numbers()

    return lambda call: numbers().get(call)
