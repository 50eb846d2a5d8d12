"""The commands. Each calls one function of `bootstrap` (or of `demo`, for a whole call on this machine) and no more.

A fault for a person ends with its sentence on stderr and status 1; a wrong command line with status 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from softphone import __version__, bootstrap
from softphone.domain.errors import KlartoneError
from softphone.texts import Texts

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status is returned. Never a traceback at a person."""
    texts = bootstrap.texts()
    arguments = _parser(texts).parse_args(argv)
    run: Run = arguments.run
    try:
        return run(arguments)
    except KlartoneError as error:
        print(texts.error(error), file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


class _Parser(argparse.ArgumentParser):
    """A word that is no command is refused without a list: it would name commands that are not for a person."""

    def __init__(self, *, texts: Texts, **rest: Any) -> None:
        super().__init__(**rest)
        self._texts = texts

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if self._subparsers and action in self._subparsers._group_actions and value not in (action.choices or ()):
            raise argparse.ArgumentError(None, self._texts("cli.no_command", word=value, help=f"{self.prog} --help"))
        super()._check_value(action, value)


def _parser(texts: Texts) -> argparse.ArgumentParser:
    parser = _Parser(prog="klartone", description=texts("cli.about"), texts=texts)
    parser.add_argument("--version", action="version", version=f"Klartone {__version__}")
    parser.add_argument("--home", type=Path, metavar="DIR", help=texts("cli.home"))
    parser.set_defaults(run=bootstrap.run_desk)
    commands = parser.add_subparsers(title=texts("cli.commands"), metavar="", dest="command", parser_class=_Parser)

    def command(
        name: str, run: Run | None, under: argparse._SubParsersAction[_Parser] = commands
    ) -> argparse.ArgumentParser:
        """`run` None: it has commands of its own, and one of them must be given."""
        one = under.add_parser(name, help=texts(f"cli.{name}"), description=texts(f"cli.{name}"), texts=texts)
        if run:
            one.set_defaults(run=run)
        return one

    def below(parent: argparse.ArgumentParser) -> argparse._SubParsersAction[_Parser]:
        return parent.add_subparsers(metavar=texts("cli.command"), dest="what", required=True, parser_class=_Parser)

    command("desk", bootstrap.run_desk)
    engine = command("engine", bootstrap.run_engine)
    engine.add_argument("--stdio", action="store_true", help=texts("cli.engine.stdio"))
    _demo(command("demo", _run_demo), texts)
    # What the demo and the engine start: in a frozen program there is no other way in.
    customer = commands.add_parser("demo-customer", texts=texts)
    customer.set_defaults(run=_run_customer)
    customer.add_argument("voice", type=Path)
    customer.add_argument("listen", choices=["yes", "no"])
    host = commands.add_parser("plugin-host", texts=texts)
    host.set_defaults(run=bootstrap.run_plugin_host)
    host.add_argument("folders", nargs="*")
    command("doctor", bootstrap.run_doctor)

    keys = below(command("keys", None))
    create = command("create", bootstrap.keys_create, keys)
    create.add_argument("purpose", choices=["documentation", "training", "custody"], help=texts("cli.keys.purpose"))
    create.add_argument("--id", required=True, metavar="ID", help=texts("cli.keys.id"))

    archive = command("archive", None)
    archive.add_argument("--archive", type=Path, metavar="DIR", help=texts("cli.archive.folder"))
    what = below(archive)
    command("list", bootstrap.archive_list, what)
    for name, run in (
        ("show", bootstrap.archive_show),
        ("play", bootstrap.archive_play),
        ("export", bootstrap.archive_export),
    ):
        one = command(name, run, what)
        one.add_argument("id", metavar="ID", help=texts("cli.archive.id"))
        if name == "export":
            one.add_argument("--wav", type=Path, required=True, metavar="FILE", help=texts("cli.archive.wav"))
    sweep = command("sweep", bootstrap.archive_sweep, what)
    sweep.add_argument("--now", type=_date(texts), metavar="DATE", help=texts("cli.sweep.now"))
    sweep.add_argument("--dry-run", action="store_true", help=texts("cli.sweep.dry_run"))
    verify = command("verify", bootstrap.archive_verify, what)
    verify.add_argument("--json", action="store_true", help=texts("cli.json"))
    for one in what.choices.values():
        # Behind the command as well as before it; where it is not given here, what was given there stands.
        one.add_argument(
            "--archive", type=Path, metavar="DIR", default=argparse.SUPPRESS, help=texts("cli.archive.folder")
        )
    return parser


def _demo(demo: argparse.ArgumentParser, texts: Texts) -> None:
    demo.add_argument("--headless", action="store_true", help=texts("cli.demo.headless"))
    demo.add_argument("--json", action="store_true", help=texts("cli.demo.json"))
    demo.add_argument("--notice", choices=["N1", "N3", "N7", "none"], default="N7", help=texts("cli.demo.notice"))
    demo.add_argument("--party", choices=["yes", "silent", "other-key"], default="yes", help=texts("cli.demo.party"))
    demo.add_argument(
        "--agent", choices=["nothing", "opt-out", "dispute"], default="nothing", help=texts("cli.demo.agent")
    )
    demo.add_argument("--seconds", type=_seconds(texts), default=15.0, metavar="S", help=texts("cli.demo.seconds"))
    demo.add_argument("--archive", type=Path, metavar="DIR", help=texts("cli.demo.folder"))
    demo.add_argument("--screenshots", type=Path, metavar="DIR", help=texts("cli.demo.screenshots"))
    demo.add_argument("--listen", action="store_true", help=texts("cli.demo.listen"))


def _date(texts: Texts) -> Callable[[str], date]:
    def parse(word: str) -> date:
        try:
            return date.fromisoformat(word)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_date")) from None

    return parse


def _seconds(texts: Texts) -> Callable[[str], float]:
    def parse(word: str) -> float:
        try:
            seconds = float(word)
        except ValueError:
            seconds = 0.0
        if not 1 <= seconds <= 3600:
            raise argparse.ArgumentTypeError(texts("cli.no_seconds"))
        return seconds

    return parse


def _run_demo(arguments: argparse.Namespace) -> int:
    from softphone.demo.story import run_demo

    return run_demo(arguments)


def _run_customer(arguments: argparse.Namespace) -> int:
    from softphone.demo.customer import run_customer

    return run_customer(arguments.voice, listen=arguments.listen == "yes")


if __name__ == "__main__":
    sys.exit(main())
