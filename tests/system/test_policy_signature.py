"""A policy that must be signed: only the file as its signer left it is taken, and whatever else lies there is told apart."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softphone.domain.errors import KlartoneError
from softphone.domain.policy import PolicyError, PolicyUnsigned
from softphone.system.policy_file import load_policy
from softphone.system.signature import new_signing_key, public_half, sign, signature_path
from tests.policies import POLICY

PRIVATE = new_signing_key()
SIGNER = public_half(PRIVATE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    sign(path.read_bytes(), path, PRIVATE)
    return path


def refused(path: Path, signer: str = SIGNER) -> str:
    with pytest.raises(PolicyUnsigned) as caught:
        load_policy(path, signer)
    (fault,) = caught.value.faults
    assert fault.rule == "G11"
    return fault.code.removeprefix("policy.fault.")


@pytest.mark.rule("G11")
def test_a_policy_as_its_signer_left_it_is_taken_and_known_by_its_hash(file: Path) -> None:
    loaded = load_policy(file, SIGNER)
    assert [line.id for line in loaded.policy.line] == ["salg", "support"]
    assert loaded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_signature_is_64_bytes_in_base64_beside_the_file(file: Path) -> None:
    beside = file.with_name("policy.toml.sig")
    assert signature_path(file) == beside
    assert len(base64.b64decode(beside.read_text("ascii").strip(), validate=True)) == 64
    assert len(base64.b64decode(SIGNER, validate=True)) == 32


@pytest.mark.rule("G11")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_of_the_file_whatever_makes_it_unsigned(file: Path, data: st.DataObject) -> None:
    whole = POLICY.encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.integers(1, 255))
    file.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
    assert refused(file) == "signature_wrong"


def test_one_added_space_or_another_line_end_makes_it_unsigned(file: Path) -> None:
    for text in (POLICY + " ", POLICY.replace("\n", "\r\n"), "\ufeff" + POLICY, ""):
        file.write_text(text, encoding="utf-8", newline="")
        assert refused(file) == "signature_wrong"


def test_a_file_signed_by_somebody_else_is_unsigned(file: Path) -> None:
    sign(file.read_bytes(), file, new_signing_key())
    assert refused(file) == "signature_wrong"


def test_a_signature_that_is_missing_unreadable_or_none_is_told_apart(file: Path) -> None:
    beside = signature_path(file)
    signature = beside.read_bytes()
    for content in (b"", b"signed", signature[:-5], signature + signature, bytes(range(256)), b"A" * 5000):
        beside.write_bytes(content)
        assert refused(file) == "signature_malformed"
    beside.unlink()
    assert refused(file) == "signature_missing"
    beside.mkdir()
    assert refused(file) == "signature_unreadable"


@pytest.mark.parametrize(
    "signer", ["x", "æøå", "A" * 43, base64.b64encode(b"short").decode(), " ", "A" * 43 + "=", "7v" + "/" * 40 + "8="]
)
def test_a_signer_that_is_no_key_lets_nothing_through(file: Path, signer: str) -> None:
    assert refused(file, signer) == "signer_malformed"


def test_an_unsigned_file_is_not_even_looked_into(file: Path) -> None:
    file.write_text("version = = 1", encoding="utf-8")
    assert refused(file) == "signature_wrong"


def test_a_signed_file_that_is_faulty_is_refused_for_its_faults(file: Path) -> None:
    file.write_text(POLICY.replace("version = 1", "version = 2"), encoding="utf-8")
    sign(file.read_bytes(), file, PRIVATE)
    with pytest.raises(PolicyError) as caught:
        load_policy(file, SIGNER)
    assert not isinstance(caught.value, PolicyUnsigned)
    assert [fault.key for fault in caught.value.faults] == ["version"]


def test_a_missing_file_is_a_missing_file_signed_or_not(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path / "none.toml", SIGNER)
    assert [fault.code for fault in caught.value.faults] == ["policy.fault.file_missing"]


def test_without_a_signer_nobody_needs_to_have_signed(file: Path) -> None:
    signature_path(file).write_bytes(b"nonsense")
    assert load_policy(file).policy.version == 1


def test_a_signature_that_cannot_be_written_is_told_and_leaves_the_old_one(file: Path) -> None:
    before = signature_path(file).read_bytes()
    with pytest.raises(KlartoneError):
        sign(b"", file.with_name("nowhere") / "policy.toml", PRIVATE)
    assert signature_path(file).read_bytes() == before
    assert sorted(one.name for one in file.parent.iterdir()) == ["policy.toml", "policy.toml.sig"]
