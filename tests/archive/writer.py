"""A process that records until it is killed, and says on its stdout what it was told is on the disk. Not a test."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from softphone.domain.changes import DropWraps
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import DOCUMENTATION, TRAINING, Scene, voices


def main(folder: Path) -> None:
    folder.mkdir()
    desk = Scene(folder, demo=True, store=DemoKeyFile(folder / "demo-keys.json"))
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION, TRAINING)
    desk.start(call, recording, 0)
    sound, told, segment = voices(1), 0, 0
    print(f"recording {recording}", flush=True)
    for second in range(10_000):
        desk.talk(call, sound, first=second * 50)
        while len(desk.sealed) <= second - 2:
            time.sleep(0.001)
        for of, number, samples in desk.sealed[told:]:
            print(f"sealed {of} {number} {samples}", flush=True)
            told += 1
        if second % 7 == 6:
            desk.recorder.stop(call, recording, segment, hold_frames=True)
            desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"), recording=recording)
            segment += 1
            desk.commit(desk.segment(recording, segment, DOCUMENTATION), recording=recording)
            desk.start(call, recording, segment)
            print(f"committed {segment}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
