"""What a command is registered with holds: each can be loaded, and whoever lacks its permissions is refused, as the log tells."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from softphone import bootstrap, cli
from softphone.cli.registering import Command
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role, may
from tests.archive.people import ANNA, House
from tests.archive.scene import DOCUMENTATION, TRAINING

pytestmark = pytest.mark.usefixtures("english")

PEOPLE = {
    Role.IT: ((), None),
    Role.AGENT: ((), ANNA),
    Role.CASE_HANDLER: ((KeyRole.DOCUMENTATION,), None),
    Role.LEAD: ((KeyRole.TRAINING,), None),
    Role.CUSTODY: ((KeyRole.CUSTODY,), None),
}
WORDS = {
    "archive list": "",
    "archive show": "ID",
    "archive play": "ID",
    "archive export": "ID --wav FILE",
    "archive log": "",
    "archive judge": "",
    "archive withdraw": "ID",
    "archive opt-out": "ID",
    "archive orphan": "ID --delete --reason closed",
    "archive reviewed": "ID",
    "holds raise": "ID --by party --why price",
    "holds confirm": "ID --look-again 2098-01-01",
    "holds lift": "ID --reason settled",
    "holds close": "ID --answered 2026-11-25",
    "cases list": "",
    "cases show": "ID",
    "cases decide": "ID --uphold --reason",
}
"""what makes each a whole command; `ID` is a recording's, which no hold has"""
WINDOWS = {"review"}
"""which say why they have nothing to show in their window"""
REFUSALS = {"refused", "hold_refused"}


def registered(parser: argparse.ArgumentParser, *before: str) -> Iterator[tuple[str, Command]]:
    run = parser.get_default("run")
    if before and isinstance(run, Command):
        yield " ".join(before), run
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, under in action.choices.items():
                yield from registered(under, *before, name)


COMMANDS = dict(registered(cli.build_parser(bootstrap.texts())))


def test_each_command_is_a_function_that_is_there() -> None:
    for name, one in COMMANDS.items():
        module, _, function = one.function.partition(":")
        assert callable(getattr(import_module(module), function)), name


@pytest.mark.rule("G11")
def test_whoever_lacks_the_permissions_of_a_command_is_refused_and_the_log_tells(home: House, tmp_path: Path) -> None:
    needs = {name: one.permissions for name, one in COMMANDS.items() if one.permissions and name not in WINDOWS}
    assert needs.keys() == WORDS.keys()
    recording = home.recorded(DOCUMENTATION, TRAINING)
    for role, (keys, account) in PEOPLE.items():
        person = home.person(role.value, *keys, account=account)
        for name in (name for name, one in needs.items() if not any(may([role], each) for each in one)):
            words = [{"ID": recording, "FILE": str(tmp_path / "x.wav")}.get(word, word) for word in WORDS[name].split()]
            words += ["the price was agreed in writing"] if name == "cases decide" else []
            before = len(home.desk.archive.audit_of())
            said = person.does(*name.split(), *words)
            assert (role, name, said.status, said.out) == (role, name, 1, "")
            assert said.err
            entries = home.desk.archive.audit_of()[before:]
            assert (role, name, {one.event for one in entries} <= REFUSALS, len(entries)) == (role, name, True, 1)
    assert not (tmp_path / "x.wav").exists()
