"""The only place that knows which part is plugged into which. Each command of `cli` is one function of this package.

Each is imported when its command is given: the desk must be quick to appear, and the engine needs no Qt.
"""

from __future__ import annotations

import argparse

from softphone.bootstrap.home import Home, speak_command_line, texts

__all__ = [
    "Home",
    "archive_admit",
    "archive_backup",
    "archive_export",
    "archive_head",
    "archive_health",
    "archive_judge",
    "archive_list",
    "archive_log",
    "archive_opt_out",
    "archive_orphan",
    "archive_play",
    "archive_policy_signer",
    "archive_restore",
    "archive_reviewed",
    "archive_share",
    "archive_show",
    "archive_sweep",
    "archive_verify",
    "archive_withdraw",
    "cases_decide",
    "cases_list",
    "cases_show",
    "holds_close",
    "holds_confirm",
    "holds_lift",
    "holds_list",
    "holds_raise",
    "keys_create",
    "keys_escrow_make",
    "keys_escrow_restore",
    "keys_export",
    "keys_import",
    "keys_list",
    "keys_revoke",
    "keys_rotate",
    "policy_check",
    "policy_decide",
    "policy_explain",
    "policy_new",
    "policy_notice",
    "policy_record",
    "policy_schema",
    "policy_sign",
    "run_desk",
    "run_doctor",
    "run_edge",
    "run_engine",
    "run_plugin_host",
    "run_review",
    "run_session",
    "speak_command_line",
    "texts",
]


def run_desk(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.desk import run_desk

    return run_desk(arguments)


def run_engine(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.engine import run_engine

    return run_engine(arguments)


def run_plugin_host(arguments: argparse.Namespace) -> int:
    from softphone.plugin.host import main

    return main(arguments.folders)


def run_edge(_: argparse.Namespace) -> int:
    from softphone.edge.process import main

    return main()


def run_review(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.review import run_review

    return run_review(arguments)


def run_session(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.session import run_session

    return run_session(arguments)


def run_doctor(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.doctor import run_doctor

    return run_doctor(arguments)


def keys_create(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_create

    return keys_create(arguments)


def keys_list(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_list

    return keys_list(arguments)


def keys_export(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_export

    return keys_export(arguments)


def keys_import(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_import

    return keys_import(arguments)


def keys_rotate(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_rotate

    return keys_rotate(arguments)


def keys_revoke(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_revoke

    return keys_revoke(arguments)


def keys_escrow_make(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_escrow_make

    return keys_escrow_make(arguments)


def keys_escrow_restore(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.keys import keys_escrow_restore

    return keys_escrow_restore(arguments)


def policy_check(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.policy.check import policy_check

    return policy_check(arguments)


def policy_explain(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.policy.explain import policy_explain

    return policy_explain(arguments)


def policy_schema(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.policy.schema import policy_schema

    return policy_schema(arguments)


def policy_decide(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.policy.decide import policy_decide

    return policy_decide(arguments)


def policy_sign(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.policy.signing import policy_sign

    return policy_sign(arguments)


def policy_new(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.policy.new import policy_new

    return policy_new(arguments)


def archive_list(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.finding import archive_list

    return archive_list(arguments)


def archive_log(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.log import archive_log

    return archive_log(arguments)


def archive_show(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.finding import archive_show

    return archive_show(arguments)


def archive_health(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.health import archive_health

    return archive_health(arguments)


def archive_orphan(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.judging import archive_orphan

    return archive_orphan(arguments)


def archive_admit(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.admitting import archive_admit

    return archive_admit(arguments)


def archive_policy_signer(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.signer import archive_policy_signer

    return archive_policy_signer(arguments)


def archive_share(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.admitting import archive_share

    return archive_share(arguments)


def archive_play(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.listening import archive_play

    return archive_play(arguments)


def archive_export(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.listening import archive_export

    return archive_export(arguments)


def archive_sweep(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.retention import archive_sweep

    return archive_sweep(arguments)


def archive_judge(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.judging import archive_judge

    return archive_judge(arguments)


def archive_verify(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.proving import archive_verify

    return archive_verify(arguments)


def archive_backup(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.backup import archive_backup

    return archive_backup(arguments)


def archive_restore(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.backup import archive_restore

    return archive_restore(arguments)


def archive_reviewed(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.retention import archive_reviewed

    return archive_reviewed(arguments)


def archive_head(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.proving import archive_head

    return archive_head(arguments)


def archive_withdraw(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.rights import archive_withdraw

    return archive_withdraw(arguments)


def archive_opt_out(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive.rights import archive_opt_out

    return archive_opt_out(arguments)


def cases_list(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.cases import cases_list

    return cases_list(arguments)


def cases_show(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.cases import cases_show

    return cases_show(arguments)


def cases_decide(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.cases import cases_decide

    return cases_decide(arguments)


def holds_list(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.holds import holds_list

    return holds_list(arguments)


def holds_raise(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.holds import holds_raise

    return holds_raise(arguments)


def holds_confirm(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.holds import holds_confirm

    return holds_confirm(arguments)


def holds_lift(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.holds import holds_lift

    return holds_lift(arguments)


def holds_close(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.holds import holds_close

    return holds_close(arguments)


def policy_notice(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.notices import policy_notice

    return policy_notice(arguments)


def policy_record(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.notices import policy_record

    return policy_record(arguments)
