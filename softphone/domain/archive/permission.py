"""Who may see what of the archive, and do what: the judgement alone.

The archive knows which keys a person holds, and logs every refusal first. This module makes every archive judge alike.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from softphone.domain.archive.decisions import HoldShown, HoldsShown, Standing
from softphone.domain.archive.recordings import HoldRow, Query, RecordingRow
from softphone.domain.archive.reviews import SampleQuery
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Team
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import OPENS, Permission, Role, may

OWN_CALLS = Period(days=7)
"""how far back an agent finds own calls, if no policy says so"""
OF_A_TEAM = frozenset({Permission.FIND_TRAINING, Permission.OPEN_TRAINING, Permission.REVIEW})
FOR_ALL = frozenset({Permission.BELIEVE_CLOCK, Permission.CHOOSE_SIGNER, Permission.READ_NOTES})
"""what custody decides for all that is here, or to come, and what no purpose's key seals: it takes a key that opens at least
half as much as any other"""
Keys = tuple[KeyRole, tuple[str, ...]]
"""a role, and a person's keys that give it"""
Sealed = Callable[[Keys], bool]
"""whether a recording is sealed for one of these keys in this role"""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person's roles, and the recordings they reach. `key_ids`: the private keys they hold."""

    roles: frozenset[Role]
    key_ids: Mapping[KeyRole, tuple[str, ...]] = field(default_factory=dict[KeyRole, tuple[str, ...]])
    teams: tuple[Team, ...] = ()
    agents: tuple[str, ...] = ()
    """own addresses, user@domain"""
    all_teams: bool = False
    """the policy names no team, so the training key's owner leads everybody; or it is a demo's archive"""
    demo: bool = False
    finds_all: bool = False
    """custody, by a key that opens at least half as much as any other: it also sees what another custody key opens"""
    own_calls: Period = OWN_CALLS
    signed_by: Container[str] = frozenset[str]()
    """whose signatures the policy has that names them"""
    user: str = ""
    """the person at the machine, by the machine's name for them: raises holds"""

    def may(self, permission: Permission) -> bool:
        return may(self.roles, permission)

    def leads(self, line: str | None, agent: str | None) -> bool:
        """Whether a call of this line and agent belongs to an own team: an agent of it on a line of it, where it names both."""
        return self.all_teams or any(_is_of(team, line, agent) for team in self.teams)

    def keys(self, role: KeyRole) -> Keys:
        return role, self.key_ids.get(role, ())

    @property
    def a_key(self) -> str:
        """The id of one of theirs, for the log; empty: they hold none."""
        return next((ids[0] for ids in self.key_ids.values()), "")


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a person finds by one of their roles. In all they find whatever one of these finds."""

    permission: Permission
    opens_for: KeyRole | None = None
    sealed_for: Keys | None = None
    """the role, and their keys for it: the recording is sealed for one of them. None: for any, or for none"""
    agents: tuple[str, ...] | None = None
    since: datetime | None = None

    @property
    def numbers(self) -> bool:
        """A team lead sees no number, and finds nothing by one."""
        return self.permission is not Permission.FIND_TRAINING

    @property
    def log(self) -> bool:
        """Case handlers and custody see what else happened to it and who opened it."""
        return self.permission in (Permission.FIND_ALL, Permission.FIND_DOCUMENTATION)

    @property
    def by_number(self) -> bool:
        return self.permission in (Permission.FIND_ALL, Permission.FIND_DOCUMENTATION)

    @property
    def custody(self) -> bool:
        return self.permission is Permission.FIND_ALL


NOBODY = Viewer(frozenset())
"""their keyring cannot be asked"""


class NotPermitted(Exception):  # noqa: N818 - a judgement; the archive logs it, and raises the fault that it names
    """`permission`: what they would have needed, which the log names. `fault`: what they read."""

    def __init__(self, permission: Permission, code: str) -> None:
        super().__init__(code)
        self.permission = permission
        self.fault = ArchiveError(f"error.archive.{code}")


def require(viewer: Viewer, permission: Permission, call: tuple[str | None, str | None] | None = None) -> None:
    """Raises NotPermitted. `call`: its line and agent. If the permission is for an own team or own calls, it must be one
    of those."""
    allowed = viewer.may(permission)
    if permission in FOR_ALL:
        allowed = allowed and (viewer.demo or viewer.finds_all)
    if call is not None and permission in OF_A_TEAM:
        allowed = allowed and viewer.leads(*call)
    if call is not None and permission is Permission.FIND_OWN:
        allowed = allowed and call[1] in viewer.agents
    if not allowed:
        not_their_team = viewer.may(permission) and permission not in FOR_ALL
        raise NotPermitted(permission, "not_your_team" if not_their_team else "not_yours")


def require_any(viewer: Viewer, permissions: Iterable[Permission]) -> None:
    """They need one of these, else NotPermitted is raised. The log names the first."""
    wanted = tuple(permissions)
    if any(map(viewer.may, wanted)):
        return
    if not viewer.roles - {Role.AGENT} and set(wanted) <= set(OPENS.values()):
        raise NotPermitted(wanted[0], "agents_list")
    raise nothing(viewer, wanted[0])


def require_all(viewer: Viewer, permission: Permission) -> None:
    """Only custody, by a key that opens most of it, sees what concerns the whole archive."""
    if not viewer.finds_all:
        raise NotPermitted(permission, "not_yours")


def nothing(viewer: Viewer, permission: Permission) -> NotPermitted:
    return NotPermitted(permission, "only_health" if not viewer.roles - {Role.IT} else "not_yours")


def search_scopes(viewer: Viewer, now: datetime) -> tuple[SearchScope, ...]:
    """What this person finds, by which keys. Empty: no call at all."""
    if viewer.finds_all:
        return (SearchScope(Permission.FIND_ALL),)
    found: list[SearchScope] = []
    if viewer.may(Permission.FIND_ALL):
        found.append(SearchScope(Permission.FIND_ALL, sealed_for=viewer.keys(KeyRole.CUSTODY)))
    if viewer.may(Permission.FIND_DOCUMENTATION):
        role = KeyRole.DOCUMENTATION
        found.append(SearchScope(Permission.FIND_DOCUMENTATION, role, viewer.keys(role)))
    if viewer.may(Permission.FIND_TRAINING) and (viewer.teams or viewer.all_teams):
        role = KeyRole.TRAINING
        found.append(SearchScope(Permission.FIND_TRAINING, role, viewer.keys(role)))
    if viewer.may(Permission.FIND_OWN):
        found.append(SearchScope(Permission.FIND_OWN, agents=viewer.agents, since=now - viewer.own_calls.length()))
    return tuple(found)


def search_scopes_for(viewer: Viewer, query: Query, now: datetime) -> tuple[SearchScope, ...]:
    """The scopes by which they may look for this. Raises NotPermitted."""
    here = search_scopes(viewer, now)
    if not here:
        raise nothing(viewer, Permission.FIND_ALL)
    if query.number is not None:
        here = tuple(one for one in here if one.by_number)
        if not here:
            raise NotPermitted(Permission.FIND_ALL, "not_by_number")
    return here


def opens(viewer: Viewer, role: KeyRole, sealed: Sealed) -> bool:
    """Whether they see it in this role: it is sealed for a key of theirs, or they find all, or it is a demo's."""
    return viewer.demo or (viewer.finds_all and role is KeyRole.CUSTODY) or sealed(viewer.keys(role))


def search_scope_of(viewer: Viewer, row: RecordingRow, sealed: Sealed, now: datetime) -> SearchScope | None:
    """The scope that finds a recording and shows most of it; None: this person does not find it."""
    for scope in search_scopes(viewer, now):
        if scope.sealed_for is not None and not opens(viewer, scope.sealed_for[0], sealed):
            continue
        if scope.opens_for is not None and scope.opens_for not in row.opens_for:
            continue
        if scope.permission is Permission.FIND_TRAINING and not viewer.leads(row.line, row.agent):
            continue
        if scope.agents is not None and row.agent not in scope.agents:
            continue
        if scope.since is not None and row.opened_at < scope.since:
            continue
        return scope
    return None


def row_shown(viewer: Viewer, scope: SearchScope, row: RecordingRow) -> RecordingRow:
    """The part of it that this person may see."""
    holds = tuple(one if scope.custody else hold_shown(viewer, one) for one in row.holds)
    return replace(row, number=row.number if scope.numbers else None, holds=holds)


def is_shown_whole(viewer: Viewer, hold: HoldRow, *, custody: bool) -> bool:
    """Whether they may see why it was raised, and by whom: custody, and the machine's user who raised it (L2). An account in
    the settings does not prove who asks."""
    return custody or (bool(viewer.user) and hold.raised_by == viewer.user)


def hold_shown(viewer: Viewer, hold: HoldRow) -> HoldRow:
    if is_shown_whole(viewer, hold, custody=False):
        return hold
    return replace(hold, why="", raised_by=hold.raised_by if hold.raised_by in viewer.agents else "")


def holds_shown(
    viewer: Viewer, standing: Iterable[Standing], opened: Callable[[str], bool], seen: Callable[[str], bool]
) -> HoldsShown:
    """Custody gets those on what its keys open (`opened`), others those that they raised: at the phone by its account, and
    with the recording if they see it (`seen`)."""
    all_of, own = viewer.may(Permission.FIND_ALL), {viewer.user, *viewer.agents} - {""}
    found: list[HoldShown] = []
    others = 0
    for one in standing:
        mine = one.hold.raised_by in own
        if not (mine or all_of):
            continue
        if not (mine or opened(one.recording)):
            others += 1
            continue
        whole = is_shown_whole(viewer, one.hold, custody=all_of)
        named = viewer.finds_all or seen(one.recording)
        hold = one.hold if whole else hold_shown(viewer, one.hold)
        found.append(HoldShown(replace(one, recording=one.recording if named else "", hold=hold), named, whole))
    return HoldsShown(tuple(found), others, all_of)


def require_team(viewer: Viewer, query: SampleQuery) -> None:
    """It asks for an own team's sample, and for all of it. Raises NotPermitted."""
    require(viewer, Permission.REVIEW)
    if not viewer.all_teams and (query.lines, query.agents) not in {(one.lines, one.agents) for one in viewer.teams}:
        raise NotPermitted(Permission.REVIEW, "not_your_team")


def narrowed(viewer: Viewer, scope: SearchScope, query: Query) -> list[Query]:
    """The part of it that this scope finds: by any of these."""
    if scope.opens_for is not None and query.opens_for not in (None, scope.opens_for):
        return []
    found = replace(query, opens_for=scope.opens_for or query.opens_for, sealed_for=scope.sealed_for)
    if scope.agents is not None:
        found = replace(found, agents=_both(scope.agents, query.agents))
    if scope.since is not None:
        found = replace(found, since=max(scope.since, query.since or scope.since))
    if scope.permission is Permission.FIND_TRAINING and not viewer.all_teams:
        return [_of_team(team, found) for team in viewer.teams]
    return [found]


def openable(viewer: Viewer, row: RecordingRow) -> list[KeyRole]:
    """The roles in which this person may open a recording, the least of them first."""
    return [
        one
        for one in (KeyRole.TRAINING, KeyRole.DOCUMENTATION, KeyRole.CUSTODY)
        if one in row.opens_for
        and viewer.may(OPENS[one])
        and (one is not KeyRole.TRAINING or viewer.leads(row.line, row.agent))
    ]


def role_to_open(
    viewer: Viewer, row: RecordingRow, asked: KeyRole | None, *, why: str = "", case: str = ""
) -> KeyRole | None:
    """The role that is asked for; else the role that the given words are for; else the least that opens it. None: whatever
    opens a demo's.

    Documentation needs a reason, custody a case by its number. Raises NotPermitted.
    """
    if viewer.demo:
        return asked
    named = ((KeyRole.DOCUMENTATION, why, "say_why"), (KeyRole.CUSTODY, case, "say_case"))
    least = openable(viewer, row)
    role = asked
    if role is None and least:
        role = next((one for one, text, _ in named if text and one in least), least[0])
    elif role is None:
        # Nothing opens it for this person: the log says what they came for.
        role = next(one for one, permission in OPENS.items() if viewer.may(permission))
    require(viewer, OPENS[role], (row.line, row.agent))
    for one, text, code in named:
        # Words do not open what is closed to the role.
        if one is role and role in row.opens_for and not text:
            raise NotPermitted(OPENS[role], code)
    return role


def _of_team(team: Team, query: Query) -> Query:
    """As `Viewer.leads` has it. A call of one of its lines may name no agent."""
    agents = _both(team.agents, query.agents)
    if not team.lines:
        return replace(query, agents=agents)
    lines = _both(team.lines, query.lines)
    if not team.agents:
        return replace(query, lines=lines)
    return replace(query, lines=lines, agents=(*agents, None) if query.agents is None else agents)


def _both(ours: tuple[str, ...], asked: tuple[str | None, ...] | None) -> tuple[str, ...]:
    return tuple(one for one in ours if asked is None or one in asked)


def _is_of(team: Team, line: str | None, agent: str | None) -> bool:
    if not team.agents and not team.lines:
        return False
    # A call of an earlier version names no agent: then its line decides.
    by_agent = not team.agents or agent in team.agents or (agent is None and bool(team.lines))
    return by_agent and (not team.lines or line in team.lines)
