"""Who may ask what: each route with each role's token, and tokens that are stolen, over, revoked, used or shown again."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import signal
import socket
import threading
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psycopg
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.archive.crypto.wraps import SUITE
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.system.policy_file import filled
from softphone.system.signature import new_signing_key, public_half, sign
from softphone.team import serving
from softphone.team.api.app import create_app, description
from softphone.team.api.figures import Figures
from softphone.team.api.limits import Limits
from softphone.team.api.service import Process
from softphone.team.rows.pool import asking_of
from softphone.team.schema import HEAD
from tests.days import house_day
from tests.peers.processes import until
from tests.team.desk import NUMBER, Desk, made, sent_whole
from tests.team.served import ANNA, LINK, SIGNER, Team, stopped, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
ROOT = Path(__file__).resolve().parents[2]
ALL = frozenset(Role)
AGENT, HANDLER, LEAD, CUSTODY, IT = Role.AGENT, Role.CASE_HANDLER, Role.LEAD, Role.CUSTODY, Role.IT
TAKES = frozenset({AGENT, HANDLER, CUSTODY})
DECIDED = (
    *("holds/confirm", "holds/to-end", "holds/end", "notes/find", "notes/erase"),
    *("judging/waiting", "judging/to-keep", "judging/keep", "judging/let-go"),
    *("cases/show", "cases/to-decide", "cases/decide"),
)
MAY = {
    "GET /v1/me": ALL,
    "GET /v1/policy": ALL,
    "GET /v1/heads": ALL,
    "GET /v1/news": ALL,
    "GET /v1/settings": ALL,
    "GET /v1/notices/{digest}": ALL,
    "POST /v1/accounts/passwords": {AGENT},
    "POST /v1/accounts/passwords/kept": {AGENT},
    "PUT /v1/desk": ALL,
    "DELETE /v1/desks/{desk}": ALL,
    "DELETE /v1/session": ALL,
    "POST /v1/recordings": {AGENT},
    "PUT /v1/recordings/{recording}": {AGENT},
    "PUT /v1/recordings/{recording}/parts/{number}": ALL,  # of one's own uploads: nobody else finds any
    "POST /v1/recordings/{recording}/finish": {AGENT},
    "DELETE /v1/recordings/{recording}/upload": {AGENT},
    "POST /v1/recordings/{recording}/case": {AGENT},
    "GET /v1/viewer": ALL,
    "GET /v1/written": ALL,
    "POST /v1/recordings/find": ALL - {IT},
    "POST /v1/recordings/count": ALL - {IT},
    "POST /v1/recordings/show": ALL - {IT},
    "POST /v1/recordings/open": ALL - {IT, AGENT},
    "POST /v1/recordings/{recording}/wraps": {HANDLER},  # in that role
    "POST /v1/recordings/{recording}/exported": {HANDLER},
    "GET /v1/recordings/{recording}/file": ALL,  # of what one may hear: nobody else finds any
    "POST /v1/withdrawals": TAKES,
    "POST /v1/numbers": TAKES,
    "POST /v1/numbers/known": {AGENT},
    "POST /v1/holds": ALL - {IT},
    "DELETE /v1/holds/{hold}": ALL - {IT},
    "POST /v1/log": {AGENT},
    "GET /v1/holds": ALL,
    "GET /v1/overdue": ALL,  # of what one decides: everybody else is told of nothing
    "POST /v1/holds/raise": ALL - {IT},
    "POST /v1/rights": {HANDLER, CUSTODY},
    "PUT /v1/notes/{call}": {AGENT},
    "GET /v1/cases": {CUSTODY},
    "POST /v1/log/look": {CUSTODY, IT},
    "GET /v1/log/events": {CUSTODY, IT},
    **{f"POST /v1/{one}": {CUSTODY} for one in DECIDED},
    "POST /v1/keys/challenge": {CUSTODY},
    "POST /v1/keys/answer": {CUSTODY},
    "GET /v1/teams": {LEAD},
    "POST /v1/sample/page": {LEAD},
    "POST /v1/sample/days": {LEAD},
    "POST /v1/sample/figures": {LEAD},
    "POST /v1/sample/living": {LEAD},
    "GET /v1/sample/{recording}": ALL,  # of what they review: nobody else finds any
    "PUT /v1/sample/tallies": {AGENT},
    "GET /v1/reviews/{recording}": {LEAD},
    "GET /v1/reviews/{recording}/still": {LEAD},
    "POST /v1/reviews/{recording}/open": {LEAD},
    "DELETE /v1/reviews/{recording}/open": {LEAD},
    "PUT /v1/reviews/{recording}/comments/{comment}": {LEAD, AGENT},
    "DELETE /v1/comments/{comment}": {LEAD, AGENT},
    "PUT /v1/reviews/{recording}/scores/{item}": {LEAD},
    "PUT /v1/reviews/{recording}/share": {LEAD},
    "POST /v1/reviews/{recording}/seals": {LEAD},
    "POST /v1/reviews/mark": {LEAD},
    "GET /v1/marks": {LEAD},
    "PUT /v1/desk/reading-key": {AGENT},
    "GET /v1/shared": {AGENT},
    "GET /v1/shared/{recording}": {AGENT},
    "GET /v1/shared/{recording}/still": {AGENT},
    "GET /v1/shared/{recording}/file": {AGENT},
    "POST /v1/shared/{recording}/open": {AGENT},
}
"""a role that is not named is refused, and the refusal is in the log"""
NOT_THEIRS = {
    "not_yours",
    *(f"error.archive.{one}" for one in ("not_yours", "only_health", "agents_list", "only_custody")),
}
REFUSALS = "SELECT count(*) FROM klartone.audit WHERE event IN ('refused', 'hold_refused')"
NOBODYS = {"POST /v1/token", "GET /v1/sign-in"}
"""asked without a token"""


def routes() -> list[str]:
    paths = description()["paths"]
    return sorted(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)


def body_of(route: str) -> Any:
    """What the route takes, as far as it is right for its kind."""
    one = made(Team.some_keys())
    now = datetime.now(UTC)
    entry = {"number": 1, "event": "e", "rule": "G10", "call": "", "told": "{}", "previous": "0" * 64, "hash": "0" * 64}
    of_number = {"number": NUMBER, "line": ""}
    key = {"role": "custody", "key_id": "0" * 32}
    team = {"lines": ["support"], "agents": []}
    tally = {"line": "support", "agent": ANNA, "month": "2026-11", "what": "drawn", "count": 3}
    seal = {"role": "training", "key_id": "0" * 32, "suite": SUITE, "sealed": "AAAA"}
    wrap = {"desk": str(uuid4()), "suite": SUITE, "sealed": "AAAA"}

    def day(ahead: int) -> str:
        return str(house_day(now) + timedelta(days=ahead))

    hold = {"hold": str(uuid4()), "recording": one.recording, "raised_for": "party", "raised_by": ANNA}
    return {
        "PUT /v1/desk": {"program": "0.1.0", "waiting": 3},
        "POST /v1/accounts/passwords": {"key": base64.b64encode(bytes(range(32))).decode()},
        "POST /v1/accounts/passwords/kept": {"address": "anna@klartone.test"},
        "POST /v1/recordings": {name: one.told[name] for name in ("recording", "bytes", "sha256")},
        "PUT /v1/recordings/{recording}": sent_whole(one),
        "PUT /v1/recordings/{recording}/parts/{number}": b"sealed",
        "POST /v1/recordings/{recording}/finish": one.told,
        "POST /v1/recordings/{recording}/case": {
            "case": str(uuid4()),
            "kind": "objection",
            "whole": True,
            "at": one.told["opened_at"],
        },
        "POST /v1/withdrawals": {
            "withdrawal": str(uuid4()),
            "call_group": str(uuid4()),
            "purposes": ["training"],
            "reason": "withdrawn",
        },
        "POST /v1/recordings/find": {"held": True},
        "POST /v1/recordings/count": {},
        "POST /v1/recordings/show": {"id": str(uuid4())},
        "POST /v1/recordings/open": {"id": str(uuid4())},
        "POST /v1/recordings/{recording}/wraps": {"role": "documentation", "why": "om prisen"},
        "POST /v1/recordings/{recording}/exported": {"role": "documentation", "why": "om prisen"},
        "POST /v1/numbers": of_number
        | {"what": "refused", "at": now.isoformat(), "until": (now + timedelta(days=1)).isoformat()},
        "POST /v1/numbers/known": of_number,
        "POST /v1/holds": {"holds": [hold | {"at": now.isoformat()}]},
        "POST /v1/log": {"entries": [entry]},
        "POST /v1/holds/raise": {"number": NUMBER, "raised_for": "party", "why": "om prisen"},
        "POST /v1/holds/confirm": {"hold": "none", "look_again": day(9)},
        "POST /v1/holds/to-end": {"hold": "none", "how": "lifted"},
        "POST /v1/holds/end": {"hold": "none", "how": "lifted", "reason": "afklaret"},
        "POST /v1/rights": {"withdrawal": str(uuid4()), "right": "opt_out", "number": NUMBER},
        "PUT /v1/notes/{call}": {
            "agent": ANNA,
            "number": NUMBER,
            "at": now.isoformat(),
            "until": day(7),
            "time_zone": "Europe/Copenhagen",
        },
        "POST /v1/notes/find": {"number": NUMBER},
        "POST /v1/notes/erase": {"number": NUMBER, "reason": "sag 117"},
        "POST /v1/log/look": {},
        "POST /v1/judging/waiting": {},
        "POST /v1/judging/to-keep": {"id": str(uuid4())},
        "POST /v1/judging/keep": {"id": str(uuid4()), "until": day(9), "reason": "retssag"},
        "POST /v1/judging/let-go": {"id": str(uuid4()), "reason": "ikke længere"},
        "POST /v1/cases/show": {"id": str(uuid4())},
        "POST /v1/cases/to-decide": {"id": str(uuid4())},
        "POST /v1/cases/decide": {"id": str(uuid4()), "uphold": True, "reason": "ingen grund"},
        "POST /v1/keys/challenge": key,
        "POST /v1/keys/answer": key | {"nonce": ""},
        "POST /v1/sample/page": {"sample": team},
        "POST /v1/sample/days": team,
        "POST /v1/sample/figures": {"team": team, "since": "2026-01", "since_day": "2026-01-01"},
        "POST /v1/sample/living": {"recordings": [one.recording]},
        "PUT /v1/sample/tallies": {"tallies": [tally]},
        "PUT /v1/reviews/{recording}/comments/{comment}": {"sample": 0, "seals": [seal]},
        "PUT /v1/reviews/{recording}/scores/{item}": {"points": 1, "seen": 0},
        "PUT /v1/reviews/{recording}/share": {"on": True, "seen": 0},
        "POST /v1/reviews/{recording}/seals": {"wraps": [wrap | {"segment": 1}]},
        "POST /v1/reviews/mark": {"id": one.recording, "heard": 1, "keep": "P1D"},
        "PUT /v1/desk/reading-key": {"public_key": "A" * 43 + "=", "signature": "A" * 86 + "=="},
    }.get(route)


def ask(desk: Desk, route: str, **how: Any) -> Any:
    method, path = route.split(" ")
    body = body_of(route)
    told = json.loads(body.partition(b"\n")[0]) if isinstance(body, bytes) and b"\n" in body else body
    recording = told["recording"] if isinstance(told, dict) and "recording" in told else str(uuid4())
    made_up = {"hold": uuid4(), "desk": uuid4(), "call": uuid4(), "comment": uuid4(), "item": "tone"}
    made_up["digest"] = "0" * 64
    path = path.format(recording=recording, number=1, **made_up)
    if method == "PUT" and "parts" in path:
        how["Content_Digest"] = "sha-256=:" + "A" * 43 + "=:"
    return desk.ask(method, path, body, **how)


def test_each_route_serves_the_roles_it_is_for_and_refuses_and_logs_the_others(team: Team) -> None:
    assert {*routes()} == {*MAY, *NOBODYS}
    keys = {HANDLER: KeyRole.DOCUMENTATION, LEAD: KeyRole.TRAINING, CUSTODY: KeyRole.CUSTODY}
    desks = {role: team.desk(role.value, agents=[ANNA] if role is AGENT else [], key=keys.get(role)) for role in Role}
    refused: dict[tuple[str, Role], str] = {}
    logged = 0
    with psycopg.connect(team.server.conninfo(team.database), autocommit=True) as log:
        for route in sorted(MAY, key=lambda one: one == "DELETE /v1/session"):
            for role, desk in desks.items():
                answer = ask(desk, route)
                (now,) = log.execute(REFUSALS).fetchall()[0]
                if answer.code in NOT_THEIRS:
                    refused[route, role] = "not_yours"
                    assert (answer.status, now) == (403, logged + 1), (route, role)
                logged = now
                assert answer.status < 500, (route, role, answer.body)
                assert answer.status not in (401, 405), (route, role, answer.body)
    assert refused == {(route, role): "not_yours" for route, may in MAY.items() for role in ALL - may}
    for desk in desks.values():
        assert desk.ask("GET", "/v1/me").code == "signed_out"


def test_no_route_takes_a_token_that_is_missing_elsewhere_over_or_revoked_nor_a_request_twice(team: Team) -> None:
    desk = team.desk("agent")
    thief = team.stranger()
    thief.token = desk.token
    over, left = team.desk("agent"), team.desk("agent")
    team.sql("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE desk = %s", over.id)
    assert left.ask("DELETE", f"/v1/desks/{left.id}").status == 204
    nobody = team.stranger()
    for route in sorted(MAY):
        method, path = route.split(" ")
        said = {
            "nothing": ask(nobody, route).code,
            "no proof": ask(desk, route, proof="").code,
            "another machine": ask(thief, route).code,
            "another route's proof": ask(desk, route, proof=desk.proof("GET", "/v1/other", desk.token)).code,
            "another token's proof": ask(desk, route, proof=desk.proof(method, path, "another token")).code,
            "no token's proof": ask(desk, route, proof=desk.proof(method, path)).code,
            "over": ask(over, route).code,
            "revoked": ask(left, route).code,
        }
        assert said == {
            "nothing": "token_wrong",
            "no proof": "proof_missing",
            "another machine": "proof_wrong",
            "another route's proof": "proof_wrong",
            "another token's proof": "proof_wrong",
            "no token's proof": "proof_wrong",
            "over": "signed_out",
            "revoked": "signed_out",
        }, (method, path)
    assert team.events().count("token_elsewhere_refused") == len(MAY)
    assert desk.ask("GET", "/v1/me").status == 200
    again = desk.proofs[-1]
    assert desk.ask("GET", "/v1/me", proof=again).code == "proof_used"
    with team.another():  # an instance that has not seen it
        assert desk.ask("GET", "/v1/me", proof=again).code == "proof_used"


def test_a_code_is_good_once_and_a_refresh_until_its_answer_has_arrived_and_one_day_ends_all(team: Team) -> None:
    desk, other = team.stranger(), team.stranger()
    code = team.code("agent")
    assert desk.take(code).status == 200
    assert other.take(code).code == "invitation_over"
    assert other.take("A" * 43).code == "invitation_over"
    assert other.take("short").code == "request_wrong"
    over = team.code("agent")
    team.sql("UPDATE codes SET expires_at = now() WHERE used_at IS NULL")
    assert other.take(over).code == "invitation_over"
    first = desk.refresh
    other.refresh = first
    assert other.renew().code == "signed_out"  # another machine's
    old = desk.token
    assert desk.renew().status == 200
    assert Desk.with_token(desk, old).ask("GET", "/v1/me").code == "signed_out"
    assert desk.ask("GET", "/v1/me").status == 200
    # Its answer was lost, or two asked at once: the same machine asks again, and either pair is good.
    others, desk.refresh = (desk.token, desk.refresh), first
    assert desk.renew().status == 200
    for one in (others[0], desk.token):
        assert Desk.with_token(desk, one).ask("GET", "/v1/me").status == 200
    minutes = "UPDATE sessions SET renewed_at = renewed_at - interval '2 minutes'"
    team.sql(minutes)
    desk.refresh = first  # it slept meanwhile
    assert desk.renew().status == 200
    assert desk.renew().status == 200
    # Now that one has gone on, whoever shows the first again has it from somewhere else.
    team.sql(minutes)
    token, desk.refresh = desk.token, first
    assert desk.renew().code == "signed_out"
    assert Desk.with_token(desk, token).ask("GET", "/v1/me").code == "signed_out"
    assert "refresh_refused" in team.events()
    # What the database has of tokens opens nothing.
    (kept,) = team.sql("SELECT token_hash, refresh_hash FROM sessions LIMIT 1")
    assert token.encode() not in kept
    # An invitation's session goes on as long as its desk asks; the house's directory is asked again in time.
    for issuer, goes_on in (("", True), ("https://login.test", False)):
        asking = team.desk("lead", agents=[], name=f"lead of {issuer}")
        team.sql("UPDATE people SET issuer = %s FROM desks d WHERE d.desk = %s AND people.person = d.person",
                 issuer, asking.id)  # fmt: skip
        team.sql("UPDATE sessions SET refresh_until = now() + interval '1 hour' WHERE desk = %s", asking.id)
        assert asking.renew().status == 200
        query = "SELECT max(refresh_until) > now() + interval '1 day' FROM sessions WHERE desk = %s"
        assert team.sql(query, asking.id) == [(goes_on,)]


def raw(team: Team, sent: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", team.port, timeout=10)
    connection.connect()
    try:
        connection.sock.sendall(sent)
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        return answer.read()
    finally:
        connection.close()


def test_what_is_too_large_malformed_or_nowhere_is_told_by_code_and_repeats_nothing(team: Team) -> None:
    desk = team.desk("agent")
    secret = "+4512345678"
    one = made(team.keys)
    large = desk.ask("PUT", f"/v1/recordings/{one.recording}/parts/1", b"x" * ((5 << 20) + 1), Content_Digest="x")
    assert (large.status, large.code) == (413, "too_large")
    assert desk.ask("PUT", "/v1/desk", {"program": "x" * 70_000, "waiting": 0}).code == "too_large"
    head = b"POST /v1/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b"request_wrong" in raw(team, head)
    # Nobody's body is not even waited for.
    head = f"POST /v1/recordings/{one.recording}/finish HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
    assert b"token_wrong" in raw(team, head.encode())
    deep = b"[" * 60_000
    assert desk.ask("POST", "/v1/numbers/known", deep, Content_Type="application/json").code == "request_wrong"
    # What PostgreSQL cannot keep, or a text that is no text.
    known = {"number": NUMBER, "line": "a\0b"}
    assert desk.ask("POST", "/v1/numbers/known", known).code == "request_wrong"
    held = {"hold": str(uuid4()), "recording": one.recording, "raised_for": "party", "raised_by": ANNA, "why": "a\0b"}
    held["at"] = datetime.now(UTC).isoformat()
    assert desk.ask("POST", "/v1/holds", {"holds": [held]}).code == "request_wrong"
    for iat in (float("nan"), 10**400, 1.5, True, -1):
        assert desk.ask("GET", "/v1/me", proof=desk.proof("GET", "/v1/me", desk.token, iat=iat)).code == "proof_wrong"
    surrogates = desk.proof("GET", "/v1/me", desk.token, jti="\ud800" * 20)
    assert desk.ask("GET", "/v1/me", proof=surrogates).code == "proof_wrong"
    for body in ({"number": secret, "line": {secret: 1}}, {"number": secret[1:]}, b"{", [secret]):
        answer = desk.ask("POST", "/v1/numbers/known", body, Content_Type="application/json")
        assert (answer.status, answer.code) == (422, "request_wrong")
        assert answer.headers["content-type"] == "application/problem+json"
        assert secret[1:].encode() not in answer.body
    # Times that no calendar counts on from, a folder in place of a zone, a number that no column holds.
    lead = team.desk("lead", name="lead", key=KeyRole.TRAINING)
    note = {"agent": ANNA, "number": NUMBER, "at": datetime.now(UTC).isoformat(), "until": "2030-01-01", "seals": []}
    note["time_zone"] = "Europe/Copenhagen"
    case = {"case": str(uuid4()), "kind": "objection", "whole": False, "at": "0001-01-01T00:00:00+14:00"}
    sample = {"lines": [], "agents": [], "since": "9999-12-31T23:59:59-12:00"}
    for who, method, path, told in (
        (desk, "PUT", f"/v1/notes/{uuid4()}", note | {"time_zone": "Europe"}),
        (desk, "PUT", f"/v1/notes/{uuid4()}", note | {"until": "0001-01-01"}),
        (desk, "POST", f"/v1/recordings/{one.recording}/case", case),
        (lead, "POST", "/v1/sample/days", sample),
        (lead, "PUT", f"/v1/reviews/{one.recording}/scores/a", {"points": 1, "seen": 2**63}),
        (desk, "GET", f"/v1/heads?since={2**63}", None),
    ):
        assert who.ask(method, path, told).code == "request_wrong", (path, told)
    assert desk.ask("GET", f"/v1/{secret}").code == "no_route"
    assert desk.ask("PATCH", "/v1/me").code == "no_method"
    assert (
        desk.ask("PUT", f"/v1/recordings/{one.recording}/parts/1", b"x", Content_Digest="md5=:x:").code
        == "request_wrong"
    )
    assert desk.finish(made(team.keys), recording=one.recording).code in ("request_wrong", "rows_wrong")
    assert secret[1:] not in team.log()
    assert "bug" not in team.log()


def test_bodies_that_do_not_come_take_nobody_s_place_and_one_token_not_all_of_them(team: Team) -> None:
    desk, other = team.desk("agent"), team.desk("agent", name="other")
    with ExitStack() as ends:

        def half(head: str) -> None:
            one = ends.enter_context(socket.create_connection(("127.0.0.1", team.port)))
            one.sendall(f"{head}\r\nHost: klartone.test\r\n\r\n".encode())

        for _ in range(205):
            half("POST /v1/token HTTP/1.1\r\nContent-Length: 100")
        path = "/v1/recordings/0197a0c0-0000-7000-8000-000000000000/parts/1"
        digest = f"Content-Digest: sha-256=:{base64.b64encode(bytes(32)).decode()}:"
        for _ in range(30):
            told = f"Authorization: DPoP {desk.token}\r\nDPoP: {desk.proof('PUT', path, desk.token)}\r\n{digest}"
            half(f"PUT {path} HTTP/1.1\r\nContent-Length: {5 << 20}\r\n{told}")
        until(lambda: desk.ask("GET", "/v1/me").code == "unavailable", 20, "that one token has its share")
        assert other.ask("GET", "/v1/me").status == 200


def test_while_it_rings_nobody_waits_for_the_log_nor_for_connections_that_say_nothing(team: Team) -> None:
    desk, now = team.desk("agent"), datetime.now(UTC)
    no = {"number": NUMBER, "what": "refused", "at": now.isoformat(), "until": (now + timedelta(days=9)).isoformat()}
    assert desk.ask("POST", "/v1/numbers", no).status == 204
    with ExitStack() as ends:
        for _ in range(250):
            ends.enter_context(socket.create_connection(("127.0.0.1", team.port)))
        log = ends.enter_context(psycopg.connect(team.server.conninfo(team.database)))
        log.execute("SELECT pg_advisory_xact_lock(hashtextextended('klartone.audit.service', 0))")
        writers = [threading.Thread(target=lambda: desk.ask("POST", "/v1/numbers", no)) for _ in range(7)]
        for one in writers:
            one.start()
            ends.callback(one.join)
        waiting = "SELECT count(*) >= 6 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        until(lambda: team.sql(waiting, team.database)[0][0], 10, "that all connections wait for the log")
        known = whole(desk.ask("POST", "/v1/numbers/known", {"number": NUMBER, "line": ""}))
        assert [one["what"] for one in known["known"]] == ["refused"]
        log.rollback()


def test_one_desk_does_so_much_and_no_more_on_any_instance_and_one_entry_says_so(team: Team) -> None:
    desk, other = team.desk("agent"), team.desk("agent", name="bo")
    asked = ("POST", "/v1/numbers/known", {"number": NUMBER, "line": ""})
    assert desk.ask(*asked).status == 200

    def asked_after(count: int) -> Any:
        """As many times within this minute; once more where another has begun meanwhile."""
        told: list[Any] = []
        while len(told) < 2 and (not told or told[-1].status == 200):
            team.sql(
                "UPDATE desk_rates SET count = %s, since = date_trunc('minute', now()) WHERE what = 'rings'", count
            )
            told.append(desk.ask(*asked))
        return told[-1]

    # Numbers are not tried one after the other: 60 a minute are more calls than anybody takes.
    assert asked_after(59).status == 200
    many = asked_after(60)
    assert (many.status, many.code) == (429, "too_many")
    assert 0 < int(many.headers["retry-after"]) <= 60
    with team.another():
        assert asked_after(61).code == "too_many"
    assert [other.ask(*asked).status, desk.ask("GET", "/v1/me").status] == [200, 200]
    assert team.events().count("limited") == 1
    # Eight recordings of the largest kind begun at once are no desk's.
    large = [{"recording": str(uuid4()), "bytes": 1 << 30, "sha256": "0" * 64} for _ in range(9)]
    said = [desk.ask("POST", "/v1/recordings", one).code for one in (*large, large[8], large[0])]
    assert said == [""] * 8 + ["too_many", "too_many", ""]
    assert team.events().count("limited") in (2, 3)  # once a minute
    assert desk.ask("DELETE", f"/v1/recordings/{large[0]['recording']}/upload").status == 204
    assert desk.ask("POST", "/v1/recordings", large[8]).code == ""
    # Nor does anybody fill the log by being refused.
    with psycopg.connect(team.server.conninfo(team.database, "klartone_service")) as service:
        service.execute("SELECT set_config('klartone.asking', %s, true)", [asking_of(other.token)])
        refused = "SELECT klartone.audit_note('refused', 'G11', '', NULL, '{}') FROM generate_series(1, 150)"
        service.execute(refused)
    assert [team.events().count(one) for one in ("refused", "refused_often")] == [100, 1]


def test_a_connection_on_which_no_request_comes_is_closed_and_a_slow_answer_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "_FOR_HEADERS", 0.1)

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def deed() -> tuple[bytes, bytes, bytes, bytes, bytes]:
        config = uvicorn.Config(
            slow, port=0, http=serving.Connection, timeout_keep_alive=60, lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        serves = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]

        async def said(sent: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            try:
                return await asyncio.wait_for(reader.read(), 5)
            finally:
                writer.close()

        async def said_later(sent: bytes) -> bytes:
            """On a connection that has had an answer, and then rested for some looks."""
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(whole.replace(b"close", b"keep-alive"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
            await said(whole)
            writer.write(sent)
            try:
                return await asyncio.wait_for(reader.read(), 5)
            finally:
                writer.close()

        whole = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        asked = said(b""), said(whole[:20]), said(whole), said_later(whole[:20]), said_later(whole)
        told = await asyncio.gather(*asked)
        server.should_exit = True
        await serves
        return told

    silent, half, full, half_later, full_later = asyncio.run(deed())
    assert (silent, half, half_later) == (b"", b"", b"")
    assert full.startswith(b"HTTP/1.1 204")
    assert full_later.startswith(b"HTTP/1.1 204")


def test_figures_and_health_tell_no_person_and_a_lost_database_is_told_as_such(team: Team) -> None:
    desk = team.desk("agent")
    for path in ("/health/live", "/health/ready"):
        assert whole(desk.ask("GET", path, proof=""))["state"] in ("live", "ready")
    whole(desk.upload(made(team.keys)))
    # An instance that is newer than the tables says so, and is sent nothing.
    team.sql("UPDATE alembic_version SET version_num = '0001'")
    older = desk.ask("GET", "/health/ready", proof="")
    assert (older.status, older.json["params"]) == (503, {"what": "database"})
    team.sql("UPDATE alembic_version SET version_num = %s", HEAD)
    assert desk.ask("GET", "/health/ready", proof="").status == 200
    team.sql("ALTER FUNCTION number_known RENAME TO number_known_later")
    unknown = desk.ask("POST", "/v1/numbers/known", {"number": NUMBER, "line": ""})
    assert (unknown.status, unknown.code, "retry-after" in unknown.headers) == (503, "old_schema", True)
    team.server.drop(team.database)
    down = desk.ask("GET", "/health/ready", proof="")
    assert (down.status, down.code, down.json["params"]) == (503, "not_ready", {"what": "database"})
    assert desk.ask("GET", "/health/live", proof="").status == 200
    assert "retry-after" in down.headers


def test_whoever_signs_in_is_a_process_of_its_own_and_the_one_that_serves_cannot(team: Team) -> None:
    desk = team.desk("agent")
    logins = (
        "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE datname = %s AND usename ~ '^klartone_' ORDER BY 1"
    )
    assert team.sql(logins, team.database) == [("klartone_service",), ("klartone_signin",)]
    # Without it nobody comes in, and whoever is in goes on.
    team.end_sign_in()
    until(lambda: team.sql(logins, team.database) == [("klartone_service",)], 10, "that its connections have ended")
    code = team.code("agent", name="bo")
    refused = team.stranger().take(code)
    assert (refused.status, refused.code, "retry-after" in refused.headers) == (503, "sign_in_unreachable", True)
    assert desk.ask("GET", "/v1/me").status == 200
    unready = desk.ask("GET", "/health/ready", proof="")
    assert (unready.status, unready.json["params"]) == (503, {"what": "sign_in"})
    # It comes back in the place where it was; a second one takes over, and the first ends well.
    team.start_sign_in()
    assert team.stranger().take(code).status == 200
    first = team.signs_in
    team.start_sign_in()
    assert desk.renew().status == 200
    assert stopped(first, signal.SIGTERM) == 0
    assert whole(desk.ask("GET", "/health/ready", proof="")) == {"state": "ready"}
    # What is checked beforehand: its login, where it is to answer, and that nobody else has its password.
    checked = team.command("sign-in", "--check")
    assert (checked.status, checked.errors) == (0, ""), checked
    password = {"KLARTONE_TEAM_SIGN_IN_PASSWORD": "a secret"}
    assert "KLARTONE_TEAM_SIGN_IN_PASSWORD" in team.command("serve", "--check", **password).errors
    team.settings.write_text(team.settings.read_text().replace("unix:/", "unix:/nowhere/"))
    nowhere = team.command("sign-in")
    assert (nowhere.status, "/nowhere/" in nowhere.errors, "Traceback" in nowhere.errors) == (1, True, False)


def test_serve_checks_its_bucket_and_settings_first_and_stops_when_what_is_under_way_has_ended(team: Team) -> None:
    whole_one = team.command("serve", "--check")
    assert (whole_one.status, team.storage.bucket in whole_one.out, whole_one.errors) == (0, True, ""), whole_one
    told = team.settings.read_text()
    for how in ("archived", "standby"):
        team.settings.write_text(told.replace('durable = "alone"', f'durable = "{how}"'))
        checked = team.command("serve", "--check")
        assert (checked.status, f'durable = "{how}"' in checked.errors) == (0, True), checked
    team.settings.write_text(told)
    wrong = team.command("serve", "--check", KLARTONE_TEAM_NUMBER_KEY="short")
    assert (wrong.status, "KLARTONE_TEAM_NUMBER_KEY" in wrong.errors) == (1, True)
    assert "Traceback" not in wrong.errors
    # Of a link that could not work there is none.
    agent = ("invite", "zed", "--role", "agent", "--signer")
    for words, said in (
        ((*agent, SIGNER), "--agent"),
        ((*agent, "short", "--agent", ANNA), "policy sign"),
        ((*agent, public_half(new_signing_key()), "--agent", ANNA), "has not signed policy number"),
    ):
        refused = team.command(*words)
        assert (refused.status, refused.out, said in refused.errors) == (1, "", True), refused
    assert team.sql("SELECT count(*) FROM people WHERE subject = 'zed'") == [(0,)]
    link = LINK.search(team.invited("anna", "agent"))
    assert link is not None
    assert [(link["least"],)] == team.sql("SELECT max(number)::text FROM policies")
    desk = team.stranger()
    assert desk.take(link["code"]).status == 200
    assert whole(desk.ask("GET", "/v1/me"))["roles"] == ["agent"]
    # A recording is half sent when the service is told to stop: it takes the rest, answers, and ends well.
    one = made(team.keys)
    rest = desk.half(one)
    team.process.terminate()
    until(lambda: not team.accepts(), 10, "that it takes nobody new")
    assert whole(rest())["state"] == "stored"
    assert team.stop() == 0
    team.start()
    assert whole(desk.begin(one))["state"] == "stored"


def test_a_signed_policy_is_taken_once_by_its_number_and_reaches_a_desk_as_it_was_signed(team: Team) -> None:
    desk, private = team.desk("agent"), new_signing_key()
    keys = {role: base64.b64encode(team.keys.recipient(role).public_key).decode() for role in KeyRole}
    text = filled((ROOT / "resources" / "policies" / "demo.toml").read_text("utf-8"), keys)
    team.sql("DELETE FROM policy_keys")  # that of the fixture has another signer
    team.sql("DELETE FROM policies")
    path = team.home / "policy.toml"
    said: list[str] = []
    for number, key in ((7, private), (7, private), (8, new_signing_key()), (0, private), (9, private)):
        path.write_text(text + (f"\n[house]\npolicy_number = {number}\n" if number else ""))
        sign(path.read_bytes(), path, key)
        done = team.command("policy", str(path), "--signer", public_half(key))
        said.append(done.out if done.status == 0 else done.errors)
    assert [one.split(" ")[:3] for one in said] == [
        ["Policy", "number", "7"],
        ["Your", "organisation's", "archive"],
        ["Your", "organisation's", "policy"],
        ["The", "policy", "has"],
        ["Policy", "number", "9"],
    ]
    # Counting what waits for review may fail: that tells nobody less of the rest.
    team.sql("ALTER FUNCTION sample_waiting() RENAME TO elsewhere")
    news = whole(desk.ask("GET", "/v1/news"))
    assert (news["policy"], news["waiting"]) == (9, None)
    answer = desk.ask("GET", "/v1/policy")
    signature, _, content = answer.body.partition(b"\n")
    assert content == path.read_bytes()
    Ed25519PrivateKey.from_private_bytes(private).public_key().verify(base64.b64decode(signature), content)
    assert desk.ask("GET", "/v1/policy", If_None_Match=answer.headers["etag"]).status == 304
    one = made(team.keys, line="support")
    assert whole(desk.upload(one))["state"] == "stored"


def test_the_description_of_the_api_is_the_one_in_docs() -> None:
    kept = json.loads((ROOT / "docs" / "team-api.json").read_text("utf-8"))
    assert kept == description(), "make team-api writes it anew"


@pytest.mark.parametrize(
    ("client", "balanced", "status"),
    [("127.0.0.1", False, 200), ("::1", False, 200), ("192.0.2.7", False, 404), ("192.0.2.7", True, 200)],
)
def test_how_an_instance_is_it_tells_on_its_own_machine_alone_or_behind_a_balancer(
    client: str, balanced: bool, status: int
) -> None:
    class Nobody(Process):
        """It has no database, and is asked for none."""

        @asynccontextmanager
        async def open(self) -> AsyncGenerator[None]:
            yield

    app, told = create_app(Nobody(address="https://a", rows=cast("Any", None), behind_balancer=balanced)), list[int]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.extend([message["status"]] if message["type"] == "http.response.start" else [])

    for path in ("/health/live", "/metrics"):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [],
            "client": (client, 1),
        }
        asyncio.run(app(scope | {"http_version": "1.1", "scheme": "https", "server": ("a", 443)}, receive, send))
    assert told == [status, status]


@pytest.mark.parametrize(("balanced", "refused"), [(False, 10), (True, 0)])
def test_whoever_has_no_token_yet_asks_for_one_so_many_times_a_minute(
    balanced: bool, refused: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A balancer counts by itself: behind it all come from one address."""
    told: list[int] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.extend([message["status"]] if message["type"] == "http.response.start" else [])

    monkeypatch.setattr("softphone.team.api.limits.time.monotonic", lambda: 90.0)
    limits = Limits(app, Figures(), by_source=not balanced)
    scope = {"type": "http", "method": "POST", "path": "/v1/token", "headers": [(b"content-length", b"0")]}
    for client in ("192.0.2.7", "192.0.2.8"):
        for _ in range(310 if client == "192.0.2.7" else 1):
            asyncio.run(limits(scope | {"client": (client, 1)}, receive, send))
    assert (told.count(429), told[-1]) == (refused, 200)
