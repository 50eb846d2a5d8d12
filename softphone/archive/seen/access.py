"""Who is at the keyboard, as far as keys tell, and that every refusal is in the audit log before it is told.

What they may is judged by `domain.archive.permission`; what a key opens, opens by the key alone. Nothing here keeps anybody from
the files: that is what the seals are for, and `verify`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from softphone.archive.archive import Archive
from softphone.archive.catalog.keys_here import opening, wrapped_for
from softphone.archive.crypto import policy_signer
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.finding.searching import sealed_for
from softphone.archive.schema.tables import calls, recordings, wraps
from softphone.domain.archive import permission
from softphone.domain.archive.permission import OWN_CALLS, Keys, NotPermitted, Sealed, Viewer
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import OPENS, Permission, Role, role_of

REFUSED = "refused"
RULE = "G11"
POLICY_REFUSED = "policy_refused"


def viewer_of(archive: Archive, policy: Policy | None, accounts: Iterable[str], user: str = "") -> Viewer:
    """By the private keys in the archive's store that open something here: a policy may be whoever's, and proves no role.

    `accounts`: the addresses that this machine's phone has; `user`: who is at the machine, as it names them. Raises ArchiveError,
    KeyringError.
    """
    agents = tuple(one for one in accounts if one)
    found: dict[KeyRole, tuple[str, ...]] = {}
    for key_id, role in opening(archive.catalog, archive.private_key):
        found[role] = (*found.get(role, ()), key_id)
    roles = {role_of(key) for key in found} | ({Role.AGENT} if agents else set[Role]())
    if archive.demo:
        # All its keys lie beside it, whoever is there.
        roles = set(Role)
    own = {one.id for one in policy_recipients(policy) if one.key_id in found.get(KeyRole.TRAINING, ())}
    return Viewer(
        frozenset(roles or {Role.IT}),
        found,
        tuple(team for team in (policy.team if policy else ()) if own & set(team.leads)),
        agents,
        all_teams=archive.demo or (policy is not None and not policy.team),
        demo=archive.demo,
        finds_all=archive.demo or _opens_most(archive, found, KeyRole.CUSTODY),
        own_calls=policy.own_calls if policy else OWN_CALLS,
        signed_by=policy.signed_by if policy else (),
        user=user,
    )


def require(archive: Archive, viewer: Viewer, deed: Permission, now: datetime, *, recording: str | None = None) -> None:
    """Raises ArchiveError where this person may not; the audit log has told of it by then.

    `recording`: its whole id; then it must be an own team's, or an own call, where the deed is one of those.
    """
    call, of = "", None
    if recording is not None:
        with archive.catalog.reading() as connection:
            row = connection.execute(
                select(calls.c.call, calls.c.line, calls.c.agent)
                .join(recordings, recordings.c.call == calls.c.call)
                .where(recordings.c.recording == recording)
            ).first()
        call, of = (row.call, (row.line, row.agent)) if row is not None else ("", (None, None))
    if deed in permission.OF_A_TEAM:
        require_signed(archive, viewer, now)
    with refusing(archive, now, call=call, recording=recording):
        permission.require(viewer, deed, of)


@contextmanager
def refusing(archive: Archive, now: datetime, *, call: str = "", recording: str | None = None) -> Generator[None]:
    """What is judged within, and refused, is in the log before it is raised, as the ArchiveError that it names."""
    try:
        yield
    except NotPermitted as error:
        refuse(archive, error.permission, now, call=call, recording=recording)
        raise error.fault from None


def unsigned(archive: Archive, viewer: Viewer) -> ArchiveError | None:
    """Where the archive has come to ask for a signature that their policy lacks."""
    signer = archive.policy_signer
    counts = not signer or signer in viewer.signed_by
    return None if counts else ArchiveError("error.archive.policy_unsigned", signer=signer)


def require_signed(archive: Archive, viewer: Viewer, now: datetime) -> None:
    """Raises what `unsigned` tells of; the audit log has told of it by then."""
    if error := unsigned(archive, viewer):
        refuse_policy(archive, error.code, now)
        raise error


def refuse(archive: Archive, deed: Permission, now: datetime, *, call: str = "", recording: str | None = None) -> None:
    """The entry alone."""
    role = next((role for role, one in OPENS.items() if one is deed), None)
    told = {"deed": deed.value} | ({"role": role.value} if role else {})
    archive.note_refusal(REFUSED, RULE, now, call=call, recording=recording, **told)


def refuse_policy(archive: Archive, why: str, now: datetime) -> None:
    """The entry alone; `why`: the fault's code."""
    archive.note_refusal(POLICY_REFUSED, RULE, now, why=why)


def require_signer(archive: Archive, now: datetime) -> Viewer:
    """Whose signature a policy must have, custody chooses, proved by its key alone: no policy need count for that. Where nothing
    is sealed for custody, nobody is known to have it; then whoever made the archive chooses, who could make another as well.

    Raises ArchiveError, once the audit log tells of the refusal; for a demo's, whose keys and policy are everybody's.
    """
    if archive.demo:
        raise ArchiveError("error.archive.signer_demo")
    viewer = viewer_of(archive, None, ())
    with archive.catalog.reading() as connection:
        sealed = any(role is KeyRole.CUSTODY for _, role in wrapped_for(connection))
    if sealed:
        require(archive, viewer, Permission.CHOOSE_SIGNER, now)
    elif not archive.signer.signs:
        refuse(archive, Permission.CHOOSE_SIGNER, now)
        raise ArchiveError("error.archive.signer_not_yet")
    return viewer


def choose_signer(archive: Archive, key: str, now: datetime) -> None:
    """From now on only a policy that `key` has signed counts here (public, Ed25519, base64); empty: any does again."""
    event, told = ("policy_signer_chosen", {"signer": key}) if key else ("policy_signer_lifted", {})
    entry, decided = AuditEntry(event, RULE, now, "", params=told), archive.decided_on()
    with archive.catalog.writing() as tx:
        policy_signer.choose(tx.connection, key)
        tx.log(decided(entry))


def require_revoke(archive: Archive, viewer: Viewer, key: Recipient, now: datetime) -> None:
    """A key is revoked by who opens what is sealed for its purpose, or has custody: it ends recording where no other is there.

    Raises ArchiveError `error.keys.not_yours_to_revoke`, once the audit log tells of it.
    """
    if viewer.demo or any(_opens_most(archive, viewer.key_ids, role) for role in (key.role, KeyRole.CUSTODY)):
        return
    archive.note_refusal(REFUSED, RULE, now, deed="revoke", of=key.key_id)
    raise ArchiveError("error.keys.not_yours_to_revoke", id=key.id)


def sealed(archive: Archive, recording: str) -> Sealed:
    """Asked only where it decides."""

    def is_for(keys: Keys) -> bool:
        with archive.catalog.reading() as connection:
            return bool(connection.execute(select(sealed_for(recording, *keys))).scalar())

    return is_for


def policy_recipients(policy: Policy | None) -> list[Recipient]:
    """Whom the policy lets open recordings, and of which lines."""
    found: list[Recipient] = []
    for one in policy.recipient if policy else ():
        recipient = Recipient.from_policy(one.id, one.purpose, one.public_key)
        if policy and (one.controller is not None or one.lines):
            recipient = replace(recipient, lines=frozenset(line.id for line in policy.line if one.opens(line)))
        found.append(recipient)
    return found


def _opens_most(archive: Archive, keys: Mapping[KeyRole, tuple[str, ...]], role: KeyRole) -> bool:
    """Whether one of these keys opens at least half as much in this role as any other: what decides on all that is here, or on
    all that is to come, is not for whoever recorded a call by a policy of their own."""
    own = keys.get(role, ())
    if not own:
        return False
    counted = select(func.count()).select_from(wraps).where(wraps.c.role == role.value)
    with archive.catalog.reading() as connection:
        those = [key_id for key_id, of_role in wrapped_for(connection) if of_role is role]
        if set(those) <= set(own):
            return bool(those)
        opens = {
            key_id: int(connection.execute(counted.where(wraps.c.key_id == key_id)).scalar_one()) for key_id in those
        }
    return any(2 * opens.get(key_id, 0) >= max(opens.values()) for key_id in own)
