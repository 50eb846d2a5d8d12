"""The commands on keys, in words for a person. A passphrase is typed on the terminal, or is a line of standard input.

It is never an argument, and is shown nowhere.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from softphone.archive.crypto import ring
from softphone.archive.crypto.passphrase import Kind, check_passphrase, kind_of
from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.crypto.wraps import (
    KeyStore,
    Recipient,
    master_name,
    signer_name,
)
from softphone.archive.folder.marker import MARKER, Marker, is_here, read_marker
from softphone.archive.keys import escrow, rotation
from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap.archive.opening import open_archive
from softphone.bootstrap.archive.viewing import policy_of
from softphone.bootstrap.home import DEMO_KEYS, Home, key_store, texts
from softphone.cli.policy.signing import create_signing_key
from softphone.cli.progress import Progress, progress
from softphone.cli.tables import show_table
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError, KeyringError
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from softphone.texts import Texts, plain
from softphone.wire.snapshot import Settings

NOTHING_CAME = "error.keys.no_passphrase"
_COMPARED = 16
"""characters of a key's number that two people read to each other"""
_HEADINGS = ("id", "purpose", "number", "kind", "created", "where", "opens")


@dataclass(frozen=True)
class _KeyContext:
    """What the commands work on: the keyring, or a demo's file in its place; the archive's folder; the policy's recipients."""

    folder: Path
    settings: Settings
    store: KeyStore
    runtime: Path
    tell: Texts = field(default_factory=texts)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> _KeyContext:
        home = Home.of(arguments)
        settings, _ = home.settings(only_look=True)
        folder: Path = arguments.archive or home.archive(settings)
        store = key_store(folder)
        if store.demo and (folder / MARKER).exists() and not read_marker(folder).demo:
            raise ArchiveError("error.archive.demo_keys", path=str(folder))
        return cls(folder, settings, store, home.folders.runtime)

    @property
    def place(self) -> str:
        """Where the private keys lie, in words."""
        return DEMO_KEYS if self.store.demo else self.tell("keys.place.keyring")

    def recipients(self, archive: MachineArchive | None = None) -> list[Recipient]:
        """The policy's recipients, if it can be used. `archive`: what a command changes by it."""
        return policy_recipients(policy_of(self.settings, archive))

    def known(self, archive: MachineArchive | None = None) -> list[Known]:
        return ring.with_policy(ring.known_keys(self.store), self.recipients(archive))

    @contextmanager
    def archive(self) -> Generator[MachineArchive]:
        archive = open_archive(self.folder, self.runtime, self.store)
        try:
            yield archive
        finally:
            archive.close()

    def note(self, event: str, **params: str | int) -> None:
        """An entry in the archive's audit log. A machine with keys alone has none."""
        if (self.folder / MARKER).exists():
            with self.archive() as archive:
                archive.note(AuditEntry(event, rotation.RULE, datetime.now(UTC), "", params=params))

    def note_refusal(self, **params: str) -> None:
        """As `note`; if it cannot be written, a refusal stays a refusal."""
        if (self.folder / MARKER).exists():
            with suppress(ArchiveError, KeyringError), self.archive() as archive:
                archive.note_refused(datetime.now(UTC), **params)

    def warn(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)  # noqa: T201


def keys_create(arguments: argparse.Namespace) -> int:
    """A new key pair: the private half into the keyring, the public one as lines for the policy."""
    here = _KeyContext.of(arguments)
    if arguments.purpose == KeyPurpose.POLICY:
        ring.check_free(here.store, arguments.id)
        status = create_signing_key(arguments)
        ring.remember_signer(here.store, arguments.id, datetime.now(UTC))
        return status
    if arguments.purpose == KeyPurpose.HOUSE:
        made = ring.create_house(here.store, arguments.id, datetime.now(UTC))
        _tell(here.tell("keys.house_created", id=made.id, place=here.place))
        _tell(made.as_policy())
        return 0
    created = ring.create(here.store, arguments.id, KeyRole(arguments.purpose), datetime.now(UTC))
    _tell(here.tell("keys.created", id=created.id, place=here.place))
    _tell(created.as_policy())
    return 0


@dataclass(frozen=True)
class _Line:
    """A key as it is listed. `wraps` None: there is no archive here to ask."""

    known: Known | None
    key_id: str
    purpose: str
    private: bool
    where: tuple[str, ...]
    wraps: int | None
    revoked: datetime | None

    @property
    def is_known(self) -> bool:
        """Whether there is such a purpose: somebody may have changed what a wrap says."""
        return self.purpose in [*KeyPurpose]

    def as_json(self) -> dict[str, Any]:
        created = self.known.created if self.known else None
        return {
            "id": self.known.id if self.known else None,
            "key": self.key_id,
            "purpose": self.purpose,
            "purpose_known": self.is_known,
            "kind": "private" if self.private else "public",
            "created": created.isoformat() if created else None,
            "where": self.where,
            "wraps": self.wraps,
            "revoked": self.revoked.isoformat() if self.revoked else None,
        }


def keys_list(arguments: argparse.Namespace) -> int:
    here = _KeyContext.of(arguments)
    lines = _lines(here)
    if arguments.json:
        for line in lines:
            _tell(json.dumps(line.as_json(), ensure_ascii=False))
        return 0
    if not lines:
        _tell(here.tell("keys.none"))
        return 0
    show_table([[here.tell(f"keys.heading.{name}") for name in _HEADINGS], *(_columns(line, here) for line in lines)])
    return 0


def _lines(here: _KeyContext) -> list[_Line]:
    own = {one.key_id for one in ring.known_keys(here.store)}
    recipients = here.recipients()
    in_policy = {one.key_id for one in recipients}
    known = ring.with_policy(ring.known_keys(here.store), recipients)
    counts: dict[tuple[str, str], int] | None = None
    revoked: dict[str, datetime] = {}
    if is_here(here.folder):
        try:
            with here.archive() as archive:
                counts = archive.living_wraps()
                revoked = archive.revoked()
        except (ArchiveError, KeyringError) as error:
            here.warn(here.tell.error(error))
    lines: list[_Line] = []
    place = DEMO_KEYS if here.store.demo else "keyring"
    for one in known:
        role = one.purpose.role
        wraps = None if counts is None or role is None else counts.pop((one.key_id, role), 0)
        where = (*([place] if one.key_id in own else []), *(["policy"] if one.key_id in in_policy else []))
        private = here.store.get(one.private_name) is not None
        lines.append(_Line(one, one.key_id, one.purpose.value, private, where, wraps, revoked.get(one.key_id)))
    for (key_id, role), wraps in sorted((counts or {}).items()):
        private = here.store.get(f"private-{key_id}") is not None
        lines.append(_Line(None, key_id, role, private, ("archive",), wraps, revoked.get(key_id)))
    return lines


def _columns(line: _Line, here: _KeyContext) -> list[str]:
    tell = here.tell
    created = line.known.created if line.known else None
    where = [one if one == DEMO_KEYS else tell(f"keys.where.{one}") for one in line.where]
    opens = [tell("keys.wraps", count=line.wraps) if line.wraps is not None else "–"]
    opens += [tell("keys.revoked", day=line.revoked.date())] if line.revoked else []
    return [
        line.known.id if line.known else tell("keys.nameless"),
        tell(f"keys.purpose.{line.purpose}") if line.is_known else tell("keys.purpose.unknown", purpose=line.purpose),
        line.key_id[:8],
        tell("keys.kind.private" if line.private else "keys.kind.public"),
        tell.day(created.date()) if created else "–",
        ", ".join(where),
        ", ".join(opens),
    ]


def keys_export(arguments: argparse.Namespace) -> int:
    """The public half as text, for the policy; the private one only into a file, under a passphrase."""
    here = _KeyContext.of(arguments)
    known = ring.choose(here.known(), arguments.id)
    path: Path | None = arguments.private
    if path is None:
        _tell(known.as_policy())
        return 0
    if here.store.get(known.private_name) is None:
        here.note_refusal(deed="export", of=known.key_id)
        raise ArchiveError("error.keys.no_private", id=known.id)
    passphrase = new_passphrase(here.tell("keys.ask.new", file=path), path, here.tell)
    here.note("key_exported", key=known.key_id)
    ring.export_private(here.store, known, path, passphrase)
    _tell(here.tell("keys.exported", id=known.id, file=path))
    return 0


def keys_import(arguments: argparse.Namespace) -> int:
    """Another person's public keys, or a pair of one's own."""
    here = _KeyContext.of(arguments)
    path: Path = arguments.file
    if kind_of(path) is Kind.PRIVATE_KEY:
        known = ring.import_private(here.store, path, _passphrase(here.tell("keys.ask.old", file=path)))
        purpose = here.tell(f"keys.purpose.{known.purpose}")
        _tell(here.tell("keys.imported.private", id=known.id, purpose=purpose, place=here.place))
        return 0
    taken = ring.import_public(here.store, path, datetime.now(UTC))
    _tell(here.tell("keys.imported.count", count=len(taken), file=path))
    for one in taken:
        purpose = here.tell(f"keys.purpose.{one.purpose}")
        _tell(here.tell("keys.imported.public", id=one.id, purpose=purpose, key=one.key_id[:_COMPARED]))
    return 0


def keys_rotate(arguments: argparse.Namespace) -> int:
    """Status 1 if something is left to do."""
    here = _KeyContext.of(arguments)
    with here.archive() as archive, progress() as running:
        known = here.known(archive)
        old, new = ring.choose(known, arguments.id).recipient, ring.choose(known, arguments.to).recipient
        done = archive.rotate(old, new, _onward(running, here.tell))
    _tell(here.tell("keys.rotated", old=old.id, new=new.id, count=done.wrapped))
    if done.dropped:
        _tell(here.tell("keys.dropped", id=old.id, count=done.dropped))
    if done.unopened:
        here.warn(here.tell("keys.unopened", id=old.id, count=done.unopened))
    if done.stopped:
        here.warn(here.tell("keys.stopped"))
    return 1 if done.stopped or done.unopened else 0


def keys_revoke(arguments: argparse.Namespace) -> int:
    """Status 1 if somebody ended it before all was dropped. What only this key opens is reported, and is not a fault."""
    here = _KeyContext.of(arguments)
    with here.archive() as archive:
        # The policy names keys, as `keys list` shows them. Revoking a stolen key waits for nobody's signature.
        policy = policy_of(here.settings, None)
        known = ring.with_policy(ring.known_keys(here.store), policy_recipients(policy))
        key = ring.choose(known, arguments.id).recipient
        archive.require_revoke(key)
        of_role = [one for one in policy_recipients(policy) if one.role is key.role]
        stand = {one.key_id for one in archive.standing(of_role)}
        unknown = policy is None and bool(here.settings.policy)
        if (unknown or stand == {key.key_id}) and not arguments.yes:
            purpose = here.tell(f"keys.purpose.{key.role}")
            raise ArchiveError("error.keys.perhaps_last" if unknown else "error.keys.last", id=key.id, purpose=purpose)
        with progress() as running:
            done = archive.revoke(key, _onward(running, here.tell))
        others = archive.standing(of_role)
    _tell(here.tell("keys.revoke.done", id=key.id))
    if done.dropped:
        _tell(here.tell("keys.dropped", id=key.id, count=done.dropped))
    if done.stopped:
        here.warn(here.tell("keys.stopped"))
    elif done.kept:
        here.warn(here.tell("keys.kept", id=key.id, count=done.kept))
    if here.settings.policy and not others:
        here.warn(here.tell("keys.nobody", purpose=here.tell(f"keys.purpose.{key.role}")))
    return 1 if done.stopped else 0


def keys_escrow_make(arguments: argparse.Namespace) -> int:
    here = _KeyContext.of(arguments)
    path: Path = arguments.file
    marker = read_marker(here.folder) if (here.folder / MARKER).exists() else None
    names = (marker.archive, marker.desk) if marker else (None, None)
    held = escrow.gather(here.store, _with_wrapped(here), *names)
    now = datetime.now(UTC)
    passphrase = new_passphrase(here.tell("keys.ask.new", file=path), path, here.tell)
    here.note("escrow_made")
    escrow.make(held, path, passphrase, now)
    _tell(here.tell("keys.escrow.written", file=path))
    _tell(here.tell("keys.escrow.holds", count=len(held.secrets)))
    for line in _in_escrow(held, marker, here.tell):
        _tell(f"  {line}")
    _tell(here.tell("keys.escrow.one"))
    return 0


def _in_escrow(held: escrow.Held, marker: Marker | None, tell: Texts) -> Iterator[str]:
    """A line a key: its owner, its purpose, and how its number begins; for the archive's own, the archive's or the desk's
    id."""
    for one in held.known:
        yield tell("keys.escrow.key", id=one.id, purpose=tell(f"keys.purpose.{one.purpose}"), key=one.key_id[:8])
    if marker is None:
        return
    for name, what, whereof in (
        (master_name(marker.archive), "archive", marker.archive),
        (signer_name(marker.desk), "signer", marker.desk),
    ):
        if name in held.secrets:
            # Two ids of one moment begin alike.
            yield tell(f"keys.escrow.{what}", key=whereof)


def keys_escrow_restore(arguments: argparse.Namespace) -> int:
    here = _KeyContext.of(arguments)
    path: Path = arguments.file
    held = escrow.read(path, lambda: _passphrase(here.tell("keys.ask.old", file=path)))
    if held.demo and arguments.archive and arguments.archive.is_dir() and not (here.folder / MARKER).exists():
        # The demo's archive is gone. Its keys come back first, as a keyring's would.
        here = replace(here, store=DemoKeyFile(here.folder / DEMO_KEYS))
    if held.demo and not here.store.demo:
        raise ArchiveError("error.keys.escrow_of_demo")
    if here.store.demo and not held.demo:
        raise ArchiveError("error.keys.escrow_not_of_demo", path=str(here.folder))
    count = escrow.restore(here.store, held)
    with suppress(ArchiveError):
        # If the escrow was another archive's, this one stays closed; the keys are back all the same.
        here.note("escrow_restored", secrets=count)
    if count:
        _tell(here.tell("keys.escrow.restored", count=count, place=here.place))
    else:
        _tell(here.tell("keys.escrow.all_here", count=len(held.secrets), place=here.place))
    return 0


def _with_wrapped(here: _KeyContext) -> list[Known]:
    """The keys known here, and private keys of former versions, which only the archive's wraps show."""
    known = here.known()
    if not (here.folder / MARKER).exists():
        return known
    with here.archive() as archive:
        wrapped = archive.living_wraps()
    named = {one.key_id for one in known}
    for key_id, role in wrapped:
        private = here.store.get(f"private-{key_id}") if key_id not in named and role in [*KeyRole] else None
        if private is not None:
            known.append(ring.of_private(key_id[:8], KeyPurpose(role), private))
    return known


def _onward(running: Progress, tell: Texts) -> rotation.Progress:
    def onward(done: int, total: int) -> bool:
        running.tell(lambda: tell("keys.progress", done=done, total=total))
        return not running.stopped

    return onward


def new_passphrase(prompt: str, path: Path, tell: Texts) -> str:
    """For a file that is about to be written; asked twice on a terminal. Raises ArchiveError: too short, or the file exists."""
    if path.exists():
        raise ArchiveError("error.archive.file_exists", path=str(path))
    passphrase = _passphrase(prompt)
    check_passphrase(passphrase)
    if sys.stdin.isatty() and _typed(tell("keys.ask.again")) != passphrase:
        raise ArchiveError("error.keys.passphrases_differ")
    return passphrase


def _passphrase(prompt: str) -> str:
    """From the terminal, or else the next line of standard input. Raises ArchiveError."""
    typed = sys.stdin.isatty()
    try:
        line = _typed(prompt) if typed else sys.stdin.readline()
        line.encode("utf-8")
    except UnicodeError:
        raise ArchiveError("error.keys.passphrase_bytes") from None
    if not line and not typed:
        raise ArchiveError(NOTHING_CAME)
    return line.rstrip("\r\n")


def _typed(prompt: str) -> str:
    """Raises ArchiveError: the input was ended (Ctrl-D)."""
    try:
        return getpass.getpass(f"{prompt} ")
    except EOFError:
        print(file=sys.stderr)  # noqa: T201 - nobody pressed the key that ends the line
        raise ArchiveError("error.keys.no_passphrase") from None


def _tell(line: str) -> None:
    print(plain(line, keep="\n"))  # noqa: T201
