"""A process with a keyring of its own that works on an archive beside others: it records calls and raises holds. Not a test.

Its arguments: the archive's folder, a file of keys, how many calls. It waits for a line on stdin before it begins.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.retention import holding
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole
from tests.archive.scene import DOCUMENTATION, Scene


class FileKeys:
    """A key store in a file: another's than whoever made the archive."""

    demo = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, name: str) -> bytes | None:
        text = self._held().get(name)
        return base64.b64decode(text) if text is not None else None

    def set(self, name: str, secret: bytes) -> None:
        self.path.write_text(json.dumps(self._held() | {name: base64.b64encode(secret).decode()}), encoding="utf-8")

    def delete(self, name: str) -> None:
        self.path.write_text(json.dumps({one: text for one, text in self._held().items() if one != name}))

    def _held(self) -> dict[str, str]:
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}


def main(folder: Path, keys: Path, count: int) -> None:
    os.umask(0o077)
    store = FileKeys(keys)
    public = {role: (store.get(role.value) or b"").decode("ascii") for role in KeyRole}
    recipients = {role: Recipient.from_policy(role.value, role, key) for role, key in public.items()}
    print("ready", flush=True)
    sys.stdin.readline()
    desk = Scene(folder, store=store, recipients=recipients, repairs=False)
    try:
        for number in range(count):
            recording = desk.recorded(0.2, DOCUMENTATION)
            if number % 2:
                holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "x", datetime.now(UTC))
            desk.archive.head(datetime.now(UTC))
    finally:
        desk.close()
    print(f"done {int(Archive.open(folder, store).signer.signs)}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
