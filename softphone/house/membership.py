"""What this desk is a member of: one file in the user's data, and beside it what its house has sent. Nothing here is secret; the
desk's key and its tokens lie in the keyring.

Every process reads it with its settings, so it loads little.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softphone.domain.errors import SettingsError
from softphone.replacing import replace_file

if TYPE_CHECKING:
    from softphone.system.settings_house import HouseSays

FOLDER = "house"
"""in the user's data"""
_FILE, _SETTINGS, _LOCK, _POLICY = "membership.json", "settings.toml", "tokens.lock", "policy.toml"
_HEARD, _OPENED = "heard", "opened"
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Membership:
    """`signer`: the public key (Ed25519, base64) whose policies this desk believes; it came with the invitation, and changes by
    the word of the one before alone. `desk`: the id of the local archive's desk.

    `policy` and `settings` are the numbers of what was taken in last; 0: none. `accounts`: as settings have them.
    """

    address: str
    signer: str
    desk: str
    person: str
    roles: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    since: str = ""
    authority: str = ""
    by_directory: bool = False
    """signed in by the house's OpenID Connect: it wants that again from time to time"""
    policy: int = 0
    settings: int = 0
    accounts: tuple[Mapping[str, Any], ...] = ()

    @property
    def since_at(self) -> datetime:
        return datetime.fromisoformat(self.since)


class HouseFolder:
    """Of one home. `data`: the user's folder."""

    def __init__(self, data: Path) -> None:
        self.path = data / FOLDER

    @property
    def lock(self) -> Path:
        return self.path / _LOCK

    def policy(self, number: int) -> Path:
        """Each has a folder of its own, with its signature and its sounds: it is there whole, or not named."""
        return self.path / str(number) / _POLICY

    def is_there(self) -> bool:
        return (self.path / _FILE).exists()

    def read(self) -> Membership | None:
        """None: this home is no member of a house. Raises SettingsError where nobody can tell."""
        try:
            with (self.path / _FILE).open("rb") as file:
                return _checked(json.loads(file.read(_LARGEST)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            detail = getattr(error, "strerror", None) or type(error).__name__
            raise SettingsError("error.house.unreadable", path=str(self.path / _FILE), detail=detail) from None

    def write(self, membership: Membership) -> None:
        """Raises SettingsError."""
        self.write_file(_FILE, json.dumps(asdict(membership), indent=2).encode() + b"\n")

    def write_settings(self, raw: bytes) -> None:
        """Raises SettingsError."""
        self.write_file(_SETTINGS, raw)

    def write_file(self, name: str, raw: bytes) -> None:
        """Whole or not at all. Raises SettingsError."""
        path = self.path / name
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            replace_file(fresh, path)
        except OSError as error:
            raise SettingsError("error.settings.unwritable", path=str(path), detail=error.strerror or "") from None

    def note_heard(self) -> None:
        """The house has answered."""
        with suppress(OSError):
            (self.path / _HEARD).touch()

    def heard(self) -> datetime | None:
        """When it last did."""
        try:
            return datetime.fromtimestamp((self.path / _HEARD).stat().st_mtime, UTC)
        except OSError:
            return None

    def note_opened(self, recording: str, shared: Iterable[str]) -> None:
        """The agent has opened that review here, of those that are shared now."""
        kept = {recording, *self.opened()} & {*shared}
        with suppress(SettingsError):  # then the desk names it once more
            self.write_file(_OPENED, "\n".join(sorted(kept)).encode())

    def opened(self) -> Collection[str]:
        """The recordings of shared reviews that were opened here."""
        try:
            return (self.path / _OPENED).read_text("ascii").split()
        except (OSError, ValueError):
            return ()

    def forget_policies(self, *but: int) -> None:
        """All others. A call that is on has its own in memory."""
        with suppress(OSError):
            for one in self.path.iterdir():
                if one.is_dir() and one.name.isdigit() and int(one.name) not in but:
                    shutil.rmtree(one, ignore_errors=True)

    def remove(self) -> None:
        """The membership first: without it the rest counts for nothing."""
        try:
            (self.path / _FILE).unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(
                "error.settings.unwritable", path=str(self.path / _FILE), detail=error.strerror or ""
            ) from None
        shutil.rmtree(self.path, ignore_errors=True)

    def says(self) -> HouseSays | None:
        """What the house says to this desk, for its settings; None: there is none."""
        if not self.is_there():
            return None
        from softphone.system.settings_house import HouseSays

        try:
            found = self.read()
        except SettingsError as error:
            return HouseSays(str(self.path / _FILE), faulty=error.code.removeprefix("error."))
        if found is None:
            return None
        raw = b""
        if found.settings:
            with suppress(OSError):
                raw = (self.path / _SETTINGS).read_bytes()
        policy = str(self.policy(found.policy)) if found.policy else ""
        return HouseSays(found.address, policy, found.signer, found.accounts or None, raw)


def _checked(told: Any) -> Membership:
    """Raises ValueError, TypeError, KeyError."""
    lists = {key: tuple(told[key]) for key in ("roles", "agents", "accounts")}
    whole: dict[str, Any] = {**told, **lists}
    made = Membership(**whole)
    if not all(isinstance(getattr(made, one.name), type(getattr(_EXAMPLE, one.name))) for one in fields(Membership)):
        raise ValueError("no membership")
    return made


_EXAMPLE = Membership("", "", "", "")


def begun(address: str, signer: str, desk: str, authority: str, now: datetime, *, by_directory: bool) -> Membership:
    """Before the house has told who this is."""
    since = now.astimezone(UTC).isoformat(timespec="seconds")
    return Membership(address, signer, desk, "", since=since, authority=authority, by_directory=by_directory)


def named(membership: Membership, me: Any) -> Membership:
    """With what `GET /v1/me` has told. Raises ValueError."""
    try:
        roles, agents = (tuple(str(one) for one in me[key]) for key in ("roles", "agents"))
        return replace(membership, person=str(me["person"]), roles=roles, agents=agents)
    except (KeyError, TypeError) as error:
        raise ValueError("not who this is") from error
