"""`klartone policy sign` as a person types it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.policy import PolicyUnsigned
from softphone.system.policy_file import load_policy
from softphone.system.secrets import DemoKeyFile
from tests.bootstrap.policy.conftest import Captured, klartone
from tests.policies import POLICY


@pytest.mark.rule("G11")
def test_a_policy_is_signed_by_a_key_that_never_leaves_the_keyring(home: Path, file: Path, capsys: Captured) -> None:
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "keys", "create", "policy", "--id", "jura") == 0
    created = tomllib.loads(capsys.readouterr().out.splitlines()[-1])["policy_signer"]

    assert klartone(home, "policy", "sign", file, "--id", "jura") == 0

    signer = tomllib.loads(capsys.readouterr().out.splitlines()[-1])["policy_signer"]
    assert signer == created
    assert load_policy(file, signer).policy.line[0].id == "salg"
    assert sorted(one.name for one in file.parent.iterdir()) == ["policy.toml", "policy.toml.sig"]
    file.write_text(POLICY.replace("P5Y", "P6Y"), encoding="utf-8")
    with pytest.raises(PolicyUnsigned):
        load_policy(file, signer)


def test_a_key_is_never_written_over_and_a_faulty_policy_is_not_signed(
    home: Path, file: Path, capsys: Captured
) -> None:
    assert klartone(home, "keys", "create", "policy", "--id", "bestyrelsen") == 0
    assert klartone(home, "keys", "create", "policy", "--id", "bestyrelsen") == 1
    assert "already" in capsys.readouterr().err
    assert klartone(home, "keys", "create", "policy", "--id", "Bestyrelsen!") == 1
    assert "is not an id" in capsys.readouterr().err

    file.write_text(POLICY.replace("version = 1", "version = 3"), encoding="utf-8")
    assert klartone(home, "policy", "sign", file, "--id", "bestyrelsen") == 1
    assert "version" in capsys.readouterr().err
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "policy", "sign", file, "--id", "ingen") == 1
    assert "keys create policy --id ingen" in capsys.readouterr().err
    assert [one.name for one in file.parent.iterdir()] == ["policy.toml"]


def test_a_key_that_opens_recordings_signs_no_policy_and_the_advice_can_be_followed(
    tmp_path: Path, file: Path, capsys: Captured
) -> None:
    """`keys create` gives no id twice: that of another kind of key is not to be advised for one that signs."""
    home = tmp_path / "another"
    (home / "archive").mkdir(parents=True)
    DemoKeyFile(home / "archive" / DEMO_KEYS).set("known", b"to be one")
    file.write_text(POLICY, encoding="utf-8")
    assert klartone(home, "keys", "create", "training", "--id", "anna") == 0
    # The one that the keyring knows, and one that the policy names alone.
    for id, purpose in (("anna", "training"), ("protection-1", "data protection")):
        assert klartone(home, "policy", "sign", file, "--id", id) == 1
        said = capsys.readouterr().err
        assert f"The key “{id}” is for {purpose}" in said
        assert "another id" in said
        assert f"--id {id}" not in said
    assert klartone(home, "keys", "create", "policy", "--id", "jura") == 0
    assert klartone(home, "policy", "sign", file, "--id", "anna") == 1
    assert "in the keyring here: jura." in capsys.readouterr().err
    assert klartone(home, "policy", "sign", file, "--id", "jura") == 0
