"""A service that is killed at any instant of an upload: nothing lost, nothing twice, whatever the desk saw of it."""

from __future__ import annotations

import hashlib
import http.client
import random
import signal
import threading

import pytest

from softphone.team.objects import Bucket
from tests.team.desk import Desk, Made, made
from tests.team.served import Team

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
_GONE = (ConnectionError, http.client.HTTPException, TimeoutError)


class Courier(threading.Thread):
    """Ships until all is receipted, and asks again after whatever went wrong: as little as a real one may know."""

    def __init__(self, desk: Desk, them: list[Made], up: threading.Event) -> None:
        super().__init__()
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
