"""What is made from the settings' schema: the page of all settings, and the templates for Group Policy."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from softphone.system.settings_machine import MachineSettings, from_registry
from softphone.system.settings_schema import ACCOUNT_SCHEMA, SCHEMA, Scope
from softphone.wire.snapshot import Account, Settings
from tests.system.test_settings_machine import Memory

ROOT = Path(__file__).resolve().parent.parent
ADMX = ROOT / "resources" / "installer" / "windows" / "admx"
SPACE = "{http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions}"
SAMPLES: Mapping[str, Any] = {
    "policy": "/srv/policy.toml",
    "policy_signer": "WN8iFQj0ZMM1h1C4nnSFL8bTTGsQGZKmXw1qfN2yqCE=",
    "archive": "/srv/archive",
    "backup": "/srv/backup",
    "backup_every": "PT12H",
    "bind": "127.0.0.1",
    "port": 5062,
    "stun": "stun.example",
    "ring_sound": "low",
    "plugin_folder": "/srv/plugins",
    "plugins": ["own_voice"],
    "accept_from": ["10.0.0.0/8"],
    "id": "desk",
    "address": "desk@pbx.example",
    "outbound_proxy": "proxy.example",
    "certificate_authority": "/srv/ca.pem",
    "mailbox": "*98",
    "transport": "tls",
    "srtp": "required",
}
"""where any text, the second word or a number a third of the way will not do"""


def test_each_file_is_what_the_schema_makes_of_it() -> None:
    made = runpy.run_path(str(ROOT / ".ci" / "settings_tables.py"))["tables"]()
    assert len(made) == 4
    assert [path for path, text in made.items() if (ROOT / path).read_text("utf-8") != text] == [], "run make settings"


def test_each_string_and_control_of_the_templates_is_there_in_both_languages() -> None:
    template = (ADMX / "klartone.admx").read_text("utf-8")
    for culture in ("da-DK", "en-US"):
        words = ElementTree.parse(ADMX / culture / "klartone.adml")
        strings = {one.get("id"): one.text for one in words.iter(f"{SPACE}string")}
        shown = {one.get("id"): one for one in words.iter(f"{SPACE}presentation")}
        assert set(re.findall(r"\$\(string\.(\w+)\)", template)) == set(strings)
        assert all(strings.values())
        assert set(re.findall(r"\$\(presentation\.(\w+)\)", template)) == set(shown)
        for policy in ElementTree.parse(ADMX / "klartone.admx").iter(f"{SPACE}policy"):
            elements = policy.find(f"{SPACE}elements")
            if elements is not None:
                refs = [one.get("refId") for one in shown[policy.get("name")] if one.get("refId")]
                assert refs == [one.get("id") for one in elements]


def set_by(policy: ElementTree.Element) -> Iterator[tuple[str, str, Any]]:
    """What Group Policy writes once an administrator has filled in this policy: key, name, value."""
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
        yield key, name, value if value is not None else "any text"


def read_back(names: set[str]) -> MachineSettings:
    registry: dict[str, dict[str, Any]] = {}
    for policy in ElementTree.parse(ADMX / "klartone.admx").iter(f"{SPACE}policy"):
        if policy.get("name") in names:
            for key, name, value in set_by(policy):
                registry.setdefault(key, {})[name] = value
    return from_registry(Memory(registry))


def test_what_each_policy_writes_is_what_the_phone_reads() -> None:
    whole = read_back({f"Locked_{one.key}" for one in SCHEMA})
    assert whole.faults == ()
    assert set(whole.locked) == {one.key for one in SCHEMA if one.scope is not Scope.USER}
    held = Settings(**whole.locked)
    unchanged = [key for key in whole.locked if getattr(held, key) == getattr(Settings(), key)]
    assert unchanged == []
    assert all(getattr(held.accounts[0], one.key) != one.default for one in ACCOUNT_SCHEMA if one.key != "ice")
    (account,) = held.accounts
    assert (account.id, account.transport, account.register, account.accept_from) == (
        "desk",
        "tls",
        False,
        ("10.0.0.0/8",),
    )
    defaults = read_back({f"Default_{one.key}" for one in SCHEMA})
    assert defaults.faults == ()
    assert (dict(defaults.locked), defaults.default["accounts"]) == ({}, (account,))
    assert isinstance(account, Account)
