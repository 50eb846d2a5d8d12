"""This home's house: how it joins one, leaves it, and reaches it. What is said there is `softphone.house`'s."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.folder.marker import read_marker
from softphone.archive.outbox import rows
from softphone.archive.outbox.shipping import unshipped
from softphone.bootstrap.home import Home, is_demo, key_store
from softphone.domain.errors import ArchiveError, HouseError, NotSignedInError
from softphone.house.connection import Connection
from softphone.house.joining import Desk, Grant, Invitation, by_code, fingerprint_of, join, leave
from softphone.house.membership import HouseFolder, Membership
from softphone.house.news import Taken
from softphone.system.settings_machine import machine_settings
from softphone.wire.snapshot import Settings

SignIn = Callable[[str], Grant]
"""by the house's OpenID Connect, for a desk of that id"""


def desk_of(home: Home, settings: Settings, *, make: bool = False) -> Desk:
    """`make`: with an archive, if there is none yet. Raises ArchiveError, KeyringError."""
    folder = home.archive(settings)
    store = key_store(folder)
    try:
        marker = read_marker(folder)
    except ArchiveError as error:
        if not make or error.code != "error.archive.no_archive":
            raise
        with closing(Archive.open_or_create(folder, store)):
            marker = read_marker(folder)
    return Desk(HouseFolder(home.folders.data), store, marker.desk)


def connection_of(home: Home, settings: Settings) -> Connection | None:
    """None: this home is no member of a house. Raises KlartoneError."""
    membership = HouseFolder(home.folders.data).read()
    return None if membership is None else desk_of(home, settings).connection(membership)


def join_house(
    home: Home, text: str, sign_in: SignIn, *, signer: str = "", least: int = 0, authority: Path | None = None
) -> Taken:
    """By a link, or an address: then `sign_in` asks the house's directory. Empty: the house that it is a member of, anew.

    Raises KlartoneError.
    """
    settings, _ = home.settings(only_look=True)
    if is_demo(home.archive(settings)):
        raise HouseError("error.house.demo")
    if place := machine_settings().lock_of("policy"):
        raise HouseError("error.house.managed", place=place)
    invitation = _checked(_invitation(home, text, signer), settings, least)
    desk = desk_of(home, settings, make=True)
    trusted = str(authority.resolve()) if authority else settings.house_authority
    grant = by_code(invitation, desk.id) if invitation.code else sign_in(desk.id)
    taken = join(desk, invitation, grant, authority=trusted)
    # From here on what is recorded is the house's; what was recorded before stays here.
    with _archive(home, settings) as archive, archive.catalog.writing() as tx:
        rows.begin(tx, taken.membership.since_at)
    return taken


def leave_house(home: Home, *, offline: bool = False) -> Membership:
    """Raises KlartoneError."""
    if HouseFolder(home.folders.data).read() is None:
        raise NotSignedInError("error.house.not_joined")  # with or without an archive
    settings, _ = home.settings(only_look=True)
    left = leave(desk_of(home, settings), lambda: _unshipped(home, settings), offline=offline)
    with _archive(home, settings) as archive, archive.catalog.writing() as tx:
        rows.end(tx)
    return left


def refuse_to_move(home: Home, before: Path, after: Path) -> None:
    """A member's archive stays: what waits in it is not sent from another, and the house knows this desk by it. The archive
    itself may lie elsewhere, and one that is lost holds nobody back. Raises HouseError, SettingsError."""
    house = HouseFolder(home.folders.data).read()
    if house is not None and _is_of(before, house) and not _is_of(after, house):
        raise HouseError("error.house.archive_stays", address=house.address, path=str(before))


def _is_of(folder: Path, house: Membership) -> bool:
    try:
        return read_marker(folder).desk == house.desk
    except ArchiveError:
        return False


def _unshipped(home: Home, settings: Settings) -> int:
    with _archive(home, settings) as archive, archive.catalog.reading() as connection:
        return unshipped(connection, archive.desk)


def _archive(home: Home, settings: Settings) -> closing[Archive]:
    folder = home.archive(settings)
    return closing(Archive.open(folder, key_store(folder)))


def _invitation(home: Home, text: str, signer: str) -> Invitation:
    if text:
        return Invitation.parse(text, signer)
    membership = HouseFolder(home.folders.data).read()
    if membership is None:
        raise HouseError("error.house.no_link")
    return Invitation(membership.address, "", fingerprint_of(membership.signer))


def _checked(invitation: Invitation, settings: Settings, least: int) -> Invitation:
    """What the organisation says to this machine stands above a link."""
    invitation = replace(invitation, least=max(invitation.least, least, settings.house_policy_number))
    if not settings.house_signer:
        return invitation
    wanted = fingerprint_of(settings.house_signer)
    if invitation.signer not in ("", wanted):
        raise HouseError("error.house.not_the_machines")
    return replace(invitation, signer=wanted)
