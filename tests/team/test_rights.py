"""Who sees and does what, tried from outside: SQL as each login, with each person's token and with none.

The tables below are whole: a table or function that is new in the schema fails them until it has its row.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from softphone.domain.purpose import KeyRole
from softphone.team.rows import joining, logged, signing_in
from softphone.team.rows.pool import REFUSED, asking_of, kept_of
from softphone.team.schema import LOGINS, MIGRATOR, OWNER, RULES, SERVICE, SIGN_IN, SWEEPER
from tests.days import house_day
from tests.team.house import ANNA, NUMBER, House, Person, new_id

PEOPLE = ("anna", "bo", "carl", "handler", "lead", "other_lead", "custody", "it")
SEEN: dict[str, str] = {
    # table: rows that each of PEOPLE sees, of one recording of anna's on a hold that bo raised; - is *permission denied*
    "people": "1 1 1 1 1 1 8 8",
    "person_keys": "0 0 0 1 1 1 1 0",
    "desks": "1 1 1 1 1 1 8 8",
    "sessions": "-",
    "codes": "-",
    "proofs": "-",
    "key_challenges": "-",
    "policies": "1 1 1 1 1 1 1 1",
    "policy_keys": "5 5 5 5 5 5 5 5",
    "policy_teams": "2 2 2 2 2 2 2 2",
    "policy_terms": "-",
    "desk_rates": "-",
    "house_settings": "1 1 1 1 1 1 1 1",
    "notice_files": "1 1 1 1 1 1 1 1",
    "policy_notices": "1 1 1 1 1 1 1 1",
    **dict.fromkeys(
        ("desk_accounts", "reading_keys", "review_wraps", "review_sums", "review_sum_agents", "sample_tallies"), "-"
    ),
    "calls": "2 0 0 2 1 0 2 0",
    "call_numbers": "-",
    "call_number_seals": "0 0 0 2 0 0 2 0",
    "recordings": "2 0 0 2 1 0 2 0",
    "purposes": "4 0 0 4 2 0 4 0",
    "segments": "2 0 0 2 1 0 2 0",
    "wraps": "0 0 0 0 1 0 0 0",
    "holds": "1 0 0 1 0 0 1 0",
    "hold_words": "0 0 0 0 0 0 1 0",
    "wraps_aside": "-",
    "audit": "0 0 0 0 0 0 1 1",
    "signed_heads": "1 1 1 1 1 1 1 1",
    **dict.fromkeys(
        (
            "head_marks",
            "stone_key",
            "countersigned",
            "restores",
            "legal_holds_due",
            "stones",
            "comparing",
            "log_begins",
            "compared",
        ),
        "-",
    ),
    "tombstones": "-",
    "remembered": "-",
    "withdrawals": "-",
    "uploads_ended": "-",
    "uploads": "1 0 0 0 0 0 0 0",
    "upload_parts": "1 0 0 0 0 0 0 0",
    "receipts": "1 0 0 0 0 0 0 0",
    "reviews": "0 0 0 0 1 0 0 0",
    "review_scores": "0 0 0 0 1 0 0 0",
    "review_comments": "0 0 0 0 1 0 0 0",
    "comment_seals": "0 0 0 0 1 0 0 0",
    "review_openings": "0 0 0 0 1 0 0 0",
    "cases": "1 0 0 1 0 0 1 0",
    "call_notes": "-",
    "call_note_seals": "-",
}
S, G, W, M = SERVICE, SIGN_IN, SWEEPER, MIGRATOR
NOW = datetime.now(UTC)
ANY = frozenset(("agent", "case_handler", "lead", "custody", "it"))
FUNCTIONS: dict[str, tuple[tuple[str, ...], frozenset[str] | None, tuple[Any, ...]]] = {
    # function: the logins that may call it; the roles that may do it, or None: nobody in particular; values to try it with
    "session_open": ((G,), None, ()),
    "session_by_code": ((G,), None, ()),
    "session_renew": ((G,), None, ()),
    "proof_new": ((G, S), None, ()),
    "who_asks": ((G, S), None, ()),
    "session_end": ((S,), ANY, ()),
    "desk_revoke": ((S, M), ANY, (new_id(),)),
    "desk_runs": ((G,), None, ()),
    "person_leaves": ((S, M), frozenset({"it"}), (new_id(),)),
    "person_returns": ((M,), None, ()),
    "code_make": ((M,), None, ()),
    "key_proved": ((G, S), frozenset({"custody"}), ("custody", "c1", b"")),
    "key_challenge": ((G,), None, ()),
    "key_public": ((G,), None, ()),
    "desk_seen": ((S,), ANY, ("1", 0, "")),
    "policy_take": ((M,), None, ()),
    "policy_terms_take": ((M,), None, ()),
    "people_figures": ((S, M), frozenset({"it"}), ()),
    "upload_begin": ((S,), frozenset({"agent"}), (new_id(), 1, b"d" * 32, 1, "k")),
    "upload_named": ((S,), frozenset({"agent"}), (new_id(), "", "u")),
    "upload_part": ((S,), frozenset({"agent"}), (new_id(), "u", 1, b"d" * 32, "e")),
    "upload_drop": ((S,), frozenset({"agent"}), (new_id(),)),
    "recording_store": ((S,), frozenset({"agent"}), (new_id(), Jsonb({}))),
    "receipt_keep": ((S,), frozenset({"agent"}), (new_id(), "r")),
    "take_back": (
        (S,),
        frozenset({"agent", "case_handler", "custody"}),
        (new_id(), new_id(), None, ["training"], "opt_out"),
    ),
    "number_remember": (
        (S,),
        frozenset({"agent", "case_handler", "custody"}),
        (NUMBER, "refused", "", "", "", datetime.now(UTC), datetime.now(UTC)),
    ),
    "number_known": ((S,), frozenset({"agent"}), (NUMBER, "salg")),
    "number_calls": ((S,), frozenset({"case_handler", "custody"}), (NUMBER,)),
    "holds_place": ((S,), frozenset({"agent", "case_handler", "lead", "custody"}), (Jsonb([]),)),
    "hold_undo": ((S,), frozenset({"agent", "case_handler", "lead", "custody"}), ("h",)),
    "hold_confirm": ((S,), frozenset({"custody"}), ("h", house_day(datetime.now(UTC)))),
    "audit_note": ((G, S), ANY, ("refused", "G11", "", None, Jsonb({}))),
    "audit_ship": ((S,), frozenset({"agent"}), (Jsonb([]),)),
    **{
        name: ((S,), frozenset({"lead"}), values)
        for name, values in (
            ("review_open", (new_id(),)),
            ("review_close", (new_id(),)),
            ("score_put", (new_id(), "greeting", 1, 0)),
            ("review_share", (new_id(), True, 0)),
            ("review_vouch", (new_id(), "v" * 44)),
            ("review_mark", (new_id(), 1, None, None)),
        )
    },
    "recording_asked": ((S,), ANY, (new_id(),)),
    "purposes_ended": ((S,), None, ()),
    "recording_log": ((S,), frozenset({"case_handler", "custody"}), (new_id(),)),
    "recording_open": ((S,), frozenset({"custody"}), (new_id(), "custody", "", "2026-117")),
    "recording_exported": ((S,), frozenset({"custody"}), (new_id(), "custody", "", "2026-117")),
    "archive_written": ((S,), ANY, ()),
    "service_log": ((S,), frozenset({"custody", "it"}), ()),
    "events_of_it": ((S,), None, ()),
    "recording_file": ((S,), ANY, (new_id(),)),
    "holds_told": ((S,), ANY, ("",)),
    "holds_raise": (
        (S,),
        frozenset({"agent", "case_handler", "lead", "custody"}),
        (new_id(), None, "party", "why", Jsonb({})),
    ),
    "take_back_until": (
        (S,),
        frozenset({"agent", "case_handler", "custody"}),
        (new_id(), new_id(), None, ["training"], "opt_out", NOW),
    ),
    "take_back_own": ((S,), frozenset({"agent"}), (new_id(), new_id(), new_id(), ["training"], "withdrawn")),
    "right_taken": (
        (S,),
        frozenset({"case_handler", "custody"}),
        (new_id(), None, NUMBER, "opt_out", ["training"], None, NOW, NOW),
    ),
    "note_put": ((S,), frozenset({"agent"}), (new_id(), ANNA, NUMBER, NOW, house_day(NOW), NOW, Jsonb([]))),
    "case_arrived": ((S,), frozenset({"agent"}), (new_id(), "objection", NOW)),
    "case_heard": ((S,), frozenset({"agent"}), (new_id(), new_id(), "objection", True, NOW)),
    "newest_signed": ((S, W, M), None, ()),
    **{
        name: ((S,), frozenset({"custody"}), values)
        for name, values in (
            ("holds_meant", ("h",)),
            ("keys_to_decide", (new_id(),)),
            ("hold_end", ("h", "lifted", "why", Jsonb([]), True)),
            ("notes_read", (NUMBER,)),
            ("notes_erase", (NUMBER, "why")),
            ("judging_told", (None, None, 10)),
            ("judging_of", (new_id(),)),
            ("judged_keep", (new_id(), "training", house_day(NOW), NOW, "why", Jsonb([]))),
            ("judged_end", (new_id(), ["training"], "why")),
            ("cases_told", (None,)),
            ("case_settle", (1, new_id(), True, "why", Jsonb([]), NOW)),
        )
    },
    "comment_put": ((S,), frozenset({"lead", "agent"}), (new_id(), new_id(), 0, None, Jsonb([]))),
    "comment_remove": ((S,), frozenset({"lead", "agent"}), (new_id(),)),
    **{
        name: ((S,), frozenset({"lead"}), values)
        for name, values in (
            ("marks_groups", ()),
            ("marks_living", ()),
            ("review_marked", (new_id(),)),
            ("review_read", (new_id(),)),
            ("review_seal", (new_id(), Jsonb([]), Jsonb([]))),
            ("review_still", (new_id(),)),
            ("review_terms", (new_id(),)),
            ("sample_days", (Jsonb({}),)),
            ("sample_figures", (["salg"], [], "2026-01", "2026-01-01")),
            ("sample_living", ([new_id()],)),
            ("sample_page", (Jsonb({}), None, None, 10)),
        )
    },
    **{
        name: ((S,), frozenset({"agent"}), values)
        for name, values in (
            ("account_password_kept", (ANNA,)),
            ("account_passwords", ()),
            ("reading_key_put", (b"k" * 32, b"s" * 64)),
            ("shared_file", (new_id(),)),
            ("shared_open", (new_id(),)),
            ("shared_read", (new_id(),)),
            ("shared_reviews", ()),
            ("tallies_put", (Jsonb([]),)),
            ("sample_waiting", ()),
        )
    },
    "my_news": ((S,), ANY, ()),
    "sample_row": ((S,), None, ()),
    **dict.fromkeys(
        ("account_remove", "account_set", "accounts_listed", "house_settings_take", "notice_take", "policy_notice"),
        ((M,), None, ()),
    ),
    "marks_forget": ((W,), None, ()),
    "withdrawals_forget": ((W,), None, ()),
    "policy_lost": ((S,), None, ()),
    **dict.fromkeys(("signed_after", "policy_holds"), ((S, W), None, ())),
    "compared_note": ((S,), None, ()),
    "is_compared": ((G,), None, ()),
    "schema_stands": ((G, S, W), None, ()),
    "request_new": ((G, S), None, ()),
    "request_asked": ((G, S), None, ()),
    "limit_note": ((G, S), ANY, ("uploads",)),
    "service_head": ((S, W), None, ()),
    "log_countersign": ((S,), frozenset({"agent"}), ()),
    "legal_holds_now": ((S,), ANY - {"it"}, ([],)),
    "legal_hold_done": ((S, W), ANY - {"it"}, (new_id(), True)),
    **dict.fromkeys(
        ("stones_take", "stone_written", "head_last", "stones_unknown", "tombstone_known", "compare_at", "stone_key"),
        ((S, W), None, ()),
    ),
    **dict.fromkeys(
        (
            *("head_mark", "head_archived", "head_follows", "restored_since", "head_sign", "legal_holds_take"),
            *("stones_forget", "stone_apply", "head_back", "restored", "compare_rows"),
            *("compare_keys", "compare_chains", "compare_log", "compare_heads", "compare_countersigned"),
            *("compare_reached", "compare_told", "sweep_told", "restoring_would"),
        ),
        ((W,), None, ()),
    ),
    **dict.fromkeys(("sweep", "terms_standing", "log_cut", "cases_forget"), ((W,), None, ())),
    "object_missing": ((S, W), None, ()),
    "judge_due": ((W,), None, ()),
    "judge_listed": ((W,), None, ()),
    "forget": ((W,), None, ()),
    "tombstones_take": ((W,), None, ()),
    "tombstone_written": ((W,), None, ()),
    "tombstone_erased": ((W,), None, ()),
    "tombstone_apply": ((W,), None, ()),
    "uploads_given_up": ((W,), None, ()),
    "upload_gone": ((W,), None, ()),
    # what policies ask, of whoever asks
    **dict.fromkeys(
        (
            "my_person",
            "my_desk",
            "i_am",
            "my_agents",
            "mine_since",
            "own_since",
            "my_keys",
            "i_find_all",
            "my_led",
            "led",
            "i_lead",
            "lives_for",
        ),
        ((S,), None, ()),
    ),
    # what only functions call
    **dict.fromkeys(
        (
            *(
                "asking",
                "need",
                "settle",
                "settled",
                "settled_one",
                "note",
                "wraps_checked",
                "purposes_end",
            ),
            *(
                "erase_unless_kept",
                "of_the_party",
                "erase",
                "need_review",
                "i_review",
                "seal_anew",
                "case_make",
                "case_restricts",
                "address",
                "addresses",
                "lock_party",
            ),
            *("newest_policy", "rated", "upload_limited", "rows_limited", "note_bytes_limited"),
            *("capped", "day_begins", "longest_kept", "b64", "comments_for", "marks_kept", "need_team", "of_team"),
            *("review_tag", "sample_found", "scores_of", "see_review", "shared_with_me", "tallied", "tally"),
            *("training_keys_of", "unshared", "unwrapped", "stone_meets", "stones_meet"),
            *("i_have_a_key", "right_meets", "apply_known", "need_custody", "need_opening", "as_json", "as_moment"),
            *("i_see", "i_see_by_number", "seal_living", "holds_meet_refusal", "to_judge"),
            *("legal_hold_changed", "stone_laid", "person_known", "hold_dated", "raiser_named", "log_begun"),
            *("log_begins_say", "note_rated", "i_made", "joined_then", "is_its_agents"),
            "object_again",
        ),
        ((), None, ()),
    ),
}


@pytest.fixture
def filled(house: House) -> House:
    """With a row in every table that a login may read."""
    held, other = house.arrived(), house.arrived()
    hold = {"hold": "h1", "recording": str(held), "raised_for": "controller", "raised_by": "bo", "why": "a dispute"}
    house.ask("bo", "SELECT * FROM holds_place(%s)", Jsonb([{**hold, "at": datetime.now(UTC).isoformat()}]))
    house.ask("anna", "SELECT receipt_keep(%s, %s)", other, "receipt")
    head = house.as_login(SWEEPER, "SELECT number, hash FROM service_head()")[0]
    told = {"serial": 1, "at": NOW.isoformat(), "durable_to": 0, "epoch": 0, "restored_from": 0}
    words = {"previous": "", "key": "k", "signature": "s"}
    assert house.as_login(SWEEPER, "SELECT head_sign(%s) AS kept", Jsonb(head | told | words)) == [{"kept": True}]
    house.ask("lead", "SELECT * FROM review_open(%s)", other)
    seal = {"role": "training", "key_id": "t1", "suite": "suite", "sealed": ""}
    house.ask("lead", "SELECT comment_put(%s, %s, 0, NULL, %s)", new_id(), other, Jsonb([seal]))
    house.ask("lead", "SELECT score_put(%s, 'greeting', 1, 0), review_share(%s, false, 0)", other, other)
    house.ask("anna", "SELECT case_arrived(%s, 'objection', %s)", held, NOW)
    house.as_login(MIGRATOR, "SELECT house_settings_take('{}')")
    house.as_login(MIGRATOR, "SELECT notice_take(%s, 'sound')", hashlib.sha256(b"sound").hexdigest())
    house.as_login(MIGRATOR, "SELECT policy_notice(1, 'notice', %s)", hashlib.sha256(b"sound").hexdigest())
    going_on = new_id()
    house.ask("anna", "SELECT * FROM upload_begin(%s, 1, %s, 1, %s)", going_on, b"d" * 32, str(going_on))
    house.ask("anna", "SELECT upload_named(%s, '', 'u')", going_on)
    house.ask("anna", "SELECT upload_part(%s, 'u', 1, %s, 'e')", going_on, b"d" * 32)
    return house


def test_each_person_sees_of_each_table_what_is_theirs_and_without_a_token_there_is_nothing(filled: House) -> None:
    tables = {
        row["relname"]
        for row in filled.owner(
            "SELECT relname FROM pg_class WHERE relnamespace = 'klartone'::regnamespace AND relkind IN ('r', 'p', 'v')"
        )
    }
    assert tables - {"alembic_version"} == set(SEEN)
    for table, told in SEEN.items():
        asked = f"SELECT least(count(*), {1 if table == 'audit' else 1000}) FROM {table}"
        if told == "-":
            for who in PEOPLE:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    filled.ask(who, asked)
            continue
        assert " ".join(str(filled.value(who, asked)) for who in PEOPLE) == told, table
        assert filled.as_login(SERVICE, f"SELECT 1 FROM {table}") == []
    # Of the log IT sees what says nothing of a call, nor anything that a desk has logged.
    of_calls = "SELECT count(*) FROM audit WHERE call <> '' OR recording IS NOT NULL OR event LIKE 'notes%%' OR event = 'refused'"
    filled.ask("custody", "SELECT notes_read(%s)", NUMBER)
    # A refusal says at what second which agent wanted what: mostly of a call.
    filled.ask("anna", REFUSED, "take_back_until")
    assert (filled.value("it", of_calls), filled.value("custody", of_calls) > 3) == (0, True)
    its, all_of_it = (set(filled.ask(who, logged.THERE)[0]["events"]) for who in ("it", "custody"))
    assert its == {row["event"] for row in filled.ask("it", "SELECT DISTINCT event FROM audit")}
    assert "refused" in all_of_it - its
    # By what IT goes, only functions write.
    for event in filled.value("it", "SELECT events_of_it()"):
        with pytest.raises(psycopg.Error, match="not from outside"):
            filled.ask("anna", "SELECT audit_note(%s, 'G11', '', NULL, '{}')", event)


def test_no_login_reads_more_and_none_writes_a_row(filled: House) -> None:
    """Each table, login and deed; the service's with each person's token."""
    deeds = (
        "SELECT 1 FROM {}",
        "INSERT INTO {} DEFAULT VALUES",
        "UPDATE {} SET ctid = NULL",
        "DELETE FROM {}",
        "TRUNCATE {}",
    )
    tried = 0
    for table in (*SEEN, "alembic_version"):
        for login in LOGINS:
            for deed in deeds[login == SERVICE and SEEN.get(table, "-") != "-" :]:
                with pytest.raises(
                    (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)
                ) as refused:
                    # A system column's assignment is refused by itself, so a real one is taken.
                    filled.as_login(
                        login, deed.format(table).replace("ctid = NULL", f"{_column(filled, table)} = NULL")
                    )
                assert "permission denied" in str(refused.value)
                tried += 1
        for who in PEOPLE:
            for deed in deeds[1:]:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    filled.ask(who, deed.format(table).replace("ctid = NULL", f"{_column(filled, table)} = NULL"))
                tried += 1
    assert tried > 1000


def _column(house: House, table: str) -> str:
    asked = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum IN (1, 2) ORDER BY attnum DESC"
    return str(house.owner(asked, f"klartone.{table}")[0]["attname"])


def test_each_function_is_called_by_its_logins_alone_and_refuses_who_may_not(filled: House) -> None:
    known = {
        row["proname"]: row
        for row in filled.owner(
            "SELECT proname, oid, pronargs FROM pg_proc WHERE pronamespace = 'klartone'::regnamespace"
        )
    }
    assert set(known) == set(FUNCTIONS)
    for name, (logins, roles, values) in FUNCTIONS.items():
        for login in ("public", *LOGINS):
            asked = "SELECT has_function_privilege(%s, %s::oid, 'EXECUTE') AS may"
            assert filled.owner(asked, login, known[name]["oid"])[0]["may"] == (login in logins), (name, login)
        if roles is None:
            continue
        call = f"SELECT {name}({', '.join(['%s'] * len(values))})"
        for who in PEOPLE:
            role = {
                "anna": "agent",
                "bo": "agent",
                "carl": "agent",
                "handler": "case_handler",
                "other_lead": "lead",
            }.get(who, who)
            if role in roles:
                continue
            with pytest.raises(psycopg.Error) as refused:
                filled.ask(who, call, *values)
            assert refused.value.sqlstate == "KT403", (name, who)
        if name == "audit_note":
            continue  # a refusal is noted of nobody too
        for token in ("", "made up"):
            with pytest.raises(psycopg.Error) as refused:
                filled.ask(Person(token, new_id(), new_id()), call, *values)
            assert refused.value.sqlstate == "KT401", name


def test_nobody_becomes_somebody_else_by_what_they_set(filled: House) -> None:
    custody, anna = filled.people["custody"], filled.people["anna"]
    kept = str(
        filled.owner("SELECT encode(token_hash, 'hex') AS hash FROM sessions WHERE person = %s", custody.id)[0]["hash"]
    )
    for said in (kept, str(custody.id), str(custody.desk), custody.token, f"\\x{kept}", "' OR true --", "%", ""):
        with filled.login(SERVICE).transaction():
            filled.login(SERVICE).execute("SELECT set_config('klartone.asking', %s, true)", [said])
            assert filled.login(SERVICE).execute("SELECT count(*) AS n FROM recordings").fetchone() == {"n": 0}
    assert kept == kept_of(custody.token).hex() != asking_of(custody.token)
    for role in (OWNER, RULES, SIGN_IN, SWEEPER, MIGRATOR, filled.server.user):
        for statement in (f"SET ROLE {role}", f"SET SESSION AUTHORIZATION {role}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                filled.ask(anna, statement)
    for statement in (
        "SET row_security = off",
        "SET session_replication_role = replica",
        "CREATE TABLE klartone.x (i int)",
        "CREATE FUNCTION klartone.asking(x int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE recordings DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY x ON recordings USING (true)",
        "COPY recordings TO '/tmp/x'",
        "GRANT klartone_rules TO klartone_service",
    ):
        with pytest.raises(psycopg.Error) as refused:
            filled.ask(anna, f"{statement}; SELECT 1 FROM sessions")
        assert refused.value.sqlstate in ("42501", "0LP01")
    # What is shadowed by something temporary is not what the policies and functions ask. (`team init` forbids that too.)
    with filled.asking("anna") as connection:
        for table in ("sessions", "people", "desks", "person_keys", "policies", "recordings"):
            connection.execute(f"CREATE TEMPORARY TABLE {table} AS TABLE klartone.policy_keys WITH NO DATA".encode())
        connection.execute("SET LOCAL search_path = pg_temp, klartone")
        assert connection.execute("SELECT count(*) AS n FROM klartone.recordings").fetchone() == {"n": 2}
        connection.execute("ROLLBACK")


def test_a_token_ends_with_its_session_its_desk_its_person_and_its_transaction(house: House) -> None:
    house.arrived()
    assert len(house.found("anna")) == 1
    assert house.as_login(SERVICE, "SELECT current_setting('klartone.asking', true) AS said") == [{"said": ""}]
    short = house.signed_in(
        "anna", ["agent"], ["anna@nordlys.example"], desk=house.people["anna"].desk, lives=timedelta(seconds=-1)
    )
    assert house.found(short) == set()
    ended = house.signed_in("anna", ["agent"], ["anna@nordlys.example"], desk=house.people["anna"].desk)
    assert len(house.found(ended)) == 1
    house.ask(ended, signing_in.END)
    assert house.found(ended) == set()
    assert not house.value("bo", signing_in.REVOKE, house.people["anna"].desk)  # nor is it another's to end
    with house.asking("anna") as connection:
        count = "SELECT count(*) AS n FROM recordings"
        assert connection.execute(count).fetchone() == {"n": 1}
        # Revoked while a transaction is under way: its next statement sees nothing.
        assert house_of_its_own(house).value("it", signing_in.REVOKE, house.people["anna"].desk)
        assert connection.execute(count).fetchone() == {"n": 0}
    assert house.found("anna") == set()
    assert len(house.found("custody")) == 1
    house.ask("it", signing_in.LEAVES, house.people["custody"].id)
    assert house.found("custody") == set()
    # Who has left is named while the log reaches back to then, and no longer.
    house.owner("UPDATE people SET left_at = now() - interval '6 years' WHERE subject = 'carl'")
    house.as_login(SWEEPER, "SELECT forget()")
    # Nor whom the directory has let in no more since then.
    gone = (house.people[one].id for one in ("lead", "other_lead"))
    house.owner("DELETE FROM sessions WHERE person = ANY (%s)", [*gone])
    house.owner("UPDATE people SET since = now() - interval '6 years' WHERE subject <> 'custody'")
    house.owner(
        "UPDATE desks SET joined_at = now() - interval '6 years' WHERE desk = ANY (%s)",
        [house.people[one].desk for one in ("lead", "handler")],
    )
    house.as_login(SWEEPER, "SELECT forget()")
    named = {row["subject"] for row in house.ask("it", "SELECT subject FROM people_figures()")}
    assert named & {"carl", "custody", "lead", "other_lead", "handler"} == {"custody", "other_lead", "handler"}
    # A key is proved by whoever is there: not by who had the name before, nor at a desk that a link lets in.
    assert house.owner("SELECT 1 FROM person_keys WHERE person = %s", house.people["custody"].id) == []
    for desk in (new_id(), new_id()):
        code, token = secrets.token_bytes(32), secrets.token_hex(16)
        house.as_login(MIGRATOR, signing_in.CODE, code, "dpo", ["custody"], [], timedelta(days=1))
        hours = (timedelta(hours=1), timedelta(days=1))
        values = (code, new_id(), kept_of(token), kept_of(f"r{token}"), desk, desk.bytes, desk.bytes.hex(), *hours)
        house.people["dpo"] = Person(
            token, desk, house.as_login(SIGN_IN, signing_in.BY_CODE, *values)[0]["session_by_code"]
        )
        assert not house.value("dpo", "SELECT i_find_all()")
        assert house.prove("dpo", KeyRole.CUSTODY, "c1")
        assert house.value("dpo", "SELECT i_find_all()")
    # A link lets nobody back before it is used.
    house.as_login(MIGRATOR, signing_in.CODE, secrets.token_bytes(32), "custody", ["agent"], [], timedelta(days=1))
    with pytest.raises(psycopg.Error, match="left"):
        house.signed_in("custody", ["custody"])
    assert house.owner("SELECT count(*) AS here FROM people WHERE subject = 'carl'")[0]["here"] == 0


def house_of_its_own(house: House) -> House:
    """The same, on connections of its own."""
    other = House(house.server, house.database, house.people)
    other._open, other._logins = house._open, {}
    return other


def test_a_key_that_is_dropped_meanwhile_proves_nothing_and_a_revoked_desk_has_no_password(house: House) -> None:
    nonce, asked = b"n" * 16, asking_of(house.people["handler"].token)
    with house.login(SIGN_IN).transaction():
        house.login(SIGN_IN).execute("SELECT set_config('klartone.asking', %s, true)", [asked])
        digest = hashlib.sha256(nonce).digest()
        house.login(SIGN_IN).execute(signing_in.CHALLENGE.encode(), ["documentation", "d2", digest])
    house.policy(2, {KeyRole.DOCUMENTATION: ("d1",), KeyRole.CUSTODY: ("c1",)})
    assert not house.value("handler", signing_in.PROVED, "documentation", "d2", nonce)
    for one, password in ((ANNA, b"sealed"), ("bo@nordlys.example", b"another's")):
        house.as_login(MIGRATOR, joining.SET_ACCOUNT, one, Jsonb({}), password)
    second = house.signed_in("anna", ["agent"], [ANNA])
    assert len(house.ask("anna", joining.PASSWORDS)) == 1
    assert house.ask(second, joining.PASSWORDS) == []
    # It was stolen before it said that it has kept it.
    assert house.value("it", "SELECT desk_revoke(%s)", house.people["anna"].desk)
    assert [one["waits"] for one in house.value(second, "SELECT my_news()")["accounts"]] == [True]
    assert [bytes(row["password"]) for row in house.ask(second, joining.PASSWORDS)] == [b"sealed"]
