"""Faults of a machine, each planted by itself beside all that is well: what `klartone doctor` must call it, and the desk too.

    with ExitStack() as stack:
        at = World(build(tmp_path, lines=("n7",)), stack, …)
        PLANTS["a port in use"].make(at)

Nothing here asks the doctor. Each function's docstring is the plant's name.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.backup.copying import onward
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.folder.marker import MARKER
from softphone.archive.keys.rotation import revoke
from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.domain.purpose import KeyRole
from softphone.edge.channel import NAMESERVER
from softphone.system import settings_machine
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import load_settings
from softphone.system.signature import new_signing_key, public_half, sign
from softphone.system.single import take_turn
from softphone.wire.snapshot import Account
from tests.archive.disk import fill, remount, tmpfs
from tests.edge.test_resolver import name_server
from tests.journeys.fault_words import change_settings
from tests.journeys.stage import Stage
from tests.peers.authority import Authority
from tests.peers.exchange import exchange
from tests.peers.gnome_keyring import gnome_keyring
from tests.peers.kamailio import Kamailio
from tests.peers.processes import free_port
from tests.peers.pulse import null_sinks
from tests.peers.second_phone import ROOT
from tests.peers.wire import wire

HOST = "127.0.0.1"
PASSWORD = "s3cret"
NO_ROUTE = "203.0.113.77"
"""of the documentation's network (RFC 5737): nobody has it"""


@dataclass
class World:
    """A machine on which all is well. `env` is for processes; `shut`: they are run without root's right to all."""

    on: Stage
    stack: ExitStack
    patch: pytest.MonkeyPatch
    server: Kamailio
    authority: Authority
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    shut: bool = False
    apart: bool = False
    """the doctor is a process of its own: of a keyring's bus this one would keep a connection"""

    @property
    def folder(self) -> Path:
        return self.on.folder

    @property
    def settings_file(self) -> Path:
        return self.on.home.folders.config / "settings.toml"

    def lead(self, variables: Mapping[str, str]) -> None:
        """Of the environment, for the doctor and the phone."""
        for name, value in variables.items():
            self.patch.setenv(name, value)
        self.env |= variables

    def set(self, **changes: Any) -> None:
        change_settings(self.on, **changes)

    def account(self, address: str, **more: Any) -> None:
        self.set(accounts=(Account("agent", address, **more),))

    def by_tls(self, **more: Any) -> None:
        there = self.stack.enter_context(exchange(**more))
        self.account(f"agent@{HOST}:{there.port}", transport="tls", certificate_authority=str(self.authority.file))

    def manage(self, text: str) -> Path:
        """In place of /etc/klartone. A demo would go by its own settings."""
        place = self.folder / "etc" / "settings.toml"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
        self.patch.setattr(settings_machine, "FOLDER", place.parent)
        self.set(archive="")
        return place


@dataclass(frozen=True)
class Plant:
    """`desk`: where its sentence stands there too: in its `state`, or as the engine's `last words`; empty: it does not show
    it. `also`: what else is true of this machine then."""

    make: Callable[[World], object]
    code: str
    status: str
    desk: str
    also: tuple[str, ...]
    below: str


PLANTS: dict[str, Plant] = {}


def _plant(
    code: str, status: str = "fail", desk: str = "", also: tuple[str, ...] = (), below: str = ""
) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    def planted(make: Callable[[World], object]) -> Callable[[World], object]:
        PLANTS[make.__doc__ or ""] = Plant(make, code, status, desk, also, below)
        return make

    return planted


# Of the ways in which TLS fails the desk's side is one: tests/edge/test_tls.py holds each beside the doctor's.


# --- the account and its server -------------------------------------------------------------------


@_plant("ready.registration.refused", desk="state")
def _(at: World) -> None:
    """a wrong password"""
    DemoKeyFile(at.on.archive_folder / DEMO_KEYS).set(password_name("agent"), b"another")


@_plant("ready.registration.no_password", desk="state")
def _(at: World) -> None:
    """no password"""
    DemoKeyFile(at.on.archive_folder / DEMO_KEYS).delete(password_name("agent"))


@_plant("doctor.account.none", "warn")
def _(at: World) -> None:
    """no account"""
    at.set(accounts=())


@_plant("connection.refused", desk="state")
def _(at: World) -> None:
    """a server that is down"""
    at.account(f"agent@{HOST}:{free_port()}", transport="tcp")


@_plant("connection.silent")
def _(at: World) -> None:
    """a server that says nothing"""
    silent = at.stack.enter_context(wire())
    at.account(f"agent@{HOST}:{silent.port}")


@_plant("connection.no_network", desk="state")
def _(at: World) -> None:
    """no route"""
    subprocess.run(["ip", "route", "add", "unreachable", NO_ROUTE], check=True)
    at.stack.callback(subprocess.run, ["ip", "route", "del", "unreachable", NO_ROUTE], check=True)
    at.account(f"agent@{NO_ROUTE}", transport="tcp")


@_plant("connection.nowhere", desk="state", also=("doctor.names",))
def _(at: World) -> None:
    """a name that DNS does not know"""
    names = at.stack.enter_context(name_server({}))
    at.lead({NAMESERVER: "{}:{}".format(*names)})
    at.account("agent@pbx.test:5060")


@_plant("doctor.account.answer", "warn")
def _(at: World) -> None:
    """a server that is out of order"""
    at.account(f"agent@{HOST}:{_answering(at, '503 Service Unavailable')}")


@_plant("connection.tls_expired")
def _(at: World) -> None:
    """a certificate that has expired"""
    at.by_tls(signed=at.authority.sign("old", HOST, begins=-9, ends=-1))


@_plant("connection.tls_not_yet")
def _(at: World) -> None:
    """a certificate that is not valid yet"""
    at.by_tls(signed=at.authority.sign("young", HOST, begins=2))


@_plant("connection.tls_name", desk="state")
def _(at: World) -> None:
    """a certificate for another name"""
    at.by_tls(signed=at.authority.sign("name", "pbx.example"))


@_plant("connection.tls_unknown_authority")
def _(at: World) -> None:
    """a certificate of somebody unknown"""
    at.by_tls(signed=Authority(at.folder / "another", "Another authority").sign("foreign", HOST))


@_plant("connection.tls_authority_file")
def _(at: World) -> None:
    """an authority's file that is gone"""
    at.by_tls(signed=at.authority.sign("whole", HOST))
    account = load_settings(at.settings_file.parent).accounts[0]
    at.set(accounts=(replace(account, certificate_authority=str(at.folder / "nowhere.pem")),))


@_plant("connection.tls_none")
def _(at: World) -> None:
    """a server without TLS"""
    at.by_tls()


@_plant("doctor.certificate.ends", "warn")
def _(at: World) -> None:
    """a certificate that soon expires"""
    at.by_tls(signed=at.authority.sign("soon", HOST, ends=5))


# --- the clock ------------------------------------------------------------------------------------


@_plant("doctor.clock.fast")
def _(at: World) -> None:
    """a clock ten minutes ahead"""
    at.account(f"agent@{HOST}:{_answering(at, '200 OK', timedelta(minutes=-10))}")


@_plant("doctor.clock.slow")
def _(at: World) -> None:
    """a clock ten minutes behind"""
    at.account(f"agent@{HOST}:{_answering(at, '200 OK', timedelta(minutes=10))}")


@_plant("doctor.clock.back", "warn")
def _(at: World) -> None:
    """a clock that was set back"""
    log = at.on.home.folders.log / "engine.log"
    log.touch()
    later = time.time() + 3600
    os.utime(log, (later, later))


# --- the network ----------------------------------------------------------------------------------


@_plant("error.port_taken", desk="last words")
def _(at: World) -> None:
    """a port in use"""
    other = at.stack.enter_context(wire())
    at.set(port=other.port)


@_plant("error.bind", desk="last words", also=("connection.silent",))
def _(at: World) -> None:
    """an address that is not this machine's"""
    at.set(bind="192.0.2.1")


@_plant("doctor.stun.silent")
def _(at: World) -> None:
    """a STUN server that says nothing"""
    at.set(stun=f"{HOST}:{at.stack.enter_context(wire()).port}")


@_plant("error.engine.running", desk="last words")
def _(at: World) -> None:
    """a second phone"""
    at.stack.enter_context(take_turn(at.on.runtime))


# --- folders --------------------------------------------------------------------------------------


@_plant("error.settings.unwritable", "warn")
def _(at: World) -> None:
    """a settings folder that cannot be written"""
    _shut(at, at.settings_file.parent, 0o500)


@_plant("doctor.folder.log", "warn")
def _(at: World) -> None:
    """a log folder that cannot be written"""
    _shut(at, at.on.home.folders.log, 0o500)


@_plant("doctor.folder.cache", "warn")
def _(at: World) -> None:
    """a cache folder that cannot be written"""
    _shut(at, at.on.home.folders.cache, 0o500)


@_plant("error.engine.cannot_listen", desk="last words")
def _(at: World) -> None:
    """a runtime folder that is gone"""
    at.on.runtime.rmdir()
    at.on.runtime.touch()


@_plant("doctor.folder.foreign", "warn")
def _(at: World) -> None:
    """a runtime folder of somebody else's"""
    os.chown(at.on.runtime, 65534, -1)


@_plant("error.archive.denied", desk="state")
def _(at: World) -> None:
    """an archive's folder without rights"""
    _shut(at, at.on.archive_folder, 0o500)


@_plant("error.archive.full", desk="state")
def _(at: World) -> None:
    """a full disk"""
    fill(_on_a_disk(at))


@_plant("doctor.folder.low", "warn")
def _(at: World) -> None:
    """a disk that is nearly full"""
    _on_a_disk(at)


@_plant("error.archive.read_only", desk="state")
def _(at: World) -> None:
    """a disk that can only be read"""
    remount(_on_a_disk(at), "ro")


# --- the archive and its keys ---------------------------------------------------------------------


@_plant("error.archive.unknown_version", desk="state")
def _(at: World) -> None:
    """an archive of a newer version"""
    marker = at.on.archive_folder / MARKER
    marker.write_text(json.dumps(json.loads(marker.read_bytes()) | {"format": 99}), encoding="utf-8")


@_plant("error.archive.no_demo_keys", desk="state", also=("ready.registration.no_password",))
def _(at: World) -> None:
    """an archive of somebody else's"""
    (at.on.archive_folder / DEMO_KEYS).write_text("{}")


@_plant("error.archive.marker_missing", desk="state", also=("error.keyring.none", "ready.registration.no_password"))
def _(at: World) -> None:
    """an archive without its marker"""
    (at.on.archive_folder / MARKER).unlink()


@_plant("error.archive.wrong_key", desk="state")
def _(at: World) -> None:
    """a catalog that is none"""
    (at.on.archive_folder / "catalog.db").write_bytes(os.urandom(8192))


@_plant("doctor.backup.overdue", "warn")
def _(at: World) -> None:
    """an overdue backup"""
    keys, disk = DemoKeyFile(at.on.archive_folder / DEMO_KEYS), at.folder / "disk"
    archive = MachineArchive.open(at.on.archive_folder, keys)
    archive.back_up(disk, datetime.now(UTC) - timedelta(days=3), anew=False, progress=onward)
    archive.close()
    at.set(backup=str(disk))


@_plant("error.backup.away", "warn", also=("doctor.backup.overdue",))
def _(at: World) -> None:
    """a backup's disk that is away"""
    PLANTS["an overdue backup"].make(at)
    (at.folder / "disk").rename(at.folder / "drawer")


@_plant("error.backup.unwritable", "warn")
def _(at: World) -> None:
    """a backup's folder without rights"""
    (at.folder / "disk").mkdir()
    at.set(backup=str(at.folder / "disk"))
    _shut(at, at.folder / "disk", 0o500)


_WITHOUT_KEYS = ("ready.registration.no_password",)


@_plant("error.keyring.demo_file_open", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """keys that all can read"""
    (at.on.archive_folder / DEMO_KEYS).chmod(0o644)


@_plant("error.keyring.demo_file_denied", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """keys that this user may not read"""
    _shut(at, at.on.archive_folder / DEMO_KEYS, 0)


@_plant("error.keyring.demo_file", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """keys that are none"""
    (at.on.archive_folder / DEMO_KEYS).write_bytes(b"\x00\x01\x02")


@_plant("error.keyring.none", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """no keyring"""
    at.set(archive="")


@_plant("error.keyring.locked", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """a locked keyring"""
    service = at.stack.enter_context(gnome_keyring("locked"))
    at.lead({"DBUS_SESSION_BUS_ADDRESS": service.address})
    at.set(archive="")
    at.apart = True


# --- the policy -----------------------------------------------------------------------------------


@_plant("ready.policy.missing", "warn", desk="state")
def _(at: World) -> None:
    """no policy"""
    at.set(policy="")


@_plant("ready.policy.faulty", desk="state", below="policy.fault.file_missing")
def _(at: World) -> None:
    """a policy that is gone"""
    at.set(policy=str(at.folder / "nowhere.toml"))


@_plant("ready.policy.faulty", desk="state", below="policy.fault.ends_early")
def _(at: World) -> None:
    """a policy that was cut off"""
    policy = Path(load_settings(at.settings_file.parent).policy)
    policy.write_bytes(policy.read_bytes()[:700])


@_plant("ready.policy.unsigned", desk="state")
def _(at: World) -> None:
    """a policy without its signature"""
    at.set(policy_signer=public_half(new_signing_key()))


_NO_SETTINGS = (
    *("doctor.account.none", "ready.policy.missing", "error.keyring.none"),
    *("error.no_microphone", "error.no_speaker"),
)


@_plant("ready.policy.unsigned", desk="state")
def _(at: World) -> None:
    """a policy that was altered since it was signed"""
    key, policy = new_signing_key(), Path(load_settings(at.settings_file.parent).policy)
    sign(policy.read_bytes(), policy, key)
    at.set(policy_signer=public_half(key))
    policy.write_bytes(policy.read_bytes() + b"# and this\n")


@_plant("doctor.policy.revoked", "warn")
def _(at: World) -> None:
    """a policy with a key that is revoked"""
    key = base64.b64decode(at.on.public[KeyRole.DOCUMENTATION])
    with at.on.archive() as archive:
        revoke(archive, Recipient("doc", KeyRole.DOCUMENTATION, key))


# --- settings -------------------------------------------------------------------------------------


@_plant("error.settings.faulty", desk="state", also=_NO_SETTINGS)
def _(at: World) -> None:
    """settings with a fault"""
    at.settings_file.write_text("port = 'many'\n", encoding="utf-8")


@_plant(
    "error.settings.faulty",
    desk="state",
    also=_NO_SETTINGS,
    below="settings.fault.binary",
)
def _(at: World) -> None:
    """settings in UTF-16, with its byte order mark"""
    at.settings_file.write_bytes(at.settings_file.read_text("utf-8").encode("utf-16"))


@_plant("error.settings.set_aside", desk="state", also=_NO_SETTINGS)
def _(at: World) -> None:
    """settings that were set aside"""
    at.settings_file.rename(at.settings_file.with_name("settings.faulty.toml"))


@_plant("doctor.settings.doubtful", below="error.settings.srtp_in_the_clear", also=("ready.registration.refused",))
def _(at: World) -> None:
    """encrypted sound without TLS"""
    at.account(f"agent@{at.server.address}", srtp="required")


_MANAGED = ("error.keyring.none", "ready.registration.no_password", "ready.policy.missing")


@_plant("error.settings.machine_shut", also=_MANAGED)
def _(at: World) -> None:
    """the organisation's settings, which others can write"""
    at.manage("[locked]\nring_volume = 30\n").chmod(0o666)


@_plant("error.settings.machine_unrecorded", also=_MANAGED)
def _(at: World) -> None:
    """a lock on the policy that cannot be read"""
    at.manage("[locked]\npolicy = 7\n")


@_plant("error.settings.machine_faulty", "fail", also=_MANAGED)
def _(at: World) -> None:
    """a default of the organisation's that cannot be used"""
    at.manage('[default]\nring_volume = "loud"\n')


# --- plugins and sound ----------------------------------------------------------------------------


@_plant("error.plugin.unlisted", also=_MANAGED)
def _(at: World) -> None:
    """a plugin that is not listed"""
    _plugin(at, "planted", listed=())


@_plant("error.plugin.missing", also=_MANAGED)
def _(at: World) -> None:
    """a plugin that is not there"""
    _plugin(at, "planted", listed=("planted", "elsewhere"))


@_plant("error.plugin.manifest", also=_MANAGED)
def _(at: World) -> None:
    """a plugin for another version"""
    manifest = _plugin(at, "planted") / "plugin.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("api = 1", "api = 2"), encoding="utf-8")


@_plant("error.plugin.left_out", also=_MANAGED)
def _(at: World) -> None:
    """a plugin that crashes"""
    (_plugin(at, "planted") / "__init__.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")


@_plant("error.no_microphone", "warn", desk="state", also=("error.no_speaker",))
def _(at: World) -> None:
    """no headset"""
    at.set(microphone="")


@_plant("error.no_such_microphone", "warn", desk="state")
def _(at: World) -> None:
    """a headset that is not plugged in"""
    there = at.stack.enter_context(null_sinks())
    at.lead({name: value for name, value in there.env.items() if name.startswith("PULSE_")})
    at.set(microphone="PulseAudio: alsa_input.usb-GN_Netcom_A_S_Jabra_Evolve2_65_MS-00.mono-fallback")


@_plant("error.sound_file", "warn", desk="state")
def _(at: World) -> None:
    """a sound file that is none"""
    at.set(microphone=f"file:{at.settings_file}")


@_plant("doctor.ring.missing", "warn")
def _(at: World) -> None:
    """a ringtone that is gone"""
    at.set(ring_sound=f"file:{at.folder / 'nowhere.wav'}")


# --- how they are planted -------------------------------------------------------------------------


def _answering(at: World, status: str, off: timedelta | None = None) -> int:
    """The port of a server that answers all with this, and whose clock is `off`."""
    server = at.stack.enter_context(wire())
    more = "" if off is None else f"Date: {format_datetime(datetime.now(UTC) + off, usegmt=True)}\r\n"
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                asked = server.wait_for("", 0.2)
            except (TimeoutError, OSError):
                continue
            server.send(server.answer(asked, status, more=more), server.peer)

    thread = threading.Thread(target=serve)
    thread.start()
    at.stack.callback(thread.join)
    at.stack.callback(over.set)
    return server.port


def _shut(at: World, path: Path, mode: int) -> None:
    path.chmod(mode)
    at.stack.callback(path.chmod, 0o700)
    at.shut = True


def _on_a_disk(at: World) -> Path:
    """The archive, on a disk of its own."""
    kept = at.folder / "kept"
    at.on.archive_folder.rename(kept)
    disk = at.stack.enter_context(tmpfs(at.folder, "archive"))
    shutil.copytree(kept, disk, dirs_exist_ok=True)
    return disk


def _plugin(at: World, name: str, listed: tuple[str, ...] = ("planted",)) -> Path:
    folder = at.folder / "plugins" / name
    shutil.copytree(ROOT / "plugins" / "espeak_voice", folder, ignore=shutil.ignore_patterns("tests"))
    manifest = folder / "plugin.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("espeak_voice", name), encoding="utf-8")
    at.manage(f'[locked]\nplugin_folder = "{folder.parent}"\nplugins = {list(listed)!r}\n')
    return folder
