"""The database and the domain judge alike: who sees a recording, who opens it, what of it has reached its end.

Each made-up recording lies in the house's tables for one transaction, and is judged as the service's login and the sweeper's
see it. Beside it the local archive's own code makes a row of the same facts, and the domain judges that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from softphone.archive.finding import rows as local_rows
from softphone.archive.retention import deleting
from softphone.archive.retention.found import FoundPurpose, StoredRecording
from softphone.archive.retention.swept import Swept
from softphone.domain.archive.permission import Viewer, openable, search_scope_of
from softphone.domain.archive.recordings import HoldRow, RecordingRow
from softphone.domain.changes import HoldBy
from softphone.domain.policy import LocalText, Team
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended, day_begins, expires_on, has_expired, hold_is_void, local_day
from softphone.domain.roles import Role
from softphone.team.rows.pool import Row, asking_of, kept_of
from softphone.team.schema import SERVICE, SWEEPER
from tests.team.house import ANNA, BO, CARL, KEYS, SALES, SUPPORT, TEAMS, House, new_id

ZONES = ("Europe/Copenhagen", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "Asia/Kathmandu", "UTC")
ROLES = (KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY)
OWN = timedelta(days=7)
SEALS = [(role, key) for role, ids in KEYS.items() for key in ids]


@dataclass(frozen=True)
class Made:
    """`on`, `judge_by`: days from the zone's today on."""

    purpose: Purpose
    stands: Ended
    reason: str | None
    on: int | None
    review: bool
    judge_by: int | None


@dataclass(frozen=True)
class Held:
    by: HoldBy
    lifted: bool
    provisional: int | None


@dataclass(frozen=True)
class Facts:
    zone: str
    line: str | None
    agent: str
    age: timedelta
    restricted: str | None
    purposes: tuple[Made, ...]
    holds: tuple[Held, ...]
    wraps: frozenset[tuple[KeyRole, str]]
    by_asker: bool
    """who asks had joined with the desk that recorded it: an address alone is nobody"""


@dataclass(frozen=True)
class Asker:
    roles: frozenset[Role]
    agents: tuple[str, ...]
    keys: frozenset[tuple[KeyRole, str]]


def _made(stands: Ended, reason: str | None, on: int | None, review: bool, listed: int | None) -> Made:
    """Only what the program writes: it lists for judgement on the day or later, and grounds are given when it is taken back."""
    judge_by = None if on is None or listed is None or not review else on + listed
    kept = reason if (reason == "grounds_given") <= (stands is Ended.TAKEN_BACK) else None
    return Made(Purpose.TRAINING, stands, kept, on, review, judge_by)


made = st.builds(
    _made,
    st.sampled_from((Ended.KEEPS, Ended.KEEPS, Ended.KEEPS, *Ended)),
    st.sampled_from((None, "opt_out", "grounds_given")),
    st.sampled_from((None, -40, -1, 0, 0, 1, 1, 40)),
    st.booleans(),
    st.sampled_from((None, 0, 1, 40)),
)
both = st.tuples(st.none() | made.map(lambda it: replace(it, purpose=Purpose.DOCUMENTATION)), st.none() | made)
facts = st.builds(
    Facts,
    st.sampled_from(ZONES),
    st.sampled_from((None, SALES, SUPPORT)),
    st.sampled_from((ANNA, BO, CARL)),
    st.sampled_from((timedelta(hours=2), OWN - timedelta(minutes=5), OWN + timedelta(minutes=5), timedelta(days=80))),
    st.sampled_from((None, None, None, "hold_only", "objection")),
    both.map(lambda two: tuple(one for one in two if one is not None)),
    st.lists(st.builds(Held, st.sampled_from(HoldBy), st.booleans(), st.sampled_from((None, -1, 1))), max_size=2).map(
        tuple
    ),
    st.frozensets(st.sampled_from(SEALS), min_size=2),
    st.booleans(),
)
asker = st.builds(
    Asker,
    st.frozensets(st.sampled_from(Role), min_size=1),
    st.sampled_from(((), (ANNA,), (BO, CARL))),
    st.frozensets(st.sampled_from([*SEALS, *((role, "old") for role in KEYS)]), min_size=2),
)


several = st.lists(facts, min_size=8, max_size=8)
"""in the tables at once: what costs time is the transaction"""


READ = "SELECT recording, role, key_id FROM wraps"
LOGGED = (KeyRole.DOCUMENTATION, KeyRole.CUSTODY)
"""whose data keys are handed out with an entry of the log, and are read in no other way"""


def _key(row: dict[str, Any]) -> tuple[KeyRole, str]:
    return KeyRole(row["role"]), row["key_id"]


def _handed_out(connection: psycopg.Connection[Any], recording: Any, role: KeyRole) -> set[str]:
    """Empty: the role does not open it for who asks."""
    asked = "SELECT key_id FROM recording_open(%s, %s, 'why', 'case')"
    found = set[str]()
    try:
        with connection.transaction():
            found = {row["key_id"] for row in connection.execute(asked, [recording, role.value])}
    except psycopg.Error as error:
        if error.sqlstate not in ("KT401", "KT403", "KT404"):
            raise
    return found


def test_who_sees_and_opens_what_is_the_domains_judgement(house: House) -> None:
    seen = opened = 0

    @given(several, asker, st.booleans())
    @settings(max_examples=30, phases=(Phase.generate,))
    def agree(these: list[Facts], who: Asker, with_teams: bool) -> None:
        nonlocal seen, opened
        connection = house.login(house.server.user)
        with connection.transaction(force_rollback=True):
            now, put = _put(connection, these)
            if not with_teams:
                connection.execute("DELETE FROM policy_teams")
            person = _sign_in(connection, who)
            own = [recording for one, recording in zip(these, put, strict=True) if one.by_asker]
            _run(connection, "UPDATE recordings SET person = %s WHERE recording = ANY (%s)", person, own)
            connection.execute(f"SET LOCAL ROLE {SERVICE}".encode())
            found = {row["recording"] for row in connection.execute("SELECT recording FROM recordings")}
            wraps = {(one["recording"], *_key(one)) for one in connection.execute(READ)}
            wraps |= {(one, role, key) for one in put for role in LOGGED for key in _handed_out(connection, one, role)}
        viewer = _viewer(who, with_teams=with_teams)
        for one, recording in zip(these, put, strict=True):
            row = _local(one, recording, now)

            def sealed(keys: tuple[KeyRole, tuple[str, ...]], those: frozenset[Any] = one.wraps) -> bool:
                return any((keys[0], key) in those for key in keys[1])

            finder = viewer if one.by_asker else replace(viewer, agents=())
            assert (recording in found) == (search_scope_of(finder, row, sealed, now) is not None)
            got = {(role, key) for it, role, key in wraps if it == recording}
            mine = {(role, key) for role in openable(viewer, row) for key in viewer.keys(role)[1]}
            assert got == mine & one.wraps
            seen, opened = seen + (recording in found), opened + bool(got)

    agree()
    assert min(seen, opened) > 0


def test_what_a_sweep_ends_and_keeps_is_the_domains_judgement(house: House) -> None:
    went = ended = 0

    # Custody has still to decide about grounds when a hold of ours is void.
    grounds = _made(Ended.TAKEN_BACK, "grounds_given", 40, review=False, listed=None)
    void = Held(HoldBy.CONTROLLER, lifted=False, provisional=-1)

    @given(several)
    @example([Facts(ZONES[0], SALES, ANNA, OWN, None, (grounds,), (void,), frozenset(SEALS), False)])
    @settings(max_examples=30, phases=(Phase.explicit, Phase.generate))
    def agree(these: list[Facts]) -> None:
        nonlocal went, ended
        connection = house.login(house.server.user)
        with connection.transaction(force_rollback=True):
            now, put = _put(connection, these)
            connection.execute(f"SET LOCAL ROLE {SWEEPER}".encode())
            connection.execute("SELECT * FROM sweep(100)")
            connection.execute("RESET ROLE")
            here = {row["recording"] for row in connection.execute("SELECT recording FROM recordings")}
            tombs = {row["recording"] for row in connection.execute("SELECT recording FROM tombstones")}
            stand = connection.execute("SELECT recording, purpose, stands FROM purposes").fetchall()
        assert here | tombs == set(put)
        assert not here & tombs
        for one, recording in zip(these, put, strict=True):
            stands, kept = _swept(one, recording, now)
            assert (recording in here) == kept
            if kept:
                left = {Purpose(it["purpose"]): Ended(it["stands"]) for it in stand if it["recording"] == recording}
                assert left == stands
            went, ended = went + (not kept), ended + (kept and stands != {it.purpose: it.stands for it in one.purposes})

    agree()
    assert went > 10
    assert ended > 2


@given(
    st.dates(date(2012, 1, 1), date(2090, 1, 1)),
    st.sampled_from(("Pacific/Apia", "America/Asuncion", "Africa/Cairo", *ZONES)),
)
def test_a_day_begins_at_the_first_moment_at_which_it_has_come(day: date, zone: str) -> None:
    at, moment = day_begins(day, zone), timedelta(microseconds=1)
    assert has_expired(day, at, zone)
    assert not has_expired(day, at - moment, zone)
    for hours in range(-30, 31):
        now = at + timedelta(hours=hours)
        assert has_expired(day, now, zone) == (now >= at)


def _put(connection: psycopg.Connection[Row], these: Sequence[Facts]) -> tuple[datetime, list[UUID]]:
    """The database's clock, and their ids."""
    now: datetime = connection.execute("SELECT statement_timestamp() AS now").fetchall()[0]["now"]
    desk = new_id()
    rows: dict[str, list[Sequence[object]]] = {}
    put: list[UUID] = []
    _run(connection, "INSERT INTO people (person, issuer, subject) VALUES (%s, 'made', 'up')", desk)
    _run(connection, _DESK, desk, desk, desk.hex)
    for one in these:
        recording = new_id()
        put.append(recording)
        today, opened = local_day(now, one.zone), now - one.age

        def day(days: int | None, today: date = today) -> date | None:
            return None if days is None else today + timedelta(days=days)

        def begins(days: int | None, zone: str = one.zone, today: date = today) -> datetime | None:
            return None if days is None else day_begins(today + timedelta(days=days), zone)

        rows.setdefault(_CALL, []).append((recording, recording, desk, one.line, opened, one.zone, one.agent))
        rows.setdefault(_RECORDING, []).append(
            (
                recording,
                recording,
                desk,
                one.line,
                one.agent,
                opened,
                opened,
                one.restricted,
                str(recording),
                recording.bytes * 2,
            )
        )
        rows.setdefault(_SEGMENT, []).append((recording, opened))
        for it in one.purposes:
            end = "review" if it.review else "delete"
            ends, judged = (day(it.on), begins(it.on)), (day(it.judge_by), begins(it.judge_by))
            told = (recording, it.purpose.value, it.stands.value, it.reason, end, *ends)
            rows.setdefault(_PURPOSE, []).append(told)
            rows.setdefault(_LISTED, []).append((*judged, recording, it.purpose.value))
        for number, held in enumerate(one.holds):
            until = None if held.provisional is None else now + timedelta(days=held.provisional)
            lifted = now if held.lifted else None
            rows.setdefault(_HOLD, []).append(
                (f"{recording}-{number}", recording, held.by.value, opened, until, lifted)
            )
        for role, key in one.wraps:
            rows.setdefault(_WRAP, []).append((recording, role.value, key))
    for statement, values in rows.items():
        connection.cursor().executemany(statement.encode(), values)
    return now, put


_DESK = "INSERT INTO desks (desk, person, public_key, thumbprint) VALUES (%s, %s, '', %s)"
_CALL = "INSERT INTO calls VALUES (%s, %s, %s, %s, 'inbound', %s, 'N7', 'da', %s, %s)"
_RECORDING = (
    "INSERT INTO recordings (recording, call, desk, line, agent, opened_at, closed_at, restricted, object_key, size, digest)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s)"
)
_SEGMENT = "INSERT INTO segments VALUES (%s, 0, %s, ARRAY ['documentation', 'training'], 60)"
_PURPOSE = (
    "INSERT INTO purposes (recording, purpose, stands, reason, at_end, expires_on, ends_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_LISTED = "UPDATE purposes SET judge_by = %s, judge_until = %s WHERE recording = %s AND purpose = %s"
_HOLD = (
    "INSERT INTO holds (hold, recording, raised_for, at, provisional_until, lifted_at) VALUES (%s, %s, %s, %s, %s, %s)"
)
_WRAP = "INSERT INTO wraps VALUES (%s, 0, %s, %s, 'suite', '')"


def _sign_in(connection: psycopg.Connection[Row], who: Asker) -> UUID:
    person = new_id()
    _run(connection, "INSERT INTO people (person, issuer, subject) VALUES (%s, 'made', 'asker')", person)
    _run(connection, _DESK, person, person, person.hex)
    for role, key in who.keys:
        _run(connection, "INSERT INTO person_keys VALUES (%s, %s, %s)", person, role.value, key)
    _run(
        connection,
        "INSERT INTO sessions (session, token_hash, refresh_hash, person, desk, roles, agents, expires_at, refresh_until)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, now() + interval '1 hour', now())",
        *(person, kept_of("token"), person.bytes, person, person, sorted(who.roles), list(who.agents)),
    )
    _run(connection, "SELECT set_config('klartone.asking', %s, true)", asking_of("token"))
    return person


def _run(connection: psycopg.Connection[Row], statement: str, *values: object) -> None:
    connection.execute(statement.encode(), values)


def _viewer(who: Asker, *, with_teams: bool) -> Viewer:
    """As the desk would make one of the same person: keys count for roles that they have."""
    role_of = {KeyRole.DOCUMENTATION: Role.CASE_HANDLER, KeyRole.TRAINING: Role.LEAD, KeyRole.CUSTODY: Role.CUSTODY}
    mine = {
        role: tuple(key for its, key in sorted(who.keys) if its is role and role_of[role] in who.roles)
        for role in ROLES
    }
    mine = {role: ids for role, ids in mine.items() if ids}
    training = mine.get(KeyRole.TRAINING, ())
    name = LocalText(da="x", en="x")
    teams = [
        Team.model_construct(id=it["team"], name=name, agents=tuple(it["agents"]), lines=tuple(it["lines"]))
        for it in TEAMS
        if set(it["leads"]) & set(training)
    ]
    return Viewer(
        who.roles,
        mine,
        teams=tuple(teams) if with_teams else (),
        agents=who.agents,
        all_teams=not with_teams and bool(training),
        finds_all=bool(set(mine.get(KeyRole.CUSTODY, ())) & set(KEYS[KeyRole.CUSTODY])),
        own_calls=Period(days=7),
    )


def _nowhere(recording: str) -> Path:
    return Path("/nowhere") / recording


def _local(one: Facts, recording: UUID, now: datetime) -> RecordingRow:
    """The local archive's own row of it."""
    today = local_day(now, one.zone)
    row = SimpleNamespace(
        recording=str(recording),
        call="c",
        line=one.line,
        direction="inbound",
        number_sealed=None,
        agent=one.agent,
        opened_at=(now - one.age).isoformat(),
        closed_at=None,
        restricted=one.restricted,
        time_zone=one.zone,
        broke_off_at=None,
    )
    source: Any = SimpleNamespace(vault=SimpleNamespace(path=_nowhere))
    of = [
        SimpleNamespace(
            purpose=it.purpose.value,
            stands=it.stands.value,
            reason=it.reason,
            expires_on=_day(today, it.on),
            at_end="review" if it.review else "delete",
            judge_by=_day(today, it.judge_by),
        )
        for it in one.purposes
        if it.stands is Ended.KEEPS or it.reason == "grounds_given"
    ]
    roles = {role.value for role, _ in one.wraps}
    return local_rows._row(source, row, roles, of, [hold for _, hold in _holds(one, now)], now, None)


def _swept(one: Facts, recording: UUID, now: datetime) -> tuple[Mapping[Purpose, Ended], bool]:
    """As the local archive's sweep judges it, purpose by purpose, and whether it is kept (`deleting.take_due`)."""
    holds = _holds(one, now)
    stands = {it.purpose: it.stands for it in one.purposes}
    void = [hold for by, hold in holds if hold_is_void(deleting.HoldStanding(by.by_party, hold.provisional_until), now)]
    left = [it for it in holds if it[1] not in void]
    if void and not left and stands.get(Purpose.TRAINING) is Ended.KEEPS:
        stands[Purpose.TRAINING] = Ended.TAKEN_BACK
    items, kept = deleting.judge(_stored(one, recording, now, stands, left), now, None)
    for item in items:
        if item.what in (Swept.PURPOSE_EXPIRED, Swept.NOT_JUDGED) and item.purpose is not None:
            stands[item.purpose] = Ended.EXPIRED
    return stands, kept


def _stored(
    one: Facts, recording: UUID, now: datetime, stands: Mapping[Purpose, Ended], holds: Sequence[tuple[HoldBy, HoldRow]]
) -> StoredRecording:
    today = local_day(now, one.zone)

    def day(days: int | None) -> date | None:
        return None if days is None else today + timedelta(days=days)

    ended = (now - one.age + timedelta(minutes=1)).isoformat()
    row: Any = SimpleNamespace(
        recording=str(recording),
        call="c",
        line=one.line,
        closed_at=ended,
        broke_off_at=None,
        restricted=one.restricted,
        time_zone=one.zone,
    )
    # What was ended for a void hold has that for its reason.
    purposes = tuple(
        FoundPurpose(
            it.purpose,
            stands[it.purpose],
            it.reason if stands[it.purpose] is it.stands else "void",
            day(it.on),
            day(it.judge_by),
            it.review,
        )
        for it in one.purposes
    )
    return StoredRecording(row, today, now - one.age, purposes, tuple(holds))


def _holds(one: Facts, now: datetime) -> list[tuple[HoldBy, HoldRow]]:
    return [
        (
            it.by,
            HoldRow(
                f"h{number}",
                it.by.value,
                now - one.age,
                None if it.provisional is None else now + timedelta(days=it.provisional),
                None,
                "",
            ),
        )
        for number, it in enumerate(one.holds)
        if not it.lifted
    ]


def _day(today: date, days: int | None) -> str | None:
    return None if days is None else (today + timedelta(days=days)).isoformat()


def test_the_longest_life_that_a_policy_gives_is_the_domains(house: House) -> None:
    connection = house.login(house.server.user)
    lengths = st.builds(Period, st.integers(0, 40), st.integers(0, 400), st.integers(0, 90_000))

    @settings(max_examples=100, phases=(Phase.generate,))
    @given(
        st.integers(1_704_000_000, 2_082_000_000).map(lambda at: datetime.fromtimestamp(at, UTC)),
        st.sampled_from(("Africa/Cairo", "America/Havana", "Australia/Lord_Howe", *ZONES)),
        st.lists(lengths, min_size=1, max_size=3),
    )
    def agree(begun: datetime, zone: str, periods: list[Period]) -> None:
        told = [{"purpose": "training", "retention": str(one)} for one in periods]
        day = max(expires_on(begun, one, zone) for one in periods)
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT policy_terms_take(1, %s)", [Jsonb(told)])
            asked = "SELECT day, day_begins(day, %s) AS begins FROM longest_kept('training', %s, %s)"
            found = connection.execute(asked, [zone, begun, zone]).fetchall()
        assert found == [{"day": day, "begins": day_begins(day, zone)}]

    agree()
