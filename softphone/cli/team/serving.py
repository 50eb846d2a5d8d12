"""`klartone team serve` and `sign-in`, until they are told to stop; `--check` only says whether everything is there."""

from __future__ import annotations

import argparse
import os
import sys

from softphone import __version__
from softphone.bootstrap.home import texts
from softphone.domain.errors import KlartoneError, TeamError
from softphone.system.signature import public_half
from softphone.team.schema import SERVICE, SIGN_IN
from softphone.team.serving import (
    certificate_of,
    fits,
    outlives,
    refuse_if_restored,
    serve,
    shortcomings,
    sign_in,
    storage_of,
)
from softphone.team.settings import PREFIX, SIGN_IN_PASSWORD, TeamSettings, read_secrets, read_settings, secret_in
from softphone.texts import Texts


def team_serve(arguments: argparse.Namespace) -> int:
    """It does not serve with a bucket that lacks something: what it could not hold or erase, it does not take."""
    tell = texts()
    settings, secrets = read_settings(arguments.settings), read_secrets(os.environ)
    if arguments.port is not None:
        settings = settings.model_copy(update={"serve": settings.serve.model_copy(update={"port": arguments.port})})
    lacking = shortcomings(storage_of(settings, secrets.storage))
    for one in lacking:
        print(tell.error(KlartoneError(one.code, **one.params)), file=sys.stderr)  # noqa: T201
    if lacking:
        return 1
    _say_version(tell, settings, SERVICE, secrets.database)
    refuse_if_restored(settings, SERVICE, secrets.database, storage_of(settings, secrets.storage))
    if os.environ.get(PREFIX + SIGN_IN_PASSWORD) or os.environ.get(f"{PREFIX}{SIGN_IN_PASSWORD}_FILE"):
        print(tell("team.has_too_much", name=PREFIX + SIGN_IN_PASSWORD), file=sys.stderr)  # noqa: T201
    if arguments.check:
        certificate_of(settings)
        _say(tell, "team.bucket_whole", bucket=settings.storage.bucket)
        _say(tell, "team.receipt_key", key=public_half(secrets.receipt_key))
        if not outlives(settings, SERVICE, secrets.database):
            print(tell("team.outlives_nothing", how=settings.database.durable.value), file=sys.stderr)  # noqa: T201
        return 0
    serve(settings, secrets, lambda at: _say(tell, "team.serving", at=at))
    return 0


def team_sign_in(arguments: argparse.Namespace) -> int:
    tell = texts()
    settings, password = read_settings(arguments.settings), secret_in(os.environ, SIGN_IN_PASSWORD)
    _say_version(tell, settings, SIGN_IN, password)
    if arguments.check:
        _say(tell, "team.sign_in_whole")
        return 0
    sign_in(settings, password, lambda at: _say(tell, "team.serving", at=at))
    return 0


def _say_version(tell: Texts, settings: TeamSettings, user: str, password: str) -> None:
    """Of an older database it says so and begins: it answers 503 until `init` has run. Raises TeamError for all else."""
    try:
        newer = fits(settings, user, password)
    except TeamError as error:
        if error.code != "error.team.old_schema":
            raise
        print(tell.error(error), file=sys.stderr)  # noqa: T201
    else:
        if newer:
            print(tell("team.older_program", program=__version__, found=newer), file=sys.stderr)  # noqa: T201


def _say(tell: Texts, code: str, **params: str | int) -> None:
    print(tell(code, **params), flush=True)  # noqa: T201
