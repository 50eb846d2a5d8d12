"""A private PulseAudio with two null sinks: what is played into `mouth` is the microphone's sound,
what is said to the speaker comes out of `ear`'s monitor. A source that is silent is there beside them.
Reached through ALSA, as PortAudio does.

The user's own sound server is neither used nor touched: socket, home and configuration are temporary.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.processes import end, until

RATE = 16_000
_FORMAT = ("--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=30")

_HEADSET = (
    "module-null-sink sink_name=headset rate=44100 channels=2 norewinds=1 sink_properties=device.description=Evolve2"
)

_ALSA = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


@dataclass
class NullSinks:
    """`env` is for a process that shall see this sound server and no other."""

    env: Mapping[str, str]
    modules: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)

    def plug_in(self) -> None:
        """The sound server comes; it answers when this returns."""
        self.process = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
                "--disable-shm=yes",
                "--realtime=no",
                "--high-priority=no",
                "--log-target=stderr",
                *(f"--load={module}" for module in self.modules.values()),
            ],
            env=dict(self.env),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: self._control("set-default-sink", "ear"), 15, "PulseAudio's answer")
        self._control("set-default-source", "mouth.monitor")

    def _control(self, *arguments: str) -> bool:
        done = subprocess.run(["pactl", *arguments], env=dict(self.env), capture_output=True, check=False)
        return done.returncode == 0

    def lose(self, sink: str) -> None:
        """`mouth` or `ear` is unplugged. Its sound goes on at another of its kind; with the last sink the speaker is lost."""
        asked = ["pactl", "list", "short", "modules"]
        told = subprocess.run(asked, env=dict(self.env), capture_output=True, check=True, text=True).stdout
        (line,) = (one for one in told.splitlines() if f"sink_name={sink} " in one)
        assert self._control("unload-module", line.split()[0])

    def find(self, sink: str) -> None:
        """It is plugged in again; `headset`, of 44.1 kHz, for the first time."""
        assert self._control("load-module", *(self.modules | {"headset": _HEADSET})[sink].split())

    def who_speaks(self) -> list[tuple[str, str]]:
        """Names and roles of those who play into `ear`."""
        told = subprocess.run(
            ["pactl", "--format=json", "list", "sink-inputs"], env=dict(self.env), capture_output=True, check=True
        ).stdout
        sinks = subprocess.run(
            ["pactl", "--format=json", "list", "sinks"], env=dict(self.env), capture_output=True, check=True
        ).stdout
        ear = next(one["index"] for one in json.loads(sinks) if one["name"] == "ear")
        found = [one["properties"] for one in json.loads(told) if one["sink"] == ear]
        return [(one["application.name"], one.get("media.role", "")) for one in found]

    def speak(self, wav: Path) -> subprocess.Popen[bytes]:
        """Play a WAV file into the microphone; end the process it gives."""
        return subprocess.Popen(["paplay", "--device=mouth", "--latency-msec=30", str(wav)], env=dict(self.env))

    def listen(self, raw: Path, sink: str = "ear") -> subprocess.Popen[bytes]:
        """Keep what the speaker says as raw 16 kHz, 16-bit, mono; end the process it gives."""
        return subprocess.Popen(["parec", f"--device={sink}.monitor", *_FORMAT, "--raw", str(raw)], env=dict(self.env))

    def stand_still(self) -> None:
        """It answers nothing, and does not go, until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """The sound server goes, as when a device is unplugged."""
        self.process.kill()
        self.process.wait()


@contextmanager
def null_sinks() -> Generator[NullSinks]:
    home = Path(tempfile.mkdtemp(prefix="pulse"))
    socket = home / "native"
    (home / ".asoundrc").write_text(_ALSA)
    (home / "client.conf").write_text("autospawn = no\nenable-shm = no\n")
    env = {
        **os.environ,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_CLIENTCONFIG": str(home / "client.conf"),
        "PULSE_RUNTIME_PATH": str(home),
        "PULSE_STATE_PATH": str(home),
    }
    modules = {
        "socket": f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        "mouth": "module-null-sink sink_name=mouth rate=48000 channels=1 norewinds=1",
        "ear": "module-null-sink sink_name=ear rate=48000 channels=1 norewinds=1",
        "quiet": "module-null-source source_name=quiet",
    }
    sinks = NullSinks(env, modules)
    try:
        sinks.plug_in()
        yield sinks
    finally:
        end(sinks.process)
        shutil.rmtree(home, ignore_errors=True)
