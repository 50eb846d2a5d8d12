"""The command line: one function each of `bootstrap` (or of `demo`, for a whole call on this machine) and no more.

A fault for a person ends with its sentence on stderr and status 1; a wrong command line with status 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from traceback import walk_tb

from softphone import __version__, bootstrap
from softphone.cli.registered.archive import add_archive
from softphone.cli.registered.cases import add_cases
from softphone.cli.registered.holds import add_holds
from softphone.cli.registered.keys import add_keys
from softphone.cli.registered.policy import add_policy
from softphone.cli.registered.program import DESK, add_program
from softphone.cli.registered.settings import add_settings
from softphone.cli.registered.team import add_team
from softphone.cli.registering import Command, Commands, Formatter, Parser
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.processes import leave_no_core
from softphone.system.output import speak_anyway
from softphone.texts import Texts, plain

Run = Callable[[argparse.Namespace], int]
_GROUPS: Mapping[str, Callable[[Commands], None]] = {
    "keys": add_keys,
    "policy": add_policy,
    "archive": add_archive,
    "holds": add_holds,
    "cases": add_cases,
    "settings": add_settings,
    "account": add_settings,
    "team": add_team,
}
_ALL = tuple(dict.fromkeys([add_program, *_GROUPS.values()]))
_WITHOUT_KEYS = (None, "desk", "demo")
"""commands whose own process holds no key of an archive. A window's process must stay open to its desktop's questions"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status is returned. Never a traceback at a person."""
    speak_anyway()
    try:
        try:
            return _run(argv)
        finally:
            if sys.stdout:
                sys.stdout.flush()  # a refusal can still be shown here
    except KeyboardInterrupt as stopped:
        if _was_asked(stopped):
            print(f"\n{bootstrap.texts()('cli.interrupted')}", file=sys.stderr)  # noqa: T201
        return 130
    except OSError as error:
        if not _output_refuses():
            raise
        if isinstance(error, BrokenPipeError):
            return 0
        refusal = KlartoneError("error.output", detail=error.strerror or str(error))
        print(bootstrap.texts().error(refusal), file=sys.stderr)  # noqa: T201
        return 1


def _was_asked(stopped: KeyboardInterrupt) -> bool:
    """Whether a person was at a question: a command writes nothing before its last one."""
    within = [frame for frame, _ in walk_tb(stopped.__traceback__)]
    return any(
        one.f_globals.get("__name__") == "getpass" or one.f_code.co_qualname == "_Questions._until" for one in within
    )


def _output_refuses() -> bool:
    """Whether stdout takes nothing more, which an empty line shows. Python would complain of unwritten output at its end, so
    that goes nowhere."""
    try:
        print(flush=True)  # noqa: T201
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _run(argv: Sequence[str] | None) -> int:
    bootstrap.speak_command_line()
    texts = bootstrap.texts()
    words = sys.argv[1:] if argv is None else argv
    arguments = build_parser(texts, words).parse_args(words)
    run: Run = arguments.run
    if arguments.command not in _WITHOUT_KEYS:
        leave_no_core()
    told_in: Language | None = getattr(arguments, "told_in", None)
    if told_in is not None:
        texts = bootstrap.texts(told_in)  # a command in one language is refused in it too
    try:
        return run(arguments)
    except KlartoneError as error:
        print(plain(texts.error(error), keep="\n"), file=sys.stderr)  # noqa: T201
        return 1
    except PermissionError as error:
        if error.filename is None:
            raise
        denied = KlartoneError("error.denied", path=str(error.filename))
        print(plain(texts.error(denied), keep="\n"), file=sys.stderr)  # noqa: T201
        return 1


def build_parser(texts: Texts, words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """`words`: what is typed; only the commands that it can mean are there then. None: all."""
    made = Parser(prog="klartone", description=texts("cli.about"), texts=texts, formatter_class=Formatter)
    made.add_argument("--version", action="version", version=f"Klartone {__version__}", help=texts("cli.version"))
    made.set_defaults(run=Command(DESK), home=None)
    under = made.add_subparsers(title=texts("cli.commands"), metavar="", dest="command", parser_class=Parser)
    commands = Commands(under, texts)
    for add in _ALL if words is None else _meant(words):
        add(commands)
    return made


def _meant(words: Sequence[str]) -> Collection[Callable[[Commands], None]]:
    """Those of the group that the words begin with, or of each that is among them: it could be the value of an option."""
    if words and words[0] in _GROUPS:
        return [_GROUPS[words[0]]]
    if any(one == "-h" or (len(one) > 3 and "--help".startswith(one)) for one in words):
        return _ALL
    return dict.fromkeys([add_program, *(add for name, add in _GROUPS.items() if name in words)])
