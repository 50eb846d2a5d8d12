"""Who asks, as the domain judges them: by their session's roles, the keys that they have proved, and the newest policy's teams.

What they see is the database's to say. From this come the words of a refusal, and which of several ways finds a recording.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from softphone.domain.archive.permission import Viewer
from softphone.domain.policy import LocalText, Team
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role, role_of
from softphone.team.rows.pool import Transaction

WHO = (
    "SELECT statement_timestamp() AS now, a.person, a.roles, a.agents, my_keys() AS keys, i_find_all() AS finds_all,"
    " statement_timestamp() - own_since() AS own_calls,"
    " (SELECT p.subject FROM people p WHERE p.person = a.person) AS subject FROM who_asks() a"
)
TEAMS = (
    "SELECT team, agents, lines, leads FROM policy_teams"
    " WHERE number = (SELECT max(number) FROM policies) ORDER BY team"
)
_BY_KEY = frozenset(map(role_of, KeyRole))


@dataclass(frozen=True, slots=True)
class Seer:
    """`now` is the database's clock, which says what has expired."""

    viewer: Viewer
    person: UUID | None
    now: datetime


async def seer(tx: Transaction) -> Seer:
    """A role that a key gives counts once such a key is proved: as on a desk, where the key alone gives it."""
    who = await tx.row(WHO)
    if who is None:
        now = await tx.value("SELECT statement_timestamp() AS now")
        return Seer(Viewer(frozenset({Role.IT})), None, now)
    keys: dict[KeyRole, tuple[str, ...]] = defaultdict(tuple)
    for told in sorted(who["keys"]):
        role, _, key_id = told.partition(":")
        keys[KeyRole(role)] += (key_id,)
    roles = {Role(one) for one in who["roles"]}
    roles = (roles - _BY_KEY) | {role_of(one) for one in keys}
    teams = await tx.all(TEAMS)
    own = set(keys.get(KeyRole.TRAINING, ()))
    return Seer(
        Viewer(
            frozenset(roles or {Role.IT}),
            dict(keys),
            tuple(
                # Its name is the policy's to say, which the desk has.
                Team.model_construct(
                    id=one["team"],
                    name=LocalText(da=one["team"], en=one["team"]),
                    agents=tuple(one["agents"]),
                    lines=tuple(one["lines"]),
                    leads=tuple(one["leads"]),
                )
                for one in teams
                if own & set(one["leads"])
            ),
            tuple(who["agents"]) if Role.AGENT in roles else (),
            all_teams=not teams,
            finds_all=who["finds_all"],
            own_calls=Period(seconds=round(who["own_calls"].total_seconds())),
            user=who["subject"] or "",
        ),
        who["person"],
        who["now"],
    )
