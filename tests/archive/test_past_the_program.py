"""What an agent, or a team lead, does to an archive past the program, on files and by SQL with the catalog's key: nothing is
heard but what their keyring opens, and `verify` tells of the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from softphone.archive.crypto.wraps import SUITE, Wrap, unwrap
from softphone.archive.files.container import Chunk, Sealer, read_header, scan
from softphone.archive.review.session import mark_reviewed
from softphone.domain.changes import DropWraps, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.holds import raise_hold
from tests.archive.people import House
from tests.archive.scene import DOCUMENTATION, TRAINING, MemoryKeys

pytestmark = pytest.mark.usefixtures("english")


KEYRINGS = {"agent": (), "lead": (KeyRole.TRAINING,)}


def heard(home: House, keys: MemoryKeys) -> dict[str, int]:
    """Of each recording, how many of its chunks anything opens that these keys give: each as a data key, and as a private key to
    which any slot of the catalog, taken for any wrap of any recording, yields one."""
    archive = home.desk.archive
    secrets = {*keys.held.values(), archive.secrets.catalog, archive.secrets.number, archive.secrets.index}
    private = {one for one in secrets if len(one) == 32}
    with archive.catalog.reading() as connection:
        found = [one or b"" for _, one in archive.catalog.slots.sealed(connection)]
    opened: dict[str, int] = {}
    for row in archive.list():
        wraps = [
            Wrap(row.recording, 0, role, one.key_id, SUITE, sealed)
            for role, one in home.desk.recipients.items()
            for sealed in found
        ]
        given = {key for wrap in wraps for one in private if (key := unwrap(wrap, one))}
        data = archive.vault.path(row.recording).read_bytes()
        header = data[: read_header(data)[1]]
        sealers = [Sealer(header, row.recording, 0, key) for key in private | given]
        chunks = [one for one in scan(data, len(header)) if isinstance(one, Chunk)]
        assert chunks
        opened[row.recording] = sum(any(one.open(chunk) is not None for one in sealers) for chunk in chunks)
    return opened


@pytest.mark.rule("G11")
@pytest.mark.parametrize("roles", KEYRINGS.values(), ids=KEYRINGS)
def test_no_chunk_is_decrypted_with_any_secret_of_the_keyring_but_what_a_lead_s_opens_for_training(
    home: House, roles: tuple[KeyRole, ...]
) -> None:
    desk, now = home.desk, datetime.now(UTC)
    documented, trains = home.recorded(DOCUMENTATION), home.recorded(TRAINING)
    opted_out, held, used = (home.recorded(DOCUMENTATION, TRAINING) for _ in range(3))
    everything = heard(home, desk.memory)
    assert all(everything.values())
    assert heard(home, desk.only(KeyRole.TRAINING)) == {**everything, documented: 0}

    desk.commit(DropWraps(opted_out, KeyRole.TRAINING, "withdrawn"), recording=opted_out)
    raise_hold(desk.archive, held, HoldBy.PARTY, "the price", "anna", now)
    assert mark_reviewed(desk.archive, used, "lead-1", now)
    theirs = {trains} if roles else set[str]()
    assert heard(home, desk.only(*roles)) == {one: n if one in theirs else 0 for one, n in everything.items()}
    desk.archive.store = desk.only(*roles)
    for recording in (documented, opted_out, held, used, trains):
        for role in KeyRole:
            if recording in theirs and role is KeyRole.TRAINING:
                assert desk.archive.open_recording(recording, now, role=role)
                continue
            with pytest.raises(ArchiveError):
                desk.archive.open_recording(recording, now, role=role)
