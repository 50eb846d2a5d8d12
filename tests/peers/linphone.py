"""A real Linphone (`linphonec`) that calls or is called. It says a WAV file, or what the sound server of `env` has at its
microphone.

It is driven by its command line. Its home, and so its database and its configuration, are temporary.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.peers.authority import Authority
from tests.peers.processes import end, free_port, until

_CONFIG = """[sip]
sip_port={sip}
sip_tcp_port=0
sip_tls_port={tls}
contact=sip:{name}@127.0.0.1
guess_hostname=0
keepalive_period=30000
use_rfc2833=1
use_info={info}
{more}default_proxy={default}
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
reg_proxy=<sip:{registrar};transport={transport}>
reg_identity=sip:{name}@{registrar}
reg_expires=600
reg_sendregister=1
publish=0
[auth_info_0]
username={name}
passwd={password}
realm={realm}
"""


_PAUSED = "is now paused"
_PROMPT = "linphonec> "
_SECURED = """root_ca={file}
verify_server_certs=1
verify_server_cn=1
media_encryption=srtp
media_encryption_mandatory=1
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

    def answer(self) -> None:
        until(lambda: "Receiving new incoming call" in self.told(), 10, "a call to Linphone")
        self.command("answer")

    def hang_up(self) -> None:
        self.command("terminate all")

    def press(self, digits: str) -> None:
        """Keys in the established call, one after another."""
        for digit in digits:
            self.command(digit)

    def hold(self) -> None:
        before = self.told().count(_PAUSED)
        self.command("pause")
        until(lambda: self.told().count(_PAUSED) > before, 10, "Linphone's hold")

    def resume(self) -> None:
        self.command(f"resume {self.last_call}")

    def transfer(self, uri: str) -> None:
        """It asks the other side of its call to call that address."""
        self.command(f"transfer {uri}")

    def keep(self, heard: Path) -> None:
        """What is heard from now on goes into this file, until its call is held or ends. Only where it says a file."""
        self.command(f"record {heard}")

    @property
    def last_call(self) -> int:
        """Its own number of the call that sound was last set up for."""
        return int(re.findall(r"Media streams established with \S+ for call (\d+)", self.told())[-1])

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
    authority: Authority | None = None,
    info: bool = False,
    waits: bool = True,
) -> Generator[Linphone]:
    """`says`: a WAV file instead of a sound device. `answers`: each call at once. `registrar`: `host:port`, by UDP; with the
    `authority` that it trusts by TLS, and then it has no sound but SRTP's. `info`: it sends its keys by INFO as well.
    `waits`: until it can be called."""
    home = Path(tempfile.mkdtemp(prefix="linphone"))
    (home / ".local/share/linphone").mkdir(parents=True)
    port = free_port()
    transport = "tls" if authority else "udp"
    whose = {"registrar": registrar, "transport": transport, "name": name, "password": password, "realm": realm}
    account = _ACCOUNT.format_map(whose) if registrar else ""
    says_it = {
        "info": int(info),
        "more": _SECURED.format(file=authority.file) if authority else "",
    }
    order = [*codecs, *(one for one in _CODECS if one not in codecs)]
    (home / "rc").write_text(
        _CONFIG.format(
            sip=port,
            name=name,
            sound=free_port(),
            default=0 if registrar else -1,
            tls=-2 if authority else 0,
            **says_it,
        )
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
            # Of two lines that it reads at once it forgets the second.
            for done, words in enumerate(("soundcard use files", f"play {says}"), 1):
                until(lambda done=done: peer.told().count(_PROMPT) >= done, 10, "Linphone's prompt")
                peer.command(words)
            until(lambda: peer.told().count(_PROMPT) >= 3, 10, "Linphone's sound")
        if waits:
            until(peer.ready, 10, "linphonec's SIP port")
        yield peer
    finally:
        peer.close()
        shutil.rmtree(home, ignore_errors=True)
