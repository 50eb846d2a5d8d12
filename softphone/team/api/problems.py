"""Every error as problem+json (RFC 9457), by the product's codes: the desk says the sentence, in its user's language.

Nothing that came in is repeated: neither in an answer nor in the log.
"""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from softphone.domain.errors import ArchiveError, KlartoneError, TeamError

log = logging.getLogger("klartone.team")
MEDIA = "application/problem+json"
_STATUS = {
    "token_wrong": 401,
    "signed_out": 401,
    "proof_missing": 401,
    "proof_wrong": 401,
    "proof_used": 401,
    "clock_differs": 401,
    "invitation_over": 401,
    "sign_in_wrong": 401,
    "no_role": 403,
    "issuer_unreachable": 503,
    "key_unknown": 422,
    "key_refused": 403,
    "not_yours": 403,
    "missing": 404,
    "conflict": 409,
    "begin_again": 409,
    "part_missing": 409,
    "object_held": 409,
    "password_lost": 409,
    "too_large": 413,
    "too_slow": 408,
    "digest_wrong": 422,
    "container_wrong": 422,
    "rows_wrong": 422,
    "part_wrong": 422,
    "wrong": 422,
    "request_wrong": 422,
    "storage_unreachable": 503,
    "storage_refused": 503,
    "storage_absent": 503,
    "too_many": 429,
    "unavailable": 503,
    "old_schema": 503,
    "old_program": 503,
    "restoring": 503,
    "policy_lost": 503,
    "policy_forged": 503,
    "sign_in_unreachable": 503,
    "not_ready": 503,
    "error.archive.no_such_recording": 404,
    "error.archive.ambiguous": 409,
    "error.archive.no_cursor": 422,
}
"""by code, without `error.team.`"""
_AGAIN = "5"
"""seconds after which a desk asks again, where something is unreachable"""


def problem(error: KlartoneError) -> Response:
    short = error.code.removeprefix("error.team.")
    # What an archive refuses has the local archive's code: what it means stands there.
    status = _STATUS.get(short, 403 if isinstance(error, ArchiveError) else 500)
    told: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    told |= {"code": error.code, "params": dict(error.params)}
    headers: dict[str, str] = {}
    if status == 401:
        kind = "invalid_dpop_proof" if short.startswith(("proof", "clock")) else "invalid_token"
        headers["WWW-Authenticate"] = f'DPoP algs="Ed25519", error="{kind}"'
    if status == 503:
        headers["Retry-After"] = _AGAIN
    if status == 429:
        headers["Retry-After"] = str(error.params["seconds"])
    return JSONResponse(told, status, headers, MEDIA)


def answer_problems(app: FastAPI) -> None:
    """For whatever a route raises."""

    @app.exception_handler(TeamError)
    def _(_: Request, error: Exception) -> Response:
        assert isinstance(error, TeamError)
        return problem(error)

    @app.exception_handler(ArchiveError)
    def _(_: Request, error: Exception) -> Response:
        assert isinstance(error, ArchiveError)
        return problem(error)

    @app.exception_handler(RequestValidationError)
    def _(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = cast("list[dict[str, Any]]", list(error.errors()))
        first: dict[str, Any] = found[0] if found else {}
        # Where it is wrong and how, never what stood there.
        where = ".".join(str(one) for one in first.get("loc", ()) if isinstance(one, int) or str(one).isidentifier())
        return problem(TeamError("error.team.request_wrong", where=where, reason=str(first.get("type", ""))))

    @app.exception_handler(HTTPException)
    def _(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = "no_route" if error.status_code == 404 else "no_method" if error.status_code == 405 else "request_wrong"
        told = {"type": "about:blank", "title": HTTPStatus(error.status_code).phrase, "status": error.status_code}
        return JSONResponse({**told, "code": f"error.team.{code}", "params": {}}, error.status_code, media_type=MEDIA)

    @app.exception_handler(Exception)
    def _(_: Request, error: Exception) -> Response:
        return bug(error)


def bug(error: BaseException) -> Response:
    """Logged with its place, without its words."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{Path(last[0].filename).name}:{last[0].lineno}" if last else "?"
    log.error("bug %s at %s", type(error).__name__, place)
    told = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    return JSONResponse({**told, "code": "error.team.bug", "params": {}}, 500, media_type=MEDIA)
