"""How many messages of a host are read, by who it is."""

from __future__ import annotations

from softphone.edge.admission import MESSAGES, ConnectionLimiter

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
