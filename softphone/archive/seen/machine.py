"""This machine's archive, for whoever can open its folder at all: whether it holds together, how it is, its backups, and which
keys count in it. Nothing of a call: that is for one person, as `seen_by` gives it.

Commands get this in place of the engine's archive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.backup import check, run
from softphone.archive.backup.copying import Progress as BackupProgress
from softphone.archive.backup.run import LIVES_ON, BackedUp
from softphone.archive.backup.run import Health as BackupHealth
from softphone.archive.catalog.database import BROKEN_SEAL
from softphone.archive.crypto import revocation
from softphone.archive.crypto.wraps import KeyStore, Recipient
from softphone.archive.examine import health
from softphone.archive.examine.health import disk_in_json
from softphone.archive.examine.verify import Finding, Proof
from softphone.archive.keys import rotation
from softphone.archive.log.checkpoint import Head
from softphone.archive.seen import LocalArchive, access, commands
from softphone.domain.archive.permission import Viewer
from softphone.domain.changes import AuditEntry
from softphone.domain.policy import Policy

__all__ = [
    "LIVES_ON",
    "BackedUp",
    "BackupHealth",
    "BackupProgress",
    "Finding",
    "Head",
    "MachineArchive",
    "damaged_pages",
    "disk_in_json",
    "viewer_of",
]


class MachineArchive:
    """For one thread. All methods raise ArchiveError, and KeyringError if the keyring fails."""

    def __init__(self, archive: Archive) -> None:
        self.whole = archive
        """for `LocalArchive`, which shows it to one person"""
        self.demo = archive.demo
        self.store = archive.store

    @classmethod
    def open(cls, folder: Path, store: KeyStore, *, looks: bool = False) -> MachineArchive:
        """As `Archive.open`."""
        return cls(Archive.open(folder, store, looks=looks))

    def close(self) -> None:
        self.whole.close()

    def seen_by(self, viewer: Viewer) -> LocalArchive:
        return LocalArchive(self.whole, viewer)

    @property
    def policy_signer(self) -> str:
        """As `Archive.policy_signer`."""
        return self.whole.policy_signer

    def require_signer(self, now: datetime) -> None:
        """As `access.require_signer`."""
        access.require_signer(self.whole, now)

    def choose_signer(self, key: str, now: datetime) -> None:
        """As `access.choose_signer`, for whoever may."""
        access.choose_signer(self.whole, key, now)

    def refuse_policy(self, why: str, now: datetime) -> None:
        """The log notes it. `why`: the fault's code."""
        access.refuse_policy(self.whole, why, now)

    def note(self, entry: AuditEntry) -> None:
        """Of what was done with keys or with a policy beside the archive."""
        self.whole.note(entry)

    def note_refused(self, now: datetime, **params: str) -> None:
        """As `note`, for what was refused; it is logged if it can be."""
        self.whole.note_refusal(access.REFUSED, access.RULE, now, **params)

    def verify(self, head: str | None, progress: Callable[[int, int], None]) -> Proof:
        return commands.verify(self.whole, head, progress)

    def head(self, now: datetime) -> tuple[Head | None, int]:
        """The log's signed end, and how many entries it does not cover."""
        head = commands.head(self.whole, now)
        return head, commands.entries_behind(self.whole, head)

    def health(self, now: datetime) -> health.Health:
        return health.health(self.whole, now)

    def waiting(self, now: datetime) -> health.Waiting:
        """What data protection has to decide."""
        return health.waiting(self.whole, now)

    def backups(self) -> list[BackupHealth]:
        return run.health(self.whole)

    def back_up(self, folder: Path, now: datetime, *, anew: bool, progress: BackupProgress) -> BackedUp:
        return run.back_up(self.whole, folder, now, anew=anew, progress=progress)

    def mend(self, folder: Path, found: Collection[str], progress: BackupProgress) -> Iterator[tuple[str, str]]:
        """Copies in a backup that are damaged, made anew from here: each with what became of it."""
        return check.mend(self.whole, folder, found, progress)

    def revoked(self) -> dict[str, datetime]:
        """Key ids, and since when."""
        with self.whole.catalog.reading() as connection:
            return revocation.revoked(connection)

    def revoked_among(self, recipients: Sequence[Recipient]) -> list[revocation.RevokedKey]:
        with self.whole.catalog.reading() as connection:
            return revocation.gone(connection, recipients)

    def standing(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """Those whom something may be sealed for."""
        with self.whole.catalog.reading() as connection:
            return revocation.standing(connection, recipients)

    def living_wraps(self) -> dict[tuple[str, str], int]:
        """How many there are, by key id and role."""
        return rotation.living_wraps(self.whole)

    def rotate(self, old: Recipient, new: Recipient, progress: rotation.Progress) -> rotation.Rotated:
        return rotation.rotate(self.whole, old, new, progress)

    def require_revoke(self, key: Recipient) -> None:
        self.seen_by(access.viewer_of(self.whole, None, ())).upkeep.require_revoke(key)

    def revoke(self, key: Recipient, progress: rotation.Progress) -> rotation.Revoked:
        """For whoever may (`require_revoke`)."""
        return rotation.revoke(self.whole, key, progress)


def viewer_of(archive: MachineArchive, policy: Policy | None, accounts: Iterable[str], user: str = "") -> Viewer:
    """As `access.viewer_of`."""
    return access.viewer_of(archive.whole, policy, accounts, user)


def damaged_pages(damage: Sequence[Finding]) -> int:
    """Pages whose seal does not hold, if these are the faults: the database's complaints about its structure follow from
    them."""
    lines = [line for one in damage for line in str(one.params["detail"]).splitlines() if not line.startswith("***")]
    return len([line for line in lines if line.startswith(BROKEN_SEAL)] or lines)
