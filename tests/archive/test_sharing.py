"""One folder for several people of a machine: whose files they are, never over a network, and two desks at work on it at once."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto.passphrase import Cost
from softphone.archive.examine.verify import verify
from softphone.archive.folder import sharing
from softphone.archive.keys import admission
from softphone.domain.errors import ArchiveError
from tests.archive.scene import AT, DOCUMENTATION, scene
from tests.archive.second_desk import FileKeys

ROOT = Path(__file__).resolve().parents[2]
PHRASE = "nok så lang en sætning"
CHEAP = Cost(1, 1, 64)
CALLS = 4
posix = pytest.mark.skipif(sys.platform == "win32", reason="on Windows, permissions are the administrator's")

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:50 / /home rw,relatime - nfs4 server:/home rw
31 30 8:2 / /home/local rw - btrfs /dev/sdb rw
32 22 0:51 / /mnt/sales\\040share rw - cifs //server/sales rw
33 22 0:52 / /mnt/c rw - 9p C: rw
34 22 0:53 / /mnt/far rw - fuse.sshfs me@there:/ rw
35 22 0:54 / /mnt/near rw - fuse.gocryptfs /home/x rw
36 22 0:55 / /srv rw - ext4 /dev/sdc rw
37 22 0:56 / /srv rw - smb3 //server/srv rw
"""


@pytest.mark.skipif(sys.platform == "win32", reason="as Linux tells of its mounts")
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/klartone", None),
        ("/home/anna/.local/share/klartone", "nfs4"),
        ("/mnt/sales share/klartone", "cifs"),
        ("/mnt/c/klartone", "9p"),
        ("/mnt/far/klartone", "fuse.sshfs"),
        ("/mnt/near/klartone", None),
        ("/srv/klartone", "smb3"),
    ],
)
def test_a_folder_on_a_network_is_known_by_its_mount(folder: str, kind: str | None) -> None:
    assert sharing.network_of(Path(folder), MOUNTS) == kind


def test_no_archive_is_made_or_shared_over_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that is not real here is where the machine says that the folder lies."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:50 / {tmp_path} rw - nfs4 server:/home rw\n", encoding="utf-8")
    with scene(tmp_path / "archive"):
        pass
    monkeypatch.setattr(sharing, "_MOUNTS", mounts)
    if sys.platform != "win32":
        for deed in (
            lambda: Archive.create(tmp_path / "other", FileKeys(tmp_path / "keys.json")),
            lambda: sharing.share(tmp_path / "archive", "root"),
        ):
            with pytest.raises(ArchiveError) as refused:
                deed()
            assert refused.value.code == "error.archive.on_network"
            assert refused.value.params["kind"] == "nfs4"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def own_group() -> str:
    import grp

    return grp.getgrgid(os.getgid()).gr_name


@posix
def test_a_shared_folder_and_what_comes_into_it_is_the_group_s_and_nobody_else_s(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        desk.recorded(0.2, DOCUMENTATION)
        with pytest.raises(ArchiveError) as refused:
            sharing.share(desk.folder, "no-such-group")
        assert refused.value.code == "error.archive.no_group"
        assert (mode(desk.folder), sharing.group_of(desk.folder)) == (0o700, None)
        assert sharing.share(desk.folder, own_group()) > 4
        assert sharing.group_of(desk.folder) == own_group()
        before = os.umask(0o077)
        try:
            desk.recorded(0.2, DOCUMENTATION)
            desk.archive.vault.create("stray", AT)
            desk.archive.vault.set_aside("stray")
        finally:
            os.umask(before)
    with closing(desk.reopen()) as archive:
        archive.note()
        archive.head(AT)
        for path in desk.folder.rglob("*"):
            assert mode(path) == (0o2770 if path.is_dir() else 0o660), path
        assert mode(desk.folder) == 0o2770


def test_two_desks_with_keyrings_of_their_own_record_into_one_archive_at_once(tmp_path: Path) -> None:
    """Neither waits for ever, no entry is lost, the chain holds, and who has no signing key signs nothing."""
    with scene(tmp_path / "archive") as desk:
        public = {role.value: base64.b64encode(one.public_key) for role, one in desk.recipients.items()}
        own, others = FileKeys(tmp_path / "own.json"), FileKeys(tmp_path / "others.json")
        for name, secret in {**desk.only().held, **public}.items():
            own.set(name, secret)
        for name, secret in public.items():
            others.set(name, secret)
        archive = desk.archive
        told = tmp_path / "admit"
        admission.write(archive.id, archive.secrets, archive.signer, told, PHRASE, numbers=True, cost=CHEAP)
        assert admission.take_in(others, told, PHRASE).numbers
        signer = archive.signer.key
    if sys.platform != "win32":
        sharing.share(desk.folder, own_group())
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.archive.second_desk", str(desk.folder), str(keys.path), str(CALLS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for keys in (own, others)
    ]
    try:
        for one in running:
            assert one.stdout
            assert one.stdout.readline() == "ready\n"
        said = [one.communicate("go\n", timeout=120)[0] for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert said == ["done 1\n", "done 0\n"]
    assert [one.returncode for one in running] == [0, 0]

    archive = desk.reopen()
    try:
        proof = verify(archive)
        assert proof.ok, proof.findings
        assert proof.recordings == 2 * CALLS
        assert proof.opened_chunks == proof.chunks > 0
        events = Counter(entry.event for entry in archive.audit_of())
        assert (events["changed"], events["hold_placed"]) == (2 * CALLS, CALLS)
        head = archive.head(datetime.now(UTC))
        assert head is not None
        assert head.key == signer
    finally:
        archive.close()
