"""What has reached its moment goes: from the database, then from storage, with a tombstone between; by the real command."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from softphone.team.logins import login
from softphone.team.objects import Bucket, Storage, Tombstone, buried_since
from softphone.team.objects.client import Client
from softphone.team.schema import SWEEPER
from softphone.team.settings import read_settings
from softphone.team.sweeping import Swept, sweep
from tests.team.desk import made
from tests.team.served import Team, whole
from tests.team.test_arriving import hold

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]


async def stones(bucket: Bucket) -> list[Tombstone]:
    return [one async for one in buried_since(bucket, None)]


@pytest.mark.rule("G10", "G04")
def test_a_sweep_erases_every_version_of_what_nothing_keeps_and_nothing_else(team: Team) -> None:
    desk = team.desk("agent")
    past = datetime.now(UTC) - timedelta(days=100)
    kept, expired = made(team.keys), made(team.keys, started=past, purposes=("training",))
    held, lifted = (made(team.keys, purposes=("documentation",)) for _ in range(2))
    held.told["holds"], lifted.told["holds"] = [hold()], [hold()]
    for one in (kept, held, lifted):
        assert whole(desk.upload(one))["state"] == "stored"
    # It came past its date: it never became a recording, and its object is to go.
    assert whole(desk.upload(expired))["state"] == "erased"
    for one in (held, lifted):
        back = {"withdrawal": str(uuid4()), "call_group": one.told["call"]["call"], "purposes": ["documentation"]}
        assert whole(desk.ask("POST", "/v1/withdrawals", back | {"reason": "withdrawn"})) == {"recordings": 1}
    team.sql("UPDATE holds SET lifted_at = now() WHERE recording = %s", lifted.recording)  # as custody does
    begun = made(team.keys)
    whole(desk.begin(begun))
    assert desk.part(begun, 1).status == 204
    team.sql("UPDATE uploads SET touched_at = now() - interval '15 days'")
    done = team.command("sweep")
    assert done.status == 0, done.errors
    left = {name for name in team.keys_in_s3() if name.startswith("recordings/")}
    assert left == {f"recordings/{one.recording}" for one in (kept, held)}
    buried = team.s3(stones)
    assert {(one.id, one.object) for one in buried} == {
        (one.recording, f"recordings/{one.recording}") for one in (expired, lifted)
    }
    rows = team.sql("SELECT recording::text, written_at IS NOT NULL, erased_at IS NOT NULL FROM tombstones")
    assert set(rows) == {(one.recording, True, True) for one in (expired, lifted)}
    assert team.events().count("recording_erased") == 2
    assert team.sql("SELECT count(*) FROM uploads") == [(0,)]
    again = team.command("sweep")
    assert (again.status, again.out) == (0, "Nothing was due.\n")
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


async def swept(team: Team, calls: int) -> Swept | None:
    """None: it died."""
    bucket = Bucket(team.storage)
    bucket.client.close()
    bucket.client = Dying(team.storage, calls)
    try:
        async with login(read_settings(team.settings).database, SWEEPER, "", most=2) as rows:
            return await sweep(rows, bucket, datetime.now(UTC))
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
        done = asyncio.run(swept(team, calls))
        ((said,),) = team.sql("SELECT erased_at IS NOT NULL FROM tombstones")
        stone, there = bool(team.s3(stones)), f"recordings/{one.recording}" in team.keys_in_s3()
        told.append((stone, there, said))
        if done is not None:
            break
    assert told[-1] == (True, False, True)
    assert len(told) >= 4
    assert all(stone or there for stone, there, _ in told)  # no object goes before its tombstone lies there
    assert all(not there for _, there, said in told if said)
    assert team.events().count("recording_erased") == 1
