"""An address is given on, and so are extensions, names and machines: nothing of whoever had it before is seen by who has it now.

The table of functions below is whole: one that an agent may call and that is new fails it until it has its row.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from softphone.team.rows import arriving, holds, reviewing, signing_in
from softphone.team.rows.pool import Row, asking_of, kept_of
from softphone.team.schema import MIGRATOR, OWNER, SIGN_IN, setting_up
from tests.days import house_day
from tests.peers.postgres import Server
from tests.team.house import CUSTODY, DOCUMENTATION, NUMBER, SUPPORT, TRAINING, House, Person, new_id, recorded
from tests.team.test_rights import FUNCTIONS, SEEN

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=9)
ADDRESSES = ("anna@nordlys.example", "sip:4012@pbx.nordlys.example", "4012")
OF_A_CALL = (
    *("recordings", "calls", "purposes", "segments", "holds", "hold_words", "reviews", "review_scores"),
    *("review_comments", "comment_seals", "cases"),
)
"""tables in which an agent finds what an own call is made of"""
NOT_THEIRS = ("KT403", "KT404", "KT409")
KEPT = (*OF_A_CALL, "wraps", "review_wraps", "receipts", "call_notes")


@dataclass(frozen=True)
class Had:
    """`shared`, of `call`: its review has a `comment`, and the first's `answer`. `held`: by a `hold` and a case of theirs."""

    address: str
    shared: UUID
    call: UUID
    held: UUID
    hold: str
    comment: UUID
    answer: UUID
    first: Person


Values = Callable[[Had], tuple[object, ...]]
SEES: dict[str, Values] = {
    "shared_reviews": lambda _: (),
    "shared_read": lambda had: (had.shared,),
    "shared_open": lambda had: (had.shared,),
    "shared_file": lambda had: (had.shared,),
    "holds_told": lambda _: ("",),
}
"""what tells the first of it, and the second nothing"""
DOES: dict[str, Values] = {
    "take_back": lambda had: (new_id(), had.call, None, ["documentation"], "withdrawn"),
    "take_back_until": lambda had: (new_id(), had.call, None, ["documentation"], "withdrawn", NOW),
    "take_back_own": lambda had: (new_id(), had.call, had.call, ["documentation", "training"], "private"),
    "case_heard": lambda had: (new_id(), had.shared, "grounds_given", True, NOW),
    "case_arrived": lambda had: (had.shared, "grounds_given", NOW),
    "comment_put": lambda had: (new_id(), had.shared, 0, had.comment, Jsonb([_seal("t2")])),
    "comment_remove": lambda had: (had.answer,),
    "hold_undo": lambda had: (had.hold,),
    "note_put": lambda had: (had.call, had.address, NUMBER, NOW, house_day(LATER), LATER, Jsonb([_seal("c1")])),
}
"""what the first may do to it, and the second not"""
ENDED: dict[str, Values] = {
    "recording_file": lambda had: (had.shared,),
    "legal_holds_now": lambda had: ([had.shared, had.held],),
    "receipt_keep": lambda had: (had.shared, "r"),
    "upload_begin": lambda had: (had.shared, 1_000, had.shared.bytes * 2, 1 << 20, "k"),
    "upload_named": lambda had: (had.shared, "", "u"),
    "upload_part": lambda had: (had.shared, "u", 1, b"d" * 32, "e"),
    "upload_drop": lambda had: (had.shared,),
    "recording_store": lambda had: (had.shared, Jsonb({"recording": {"digest": (b"x" * 32).hex()}})),
    "desk_revoke": lambda had: (had.first.desk,),
}
"""what is the first desk's, or nobody's any more"""
BY_DESK = frozenset({"upload_begin", "case_heard", "case_arrived", "note_put", "desk_revoke"})
"""what a machine learns of what it has shipped, and tells of it: nothing that shows a call, and nothing that ends one"""
NOTHING_IN_IT = {
    **dict.fromkeys(
        ("session_end", "desk_seen", "reading_key_put", "tallies_put", "audit_ship", "audit_note", "limit_note"),
        "the house learns by it of the desk that asks",
    ),
    "log_countersign": "of the log of the desk that asks",
    "legal_hold_done": "what the service says changes nothing",
    **dict.fromkeys(("account_passwords", "account_password_kept"), "an account goes with its address"),
    "my_news": "reviews that are shared are looked at below; accounts go with their address",
    "archive_written": "a number of the log, which names nothing",
    "sample_waiting": "counts of all agents, by line and day",
    **dict.fromkeys(("number_known", "number_remember"), "what is remembered of a number is the house's"),
    "recording_asked": "for the service, which logs a refusal; no route answers with it",
    **dict.fromkeys(
        ("holds_place", "holds_raise"), "whoever takes a complaint may lock what has an id; by number: below"
    ),
}


def _seal(key: str, role: str = "training") -> dict[str, str]:
    return {"role": role, "key_id": key, "suite": "suite", "sealed": b"words".hex()}


class Passed:
    """An address that two people have, one after the other or at once."""

    def __init__(self, house: House, address: str) -> None:
        self.house, self.address = house, address

    def named(self, name: str, desk: UUID | None = None) -> Person:
        return self.house.signed_in(name, ["agent"], [self.address], desk=desk)

    def invited(self, name: str) -> Person:
        return invited(self.house, name, ["agent"], [self.address])

    def leaves(self, one: Person) -> None:
        assert self.house.as_login(MIGRATOR, signing_in.LEAVES, one.id)[0]["person_leaves"]

    def made(self, who: Person) -> tuple[UUID, UUID]:
        """A recording of theirs, and its call."""
        keys = ((DOCUMENTATION, "d1"), (TRAINING, "t2"), (CUSTODY, "c1"))
        one = recorded(agent=self.address, line=SUPPORT, keys=keys, opened_at=datetime.now(UTC))
        assert self.house.ship(who, one) == "stored"
        self.house.ask(who, arriving.KEEP_RECEIPT, one.recording, "receipt")
        return one.recording, one.call.id

    def has_had(self, first: Person) -> Had:
        """A call with a review that is shared and answered; and one with a hold and a case of theirs."""
        house, (shared, call), (held, _) = self.house, self.made(first), self.made(first)
        house.ask(first, reviewing.KEY, first.desk.bytes * 2, b"s" * 64)
        comment, answer = new_id(), new_id()
        house.ask("other_lead", reviewing.COMMENT, comment, shared, 0, None, Jsonb([_seal("t2")]))
        house.ask("other_lead", reviewing.SCORE, shared, "greeting", 4, 0)
        house.ask("other_lead", reviewing.SHARE, shared, True, 0)
        assert desks_of(house, shared) == {str(first.desk)}
        wrap = {"segment": 0, "desk": str(first.desk), "suite": "suite", "sealed": ""}
        words = {"comment": str(comment), "desk": str(first.desk), "suite": "suite", "sealed": ""}
        house.ask("other_lead", reviewing.SEAL, shared, Jsonb([wrap]), Jsonb([words]))
        house.ask(first, reviewing.COMMENT, answer, shared, 0, comment, Jsonb([_seal("t2")]))
        due = Jsonb({"": LATER.isoformat()})
        hold = house.ask(first, holds.RAISE, held, None, "controller", "about the price", due)[0]["hold"]
        assert house.value(first, "SELECT case_heard(%s, %s, 'objection', false, %s)", new_id(), held, NOW)
        return Had(self.address, shared, call, held, hold, comment, answer, first)


def invited(house: House, name: str, roles: list[str], agents: list[str]) -> Person:
    """By a link, at a new desk."""
    code, token, at = secrets.token_bytes(32), secrets.token_hex(16), new_id()
    house.as_login(MIGRATOR, signing_in.CODE, code, name, roles, agents, timedelta(days=1))
    hours = (timedelta(hours=1), timedelta(days=1))
    values = (code, new_id(), kept_of(token), kept_of(f"r{token}"), at, at.bytes, at.bytes.hex(), *hours)
    return Person(token, at, house.as_login(SIGN_IN, signing_in.BY_CODE, *values)[0]["session_by_code"])


def desks_of(house: House, recording: UUID) -> set[str]:
    """For which a lead seals what is shared."""
    return {one["desk"] for one in house.value("other_lead", "SELECT review_read(%s)", recording)["desks"]}


def two_in_the_directory(it: Passed) -> Iterator[Person]:
    yield (first := it.named("first"))
    it.leaves(first)
    yield it.named("second")


def two_at_once(it: Passed) -> Iterator[Person]:
    yield it.named("first")
    yield it.named("second")


def two_links(it: Passed) -> Iterator[Person]:
    yield (first := it.invited("first"))
    it.leaves(first)
    yield it.invited("second")


def two_links_of_one_name(it: Passed) -> Iterator[Person]:
    yield (first := it.invited("phone 12"))
    it.leaves(first)
    yield it.invited("phone 12")


def let_in_again(it: Passed) -> Iterator[Person]:
    """By whoever looks after the server: the directory's name may be another's by now."""
    yield (first := it.named("phone 12"))
    it.leaves(first)
    assert it.house.as_login(MIGRATOR, signing_in.RETURNS, first.id) == [{"person_returns": True}]
    yield it.named("phone 12")


def one_machine(it: Passed) -> Iterator[Person]:
    """Joined by a link, and from then on by the directory."""
    yield (first := it.invited("first"))
    yield it.named("second", first.desk)


WAYS = (two_in_the_directory, two_at_once, two_links, two_links_of_one_name, let_in_again, one_machine)


def test_the_table_of_what_an_agent_may_call_is_whole() -> None:
    an_agents = {name for name, (logins, roles, _) in FUNCTIONS.items() if roles and "agent" in roles and logins}
    rows = [*SEES, *DOES, *ENDED, *NOTHING_IN_IT]
    assert an_agents - {"recording_exported", "recording_open", "service_log"} == set(rows)
    assert len(rows) == len(set(rows))
    assert set(OF_A_CALL) < {name for name, told in SEEN.items() if told != "-"}


def told(house: House, who: Person, name: str, values: tuple[object, ...]) -> list[object]:
    """What is in an answer; nothing where it is refused. Nothing stays done."""
    call = f"SELECT * FROM {name}({', '.join(['%s'] * len(values))})"
    with house.asking(who) as connection, connection.transaction(force_rollback=True):
        try:
            rows = connection.execute(call.encode(), values).fetchall()
        except psycopg.Error as refused:
            if refused.sqlstate not in NOT_THEIRS:
                raise
            return []
    return [one for row in rows for one in row.values() if one not in (None, False, "", 0)]


def left(house: House, had: Had) -> dict[str, list[Row]]:
    """All rows of it."""
    these = "ARRAY [%s, %s]::uuid[]"
    of = {"hold_words": f"hold IN (SELECT hold FROM holds WHERE recording = ANY ({these}))"}
    of |= dict.fromkeys(
        ("calls", "call_notes"), f"call IN (SELECT call FROM recordings WHERE recording = ANY ({these}))"
    )
    of["comment_seals"] = f"comment IN (SELECT comment FROM review_comments WHERE recording = ANY ({these}))"
    asked = "SELECT t::text FROM {} t WHERE {} ORDER BY 1"
    each = {table: asked.format(table, of.get(table, f"recording = ANY ({these})")) for table in KEPT}
    connection = house.login(house.server.user)
    return {table: connection.execute(one.encode(), [had.shared, had.held]).fetchall() for table, one in each.items()}


def changed(house: House, had: Had, who: Person, name: str) -> bool:
    """Whether they change anything of it by this. Nothing stays done."""
    values, connection = DOES[name](had), house.login(house.server.user)
    with connection.transaction(force_rollback=True):
        before = left(house, had)
        connection.execute("SET LOCAL SESSION AUTHORIZATION klartone_service")
        connection.execute("SELECT set_config('klartone.asking', %s, true)", [asking_of(who.token)])
        try:
            with connection.transaction():
                connection.execute(f"SELECT {name}({', '.join(['%s'] * len(values))})".encode(), values)
        except psycopg.Error as refused:
            if refused.sqlstate not in NOT_THEIRS:
                raise
        connection.execute("RESET SESSION AUTHORIZATION")
        return left(house, had) != before


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_of_the_first_is_seen_or_done_by_the_second(
    house: House, way: Callable[[Passed], Iterator[Person]], address: str
) -> None:
    it = Passed(house, address)
    people = way(it)
    first = next(people)
    had = it.has_had(first)
    rows = {table: house.ask(first, f"SELECT t::text FROM {table} t") for table in OF_A_CALL}
    assert [table for table, found in rows.items() if not found] == []
    assert [name for name in SEES if not told(house, first, name, SEES[name](had))] == []
    assert [name for name in DOES if not changed(house, had, first, name)] == []
    assert house.value(first, "SELECT my_news()")["shared"] == [str(had.shared)]

    second = next(people)
    house.ask(second, reviewing.KEY, second.desk.bytes[::-1] * 2, b"s" * 64)
    before = left(house, had)
    assert {table: house.ask(second, f"SELECT t::text FROM {table} t") for table in OF_A_CALL} == {
        table: [] for table in OF_A_CALL
    }
    by_desk = BY_DESK if second.desk == first.desk else frozenset[str]()
    asked = {**SEES, **ENDED}
    assert {name for name, values in asked.items() if told(house, second, name, values(had))} <= by_desk
    assert {name for name in DOES if changed(house, had, second, name)} <= by_desk
    assert house.value(second, "SELECT my_news()")["shared"] == []
    assert str(second.desk) not in desks_of(house, had.shared)
    assert left(house, had) == before
    # What the second has is theirs.
    own, _ = it.made(second)
    assert house.found(second) == {own}
    house.ask("other_lead", reviewing.SHARE, own, True, 0)
    assert house.value(second, "SELECT my_news()")["shared"] == [str(own)]
    assert desks_of(house, own) == {str(second.desk)}


_PERSON = "INSERT INTO people (person, issuer, subject) VALUES (%s, %s, %s)"
_DESK = "INSERT INTO desks (desk, person, public_key, thumbprint) VALUES (%s, %s, '', %s)"
_ENTRY = "INSERT INTO audit VALUES ('service', %s, %s, %s, 'G11', '', NULL, %s, '', '')"
_CALL = "INSERT INTO calls VALUES (%s, %s, %s, NULL, 'inbound', %s, 'N7', 'da', 'UTC', 'a')"
_RECORDING = (
    "INSERT INTO recordings (recording, call, desk, agent, opened_at, closed_at, object_key, size, digest)"
    " VALUES (%s, %s, %s, 'a', %s, now(), %s, 1, sha256(''))"
)
_UNFORCED = (
    "SELECT relname FROM pg_class WHERE NOT relforcerowsecurity AND relkind = 'r'"
    " AND relnamespace = 'klartone'::regnamespace"
)


def test_a_house_of_the_version_before_learns_whose_each_call_was(postgres: Server) -> None:
    """Bo's desk was Ann's until the directory named Bo there, and Dan's was always Dan's. Of a moved desk whose log has gone,
    nobody knows."""
    name, moved = "whose", NOW - timedelta(days=2)
    ann, bo, dan, eve, bos, dans, eves = (new_id() for _ in range(7))
    before, after = moved - timedelta(hours=1), moved + timedelta(hours=1)
    whose = {(bos, before): ann, (bos, after): bo, (dans, before): dan, (eves, before): None, (eves, after): eve}
    log = [("signed_in", ann, bos), ("signed_in", dan, dans), ("desk_moved", bo, bos), ("desk_moved", eve, eves)]
    postgres.make(name)
    try:
        with postgres.roles_alone(), psycopg.connect(postgres.conninfo(name)) as connection:
            _of_step(connection, "0030")
            for person, issuer in ((ann, ""), (bo, "https://login.example"), (dan, ""), (eve, "https://login.example")):
                connection.execute(_PERSON, [person, issuer, str(person)])
            for desk, person in ((bos, bo), (dans, dan), (eves, eve)):
                connection.execute(_DESK, [desk, person, desk.hex])
            for number, (event, person, desk) in enumerate(log):
                told = json.dumps({"params": {"of": str(person), "desk": str(desk)}})
                connection.execute(_ENTRY, [number, moved, event, told])
            for desk, at in whose:
                one = new_id()
                connection.execute(_CALL, [one, one, desk, at])
                connection.execute(_RECORDING, [one, one, desk, at, str(one)])
            connection.commit()
            assert [done.what for done in setting_up.upgrade(postgres.conninfo(name))] == ["upgraded"]
            for table in ("calls", "recordings"):
                asked = f"SELECT c.desk, c.started_at, t.person FROM {table} t JOIN calls c USING (call)"
                rows = connection.execute(asked.encode())
                assert {(desk, at): person for desk, at, person in rows} == whose
            assert connection.execute(_UNFORCED.encode()).fetchall() == [("alembic_version",)]
    finally:
        postgres.drop(name)


def _of_step(connection: psycopg.Connection, step: str) -> None:
    """Its tables, as `init` of that version left them."""
    list(setting_up._made(connection, {}))
    connection.commit()
    config = Config()
    config.set_main_option("script_location", str(setting_up.STEPS))
    made = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(connection.info.dsn), poolclass=NullPool
    )
    with made.begin() as opened:
        opened.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
        config.attributes["connection"] = opened
        command.upgrade(config, step)
    connection.execute("SET search_path = klartone")
    for (table,) in connection.execute(_UNFORCED.encode()).fetchall():
        if table != "alembic_version":
            told = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
            connection.execute(told.encode())
    connection.commit()


def test_a_namesakes_link_lets_nobody_back_whom_it_removed(house: House) -> None:
    """A link's name is the house's own, and the directory's another's: only who looks after the server lets that one in again."""
    removed = house.people["anna"]
    house.as_login(MIGRATOR, signing_in.LEAVES, removed.id)
    namesake = invited(house, "anna", ["agent"], [])
    assert namesake.id != removed.id
    with pytest.raises(psycopg.Error, match="left"):
        house.signed_in("anna", ["agent"], [])
    # Nor does whoever IT removed come in by the machine of theirs, under another name.
    house.as_login(MIGRATOR, signing_in.LEAVES, namesake.id)
    with pytest.raises(psycopg.Error, match="another desk"):
        house.signed_in("somebody", ["agent"], [], desk=namesake.desk)
    assert house.as_login(MIGRATOR, signing_in.RETURNS, removed.id) == [{"person_returns": True}]
    assert house.signed_in("anna", ["agent"], []).id == removed.id
    log = house.ask("it", "SELECT event, told FROM audit WHERE event LIKE 'person\\_%%' ORDER BY number")
    assert [(row["event"], json.loads(row["told"])["params"]["of"]) for row in log] == [
        ("person_departed", str(removed.id)),
        ("person_departed", str(namesake.id)),
        ("person_returned", str(removed.id)),
    ]
