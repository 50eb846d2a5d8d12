"""The sentences: both languages say the same things, everything the program can say has one, and none is left over.

What the program says is read from its source: literal codes, and f-strings as patterns. How a sentence looks on the desk is
tests/ui's.
"""

from __future__ import annotations

import argparse
import ast
import locale
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date, format_time
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from softphone import bootstrap, cli
from softphone.domain.purpose import Basis, Direction, Headline, Language, Purpose, Reason
from softphone.domain.status import Action, DisputeKind, HoldPhase, OptOutKind
from softphone.texts import Texts

ROOT = Path(__file__).resolve().parent.parent
HOLE = r"\.?[a-zA-Z0-9_]*"
FOLDER = ROOT / "resources" / "translations"
CATALOGS = sorted(path.stem for path in (FOLDER / "en").glob("*.po"))
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-zA-Z0-9_]+)+")
PARTY = {"party", "Party"}
ARGPARSE = {
    Language.DA: ("brug: ", "valg:", "angives i denne rækkefølge:"),
    Language.EN: ("usage: ", "options:", "positional arguments:"),
}
FAULT = re.compile(r"(error|refused|fault)(\.[a-z0-9_]+)+")


@cache
def catalog(language: str, name: str) -> dict[str, str]:
    with (FOLDER / language / f"{name}.po").open("rb") as file:
        read = read_po(file, abort_invalid=True)
    return {code: text for one in read if one.id for code, text in both_forms(one)}


def both_forms(one: Message) -> list[tuple[str, str]]:
    """A message's code and sentence; of one with a plural that, and its singular under `<code>[1]`."""
    if isinstance(one.id, str):
        return [(one.id, str(one.string))]
    assert isinstance(one.string, tuple)
    code, singular, plural = one.id[0], *one.string
    return [(code, plural), (f"{code}[1]", singular)]


@cache
def sentences(language: str) -> dict[str, str]:
    return {code: text for name in CATALOGS for code, text in catalog(language, name).items()}


def fields(sentence: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None}


# --- what the source says -------------------------------------------------------------------------


@dataclass(frozen=True)
class Saying:
    """A code given its parameters on the spot. `whole`: all of them stand there by name."""

    where: str
    code: str
    params: frozenset[str]
    whole: bool


@cache
def nodes() -> tuple[tuple[Path, ast.Call | ast.Constant | ast.JoinedStr], ...]:
    """All that the source says or calls."""
    return tuple(
        (path, node)
        for folder in ("softphone", "plugins")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call | ast.Constant | ast.JoinedStr)
    )


@cache
def literals() -> frozenset[str]:
    return frozenset(
        node.value for _, node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """Each f-string that could be a code, its holes as wildcards."""
    found: set[str] = set()
    for _, node in nodes():
        if isinstance(node, ast.JoinedStr):
            parts = [
                re.escape(part.value) if isinstance(part, ast.Constant) and isinstance(part.value, str) else HOLE
                for part in node.values
            ]
            text = "".join(parts)
            if re.fullmatch(r"(?:[a-z0-9_]|\\\.|\\\.\?\[a-zA-Z0-9_\]\*)*", text) and "\\." in text:
                found.add(text)
    return tuple(re.compile(text) for text in sorted(found))


@cache
def sayings() -> tuple[Saying, ...]:
    """Calls with a literal code first: `KlartoneError("error.x", path=…)`, `texts("card.y")`, `CodedText("z", {…})`."""
    found: list[Saying] = []
    for path, node in nodes():
        if not (isinstance(node, ast.Call) and node.args):
            continue
        first = node.args[0]
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.fullmatch(first.value)):
            continue
        names = {keyword.arg for keyword in node.keywords if keyword.arg}
        whole = all(keyword.arg for keyword in node.keywords)
        for extra in node.args[1:]:
            if isinstance(extra, ast.Dict) and all(isinstance(key, ast.Constant) for key in extra.keys):
                names |= {str(key.value) for key in extra.keys if isinstance(key, ast.Constant)}
            else:
                whole = False
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        found.append(Saying(where, first.value, frozenset(names), whole))
    return tuple(found)


# --- both languages -------------------------------------------------------------------------------


def test_each_catalog_is_there_in_both_languages() -> None:
    assert CATALOGS
    assert sorted(path.stem for path in (FOLDER / "da").glob("*.po")) == CATALOGS


@pytest.mark.parametrize("name", CATALOGS)
def test_both_languages_of_a_catalog_hold_the_same_codes(name: str) -> None:
    assert set(catalog("da", name)) == set(catalog("en", name))


@pytest.mark.parametrize("name", CATALOGS)
def test_no_sentence_is_empty_and_both_languages_take_the_same_parameters(name: str) -> None:
    danish, english = catalog("da", name), catalog("en", name)
    assert [code for code, text in (*danish.items(), *english.items()) if not text.strip()] == []
    # Who the party is (*kunden*, *the caller*) is known to every sentence of the desk, and a language may need it elsewhere.
    both = {
        code: (fields(danish[code]) - PARTY, fields(english[code]) - PARTY) for code in danish.keys() & english.keys()
    }
    assert {code: (ours, theirs) for code, (ours, theirs) in both.items() if ours != theirs} == {}


@pytest.mark.parametrize("language", list(Language))
def test_no_code_stands_in_two_catalogs(language: Language) -> None:
    seen: dict[str, str] = {}
    twice: list[tuple[str, str, str]] = []
    for name in CATALOGS:
        for code in catalog(language, name):
            if code in seen:
                twice.append((code, seen[code], name))
            seen[code] = name
    assert twice == []


@pytest.mark.parametrize(
    ("language", "one", "many"), [("da", "1 optagelse", "optagelser"), ("en", "1 recording", "recordings")]
)
def test_singular_and_plural_are_one_message_and_the_number_chooses(language: Language, one: str, many: str) -> None:
    known = sentences(language)
    assert [code for code in known if code.endswith(".one") and code.removesuffix(".one") in known] == []
    say = Texts(FOLDER, Language(language))
    assert [say("verify.recordings", count=count) for count in (0, 1, 2, 21)] == [
        f"0 {many}",
        one,
        f"2 {many}",
        f"21 {many}",
    ]
    # An error's code may come without its first word, and a wrong number is no reason for no sentence.
    code = next(one for one in known if one.startswith("error.") and f"{one}[1]" in known)
    assert say(code, count=1) == say(code.removeprefix("error."), count=1) != say(code, count=2)
    assert say(code, count="2").startswith("2 ")


@pytest.mark.parametrize(("language", "locale"), [(Language.DA, "da_DK"), (Language.EN, "en_GB")])
def test_days_times_and_decimals_are_written_as_the_unicode_locale_data_have_them(
    language: Language, locale: str
) -> None:
    say = Texts(FOLDER, language, "Europe/Copenhagen")
    for count in range(366):
        day = date(2028, 1, 1) + timedelta(count)
        assert say.day(day) == format_date(day, "medium", locale=locale)
    for at in (datetime(2028, 2, 1, 0, 5, tzinfo=UTC), datetime(2028, 7, 1, 13, 30, tzinfo=UTC)):
        assert say.clock(at) == format_time(at, "short", tzinfo=ZoneInfo("Europe/Copenhagen"), locale=locale)
    for number in (0.04, -20.5, 2.0, 0.75):
        assert say.decimal(number) == format_decimal(round(number, 1), "0.0", locale=locale)


def test_the_danish_word_is_uddannelse_and_never_traening() -> None:
    told = [
        *(FOLDER / "da").glob("*.po"),
        *ROOT.glob("plugins/*/texts/da.toml"),
        *ROOT.glob("resources/policies/*.toml"),
    ]
    assert len(told) > len(CATALOGS)
    assert [path.name for path in told if re.search(r"træning", path.read_text(encoding="utf-8"), re.IGNORECASE)] == []


# --- the program and its sentences ------------------------------------------------------------------


def test_every_fault_and_refusal_in_the_source_has_a_sentence() -> None:
    named = {code for code in literals() if FAULT.fullmatch(code)}
    assert len(named) > 30
    assert sorted(named - sentences("en").keys()) == []


def test_every_code_said_with_its_parameters_has_all_that_its_sentence_wants() -> None:
    """A parameter that is missing would raise before a person instead of telling them."""
    known = sentences("en")
    wanted = {code: fields(text) | fields(known.get(f"{code}[1]", "")) for code, text in known.items()}
    lacking = {
        f"{one.where} {one.code}": sorted(wanted[one.code] - one.params)
        for one in sayings()
        if one.whole and one.code in known and not wanted[one.code] <= one.params
    }
    # A card's own words are said with the call's parameters, a line's with who its party is: each by a `say` of its own.
    own = ("softphone/ui/words/", "softphone/cli/policy/telling.py", "softphone/cli/policy/explain.py")
    assert {where: names for where, names in lacking.items() if not where.startswith(own)} == {}


def test_every_f_string_that_makes_a_code_makes_one_that_exists() -> None:
    begins = {code.partition(".")[0] for code in sentences("en")}
    made = [one for one in patterns() if re.match(r"[a-z_]+(?=\\\.)", one.pattern)]
    made = [one for one in made if one.pattern.partition("\\.")[0] in begins]
    assert made
    assert [one.pattern for one in made if not any(one.fullmatch(code) for code in sentences("en"))] == []


def test_every_reason_headline_button_and_hold_of_a_call_can_be_said() -> None:
    wanted = {f"reason.{reason}.sub" for reason in Reason}
    wanted |= {f"card.title.{headline}" for headline in Headline}
    wanted |= {f"opt_out.{kind}" for kind in OptOutKind} | {f"dispute.{kind}" for kind in DisputeKind}
    wanted |= {f"opt_out.{kind}.sub" for kind in OptOutKind if kind is not OptOutKind.NONE}
    wanted |= {f"dispute.{kind}.sub" for kind in DisputeKind if kind is not DisputeKind.NONE}
    wanted |= {f"lock.{phase}" for phase in HoldPhase if phase is not HoldPhase.VOID}
    wanted |= {f"purpose.{purpose}" for purpose in Purpose} | {f"direction.{way}" for way in Direction}
    assert sorted(wanted - sentences("en").keys()) == []


def names_in(path: str, function: str) -> set[str]:
    """Every string that stands in a function of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return {
                one.value
                for statement in node.body[1:] or node.body
                for one in ast.walk(statement)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    raise LookupError(function)


def test_every_action_the_session_offers_has_words_for_its_button() -> None:
    known = sentences("en")
    # Pausing is a tool with a place of its own; yes and no are one control of two halves.
    silent = {name for name in Action if f"action.{name}" not in known and f"press.{name}" not in known}
    assert silent <= {"pause_sensitive", "said_yes", "said_no"}


def test_every_reason_why_a_button_is_off_has_its_own_words() -> None:
    told: set[str] = set()
    for function in ("_why_no_opt_out", "_why_no_opt_out_or_kept"):
        told |= names_in("softphone/domain/session/describing.py", function)
    told |= {"locking", "already_locked"}
    assert sorted(f"why_not.{one}" for one in told if f"why_not.{one}" not in sentences("en")) == []


def test_every_entry_of_the_audit_log_has_words_for_it() -> None:
    told = {
        node.args[0].value
        for _, node in nodes()
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if isinstance(node.func, ast.Name | ast.Attribute)
        if re.fullmatch(
            r"\w*(AuditEntry|note|_entry)", node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        )
    }
    events = {str(one) for one in told if re.fullmatch(r"[a-z]+(_[a-z]+)+", str(one))}
    assert {"policy_taken_up", "hold_placed", "judged_kept"} <= events
    assert sorted(event for event in events if f"audit.{event}" not in sentences("en")) == []


def test_every_basis_has_the_words_why_it_is_recorded() -> None:
    """`ui.words` says the line's own assessment where there is one, and one of these where there is none."""
    known = sentences("en")
    assert {"why.consent", "why.training_sample", "why.line"} <= known.keys()
    assert any(f"why.{reason}" in known for reason in (Reason.OBLIGATION, Reason.PUBLIC_TASK))
    assert len(Basis) == 4


def help_texts(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield parser.description or ""
    for action in parser._actions:
        yield action.help or ""
        if isinstance(action, argparse._SubParsersAction):
            yield from (one.help or "" for one in action._choices_actions)
            for under in action.choices.values():
                yield from help_texts(under)


@pytest.mark.parametrize("language", list(Language))
def test_every_command_and_option_has_its_help_in_words(language: Language) -> None:
    told = set(help_texts(cli.build_parser(Texts(FOLDER, language))))
    assert len(told) > 30
    assert sorted(text for text in told if CODE.fullmatch(text)) == []


def helps(parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    """Of each command: its whole help, and what in it must differ from one language to the other."""
    heads = [group.title or "" for group in parser._action_groups if group._group_actions]
    yield parser.format_help(), [*heads, parser.description or "", *(one.help or "" for one in parser._actions)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for under in action.choices.values():
                yield from helps(under)


@pytest.mark.parametrize(
    ("system", "language"),
    [
        ({"LANG": "da_DK.UTF-8"}, Language.DA),
        ({"LANG": "C.UTF-8", "LANGUAGE": "da"}, Language.EN),
        ({"LC_ALL": "C", "LANG": "da_DK.UTF-8", "LANGUAGE": "da"}, Language.EN),
        ({"LANG": "da_DK.UTF-8", "LANGUAGE": "en:da"}, Language.EN),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "da:en"}, Language.DA),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:da"}, Language.DA),
        ({"LC_MESSAGES": "da_DK.UTF-8", "LANG": "en_GB.UTF-8"}, Language.DA),
        ({"windows": "Danish_Denmark"}, Language.DA),
        ({"windows": "English_United States"}, Language.EN),
    ],
    ids=str,
)
def test_the_help_of_every_command_is_in_one_language(
    monkeypatch: pytest.MonkeyPatch, system: dict[str, str], language: Language
) -> None:
    def spoken() -> list[tuple[str, list[str]]]:
        bootstrap.speak_command_line()
        return list(helps(cli.build_parser(bootstrap.texts())))

    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    other = Language.EN if language is Language.DA else Language.DA
    with monkeypatch.context() as patch:
        patch.setenv("LC_ALL", f"{other}.UTF-8")
        others = spoken()
    if "windows" in system:
        monkeypatch.setattr(locale, "getlocale", lambda: (system["windows"], "1252"))
    else:
        for name, value in system.items():
            monkeypatch.setenv(name, value)
    told = spoken()

    assert len(told) == len(others) > 60
    assert bootstrap.texts().language is language
    foreign = {text for _, parts in others for text in parts if text} - {argparse.SUPPRESS} | {*ARGPARSE[other]}
    for text, parts in told:
        assert text.startswith(ARGPARSE[language][0])
        assert not foreign & {*parts, *(line.strip() for line in text.splitlines())}, text


def test_no_sentence_is_left_that_nobody_says() -> None:
    known = sentences("en")
    said = literals()
    whole = [one for one in patterns() if not one.pattern.startswith(HOLE)]
    # f"{code}.at": what hangs on a code that is said itself
    hanging = [one.pattern.removeprefix(HOLE) for one in patterns() if one.pattern.startswith(HOLE)]
    forms = [re.compile(form[2:]) for form in hanging if form.startswith("\\.") and not form.startswith(HOLE)]

    def is_said(code: str) -> bool:
        if code in said or any(one.fullmatch(code) for one in whole):
            return True
        base, _, form = code.rpartition(".")
        return bool(base) and any(one.fullmatch(form) for one in forms) and is_said(base)

    assert sorted(code for code in known if not is_said(code.removesuffix("[1]"))) == []
