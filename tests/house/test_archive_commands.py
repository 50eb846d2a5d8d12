"""`klartone archive …` on desks of a house: what an agent recorded, a lead hears and data protection finds on other machines."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.crypto import ring
from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.crypto.wraps import fingerprint, private_name
from softphone.archive.outbox.shipping import Waiting
from softphone.archive.seen.machine import MachineArchive
from softphone.domain.purpose import KeyRole
from softphone.system.paths import UserFolders
from softphone.system.settings import save_settings
from softphone.system.signature import new_signing_key
from softphone.wire.snapshot import Account, Settings
from tests.house.joined import Home, link, publish
from tests.team.desk import NUMBER, made, spoken
from tests.team.served import ANNA, Team, whole

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]


def joined(team: Team, home: Home, key: bytes, role: str, *keys: KeyRole, agents: tuple[str, ...] = ()) -> Home:
    for one in keys:
        private = team.keys.keys[one]
        public = private.public_key().public_bytes_raw()
        home.keys.set(private_name(fingerprint(public)), private.private_bytes_raw())
        ring.remember(home.keys, Known(f"{one.value}-1", KeyPurpose(one.value), public))
    done = home.does("join", link(team, key, role, name=home.root.name, agents=agents), "--authority", team.authority)
    assert done.status == 0, done.err
    return home


def lists(home: Home, *words: str) -> list[dict[str, Any]]:
    said = home.does("archive", "list", "--json", *words)
    assert said.status == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


@pytest.mark.rule("G11")
def test_commands_on_desks_of_a_house_find_show_and_export_what_each_may(
    team_tls: Team, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    team, key = team_tls, new_signing_key()
    publish(team, 7, key)
    anna, handler, dpo, it = (Home(tmp_path / name, capsys) for name in ("anna", "sofie", "mette", "ib"))
    joined(team, anna, key, "agent", agents=(ANNA,))
    joined(team, handler, key, "case_handler", KeyRole.DOCUMENTATION)
    joined(team, dpo, key, "custody", KeyRole.CUSTODY)
    joined(team, it, key, "it")
    one = made(team.keys, sound=spoken(2), started=datetime.now(UTC) - timedelta(hours=1))
    assert whole(team.desk("agent", name="anna").upload(one))["state"] == "stored"

    assert [(row["recording"], row["number"]) for row in lists(anna)] == [(one.recording, None)]
    assert [row["number"] for row in lists(handler, "--number", NUMBER)] == [NUMBER]
    assert lists(handler, "--number", "+4520000000") == []
    assert dpo.does("archive", "list", "--count").out.split() == ["1"]
    shown = json.loads(handler.does("archive", "show", one.recording, "--json").out)
    assert "recording_arrived" in [entry["event"] for entry in shown["audit"]]
    assert "arrived in your organisation's archive" in handler.does("archive", "show", one.recording[:30]).out
    wav = tmp_path / "out.wav"
    refused = handler.does("archive", "export", one.recording, "--wav", str(wav))
    assert (refused.status, wav.exists(), "--why" in refused.err) == (1, False, True)
    assert handler.does("archive", "export", one.recording, "--wav", str(wav), "--why", "om prisen").status == 0
    assert wav.stat().st_size > 2 * 2 * 2 * 16_000
    told = dpo.does("archive", "show", one.recording).out
    assert "om prisen" in told
    for words in (["list"], ["show", one.recording], ["export", one.recording, "--wav", str(tmp_path / "no.wav")]):
        said = it.does("archive", *words)
        assert (said.status, "Traceback" in said.err, bool(said.err)) == (1, False, True), words

    told = json.loads(
        dpo.does("archive", "log", "--json", "--event", "recording_opened", "--recording", one.recording[:30]).out
    )
    assert (told["recording"], told["params"]["stated"]) == (one.recording, "om prisen")
    assert told["params"]["person"] == "sofie"
    assert "sofie" in dpo.does("archive", "show", one.recording).out
    assert "Signed in as case handler: sofie" in dpo.does("archive", "log", "--event", "signed_in").out
    page = dpo.does("archive", "log", "--limit", "2").out
    assert "--before" in page
    assert "opend" in dpo.does("archive", "log", "--event", "opend").err
    assert (handler.does("archive", "log").status, handler.does("archive", "log").out) == (1, "")
    assert "klartone team people" in it.does("archive", "list").err
    # IT reads what looks after the house, by names, and nothing of a call, whoever asks for it.
    operations = it.does("archive", "log").out
    assert "took policy number 7" in operations
    assert "Refused: to read the audit log" not in operations
    told = [json.loads(line) for line in it.does("archive", "log", "--json", "--limit", "1000").out.splitlines()]
    assert {row["recording"] for row in told} == {None}
    assert "recording_arrived" not in {row["event"] for row in told}
    assert it.does("archive", "log", "--json", "--recording", one.recording).out == ""

    # The house tells an agent no number: their own desk knows it from its list of calls.
    folders = UserFolders.within(anna.root)
    save_settings(folders.config, Settings(accounts=(Account("one", "anna@klartone.test"),)))
    with closing(Archive.open(folders.archive, anna.keys)) as local, local.catalog.writing() as tx:
        own = OwnCall(str(one.told["call"]["call"]), "anna@klartone.test", datetime.now(UTC), date.max, _told(NUMBER))
        own_calls.put(tx, local.secrets, own)
    assert [(row["recording"], row["number"]) for row in lists(anna)] == [(one.recording, NUMBER)]
    assert lists(anna, "--here") == []

    # A folder that is named is this machine's too.
    assert lists(anna, "--archive", str(folders.archive)) == []
    monkeypatch.setattr(MachineArchive, "unshipped", _waits)
    assert "3 recordings of this machine have not been sent" in anna.does("archive", "list").err

    team.stop()
    for words in (["archive", "list"], ["archive", "show", one.recording], ["holds", "list"]):
        said = handler.does(*words)
        assert (said.status, "does not answer" in said.err, said.out) == (1, True, ""), said.err


def _told(number: str) -> str:
    """As a row of the desk's list stands in its archive."""
    return json.dumps({"number": number})


def _waits(_: MachineArchive) -> Waiting:
    return Waiting(recordings=3)
