"""`klartone support FILE`: what somebody needs who helps from afar, in one file, without who called whom and without secrets.

Nothing is sent. A person looks into the file first, and sends it or not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import socket
import sys
import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from softphone import __version__
from softphone.bootstrap.home import Home, key_store, password_name, texts
from softphone.bootstrap.running import running
from softphone.cli.doctor.run import examined
from softphone.cli.settings import as_json, machine_fault_at_its_place
from softphone.cli.status import status_of
from softphone.crashes import crashes, forget
from softphone.domain.errors import KlartoneError
from softphone.locking import held_by_another
from softphone.ordinary import open_ordinary
from softphone.replacing import replace_file
from softphone.system.endpoint import read_endpoint
from softphone.system.logbook import WRITERS
from softphone.system.redaction import Kind, Redactor
from softphone.system.settings_schema import SCHEMA
from softphone.system.user import user_name
from softphone.texts import Texts, plain
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Settings

LONGEST = 1_000_000
"""bytes of one log: its end"""
_LOG = re.compile(rf"(?:{'|'.join(WRITERS)})(?:-\d+)?\.log(?:\.\d)?")
_CRASH = re.compile(r"[a-z-]+-\d{8}T\d{6}-\d+\.txt")
_PARTS = frozenset({*WRITERS, "edge", "plugin-host", "softphone.edge", "softphone.plugin.host"})
_VARIABLES = ("KLARTONE_", "LANG", "LC_", "XDG_", "QT_", "DISPLAY", "WAYLAND_", "PULSE_", "TZ", "SSL_CERT_", "DBUS_")
"""how the variables begin that change what Klartone does"""


@dataclass(frozen=True, slots=True)
class Made:
    """`files`: each with its size in bytes."""

    file: Path
    files: Mapping[str, int]
    taken: Mapping[Kind, int]


def run_support(arguments: argparse.Namespace) -> int:
    """Raises KlartoneError if the file cannot be written."""
    home, tell = Home.of(arguments), texts()
    reports = crashes(home.folders.log)
    made = make(home, arguments.file, tell)
    if arguments.forget_crashes:
        forget(reports)
    forgotten = len(reports) if arguments.forget_crashes else 0
    if arguments.json:
        said = {"file": str(made.file), "files": made.files, "taken": made.taken, "crashes_deleted": forgotten}
        print(json.dumps(said, indent=2))  # noqa: T201
        return 0
    for line in _told(made, tell):
        print(plain(line))  # noqa: T201
    if forgotten:
        print(tell("support.forgotten", count=forgotten))  # noqa: T201
    return 0


def make(home: Home, file: Path, tell: Texts) -> Made:
    """Whole or not at all, for this user alone. Raises KlartoneError."""
    file = file.absolute()
    if file.is_dir():
        raise KlartoneError("error.support.folder", path=str(file))
    with _writing(file) as packed:
        files, taken = _collected(home, tell)
        files["READ-ME.txt"] = "\n".join([*_about(taken, tell), "", *_contents(files, tell), ""]).encode()
        made = Made(file, {name: len(one) for name, one in sorted(files.items())}, taken)
        for name, data in sorted(files.items()):
            packed.writestr(name, data)
    return made


def _collected(home: Home, tell: Texts) -> tuple[dict[str, bytes], dict[Kind, int]]:
    """Each file, and what was taken out of all of them."""
    held, _ = home.settings_in_force(only_look=True)
    phone = None
    with suppress(KlartoneError, OSError):
        phone = running(home.folders.runtime)
    snapshot = phone.snapshot if phone else None
    redactor = Redactor(**_known(home, held.settings, snapshot))
    files: dict[str, bytes] = {}

    def put(name: str, data: Any) -> None:
        files[name] = json.dumps(redactor.data(data), ensure_ascii=False, indent=2).encode()

    # Before the doctor, which may forget some of them.
    put("environment.json", {name: one for name, one in os.environ.items() if name.startswith(_VARIABLES)})
    put("phone.json", status_of(phone) if phone else {"running": False})
    put("doctor.json", examined(home))
    put("versions.json", _versions())
    put(
        "settings.json",
        {
            "settings": {one.key: as_json(home, held, one.key) for one in SCHEMA},
            "machine_faults": [machine_fault_at_its_place(one, tell) for one in held.machine.faults],
        },
    )
    put("processes.json", _processes(home))
    for folder, path in _logs(home):
        with suppress(OSError):
            files[f"{folder}/{path.name}"] = redactor.text(_end_of(path)).encode()
    return files, dict(redactor.taken)


def _known(home: Home, settings: Settings, now: Snapshot | None) -> dict[str, list[str]]:
    """What this user's phone knows of people, and its secrets."""
    names, numbers, users, secrets = _people(), list[str](), list[str](), list[str]()
    store = key_store(home.archive(settings))
    for one in settings.accounts:
        users += [one.address.partition("@")[0], one.user, one.mailbox]
        names.append(one.display_name)
        with suppress(KlartoneError):
            secrets.append((store.get(password_name(one.id)) or b"").decode())
    if now:
        for call in (*now.calls, *now.history):
            names.append(call.name)
            numbers.append(call.number)
        numbers += [one.number for one in now.call_backs]
    endpoint = read_endpoint(home.folders.runtime)
    secrets += [endpoint.secret] if endpoint else []
    # A caller without a number has a name there.
    names += [one for one in numbers if not any(letter.isdigit() for letter in one)]
    hosts = [one.address.partition("@")[2] for one in settings.accounts]
    public = [settings.policy_signer] if settings.policy_signer else []
    return {
        "public": public,
        "hosts": hosts,
        "names": names,
        "numbers": [*numbers, *(one for one in users if any(letter.isdigit() for letter in one))],
        "users": users,
        "secrets": secrets,
    }


def _people() -> list[str]:
    """Who uses this machine, as the system knows them, and what it is called: many are called after somebody."""
    found = [
        user_name(),
        Path.home().name,
        socket.gethostname(),
        *(os.environ.get(one, "") for one in ("USER", "USERNAME")),
    ]
    if sys.platform != "win32":
        import pwd

        with suppress(KeyError):
            found.append(pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0])
    return found


def _versions() -> dict[str, Any]:
    found: dict[str, str] = {}
    with suppress(PackageNotFoundError):
        for one in requires("klartone") or ():
            name = one.split(";")[0].split("[")[0].rstrip("<>=!~0123456789., ")
            with suppress(PackageNotFoundError):
                found[name] = version(name)
    return {
        "klartone": __version__,
        "frozen": bool(getattr(sys, "frozen", False)),
        "python": platform.python_version(),
        "system": platform.platform(),
        "distribution": _distribution(),
        "machine": platform.machine(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": found,
    }


def _distribution() -> str:
    """Such as Debian GNU/Linux 12 (bookworm); empty where there is none."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _processes(home: Home) -> list[dict[str, Any]]:
    """By the locks of their logs; on Linux with what the system says of them."""
    locks = [one for one in sorted(home.folders.log.glob("*.lock")) if _LOG.fullmatch(f"{one.stem}.log")]
    alive = [one.stem for one in locks if held_by_another(one)]
    found: list[dict[str, Any]] = [{"log": one} for one in alive]
    if sys.platform == "win32":
        return found
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            part = _part_of(folder)
            if part is None:
                continue
            status = dict(
                line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines() if ":" in line
            )
            found.append(
                {
                    "pid": int(folder.name),
                    "part": part,
                    "memory": status.get("VmRSS", "").strip(),
                    "threads": int(status["Threads"]),
                    "state": status["State"].strip(),
                }
            )
    return found


def _part_of(process: Path) -> str | None:
    """Which part of this program it is; None: another program. Nothing else of its command line, which may hold anything."""
    if (
        sys.platform == "win32"
        or process.stat().st_uid != os.getuid()
        or not (process / "exe").samefile(sys.executable)
    ):
        return None
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[1:]
    if not getattr(sys, "frozen", False):  # the executable is Python's: what it runs counts
        if words[0] == "-m" and words[1].partition(".")[0] == "softphone":
            del words[0]
        elif Path(words[0]) != Path(sys.executable).with_name("klartone"):
            return None
    return next((one for one in words if one in _PARTS), "command")


def _logs(home: Home) -> Iterator[tuple[str, Path]]:
    """By their names: another file there may be anything."""
    for path in sorted(home.folders.log.glob("*.log*")):
        if _LOG.fullmatch(path.name):
            yield "logs", path
    for one in crashes(home.folders.log):
        if _CRASH.fullmatch(one.path.name):
            yield "crashes", one.path


def _end_of(path: Path) -> str:
    with open_ordinary(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - LONGEST, 0))
        text = file.read(LONGEST).decode("utf-8", "replace")
    # A line that is cut in two could be cut in a number.
    return text.partition("\n")[2] if size > LONGEST else text


@contextmanager
def _writing(file: Path) -> Generator[zipfile.ZipFile]:
    """Opened before anything is collected. It takes its place once it is whole."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        out = os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        with out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            yield packed
        replace_file(fresh, file)
    except OSError as error:
        detail = error.strerror or str(error)
        raise KlartoneError("error.support.unwritable", path=str(file), detail=detail) from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _told(made: Made, tell: Texts) -> Iterator[str]:
    yield tell("support.made", path=str(made.file))
    yield from (f"    {name}  {size}" for name, size in made.files.items())
    yield from _about(made.taken, tell)


def _contents(files: Iterable[str], tell: Texts) -> Iterator[str]:
    """What each file is, for whoever opens it far away."""
    parts = dict.fromkeys(name.partition("/")[0].partition(".")[0] for name in sorted(files))
    yield from (tell(f"support.file.{one}") for one in parts)
    yield tell("support.names")


def _about(taken: Mapping[Kind, int], tell: Texts) -> Iterator[str]:
    counts = [tell(f"support.taken.{kind}", count=count) for kind, count in sorted(taken.items())]
    yield tell("support.taken", what=", ".join(counts)) if counts else tell("support.taken.nothing")
    yield tell("support.look")
