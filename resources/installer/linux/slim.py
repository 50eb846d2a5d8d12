"""Makes a frozen folder smaller and safer: symbols that only a linker reads go, and so do libraries that Klartone never calls.

A library that another one names must be there for that one to be loaded. So each in `hollow` is replaced by one that has
the same functions, which do nothing and return 0. Some functions of pjsua2's old OpenSSL are called: they go on to the system's.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
from pathlib import Path

_PAGE = 4096


def slim(folder: Path, hollow: list[str], forwards: dict[str, dict[str, str]]) -> None:
    """`hollow`: patterns of libraries below `folder/_internal`. `forwards`: of such a library by its first name, which of its
    functions go on to which of the system's."""
    libraries = [path for path in sorted((folder / "_internal").rglob("*")) if is_elf(path)]
    named = [path for path in libraries if any(path.match(pattern) for pattern in hollow)]
    if platform.machine() == "x86_64":  # whose language the replacement is written in
        needed = {symbol for path in libraries if path not in named for symbol in _undefined(path)}
        asked_for = {name for path in libraries if path not in named for name in _needs(path)}
        for path in named:
            if path.name in asked_for:
                replace(path, needed, forwards.get(re.split(r"[-.]", path.name)[0], {}))
            else:
                path.unlink()  # only another hollow one asked for it
    for path in libraries:
        if path not in named:
            strip(path)
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def strip(path: Path) -> None:
    """A library stays as it is where patchelf has rewritten it so that `strip` would make it impossible to load."""
    stripped = path.with_name(path.name + ".stripped")
    subprocess.run(["strip", "--strip-unneeded", "-o", stripped, path], check=True)
    if _loadable(stripped) and stripped.stat().st_size < path.stat().st_size:
        stripped.chmod(path.stat().st_mode)
        stripped.replace(path)
    else:
        stripped.unlink()


def _loadable(path: Path) -> bool:
    """Whether each part of a library lies in the file as it will lie in memory, counted in pages."""
    told = _asked("readelf", "--wide", "--segments", path)
    parts = [line.split() for line in told.splitlines() if line.split()[:1] == ["LOAD"]]
    return bool(parts) and all((int(part[1], 16) - int(part[2], 16)) % _PAGE == 0 for part in parts)


def replace(path: Path, needed: set[str], forwards: dict[str, str]) -> None:
    """By a library of the same name with those of its functions and variables that somebody asks for."""
    code = ['.section .note.GNU-stack,"",@progbits', ".text", "nothing:", "xorl %eax, %eax", "ret"]
    versions: dict[str, list[str]] = {}
    for line in _asked("nm", "-D", "--defined-only", path).splitlines():
        kind, symbol = line.split()[-2:]
        name, _, version = symbol.replace("@@", "@").partition("@")
        if kind == "A" or not needed & {symbol, name, f"{name}@{version}"}:
            continue
        versions.setdefault(version, []).append(name)
        if kind not in "TWti":
            code += [".data", f".globl {name}", f".type {name}, @object", f".size {name}, 4096", f"{name}: .zero 4096"]
            continue
        goes_on = forwards.get(name)
        if goes_on:
            code.append(f".symver onward_{name}, {goes_on}")
        jump = f"jmp *onward_{name}@GOTPCREL(%rip)" if goes_on else "jmp nothing"
        code += [".text", f".globl {name}", f".type {name}, @function", f"{name}: {jump}"]
    soname = re.search(r"\(SONAME\).*\[(.+)\]", _asked("readelf", "-d", path))
    assert soname, path
    options = ["-shared", "--strip-all", "--build-id=none", "-z", "noexecstack", "-soname", soname[1]]
    with tempfile.TemporaryDirectory() as scratch:
        source, made, script = (Path(scratch) / name for name in ("hollow.s", "hollow.o", "versions"))
        source.write_text("\n".join(code) + "\n", encoding="utf-8")
        subprocess.run(["as", "-o", made, source], check=True)
        if set(versions) - {""}:
            nodes = [
                f"{one or 'BASE'} {{ global: {' '.join(f'{name};' for name in names)} }};"
                for one, names in versions.items()
            ]
            script.write_text("\n".join([*nodes, "REST { local: *; };"]) + "\n", encoding="utf-8")
            options.append(f"--version-script={script}")
        system = ["-L/usr/lib/x86_64-linux-gnu", "-l:libcrypto.so.3"] if forwards else []
        subprocess.run(["ld", *options, "-o", path, made, *system], check=True)


def _needs(path: Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", _asked("readelf", "-d", path))


def _undefined(path: Path) -> set[str]:
    return {line.split()[-1] for line in _asked("nm", "-D", "--undefined-only", path).splitlines()}


def _asked(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
