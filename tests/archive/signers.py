"""An archive that asks for the signature of its policy: who signs, who has it asked for, and how somebody is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from softphone.system.signature import new_signing_key, public_half, sign
from tests.archive.people import House, Person

KEY = new_signing_key()
SIGNER = public_half(KEY)
OTHER = public_half(new_signing_key())


def signed(file: Path) -> None:
    sign(file.read_bytes(), file, KEY)


def writes_their_own(home: House, name: str, change: Callable[[str], str]) -> None:
    """The house's policy, which is signed, with a word of their own in it."""
    file = home.policy(name)
    signed(file)
    changed = change(file.read_text("utf-8"))
    assert changed != file.read_text("utf-8")
    file.write_text(changed, "utf-8")


def asks(home: House, officer: Person) -> None:
    """Custody has the archive ask for the signature from now on."""
    signed(home.policy("officer"))
    said = officer.does("archive", "signer", SIGNER)
    assert said.status == 0, said.err
    assert SIGNER in said.out


def is_refused(home: House, person: Person, *words: str) -> None:
    """With a sentence that says whose signature is missing, and in the log with a key of whoever tried; all else is as it was."""
    archive = home.desk.archive
    before, rows = archive.audit_of(), [repr(row) for row in archive.list()]
    said = person.does(*words)
    assert (said.status, SIGNER in said.err, said.out) == (1, True, ""), (words, said)
    new = archive.audit_of()[len(before) :]
    assert [entry.event for entry in new] == ["policy_refused"], words
    assert {str(entry.params["key"]) for entry in new} <= {
        key.removeprefix("private-")[:16] for key in person.keys.held
    }
    assert [repr(row) for row in archive.list()] == rows, words


def last(home: House) -> str:
    return home.desk.archive.audit_of()[-1].event
