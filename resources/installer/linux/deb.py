"""Packs a frozen folder as a Debian package: deb.py FROZEN TARGET. It runs in the Debian that the folder was frozen in.

What the package needs of the system is computed from the libraries in it, by Debian's own `dpkg-shlibdeps`. Two runs over
the same folder make the same bytes: every time is the last commit's, every order is by name.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from description import ROOT, description, made_at
from sbom import write_sbom

from linux.desktop import desktop_entry, metainfo, user_unit
from linux.pages import completion, man_page
from linux.slim import is_elf
from softphone.bootstrap import texts
from softphone.cli.command_line import build_parser
from softphone.domain.purpose import Language

SCRIPTS = Path(__file__).with_name("scripts")
SETTINGS = Path(__file__).with_name("settings.toml")


def main(frozen: Path, target: Path) -> None:
    told, when = description(), made_at()
    os.environ["SOURCE_DATE_EPOCH"] = str(when)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        tree = Path(scratch) / "tree"
        _lay_out(tree, frozen, told, when)
        home = tree / told["linux"]["home"].lstrip("/") / "app"
        libraries = needs(home, told["linux"]["opened"], Path(scratch))
        _control(tree, told, ", ".join([libraries, *told["linux"]["depends"]]))
        for path in [tree, *tree.rglob("*")]:
            os.utime(path, (when, when), follow_symlinks=False)
        made = target / f"{told['name']}_{told['version']}_amd64.deb"
        packed = os.environ.get("KLARTONE_DEB_PACKED", "-Zxz").split()
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", *packed, "--build", tree, made], check=True, stdout=subprocess.DEVNULL
        )
    print(made)  # noqa: T201


def _lay_out(tree: Path, frozen: Path, told: dict[str, Any], when: int) -> None:
    name, app = told["name"], tree / told["linux"]["home"].lstrip("/") / "app"
    shutil.copytree(frozen, app, symlinks=True)
    write_sbom(app / "sbom.cdx.json", app)
    shutil.copyfile(Path(__file__).parent.parent / "vex.cdx.json", app / "vex.cdx.json")
    for path in app.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == app / name or is_elf(path) else 0o644)
    share = tree / "usr" / "share"
    _put(share / "applications" / f"{name}.desktop", desktop_entry(told))
    _put(share / "metainfo" / f"{told['id']}.metainfo.xml", metainfo(told, when))
    _put(
        share / "icons" / "hicolor" / "scalable" / "apps" / f"{name}.svg",
        (ROOT / told["icon"]).read_text(encoding="utf-8"),
    )
    _put(share / "bash-completion" / "completions" / name, completion(build_parser(texts(Language.EN))))
    _put(tree / "usr" / "lib" / "systemd" / "user" / f"{name}.service", user_unit(told))
    for language, folder in ((Language.EN, share / "man"), (Language.DA, share / "man" / "da")):
        said = texts(language)
        page = man_page(build_parser(said), said, told["version"], told["summary"][language], when)
        _put_packed(folder / "man1" / f"{name}.1.gz", page)
    documents = share / "doc" / name
    _put(documents / "copyright", _copyright(told, app))
    _put_packed(documents / "CHANGELOG.md.gz", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    _put_packed(documents / "changelog.gz", _debian_changelog(told, when))
    _put(tree / "etc" / name / "settings.toml", SETTINGS.read_text(encoding="utf-8"))
    program = tree / "usr" / "bin" / told["programs"]["console"]
    program.parent.mkdir(parents=True)
    program.symlink_to(f"{told['linux']['home']}/current/{told['programs']['console']}")


def _copyright(told: dict[str, Any], app: Path) -> str:
    """Debian's form. Each part's own text lies in the program's folder, which the frozen folder brought."""
    parts = (app / "licences" / "THIRD-PARTY.txt").read_text(encoding="utf-8").splitlines()
    indented = [f" {line}" if line else " ." for line in parts]
    lines = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
        f"Upstream-Name: {told['title']}",
        f"Upstream-Contact: {told['contact']}",
        "Comment:",
        *indented,
        f" The texts are in {told['linux']['home']}/app/licences, the list of all libraries in sbom.cdx.json beside it.",
        "",
        "Files: *",
        f"Copyright: {told['maker']}",
        "License: GPL-3+",
        " On Debian systems the whole text is in /usr/share/common-licenses/GPL-3.",
    ]
    return "\n".join(lines) + "\n"


def _debian_changelog(told: dict[str, Any], when: int) -> str:
    """In Debian's form, of which tools read version and date. What changed is in CHANGELOG.md beside it."""
    head = f"{told['name']} ({told['version']}) stable; urgency=medium"
    return f"{head}\n\n  * See CHANGELOG.md.gz.\n\n -- {told['contact']}  {format_datetime(datetime.fromtimestamp(when, UTC))}\n"


def needs(app: Path, opened: list[str], scratch: Path) -> str:
    """Debian's packages with the libraries that the program is linked with, and with those that it opens by name."""
    libraries = [path for path in sorted(app.rglob("*")) if is_elf(path)]
    asks = scratch / "opened.so"
    by_name = [f"-l:{name}" for name in opened]
    subprocess.run(["ld", "-shared", "--no-as-needed", "-L/usr/lib/x86_64-linux-gnu", *by_name, "-o", asks], check=True)
    (scratch / "debian").mkdir()
    (scratch / "debian" / "control").write_text(
        "Source: klartone\n\nPackage: klartone\nArchitecture: any\n", encoding="utf-8"
    )
    own = sorted({f"-l{path.parent}" for path in libraries})
    asked = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0", *own]
    told = subprocess.run(
        [*asked, *(f"-e{path}" for path in [asks, *libraries])],
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise SystemExit(f"The package's needs could not be computed:\n{told.stderr}")
    return told.stdout.strip().partition("=")[2]


def _control(tree: Path, told: dict[str, Any], depends: str) -> None:
    folder = tree / "DEBIAN"
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files)  # noqa: S324
    size = sum(-(-path.stat().st_size // 1024) for path in files)
    paragraphs = "\n .\n".join(textwrap.indent(textwrap.fill(text, 76), " ") for text in told["description"]["en"])
    fields = {
        "Package": told["name"],
        "Version": told["version"],
        "Architecture": "amd64",
        "Maintainer": told["contact"],
        "Installed-Size": str(size),
        "Depends": depends,
        "Recommends": ", ".join(told["linux"]["recommends"]),
        "Section": told["linux"]["section"],
        "Priority": "optional",
        "Description": f"{told['summary']['en']}\n{paragraphs}",
    }
    _put(folder / "control", "".join(f"{key}: {value}\n" for key, value in fields.items()))
    _put(folder / "md5sums", sums)
    _put(folder / "conffiles", f"/etc/{told['name']}/settings.toml\n")
    build = f"{told['version']}-{hashlib.sha256(sums.encode()).hexdigest()[:12]}"
    for script in sorted(SCRIPTS.iterdir()):
        _put(folder / script.name, script.read_text(encoding="utf-8").replace("@BUILD@", build), mode=0o755)
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def _put(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(mode)


def _put_packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    path.chmod(0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
