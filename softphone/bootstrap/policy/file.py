"""The policy that a command is about: which file, and what is wrong with it, in sentences."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.bootstrap.home import Home
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import LoadedPolicy, PolicyError, PolicyFault, warning_at
from softphone.system.policy_file import SOME_KEYS, filled, load_policy, policy_in, read_policy
from softphone.texts import Texts

if TYPE_CHECKING:
    from softphone.archive.crypto.revocation import RevokedKey


def chosen(arguments: argparse.Namespace) -> tuple[Path, str]:
    """The named file, else the settings' one with the key that must have signed it. Raises KlartoneError if there is
    neither.

    A named file may be a draft, and need not be signed yet.
    """
    named: Path | None = arguments.file or arguments.policy
    if named is not None:
        return named, ""
    settings, _ = Home.of(arguments).settings(only_look=True)
    if not settings.policy:
        raise KlartoneError("error.policy.which")
    return Path(settings.policy), settings.policy_signer


def wanted_signer(arguments: argparse.Namespace) -> str:
    """The key that must have signed any policy of this phone; empty: none."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    return settings.policy_signer


def load_draft(arguments: argparse.Namespace, tell: Texts) -> tuple[LoadedPolicy, bool]:
    """The policy, to explain it; nothing may be sealed by it. Also of a template whose only fault is missing keys: then as
    it would be with some, and True.

    Other faults go to stderr, and raise PolicyError.
    """
    path, signer = chosen(arguments)
    try:
        return load_policy(path, signer), False
    except PolicyError as error:
        if {fault.code for fault in error.faults} == {"policy.fault.public_key"}:
            text = filled(read_policy(path).decode("utf-8-sig"), SOME_KEYS)
            with suppress(PolicyError):
                return policy_in(text.encode("utf-8"), path), True
        tell_faults(error, tell)
        raise


def load_to_try(arguments: argparse.Namespace, tell: Texts) -> LoadedPolicy:
    """As `load_draft`; missing keys are reported on stderr."""
    loaded, keyless = load_draft(arguments, tell)
    if keyless:
        print(tell("explain.keys_to_come"), file=sys.stderr)  # noqa: T201
    return loaded


def tell_faults(error: PolicyError, tell: Texts) -> None:
    for fault in error.faults:
        print(at_its_place(fault, tell), file=sys.stderr)  # noqa: T201


def of_revoked(loaded: LoadedPolicy, gone: Iterable[RevokedKey]) -> list[PolicyFault]:
    """A doubt for each recipient whose key is revoked in an archive: by which key, for what, what it means, what to do."""
    named = [(one.id, one.purpose) for one in loaded.policy.recipient]
    found: list[PolicyFault] = []
    for one in gone:
        id, role = one.recipient.id, one.recipient.role
        code = f"key_revoked_{role}" if one.last else "key_revoked"
        fields = {"id": id, "purpose": role.value, "key": one.recipient.key_id[:8], "day": str(one.since.date())}
        found.append(warning_at(loaded, ("recipient", named.index((id, role)), "public_key"), code, **fields))
    return found


def at_its_place(fault: PolicyFault, tell: Texts) -> str:
    """The sentence of a fault or a doubt, with its line, its key and its rule, on one line."""
    sentence = tell("policy.by_rule", sentence=tell(fault.code, **fault.params), rule=fault.rule)
    if fault.line is None:
        text = tell("policy.at_key", key=fault.key, sentence=sentence) if fault.key else sentence
    else:
        code = "policy.at" if fault.key else "policy.at_line"
        text = tell(code, line=fault.line, key=fault.key, sentence=sentence)
    return printable(text)


def printable(text: str) -> str:
    """What a file may hold and a terminal must not get, because it would obey."""
    return "".join(one if one.isprintable() else "·" for one in text)
