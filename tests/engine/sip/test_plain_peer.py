"""A peer that allows no UPDATE: what is said of recording goes by re-INVITE, and its own offers are answered with it."""

from __future__ import annotations

import pytest

from tests.peers.plain_phone import ALLOW, PlainPhone, plain_phone
from tests.peers.second_phone import SecondPhone


def _called(phone: PlainPhone, agent: SecondPhone, *attributes: str) -> str:
    phone.call("127.0.0.1", agent.udp, "agent", attributes=attributes)
    call = agent.wait_for("CallArrived")["call"]
    agent.do("answer")
    agent.wait_for("CallEstablished", call=call)
    return call


def _over(phone: PlainPhone, agent: SecondPhone) -> None:
    phone.hang_up()
    agent.wait_for("CallEnded")


def test_each_change_is_told_by_re_invite_where_update_is_not_allowed(agent: SecondPhone) -> None:
    with plain_phone() as phone:
        _called(phone, agent)
        for state in ("on", "paused", "off"):
            agent.do("recording", state=state)
            phone.wait_for("INVITE", f"a=record:{state}")
        assert (phone.count("INVITE"), phone.count("UPDATE")) == (3, 0)
        _over(phone, agent)


def test_a_peer_that_claims_to_take_update_and_does_not_is_told_by_re_invite_all_the_same(agent: SecondPhone) -> None:
    with plain_phone(allow=f"{ALLOW}, UPDATE") as phone:
        _called(phone, agent)
        for state in ("on", "off"):
            agent.do("recording", state=state)
            phone.wait_for("INVITE", f"a=record:{state}")
        assert (phone.count("UPDATE"), phone.count("INVITE")) == (1, 2)
        _over(phone, agent)


def test_an_offer_of_the_peers_is_answered_with_what_is_being_recorded(agent: SecondPhone) -> None:
    with plain_phone() as phone:
        _called(phone, agent)
        agent.do("recording", state="on")
        phone.wait_for("INVITE", "a=record:on")
        phone.offer(attributes=["recordpref:nopreference"])
        phone.wait_for("SIP/2.0 200", "a=record:on")
        _over(phone, agent)


@pytest.mark.rule("G31")
@pytest.mark.parametrize("wish", ["off", "pause", "on", "nopreference"])
def test_a_wish_is_read_from_the_invite_from_a_re_invite_and_from_an_answer(agent: SecondPhone, wish: str) -> None:
    with plain_phone() as phone:
        call = _called(phone, agent, f"recordpref:{wish}")
        assert agent.told("RecordPreference")[-1]["wish"] == wish
        other = "on" if wish == "off" else "off"
        phone.offer(attributes=[f"recordpref:{other}"])
        agent.wait_for("RecordPreference", call=call, wish=other)
        # Now it is we who offer, and it says so in its answer.
        phone.wishes = [f"recordpref:{wish}"]
        agent.do("recording", state="on")
        agent.wait_for("RecordPreference", call=call, wish=wish)
        _over(phone, agent)


@pytest.mark.parametrize("keys", [True, False])
def test_whether_a_peer_sends_keys_that_are_heard_is_read_from_its_sdp(agent: SecondPhone, keys: bool) -> None:
    with plain_phone() as phone:
        phone.keys = keys
        phone.call("127.0.0.1", agent.udp, "agent")
        agent.wait_for("CallArrived")
        agent.do("answer")
        assert agent.wait_for("CallEstablished")["keyless"] is not keys
        _over(phone, agent)
