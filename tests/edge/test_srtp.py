"""Keys of SRTP: they go by TLS alone, and an account that wants encrypted sound, or none, gets no other."""

from __future__ import annotations

from collections.abc import Generator
from uuid import uuid4

import pytest

from tests.edge.registered import CRYPTO, KEYED, PLAIN, SDP, Registered
from tests.peers.authority import Authority
from tests.peers.exchange import HOST, exchange
from tests.peers.processes import until
from tests.peers.second_phone import SecondPhone, second_phone
from tests.peers.wire import header, wire


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def phone_process() -> Generator[SecondPhone]:
    with second_phone(edge=True, counter=True, accept=[HOST]) as phone:
        yield phone


@pytest.fixture
def phone(phone_process: SecondPhone) -> Generator[SecondPhone]:
    phone_process.do("end_calls")
    phone_process.wait_for("Idle")
    yield phone_process
    assert not phone_process.told("PhoneFault")


def test_keys_of_srtp_go_by_tls_alone(phone: SecondPhone, authority: Authority) -> None:
    with exchange(authority.sign("server", HOST)) as server, wire(HOST) as plain:
        before = len(phone.told("EncryptionChanged"))
        # By UDP nothing is offered, whatever the account says, and an offer's keys are not answered with ours.
        phone.do("account", id="udp", address=f"udp@{HOST}", register=False, srtp="optional")
        phone.do("dial", account="udp", target=f"sip:x@{HOST}:{plain.port}")
        offered = plain.wait_for("INVITE")
        assert "RTP/AVP " in offered
        assert "crypto" not in offered
        plain.send(plain.answer(offered, "486 Busy Here"), plain.peer)
        phone.wait_for("CallEnded")
        for profile, code in (("AVP", "200"), ("SAVP", "488")):
            plain.call_id = uuid4().hex
            body = SDP.format(version=1, profile=profile, crypto=CRYPTO)
            plain.send(plain.request("INVITE", phone.udp, body=body).replace("own@", "udp@"), (HOST, phone.udp))
            if code == "200":
                phone.wait_for("CallArrived")
                phone.do("answer")
            answered = plain.wait_for(f"SIP/2.0 {code}")
            assert "crypto" not in answered
            if code == "200":
                plain.them = header(answered, "To")
                plain.send(plain.request("ACK", phone.udp), (HOST, phone.udp))
                phone.wait_for("CallEstablished")
                phone.do("hang_up")
                bye = plain.wait_for("BYE")
                plain.send(plain.answer(bye, "200 OK"), plain.peer)
                phone.wait_for("CallEnded")
                plain.them = ""
        # By TLS they are: beside the plain profile, so that everybody understands the offer.
        account = Registered(phone, authority, server)
        phone.do("dial", account=account.user, target=f"sips:x@{HOST}:{server.port}")
        offered = server.wait_for("INVITE sip:x@")
        assert "RTP/AVP " in offered
        assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in offered
        server.say(server.answer(offered, "486 Busy Here"))
        phone.wait_for("CallEnded")
        assert not phone.told("EncryptionChanged")[before:]
        account.rings()
        ok = account.answered()
        assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in ok
        assert [one["encrypted"] for one in phone.told("EncryptionChanged")[before:]] == [True]
        # The other side gives it up, as when it puts the call through: the window hears of it.
        body = SDP.format(version=2, profile="AVP", crypto="")
        server.say(server.request("INVITE", account.user, call=account.call, to=account.them, cseq=2, body=body))
        assert "crypto" not in server.wait_for("SIP/2.0 200")
        server.say(server.request("ACK", account.user, call=account.call, to=account.them, cseq=2))
        assert phone.wait_for("EncryptionChanged")["encrypted"] is False
        phone.do("hang_up")
        server.say(server.answer(server.wait_for("BYE"), "200 OK"))
        phone.wait_for("CallEnded")
        for one in ("udp", account.user):
            phone.do("remove_account", id=one)


def test_an_account_that_requires_encrypted_sound_and_has_no_tls_takes_and_makes_no_call(phone: SecondPhone) -> None:
    with wire(HOST) as plain:
        phone.do("account", id="udp", address=f"udp@{HOST}:{plain.port}", transport="udp", srtp="required")
        register = plain.wait_for("REGISTER")  # the edge knows the account by now
        plain.send(plain.answer(register, "200 OK", contact=header(register, "Contact")), plain.peer)
        assert (
            phone.ask("dial", "Refused", account="udp", target=f"sip:x@{HOST}:{plain.port}")["code"]
            == "dial_without_tls"
        )
        for profile, crypto in (("AVP", ""), ("SAVP", CRYPTO)):
            plain.call_id = uuid4().hex
            body = SDP.format(version=1, profile=profile, crypto=crypto)
            plain.send(
                plain.request("INVITE", phone.udp, body=body).replace("own@", "udp@").replace("sip:wire@", "sip:lone@"),
                (HOST, phone.udp),
            )
            plain.wait_for("SIP/2.0 488")
            plain.send(plain.request("ACK", phone.udp), (HOST, phone.udp))
        assert phone.wait_for("SoundRefused")["why"] == "no_tls"
        assert plain.silent(0.3), "no INVITE either"
        phone.do("remove_account", id="udp")


def test_an_account_that_wants_encrypted_sound_has_no_other(phone: SecondPhone, authority: Authority) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server, srtp="required")
        server.say(server.request("INVITE", account.user, call=uuid4().hex, body=PLAIN))
        refused = server.wait_for("SIP/2.0 488")
        assert header(refused, "Warning") == '399 klartone "SRTP is required"'
        assert phone.wait_for("SoundRefused")["phase"] == "incoming"
        assert phone.wait_for("CallMissed")["number"] == "+4520123456"
        # Keys that came in the clear encrypt nothing.
        with wire() as caller:
            offer = SDP.format(version=1, profile="AVP", crypto=CRYPTO)
            asked = caller.request("INVITE", phone.udp, body=offer).replace("sip:own@", f"sip:{account.user}@")
            caller.send(asked, (HOST, phone.udp))
            assert header(caller.wait_for("SIP/2.0 488"), "Warning") == '399 klartone "SRTP is required"'
            assert phone.wait_for("CallMissed")["number"] == "wire"
        for status, body in (("200 OK", PLAIN), ("488 Not Acceptable Here", "")):
            ends, tells = _counts(phone)
            phone.do("dial", account=account.user, target=f"sip:x@{HOST}:{server.port}")
            offered = server.wait_for("INVITE")
            assert "RTP/SAVP " in offered
            contact = f"Contact: <sip:x@{HOST}:{server.port};transport=tls>\r\n"
            server.say(server.answer(offered, status, more=contact, body=body))
            # Each comes by a way of its own.
            until(lambda: _counts(phone) == (ends + 1, tells + 1), 10, "its end, and why")  # noqa: B023
            assert phone.told("SoundRefused")[-1]["phase"] == "outgoing"
            assert phone.told("CallEnded")[-1]["ending"] == "no_common_sound"
            server.wait_for("ACK")
            if body:
                server.wait_for("BYE")
        # Keys beside the plain profile are enough, and are answered in that profile.
        account.rings(SDP.format(version=1, profile="AVP", crypto=CRYPTO))
        ok = account.answered()
        assert "RTP/AVP " in ok
        assert "a=crypto:1 " in ok
        server.say(server.request("BYE", account.user, call=account.call, to=account.them, cseq=2))
        server.wait_for("SIP/2.0 200")
        phone.wait_for("CallEnded")
        # A call that is encrypted stays so: an offer without keys is refused, and the call stands.
        account.rings()
        account.answered()
        body = SDP.format(version=2, profile="AVP", crypto="")
        server.say(server.request("INVITE", account.user, call=account.call, to=account.them, cseq=2, body=body))
        server.wait_for("SIP/2.0 488")
        server.say(server.request("BYE", account.user, call=account.call, to=account.them, cseq=3))
        assert phone.wait_for("CallEnded")["by_us"] is False
        phone.do("remove_account", id=account.user)


def _counts(phone: SecondPhone) -> tuple[int, int]:
    return len(phone.told("CallEnded")), len(phone.told("SoundRefused"))


def test_an_answer_that_gives_encryption_up_ends_the_call_and_the_agent_hears_why(
    phone: SecondPhone, authority: Authority
) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server, srtp="required")
        ends = len(phone.told("CallEnded"))
        # To our own offer.
        account.rings()
        account.answered()
        phone.do("hold")
        held = server.wait_for("INVITE")
        server.say(server.answer(held, "200 OK", more=f"Contact: <sip:x@{HOST}:{server.port}>\r\n", body=PLAIN))
        server.wait_for("ACK")
        _ends_for_it(phone, account)
        # And in the ACK to an offer of ours that was asked for.
        account.rings(body="")
        phone.do("answer")
        offered = server.wait_for("SIP/2.0 200")
        assert "RTP/SAVP " in offered
        ack = server.request("ACK", account.user, call=account.call, to=header(offered, "To"), body=PLAIN)
        server.say(ack)
        _ends_for_it(phone, account)
        assert len(phone.told("CallEnded")) == ends + 2
        assert not phone.told("HoldFailed")
        phone.do("remove_account", id=account.user)


def _ends_for_it(phone: SecondPhone, account: Registered) -> None:
    bye = account.at.wait_for("BYE")
    assert header(bye, "Reason") == 'SIP;cause=488;text="SRTP is required"'
    account.at.say(account.at.answer(bye, "200 OK"))
    told = phone.wait_for("SoundRefused")
    assert (told["phase"], told["why"]) == ("answered", "plain")
    assert phone.wait_for("CallEnded", call=told["call"])["by_us"] is True


def test_whoever_takes_rtp_savp_alone_gets_it_for_the_same_press_and_nobody_rings_twice(
    phone: SecondPhone, authority: Authority
) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server)
        contact = f"Contact: <sip:x@{HOST}:{server.port};transport=tls>\r\n"
        ends = len(phone.told("CallEnded"))
        phone.do("dial", account=account.user, target=f"sip:x@{HOST}:{server.port}")
        first = server.wait_for("INVITE")
        assert "RTP/AVP " in first
        server.say(server.answer(first, "488 Not Acceptable Here"))
        again = server.wait_for("INVITE")
        assert "RTP/SAVP " in again
        assert header(again, "Call-ID") != header(first, "Call-ID")
        server.say(server.answer(again, "200 OK", more=contact, body=KEYED))
        call = phone.wait_for("CallEstablished")["call"]
        assert phone.told("Dialled")[-1]["call"] == call
        until(
            lambda: [one["encrypted"] for one in phone.told("EncryptionChanged") if one["call"] == call] == [True],
            5,
            "encrypted",
        )
        assert len(phone.told("CallEnded")) == ends
        phone.do("hold")
        held = server.wait_for("INVITE")
        assert "RTP/SAVP " in held, "what was agreed stays"
        server.say(server.answer(held, "200 OK", more=contact, body=KEYED))
        phone.do("hang_up")
        server.say(server.answer(server.wait_for("BYE"), "200 OK"))
        phone.wait_for("CallEnded", call=call)
        # A phone that rang, or that takes neither, is not called again.
        for rings in (True, False):
            phone.do("dial", account=account.user, target=f"sip:x@{HOST}:{server.port}")
            offered = server.wait_for("INVITE")
            if rings:
                server.say(server.answer(offered, "180 Ringing", more=contact))
            else:
                server.say(server.answer(offered, "488 Not Acceptable Here"))
                offered = server.wait_for("INVITE")
            server.say(server.answer(offered, "488 Not Acceptable Here"))
            assert phone.wait_for("CallEnded")["code"] == 488
        phone.do("remove_account", id=account.user)


def test_an_account_without_encryption_takes_whoever_can_do_without_and_says_why_it_takes_no_other(
    phone: SecondPhone, authority: Authority
) -> None:
    with exchange(authority.sign("server", HOST)) as server:
        account = Registered(phone, authority, server, srtp="off")
        account.rings(SDP.format(version=1, profile="AVP", crypto=CRYPTO))
        ok = account.answered()
        assert "RTP/AVP " in ok
        assert "crypto" not in ok
        server.say(server.request("BYE", account.user, call=account.call, to=account.them, cseq=2))
        phone.wait_for("CallEnded")
        server.say(server.request("INVITE", account.user, call=uuid4().hex, body=KEYED))
        assert header(server.wait_for("SIP/2.0 488"), "Warning") == '399 klartone "SRTP is not taken"'
        told = phone.wait_for("SoundRefused")
        assert (told["phase"], told["why"]) == ("incoming", "encrypted")
        assert phone.wait_for("CallMissed")["number"] == "+4520123456"
        # Whoever tries again fills no list.
        said = ""
        while not said.startswith("SIP/2.0 488"):  # 486: so many calls at once are a flood
            server.say(server.request("INVITE", account.user, call=uuid4().hex, body=KEYED))
            said = server.wait_for("SIP/2.0 4")
        account.rings(PLAIN)
        assert phone.told("SoundRefused")[-1] is told
        phone.do("remove_account", id=account.user)


def test_of_an_account_by_tls_nobody_tells_its_mailbox_by_udp(phone: SecondPhone, authority: Authority) -> None:
    with exchange(authority.sign("server", HOST)) as server, wire(HOST) as anybody:
        account = Registered(phone, authority, server)
        body, kind = "Messages-Waiting: yes\r\nVoice-Message: {}/0\r\n", "application/simple-message-summary"
        more = "Event: message-summary\r\nSubscription-State: active\r\n"
        asked = anybody.request("NOTIFY", phone.udp, more=more, body=body.format(3), kind=kind)
        anybody.send(asked.replace("own@", f"{account.user}@"), (HOST, phone.udp))
        assert anybody.wait_for("SIP/2.0 ").startswith("SIP/2.0 200")
        told = server.request("NOTIFY", account.user, call=uuid4().hex, body=body.format(1), more=more)
        server.say(told.replace("application/sdp", kind))
        server.wait_for("SIP/2.0 200")
        phone.wait_for("MailboxChanged", account=account.id)
        assert [one["new"] for one in phone.told("MailboxChanged") if one["account"] == account.id] == [1]
