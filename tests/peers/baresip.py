"""A real baresip that calls or is called, and speaks a WAV file; what it hears it keeps in another. Or it has the sound
devices that an `env` shows.

It is driven by its TCP control (netstrings of JSON). It registers where it is told to.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.authority import Authority
from tests.peers.processes import end, free_port, until

# Without its tones: a ringback is written to the file that the call's sound goes to, and baresip 1.1 falls over that.
_CONFIG = """
poll_method epoll
sip_listen 127.0.0.1:{sip}
call_local_timeout 20
call_max_calls 2
audio_player {player}
audio_source {says}
audio_alert aufile,{home}/alert.wav
ausrc_srate {rate}
auplay_srate {rate}
ringback_disabled yes
ring_aufile none
ringback_aufile none
callwaiting_aufile none
busy_aufile none
error_aufile none
notfound_aufile none
audio_level no
audio_txmode thread
rtp_tos 184
net_interface 127.0.0.1
module_path {folder}
module g711.so
module g722.so
module alsa.so
module aufile.so
module aubridge.so
{more}
module account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""

_MODULES = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules")


@dataclass
class Baresip:
    """`port` is its SIP port; `heard` is complete once the call and baresip have ended."""

    port: int
    control: int
    home: Path
    heard: Path
    _process: subprocess.Popen[bytes]

    def command(self, command: str, params: str = "") -> dict[str, Any]:
        """One of baresip's own commands, for example `dial`, `hangup`, `accept`; its answer."""
        asked = json.dumps({"command": command, "params": params, "token": "1"})
        with socket.create_connection(("127.0.0.1", self.control), 5) as wire:
            wire.sendall(f"{len(asked)}:{asked},".encode())
            wire.settimeout(5)
            received = b""
            while True:
                received += wire.recv(65536)
                while b":" in received:
                    length, _, rest = received.partition(b":")
                    size = int(length)
                    if len(rest) <= size:
                        break
                    told = json.loads(rest[:size])
                    received = rest[size + 1 :]
                    if told.get("response"):
                        return told

    @property
    def pid(self) -> int:
        return self._process.pid

    def dial(self, uri: str, heard: Path | None = None) -> None:
        """`heard`: a WAV file for what is heard of this call, whole once the call has ended."""
        if heard is not None:
            self.keep(heard)
        self.command("dial", uri)

    def keep(self, heard: Path) -> None:
        """What is heard of the next call goes into this file, which is whole once that has ended. In a call baresip 1.1 dies of
        it."""
        self.command("auplay", f"aufile,{heard}")

    def hang_up(self) -> None:
        self.command("hangup")

    def answer(self) -> None:
        until(lambda: self.calls("INCOMING"), 10, "a call to baresip")
        self.command("accept")

    def calls(self, state: str) -> bool:
        """Whether one of its calls is in that state, as its list of calls names it."""
        return state in str(self.command("listcalls").get("data"))

    def hold(self) -> None:
        self.command("hold")

    def resume(self) -> None:
        self.command("resume")

    def transfer(self, uri: str) -> None:
        """It asks the other side of its call to call that address."""
        self.command("transfer", uri)

    def press(self, digits: str) -> None:
        """Keys in the established call, one after another."""
        self.command("sndcode", digits)

    def close(self) -> None:
        end(self._process)

    def ready(self) -> bool:
        if self._process.poll() is not None:
            log = (self.home / "log").read_text(errors="replace")
            raise OSError(f"baresip ended: {log[-2000:]}")
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.control)) == 0


def _secured(authority: Authority, home: Path) -> str:
    """It is called on a port of its own, so it has a certificate too."""
    own, both = authority.sign("baresip", "127.0.0.1"), home / "own.pem"
    both.write_bytes(own.certificate.read_bytes() + own.key.read_bytes())
    return f"module srtp.so\nsip_cafile {authority.file}\nsip_certificate {both}\n"


@contextmanager
def baresip(
    says: Path | None,
    name: str = "baresip",
    *,
    env: Mapping[str, str] | None = None,
    answers: bool = False,
    codec: str = "pcma",
    registrar: str = "",
    keeps: bool = True,
    mixes: bool = False,
    server: str = "",
    password: str = "",
    authority: Authority | None = None,
    info: bool = False,
) -> Generator[Baresip]:
    """`says`: a WAV file, 8 kHz, 16 bit, mono; none: the microphone and the speaker that `env` shows. `answers`: each call at
    once. `registrar`, `host:port`: it registers there by UDP. Its address is `sip:<name>@127.0.0.1`. `keeps`: what it hears is
    kept; then it must not be held, since baresip 1.1 dies of its file's second beginning. `mixes`: another file can be mixed
    into what it says. `server`: it registers there by TLS, trusts that `authority`, and has no sound but SRTP's. `info`: it
    sends its keys by SIP INFO."""
    home = Path(tempfile.mkdtemp(prefix="baresip"))
    # It takes the next port for TLS, asked or not.
    sip, control = free_port(and_next=True), free_port()
    config = {
        "sip": sip,
        "control": control,
        "home": home,
        "says": f"aufile,{says}" if says else "alsa,default",
        "player": "alsa,default" if not says else f"aufile,{home / 'heard.wav'}" if keeps else "aubridge,nobody",
        "rate": 16_000 if codec.startswith("g722") else 8_000,
        "folder": next((path for path in _MODULES if Path(path).is_dir()), _MODULES[-1]),
        "more": ("module mixausrc.so\n" if mixes else "") + (_secured(authority, home) if authority else ""),
    }
    (home / "config").write_text(_CONFIG.format_map(config))
    address, registers = f"sip:{name}@127.0.0.1:{sip}", "regint=0"
    if registrar:
        address = f"sip:{name}@{registrar};transport=udp"
        registers = f"regint=600;auth_user={name};auth_pass={password}"
    if server:
        address = f"sip:{name}@{server};transport=tls"
        registers = f"regint=60;auth_user={name};auth_pass={password};mediaenc=srtp-mand"
    registers += ";dtmfmode=info" if info else ""
    answering = "auto" if answers else "manual"
    (home / "accounts").write_text(f"<{address}>;{registers};audio_codecs={codec};answermode={answering};ptime=20\n")
    (home / "contacts").write_text("")
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["baresip", "-f", str(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=dict(env) if env else None,
        )
    peer = Baresip(sip, control, home, home / "heard.wav", process)
    try:
        until(peer.ready, 10, "baresip's control port")
        yield peer
    finally:
        peer.close()
        shutil.rmtree(home, ignore_errors=True)
