"""Makes a folder frozen for Windows smaller: FFmpeg's libraries for pictures become empty ones. slim.py FOLDER SITE-PACKAGES

As `linux/slim.py` does, and for the same reason. It runs on Linux after the freeze: it needs mingw's compiler, and `pefile`
from the wheels for Windows.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from description import description

COMPILER = "x86_64-w64-mingw32ucrt-gcc"
EMPTY = "long long {name}(void) {{ return 0; }}"


def slim(folder: Path, codecs: list[str]) -> None:
    libraries = sorted(path for path in folder.rglob("*") if path.suffix in {".dll", ".pyd"})
    named = [path for path in libraries if path.parent.name == "av.libs" and re.split(r"[-.]", path.name)[0] in codecs]
    asked: dict[str, set[str]] = {}
    for path in set(libraries) - set(named):
        for library in getattr(_read(path, "IMPORT"), "DIRECTORY_ENTRY_IMPORT", ()):
            names = {one.name.decode() for one in library.imports if one.name}
            asked.setdefault(library.dll.decode().lower(), set()).update(names)
    for path in named:
        _replace(path, sorted(asked.get(path.name.lower(), set())))


def _read(path: Path, directory: str) -> Any:
    import pefile

    read = pefile.PE(str(path), fast_load=True)
    read.parse_data_directories(directories=[pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{directory}"]])
    return read


def _replace(path: Path, names: list[str]) -> None:
    """By a library of the same name with those of its functions that somebody asks for."""
    with tempfile.TemporaryDirectory() as scratch:
        source, exports = Path(scratch) / "hollow.c", Path(scratch) / "hollow.def"
        source.write_text("\n".join(EMPTY.format(name=f"own{n}") for n in range(len(names))) + "\n", encoding="utf-8")
        lines = [f"LIBRARY {path.name}", "EXPORTS", *(f"  {name} = own{n}" for n, name in enumerate(names))]
        exports.write_text("\n".join(lines) + "\n", encoding="utf-8")
        plain = ["-shared", "-s", "-O1", "-nostdlib", "-Wl,--no-insert-timestamp", "-Wl,--entry=0"]
        subprocess.run([COMPILER, *plain, "-o", path, source, exports], check=True)


if __name__ == "__main__":
    sys.path.append(sys.argv[2])
    slim(Path(sys.argv[1]), description()["windows"]["codecs"])
