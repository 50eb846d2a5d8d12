"""How many messages of a host are read, by who it is."""

from __future__ import annotations

from softphone.edge.admission import MESSAGES, MOST_SERVERS, ConnectionLimiter

HOST = "192.0.2.1"


def test_a_server_that_spoke_before_its_name_was_known_is_read_as_a_server_from_then_on() -> None:
    admission = ConnectionLimiter(lambda _: None, now=lambda: 0.0)

    def read() -> int:
        return sum(admission.has_room_for(HOST) for _ in range(1000))

    assert read() == MESSAGES[1] / 10
    admission.learn("account", [HOST])
    assert read() == MESSAGES[1]
    admission.learn("account", [HOST])
    assert read() == 0, "the same answer gives no new bucket"


def test_addresses_without_end_leave_the_last_ones_and_the_same_answer_gives_no_new_buckets() -> None:
    admission = ConnectionLimiter(lambda _: None, now=lambda: 0.0)
    hosts = [f"192.0.2.{number}" for number in range(MOST_SERVERS + 9)]
    admission.learn("account", hosts)
    while admission.has_room_for(hosts[0]):
        pass
    admission.learn("account", hosts)
    assert not admission.has_room_for(hosts[0])
    assert sum(admission.admits(host) for host in hosts) == MOST_SERVERS
    admission.learn("account", [HOST + "99"])
    assert not admission.admits(hosts[0])
    assert admission.admits(hosts[1])
