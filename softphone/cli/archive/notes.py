"""`klartone archive notes`: what agents noted about a party's calls, for a request for access, and its erasure (G08, G37)."""

from __future__ import annotations

import argparse
import json

from softphone.bootstrap.archive.shared import here, party_of, print_line, words_of
from softphone.bootstrap.archive.viewing import seeing
from softphone.bootstrap.home import texts
from softphone.domain.archive.decisions import AgentNote
from softphone.domain.errors import ArchiveError


def archive_notes(arguments: argparse.Namespace) -> int:
    reason = words_of(arguments.reason, "--reason") if arguments.reason else ""
    if arguments.erase and not reason:
        raise ArchiveError("error.notes.reason")
    if (number := party_of(arguments.number)) is None:
        raise ArchiveError("error.notes.no_number")
    with seeing(arguments, by_keys=True) as viewing:
        tell = texts(time_zone=viewing.time_zone)
        rights = viewing.archive.rights
        if arguments.erase:
            print_line(tell("notes.erased", count=rights.erase_notes(number, reason)))
            return 0
        found = rights.notes(number)
    for one in found:
        if arguments.json:
            print_line(json.dumps(_as_json(one), ensure_ascii=False))
        else:
            print_line(tell("notes.one", at=here(one.at, tell.zone), agent=one.agent, until=tell.day(one.until)))
            for line in one.text.split("\n"):
                print_line(f"    {line}")
    if not found and not arguments.json:
        print_line(tell("notes.none"))
    return 0


def _as_json(one: AgentNote) -> dict[str, str]:
    return {
        "call": one.call,
        "agent": one.agent,
        "at": one.at.isoformat(),
        "until": one.until.isoformat(),
        "note": one.text,
    }
