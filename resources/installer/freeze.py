"""Freezes the Klartone that this Python has installed (a wheel, not a checkout) into one folder: freeze.py FOLDER

Needs PyInstaller in the same environment. FOLDER then holds `klartone/` with the program and `licences/` of all that
is in it. On Linux it also needs `strip`, `as` and `ld` (package binutils).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import PyInstaller.__main__
from description import HERE, description, made_at


def main(target: Path) -> None:
    told = description()
    # PyInstaller takes the times and the order of what it packs from these.
    os.environ["SOURCE_DATE_EPOCH"] = str(made_at())
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        sys.exit(subprocess.run([sys.executable, *sys.argv], check=False).returncode)
    folder, scratch = target / told["name"], target / "build"
    shutil.rmtree(folder, ignore_errors=True)
    PyInstaller.__main__.run(
        [
            "--noconfirm",
            "--clean",
            "--log-level=WARN",
            f"--distpath={target}",
            f"--workpath={scratch}",
            f"{HERE / told['name']}.spec",
        ]
    )
    leave_out(folder / "_internal", **told["leave_out"])
    from licences import gather

    gather(folder / "licences")
    if sys.platform == "linux":
        from linux.slim import slim

        slim(folder, told["linux"]["hollow"], told["linux"]["forwards"])


def leave_out(inside: Path, drop: list[str], keep: list[str]) -> None:
    """Remove what a pattern of `drop` names and none of `keep`, and the folders that are empty then."""
    kept = {path for pattern in keep for path in inside.glob(pattern)}
    for pattern in drop:
        # A pattern's last `**` would name folders alone.
        for path in inside.glob(pattern + "/*" if pattern.endswith("**") else pattern):
            if path not in kept and not path.is_dir():
                path.unlink(missing_ok=True)
    for path in sorted(inside.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
