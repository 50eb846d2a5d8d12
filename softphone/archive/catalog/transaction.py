"""One transaction of the catalog: its rows, the log's entries that tell of them, and the sealed keys that go with them.

In which order all of it comes onto the disk is written in `Transaction.commit`, and nowhere else. What a change means is not
known here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Table, insert

from softphone.archive.crypto.slots import Slots, Work
from softphone.archive.log import audit
from softphone.archive.log.checkpoint import Signer
from softphone.domain.changes import AuditEntry


class Transaction:
    """Begun for writing at once, by `Catalog.writing`. `desk` stands in every row; `wraps` are the sealed keys; `before` gives a
    look at what there was when it began."""

    def __init__(
        self,
        connection: Connection,
        desk: str,
        slots: Slots,
        before: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.desk = desk
        self.wraps = Work(slots, connection, desk)
        self.before = before
        self._entries: list[AuditEntry] = []

    def insert(self, table: Table, **values: Any) -> None:
        self.execute(insert(table).values(desk=self.desk, **values))

    def log(self, *entries: AuditEntry) -> None:
        """What tells of the change: in the log with the rows, in this order, or not at all."""
        self._entries += entries

    def commit(self, signer: Signer | None) -> None:
        """The order on the disk, so that a power cut at any moment loses nothing and brings nothing back:

        1. Before this: the file of a recording that begins is on the disk before its row (`Vault.create`).
        2. The entries join the chain, and a checkpoint of it where one is due.
        3. New sealed keys are on the disk before a row names them.
        4. Keys that are taken away are written over before their rows and entry stand. Cut off here, nobody opens them any
           more, and the next start writes the entry (`repair`). With 3 and 4 goes how far the committed log stands: no crash
           leaves a catalog whose log is behind that (`Catalog.is_older`).
        5. COMMIT: rows and entries stand.
        6. After this: keys that others replace are written over (`Catalog.writing`), and the files of what was discarded go
           (`condemned`).
        """
        log = self.desk, audit.told(self.connection, self.desk)
        if self._entries:
            audit.append(self.connection, self.desk, self._entries)
        if signer:
            signer.sign_due(self.connection)
        self.wraps.before(log)
        self.connection.exec_driver_sql("COMMIT")
