"""The documents: what they show still holds. Transcripts are read with the wire's own types, commands by the program's parser."""

from __future__ import annotations

import argparse
import functools
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from softphone import cli
from softphone.domain.purpose import Language
from softphone.system.settings import FILE, load_settings
from softphone.system.settings_schema import ACCOUNT_SCHEMA, SETTINGS
from softphone.texts import Texts
from softphone.wire.codec import PROTOCOL, decode_from_engine, decode_to_engine, encode

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
)
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]


@functools.cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def transcript(side: str) -> list[str]:
    """One side's lines of docs/wire.md that are not shortened."""
    lines = re.findall(rf"(?m)^    {re.escape(side)} (\{{.*\}})$", text("docs/wire.md"))
    return [line for line in lines if "…" not in line]


def test_the_transcripts_lines_are_messages_of_the_engine() -> None:
    told = transcript("<")
    assert len(told) > 30
    for line in told:
        assert encode(decode_from_engine(line.encode())).decode().rstrip() == line


def test_the_transcripts_commands_are_messages_to_the_engine() -> None:
    said = [line for line in transcript(">") if line != '{"type": "answer"}']
    shown = {"answer", "opt_out", "hang_up", "end_wrap_up", "reopen", "quit"}
    assert {decode_to_engine(line.encode()).type for line in said} == shown


def test_the_wires_page_lists_every_command_there_is() -> None:
    from softphone.wire import codec

    table = text("docs/wire.md").partition("## Commands")[2]
    commands = {one.__dataclass_fields__["type"].default for one in codec._TO_ENGINE} - {"attach", "ping"}
    assert sorted(name for name in commands if f"`{name}`" not in table) == []
    assert f"`hello.protocol` is {PROTOCOL}." in text("docs/wire.md")


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_something_that_is_there(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text(name)) if "://" not in link]
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


def anchors(name: str) -> set[str]:
    """A page's headings, as a link names them."""
    heads = re.findall(r"(?m)^#+ (.+)$", text(name))
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_to_a_heading_finds_it(name: str) -> None:
    missing = []
    for page, anchor in re.findall(r"\]\(([^)#\s:]*\.md|)#([^)\s]+)\)", text(name)):
        target = ((ROOT / name).parent / page).resolve() if page else ROOT / name
        if anchor not in anchors(target.relative_to(ROOT).as_posix()):
            missing.append(f"{page}#{anchor}")
    assert missing == []


WRITTEN = ("CHANGELOG.md", "docs/rules.md", "docs/notices.md", "docs/performance.md")
PAGES = [name for name in NAMES if name not in WRITTEN and not name.endswith("it/fault-codes.md")]
"""without those that a program writes, and the one of a line an entry"""


@pytest.mark.parametrize("name", PAGES)
def test_no_line_of_prose_is_longer_than_an_editor_shows_and_no_table_wider(name: str) -> None:
    lines = text(name).splitlines()
    assert [
        line for line in lines if len(line) > 120 and not (line.startswith("    ") or line.lstrip().startswith("|"))
    ] == []
    assert [line for line in lines if line.lstrip().startswith("|") and line.count("|") > 6] == []


def sentences(name: str) -> list[str]:
    """A page's sentences: of paragraphs, of lists' items and of tables' cells, without code."""
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.)\s)", text(name))
    prose = [one for one in blocks if not all(line.startswith("    ") for line in one.splitlines())]
    cells = [cell for one in prose for cell in (one.split(" | ") if one.lstrip().startswith("|") else [one])]
    plain = [re.sub(r"`[^`]*`", "x", re.sub(r"\]\([^)]*\)", "]", " ".join(one.split()))) for one in cells]
    return [one for cell in plain for one in re.split(r"(?<=[.!?])[”*)]*\s+(?=[“*(\[]*[A-Z0-9x–])", cell)]


@pytest.mark.parametrize("name", PAGES)
def test_no_sentence_has_more_than_thirty_words(name: str) -> None:
    long = [one for one in sentences(name) if len(re.findall(r"[\w][\w'’.,/-]*", one)) > 30]
    assert long == []


@pytest.mark.parametrize("name", NAMES)
def test_every_file_of_ours_that_is_named_is_there(name: str) -> None:
    named = re.findall(r"`((?:softphone|plugins|resources|tests|docs|\.ci)/[\w./-]+)`", text(name))
    assert [path for path in named if not (ROOT / path).exists() and path != "softphone/_data"] == []


@functools.cache
def parser() -> argparse.ArgumentParser:
    return cli.build_parser(Texts(ROOT / "resources" / "translations", Language.EN))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "docs/container.md"])
def test_every_klartone_command_that_is_shown_is_one(name: str) -> None:
    """docs/container.md has no command: its `klartone …` is a label of the key wrapping."""
    whole = re.findall(r"(?m)^ {4,}(?:\$ )?(klartone .*)$", text(name))
    named = [one for one in re.findall(r"`(klartone [^`]*)`", text(name)) if "…" not in one and "|" not in one]
    for line in (*whole, *named):
        words = shlex.split(re.split(r"\s{2,}|\s#", line)[0].replace("[", "").replace("]", ""))[1:]
        # A command that is only named may lack its arguments: its help is there if it is a command.
        words += ["--help"] if line in named and "--help" not in words else []
        try:
            parser().parse_args(words)
        except SystemExit as error:
            if error.code:
                pytest.fail(line)


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_that_is_named_is_one(name: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", text("Makefile")))
    named = set(re.findall(r"`make ([a-z-]+)`", text(name)) + re.findall(r"(?m)^    make ([a-z-]+)", text(name)))
    assert sorted(named - targets) == []


def test_the_settings_shown_to_it_can_be_loaded(tmp_path: Path) -> None:
    shown = re.search(r"(?ms)^ {8}policy = .*?(?=^\s*\n   \S)", text("docs/it/install.md"))
    assert shown
    lines = "\n".join(line.strip() for line in shown[0].splitlines())
    assert tomllib.loads(lines)["accounts"]
    (tmp_path / FILE).write_text(lines, encoding="utf-8")
    assert load_settings(tmp_path).accounts[0].address == "+4570102030@pbx.example"


def test_the_danish_words_told_to_agents_are_those_of_the_window() -> None:
    told = set(re.findall(r"\(\*([^*]+)\*\)", text("docs/agents.md")))
    told |= set(re.findall(r"\| [^|]* · \*([^*]+)\* \|", text("docs/agents.md")))
    catalog = "".join(
        text(f"resources/translations/da/{name}.po") for name in ("desk", "house", "phone", "review", "shipping")
    )
    said = [
        one.replace("{Party}", "Kunden").replace("{party}", "kunden")
        for one in re.findall(r'(?m)^msgstr(?:\[\d\])? "(.+)"$', catalog)
    ]
    # `…` stands for what differs from call to call, and for the rest of a long sentence.
    patterns = {one: ".+".join(map(re.escape, one.split("…"))) for one in told}
    assert len(told) > 12
    assert sorted(one for one, pattern in patterns.items() if not any(re.fullmatch(pattern, it) for it in said)) == []


def test_the_danish_words_told_to_team_leads_are_those_of_the_review() -> None:
    told = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text("docs/leads.md")))
    said = re.findall(r'(?m)^msgstr "(.+)"$', text("resources/translations/da/review.po"))
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(one)) for one in said]
    assert len(told) > 12
    assert sorted(one for one in told if not any(re.fullmatch(pattern, one) for pattern in patterns)) == []


def test_every_key_of_the_review_is_told_to_team_leads() -> None:
    """As the window names it, but for what an English keyboard calls it."""
    catalog = text("resources/translations/en/review.po")
    keys = re.findall(r'msgid "review\.keys\.\w+"\nmsgstr "(.+)"', catalog)
    table = text("docs/leads.md").partition("| key |")[2].partition("\n\n")[0].replace("–", " – ")
    assert len(keys) > 12
    assert [one for one in keys if one not in table and one not in "↑ ↓"] == []


DANISH = [name for name in NAMES if name.startswith("docs/da/")]


def english(name: str) -> str:
    return name.replace("docs/da/", "docs/", 1)


def test_each_page_for_it_is_there_in_danish_and_the_two_lead_to_each_other() -> None:
    for_it = [name for name in NAMES if name.startswith("docs/it/")] + [
        "docs/it.md",
        "docs/settings.md",
    ]
    assert [name for name in for_it if name.replace("docs/", "docs/da/", 1) not in DANISH] == []
    for name in DANISH:
        heads = text(name).split("\n")[2], text(english(name)).split("\n")[2]
        leads = [re.fullmatch(r"\[(\w+)\]\((.+)\)", one) for one in heads]
        pages = [ROOT / name, ROOT / english(name)]
        found = [(one[1], (page.parent / one[2]).resolve()) for one, page in zip(leads, pages, strict=True) if one]
        assert found == [("English", pages[1]), ("Dansk", pages[0])], name


def shape(name: str) -> dict[str, object]:
    """What a translation must not change: levels of headings, rows of tables, blocks of code, and what stands in code."""
    whole = text(name)
    prose = re.sub(r"(?m)^ {4,}.*$", "", whole)
    return {
        "headings": re.findall(r"(?m)^(#+) ", whole),
        "rows": [len(table.strip().splitlines()) for table in re.findall(r"(?m)((?:^ *\|.*\n)+)", whole)],
        "blocks": [line.partition("  #")[0].rstrip() for line in whole.splitlines() if line.startswith("    ")],
        "code": sorted({" ".join(one.split()) for one in re.findall(r"`([^`]+)`", prose)}),
    }


@pytest.mark.parametrize("name", DANISH)
def test_a_danish_page_has_all_that_the_english_one_has(name: str) -> None:
    assert shape(name) == shape(english(name))


@pytest.mark.parametrize("name", DANISH)
def test_the_words_of_the_window_in_a_danish_page_are_those_that_it_shows(name: str) -> None:
    """In italics; what other programs show stands in quotation marks. `…` is what differs, and the rest of a sentence."""
    prose = re.sub(r"`[^`]*`", "", re.sub(r"(?m)^ {4,}.*$", "", text(name)))
    told = {" ".join(one.split()) for one in re.findall(r"(?<!\*)\*([^*\s][^*]*)\*(?!\*)", prose)}
    patterns = {one: ".*".join(re.escape(part.strip()) for part in one.split("…")) for one in told}
    assert sorted(one for one, pattern in patterns.items() if not any(re.match(pattern, it) for it in danish())) == []


@functools.cache
def danish() -> list[str]:
    catalogs = [path.read_text(encoding="utf-8") for path in (ROOT / "resources/translations/da").glob("*.po")]
    return [one for catalog in catalogs for one in re.findall(r'(?m)^msgstr(?:\[\d\])? "(.+)"$', catalog)]


def test_each_setting_that_is_named_to_it_is_one() -> None:
    keys = {*SETTINGS, *(one.key for one in ACCOUNT_SCHEMA)}
    for name in [one for one in NAMES if one.startswith(("docs/it", "docs/settings"))]:
        blocks = [line.strip() for line in text(name).splitlines() if line.startswith("    ")]
        named = {one[1] for line in blocks if (one := re.match(r"([a-z_]+) = [\"\[\d]", line))}
        named |= {*re.findall(r"settings (?:show|set) ([a-z_]+)", text(name))}
        table = re.search(r"(?m)^ *\| setting \|.*\n(?: *\|.*\n)+", text(name))
        named |= {*re.findall(r"(?m)^ *\| `(\w+)` \|", table[0] if table else "")}
        assert sorted(named - keys) == [], name


def test_each_decision_has_a_number_of_its_own_and_says_what_it_costs() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:3]) for path in decisions]
    assert len({*numbers}) == len(numbers)
    for path in decisions:
        told = path.read_text(encoding="utf-8")
        assert told.startswith(f"# {path.name[:3]} ")
        title, _, rest = told.partition("\n\n")
        assert rest.startswith("**Decision.**"), title
        assert [part for part in ("**Why.**", "**Cost.**") if part not in told] == []


def test_the_readme_begins_its_set_up_with_what_a_bare_machine_lacks() -> None:
    setup = text("README.md").partition("## Set up")[2]
    assert re.findall(r"(?m)^ {4}(\S.*)$", setup)[0] == "apt-get install -y make git"
