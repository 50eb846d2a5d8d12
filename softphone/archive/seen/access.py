"""Who is at the keyboard, as far as keys tell, and what their policy says.

What a key opens, opens by the key alone. Nothing here keeps anybody from the files: that is what the seals are for, and `verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select

from softphone.archive.archive import Archive
from softphone.archive.catalog.keys_here import opening, wrapped_for
from softphone.archive.crypto import policy_signer
from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.finding.searching import sealed_for
from softphone.archive.schema.tables import wraps
from softphone.domain.archive.permission import OWN_CALLS, Keys, Sealed, Viewer
from softphone.domain.changes import AuditEntry
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role, role_of

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
        finds_all=archive.demo or opens_most(archive, found, KeyRole.CUSTODY),
        own_calls=policy.own_calls if policy else OWN_CALLS,
        signed_by=policy.signed_by if policy else (),
        user=user,
    )


def refuse_policy(archive: Archive, why: str, now: datetime) -> None:
    """The entry alone; `why`: the fault's code."""
    archive.note_refusal(POLICY_REFUSED, RULE, now, why=why)


def choose_signer(archive: Archive, key: str, now: datetime) -> None:
    """From now on only a policy that `key` has signed counts here (public, Ed25519, base64); empty: any does again."""
    event, told = ("policy_signer_chosen", {"signer": key}) if key else ("policy_signer_lifted", {})
    entry, decided = AuditEntry(event, RULE, now, "", params=told), archive.decided_on()
    with archive.catalog.writing() as tx:
        policy_signer.choose(tx.connection, key)
        tx.log(decided(entry))


def sealed(archive: Archive, recording: str) -> Sealed:
    """Asked only where it decides."""

    def is_for(keys: Keys) -> bool:
        with archive.catalog.reading() as connection:
            return bool(connection.execute(select(sealed_for(recording, *keys))).scalar())

    return is_for


def opens_most(archive: Archive, keys: Mapping[KeyRole, tuple[str, ...]], role: KeyRole) -> bool:
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
