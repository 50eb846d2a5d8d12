"""Notes that wait in the keyring: the last eight, until they are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.bootstrap.kept_notes import KeptNotes
from softphone.system.secrets import DemoKeyFile


@pytest.mark.expected_log("2 notes could not be kept", reason="ten notes, and eight places")
def test_the_last_notes_are_kept_whole_and_gone_once_they_are_taken(tmp_path: Path) -> None:
    kept = KeptNotes(lambda: DemoKeyFile(tmp_path / "keys.json"))
    assert kept.read() == {}
    kept.keep({f"call-{n}": f"Ring om »{n}« på mandag ☎" for n in range(10)})
    assert kept.read() == {f"call-{n}": f"Ring om »{n}« på mandag ☎" for n in range(2, 10)}
    kept.keep({"call-9": "ny"})
    assert kept.read() == {"call-9": "ny"}
    kept.keep({})
    assert kept.read() == {}
