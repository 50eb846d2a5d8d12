"""What the package for Windows is made of, as far as it can be told without Wine. What it does is `make windows-check`'s."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
WIX = "{http://schemas.microsoft.com/wix/2006/wi}"
MAKE = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
import msi
sys.stdout.write(msi.source(msi.description(), Path(sys.argv[2]), Path("klartone.ico")))
"""


def source(folder: Path) -> ElementTree.Element:
    made = subprocess.run(
        [sys.executable, "-c", MAKE, ROOT / "resources" / "installer" / "windows", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    return ElementTree.fromstring(made.stdout)


def test_a_file_keeps_its_component_while_versions_differ_by_content_and_the_product_for_good(tmp_path: Path) -> None:
    for name in ("klartone.exe", "klartonew.exe", "_internal/bøger & æbler/ø.dll", "_internal/ø.dll"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first")
    before = source(tmp_path)
    (tmp_path / "_internal" / "ø.dll").write_text("second")
    (tmp_path / "_internal" / "new.dll").write_text("new")
    after = source(tmp_path)

    def guids(of: ElementTree.Element) -> dict[str, str]:
        return {str(one.get("Id")): str(one.get("Guid")) for one in of.iter(f"{WIX}Component")}

    assert guids(before).items() <= guids(after).items()
    assert len(guids(after)) == len(guids(before)) + 1 == len(set(guids(after).values()))
    products = [one for of in (before, after) for one in of.iter(f"{WIX}Product")]
    assert products[0].get("Id") != products[1].get("Id")
    assert {one.get("UpgradeCode") for one in products} == {"8F0B5A64-52F1-4C5D-9D0B-2E5B0E6A7C11"}
    named = {one.get("Id") for tag in ("ComponentRef", "ComponentGroupRef") for one in after.iter(f"{WIX}{tag}")}
    assert set(guids(after)) <= named  # a component of no feature would not be installed


def test_a_repair_keeps_settings_and_policy_that_stand_and_changes_no_feature(tmp_path: Path) -> None:
    for name in ("klartone.exe", "klartonew.exe"):
        (tmp_path / name).touch()
    wxs = source(tmp_path)
    actions = {one.get("Id"): one for one in wxs.iter(f"{WIX}CustomAction")}
    (sequence,) = wxs.iter(f"{WIX}InstallExecuteSequence")

    def carried_out(**given: str) -> tuple[str, str]:
        """Settings and policy that are written."""
        properties = settled(**given)
        return properties.get("SETTINGS", ""), properties.get("POLICY", "")

    def touched(**given: str) -> set[str]:
        """The components that are written, or removed, of those that ask about it."""
        properties = settled(**given)
        asked = [(one, one.find(f"{WIX}Condition")) for one in wxs.iter(f"{WIX}Component")]
        return {str(one.get("Id")) for one, what in asked if what is not None and holds(str(what.text), properties)}

    def settled(**given: str) -> dict[str, str]:
        properties = dict(given)
        for one in sequence.iter(f"{WIX}Custom"):
            if holds(str(one.text), properties):
                action = actions[one.get("Action")]
                properties[str(action.get("Property"))] = properties.get(str(action.get("Value")).strip("[]"), "")
        return properties

    def allowed(**given: str) -> bool:
        return all(holds(str(one.text), {"VersionNT64": "1000", **given}) for one in wxs.findall(f"*/{WIX}Condition"))

    before = {"SETTINGSBEFORE": "its", "POLICYBEFORE": "its policy"}
    mine = {"SETTINGS": "mine", "POLICY": "my policy"}
    assert carried_out(**mine) == carried_out(**mine, **before) == ("mine", "my policy")  # IT installs or upgrades
    assert carried_out(**before) == ("its", "its policy")
    assert carried_out(**mine, **before, Installed="1") == ("its", "its policy")
    assert carried_out(**mine, Installed="1") == ("", "")
    # Where IT has deleted a value since, a repair does not write it back empty; a removal leaves nothing out.
    assert touched(**before, Installed="1", REINSTALL="ALL") == {"settings", "policy"}
    assert touched(SETTINGSBEFORE="its", Installed="1", REINSTALL="ALL", **mine) == {"settings"}
    assert touched(Installed="1", REMOVE="ALL") == {"settings", "policy"}
    assert allowed(ADDLOCAL="ALL")
    assert allowed(Installed="1", REINSTALL="ALL")
    assert allowed(Installed="1", REMOVE="all")
    for chosen in ("ADDLOCAL", "ADDSOURCE", "ADDDEFAULT", "ADVERTISE", "REMOVE"):
        assert not allowed(Installed="1", **{chosen: "Policy"})


def test_an_upgrade_keeps_what_was_chosen_and_takes_what_is_given_for_the_first_time(tmp_path: Path) -> None:
    for name in ("klartone.exe", "klartonew.exe"):
        (tmp_path / name).touch()
    wxs = source(tmp_path)
    actions = {one.get("Id"): one for one in wxs.iter(f"{WIX}CustomAction")}
    (sequence,) = wxs.iter(f"{WIX}InstallExecuteSequence")

    def installed(**given: str) -> tuple[set[str], str]:
        """Features and folder, where Windows goes by their levels alone."""
        properties, features = dict(given), set[str]()
        for one in sequence.iter(f"{WIX}Custom"):
            if holds(str(one.text), properties):
                action = actions[one.get("Action")]
                properties[str(action.get("Property"))] = properties.get(str(action.get("Value")).strip("[]"), "")
        for one in wxs.iter(f"{WIX}Feature"):
            level = one.get("Level")
            for condition in one.iter(f"{WIX}Condition"):
                level = condition.get("Level") if holds(str(condition.text), properties) else level
            if level == "1":
                features.add(str(one.get("Id")))
        return features, properties.get("INSTALLDIR", "")

    before = {"FOLDERBEFORE": "D:"}
    linked = before | {"LINKSBEFORE": "its"}
    everything = {"Program", "Links", "Autostart", "Settings", "Policy"}
    assert installed() == ({"Program", "Links"}, "")
    assert installed(LINKS="0", INSTALLDIR="D:") == ({"Program"}, "D:")
    assert installed(**before) == ({"Program"}, "D:")  # LINKS=0 stays, and the folder
    assert installed(**before, LINKS="1", INSTALLDIR="E:") == ({"Program", "Links"}, "E:")
    assert installed(**linked) == ({"Program", "Links"}, "D:")
    assert installed(**linked, INSTALLDIR="E:", Installed="1")[1] == "D:"
    assert installed(**linked, LINKS="0") == ({"Program"}, "D:")
    assert installed(**linked, SETTINGS="s", POLICY="p", AUTOSTART="1") == (everything, "D:")
    assert installed(**linked, SETTINGSBEFORE="s", POLICYBEFORE="p", AUTOSTARTBEFORE="a") == (everything, "D:")
    assert installed(**linked, AUTOSTARTBEFORE="a", AUTOSTART="0") == ({"Program", "Links"}, "D:")


@pytest.mark.skipif(not shutil.which("wixl"), reason="it is needed to make the package, and for nothing else")
def test_windows_takes_over_no_features_of_before_and_asks_about_settings_and_policy_again(tmp_path: Path) -> None:
    frozen, made = tmp_path / "frozen", tmp_path / "klartone.msi"
    frozen.mkdir()
    for name in ("klartone.exe", "klartonew.exe"):
        (frozen / name).write_text("program")
    subprocess.run([sys.executable, ROOT / "resources" / "installer" / "windows" / "msi.py", frozen, made], check=True)

    def rows(table: str) -> list[list[str]]:
        told = subprocess.run(["msiinfo", "export", made, table], check=True, capture_output=True, text=True).stdout
        return [line.split("\t") for line in told.splitlines()[3:]]

    def actions(sequence: str) -> list[str]:
        return [row[0] for row in rows(sequence)]

    assert actions("InstallUISequence") == ["ExecuteAction"]  # features chosen there would be those of no property
    assert {"AppSearch", "CostFinalize"} <= set(actions("InstallExecuteSequence"))
    assert "MigrateFeatureStates" not in actions("InstallExecuteSequence")
    again = {row[0]: (row[4], bool(int(row[3]) & 64)) for row in rows("Component") if row[4] or int(row[3]) & 64}
    assert again == {"settings": ("SETTINGS OR REMOVE", True), "policy": ("POLICY OR REMOVE", True)}


def holds(condition: str, properties: dict[str, str]) -> bool:
    """A condition of Windows Installer's."""
    if ">=" in condition:  # of Windows' version
        return True
    words = {"AND": "and", "OR": "or", "NOT": "not"}
    python = re.sub(r'(\w+) ~= "(\w+)"', lambda two: f"({two[1]}.upper() == '{two[2].upper()}')", condition)
    python = re.sub(r'(\w+) = "(\w+)"', r'(\1 == "\2")', python)
    python = re.sub(r"\b(AND|OR|NOT)\b", lambda one: words[one[0]], python)
    return bool(eval(python, {}, defaultdict(str, properties)))


def test_the_lock_has_for_windows_what_the_program_needs_there_by_hashes() -> None:
    told = subprocess.run(
        [sys.executable, ROOT / ".ci" / "locked.py", "--windows", "klartone"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    blocks = {one.partition("==")[0]: one for one in re.split(r"(?m)^(?=[a-z])", told) if one}
    assert "pywin32-ctypes" in blocks  # the keyring's way to the Credential Manager
    assert not {"jeepney", "secretstorage", "pulsectl"} & set(blocks)
    assert [name for name, rest in blocks.items() if "--hash=sha256:" not in rest or ";" in rest] == []
