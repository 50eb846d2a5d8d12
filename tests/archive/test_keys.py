"""A wrap opens for its own recording, segment, role, key and suite, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from softphone.archive.crypto import slots
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import Recipient, Secrets, Wrap, create_key_pair, private_name
from softphone.archive.examine.verify import verify
from softphone.archive.schema.tables import wraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, DOCUMENTATION, RATE, MemoryKeys, scene


@pytest.fixture
def sealed() -> tuple[bytes, Wrap, bytes]:
    """A data key, its wrap, and the private key that it was wrapped for."""
    store = MemoryKeys()
    recipient = Recipient("lead-1", KeyRole.TRAINING, create_key_pair(store))
    key = keys.data_key()
    return key, keys.wrap(key, recipient, "call-1", 3), store.held[private_name(recipient.key_id)]


def test_it_opens_for_whom_it_was_made_and_moved_changed_or_for_another_it_opens_nothing(
    sealed: tuple[bytes, Wrap, bytes],
) -> None:
    key, wrapped, private = sealed
    assert keys.unwrap(wrapped, private) == key
    assert key not in wrapped.sealed
    for change in (
        {"recording": "call-2"},
        {"segment": 4},
        {"role": KeyRole.DOCUMENTATION},
        {"key_id": "0" * 32},
        {"sealed": bytes([wrapped.sealed[0] ^ 1]) + wrapped.sealed[1:]},
        {"sealed": b""},
    ):
        assert keys.unwrap(replace(wrapped, **change), private) is None
    other = MemoryKeys()
    public = create_key_pair(other)
    assert keys.unwrap(wrapped, other.held[private_name(keys.fingerprint(public))]) is None


def test_a_wrap_of_an_unknown_suite_is_refused_by_its_name_and_found_and_the_other_roles_still_open(
    tmp_path: Path,
) -> None:
    with scene(tmp_path / "archive") as desk:
        recording = desk.recorded(1, DOCUMENTATION)
        with desk.archive.catalog.writing() as tx:
            which = (wraps.c.recording == recording) & (wraps.c.role == "documentation")
            # Its record is made for it, as a later version would make it.
            ((row, sealed),) = tx.wraps.sealed(which)
            tx.wraps.drop(which)
            tx.wraps.add([replace(slots.wrap_of(row, sealed), suite="MLKEM768")])
        with pytest.raises(ArchiveError) as refused:
            desk.archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)
        assert refused.value.params["suite"] == "MLKEM768"
        assert desk.archive.open_recording(recording, AT, role=KeyRole.CUSTODY).length == RATE
        assert [finding.code for finding in verify(desk.archive).findings] == ["wrap_unknown"]


def test_a_number_is_bound_to_its_call_and_found_by_its_key_alone() -> None:
    mine, other = Secrets.derive(keys.new_master()), Secrets.derive(keys.new_master())
    sealed = mine.seal_number("+4520123456", "call-1")
    assert mine.open_number(sealed, "call-1") == "+4520123456"
    assert mine.open_number(sealed, "call-2") is None
    assert other.open_number(sealed, "call-1") is None
    assert mine.number_index("+4520123456") == mine.number_index("+4520123456")
    assert mine.number_index("+4520123456") != other.number_index("+4520123456")
    assert len({mine.catalog, mine.number, mine.index}) == 3
