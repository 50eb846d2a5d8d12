"""Behind a link in the archive's folder nothing is overwritten."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto.slots import FILE
from softphone.archive.examine.verify import verify
from softphone.archive.files.vault import ASIDE, Vault
from softphone.archive.folder.lock import LOCK, Lock
from softphone.archive.folder.room import ROOM, Room
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, DOCUMENTATION, Scene, scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make links there")
WORDS = b"somebody's own\n" * 1000


@pytest.fixture
def victim(tmp_path: Path) -> Generator[Path]:
    path = tmp_path / "victim"
    path.write_bytes(WORDS)
    yield path
    assert path.read_bytes() == WORDS


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


def linked(archive: Archive) -> list[str]:
    return [str(one.params["path"]) for one in verify(archive).findings if one.code == "file_linked" and one.is_fault]


def test_a_list_or_a_lock_that_leads_elsewhere_is_left_alone_and_named(desk: Scene, victim: Path) -> None:
    victim.chmod(0o600)
    (path := desk.folder / ROOM).symlink_to(victim)
    kept = Room(desk.folder, bytes(32))
    kept.keep()
    assert not kept.give()
    assert linked(desk.archive) == [str(path)]
    (lock := desk.folder / LOCK).symlink_to(victim)
    for asks in (Lock.take, Lock.take_to_write):
        with closing(Lock(desk.folder)) as one, pytest.raises(ArchiveError) as refused:
            asks(one)
        assert (refused.value.code, refused.value.params["path"]) == ("error.archive.linked", str(lock))
    # Nor is anything made where a link leads.
    for one in (path, lock):
        one.unlink()
        one.symlink_to(victim.with_name("new"))
    Room(desk.folder, bytes(32)).keep()
    with closing(Lock(desk.folder)) as one, pytest.raises(ArchiveError):
        one.take()
    assert not victim.with_name("new").exists()
    assert victim.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("aside", [False, True])
def test_of_a_link_that_is_deleted_the_link_alone_goes(desk: Scene, victim: Path, aside: bool) -> None:
    vault = desk.archive.vault
    folder = vault.folder / ASIDE if aside else vault.folder
    folder.mkdir(exist_ok=True)
    (path := folder / "some-call.ktr").symlink_to(victim)
    assert linked(desk.archive) == [str(path)]
    vault.delete("some-call")
    assert not os.path.lexists(path)
    assert linked(desk.archive) == []


def test_nothing_is_written_behind_a_recording_that_leads_elsewhere(desk: Scene, tmp_path: Path) -> None:
    whole = desk.recorded(1, DOCUMENTATION)
    victim = tmp_path / "of another archive"
    desk.archive.vault.path(whole).rename(victim)
    before = victim.read_bytes()
    desk.archive.vault.path(whole).symlink_to(victim)
    vault = Vault(desk.archive.vault.folder)
    for deed in (lambda: vault.writer(whole, 1, bytes(32), 0), lambda: vault.create(whole, AT)):
        with pytest.raises(ArchiveError) as refused:
            deed()
        assert refused.value.code in ("error.archive.linked", "error.archive.unwritable")
    vault.cut(whole, 10)
    assert victim.read_bytes() == before


@pytest.mark.parametrize("beside", ["-wal", "-shm"])
def test_a_link_where_the_database_would_write_keeps_the_archive_shut(
    tmp_path: Path, victim: Path, beside: str
) -> None:
    with scene(tmp_path / "archive") as desk:
        pass
    (log := desk.folder / f"catalog.db{beside}").symlink_to(victim)
    with pytest.raises(ArchiveError) as refused:
        Archive.open(desk.folder, desk.store)
    assert (refused.value.code, refused.value.params["path"]) == ("error.archive.linked", str(log))
    log.unlink()
    with closing(desk.reopen()) as archive:
        assert verify(archive).ok


def test_a_link_where_the_keys_would_be_erased_is_followed_by_nobody(desk: Scene, victim: Path) -> None:
    before = victim.read_bytes()
    (desk.folder / FILE).unlink(missing_ok=True)
    (desk.folder / FILE).symlink_to(victim)
    keys = desk.archive.catalog.slots
    for use in (lambda: keys.erase({1}, ("", 0)), lambda: keys.write((), ("", 0)), keys.filled):
        with pytest.raises(ArchiveError) as refused:
            use()
        assert refused.value.code == "error.archive.linked"
    assert victim.read_bytes() == before
