"""Who is at the keyboard, as far as keys tell, and that every refusal is in the audit log before anything is told.

What each role may is `domain.roles`; what a key opens, opens by the key alone. Nothing here keeps anybody from the files:
that is what the seals are for, and `verify`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import func, select

from softphone.archive.archive import Archive
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.finding.searching import sealed_for
from softphone.archive.keys import policy_signer
from softphone.archive.keys.held import opening, wrapped_for
from softphone.archive.keys.wraps import Recipient
from softphone.archive.proof import audit
from softphone.archive.review.sample import living_in
from softphone.archive.tables import calls, recordings, review_comments, review_scores, reviews, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy, Team
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Deed, Role, may, role_of

REFUSED = "refused"
RULE = "G11"
POLICY_REFUSED = "policy_refused"
OWN_CALLS = Period(days=7)
"""how far back an agent finds own calls, where there is no policy that says it"""
_OF_A_TEAM = frozenset({Deed.FIND_TRAINING, Deed.OPEN_TRAINING, Deed.REVIEW})
_FOR_ALL = frozenset({Deed.BELIEVE_CLOCK, Deed.CHOOSE_SIGNER})
"""what custody decides for all that is here, or is to come"""
FINDS = (Deed.FIND_ALL, Deed.FIND_DOCUMENTATION, Deed.FIND_TRAINING, Deed.FIND_OWN)
OPENS = {
    KeyRole.DOCUMENTATION: Deed.OPEN_DOCUMENTATION,
    KeyRole.TRAINING: Deed.OPEN_TRAINING,
    KeyRole.CUSTODY: Deed.OPEN_CASE,
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person's roles, and whose recordings they reach. `key_ids`: whose private keys lie in this keyring."""

    roles: frozenset[Role]
    key_ids: Mapping[KeyRole, tuple[str, ...]] = field(default_factory=dict[KeyRole, tuple[str, ...]])
    teams: tuple[Team, ...] = ()
    agents: tuple[str, ...] = ()
    """own addresses, user@domain"""
    all_teams: bool = False
    """the policy names no team, so that whoever has the training key leads everybody; or it is a demo's archive"""
    demo: bool = False
    finds_all: bool = False
    """custody, by a key that opens at least half as much as any other: it is told also of what another custody key opens"""
    own_calls: Period = OWN_CALLS
    signed_by: Container[str] = frozenset[str]()
    """whose signatures the policy has by which they are told"""

    def may(self, deed: Deed) -> bool:
        return may(self.roles, deed)

    def leads(self, line: str | None, agent: str | None) -> bool:
        """Whether a call of this line and agent is one of an own team: an agent of it on a line of it, where it names both."""
        return self.all_teams or any(_is_of(team, line, agent) for team in self.teams)


@dataclass(frozen=True, slots=True)
class OwnReview:
    """What of a review its agent may read: (item, points), and (sample at 16 kHz, text) in the call's order."""

    scores: tuple[tuple[str, int], ...] = ()
    comments: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody finds by one of their roles; in all, what any of it finds."""

    deed: Deed
    opens_for: KeyRole | None = None
    sealed_for: tuple[KeyRole, tuple[str, ...]] | None = None
    """the role, and their keys that give it: it is sealed for one of them. None: also where it is for none"""
    agents: tuple[str, ...] | None = None
    since: datetime | None = None

    @property
    def numbers(self) -> bool:
        """A team lead is told no number, and finds nothing by one."""
        return self.deed is not Deed.FIND_TRAINING

    @property
    def log(self) -> bool:
        """Who handles cases, or has custody, is told what else happened to it and who opened it."""
        return self.deed in (Deed.FIND_ALL, Deed.FIND_DOCUMENTATION)

    @property
    def by_number(self) -> bool:
        return self.deed in (Deed.FIND_ALL, Deed.FIND_DOCUMENTATION)


def viewer_of(archive: Archive, policy: Policy | None, accounts: Iterable[str]) -> Viewer:
    """By the private keys in the archive's store that open something here: a policy may be whoever's, and proves no role.

    `accounts`: the addresses that this machine's phone has. Raises ArchiveError, KeyringError.
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
    )


def require(archive: Archive, viewer: Viewer, deed: Deed, now: datetime, *, recording: str | None = None) -> None:
    """Raises ArchiveError where this person may not; the audit log has told of it by then.

    `recording`: its whole id; then it must be an own team's, or an own call, where the deed is one of those.
    """
    call, line, agent = "", None, None
    if recording is not None:
        with archive.catalog.reading() as connection:
            row = connection.execute(
                select(calls.c.call, calls.c.line, calls.c.agent)
                .join(recordings, recordings.c.call == calls.c.call)
                .where(recordings.c.recording == recording)
            ).first()
        if row is not None:
            call, line, agent = row.call, row.line, row.agent
    if deed in _OF_A_TEAM:
        require_signed(archive, viewer, now)
    allowed = viewer.may(deed)
    if deed in _FOR_ALL:
        allowed = allowed and (viewer.demo or _opens_most(archive, viewer.key_ids, KeyRole.CUSTODY))
    if recording is not None and deed in _OF_A_TEAM:
        allowed = allowed and viewer.leads(line, agent)
    if recording is not None and deed is Deed.FIND_OWN:
        allowed = allowed and agent in viewer.agents
    if not allowed:
        refuse(archive, deed, now, call=call, recording=recording)
        not_their_team = viewer.may(deed) and deed not in _FOR_ALL
        raise ArchiveError("error.archive.not_your_team" if not_their_team else "error.archive.not_yours")


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


def refuse(archive: Archive, deed: Deed, now: datetime, *, call: str = "", recording: str | None = None) -> None:
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
        require(archive, viewer, Deed.CHOOSE_SIGNER, now)
    elif not archive.signer.signs:
        refuse(archive, Deed.CHOOSE_SIGNER, now)
        raise ArchiveError("error.archive.signer_not_yet")
    return viewer


def choose_signer(archive: Archive, key: str, now: datetime) -> None:
    """From now on only a policy that `key` has signed counts here (public, Ed25519, base64); empty: any does again."""
    event, told = ("policy_signer_chosen", {"signer": key}) if key else ("policy_signer_lifted", {})
    entry, decided = AuditEntry(event, RULE, now, "", params=told), archive.decided_on()
    with archive.catalog.writing() as connection:
        policy_signer.choose(connection, key)
        audit.append(connection, archive.desk, [decided(entry)])


def require_revoke(archive: Archive, viewer: Viewer, key: Recipient, now: datetime) -> None:
    """A key is revoked by who opens what is sealed for its purpose, or has custody: it ends recording where no other is there.

    Raises ArchiveError `error.keys.not_yours_to_revoke`, once the audit log tells of it.
    """
    if viewer.demo or any(_opens_most(archive, viewer.key_ids, role) for role in (key.role, KeyRole.CUSTODY)):
        return
    archive.note_refusal(REFUSED, RULE, now, deed="revoke", of=key.key_id)
    raise ArchiveError("error.keys.not_yours_to_revoke", id=key.id)


def sights(viewer: Viewer, now: datetime) -> tuple[Sight, ...]:
    """What this person finds, by which keys. Empty: nothing of a call."""
    if viewer.finds_all:
        return (Sight(Deed.FIND_ALL),)
    found: list[Sight] = []
    if viewer.may(Deed.FIND_ALL):
        found.append(Sight(Deed.FIND_ALL, sealed_for=_by_keys(viewer, KeyRole.CUSTODY)))
    if viewer.may(Deed.FIND_DOCUMENTATION):
        role = KeyRole.DOCUMENTATION
        found.append(Sight(Deed.FIND_DOCUMENTATION, role, _by_keys(viewer, role)))
    if viewer.may(Deed.FIND_TRAINING) and (viewer.teams or viewer.all_teams):
        role = KeyRole.TRAINING
        found.append(Sight(Deed.FIND_TRAINING, role, _by_keys(viewer, role)))
    if viewer.may(Deed.FIND_OWN):
        found.append(Sight(Deed.FIND_OWN, agents=viewer.agents, since=now - viewer.own_calls.length()))
    return tuple(found)


def opens(archive: Archive, viewer: Viewer, role: KeyRole, recording: str) -> bool:
    """Whether they are told of it in this role: it is sealed for a key of theirs that gives it, or they find all; a demo's is
    for everybody's."""
    if viewer.demo or (viewer.finds_all and role is KeyRole.CUSTODY):
        return True
    with archive.catalog.reading() as connection:
        return bool(connection.execute(select(sealed_for(recording, *_by_keys(viewer, role)))).scalar())


def _by_keys(viewer: Viewer, role: KeyRole) -> tuple[KeyRole, tuple[str, ...]]:
    return role, viewer.key_ids.get(role, ())


def seen_by(archive: Archive, viewer: Viewer, row: RecordingRow, now: datetime) -> Sight | None:
    """By what this person finds a recording, and the most it tells them; None: it is not there for them."""
    line, agent = row.line, row.agent
    for sight in sights(viewer, now):
        if sight.sealed_for is not None and not opens(archive, viewer, sight.sealed_for[0], row.recording):
            continue
        if sight.opens_for is not None and sight.opens_for not in row.opens_for:
            continue
        if sight.deed is Deed.FIND_TRAINING and not viewer.leads(line, agent):
            continue
        if sight.agents is not None and agent not in sight.agents:
            continue
        if sight.since is not None and row.opened_at < sight.since:
            continue
        return sight
    return None


def openable(viewer: Viewer, line: str | None, agent: str | None, opens_for: Iterable[KeyRole]) -> list[KeyRole]:
    """For which roles this person may open a recording that opens for these, the least of them first."""
    order = (KeyRole.TRAINING, KeyRole.DOCUMENTATION, KeyRole.CUSTODY)
    roles = frozenset(opens_for)
    return [
        one
        for one in order
        if one in roles and viewer.may(OPENS[one]) and (one is not KeyRole.TRAINING or viewer.leads(line, agent))
    ]


def policy_recipients(policy: Policy | None) -> list[Recipient]:
    """Whom the policy lets open recordings, and of which lines."""
    found: list[Recipient] = []
    for one in policy.recipient if policy else ():
        recipient = Recipient.from_policy(one.id, one.purpose, one.public_key)
        if policy and (one.controller is not None or one.lines):
            recipient = replace(recipient, lines=frozenset(line.id for line in policy.line if one.opens(line)))
        found.append(recipient)
    return found


def own_review(archive: Archive, recording: str, now: datetime) -> OwnReview:
    """Empty where it is not shared, and while its call may not be listened to for training (ADR 015)."""
    with archive.catalog.reading() as connection:
        shared = select(reviews.c.shared).where(reviews.c.recording == recording)
        if not connection.execute(shared).scalar() or not living_in(connection, [recording], now):
            return OwnReview()
        scores = connection.execute(
            select(review_scores.c.item, review_scores.c.points)
            .where(review_scores.c.recording == recording)
            .order_by(review_scores.c.item)
        ).all()
        comments = connection.execute(
            select(review_comments.c.sample, review_comments.c.text)
            .where(review_comments.c.recording == recording)
            .order_by(review_comments.c.sample, review_comments.c.at)
        ).all()
    return OwnReview(tuple((row.item, row.points) for row in scores), tuple((row.sample, row.text) for row in comments))


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


def _is_of(team: Team, line: str | None, agent: str | None) -> bool:
    if not team.agents and not team.lines:
        return False
    # A call of an earlier version does not tell its agent: then its line must.
    by_agent = not team.agents or agent in team.agents or (agent is None and bool(team.lines))
    return by_agent and (not team.lines or line in team.lines)
