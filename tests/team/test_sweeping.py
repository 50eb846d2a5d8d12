"""What has reached its moment goes: from the database, then from storage, with a tombstone between; by the real command."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from softphone.team.logins import login
from softphone.team.objects import Bucket, Stones, Storage, Tombstone
from softphone.team.objects.client import Client
from softphone.team.schema import SWEEPER
from softphone.team.settings import read_settings
from softphone.team.sweeping import Swept, sweep
from tests.peers import radosgw
from tests.team.desk import made
from tests.team.served import Team, whole
from tests.team.test_arriving import hold

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql"), radosgw.TOO]


def buried(team: Team) -> list[Tombstone]:
    ((key,),) = team.sql("SELECT key FROM stone_key")

    async def deed(bucket: Bucket) -> list[Tombstone]:
        return [one async for one in Stones(bucket, key).tombstones(None)]

    return team.s3(deed)


@pytest.mark.rule("G10", "G04")
def test_a_sweep_erases_every_version_of_what_nothing_keeps_and_nothing_else(team: Team) -> None:
    desk = team.desk("agent")
    past = datetime.now(UTC) - timedelta(days=100)
    kept = made(team.keys)
    stuck, expired = (made(team.keys, started=past, purposes=("training",)) for _ in range(2))
    held, lifted = (made(team.keys, purposes=("documentation",)) for _ in range(2))
    held.told["holds"], lifted.told["holds"] = [hold()], [hold()]
    for one in (kept, held, lifted):
        assert whole(desk.upload(one))["state"] == "stored"
    # It came past its date: it never became a recording, and its object is to go.
    for one in (stuck, expired):
        assert whole(desk.upload(one))["state"] == "erased"
    for one in (held, lifted):
        back = {"withdrawal": str(uuid4()), "call_group": one.told["call"]["call"], "purposes": ["documentation"]}
        assert whole(desk.ask("POST", "/v1/withdrawals", back | {"reason": "withdrawn"})) == {"recordings": 1}
    team.sql("UPDATE holds SET lifted_at = now() WHERE recording = %s", lifted.recording)  # as custody does
    begun = made(team.keys)
    assert desk.whole(begun, call=begun.told["call"] | {"agent": "bo@klartone.test"}).code == "not_yours"
    team.sql("UPDATE uploads SET touched_at = now() - interval '15 days'")
    team.sql("UPDATE proofs SET until = now()")

    async def locked(bucket: Bucket) -> None:
        ((key,),) = team.sql("SELECT object_key FROM tombstones WHERE recording = %s", stuck.recording)
        until = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
        (version,) = await bucket.versions(key)
        await bucket.client.call("put_object_retention", Key=key, VersionId=version, Retention=until)

    # Somebody has locked the oldest: storage refuses it, and nothing else waits for it.
    team.s3(locked)
    done = team.command("sweep")
    assert (done.status, done.errors) == (1, "")
    assert "Storage would not let a file go." in done.out
    assert {name for name, _ in team.kept()} == {one.recording for one in (kept, held, stuck, begun)}
    assert {one.id for one in buried(team)} == {one.recording for one in (stuck, expired, lifted)}
    rows = team.sql("SELECT recording::text, written_at IS NOT NULL, erased_at IS NOT NULL FROM tombstones")
    assert set(rows) == {(one.recording, True, one is not stuck) for one in (stuck, expired, lifted)}
    assert team.sql("SELECT count(*) FROM proofs") == [(0,)]
    assert team.events().count("recording_erased") == 2
    assert team.sql("SELECT count(*) FROM uploads") == [(0,)]
    # What is under way when an upload is given up may still come: storage is asked a while later.
    assert team.command("sweep").out == "Nothing was due.\n"
    team.sql("UPDATE uploads_ended SET ended_at = now() - interval '11 minutes'")
    assert team.command("sweep").status == 0
    assert begun.recording not in {name for name, _ in team.kept()}
    assert whole(desk.upload(begun))["state"] == "stored"


class Died(Exception):  # noqa: N818 - the test's own end
    """The sweeper is gone, at this call."""


class Dying(Client):
    """It asks storage so many times."""

    def __init__(self, storage: Storage, calls: int) -> None:
        super().__init__(storage)
        self.left = calls

    async def call(self, what: str, **given: Any) -> dict[str, Any]:
        if not self.left:
            raise Died(what)
        self.left -= 1
        return await super().call(what, **given)


async def swept(team: Team, calls: int, later: timedelta = timedelta()) -> Swept | None:
    """None: it died."""
    bucket = Bucket(team.storage)
    bucket.client.close()
    bucket.client = Dying(team.storage, calls)
    try:
        async with login(read_settings(team.settings).database, SWEEPER, "", most=2) as rows:
            return await sweep(rows, bucket, datetime.now(UTC) + later)
    except Died:
        return None
    finally:
        bucket.close()


def test_a_sweep_that_dies_at_any_call_of_storage_says_nothing_untrue_and_the_next_goes_on(team: Team) -> None:
    desk, past = team.desk("agent"), datetime.now(UTC) - timedelta(days=100)
    one = made(team.keys, started=past, purposes=("training",))
    assert whole(desk.upload(one))["state"] == "erased"
    told: list[tuple[bool, bool, bool]] = []
    for calls in range(20):
        team.sql("UPDATE tombstones SET tried_at = NULL")  # ten minutes have gone
        done = asyncio.run(swept(team, calls))
        ((said,),) = team.sql("SELECT erased_at IS NOT NULL FROM tombstones")
        stone, there = bool(buried(team)), team.kept() != []
        told.append((stone, there, said))
        if done is not None:
            break
    assert told[-1] == (True, False, True)
    assert len(told) >= 4
    assert all(stone or there for stone, there, _ in told)  # no object goes before its tombstone lies there
    assert all(not there for _, there, said in told if said)
    assert team.events().count("recording_erased") == 1

    # A service was killed between storage, where an upload had begun, and the database.
    async def begins(bucket: Bucket) -> str:
        return await bucket.begin("recordings/x/y")

    team.s3(begins)
    assert asyncio.run(swept(team, 99)) == Swept()
    assert asyncio.run(swept(team, 99, timedelta(days=31))) == Swept(uploads=1)


@pytest.mark.rule("G04")
def test_a_withdrawal_is_forgotten_once_nothing_can_arrive_that_it_would_reach(team: Team) -> None:
    desk = team.desk("agent")
    back = {"purposes": ["training"], "reason": "withdrawn"}
    for days in (0, 91, 200):
        told = {"withdrawal": str(uuid4()), "call_group": str(uuid4())}
        assert whole(desk.ask("POST", "/v1/withdrawals", back | told)) == {"recordings": 0}
        query = "UPDATE withdrawals SET at = now() - %s WHERE withdrawal = %s"
        team.sql(query, timedelta(days=days), told["withdrawal"])
    assert team.command("sweep").status == 0
    assert team.sql("SELECT count(*) FROM withdrawals") == [(3,)]  # no policy has said how long it keeps anything
    team.policy(2, {"documentation": "P2M", "training": "P3M"})
    assert team.command("sweep").status == 0
    assert team.sql("SELECT count(*) FROM withdrawals") == [(2,)]
