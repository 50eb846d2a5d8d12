"""Where everything of one user lies, and the keys and sentences that go with it."""

from __future__ import annotations

import argparse
import gettext
import locale
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.domain.errors import ArchiveError, SettingsError
from softphone.domain.purpose import Language
from softphone.system.paths import UserFolders, is_there, program_folder
from softphone.system.settings import ASIDE, FILE, FaultySettings, load_settings, set_aside
from softphone.texts import Texts
from softphone.wire.snapshot import CodedText, Settings

if TYPE_CHECKING:
    from softphone.archive.crypto.wraps import KeyStore

DEMO_KEYS = "demo-keys.json"
"""beside a demo's archive: keys lie in a file nowhere else, and only such an archive accepts them"""
DEMO_PHONE = "phone"
"""beside it too: the home of the demo's own phone"""
DEMO_POLICY = Path(DEMO_PHONE) / "config" / "policy.toml"


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
        """The settings, or the defaults and what is wrong with the file. It is set aside, unless this is `only_look`ing."""
        try:
            settings, said = load_settings(self.folders.config), None
        except SettingsError as error:
            if isinstance(error, FaultySettings) and not only_look:
                with suppress(OSError):
                    set_aside(self.folders.config)
            settings, said = Settings(), CodedText(error.code, error.params)
        else:
            aside = self.folders.config / ASIDE
            if is_there(aside) and not is_there(self.folders.config / FILE):
                # At each start, until somebody sets anything anew.
                said = CodedText("error.settings.set_aside", {"path": str(aside)})
        if self.demo and is_there(policy := self.demo / DEMO_POLICY):
            settings = replace(settings, policy=str(policy), policy_signer="")
        return settings, said

    def archive(self, settings: Settings) -> Path:
        return Path(settings.archive) if settings.archive else self.folders.archive


def texts(language: Language | None = None, time_zone: str | None = None) -> Texts:
    """The sentences, in `language` or the system's."""
    return Texts(program_folder("resources") / "translations", language or system_language(), time_zone)


def speak_command_line() -> None:
    """Argparse's own words, in the system's language if there is a translation."""
    gettext.bindtextdomain("argparse", str(program_folder("resources") / "translations" / "argparse"))
    gettext.textdomain("argparse")


def system_language() -> Language:
    """Danish if the system speaks it, else English. A language need not be installed to be asked for."""
    asked = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    text = asked or locale.getlocale()[0] or ""
    return Language.DA if text.lower().startswith(("da", "danish")) else Language.EN


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
