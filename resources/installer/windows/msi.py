"""Makes an MSI of a frozen folder: msi.py FROZEN TARGET.msi [VERSION]

What is in it is `klartone.wxs` beside this file, filled from `package.toml`, with a component for every file. The same folder
at the same SOURCE_DATE_EPOCH gives the same bytes. It needs `wixl` and `msitools`. The signature is
apart: `.ci/windows/msi` puts it on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import quoteattr

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from description import description, made_at  # noqa: E402
from icon import draw  # noqa: E402

OURS = uuid.UUID("5f9b1a0e-6a55-4c1e-9d4b-7f1f0c6f2a11")
"""what every GUID of Klartone's is made from, except one: the UpgradeCode in klartone.wxs, which no build may change"""
COMPONENTS = ("console", "window", "menu", "links", "autostart", "settings", "policy")
"""of klartone.wxs; each keeps its GUID for good"""
PROPERTIES = ("AUTOSTART", "LINKS", "POLICY", "SETTINGS")
_SUMMARY = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")
_TRANSITIVE = 64
_EPOCH = 11_644_473_600  # 1601 to 1970, in seconds


def guid(*words: str) -> str:
    return str(uuid.uuid5(OURS, "/".join(words))).upper()


def identity(*words: str) -> str:
    """An id of the tables': letters and digits."""
    return hashlib.sha256("/".join(words).encode()).hexdigest()[:16]


def files(folder: Path) -> list[Path]:
    return sorted((path.relative_to(folder) for path in folder.rglob("*") if path.is_file()), key=Path.as_posix)


def payload(folder: Path, leave: set[str]) -> Iterator[str]:
    """`DirectoryRef` and `ComponentGroup` of every file but those that klartone.wxs names itself."""
    groups: dict[Path, list[Path]] = {}
    for path in files(folder):
        if path.as_posix() not in leave:
            groups.setdefault(path.parent, []).append(path)
    folders = sorted({up for path in groups for up in (path, *path.parents)} - {Path()}, key=Path.as_posix)
    for path in folders:
        up = path.parent
        yield f'<DirectoryRef Id="{directory(up)}"><Directory Id="{directory(path)}" Name={quoteattr(path.name)}/></DirectoryRef>'
    components: list[str] = []
    for parent, inside in groups.items():
        yield f'<DirectoryRef Id="{directory(parent)}">'
        for path in inside:
            name = identity(path.as_posix())
            components.append(f"c{name}")
            yield (
                f'<Component Id="c{name}" Guid="{guid("file", path.as_posix())}" Win64="yes">'
                f'<File Id="f{name}" Name={quoteattr(path.name)} Source={quoteattr(str(folder / path))} KeyPath="yes"/>'
                "</Component>"
            )
        yield "</DirectoryRef>"
    yield '<ComponentGroup Id="payload">'
    yield from (f'<ComponentRef Id="{one}"/>' for one in components)
    yield "</ComponentGroup>"


def directory(path: Path) -> str:
    return f"d{identity(path.as_posix())}" if path != Path() else "INSTALLDIR"


def content(folder: Path) -> str:
    """A digest of names and bytes: what two products of one version differ by."""
    told = hashlib.sha256()
    for path in files(folder):
        told.update(path.as_posix().encode() + b"\0" + hashlib.sha256((folder / path).read_bytes()).digest())
    return told.hexdigest()


def source(told: dict[str, Any], folder: Path, ico: Path) -> str:
    console, window = (f"{told['programs'][which]}.exe" for which in ("console", "window"))
    schemes = "".join(
        f'<RegistryValue Root="HKLM" Key="Software\\{told["title"]}\\Capabilities\\URLAssociations" Name="{scheme}" '
        f'Type="string" Value="{told["title"]}.link"/>'
        for scheme in told["schemes"]
    )
    return Template((HERE / "klartone.wxs").read_text(encoding="utf-8")).substitute(
        title=told["title"],
        maker=told["maker"],
        version=told["version"],
        summary_en=told["summary"]["en"],
        summary_da=told["summary"]["da"],
        product=guid("product", told["version"], content(folder)),
        console=console,
        window=window,
        console_source=folder / console,
        window_source=folder / window,
        icon=ico,
        schemes=schemes,
        payload="\n".join(payload(folder, {console, window})),
        **{f"guid_{name}": guid("component", name) for name in COMPONENTS},
    )


def rows(target: Path, table: str) -> list[list[str]]:
    told = subprocess.run(["msiinfo", "export", target, table], check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in told.splitlines()[3:]]


def let_through(target: Path) -> None:
    """The properties of ours that an installation without questions takes, and an upgrade too; wixl knows only those
    that have a value, and always has an upgrade take over the features of before."""
    (before,) = (row[1] for row in rows(target, "Property") if row[0] == "SecureCustomProperties")
    wanted = ";".join(sorted({*before.split(";"), *PROPERTIES}))
    change = f"UPDATE `Property` SET `Value` = '{wanted}' WHERE `Property` = 'SecureCustomProperties'"  # noqa: S608
    # A package that is opened by hand does what it does without questions. Searched or chosen in a person's own part of
    # the installation, what stands in the registry would not reach the service's.
    gone = [("InstallUISequence", row[0]) for row in rows(target, "InstallUISequence") if row[0] != "ExecuteAction"]
    gone.append(("InstallExecuteSequence", "MigrateFeatureStates"))
    deletions = [f"DELETE FROM `{table}` WHERE `Action` = '{action}'" for table, action in gone]  # noqa: S608
    # A repair asks again whether these have anything to write, and takes away what has not. wixl knows no such attribute.
    asked_again = [
        f"UPDATE `Component` SET `Attributes` = {int(row[3]) | _TRANSITIVE} WHERE `Component` = '{row[0]}'"  # noqa: S608
        for row in rows(target, "Component")
        if row[4]
    ]
    for query in (change, *deletions, *asked_again):
        subprocess.run(["msibuild", target, "-q", query], check=True)


def fix(target: Path, at: int, code: str) -> None:
    """wixl writes the time of the day and random numbers; these take their place."""
    (row,) = rows(target, "Environment")
    drawn = row[0].encode()
    data = bytearray(target.read_bytes())
    if data.count(drawn) != 1:
        raise SystemExit(
            f"{target} has {drawn.decode()} {data.count(drawn)} times, and once was expected. Has wixl changed?"
        )
    data = data.replace(drawn, guid("component", "path").lower().encode())
    begins = data.find(_SUMMARY)
    if begins < 0 or data.find(_SUMMARY, begins + 1) >= 0:
        raise SystemExit(
            f"{target} has no summary where wixl used to write it. Has wixl changed? See `msiinfo suminfo`."
        )
    (offset,) = struct.unpack_from("<I", data, begins + 16)
    start = begins - 28 + offset  # of the section; the stream's head is 28 bytes
    _, count = struct.unpack_from("<II", data, start)
    for number in range(count):
        name, where = struct.unpack_from("<II", data, start + 8 + 8 * number)
        (kind,) = struct.unpack_from("<I", data, start + where)
        if kind == 64:  # a time
            struct.pack_into("<Q", data, start + where + 4, (at + _EPOCH) * 10_000_000)
        elif name == 9:  # the package's code
            (size,) = struct.unpack_from("<I", data, start + where + 4)
            braced = f"{{{code}}}".encode()
            assert size == len(braced) + 1, size
            data[start + where + 8 : start + where + 8 + len(braced)] = braced
    target.write_bytes(data)


def main(frozen: Path, target: Path, version: str = "") -> None:
    told, at = description(), made_at()
    told["version"] = version or told["version"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "SourceDir"
        shutil.copytree(frozen, folder)
        admx = HERE / "admx"
        if admx.is_dir():
            shutil.copytree(admx, folder / "admx")
        ico = Path(scratch) / "klartone.ico"
        draw(ico)
        for path in folder.rglob("*"):
            os.utime(path, (at, at))
        wxs = Path(scratch) / "klartone.wxs"
        wxs.write_text(source(told, folder, ico), encoding="utf-8")
        made = Path(scratch) / "klartone.msi"
        subprocess.run(["wixl", "-a", "x64", "-o", made, wxs], check=True)
        let_through(made)
        fix(
            made,
            at,
            guid("package", told["version"], content(folder), wxs.read_text(encoding="utf-8").replace(scratch, "")),
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), *sys.argv[3:])
