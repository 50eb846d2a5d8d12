"""The desk's connection to its house: the real service by TLS, and others that answer in its place."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from softphone.domain.errors import HouseError, NotSignedInError, UnreachableError
from softphone.house import connection as module
from softphone.house.connection import Connection
from softphone.house.desk_key import DeskKey
from softphone.house.tokens import Tokens
from tests.house.joined import Joined, signed_in
from tests.team.desk import made
from tests.team.served import Team

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]


def over(joined: Joined, *, access: bool = True) -> None:
    """Its access token has run out; not `access`: it only looks as if, so that it renews."""
    if access:
        joined.team.sql("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE desk = %s", joined.desk)
    else:
        kept = joined.tokens
        found = kept._kept()
        assert found is not None
        kept.keep(Tokens(found.access, found.refresh, 0.0))


def refused(connection: Connection, method: str, path: str, **other: object) -> str:
    try:
        connection.ask(method, path, **other)  # pyright: ignore[reportArgumentType]
    except HouseError as error:
        return error.code
    return ""


def test_it_asks_uploads_reads_as_it_comes_and_goes_on_when_a_token_ends(team_tls: Team, tmp_path: Path) -> None:
    joined = signed_in(team_tls, tmp_path / "home", "agent", key=None)
    connection = joined.connection
    assert connection.ask("GET", "/v1/me").json["desk"] == joined.desk
    ((signed,),) = team_tls.sql("SELECT signed FROM newest_signed()")
    policy = connection.ask("GET", "/v1/policy")
    assert (policy.body, policy.headers["etag"]) == (signed, '"1"')
    again = connection.ask("GET", "/v1/policy", headers={"If-None-Match": policy.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    # A recording by its parts, the first as it is read.
    sent = made(team_tls.keys, seconds=105, packet=1_000)
    file = {name: sent.told[name] for name in ("recording", "bytes", "sha256")}
    path = f"/v1/recordings/{sent.recording}/parts"
    assert connection.ask("POST", "/v1/recordings", file).json["missing"] == [1, 2]
    first, digest = sent.parts[0], base64.b64encode(hashlib.sha256(sent.parts[0]).digest()).decode()
    told = {"Content-Length": str(len(first)), "Content-Digest": f"sha-256=:{digest}:"}
    slices = (first[at : at + 1_000_000] for at in range(0, len(first), 1_000_000))
    assert connection.ask("PUT", f"{path}/1", raw=slices, headers=told).status == 204
    over(joined)
    assert connection.ask("PUT", f"{path}/2", raw=sent.parts[1], digest=True, seconds=60).status == 204
    assert connection.ask("POST", f"/v1/recordings/{sent.recording}/finish", sent.told).json["state"] == "stored"
    with connection.stream("GET", "/v1/policy") as streamed:
        assert b"".join(iter(lambda: streamed.read(4), b"")) == signed
    # What it refuses is the service's own code, with what belongs to its sentence.
    with pytest.raises(HouseError) as wrong:
        connection.ask("POST", "/v1/recordings", {"recording": "x"})
    assert (wrong.value.code, wrong.value.params["where"]) == ("error.team.request_wrong", "body.recording")
    assert refused(connection, "GET", "/v1/nothing") == "error.team.no_route"
    # A clock that is off by a day is not in the way.
    connection._ahead = 86_400.0
    assert connection.ask("GET", "/v1/me").json["desk"] == joined.desk
    assert refused(connection, "GET", "/v1/me", seconds=0) == "error.house.unreachable"


def test_processes_of_one_home_renew_one_at_a_time_and_a_lost_answer_comes_again(
    team_tls: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = signed_in(team_tls, tmp_path / "home", "agent")
    other = joined.again()
    over(joined)
    over(joined, access=False)
    found: list[str] = []

    def ask(one: Connection) -> None:
        found.append(one.ask("GET", "/v1/me").json["desk"])

    both = [threading.Thread(target=ask, args=(one,)) for one in (joined.again(), other) * 3]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert found == [joined.desk] * 6
    assert team_tls.sql("SELECT count(*) FROM sessions WHERE desk = %s", joined.desk) == [(2,)]
    # The service has renewed, and the answer never came.
    over(joined, access=False)
    told = Tokens.told

    def lost(_: object) -> Tokens:
        raise ValueError

    monkeypatch.setattr(module.Tokens, "told", lost)
    third = joined.again()
    with pytest.raises(UnreachableError) as odd:
        third.ask("GET", "/v1/me")
    assert (odd.value.code, odd.value.params) == ("error.house.no_service", {"status": 200})
    monkeypatch.setattr(module.Tokens, "told", told)
    assert third.ask("GET", "/v1/me").json["desk"] == joined.desk


def test_a_revoked_desk_is_told_so_and_a_service_that_is_away_is_another_thing(team_tls: Team, tmp_path: Path) -> None:
    joined = signed_in(team_tls, tmp_path / "home", "agent")
    assert joined.connection.ask("GET", "/v1/me").status == 200
    team_tls.stop()
    with pytest.raises(UnreachableError) as away:
        joined.connection.ask("GET", "/v1/me")
    assert away.value.params == {"server": joined.connection.server, "reason": "ConnectionRefusedError"}
    team_tls.start()
    team_tls.sql("UPDATE desks SET revoked_at = now() WHERE desk = %s", joined.desk)
    with pytest.raises(NotSignedInError) as ended:
        joined.connection.ask("GET", "/v1/me")
    assert ended.value.code == "error.house.signed_out"
    # Another's machine with this desk's token.
    stranger = Connection(
        team_tls.address, DeskKey(bytes(range(32))), signed_in(team_tls, tmp_path / "b", "agent").tokens,
        authority=team_tls.authority,
    )  # fmt: skip
    assert refused(stranger, "GET", "/v1/me") == "error.team.proof_wrong"
    untrusted = Connection(team_tls.address, DeskKey(bytes(range(32))))
    with pytest.raises(UnreachableError) as unknown:
        untrusted.ask("GET", "/v1/sign-in")
    assert (unknown.value.code, unknown.value.params["reason"]) == ("error.house.untrusted", "tls_unknown_authority")
    nowhere = Connection(team_tls.address, DeskKey(bytes(range(32))), authority=str(tmp_path / "none.pem"))
    assert refused(nowhere, "GET", "/v1/sign-in") == "error.house.authority"


@contextmanager
def answering(answer: bytes, *, byte_by_byte: float = 0) -> Generator[str]:
    """Something else at the house's address, in the clear."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(65_536)
                    try:
                        for part in [answer[at : at + 1] for at in range(len(answer))] if byte_by_byte else [answer]:
                            client.sendall(part)
                            time.sleep(byte_by_byte)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "no_service"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html", "no_service"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 5_000_000, "no_service"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nbad", "no_service"),
        (
            b"HTTP/1.1 400 No\r\nContent-Type: application/problem+json\r\nContent-Length: 33\r\n\r\n"
            b'{"code": "error.keyring.none {x}"}',
            "no_service",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "unreachable"),
        (b"no HTTP at all\r\n\r\n", "unreachable"),
    ],
)
def test_what_is_no_answer_of_the_service_is_told_as_that(answer: bytes, said: str) -> None:
    with answering(answer) as address:
        connection = Connection(address, DeskKey(bytes(range(32))))
        with pytest.raises(UnreachableError) as found:
            _ = connection.ask("GET", "/v1/sign-in", seconds=5).json
    assert found.value.code == f"error.house.{said}"


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"x" * 200,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 200 + b"2\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["body", "head", "continue", "chunk"],
)
def test_an_answer_that_drips_is_given_up_when_its_time_is_over(whole: bytes) -> None:
    with answering(whole, byte_by_byte=0.1) as address:
        began = time.monotonic()
        with pytest.raises(UnreachableError):
            Connection(address, DeskKey(bytes(range(32)))).ask("GET", "/v1/sign-in", seconds=1)
        assert time.monotonic() - began < 10


def test_it_goes_through_the_proxy_that_the_system_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """CONNECT, with the proxy's own user: the house's name is said to the proxy alone, and no token goes to it."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                seen.append(client.recv(65_536))
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://anna:se%40cret@127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        connection = Connection("https://klartone.nordlys.example", DeskKey(bytes(range(32))))
        with pytest.raises(UnreachableError):
            connection.ask("GET", "/v1/sign-in", seconds=5)
        thread.join()
    assert seen[0].startswith(b"CONNECT klartone.nordlys.example:443 ")
    assert b"Basic YW5uYTpzZUBjcmV0" in seen[0]
    assert b"DPoP" not in seen[0]
