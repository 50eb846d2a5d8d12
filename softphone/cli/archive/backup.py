"""`klartone archive backup` and `restore`, told to a person."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.backup.check import check
from softphone.archive.backup.generation import ERASED, LIST, WRAPS, Manifest, Target, place_of
from softphone.archive.backup.restore import Restored, erase_former, restore
from softphone.archive.files.container import SUFFIX
from softphone.archive.folder.marker import CATALOG
from softphone.archive.seen.machine import BackedUp
from softphone.archive.seen.machine import BackupProgress as Asked
from softphone.bootstrap.archive.shared import folder_of, here, opened, print_line
from softphone.bootstrap.home import DEMO_KEYS, DEMO_POLICY, Home, key_store, texts
from softphone.cli.progress import progress
from softphone.domain.errors import ArchiveError, KlartoneError, SettingsError
from softphone.house.membership import HouseFolder
from softphone.system.single import take_turn
from softphone.texts import Texts


def archive_backup(arguments: argparse.Namespace) -> int:
    """Into the folder given, else that of the settings. Status 1 where something of the archive, or of the backup, is damaged."""
    tell, home = texts(), Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    given = arguments.folder or (Path(settings.backup) if settings.backup else None)
    ships = arguments.archive is None and HouseFolder(home.folders.data).read() is not None
    if given is None:
        raise SettingsError("error.backup.ships" if ships else "error.backup.no_folder")
    folder = given.resolve()
    if folder.exists() and not folder.is_dir():
        raise ArchiveError("error.backup.is_file", path=str(folder))
    if arguments.check:
        return _check(arguments, folder, tell)
    if ships:
        _warn(tell("error.backup.ships"))
    with opened(arguments) as archive, _shown(tell) as asked:
        done = archive.back_up(folder, datetime.now(UTC), anew=arguments.new, progress=asked)
    hurt = {"missing": done.missing, "differs": done.differs}
    if arguments.json:
        print_line(json.dumps(_backup_json(folder, done), ensure_ascii=False))
    else:
        figures = {
            name: tell(f"backup.{name}", count=getattr(done, name)) for name in ("recordings", "copied", "erased")
        }
        print_line(tell("backup.done", path=folder, **figures))
    for what, recordings in hurt.items():
        if recordings:
            _warn(tell(f"backup.{what}", ids=", ".join(recordings)))
    return int(any(hurt.values()))


def archive_restore(arguments: argparse.Namespace) -> int:
    """Status 1 where a recording is damaged, in the backup or in the former folder: the others are back all the same."""
    tell = texts()
    to: Path = arguments.to.resolve()
    former: Path | None = arguments.erased_in.resolve() if arguments.erased_in else None
    source: Path = arguments.folder.resolve()
    if to == Home.of(arguments).folders.archive.resolve():
        # Its place on a new machine.
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not to.parent.is_dir():
        raise ArchiveError("error.restore.no_parent", path=str(to), parent=str(to.parent))
    with _engine_away(arguments, replaced=arguments.replace), _shown(tell) as asked:
        demo = Target.open(source).of.demo
        keys = _demo_of(arguments, former, to) if demo else to
        store = key_store(keys)
        if store.demo and not demo:
            raise ArchiveError("error.archive.demo_keys", path=str(source))
        done = restore(
            source,
            to,
            store,
            datetime.now(UTC),
            erased_in=former,
            replace_archive=arguments.replace,
            accept_unknown=arguments.accept_unknown,
            progress=asked,
        )
        if demo:
            _take_along(done.aside if keys == to and done.aside else keys, to)
        erased = arguments.erase_former and erase_former(done)
    if arguments.json:
        print_line(json.dumps(_restore_json(done), ensure_ascii=False))
    else:
        _tell_restored(done, tell)
        if erased:
            print_line(tell("restore.former_erased"))
        elif arguments.erase_former:
            _warn(tell("restore.former_kept"))
    if done.damaged:
        _warn(tell("restore.damaged", count=len(done.damaged), ids=", ".join(done.damaged)))
    if done.differs:
        _warn(tell("restore.differs", ids=", ".join(done.differs)))
    return int(bool(done.damaged or done.differs))


def _demo_of(arguments: argparse.Namespace, *folders: Path | None) -> Path:
    """Where a demo's keys are: in one of these folders, or in the archive that the command names. Raises ArchiveError."""
    for one in (*folders, folder_of(arguments).resolve()):
        if one and (one / DEMO_KEYS).exists():
            return one
    raise ArchiveError("error.backup.demo_keys", path=str(arguments.folder))


def _take_along(former: Path, to: Path) -> None:
    """What a demo has beside its archive, and others in the keyring and the settings: its keys, and its policy."""
    for one in (DEMO_KEYS, DEMO_POLICY):
        if (former / one).exists():
            (to / one).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(former / one, to / one)


def _check(arguments: argparse.Namespace, folder: Path, tell: Texts) -> int:
    keys = _demo_of(arguments) if Target.open(folder).of.demo else folder_of(arguments)
    copies: dict[str, list[str]] = {"mended": [], "left": [], "erased": [], "not_mended": []}
    why = ""
    with _shown(tell) as asked:
        manifest, bad = check(folder, key_store(keys), asked)
        untold = [name for name in bad if name.endswith(SUFFIX)]
        if untold:
            try:
                with opened(arguments) as archive:
                    for name, became in archive.mend(folder, tuple(untold), asked):
                        copies[became].append(name)
                        untold.remove(name)
            except KlartoneError as error:
                why = tell.error(error)
    copies["not_mended"] = untold
    if arguments.json:
        fields = {"number": manifest.number, "at": manifest.at.isoformat(), "recordings": manifest.count}
        print_line(json.dumps({**fields, "damaged": bad, **copies}))
        return int(bool(bad))
    if not bad:
        recordings = tell("backup.recordings", count=manifest.count)
        print_line(tell("backup.check.whole", at=here(manifest.at), recordings=recordings))
    for sentence in _files(folder, manifest, bad, tell):
        print_line(sentence)
    for became, names in copies.items():
        if names:
            print_line(tell(f"backup.check.{became}", count=len(names), files=", ".join(names), why=why))
    return int(bool(bad))


def _files(folder: Path, manifest: Manifest, bad: list[str], tell: Texts) -> Iterator[str]:
    """What to say of a generation's own files that are gone or another. Only where its list is whole does a run mend it."""
    own = {LIST: "list", CATALOG: "catalog", WRAPS: "keys", ERASED: "erased_list"}
    names = [name for name in own if name in bad]
    also = names[1:] if LIST in names else []
    for name in names[: len(names) - len(also)]:
        path = place_of(folder, manifest.number) / name
        how = tell("backup.check.changed" if path.exists() else "backup.check.gone")
        yield tell(f"backup.check.{own[name]}", path=path, how=how, folder=folder)
    if also:
        yield tell("backup.check.also", files=", ".join(also))


def _tell_restored(done: Restored, tell: Texts) -> None:
    recordings = tell("backup.recordings", count=done.recordings)
    print_line(tell("restore.done", path=done.folder, at=here(done.at), recordings=recordings))
    if done.erased:
        print_line(tell("restore.erased", count=done.erased))
    if done.unknown_since:
        print_line(tell("restore.unknown", since=here(done.unknown_since)))
    if done.aside:
        print_line(tell("restore.aside", path=done.aside))
    print_line(tell("restore.verify", path=done.folder))


@contextmanager
def _engine_away(arguments: argparse.Namespace, *, replaced: bool) -> Generator[None]:
    """No engine may write to an archive that is moved aside."""
    if not replaced:
        yield
        return
    with take_turn(Home.of(arguments).folders.runtime, 0.0):
        yield


@contextmanager
def _shown(tell: Texts) -> Generator[Asked]:
    with progress() as running:

        def asked(what: str, done: int, total: int) -> bool:
            running.tell(lambda: tell(f"backup.progress.{what}", done=done, total=total))
            return not running.stopped

        yield asked


def _backup_json(folder: Path, done: BackedUp) -> dict[str, object]:
    return {
        "folder": str(folder),
        "number": done.number,
        "recordings": done.recordings,
        "copied": done.copied,
        "bytes": done.bytes,
        "erased": done.erased,
        "missing": done.missing,
        "differs": done.differs,
    }


def _restore_json(done: Restored) -> dict[str, object]:
    return {
        "folder": str(done.folder),
        "number": done.number,
        "at": done.at.isoformat(),
        "recordings": done.recordings,
        "erased": done.erased,
        "unknown_since": done.unknown_since.isoformat() if done.unknown_since else None,
        "damaged": done.damaged,
        "differs": done.differs,
        "aside": str(done.aside) if done.aside else None,
    }


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201
