"""Where everything of one user lies, and the keys and sentences that go with it."""

from __future__ import annotations

import argparse
import gettext
import locale
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from softphone.domain.errors import ArchiveError, KlartoneError, SettingsError
from softphone.domain.purpose import Language
from softphone.house.membership import HouseFolder
from softphone.system.paths import UserFolders, is_there, program_folder
from softphone.system.settings import ASIDE, FILE, FaultySettings, InForce, in_force, set_aside, without_own
from softphone.system.settings_machine import MachineSettings, machine_settings
from softphone.texts import Texts
from softphone.wire.snapshot import CodedText, Settings

if TYPE_CHECKING:
    from softphone.archive.crypto.wraps import KeyStore

DEMO_KEYS = "demo-keys.json"
"""beside a demo's archive: keys lie in a file nowhere else, and only such an archive accepts them"""
DEMO_PHONE = "phone"
"""beside it too: the home of the demo's own phone"""
DEMO_POLICY = Path(DEMO_PHONE) / "config" / "policy.toml"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Home:
    """The user's folders. `--home` puts all of them into one."""

    folders: UserFolders
    root: Path | None = None
    """the one folder, if there is one"""
    demo: Path | None = None
    """the demo's archive that a command names: it goes by the demo's own policy, not the user's"""

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Home:
        folder: Path | None = arguments.home
        archive: Path | None = getattr(arguments, "archive", None)
        home = cls.within(folder) if folder else cls(UserFolders.standard())
        return replace(home, demo=archive.resolve()) if archive and is_demo(archive) else home

    @classmethod
    def within(cls, folder: Path) -> Home:
        root = folder.resolve()
        return cls(UserFolders.within(root), root)

    def settings(self, *, only_look: bool = False) -> tuple[Settings, CodedText | None]:
        """The settings in force, and what is wrong with the user's file. It is set aside, unless this is `only_look`ing."""
        held, said = self.settings_in_force(only_look=only_look)
        return held.settings, said

    def settings_in_force(self, *, only_look: bool = False) -> tuple[InForce, CodedText | None]:
        """As `settings`, with what the organisation says to this machine."""
        machine, path = self._organisation(), self.folders.config / FILE
        try:
            held, said = in_force(path, machine), None
        except SettingsError as error:
            if isinstance(error, FaultySettings) and not only_look:
                with suppress(OSError):
                    set_aside(self.folders.config)
            held, said = without_own(machine), CodedText(error.code, error.params)
        else:
            aside = self.folders.config / ASIDE
            if is_there(aside) and not is_there(path):
                # At each start, until somebody sets anything anew.
                said = CodedText("error.settings.set_aside", {"path": str(aside)})
        if self._plays_demo(held):
            held = in_force(path, MachineSettings())
            held = replace(held, settings=replace(held.settings, bind=LOOPBACK))
        if self.demo and is_there(policy := self.demo / DEMO_POLICY):
            held = replace(held, settings=replace(held.settings, policy=str(policy), policy_signer=""))
        return held, said

    def _organisation(self) -> MachineSettings:
        """What it says to this machine, and below that what this desk's house says."""
        machine, says = machine_settings(), HouseFolder(self.folders.data).says()
        if says is None:
            return machine
        from softphone.system.settings_house import with_house  # few are members of one

        return with_house(machine, says)

    def _plays_demo(self, held: InForce) -> bool:
        """A demo's own phone goes by the demo's settings on a managed machine too. Its home lies in the demo's folder, it
        calls nobody beyond this machine, and nothing real is recorded there. Any other home is the organisation's."""
        own = str(held.own.get("archive", ""))
        if held.machine == MachineSettings() or self.root is None or not own:
            return False
        accounts = cast("list[Mapping[str, object]]", held.own.get("accounts", []))
        alone = all(str(one.get("address", "")).endswith(f"@{LOOPBACK}") for one in accounts)
        beyond = any(one.get("outbound_proxy") for one in accounts)
        return alone and not beyond and self.root == Path(own).resolve() / DEMO_PHONE and is_demo(Path(own))

    def archive(self, settings: Settings) -> Path:
        return Path(settings.archive) if settings.archive else self.folders.archive


def machine_fault(machine: MachineSettings) -> CodedText | None:
    """What is wrong with what the organisation says to this machine, and what the phone does without; None: nothing is."""
    if not machine.faults:
        return None
    code = "error.settings.machine_faulty"
    if machine.unrecorded:
        code = "error.settings.machine_unrecorded"
    if machine.shut:
        code = "error.settings.machine_shut"
    parts = ((one.place, str(one.fault.line or ""), one.fault.key) for one in machine.faults)
    places = "; ".join(" ".join(part for part in one if part) for one in parts)
    return CodedText(code, {"places": places})


def at_its_lock(error: KlartoneError, held: InForce, key: str) -> KlartoneError:
    """A fault of a setting. Where the organisation has locked that, its place is named instead of the user's file."""
    place = held.machine.lock_of(key)
    return type(error)(error.code, **{**error.params, "key": key, "locked_in": place}) if place else error


def forget_misleading(held: InForce) -> None:
    """Where the organisation has locked the accounts, no variable of this process or its children leads them elsewhere."""
    from softphone.edge.channel import MISLEADING

    if held.machine.lock_of("accounts"):
        for name in MISLEADING:
            os.environ.pop(name, None)


def texts(language: Language | None = None, time_zone: str | None = None) -> Texts:
    """The sentences, in `language` or the system's."""
    return Texts(program_folder("resources") / "translations", language or system_language(), time_zone)


def speak_command_line() -> None:
    """Argparse's own words, in the language of all others: by itself it asks other variables, and on Windows none."""
    folder = program_folder("resources") / "translations" / "argparse"
    told = gettext.translation("argparse", folder, [system_language()], fallback=True)
    for name, words in (("_", told.gettext), ("ngettext", told.ngettext)):
        setattr(argparse, name, words)


def system_language() -> Language:
    """Danish if the system speaks it, else English. A language need not be installed to be asked for. As in glibc,
    `LANGUAGE` is a list that goes first, unless the system speaks none (`C`)."""
    asked = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    wanted = [asked or locale.getlocale()[0] or ""]
    if asked.partition(".")[0] not in ("", "C", "POSIX"):
        wanted = [*os.environ.get("LANGUAGE", "").split(":"), *wanted]
    for text in wanted:
        if text.lower().startswith(("da", "danish")):
            return Language.DA
        if text.lower().startswith("en"):
            return Language.EN
    return Language.EN


def key_store(archive: Path) -> KeyStore:
    """The user's keyring; for a demo's archive, the file beside it, even if that is gone."""
    from softphone.system.secrets import DemoKeyFile, SystemKeyring

    keys = archive / DEMO_KEYS
    return DemoKeyFile(keys) if is_there(keys) or is_demo(archive) else SystemKeyring()


def is_demo(archive: Path) -> bool:
    """Whether that folder is a demo's archive by its own word."""
    from softphone.archive.folder.marker import read_marker

    try:
        return read_marker(archive).demo
    except ArchiveError:
        return False


def password_name(account: str) -> str:
    """The name of an account's password in the keyring."""
    from softphone.system.secrets import PASSWORD

    return f"{PASSWORD}{account}"
