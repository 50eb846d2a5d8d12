"""An archive that this version wrote, or an earlier one, is read by this one: listed, heard, proved, and none of what had gone is
back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softphone.archive.archive import CATALOG, Archive
from softphone.archive.catalog.database import Catalog
from softphone.archive.crypto.wraps import Secrets, master_name
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import Finding, verify
from softphone.archive.folder.marker import read_marker
from softphone.archive.log.checkpoint import Head
from softphone.archive.review.session import open_review
from softphone.archive.schema.migrations import HEAD
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.deeds import spoken
from tests.archive.golden import FOLDER, LATER, TOLD, VERSIONS, copied, told_of, written_of
from tests.archive.promises import is_what_was_said
from tests.archive.scene import AT, FRAME

LIMIT = 400_000
"""bytes; most of them are the empty pages of many indexes"""


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def golden(tmp_path: Path, version: str) -> Iterator[Archive]:
    archive = Archive.open(*copied(tmp_path / "golden", version))
    archive.clock = lambda: LATER
    yield archive
    archive.close()


@pytest.fixture
def told(version: str) -> dict[str, Any]:
    return json.loads((FOLDER / version / TOLD).read_text("utf-8"))


def test_each_golden_archive_is_of_the_schema_that_it_is_kept_for_and_one_of_today_s(tmp_path: Path) -> None:
    assert VERSIONS[-1] == HEAD
    for version in VERSIONS:
        folder, keys = copied(tmp_path / version, version)
        master = keys.get(master_name(read_marker(folder).archive))
        assert master is not None
        with closing(Catalog(folder / CATALOG, Secrets.derive(master).catalog)) as catalog, catalog.reading() as found:
            assert found.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == version


def test_what_the_catalog_of_today_s_golden_archive_says_is_as_it_was_written(tmp_path: Path) -> None:
    archive = Archive.open(*copied(tmp_path / "golden", HEAD))
    written = json.loads((FOLDER / HEAD / TOLD).read_text("utf-8"))["written"]
    found = written_of(archive)
    archive.close()
    assert {**found, "checkpoints": found["checkpoints"][: len(written["checkpoints"])]} == written
    assert all(chunks for *_, chunks in written["chunks"])
    assert all(written.values())


def test_the_golden_archive_is_brought_up_to_date_and_proved_with_the_head_that_was_kept_of_it(
    golden: Archive, told: dict[str, Any]
) -> None:
    with golden.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == HEAD
    proof = verify(golden, Head.parse(told["head"]))
    # Its discarded recording was taken out of the catalog by whoever made it, without the session's entry.
    assert proof.findings == (Finding("erasure_untold", {"recording": "d-1"}),)
    assert proof.chunks == proof.opened_chunks > 5
    assert repair(golden, LATER) == []
    assert [row.event for row in golden.audit_of()][: len(told["events"])] == told["events"]


def test_all_that_was_in_the_golden_archive_is_in_it_as_it_was(golden: Archive, told: dict[str, Any]) -> None:
    found = told_of(golden)
    assert found == {key: told[key] for key in found}
    assert len(found["recordings"]) == 3


def test_what_was_said_in_the_golden_archive_is_heard(golden: Archive, told: dict[str, Any]) -> None:
    for one in told["recordings"]:
        for role in one["opens_for"]:
            opened = golden.open_recording(one["recording"], LATER, role=KeyRole(role))
            for segment in opened.segments:
                sound = np.concatenate(list(opened.segment_pcm(segment)))
                meant = spoken(one["recording"], segment.origin, len(sound) // FRAME)
                assert len(sound) == len(meant)
                assert is_what_was_said(sound, meant)


def test_what_was_said_of_a_call_in_the_golden_archive_is_still_said(golden: Archive, told: dict[str, Any]) -> None:
    with open_review(golden, "b-1", "lead", AT) as review:
        assert [[one.sample, one.text] for one in review.comments()] == told["comments"] != []
        assert dict(review.scores()) == told["scores"] == {"greeting": 4}
        assert review.shared
        assert not review.reviewed(AT)


def test_what_had_gone_from_the_golden_archive_is_not_there(golden: Archive) -> None:
    with pytest.raises(ArchiveError):
        golden.find("d-1")
    with pytest.raises(ArchiveError):
        golden.open_recording("a-1", LATER, role=KeyRole.TRAINING)
    assert [row.event for row in golden.audit_of("d-1")]


def test_the_golden_archive_is_small(version: str) -> None:
    assert sum(path.stat().st_size for path in (FOLDER / version).rglob("*") if path.is_file()) < LIMIT
