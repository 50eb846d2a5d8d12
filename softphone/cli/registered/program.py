"""The commands that start something: the desk, the engine, the review, a session, the demo, and what these start in turn."""

from __future__ import annotations

import argparse
from pathlib import Path

from softphone.cli.registering import Commands, archive_option
from softphone.cli.words import path, policy_number, seconds, still_to_come, waits, word
from softphone.domain.roles import Permission
from softphone.texts import Texts

DESK = "softphone.bootstrap.desk:run_desk"


def add_program(commands: Commands) -> None:
    texts = commands.texts
    desk = commands.add("desk", DESK)
    desk.add_argument("link", nargs="?", metavar="LINK", help=texts("cli.desk.link"))
    wanted = [Permission.REVIEW, Permission.FIND_OWN]
    review = commands.add("review", "softphone.bootstrap.review:run_review", wanted)
    review.add_argument("--shared", action="store_true", help=texts("cli.review.shared"))
    archive_option(review, texts)
    engine = commands.add("engine", "softphone.bootstrap.engine:run_engine")
    engine.add_argument("--stdio", action="store_true", help=texts("cli.engine.stdio"))
    session = commands.add("session", "softphone.bootstrap.session:run_session")
    session.add_argument("--stdio", action="store_true", required=True, help=texts("cli.session.stdio"))
    session.add_argument("--policy", type=path(texts), metavar="FILE", help=texts("cli.session.policy"))
    _demo(commands.add("demo", "softphone.demo.story:run_demo"), texts)
    # Started by the demo and the engine: a frozen program has no other way in.
    customer = commands.add("demo-customer", "softphone.cli.registered.program:run_customer", hidden=True)
    customer.add_argument("voice", type=Path)
    customer.add_argument("listen", choices=["yes", "no"])
    host = commands.add("plugin-host", "softphone.cli.registered.program:run_plugin_host", hidden=True)
    host.add_argument("folders", nargs="*")
    commands.add("edge", "softphone.cli.registered.program:run_edge", hidden=True)
    doctor = commands.add("doctor", "softphone.cli.doctor.run:run_doctor")
    doctor.add_argument("--json", action="store_true", help=texts("cli.json"))
    support = commands.add("support", "softphone.cli.support:run_support")
    support.add_argument("file", type=path(texts), metavar="FILE", help=texts("cli.support.file"))
    support.add_argument("--forget-crashes", action="store_true", help=texts("cli.support.forget"))
    support.add_argument("--json", action="store_true", help=texts("cli.json"))
    join = commands.add("join", "softphone.cli.joining:run_join")
    link = join.add_mutually_exclusive_group()
    link.add_argument("link", nargs="?", type=word(texts), metavar="LINK", help=texts("cli.join.link"))
    link.add_argument("--link-stdin", action="store_true", help=texts("cli.join.link_stdin"))
    join.add_argument("--signer", type=word(texts), metavar="KEY", help=texts("cli.join.signer"))
    join.add_argument(
        "--policy-number", type=policy_number(texts), default=0, metavar="N", help=texts("cli.join.policy_number")
    )
    join.add_argument("--authority", type=path(texts), metavar="FILE", help=texts("cli.join.authority"))
    parts = commands.add("leave", "softphone.cli.joining:run_leave")
    parts.add_argument("--offline", action="store_true", help=texts("cli.leave.offline"))
    status = commands.add("status", "softphone.cli.status:run_status")
    status.add_argument("--json", action="store_true", help=texts("cli.json"))
    leave = commands.add("quit", "softphone.cli.quitting:run_quit")
    leave.add_argument("--when-idle", action="store_true", help=texts("cli.quit.when_idle"))
    until = leave.add_mutually_exclusive_group()
    until.add_argument("--by", type=still_to_come(texts), metavar="TIME", help=texts("cli.quit.by"))
    until.add_argument("--within", type=waits(texts), metavar="SECONDS", help=texts("cli.quit.within"))
    until.add_argument("--now", action="store_true", help=texts("cli.quit.now"))
    leave.add_argument("--wait", type=waits(texts), default=10.0, metavar="SECONDS", help=texts("cli.quit.wait"))


def run_plugin_host(arguments: argparse.Namespace) -> int:
    from softphone.plugin.host import main

    return main(arguments.folders)


def run_edge(_: argparse.Namespace) -> int:
    from softphone.edge.process import main

    return main()


def run_customer(arguments: argparse.Namespace) -> int:
    from softphone.demo.customer import run_customer

    return run_customer(arguments.voice, listen=arguments.listen == "yes")


def _demo(demo: argparse.ArgumentParser, texts: Texts) -> None:
    demo.add_argument("--headless", action="store_true", help=texts("cli.demo.headless"))
    demo.add_argument("--json", action="store_true", help=texts("cli.demo.json"))
    notices = ["N1", "N2", "N3", "N4", "N6", "N7", "none"]
    demo.add_argument("--notice", choices=notices, default="N7", help=texts("cli.demo.notice"))
    demo.add_argument("--party", choices=["yes", "silent", "other-key"], default="yes", help=texts("cli.demo.party"))
    demo.add_argument(
        "--agent", choices=["nothing", "opt-out", "dispute"], default="nothing", help=texts("cli.demo.agent")
    )
    demo.add_argument("--seconds", type=seconds(texts), default=15.0, metavar="S", help=texts("cli.demo.seconds"))
    demo.add_argument("--archive", type=path(texts), metavar="DIR", help=texts("cli.demo.folder"))
    demo.add_argument("--screenshots", type=path(texts), metavar="DIR", help=texts("cli.demo.screenshots"))
    demo.add_argument("--listen", action="store_true", help=texts("cli.demo.listen"))
