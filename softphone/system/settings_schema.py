"""Every setting, in one place: its key, what it may be, its name, who may set it.

The files' reader, the window, `klartone settings`, `klartone doctor`, docs/settings.md and the templates for Group Policy
are made from it. Types and defaults are those of `Settings` and `Account`; sentences lie in the catalogs.
"""

from __future__ import annotations

import ipaddress
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from softphone.domain.errors import Param, SettingsError
from softphone.wire.snapshot import Account, Settings

if TYPE_CHECKING:
    from softphone.domain.policy import Period

Kind = Literal["text", "number", "yes_no", "choice", "list", "accounts"]
Path_ = tuple[str | int, ...]
"""where a value stands, as `domain.policy.KeyPath`, which would load the whole policy"""
Wrong = Iterator[tuple[Path_, str, Mapping[str, Param]]]
"""what cannot be used: where below the setting, a code, its parameters"""

MOST_ACCOUNTS = 7
"""PJSIP has room for 8 and aborts at the next, and one that is being changed takes two for a moment"""
RINGS = ("classic", "chime", "bell", "rise", "low")
"""as `softphone.audio.ringing` makes them"""
MOST_VOLUME = 200
_LAST_NUMBER = 2**31 - 1
"""that a policy may have in a setting: what Group Policy can write"""
_PORT = re.compile(r":(\d+)$", re.ASCII)
_RANGE = re.compile(r"(\d{4,5})-(\d{4,5})", re.ASCII)
FEWEST_RTP_PORTS = 20
"""two a call, for one phone's calls with room for those of a transfer"""
_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
"""`host[:port]`"""
_TARGET = re.compile(r"[+]?[0-9A-D*#\s()./-]*[0-9A-D*#][0-9A-D*#\s()./-]*|(?:sips?:)?[^\s<>\"@]+@[^\s<>\"@]+")
"""a number or an address, as the phone dials them"""
_ADDRESS = re.compile(rf"[^@\s:/;?]+@{_SERVER.pattern}", re.ASCII)
"""`user@host[:port]`, no parameters"""
USER = "{user}"
_PLACEHOLDER = re.compile(r"\{[^\W\d]\w{0,30}\}")
"""a word; a folder of Windows may be called by an id in braces"""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""would end a line of SIP or of a file, or cannot be written at all"""
_PLUGIN = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)


class Scope(StrEnum):
    """Who may set it."""

    BOTH = "both"
    """the user, and the organisation for all users of a machine"""
    USER = "user"
    MACHINE = "machine"
    """the organisation alone"""


@dataclass(frozen=True, slots=True)
class Setting:
    """`section`: the part of the settings it belongs to; `label`: the code of its name."""

    key: str
    section: str
    label: str
    scope: Scope = Scope.BOTH
    low: int | None = None
    high: int | None = None
    check: Callable[[Any], Wrong] = field(default=lambda _: iter(()))
    holds_recording: bool = False
    """where the organisation's word on it cannot be read, nothing is recorded"""
    whole_path: bool = False
    """the organisation writes it whole: it holds for everybody, wherever they start"""
    live: bool = True
    """a phone that runs takes it up; else it holds from the next start on"""
    by_user: bool = False
    """`{user}` in the organisation's value stands for the name that the system knows the user by"""

    @property
    def of(self) -> type[Settings] | type[Account]:
        return Account if self.section == "accounts" else Settings

    @property
    def help(self) -> str:
        """The code of its one sentence."""
        return f"setting.account.{self.key}" if self.of is Account else f"setting.{self.key}"

    @property
    def default(self) -> Any:
        found = next(one for one in fields(self.of) if one.name == self.key)
        return None if found.default is MISSING else found.default

    @property
    def kind(self) -> Kind:
        said = _plain(_hints(self.of)[self.key])
        if get_origin(said) is tuple:
            return "accounts" if get_args(said)[0] is Account else "list"
        kinds: dict[Any, Kind] = {str: "text", int: "number", bool: "yes_no"}
        return kinds.get(said, "choice")

    @property
    def choices(self) -> tuple[str, ...]:
        said = _plain(_hints(self.of)[self.key])
        if get_origin(said) is Literal:
            return get_args(said)
        return tuple(one.value for one in said) if isinstance(said, type) and issubclass(said, StrEnum) else ()


def doubts(settings: Settings) -> Wrong:
    """What cannot be used, all of it; the rest is used."""
    return doubts_of({one.name: getattr(settings, one.name) for one in fields(Settings)})


def doubts_of(values: Mapping[str, Any]) -> Wrong:
    """As `doubts`, of some settings by their keys."""
    for one in SCHEMA:
        if one.key in values:
            yield from ((((one.key, *path), code, params)) for path, code, params in one.check(values[one.key]))


def machine_doubts(values: Mapping[str, Any]) -> Wrong:
    """As `doubts_of`, of what an organisation says to a whole machine."""
    yield from doubts_of(values)
    for key, value in values.items():
        if SETTINGS[key].whole_path and value and not _is_whole(value):
            yield (key,), "error.settings.whole_path", {"path": value}
        for place, text in _texts_in(key, value):
            for one in _PLACEHOLDER.findall(text):
                if one != USER or not SETTINGS[key].by_user:
                    yield (key, *place), "error.settings.placeholder", {"placeholder": one}


def _texts_in(key: str, value: Any) -> Iterator[tuple[Path_, str]]:
    """Where a placeholder could stand: in a path, and in what an account calls itself."""
    if isinstance(value, str) and (SETTINGS[key].whole_path or SETTINGS[key].by_user):
        yield (), value
    elif key == "accounts":
        for n, account in enumerate(value):
            yield from (((n, name), getattr(account, name)) for name in ("address", "user", "display_name"))


def check_accounts(accounts: Sequence[Account]) -> None:
    """Raises SettingsError for accounts that the phone cannot have. Of several faults it names the places."""
    found = list(_impossible(accounts))
    if len(found) > 1 and all(path for path, _, _ in found):
        places = "; ".join(f"accounts[{int(path[0]) + 1}].{path[1]}" for path, _, _ in found)
        raise SettingsError("error.settings.accounts_faulty", count=len(found), places=places)
    for _, code, params in found:
        raise SettingsError(code, **params)


# --- what each may be -----------------------------------------------------------------------------


def _port(port: int) -> Wrong:
    if not (port == 0 or 1024 <= port <= 65535):
        yield (), "error.settings.port", {"port": port}


def rtp_range(ports: str) -> tuple[int, int] | None:
    """First and last of `first-last`. None: they cannot be used, or none are named."""
    said = _RANGE.fullmatch(ports)
    if said is None:
        return None
    first, last = int(said[1]), int(said[2])
    return (first, last) if first >= 1024 and last <= 65535 and last - first >= FEWEST_RTP_PORTS - 1 else None


def _rtp_ports(ports: str) -> Wrong:
    if ports and rtp_range(ports) is None:
        yield (), "error.settings.rtp_ports", {"ports": ports, "fewest": FEWEST_RTP_PORTS}


def _keep_alive(seconds: int) -> Wrong:
    if not 0 <= seconds <= 3600:
        yield (), "error.settings.keep_alive", {"seconds": seconds}


def _volume(volume: int) -> Wrong:
    if not 0 <= volume <= MOST_VOLUME:
        yield (), "error.settings.volume", {"volume": volume, "most": MOST_VOLUME}


def _stun(server: str) -> Wrong:
    if server and not _is_server(server):
        yield (), "error.settings.stun", {"server": server}


def _bind(address: str) -> Wrong:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        yield (), "error.settings.bind", {"bind": address}


def _accept_from(addresses: Iterable[str]) -> Wrong:
    for n, one in enumerate(addresses):
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            yield (n,), "error.settings.accept_from", {"address": one}


def _ring_sound(sound: str) -> Wrong:
    if sound not in RINGS and not sound.startswith("file:"):
        yield (), "error.settings.ring_sound", {"sound": sound, "sounds": ", ".join(RINGS)}


def _signer(key: str) -> Wrong:
    if key:
        from softphone.system.signature import public_key  # every process reads settings, few ask for a signature

        try:
            public_key(key)
        except ValueError:
            yield (), "policy.fault.signer_malformed", {}


def _policy_number(number: int) -> Wrong:
    if not 0 <= number <= _LAST_NUMBER:
        yield (), "error.settings.policy_number", {"number": number, "most": _LAST_NUMBER}


def _backup(folder: str) -> Wrong:
    if folder and not _is_whole(folder):
        yield (), "error.settings.backup_folder", {"path": folder}


def _backup_every(every: str) -> Wrong:
    from softphone.domain.policy import Period  # as above

    try:
        usable = Period.parse(every) != Period()
    except ValueError:
        usable = False
    if not usable:
        yield (), "error.settings.backup_every", {"every": every}


def _plugins(names: Iterable[str]) -> Wrong:
    for n, one in enumerate(names):
        if not _PLUGIN.fullmatch(one):
            yield (n,), "error.settings.plugin", {"plugin": one}


def _accounts(accounts: Sequence[Account]) -> Wrong:
    yield from _impossible(accounts)
    for n, account in enumerate(accounts):
        if account.srtp == "required" and account.transport != "tls":
            yield (n, "srtp"), "error.settings.srtp_in_the_clear", {"address": account.address}
        if account.mailbox and not _TARGET.fullmatch(account.mailbox):
            yield (n, "mailbox"), "error.settings.mailbox", {"mailbox": account.mailbox}
        yield from (
            ((n, "accept_from", *path), code, params) for path, code, params in _accept_from(account.accept_from)
        )


def _impossible(accounts: Sequence[Account]) -> Wrong:
    """For which the phone would take none of them."""
    if len(accounts) > MOST_ACCOUNTS:
        yield (), "error.settings.accounts", {"most": MOST_ACCOUNTS}
    ids: set[str] = set()
    addresses: set[str] = set()
    for n, account in enumerate(accounts):
        if account.id in ids:
            yield (n, "id"), "error.settings.account_twice", {"id": account.id}
        ids.add(account.id)
        yield from (
            ((n, key), "error.settings.unseen", {"key": key})
            for key in ("id", "address", "user", "display_name", "mailbox")
            if _UNSEEN.search(getattr(account, key))
        )
        user, _, host = account.address.partition("@")
        if not (_ADDRESS.fullmatch(account.address) and _has_usable_port(account.address)):
            yield (n, "address"), "error.settings.address", {"address": account.address}
        elif (named := f"{user}@{host.lower()}") in addresses:
            yield (n, "address"), "error.settings.address_twice", {"address": named}
        addresses.add(f"{user}@{host.lower()}")
        if account.outbound_proxy and not _is_server(account.outbound_proxy):
            yield (n, "outbound_proxy"), "error.settings.outbound_proxy", {"server": account.outbound_proxy}
        if account.certificate_authority and not _is_whole(account.certificate_authority):
            # Whether it is there is seen when it is read: it may lie on a disk that takes its time.
            path = {"path": account.certificate_authority}
            yield (n, "certificate_authority"), "error.settings.certificate_authority", path


def check_backup(folder: str, every: str) -> Period:
    """How often. Raises SettingsError."""
    from softphone.domain.policy import Period  # as above

    for _, code, params in (*_backup(folder), *_backup_every(every)):
        raise SettingsError(code, **params)
    return Period.parse(every)


def _is_server(text: str) -> bool:
    return _SERVER.fullmatch(text) is not None and _has_usable_port(text)


def _has_usable_port(text: str) -> bool:
    """Or none, which is the usual one."""
    port = _PORT.search(text)
    return port is None or (len(port[1]) <= 5 and 0 < int(port[1]) <= 65_535)


def _is_whole(path: str) -> bool:
    return Path(path).is_absolute()


# --- the settings, in the order in which people read them ------------------------------------------

SCHEMA: tuple[Setting, ...] = (
    Setting("accounts", "accounts_list", "setting.name.accounts", check=_accounts, by_user=True),
    Setting("policy", "policy", "settings.policy.path", holds_recording=True, whole_path=True),
    Setting("policy_signer", "policy", "settings.policy.signer", check=_signer, holds_recording=True),
    Setting("policy_guarded", "policy", "setting.name.policy_guarded", holds_recording=True),
    Setting(
        "archive", "archive", "setting.name.archive", holds_recording=True, whole_path=True, by_user=True, live=False
    ),
    Setting("backup", "archive", "setting.name.backup", check=_backup, by_user=True, live=False),
    Setting("backup_every", "archive", "setting.name.backup_every", check=_backup_every, live=False),
    Setting("desk_certificate", "policy", "setting.name.desk_certificate", Scope.USER),
    Setting("bind", "network", "setting.name.bind", check=_bind, live=False),
    Setting("port", "network", "settings.network.port", low=0, high=65_535, check=_port, live=False),
    Setting("rtp_ports", "network", "setting.name.rtp_ports", check=_rtp_ports, live=False),
    Setting("keep_alive", "network", "settings.network.keep_alive", low=0, high=3_600, check=_keep_alive, live=False),
    Setting("stun", "network", "settings.network.stun", check=_stun, live=False),
    Setting("accept_from", "network", "settings.network.accept_from", check=_accept_from, live=False),
    Setting("microphone", "sound", "settings.sound.microphone"),
    Setting("speaker", "sound", "settings.sound.speaker"),
    Setting("notice_device", "sound", "settings.sound.notice_device"),
    Setting("ring_device", "sound", "settings.sound.ring_device"),
    Setting("ring_sound", "sound", "settings.sound.ring_sound", check=_ring_sound),
    Setting("ring_volume", "sound", "settings.sound.ring_volume", low=0, high=MOST_VOLUME, check=_volume),
    Setting("speaker_volume", "sound", "settings.sound.speaker_volume", low=0, high=MOST_VOLUME, check=_volume),
    Setting("microphone_volume", "sound", "settings.sound.microphone_volume", low=0, high=MOST_VOLUME, check=_volume),
    Setting("noise", "sound", "settings.sound.noise"),
    Setting("echo", "sound", "settings.sound.echo"),
    Setting("language", "appearance", "settings.language"),
    Setting("look", "appearance", "settings.look"),
    Setting("text_size", "appearance", "settings.text_size"),
    Setting("line", "policy", "setting.name.line", Scope.USER),
    Setting(
        "plugins", "plugins", "setting.name.plugins", Scope.MACHINE, check=_plugins, holds_recording=True, live=False
    ),
    Setting(
        "plugin_folder",
        "plugins",
        "setting.name.plugin_folder",
        Scope.MACHINE,
        holds_recording=True,
        whole_path=True,
        live=False,
    ),
    Setting("house_signer", "policy", "setting.name.house_signer", Scope.MACHINE, check=_signer, holds_recording=True),
    Setting(
        "house_policy_number",
        "policy",
        "setting.name.house_policy_number",
        Scope.MACHINE,
        low=0,
        high=_LAST_NUMBER,
        check=_policy_number,
        holds_recording=True,
    ),
    Setting("house_authority", "network", "setting.name.house_authority", Scope.MACHINE, whole_path=True, live=False),
)
ACCOUNT_SCHEMA: tuple[Setting, ...] = (
    Setting("id", "accounts", "setting.name.account.id"),
    Setting("address", "accounts", "settings.account.address"),
    Setting("user", "accounts", "settings.account.user"),
    Setting("display_name", "accounts", "settings.account.display_name"),
    Setting("transport", "accounts", "settings.account.transport"),
    Setting("srtp", "accounts", "settings.account.srtp"),
    Setting("certificate_authority", "accounts", "settings.account.authority"),
    Setting("outbound_proxy", "accounts", "settings.account.proxy"),
    Setting("register", "accounts", "settings.account.register"),
    Setting("ice", "accounts", "settings.account.ice"),
    Setting("mailbox", "accounts", "settings.account.mailbox"),
    Setting("accept_from", "accounts", "settings.account.accept_from"),
)
SETTINGS: Mapping[str, Setting] = {one.key: one for one in SCHEMA}


@cache
def _hints(of: type[object]) -> dict[str, Any]:
    return get_type_hints(of)


def _plain(said: Any) -> Any:
    """Without the None that stands for the system's own."""
    if get_origin(said) in (Union, types.UnionType):
        return next(one for one in get_args(said) if one is not type(None))
    return said
