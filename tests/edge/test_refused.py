"""What ends, stops or floods a pjsua2 is refused by its grammar, whether this wheel was seen to fall over it or not."""

from __future__ import annotations

import pytest

from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.reading import parse
from tests.edge.killers import SIXTY_ROUTES
from tests.edge.test_honest import said

NO_ADDRESS = (
    "<sip:p@[]>",
    "<sip:>",
    "<sip:p@>",
    "<http://x>",
    "<mailto:a@b>",
    "sip:p@[]",
    "<sip:p@[::::]>",
    "<sip:a@b:0>",
    "<>",
    "",
)
ROUTES = ("Record-Route", "Route", "Service-Route", "Path")


@pytest.mark.parametrize("value", NO_ADDRESS)
@pytest.mark.parametrize("name", ["From", "To", "Contact", "Refer-To", *ROUTES])
def test_an_address_that_is_none(name: str, value: str) -> None:
    with pytest.raises(Malformed, match=name):
        said(name, f"{value};tag=1" if name == "From" else value)


@pytest.mark.parametrize(
    "uri",
    [
        "sip:10.0.0.1;lr;hide",
        "sip:10.0.0.1;%68ide",
        "\u017fip:10.0.0.1;lr",
        "sip:10.0.0.1;HIDE",
        "sip:10.0.0.1;hide=1;lr",
        "tel:+4533445566",
    ],
)
@pytest.mark.parametrize("name", ROUTES)
def test_a_route_that_pjsip_would_not_print(name: str, uri: str) -> None:
    with pytest.raises(Malformed, match=name):
        said(name, f"<{uri}>")


@pytest.mark.parametrize("name", ["Contact", *ROUTES])
def test_a_name_in_maddr_is_not_looked_up_by_pjsua2(name: str) -> None:
    assert said(name, "<sip:10.0.0.1;maddr=10.0.0.9;lr>")
    for slow in ("maddr=slow.example.com", "m%61ddr=slow.example.com", "MADDR=slow"):
        with pytest.raises(Malformed, match=name):
            said(name, f"<sip:10.0.0.1;{slow};lr>")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Via", "SIP/2.0/UDP 10.0.0.1;maddr=slow.example.com"),
        ("Via", "SIP/2.0/UDP 10.0.0.1;ttl=256"),
        ("Via", "SIP/2.0/UDP []"),
        ("Contact", "*"),
        ("Contact", "<sips:a@10.0.0.1>"),
        ("Contact", "<tel:+4533445566>"),
        ("Contact", "<\u017fip:a@10.0.0.1>"),
        ("Contact", "<sip:a@10.0.0.1>;expires=4294967295"),
        ("Contact", "<sip:a@10.0.0.1>;q=9"),
        ("From", "<sip:a@10.0.0.1>;tag"),
        ("From", "<sip:a@10.0.0.1>;tag=1;tag=2"),
        ("From", '"a" "b" <sip:a@10.0.0.1>;tag=1'),
        ("To", f"<sip:{'a' * 2_000}@10.0.0.1>"),
        ("To", f"<sip:a@{'a' * 128}>"),
        ("CSeq", "2147483648 INVITE"),
        ("CSeq", "1"),
        ("Max-Forwards", "256"),
        ("Expires", "2147483648"),
        ("Min-Expires", "4294967295"),
        ("Min-SE", "4294967295"),
        ("Session-Expires", "4294967295"),
        ("Retry-After", "99999999999"),
        ("RSeq", "4294967296"),
        ("RAck", "1 INVITE"),
        ("Replaces", "a;to-tag=b"),
        ("Content-Type", "application"),
        ("Allow", ",".join(f"A{number}" for number in range(33))),
        ("Require", ""),
        ("WWW-Authenticate", "Digest"),
        ("X-Whatever", "a\x07b"),
    ],
)
def test_a_value_that_does_not_fit(name: str, value: str) -> None:
    with pytest.raises(Malformed):
        said(name, value)


ANSWER = (
    "SIP/2.0 {code} Said\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
    "From: <sip:a@10.0.0.1>;tag=1\r\nTo: <sip:b@10.0.0.2>;tag=2\r\n"
    "Call-ID: 1\r\nCSeq: 1 {method}\r\n{more}\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("method", "code", "more", "read"),
    [
        *(("INVITE", code, f"Contact: {value}", False) for code in (180, 200) for value in NO_ADDRESS),
        *(("INVITE", 200, f"Contact: {value}", False) for value in ("<tel:+45>", "<sips:a@10.0.0.1>", "*")),
        *(("INVITE", 302, f"Contact: {value}", True) for value in ("<tel:+45>", "<mailto:a@b>", "<sips:a@10.0.0.1>")),
        ("INVITE", 302, "Contact: <sip:p@[]>", False),
        # Other phones' bindings are the registrar's to tell, of whatever kind.
        *(("REGISTER", 200, f"Contact: {value}", True) for value in ("<tel:+45>", "<mailto:a@b>", "<sips:a@10.0.0.1>")),
        ("REGISTER", 200, "Contact: *", False),
        ("REGISTER", 200, "\r\n".join(SIXTY_ROUTES), False),
        ("REGISTER", 200, "\r\n".join(SIXTY_ROUTES[:8]), True),
        ("REGISTER", 423, "Min-Expires: 4294967295", False),
        ("REGISTER", 423, "Min-Expires: 3600", True),
    ],
)
def test_what_an_answer_may_say(method: str, code: int, more: str, read: bool) -> None:
    data = ANSWER.format(method=method, code=code, more=more).encode()
    if read:
        assert parse(data).method == method
        return
    with pytest.raises(Malformed) as refused:
        parse(data)
    assert refused.value.message is not None
    assert (refused.value.message.method, refused.value.message.code) == (method, code)
