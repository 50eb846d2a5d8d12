"""`klartone keys desk` and `keys certify`: how a house says which desks are its own, for call passports."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, time

from softphone.archive.crypto.ring import KeyPurpose, signing_name
from softphone.archive.crypto.wraps import signer_name
from softphone.archive.folder.marker import read_marker
from softphone.bootstrap.home import Home, key_store, texts
from softphone.domain.errors import KeyringError
from softphone.domain.policy import Period
from softphone.system.passports import certify
from softphone.system.signature import public_half
from softphone.texts import plain


def keys_desk(arguments: argparse.Namespace) -> int:
    """This desk's public key, alone on standard output."""
    home = Home.of(arguments)
    folder = arguments.archive or home.archive(home.settings(only_look=True)[0])
    private = key_store(folder).get(signer_name(read_marker(folder).desk))
    if private is None:
        raise KeyringError("error.keys.no_desk_yet")
    _tell(public_half(private))
    return 0


def keys_certify(arguments: argparse.Namespace) -> int:
    """A desk's certificate, as a line of its settings."""
    home, tell = Home.of(arguments), texts()
    folder = arguments.archive or home.archive(home.settings(only_look=True)[0])
    period = arguments.period if isinstance(arguments.period, Period) else Period.parse(arguments.period)
    private = key_store(folder).get(signing_name(KeyPurpose.HOUSE, arguments.id))
    if private is None:
        raise KeyringError("error.keys.no_house_key", id=arguments.id[:60])
    until = period.after(datetime.now(UTC).date())
    certificate = certify(arguments.key, private, datetime.combine(until, time(), UTC))
    _tell(tell("keys.certified", day=tell.day(until)))
    _tell(f'desk_certificate = "{certificate}"')
    return 0


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
