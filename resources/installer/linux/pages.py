"""The man page and the shell's completion, from the command line's own parser: no command can be missing in them.

Commands that only the program starts have no help of their own, and are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from softphone.texts import Texts

HEADINGS = {
    "da": ("NAVN", "BRUG", "BESKRIVELSE", "TILVALG", "KOMMANDOER", "FILER"),
    "en": ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "FILES"),
}
FILES = {
    "da": [
        ("/etc/klartone/settings.toml", "Indstillinger for alle brugere af computeren."),
        ("~/.config/klartone/settings.toml", "Brugerens egne indstillinger."),
        ("~/.local/share/klartone/archive", "Optagelserne. De bliver, også når pakken fjernes."),
    ],
    "en": [
        ("/etc/klartone/settings.toml", "Settings for all users of this machine."),
        ("~/.config/klartone/settings.toml", "The user's own settings."),
        ("~/.local/share/klartone/archive", "The recordings. They stay when the package is removed."),
    ],
}
Word = tuple[str, ...]


def commands(parser: argparse.ArgumentParser, words: Word = ()) -> Iterator[tuple[Word, argparse.ArgumentParser, str]]:
    """Each command with its words, its parser and its help, in order."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for told in action._choices_actions:
                one = action.choices[told.dest]
                yield (*words, told.dest), one, told.help or ""
                yield from commands(one, (*words, told.dest))


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What a person may give, `--help` aside."""
    return [
        one
        for one in parser._actions
        if one.option_strings and one.help is not argparse.SUPPRESS and one.dest != "help"
    ]


def man_page(parser: argparse.ArgumentParser, texts: Texts, version: str, summary: str, made_at: int) -> str:
    language = str(texts.language)
    name, synopsis, about, rest, under, files = HEADINGS[language]
    day = datetime.fromtimestamp(made_at, UTC).date().isoformat()
    lines = [f'.TH KLARTONE 1 "{day}" "Klartone {version}"', f".SH {name}", f"klartone \\- {_roff(summary)}"]
    lines += [
        f".SH {synopsis}",
        ".B klartone",
        "[--home DIR] [--version]",
        f"[{'KOMMANDO' if language == 'da' else 'COMMAND'} …]",
    ]
    lines += [
        f".SH {about}",
        _roff(parser.description or ""),
        f".SH {rest}",
        *_told(options(parser), parser),
        f".SH {under}",
    ]
    for words, one, told in commands(parser):
        places = " ".join(_usage(action) for action in one._actions if not action.option_strings and _usage(action))
        lines += [
            ".TP",
            f".B klartone {_roff(' '.join(words))}",
            *([_roff(places)] if places else []),
            ".br",
            _roff(told),
        ]
        inside = _told(options(one), one)
        if inside:
            lines += [".RS", *inside, ".RE"]
    lines += [f".SH {files}"]
    for path, told in FILES[language]:
        lines += [".TP", f".I {_roff(path)}", _roff(told)]
    return "\n".join(lines) + "\n"


def _told(actions: list[argparse.Action], parser: argparse.ArgumentParser) -> list[str]:
    lines: list[str] = []
    for one in actions:
        value = f" {_usage(one)}" if one.nargs != 0 else ""
        told = parser._get_formatter()._expand_help(one) if one.help else ""
        lines += [".TP", f".B {_roff(', '.join(one.option_strings) + value)}", _roff(told)]
    return lines


def _usage(action: argparse.Action) -> str:
    if isinstance(action, argparse._SubParsersAction):
        return ""
    if action.choices is not None and action.metavar is None:
        return "|".join(str(one) for one in action.choices)
    return str(action.metavar or action.dest.upper())


def _roff(text: str) -> str:
    kept = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{kept}" if kept[:1] in {".", "'"} else kept


def completion(parser: argparse.ArgumentParser) -> str:
    """For bash: after each command its own commands, choices and options; else files."""
    lines = [
        "# Completion of klartone's commands for bash. Made from its command line.",
        "_klartone() {",
        '    local word=${COMP_WORDS[COMP_CWORD]} path="" one follow=""',
        '    for one in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        '        case $one in -*) ;; *) path="${path:+$path }$one" ;; esac',
        "    done",
        "    while :; do",
        "        case $path in",
    ]
    for words, one in [((), parser), *((words, one) for words, one, _ in commands(parser))]:
        follow = list(_follow(one))
        lines.append(f'        "{" ".join(words)}") follow="{" ".join(follow)}" ;;')
    lines += [
        '        *" "*) path=${path% *}; continue ;;',
        "        *) return ;;",
        "        esac",
        "        break",
        "    done",
        '    mapfile -t COMPREPLY < <(compgen -W "$follow" -- "$word")',
        "}",
        "complete -o default -F _klartone klartone",
    ]
    return "\n".join(lines) + "\n"


def _follow(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from (told.dest for told in action._choices_actions)
        elif not action.option_strings and action.choices is not None:
            yield from map(str, action.choices)
    yield from (option for one in options(parser) for option in one.option_strings if option.startswith("--"))
    yield "--help"
