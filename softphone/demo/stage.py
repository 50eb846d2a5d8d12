"""The demo's stage: a folder with an archive of its own, its keys in a file, a policy made of them, and a phone's home.

Nothing of the user's is touched: no keyring, no settings, no archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from softphone.archive.archive import MARKER, Archive, read_marker
from softphone.archive.crypto import ring
from softphone.archive.folder.disk import REFUSALS
from softphone.bootstrap.home import DEMO_KEYS, DEMO_PHONE, DEMO_POLICY, LOOPBACK, Home, key_store
from softphone.bootstrap.voice import speaker
from softphone.demo import conversation
from softphone.domain.errors import ArchiveError, EngineError, KlartoneError
from softphone.domain.purpose import KeyRole, Language
from softphone.locking import locked
from softphone.system.endpoint import answers, read_endpoint
from softphone.system.paths import program_folder
from softphone.system.policy_file import filled
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import load_settings, save_settings
from softphone.system.single import ENDS_WITHIN, take_turn
from softphone.wire.snapshot import Account, Settings

NUMBERS = {f"N{n}": f"+457010203{n}" for n in (1, 2, 3, 4, 6, 7)} | {"none": "+4570102030"}
"""the number of the demo policy's line for each notice"""
RECIPIENTS = {KeyRole.DOCUMENTATION: "case-1", KeyRole.TRAINING: "lead-1", KeyRole.CUSTODY: "protection-1"}
"""who the demo's policy lets open recordings"""
TURN = "demo.lock"
"""in the demo's folder"""


@dataclass(frozen=True, slots=True)
class Stage:
    """All is there; the engine of `home` can be started."""

    archive: Path
    home: Home
    number: str
    customer_voice: Path
    turn: IO[bytes]
    """open as long as this demo has its folder to itself"""

    def open_archive(self) -> Archive:
        return Archive.open(self.archive, key_store(self.archive))


def set_stage(archive: Path, notice: str, *, listen: bool) -> Stage:
    """A demo's folder may be used again: its archive, keys and policy stay.

    Raises KlartoneError if nothing can be written there, or another demo is using it.
    """
    archive = archive.resolve()
    try:
        return _set_stage(archive, notice, listen=listen)
    except ArchiveError as error:
        if error.code not in REFUSALS:
            raise
        detail = error.params["detail"]
    except OSError as error:
        detail = error.strerror or str(error)
    raise KlartoneError("error.demo.unwritable", folder=str(archive), detail=detail)


def _set_stage(archive: Path, notice: str, *, listen: bool) -> Stage:
    home = Home.within(archive / DEMO_PHONE)
    turn = _only(archive)
    _refuse_second(home, archive)
    keys = DemoKeyFile(archive / DEMO_KEYS)
    if not (archive / MARKER).exists():
        Archive.create(archive, keys, demo=True).close()
    home.folders.create()
    folder = home.folders.config
    policy = archive / DEMO_POLICY
    if not policy.exists():
        # An existing one may name the successor of a key that somebody has practised on.
        template = (program_folder("resources") / "policies" / "demo.toml").read_text(encoding="utf-8")
        new = policy.with_suffix(".new")
        new.write_text(filled(template, {role: _public_key(keys, role) for role in KeyRole}), encoding="utf-8")
        new.replace(policy)
    customer, agent = folder / "customer.wav", folder / "agent.wav"
    if not (customer.exists() and agent.exists()):
        with speaker() as say:
            conversation.speak(say, Language.DA, customer, agent)
    settings = Settings(
        accounts=(Account("demo", f"{NUMBERS[notice]}@{LOOPBACK}", register=False),),
        policy=str(policy),
        archive=str(archive),
        microphone=f"file:{agent}",
        speaker="" if listen else "none",
        language=load_settings(folder).language,
        bind=LOOPBACK,
    )
    save_settings(folder, settings)
    return Stage(archive, home, NUMBERS[notice], customer, turn)


def refuse_foreign(archive: Path) -> None:
    """A demo writes into a demo's folder, or an empty or new one. Raises KlartoneError for any other, and touches nothing."""
    try:
        if (archive / MARKER).exists():
            foreign = not read_marker(archive).demo
        else:
            foreign = not any((archive / own).exists() for own in (DEMO_KEYS, TURN)) and any(archive.iterdir())
    except OSError:
        return  # none yet, or it will say why nothing can be written there
    if foreign:
        raise KlartoneError("error.demo.folder", folder=str(archive.resolve()))


def _only(archive: Path) -> IO[bytes]:
    """Before anything is written: of two that begin at the same moment one hears that the other is using it."""
    archive.mkdir(parents=True, exist_ok=True)
    turn = (archive / TURN).open("ab")
    if not locked(turn):
        turn.close()
        raise KlartoneError("error.demo.running", folder=str(archive))
    return turn


def _refuse_second(home: Home, archive: Path) -> None:
    """An engine that is just ending is waited for; one that answers is at work."""
    runtime = home.folders.runtime
    if not runtime.exists():
        return
    endpoint = read_endpoint(runtime)
    try:
        take_turn(runtime, 0.0 if endpoint and answers(endpoint) else ENDS_WITHIN).close()
    except EngineError as error:
        if error.code == "error.engine.running":
            raise KlartoneError("error.demo.running", folder=str(archive)) from None
        raise


def _public_key(keys: DemoKeyFile, role: KeyRole) -> str:
    """This role's public key, base64; a new pair the first time."""
    known = [one for one in ring.known_keys(keys) if one.id == RECIPIENTS[role]]
    return (known or [ring.create(keys, RECIPIENTS[role], role, datetime.now(UTC))])[0].public_key
