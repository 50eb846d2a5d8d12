"""A catalog of which a page is not what was written: each is named, nothing false is said of it, and the rest is proved on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.health import health
from softphone.archive.examine.verify import verify
from softphone.archive.folder.disk import DAMAGED
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.people import house
from tests.archive.scene import DOCUMENTATION, Scene, scene

PAGE = 4096
DAMAGE = {"en": "is damaged: ", "da": "er beskadiget: "}
RAW = ("HMAC", "btree", "Tree ", "***", "main", "malformed")
NOT_SO = ("cannot be written", "kan ikke skrives", "Make room", "Gør plads", "Traceback")


@contextmanager
def flipped(catalog: Path, page: int) -> Generator[None]:
    """A bit of that page, from 1, is another meanwhile."""
    whole = catalog.read_bytes()
    at = (page - 1) * PAGE + 1 + page % 2000
    catalog.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    try:
        yield
    finally:
        catalog.write_bytes(whole)


def test_of_each_page_of_the_catalog_one_bit_that_is_another_is_found_and_told_as_what_it_is(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        for _ in range(2):
            desk.recorded(0.2, DOCUMENTATION)
    catalog, seen = desk.folder / "catalog.db", Counter[str]()
    pages = [*range(1, 10), *range(10, catalog.stat().st_size // PAGE + 1, 5)]
    for page in pages:
        with flipped(catalog, page):
            try:
                archive = Archive.open(desk.folder, desk.store)
            except ArchiveError as error:
                # The first page tells one key from another; without those of the tables' own list nothing is found at all.
                if error.code != ("error.archive.wrong_key" if page == 1 else DAMAGED):
                    raise
                seen["not opened"] += 1
                continue
            with closing(archive):
                proof = verify(archive)
                told = [str(one.params["detail"]) for one in proof.findings if one.code == "catalog_damaged"]
                assert not proof.ok
                assert f"HMAC verification failed for page {page}" in told
                assert len(told) == len(set(told))
                seen["all recordings proved"] += proof.recordings == 2
                try:
                    assert health(archive, datetime.now(UTC)).damaged
                    seen["health"] += 1
                except ArchiveError as error:
                    if error.code != DAMAGED:
                        raise
    assert seen["not opened"] < 10
    assert seen["health"] > len(pages) / 2
    assert seen["all recordings proved"] > len(pages) / 3


def pages_of_indexes(desk: Scene, *names: str) -> list[int]:
    with closing(Archive.open(desk.folder, desk.store)) as archive, archive.catalog.reading() as connection:
        found = connection.exec_driver_sql("SELECT name, rootpage FROM sqlite_schema").all()
    return [row.rootpage for name in names for row in found if row.name == name]


def test_a_damaged_catalog_is_told_in_words_by_what_only_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(tmp_path, capsys) as home:
        person = home.person("custody", *KeyRole)
        home.recorded(DOCUMENTATION)
        home.desk.close()
    catalog = home.desk.folder / "catalog.db"
    # Of two indexes that nothing is looked up by here; and where the list of the tables goes on: nothing is found without it.
    one, other = pages_of_indexes(home.desk, "ix_call_backs_number_index", "ix_past_calls_agent")
    for language, page, opens in (("en", one, True), ("da", 2, False)):
        monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
        with flipped(catalog, page):
            for word in ("verify", "health"):
                said = person.does("archive", word)
                assert (said.status, DAMAGE[language] in (said.out if opens else said.err)) == (1, True), said
                assert not [raw for raw in (*RAW, *NOT_SO) if raw in said.all]
            assert (f"page {page}" in person.does("archive", "verify", "--json").out) is opens
            told = json.loads(person.does("archive", "health", "--json").out)
            assert (told["damaged"], told["free"] > 0) == (True, True)
    with flipped(catalog, one), flipped(catalog, other):
        said = person.does("archive", "verify")
        assert said.out.count(DAMAGE["da"]) == said.out.count("2 steder i den") == 1
    assert person.does("archive", "verify").status == person.does("archive", "health").status == 0
