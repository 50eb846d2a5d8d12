"""An archive that cannot be written or opened: the agent reads why, nothing is recorded, and the call is a call."""

from __future__ import annotations

import base64
import json
import resource
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from softphone.archive.archive import MARKER, Archive
from softphone.bootstrap.home import DEMO_KEYS, key_store
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.status import Headline
from softphone.system.settings import load_settings
from softphone.wire.snapshot import CodedText
from tests.archive.disk import fill, tmpfs
from tests.journeys.fault_words import begun, change_settings, sentence
from tests.journeys.stage import Stage, build
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey


def _a_file_in_its_place(on: Stage) -> None:
    place = on.folder / "taken"
    place.write_text("not a folder")
    change_settings(on, archive=str(place / "archive"))


def _another_key(on: Stage) -> None:
    keys = on.archive_folder / DEMO_KEYS
    held = json.loads(keys.read_text())
    archive = json.loads((on.archive_folder / MARKER).read_text())["archive"]
    mine = [name for name in held if archive in name]
    assert len(mine) == 1
    held[mine[0]] = base64.b64encode(secrets.token_bytes(32)).decode()
    keys.write_text(json.dumps(held))


def _no_key(on: Stage) -> None:
    (on.archive_folder / DEMO_KEYS).write_text("{}")


def _keys_that_are_none(on: Stage) -> None:
    (on.archive_folder / DEMO_KEYS).write_bytes(b"\x00\x01\x02")


def _keys_for_all_to_read(on: Stage) -> None:
    (on.archive_folder / DEMO_KEYS).chmod(0o644)


def _torn_catalog(on: Stage) -> None:
    (on.archive_folder / "catalog.db").write_bytes(secrets.token_bytes(8192))


def _no_catalog(on: Stage) -> None:
    (on.archive_folder / "catalog.db").unlink()


def _torn_marker(on: Stage) -> None:
    (on.archive_folder / MARKER).write_text("{")


WAYS: dict[str, Callable[[Stage], None]] = {
    "a file in its place": _a_file_in_its_place,
    "a catalog under another key": _another_key,
    "no key": _no_key,
    "keys that are none": _keys_that_are_none,
    "keys for all to read": _keys_for_all_to_read,
    "a torn catalog": _torn_catalog,
    "no catalog": _no_catalog,
    "a torn marker": _torn_marker,
}


@pytest.mark.parametrize("way", WAYS)
def test_an_archive_that_cannot_be_used_is_refused_with_a_sentence_and_left_as_it_is(tmp_path: Path, way: str) -> None:
    """As an engine opens it."""
    on = build(tmp_path, lines=("n7",))
    WAYS[way](on)
    folder = on.home.archive(load_settings(on.home.folders.config))
    before = contents(on.folder)
    with pytest.raises(KlartoneError) as refused:
        Archive.open_or_create(folder, key_store(folder))
    sentence(CodedText(refused.value.code, refused.value.params))
    assert contents(on.folder) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("way", ["a file in its place", "a catalog under another key", "a torn catalog"])
def test_without_its_archive_the_phone_says_so_and_the_call_is_heard_unrecorded(tmp_path: Path, way: str) -> None:
    on = build(tmp_path, lines=("n7",))
    before = {file.name for file in on.archive_folder.rglob("*")}
    WAYS[way](on)
    with begun(on):
        sentence(on.desk.wait(lambda now: now.store.fault, "why nothing can be stored"))
        on.desk.wait(lambda now: now.lines, "a policy")
        call = on.call("n7")
        status = on.desk.wait_status(lambda status: status.headline is Headline.FAILED, "failed", call)
        assert status.reasons[0].reason is Reason.STORAGE_FAILED
        assert not status.recording
        talk(on.customer, 25)
        on.hang_up(call)
        assert not on.desk.told("sealed")
        on.end()
    assert {file.name for file in on.archive_folder.rglob("*")} <= before


def test_a_disk_that_takes_no_more_stops_the_recording_with_its_reason_and_the_next_part_when_it_does(
    tmp_path: Path,
) -> None:
    on = build(tmp_path, lines=("n7",))
    on.expects(
        "storage fails: error.archive.unwritable",
        "a call is not recorded: storage_failed",
        reason="a full disk",
        maybe=["klartone.engine.sweep not done: error.archive.unwritable"],
    )
    with begun(on):
        on.ready()
        call = on.call("n7")
        on.sealed(call, 1.0)
        held = max(file.stat().st_size for file in on.archive_folder.rglob("*") if file.is_file())
        unlimited = resource.prlimit(on.engine.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(on.engine.pid, resource.RLIMIT_FSIZE, (min(held, 4096), unlimited[1]))
        status = on.desk.wait_status(lambda one: one.headline is Headline.FAILED, "failed", call, 20)
        assert status.reasons[0].reason in (Reason.STORAGE_FAILED, Reason.RECORDER_FAILED)
        talk(on.customer, 25)
        resource.prlimit(on.engine.pid, resource.RLIMIT_FSIZE, unlimited)
        on.desk.wait_status(lambda one: Purpose.DOCUMENTATION in one.recording, "recording again", call, 40)
        on.sealed(call, 1.0)
        on.hang_up(call)
        on.end()
    assert on.row(call) is not None
    assert on.verified()["ok"]


def test_a_phone_that_starts_on_a_full_disk_says_so_and_records_once_there_is_room(tmp_path: Path) -> None:
    with tmpfs(tmp_path, "archive") as disk:
        on = build(tmp_path, lines=("n7",))
        full = fill(disk)
        full_too = ["archive not repaired: error.archive.full", "a call is not recorded: storage_failed"]
        on.expects(reason="the disk is full", maybe=[*full_too, "storage fails: error.archive.full"])
        with begun(on):
            said = on.desk.wait(lambda now: now.store.fault, "why nothing can be stored")
            assert said.code == "error.archive.full"
            assert "disk is full" in sentence(said)
            on.desk.wait(lambda now: now.lines, "a policy")
            call = on.call("n7")
            status = on.desk.wait_status(lambda status: status.headline is Headline.FAILED, "failed", call)
            assert status.reasons[0].reason is Reason.STORAGE_FAILED
            talk(on.customer, 25)
            on.hang_up(call)
            full.unlink()
            on.desk.wait(lambda now: now.store.works, "room", 40)
            call = on.call("n7")
            on.sealed(call, 1.0)
            on.hang_up(call)
            on.end()
        assert on.row(call) is not None
        assert on.verified()["ok"]
