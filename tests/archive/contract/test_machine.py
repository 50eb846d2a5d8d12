"""What this machine's archive does for whom: each public method of `MachineArchive` is in a table, with whom it refuses.

A refusal is in the log before it is raised, and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from softphone.archive.crypto.wraps import Recipient, create_key_pair
from softphone.archive.seen.machine import MachineArchive
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.contract.people import PEOPLE
from tests.archive.scene import AT, MemoryKeys, Scene

FOR_WHOEVER_OPENS_THE_FOLDER = {
    *("open", "look", "schema_is_earlier", "close", "viewer_of", "seen_by", "demo", "store"),
    *("policy_signer", "verify", "head", "health", "waiting", "backups", "back_up", "mend", "unshipped"),
    *("revoked", "revoked_among", "standing", "living_wraps", "refuse_policy", "note_refused"),
}
"""nothing of a call, and nothing that ends anybody's access; `seen_by` is asked by `test_permission`"""
Deed = Callable[[MachineArchive, Recipient, Recipient], object]
DEEDS: dict[str, tuple[str, Deed]] = {
    "choose_signer": ("choose_signer", lambda machine, old, new: machine.choose_signer(str, AT)),
    "note": ("note", lambda machine, old, new: machine.note(AuditEntry("recording_deleted", "G10", AT, ""))),
    "rotate": ("rotate", lambda machine, old, new: machine.rotate(old, new, lambda _done, _of: True)),
    "require_revoke": ("revoke", lambda machine, old, new: machine.require_revoke(old)),
    "revoke": ("revoke", lambda machine, old, new: machine.revoke(old, lambda _done, _of: True)),
}
"""as the log names it, and the method itself, on the training key"""
OK, MINE, GONE, REVOKE = "", "not_yours", "no_private", "not_yours_to_revoke"
#                      it       agent   case handler  lead    custody
TABLE: dict[str, tuple[str, str, str, str, str]] = {
    "choose_signer":  (MINE,   MINE,   MINE,   MINE, OK),
    "note":           (MINE,   MINE,   MINE,   MINE, MINE),
    "rotate":         (GONE,   GONE,   GONE,   OK,   GONE),
    "require_revoke": (REVOKE, REVOKE, REVOKE, OK,   OK),
    "revoke":         (REVOKE, REVOKE, REVOKE, OK,   OK),
}  # fmt: skip


def test_each_method_is_in_the_table_or_for_whoever_opens_the_folder(desk: Scene) -> None:
    public = {name for name in dir(MachineArchive(desk.archive)) if name[0] != "_"}
    assert TABLE.keys() == DEEDS.keys()
    assert public == FOR_WHOEVER_OPENS_THE_FOLDER | TABLE.keys()


@pytest.mark.rule("G11")
@pytest.mark.parametrize("name", TABLE)
def test_the_machine_refuses_by_key_and_the_log_tells_first(desk: Scene, name: str) -> None:
    desk.closed(*Purpose)
    old = desk.recipients[KeyRole.TRAINING]
    new = Recipient("lead-2", KeyRole.TRAINING, create_key_pair(MemoryKeys()))
    logged, deed = DEEDS[name]
    for (who, (role, _)), code in zip(PEOPLE.items(), TABLE[name], strict=True):
        with closing(MachineArchive.open(desk.folder, desk.only(*([role] if role else [])))) as machine:
            before = len(desk.archive.audit_of())
            if not code:
                deed(machine, old, new)
                assert "refused" not in {row.event for row in desk.archive.audit_of()[before:]}, who
                continue
            with pytest.raises(ArchiveError) as refused:
                deed(machine, old, new)
            told = [(row.event, row.params.get("deed")) for row in desk.archive.audit_of()[before:]]
            assert (who, refused.value.code.rpartition(".")[2], told) == (who, code, [("refused", logged)])
            assert (machine.policy_signer, machine.revoked()) == ("", {})
