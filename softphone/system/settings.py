"""The user's settings, in one TOML file that only the engine writes. None of them is secret.

A faulty file is reported whole, each fault with its line and key, and set aside; nothing of it is lost.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from softphone.domain.errors import Param, SettingsError
from softphone.replacing import replace_file
from softphone.wire.snapshot import Account, Settings

if TYPE_CHECKING:
    from softphone.domain.policy import Period, PolicyFault

FILE = "settings.toml"
ASIDE = "settings.faulty.toml"
MOST_ACCOUNTS = 7
"""PJSIP has room for 8 and aborts at the next, and one that is being changed takes two for a moment"""
RINGS = ("classic", "chime", "bell", "rise", "low")
"""as `softphone.audio.ringing` makes them"""
MOST_VOLUME = 200
_PORT = re.compile(r":(\d+)$", re.ASCII)
_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
"""`host[:port]`"""
_TARGET = re.compile(r"[+]?[0-9A-D*#\s()./-]*[0-9A-D*#][0-9A-D*#\s()./-]*|(?:sips?:)?[^\s<>\"@]+@[^\s<>\"@]+")
"""a number or an address, as the phone dials them"""
_ADDRESS = re.compile(rf"[^@\s:/]+@{_SERVER.pattern}", re.ASCII)


class FaultySettings(SettingsError):  # noqa: N818 - as it is said: the settings are faulty
    """A file that is set aside; `faults` are all of its faults, in its order."""

    def __init__(self, path: Path, faults: Sequence[PolicyFault]) -> None:
        self.faults = tuple(faults)
        places = (" ".join(part for part in (str(one.line or ""), one.key) if part) for one in self.faults)
        super().__init__("error.settings.faulty", path=str(path), aside=ASIDE, places="; ".join(places))


def load_settings(folder: Path) -> Settings:
    """The settings in `folder`; the defaults if there are none yet. Raises SettingsError."""
    return read_settings(folder / FILE)


def read_settings(path: Path) -> Settings:
    """Those in a file, as `load_settings`."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors begin a file with a BOM
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except UnicodeDecodeError:
        text = None
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise SettingsError("error.settings.unreadable", path=str(path), detail=detail) from None
    try:
        if text is not None:
            return _adapter().validate_python(tomllib.loads(text))
        error = None
    except (ValueError, RecursionError) as wrong:
        error = wrong
    # Every process reads settings, few find them faulty.
    from softphone.system.settings_faults import faults_of

    raise FaultySettings(path, faults_of(text, error))


def doubts(settings: Settings) -> Iterator[tuple[str, str, Mapping[str, Param]]]:
    """Settings that cannot be used: the key, and a code with parameters. The others are used."""
    if not (settings.port == 0 or 1024 <= settings.port <= 65535):
        yield "port", "error.settings.port", {"port": settings.port}
    if not 0 <= settings.keep_alive <= 3600:
        yield "keep_alive", "error.settings.keep_alive", {"seconds": settings.keep_alive}
    if settings.stun and not _is_server(settings.stun):
        yield "stun", "error.settings.stun", {"server": settings.stun}
    try:
        ipaddress.ip_address(settings.bind)
    except ValueError:
        yield "bind", "error.settings.bind", {"bind": settings.bind}
    try:
        check_accounts(settings.accounts)
    except SettingsError as error:
        yield "accounts", error.code, error.params
    for account in settings.accounts:
        if account.srtp == "required" and account.transport != "tls":
            yield "accounts", "error.settings.srtp_in_the_clear", {"address": account.address}
        if account.mailbox and not _TARGET.fullmatch(account.mailbox):
            yield "accounts", "error.settings.mailbox", {"mailbox": account.mailbox}
    accounts = [("accounts", one) for account in settings.accounts for one in account.accept_from]
    for key, one in [*(("accept_from", one) for one in settings.accept_from), *accounts]:
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            yield key, "error.settings.accept_from", {"address": one}
    for key in ("microphone_volume", "speaker_volume", "ring_volume"):
        if not 0 <= (volume := getattr(settings, key)) <= MOST_VOLUME:
            yield key, "error.settings.volume", {"volume": volume, "most": MOST_VOLUME}
    if settings.ring_sound not in RINGS and not settings.ring_sound.startswith("file:"):
        yield "ring_sound", "error.settings.ring_sound", {"sound": settings.ring_sound, "sounds": ", ".join(RINGS)}
    if settings.policy_signer:
        from softphone.system.signature import public_key  # every process reads settings, few ask for a signature

        try:
            public_key(settings.policy_signer)
        except ValueError:
            yield "policy_signer", "policy.fault.signer_malformed", {}
    if settings.backup:
        try:
            check_backup(settings.backup, settings.backup_every)
        except SettingsError as error:
            yield "backup_every" if error.code.endswith("every") else "backup", error.code, error.params


def check_accounts(accounts: Sequence[Account]) -> None:
    """Raises SettingsError for a faulty address, for an address or id that two accounts have, or for too many."""
    if len(accounts) > MOST_ACCOUNTS:
        raise SettingsError("error.settings.accounts", most=MOST_ACCOUNTS)
    seen: set[str] = set()
    ids: set[str] = set()
    for account in accounts:
        if account.id in ids:
            raise SettingsError("error.settings.account_twice", id=account.id)
        ids.add(account.id)
        if not (_ADDRESS.fullmatch(account.address) and _has_usable_port(account.address)):
            raise SettingsError("error.settings.address", address=account.address)
        # Calls name an account by user and host alone.
        user, _, host = account.address.partition("@")
        if (named := f"{user}@{_PORT.sub('', host).lower()}") in seen:
            raise SettingsError("error.settings.address_twice", address=named)
        seen.add(named)
        if account.outbound_proxy and not _is_server(account.outbound_proxy):
            raise SettingsError("error.settings.outbound_proxy", server=account.outbound_proxy)
        if account.certificate_authority and not Path(account.certificate_authority).is_absolute():
            # Whether it is there is seen when it is read: it may lie on a disk that takes its time.
            raise SettingsError("error.settings.certificate_authority", path=account.certificate_authority)


def _is_server(text: str) -> bool:
    return _SERVER.fullmatch(text) is not None and _has_usable_port(text)


def _has_usable_port(text: str) -> bool:
    """Or none, which is the usual one."""
    port = _PORT.search(text)
    return port is None or (len(port[1]) <= 5 and 0 < int(port[1]) <= 65_535)


def check_backup(folder: str, every: str) -> Period:
    """How often. Raises SettingsError."""
    from softphone.domain.policy import Period  # as below

    if not Path(folder).is_absolute():
        raise SettingsError("error.settings.backup_folder", path=folder)
    try:
        period = Period.parse(every)
    except ValueError:
        raise SettingsError("error.settings.backup_every", every=every) from None
    if period == Period():
        raise SettingsError("error.settings.backup_every", every=every)
    return period


def save_settings(folder: Path, settings: Settings) -> None:
    """Written whole or not at all. Raises SettingsError if the folder cannot be written."""
    import tomlkit  # every process reads settings, few write them

    wanted = {key: value for key, value in asdict(settings).items() if value is not None}
    wanted["accounts"] = [dict(account) for account in wanted["accounts"]]
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(tomlkit.dumps(wanted), encoding="utf-8")  # pyright: ignore[reportUnknownMemberType]
        replace_file(fresh, path)
    except OSError as error:
        raise SettingsError("error.settings.unwritable", path=str(path), detail=error.strerror or "") from None


def set_aside(folder: Path) -> Path:
    """Move a faulty file out of the way, under a name that says so, and return that name."""
    path, aside = folder / FILE, folder / ASIDE
    with suppress(FileNotFoundError):
        aside.replace(folder / f"settings.faulty-{int(aside.stat().st_mtime)}.toml")
    replace_file(path, aside)
    return aside


@cache
def _adapter() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)
