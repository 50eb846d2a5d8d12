"""Whoever may put a name into a shared folder has no other user's program overwrite a file that is not the archive's."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto.slots import FILE
from softphone.archive.examine.verify import verify
from softphone.archive.files.vault import ASIDE, Vault
from softphone.archive.folder import sharing, writers
from softphone.archive.folder.room import ROOM, Room
from softphone.archive.folder.writers import Writers
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, DOCUMENTATION, Scene, scene
from tests.archive.test_sharing import own_group, posix

pytestmark = posix
WORDS = b"somebody's own\n" * 1000
Planted = Callable[[Path, Path], None]


def symlink(at: Path, to: Path) -> None:
    at.symlink_to(to)


def other_name(at: Path, to: Path) -> None:
    os.link(to, at)


@pytest.fixture(params=[symlink, other_name])
def plants(request: pytest.FixtureRequest) -> Planted:
    return request.param


@pytest.fixture
def victim(tmp_path: Path) -> Generator[Path]:
    path = tmp_path / "victim"
    path.write_bytes(WORDS)
    yield path
    assert path.read_bytes() == WORDS


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Scene]:
    with scene(tmp_path / "archive") as made:
        sharing.share(made.folder, own_group())
        yield made


def linked(archive: Archive) -> list[str]:
    return [str(one.params["path"]) for one in verify(archive).findings if one.code == "file_linked" and one.is_fault]


def test_a_list_or_a_lock_that_leads_elsewhere_is_left_alone_and_named(
    desk: Scene, victim: Path, plants: Planted
) -> None:
    victim.chmod(0o600)
    plants(path := desk.folder / ROOM, victim)
    kept = Room(desk.folder, bytes(32))
    kept.keep()
    assert not kept.give()
    assert linked(desk.archive) == [str(path)]
    plants(lock := desk.folder / writers.LOCK, victim)
    for asks in (Writers.alone, Writers.join):
        with closing(Writers(desk.folder)) as one, pytest.raises(ArchiveError) as refused:
            asks(one)
        assert (refused.value.code, refused.value.params["path"]) == ("error.archive.linked", str(lock))
    # Nor is anything made where a link leads.
    for one in (path, lock):
        one.unlink()
        one.symlink_to(victim.with_name("new"))
    Room(desk.folder, bytes(32)).keep()
    with closing(Writers(desk.folder)) as one, pytest.raises(ArchiveError):
        one.join()
    assert not victim.with_name("new").exists()
    assert victim.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("aside", [False, True])
def test_of_a_link_that_is_deleted_the_link_alone_goes(desk: Scene, victim: Path, plants: Planted, aside: bool) -> None:
    vault = desk.archive.vault
    folder = vault.folder / ASIDE if aside else vault.folder
    folder.mkdir(exist_ok=True)
    folder.chmod(0o2770)
    plants(path := folder / "some-call.ktr", victim)
    assert linked(desk.archive) == [str(path)]
    vault.delete("some-call")
    assert not os.path.lexists(path)
    assert linked(desk.archive) == []


def test_nothing_is_written_behind_a_recording_that_leads_elsewhere(
    desk: Scene, tmp_path: Path, plants: Planted
) -> None:
    whole = desk.recorded(1, DOCUMENTATION)
    victim = tmp_path / "of another archive"
    desk.archive.vault.path(whole).rename(victim)
    before = victim.read_bytes()
    plants(desk.archive.vault.path(whole), victim)
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


def test_a_link_where_the_keys_would_be_erased_is_followed_by_nobody(
    desk: Scene, victim: Path, plants: Planted
) -> None:
    before = victim.read_bytes()
    (desk.folder / FILE).unlink(missing_ok=True)
    plants(desk.folder / FILE, victim)
    keys = desk.archive.catalog.slots
    for use in (lambda: keys.erase({1}, ("", 0)), lambda: keys.write((), ("", 0)), keys.filled):
        with pytest.raises(ArchiveError) as refused:
            use()
        assert refused.value.code == "error.archive.linked"
    assert victim.read_bytes() == before
