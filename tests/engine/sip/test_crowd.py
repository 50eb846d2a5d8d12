"""When reading more of a flood would be dangerous, and that it passes by itself. The floods are in `test_calls`."""

from __future__ import annotations

from softphone.engine.sip.crowd import AT_ONCE, CONNECTIONS, MOMENT, Crowd


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_calls_that_go_one_after_another_are_no_crowd_and_many_at_once_are_for_a_moment() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    for _ in range(3 * AT_ONCE):
        crowd.call_went()
        assert not crowd.too_many()
        clock.seconds += MOMENT / (AT_ONCE - 1) + 0.001
    for _ in range(AT_ONCE):
        crowd.call_went()
    assert crowd.too_many()
    clock.seconds += MOMENT + 0.001
    assert not crowd.too_many()


def test_connections_are_a_crowd_of_their_own_whether_they_come_or_go() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    for number in range(AT_ONCE // 2):
        crowd.connected(number)
        assert not crowd.too_many()
        crowd.disconnected(number)
    assert crowd.too_many()
    clock.seconds += MOMENT + 0.001
    assert not crowd.too_many()
    crowd.disconnected(77)  # never heard of: PJSIP tells of one that could not be made, too
    assert not crowd.too_many()


def full() -> Crowd:
    crowd = Crowd(Clock())
    assert not any(crowd.connected(number) for number in range(CONNECTIONS))
    return crowd


def test_of_connections_that_stay_the_oldest_that_has_brought_nothing_makes_room_for_a_new_one() -> None:
    crowd = full()
    crowd.spoke(0, ours=False)
    assert crowd.connected(CONNECTIONS) == 1
    crowd.disconnected(2)
    assert crowd.connected(CONNECTIONS + 1) is None
    assert crowd.connected(CONNECTIONS + 2) == 3


def test_where_all_have_brought_messages_the_oldest_goes_that_is_no_accounts_own_and_never_the_newest() -> None:
    crowd = full()
    for number in range(CONNECTIONS):
        crowd.spoke(number, ours=number == 0)
    assert crowd.connected(CONNECTIONS) == 1
