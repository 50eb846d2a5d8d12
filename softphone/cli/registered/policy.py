"""`klartone policy`: the rules by which this machine records, and the notices they play."""

from __future__ import annotations

import argparse

from softphone.cli.registering import Commands
from softphone.cli.words import language, path, sound_file, word
from softphone.domain.decision import NoticeId
from softphone.texts import Texts


def add_policy(commands: Commands) -> None:
    policy, texts = commands.group("policy"), commands.texts
    check = policy.add("check", "softphone.cli.policy.check:policy_check")
    explain = policy.add("explain", "softphone.cli.policy.explain:policy_explain")
    decide = policy.add("decide", "softphone.cli.policy.decide:policy_decide")
    sign = policy.add("sign", "softphone.cli.policy.signing:policy_sign")
    for one in (check, decide, sign):
        _file(one.add_mutually_exclusive_group(), texts, "cli.policy.file")
    _file(explain, texts, "cli.policy.file")  # behind the option, its one word is the line
    check.add_argument("--json", action="store_true", help=texts("cli.json"))
    check.add_argument("--confirm", metavar="HASH", help=texts("cli.policy.confirm"))
    check.add_argument("--by", metavar="NAME", help=texts("cli.policy.by"))
    explain.add_argument("line", nargs="?", metavar="LINE", help=texts("cli.policy.line"))
    decide.add_argument("--json", required=True, metavar="FACTS", help=texts("cli.policy.facts"))
    sign.add_argument("--id", required=True, metavar="ID", help=texts("cli.policy.signing_key"))
    succession = policy.add("succession", "softphone.cli.policy.signing:policy_succession")
    succession.add_argument("key", type=word(texts), metavar="KEY", help=texts("cli.policy.successor"))
    succession.add_argument("--id", required=True, metavar="ID", help=texts("cli.policy.signing_key"))
    policy.add("schema", "softphone.cli.policy.schema:policy_schema")
    new = policy.add("new", "softphone.cli.policy.new:policy_new")
    _file(new.add_mutually_exclusive_group(), texts, "cli.policy.new_file")
    for one in (check, explain, decide, new):
        told_in = texts("cli.policy.language")
        one.add_argument("--language", type=language(texts), metavar="da|en", dest="told_in", help=told_in)
    notice = policy.add("notice", "softphone.cli.notices:policy_notice")
    _notices(notice, policy.add("record", "softphone.cli.notices:policy_record"), texts)


def _file(of: argparse._ActionsContainer, texts: Texts, what: str) -> None:
    """The policy's file, as a word of its own or by the option that `notice` and `record` have too."""
    of.add_argument("file", nargs="?", type=path(texts), metavar="FILE", help=texts(what))
    of.add_argument("--policy", type=path(texts), metavar="FILE", help=texts("cli.policy.option"))


def _notices(notice: argparse.ArgumentParser, record: argparse.ArgumentParser, texts: Texts) -> None:
    for one in (notice, record):
        needed = one is record
        notices = [str(each) for each in NoticeId]
        one.add_argument("line", metavar="LINE", help=texts("cli.notice.line"))
        one.add_argument("--policy", type=path(texts), metavar="FILE", help=texts("cli.notice.policy"))
        one.set_defaults(file=None)
        prefix = "cli.record" if needed else "cli.notice"
        one.add_argument("--notice", choices=notices, required=needed, metavar="N7", help=texts(f"{prefix}.notice"))
        spoken = texts(f"{prefix}.language")
        one.add_argument("--language", type=language(texts), metavar="da|en", required=needed, help=spoken)
    notice.add_argument("--wav", type=sound_file(texts), metavar="FILE", help=texts("cli.notice.wav"))
    notice.add_argument("--listen", action="store_true", help=texts("cli.notice.listen"))
    notice.add_argument("--narrow-band", action="store_true", help=texts("cli.notice.narrow_band"))
    record.add_argument("--wav", type=sound_file(texts), metavar="FILE", help=texts("cli.record.wav"))
    record.add_argument(
        "--from", type=path(texts), action="append", dest="source", metavar="FILE", help=texts("cli.record.from")
    )
    record.add_argument("--listen", action="store_true", help=texts("cli.record.listen"))
