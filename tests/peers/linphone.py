"""A real Linphone (`linphonec`) that calls or is called. It says a WAV file, or what the sound server of `env` has at its
microphone.

It is driven by its command line. Its home, and so its database and its configuration, are temporary.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.peers.processes import end, free_port, until

_CONFIG = """[sip]
sip_port={sip}
sip_tcp_port=0
sip_tls_port=0
contact=sip:{name}@127.0.0.1
guess_hostname=0
keepalive_period=30000
default_proxy={default}
[net]
firewall_policy=0
[rtp]
audio_rtp_port={sound}
[sound]
playback_dev_id=ALSA: default
capture_dev_id=ALSA: default
ringer_dev_id=ALSA: default
echocancellation=0
[video]
enabled=0
capture=0
display=0
"""
_CODECS = ("PCMA/8000", "PCMU/8000", "G722/8000")
_CODEC = "[audio_codec_{number}]\nmime={name}\nrate={rate}\nchannels=1\nenabled={enabled}\n"
_ACCOUNT = """[proxy_0]
reg_proxy=<sip:{registrar};transport=udp>
reg_identity=sip:{name}@{registrar}
reg_expires=600
reg_sendregister=1
publish=0
[auth_info_0]
username={name}
passwd={password}
realm={realm}
"""


@dataclass
class Linphone:
    """`port` is its SIP port; `pid` that of its one process."""

    port: int
    home: Path
    _process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self._process.pid

    def command(self, words: str) -> None:
        """A line of `linphonec`'s own, for example `call sip:…`, `answer`, `terminate`, `pause`, `transfer sip:…`."""
        assert self._process.stdin is not None
        self._process.stdin.write(words.encode() + b"\n")
        self._process.stdin.flush()

    def dial(self, uri: str) -> None:
        self.command(f"call {uri}")

    def hang_up(self) -> None:
        self.command("terminate all")

    def told(self) -> str:
        """All that it has written."""
        return (self.home / "log").read_text(errors="replace")

    def ready(self) -> bool:
        if self._process.poll() is not None:
            raise OSError(f"linphonec ended: {self.told()[-2000:]}")
        return any(one.laddr.port == self.port for one in psutil.Process(self.pid).net_connections("udp"))

    def close(self) -> None:
        with suppress(OSError):
            self.command("quit")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        end(self._process)


@contextmanager
def linphone(
    name: str = "linphone",
    *,
    says: Path | None = None,
    env: Mapping[str, str] | None = None,
    answers: bool = False,
    codecs: Sequence[str] = ("PCMA/8000",),
    registrar: str = "",
    password: str = "",
    realm: str = "",
    waits: bool = True,
) -> Generator[Linphone]:
    """`says`: a WAV file instead of a sound device. `answers`: each call at once. `registrar`: `host:port`, by UDP. `waits`:
    until it can be called."""
    home = Path(tempfile.mkdtemp(prefix="linphone"))
    (home / ".local/share/linphone").mkdir(parents=True)
    port = free_port()
    account = _ACCOUNT.format(registrar=registrar, name=name, password=password, realm=realm) if registrar else ""
    order = [*codecs, *(one for one in _CODECS if one not in codecs)]
    (home / "rc").write_text(
        _CONFIG.format(sip=port, name=name, sound=free_port(), default=0 if registrar else -1)
        + "".join(
            _CODEC.format(number=number, name=one.split("/")[0], rate=one.split("/")[1], enabled=int(one in codecs))
            for number, one in enumerate(order)
        )
        + account
    )
    around = {**(env or os.environ), "HOME": str(home), "XDG_DATA_HOME": str(home / ".local/share")}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["linphonec", "-c", str(home / "rc"), *(["-a"] if answers else [])],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=around,
        )
    peer = Linphone(port, home, process)
    try:
        if says is not None:
            peer.command("soundcard use files")
            peer.command(f"play {says}")
        if waits:
            until(peer.ready, 10, "linphonec's SIP port")
        yield peer
    finally:
        peer.close()
        shutil.rmtree(home, ignore_errors=True)
