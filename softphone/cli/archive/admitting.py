"""`klartone archive admit` and `share`: the archive for several people on one machine, each with a keyring of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

from softphone.archive.folder import sharing
from softphone.archive.folder.marker import read_marker
from softphone.bootstrap.archive.shared import print_line
from softphone.bootstrap.archive.viewing import seeing_here
from softphone.bootstrap.home import Home, texts
from softphone.cli.keys import new_passphrase
from softphone.domain.errors import ArchiveError


def archive_admit(arguments: argparse.Namespace) -> int:
    """A file for another person. Without `--numbers` they see no number and cannot search by one."""
    tell, path = texts(), arguments.file
    numbers: bool = arguments.numbers
    with seeing_here(arguments, by_keys=True) as viewing:
        viewing.archive.upkeep.require_admit(numbers=numbers)
        passphrase = new_passphrase(tell("keys.ask.new", file=path), path, tell)
        viewing.archive.upkeep.admit(path, passphrase, numbers=numbers)
    print_line(tell("archive.admitted.numbers" if numbers else "archive.admitted.catalog", file=path))
    return 0


def archive_share(arguments: argparse.Namespace) -> int:
    """The folder and its files, for a group of this machine's users."""
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    folder: Path = arguments.archive or home.archive(settings)
    marker = read_marker(folder)
    if marker.demo:
        raise ArchiveError("error.archive.share_demo")

    def noted() -> None:
        with seeing_here(arguments, by_keys=True) as viewing:
            viewing.archive.upkeep.note_shared(arguments.group)

    sharing.share(folder, arguments.group, noted)
    print_line(texts()("archive.shared", path=folder, group=arguments.group))
    return 0
