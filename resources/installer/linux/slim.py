"""Makes a frozen folder smaller: symbols of the linker's are stripped, and FFmpeg's libraries for pictures become empty ones.

The libraries that FFmpeg's decoders of pictures call must be there for the one that decodes sound to be loaded. Klartone
decodes no picture, so each is replaced by a library that has the same functions, which do nothing and return 0: FFmpeg asks
some of them what they can do, and then knows that it is nothing.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
from pathlib import Path


def slim(folder: Path, codecs: list[str]) -> None:
    libraries = [path for path in sorted(folder.rglob("*")) if _is_elf(path)]
    named = [path for path in libraries if path.parent.name == "av.libs" and re.split(r"[-.]", path.name)[0] in codecs]
    needed = {symbol for path in libraries if path not in named for symbol in _undefined(path)}
    if platform.machine() == "x86_64":  # whose language the replacement is written in
        for path in named:
            _replace(path, needed)
    for path in libraries:
        if path not in named:
            subprocess.run(["strip", "--strip-unneeded", "--preserve-dates", path], check=True)


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _dynamic(path: Path, *options: str) -> list[str]:
    told = subprocess.run(["nm", "-D", *options, path], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def _undefined(path: Path) -> set[str]:
    return {line.split()[-1] for line in _dynamic(path, "--undefined-only")}


def _replace(path: Path, needed: set[str]) -> None:
    """By a library of the same name with those of its functions and variables that somebody asks for."""
    lines = ['.section .note.GNU-stack,"",@progbits', ".text", "nothing:", "xorl %eax, %eax", "ret"]
    versions: set[str] = set()
    for line in _dynamic(path, "--defined-only"):
        _, kind, symbol = line.split()
        if symbol.replace("@@", "@") not in needed and symbol not in needed:
            continue
        name, _, version = symbol.replace("@@", "@").partition("@")
        versions |= {version} - {""}
        if kind in "TWti":
            lines += [".text", f".globl {name}", f".type {name}, @function", f"{name}: jmp nothing"]
        else:
            lines += [".data", f".globl {name}", f".type {name}, @object", f".size {name}, 4096", f"{name}: .zero 4096"]
    soname = re.search(r"\(SONAME\).*\[(.+)\]", _readelf(path))
    assert soname, path
    with tempfile.TemporaryDirectory() as scratch:
        source, made = Path(scratch) / "stub.s", Path(scratch) / "stub.o"
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        subprocess.run(["as", "-o", made, source], check=True)
        options = ["-shared", "--strip-all", "--build-id=none", "-soname", soname[1], "-o", str(path)]
        if versions:
            script = Path(scratch) / "versions"
            script.write_text("".join(f"{one} {{ global: *; }};\n" for one in sorted(versions)), encoding="utf-8")
            options.append(f"--version-script={script}")
        subprocess.run(["ld", *options, made], check=True)


def _readelf(path: Path) -> str:
    return subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout
