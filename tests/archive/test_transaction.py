"""A transaction is one thing: rows, entries and sealed keys stand together, or none of them; each change has its handler."""

from __future__ import annotations

import os
from typing import get_args

import pytest
from sqlalchemy import delete, event, select

from softphone.archive.changes.table import ROWS
from softphone.archive.crypto.slots import Slots
from softphone.archive.schema.tables import meta, purposes, wraps
from softphone.domain.changes import AuditEntry, Change
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene


def test_each_change_that_a_session_can_ask_for_has_one_handler() -> None:
    assert set(ROWS) == set(get_args(Change))
    assert len(set(ROWS.values())) == len(ROWS)


def cut_off(desk: Scene) -> None:
    with desk.archive.catalog.writing() as tx:
        tx.execute(delete(purposes))
        tx.log(AuditEntry("changed", "G10", AT, ""))
        tx.wraps.drop(wraps.c.role == "training")
        raise ZeroDivisionError


def test_what_fails_leaves_neither_row_nor_entry_nor_takes_a_key_away(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)
    rows, before, sealed = desk.archive.list(AT), desk.archive.audit_of(), desk.archive.wraps_of(recording)
    with pytest.raises(ZeroDivisionError):
        cut_off(desk)
    assert (desk.archive.list(AT), desk.archive.audit_of()) == (rows, before)
    assert desk.archive.wraps_of(recording) == sealed
    assert all(one.sealed for one in sealed)


def test_new_keys_are_on_the_disk_before_the_commit_and_narrowed_ones_are_gone_before_it(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)
    (kept,) = (one for one in desk.archive.wraps_of(recording) if one.role == "documentation")
    done: list[str] = []
    for name in ("write", "erase"):
        real = getattr(Slots, name)

        def noted(file: Slots, what: object, log: object, name: str = name, real: object = real) -> None:
            done.append(name)
            real(file, what, log)  # pyright: ignore[reportCallIssue]

        monkeypatch.setattr(Slots, name, noted)
    synced = os.fsync

    def syncs(file: int) -> None:
        synced(file)
        done.append("fsync")

    # SQLite's own are not Python's: these are of the keys' file alone.
    monkeypatch.setattr(os, "fsync", syncs)
    with desk.archive.catalog.writing() as tx:
        event.listen(tx.connection, "before_cursor_execute", lambda *told: done.append(told[2].split(" ")[0]))
        tx.wraps.drop(wraps.c.role == "training")
        tx.wraps.drop(wraps.c.role == "documentation", replaced=True)
        tx.wraps.add([kept])
        tx.log(AuditEntry("changed", "G10", AT, ""))
        tx.execute(select(meta))
        done.clear()
    entry, commit = done.index("INSERT"), done.index("COMMIT")
    assert done[commit - 4 : commit] == ["write", "fsync", "erase", "fsync"]
    assert entry < commit - 4
    assert [one for one in done[commit:] if one in ("write", "erase", "fsync")] == ["erase", "fsync"]
