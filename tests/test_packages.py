"""What the packages say of the program, and a link that opens it. What they do on a bare system is `make deb-check`'s."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from softphone import __version__
from softphone.bootstrap import texts
from softphone.cli.command_line import build_parser
from softphone.domain.purpose import Language

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = ROOT / "resources" / "installer"


@pytest.fixture(autouse=True)
def _installer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The installer's modules import each other as scripts beside each other do."""
    monkeypatch.syspath_prepend(str(INSTALLER))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in {"description", "linux"}]:
        del sys.modules[name]


def test_the_version_is_one_in_program_description_and_desktop_files() -> None:
    from description import description
    from linux.desktop import metainfo

    told = description()
    assert told["version"] == __version__
    assert f'<release version="{__version__}"' in metainfo(told, 0)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (told["name"], told["licence"]) == (project["project"]["name"], project["project"]["license"])
    assert "version" in project["project"]["dynamic"]


def test_desktop_entry_and_shop_page_pass_their_own_validators(tmp_path: Path) -> None:
    from description import description
    from linux.desktop import desktop_entry, metainfo

    told = description()
    entry, page = tmp_path / "klartone.desktop", tmp_path / f"{told['id']}.metainfo.xml"
    entry.write_text(desktop_entry(told), encoding="utf-8")
    page.write_text(metainfo(told, 0), encoding="utf-8")
    judged = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)
    assert (judged.returncode, judged.stdout) == (0, "")
    judged = subprocess.run(["appstreamcli", "validate", "--no-net", page], capture_output=True, text=True, check=False)
    # Klartone has no page of its own in the web yet.
    assert re.findall(r"(?m)^[EW]: .*", judged.stdout) in ([], ["W: dk.klartone.Klartone:~: url-homepage-missing"])
    assert "MimeType=x-scheme-handler/tel;x-scheme-handler/sip;x-scheme-handler/sips;" in entry.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("language", list(Language))
def test_the_man_page_names_every_command_and_has_no_fault(language: Language, tmp_path: Path) -> None:
    from linux.pages import commands, man_page

    parser = build_parser(texts(language))
    page = man_page(parser, texts(language), __version__, "what it is", 0)
    named = [" ".join(words) for words, _, _ in commands(parser)]
    assert {"desk", "doctor", "archive verify", "holds lift"} <= set(named)
    assert [name for name in named if f".B klartone {name.replace('-', chr(92) + '-')}\n" not in page] == []
    assert not re.search(r"plugin.?host|demo.?customer", page)
    (tmp_path / "klartone.1").write_text(page, encoding="utf-8")
    if shutil.which("groff"):
        read = ["groff", "-Kutf8", "-man", "-ww", "-Tutf8", "-z", tmp_path / "klartone.1"]
        judged = subprocess.run(read, capture_output=True, text=True, check=False)
        assert (judged.returncode, judged.stderr) == (0, "")


def test_bash_completes_every_command_at_its_place(tmp_path: Path) -> None:
    from linux.pages import commands, completion

    parser = build_parser(texts(Language.EN))
    script = tmp_path / "klartone"
    script.write_text(completion(parser), encoding="utf-8")
    asked = [words for words, _, _ in commands(parser)]
    lines = [f". {script}"]
    for words in asked:
        typed = " ".join(["klartone", *words])
        lines.append(f'COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _klartone; echo "${{COMPREPLY[*]}}"')
    lines.append('COMP_WORDS=(klartone archive --archive x "") COMP_CWORD=4; _klartone; echo "${COMPREPLY[*]}"')
    said = subprocess.run(
        ["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [words for words, offered in zip(asked, said, strict=False) if words[-1] not in offered.split()] == []
    assert "verify" in said[-1].split()


def test_what_the_package_leaves_out_spares_danish_and_english_speech(tmp_path: Path) -> None:
    from description import description
    from freeze import leave_out

    data = tmp_path / "espeakng_loader" / "espeak-ng-data"
    for name in (
        "da_dict",
        "en_dict",
        "ru_dict",
        "phondata",
        "lang/gmq/da",
        "lang/gmw/en",
        "lang/zle/ru",
        "voices/mb/mb-de2",
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    plugins = tmp_path / "PySide6" / "Qt" / "plugins" / "platforms"
    plugins.mkdir(parents=True)
    for name in ("libqxcb.so", "libqvnc.so", "libqwayland.so", "libqoffscreen.so"):
        (plugins / name).touch()
    leave_out(tmp_path, **description()["leave_out"])
    left = {path.relative_to(tmp_path).as_posix().split("/", 2)[2] for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"da_dict", "en_dict", "phondata", "lang/gmq/da", "lang/gmw/en"} | {
        f"plugins/platforms/{name}" for name in ("libqxcb.so", "libqwayland.so", "libqoffscreen.so")
    }
