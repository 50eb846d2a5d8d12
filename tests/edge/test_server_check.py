"""What `klartone doctor` says of an account's server: that it answers, or what is wrong and what to do."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from pathlib import Path

import pytest

from softphone.bootstrap.home import Home, password_name
from softphone.cli.doctor.accounts import ACCOUNTS
from softphone.cli.doctor.finding import Finding
from softphone.cli.doctor.machine import Machine
from softphone.edge.channel import EdgeAccount
from softphone.edge.login import Login
from softphone.edge.server_check import check_server
from softphone.house.membership import HouseFolder, Membership
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Account, Settings
from tests.edge.test_resolver import name_server
from tests.peers.kamailio import kamailio
from tests.peers.processes import free_port
from tests.peers.wire import Wire, header, wire


@pytest.mark.peer("kamailio")
def test_a_server_answers_or_it_is_said_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softphone.edge.server_check.STREAM_LIMIT", 1.0)
    with (
        kamailio({"anna": "x"}) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent,
        socket.create_server(("127.0.0.1", 0)) as mute,
        name_server({("host.test", "A"): ["127.0.0.1"]}) as names,
    ):
        silent.bind(("127.0.0.1", 0))
        away = free_port()

        async def found(place: str, transport: str, proxy: str = "") -> str:
            account = EdgeAccount("a", f"anna@{place}", place, transport, outbound_proxy=proxy)
            state = await check_server(account, ((names[0],), names[1]))
            assert state.server == (proxy or place)
            return state.fault.code if state.fault else "answers"

        async def ask() -> list[str]:
            return await asyncio.gather(
                found(f"host.test:{server.port}", "udp"),
                found(f"127.0.0.1:{server.port}", "tcp"),
                found("elsewhere.test", "udp", f"host.test:{server.port}"),
                found(f"127.0.0.1:{away}", "udp"),
                found(f"127.0.0.1:{away}", "tcp"),
                found(f"127.0.0.1:{silent.getsockname()[1]}", "udp"),
                found(f"127.0.0.1:{mute.getsockname()[1]}", "tcp"),
                found("nobody.test:5060", "udp"),
            )

        told = asyncio.run(ask())
        slow = EdgeAccount("a", "anna@x", f"127.0.0.1:{mute.getsockname()[1]}", "tcp")
        in_time = asyncio.run(check_server(slow, seconds=0.2)).fault
        assert in_time is not None
        assert in_time.code == "silent", "all that is asked of one server has one limit"
        places = (server.address, f"127.0.0.1:{away}")
        accounts = tuple(Account(place, f"anna@{place}", transport="tcp") for place in places)
        home = Home.within(tmp_path)
        home.folders.create()
        direct = Account("direct", "anna@nowhere.test", register=False)
        save_settings(home.folders.config, Settings(accounts=(*accounts, direct)))
        keys = DemoKeyFile(tmp_path / "keys.json")
        keys.set(password_name(server.address), b"x")
        here, gone, alone = ACCOUNTS.look(Machine(home, keys))
        assert server.contacts("anna") == [], "it registers nothing"
        keys.set(password_name(server.address), b"y")
        refused, *_ = ACCOUNTS.look(Machine(home, keys))
        keys.delete(password_name(server.address))
        keyless, *_ = ACCOUNTS.look(Machine(home, keys))
    # Where there is none, a house's agent gets one on the server, and its lead needs none.
    save_settings(home.folders.config, Settings())
    none: list[Finding] = list(ACCOUNTS.look(Machine(home, keys)))
    for roles in (("agent",), ("lead", "custody")):
        HouseFolder(home.folders.data).write(Membership("https://house.test", "", "desk", "person", roles))
        none += ACCOUNTS.look(Machine(home, keys))
    assert [(one.code, one.remedy) for one in none] == [
        ("doctor.account.none", ""),
        ("doctor.account.none", "doctor.account.house.remedy"),
        ("doctor.account.not_wanted", ""),
    ]
    assert (here.code, gone.code, alone.code) == ("doctor.account", "connection.refused", "doctor.account.direct")
    assert (refused.code, keyless.code) == ("ready.registration.refused", "ready.registration.no_password")
    assert told == ["answers", "answers", "answers", "refused", "refused", "silent", "mute", "nowhere"]


REGISTRAR = "WWW-Authenticate", "Authorization", "401 Unauthorized"
PROXY = "Proxy-Authenticate", "Proxy-Authorization", "407 Proxy Authentication Required"


@pytest.mark.parametrize(
    ("asked", "code", "questions"),
    [
        ([(PROXY, "p1", ""), (REGISTRAR, "r1", "")], 200, 3),
        ([(REGISTRAR, "old", ""), (REGISTRAR, "new", ", stale=true")], 200, 3),
        ([(REGISTRAR, "n1", ""), (REGISTRAR, "n2", "")], 401, 2),
    ],
    ids=["a proxy before the registrar", "a nonce that was old", "a wrong password"],
)
def test_each_that_asks_for_a_password_is_answered_as_the_phone_answers_it(
    asked: list[tuple[tuple[str, str, str], str, str]], code: int, questions: int
) -> None:
    """Each asks once; a later question carries right answers to all that asked before."""

    def serve(server: Wire) -> None:
        for done in range(questions):
            said = server.wait_for("REGISTER")
            held = {one[0]: nonce for one, nonce, _ in asked[:done]}
            for place, nonce in held.items():
                own = next(one[1] for one, _, _ in asked if one[0] == place)
                assert _digest(header(said, own), place) == nonce
            if done == len(asked):
                server.send(server.answer(said, "200 OK"), server.peer)
                return
            (name, _, status), nonce, more = asked[done]
            challenge = f'{name}: Digest realm="{name}", nonce="{nonce}", qop="auth"{more}\r\n'
            server.send(server.answer(said, status, more=challenge), server.peer)

    with wire() as server:
        account = EdgeAccount("a", f"anna@127.0.0.1:{server.port}", f"127.0.0.1:{server.port}", "udp")

        async def ask() -> int:
            _, state = await asyncio.gather(
                asyncio.to_thread(serve, server), check_server(account, login=Login("anna", "x"))
            )
            return state.code

        assert asyncio.run(ask()) == code
        assert server.silent(0.2), "it does not go on asking"


def _digest(answer: str, realm: str) -> str:
    """The nonce of a right answer to this realm."""
    said = dict(re.findall(r'(\w+)="?([^",]*)"?', answer))
    who = hashlib.md5(f"anna:{realm}:x".encode()).hexdigest()
    what = hashlib.md5(f"REGISTER:{said['uri']}".encode()).hexdigest()
    whole = f"{who}:{said['nonce']}:{said['nc']}:{said['cnonce']}:auth:{what}"
    assert said["response"] == hashlib.md5(whole.encode()).hexdigest()
    return said["nonce"]
