"""What a screen reader hears, on a real accessibility bus under a real X server: the headline, at once, when it changes, and
the number that a link offers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jeepney import DBusAddress, MatchRule, Message, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.peers.processes import end, until
from tests.peers.screen import screen
from tests.ui.conftest import RESOURCES

_LAUNCHER, _REGISTRY = Path("/usr/libexec/at-spi-bus-launcher"), Path("/usr/libexec/at-spi2-registryd")
_HERE = Path(__file__).parents[2]
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
_EVENT = "org.a11y.atspi.Event.Object"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AT-SPI is Linux's; a missing part of it fails here")


@contextmanager
def accessibility_bus() -> Generator[tuple[dict[str, str], str]]:
    """A session bus and an accessibility bus of their own. Gives the environment, and the second one's address."""
    folder = Path(tempfile.mkdtemp(prefix="kt-"))
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str, env: dict[str, str]) -> None:
        running.append(subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    try:
        socket = folder / "bus"
        (folder / "bus.conf").write_text(_BUS.format(socket=socket), encoding="utf-8")
        env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={socket}", "XDG_RUNTIME_DIR": str(folder)}
        for name in ("DISPLAY", "AT_SPI_BUS_ADDRESS", "QT_QPA_PLATFORM", "PYTHONPATH"):
            env.pop(name, None)
        start("dbus-daemon", f"--config-file={folder / 'bus.conf'}", "--nofork", env=env)
        until(socket.exists, 10, "the session bus")
        start(str(_LAUNCHER), "--launch-immediately", env=env)
        with open_dbus_connection(env["DBUS_SESSION_BUS_ADDRESS"]) as session:
            until(lambda: owned(session, "org.a11y.Bus"), 10, "the accessibility bus")
            asked = new_method_call(DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus"), "GetAddress")
            address: str = session.send_and_get_reply(asked, timeout=10).body[0]
        env |= {"AT_SPI_BUS_ADDRESS": address, "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "PYTHONPATH": str(_HERE)}
        with open_dbus_connection(address) as bus:
            if not owned(bus, "org.a11y.atspi.Registry"):
                start(str(_REGISTRY), env=env)
            until(lambda: owned(bus, "org.a11y.atspi.Registry"), 10, "its registry")
        yield env, address
    finally:
        for process in reversed(running):
            end(process)
        shutil.rmtree(folder, ignore_errors=True)


def owned(bus: DBusConnection, name: str) -> bool:
    return bool(bus.send_and_get_reply(message_bus.NameHasOwner(name), timeout=5).body[0])


def said(bus: DBusConnection, wanted: int) -> list[tuple[int, str]]:
    """The next announcements, in order: how urgent (2 is assertive), and the words."""
    out: list[tuple[int, str]] = []
    while len(out) < wanted:
        message: Message = bus.receive(timeout=10)
        fields = {key.name: value for key, value in message.header.fields.items()}
        if fields.get("member") == "Announcement":
            _, urgency, _, (_, words), _ = message.body
            out.append((urgency, words))
    return out


def draw(desk: subprocess.Popen[str], row: str) -> None:
    assert desk.stdin is not None
    assert desk.stdout is not None
    desk.stdin.write(f"{row}\n")
    desk.stdin.flush()
    assert desk.stdout.readline().strip() == f"drawn {row}"


def test_a_changed_headline_and_a_links_number_reach_a_screen_reader_at_once() -> None:
    with accessibility_bus() as (env, address), screen() as seen, open_dbus_connection(address) as bus:
        registry = DBusAddress("/org/a11y/atspi/registry", "org.a11y.atspi.Registry", "org.a11y.atspi.Registry")
        wanted = new_method_call(registry, "RegisterEvent", "sass", ("object:announcement", [], ""))
        bus.send_and_get_reply(wanted, timeout=5)
        rule = MatchRule(type="signal", interface=_EVENT, member="Announcement")
        bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=5)
        desk = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.reader_desk", str(RESOURCES)],
            cwd=_HERE,
            env={**env, **seen, "QT_QPA_PLATFORM": "xcb"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert desk.stdout is not None
            assert desk.stdout.readline().strip() == "ready"
            draw(desk, "notice_playing")
            draw(desk, "recording")
            draw(desk, "link")
            assert said(bus, 3) == [
                (2, "Beskeden afspilles – optages ikke endnu"),
                (2, "Optages til dokumentation"),
                (2, "+45 90 00 00 00 kommer fra et link. Der ringes først op, når du trykker »Ring op«."),
            ]
        finally:
            end(desk)
