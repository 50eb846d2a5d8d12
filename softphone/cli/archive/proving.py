"""`klartone archive verify` and `head`: whether all of it still holds together."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.seen.machine import Finding, Head, damaged_pages
from softphone.bootstrap.archive.shared import opened, print_line
from softphone.bootstrap.home import texts
from softphone.cli.progress import STOPPED, progress
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.texts import Texts


class _EndedError(Exception):
    """Somebody ended it between two looks."""


def archive_verify(arguments: argparse.Namespace) -> int:
    """Status 1 if a difference was found. Ctrl-C ends it between two looks, and it shows what it had seen: status 130."""
    tell = texts()
    kept = _kept_head(arguments.head) if arguments.head else None
    seen = (0, 0)
    with opened(arguments) as archive, progress() as running:

        def onward(done: int, total: int) -> None:
            nonlocal seen
            seen = (done, total) if total else seen
            if running.stopped:
                raise _EndedError
            code = "archive.proving" if total else "archive.proving_catalog"
            running.tell(lambda: tell(code, count=done, total=total))

        try:
            proof = archive.verify(kept, onward)
        except _EndedError:
            running.clear()
            done, total = seen
            print(tell("verify.stopped" if total else "verify.stopped_early", done=done, total=total), file=sys.stderr)  # noqa: T201
            return STOPPED
    if arguments.json:
        print_line(json.dumps(proof.as_json(), ensure_ascii=False))
    else:
        damage = [one for one in proof.findings if one.code == "catalog_damaged"]
        others = [one for one in proof.findings if one not in damage]
        if damage:
            print_line(tell("archive.finding.catalog_damaged", count=damaged_pages(damage)))
        for finding in others:
            print_line(_sentence(finding, tell))
        faults = sum(finding.is_fault for finding in others) + bool(damage)
        counts = {
            "faults": faults,
            "entries": proof.audit_entries,
            "recordings": proof.recordings,
            "chunks": proof.opened_chunks,
        }
        figures = {name: tell(f"verify.{name}", count=count) for name, count in counts.items()}
        print_line(tell("verify.ok" if proof.ok else "verify.not_ok", **figures))
        if kept and proof.head in ("fits", "gone"):
            head = Head.parse(kept)
            print_line(tell(f"verify.head.{proof.head}", number=head.number, day=tell.day(head.at.astimezone().date())))
        if proof.chunks and not proof.opened_chunks:
            print_line(tell("verify.no_sound"))
    return 0 if proof.ok else 1


def _sentence(finding: Finding, tell: Texts) -> str:
    params = dict(finding.params)
    if role := params.get("role"):
        params["role"] = tell("audit.role.custody") if role == KeyRole.CUSTODY else tell(f"purpose.{role}")
    return tell(f"archive.finding.{finding.code}", **params)


def archive_head(arguments: argparse.Namespace) -> int:
    """One line, to be kept elsewhere: `verify --head` holds the log to it."""
    with opened(arguments) as archive:
        head = archive.head(datetime.now(UTC))
    print_line(str(head) if head else texts()("archive.head.none"))
    return 0


def _kept_head(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError("error.archive.no_head") from error
    except OSError as error:
        raise ArchiveError("error.archive.head_unreadable", path=str(path), detail=error.strerror or "") from error
