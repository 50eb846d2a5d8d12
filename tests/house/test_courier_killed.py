"""A courier that is killed at any instant: nothing is lost, nothing counts twice, and nothing goes here too early."""

from __future__ import annotations

import base64
import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.examine.verify import verify
from softphone.archive.outbox import rows, shipping
from softphone.domain.changes import DropWraps, HoldBy, PlaceHold, RememberRefusal
from softphone.domain.ids import recording_id
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import DOCUMENTATION, TRAINING, Scene
from tests.house.couriers import Death, Process, Told, courier_of, opened
from tests.house.joined import policy_text, signed_in
from tests.peers.processes import until
from tests.team.local import begun, ended
from tests.team.served import Team
from tests.team.test_heads import an_hour_later, key_of

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
_AT_ONCE = 2
"""kills between which nothing new happens"""


def killed(team: Team, folder: Path, times: int, seed: int) -> None:
    rng = random.Random(seed)
    keys = folder / "archive-keys.json"
    scene = Scene(folder / "archive", demo=True, store=DemoKeyFile(keys), another=True)
    joined = signed_in(team, folder / "home", "agent", desk=scene.archive.desk)
    receipts = base64.b64encode(team.receipts.public_key().public_bytes_raw()).decode()
    told = Told(
        scene.folder,
        keys,
        joined.folder,
        joined.desk,
        team.address,
        team.authority,
        receipts,
        key_of(team),
        policy_text(team, 1),
    )
    since = datetime.now(UTC) - timedelta(days=2)
    with scene.archive.catalog.writing() as tx:
        rows.begin(tx, since)
    files: dict[str, str] = {}
    held, declined, cut_off = set[str](), set[str](), 0
    try:
        for kill in range(times):
            if kill % _AT_ONCE == 0:
                _happen(scene, team, files, held, declined, rng)
            if kill % 10 == 7:
                _head(team)
            seconds = rng.choice((0.0, None, rng.uniform(0.0, 0.05)))
            process = Process(told, Death(rng.randint(1, 6), seconds))
            if kill % _AT_ONCE == 1:
                # In the middle of it all, of whatever it has by then.
                _hold(scene, rng.choice(sorted(set(files) - held)), held)
            cut_off += process.died()
        assert cut_off > 0
        # They were cut off at work, and not before it.
        assert team.sql("SELECT count(*) > 0 FROM recordings") == [(True,)]
        _head(team)
        _all_shipped(scene, told)
        there = dict(team.sql("SELECT recording::text, encode(digest, 'hex') FROM recordings"))
        assert there == files
        assert team.events().count("recording_arrived") == len(files)
        assert {str(one) for (one,) in team.sql("SELECT recording FROM holds WHERE lifted_at IS NULL")} == held
        assert team.events().count("taken_back") == len(declined)
        stands = team.sql("SELECT recording::text FROM purposes WHERE purpose = 'training' AND stands <> 'keeps'")
        assert {one for (one,) in stands} == declined
        local = [(one.number, one.event) for one in scene.archive.audit_of()]
        assert team.sql("SELECT number, event FROM audit WHERE chain = %s ORDER BY number", joined.desk) == local
        assert [event for _, event in local].count("recording_received") == len(files)
        assert team.sql("SELECT count(*) FROM uploads") == [(0,)]
        assert any(not scene.archive.vault.path(one).exists() for one in files)
        assert verify(scene.archive).ok
    finally:
        scene.close()


def _happen(
    scene: Scene, team: Team, files: dict[str, str], held: set[str], declined: set[str], rng: random.Random
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=rng.randint(2, 60))
    which = (DOCUMENTATION, TRAINING)
    call, recording = begun(scene, team.keys, at, *which, number=f"+45701010{rng.randint(10, 99)}")
    ended(scene, call, recording, at, *which, seconds=rng.choice((0.4, 3)))
    files[recording] = hashlib.sha256(scene.archive.vault.path(recording).read_bytes()).hexdigest()
    if older := sorted(set(files) - {recording} - held - declined):
        one = rng.choice(older)
        of = scene.archive.find(one).call
        assert recording_id(of, 1) == one
        scene.commit(
            DropWraps(one, KeyRole.TRAINING, "declined_by_voice"), RememberRefusal(of, datetime.now(UTC)), call=of,
            recording=one,
        )  # fmt: skip
        declined.add(one)


def _hold(scene: Scene, recording: str, held: set[str]) -> None:
    name = f"{recording}-h1"
    hold = PlaceHold(name, recording, HoldBy.CONTROLLER, "anna", datetime.now(UTC), None, "price")
    scene.commit(hold, recording=recording)
    held.add(recording)


def _head(team: Team) -> None:
    """From now on the copies here of what has come may go."""
    assert team.command("sweep").status == 0
    an_hour_later(team)


def _waits(scene: Scene) -> bool:
    with scene.archive.catalog.reading() as looked:
        found = shipping.waiting(looked, scene.archive.desk)
    return found.count > 0 or found.entries > 0


def _gone(scene: Scene) -> bool:
    with scene.archive.catalog.reading() as looked:
        return bool(shipping.away(looked))


def _all_shipped(scene: Scene, told: Told) -> None:
    archive, connection = opened(told)
    courier = courier_of(told, archive, connection, lambda _report: None)
    courier.start(archive.beside)

    try:
        until(lambda: not _waits(scene), 60, "all shipped")
        until(lambda: _gone(scene) and not _waits(scene), 60, "a copy gone of what the last head covers")
    finally:
        courier.stop()
        archive.close()


def test_a_courier_killed_twelve_times_loses_nothing_and_does_nothing_twice(team_tls: Team, tmp_path: Path) -> None:
    killed(team_tls, tmp_path, 12, 1)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_kills_of_the_courier(team_tls: Team, tmp_path: Path, seed: int) -> None:
    killed(team_tls, tmp_path, 10, seed)
