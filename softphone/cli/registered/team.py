"""`klartone team`: for those who run the house's service. It takes `klartone[team]`, which the desk does without."""

from __future__ import annotations

import argparse
from importlib import import_module

from softphone.cli.registered.settings import account_fields
from softphone.cli.registering import Commands, Parser
from softphone.cli.words import choices, one_of, path, word
from softphone.domain.errors import TeamError
from softphone.domain.roles import Role
from softphone.texts import Texts

_AT = "softphone.cli.registered.team"
_BROUGHT = frozenset({"boto3", "botocore", "fastapi", "prometheus_client", "psycopg", "psycopg_pool", "uvicorn"})
_LONGEST = 30
"""days that an invitation is good for, at most"""


def add_team(commands: Commands) -> None:
    here, texts = commands.group("team", prefix="team."), commands.texts
    init = here.add("init", f"{_AT}:run_init")
    _settings(init, texts)
    init.add_argument("--user", type=word(texts), metavar="NAME", help=texts("cli.team.user"))
    serve = here.add("serve", f"{_AT}:run_serve")
    _settings(serve, texts)
    serve.add_argument("--port", type=int, metavar="N", help=texts("cli.team.port"))
    serve.add_argument("--check", action="store_true", help=texts("cli.team.check"))
    sign_in = here.add("sign-in", f"{_AT}:run_sign_in")
    _settings(sign_in, texts)
    sign_in.add_argument("--check", action="store_true", help=texts("cli.team.check"))
    sweep = here.add("sweep", f"{_AT}:run_sweep")
    _settings(sweep, texts)
    sweep.add_argument("--head", action="store_true", help=texts("cli.team.head"))
    verify = here.add("verify", f"{_AT}:run_verify")
    _settings(verify, texts)
    verify.add_argument("--digests", choices=("none", "some", "all"), default="some", help=texts("cli.team.digests"))
    verify.add_argument("--anew", action="store_true", help=texts("cli.team.anew"))
    verify.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    restored = here.add("restored", f"{_AT}:run_restored")
    _settings(restored, texts)
    restored.add_argument("--yes", action="store_true", help=texts("cli.team.restored_yes"))
    invite = here.add("invite", f"{_AT}:run_invite")
    _settings(invite, texts)
    invite.add_argument("subject", type=word(texts), metavar="NAME", help=texts("cli.team.subject"))
    invite.add_argument(
        "--role", action="append", required=True, type=one_of(Role), choices=choices(Role), help=texts("cli.team.role")
    )
    invite.add_argument(
        "--agent", action="append", default=[], type=word(texts), metavar="ADDRESS", help=texts("cli.team.agent")
    )
    invite.add_argument("--signer", required=True, type=word(texts), metavar="KEY", help=texts("cli.team.signer"))
    invite.add_argument(
        "--days", type=int, choices=range(1, _LONGEST + 1), default=7, metavar="N", help=texts("cli.team.days")
    )
    policy = here.add("policy", f"{_AT}:run_policy")
    _settings(policy, texts)
    policy.add_argument("file", type=path(texts), metavar="FILE", help=texts("cli.team.policy_file"))
    policy.add_argument("--signer", required=True, type=word(texts), metavar="KEY", help=texts("cli.team.signer"))
    policy.add_argument("--succession", type=word(texts), metavar="WORD", help=texts("cli.team.succession"))
    told = here.add("desk-settings", f"{_AT}:run_desk_settings")
    _settings(told, texts)
    told.add_argument("file", type=path(texts), metavar="FILE", help=texts("cli.team.desk_settings_file"))
    _accounts(here.group("account", prefix="team.account."), texts)
    people = here.add("people", f"{_AT}:run_people")
    _settings(people, texts)
    people.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    revoke = here.add("revoke", f"{_AT}:run_revoke")
    _settings(revoke, texts)
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("desk", nargs="?", type=word(texts), metavar="DESK", help=texts("cli.team.revoke_desk"))
    which.add_argument("--person", type=word(texts), metavar="NAME", help=texts("cli.team.revoke_person"))
    which.add_argument("--let-back", type=word(texts), metavar="NAME", help=texts("cli.team.revoke_let_back"))


def _accounts(here: Commands, texts: Texts) -> None:
    one = here.add("set", f"{_AT}:run_account_set")
    one.add_argument("address", type=word(texts), metavar="ADDRESS", help=texts("setting.account.address"))
    account_fields(one, texts)
    one.add_argument("--password-stdin", action="store_true", help=texts("cli.team.account.password_stdin"))
    remove = here.add("remove", f"{_AT}:run_account_remove")
    remove.add_argument("address", type=word(texts), metavar="ADDRESS", help=texts("setting.account.address"))
    listed = here.add("list", f"{_AT}:run_account_list")
    listed.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    for each in (one, remove, listed):
        _settings(each, texts)


def run_account_set(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.accounts", "account_set", arguments)


def run_account_remove(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.accounts", "account_remove", arguments)


def run_account_list(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.accounts", "account_list", arguments)


def run_desk_settings(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.desk_settings", "team_desk_settings", arguments)


def run_init(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.setting_up", "team_init", arguments)


def run_people(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.people", "team_people", arguments)


def run_policy(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.policy", "team_policy", arguments)


def run_revoke(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.revoking", "team_revoke", arguments)


def run_serve(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.serving", "team_serve", arguments)


def run_sign_in(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.serving", "team_sign_in", arguments)


def run_sweep(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.sweeping", "team_sweep", arguments)


def run_verify(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.verifying", "team_verify", arguments)


def run_restored(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.restoring", "team_restored", arguments)


def run_invite(arguments: argparse.Namespace) -> int:
    return _run("softphone.cli.team.inviting", "team_invite", arguments)


def _settings(of: Parser, texts: Texts) -> None:
    of.add_argument("--settings", type=path(texts), required=True, metavar="FILE", help=texts("cli.team.settings"))


def _run(module: str, name: str, arguments: argparse.Namespace) -> int:
    try:
        run = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing not in _BROUGHT and not missing.startswith(("softphone.team", "softphone.cli.team")):
            raise
        raise TeamError("error.team.not_installed", name=missing) from None
    return run(arguments)
