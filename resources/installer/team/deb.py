"""Packs the frozen service as a Debian package: deb.py FROZEN TARGET. It runs in the Debian that the folder was frozen in.

Two runs over the same folder make the same bytes, as for the phone's package.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from description import ROOT, description, made_at
from linux.deb import needs
from linux.slim import is_elf, strip

HERE = Path(__file__).resolve().parent
NAME = "klartone-team"
HOME, SETTINGS = f"opt/{NAME}", f"etc/{NAME}"
SUMMARY = "the house's archive of calls: the service that Klartone's desks talk to"


def main(frozen: Path, target: Path) -> None:
    told, when = description(), made_at()
    os.environ["SOURCE_DATE_EPOCH"] = str(when)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        tree = Path(scratch) / "tree"
        _lay_out(tree, frozen)
        libraries = needs(tree / HOME, ["libc.so.6"], Path(scratch))
        _control(tree, told, libraries)
        for path in [tree, *tree.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
            os.utime(path, (when, when), follow_symlinks=False)
        made = target / f"{NAME}_{told['version']}_amd64.deb"
        packed = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(made)]
        subprocess.run(packed, check=True, stdout=subprocess.DEVNULL)
    print(made)  # noqa: T201


def _lay_out(tree: Path, frozen: Path) -> None:
    app = tree / HOME
    shutil.copytree(frozen, app, symlinks=True)
    for path in sorted(app.rglob("*")):
        if path.is_symlink() or path.is_dir():
            continue
        if is_elf(path) and path.name != NAME:
            strip(path)
        path.chmod(0o755 if is_elf(path) else 0o644)
    hardened = (HERE / "hardened").read_text(encoding="utf-8").rstrip()
    for unit in sorted((HERE / "units").iterdir()):
        text = unit.read_text(encoding="utf-8").replace("@HARDENED@", hardened)
        _put(tree / "usr/lib/systemd/system" / unit.name, text)
    _put(tree / SETTINGS / "team.toml", (HERE / "team.toml").read_text(encoding="utf-8"))
    documents, pages = tree / "usr/share/doc" / NAME, ROOT / "docs"
    for page in sorted(pages.rglob("*.md")):
        _put(documents / page.relative_to(pages), page.read_text(encoding="utf-8"))
    _put(documents / "copyright", _COPYRIGHT)
    program = tree / "usr/bin" / NAME
    program.parent.mkdir(parents=True)
    program.symlink_to(f"/{HOME}/{NAME}")


def _control(tree: Path, told: dict[str, str], libraries: str) -> None:
    folder = tree / "DEBIAN"
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files)  # noqa: S324
    fields = {
        "Package": NAME,
        "Version": told["version"],
        "Architecture": "amd64",
        "Maintainer": told["contact"],
        "Installed-Size": str(sum(-(-path.stat().st_size // 1024) for path in files)),
        "Depends": f"{libraries}, ca-certificates",
        "Suggests": "postgresql (>= 15)",
        "Section": "net",
        "Priority": "optional",
        "Description": f"{SUMMARY}\n {NAME} takes in what desks have recorded, sealed, and keeps people apart.\n"
        " It needs PostgreSQL 15 and any S3 with versions and object lock.",
    }
    _put(folder / "control", "".join(f"{key}: {value}\n" for key, value in fields.items()))
    _put(folder / "md5sums", sums)
    _put(folder / "conffiles", f"/{SETTINGS}/team.toml\n")
    for script in ("postinst", "prerm", "postrm"):
        _put(folder / script, (HERE / script).read_text(encoding="utf-8"), mode=0o755)


def _put(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(mode)


_COPYRIGHT = f"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Klartone
Comment: The texts of what it consists of are in /{HOME}/licences.

Files: *
Copyright: Klartone
License: GPL-3+
 On Debian systems the whole text is in /usr/share/common-licenses/GPL-3.
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
