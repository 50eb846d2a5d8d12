"""The house that this phone belongs to: whether it is reached, knows this desk, and has been asked for news lately."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from softphone.bootstrap.home import texts
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import NotSignedInError

_STALE = timedelta(days=2)
"""a phone that runs asks each minute; one of a weekend has not been heard of for as long"""
_SECONDS = 8.0


def _house(machine: Machine) -> Iterator[Finding]:
    """Nothing for a phone that belongs to none. Whatever cannot be done is raised, in the window's words."""
    from softphone.house.membership import HouseFolder

    folder = HouseFolder(machine.home.folders.data)
    membership = folder.read()
    if membership is None:
        return
    from softphone.archive.folder.marker import read_marker
    from softphone.bootstrap.archive.shared import here
    from softphone.house.joining import Desk

    heard = folder.heard()
    if heard is not None and datetime.now(UTC) - heard > _STALE:
        yield Finding("doctor.house.stale", {"at": here(heard)})
    desk = Desk(folder, machine.keys, read_marker(machine.archive).desk)
    try:
        desk.connection(membership).ask("GET", "/v1/me", seconds=_SECONDS)
    except NotSignedInError as error:
        # IT reads this, whom the window's words would send its user to.
        yield replace(Finding.of(error), remedy="doctor.house.signed_out.remedy")
        return
    since = membership.since_at.astimezone().date()
    yield Finding(
        "doctor.house", {"address": membership.address, "day": texts().day(since), "number": membership.policy}
    )


HOUSE = Check("house", _house)
