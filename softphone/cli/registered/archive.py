"""`klartone archive`: what is kept, found, heard, ended and looked after."""

from __future__ import annotations

import argparse

from softphone.cli.registering import Commands
from softphone.cli.words import choices, day, days, entry, limit, moment, one_of, path, sound_file, word
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.roles import FINDS, OPENS, Permission
from softphone.texts import Texts

AT = "softphone.cli.archive"


def add_archive(commands: Commands) -> None:
    here, texts = commands.group("archive", archive=True), commands.texts
    _searching(here.add("list", f"{AT}.finding:archive_list", FINDS), texts)
    show = here.add("show", f"{AT}.finding:archive_show", FINDS)
    play = here.add("play", f"{AT}.listening:archive_play", OPENS.values())
    export = here.add("export", f"{AT}.listening:archive_export", OPENS.values())
    for one in (show, play, export):
        one.add_argument("id", type=word(texts), metavar="ID", help=texts("cli.archive.id"))
    show.add_argument("--json", action="store_true", help=texts("cli.json"))
    play.add_argument("--from", type=float, dest="start", metavar="S", help=texts("cli.archive.from"))
    export.add_argument("--wav", type=sound_file(texts), required=True, metavar="FILE", help=texts("cli.archive.wav"))
    for one in (play, export):
        _opening(one, texts)
    _log(here.add("log", f"{AT}.log:archive_log", [Permission.READ_LOG, Permission.READ_OPERATIONS]), texts)
    _sweep(here.add("sweep", f"{AT}.retention:archive_sweep"), texts)
    _judge(here.add("judge", f"{AT}.judging:archive_judge", [Permission.JUDGE]), texts)
    for name, function in (("withdraw", "archive_withdraw"), ("opt-out", "archive_opt_out")):
        one = here.add(name, f"{AT}.rights:{function}", [Permission.TAKE_BACK])
        which = one.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="?", type=word(texts), metavar="ID", help=texts("cli.archive.id"))
        which.add_argument("--number", metavar="NUMBER", help=texts("cli.holds.number"))
        if name == "withdraw":
            text = texts("cli.withdraw.purpose")
            one.add_argument("--purpose", type=one_of(Purpose), choices=choices(Purpose), help=text)
        one.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    notes = here.add("notes", f"{AT}.notes:archive_notes", [Permission.READ_NOTES])
    notes.add_argument("--number", required=True, metavar="NUMBER", help=texts("cli.notes.number"))
    notes.add_argument("--erase", action="store_true", help=texts("cli.notes.erase"))
    notes.add_argument("--reason", metavar="TEXT", help=texts("cli.judge.reason"))
    notes.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    orphan = here.add("orphan", f"{AT}.judging:archive_orphan", [Permission.JUDGE])
    orphan.add_argument("id", type=word(texts), metavar="ID", help=texts("cli.orphan.id"))
    orphan.add_argument("--delete", action="store_true", required=True, help=texts("cli.orphan.delete"))
    orphan.add_argument("--reason", required=True, metavar="TEXT", help=texts("cli.judge.reason"))
    verify = here.add("verify", f"{AT}.proving:archive_verify")
    verify.add_argument("--json", action="store_true", help=texts("cli.json"))
    verify.add_argument("--head", type=path(texts), metavar="FILE", help=texts("cli.verify.head"))
    reviewed = here.add("reviewed", f"{AT}.retention:archive_reviewed", [Permission.REVIEW])
    reviewed.add_argument("id", type=word(texts), metavar="ID", help=texts("cli.archive.id"))
    reviewed.add_argument("--keep", type=days(texts), metavar="P7D", help=texts("cli.reviewed.keep"))
    marks = here.add("marks", f"{AT}.marks:archive_marks", [Permission.REVIEW])
    how = marks.add_mutually_exclusive_group()
    how.add_argument("--csv", action="store_true", help=texts("cli.marks.csv"))
    how.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    here.add("head", f"{AT}.proving:archive_head")
    here.add("health", f"{AT}.health:archive_health").add_argument(
        "--json", action="store_true", help=texts("cli.json")
    )
    signer = here.add("signer", f"{AT}.signer:archive_policy_signer")
    which = signer.add_mutually_exclusive_group()
    which.add_argument("key", nargs="?", metavar="KEY", help=texts("cli.signer.key"))
    which.add_argument("--none", action="store_true", help=texts("cli.signer.none"))
    _backup(here.add("backup", f"{AT}.backup:archive_backup"), texts)
    _restore(here.add("restore", f"{AT}.backup:archive_restore"), texts)
    here.archive_behind()


def _sweep(sweep: argparse.ArgumentParser, texts: Texts) -> None:
    sweep.add_argument("--now", type=day(texts), metavar="DATE", help=texts("cli.sweep.now"))
    sweep.add_argument("--dry-run", action="store_true", help=texts("cli.sweep.dry_run"))
    sweep.add_argument("--clock-is-right", action="store_true", help=texts("cli.sweep.clock_is_right"))
    sweep.add_argument("--json", action="store_true", help=texts("cli.json_lines"))


def _searching(of: argparse.ArgumentParser, texts: Texts) -> None:
    """What narrows a list, and which part of it is shown."""
    of.add_argument("--number", metavar="NUMBER", help=texts("cli.list.number"))
    of.add_argument("--from", dest="since", type=moment(texts), metavar="DATE", help=texts("cli.list.from"))
    of.add_argument("--to", dest="until", type=moment(texts), metavar="DATE", help=texts("cli.list.to"))
    of.add_argument("--line", action="append", metavar="ID", help=texts("cli.list.line"))
    of.add_argument("--agent", action="append", metavar="ADDRESS", help=texts("cli.list.agent"))
    of.add_argument("--held", action="store_true", help=texts("cli.list.held"))
    of.add_argument("--limit", type=limit(texts), default=100, metavar="N", help=texts("cli.list.limit"))
    of.add_argument("--after", metavar="CURSOR", help=texts("cli.list.after"))
    of.add_argument("--count", action="store_true", help=texts("cli.list.count"))
    of.add_argument("--json", action="store_true", help=texts("cli.list.json"))


def _log(of: argparse.ArgumentParser, texts: Texts) -> None:
    of.add_argument("--from", dest="since", type=moment(texts), metavar="DATE", help=texts("cli.list.from"))
    of.add_argument("--to", dest="until", type=moment(texts), metavar="DATE", help=texts("cli.list.to"))
    which = of.add_mutually_exclusive_group()
    which.add_argument("--event", action="extend", nargs="+", metavar="NAME", help=texts("cli.log.event"))
    which.add_argument("--refusals", action="store_true", help=texts("cli.log.refusals"))
    of.add_argument("--recording", type=word(texts), metavar="ID", help=texts("cli.archive.id"))
    of.add_argument("--limit", type=limit(texts), default=100, metavar="N", help=texts("cli.list.limit"))
    of.add_argument("--before", type=entry(texts), metavar="NUMBER", help=texts("cli.log.before"))
    of.add_argument("--json", action="store_true", help=texts("cli.json_lines"))


def _opening(of: argparse.ArgumentParser, texts: Texts) -> None:
    """What must be said to open a recording."""
    of.add_argument("--why", metavar="TEXT", help=texts("cli.archive.why"))
    of.add_argument("--case", metavar="TEXT", help=texts("cli.archive.case"))
    of.add_argument("--as", dest="role", type=one_of(KeyRole), choices=choices(KeyRole), help=texts("cli.archive.as"))


def _judge(judge: argparse.ArgumentParser, texts: Texts) -> None:
    judge.add_argument("id", nargs="?", type=word(texts), metavar="ID", help=texts("cli.judge.id"))
    how = judge.add_mutually_exclusive_group()
    how.add_argument("--keep-until", type=day(texts), metavar="DATE", help=texts("cli.judge.keep_until"))
    how.add_argument("--delete", action="store_true", help=texts("cli.judge.delete"))
    judge.add_argument("--reason", metavar="TEXT", help=texts("cli.judge.reason"))
    judge.add_argument("--purpose", type=one_of(Purpose), choices=choices(Purpose), help=texts("cli.judge.purpose"))
    judge.add_argument("--json", action="store_true", help=texts("cli.json_lines"))


def _backup(of: argparse.ArgumentParser, texts: Texts) -> None:
    of.add_argument("folder", nargs="?", type=path(texts), metavar="DIR", help=texts("cli.backup.folder"))
    of.add_argument("--check", action="store_true", help=texts("cli.backup.check"))
    of.add_argument("--new", action="store_true", help=texts("cli.backup.new"))
    of.add_argument("--json", action="store_true", help=texts("cli.json"))


def _restore(of: argparse.ArgumentParser, texts: Texts) -> None:
    of.add_argument("folder", type=path(texts), metavar="DIR", help=texts("cli.backup.folder"))
    of.add_argument("--to", type=path(texts), required=True, metavar="FOLDER", help=texts("cli.restore.to"))
    of.add_argument("--erased-in", type=path(texts), metavar="FOLDER", help=texts("cli.restore.erased_in"))
    of.add_argument("--replace", action="store_true", help=texts("cli.restore.replace"))
    of.add_argument("--erase-former", action="store_true", help=texts("cli.restore.erase_former"))
    of.add_argument("--accept-unknown", action="store_true", help=texts("cli.restore.accept_unknown"))
    of.add_argument("--json", action="store_true", help=texts("cli.json"))
