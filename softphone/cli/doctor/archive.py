"""The archive and what is in force within it: its folder, its backups, what waits, and the policy that it accepts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.bootstrap.home import texts
from softphone.bootstrap.policy.file import at_its_place, of_revoked
from softphone.cli.doctor.finding import Below, Check, Finding
from softphone.cli.doctor.folders import nearest, room, temporary, why_unwritable
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import ArchiveError, KlartoneError
from softphone.domain.policy import Period
from softphone.system.paths import is_there
from softphone.system.signature import public_key
from softphone.wire.snapshot import PolicyPhase, Settings

_SHIPPED_WITHIN = timedelta(days=1)

if TYPE_CHECKING:
    from softphone.archive.seen.machine import BackupHealth, MachineArchive
    from softphone.bootstrap.running import Seen


def _archive(machine: Machine) -> Iterator[Finding]:
    """Whatever keeps it from being opened, the policy's own file is looked at. A version before may be recording into it: the
    archive is only read, and an earlier schema stays."""
    from softphone.archive.seen.machine import MachineArchive

    folder, settings = machine.archive, machine.settings
    opened = None
    try:
        yield from folder_of(folder)
        if _is_here(folder):
            opened = MachineArchive.look(folder, machine.keys)
            if opened.schema_is_earlier():
                opened.close()
                opened = None
                yield Finding("doctor.archive.earlier", {"folder": str(folder)})
        else:
            yield from _not_backed_up_yet(settings, joined=_in_house(machine))
    except KlartoneError as error:
        yield Finding.of(error)
    if opened is None:
        yield _in_force(_withheld(policy_of(settings), machine), machine.running())
        return
    with closing(opened):
        yield from _inside(opened, settings, joined=_in_house(machine))
        yield _in_force(_withheld(policy_of(settings, opened), machine), machine.running())


def _is_here(folder: Path) -> bool:
    from softphone.archive.folder.marker import is_here

    return is_here(folder)


def folder_of(folder: Path) -> Iterator[Finding]:
    """Raises ArchiveError for one that nothing can be recorded in."""
    from softphone.archive.folder.disk import refusal
    from softphone.archive.folder.network import check_local

    if found := refusal(nearest(folder)):
        raise ArchiveError(found.code, **{**found.params, "path": str(folder)})
    check_local(folder)
    yield Finding("doctor.archive", {"folder": str(folder)})
    yield from room(folder)
    yield from temporary(folder)


def _in_house(machine: Machine) -> bool:
    from softphone.house.membership import HouseFolder

    return HouseFolder(machine.home.folders.data).read() is not None


def _inside(archive: MachineArchive, settings: Settings, *, joined: bool) -> Iterator[Finding]:
    yield from _backups(archive, settings)
    yield from _waiting(archive)
    yield from _shipping(archive)
    yield _signer(archive, settings, joined=joined)


def _backups(archive: MachineArchive, settings: Settings) -> Iterator[Finding]:
    """How old each backup is, and how many changes it does not have yet. A desk that ships needs none."""
    from softphone.archive.seen.machine import LIVES_ON
    from softphone.bootstrap.archive.shared import here

    found = archive.backups()
    made = [one for one in found if one.number]
    if not made and archive.unshipped() is None:
        yield Finding("doctor.backup.none")
    for one in made:
        fields = {"path": str(one.folder), "at": here(one.at), "count": one.waiting}
        yield Finding("doctor.backup.waiting" if one.waiting else "doctor.backup", dict(fields))
        if one.stale:
            yield Finding("doctor.backup.stale", {"path": str(one.folder), "days": LIVES_ON.days})
        if settings.backup and one.folder == Path(settings.backup):
            yield from _overdue(one, settings.backup_every)
    if settings.backup:
        known = any(one.folder == Path(settings.backup) for one in made)
        yield from _backup_folder(Path(settings.backup), known=known)


def _not_backed_up_yet(settings: Settings, *, joined: bool) -> Iterator[Finding]:
    """Before there is an archive. A desk that ships needs none."""
    if settings.backup:
        yield from _backup_folder(Path(settings.backup), known=False)
    elif not joined:
        yield Finding("doctor.backup.unset")


def _backup_folder(folder: Path, *, known: bool) -> Iterator[Finding]:
    """As a run of the phone's would meet it. `known`: a backup lay there."""
    if known and not is_there(folder):
        yield Finding("error.backup.away", {"path": str(folder)})
    elif why := why_unwritable(folder):
        yield Finding("error.backup.unwritable", {"path": str(folder), "detail": why})
    else:
        yield from room(folder)


def _overdue(backup: BackupHealth, every: str) -> Iterator[Finding]:
    """Later than the phone itself begins to tell of it: twice the time between two."""
    from softphone.bootstrap.archive.shared import here

    try:
        period = Period.parse(every)
    except ValueError:
        return  # the settings' own finding says so
    due = backup.at
    for _ in range(2):
        day = Period(months=period.months, days=period.days).after(due.date())
        due = datetime.combine(day, due.timetz()) + timedelta(seconds=period.seconds)
    if datetime.now(UTC) >= due:
        yield Finding("doctor.backup.overdue", {"path": str(backup.folder), "at": here(backup.at)})


def _waiting(archive: MachineArchive) -> Iterator[Finding]:
    """What data protection has to decide, if anything."""
    found = archive.waiting(datetime.now(UTC))
    if found.to_judge:
        yield Finding("doctor.judge.waits", {"count": found.to_judge, "day": str(found.judge_before)})
    for code, count, due in (
        ("error.archive.holds_overdue", found.holds_overdue, found.holds_due),
        ("error.archive.cases_overdue", found.cases_overdue, found.cases_due),
    ):
        if count:
            yield Finding(code, {"count": count, "due": str(due)})


def _shipping(archive: MachineArchive) -> Iterator[Finding]:
    """What the house does not have yet, and whether it goes."""
    from softphone.bootstrap.archive.shared import here

    found = archive.unshipped()
    if found is None:
        return
    if found.since is None:
        yield Finding("doctor.shipping")
    else:
        late = datetime.now(UTC) - found.since > _SHIPPED_WITHIN
        fields = {"count": found.count, "at": here(found.since)}
        yield Finding("doctor.shipping.late" if late else "doctor.shipping.waits", dict(fields))
    if found.failed:
        yield Finding("doctor.shipping.refused", {"count": found.failed, "why": texts()(found.code)})


def _signer(archive: MachineArchive, settings: Settings, *, joined: bool) -> Finding:
    """Whose signature the archive asks of a policy. If only the settings ask for one, other settings need none. Joining has
    pinned a house's."""
    if archive.policy_signer:
        return Finding("doctor.signer", {"signer": archive.policy_signer})
    if joined and settings.policy_signer:
        return Finding("doctor.signer.house", {"signer": settings.policy_signer})
    if not archive.demo:
        # None, or not a key: the policy's own finding says so.
        with suppress(ValueError):
            return Finding("doctor.signer.none", {"signer": public_key(settings.policy_signer)})
    return Finding("doctor.signer.nobody")


def policy_of(settings: Settings, archive: MachineArchive | None = None) -> Finding:
    """`archive`: if there is one here, whose signature it asks for, and which keys are revoked in it."""
    from softphone.bootstrap.archive.viewing import revoked_in
    from softphone.domain.policy import PolicyError, PolicyUnsigned, unsigned_sounds
    from softphone.system.policy_file import load_policy

    path = settings.policy
    if not path:
        return Finding("ready.policy.missing")
    try:
        signers = settings.policy_signer, archive.policy_signer if archive else ""
        loaded = load_policy(Path(path), *signers, guarded=settings.policy_guarded)
    except PolicyError as error:
        lines = tuple(Below(at_its_place(fault, texts()), fault.code) for fault in error.faults)
        phase = "unsigned" if isinstance(error, PolicyUnsigned) else "faulty"
        remedy = "doctor.policy.faulty.remedy" if phase == "faulty" else ""
        return Finding(f"ready.policy.{phase}", {"path": path, "count": len(lines)}, lines, remedy)
    revoked = of_revoked(loaded, revoked_in(archive, loaded)) if archive else []
    if revoked:
        lines = tuple(Below(at_its_place(one, texts()), one.code) for one in revoked)
        return Finding("doctor.policy.revoked", {"path": path, "count": len(lines)}, lines)
    open_ones = [one for one in loaded.remarks if not one.by]
    if any(signers):
        open_ones += unsigned_sounds(loaded)
    if open_ones:
        return Finding("doctor.policy.waits", {"path": path, "count": len(open_ones)})
    return Finding("doctor.policy", {"path": path})


def _withheld(found: Finding, machine: Machine) -> Finding:
    """The organisation's settings may name a policy; they cannot be read."""
    if found.code == "ready.policy.missing" and machine.held.machine.faults:
        return replace(found, remedy="doctor.withheld.remedy")
    return found


def _in_force(found: Finding, running: Seen | None) -> Finding:
    """A phone that runs keeps to the policy from before, if the file has been spoiled since."""
    held = running.snapshot.policy if running and running.snapshot else None
    if found.code == "ready.policy.faulty" and held and held.phase is PolicyPhase.FAULTY and held.controller:
        return replace(found, code="ready.policy.last_good")
    return found


ARCHIVE = Check("archive", _archive)
