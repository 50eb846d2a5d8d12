"""Storage is believed where it proves what it says: what somebody else wrote there erases nothing, and what it has lost is sent
again by the desk that still has it (ADR 079)."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.errors import TeamError
from softphone.domain.heads import Head
from softphone.system.signature import public_half
from softphone.team.objects import Bucket, Stone, Stones, Storage, Tombstone, client
from softphone.team.objects.bucket import digest
from softphone.team.objects.tombstones import put_head
from softphone.team.proving.heads import signed_by
from tests.peers import radosgw
from tests.team.desk import Made, made
from tests.team.served import Team, whole
from tests.team.test_arriving import hold
from tests.team.test_comparing import at, is_held
from tests.team.test_restored import backup, stands

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql"), radosgw.TOO]
NOW = "2026-12-04T10:00:00+00:00"


def forge(team: Team, of: Made) -> set[str]:
    """With the bucket's key, and without the house's: a tombstone, an end of its purpose, a head, and nothing one can read."""
    stranger = Ed25519PrivateKey.generate().private_bytes_raw()
    key, _ = at(team, of)
    now = datetime.now(UTC)
    tombstone = Tombstone(now, "recording", of.recording, key, "expired")
    stone = Stone(
        "purposes",
        f"{of.recording}/documentation",
        now,
        {"recording": of.recording, "purpose": "documentation", "stands": "taken_back", "reason": "withdrawn"},
    )
    ((serial, head),) = team.sql("SELECT serial, to_jsonb(h) FROM signed_heads h ORDER BY serial DESC LIMIT 1")
    last = Head.of(head)
    forged = replace(last, serial=serial + 1, previous=last.digest(), key=public_half(stranger))

    async def deed(bucket: Bucket) -> None:
        for one in (tombstone, stone):
            await Stones(bucket, bytes(32)).write(one)
        plain = json.dumps({"at": now.isoformat(), "what": "recording", "id": of.recording, "object": key, "why": ""})
        other = replace(tombstone, at=now + timedelta(seconds=1))
        for name, data in ((other.key, plain.encode()), ("tombstones/none", b"{}")):
            await bucket.put(name, data, digest(data))
        await put_head(bucket, signed_by(stranger, forged))

    team.s3(deed)
    return {
        tombstone.key,
        stone.key,
        replace(tombstone, at=now + timedelta(seconds=1)).key,
        "tombstones/none",
        f"heads/{serial + 1:012}",
    }


@pytest.mark.rule("G10", "G11")
def test_who_can_write_to_the_bucket_erases_nothing_stops_nobody_and_is_told(team: Team) -> None:
    desk = team.desk("agent")
    one = made(team.keys, purposes=("documentation",))
    one.told["holds"] = [hold()]
    whole(desk.upload(one))
    assert team.command("sweep").status == 0
    keys = forge(team, one)
    team.stop(signal.SIGTERM)
    team.start()
    assert whole(desk.begin(one))["state"] == "stored"
    assert team.command("sweep").status == 0
    done = team.command("restored")
    assert (done.status, "forgotten nothing" in done.errors or "--yes" in done.errors) == (1, True), done.errors
    done = team.command("verify", "--digests", "all", "--json")
    told = [json.loads(line) for line in done.out.splitlines()]
    assert {row["of"] for row in told if row["what"] == "forged"} == keys
    assert (done.status, len(told)) == (1, len(keys))
    # Whoever insists is shown what is forged; it takes nothing all the same.
    done = team.command("restored", "--yes")
    assert done.status == 0, done.errors
    assert all(key in done.out for key in keys)
    assert stands(team, one.recording) == {"documentation": "keeps"}
    assert is_held(team, one)
    # The sweep has signed its own head in the other's place.
    assert team.command("verify", "--json").out.count("heads/") == 0


@pytest.mark.rule("G04", "G10")
def test_a_restore_lists_what_it_would_erase_and_wants_a_yes_also_where_a_tombstone_was_written_over(
    team: Team,
) -> None:
    desk = team.desk("agent")
    one, other = (made(team.keys) for _ in range(2))
    for each in (one, other):
        whole(desk.upload(each))
    assert team.command("sweep").status == 0
    with backup(team):
        for each in (one, other):
            back = {"withdrawal": str(uuid4()), "call_group": each.told["call"]["call"], "reason": "withdrawn"}
            whole(desk.ask("POST", "/v1/withdrawals", back | {"purposes": ["documentation", "training"]}))
        assert team.command("sweep").status == 0
        them = sorted(key for key in team.keys_in_s3() if key.startswith("tombstones/"))
        team.s3(lambda bucket: bucket.put(them[0], b"{}", digest(b"{}")))
    team.sql("INSERT INTO holds (hold, recording, raised_for, at) VALUES ('late', %s, 'party', now())", other.recording)
    done = team.command("restored")
    assert (done.status, "--yes" in done.errors) == (1, True)
    assert f"Held, and erased now: {other.recording}" in done.out
    assert f"Before its day, and erased now: {one.recording}" in done.out
    assert f"Not written by the house, and counts for nothing: {them[0]}" in done.out
    assert stands(team, one.recording) != {}, "nothing was changed"
    done = team.command("restored", "--yes")
    assert "Recordings erased: 2." in done.out, done.errors
    assert [stands(team, each.recording) for each in (one, other)] == [{}, {}]


def lose(team: Team, one: Made) -> None:
    """Storage says that it has it, and has it not."""
    key, version = at(team, one)
    team.s3(lambda bucket: bucket.end_version(key, version))


@pytest.mark.rule("G10")
def test_what_storage_has_lost_is_sent_again_before_the_desk_lets_go_and_all_else_of_it_stands(team: Team) -> None:
    desk, stranger = team.desk("agent"), team.desk("agent", name="bo")
    short, long = made(team.keys, purposes=("documentation",)), made(team.keys, seconds=70, packet=1_600)
    short.told["holds"] = [hold()]
    receipts = [whole(desk.upload(each))["receipt"] for each in (short, long)]
    before = stands(team, short.recording)
    for each in (short, long):
        lose(team, each)
    assert stranger.begin(short).code == "conflict"
    for each, receipt in zip((short, long), receipts, strict=True):
        assert whole(desk.begin(each))["state"] == "going_on"
        assert whole(desk.upload(each))["receipt"] == receipt
        assert whole(desk.begin(each))["state"] == "stored"
    assert team.command("sweep").status == 0
    assert is_held(team, short)
    assert stands(team, short.recording) == before
    assert [team.events().count(what) for what in ("object_missing", "object_again")] == [2, 2]
    done = team.command("verify", "--digests", "all")
    assert done.status == 0, done.out
    # A comparison finds it too, and tells the desk.
    lose(team, long)
    assert team.command("verify").status == 1
    assert whole(desk.upload(long))["state"] == "stored"
    assert team.command("verify", "--digests", "all").status == 0


@pytest.fixture
def silent(storage: Storage) -> Iterator[Storage]:
    """In storage's place somebody who takes all and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ends = threading.Event()
        kept: list[socket.socket] = []

        def take() -> None:
            server.settimeout(0.1)
            while not ends.is_set():
                with suppress(TimeoutError):
                    kept.append(server.accept()[0])

        thread = threading.Thread(target=take)
        thread.start()
        yield replace(storage, endpoint=f"http://127.0.0.1:{server.getsockname()[1]}")
        ends.set()
        thread.join()
        for one in kept:
            one.close()


def test_a_call_to_storage_ends_in_time_however_slow_that_is(silent: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_WHOLE", 0.3)
    monkeypatch.setattr(client, "_READ", 1)
    bucket, begun = Bucket(silent), time.monotonic()
    with pytest.raises(TeamError) as raised:
        asyncio.run(bucket.put("a", b"a", digest(b"a")))
    assert (raised.value.code, raised.value.params["detail"]) == ("error.team.storage_unreachable", "too slow")
    assert time.monotonic() - begun < 5
