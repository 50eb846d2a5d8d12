"""Who may ask what: each route with each role's token, and tokens that are stolen, over, revoked, used or shown again."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import socket
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
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
from softphone.team.api.app import description
from tests.peers.processes import until
from tests.team.desk import NUMBER, Desk, made
from tests.team.served import ANNA, LINK, Team, whole

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
    "PUT /v1/recordings/{recording}/parts/{number}": ALL,  # of one's own uploads: nobody else finds any
    "POST /v1/recordings/{recording}/finish": {AGENT},
    "DELETE /v1/recordings/{recording}/upload": {AGENT},
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
    "POST /v1/holds/raise": ALL - {IT},
    "POST /v1/rights": {HANDLER, CUSTODY},
    "PUT /v1/notes/{call}": {AGENT},
    "GET /v1/cases": {CUSTODY},
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
        return str(now.date() + timedelta(days=ahead))

    hold = {"hold": str(uuid4()), "recording": one.recording, "raised_for": "party", "raised_by": ANNA}
    return {
        "PUT /v1/desk": {"program": "0.1.0", "waiting": 3},
        "POST /v1/accounts/passwords": {"key": base64.b64encode(bytes(range(32))).decode()},
        "POST /v1/accounts/passwords/kept": {"address": "anna@klartone.test"},
        "POST /v1/recordings": {name: one.told[name] for name in ("recording", "bytes", "sha256")},
        "PUT /v1/recordings/{recording}/parts/{number}": b"sealed",
        "POST /v1/recordings/{recording}/finish": one.told,
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
        "POST /v1/holds/raise": {"number": NUMBER, "raised_for": "party", "why": "om prisen", "within": "P30D"},
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
    recording = body["recording"] if isinstance(body, dict) and "recording" in body else str(uuid4())
    made_up = {"hold": uuid4(), "desk": uuid4(), "call": uuid4(), "comment": uuid4(), "item": "tone"}
    made_up["digest"] = "0" * 64
    path = path.format(recording=recording, number=1, **made_up)
