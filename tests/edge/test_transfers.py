"""REFER, its NOTIFY and Replaces through a real edge, both ways: nobody is called for them, and only calls that stand count."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from softphone.edge.dialogs import Dialog, Dialogs
from softphone.edge.sip.message import SipMessage
from softphone.edge.transfers import Referral, read_progress, read_refer, replaced_by, without_replaces
from softphone.edge.transports import Hop
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import SDP, Wire, header, wire

LOOPBACK = "127.0.0.1"
PEER = Hop("udp", LOOPBACK, 9)
PASSPORT = "eyJhbGciOiJFZERTQSJ9.eyJubyI6InQifQ.AA~BB"


@pytest.fixture(scope="module")
def phone_process() -> Generator[SecondPhone]:
    with second_phone(edge=True, counter=True) as phone:
        yield phone


@pytest.fixture
def phone(phone_process: SecondPhone) -> Generator[SecondPhone]:
    phone_process.do("end_calls")
    phone_process.wait_for("Idle")
    phone_process.do("forget")
    yield phone_process
    assert not phone_process.told("PhoneFault")


def in_call(phone: SecondPhone, one: Wire) -> str:
    """The phone's id of the call. So many calls at once are a flood to its edge: one that is turned away tries again."""
    one.call(phone.udp)
    while (told := one.wait_for("SIP/2.0 ")).startswith(("SIP/2.0 100", "SIP/2.0 486")):
        if told.startswith("SIP/2.0 486") and one.silent():
            one.call_id = f"x{one.call_id}"
            one.call(phone.udp)
    call = phone.wait_for("CallArrived")["call"]
    phone.do("answer", call=call)
    one.answered(phone.udp)
    phone.wait_for("CallEstablished")
    return call


def left(one: Wire, phone: SecondPhone, call: str) -> None:
    sent(one, phone, one.request("BYE", phone.udp, cseq=90))
    phone.wait_for("CallEnded", call=call)


def sent(one: Wire, phone: SecondPhone, text: str) -> None:
    one.send(text, (LOOPBACK, phone.udp))


def answered(one: Wire, request: str, status: str = "200 OK") -> None:
    one.send(one.answer(request, status), one.peer)


def notified(one: Wire, fragment: str) -> str:
    """A NOTIFY with that in its body, answered; others before it too."""
    while True:
        told = one.wait_for("NOTIFY")
        answered(one, told)
        if fragment in told:
            return told


# --- the party would have us call somebody ---------------------------------------------------------


def test_who_is_asked_to_call_somebody_asks_the_agent_first_and_tells_how_it_goes(phone: SecondPhone) -> None:
    with wire() as party, wire() as target:
        call = in_call(phone, party)
        named = f"<sip:204@{LOOPBACK}:{target.port}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&Klartone-Passport={PASSPORT}&Route=x>"
        asked = party.request("REFER", phone.udp, cseq=2, more=f"Refer-To: {named}\r\n")
        sent(party, phone, asked)
        trying = notified(party, "SIP/2.0 100 Trying")
        assert header(trying, "Event") == "refer"
        sent(party, phone, asked)  # repeated
        assert f"{LOOPBACK}:{phone.udp}" in header(party.wait_for("SIP/2.0 202"), "Contact")
        told = phone.wait_for("ReferAsked", call=call)
        assert told["target"] == f"sip:204@{LOOPBACK}:{target.port}"
        assert (told["replaces"], told["passport"]) == ("a;to-tag=b;from-tag=c", PASSPORT)
        assert target.silent()
        phone.do("tell_referrer", call=call, code=200)
        assert header(notified(party, "SIP/2.0 200 OK"), "Subscription-State").startswith("terminated")
        assert len(phone.told("ReferAsked")) == 1
        left(party, phone, call)


@pytest.mark.parametrize("answers", [True, False])
def test_a_party_has_heard_the_last_word_on_its_transfer_before_the_call_ends(
    phone: SecondPhone, answers: bool
) -> None:
    with wire() as party:
        call = in_call(phone, party)
        sent(party, phone, party.request("REFER", phone.udp, cseq=2, more=f"Refer-To: <sip:204@{LOOPBACK}>\r\n"))
        phone.wait_for("ReferAsked", call=call)
        notified(party, "SIP/2.0 100")
        phone.do("tell_referrer", call=call, code=200)
        phone.do("hang_up", call=call)
        last = party.wait_for("NOTIFY")
        assert party.silent(0.3), "the BYE waits for the answer"
        if answers:
            answered(party, last)
        answered(party, party.wait_for("BYE", seconds=2))
        phone.wait_for("CallEnded", call=call)


def test_who_has_asked_is_answered_before_somebody_else_can_be_named(phone: SecondPhone) -> None:
    with wire() as party:
        call = in_call(phone, party)
        for number, user in ((2, "204"), (3, "evil")):
            more = f"Refer-To: <sip:{user}@{LOOPBACK}>\r\n"
            sent(party, phone, party.request("REFER", phone.udp, cseq=number, more=more))
        assert header(notified(party, "SIP/2.0 100"), "Event") == "refer"
        assert header(notified(party, "SIP/2.0 603"), "Event") == "refer;id=3"
        phone.do("tell_referrer", call=call, code=180)
        assert header(notified(party, "SIP/2.0 180"), "Event") == "refer", "the first one stands"
        phone.do("tell_referrer", call=call, code=603)
        notified(party, "SIP/2.0 603")
        assert [one["target"] for one in phone.told("ReferAsked") if one["call"] == call] == [f"sip:204@{LOOPBACK}"]
        more = f"Refer-To: <sip:205@{LOOPBACK}>\r\nRefer-Sub: false\r\n"
        sent(party, phone, party.request("REFER", phone.udp, cseq=4, more=more))
        assert header(party.wait_for("SIP/2.0 202"), "Refer-Sub") == "false"
        phone.wait_for("ReferAsked", target=f"sip:205@{LOOPBACK}")
        phone.do("tell_referrer", call=call, code=200)
        assert party.silent(), "it wants to hear nothing"
        left(party, phone, call)


@pytest.mark.parametrize("status", ["481 Subscription does not exist", "408 Request Timeout"])
def test_a_party_that_knows_nothing_of_refer_stays_in_its_call(phone: SecondPhone, status: str) -> None:
    with wire() as party:
        call = in_call(phone, party)
        sent(party, phone, party.request("REFER", phone.udp, cseq=2, more=f"Refer-To: <sip:204@{LOOPBACK}>\r\n"))
        answered(party, party.wait_for("NOTIFY"), status)
        phone.do("transfer", call=call, target="204")
        answered(party, party.wait_for("REFER"), status)
        phone.wait_for("TransferChanged", call=call, state="failed")
        assert party.silent(), "no BYE"
        left(party, phone, call)


def test_what_names_nobody_is_refused_and_a_phone_that_rings_is_not_transferred(phone: SecondPhone) -> None:
    with wire() as party:
        call = in_call(phone, party)
        before = len(phone.told("ReferAsked"))
        for number, more in enumerate(
            (
                "",
                "Refer-To: <sip:204@127.0.0.1;method=BYE>\r\n",
                "Refer-To: <http://127.0.0.1/>\r\n",
                "Refer-To: <sip:204@127.0.0.1?Replaces=a>\r\n",
                "Refer-To: <sip:1@127.0.0.1>\r\nRefer-To: <sip:2@127.0.0.1>\r\n",
            ),
            2,
        ):
            sent(party, phone, party.request("REFER", phone.udp, cseq=number, more=more))
            party.wait_for("SIP/2.0 400")
        assert len(phone.told("ReferAsked")) == before
        left(party, phone, call)


# --- we transfer -----------------------------------------------------------------------------------


def test_the_party_is_asked_to_call_and_what_becomes_of_it_is_heard_in_that_call_alone(phone: SecondPhone) -> None:
    with wire() as party:
        call = in_call(phone, party)
        early = party.request("NOTIFY", phone.udp, cseq=2, more="Event: refer\r\nSubscription-State: active\r\n")
        sent(party, phone, early)
        party.wait_for("SIP/2.0 481")
        phone.do("transfer", call=call, target="sip:204@pbx.example", passport=PASSPORT)
        asked = party.wait_for("REFER")
        assert header(asked, "Refer-To") == f"<sip:204@pbx.example?Klartone-Passport={PASSPORT}>"
        assert LOOPBACK in header(asked, "Contact")
        answered(party, asked, "202 Accepted")
        phone.wait_for("TransferChanged", call=call, state="accepted")
        for number, code, state, then in (
            (3, "100 Trying", "active", ""),
            (4, "180 Ringing", "active", "ringing"),
            # As Linphone says it.
            (5, "486 Busy Here", "terminated;reason=reason=noresource", "failed"),
        ):
            more = f"Event: refer\r\nSubscription-State: {state}\r\n"
            body = f"SIP/2.0 {code}\r\n"
            sent(
                party,
                phone,
                party.request("NOTIFY", phone.udp, cseq=number, more=more, body=body, kind="message/sipfrag"),
            )
            party.wait_for("SIP/2.0 200")
            if then:
                phone.wait_for("TransferChanged", call=call, state=then)
        phone.do("transfer", call=call, target="204")
        asked = party.wait_for("REFER")
        again = ("refer", 5), ("refer", 4), (f"refer;id={int(header(asked, 'CSeq').split()[0]) - 1}", 6)
        for event, number in again:
            more = f"Event: {event}\r\nSubscription-State: terminated\r\n"
            body = "SIP/2.0 200 OK\r\n"
            sent(
                party,
                phone,
                party.request("NOTIFY", phone.udp, cseq=number, more=more, body=body, kind="message/sipfrag"),
            )
            party.wait_for("SIP/2.0 481" if ";" in event else "SIP/2.0 200")
        answered(party, asked, "603 Decline")
        assert "done" not in {one["state"] for one in phone.told("TransferChanged")}, "of the first transfer"
        assert phone.wait_for("TransferChanged", call=call, state="failed")["code"] == 603
        left(party, phone, call)


def test_a_consultation_is_named_as_its_other_side_knows_it(phone: SecondPhone) -> None:
    with wire() as party, wire() as colleague:
        call = in_call(phone, party)
        phone.do("hold", call=call)
        phone.do("dial", target=f"sip:204@{LOOPBACK}:{colleague.port}")
        consultation = phone.wait_for("Dialled")["call"]
        invite = colleague.wait_for("INVITE")
        colleague.send(colleague.answer(invite, "200 OK", body=SDP), colleague.peer)
        colleague.wait_for("ACK")
        phone.wait_for("CallEstablished", call=consultation)
        phone.do("transfer", call=call, target=f"sip:204@{LOOPBACK}:{colleague.port}", consultation=consultation)
        target, _, said = unquote(header(party.wait_for("REFER"), "Refer-To")).strip("<>").partition("?")
        assert target == f"sip:204@{LOOPBACK}:{colleague.port}"
        ours = header(invite, "From").partition("tag=")[2]
        assert said == f"Replaces={header(invite, 'Call-ID')};to-tag={colleague.tag};from-tag={ours}"
        colleague.call_id, colleague.them = header(invite, "Call-ID"), header(invite, "From")
        left(colleague, phone, consultation)
        left(party, phone, call)


def test_a_redirection_is_told_and_nobody_is_called_for_it(phone: SecondPhone) -> None:
    with wire() as callee, wire() as elsewhere:
        phone.do("dial", target=f"sip:204@{LOOPBACK}:{callee.port}")
        invite = callee.wait_for("INVITE")
        contact = f"<sip:205@{LOOPBACK}:{elsewhere.port}>"
        callee.send(callee.answer(invite, "302 Moved Temporarily", contact=contact), callee.peer)
        ended = phone.wait_for("CallEnded")
        assert (ended["code"], ended["redirected_to"]) == (302, f"sip:205@{LOOPBACK}:{elsewhere.port}")
        assert elsewhere.silent()


def test_a_proxy_that_asks_for_a_password_gets_it(phone: SecondPhone) -> None:
    with wire() as party:
        phone.do("account", id="secret", address=f"agent@{LOOPBACK}", user="agent", password="x", register=False)
        phone.do("dial", account="secret", target=f"sip:204@{LOOPBACK}:{party.port}")
        invite = party.wait_for("INVITE")
        party.send(party.answer(invite, "200 OK", body=SDP), party.peer)
        party.wait_for("ACK")
        call = phone.wait_for("CallEstablished")["call"]
        phone.do("transfer", call=call, target=f"sip:205@{LOOPBACK}")
        asked = party.wait_for("REFER")
        challenge = 'Proxy-Authenticate: Digest realm="x", nonce="abc", algorithm=MD5, qop="auth"\r\n'
        party.send(party.answer(asked, "407 Proxy Authentication Required", more=challenge), party.peer)
        asked = party.wait_for("REFER")
        assert 'username="agent"' in header(asked, "Proxy-Authorization")
        answered(party, asked, "202 Accepted")
        phone.wait_for("TransferChanged", call=call, state="accepted")
        party.call_id, party.them = header(invite, "Call-ID"), header(invite, "From")
        left(party, phone, call)
        phone.do("remove_account", id="secret")


# --- a call in another's place -----------------------------------------------------------------------


def test_a_call_in_the_place_of_another_needs_both_tags_of_one_that_stands(phone: SecondPhone) -> None:
    with wire() as colleague, wire() as party:
        call = in_call(phone, colleague)
        ours = colleague.them.partition("tag=")[2]
        right = f"{colleague.call_id};to-tag={ours};from-tag={colleague.tag}"
        for wrong, code in (
            (right.replace(ours, "guess"), 481),
            (right.replace(colleague.tag, "guess"), 481),
            (right.replace(colleague.call_id, "guess"), 481),
            (f"{right};early-only", 486),
        ):
            party.call_id = f"x{party.call_id}"
            sent(party, phone, party.request("INVITE", phone.udp, more=f"Replaces: {wrong}\r\n", body=SDP))
            party.wait_for(f"SIP/2.0 {code}")
        party.call_id = f"x{party.call_id}"
        more = f"Replaces: {right}\r\nRequire: replaces\r\n"
        sent(party, phone, party.request("INVITE", phone.udp, more=more, body=SDP))
        arrived = phone.wait_for("CallArrived", replaces=call)
        phone.do("answer", call=arrived["call"])
        party.answered(phone.udp)
        phone.wait_for("CallEstablished", call=arrived["call"])
        # Who is replaced is for the engine to end.
        left(colleague, phone, call)
        left(party, phone, arrived["call"])


# --- read strictly -------------------------------------------------------------------------------------


def _refer(value: str) -> Referral | None:
    return read_refer(SipMessage("REFER", "sip:own@127.0.0.1", headers=[("Refer-To", value)]))


def test_of_a_referral_only_what_may_go_along_is_read() -> None:
    assert _refer("<sip:a@b;transport=tcp?Subject=x&From=y>") == Referral("sip:a@b;transport=tcp")
    assert _refer("<tel:+4520123456>") == Referral("tel:+4520123456")
    assert _refer("<sip:a@b?Replaces=c%3Bto-tag%3Dd%3Bfrom-tag%3De&Replaces=f>") == Referral("sip:a@b")
    assert _refer("<sip:a@b?Klartone-Passport=a%0d%0aEvil:%201>") == Referral("sip:a@b")
    for none in ("<sip:a@b;method=BYE>", "<mailto:a@b>", "<sip:a@b?Replaces=c%3Bto-tag%3Dd>", "nonsense", "*"):
        assert _refer(none) is None


@given(some.text(max_size=80), some.binary(max_size=80))
def test_whatever_stands_there_is_read_or_refused(text: str, body: bytes) -> None:
    named = ("Refer-To", "Replaces", "Event", "Subscription-State", "Content-Type", "Require")
    message = SipMessage("INVITE", "sip:a@b", headers=[(name, text) for name in named], body=body)
    found = read_refer(message)
    assert found is None or found.target
    assert read_progress(message) is None or text.strip().lower().startswith("refer")
    assert replaced_by(message, Dialogs(), PEER)[1] is None
    without_replaces(message)
    assert message.get("Replaces") is None


def test_of_a_fragment_the_code_alone_is_read() -> None:
    def told(body: bytes, state: str = "active", kind: str = "message/sipfrag;version=2.0") -> tuple[int, bool] | None:
        heads = [("Event", "refer;id=2"), ("Subscription-State", state), ("Content-Type", kind)]
        return read_progress(SipMessage("NOTIFY", "sip:own@127.0.0.1", headers=heads, body=body))

    assert told(b"SIP/2.0 180 Ringing\r\nContact: <sip:x@y>\r\n") == (180, False)
    assert told(b"SIP/2.0 200 OK") == (200, True)
    assert told(b"SIP/2.0 100 Trying\r\n", "terminated;reason=noresource") == (100, True)
    for body in (b"", b"SIP/2.0 999 No\r\n", b"SIP/2.0 20", b"\0" * 9_000):
        assert told(body) == (0, False)
    assert told(b"SIP/2.0 200 OK\r\n", kind="text/plain") == (0, False)
    assert read_progress(SipMessage("NOTIFY", "sip:a@b", headers=[("Event", "presence")])) is None


def test_only_a_call_that_stands_is_replaced_and_pjsua2_hears_nothing_of_it() -> None:
    dialogs = Dialogs()
    dialog = Dialog("c", "a", True, Hop("udp", LOOPBACK, 9), "ours", "theirs")
    dialogs.add(dialog)
    invite = SipMessage(
        "INVITE", "sip:a@b", headers=[("Replaces", "c;to-tag=ours;from-tag=theirs"), ("Require", "timer, replaces")]
    )
    assert replaced_by(invite, dialogs, PEER) == (481, None)
    dialog.established = True
    assert replaced_by(invite, dialogs, PEER) == (0, dialog)
    own = dialog.peer = Hop("tls", LOOPBACK, 9, "a")
    for other in (PEER, Hop("tcp", LOOPBACK, 9), Hop("tls", LOOPBACK, 9, "b")):
        assert replaced_by(invite, dialogs, other) == (481, None)
    assert replaced_by(invite, dialogs, own) == (0, dialog)
    dialog.peer = PEER
    without_replaces(invite)
    assert invite.headers == [("Require", "timer")]
    without_replaces(invite)
    assert invite.headers == [("Require", "timer")], "a repetition"
    dialogs.end("c")
    invite.headers = [("Replaces", "c;to-tag=ours;from-tag=theirs")]
    assert replaced_by(invite, dialogs, PEER) == (603, None)
    for bad in (
        "c",
        "c;to-tag=ours",
        "c;to-tag=ours;to-tag=x;from-tag=theirs",
        "c;to-tag=;from-tag=",
        "c;to-tag=ours;from-tag=theirs;\r",
        "c;to-tag=ours;from-tag=theirs;æ",
    ):
        invite.headers = [("Replaces", bad)]
        assert replaced_by(invite, dialogs, PEER) == (400, None)
