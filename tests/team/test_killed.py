"""A service, a sweep, PostgreSQL or S3 that is killed at any instant of an upload, a hold or an erasure: nothing lost, nothing
twice, nothing held that goes and nothing withdrawn that stays, whatever the desk saw of it."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
import random
import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.schema import SWEEPER, setting_up
from softphone.team.settings import read_settings
from softphone.team.sweeping import sweep
from tests.peers import postgres, seaweedfs
from tests.team.desk import Desk, Made, made
from tests.team.served import Team

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
_GONE = (ConnectionError, http.client.HTTPException, TimeoutError)


class Courier(threading.Thread):
    """Ships until all is receipted, and asks again after whatever went wrong: as little as a real one may know."""

    def __init__(self, desk: Desk, them: list[Made], up: threading.Event) -> None:
        super().__init__(daemon=True)
        self.desk, self.them, self.up = desk, them, up
        self.receipts: dict[str, str] = {}
        self.refused: list[str] = []
        self.broken = 0
        """uploads that a kill cut off"""

    def run(self) -> None:
        while waiting := [one for one in self.them if one.recording not in self.receipts]:
            self.up.wait()
            try:
                answer = self.desk.upload(waiting[0])
            except _GONE:
                self.broken += 1
                continue
            if answer.status == 200 and answer.json["receipt"]:
                self.receipts[waiting[0].recording] = answer.json["receipt"]
            elif answer.status not in (200, 503):
                self.refused.append(answer.code)


def killed(team: Team, times: int, seed: int) -> None:
    rng = random.Random(seed)
    desk, up = team.desk("agent"), threading.Event()
    them: list[Made] = []
    courier = Courier(desk, them, up)
    for _ in range(times):
        # Enough to do for each life; one in three comes in parts.
        them += [made(team.keys, seconds=rng.choice((3, 3, 70)), packet=1_600) for _ in range(2)]
    up.set()
    courier.start()
    for _ in range(times):
        threading.Event().wait(rng.uniform(0.0, 0.25))
        up.clear()
        team.stop(signal.SIGKILL)
        team.start()
        up.set()
    courier.join(60)
    assert not courier.is_alive()
    assert courier.broken >= times // 2
    assert set(courier.refused) <= {"part_missing", "begin_again", "missing"}
    rows = team.sql("SELECT recording::text, digest, object_key, object_version FROM recordings")
    assert {(one, bytes(digest).hex()) for one, digest, *_ in rows} == {
        (one.recording, str(one.told["sha256"])) for one in them
    }
    assert team.events().count("recording_arrived") == len(them)
    assert dict(team.sql("SELECT recording::text, receipt FROM receipts")) == courier.receipts
    assert team.sql("SELECT count(*) FROM uploads") == [(0,)]
    objects = {one: (key, version) for one, _, key, version in rows}

    async def digests(bucket: Bucket) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in them:
            told = hashlib.sha256()
            async for block in bucket.read(*objects[one.recording]):
                told.update(block)
            found[one.recording] = told.hexdigest()
        return found

    assert team.s3(digests) == {one.recording: one.told["sha256"] for one in them}


def test_a_service_killed_six_times_in_mid_upload_loses_nothing_and_does_nothing_twice(team: Team) -> None:
    killed(team, 6, 1)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_kills(team: Team, seed: int) -> None:
    killed(team, 10, seed)


class Deciding(threading.Thread):
    """Says of each recording what is told in `them` until the house has answered: held, or withdrawn."""

    def __init__(self, desk: Desk, them: list[tuple[Made, bool]], up: threading.Event) -> None:
        super().__init__(daemon=True)
        self.desk, self.them, self.up = desk, them, up
        self.broken = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        for one, is_held in self.them:
            hold = {
                "hold": f"{one.recording}-h1",
                "recording": one.recording,
                "raised_for": "party",
                "raised_by": "anna",
            }
            back = {"withdrawal": one.recording, "call_group": one.told["call"]["call"], "reason": "withdrawn"}
            said: dict[str, Any] = (
                {"holds": [hold | {"at": datetime.now(UTC).isoformat()}]}
                if is_held
                else back | {"purposes": ["documentation", "training"]}
            )
            path = "/v1/holds" if is_held else "/v1/withdrawals"
            while True:
                self.up.wait()
                try:
                    answer = self.desk.ask("POST", path, said)
                except _GONE:
                    self.broken += 1
                    continue
                if answer.status == 200:
                    break
                if answer.status != 503:
                    self.wrong.append(answer.code)


def decided(team: Team, times: int, seed: int) -> None:
    """The service is killed in holds and withdrawals, and so are sweeps."""
    rng = random.Random(seed)
    desk, up = team.desk("agent"), threading.Event()
    them = [(made(team.keys, purposes=("documentation",)), rng.random() < 0.5) for _ in range(6 * times)]
    for one, _ in them:
        assert desk.upload(one).status == 200
    up.set()
    deciding = Deciding(desk, them, up)
    deciding.start()
    for _ in range(times):
        sweep = team.begun("sweep")
        threading.Event().wait(rng.uniform(0.0, 0.2))
        up.clear()
        team.stop(signal.SIGKILL)
        team.start()
        up.set()
        threading.Event().wait(rng.uniform(0.0, 0.6))
        sweep.kill()
        sweep.join()
    deciding.join(60)
    assert not deciding.is_alive()
    assert deciding.wrong == []
    # What a killed sweep had in hand is its own for ten minutes.
    team.sql("UPDATE tombstones SET tried_at = NULL")
    team.sql("UPDATE legal_holds_due SET tried_at = NULL")
    team.sql("UPDATE stones SET tried_at = NULL")
    assert team.command("sweep").status == 0
    held = sorted(one.recording for one, is_held in them if is_held)
    assert [one for (one,) in team.sql("SELECT recording::text FROM recordings WHERE held ORDER BY 1")] == held
    assert team.kept() == [(one, 1) for one in held]
    assert team.sql("SELECT count(*) FROM recordings") == [(len(held),)]
    assert team.events().count("recording_erased") == len(them) - len(held)
    assert team.events().count("hold_placed") == len(held)
    assert team.events().count("taken_back") == len(them) - len(held)
    done = team.command("verify", "--digests", "all")
    assert (done.status, len(done.out.splitlines())) == (0, 1), done.out  # nothing to mend either


def test_a_service_and_sweeps_killed_in_holds_and_erasures_hold_and_erase_each_once(team: Team) -> None:
    decided(team, 3, 1)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_kills_in_holds_and_erasures(team: Team, seed: int) -> None:
    decided(team, 10, seed)


def met(team: Team, count: int) -> tuple[int, int]:
    """Each recording comes to its day while two sweeps and a hold reach for it. How many were held, and how many went."""
    desk = team.desk("agent")
    them = [made(team.keys, purposes=("documentation",)) for _ in range(count)]
    for one in them:
        assert desk.upload(one).status == 200
    team.sql(
        "UPDATE purposes SET expires_on = current_date - 1, ends_at = clock_timestamp() + random() * interval '1 second'"
    )
    held: set[str] = set()

    def hold(some: list[Made]) -> None:
        for one in some:
            row = {
                "hold": f"{one.recording}-h1",
                "recording": one.recording,
                "raised_for": "party",
                "raised_by": "anna",
            }
            answer = desk.ask("POST", "/v1/holds", {"holds": [row | {"at": datetime.now(UTC).isoformat()}]})
            assert answer.status == 200, answer.body
            if answer.json["held"]:
                held.add(one.recording)

    order = random.Random(count).sample(them, count)
    threads = [threading.Thread(target=hold, args=(order[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()

    async def sweeps() -> None:
        buckets = [Bucket(team.storage) for _ in range(2)]

        async def one(bucket: Bucket) -> None:
            async with login(read_settings(team.settings).database, SWEEPER, "", most=2) as rows:
                while any(thread.is_alive() for thread in threads):
                    await sweep(rows, bucket, datetime.now(UTC))

        try:
            await asyncio.gather(*map(one, buckets))
        finally:
            for bucket in buckets:
                bucket.close()

    asyncio.run(sweeps())
    for thread in threads:
        thread.join()
    team.sql("UPDATE purposes SET ends_at = now() - interval '1 hour'")
    team.sql("UPDATE legal_holds_due SET tried_at = NULL")
    assert team.command("sweep").status == 0
    # Who was told that it is held finds it, and storage holds it; nothing else is left.
    assert team.kept() == [(one, 1) for one in sorted(held)]
    assert {one for (one,) in team.sql("SELECT recording::text FROM recordings WHERE held")} == held
    done = team.command("verify", "--digests", "none")
    assert (done.status, len(done.out.splitlines())) == (0, 1), done.out
    # Custody lets go: nothing of this round is left for the next.
    team.sql("UPDATE holds SET lifted_at = now()")
    assert team.command("sweep").status == 0
    assert team.kept() == []
    return len(held), count - len(held)


@pytest.mark.torture
def test_a_thousand_of_two_sweepers_and_a_hold_with_storage(team: Team) -> None:
    rounds = [met(team, 40) for _ in range(25)]
    held, went = (sum(counts) for counts in zip(*rounds, strict=True))
    print(f"held {held}, went {went}")
    assert held > 50
    assert went > 50
    assert team.events().count("recording_erased") == 1_000


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(3))
def test_servers_that_are_killed_or_stand_still_in_mid_upload_lose_nothing_that_was_receipted(
    tmp_path: Path, seed: int
) -> None:
    """PostgreSQL and S3 of its own, each killed and stopped (a disk that does not answer) again and again."""
    rng = random.Random(seed)
    with ExitStack() as ends:
        base = ends.enter_context(postgres.mortal())
        home = Path(ends.enter_context(TemporaryDirectory(prefix="kweed")))
        weed, address = seaweedfs.start(home / "data")
        weeds = [weed]
        ends.callback(lambda: (weeds[-1].kill(), weeds[-1].wait()))
        base.server.make("house")
        list(setting_up.set_up(base.server.conninfo("house"), {}))
        team = Team(tmp_path, base.server, "house", seaweedfs.bucket(address))
        team.policy()
        team.start()
        ends.callback(team.stop)
        desk, up = team.desk("agent"), threading.Event()
        them = [made(team.keys, seconds=rng.choice((3, 3, 70)), packet=1_600) for _ in range(60)]
        up.set()
        courier = Courier(desk, them, up)
        courier.start()
        deeds = [*("kill_base", "kill_weed", "stall_base", "stall_weed") * 3]
        rng.shuffle(deeds)
        for deed in deeds:
            threading.Event().wait(rng.uniform(0.2, 1.5))
            if deed == "kill_base":
                base.kill()
            elif deed == "stall_base":
                base.stall(rng.uniform(0.5, 3))
            elif deed == "kill_weed":
                os.killpg(weeds[-1].pid, signal.SIGKILL)
                weeds[-1].wait()
                weeds.append(seaweedfs.again(home / "data"))
            else:
                os.killpg(weeds[-1].pid, signal.SIGSTOP)
                threading.Event().wait(rng.uniform(0.5, 3))
                os.killpg(weeds[-1].pid, signal.SIGCONT)
        courier.join(240)
        assert not courier.is_alive(), team.log()[-3000:]
        assert set(courier.refused) <= {"part_missing", "begin_again", "missing", "storage_absent"}
        rows = {one: bytes(digest).hex() for one, digest in team.sql("SELECT recording::text, digest FROM recordings")}
        assert rows == {one.recording: one.told["sha256"] for one in them}
        assert dict(team.sql("SELECT recording::text, receipt FROM receipts")) == courier.receipts
        done = team.command("verify", "--digests", "all")
        assert done.status == 0, done.out
