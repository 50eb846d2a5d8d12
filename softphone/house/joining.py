"""Joining a house and leaving it. Whatever fails on the way in leaves this desk as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from softphone.domain.errors import HouseError, KlartoneError, NotSignedInError, UnreachableError
from softphone.domain.roles import Role
from softphone.house.connection import Connection
from softphone.house.desk_key import DeskKey, Keyring, key_name
from softphone.house.membership import HouseFolder, Membership, begun, named
from softphone.house.news import BELOW, Taken, password_name, pinned, take_news
from softphone.house.reading_key import reading_key_name, tell_reading_key
from softphone.house.tokens import KeptTokens
from softphone.system.signature import signer_fingerprint

_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_BEHIND = re.compile(r"(?P<code>[A-Za-z0-9_-]{43})\.(?P<signer>[0-9a-f]{32})\.(?P<least>[1-9][0-9]{0,17})")
_OF_SERVICE, _LATER = "error.team.", (408, 429, 500, 502, 503, 504)
Grant = Callable[[Connection, DeskKey], Mapping[str, str]]
"""what signs in, for `POST /v1/token`"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A house's address; with a one-time `code` where IT made a link. What stands behind its `#` goes to no server by itself.

    `signer`: the fingerprint of the key whose policies are believed, and `least` the number that the first must have, both
    before anything the service says. 0: any.
    """

    address: str
    code: str = field(default="", repr=False)
    signer: str = ""
    least: int = 0

    def __str__(self) -> str:
        """The link."""
        return f"{self.address}/join#{self.code}.{self.signer}.{self.least}"

    @classmethod
    def parse(cls, text: str, signer: str = "") -> Invitation:
        """A link, or an address and the signer's key (or fingerprint) beside it. Raises HouseError."""
        address, link, behind = text.strip().partition("/join#")
        parts = urlsplit(address)
        is_plain = parts.path in ("", "/") and not (parts.query or parts.fragment) and parts.username is None
        if parts.scheme != "https" or not parts.hostname or not is_plain:
            raise HouseError("error.house.no_link")
        address = f"https://{parts.netloc}"
        if link:
            if not (said := _BEHIND.fullmatch(behind)):
                raise HouseError("error.house.no_link")
            return cls(address, said["code"], said["signer"], int(said["least"]))
        return cls(address, "", fingerprint_of(signer) if signer else "")


def fingerprint_of(signer: str) -> str:
    """Of a key, or of what is one already. Raises HouseError."""
    if _FINGERPRINT.fullmatch(signer):
        return signer
    try:
        return signer_fingerprint(signer)
    except ValueError:
        raise HouseError("error.house.no_signer") from None


@dataclass(frozen=True, slots=True)
class Desk:
    """This machine's: its folder of the house, its keyring, the id of its local archive's desk."""

    folder: HouseFolder
    keyring: Keyring
    id: str

    def tokens(self) -> KeptTokens:
        return KeptTokens(self.keyring, self.id, self.folder.lock)

    def connection(self, membership: Membership) -> Connection:
        """To the house that it is a member of. Raises NotSignedInError without its key, KeyringError."""
        key = DeskKey.of(self.keyring, self.id)
        if key is None:
            raise NotSignedInError("error.house.signed_out")
        return Connection(membership.address, key, self.tokens(), authority=membership.authority)


def join(
    desk: Desk, invitation: Invitation, grant: Grant, *, authority: str = "", now: datetime | None = None
) -> Taken:
    """Signs in, and takes in what the house sets up. Raises KlartoneError: nothing of it is tried again by itself."""
    try:
        return _joined(desk, invitation, grant, authority, now or datetime.now(UTC))
    except HouseError as error:
        if error.code == "error.house.unreachable" or (error.code.startswith(_OF_SERVICE) and error.status in _LATER):
            raise HouseError("error.house.not_now", server=urlsplit(invitation.address).netloc) from error
        raise


def _joined(desk: Desk, invitation: Invitation, grant: Grant, authority: str, now: datetime) -> Taken:
    before = desk.folder.read()
    if before is not None and (before.address != invitation.address or before.desk != desk.id):
        raise HouseError("error.house.already", address=before.address)
    if before is None and not invitation.signer:
        raise HouseError("error.house.signer_missing")
    if before is not None:
        return _sign_in_anew(desk, before, invitation, grant)
    key = DeskKey.made(desk.keyring, desk.id)
    tokens = desk.tokens()
    connection = Connection(invitation.address, key, tokens, authority=authority)
    membership = begun(invitation.address, "", desk.id, authority, now, by_directory=not invitation.code)
    try:
        tokens.keep(connection.sign_in(grant(connection, key)))
        signer = pinned(invitation.signer, connection.ask("GET", "/v1/news").json)
        if not signer:
            raise HouseError("error.house.other_signer")
        membership = named(replace(membership, signer=signer), connection.ask("GET", "/v1/me").json)
        taken = take_news(connection, desk.folder, desk.keyring, membership, invitation.least)
        if taken.refused:
            raise HouseError(taken.refused[0])
        _reads(desk, connection, taken.membership)
    except (KlartoneError, ValueError, TypeError, KeyError) as error:
        with suppress(KlartoneError):
            connection.ask("DELETE", f"/v1/desks/{desk.id}", seconds=5)
        _forget(desk, desk.folder.read() or membership)
        if isinstance(error, KlartoneError):
            raise
        raise UnreachableError("error.house.no_service", status=HTTPStatus.OK) from error
    desk.folder.note_heard()
    return taken


def _sign_in_anew(desk: Desk, membership: Membership, invitation: Invitation, grant: Grant) -> Taken:
    """What the desk believes and has stays; a code or the directory opens a session again."""
    key = DeskKey.of(desk.keyring, desk.id) or DeskKey.made(desk.keyring, desk.id)
    tokens = desk.tokens()
    connection = Connection(membership.address, key, tokens, authority=membership.authority)
    tokens.keep(connection.sign_in(grant(connection, key)))
    try:
        membership = named(membership, connection.ask("GET", "/v1/me").json)
    except ValueError as error:
        raise UnreachableError("error.house.no_service", status=HTTPStatus.OK) from error
    desk.folder.write(membership)
    _reads(desk, connection, membership)
    taken = take_news(connection, desk.folder, desk.keyring, membership, invitation.least)
    if BELOW in taken.refused:
        raise HouseError(BELOW)
    return taken


def _reads(desk: Desk, connection: Connection, membership: Membership) -> None:
    """An agent's desk has a key for what leads share with it. Not told now, it is when the agent looks at that."""
    if Role.AGENT in membership.roles:
        with suppress(HouseError):
            tell_reading_key(connection, desk.keyring, desk.id)


def by_code(invitation: Invitation, desk: str) -> Grant:
    return lambda _connection, _key: {"grant": "invitation", "code": invitation.code, "desk": desk}


def leave(desk: Desk, waiting: Callable[[], int], *, offline: bool = False) -> Membership:
    """What was it a member of. `waiting`: how much has not been shipped; with any it is refused. `offline`: the house need not
    hear of it. Raises HouseError, KeyringError, SettingsError."""
    membership = desk.folder.read()
    if membership is None:
        raise NotSignedInError("error.house.not_joined")
    if count := waiting():
        raise HouseError("error.house.unshipped", count=count)
    try:
        desk.connection(membership).ask("DELETE", f"/v1/desks/{membership.desk}")
    except UnreachableError:
        if not offline:
            raise
    except HouseError:
        pass  # revoked already, or nobody's
    _forget(desk, membership)
    return membership


def _forget(desk: Desk, membership: Membership) -> None:
    """The settings first: what they set up needs the passwords until then."""
    desk.folder.remove()
    for one in membership.accounts:
        desk.keyring.delete(password_name(str(one["id"])))
    desk.tokens().forget()
    desk.keyring.delete(key_name(desk.id))
    desk.keyring.delete(reading_key_name(desk.id))
