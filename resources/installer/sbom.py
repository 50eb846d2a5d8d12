"""Lists what Klartone consists of, as CycloneDX 1.6 in JSON: sbom.py FILE [FROZEN]

Each Python distribution, and in it the libraries of others that its wheel carries: as files (Qt, FFmpeg, OpenBLAS, …) or
linked into its own (OpenSSL, SQLCipher, …). With FROZEN, only what that folder really holds. Run it in the environment
that the program was frozen in.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import uuid
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from description import description, made_at
from licences import licence_of, shipped

_LIBRARY = re.compile(
    r"(?P<name>lib[\w+-]+?|[\w+.-]+?)(?:-[0-9a-f]{8,32})*(?P<so>\.so|\.dll|\.dylib)(?:\.(?P<version>[\d.]+\w?))?",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"\.(?:cpython-\d+-[\w-]+|abi3|cp\d+-\w+)\.|\.pyd$|^_")
_OPENSSL = re.compile(rb"OpenSSL (\d+\.\d+\.\d+[a-z]?(?:-fips)?) +\d{1,2} [A-Z][a-z]{2} 20\d\d")
_SPACE = uuid.UUID("5b1f0a3e-0a8d-5d63-8f0e-6b1d3a0c7e11")
Component = dict[str, Any]


def write_sbom(target: Path, frozen: Path | None = None) -> None:
    told = description()
    inside = frozen / "_internal" if frozen else None
    top = component("application", told["name"], told["version"], told["licence"])
    parts = [_python(), *(_distribution(one, inside, told) for one in shipped() if one.name.lower() != told["name"])]
    if inside and sys.platform == "linux":
        parts += [
            component(
                "library", path.name.split(".so")[0], path.name.partition(".so.")[2] or "system's", "see its package"
            )
            for pattern in told["linux"]["bundled"]
            for path in sorted(inside.glob(pattern))
            if not path.name.startswith("libpython")
        ]
    parts.sort(key=lambda one: one["bom-ref"])
    text = json.dumps(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, json.dumps(parts, sort_keys=True))}",
            "version": 1,
            "metadata": {
                "timestamp": datetime.fromtimestamp(made_at(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "component": top,
            },
            "components": parts,
            "dependencies": [{"ref": top["bom-ref"], "dependsOn": [one["bom-ref"] for one in parts]}],
        },
        indent=1,
        ensure_ascii=False,
    )
    target.write_text(text + "\n", encoding="utf-8", newline="\n")


def component(kind: str, name: str, version: str, licence: str, purl: str = "", within: str = "") -> Component:
    made: Component = {"type": kind, "bom-ref": purl or f"{within}{name}@{version}", "name": name, "version": version}
    if licence:
        made["licenses"] = [{"license": {"name": licence}}]
    if purl:
        made["purl"] = purl
    return made


def _python() -> Component:
    return component(
        "platform", "CPython", sys.version.split()[0], "PSF-2.0", f"pkg:generic/cpython@{sys.version.split()[0]}"
    )


def _distribution(one: Distribution, inside: Path | None, told: dict[str, Any]) -> Component:
    purl = f"pkg:pypi/{one.name.lower().replace('_', '-')}@{one.version}"
    made = component("library", one.name, one.version, licence_of(one), purl)
    carried = {carried["bom-ref"]: carried for carried in [*_files(one, inside, told, purl), *_linked(one, purl)]}
    if carried:
        made["components"] = [carried[key] for key in sorted(carried)]
    return made


def _files(one: Distribution, inside: Path | None, told: dict[str, Any], purl: str) -> list[Component]:
    """Libraries that lie in the wheel as files of their own. Those that are made hollow are not there any more."""
    found: list[Component] = []
    for file in one.files or ():
        name, source = Path(file).name, Path(str(one.locate_file(file)))
        match = _LIBRARY.fullmatch(name)
        if not match or _EXTENSION.search(name) or not source.is_file():
            continue
        if inside and (
            not (inside / file).exists() or any(Path(file).match(pattern) for pattern in told["linux"]["hollow"])
        ):
            continue
        version = match["version"] or ""
        if re.match(r"(lib)?(Qt6|pyside6|shiboken6)", name):
            version = one.version
        elif re.match(r"(lib)?(espeak|scipy_openblas)", name):
            version = _asked(one) or version
        for said in _OPENSSL.findall(source.read_bytes()) if "crypto" in name else ():
            version = said.decode()
        found.append(component("library", match["name"], version or "unknown", "", within=f"{purl}#"))
    return found


def _asked(one: Distribution) -> str:
    """The version of a carried library whose file's name has none: the library says it."""
    if one.name.lower() == "numpy":
        import numpy

        return str(numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]["version"])
    if one.name.lower() == "espeakng-loader":
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        library.espeak_Info.restype = ctypes.c_char_p
        return library.espeak_Info(None).decode()
    return ""


def _linked(one: Distribution, purl: str) -> list[Component]:
    """What is linked into a wheel's own modules, and can be asked."""
    found: list[tuple[str, str]] = []
    name = one.name.lower()
    if name == "av":
        import av

        found.append(("FFmpeg", str(av.ffmpeg_version_info)))
    elif name == "sqlcipher3":
        from sqlcipher3 import dbapi2

        connection = dbapi2.connect(":memory:")
        found += [
            ("SQLCipher", connection.execute("PRAGMA cipher_version").fetchone()[0].split()[0]),
            ("SQLite", dbapi2.sqlite_version),
        ]
        connection.close()
    elif name == "sounddevice":
        import sounddevice

        found.append(("PortAudio", sounddevice.get_portaudio_version()[1].split(",")[0].removeprefix("PortAudio ")))
    elif name == "pjsua2-python":
        found.append(("PJSIP", re.sub(r"\.post\d+$", "", one.version)))
    for file in one.files or ():
        source = Path(str(one.locate_file(file)))
        if _EXTENSION.search(source.name) and source.suffix in {".so", ".pyd"} and source.is_file():
            found += {("OpenSSL", version.decode()) for version in _OPENSSL.findall(source.read_bytes())}
    return [component("library", title, version, "", within=f"{purl}#") for title, version in sorted(set(found))]


if __name__ == "__main__":
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(made_at()))
    write_sbom(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
