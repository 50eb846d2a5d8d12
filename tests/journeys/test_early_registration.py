"""A phone registers before its archive, its policy and its rules are loaded. A call that comes meanwhile is not lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.system.endpoint import read_endpoint
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import load_settings, save_settings
from softphone.wire.snapshot import Account, Registration
from tests.bench.registrar import registrar
from tests.journeys.late_engine import LATE
from tests.journeys.stage import build
from tests.peers.processes import end
from tests.peers.wire import wire

pytestmark = pytest.mark.journey


def test_a_phone_registers_before_its_parts_are_loaded_and_a_call_meanwhile_rings_once_they_are(tmp_path: Path) -> None:
    with registrar() as server, wire() as caller:
        on = build(tmp_path, lines=("n1",), program=LATE)
        DemoKeyFile(on.archive_folder / DEMO_KEYS).set(password_name("agent"), b"a password")
        config = on.home.folders.config
        account = Account("agent", f"agent@{server.address}", register=True)
        save_settings(config, replace(load_settings(config), accounts=(account,)))
        on.launch_engine()
        try:
            assert server.registered.wait(20)
            assert read_endpoint(on.runtime) is None
            port = int(server.contact.partition(";")[0].rpartition(":")[2])
            caller.call(port)
            caller.wait_for("SIP/2.0 100")
            assert on.engine.stdin is not None
            on.engine.stdin.write(b"\n")
            on.engine.stdin.flush()
            on.meet_engine()
            caller.wait_for("SIP/2.0 180", 10)
            on.desk.wait(lambda now: now.accounts[0].registration is Registration.REGISTERED, "registered")
            call = on.desk.wait(lambda now: now.calls[0] if now.calls else None, "a call")
            # What may not be recorded by then is not, and the agent sees why.
            assert call.status is not None
            assert call.status.reasons
            on.end()
            log = (on.home.folders.log / "engine.log").read_text("utf-8")
            assert log.count("account 1: registered 200") == 1
            assert not [one for one in ("agent@", server.address) if one in log]
        finally:
            end(on.engine)
