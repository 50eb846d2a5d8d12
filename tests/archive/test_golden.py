"""An archive that this version wrote, or an earlier one, is read by this one: listed, heard, proved, and none of what had gone is
back."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.archive import CATALOG, Archive
from softphone.archive.catalog.database import Catalog
from softphone.archive.crypto.wraps import KeyStore, Secrets, master_name
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import Finding, verify
from softphone.archive.folder.marker import read_marker
from softphone.archive.log.checkpoint import Head
from softphone.archive.review.session import mark_reviewed, open_review
from softphone.archive.schema.migrations import HEAD
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.deeds import spoken
from tests.archive.golden import FOLDER, LATER, TOLD, VERSIONS, copied, told_of, written_of
from tests.archive.promises import is_what_was_said
from tests.archive.scene import AT, FRAME


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_archive_is_read_heard_proved_and_brought_up_to_date(tmp_path: Path, version: str) -> None:
    told = json.loads((FOLDER / version / TOLD).read_text("utf-8"))
    folder, keys = copied(tmp_path / "golden", version)
    assert VERSIONS[-1] == HEAD
    assert schema_of(folder, keys) == version
    with closing(Archive.open(folder, keys)) as golden:
        golden.clock = lambda: LATER
        assert schema_of(folder, keys) == HEAD
        proof = verify(golden, Head.parse(told["head"]))
        # The oldest one's discarded recording was taken out of the catalog by whoever made it, without the session's entry.
        untold = (Finding("erasure_untold", {"recording": "d-1"}),) if version == "0014" else ()
        assert proof.findings == untold
        assert proof.chunks == proof.opened_chunks > 5
        assert repair(golden, LATER) == []
        assert [row.event for row in golden.audit_of()][: len(told["events"])] == told["events"]
        found = told_of(golden)
        assert found == {key: told[key] for key in found}
        assert len(found["recordings"]) == 3
        if version == HEAD:
            written, now = told["written"], written_of(golden)
            assert {**now, "checkpoints": now["checkpoints"][: len(written["checkpoints"])]} == written
            assert all(written.values())
        for one in told["recordings"]:
            for role in one["opens_for"]:
                hears(golden, one["recording"], KeyRole(role))
        with closing(open_review(golden, "b-1", "lead", lambda: AT)) as review:
            assert [[one.sample, one.text] for one in review.comments()] == told["comments"] != []
            assert dict(review.scores()) == told["scores"] == {"greeting": 4}
            assert (review.shared, mark_reviewed(golden, "b-1", "lead", AT)) == (True, False)
        # What had gone is not back.
        with pytest.raises(ArchiveError):
            golden.find("d-1")
        with pytest.raises(ArchiveError):
            golden.open_recording("a-1", LATER, role=KeyRole.TRAINING)
        assert golden.audit_of("d-1")


def hears(golden: Archive, recording: str, role: KeyRole) -> None:
    opened = golden.open_recording(recording, LATER, role=role)
    for segment in opened.segments:
        sound = np.concatenate(list(opened.segment_pcm(segment)))
        meant = spoken(recording, segment.origin, len(sound) // FRAME)
        assert len(sound) == len(meant)
        assert is_what_was_said(sound, meant)


def schema_of(folder: Path, keys: KeyStore) -> str:
    master = keys.get(master_name(read_marker(folder).archive))
    assert master is not None
    with closing(Catalog(folder / CATALOG, Secrets.derive(master).catalog)) as catalog, catalog.reading() as found:
        return found.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
