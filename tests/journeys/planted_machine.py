"""Faults to plant in folders, the archive, keys, the policy, settings, plugins and sound. How, says `planted`."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from softphone.archive.backup.copying import onward
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.folder.marker import MARKER
from softphone.archive.keys.rotation import revoke
from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import load_settings
from softphone.system.signature import new_signing_key, public_half, sign
from tests.archive.disk import fill, remount
from tests.journeys.planted import PLANTS, World, add_plugin, on_a_disk, planted, shut
from tests.peers.gnome_keyring import gnome_keyring
from tests.peers.pulse import null_sinks

# --- folders ---------------------------------------------------------------------------------------


@planted("error.settings.unwritable", "warn")
def _(at: World) -> None:
    """a settings folder that cannot be written"""
    shut(at, at.settings_file.parent, 0o500)


@planted("doctor.folder.log", "warn")
def _(at: World) -> None:
    """a log folder that cannot be written"""
    shut(at, at.on.home.folders.log, 0o500)


@planted("doctor.folder.cache", "warn")
def _(at: World) -> None:
    """a cache folder that cannot be written"""
    shut(at, at.on.home.folders.cache, 0o500)


@planted("error.engine.cannot_listen", desk="last words")
def _(at: World) -> None:
    """a runtime folder that is gone"""
    at.on.runtime.rmdir()
    at.on.runtime.touch()


@planted("doctor.folder.foreign", "warn")
def _(at: World) -> None:
    """a runtime folder of somebody else's"""
    os.chown(at.on.runtime, 65534, -1)


@planted("error.archive.denied", desk="state")
def _(at: World) -> None:
    """an archive's folder without rights"""
    shut(at, at.on.archive_folder, 0o500)


@planted("error.archive.full", desk="state")
def _(at: World) -> None:
    """a full disk"""
    fill(on_a_disk(at))


@planted("doctor.folder.low", "warn")
def _(at: World) -> None:
    """a disk that is nearly full"""
    on_a_disk(at)


@planted("error.archive.read_only", desk="state")
def _(at: World) -> None:
    """a disk that can only be read"""
    remount(on_a_disk(at), "ro")


# --- the archive and its keys ----------------------------------------------------------------------


@planted("error.archive.unknown_version", desk="state")
def _(at: World) -> None:
    """an archive of a newer version"""
    marker = at.on.archive_folder / MARKER
    marker.write_text(json.dumps(json.loads(marker.read_bytes()) | {"format": 99}), encoding="utf-8")


@planted("error.archive.no_demo_keys", desk="state", also=("ready.registration.no_password",))
def _(at: World) -> None:
    """an archive of somebody else's"""
    (at.on.archive_folder / DEMO_KEYS).write_text("{}")


@planted("error.archive.marker_missing", desk="state", also=("error.keyring.none", "ready.registration.no_password"))
def _(at: World) -> None:
    """an archive without its marker"""
    (at.on.archive_folder / MARKER).unlink()


@planted("error.archive.wrong_key", desk="state")
def _(at: World) -> None:
    """a catalog that is none"""
    (at.on.archive_folder / "catalog.db").write_bytes(os.urandom(8192))


@planted("doctor.backup.overdue", "warn")
def _(at: World) -> None:
    """an overdue backup"""
    keys, disk = DemoKeyFile(at.on.archive_folder / DEMO_KEYS), at.folder / "disk"
    archive = MachineArchive.open(at.on.archive_folder, keys)
    archive.back_up(disk, datetime.now(UTC) - timedelta(days=3), anew=False, progress=onward)
    archive.close()
    at.set(backup=str(disk))


@planted("error.backup.away", "warn", also=("doctor.backup.overdue",))
def _(at: World) -> None:
    """a backup's disk that is away"""
    PLANTS["an overdue backup"].make(at)
    (at.folder / "disk").rename(at.folder / "drawer")


@planted("error.backup.unwritable", "warn")
def _(at: World) -> None:
    """a backup's folder without rights"""
    (at.folder / "disk").mkdir()
    at.set(backup=str(at.folder / "disk"))
    shut(at, at.folder / "disk", 0o500)


_WITHOUT_KEYS = ("ready.registration.no_password",)


@planted("error.keyring.demo_file_open", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """keys that all can read"""
    (at.on.archive_folder / DEMO_KEYS).chmod(0o644)


@planted("error.keyring.demo_file_denied", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """keys that this user may not read"""
    shut(at, at.on.archive_folder / DEMO_KEYS, 0)


@planted("error.keyring.demo_file", desk="state", also=_WITHOUT_KEYS)
def _(at: World) -> None:
    """keys that are none"""
    (at.on.archive_folder / DEMO_KEYS).write_bytes(b"\x00\x01\x02")


@planted("error.keyring.none", desk="state", also=(*_WITHOUT_KEYS, "doctor.backup.unset"))
def _(at: World) -> None:
    """no keyring"""
    at.set(archive="")


@planted("error.keyring.locked", desk="state", also=(*_WITHOUT_KEYS, "doctor.backup.unset"))
def _(at: World) -> None:
    """a locked keyring"""
    service = at.stack.enter_context(gnome_keyring("locked"))
    at.lead({"DBUS_SESSION_BUS_ADDRESS": service.address})
    at.set(archive="")
    at.apart = True


# --- the policy ------------------------------------------------------------------------------------


@planted("ready.policy.missing", "warn", desk="state")
def _(at: World) -> None:
    """no policy"""
    at.set(policy="")


@planted("ready.policy.faulty", desk="state", below="policy.fault.file_missing")
def _(at: World) -> None:
    """a policy that is gone"""
    at.set(policy=str(at.folder / "nowhere.toml"))


@planted("ready.policy.faulty", desk="state", below="policy.fault.ends_early")
def _(at: World) -> None:
    """a policy that was cut off"""
    policy = Path(load_settings(at.settings_file.parent).policy)
    policy.write_bytes(policy.read_bytes()[:700])


@planted("ready.policy.unsigned", desk="state")
def _(at: World) -> None:
    """a policy without its signature"""
    at.set(policy_signer=public_half(new_signing_key()))


_NO_SETTINGS = (
    *("doctor.account.none", "ready.policy.missing", "error.keyring.none", "doctor.backup.unset"),
    *("error.no_microphone", "error.no_speaker"),
)


@planted("ready.policy.unsigned", desk="state")
def _(at: World) -> None:
    """a policy that was altered since it was signed"""
    key, policy = new_signing_key(), Path(load_settings(at.settings_file.parent).policy)
    sign(policy.read_bytes(), policy, key)
    at.set(policy_signer=public_half(key))
    policy.write_bytes(policy.read_bytes() + b"# and this\n")


@planted("doctor.policy.revoked", "warn")
def _(at: World) -> None:
    """a policy with a key that is revoked"""
    key = base64.b64decode(at.on.public[KeyRole.DOCUMENTATION])
    with at.on.archive() as archive:
        revoke(archive, Recipient("doc", KeyRole.DOCUMENTATION, key))


# --- settings --------------------------------------------------------------------------------------


@planted("error.settings.faulty", desk="state", also=_NO_SETTINGS)
def _(at: World) -> None:
    """settings with a fault"""
    at.settings_file.write_text("port = 'many'\n", encoding="utf-8")


@planted(
    "error.settings.faulty",
    desk="state",
    also=_NO_SETTINGS,
    below="settings.fault.binary",
)
def _(at: World) -> None:
    """settings in UTF-16, with its byte order mark"""
    at.settings_file.write_bytes(at.settings_file.read_text("utf-8").encode("utf-16"))


@planted("error.settings.set_aside", desk="state", also=_NO_SETTINGS)
def _(at: World) -> None:
    """settings that were set aside"""
    at.settings_file.rename(at.settings_file.with_name("settings.faulty.toml"))


@planted("doctor.settings.doubtful", below="error.settings.srtp_in_the_clear", also=("ready.registration.refused",))
def _(at: World) -> None:
    """encrypted sound without TLS"""
    at.account(f"agent@{at.server.address}", srtp="required")


_MANAGED = ("error.keyring.none", "ready.registration.no_password", "ready.policy.missing", "doctor.backup.unset")


@planted("error.settings.machine_shut", also=_MANAGED)
def _(at: World) -> None:
    """the organisation's settings, which others can write"""
    at.manage("[locked]\nring_volume = 30\n").chmod(0o666)


@planted("error.settings.machine_unrecorded", also=_MANAGED)
def _(at: World) -> None:
    """a lock on the policy that cannot be read"""
    at.manage("[locked]\npolicy = 7\n")


@planted("error.settings.machine_faulty", "fail", also=_MANAGED)
def _(at: World) -> None:
    """a default of the organisation's that cannot be used"""
    at.manage('[default]\nring_volume = "loud"\n')


# --- plugins and sound -----------------------------------------------------------------------------


@planted("error.plugin.unlisted", also=_MANAGED)
def _(at: World) -> None:
    """a plugin that is not listed"""
    add_plugin(at, "planted", listed=())


@planted("error.plugin.missing", also=_MANAGED)
def _(at: World) -> None:
    """a plugin that is not there"""
    add_plugin(at, "planted", listed=("planted", "elsewhere"))


@planted("error.plugin.manifest", also=_MANAGED)
def _(at: World) -> None:
    """a plugin for another version"""
    manifest = add_plugin(at, "planted") / "plugin.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("api = 1", "api = 2"), encoding="utf-8")


@planted("error.plugin.left_out", also=_MANAGED)
def _(at: World) -> None:
    """a plugin that crashes"""
    (add_plugin(at, "planted") / "__init__.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")


@planted("error.no_microphone", "warn", desk="state", also=("error.no_speaker",))
def _(at: World) -> None:
    """no headset"""
    at.set(microphone="")


@planted("error.no_such_microphone", "warn", desk="state")
def _(at: World) -> None:
    """a headset that is not plugged in"""
    there = at.stack.enter_context(null_sinks())
    at.lead({name: value for name, value in there.env.items() if name.startswith("PULSE_")})
    at.set(microphone="PulseAudio: alsa_input.usb-GN_Netcom_A_S_Jabra_Evolve2_65_MS-00.mono-fallback")


@planted("error.sound_file", "warn", desk="state")
def _(at: World) -> None:
    """a sound file that is none"""
    at.set(microphone=f"file:{at.settings_file}")


@planted("doctor.ring.missing", "warn")
def _(at: World) -> None:
    """a ringtone that is gone"""
    at.set(ring_sound=f"file:{at.folder / 'nowhere.wav'}")
