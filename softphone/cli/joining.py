"""`klartone join` and `klartone leave`: this user's phone becomes a desk of a house, and stops being one."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.house import join_house, leave_house
from softphone.bootstrap.running import tell_of_settings
from softphone.domain.errors import HouseError
from softphone.domain.roles import Role
from softphone.house.browser import by_browser, open_browser
from softphone.texts import plain

_LONGEST = 2_000
"""letters of a link"""


def run_join(arguments: argparse.Namespace) -> int:
    """Raises KlartoneError; then this home is as it was."""
    home, tell = Home.of(arguments), texts()
    words = {"done": tell("house.signed_in_page"), "failed": tell("house.not_signed_in_page")}

    def opens(address: str) -> bool:
        print(tell("house.sign_in_at", address=address), file=sys.stderr, flush=True)  # noqa: T201
        open_browser(address)
        return True  # whoever has none here may have one elsewhere on this machine

    taken = join_house(
        home,
        _read_link() if arguments.link_stdin else arguments.link or "",
        lambda desk: by_browser(desk, words, opens),
        signer=arguments.signer or "",
        least=arguments.policy_number,
        authority=arguments.authority,
    )
    one = taken.membership
    _tell(tell("house.joined", address=one.address, policy=one.policy))
    if one.accounts:
        _tell(tell("house.joined_accounts", accounts=", ".join(str(each["address"]) for each in one.accounts)))
    elif Role.AGENT in one.roles:
        _tell(tell("house.joined_no_account"))
    _tell_phone(home)
    return 0


def _read_link() -> str:
    """Its first line; at a terminal it is asked for, and not shown: a code stands in it. Raises HouseError if there is none."""
    try:
        line = getpass(texts()("join.ask")) if sys.stdin.isatty() else sys.stdin.readline(_LONGEST)
    except UnicodeDecodeError:
        line = ""
    if not (link := line.strip()):
        raise HouseError("error.house.no_link")
    return link


def run_leave(arguments: argparse.Namespace) -> int:
    """Raises KlartoneError; then it is still a member."""
    home, tell = Home.of(arguments), texts()
    left = leave_house(home, offline=arguments.offline)
    _tell(tell("house.left", address=left.address))
    _tell_phone(home)
    return 0


def _tell_phone(home: Home) -> None:
    told = tell_of_settings(home.folders.runtime)
    if told is not None:
        _tell(texts()("settings.set.soon" if told else "settings.set.running"))


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
