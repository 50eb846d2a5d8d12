"""What a desk sends, judged without a key and without a server: the file's structure, the rows, and the proof."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from softphone.domain.errors import HouseError, TeamError
from softphone.house.joining import Invitation
from softphone.team.people.proof import Proof, check_proof
from softphone.team.people.tokens import new_token
from softphone.team.upload.structure import Structure
from softphone.team.upload.told import RecordingTold
from tests.team.desk import Desk, House, Made, b64url, made

HOUSE = House()
GOOD = made(HOUSE, seconds=4)
HEADER = GOOD.file.index(b"KTCH")
RECORD = (len(GOOD.file) - HEADER) // 4
UNTRAINED = Made(GOOD.file, {**GOOD.told, "wraps": [it for it in GOOD.told["wraps"] if it["role"] != "training"]})
UNKEPT = Made(
    GOOD.file,
    {
        **GOOD.told,
        "wraps": [it for it in GOOD.told["wraps"] if it["role"] == "custody"],
        "purposes": [{**it, "stands": "expired"} for it in GOOD.told["purposes"]],
    },
)
HELD = {"hold": f"{GOOD.told['recording']}-h1", "raised_for": "party", "at": GOOD.told["opened_at"]}


def read(file: bytes, told: dict[str, Any] = GOOD.told, block: int = 1 << 20) -> bytes:
    one = RecordingTold.model_validate(told)
    structure = Structure(one.recording, one.opened_at, one.call.time_zone, one.structure())
    for at in range(0, len(file), block):
        structure.feed(file[at : at + block])
    return structure.end()


def refusal(deed: Callable[[], object]) -> str:
    with pytest.raises(TeamError) as caught:
        deed()
    return str(caught.value.params.get("reason", caught.value.code.removeprefix("error.team.")))


@given(st.integers(1, 3_000))
def test_a_whole_file_is_whole_however_its_bytes_come(block: int) -> None:
    assert read(GOOD.file, block=block) == hashlib.sha256(GOOD.file).digest()


@given(st.integers(0, len(GOOD.file) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed_unseen(at: int, by: int) -> None:
    refusal(lambda: read(GOOD.file[:at] + bytes([GOOD.file[at] ^ by]) + GOOD.file[at + 1 :]))


def record(index: int) -> bytes:
    return GOOD.file[HEADER + index * RECORD :][:RECORD]


def unfinished() -> bytes:
    body = record(3)[:-4]
    body = body[:12] + b"\0" + body[13:]  # the mark of a segment's last chunk, and a checksum that holds
    return GOOD.file[: HEADER + 3 * RECORD] + body + zlib.crc32(body).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "no_header"),
        (b"RIFF" + GOOD.file[4:], "no_header"),
        (GOOD.file[:8] + b"\0\x03" + GOOD.file[10:], "unknown_version"),
        (made(HOUSE).file, "another_recording"),
        (GOOD.file[:-1], "cut_off"),
        (GOOD.file + b"KTCH", "cut_off"),
        (GOOD.file + b"\0" * 40, "no_chunk"),
        (GOOD.file[:-RECORD], "chunks_missing"),
        (GOOD.file[:HEADER], "segments"),
        (GOOD.file[:HEADER] + record(1) + record(0), "order"),
        (GOOD.file + record(3), "order"),
        (unfinished(), "chunks_missing"),
    ],
)
def test_what_is_no_whole_recording_is_refused_and_named(file: bytes, said: str) -> None:
    assert refusal(lambda: read(file)) == said


def changed(path: str, value: Any, of: Made = GOOD) -> dict[str, Any]:
    told = copy.deepcopy(of.told)
    *way, last = (int(one) if one.isdigit() else one for one in path.split("."))
    place: Any = told
    for one in way:
        place = place[one]
    place[last] = value
    return told


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (changed("wraps", [one for one in GOOD.told["wraps"] if one["role"] != "custody"]), "custody"),
        (changed("segments.0.purposes", ["documentation"]), "wraps"),
        (changed("purposes.1.stands", "taken_back"), "ended"),
        (changed("purposes.1.expires_on", "2099-01-01"), "expires_on"),
        (changed("purposes.1.retention", "forever"), "retention"),
        (changed("wraps", GOOD.told["wraps"] * 2), "twice"),
        (changed("segments", GOOD.told["segments"] * 2), "twice"),
        (changed("holds", [HELD]), "ended"),
        (changed("holds", [HELD, HELD], UNTRAINED), "twice"),
        (UNKEPT.told, "nothing_keeps_it"),
        (changed("call.number_seals.0.role", "training"), "number_seals"),
        (changed("purposes.0.expires_on", None), "expires_on"),
        (changed("call.started_at", "2199-01-01T00:00:00+00:00"), "times"),
        (changed("closed_at", None), "not_finished"),
        (changed("closed_at", "2020-01-01T00:00:00+00:00"), "times"),
        (changed("call.time_zone", "Europe/../etc"), "time_zone"),
    ],
)
def test_rows_that_contradict_themselves_are_refused_and_named(told: dict[str, Any], said: str) -> None:
    assert refusal(lambda: RecordingTold.model_validate(told).check()) == said


def test_rows_of_another_kind_are_refused_and_whole_ones_are_not() -> None:
    RecordingTold.model_validate(GOOD.told).check()
    for path, value in (
        ("recording", "../x"),
        ("call.number", "70101010"),
        ("call.more", 1),
        ("segments", []),
        ("wraps.0.suite", "none"),
        ("wraps.0.sealed", "…"),
        ("sha256", "A" * 64),
    ):
        with pytest.raises(ValidationError):
            RecordingTold.model_validate(changed(path, value))
    short = changed("wraps.0.sealed", base64.b64encode(b"short").decode())
    assert refusal(lambda: RecordingTold.model_validate(short).check()) == "wraps"


ADDRESS, TOKEN = "https://team.test", new_token()


def proved(text: str | None, path: str = "/v1/me") -> Proof:
    return check_proof(text, "GET", ADDRESS + path, datetime.now(UTC), TOKEN)


def test_a_proof_holds_for_one_key_request_time_and_token_alone() -> None:
    desk = Desk(ADDRESS, 0)
    good = desk.proof("GET", "/v1/me", TOKEN)
    assert proved(good).key == desk.public
    head, claims, signature = good.split(".")
    other = Desk(ADDRESS, 0)
    none = b64url(json.dumps({"alg": "none", "typ": "dpop+jwt"}).encode())
    # The point under which this signature holds for whatever is signed.
    weak = {"kty": "OKP", "crv": "Ed25519", "x": b64url(b"\1" + bytes(31))}
    signed_by_anybody = desk.proof("GET", "/v1/me", TOKEN, header={"jwk": weak}).rpartition(".")[0]
    signed_by_anybody += "." + b64url(b"\1" + bytes(63))
    private = {"kty": "OKP", "crv": "Ed25519", "x": b64url(desk.public), "d": b64url(desk.key.private_bytes_raw())}
    late, early = (int((datetime.now(UTC) + timedelta(seconds=one)).timestamp()) for one in (-70, 90))
    for text, said in (
        (None, "proof_missing"),
        ("", "proof_missing"),
        ("a.b.c", "proof_wrong"),
        ("x" * 3_000, "proof_wrong"),
        (f"{none}.{claims}.", "proof_wrong"),
        (f"{head}.{claims}.{other.proof('GET', '/v1/me', TOKEN).split('.')[2]}", "proof_wrong"),
        (f"{other.proof('GET', '/v1/me', TOKEN).split('.')[0]}.{claims}.{signature}", "proof_wrong"),
        (desk.proof("POST", "/v1/me", TOKEN), "proof_wrong"),
        (desk.proof("GET", "/v1/other", TOKEN), "proof_wrong"),
        (desk.proof("GET", "/v1/me", new_token()), "proof_wrong"),
        (desk.proof("GET", "/v1/me"), "proof_wrong"),
        (desk.proof("GET", "/v1/me", TOKEN, jti="short"), "proof_wrong"),
        (desk.proof("GET", "/v1/me", TOKEN, iat="now"), "proof_wrong"),
        (desk.proof("GET", "/v1/me", TOKEN, header={"typ": "JWT"}), "proof_wrong"),
        (signed_by_anybody, "proof_wrong"),
        (desk.proof("GET", "/v1/me", TOKEN, header={"jwk": private}), "proof_wrong"),
        (desk.proof("GET", "/v1/me", TOKEN, iat=late), "clock_differs"),
        (desk.proof("GET", "/v1/me", TOKEN, iat=early), "clock_differs"),
    ):
        assert refusal(lambda text=text: proved(text)) == said, text
    # It is remembered for as long as it could be shown, also one that is dated ahead; and as this key's alone.
    ahead, now = int((datetime.now(UTC) + timedelta(seconds=50)).timestamp()), datetime.now(UTC)
    url, ids = f"{ADDRESS}/v1/me", dict[str, Any](jti="0123456789abcdef", iat=ahead)
    mine, theirs = (check_proof(one.proof("GET", "/v1/me", **ids), "GET", url, now) for one in (desk, other))
    again = desk.proof("GET", "/v1/me", **ids)
    assert refusal(lambda: check_proof(again, "GET", url, mine.until)) == "clock_differs"
    assert mine.used != theirs.used
    elsewhere = Desk("https://evil.test", 0, desk.key)
    assert refusal(lambda: proved(elsewhere.proof("GET", "/v1/me", TOKEN))) == "proof_wrong"


def test_an_invitation_says_where_and_whom_to_believe_and_nothing_else_reads_as_one() -> None:
    link = Invitation("https://klartone.nordlys.example", new_token(), "0123456789abcdef" * 2, 7)
    assert Invitation.parse(f"  {link}\n") == link
    assert link.code not in repr(link)
    for text in (
        "",
        str(link).replace("https", "http"),
        str(link).removesuffix(".7"),  # whoever names no number would take any policy
        str(link).replace(".7", ".0"),
        str(link).replace("/join#", "/join?"),
        str(link).replace("https://", "https://user@"),
    ):
        with pytest.raises(HouseError) as caught:
            Invitation.parse(text)
        assert caught.value.code == "error.house.no_link"
