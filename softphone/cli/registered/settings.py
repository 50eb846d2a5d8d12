"""`klartone settings` and `klartone account`: what holds on this machine for this user, and who says so."""

from __future__ import annotations

from typing import get_args

from softphone.cli.registering import Commands, Parser
from softphone.cli.words import path, word
from softphone.texts import Texts
from softphone.wire.snapshot import Srtp, Transport

AT = "softphone.cli.settings"
ACCOUNTS_AT = "softphone.cli.accounts"


def add_settings(commands: Commands) -> None:
    settings, texts = commands.group("settings", prefix="settings."), commands.texts
    show = settings.add("show", f"{AT}:settings_show")
    show.add_argument("key", nargs="?", type=word(texts), metavar="KEY", help=texts("cli.settings.which"))
    show.add_argument("--origin", action="store_true", help=texts("cli.settings.origin"))
    show.add_argument("--json", action="store_true", help=texts("cli.json"))
    change = settings.add("set", f"{AT}:settings_set")
    change.add_argument("key", type=word(texts), metavar="KEY", help=texts("cli.settings.key"))
    value = change.add_mutually_exclusive_group(required=True)
    value.add_argument("value", nargs="?", metavar="VALUE", help=texts("cli.settings.value"))
    value.add_argument("--default", action="store_true", help=texts("cli.settings.default"))
    check = settings.add("check", f"{AT}:settings_check")
    check.add_argument("file", nargs="?", type=path(texts), metavar="FILE", help=texts("cli.settings.file"))
    _accounts(commands)


def _accounts(commands: Commands) -> None:
    account, texts = commands.group("account", prefix="account."), commands.texts
    add = account.add("add", f"{ACCOUNTS_AT}:account_add")
    add.add_argument("address", type=word(texts), metavar="ADDRESS", help=texts("setting.account.address"))
    add.add_argument("--id", type=word(texts), metavar="ID", help=texts("cli.account.id"))
    account_fields(add, texts)
    account.add("list", f"{ACCOUNTS_AT}:account_list").add_argument(
        "--json", action="store_true", help=texts("cli.json")
    )
    remove = account.add("remove", f"{ACCOUNTS_AT}:account_remove")
    password = account.add("password", f"{ACCOUNTS_AT}:account_password")
    for one in (remove, password):
        one.add_argument("id", type=word(texts), metavar="ID", help=texts("cli.account.which"))
    for one in (add, password):
        stdin = texts("cli.account.password_stdin")
        one.add_argument("--password-stdin", action="store_true", required=one is password, help=stdin)


def account_fields(of: Parser, texts: Texts) -> None:
    """What an account may say beside its address; None each that is not given."""
    for option, key in (
        ("--user", "user"),
        ("--display-name", "display_name"),
        ("--outbound-proxy", "outbound_proxy"),
        ("--certificate-authority", "certificate_authority"),
        ("--mailbox", "mailbox"),
    ):
        of.add_argument(option, dest=key, metavar="TEXT", help=texts(f"setting.account.{key}"))
    of.add_argument("--transport", choices=get_args(Transport), help=texts("setting.account.transport"))
    of.add_argument("--srtp", choices=get_args(Srtp), help=texts("setting.account.srtp"))
    of.add_argument("--ice", action="store_true", default=None, help=texts("setting.account.ice"))
    of.add_argument(
        "--no-register", dest="register", action="store_false", default=None, help=texts("cli.account.no_register")
    )
    of.add_argument("--accept-from", action="append", metavar="NETWORK", help=texts("setting.account.accept_from"))
