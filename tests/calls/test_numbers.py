"""Numbers as they come and as they are typed."""

import pytest

from softphone.calls.numbers import called_number, dialled, e164, is_internal, names_called, names_of
from softphone.domain.errors import KlartoneError
from tests.policies import POLICY, policy_of


@pytest.mark.parametrize("given", ["+4520123456", "20123456", "20 12 34 56", "004520123456"])
def test_a_danish_number_is_one_number_however_it_is_written(given: str) -> None:
    assert e164(given) == "+4520123456"


@pytest.mark.parametrize("given", ["", "anonymous", "12", "7", "salg"])
def test_an_incomplete_number_is_not_a_number(given: str) -> None:
    assert e164(given) is None


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("+45 20 12 34 56", "+4520123456"),
        ("(70) 10-20.30", "70102030"),
        ("*21#", "*21#"),
        ("tel:+45-70-10-20-30", "+4570102030"),
        ("TEL:*98;phone-context=pbx.nordlys.example", "*98"),
        (" mette@nordlys.example ", "mette@nordlys.example"),
        ("sip:mette@127.0.0.1:5080", "sip:mette@127.0.0.1:5080"),
    ],
)
def test_numbers_and_addresses_can_be_dialled(typed: str, where: str) -> None:
    assert dialled(typed) == where


@pytest.mark.parametrize("typed", ["", "Mette Holm", "@", "sip:", "20 12 abc", "a@b@c", "x\r\ny@z", "tel:", "tel:salg"])
def test_anything_else_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(KlartoneError):
        dialled(typed)


TEAM = """
[[team]]
id = "salg"
name = "Salg"
agents = ["anna@nordlys.example", "sip:bo@pbx.nordlys.example:5070"]
lines = ["salg"]
"""


@pytest.mark.parametrize(
    ("number", "host", "internal"),
    [
        ("204", "", True),
        ("20412", "nordlys.example", True),
        ("+4570102030", "", True),
        ("70102030", "sip.carrier.example", True),
        ("anna", "nordlys.example", True),
        ("bo", "PBX.nordlys.example", True),
        ("anna", "", True),
        ("anna", "elsewhere.example", False),
        ("+4520123456", "", False),
        ("112", "", False),
        ("1813", "", False),
        ("00", "", True),
        ("0045", "", True),
        ("+", "", False),
        ("1", "", False),
        ("", "", False),
        ("anonymous", "", False),
    ],
)
def test_the_other_side_is_ours_where_it_is_a_line_an_agent_or_an_extension(
    number: str, host: str, internal: bool
) -> None:
    assert is_internal(policy_of(POLICY + TEAM).policy, number, host) is internal


@pytest.mark.parametrize(
    "user",
    ["vm70102030", "agent-70102030", "u=70102030", "70102030x5", "70102030#1", "70-10-CALL", "70102030;phone-context=+46",
     "+4570102030;ext=5", "70102030;ext=5", "７０１０２０３０"],
)  # fmt: skip
def test_a_user_that_has_a_number_in_it_is_no_number(user: str) -> None:
    assert called_number(user) is None
    assert "+4570102030" not in names_of(user, "sip:anna@pbx.example").sure


def test_parameters_behind_a_whole_number_leave_it_what_it_is() -> None:
    assert called_number("+4570102030;npdi;rn=+4512345678") == "+4570102030"


def test_what_forbids_recording_finds_a_number_within_other_words() -> None:
    assert e164("70102099x5") == e164("+4570102099;ext=5") == "+4570102099"
    assert e164("+45 20–12–34–56") == e164("\u202a+4520123456\u202c") == "+4520123456"


@pytest.mark.parametrize(
    ("uri", "sure", "doubtful"),
    [
        ("sip:100@pbx.example", {"100", "100@pbx.example"}, set[str]()),
        ("sip:100@10.0.0.5:5070;ob", {"100", "100@pbx.example"}, set[str]()),
        ("sip:salg@[::1]", {"salg@pbx.example"}, set[str]()),
        ("sip:100@proved.example", {"100", "100@pbx.example"}, set[str]()),
        ("sip:%2B4570102030@carrier.example;user=phone", {"+4570102030"}, {"+4570102030@pbx.example"}),
        ("tel:70102030;phone-context=+45", {"+4570102030"}, {"70102030@pbx.example"}),
        ("tel:100;phone-context=PBX.example", {"100", "100@pbx.example"}, set[str]()),
        # What a stranger may write, where the exchange leaves To alone.
        ("sip:100@anything.example", set[str](), {"100", "100@pbx.example"}),
        ("sip:salg@anything.example", set[str](), {"salg@pbx.example"}),
        ("tel:100;phone-context=evil.example", set[str](), {"100", "100@pbx.example"}),
        ("tel:70102030", set[str](), {"+4570102030", "70102030@pbx.example"}),
        ("sip:70102030;phone-context=+46@pbx.example;user=phone", set[str](), {"+4570102030", "70102030@pbx.example"}),
        ("sip:70102030@anything.example;user=phone", set[str](), {"+4570102030", "70102030@pbx.example"}),
    ],
)
def test_a_called_uri_names_a_line_surely_only_as_the_exchanges_own(
    uri: str, sure: set[str], doubtful: set[str]
) -> None:
    named = names_called(uri, "sip:anna@pbx.example", server="proved.example")
    assert (set(named.sure), set(named.doubtful)) == (sure, doubtful)


@pytest.mark.parametrize(
    "uri", ["sip:100:pw@pbx.example", "sip:100%00@pbx.example", "sip:100;x=y@pbx.example", "sip:x"]
)
def test_what_stands_behind_a_called_user_is_not_left_out(uri: str) -> None:
    named = names_called(uri, "sip:anna@pbx.example")
    assert not {"100", "100@pbx.example"} & {*named.sure, *named.doubtful}
