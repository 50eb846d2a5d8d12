"""The archive as the user of a command sees it: by the keys of their keyring, their accounts and the policy.

The archive itself asks what they may do; this only finds out who they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.crypto.revocation import RevokedKey
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap.archive.house import house_archive
from softphone.bootstrap.archive.opening import open_archive
from softphone.bootstrap.archive.shared import opened
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import at_its_place
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import LoadedPolicy, Policy, PolicyError
from softphone.system.policy_file import load_policy
from softphone.system.user import user_name
from softphone.wire.snapshot import Settings

if TYPE_CHECKING:
    from softphone.domain.archive.interface import SeenArchive


class PolicyRefusedError(ArchiveError):
    """The archive asks for a signature that the policy here does not have. The audit log has it by then."""


class Viewing(Protocol):
    """What the user of a command sees of an archive, and the policy that counts for it."""

    @property
    def archive(self) -> SeenArchive: ...
    @property
    def policy_in_force(self) -> Policy | None:
        """None too where what is done needs no policy"""
        ...

    @property
    def time_zone(self) -> str | None:
        """The policy's, in which a person reads times and days; None: the machine's"""
        ...

    def policy(self) -> Policy | None: ...
    def policy_unless_refused(self) -> Policy | None: ...

    def waits_here(self) -> int:
        """Own recordings that the house does not have yet."""
        ...


class HouseViewing:
    """Of the house's archive. The house sends the policy to its desks."""

    def __init__(self, archive: SeenArchive, home: Home, settings: Settings, *, by_keys: bool) -> None:
        self.archive = archive
        self._home, self._settings = home, settings
        self.policy_in_force = None if by_keys else self.policy()

    @property
    def time_zone(self) -> str | None:
        return _time_zone(self._settings)

    def policy(self) -> Policy | None:
        return policy_of(self._settings, None)

    def policy_unless_refused(self) -> Policy | None:
        return self.policy()

    def waits_here(self) -> int:
        if self.archive.find.only_own() is None:
            return 0
        folder = self._home.archive(self._settings)
        with closing(open_archive(folder, self._home.folders.runtime)) as here:
            waits = here.unshipped()
        return waits.recordings if waits else 0


class LocalViewing:
    """Of this machine's archive, which may want the settings' policy signed."""

    archive: LocalArchive

    def __init__(self, archive: MachineArchive, settings: Settings, *, by_keys: bool, whatever_policy: bool) -> None:
        """`by_keys`: for what needs no policy. `whatever_policy`: also for what must not wait until one is signed.

        Raises ArchiveError, KeyringError.
        """
        self._given = archive, settings
        policy = None if by_keys else self.policy_unless_refused() if whatever_policy else self.policy()
        self.policy_in_force = policy
        accounts = [one.address for one in settings.accounts]
        self.archive = archive.seen_by(archive.viewer_of(policy, accounts, user_name()))

    @property
    def time_zone(self) -> str | None:
        return _time_zone(self._given[1])

    def policy(self) -> Policy | None:
        """The policy that this machine works under. Raises ArchiveError as `loaded`."""
        archive, settings = self._given
        return policy_of(settings, archive)

    def policy_unless_refused(self) -> Policy | None:
        """For what must not wait until a policy is signed, such as a lock: a refusal goes to stderr."""
        try:
            return self.policy()
        except PolicyRefusedError as error:
            print(texts()("archive.policy_not_needed", **error.params), file=sys.stderr)  # noqa: T201
            return None

    def waits_here(self) -> int:
        return 0


def _time_zone(settings: Settings) -> str | None:
    """However the policy is signed: a time is told, and nothing is done."""
    with suppress(PolicyError):
        if settings.policy:
            return load_policy(
                Path(settings.policy), settings.policy_signer, guarded=settings.policy_guarded
            ).policy.time_zone
    return None


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def seeing(
    arguments: argparse.Namespace, *, by_keys: bool = False, whatever_policy: bool = False
) -> Generator[Viewing]:
    """The archive that a command means, as its user sees it: the house's where this desk is a member of one, unless a folder or
    this machine's is asked for. Raises KlartoneError."""
    with house_archive(arguments) as (house, settings):
        if house is not None:
            yield HouseViewing(house, Home.of(arguments), settings, by_keys=by_keys)
            return
    with seeing_here(arguments, by_keys=by_keys, whatever_policy=whatever_policy) as viewing:
        yield viewing


@contextmanager
def seeing_here(
    arguments: argparse.Namespace, *, by_keys: bool = False, whatever_policy: bool = False
) -> Generator[LocalViewing]:
    """This machine's archive. Raises ArchiveError, KeyringError."""
    with opened(arguments) as archive:
        yield seen_here(arguments, archive, by_keys=by_keys, whatever_policy=whatever_policy)


def seen_here(
    arguments: argparse.Namespace, archive: MachineArchive, *, by_keys: bool = False, whatever_policy: bool = False
) -> LocalViewing:
    settings, _ = Home.of(arguments).settings(only_look=True)
    return LocalViewing(archive, settings, by_keys=by_keys, whatever_policy=whatever_policy)


def policy_of(settings: Settings, archive: MachineArchive | None) -> Policy | None:
    """The policy that this machine works under; what is wrong with it goes to stderr.

    `archive`: None if nothing is done on one. Raises ArchiveError as `loaded`.
    """
    if not settings.policy and not (archive and archive.policy_signer):
        return None
    try:
        return loaded(settings, archive)
    except PolicyError:
        print(texts()("keys.policy_unusable", path=settings.policy), file=sys.stderr)  # noqa: T201
        return None


def loaded(settings: Settings, archive: MachineArchive | None) -> Policy:
    """Raises PolicyError. If the archive asks for a signature, a policy that cannot be used is refused, and so is none at
    all: PolicyRefusedError."""
    signer = archive.policy_signer if archive else ""
    try:
        return load_policy(
            Path(settings.policy), settings.policy_signer, signer, guarded=settings.policy_guarded
        ).policy
    except PolicyError as error:
        if archive is None or not signer:
            raise
        archive.refuse_policy(error.faults[0].code, now())
        if not settings.policy:
            raise PolicyRefusedError("error.archive.policy_none", signer=signer) from None
        why = at_its_place(error.faults[0], texts())
        raise PolicyRefusedError("error.archive.policy_refused", signer=signer, path=settings.policy, why=why) from None


def revoked_in(archive: MachineArchive, loaded: LoadedPolicy) -> list[RevokedKey]:
    """Those whom the policy names by a key that is revoked in this archive."""
    return archive.revoked_among(policy_recipients(loaded.policy))


def tell_of_other_keys(count: int) -> None:
    """To custody whose key opens less than half of what another does, on stderr."""
    if count:
        print(texts()("archive.other_custody_key", count=count), file=sys.stderr)  # noqa: T201
