"""`klartone team init`: roles, tables and rights in the house's database, made or brought up to date.

Run it again after each update, before the services: it tells what it did, and changes nothing that is right already.
"""

from __future__ import annotations

import argparse
import os

from softphone.bootstrap.home import texts
from softphone.team import logins
from softphone.team.schema import MIGRATOR, SERVICE, SIGN_IN, SWEEPER, setting_up
from softphone.team.settings import (
    DATABASE_PASSWORD,
    MIGRATOR_PASSWORD,
    SIGN_IN_PASSWORD,
    SWEEPER_PASSWORD,
    read_settings,
    secret_in,
)

_PASSWORDS = {
    SERVICE: DATABASE_PASSWORD,
    SIGN_IN: SIGN_IN_PASSWORD,
    SWEEPER: SWEEPER_PASSWORD,
    MIGRATOR: MIGRATOR_PASSWORD,
}


def team_init(arguments: argparse.Namespace) -> int:
    settings, tell = read_settings(arguments.settings), texts()
    passwords = {login: secret_in(os.environ, name) for login, name in _PASSWORDS.items()}
    user = arguments.user or ""
    conninfo = logins.conninfo(settings.database, user, passwords[MIGRATOR] if user == MIGRATOR else "")
    for done in setting_up.set_up(conninfo, passwords):
        print(tell(f"team.init.{done.what}", name=done.name), flush=True)  # noqa: T201
    return 0
