"""What is new in the house, taken in: policy, its recorded notices, settings, accounts and their passwords.

The service is believed as far as it must be. A policy counts with the signature of the signer that this desk has pinned, and
with a number above the last one, the first with one that the invitation allows; the signer changes by the word of the one before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from softphone.domain.errors import HouseError, UnreachableError
from softphone.domain.policy import PolicyError
from softphone.house.connection import Connection
from softphone.house.desk_key import Keyring
from softphone.house.membership import HouseFolder, Membership
from softphone.system.paths import is_below
from softphone.system.policy_file import LARGEST, policy_in
from softphone.system.secrets import PASSWORD
from softphone.system.settings_schema import ACCOUNT_SCHEMA
from softphone.system.signature import is_signed, signature_path, signer_fingerprint, succeeds

_log = logging.getLogger(__name__)
_LARGEST_NOTICE = 20_000_000
_SECONDS_NOTICE = 120.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
OLDER, SIGNER = "error.house.policy_older", "error.house.policy_signer"
BELOW = "error.house.policy_below"
FAULTY, NOTICES = "error.house.policy_faulty", "error.house.notices"
SETTINGS_LARGEST = 200_000


@dataclass(frozen=True, slots=True)
class Hints:
    """What is told beside what a desk is set up with, and kept nowhere. `shared`: recordings of own reviews that leads share.
    `waiting`: what waits for review in the whole house, by line and the day on which it ends (G33); None: for no agent."""

    shared: frozenset[str] = frozenset()
    waiting: Mapping[str, Mapping[date, int]] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """`membership` as it is now. `refused`: codes of what was not taken; what was there before stays. `tag`: the ETag of what has
    been taken in whole. `hints` None: they are as they were."""

    membership: Membership
    refused: tuple[str, ...] = ()
    changed: bool = False
    tag: str = ""
    hints: Hints | None = None


def take_news(
    connection: Connection,
    folder: HouseFolder,
    keyring: Keyring,
    membership: Membership,
    least: int = 0,
    tag: str = "",
) -> Taken:
    """Whatever is whole is taken, in itself; nothing by a desk that has no policy yet and may not take this one. `least`: no
    policy below this number. Raises HouseError, SettingsError, KeyringError: then it is asked for again."""
    answer = connection.ask("GET", "/v1/news", headers={"If-None-Match": tag} if tag else {})
    if answer.status == 304:
        return Taken(membership, tag=tag)
    told = answer.json
    if not isinstance(told, dict):
        raise UnreachableError("error.house.no_service", status=answer.status)
    news, refused, before = cast("dict[str, Any]", told), list[str](), membership
    try:
        hints = hints_of(news)
        membership, said = _with_policy(connection, folder, membership, news, least)
        refused += said
        if not membership.policy:
            return Taken(before, tuple(refused))
        membership = _with_settings(connection, folder, membership, news)
        membership = _with_accounts(connection, keyring, membership, news)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise UnreachableError("error.house.no_service", status=answer.status) from error
    if membership != before:
        folder.write(membership)
    if membership.policy != before.policy:
        folder.forget_policies(membership.policy, before.policy)  # the phone that runs still looks after the last one
    tag = "" if refused else answer.headers.get("etag", "")
    return Taken(membership, tuple(refused), membership != before, tag, hints)


def hints_of(news: Mapping[str, Any]) -> Hints:
    """Raises TypeError, KeyError, AttributeError, ValueError."""
    told: Mapping[str, Mapping[str, Any]] | None = news["waiting"]
    waiting = (
        None
        if told is None
        else {
            str(line): {date.fromisoformat(day): max(int(number), 0) for day, number in days.items()}
            for line, days in told.items()
        }
    )
    return Hints(frozenset(map(str, news["shared"])), waiting)


def followed(signer: str, successions: Sequence[Mapping[str, Any]]) -> str:
    """Who signs now, for a desk that believes `signer`: from each to the one that it has named, in their order."""
    for one in successions:
        if succeeds(str(one["succession"]), signer, str(one["signer"])):
            signer = str(one["signer"])
    return signer


def pinned(fingerprint: str, news: Mapping[str, Any]) -> str:
    """The key that an invitation's fingerprint stands for, if the house names it; else empty."""
    for key in (str(news["signer"]), *(str(one["signer"]) for one in news["successions"])):
        try:
            if key and signer_fingerprint(key) == fingerprint:
                return key
        except ValueError:
            continue
    return ""


# --- the policy -----------------------------------------------------------------------------------


def _with_policy(
    connection: Connection, folder: HouseFolder, membership: Membership, news: Mapping[str, Any], least: int
) -> tuple[Membership, list[str]]:
    number = news["policy"] or 0
    if not isinstance(number, int) or number < least:
        _log.warning("the house tells a policy below the number that was asked for")
        return membership, [BELOW]
    if number < membership.policy:
        _log.warning("the house tells a policy of a lower number")
        return membership, [OLDER]
    if number == membership.policy:
        return membership, []
    signer = followed(membership.signer, news["successions"])
    answer = connection.ask("GET", "/v1/policy", most=LARGEST + 200)
    signature, _, raw = answer.body.partition(b"\n")
    if not is_signed(raw, signature, signer):
        _log.warning("the house tells a policy that the pinned signer has not signed")
        return membership, [SIGNER]
    try:
        policy = policy_in(raw, folder.policy(number)).policy
    except PolicyError as error:
        _log.warning("the house's policy %d is faulty: %s", number, error.faults[0].code)
        return membership, [FAULTY]
    if policy.house.policy_number != number:
        # Signed, and of another number: an old one in a new one's place, or one that is newer still.
        return membership, [OLDER if (policy.house.policy_number or 0) <= membership.policy else FAULTY]
    told = {str(one["name"]): str(one["digest"]) for one in news["notices"]}
    home = f"{number}"
    for name in sorted({one.file for line in policy.line for files in line.sound.values() for one in files.values()}):
        if not is_below(name) or not _DIGEST.fullmatch(told.get(name, "")):
            return membership, [NOTICES]
        sound = _sound(connection, folder.path / home / name, told[name])
        if sound is None:
            return membership, [NOTICES]
        if sound:
            folder.write_file(f"{home}/{name}", sound)
    path = folder.policy(number)
    folder.write_file(f"{home}/{signature_path(path).name}", signature.strip() + b"\n")
    folder.write_file(f"{home}/{path.name}", raw)
    return replace(membership, policy=number, signer=signer), []


def _sound(connection: Connection, path: Path, digest: str) -> bytes | None:
    """Empty: it is here already. None: what came is another file."""
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return b""
    except OSError:
        pass
    answer = connection.ask("GET", f"/v1/notices/{digest}", most=_LARGEST_NOTICE, seconds=_SECONDS_NOTICE)
    return answer.body if hashlib.sha256(answer.body).hexdigest() == digest else None


# --- settings and accounts ------------------------------------------------------------------------


def _with_settings(
    connection: Connection, folder: HouseFolder, membership: Membership, news: Mapping[str, Any]
) -> Membership:
    number = news["settings"] or 0
    if number == membership.settings:
        return membership
    if number:
        folder.write_settings(connection.ask("GET", "/v1/settings", most=SETTINGS_LARGEST).body)
    return replace(membership, settings=int(number))


def _with_accounts(
    connection: Connection, keyring: Keyring, membership: Membership, news: Mapping[str, Any]
) -> Membership:
    wanted = tuple(account_of(membership.desk, one["address"], one["told"]) for one in news["accounts"])
    kept = {one["id"] for one in wanted}
    if any(one["waits"] for one in news["accounts"]):
        _take_passwords(connection, keyring, membership.desk)
    for gone in membership.accounts:
        if gone["id"] not in kept:
            keyring.delete(password_name(str(gone["id"])))
    return replace(membership, accounts=wanted)


def account_of(desk: str, address: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """As the settings have it. Its id is this desk's own: homes that share a keyring do not share a password."""
    known = {one.key for one in ACCOUNT_SCHEMA} - {"id", "address", "certificate_authority"}
    said = {key: value for key, value in told.items() if key in known}
    return {"id": account_id(desk, address), "address": str(address), **said}


def account_id(desk: str, address: str) -> str:
    return str(uuid.uuid5(uuid.UUID(desk), str(address)))


def password_name(account: str) -> str:
    return f"{PASSWORD}{account}"


def _take_passwords(connection: Connection, keyring: Keyring, desk: str) -> None:
    """Straight into the keyring. Only then the service forgets them: an answer that is lost comes again."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from softphone.archive.crypto.passwords import open_for

    private = X25519PrivateKey.generate()
    key = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    try:
        passwords = connection.ask("POST", "/v1/accounts/passwords", {"key": key}).json["passwords"]
    except HouseError as error:
        if error.code != "error.team.password_lost":
            raise
        return  # IT sees that it still waits, and sets it again
    for one in passwords:
        address = str(one["address"])
        try:
            sealed = base64.b64decode(str(one["sealed"]), validate=True)
        except binascii.Error as error:
            raise ValueError("no base64") from error
        password = open_for(sealed, address, desk, private.private_bytes_raw())
        keyring.set(password_name(account_id(desk, address)), password.encode())
        connection.ask("POST", "/v1/accounts/passwords/kept", {"address": address})
