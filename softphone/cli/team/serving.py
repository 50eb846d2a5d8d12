"""`klartone team serve`: the service, until it is told to stop; `--check` only says whether everything is there."""

from __future__ import annotations

import argparse
import os
import sys

from softphone.bootstrap.home import texts
from softphone.domain.errors import KlartoneError
from softphone.system.signature import public_half
from softphone.team.schema import SERVICE
from softphone.team.serving import refuse_if_restored, serve, shortcomings, storage_of
from softphone.team.settings import read_secrets, read_settings
from softphone.texts import Texts


def team_serve(arguments: argparse.Namespace) -> int:
    """It does not serve with a bucket that lacks something: what it could not hold or erase, it does not take."""
    tell = texts()
    settings, secrets = read_settings(arguments.settings), read_secrets(os.environ)
    lacking = shortcomings(storage_of(settings, secrets.storage))
    for one in lacking:
        print(tell.error(KlartoneError(one.code, **one.params)), file=sys.stderr)  # noqa: T201
    if lacking:
        return 1
    refuse_if_restored(settings, SERVICE, secrets.database, storage_of(settings, secrets.storage))
    if arguments.check:
        _say(tell, "team.bucket_whole", bucket=settings.storage.bucket)
        _say(tell, "team.receipt_key", key=public_half(secrets.receipt_key))
        return 0
    serve(settings, secrets, lambda host, port: _say(tell, "team.serving", host=host, port=port))
    return 0


def _say(tell: Texts, code: str, **params: str | int) -> None:
    print(tell(code, **params), flush=True)  # noqa: T201
