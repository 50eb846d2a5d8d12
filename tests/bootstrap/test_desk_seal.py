"""A certificate that IT puts into the settings while the program runs: the next call's passport is signed with it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.archive.archive import Archive
from softphone.archive.crypto.wraps import signer_name
from softphone.archive.folder.marker import read_marker
from softphone.bootstrap.desk_seal import DeskSeal
from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.passports import Seal, certify, present
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import FILE, save_settings
from softphone.system.signature import public_half
from softphone.wire.snapshot import Settings

HOUSE = Ed25519PrivateKey.generate().private_bytes_raw()


@pytest.mark.rule("G05")
@pytest.mark.expected_log("bug ValueError", reason="the desk's key is spoilt for one call")
def test_a_certificate_counts_from_the_next_call_on_and_one_that_is_taken_away_no_longer(tmp_path: Path) -> None:
    config, archive = tmp_path / "config", tmp_path / "archive"
    config.mkdir()
    inbox: queue.Queue[Callable[[], None]] = queue.Queue()
    used: list[Seal | None] = []
    seal = DeskSeal(config, archive, inbox.put, used.append)

    def call_begins() -> None:
        seal.look()
        inbox.get(timeout=10)()

    def put(certificate: str) -> None:
        save_settings(config, Settings(desk_certificate=certificate))

    call_begins()
    put("certificate.before.archive")
    call_begins()
    assert not used, "there is no archive yet, and so no key"
    keys = DemoKeyFile(archive / DEMO_KEYS)
    Archive.create(archive, keys, demo=True).close()
    signer = signer_name(read_marker(archive).desk)
    private = keys.get(signer)
    assert private is not None
    keys.set(signer, b"short")
    call_begins()
    assert not used, "a key that is none keeps the next call from nothing"
    keys.set(signer, private)
    now = datetime.now(UTC)
    put(certify(public_half(private), HOUSE, now + timedelta(days=1)))
    call_begins()
    call_begins()
    (made,) = used
    assert made is not None
    assert present(made.sign({"sub": "a"})).proved_by([public_half(HOUSE)], now)
    (config / FILE).write_text("broken = [", "utf-8")
    call_begins()
    assert len(used) == 1, "what cannot be read takes nothing away"
    put("")
    call_begins()
    assert used[1:] == [None]
