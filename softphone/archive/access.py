"""Who is at the keyboard, as far as keys tell, and that every refusal is in the audit log before anything is told.

What each role may is `domain.roles`; what a key opens, opens by the key alone. Nothing here keeps anybody from the files:
that is what the seals are for, and `verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select, tuple_

from softphone.archive.archive import KEY_SHOWN, Archive
from softphone.archive.keys.wraps import Recipient
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
OWN_CALLS = Period(days=7)
"""how far back an agent finds own calls, where there is no policy that says it"""
_OF_A_TEAM = frozenset({Deed.FIND_TRAINING, Deed.OPEN_TRAINING, Deed.REVIEW})
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
    own_calls: Period = OWN_CALLS

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
    """By the private keys in the archive's store, among those of the policy's recipients and of the catalog's wraps.

    `accounts`: the addresses that this machine's phone has. Raises ArchiveError, KeyringError.
    """
    agents = tuple(one for one in accounts if one)
    named = [(one.key_id, one.role) for one in policy_recipients(policy)]
    with archive.catalog.reading() as connection:
        pairs = dict.fromkeys([*named, *wrapped_for(connection)])
    here = {key_id: archive.private_key(key_id) is not None for key_id, _ in pairs}
    found: dict[KeyRole, tuple[str, ...]] = {}
    for key_id, role in pairs:
        if here[key_id]:
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
        own_calls=policy.own_calls if policy else OWN_CALLS,
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
    allowed = viewer.may(deed)
    if recording is not None and deed in _OF_A_TEAM:
        allowed = allowed and viewer.leads(line, agent)
    if recording is not None and deed is Deed.FIND_OWN:
        allowed = allowed and agent in viewer.agents
    if not allowed:
        refuse(archive, deed, now, call=call, recording=recording, viewer=viewer)
        raise ArchiveError("error.archive.not_your_team" if viewer.may(deed) else "error.archive.not_yours")


def refuse(
    archive: Archive,
    deed: Deed,
    now: datetime,
    *,
    call: str = "",
    recording: str | None = None,
    viewer: Viewer | None = None,
) -> None:
    """The entry alone, with a key of whoever was refused. Where it cannot be written, a refusal stays a refusal."""
    asked = next((role.value for role, one in OPENS.items() if one is deed), None)
    keys = [key for of_role in (viewer.key_ids.values() if viewer else ()) for key in of_role]
    told = {"deed": deed.value, **({"role": asked} if asked else {}), **({"key": keys[0][:KEY_SHOWN]} if keys else {})}
    with suppress(ArchiveError):
        archive.note(AuditEntry(REFUSED, RULE, now, call, recording, dict(told)))


def require_revoke(archive: Archive, viewer: Viewer, key: Recipient, policy: Policy | None, now: datetime) -> None:
    """A key that is in use is revoked by who has one of its purpose, or has custody: it ends recording where no other is there.
    One that the policy in force names no more, by whoever gets as far as this.

    Raises ArchiveError `error.keys.not_yours_to_revoke`, once the audit log tells of it.
    """
    out_of_use = policy is not None and key.key_id not in {one.key_id for one in policy_recipients(policy)}
    if out_of_use or viewer.demo or {key.role, KeyRole.CUSTODY} & viewer.key_ids.keys():
        return
    with suppress(ArchiveError):
        archive.note(AuditEntry(REFUSED, RULE, now, "", params={"deed": "revoke", "key": key.key_id}))
    raise ArchiveError("error.keys.not_yours_to_revoke", id=key.id)


def sights(viewer: Viewer, now: datetime) -> tuple[Sight, ...]:
    """What this person finds. Empty: nothing of a call."""
    if viewer.may(Deed.FIND_ALL):
        return (Sight(Deed.FIND_ALL),)
    found: list[Sight] = []
    if viewer.may(Deed.FIND_DOCUMENTATION):
        found.append(Sight(Deed.FIND_DOCUMENTATION, KeyRole.DOCUMENTATION))
    if viewer.may(Deed.FIND_TRAINING) and (viewer.teams or viewer.all_teams):
        found.append(Sight(Deed.FIND_TRAINING, KeyRole.TRAINING))
    if viewer.may(Deed.FIND_OWN):
        found.append(Sight(Deed.FIND_OWN, agents=viewer.agents, since=now - viewer.own_calls.length()))
    return tuple(found)


def seen_by(
    viewer: Viewer, now: datetime, *, opens_for: Iterable[KeyRole], line: str | None, agent: str | None, at: datetime
) -> Sight | None:
    """By what this person finds a recording with these facts, and the most it tells them; None: it is not there for them."""
    roles = frozenset(opens_for)
    for sight in sights(viewer, now):
        if sight.opens_for is not None and sight.opens_for not in roles:
            continue
        if sight.deed is Deed.FIND_TRAINING and not viewer.leads(line, agent):
            continue
        if sight.agents is not None and agent not in sight.agents:
            continue
        if sight.since is not None and at < sight.since:
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
    """Whom the policy lets open recordings."""
    return [Recipient.from_policy(one.id, one.purpose, one.public_key) for one in (policy.recipient if policy else ())]


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


def wrapped_for(connection: Connection) -> list[tuple[str, KeyRole]]:
    """Every key that something is sealed for, with its role: from one to the next by their index, however many there are."""
    found: list[tuple[str, KeyRole]] = []
    place, after = tuple_(wraps.c.key_id, wraps.c.role), ("", "")
    while True:
        row = connection.execute(
            select(wraps.c.key_id, wraps.c.role).where(place > after).order_by(wraps.c.key_id, wraps.c.role).limit(1)
        ).first()
        if row is None:
            return found
        after = (row.key_id, row.role)
        # Of a role that there is none of, `verify` tells.
        with suppress(ValueError):
            found.append((row.key_id, KeyRole(row.role)))


def _is_of(team: Team, line: str | None, agent: str | None) -> bool:
    if not team.agents and not team.lines:
        return False
    # A call of an earlier version does not tell its agent: then its line must.
    by_agent = not team.agents or agent in team.agents or (agent is None and bool(team.lines))
    return by_agent and (not team.lines or line in team.lines)
