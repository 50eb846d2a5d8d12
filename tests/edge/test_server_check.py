"""What `klartone doctor` says of an account's server: that it answers, or what is wrong and what to do."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from softphone.bootstrap.home import Home, password_name
from softphone.cli.doctor.accounts import ACCOUNTS
from softphone.cli.doctor.machine import Machine
from softphone.edge.channel import EdgeAccount
from softphone.edge.server_check import check_server
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Account, Settings
from tests.edge.test_resolver import name_server
from tests.peers.kamailio import kamailio
from tests.peers.processes import free_port


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
    assert (here.code, gone.code, alone.code) == ("doctor.account", "connection.refused", "doctor.account.direct")
    assert (refused.code, keyless.code) == ("ready.registration.refused", "ready.registration.no_password")
    assert told == ["answers", "answers", "answers", "refused", "refused", "silent", "mute", "nowhere"]
