"""The parser of the command line, and how a command is registered: its name, its function, and who may give it.

A command's module is imported only when the command is given.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from softphone.cli.words import path
from softphone.domain.roles import Permission, Role, may
from softphone.texts import Texts

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


@dataclass(frozen=True, slots=True)
class Command:
    """`function`: `module:name` of what takes the arguments and returns the exit status.

    `permissions`: one of them is needed, which the archive itself asks for; empty: none is.
    """

    function: str
    permissions: frozenset[Permission] = frozenset()

    def __call__(self, arguments: argparse.Namespace) -> int:
        module, _, name = self.function.partition(":")
        function = getattr(import_module(module), name)
        if not gc.isenabled():
            # A process of its own, which no longer looks through all that it has loaded, nor takes it apart at its end.
            gc.freeze()
            gc.enable()
        return function(arguments)

    def who(self, texts: Texts) -> str:
        """For the help; empty: for everybody."""
        roles = [role for role in Role if any(may([role], one) for one in self.permissions)]
        return texts("cli.who", roles=", ".join(texts(f"cli.role.{role}") for role in roles)) if roles else ""


class Commands:
    """Where commands are registered: under the program, or under a command that has some of its own."""

    def __init__(self, under: argparse._SubParsersAction[Parser], texts: Texts, prefix: str = "") -> None:
        self._under, self.texts, self._prefix = under, texts, prefix

    def add(self, name: str, function: str, permissions: Iterable[Permission] = (), *, hidden: bool = False) -> Parser:
        """Its help is the text `cli.NAME`, unless it is `hidden`: only the program starts it."""
        command = Command(function, frozenset(permissions))
        if hidden:
            one = self._under.add_parser(name, texts=self.texts)
        else:
            text = self._help(name)
            one = self._under.add_parser(
                name, help=text, description=text, epilog=command.who(self.texts), texts=self.texts
            )
        one.set_defaults(run=command)
        return one

    def group(self, name: str, *, prefix: str = "", archive: bool = False) -> Commands:
        """A command that has commands of its own, one of which must follow. `archive`: takes `--archive` and `--here` before
        them."""
        text = self._help(name)
        one = self._under.add_parser(name, help=text, description=text, texts=self.texts)
        if archive:
            archive_option(one, self.texts)
        under = one.add_subparsers(metavar=self.texts("cli.command"), dest="what", required=True, parser_class=Parser)
        return Commands(under, self.texts, prefix)

    def archive_behind(self) -> None:
        """All commands registered here also take `--archive` and `--here` after them."""
        for one in self._under.choices.values():
            archive_option(one, self.texts, behind=True)

    def _help(self, name: str) -> str:
        return self.texts(f"cli.{self._prefix}{name.replace('-', '_')}")


def archive_option(of: argparse.ArgumentParser, texts: Texts, *, behind: bool = False) -> None:
    """Before a command and after it; without one `behind`, the one before stands."""
    default = argparse.SUPPRESS if behind else None
    of.add_argument("--archive", type=path(texts), metavar="DIR", default=default, help=texts("cli.archive.folder"))
    default = argparse.SUPPRESS if behind else False
    of.add_argument("--here", action="store_true", default=default, help=texts("cli.archive.here"))


class Formatter(argparse.HelpFormatter):
    """A list of commands has no name of its own, so no empty line stands for it."""

    def _format_action(self, action: argparse.Action) -> str:
        said = super()._format_action(action)
        if isinstance(action, argparse._SubParsersAction) and action.metavar == "":
            return said.partition("\n")[2]
        return said


class Parser(argparse.ArgumentParser):
    """An unknown command is refused without a list, which would name commands that are not for a person."""

    def __init__(self, *, texts: Texts, **rest: Any) -> None:
        super().__init__(**rest)
        self._texts = texts
        # Before a command and after it; only the program's own help shows it.
        text = argparse.SUPPRESS if " " in self.prog else texts("cli.home")
        self.add_argument("--home", type=path(texts), metavar="DIR", default=argparse.SUPPRESS, help=text)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Argparse says nothing if the output takes nothing."""
        if file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Here, where the language is known."""
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._texts("cli.unknown", words=" ".join(unknown), help=f"{self.prog} --help"))
        return arguments, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if self._subparsers and action in self._subparsers._group_actions and value not in (action.choices or ()):
            raise argparse.ArgumentError(None, self._texts("cli.no_command", word=value, help=f"{self.prog} --help"))
        super()._check_value(action, value)
