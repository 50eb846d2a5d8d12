"""A policy that still names a key that is revoked: `doctor`, `archive health` and `policy check` say whose, and what it means."""

from __future__ import annotations

import json

import pytest

from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.keys.rotation import revoke
from softphone.domain.purpose import KeyRole
from tests.archive.people import House, Person, policy_of
from tests.archive.scene import AT

pytestmark = pytest.mark.usefixtures("english")
COMMANDS = (("doctor",), ("archive", "health"), ("policy", "check"))


def revoked(home: House, *roles: KeyRole) -> None:
    home.desk.archive.clock = lambda: AT
    for role in roles:
        revoke(home.desk.archive, home.desk.recipients[role])


def tells(person: Person, said: str) -> None:
    for words in COMMANDS:
        told = person.does(*words)
        assert said in told.out, (words, told.all)


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("role", "id", "meaning"),
    [
        (KeyRole.DOCUMENTATION, "case-1", "nothing is recorded for documentation"),
        (KeyRole.TRAINING, "lead-1", "nothing is recorded for training"),
        (KeyRole.CUSTODY, "protection-1", "nothing is recorded at all"),
    ],
)
def test_the_last_key_for_a_purpose_is_told_with_its_recipient_its_meaning_and_what_to_do(
    home: House, role: KeyRole, id: str, meaning: str
) -> None:
    it = home.person("it")
    before = {words: it.does(*words).status for words in COMMANDS}
    for words in COMMANDS:
        assert "was revoked" not in it.does(*words).out
    revoked(home, role)
    key = home.desk.recipients[role].key_id
    tells(
        it, f"The key {key[:8]} of “{id}” was revoked in the archive here on {AT.date()}, and the policy has no other"
    )
    tells(it, f"nothing is sealed for it, and {meaning}. Name a new key here")
    place = policy_of(home.desk).splitlines().index(f'id = "{id}"') + 3
    tells(it, f"Line {place}, recipient[{list(KeyRole).index(role) + 1}].public_key: The key")
    assert f"· policy: {home.policy('it')} names a key that is revoked" in it.does("doctor").out
    assert f"policy: {home.policy('it')} names a key that is revoked" in it.does("archive", "health").out
    assert {words: it.does(*words).status for words in COMMANDS} == before
    (told,) = json.loads(it.does("archive", "health", "--json").out)["revoked"]
    assert told == {"recipient": id, "purpose": role, "key": key, "revoked": AT.isoformat(), "last": True}
    warnings = json.loads(it.does("policy", "check", "--json").out)["warnings"]
    assert [one["code"] for one in warnings] == [f"policy.warning.key_revoked_{role}"]


@pytest.mark.rule("G11")
def test_beside_another_key_for_the_purpose_only_the_revoked_one_is_told_and_replaced(
    home: House,
) -> None:
    it = home.person("it")
    file = home.policy("it")
    other = Known("case-2", KeyPurpose.DOCUMENTATION, home.desk.recipients[KeyRole.DOCUMENTATION].public_key)
    revoked(home, KeyRole.DOCUMENTATION)
    assert it.does("keys", "create", "documentation", "--id", "case-3").status == 0
    new = it.does("keys", "export", "case-3").out
    text = file.read_text("utf-8")
    file.write_text(text.replace("[[recipient]]", f"{new}\n[[recipient]]", 1), "utf-8")
    tells(it, f"The key {other.key_id[:8]} of “case-1” was revoked")
    tells(it, 'only for the policy\'s other keys with purpose = "documentation"')
    (told,) = json.loads(it.does("archive", "health", "--json").out)["revoked"]
    assert (told["recipient"], told["last"]) == ("case-1", False)

    file.write_text(text.replace(other.public_key, new.split('"')[-2]), "utf-8")
    for words in COMMANDS:
        assert "was revoked" not in it.does(*words).out
    assert json.loads(it.does("archive", "health", "--json").out)["revoked"] == []
