"""What was erased, ended or locked since a generation: a sealed list in its folder, which a restore applies.

The catalog's triggers name what changed (`touched`), whichever program or command changed it, from a folder's first backup on.
They name it only: what has become of it is looked up when the list is written, whole, in the place of the one before.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update

from softphone.archive.backup.copying import read_file, write_file
from softphone.archive.backup.generation import ERASED, Manifest
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.ending import discard
from softphone.archive.changes.sealing import drop_wraps
from softphone.archive.crypto import policy_signer, revocation
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.schema import tables as t
from softphone.domain.purpose import KeyRole

_FOLDER = "backup-"
"""in `meta`, before a folder's id; the triggers look for it"""
_FORGOTTEN_DAYS = 366
"""a folder that was not backed up to for so long is waited for no longer"""
_NONCE = 12
_OF_RECORDING = (t.purposes, t.holds, t.reviews, t.review_scores)
"""whose rows of a recording are taken up as they were"""
RECORDING, REVOKED = "recording", "revoked"


@dataclass(frozen=True, slots=True)
class Folder:
    """One that is backed up to. `seq` and `heard`: of `touched`, how far its generation, and how far its list, has it."""

    target: str
    folder: str
    number: int
    """of its generation; 0: none has been finished yet"""
    seq: int
    heard: int
    at: datetime
    cleared: datetime
    """`at` of its newest generation that nothing older lies beside: what was erased by then is nowhere in it"""


def folders(connection: Connection) -> list[Folder]:
    """The newest backup first."""
    rows = connection.execute(select(t.meta.c.value).where(t.meta.c.name.like(f"{_FOLDER}%"))).scalars()
    return sorted(filter(None, map(_folder, rows)), key=lambda one: one.at, reverse=True)


def _folder(text: str) -> Folder | None:
    """None for what an unreleased version, or nobody of ours, has put there."""
    try:
        said: dict[str, Any] = json.loads(text)
        said |= {name: datetime.fromisoformat(said.get(name, said["at"])) for name in ("at", "cleared")}
        return Folder(**said)
    except (ValueError, TypeError, KeyError):
        return None


def folder_of(connection: Connection, target: str) -> Folder | None:
    return next((one for one in folders(connection) if one.target == target), None)


def remember(connection: Connection, folder: Folder) -> None:
    """From the first on, the catalog notes what changes. What is in every folder's generation is noted no longer."""
    connection.execute(delete(t.meta).where(t.meta.c.name == _FOLDER + folder.target))
    text = json.dumps({**asdict(folder), "at": folder.at.isoformat(), "cleared": folder.cleared.isoformat()})
    connection.execute(insert(t.meta).values(name=_FOLDER + folder.target, value=text))
    for one in folders(connection):
        if (folder.at - one.at).days > _FORGOTTEN_DAYS:
            connection.execute(delete(t.meta).where(t.meta.c.name == _FOLDER + one.target))
    connection.execute(delete(t.touched).where(t.touched.c.seq <= min(one.seq for one in folders(connection))))


def forget_all(connection: Connection) -> None:
    """An archive that was just brought back has no backup of its own yet."""
    connection.execute(delete(t.meta).where(t.meta.c.name.like(f"{_FOLDER}%")))
    connection.execute(delete(t.touched))


def last(connection: Connection) -> int:
    """The newest number of `touched`, also of what is no longer noted."""
    asked = "SELECT seq FROM sqlite_sequence WHERE name = 'touched'"
    return int(connection.exec_driver_sql(asked).scalar() or 0)


def waiting(connection: Connection, folder: Folder) -> int:
    """How many changes the folder's list does not have."""
    return int(connection.execute(select(func.count()).where(t.touched.c.seq > folder.heard)).scalar_one())


@dataclass(frozen=True, slots=True)
class Erased:
    """The list. `at`: nothing is unknown up to then; `log`: the audit log's last entry by then."""

    at: datetime
    log: int
    changes: list[dict[str, Any]]

    @classmethod
    def since(cls, connection: Connection, seq: int, at: datetime, end: Row[Any] | None) -> Erased:
        rows = connection.execute(select(t.touched).where(t.touched.c.seq > seq).order_by(t.touched.c.seq))
        return cls(
            at,
            end.number if end else 0,
            [{"kind": row.kind, "id": row.id, **_state(connection, row.kind, row.id)} for row in rows],
        )

    def write(self, folder: Path, manifest: Manifest, secrets: Secrets) -> None:
        """Into a generation's folder. Raises OSError."""
        text = json.dumps({**asdict(self), "at": self.at.isoformat()}, default=_plain).encode()
        nonce = os.urandom(_NONCE)
        write_file(folder / ERASED, nonce + _key(secrets).encrypt(nonce, text, _bound(manifest)))

    @classmethod
    def read(cls, folder: Path, manifest: Manifest, secrets: Secrets) -> Erased | None:
        """None where it is gone, or is not what was written."""
        data = read_file(folder / ERASED)
        try:
            text = _key(secrets).decrypt(data[:_NONCE], data[_NONCE:], _bound(manifest))
        except (InvalidTag, ValueError):
            return None
        found: dict[str, Any] = json.loads(text, object_hook=_bytes)
        return cls(datetime.fromisoformat(found["at"]), found["log"], found["changes"])


def _state(connection: Connection, kind: str, id: str) -> dict[str, Any]:
    """What has become of it, as the catalog has it now; no rows where it has gone."""
    if kind != RECORDING:
        return {"rows": _rows(connection, *_place(kind, id))}
    row = connection.execute(select(t.recordings.c.restricted).where(t.recordings.c.recording == id)).first()
    if row is None:
        return {"gone": True}
    roles = connection.execute(select(t.wraps.c.role).where(t.wraps.c.recording == id).distinct()).scalars()
    tables = {table.name: _rows(connection, table, table.c.recording == id) for table in _OF_RECORDING}
    return {"gone": False, "restricted": row.restricted, "roles": sorted(roles), "tables": tables}


def apply(tx: Transaction, change: dict[str, Any], now: datetime) -> bool:
    """In a catalog of an older day. Wraps only ever go. Whether something was erased by it; done again, it changes nothing."""
    kind, id = change["kind"], change["id"]
    if kind == RECORDING:
        return call_of(tx.connection, id) is not None and _apply_to(tx, change, now)
    gone = _replace(tx, *_place(kind, id), change["rows"])
    return _drop_key(tx, id) if kind == REVOKED else gone > len(change["rows"])


def _apply_to(tx: Transaction, change: dict[str, Any], now: datetime) -> bool:
    id = change["id"]
    if change["gone"]:
        discard(tx, id, now)
        return True
    has = set(tx.execute(select(t.wraps.c.role).where(t.wraps.c.recording == id).distinct()).scalars())
    if ended := [role for role in KeyRole if role.value in has - set(change["roles"])]:
        drop_wraps(tx, id, *ended)
    tx.execute(update(t.recordings).where(t.recordings.c.recording == id).values(restricted=change["restricted"]))
    for table in _OF_RECORDING:
        _replace(tx, table, table.c.recording == id, change["tables"][table.name])
    return bool(ended)


def _place(kind: str, id: str) -> tuple[Table, ColumnElement[bool]]:
    """The rows that a trigger named so."""
    match kind:
        case "comment":
            return t.review_comments, t.review_comments.c.comment == id
        case "call_back":
            return t.call_backs, t.call_backs.c.call == id
        case "note":
            return t.past_calls, t.past_calls.c.call == id
        case "refusal":
            return t.refusals, t.refusals.c.number_index == bytes.fromhex(id)
        case "upheld":
            index, purpose, line = id.split(" ", 2)
            here = (t.upheld.c.number_index == bytes.fromhex(index)) & (t.upheld.c.purpose == purpose)
            return t.upheld, here & (t.upheld.c.line == line)
        case "signer":
            return t.meta, t.meta.c.name == policy_signer.NAME
        case _:
            return t.meta, t.meta.c.name == revocation.NAME + id


def _drop_key(tx: Transaction, key_id: str) -> bool:
    """What another key of its role opens too, it no longer opens."""
    other = t.wraps.alias()
    also = select(other.c.key_id).where(
        other.c.recording == t.wraps.c.recording,
        other.c.segment == t.wraps.c.segment,
        other.c.role == t.wraps.c.role,
        other.c.key_id.not_in(revocation.revoked(tx.connection)),
    )
    return bool(tx.wraps.drop(t.wraps.c.key_id == key_id, also.exists()))


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(table).where(where))]


def _replace(tx: Transaction, table: Table, where: ColumnElement[bool], rows: list[dict[str, Any]]) -> int:
    """How many there were. A column that is not known here is another version's."""
    gone = tx.execute(delete(table).where(where)).rowcount
    for row in rows:
        tx.execute(insert(table).values({name: value for name, value in row.items() if name in table.c}))
    return gone


def _key(secrets: Secrets) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, None, b"klartone backup 2 erased").derive(secrets.catalog))


def _bound(manifest: Manifest) -> bytes:
    return f"klartone erased 2 {manifest.of.archive} {manifest.target} {manifest.number}".encode("ascii")


def _plain(value: object) -> dict[str, str]:
    """Bytes have no spelling in JSON."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    raise TypeError(value)


def _bytes(found: dict[str, Any]) -> Any:
    return bytes.fromhex(found["hex"]) if found.keys() == {"hex"} else found
