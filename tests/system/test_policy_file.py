"""Whatever lies where the policy should, the answer is a policy or its faults, each a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from softphone.domain.policy import PolicyError, PolicyFault
from softphone.domain.policy.fields import PolicyPart
from softphone.domain.purpose import KeyRole, Purpose
from softphone.system.policy_file import LARGEST, filled, load_policy, parse_policy
from tests.domain.test_policy_doubts import DOUBTFUL
from tests.domain.test_policy_faults import SPOILED
from tests.policies import KEYS, POLICY, policy_of

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
        (b"version = 1\nversion = 1\n", "declared_twice", 2),
        (b"version = 1\nversion = 2", "declared_twice", 2),
        (b"[a]\nb = 1\n[a]\nc = 2\n", "declared_twice", 3),
        (b"version = 1\na = { b = 1, b = 2 }\n", "declared_twice", 2),
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


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=100, deadline=None)
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


@settings(max_examples=80, deadline=None)
@given(st.data(), VALUES)
def test_any_value_of_any_kind_in_the_place_of_another_is_a_policy_or_faults(data: st.DataObject, value: str) -> None:
    places = list(re.finditer(r"(?m)(?<= = ).+$", POLICY))
    place = data.draw(st.sampled_from(places))
    faults = faults_in(POLICY[: place.start()] + value + POLICY[place.end() :])
    assert all(fault.line is not None for fault in faults)


def test_the_demos_policy_has_a_line_for_each_notice_and_its_one_doubt_is_that_all_are_sampled() -> None:
    loaded = parse_policy(filled((ROOT / "resources/policies/demo.toml").read_text("utf-8"), PUBLIC))

    assert [line.id for line in loaded.policy.line] == ["n1", "n2", "n3", "n4", "n6", "n7", "none"]
    assert {remark.code for remark in loaded.remarks} == {"policy.warning.capacity_all"}
    silent = loaded.policy.line[-1]
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


# Each spoils a part of its own, so that all of them can be planted at once: what is replaced, by what, and what is told.
PLANTED = [
    ('name = "Nordlys El A/S"', "name = 7", "wanted_text", "controller.name"),
    ('page = "https://nordlys', 'page = "nordlys', "page", "controller.page"),
    ("employees_informed_on = 2020-10-01", 'employees_informed_on = "soon"', "day", "employees_informed_on"),
    ('time_zone = "Europe/Copenhagen"', 'time_zone = "Mars/Olympus"', "time_zone", "time_zone"),
    (f'public_key = "{KEYS["custody"]}"', 'public_key = "x"', "public_key", "recipient[3].public_key"),
    ('"+4570102031"', '"70102031"', "number", "line[1].numbers[2]"),
    ('sample = "10 %"', "sample = 0.1", "share", "line[1].training.sample"),
    (
        'why_this_number = "Så mange gennemgås hver uge."',
        'why_this_number = ""',
        "empty",
        "line[1].training.why_this_number",
    ),
    ("capacity = 20", "capacity = -1", "capacity", "line[1].training.capacity"),
    ('opt_out = "stop"', 'opt_out = "shout"', "not_one_of", "line[1].training.opt_out"),
    (
        'conclusion = "Behovet er der."',
        "conclusion = false",
        "wanted_text",
        "line[1].documentation.assessment.conclusion",
    ),
    ('id = "salg"\n', 'id = "salg"\nopt_out_key = "2"\n', "key_is_a_yes", "line[1].opt_out_key"),
    ('retention = "P5Y"', 'retention = "5 år"', "period", "line[2].documentation.retention"),
    ('"+4570102040"', '"+45 70 10 20 30"', "number_twice", "line[2].numbers[1]"),
    ('name = "Support"', 'name = "Support"\nrepeat = 9', "not_one_of", "line[2].repeat"),
    ('name = "Support"', 'name = "Support"\nlanguage = "se"', "not_one_of", "line[2].language"),
    ('name = "Support"', 'name = "Support"\nanswer_time = "PT0S"', "answer_time_none", "line[2].answer_time"),
    ('name = "Support"', 'name = "Support"\nnever_recrod = []', "unknown_key_near", "line[2].never_recrod"),
]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, len(PLANTED) - 1), min_size=1))
def test_however_many_faults_are_planted_each_is_told_at_its_line(chosen: set[int]) -> None:
    text = POLICY
    for n in sorted(chosen):
        old, new, _code, _key = PLANTED[n]
        assert old in text
        text = text.replace(old, new, 1)
    expected: set[tuple[str, str, int]] = set()
    for n in chosen:
        _old, new, code, key = PLANTED[n]
        if code == "number_twice" and 5 in chosen:
            continue  # the other line's numbers cannot be read: there is nothing to compare with
        line = next(number for number, row in enumerate(text.splitlines(), 1) if new.splitlines()[-1] in row)
        expected.add((f"policy.fault.{code}", key, line))
    assert {(fault.code, fault.key, fault.line) for fault in faults_in(text)} == expected


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_table_put_anywhere_in_a_sound_policy_is_a_policy_or_faults(data: st.DataObject) -> None:
    lines = POLICY.splitlines()
    where = data.draw(st.integers(0, len(lines)))
    key = data.draw(st.sampled_from(KNOWN_KEYS))
    value = data.draw(VALUES)
    faults = faults_in("\n".join([*lines[:where], f"{key} = {value}", *lines[where:]]))
    assert all(fault.rule for fault in faults)


def _keys_of(kind: type[PolicyPart]) -> list[str]:
    return [*kind.model_fields, *(key for part in kind.__subclasses__() for key in _keys_of(part))]


KNOWN_KEYS = sorted({*_keys_of(PolicyPart), "N1", "N7", "da", '"N2+N3"', "line.wording.N1.da", "controller.id"})


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_fault_and_doubt_has_a_sentence_with_a_next_step_and_no_sentence_is_without_one(language: str) -> None:
    with (ROOT / f"resources/translations/{language}/policy.po").open("rb") as file:
        read = [(one.id, one.string) for one in read_po(file) if one.id]
    sentences = {
        code if isinstance(code, str) else code[0]: said[1] if isinstance(said, tuple) else str(said)
        for code, said in read
    }
    sources = [*(ROOT / "softphone/domain/policy").glob("*.py"), *(ROOT / "softphone/system").glob("*.py")]
    source = "".join(path.read_text("utf-8") for path in [*sources, *(ROOT / "softphone/plugin").glob("*.py")])

    for code, sentence in sentences.items():
        _, kind, name = f"{code}..".split(".")[:3]
        # what is put together from what a rulebook or a voice has found is theirs to prove
        if kind in ("fault", "warning") and not name.startswith(("wanted_", "notice_", "unspoken_", "long_hold_")):
            assert f'"{name}"' in source or f'"{code}"' in source, code
        if kind in ("fault", "warning") and not name.startswith(("wanted_", "notice_")):
            assert sentence.count(".") + sentence.count(":") >= 2, code

    for old, new, code, _key, _line in SPOILED:
        with pytest.raises(PolicyError) as caught:
            parse_policy(POLICY.replace(old, new, 1))
        (fault,) = caught.value.faults
        told = sentences[f"policy.fault.{code}"].format_map(dict(fault.params))
        assert "{" not in told.replace("{ da", "").replace("{page}", "").replace("{keys}", "").replace("{site}", "")

    for old, new, code, *_ in DOUBTFUL:
        for warning in policy_of(POLICY.replace(old, new, 1)).remarks:
            assert "{" not in sentences[f"policy.warning.{code}"].format_map(dict(warning.params))
