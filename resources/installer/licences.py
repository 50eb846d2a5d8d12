"""Gathers the licences of all that a frozen folder holds, as the environment it was frozen in has them: a file each, and a list.

Python itself and every distribution are in it. What a wheel carries of others (Qt, FFmpeg, …) is in `sbom.py`'s list.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_FILES = re.compile(r"(?i)(^|/)(licen[cs]e|copying|notice|authors|copyright)[^/]*$|/licen[cs]es/")


def shipped(*names: str) -> list[Distribution]:
    """Klartone's distribution, or these, and all that they need, on this system, by name."""
    wanted: dict[str, Distribution] = {}
    open_ends = list(names) or ["klartone"]
    while open_ends:
        one = distribution(open_ends.pop())
        if canonicalize_name(one.name) in wanted:
            continue
        wanted[canonicalize_name(one.name)] = one
        for text in one.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                open_ends.append(needed.name)
    return [wanted[name] for name in sorted(wanted)]


def licence_of(one: Distribution) -> str:
    """In as few words as its own metadata has for it."""
    told = one.metadata
    for word in (told.get("License-Expression"), told.get("License")):
        if word and "\n" not in word and len(word) < 80:
            return word
    classes = [word.split("::")[-1].strip() for word in told.get_all("Classifier") or () if word.startswith("License")]
    return ", ".join(classes) or "see its files"


def gather(folder: Path, *names: str) -> None:
    """Write `THIRD-PARTY.txt` and a folder of texts for each distribution into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "Klartone is GPL-3.0-or-later. It holds these parts of others; the folders beside this file have their texts.",
        "",
    ]
    lines.append(f"Python {sys.version.split()[0]}: PSF-2.0")
    for name in ("LICENSE.txt", "LICENSE"):
        text = Path(sysconfig.get_path("stdlib")) / name
        if text.is_file():
            _copy(text, folder / "python" / "LICENSE.txt")
            break
    for one in shipped(*names):
        lines.append(f"{one.name} {one.version}: {licence_of(one)}")
        for file in one.files or ():
            if _FILES.search(file.as_posix()) and file.suffix not in {".py", ".pyc", ".so", ".pyd", ".dll", ".svg"}:
                source = Path(str(one.locate_file(file)))
                if source.is_file():
                    _copy(source, folder / f"{one.name.lower()}" / source.name)
    (folder / "THIRD-PARTY.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(source.read_bytes())
