"""Each change that erases, ends or locks something is noted for the backups, and comes back with a restore of an older day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from softphone.archive.archive import Archive
from softphone.archive.backup.restore import restore
from softphone.archive.backup.run import back_up, tell
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene

KEY = "0123456789abcdef" * 2
AT_TEXT = AT.isoformat()
_HOLD = "INSERT INTO holds (hold, recording, desk, raised_for, raised_by, at, why) VALUES"
_BY = f"'', '{AT_TEXT}', 'mette'"
GIVEN = (
    f"{_HOLD} ('h1', '{{one}}', '', 'party', 'mette', '{AT_TEXT}', 'price')",
    f"INSERT INTO review_comments (comment, recording, sample, text, desk, at, by) VALUES ('c1', '{{one}}', 0, 'x', {_BY})",
    f"INSERT INTO reviews (recording, shared, desk, at, by) VALUES ('{{one}}', 0, {_BY}), ('{{two}}', 0, {_BY})",
    f"INSERT INTO review_scores (recording, item, points, desk, at, by) VALUES ('{{one}}', 'i', 1, {_BY})",
    f"INSERT INTO review_scores (recording, item, points, desk, at, by) VALUES ('{{two}}', 'i', 1, {_BY})",
    f"INSERT INTO call_backs (call, desk, at) VALUES ('b1', '', '{AT_TEXT}')",
    "INSERT INTO meta (name, value) VALUES ('policy-signer', 'the first')",
    "INSERT INTO past_calls (call, desk, agent, at, until, sealed, note)"
    f" VALUES ('p1', '', 'a', '{AT_TEXT}', '2027-01-01', X'01', X'02'), ('p2', '', 'a', '{AT_TEXT}', '2027-01-01', X'01', X'02')",
)
"""what there is when the backup is made, beside three recordings"""
CHANGES = {
    "wrap_gone": ("recording", "{one}", "DELETE FROM wraps WHERE recording = '{one}' AND role = 'training'"),
    "gone": (
        "recording",
        "{gone}",
        "DELETE FROM wraps WHERE recording = '{gone}'",
        "DELETE FROM purposes WHERE recording = '{gone}'",
        "DELETE FROM segments WHERE recording = '{gone}'",
        "DELETE FROM recordings WHERE recording = '{gone}'",
    ),
    "changed": ("recording", "{two}", "UPDATE recordings SET restricted = 'case' WHERE recording = '{two}'"),
    "purpose": ("recording", "{one}", "UPDATE purposes SET reason = 'grounds_given' WHERE recording = '{one}'"),
    "held": ("recording", "{two}", f"{_HOLD} ('h2', '{{two}}', '', 'party', 'mette', '{AT_TEXT}', 'tone')"),
    "hold_changed": ("recording", "{one}", f"UPDATE holds SET lifted_at = '{AT_TEXT}' WHERE hold = 'h1'"),
    "comment_gone": ("comment", "c1", "DELETE FROM review_comments"),
    "review_changed": ("recording", "{one}", "UPDATE reviews SET shared = 1 WHERE recording = '{one}'"),
    "review_gone": ("recording", "{two}", "DELETE FROM reviews WHERE recording = '{two}'"),
    "score_changed": ("recording", "{one}", "UPDATE review_scores SET points = 2 WHERE recording = '{one}'"),
    "score_gone": ("recording", "{two}", "DELETE FROM review_scores WHERE recording = '{two}'"),
    "call_back_gone": ("call_back", "b1", "DELETE FROM call_backs"),
    "refused": (
        "refusal",
        "0102",
        f"INSERT INTO refusals (number_index, desk, at, until) VALUES (X'0102', '', '{AT_TEXT}', '2027-01-01')",
    ),
    "upheld": (
        "upheld",
        "0102 training salg",
        "INSERT INTO upheld (number_index, line, purpose, desk, at, until)"
        f" VALUES (X'0102', 'salg', 'training', '', '{AT_TEXT}', '2027-01-01')",
    ),
    "note_changed": ("note", "p1", "UPDATE past_calls SET note = NULL WHERE call = 'p1'"),
    "note_gone": ("note", "p2", "DELETE FROM past_calls WHERE call = 'p2'"),
    "revoked": ("revoked", KEY, f"INSERT INTO meta (name, value) VALUES ('revoked-{KEY}', '{AT_TEXT}')"),
    "signer_gone": ("signer", "policy-signer", "DELETE FROM meta WHERE name = 'policy-signer'"),
    "signer": ("signer", "policy-signer", "INSERT INTO meta (name, value) VALUES ('policy-signer', 'the next')"),
}
"""by trigger: the kind and id that it notes; the last statement is the change"""
_LOOKED_AT = (
    "SELECT recording, restricted FROM recordings",
    "SELECT DISTINCT recording, role FROM wraps",
    "SELECT * FROM meta WHERE name = 'policy-signer' OR name LIKE 'revoked-%'",
    *(
        f"SELECT * FROM {table}"
        for table in (
            "purposes",
            "holds",
            "reviews",
            "review_comments",
            "review_scores",
            "call_backs",
            "refusals",
            "upheld",
            "past_calls",
        )
    ),
)


def looked_at(archive: Archive) -> dict[str, list[tuple[object, ...]]]:
    with archive.catalog.reading() as connection:
        return {asked: sorted(map(tuple, connection.exec_driver_sql(asked)), key=str) for asked in _LOOKED_AT}


def touched(connection: Connection) -> set[tuple[int, str, str]]:
    return {tuple(row) for row in connection.exec_driver_sql("SELECT seq, kind, id FROM touched")}


def test_each_change_that_a_backup_must_hear_of_is_noted_and_comes_back_with_a_restore(
    desk: Scene, tmp_path: Path
) -> None:
    disk, new = tmp_path / "disk", tmp_path / "new"
    of = {name: desk.closed(DOCUMENTATION, TRAINING, seconds=0.1) for name in ("one", "two", "gone")}
    with desk.archive.catalog.writing() as tx:
        for statement in GIVEN:
            tx.connection.exec_driver_sql(statement.format(**of))
        (*triggers,) = tx.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
    assert {name for name in triggers if name.startswith("touched_")} == {f"touched_{name}" for name in CHANGES}
    back_up(desk.archive, disk, AT)
    was = looked_at(desk.archive)

    for name, (kind, id, *statements) in CHANGES.items():
        with desk.archive.catalog.writing() as tx:
            *first, change = [one.format(**of) for one in statements]
            for statement in first:
                tx.connection.exec_driver_sql(statement)
            before = touched(tx.connection)
            tx.connection.exec_driver_sql(change)
            assert {one[1:] for one in touched(tx.connection) - before} == {(kind, id.format(**of))}, name
    is_now = looked_at(desk.archive)
    assert not [asked for asked in _LOOKED_AT if was[asked] == is_now[asked]]
    tell(desk.archive, disk, AT)
    restore(disk, new, desk.store, AT, accept_unknown=True)

    with closing(Archive.open(new, desk.store)) as archive:
        assert looked_at(archive) == is_now
