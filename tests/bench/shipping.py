"""What the courier costs a call: how late the frames of one that is recorded come, with and without an upload beside it.

The engine's own recorder and archive, the courier and the real service, which runs on the same machine. A thread takes the part
of the sound's clock: every 20 ms it hands a frame to the recorder.
"""

from __future__ import annotations

import base64
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from softphone.archive.outbox import shipping
from softphone.house import courier as module
from softphone.house.courier import Courier
from softphone.system.policy_file import parse_policy
from tests.archive.scene import DOCUMENTATION, FRAME, TRAINING, Scene, voices
from tests.bench.figures import Figure
from tests.house.joined import policy_text, signed_in
from tests.peers import postgres, seaweedfs
from tests.peers.processes import free_port
from tests.team.local import begun, ended
from tests.team.served import Team

_FRAME = 0.02


def measure(seconds: float = 20.0, recordings: int = 12, length: float = 120.0) -> list[Figure]:
    from tests.conftest import _prepare

    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        server = ending.enter_context(postgres.started())
        _prepare(server)
        server.make("bench", "klartone_house")
        s3 = seaweedfs.bucket(ending.enter_context(seaweedfs.seaweedfs()))
        team = Team(folder, server, "bench", s3, address=f"https://localhost:{free_port()}")
        team.policy()
        team.start()
        ending.callback(team.stop)
        scene = Scene(folder / "archive", another=True)
        ending.callback(scene.close)
        joined = signed_in(team, folder / "home", "agent", desk=scene.archive.desk)
        receipts = base64.b64encode(team.receipts.public_key().public_bytes_raw()).decode()
        since = datetime.now(UTC) - timedelta(days=1)
        policy = parse_policy(policy_text(team, 1)).policy
        one = Courier(joined.connection.ask, lambda _: None, lambda: receipts, since, policy=lambda: policy, first=0)
        one.joins(scene.archive)
        size = 0
        for _ in range(recordings):
            at = datetime.now(UTC) - timedelta(minutes=30)
            call, recording = begun(scene, team.keys, at, DOCUMENTATION, TRAINING, number="+4570101010")
            ended(scene, call, recording, at + timedelta(seconds=length), DOCUMENTATION, TRAINING, seconds=length)
            size += scene.archive.vault.path(recording).stat().st_size
        alone = _late(scene, team, seconds, None)
        module._QUIET = 0.0  # otherwise it would wait for a moment without a call
        beside = _late(scene, team, seconds, one)
        with scene.archive.catalog.reading() as connection:
            left = shipping.waiting(connection, scene.archive.desk).recordings
        one.stop()
    how = f"{seconds:g} s each, {recordings} recordings ({size / 1e6:.1f} MB) to ship, {recordings - left} went beside the call"
    return [
        Figure("frames late, alone", _told(alone), "", f"a recorded call's frames, 99 of 100 and the worst; {how}"),
        Figure("frames late, beside the courier", _told(beside), "20 ms", "the same call; one frame is 20 ms"),
    ]


def _late(scene: Scene, team: Team, seconds: float, courier: Courier | None) -> list[float]:
    """Seconds by which each frame came after its time and was taken."""
    at = datetime.now(UTC)
    call, recording = begun(scene, team.keys, at, DOCUMENTATION, TRAINING, number="+4570101011")
    sound, late = voices(2), list[float]()

    def clock() -> None:
        begin = time.monotonic()
        for number in range(round(seconds / _FRAME)):
            due = begin + number * _FRAME
            if (left := due - time.monotonic()) > 0:
                time.sleep(left)
            frame = sound[(number % 100) * FRAME : (number % 100 + 1) * FRAME]
            scene.recorder.feed(call, number, frame[:, 0].tobytes(), frame[:, 1].tobytes())
            late.append(time.monotonic() - due)

    if courier is not None:
        courier.calls(frozenset({call}))
        courier.start(scene.archive.beside)
    thread = threading.Thread(target=clock)
    thread.start()
    thread.join()
    scene.recorder.stop(call, recording, 0)
    return late


def _told(late: list[float]) -> str:
    ordered = sorted(late)
    return f"{statistics.quantiles(ordered, n=100)[98] * 1e3:.1f} ms (worst {ordered[-1] * 1e3:.1f})"
