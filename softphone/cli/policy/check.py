"""`klartone policy check`: every fault and every doubt of a policy and its notices, each with line, key, rule and what to
do.

And a person's confirmation of what the check could not be sure of.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import at_its_place, chosen, of_revoked, printable, wanted_signer
from softphone.cli.policy.asking import Asked, asked_rulebook
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError, KeyringError, KlartoneError
from softphone.domain.policy import (
    LoadedPolicy,
    PolicyError,
    PolicyFault,
    PolicyPartlyRead,
    PolicyUnsigned,
    day_of,
    warning_at,
)
from softphone.domain.policy.confirming import SHORT, as_name, as_word
from softphone.domain.policy.faults import in_file_order
from softphone.plugin.notices import NoticeBook, Unspoken
from softphone.plugin.own import OwnWording, unsound
from softphone.system.policy_file import load_policy, read_policy
from softphone.system.signature import check_signature
from softphone.texts import Texts

_OF_A_LINE = re.compile(r"line\[(\d+)\]")


@dataclass(frozen=True)
class Checked:
    """What was found. `policy`: as much of it as could be read, None for nothing."""

    path: Path
    policy: LoadedPolicy | None
    faults: Sequence[PolicyFault]
    warnings: Sequence[PolicyFault]
    book: NoticeBook

    @property
    def unsure(self) -> list[OwnWording]:
        """Own wordings that wait for a person."""
        return [one for one in self.book.wordings if one.lawful and not one.confirmed]

    @property
    def doubts(self) -> list[PolicyFault]:
        """Doubts that nobody has confirmed, without those that are already faults for it."""
        faulty = {one.hash for one in self.faults if one.hash}
        return [one for one in self.warnings if not one.by and (not one.hash or one.hash not in faulty)]

    @property
    def confirmed(self) -> list[PolicyFault]:
        return [one for one in self.warnings if one.by]


def policy_check(arguments: argparse.Namespace) -> int:
    """Status 1 if there is a fault. With `--confirm HASH --by NAME`: the block that confirms that wording, on stdout."""
    tell = texts(arguments.told_in)
    checked = _checked(arguments)
    if arguments.confirm is not None:
        return _confirmed(checked, arguments, tell)
    if arguments.json:
        print(json.dumps(_as_json(checked, tell), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        _told(checked, tell)
    return 1 if checked.faults else 0


def _checked(arguments: argparse.Namespace) -> Checked:
    """All faults at once: one place hides none in another, as far as that can be read."""
    path, signer = chosen(arguments)
    wanted = wanted_signer(arguments)
    faults: tuple[PolicyFault, ...] = ()
    try:
        loaded = load_policy(path, signer)
    except PolicyPartlyRead as error:
        faults, loaded = (*error.faults, *unsound(path.parent, error)), error.readable
    except PolicyError as error:
        return Checked(path, None, in_file_order([*error.faults, *unsound(path.parent, error)]), (), NoticeBook())
    try:
        with asked_rulebook(Home.of(arguments)) as asked:
            own_faults, book = _judged(asked, loaded, signed=bool(wanted))
    except KlartoneError:
        if not faults:
            raise
        own_faults, book = (), NoticeBook()  # without a rulebook, still report the faults of the file
    silent = [_silent(loaded, one) for one in book.unspoken]
    unsigned = [] if signer or not wanted else _unsigned(path, wanted)
    revoked = _revoked_here(Home.of(arguments), loaded)
    warnings = loaded.with_remarks(*book.remarks, *silent, *unsigned, *revoked).remarks
    return Checked(path, loaded, in_file_order([*faults, *own_faults]), warnings, book)


def _unsigned(path: Path, signer: str) -> list[PolicyFault]:
    """A draft need not be signed to be checked, but it says that the phone would not use it yet."""
    try:
        check_signature(read_policy(path), path, signer)
    except PolicyUnsigned as error:
        missing = error.faults[0].code == "policy.fault.signature_missing"
        code = "policy.warning.not_signed" if missing else "policy.warning.signed_otherwise"
        return [PolicyFault(None, "", code, {"path": str(path)})]
    return []


def _revoked_here(home: Home, loaded: LoadedPolicy) -> list[PolicyFault]:
    """Whose key this user's archive no longer seals for. `doctor` reports an archive that cannot be opened."""
    from softphone.archive.folder.marker import MARKER
    from softphone.bootstrap.archive.opening import open_archive  # a database, needed only with an archive

    folder = home.archive(home.settings(only_look=True)[0])
    if not (folder / MARKER).exists():
        return []
    from softphone.bootstrap.archive.viewing import revoked_in

    try:
        with closing(open_archive(folder, home.folders.runtime)) as archive:
            return of_revoked(loaded, revoked_in(archive, loaded))
    except (ArchiveError, KeyringError):
        return []


def _judged(asked: Asked, loaded: LoadedPolicy, *, signed: bool) -> tuple[Sequence[PolicyFault], NoticeBook]:
    """The faults of what the controller brings itself, and the notices of every line that has none."""
    try:
        return (), asked.maker.prepare(loaded, signed=signed)
    except PolicyError as error:
        faulty = {int(found[1]) - 1 for fault in error.faults if (found := _OF_A_LINE.match(fault.key))}
        return error.faults, asked.maker.prepare(loaded.without(faulty), signed=signed)


def _silent(loaded: LoadedPolicy, unspoken: Unspoken) -> PolicyFault:
    line, notice, language = unspoken.place
    n = [one.id for one in loaded.policy.line].index(line)
    params = {"notice": notice.value, "language": language.value}
    return warning_at(loaded, ("line", n), f"unspoken_{unspoken.lacking}", **params)


def _told(checked: Checked, tell: Texts) -> None:
    for one in checked.faults:
        print(f"✗ {at_its_place(one, tell)}")  # noqa: T201
    for one in checked.doubts:
        print(f"· {at_its_place(one, tell)}{_short(one, tell)}")  # noqa: T201
    for one in checked.confirmed:
        by = printable(tell("policy.confirmed_by", by=one.by, on=one.on))
        print(f"✓ {at_its_place(one, tell)} {by}")  # noqa: T201
    counts = {
        "path": str(checked.path),
        "faults": tell("policy.check.faults", count=len(checked.faults)),
        "warnings": tell("policy.check.warnings", count=len(checked.doubts)),
    }
    if any(one.hash for one in checked.doubts):
        print(tell("policy.check.confirm", path=as_word(str(checked.path))))  # noqa: T201
    print(tell("policy.check.faulty" if checked.faults else "policy.check.ok", count=len(checked.faults), **counts))  # noqa: T201


def _short(one: PolicyFault, tell: Texts) -> str:
    """The code by which a person confirms it."""
    return f" [{tell('policy.check.code', hash=one.hash[:SHORT])}]" if one.hash else ""


def _as_json(checked: Checked, tell: Texts) -> dict[str, object]:
    def of(fault: PolicyFault) -> dict[str, object]:
        return {
            "line": fault.line,
            "key": fault.key,
            "rule": fault.rule,
            "code": fault.code,
            "sentence": tell(fault.code, **fault.params),
            "hash": fault.hash or None,
            "confirmed_by": fault.by or None,
            "confirmed_on": fault.on.isoformat() if fault.on else None,
        }

    return {
        "path": str(checked.path),
        "sha256": checked.policy.sha256 if checked.policy else None,
        "ok": not checked.faults,
        "faults": [of(one) for one in checked.faults],
        "warnings": [of(one) for one in checked.warnings],
        "to_confirm": [
            {
                "line": one.place[0],
                "notice": one.place[1].value,
                "language": one.place[2].value,
                "hash": one.hash,
                "wording": one.wording.model_dump(exclude_none=True),
            }
            for one in checked.unsure
        ],
        "notices": [
            {
                "line": line,
                "notice": notice.value,
                "language": language.value,
                "seconds": round(sound.seconds, 1),
            }
            for (line, notice, language), sound in checked.book.sounds.items()
        ],
    }


def _confirmed(checked: Checked, arguments: argparse.Namespace, tell: Texts) -> int:
    """The words themselves go to stderr first, so that they have been read."""
    name = as_name(str(arguments.by or ""))
    if name is None:
        raise KlartoneError("error.policy.confirm_by")
    asked = str(arguments.confirm).lower()
    doubts = [one for one in checked.warnings if one.hash and not one.by]
    hashes = {one.hash for one in (*checked.unsure, *doubts) if len(asked) >= SHORT and one.hash.startswith(asked)}
    if len(hashes) != 1 or checked.policy is None:
        raise KlartoneError("error.policy.nothing_to_confirm", hash=asked[:64])
    (hash_,) = hashes
    now = datetime.now(UTC)
    day = day_of(checked.policy.policy, now)
    if (own := next((one.wording for one in checked.unsure if one.hash == hash_), None)) is not None:
        words = " ".join(part for part in (own.essentials, own.facts, own.question) if part)
        event, rule, text = "notice_confirmed", "G05", tell("policy.confirmed", words=words, path=str(checked.path))
    else:
        doubt = next(one for one in doubts if one.hash == hash_)
        event, rule = "doubt_confirmed", doubt.rule
        text = tell("policy.confirmed.doubt", doubt=at_its_place(doubt, tell), path=str(checked.path))
    noted = _noted(Home.of(arguments), AuditEntry(event, rule, now, "", params={"hash": hash_, "on": str(day)}))
    print(text, tell("policy.confirmed.noted" if noted else "policy.confirmed.later"), file=sys.stderr)  # noqa: T201
    print(f'[[confirmed]]\nhash = "{hash_}"\non = {day}\nby = {json.dumps(name, ensure_ascii=False)}')  # noqa: T201
    return 0


def _noted(home: Home, entry: AuditEntry) -> bool:
    """Whether it now stands in this user's audit log. Without an archive here each phone notes it when it takes the policy
    up."""
    from softphone.archive.folder.marker import MARKER
    from softphone.bootstrap.archive.opening import open_archive  # a database, for a check that hardly ever needs one

    settings, _ = home.settings(only_look=True)
    folder = home.archive(settings)
    if not (folder / MARKER).exists():
        return False
    archive = open_archive(folder, home.folders.runtime)
    try:
        archive.note(entry)
    finally:
        archive.close()
    return True
