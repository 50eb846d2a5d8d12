"""What the packages say of the program, and a link that opens it. What they do on a bare system is `make deb-check`'s."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import unescape

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


def configured(home: Path, build: str, path: str = os.environ["PATH"]) -> int:
    """What dpkg runs once the files of `build` are in `home`: its status."""
    return run_script(home, "postinst", "configure", build=build, path=path)


def run_script(home: Path, script: str, what: str, build: str = "", path: str = os.environ["PATH"]) -> int:
    text = (INSTALLER / "linux" / "scripts" / script).read_text(encoding="utf-8")
    lines = text.replace("@BUILD@", build).replace("home=/opt/klartone\n", f"home={home}\n")
    assert f"home={home}\n" in lines
    told = ["sh", "-c", lines, script, what]
    return subprocess.run(told, env={"PATH": path}, check=False, timeout=60).returncode


def builds(home: Path) -> set[str]:
    return {one.name for one in (home / "run").iterdir()}


def test_an_update_that_broke_off_before_its_link_was_moved_is_configured_again(tmp_path: Path) -> None:
    home, broken = tmp_path / "klartone", tmp_path / "bin"
    (home / "app").mkdir(parents=True)
    (home / "app" / "klartone").write_text("first")
    broken.mkdir()
    mv = broken / "mv"
    mv.write_text(f'#!/bin/sh\n[ "$1" = -T ] && kill -9 $PPID && exit\nexec {shutil.which("mv")} "$@"\n')
    mv.chmod(0o755)
    assert configured(home, "one") == 0
    assert configured(home, "two", f"{broken}:{os.environ['PATH']}") == -signal.SIGKILL
    assert (home / "current" / "klartone").read_text() == "first"  # the build before still starts
    shutil.rmtree(home / "app")
    (home / "app").mkdir()
    (home / "app" / "klartone").write_text("third")
    assert configured(home, "three") == 0
    assert (home / "current" / "klartone").read_text() == "third"
    assert {one.name for one in home.iterdir()} == {"app", "current", "run"}
    assert builds(home) == {"three"}


def test_a_build_stays_in_update_and_removal_as_long_as_something_runs_from_it(tmp_path: Path) -> None:
    home = tmp_path / "klartone"
    (home / "app").mkdir(parents=True)
    shutil.copy(str(shutil.which("sleep")), home / "app" / "klartone")
    assert configured(home, "one") == 0
    phone = subprocess.Popen([home / "current" / "klartone", "600"])
    try:
        assert configured(home, "two") == 0
        assert builds(home) == {"one", "two"}
        assert (home / "current").readlink() == Path("run/two")
        shutil.rmtree(home / "app")  # as dpkg does
        assert run_script(home, "postrm", "remove") == 0
        assert [one.name for one in home.iterdir()] == ["run"]
        assert builds(home) == {"one"}
        shutil.copytree(home / "run" / "one", home / "app")
        assert configured(home, "three") == 0
        assert builds(home) == {"one", "three"}
    finally:
        phone.kill()
        phone.wait()
    assert configured(home, "four") == 0
    assert builds(home) == {"four"}
    shutil.rmtree(home / "app")
    assert run_script(home, "postrm", "remove") == 0
    assert not home.exists()


def test_a_link_is_no_option_whatever_it_holds_in_the_desktop_entry_and_in_windows_registry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from description import description
    from linux.desktop import desktop_entry

    told, parser = description(), build_parser(texts(Language.EN))
    (line,) = re.findall(r"(?m)^Exec=(.*)$", desktop_entry(told))
    wxs = (INSTALLER / "windows" / "klartone.wxs").read_text(encoding="utf-8")
    (command,) = re.findall(r'shell\\open\\command" Type="string"\s+Value="([^"]*)"', wxs)

    def linux(link: str | None) -> list[str]:
        """A desktop puts the link in as one word, and no word where there is none."""
        return [link if word == "%u" else word for word in shlex.split(line) if (word, link) != ("%u", None)][1:]  # type: ignore[misc]

    def windows(link: str) -> list[str]:
        """Windows puts the link into the line, which the program then splits."""
        return shlex.split(unescape(command, {"&quot;": '"'}).replace("%1", link))[1:]

    for words in (linux("tel:+4512345678"), windows("tel:+4512345678")):
        assert vars(parser.parse_args(words))["link"] == "tel:+4512345678"
    assert parser.parse_args(linux(None)).link is None  # from the menu
    sly = parser.parse_args(linux("--home=//evil/share"))
    assert (sly.link, sly.home) == ("--home=//evil/share", None)
    for link in ('tel:1" --home "//evil/share', '" --home="//evil/share', 'tel:1" "--home=//evil/share'):
        with pytest.raises(SystemExit) as refused:
            parser.parse_args(windows(link))
        assert refused.value.code == 2
    capsys.readouterr()


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
