"""This machine's archive, for whoever can open its folder at all: whether it holds together, how it is, its backups, and which
keys count in it. Nothing of a call: that is for one person, as `seen_by` gives it.

Commands get this in place of the engine's archive. Each deed asks by itself whether the keys here allow it.
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
from softphone.archive.catalog.keys_here import wrapped_for
from softphone.archive.crypto import revocation
from softphone.archive.crypto.wraps import KeyStore, Recipient
from softphone.archive.examine import health
from softphone.archive.examine.health import disk_in_json
from softphone.archive.examine.verify import Finding, Proof
from softphone.archive.examine.verify import verify as run_verify
from softphone.archive.keys import rotation
from softphone.archive.log.checkpoint import Head
from softphone.archive.outbox import shipping
from softphone.archive.outbox.rows import member_since
from softphone.archive.outbox.shipping import Waiting as Unshipped
from softphone.archive.seen import LocalArchive, access
from softphone.archive.seen.asking import Asking
from softphone.domain.archive.permission import Viewer
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission

__all__ = [
    "LIVES_ON",
    "BackedUp",
    "BackupHealth",
    "BackupProgress",
    "Finding",
    "Head",
    "MachineArchive",
    "Unshipped",
    "damaged_pages",
    "disk_in_json",
]
NOTED = frozenset({"key_exported", "escrow_made", "escrow_restored", "notice_confirmed", "doubt_confirmed"})
"""what is done beside the archive: all else is logged by what does it"""


class MachineArchive:
    """For one thread. All methods raise ArchiveError, and KeyringError if the keyring fails."""

    def __init__(self, archive: Archive) -> None:
        self._whole = archive
        self.demo = archive.demo
        self.store = archive.store

    @classmethod
    def open(cls, folder: Path, store: KeyStore) -> MachineArchive:
        """As `Archive.open`."""
        return cls(Archive.open(folder, store))

    @classmethod
    def look(cls, folder: Path, store: KeyStore) -> MachineArchive:
        """As `Archive.look`: what would write raises ArchiveError."""
        return cls(Archive.look(folder, store))

    def close(self) -> None:
        self._whole.close()

    def schema_is_earlier(self) -> bool:
        """As of an archive that a version before wrote, when it is only looked at. Not everything can be read then."""
        return self._whole.catalog.schema_is_earlier()

    def viewer_of(self, policy: Policy | None, accounts: Iterable[str], user: str = "") -> Viewer:
        """As `access.viewer_of`."""
        return access.viewer_of(self._whole, policy, accounts, user)

    def seen_by(self, viewer: Viewer) -> LocalArchive:
        return LocalArchive(self._whole, viewer)

    @property
    def policy_signer(self) -> str:
        """As `Archive.policy_signer`."""
        return self._whole.policy_signer

    def choose_signer(self, key: Callable[[], str], now: datetime) -> str:
        """The key that was chosen, as `access.choose_signer`. `key` is asked once it is known that they may.

        Custody chooses, proved by its key alone: no policy need count for that. Where nothing is sealed for custody, nobody is
        known to have it; then whoever has the archive chooses, who could make another as well. A demo's keys are everybody's.
        """
        archive = self._whole
        if archive.demo:
            raise ArchiveError("error.archive.signer_demo")
        asking = Asking(archive, self.viewer_of(None, ()), lambda: now)
        with archive.catalog.reading() as connection:
            sealed = any(role is KeyRole.CUSTODY for _, role in wrapped_for(connection))
        if sealed:
            asking.require(Permission.CHOOSE_SIGNER)
        chosen = key()
        access.choose_signer(archive, chosen, now)
        return chosen

    def refuse_policy(self, why: str, now: datetime) -> None:
        """The log notes it. `why`: the fault's code."""
        access.refuse_policy(self._whole, why, now)

    def note(self, entry: AuditEntry) -> None:
        """Of what was done with keys or with a policy beside the archive, and of nothing else (`NOTED`)."""
        if entry.event not in NOTED:
            self._whole.note_refusal(access.REFUSED, access.RULE, entry.at, deed="note")
            raise ArchiveError("error.archive.not_yours")
        self._whole.note(entry)

    def note_refused(self, now: datetime, **params: str) -> None:
        """As `note`, for what was refused; it is logged if it can be."""
        self._whole.note_refusal(access.REFUSED, access.RULE, now, **params)

    def verify(self, head: str | None, progress: Callable[[int, int], None]) -> Proof:
        """`head`: a line kept elsewhere, which the log must still bear out."""
        return run_verify(self._whole, Head.parse(head) if head is not None else None, progress)

    def head(self, now: datetime) -> Head | None:
        """The log's signed end."""
        return self._whole.head(now)

    def health(self, now: datetime) -> health.Health:
        return health.health(self._whole, now)

    def waiting(self, now: datetime) -> health.Waiting:
        """What data protection has to decide."""
        return health.waiting(self._whole, now)

    def unshipped(self) -> Unshipped | None:
        """What its house does not have yet; None: it belongs to none."""
        with self._whole.catalog.reading() as connection:
            if member_since(connection) is None:
                return None
            return shipping.waiting(connection, self._whole.desk)

    def backups(self) -> list[BackupHealth]:
        return run.health(self._whole)

    def back_up(self, folder: Path, now: datetime, *, anew: bool, progress: BackupProgress) -> BackedUp:
        return run.back_up(self._whole, folder, now, anew=anew, progress=progress)

    def mend(self, folder: Path, found: Collection[str], progress: BackupProgress) -> Iterator[tuple[str, str]]:
        """Copies in a backup that are damaged, made anew from here: each with what became of it."""
        return check.mend(self._whole, folder, found, progress)

    def revoked(self) -> dict[str, datetime]:
        """Key ids, and since when."""
        with self._whole.catalog.reading() as connection:
            return revocation.revoked(connection)

    def revoked_among(self, recipients: Sequence[Recipient]) -> list[revocation.RevokedKey]:
        with self._whole.catalog.reading() as connection:
            return revocation.gone(connection, recipients)

    def standing(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """Those whom something may be sealed for."""
        with self._whole.catalog.reading() as connection:
            return revocation.standing(connection, recipients)

    def living_wraps(self) -> dict[tuple[str, str], int]:
        """How many there are, by key id and role."""
        return rotation.living_wraps(self._whole)

    def rotate(self, old: Recipient, new: Recipient, progress: rotation.Progress) -> rotation.Rotated:
        """For whoever has the private half of `old`."""
        return rotation.rotate(self._whole, old, new, progress)

    def require_revoke(self, key: Recipient) -> None:
        """For a command that asks more before it revokes. Raises as `Upkeep.require_revoke`."""
        self.seen_by(self.viewer_of(None, ())).upkeep.require_revoke(key)

    def revoke(self, key: Recipient, progress: rotation.Progress) -> rotation.Revoked:
        """Raises as `require_revoke`."""
        self.require_revoke(key)
        return rotation.revoke(self._whole, key, progress)


def damaged_pages(damage: Sequence[Finding]) -> int:
    """Pages whose seal does not hold, if these are the faults: the database's complaints about its structure follow from
    them."""
    lines = [line for one in damage for line in str(one.params["detail"]).splitlines() if not line.startswith("***")]
    return len([line for line in lines if line.startswith(BROKEN_SEAL)] or lines)
