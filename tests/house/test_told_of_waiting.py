"""`klartone status` and `klartone doctor` say what waits for the house, since when, and why it does not go."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone import __version__, cli
from softphone.archive.archive import Archive
from softphone.archive.outbox import rows
from softphone.bootstrap.home import Home
from softphone.cli.doctor.archive import ARCHIVE
from softphone.cli.doctor.machine import Machine
from softphone.domain.changes import RememberRefusal
from softphone.engine.server import Attached, Server
from softphone.system.endpoint import Endpoint, new_secret, unix_sockets, write_endpoint
from softphone.system.secrets import DemoKeyFile
from softphone.wire.codec import PROTOCOL
from softphone.wire.snapshot import CodedText, ShippingState
from tests.archive.scene import Scene
from tests.ui import states


@contextmanager
def phone(home: Home, shipping: ShippingState) -> Generator[None]:
    """One that runs, and shows that."""

    def show(said: object) -> None:
        if isinstance(said, Attached):
            said.client.outbox.put(replace(states.READY, shipping=shipping))

    secret = new_secret()
    server = Server(home.folders.runtime, secret, __version__, show, unix=unix_sockets())
    write_endpoint(home.folders.runtime, Endpoint(server.address, secret, os.getpid(), PROTOCOL))
    try:
        yield
    finally:
        server.close()


def test_status_says_how_much_waits_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    home = Home.within(tmp_path)
    home.folders.create()
    away = CodedText("error.house.unreachable", {"server": "klartone.nordlys.example", "reason": "timed out"})
    since = datetime.now(UTC) - timedelta(hours=3)
    with phone(home, ShippingState(told=1, recordings=3, since=since, trouble=away)):
        assert cli.main(["--home", str(tmp_path), "status"]) == 0
        said = capsys.readouterr().out
        assert "4 things wait for your organisation's archive" in said
        assert "does not answer. Nothing is lost." in said
        assert cli.main(["--home", str(tmp_path), "status", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)["shipping"]
        assert (told["recordings"], told["changes"], told["trouble"]) == (3, 1, "error.house.unreachable")
    with phone(home, ShippingState(signed_in=False, trouble=CodedText("error.house.signed_out"))):
        assert cli.main(["--home", str(tmp_path), "status"]) == 0
        assert "has signed this machine out" in capsys.readouterr().out


def test_the_doctor_says_what_waits_longer_than_a_day_and_nothing_on_a_desk_on_its_own(tmp_path: Path) -> None:
    home = Home.within(tmp_path)
    home.folders.create()
    folder, keys = home.folders.archive, DemoKeyFile(tmp_path / "keys.json")
    scene = Scene(folder, demo=True, store=keys, another=True)

    def found() -> list[str]:
        machine = Machine(home, keys)
        return [one.code for one in ARCHIVE.look(machine) if one.code.startswith("doctor.shipping")]

    try:
        assert found() == []
        with scene.archive.catalog.writing() as tx:
            rows.begin(tx, datetime.now(UTC) - timedelta(days=3))
        assert found() == ["doctor.shipping"]
        call = scene.call()
        scene.commit(RememberRefusal(call, datetime.now(UTC)), call=call)
        assert found() == ["doctor.shipping.waits"]
        with closing(Archive.open(folder, keys)) as archive, archive.catalog.writing() as tx:
            old = (datetime.now(UTC) - timedelta(days=2)).isoformat()
            tx.connection.exec_driver_sql(f"UPDATE outbox SET at = '{old}', failed = 'error.team.not_yours'")
        assert found() == ["doctor.shipping.late", "doctor.shipping.refused"]
    finally:
        scene.close()
