"""Signing a policy: a key pair whose private half lies in the keyring, and the signature beside the file."""

from __future__ import annotations

import argparse

from pydantic import TypeAdapter, ValidationError

from softphone.archive.crypto import ring
from softphone.archive.crypto.wraps import KeyStore
from softphone.bootstrap.home import Home, key_store, texts
from softphone.bootstrap.policy.file import chosen, tell_faults
from softphone.cli.policy.asking import asked_rulebook
from softphone.domain.errors import KeyringError, SettingsError
from softphone.domain.policy import Policy, PolicyError
from softphone.domain.policy.fields import Id
from softphone.system.policy_file import policy_in, read_policy
from softphone.system.signature import new_signing_key, public_half, sign, succession
from softphone.texts import Texts

_id: TypeAdapter[str] = TypeAdapter(Id)


def create_signing_key(arguments: argparse.Namespace) -> int:
    """A new key pair for policies. An existing one is never written over: what it signed could not be signed again."""
    home, tell = Home.of(arguments), texts()
    settings, _ = home.settings(only_look=True)
    store = key_store(arguments.archive or home.archive(settings))
    name = _name(arguments.id)
    if store.get(name) is not None:
        raise KeyringError("error.policy.signing_key_there", id=arguments.id)
    private = new_signing_key()
    store.set(name, private)
    print(tell("policy.sign.key_created", id=arguments.id))  # noqa: T201
    print(f'policy_signer = "{public_half(private)}"')  # noqa: T201
    return 0


def policy_sign(arguments: argparse.Namespace) -> int:
    """Writes the signature of the file's bytes beside it, in `<file>.sig`.

    It refuses a policy that the phone would refuse: one with faults, with words that lack a fact or promise too much, or
    with a missing recording. Raises KlartoneError without a rulebook to judge the words.
    """
    home, tell = Home.of(arguments), texts()
    settings, _ = home.settings(only_look=True)
    path, _ = chosen(arguments)
    raw = read_policy(path)
    try:
        loaded = policy_in(raw, path)
    except PolicyError as error:
        tell_faults(error, tell)
        raise
    store = key_store(home.archive(settings))
    private = store.get(_name(arguments.id))
    if private is None:
        raise _no_signing_key(store, loaded.policy, arguments.id, tell)
    with asked_rulebook(home) as asked:
        asked.own(loaded, tell, signed=True)
    written = sign(raw, path, private)
    print(tell("policy.sign.signed", path=str(path), signature=str(written)))  # noqa: T201
    print(f'policy_signer = "{public_half(private)}"')  # noqa: T201
    return 0


def _no_signing_key(store: KeyStore, policy: Policy, id: str, tell: Texts) -> KeyringError:
    """If a key with that id opens recordings, no signing key can be made with it: advise another id."""
    known = ring.known_keys(store)
    signers = [one.id for one in known if one.purpose is ring.KeyPurpose.POLICY]
    purpose = next((one.purpose.value for one in (*known, *policy.recipient) if one.id == id), None)
    if purpose is None or id in signers:
        return KeyringError("error.policy.no_signing_key", id=id)
    fields = {"id": id, "purpose": tell(f"keys.purpose.{purpose}")}
    if signers:
        return KeyringError("error.policy.key_opens", **fields, signers=", ".join(signers))
    return KeyringError("error.policy.key_opens_none_signs", **fields)


def _name(id: str) -> str:
    """The private half's name in the keyring. Raises KeyringError for an invalid id."""
    try:
        return f"policy-signing-{_id.validate_python(id)}"
    except ValidationError:
        raise KeyringError("error.policy.signing_key_id", id=id[:60]) from None


def policy_succession(arguments: argparse.Namespace) -> int:
    """This key's word that another one signs the policies from now on, alone on standard output: desks that have pinned this
    one then follow. Raises KlartoneError."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    private = key_store(Home.of(arguments).archive(settings)).get(_name(arguments.id))
    if private is None:
        raise KeyringError("error.policy.no_signing_key", id=arguments.id)
    try:
        print(succession(private, arguments.key))  # noqa: T201
    except ValueError:
        raise SettingsError("policy.fault.signer_malformed") from None
    return 0
