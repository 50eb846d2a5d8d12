"""Messages that wait (RFC 3842), through a real pjsua2 and edge: asked for, told as figures, and bounded."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from softphone.edge.mailbox import MOST_BYTES, MOST_MESSAGES, Summary, read_summary
from softphone.edge.sip.message import SipMessage
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import Wire, header, wire

HOST = "127.0.0.1"
KIND = "application/simple-message-summary"
BODY = "Messages-Waiting: yes\r\nMessage-Account: sip:voice@host.test\r\nVoice-Message: {}/8 (1/2)\r\n"


@pytest.fixture
def phone() -> Generator[SecondPhone]:
    with second_phone(edge=True) as phone:
        yield phone


def registered(phone: SecondPhone, server: Wire) -> None:
    address = f"anna@{HOST}:{server.port}"
    phone.do("account", id="anna", address=address, password="x", transport="udp", mailbox=True)
    granted(server)
    phone.wait_for("RegistrationChanged", state="registered")


def granted(server: Wire) -> None:
    asked = server.wait_for("REGISTER")
    server.send(server.answer(asked, "200 OK", contact=header(asked, "Contact"), more="Expires: 60\r\n"), server.peer)


def notified(
    one: Wire, phone: SecondPhone, body: str, *, cseq: int = 1, state: str = "active", kind: str = KIND
) -> str:
    more = f"Event: message-summary\r\nSubscription-State: {state}\r\n"
    asked = one.request("NOTIFY", phone.udp, cseq=cseq, more=more, body=body, kind=kind)
    one.send(asked.replace("NOTIFY sip:own@", "NOTIFY sip:anna@"), (HOST, phone.udp))
    return one.wait_for("SIP/2.0 ")


def test_a_mailbox_is_asked_for_with_the_password_and_told_once_for_each_change(phone: SecondPhone) -> None:
    with wire() as server, wire() as another:
        registered(phone, server)
        asked = server.wait_for("SUBSCRIBE")
        assert (header(asked, "Event"), header(asked, "Accept")) == ("message-summary", KIND)
        assert header(asked, "Allow-Events") == "message-summary, refer"
        challenge = 'WWW-Authenticate: Digest realm="host.test", nonce="n", algorithm=MD5\r\n'
        server.send(server.answer(asked, "401 Unauthorized", more=challenge), server.peer)
        asked = server.wait_for("SUBSCRIBE")
        assert header(asked, "Authorization").startswith('Digest username="anna"')
        server.send(server.answer(asked, "200 OK", more="Expires: 1\r\n"), server.peer)
        server.call_id, server.them = header(asked, "Call-ID"), header(asked, "From")
        assert notified(server, phone, BODY.format(4), cseq=5, state="active;expires=1").startswith("SIP/2.0 200")
        told = phone.wait_for("MailboxChanged")
        assert (told["account"], told["waiting"], told["new"], told["target"]) == (
            "anna",
            True,
            4,
            "sip:voice@host.test",
        )
        # One that was overtaken, the same again, another kind, and one of nobody's change nothing.
        notified(server, phone, BODY.format(9), cseq=4)
        notified(server, phone, BODY.format(4), cseq=6)
        notified(server, phone, "Messages-Waiting: yes\r\n", cseq=7, kind="text/plain")
        with wire("127.0.0.3") as stranger:
            notified(stranger, phone, BODY.format(8))
        another.them, another.call_id = "<sip:anna@host.test>;tag=nobodys", server.call_id
        assert notified(another, phone, BODY.format(8), cseq=9).startswith("SIP/2.0 481")
        # Unasked, from the registrar, it counts as well.
        with wire(HOST) as again:
            notified(again, phone, "Messages-Waiting: no\r\n")
        assert phone.wait_for("MailboxChanged")["waiting"] is False
        assert len(phone.told("MailboxChanged")) == 2
        # One that flickers is told a few times, and at last as it is.
        for number in range(100):
            notified(server, phone, BODY.format(number % 2), cseq=20 + number)
        notified(server, phone, BODY.format(7), cseq=120)
        phone.wait_for("MailboxChanged", new=7)
        assert len(phone.told("MailboxChanged")) < 10
        # It would be renewed every second, had the exchange its way; and the phone lives.
        while not server.silent(1.2):
            assert server.heard[-1].startswith("OPTIONS")
        notified(server, phone, "", cseq=130, state="terminated;reason=probation;retry-after=4294967295")
        server.send(server.request("OPTIONS", phone.udp, to=f"<sip:own@{HOST}>", call_id="x"), (HOST, phone.udp))
        server.wait_for("SIP/2.0 200")


def test_an_exchange_without_mailboxes_is_asked_once(phone: SecondPhone) -> None:
    with wire() as server:
        registered(phone, server)
        asked = server.wait_for("SUBSCRIBE")
        server.send(server.answer(asked, "489 Bad Event"), server.peer)
        # A new registration is when pjsua2 asks again.
        phone.do("renew", account="anna")
        granted(server)
        assert server.silent(0.7), server.heard[-1]


def test_an_exchange_that_says_nothing_of_mailboxes_is_no_less_there_for_calls(phone: SecondPhone) -> None:
    with wire() as server:
        registered(phone, server)
        server.wait_for("SUBSCRIBE")
        before = len(server.heard)
        for _ in range(2):
            server.wait_for("SUBSCRIBE")
        asked = server.wait_for("SUBSCRIBE")
        server.send(server.answer(asked, "503 Service Unavailable", more="Retry-After: 60\r\n"), server.peer)
        assert server.silent(0.7)
        assert not any(one.startswith("REGISTER") for one in server.heard[before:]), "it was not left"


@given(some.binary(max_size=6000) | some.text(max_size=300).map(lambda one: f"Messages-Waiting: yes\r\n{one}".encode()))
def test_whatever_stands_in_a_summary_is_read_or_left(body: bytes) -> None:
    found = read_summary(SipMessage("NOTIFY", "sip:a@b", headers=[("Content-Type", KIND)], body=body))
    assert found is None or ((found.new or 0) <= MOST_MESSAGES and len(found.target) <= 256)


def test_figures_are_bounded_and_an_account_without_a_user_is_none() -> None:
    body = b"messages-waiting:YES\nmessage-account: sip:host.test\nvoice-message: 999999999/0\nfax-message: 1/2"
    message = SipMessage("NOTIFY", "sip:a@b", headers=[("Content-Type", f"{KIND};charset=utf-8")], body=body)
    assert read_summary(message) == Summary(True, MOST_MESSAGES, 0, "")
    message.body = b"Messages-Waiting: no\r\nMessage-Account: tel:+4570102030"
    assert read_summary(message) == Summary(False, None, None, "tel:+4570102030")
    message.body += b"\r\nSubject: ".ljust(MOST_BYTES - len(message.body), b"x")
    assert read_summary(message) is not None
    message.body += b"x"
    assert read_summary(message) is None
