"""A real, private Secret Service: gnome-keyring on a message bus of its own, in a throw-away folder.

The user's own bus and keyring are neither used nor touched. Unlocked with a random password, or left
locked, or absent, as a test wants it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.peers.processes import end, until

State = Literal["unlocked", "locked", "absent"]

# No <servicedir>: nothing on this bus is ever started by itself.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

_SERVICE = "org.freedesktop.secrets"


@dataclass(frozen=True)
class SecretService:
    """`env` is for a process that shall use this keyring; `address` is its bus. An absent one may `come_up`, unlocked."""

    address: str
    env: Mapping[str, str]
    come_up: Callable[[], None]


@contextmanager
def gnome_keyring(state: State = "unlocked") -> Generator[SecretService]:
    home = Path(tempfile.mkdtemp(prefix="keyring"))
    socket = home / "bus"
    (home / "bus.conf").write_text(_BUS.format(socket=socket))
    address = f"unix:path={socket}"
    env = {
        **os.environ,
        "DBUS_SESSION_BUS_ADDRESS": address,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)  # a locked keyring must not ask anybody
    for folder in ("data", "run", "config"):
        (home / folder).mkdir(mode=0o700)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={home / 'bus.conf'}", "--nofork", "--nopidfile"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        processes.append(bus)
        until(socket.exists, 15, "the message bus")

        def come_up() -> None:
            processes.append(_daemon(env, secrets.token_hex(16)))
            until(lambda: _owned(env), 15, "the Secret Service")

        if state != "absent":
            come_up()
        if state == "locked":
            _lock(env)
        yield SecretService(address, env, come_up)
    finally:
        for process in reversed(processes):
            end(process)
        shutil.rmtree(home, ignore_errors=True)


def _daemon(env: Mapping[str, str], password: str) -> subprocess.Popen[bytes]:
    # Its output goes nowhere: the daemon keeps the pipe open, and a reader would wait for ever.
    daemon = subprocess.Popen(
        ["gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground"],
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert daemon.stdin is not None
    daemon.stdin.write(password.encode())
    daemon.stdin.close()
    return daemon


def _call(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["dbus-send", "--session", "--print-reply", "--reply-timeout=2000", *arguments],
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
    )


def _owned(env: Mapping[str, str]) -> bool:
    bus = "org.freedesktop.DBus"
    answer = _call(env, f"--dest={bus}", "/", f"{bus}.NameHasOwner", f"string:{_SERVICE}")
    return "boolean true" in answer.stdout


def _lock(env: Mapping[str, str]) -> None:
    login = "/org/freedesktop/secrets/collection/login"
    method = "org.freedesktop.Secret.Service.Lock"
    _call(env, f"--dest={_SERVICE}", "/org/freedesktop/secrets", method, f"array:objpath:{login}")
