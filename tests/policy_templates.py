"""What Group Policy would write by our templates. As a program, on Windows: writes it into the registry, and reads it as the
phone does.

    python -m tests.policy_templates     (as an administrator; what it writes it takes away again)
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
ADMX = ROOT / "resources" / "installer" / "windows" / "admx"
SPACE = "{http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions}"
_SRV = Path(ROOT.anchor) / "srv"
SAMPLES: Mapping[str, Any] = {
    "policy": str(_SRV / "policy.toml"),
    "policy_signer": "WN8iFQj0ZMM1h1C4nnSFL8bTTGsQGZKmXw1qfN2yqCE=",
    "archive": str(_SRV / "archive"),
    "backup": str(_SRV / "backup"),
    "backup_every": "PT12H",
    "bind": "127.0.0.1",
    "port": 5062,
    "rtp_ports": "20000-20199",
    "stun": "stun.example",
    "ring_sound": "low",
    "plugin_folder": str(_SRV / "plugins"),
    "house_signer": "WN8iFQj0ZMM1h1C4nnSFL8bTTGsQGZKmXw1qfN2yqCE=",
    "house_policy_number": 7,
    "house_authority": str(_SRV / "authority.pem"),
    "plugins": ["own_voice"],
    "accept_from": ["10.0.0.0/8"],
    "id": "desk",
    "address": "desk@pbx.example",
    "outbound_proxy": "proxy.example",
    "certificate_authority": str(_SRV / "ca.pem"),
    "mailbox": "*98",
    "transport": "tls",
    "srtp": "required",
}
"""where any text, the second word or a number a third of the way will not do"""


def written_by(names: Collection[str]) -> Iterator[tuple[str, str, Any]]:
    """Key, name and value of each of these policies, once an administrator has filled it in."""
    for policy in ElementTree.parse(ADMX / "klartone.admx").iter(f"{SPACE}policy"):
        if policy.get("name") in names:
            yield from _set_by(policy)


def _set_by(policy: ElementTree.Element) -> Iterator[tuple[str, str, Any]]:
    key = str(policy.get("key"))
    yes = policy.find(f"{SPACE}enabledValue/{SPACE}decimal")
    if yes is not None:
        yield key, str(policy.get("valueName")), int(str(yes.get("value")))
    for one in policy.findall(f"{SPACE}elements/*"):
        name = str(one.get("valueName"))
        value = SAMPLES.get(name)
        match one.tag.removeprefix(SPACE):
            case "decimal":
                value = value or (int(str(one.get("minValue"))) + int(str(one.get("maxValue")))) // 3
            case "boolean":
                value = int(str(one.find(f"{SPACE}falseValue/{SPACE}decimal").get("value")))  # type: ignore[union-attr]
            case "enum":
                words = [str(item.text) for item in one.iter(f"{SPACE}string")]
                value = value if value in words else words[1]
            case _:
                pass
        yield key, name, value if value is not None else "any text"


def main() -> int:
    """Status 1 where the phone reads something else than was written."""
    assert sys.platform == "win32"
    import winreg

    from softphone.system.settings_machine import machine_settings
    from softphone.system.settings_registry import ROOT as KEY
    from softphone.system.settings_schema import SCHEMA

    written = list(written_by({f"{way}_{one.key}" for way in ("Locked", "Default") for one in SCHEMA}))
    try:
        for key, name, value in written:
            with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, key, 0, winreg.KEY_WRITE | winreg.KEY_WOW64_64KEY) as at:
                kind = winreg.REG_MULTI_SZ if isinstance(value, list) else winreg.REG_SZ
                winreg.SetValueEx(at, name, 0, winreg.REG_DWORD if isinstance(value, int) else kind, value)
        machine = machine_settings()
    finally:
        parents = {rf"{KEY}\{way}{below}" for way in ("Locked", "Default") for below in ("", r"\accounts")}
        for key in sorted({*parents, *(key for key, _, _ in written)}, key=len, reverse=True):
            with suppress(FileNotFoundError):
                winreg.DeleteKeyEx(winreg.HKEY_LOCAL_MACHINE, key, winreg.KEY_WOW64_64KEY)
    read = {key: {**machine.default, **machine.locked}[key] for key in {*machine.default, *machine.locked}}
    wrong = [
        (key, name, value)
        for key, name, value in written
        if "accounts" not in key and _plain(read.get(name)) != value and "\\Locked" in key
    ]
    for one in (*machine.faults, *wrong):
        sys.stdout.write(f"{one}\n")
    sys.stdout.write(f"{len(written)} values written, {len(machine.locked)} locked, {len(machine.default)} defaults\n")
    whole = len(machine.locked) == len([key for key, _, _ in written if key.endswith("Locked")]) + 1
    return 0 if whole and not machine.faults and not wrong else 1


def _plain(value: object) -> object:
    """As the registry has it."""
    if isinstance(value, tuple):
        return list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return int(value) if isinstance(value, bool) else getattr(value, "value", value)


if __name__ == "__main__":
    sys.exit(main())
