"""The recorder as the calls use it: whoever waits for a slow disk, one fault stands for it until nobody does."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from softphone.archive.files.vault import Vault
from softphone.engine.recorder_port import Recording, RecordingListener
from softphone.wire.snapshot import CodedText


def test_a_slow_disk_stands_as_one_fault_until_nobody_waits_for_it(tmp_path: Path) -> None:
    standing: dict[str, CodedText | None] = {}
    vault = Vault(tmp_path)
    recording = Recording(lambda deed: deed(), lambda: cast(RecordingListener, None), standing.__setitem__)
    recording.open(vault)
    seen: list[list[CodedText | None]] = []
    for is_so in (True, True, False, False):
        vault.on_slow(is_so)
        seen.append([*standing.values()])
    said = CodedText("fault.archive.slow", {"path": str(tmp_path)})
    assert seen == [[said], [said], [said], [None]]
    recording.close()
