"""The header in which an exchange says what it has told the party: read as it must be, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.calls.upstream import UpstreamNotice, read_upstream_notice
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("N7;language=da;keys=1", UpstreamNotice(NoticeId.N7, Language.DA, "1")),
        ("N2+N3 ; LANGUAGE = EN ; keys = 12", UpstreamNotice(NoticeId.N2_N3, Language.EN, "12")),
        ("N4;keys=*9", UpstreamNotice(NoticeId.N4, None, "*9")),
        ("N1", UpstreamNotice(NoticeId.N1)),
        ("N1;queue=4", UpstreamNotice(NoticeId.N1)),
    ],
)
def test_a_whole_header_is_read(value: str, told: UpstreamNotice) -> None:
    assert read_upstream_notice((value,)) == told


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "N9",
        "n7",
        "N7,N1",
        "N7;language=sv",
        "N7;language",
        "N7;keys=1;keys=",
        "N7;keys=one",
        "N7;keys=" + "1" * 17,
        "N7;;",
    ],
)
def test_what_is_not_whole_says_nothing(value: str) -> None:
    assert read_upstream_notice((value,)) is None


def test_two_headers_contradict_each_other_even_where_they_agree() -> None:
    assert read_upstream_notice(("N7", "N7")) is None
    assert read_upstream_notice(()) is None


@given(st.text())
def test_whatever_stands_there_it_is_read_or_not_and_nothing_is_raised(value: str) -> None:
    assert isinstance(read_upstream_notice((value,)), UpstreamNotice | None)
