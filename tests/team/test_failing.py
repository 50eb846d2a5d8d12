"""Storage that refuses, is late or full, or has an old certificate: nothing is lost, and IT reads whose fault it is."""

from __future__ import annotations

import re
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from softphone.team.objects import Storage
from softphone.team.schema import setting_up
from tests.archive.disk import fill, tmpfs
from tests.peers import seaweedfs
from tests.peers.authority import Authority
from tests.peers.postgres import Server, answers, mortal
from tests.peers.processes import until
from tests.peers.tcp_way import Way, way
from tests.team.desk import Desk, made, port_of
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]


@dataclass
class Behind:
    """A house whose storage is reached over a way that ends TLS."""

    team: Team
    s3: Way
    tls: ssl.SSLContext
    authority: Authority

    def certificate(self, *, ends: int) -> None:
        """Of storage, until so many days from now. Who has a connection makes a new one."""
        signed = self.authority.sign("s3", "127.0.0.1", begins=-9, ends=ends)
        self.tls.load_cert_chain(signed.certificate, signed.key)
        self.s3.cut()
        self.s3.mend()


@pytest.fixture
def behind(tmp_path: Path, postgres: Server, database: str, storage: Storage) -> Iterator[Behind]:
    authority, tls = Authority(tmp_path / "s3"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with way(port_of(storage.endpoint), tls) as s3:
        over = replace(storage, endpoint=f"https://127.0.0.1:{s3.port}", authority=str(authority.file))
        one = Behind(Team(tmp_path, postgres, database, over), s3, tls, authority)
        one.certificate(ends=30)
        one.team.policy()
        try:
            one.team.start()
            yield one
        finally:
            one.team.end()


def answered(status: int, code: str) -> bytes:
    told = f"<Error><Code>{code}</Code></Error>"
    return f"HTTP/1.1 {status} No\r\nContent-Length: {len(told)}\r\nConnection: close\r\n\r\n{told}".encode()


def test_what_storage_does_not_do_is_logged_by_its_own_code_and_done_once_it_does(behind: Behind) -> None:
    team, s3 = behind.team, behind.s3
    desk, it = team.desk("agent"), team.desk("it", agents=[])
    them = [made(team.keys) for _ in range(4)]

    def refused(number: int, code: str, detail: str) -> None:
        answer = desk.upload(them[number])
        assert (answer.status, answer.code, "retry-after" in answer.headers) == (503, code, True), answer.body
        said = f'"code": "{code}", "detail": "{detail}"}}'
        until(lambda: team.log().count(said) == 1, 10, said)
        ready = it.ask("GET", "/health/ready", proof="")
        assert (ready.status, ready.json["params"]) == (503, {"what": "storage"})

    faults = ((503, "SlowDown", "unreachable"), (400, "ExpiredToken", "refused"), (507, "StorageFull", "unreachable"))
    for number, (status, detail, kind) in enumerate(faults):
        s3.answered = lambda _, status=status, detail=detail: answered(status, detail)
        refused(number, f"storage_{kind}", detail)
        s3.answered = bytes
        assert whole(desk.upload(them[number]))["state"] == "stored"
    # Taken, and no version said: nobody would know later whether it lies there.
    s3.answered = lambda data: re.sub(rb"(?i)x-amz-version-id", b"x-amz-version-no", data)
    lying = made(team.keys)
    assert desk.upload(lying).code == "storage_unreachable"
    s3.answered = bytes
    assert whole(desk.upload(lying))["state"] == "stored"
    behind.certificate(ends=-1)
    refused(3, "storage_unreachable", "SSLError")
    behind.certificate(ends=30)
    assert whole(desk.upload(them[3]))["state"] == "stored"
    # The network is cut in the middle of a long one's first part, and the next look goes on there.
    them.append(made(team.keys, seconds=70, packet=1_600))
    passed: list[int] = []

    def cut(data: bytes) -> bytes:
        passed.append(len(data))
        if sum(passed) > 1 << 20:
            s3.cut()
        return data

    s3.sent = cut
    assert desk.upload(them[4]).code == "storage_unreachable"
    s3.sent = bytes
    s3.mend()
    assert whole(desk.upload(them[4]))["state"] == "stored"
    figures = it.ask("GET", "/metrics", proof="").body.decode()
    assert 'code="storage_unreachable"} 5.0' in figures
    assert 'code="storage_refused"} 1.0' in figures
    assert [name for name, _ in team.kept()] == sorted(one.recording for one in (*them, lying))
    assert team.events().count("recording_arrived") == 6
    assert whole(it.ask("GET", "/health/ready", proof=""))["state"] == "ready"


@pytest.mark.torture
def test_storage_that_answers_after_half_a_minute_is_asked_again_and_what_came_twice_goes_whole(behind: Behind) -> None:
    team, late = behind.team, threading.Event()
    desk, one = team.desk("agent"), made(behind.team.keys)

    def once_late(data: bytes) -> bytes:
        if b"200 OK" in data and not late.is_set():
            late.set()
            threading.Event().wait(35)
        return data

    behind.s3.answered = once_late
    assert whole(desk.upload(one))["state"] == "stored"
    assert late.is_set()
    ((name, versions),) = team.kept()
    assert (name, versions) in ((one.recording, 1), (one.recording, 2))
    assert team.command("verify", "--digests", "all").status == 0
    _withdrawn(team, desk, one.told["call"]["call"])
    assert team.kept() == []


@pytest.mark.torture
def test_a_full_disk_of_storage_or_postgresql_is_told_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as ends:
        home = Path(ends.enter_context(TemporaryDirectory(prefix="kfull")))
        home.chmod(0o755)
        of_s3, of_base = (ends.enter_context(tmpfs(home, name, "400m")) for name in ("s3", "base"))
        with monkeypatch.context() as here:
            here.setattr(tempfile, "tempdir", str(of_base))
            base = ends.enter_context(mortal())
        weed, address = seaweedfs.start(of_s3 / "weed")
        ends.callback(lambda: (weed.kill(), weed.wait()))
        base.server.make("house")
        list(setting_up.set_up(base.server.conninfo("house"), {}))
        team = Team(tmp_path, base.server, "house", seaweedfs.bucket(address))
        team.policy()
        team.start()
        ends.callback(team.end)
        desk, them = team.desk("agent"), [made(team.keys)]
        assert desk.upload(them[0]).status == 200  # it has room for a while
        for disk, code in ((of_s3, "storage_unreachable"), (of_base, "unavailable")):
            filled = fill(disk)
            while True:
                them.append(made(team.keys))
                answer = desk.upload(them[-1])
                if answer.status != 200:
                    break
            assert (answer.status, answer.code) == (503, code), answer.body
            filled.unlink()
            if not answers(base.server):  # it had no room for its own log
                base.kill()
            until(lambda: desk.upload(them[-1]).status == 200, 30, "room again")
        assert [name for name, _ in team.kept()] == sorted(one.recording for one in them)
        assert team.command("verify", "--digests", "all").status == 0


def _withdrawn(team: Team, desk: Desk, call: str) -> None:
    told = {"withdrawal": str(uuid4()), "call_group": call, "reason": "withdrawn"}
    whole(desk.ask("POST", "/v1/withdrawals", told | {"purposes": ["documentation", "training"]}))
    assert team.command("sweep").status == 0
