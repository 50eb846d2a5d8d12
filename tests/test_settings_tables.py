"""What is made from the settings' schema: the page of all settings, and the templates for Group Policy."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from softphone.domain.purpose import Language
from softphone.system.settings_machine import MachineSettings, from_registry
from softphone.system.settings_schema import ACCOUNT_SCHEMA, SCHEMA, SETTINGS, Scope
from softphone.texts import Texts
from softphone.wire.snapshot import Account, Settings
from tests.policy_templates import ADMX, SPACE, written_by
from tests.system.test_settings_machine import Memory

ROOT = Path(__file__).resolve().parent.parent


def test_each_file_is_what_the_schema_makes_of_it() -> None:
    made = runpy.run_path(str(ROOT / ".ci" / "settings_tables.py"))["tables"]()
    assert len(made) == 5
    assert [path for path, text in made.items() if (ROOT / path).read_text("utf-8") != text] == [], "run make settings"


def test_each_string_and_control_of_the_templates_is_there_in_both_languages() -> None:
    template = (ADMX / "klartone.admx").read_text("utf-8")
    words_in = ROOT / "resources" / "translations"
    texts = {"da-DK": Texts(words_in, Language.DA), "en-US": Texts(words_in, Language.EN)}
    for culture in ("da-DK", "en-US"):
        words = ElementTree.parse(ADMX / culture / "klartone.adml")
        strings = {one.get("id"): one.text for one in words.iter(f"{SPACE}string")}
        shown = {one.get("id"): one for one in words.iter(f"{SPACE}presentation")}
        assert set(re.findall(r"\$\(string\.(\w+)\)", template)) == set(strings)
        assert all(strings.values())
        named = {one.key: strings[f"Locked_{one.key}"] for one in SCHEMA if one.scope is not Scope.USER}
        assert named == {key: texts[culture](SETTINGS[key].label) for key in named}, "each by its own name"
        assert set(re.findall(r"\$\(presentation\.(\w+)\)", template)) == set(shown)
        for policy in ElementTree.parse(ADMX / "klartone.admx").iter(f"{SPACE}policy"):
            elements = policy.find(f"{SPACE}elements")
            if elements is not None:
                refs = [one.get("refId") for one in shown[policy.get("name")] if one.get("refId")]
                assert refs == [one.get("id") for one in elements]


def read_back(names: set[str]) -> MachineSettings:
    registry: dict[str, dict[str, Any]] = {}
    for key, name, value in written_by(names):
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
