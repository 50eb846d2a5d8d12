"""The commands. Each calls one function of `bootstrap` (or of `demo`, for a whole call on this machine) and no more.

A fault for a person ends with its sentence on stderr and status 1; a wrong command line with status 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from softphone import __version__, bootstrap
from softphone.domain.decision import NoticeId
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import KeyRole, Language, Purpose
from softphone.texts import Texts, plain

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

    from softphone.domain.policy import Period

Run = Callable[[argparse.Namespace], int]
_YEARS = range(1900, 3000)
"""of a day that somebody may write: what is reckoned from it must be a day too"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status is returned. Never a traceback at a person."""
    try:
        try:
            return _run(argv)
        finally:
            if sys.stdout:
                sys.stdout.flush()  # what is refused now can still be told
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
    """Whether stdout takes nothing more: an empty line tells. What it still holds then goes nowhere, or Python itself would
    complain of it at its very end."""
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
    arguments = _parser(texts).parse_args(argv)
    run: Run = arguments.run
    told_in: Language | None = getattr(arguments, "told_in", None)
    if told_in is not None:
        texts = bootstrap.texts(told_in)  # what was asked for in a language is refused in it too
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


class _Formatter(argparse.HelpFormatter):
    """A list of commands has no name of its own: no empty line stands for it."""

    def _format_action(self, action: argparse.Action) -> str:
        said = super()._format_action(action)
        if isinstance(action, argparse._SubParsersAction) and action.metavar == "":
            return said.partition("\n")[2]
        return said


class _Parser(argparse.ArgumentParser):
    """A word that is no command is refused without a list: it would name commands that are not for a person."""

    def __init__(self, *, texts: Texts, **rest: Any) -> None:
        super().__init__(**rest)
        self._texts = texts
        # Before a command and behind it; the program's own help alone tells of it.
        told = argparse.SUPPRESS if " " in self.prog else texts("cli.home")
        self.add_argument("--home", type=_path(texts), metavar="DIR", default=argparse.SUPPRESS, help=told)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Argparse says nothing where the output takes nothing."""
        if file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Here, where it is known whose words they are."""
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._texts("cli.unknown", words=" ".join(unknown), help=f"{self.prog} --help"))
        return arguments, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if self._subparsers and action in self._subparsers._group_actions and value not in (action.choices or ()):
            raise argparse.ArgumentError(None, self._texts("cli.no_command", word=value, help=f"{self.prog} --help"))
        super()._check_value(action, value)


def _parser(texts: Texts) -> argparse.ArgumentParser:
    parser = _Parser(prog="klartone", description=texts("cli.about"), texts=texts, formatter_class=_Formatter)
    parser.add_argument("--version", action="version", version=f"Klartone {__version__}", help=texts("cli.version"))
    parser.set_defaults(run=bootstrap.run_desk, home=None)
    commands = parser.add_subparsers(title=texts("cli.commands"), metavar="", dest="command", parser_class=_Parser)

    def command(
        name: str, run: Run | None, under: argparse._SubParsersAction[_Parser] = commands
    ) -> argparse.ArgumentParser:
        """`run` None: it has commands of its own, and one of them must be given."""
        code = name.replace("-", "_")
        one = under.add_parser(name, help=texts(f"cli.{code}"), description=texts(f"cli.{code}"), texts=texts)
        if run:
            one.set_defaults(run=run)
        return one

    def below(parent: argparse.ArgumentParser) -> argparse._SubParsersAction[_Parser]:
        return parent.add_subparsers(metavar=texts("cli.command"), dest="what", required=True, parser_class=_Parser)

    command("desk", bootstrap.run_desk)
    _archive_option(command("review", bootstrap.run_review), texts)
    engine = command("engine", bootstrap.run_engine)
    engine.add_argument("--stdio", action="store_true", help=texts("cli.engine.stdio"))
    session = command("session", bootstrap.run_session)
    session.add_argument("--stdio", action="store_true", required=True, help=texts("cli.session.stdio"))
    session.add_argument("--policy", type=_path(texts), metavar="FILE", help=texts("cli.session.policy"))
    _demo(command("demo", _run_demo), texts)
    # What the demo and the engine start: in a frozen program there is no other way in.
    customer = commands.add_parser("demo-customer", texts=texts)
    customer.set_defaults(run=_run_customer)
    customer.add_argument("voice", type=Path)
    customer.add_argument("listen", choices=["yes", "no"])
    host = commands.add_parser("plugin-host", texts=texts)
    host.set_defaults(run=bootstrap.run_plugin_host)
    host.add_argument("folders", nargs="*")
    commands.add_parser("edge", texts=texts).set_defaults(run=bootstrap.run_edge)
    command("doctor", bootstrap.run_doctor)

    _keys(command("keys", None), texts)

    policy = below(command("policy", None))
    check = command("check", bootstrap.policy_check, policy)
    explain = command("explain", bootstrap.policy_explain, policy)
    decide = command("decide", bootstrap.policy_decide, policy)
    sign = command("sign", bootstrap.policy_sign, policy)
    for one in (check, decide, sign):
        _file(one.add_mutually_exclusive_group(), texts, "cli.policy.file")
    _file(explain, texts, "cli.policy.file")  # behind the option, its one word is the line
    check.add_argument("--json", action="store_true", help=texts("cli.json"))
    check.add_argument("--confirm", metavar="HASH", help=texts("cli.policy.confirm"))
    check.add_argument("--by", metavar="NAME", help=texts("cli.policy.by"))
    explain.add_argument("line", nargs="?", metavar="LINE", help=texts("cli.policy.line"))
    decide.add_argument("--json", required=True, metavar="FACTS", help=texts("cli.policy.facts"))
    sign.add_argument("--id", required=True, metavar="ID", help=texts("cli.policy.signing_key"))
    command("schema", bootstrap.policy_schema, policy)
    new = command("new", bootstrap.policy_new, policy)
    _file(new.add_mutually_exclusive_group(), texts, "cli.policy.new_file")
    for one in (check, explain, decide, new):
        told_in = texts("cli.policy.language")
        one.add_argument("--language", type=_language(texts), metavar="da|en", dest="told_in", help=told_in)
    _notices(
        command("notice", bootstrap.policy_notice, policy), command("record", bootstrap.policy_record, policy), texts
    )

    archive = command("archive", None)
    _archive_option(archive, texts)
    what = below(archive)
    _searching(command("list", bootstrap.archive_list, what), texts)
    for name, run in (
        ("show", bootstrap.archive_show),
        ("play", bootstrap.archive_play),
        ("export", bootstrap.archive_export),
    ):
        one = command(name, run, what)
        one.add_argument("id", type=_word(texts), metavar="ID", help=texts("cli.archive.id"))
        if name == "export":
            one.add_argument("--wav", type=_sound(texts), required=True, metavar="FILE", help=texts("cli.archive.wav"))
        elif name == "play":
            one.add_argument("--from", type=float, dest="start", metavar="S", help=texts("cli.archive.from"))
        if name == "show":
            one.add_argument("--json", action="store_true", help=texts("cli.json"))
        else:
            _opening(one, texts)
    _log(command("log", bootstrap.archive_log, what), texts)
    sweep = command("sweep", bootstrap.archive_sweep, what)
    sweep.add_argument("--now", type=_date(texts), metavar="DATE", help=texts("cli.sweep.now"))
    sweep.add_argument("--dry-run", action="store_true", help=texts("cli.sweep.dry_run"))
    sweep.add_argument("--clock-is-right", action="store_true", help=texts("cli.sweep.clock_is_right"))
    sweep.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    _judge(command("judge", bootstrap.archive_judge, what), texts)
    for name, run in (("withdraw", bootstrap.archive_withdraw), ("opt-out", bootstrap.archive_opt_out)):
        one = command(name, run, what)
        which = one.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="?", type=_word(texts), metavar="ID", help=texts("cli.archive.id"))
        which.add_argument("--number", metavar="NUMBER", help=texts("cli.holds.number"))
        if name == "withdraw":
            told = texts("cli.withdraw.purpose")
            one.add_argument("--purpose", type=_one_of(Purpose), choices=_words(Purpose), help=told)
        one.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    orphan = command("orphan", bootstrap.archive_orphan, what)
    orphan.add_argument("id", type=_word(texts), metavar="ID", help=texts("cli.orphan.id"))
    orphan.add_argument("--delete", action="store_true", required=True, help=texts("cli.orphan.delete"))
    orphan.add_argument("--reason", required=True, metavar="TEXT", help=texts("cli.judge.reason"))
    verify = command("verify", bootstrap.archive_verify, what)
    verify.add_argument("--json", action="store_true", help=texts("cli.json"))
    verify.add_argument("--head", type=_path(texts), metavar="FILE", help=texts("cli.verify.head"))
    reviewed = command("reviewed", bootstrap.archive_reviewed, what)
    reviewed.add_argument("id", type=_word(texts), metavar="ID", help=texts("cli.archive.id"))
    reviewed.add_argument("--keep", type=_days(texts), metavar="P7D", help=texts("cli.reviewed.keep"))
    command("head", bootstrap.archive_head, what)
    command("health", bootstrap.archive_health, what).add_argument(
        "--json", action="store_true", help=texts("cli.json")
    )
    admit = command("admit", bootstrap.archive_admit, what)
    admit.add_argument("file", type=_path(texts), metavar="FILE", help=texts("cli.admit.file"))
    admit.add_argument("--numbers", action="store_true", help=texts("cli.admit.numbers"))
    signer = command("signer", bootstrap.archive_policy_signer, what)
    which = signer.add_mutually_exclusive_group()
    which.add_argument("key", nargs="?", metavar="KEY", help=texts("cli.signer.key"))
    which.add_argument("--none", action="store_true", help=texts("cli.signer.none"))
    share = command("share", bootstrap.archive_share, what)
    share.add_argument("--group", required=True, metavar="GROUP", help=texts("cli.share.group"))
    _backup(command("backup", bootstrap.archive_backup, what), texts)
    _restore(command("restore", bootstrap.archive_restore, what), texts)
    for one in what.choices.values():
        _archive_option(one, texts, behind=True)
    _holds(command("holds", None), texts)
    _cases(command("cases", None), texts)
    return parser


def _backup(of: argparse.ArgumentParser, texts: Texts) -> None:
    of.add_argument("folder", nargs="?", type=_path(texts), metavar="DIR", help=texts("cli.backup.folder"))
    of.add_argument("--check", action="store_true", help=texts("cli.backup.check"))
    of.add_argument("--new", action="store_true", help=texts("cli.backup.new"))
    of.add_argument("--json", action="store_true", help=texts("cli.json"))


def _restore(of: argparse.ArgumentParser, texts: Texts) -> None:
    of.add_argument("folder", type=_path(texts), metavar="DIR", help=texts("cli.backup.folder"))
    of.add_argument("--to", type=_path(texts), required=True, metavar="FOLDER", help=texts("cli.restore.to"))
    of.add_argument("--erased-in", type=_path(texts), metavar="FOLDER", help=texts("cli.restore.erased_in"))
    of.add_argument("--replace", action="store_true", help=texts("cli.restore.replace"))
    of.add_argument("--erase-former", action="store_true", help=texts("cli.restore.erase_former"))
    of.add_argument("--accept-unknown", action="store_true", help=texts("cli.restore.accept_unknown"))
    of.add_argument("--clock-is-right", action="store_true", help=texts("cli.restore.clock_is_right"))
    of.add_argument("--json", action="store_true", help=texts("cli.json"))


def _archive_option(of: argparse.ArgumentParser, texts: Texts, *, behind: bool = False) -> None:
    """Before a command and behind it; where it is not given `behind`, what was given before stands."""
    default = argparse.SUPPRESS if behind else None
    of.add_argument("--archive", type=_path(texts), metavar="DIR", default=default, help=texts("cli.archive.folder"))


def _searching(of: argparse.ArgumentParser, texts: Texts) -> None:
    """What a list is narrowed to, and which part of it is told."""
    of.add_argument("--number", metavar="NUMBER", help=texts("cli.list.number"))
    of.add_argument("--from", dest="since", type=_moment(texts), metavar="DATE", help=texts("cli.list.from"))
    of.add_argument("--to", dest="until", type=_moment(texts), metavar="DATE", help=texts("cli.list.to"))
    of.add_argument("--line", action="append", metavar="ID", help=texts("cli.list.line"))
    of.add_argument("--agent", action="append", metavar="ADDRESS", help=texts("cli.list.agent"))
    of.add_argument("--held", action="store_true", help=texts("cli.list.held"))
    of.add_argument("--limit", type=_limit(texts), default=100, metavar="N", help=texts("cli.list.limit"))
    of.add_argument("--after", metavar="CURSOR", help=texts("cli.list.after"))
    of.add_argument("--count", action="store_true", help=texts("cli.list.count"))
    of.add_argument("--json", action="store_true", help=texts("cli.list.json"))


def _log(of: argparse.ArgumentParser, texts: Texts) -> None:
    of.add_argument("--from", dest="since", type=_moment(texts), metavar="DATE", help=texts("cli.list.from"))
    of.add_argument("--to", dest="until", type=_moment(texts), metavar="DATE", help=texts("cli.list.to"))
    which = of.add_mutually_exclusive_group()
    which.add_argument("--event", action="extend", nargs="+", metavar="NAME", help=texts("cli.log.event"))
    which.add_argument("--refusals", action="store_true", help=texts("cli.log.refusals"))
    of.add_argument("--recording", type=_word(texts), metavar="ID", help=texts("cli.archive.id"))
    of.add_argument("--limit", type=_limit(texts), default=100, metavar="N", help=texts("cli.list.limit"))
    of.add_argument("--before", type=_entry(texts), metavar="NUMBER", help=texts("cli.log.before"))
    of.add_argument("--json", action="store_true", help=texts("cli.json_lines"))


def _opening(of: argparse.ArgumentParser, texts: Texts) -> None:
    """What must be said to open a recording."""
    of.add_argument("--why", metavar="TEXT", help=texts("cli.archive.why"))
    of.add_argument("--case", metavar="TEXT", help=texts("cli.archive.case"))
    of.add_argument("--as", dest="role", type=_one_of(KeyRole), choices=_words(KeyRole), help=texts("cli.archive.as"))


def _judge(judge: argparse.ArgumentParser, texts: Texts) -> None:
    judge.add_argument("id", nargs="?", type=_word(texts), metavar="ID", help=texts("cli.judge.id"))
    how = judge.add_mutually_exclusive_group()
    how.add_argument("--keep-until", type=_date(texts), metavar="DATE", help=texts("cli.judge.keep_until"))
    how.add_argument("--delete", action="store_true", help=texts("cli.judge.delete"))
    judge.add_argument("--reason", metavar="TEXT", help=texts("cli.judge.reason"))
    judge.add_argument("--purpose", type=_one_of(Purpose), choices=_words(Purpose), help=texts("cli.judge.purpose"))
    judge.add_argument("--json", action="store_true", help=texts("cli.json_lines"))


def _file(of: argparse._ActionsContainer, texts: Texts, what: str) -> None:
    """The policy's file, as a word of its own or by the option that `notice` and `record` have too."""
    of.add_argument("file", nargs="?", type=_path(texts), metavar="FILE", help=texts(what))
    of.add_argument("--policy", type=_path(texts), metavar="FILE", help=texts("cli.policy.option"))


def _holds(of: argparse.ArgumentParser, texts: Texts) -> None:
    _archive_option(of, texts)
    what = of.add_subparsers(metavar=texts("cli.command"), dest="what", required=True, parser_class=_Parser)

    def command(name: str, run: Run) -> argparse.ArgumentParser:
        told = texts(f"cli.holds.{name}")
        one = what.add_parser(name, help=told, description=told, texts=texts)
        one.set_defaults(run=run)
        _archive_option(one, texts, behind=True)
        return one

    command("list", bootstrap.holds_list).add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    new = command("raise", bootstrap.holds_raise)
    which = new.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", type=_word(texts), metavar="ID", help=texts("cli.archive.id"))
    which.add_argument("--number", metavar="NUMBER", help=texts("cli.holds.number"))
    asked = new.add_mutually_exclusive_group(required=True)
    asked.add_argument("--by", choices=["party", "controller"], help=texts("cli.holds.by"))
    asked.add_argument("--for", dest="raised_for", choices=["access"], help=texts("cli.holds.for"))
    new.add_argument("--why", required=True, metavar="TEXT", help=texts("cli.holds.why"))
    new.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    confirm, lift = command("confirm", bootstrap.holds_confirm), command("lift", bootstrap.holds_lift)
    close = command("close", bootstrap.holds_close)
    for one in (confirm, lift, close):
        one.add_argument("id", type=_word(texts), metavar="HOLD", help=texts("cli.holds.id"))
    for one in (lift, close):
        one.add_argument("--yes", action="store_true", help=texts("cli.holds.yes"))
    confirm.add_argument(
        "--look-again", required=True, type=_date(texts), metavar="DATE", help=texts("cli.holds.look_again")
    )
    lift.add_argument("--reason", required=True, metavar="TEXT", help=texts("cli.holds.reason"))
    how = close.add_mutually_exclusive_group(required=True)
    how.add_argument("--answered", type=_date(texts), metavar="DATE", help=texts("cli.holds.answered"))
    how.add_argument("--reason", metavar="TEXT", help=texts("cli.holds.not_answered"))


def _cases(of: argparse.ArgumentParser, texts: Texts) -> None:
    _archive_option(of, texts)
    what = of.add_subparsers(metavar=texts("cli.command"), dest="what", required=True, parser_class=_Parser)

    def command(name: str, run: Run) -> argparse.ArgumentParser:
        told = texts(f"cli.cases.{name}")
        one = what.add_parser(name, help=told, description=told, texts=texts)
        one.set_defaults(run=run)
        _archive_option(one, texts, behind=True)
        return one

    command("list", bootstrap.cases_list).add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    show, decide = command("show", bootstrap.cases_show), command("decide", bootstrap.cases_decide)
    for one in (show, decide):
        one.add_argument("id", type=_word(texts), metavar="ID", help=texts("cli.cases.id"))
    show.add_argument("--json", action="store_true", help=texts("cli.json"))
    how = decide.add_mutually_exclusive_group(required=True)
    how.add_argument("--uphold", action="store_true", help=texts("cli.cases.uphold"))
    how.add_argument("--reject", action="store_true", help=texts("cli.cases.reject"))
    decide.add_argument("--reason", required=True, metavar="TEXT", help=texts("cli.cases.reason"))
    decide.add_argument("--purpose", type=_one_of(Purpose), choices=_words(Purpose), help=texts("cli.cases.purpose"))


def _keys(keys: argparse.ArgumentParser, texts: Texts) -> None:
    def command(name: str, run: Run | None, under: argparse._SubParsersAction[_Parser]) -> argparse.ArgumentParser:
        told = texts(f"cli.keys.{name}")
        one = under.add_parser(name, help=told, description=told, texts=texts)
        if run:
            one.set_defaults(run=run)
        _archive_option(one, texts, behind=True)
        return one

    def below(parent: argparse.ArgumentParser) -> argparse._SubParsersAction[_Parser]:
        return parent.add_subparsers(metavar=texts("cli.command"), dest="what", required=True, parser_class=_Parser)

    _archive_option(keys, texts)
    what = below(keys)
    create = command("create", bootstrap.keys_create, what)
    purposes = ["documentation", "training", "custody", "policy"]
    create.add_argument("purpose", choices=purposes, help=texts("cli.keys.purpose"))
    create.add_argument("--id", required=True, metavar="ID", help=texts("cli.keys.id"))
    command("list", bootstrap.keys_list, what).add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    export = command("export", bootstrap.keys_export, what)
    rotate = command("rotate", bootstrap.keys_rotate, what)
    revoke = command("revoke", bootstrap.keys_revoke, what)
    for one in (export, rotate, revoke):
        one.add_argument("id", type=_word(texts), metavar="ID", help=texts("cli.keys.which"))
    export.add_argument("--private", type=_path(texts), metavar="FILE", help=texts("cli.keys.private"))
    revoke.add_argument("--yes", action="store_true", help=texts("cli.keys.yes"))
    rotate.add_argument("--to", required=True, metavar="ID", help=texts("cli.keys.to"))
    take = command("import", bootstrap.keys_import, what)
    take.add_argument("file", type=_path(texts), metavar="FILE", help=texts("cli.keys.file"))
    escrow = below(command("escrow", None, what))
    make = command("make", bootstrap.keys_escrow_make, escrow)
    make.add_argument("file", type=_path(texts), metavar="FILE", help=texts("cli.keys.escrow_file"))
    restore = command("restore", bootstrap.keys_escrow_restore, escrow)
    restore.add_argument("file", type=_path(texts), metavar="FILE", help=texts("cli.keys.escrow_restore_file"))


def _notices(notice: argparse.ArgumentParser, record: argparse.ArgumentParser, texts: Texts) -> None:
    for one in (notice, record):
        needed = one is record
        notices = [str(each) for each in NoticeId]
        one.add_argument("line", metavar="LINE", help=texts("cli.notice.line"))
        one.add_argument("--policy", type=_path(texts), metavar="FILE", help=texts("cli.notice.policy"))
        one.set_defaults(file=None)
        told = "cli.record" if needed else "cli.notice"
        one.add_argument("--notice", choices=notices, required=needed, metavar="N7", help=texts(f"{told}.notice"))
        language = texts(f"{told}.language")
        one.add_argument("--language", type=_language(texts), metavar="da|en", required=needed, help=language)
    notice.add_argument("--wav", type=_sound(texts), metavar="FILE", help=texts("cli.notice.wav"))
    notice.add_argument("--listen", action="store_true", help=texts("cli.notice.listen"))
    notice.add_argument("--narrow-band", action="store_true", help=texts("cli.notice.narrow_band"))
    record.add_argument("--wav", type=_sound(texts), metavar="FILE", help=texts("cli.record.wav"))
    record.add_argument(
        "--from", type=_path(texts), action="append", dest="source", metavar="FILE", help=texts("cli.record.from")
    )
    record.add_argument("--listen", action="store_true", help=texts("cli.record.listen"))


def _demo(demo: argparse.ArgumentParser, texts: Texts) -> None:
    demo.add_argument("--headless", action="store_true", help=texts("cli.demo.headless"))
    demo.add_argument("--json", action="store_true", help=texts("cli.demo.json"))
    notices = ["N1", "N2", "N3", "N4", "N6", "N7", "none"]
    demo.add_argument("--notice", choices=notices, default="N7", help=texts("cli.demo.notice"))
    demo.add_argument("--party", choices=["yes", "silent", "other-key"], default="yes", help=texts("cli.demo.party"))
    demo.add_argument(
        "--agent", choices=["nothing", "opt-out", "dispute"], default="nothing", help=texts("cli.demo.agent")
    )
    demo.add_argument("--seconds", type=_seconds(texts), default=15.0, metavar="S", help=texts("cli.demo.seconds"))
    demo.add_argument("--archive", type=_path(texts), metavar="DIR", help=texts("cli.demo.folder"))
    demo.add_argument("--screenshots", type=_path(texts), metavar="DIR", help=texts("cli.demo.screenshots"))
    demo.add_argument("--listen", action="store_true", help=texts("cli.demo.listen"))


def _word(texts: Texts) -> Callable[[str], str]:
    """An empty one is a variable of the shell that has none: it means nothing, and never all or the folder one is in."""

    def parse(word: str) -> str:
        if not word.strip():
            raise argparse.ArgumentTypeError(texts("cli.empty"))
        return word

    return parse


def _path(texts: Texts) -> Callable[[str], Path]:
    def parse(word: str) -> Path:
        return Path(_word(texts)(word))

    return parse


def _sound(texts: Texts) -> Callable[[str], Path]:
    def parse(word: str) -> Path:
        if word == "-":
            raise argparse.ArgumentTypeError(texts("cli.no_stdout"))
        return _path(texts)(word)

    return parse


def _words(them: type[StrEnum]) -> list[str]:
    return [one.value for one in them]


def _one_of(them: type[StrEnum]) -> Callable[[str], str]:
    """Any other word stays one, and argparse names the choices."""

    def parse(word: str) -> str:
        return them(word) if word in _words(them) else word

    return parse


def _days(texts: Texts) -> Callable[[str], Period]:
    def parse(word: str) -> Period:
        from softphone.domain.policy import Period  # the whole policy's model, for a word of one command

        try:
            return Period.parse(word)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_period")) from None

    return parse


def _language(texts: Texts) -> Callable[[str], Language]:
    def read(text: str) -> Language:
        try:
            return Language(text.lower())
        except ValueError:
            known = ", ".join(Language)
            raise argparse.ArgumentTypeError(texts("cli.one_of", known=known)) from None

    return read


def _refuse_far(day: date, texts: Texts) -> None:
    if day.year not in _YEARS:
        raise argparse.ArgumentTypeError(texts("cli.far_date", first=_YEARS[0], last=_YEARS[-1]))


def _date(texts: Texts) -> Callable[[str], date]:
    def parse(word: str) -> date:
        try:
            day = date.fromisoformat(word)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_date")) from None
        _refuse_far(day, texts)
        return day

    return parse


def _moment(texts: Texts) -> Callable[[str], date | datetime]:
    def parse(word: str) -> date | datetime:
        try:
            at = date.fromisoformat(word) if len(word) == len("2026-11-25") else datetime.fromisoformat(word)
        except ValueError:
            raise argparse.ArgumentTypeError(texts("cli.no_moment")) from None
        _refuse_far(at, texts)
        return at

    return parse


def _entry(texts: Texts) -> Callable[[str], int]:
    def parse(word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 18):  # what SQLite can count to
            raise argparse.ArgumentTypeError(texts("cli.log.no_entry"))
        return int(word)

    return parse


def _limit(texts: Texts) -> Callable[[str], int]:
    def parse(word: str) -> int:
        if not (word.isascii() and word.isdigit() and 1 <= int(word[:6]) <= 10_000 and len(word) <= 5):
            raise argparse.ArgumentTypeError(texts("cli.list.no_limit"))
        return int(word)

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
