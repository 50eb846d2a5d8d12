"""Whatever lies where the policy should, the answer is a policy or its faults, each a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from softphone.domain.policy import PolicyError, PolicyFault
from softphone.domain.purpose import KeyRole, Purpose
from softphone.system.policy_file import LARGEST, filled, load_policy, parse_policy
from tests.domain.test_policy_faults import SPOILED
from tests.policies import KEYS, POLICY

ROOT = Path(__file__).parents[2]
PUBLIC = {KeyRole(role): key for role, key in KEYS.items()}


def faults_of(path: Path) -> tuple[PolicyFault, ...]:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return caught.value.faults


def faults_in(text: str) -> tuple[PolicyFault, ...]:
    """None where it is a policy all the same."""
    try:
        parse_policy(text)
    except PolicyError as error:
        return error.faults
    return ()


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "file_empty", None),
        (b" \n\t\n", "file_empty", None),
        (b"# nothing yet\n", "file_empty", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary", None),
        (b"a\x00b", "binary", None),
        ("navn = 'Ærø'".encode("latin-1"), "binary", None),
        (b"x" * (LARGEST + 1), "too_large", None),
        (b"version = 1\nname = = 3\n", "broken", 2),
        (b"version = 1\nversion = 1\n", "broken", 2),
        (POLICY[:140].encode(), "ends_early", 7),
        (b"a = [1,\n2,\n", "ends_early", 2),
        (b"a = " + b"[" * 5000, "broken_somewhere", None),
        (b"a = " + b"9" * 5000, "broken_somewhere", None),
    ],
)
def test_a_file_that_is_no_policy_is_one_clear_fault(
    tmp_path: Path, content: bytes, code: str, line: int | None
) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(content)

    (fault,) = faults_of(file)

    assert (fault.code, fault.line) == (f"policy.fault.{code}", line)


def test_a_missing_file_a_folder_and_an_unreadable_one_are_told_apart(tmp_path: Path) -> None:
    assert [fault.code for fault in faults_of(tmp_path / "none.toml")] == ["policy.fault.file_missing"]
    assert [fault.code for fault in faults_of(tmp_path)] == ["policy.fault.not_a_file"]
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    assert [fault.code for fault in faults_of(loop)] == ["policy.fault.unreadable"]
    assert [fault.code for fault in faults_of(tmp_path / ("x" * 5000))] == ["policy.fault.unreadable"]


def test_a_zone_that_is_nowhere_is_a_fault_at_its_line() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(POLICY.replace("Europe/Copenhagen", "Europe/Atlantis"))
    (fault,) = caught.value.faults
    assert (fault.code, fault.line, fault.key) == ("policy.fault.time_zone", 2, "time_zone")


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(b"\xef\xbb\xbf" + POLICY.replace("\n", "\r\n").encode())
    assert [line.id for line in load_policy(file).policy.line] == ["salg", "support"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_whatever_give_anything_but_a_policy_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)
    assert faults_of(file)


TOKENS = st.sampled_from(
    [
        *re.findall(r"\w+|[^\w\s]|\s", POLICY),
        "[[line]]",
        "[line]",
        "{",
        "}",
        '"""',
        "inf",
        "nan",
        "1979-05-27",
        "-1",
        "\\u00e6",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_policy_with_a_piece_changed_is_a_policy_or_faults(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(POLICY)))
    end = data.draw(st.integers(start, min(len(POLICY), start + 60)))
    piece = "".join(data.draw(st.lists(TOKENS, max_size=12)))
    faults = faults_in(POLICY[:start] + piece + POLICY[end:])
    assert all(fault.code.startswith("policy.fault.") for fault in faults)


VALUES = st.recursive(
    st.sampled_from(["true", "1", "-0.5", '"text"', "1979-05-27", "inf", '""']),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda all_of: f"[{', '.join(all_of)}]")
        | inner.map(lambda one: f"{{ da = {one} }}")
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.data(), VALUES)
def test_any_value_of_any_kind_in_the_place_of_another_is_a_policy_or_faults(data: st.DataObject, value: str) -> None:
    places = list(re.finditer(r"(?m)(?<= = ).+$", POLICY))
    place = data.draw(st.sampled_from(places))
    faults = faults_in(POLICY[: place.start()] + value + POLICY[place.end() :])
    assert all(fault.line is not None for fault in faults)


def test_the_demos_policy_has_a_line_for_each_notice_and_loads_without_a_remark() -> None:
    loaded = parse_policy(filled((ROOT / "resources/policies/demo.toml").read_text("utf-8"), PUBLIC))

    assert [line.id for line in loaded.policy.line] == ["n1", "n3", "n7", "none"]
    assert loaded.remarks == ()
    silent = loaded.policy.line[3]
    assert silent.documentation is None
    assert silent.training is not None
    assert silent.training.sample == 0
    assert {line.answer_time.seconds for line in loaded.policy.line} == {4}
    assert {line.repeat for line in loaded.policy.line} == {0}


def test_the_commented_example_loads_once_its_keys_are_put_in() -> None:
    text = (ROOT / "resources/policies/example.toml").read_text("utf-8")
    loaded = parse_policy(filled(text, PUBLIC))
    assert all(line.basis(Purpose.DOCUMENTATION) or line.basis(Purpose.TRAINING) for line in loaded.policy.line)

    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert {fault.code for fault in caught.value.faults} == {"policy.fault.public_key"}


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_fault_has_a_sentence_with_a_next_step_and_no_sentence_is_without_a_fault(language: str) -> None:
    with (ROOT / f"resources/translations/{language}/policy.po").open("rb") as file:
        sentences = {str(message.id): str(message.string) for message in read_po(file) if message.id}
    sources = [*(ROOT / "softphone/domain/policy").glob("*.py"), ROOT / "softphone/system/policy_file.py"]
    source = "".join(path.read_text("utf-8") for path in [*sources, *(ROOT / "softphone/plugin").glob("*.py")])

    for code, sentence in sentences.items():
        last = code.rsplit(".", 1)[-1]
        if code.startswith("policy.fault.") and not last.startswith("wanted_"):
            assert f'"{last}"' in source or f'"{code}"' in source, code
        if not code.startswith(("policy.at", "policy.fault.wanted_")):
            assert sentence.count(".") >= 2, code

    for old, new, code, _key, _line in SPOILED:
        with pytest.raises(PolicyError) as caught:
            parse_policy(POLICY.replace(old, new, 1))
        (fault,) = caught.value.faults
        told = sentences[f"policy.fault.{code}"].format_map(dict(fault.params))
        assert "{" not in told.replace("{ da", "")
