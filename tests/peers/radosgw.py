"""A real Ceph of one node on loopback, Debian's: a monitor, a store in memory, and its S3, radosgw. For torture alone.

Debian's programs look for their classes from `/`, where systemd starts them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.peers import seaweedfs
from tests.peers.processes import free_port, until

TOO = pytest.mark.parametrize("s3", ["seaweedfs", pytest.param("radosgw", marks=pytest.mark.torture)], indirect=True)
"""the test runs on both"""
_SETTINGS = """[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{monitor}
public_network = 127.0.0.0/8
keyring = {home}/keyring
admin_socket =
pid_file =
run_dir = {home}
log_file = {home}/$name.log
mon_data = {home}/mon
mon_allow_pool_size_one = true
osd_data = {home}/osd
osd_objectstore = memstore
osd_pool_default_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
rgw_data = {home}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{s3}
"""


@contextmanager
def radosgw() -> Generator[str]:
    """Its address. Raises FileNotFoundError where Debian's ceph-mon, ceph-osd and radosgw are not installed."""
    with TemporaryDirectory(prefix="krgw") as folder, ExitStack() as ends:
        home, fsid, monitor, s3 = Path(folder), str(uuid4()), free_port(), free_port()
        settings, keyring = home / "ceph.conf", home / "keyring"
        settings.write_text(_SETTINGS.format(home=home, fsid=fsid, monitor=monitor, s3=s3))
        for one in ("mon", "osd", "rgw"):
            (home / one).mkdir()

        def run(program: str, *words: str) -> str:
            line = [program, *words, *(() if program in ("monmaptool", "ceph-authtool") else ("-c", str(settings)))]
            done = subprocess.run(line, cwd="/", capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
            return done.stdout

        def start(program: str, *words: str) -> subprocess.Popen[bytes]:
            with (home / "out").open("ab") as out:
                line = [program, "-f", "-c", str(settings), *words]
                process = subprocess.Popen(line, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            ends.callback(lambda: (process.kill(), process.wait()))
            return process

        run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", str(home / "monmap"))
        for who in ("mon.", "client.admin", "osd.0", "client.rgw.a"):
            caps = [word for what in ("mon", "osd", "mgr") for word in ("--cap", what, "allow *")]
            run("ceph-authtool", *(() if keyring.exists() else ("-C",)), "--gen-key", "-n", who, *caps, str(keyring))
        run("ceph-mon", "-i", "a", "--mkfs", "--monmap", str(home / "monmap"), "--keyring", str(keyring))
        start("ceph-mon", "-i", "a")
        store = str(uuid4())
        run("ceph", "osd", "new", store)
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", store)
        start("ceph-osd", "-i", "0")
        until(lambda: "1 up" in run("ceph", "osd", "stat"), 60, "Ceph's store")
        user = ("--uid=tests", "--display-name=tests", f"--access-key={seaweedfs.ACCESS}")
        run("radosgw-admin", "user", "create", *user, f"--secret-key={seaweedfs.SECRET}")
        gateway, address = start("radosgw", "-n", "client.rgw.a"), f"http://127.0.0.1:{s3}"

        def answers() -> bool:
            assert gateway.poll() is None, (home / "out").read_text("utf-8", "replace")[-2000:]
            try:
                seaweedfs.client(address).list_buckets()
            except (BotoCoreError, ClientError):
                return False
            return True

        until(answers, 60, "radosgw's first answer")
        yield address
