"""What is read from SIP messages and SDP by the phone itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.engine.sip.message import (
    MOST_WORDS,
    Identity,
    called,
    called_as,
    caller,
    host_of,
    identity_of,
    is_record_aware,
    mended,
    parse_address,
    parse_message,
    record_preference,
    record_state,
    with_attributes,
)

ANY = st.text(st.characters())
"""surrogates too, as which pjsua2 hands over what is no UTF-8"""

INVITE = (
    "INVITE sip:salg@10.0.0.5 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.9\r\n"
    'f: "Holm, Mette \\"M\\"" <sip:%2B4520123456;phone-context=dk@pbx.example;user=phone>;tag=1\r\n'
    "t: <sip:70102030@nordlys.example>\r\n"
    "Authorization: Digest secret\r\n"
    "k: timer,\r\n  record-aware\r\n"
    "X-Queue: salg\r\n"
    "\r\n"
    "v=0\r\nm=audio 4000 RTP/AVP 9\r\na=recordpref:off\r\n"
)


def test_a_callers_name_and_number_are_read_from_a_quoted_and_escaped_from_header() -> None:
    who = caller(parse_message(INVITE).headers)
    assert (who.name, who.user, who.host) == ('Holm, Mette "M"', "+4520123456", "pbx.example")


def test_the_called_number_is_that_of_the_to_header_and_else_of_the_request_line() -> None:
    message = parse_message(INVITE)
    assert called(message) == "70102030"
    bare = parse_message(INVITE.replace("70102030@", ""))
    assert (called(bare), called_as(bare)) == ("salg", "sip:salg@10.0.0.5")
    # What a policy goes by keeps what says whose number it is.
    for uri in ("sip:70102030;phone-context=+46@x.example;user=phone", "tel:100;phone-context=evil.example"):
        message = parse_message(INVITE.replace("sip:70102030@nordlys.example", uri))
        assert (called(message), called_as(message)) == (uri.partition(":")[2].partition(";")[0], uri)


def test_folded_and_compact_headers_are_found_under_their_long_names() -> None:
    headers = parse_message(INVITE).headers
    assert is_record_aware(headers)
    assert headers["X-QUEUE"] == "salg"


def test_credentials_and_routing_are_kept_back() -> None:
    headers = parse_message(INVITE).headers
    assert "authorization" not in headers
    assert "via" not in headers


@pytest.mark.parametrize(
    "sender",
    [
        '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
        "<sip:anonymous@pbx.example>;tag=1",
    ],
)
def test_an_anonymous_caller_has_neither_name_nor_number(sender: str) -> None:
    who = caller(parse_message(f"INVITE sip:a@b SIP/2.0\r\nFrom: {sender}\r\n\r\n").headers)
    assert (who.name, who.user) == ("", "")


@pytest.mark.parametrize(
    ("value", "user", "host"),
    [
        ("<tel:+4520123456;phone-context=dk>", "+4520123456", ""),
        ("sip:anna@pbx.example:5070;transport=tcp", "anna", "pbx.example:5070"),
        ("<sip:pbx.example>", "", "pbx.example"),
        ("<sip:anna:secret@[::1]:5060>", "anna", "[::1]:5060"),
    ],
)
def test_addresses_of_every_form_are_read(value: str, user: str, host: str) -> None:
    address = parse_address(value)
    assert (address.user, address.host) == (user, host)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"S\xf8ren M\xf8ller", "Søren Møller"),
        ("Søren Møller".encode(), "Søren Møller"),
        ("Søren ".encode() + b"M\xf8ller", "Søren Møller"),
        ("Anna\u202e\u2066 Holm\u200f".encode(), "Anna Holm"),
        (b"Anna\tHolm\xa0\x1b[2J\x00", "Anna Holm [2J"),
        ("王小明".encode(), "王小明"),
    ],
)
def test_a_name_is_utf_8_else_latin_1_without_what_cannot_be_seen(sent: bytes, read: str) -> None:
    assert mended(sent.decode("utf-8", "surrogateescape")) == read


def test_a_byte_that_is_escaped_in_a_user_is_mended_too() -> None:
    assert parse_address("<sip:s%F8ren%0A@pbx.example>").user == "søren "
    assert parse_address("<sip:s%C3%B8ren@pbx.example>").user == "søren"


@given(ANY)
def test_what_is_mended_is_short_can_be_printed_and_stays_as_it_is(text: str) -> None:
    once = mended(text)
    assert once.isprintable()
    assert len(once) <= MOST_WORDS
    assert mended(once) == once


@given(ANY)
def test_no_text_whatever_raises_and_none_is_read_unmended(text: str) -> None:
    message = parse_message(f'{text}\r\nFrom: "{text}" <sip:{text}@{text}>\r\n{text}:{text}')
    who = caller(message.headers)
    assert "".join((who.name, who.user, who.host, called(message), *message.headers.values())).isprintable()
    record_preference(text)
    record_state(text)
    host_of(text)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("a=recordpref:on", "on"),
        ("a=recordpref:off", "off"),
        ("a=recordpref:pause", "pause"),
        ("a=recordpref:nopreference", "nopreference"),
        ("a=recordpreference:on", None),
        ("", None),
    ],
)
def test_a_recording_preference_is_read_as_rfc_7866_says(line: str, wanted: str | None) -> None:
    assert record_preference(f"v=0\r\nm=audio 1 RTP/AVP 0\r\n{line}\r\n") == wanted
    assert record_preference(f"v=0\r\n{line}\r\nm=audio 1 RTP/AVP 0\r\n") == wanted


def test_what_the_audio_itself_says_goes_before_what_the_whole_session_says() -> None:
    sdp = "v=0\r\na=recordpref:on\r\na=record:on\r\nm=audio 1 RTP/AVP 0\r\na=recordpref:off\r\n"
    video = "m=video 2 RTP/AVP 96\r\na=recordpref:nopreference\r\na=record:paused\r\n"
    assert (record_preference(sdp + video), record_state(sdp + video)) == ("off", "on")


def test_attributes_are_added_to_an_sdp_and_read_again() -> None:
    sdp = "v=0\r\nm=audio 1 RTP/AVP 0\r\na=sendrecv\r\n"
    told = with_attributes(sdp, ("record:on", "recordpref:off"))
    assert told.startswith(sdp)
    assert (record_state(told), record_preference(told)) == ("on", "off")
    assert with_attributes(sdp, ()) == sdp


@pytest.mark.parametrize(
    ("address", "host"),
    [("10.0.0.1:5060", "10.0.0.1"), ("[::1]:5060", "::1"), ("::1", "::1"), ("pbx", "pbx")],
)
def test_the_host_of_an_address_is_cut_from_its_port(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("before", "then", "another"),
    [
        ("From: <sip:+4520123456@a>", "From: <sip:20123456@b:5070>;tag=2", False),
        ("From: <sip:+4520123456@a>", "From: <sip:30405060@a>", True),
        ("From: <sip:105@a>", "From: <sip:106@a>", True),
        ("From: <sip:105@a>\r\nP-Asserted-Identity: <tel:+4533112233>", "From: <sip:105@a>", False),
        ("From: <sip:105@a>", "From: <sip:105@a>\r\nP-Asserted-Identity: <sip:105@x>", False),
        ("From: <sip:105@a>", "From: <sip:105@a>\r\nP-Asserted-Identity: <sip:106@x>", True),
        ("From: <sip:anonymous@anonymous.invalid>", "From: <sip:105@a>", False),
        ("From: <sip:105@a>", "From: <sip:anonymous@anonymous.invalid>", False),
        ('From: <sip:105@a>\r\nP-Asserted-Identity: "A" <sip:1@x>', 'P-Asserted-Identity: "B" <sip:2@x>', True),
    ],
)
def test_somebody_else_is_there_only_where_another_is_named(before: str, then: str, another: bool) -> None:
    was, now = (identity_of(parse_message(f"INVITE sip:b@c SIP/2.0\r\n{text}\r\n\r\n")) for text in (before, then))
    assert now.is_another(was) is another


def test_from_of_an_answer_names_this_side() -> None:
    answer = parse_message("SIP/2.0 200 OK\r\nFrom: <sip:us@a>\r\nP-Asserted-Identity: <sip:105@x>\r\n\r\n")
    assert identity_of(answer) == Identity("", "105")
