"""A policy that still names a key that is revoked: `doctor`, `archive health` and `policy check` say whose, and what it means."""

from __future__ import annotations

import json

import pytest

from softphone.archive.crypto.passphrase import b64
from softphone.archive.keys.rotation import revoke
from softphone.domain.purpose import KeyRole
from tests.archive.people import House, policy_of
from tests.archive.scene import AT

pytestmark = pytest.mark.usefixtures("english")


@pytest.mark.rule("G11")
def test_a_key_that_is_revoked_is_told_with_its_recipient_its_meaning_and_what_to_do(home: House) -> None:
    it, file = home.person("it"), home.policy("it")
    before = it.does("policy", "check")
    assert "was revoked" not in before.out
    home.desk.archive.clock = lambda: AT
    key = home.desk.recipients[KeyRole.DOCUMENTATION]
    revoke(home.desk.archive, key)
    place = policy_of(home.desk).splitlines().index('id = "case-1"') + 3
    for words in (("doctor",), ("archive", "health"), ("policy", "check")):
        said = it.does(*words)
        for told in (
            f"Line {place}, recipient[{list(KeyRole).index(key.role) + 1}].public_key: The key",
            f"The key {key.key_id[:8]} of “case-1” was revoked in the archive here on {AT.date()}, and the policy has no",
            "nothing is sealed for it, and nothing is recorded for documentation. Name a new key here",
        ):
            assert told in said.out, (words, said.all)
    (told,) = json.loads(it.does("archive", "health", "--json").out)["revoked"]
    assert told == {
        "recipient": "case-1",
        "purpose": "documentation",
        "key": key.key_id,
        "revoked": AT.isoformat(),
        "last": True,
    }
    said = it.does("policy", "check", "--json")
    assert (said.status, [one["code"] for one in json.loads(said.out)["warnings"]]) == (
        before.status,
        ["policy.warning.key_revoked_documentation"],
    )
    # Beside another key for the purpose it is to be replaced, and then nothing is told.
    assert it.does("keys", "create", "documentation", "--id", "case-3").status == 0
    new, text = it.does("keys", "export", "case-3").out, file.read_text("utf-8")
    file.write_text(text.replace("[[recipient]]", f"{new}\n[[recipient]]", 1), "utf-8")
    assert 'only for the policy\'s other keys with purpose = "documentation"' in it.does("policy", "check").out
    (told,) = json.loads(it.does("archive", "health", "--json").out)["revoked"]
    assert (told["recipient"], told["last"]) == ("case-1", False)
    file.write_text(text.replace(b64(key.public_key), new.split('"')[-2]), "utf-8")
    assert json.loads(it.does("archive", "health", "--json").out)["revoked"] == []
