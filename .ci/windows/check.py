"""Tries the program for Windows or its package under Wine, and prints a table: check.py LANE [MSI LATER]. `.ci/windows/check`
runs the lanes side by side, each in a Windows of its own.

Each step is a promise that a person with Windows would notice broken. It is real: the frozen program, calls over sockets,
Wine's Windows Installer. What Wine cannot show is in docs/windows-checklist.md.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "windows"
DRIVE = Path(os.environ["WINEPREFIX"]) / "drive_c"
USER = "Bjørn Æ"  # whose folders are not ASCII; `wine` makes him
HOME = rf"C:\users\{USER}"
ARCHIVE = rf"{HOME}\demo"
# Somebody copies the program into a folder of theirs: eSpeak's data then lies below it.
COPIED = rf"{HOME}\Programmer til telefonen\Klartone"
INSTALLED = r"C:\Program Files\Klartone"
ELSEWHERE = r"C:\Telefon"
SETTINGS, POLICY = r"C:\ProgramData\Klartone\settings.toml", r"C:\ProgramData\Klartone\policy.toml"
ENVIRONMENT = r"HKLM\System\CurrentControlSet\Control\Session Manager\Environment"
POLICIES = r"HKLM\Software\Policies\Klartone"
MODULES = """
import importlib, pkgutil, softphone
def failed(name):
    pass  # it is imported below, and fails there
names = [one.name for one in pkgutil.walk_packages(softphone.__path__, "softphone.", failed)
         if not one.name.endswith("__main__") and ".migrations" not in one.name
         and not one.name.startswith(("softphone.team", "softphone.cli.team"))]  # of the house's service, not the desk's
for name in names:
    importlib.import_module(name)
print(len(names), "modules")
"""
UNLIKE_LINUX = """
import ctypes, sys, tempfile, threading
from pathlib import Path
from softphone.processes import leave_no_core
from softphone.replacing import replace_file
folder = Path(tempfile.mkdtemp())
old, new = folder / "engine.json", folder / "new"
old.write_text("old")
new.write_text("new")
read = old.open()
try:
    new.replace(old)
    sys.exit("a file that is being read was replaced at once: this step shows nothing")
except PermissionError:
    threading.Timer(0.3, read.close).start()
replace_file(new, old)
leave_no_core()
if old.read_text() != "new" or not ctypes.windll.kernel32.GetErrorMode() & 2:
    sys.exit("not replaced, or a crash would be reported")
"""
WANTED = {"notice": "N7", "status": "recording", "kept": True, "audit_ok": True}


class StepError(Exception):
    """A step does not hold; its words go into the table."""


def here(path: str) -> Path:
    """A path of Windows's as one of this machine's."""
    return DRIVE / path.removeprefix("C:\\").replace("\\", "/")


def there(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


def wine(*words: str, within: float = 120, also: tuple[int, ...] = (), cwd: Path | None = None) -> str:
    """What the program printed. Raises StepError if it does not end in time, or with a status that is neither 0 nor in `also`."""
    try:
        ran = subprocess.run(
            ["wine64", *words],
            cwd=cwd or DRIVE,
            capture_output=True,
            timeout=within,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StepError(f"{words[0]} had not ended after {within:.0f} s") from None
    told, errors = ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace")
    if "Traceback" in told + errors:
        raise StepError(f"{' '.join(words[1:3])}: a traceback: {(told + errors).strip().splitlines()[-1]}")
    if ran.returncode not in (0, *also):
        last = [line for line in (told + errors).splitlines() if line.strip() and not line.startswith("ALSA")]
        raise StepError(f"{' '.join(words[1:3])} ended with {ran.returncode}: {last[-1] if last else 'no word'}")
    return told


def refusal(*words: str) -> str:
    try:
        wine(*words)
    except StepError as error:
        return str(error)
    raise StepError(f"{' '.join(words[1:])} was carried out")


def registry(key: str, name: str) -> str:
    """A value's text; empty if it is not there."""
    told = wine("reg", "query", key, "/v", name, "/reg:64", also=(1,))
    found = re.search(rf"^\s*{re.escape(name)}\s+REG_\w+\s+(.*?)\s*$", told, re.MULTILINE)
    return found.group(1) if found else ""


def expect(what: str, told: object, wanted: object) -> None:
    if told != wanted:
        raise StepError(f"{what}: {told!r}, where {wanted!r} was expected")


def modules() -> str:
    return wine(there(PLACE / "python" / "python.exe"), "-c", MODULES, within=180).strip()


def unlike_linux() -> str:
    wine(there(PLACE / "python" / "python.exe"), "-c", UNLIKE_LINUX)
    return "a moment later"


def access_lists() -> str:
    wine(
        there(PLACE / "python" / "python.exe"), "-c", (ROOT / ".ci" / "windows" / "access_lists.py").read_text("utf-8")
    )
    return "users, administrators, conditions"


def doctor() -> str:
    """It may find faults (there is no sound here), but says them in a table and with a status of its own."""
    told = wine(rf"{COPIED}\klartone.exe", "doctor", also=(1,))
    if len(told.splitlines()) < 8:
        raise StepError(f"it printed {told!r}")
    return f"{len(told.splitlines())} lines"


def call(program: str, archive: str) -> str:
    told = wine(program, "demo", "--headless", "--json", "--seconds", "3", "--archive", archive, within=150)
    summary = json.loads(told.strip().splitlines()[-1])["summary"]
    for key, value in WANTED.items():
        expect(key, summary[key], value)
    if summary["recorded_seconds"] < 2.5:
        raise StepError(f"only {summary['recorded_seconds']} s were recorded")
    return f"{summary['recorded_seconds']} s recorded"


def recordings(program: str, archive: str) -> list[dict[str, object]]:
    told = wine(program, "archive", "list", "--archive", archive, "--json")
    return [json.loads(line) for line in told.splitlines() if line.startswith("{") and '"recording"' in line]


def whole_call() -> str:
    return call(rf"{COPIED}\klartone.exe", ARCHIVE)


def backup_and_restore() -> str:
    program, archive = rf"{COPIED}\klartone.exe", ARCHIVE
    wine(program, "archive", "backup", rf"{HOME}\sikkerhedskopi", "--archive", archive)
    wine(program, "archive", "backup", rf"{HOME}\sikkerhedskopi", "--check", "--archive", archive)
    back = rf"{HOME}\tilbage"
    wine(program, "archive", "restore", rf"{HOME}\sikkerhedskopi", "--to", back, "--erased-in", archive)
    before, after = ({one["recording"] for one in recordings(program, where)} for where in (archive, back))
    expect("recordings after restoring", after, before)
    expect("recordings", len(after), 1)
    return "the same recording is in all three"


def killed_engine() -> str:
    """Killed while it records: what was sealed stays, and a new engine closes it."""
    program, archive = rf"{COPIED}\klartone.exe", rf"{HOME}\dræbt"
    demo = subprocess.Popen(
        ["wine64", program, "demo", "--headless", "--json", "--seconds", "60", "--archive", archive],
        cwd=DRIVE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    recording, killed = "", False
    assert demo.stdout is not None
    for line in demo.stdout:
        one = json.loads(line)
        if one.get("event") == "sealed" and not killed:
            recording, killed = one["recording"], True
            pid = json.loads(here(rf"{archive}\phone\runtime\engine.json").read_text(encoding="utf-8"))["pid"]
            wine("taskkill", "/F", "/PID", str(pid))
    demo.wait(120)
    if not killed:
        raise StepError("the demo's call was not recorded")
    call(program, archive)
    after = {one["recording"]: one for one in recordings(program, archive)}
    if recording not in after:
        raise StepError("the recording of the killed engine is gone")
    expect("it broke off", after[recording]["broke_off"], True)
    expect("recordings", len(after), 2)
    return "its recording is kept as one that broke off"


def tables(msi: Path) -> str:
    """The package says what it should, and nothing of the day or the machine it was made on."""

    def table(name: str) -> list[list[str]]:
        told = subprocess.run(["msiinfo", "export", msi, name], check=True, capture_output=True, text=True).stdout
        return [line.split("\t") for line in told.splitlines()[3:]]

    properties = {row[0]: row[1] for row in table("Property")}
    expect("for all users", properties["ALLUSERS"], "1")
    expect("UpgradeCode", properties["UpgradeCode"], "{8F0B5A64-52F1-4C5D-9D0B-2E5B0E6A7C11}")
    for name in ("AUTOSTART", "LINKS", "POLICY", "SETTINGS"):
        if name not in properties["SecureCustomProperties"].split(";"):
            raise StepError(f"{name} does not reach an installation without questions")
    features = {row[0]: row for row in table("Feature")}
    expect("features", set(features), {"Program", "Links", "Autostart", "Settings", "Policy"})
    expect("features that are on", {name for name, row in features.items() if row[5] == "1"}, {"Program", "Links"})
    components = {row[0]: row for row in table("Component")}
    if any(not row[1] for row in components.values()) or len({row[1] for row in components.values()}) != len(
        components
    ):
        raise StepError("a component has no GUID of its own, and would not be removed")
    conditions = {row[0]: row[4] for row in components.values() if row[4]}
    wanted = {"settings": "SETTINGS OR REMOVE", "policy": "POLICY OR REMOVE"}
    expect("conditions, by which a component would stay behind", conditions, wanted)
    named = [row[1] for row in table("FeatureComponents")]
    expect("components without a feature, or in two", sorted(named), sorted(components))
    values = {(row[2], row[3]): row[4] for row in table("Registry")}
    for scheme in ("tel", "sip", "sips"):
        expect(scheme, values[r"Software\Klartone\Capabilities\URLAssociations", scheme], "Klartone.link")
    expect("settings", values[r"Software\Policies\Klartone", "SettingsFile"], "[SETTINGS]")
    expect("policy", values[r"Software\Policies\Klartone\Locked", "policy"], "[POLICY]")
    # What was installed before would be looked for without rights, and not be found by the service.
    expect("opened by hand", [row[0] for row in table("InstallUISequence")], ["ExecuteAction"])
    if "MigrateFeatureStates" in {row[0] for row in table("InstallExecuteSequence")}:  # Wine has no such action
        raise StepError("an upgrade takes over the features of before, whatever it is told")
    (path,) = table("Environment")
    expect("PATH, with the program and without it", path[1:3], ["=-*PATH", "[~];[INSTALLDIR]"])
    summary = subprocess.run(["msiinfo", "suminfo", msi], check=True, capture_output=True, text=True).stdout
    created, saved = re.findall(r"^(?:Created|Last saved): (.*)$", summary, re.MULTILINE)
    expect("times", created, saved)
    return f"{len(components)} components"


def window() -> str:
    """The program without a console comes up on a screen, and its engine with it. Before an update it is asked to end."""
    home = rf"{HOME}\vindue"
    desk = subprocess.Popen(
        ["wine64", rf"{COPIED}\klartonew.exe", "--home", home],
        cwd=DRIVE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint, until = here(rf"{home}\runtime\engine.json"), time.monotonic() + 60
    try:
        while not (endpoint.exists() and "klartonew" in wine("tasklist")):
            if desk.poll() is not None or time.monotonic() > until:
                raise StepError(f"it ended with {desk.poll()}, or did not come up")
            time.sleep(0.5)
        logged = here(rf"{home}\log\desk.log").read_text(encoding="utf-8").splitlines()
        expect("what the window complained of", [line for line in logged if " INFO " not in line], [])
        wine(rf"{COPIED}\klartone.exe", "--home", home, "quit", "--when-idle", "--wait", "60")
        desk.wait(30)
    finally:
        for name in ("klartonew.exe", "klartone.exe"):
            wine("taskkill", "/F", "/IM", name, also=tuple(range(1, 256)))
        desk.wait(30)
    return "without a console, and gone when asked to"


def group_policy() -> str:
    """Every value that the templates write is read from the registry."""
    return wine(there(PLACE / "python" / "python.exe"), "-m", "tests.policy_templates", within=180, cwd=ROOT).strip()


def install(msi: Path) -> str:
    here(SETTINGS).parent.mkdir(parents=True)
    here(SETTINGS).write_text("[locked]\nring_volume = 40\n[default]\nlook = 'dark'\n", encoding="utf-8")
    wine(
        "msiexec", "/i", there(msi), "/qn", f"SETTINGS={SETTINGS}", f"POLICY={POLICY}", "AUTOSTART=1", within=240
    )  # fmt: skip
    for name in ("klartone.exe", "klartonew.exe", r"_internal\softphone", r"licences\THIRD-PARTY.txt"):
        if not here(rf"{INSTALLED}\{name}").exists():
            raise StepError(f"{name} is not there")
    told()
    return "klartone.exe, klartonew.exe, licences, registry, menu"


def told(folder: str = INSTALLED, links: str = r"Software\Klartone\Capabilities") -> None:
    """What is in the registry and the menu while it is installed."""
    expect("SettingsFile", registry(POLICIES, "SettingsFile"), SETTINGS)
    expect("policy", registry(rf"{POLICIES}\Locked", "policy"), POLICY)
    run = registry(r"HKLM\Software\Microsoft\Windows\CurrentVersion\Run", "Klartone")
    expect("autostart", run, rf'"{folder}\klartonew.exe"')
    expect("links", registry(r"HKLM\Software\RegisteredApplications", "Klartone"), links)
    if not list(DRIVE.rglob("Start Menu/Programs/Klartone.lnk")):  # Wine has one menu a user and none for all
        raise StepError("there is no entry in the Start menu")
    if folder.lower() not in registry(ENVIRONMENT, "PATH").lower():
        raise StepError("the program is not on PATH")


def repair(msi: Path) -> str:
    """Whoever asks for it: what stands in the registry stays, what IT has deleted stays away, and no feature comes or goes."""
    others = (r"SETTINGS=C:\users\mine.toml", r"POLICY=C:\users\mine-policy.toml")
    wine("reg", "delete", rf"{POLICIES}\Locked", "/v", "policy", "/f", "/reg:64")
    wine("msiexec", "/i", there(msi), "/qn", "REINSTALL=ALL", "REINSTALLMODE=omus", *others, within=240)
    if "REG_SZ" in (locked := wine("reg", "query", rf"{POLICIES}\Locked", "/reg:64", also=(1,))):
        raise StepError(f"the policy that IT deleted is back: {locked.strip()}")
    wine("reg", "add", rf"{POLICIES}\Locked", "/v", "policy", "/d", POLICY, "/f", "/reg:64")
    told()
    for features in ("ADDLOCAL=Settings,Policy", "ADDLOCAL=ALL", "REMOVE=Settings,Policy"):
        refusal("msiexec", "/i", there(msi), "/qn", features, *others)
        told()
    return "settings and policy stay as they were"


def machine_settings() -> str:
    """The file that SETTINGS named is read, and refused: to Wine its owner is an ordinary user. What the registry locks
    nobody changes."""
    program = rf"{INSTALLED}\klartone.exe"
    said = refusal(program, "settings", "show")
    if SETTINGS not in said:
        raise StepError(f"the settings file is not spoken of, although others than administrators can write it: {said}")
    wine("reg", "delete", POLICIES, "/v", "SettingsFile", "/f", "/reg:64")
    wine("reg", "add", rf"{POLICIES}\Locked", "/v", "ring_volume", "/t", "REG_DWORD", "/d", "40", "/f", "/reg:64")
    shown = wine(program, "settings", "show", "ring_volume", "--origin").strip()
    if shown.split()[:2] != ["ring_volume", "40"]:
        raise StepError(f"it says {shown!r}")
    refusal(program, "settings", "set", "ring_volume", "60")
    expect("after it was set", wine(program, "settings", "show", "ring_volume", "--origin").strip(), shown)
    wine("reg", "delete", rf"{POLICIES}\Locked", "/v", "ring_volume", "/f", "/reg:64")
    wine("reg", "add", POLICIES, "/v", "SettingsFile", "/d", SETTINGS, "/f", "/reg:64")
    return " ".join(shown.split())


def products() -> set[str]:
    key = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall"
    told = wine("reg", "query", key, "/s", "/reg:64", also=(1,))
    return set(
        re.findall(r"DisplayVersion\s+REG_SZ\s+(\S+)", "".join(one for one in told.split("\n\n") if "Klartone" in one))
    )


@contextmanager
def unmanaged() -> Iterator[None]:
    """Without the organisation's settings and policy, of which only the names are there."""
    wine("reg", "delete", POLICIES, "/f", "/reg:64")
    yield
    wine("reg", "add", POLICIES, "/v", "SettingsFile", "/d", SETTINGS, "/f", "/reg:64")
    wine("reg", "add", rf"{POLICIES}\Locked", "/v", "policy", "/d", POLICY, "/f", "/reg:64")


def installed_call() -> str:
    with unmanaged():
        return call(rf"{INSTALLED}\klartone.exe", ARCHIVE)


def upgrade(later: Path) -> str:
    """Without a word on settings and features: they stay as they are. So does what somebody kept."""
    wine("msiexec", "/i", there(later), "/qn", within=240)
    told()
    expect("versions installed", products(), {later.stem.rpartition("-")[2]})
    with unmanaged():
        expect("recordings", len(recordings(rf"{INSTALLED}\klartone.exe", ARCHIVE)), 1)
    return "one product, the same features and properties, the recording kept"


def upgrade_told_more(msi: Path, later: Path) -> str:
    """What is given for the first time is written, and what was given before stays."""
    wine("msiexec", "/i", there(msi), "/qn", "LINKS=0", f"INSTALLDIR={ELSEWHERE}", within=240)
    for key in (POLICIES, r"HKLM\Software\RegisteredApplications"):
        if "Klartone" in wine("reg", "query", key, "/s", "/reg:64", also=(1,)):
            raise StepError(f"{key} has what nobody asked for")
    wine("msiexec", "/i", there(later), "/qn", f"SETTINGS={SETTINGS}", f"POLICY={POLICY}", "AUTOSTART=1", within=240)
    told(ELSEWHERE, links="")
    expect("versions installed", products(), {later.stem.rpartition("-")[2]})
    remove(later, ELSEWHERE)
    return "settings, policy and autostart are new; folder and no links as before"


def remove(later: Path, folder: str = INSTALLED) -> str:
    wine("msiexec", "/x", there(later), "/qn", within=240)
    if here(folder).exists():
        left = [str(path.relative_to(here(folder))) for path in here(folder).rglob("*")]
        raise StepError(f"left in the program's folder: {', '.join(left[:3])} ({len(left)})")
    for key in (r"HKLM\Software\Klartone", POLICIES, r"HKLM\Software\Classes\Klartone.link"):
        if "Klartone" in wine("reg", "query", key, "/s", "/reg:64", also=(1,)):
            raise StepError(f"{key} is still there")
    for key in (r"HKLM\Software\Microsoft\Windows\CurrentVersion\Run", r"HKLM\Software\RegisteredApplications"):
        expect(key, registry(key, "Klartone"), "")
    expect("products", products(), set())
    if folder.lower() in registry(ENVIRONMENT, "PATH").lower():
        raise StepError("it is still on PATH")
    if list(DRIVE.rglob("Klartone.lnk")):
        raise StepError("the entry in the Start menu is still there")
    if not here(rf"{ARCHIVE}\archive.json").exists():
        raise StepError("the user's archive is gone")
    return "nothing left; the user's archive stays"


def copied() -> None:
    here(COPIED).parent.mkdir(parents=True)
    shutil.copytree(PLACE / "frozen" / "klartone", here(COPIED), copy_function=os.link)


def steps(lane: str, packages: list[Path]) -> list[tuple[str, Callable[[], str]]]:
    """What one breaks does not reach another lane: settings of the machine, processes ended by their name."""
    if lane == "program":
        copied()
        return [
            ("every module is imported", modules),
            ("a file that is being read", unlike_linux),
            ("who can write a file", access_lists),
            ("doctor", doctor),
            ("a whole call", whole_call),
            ("backup and restore", backup_and_restore),
            ("an engine killed in mid-call", killed_engine),
            ("its window", window),
            ("Group Policy's values", group_policy),
        ]
    msi, later = packages
    return [
        ("the package's tables", lambda: tables(msi)),
        ("installed, without questions", lambda: install(msi)),
        ("repaired with other paths", lambda: repair(msi)),
        ("settings of the machine", machine_settings),
        ("a whole call, installed", installed_call),
        ("upgraded", lambda: upgrade(later)),
        ("removed", lambda: remove(later)),
        ("upgraded with other properties", lambda: upgrade_told_more(msi, later)),
    ]


def main(lane: str, *packages: str) -> int:
    rows: list[tuple[str, bool, float, str]] = []
    for name, step in steps(lane, [Path(one) for one in packages]):
        began = time.monotonic()
        try:
            words, good = step(), True
        except (StepError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            words, good = f"{error}", False
        rows.append((name, good, time.monotonic() - began, words))
        sys.stdout.write(f"{name:31} {'ok' if good else 'FAILED':7} {rows[-1][2]:6.1f} s  {words}\n")
        sys.stdout.flush()
    failed = sum(not good for _, good, _, _ in rows)
    sys.stdout.write(f"{lane + ':':31} {len(rows) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
