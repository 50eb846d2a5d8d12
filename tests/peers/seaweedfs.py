"""A real SeaweedFS on loopback, one for the whole run however many workers it has; a bucket for each test.

Whoever comes first starts it, and whoever leaves last ends it. Its master, volumes and filer listen on loopback ports that
nobody is told; S3 alone is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from softphone.team.objects import Storage
from tests.peers.processes import free_port, until

ACCESS, SECRET = "tests", "only-on-loopback"


def start(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Its process and address. It takes eight ports, and somebody else may take one of them first: then it tries others."""
    for _ in range(4):
        with contextlib.suppress(PortTakenError):
            return _started(home)
        shutil.rmtree(home, ignore_errors=True)
    return _started(home)


def again(home: Path) -> subprocess.Popen[bytes]:
    """One that was killed comes back, where it was and with what it had."""
    for _ in range(40):
        # A connection of somebody else's may have one of its ports for a moment.
        with contextlib.suppress(PortTakenError):
            return _started(home)[0]
        time.sleep(0.5)
    return _started(home)[0]


def forget_sockets(home: Path) -> None:
    """It lays some in /tmp, named by its ports, and leaves them there."""
    with contextlib.suppress(OSError, ValueError):
        for port in json.loads((home / "ports.json").read_text()):
            for one in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                one.unlink(missing_ok=True)


class PortTakenError(OSError):
    pass


def _started(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    home.mkdir(parents=True, exist_ok=True)
    users = {"name": "tests", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}], "actions": ["Admin"]}
    (home / "s3.json").write_text(json.dumps({"identities": [users]}))
    (home / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
    # Killed, it comes again where it was.
    kept = home / "ports.json"
    if not kept.exists():
        kept.write_text(json.dumps([free_port() for _ in range(8)]))
    ports = iter(json.loads(kept.read_text()))
    s3 = next(ports)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("weed")),
                *(f"-config_dir={home}", "-logtostderr=true", "server", f"-dir={home}"),
                *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={home / 's3.json'}"),
                *("-s3.iam=false", f"-s3.port={s3}", f"-s3.port.grpc={next(ports)}"),
                *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
                *(f"-master.port={next(ports)}", f"-master.port.grpc={next(ports)}", "-master.volumeSizeLimitMB=64"),
                *(f"-volume.port={next(ports)}", f"-volume.port.grpc={next(ports)}", "-volume.max=500"),
                *(f"-filer.port={next(ports)}", f"-filer.port.grpc={next(ports)}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{s3}"

    def answers() -> bool:
        if process.poll() is not None:
            said = (home / "log").read_text("utf-8", "replace")[-2000:]
            raise (PortTakenError if "address already in use" in said else OSError)(f"SeaweedFS ended: {said}")
        with contextlib.suppress(BotoCoreError, ClientError):
            client(address).list_buckets()
            return True
        time.sleep(0.1)
        return False

    until(answers, 60, "SeaweedFS's S3")
    return process, address


@cache
def client(address: str) -> Any:
    """Plain boto3. Making one takes longer than most of what it is asked."""
    config = Config(retries={"max_attempts": 1, "mode": "standard"}, connect_timeout=2)
    session = cast("Any", boto3).session.Session(ACCESS, SECRET, region_name="us-east-1")
    return session.client("s3", endpoint_url=address, config=config)


@contextmanager
def seaweedfs() -> Generator[str]:
    """The run's server: its address."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    home = Path(tempfile.gettempdir()) / f"weed-{run[:12]}"
    home.mkdir(exist_ok=True)
    used, told = (home / "used").open("a"), home / "server.json"
    try:
        with (home / "starting").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(used, fcntl.LOCK_SH)
            if not told.exists():
                process, address = start(home / "data")
                process.returncode = 0  # whoever leaves last ends it, and this process may have gone by then
                told.write_text(json.dumps([process.pid, address]))
        _, address = json.loads(told.read_text())
        yield address
    finally:
        with (home / "starting").open("a") as ending:
            fcntl.flock(ending, fcntl.LOCK_EX)
            fcntl.flock(used, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if told.exists():
                    pid = json.loads(told.read_text())[0]
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)  # its own ending waits ten seconds for other servers
                    with contextlib.suppress(ChildProcessError):  # of another worker
                        os.waitpid(pid, 0)
                forget_sockets(home / "data")
                shutil.rmtree(home, ignore_errors=True)
        used.close()


def bucket(address: str, *, lock: bool = True, versions: bool = True) -> Storage:
    """A new one, as `klartone team` wants it, unless said otherwise."""
    name = f"t{secrets.token_hex(8)}"
    s3 = client(address)
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
    if versions and not lock:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Storage(name, ACCESS, SECRET, address)
