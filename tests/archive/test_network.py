"""No archive lies on a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.folder import network
from softphone.domain.errors import ArchiveError
from tests.archive.scene import MemoryKeys

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
    assert network.network_of(Path(folder), MOUNTS) == kind


@pytest.mark.skipif(sys.platform == "win32", reason="as Linux tells of its mounts")
def test_no_archive_is_made_over_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that is not real here is where the machine says that the folder lies."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:50 / {tmp_path} rw - nfs4 server:/home rw\n", encoding="utf-8")
    monkeypatch.setattr(network, "_MOUNTS", mounts)
    with pytest.raises(ArchiveError) as refused:
        Archive.create(tmp_path / "archive", MemoryKeys())
    assert (refused.value.code, refused.value.params["kind"]) == ("error.archive.on_network", "nfs4")
