"""The policy that a command is about: which file, and what is wrong with it, in sentences."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from softphone.bootstrap.home import Home
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import LoadedPolicy, PolicyError, PolicyFault
from softphone.system.policy_file import load_policy
from softphone.texts import Texts


def chosen(arguments: argparse.Namespace) -> tuple[Path, str]:
    """The file that was named, else the one of the settings with the key that must have signed it. KlartoneError where there
    is neither. A file that is named may be a draft, and need not be signed yet."""
    named: Path | None = arguments.file or arguments.policy
    if named is not None:
        return named, ""
    settings, _ = Home.of(arguments).settings(only_look=True)
    if not settings.policy:
        raise KlartoneError("error.policy.which")
    return Path(settings.policy), settings.policy_signer


def load(arguments: argparse.Namespace, tell: Texts) -> LoadedPolicy:
    """The policy, for a command that needs a sound one. Its faults are told on stderr, and PolicyError is raised."""
    path, signer = chosen(arguments)
    try:
        return load_policy(path, signer=signer)
    except PolicyError as error:
        tell_faults(error, tell)
        raise


def tell_faults(error: PolicyError, tell: Texts) -> None:
    for fault in error.faults:
        print(at_its_place(fault, tell), file=sys.stderr)  # noqa: T201


def at_its_place(fault: PolicyFault, tell: Texts) -> str:
    """The sentence of a fault or a doubt, with its line, its key and its rule, on one line."""
    sentence = tell("policy.by_rule", sentence=tell(fault.code, **fault.params), rule=fault.rule)
    if fault.line is None:
        told = tell("policy.at_key", key=fault.key, sentence=sentence) if fault.key else sentence
    else:
        code = "policy.at" if fault.key else "policy.at_line"
        told = tell(code, line=fault.line, key=fault.key, sentence=sentence)
    return printable(told)


def printable(text: str) -> str:
    """What a file may hold and a terminal must not be told: it would be obeyed."""
    return "".join(one if one.isprintable() else "·" for one in text)
