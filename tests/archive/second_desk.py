"""A process with a keyring of its own that works on an archive beside others: it records calls and raises holds. Not a test.

Its arguments: the archive's folder, a file of keys, how many calls. It waits for a line on stdin before it begins.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.crypto.wraps import Recipient
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.holds import raise_hold
from tests.archive.scene import DOCUMENTATION, Scene


class FileKeys(DemoKeyFile):
    """A keyring in a file, for an archive that is no demo's."""

    demo = False


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
                raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "x", datetime.now(UTC))
            desk.archive.head(datetime.now(UTC))
    finally:
        desk.close()
    print(f"done {int(Archive.open(folder, store).signer.signs)}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
