"""The demo's customer, as far as she can be known without a call."""

from __future__ import annotations

from softphone.calls.numbers import e164, user_part
from softphone.demo.customer import invented_address


def test_each_demo_has_a_customer_of_its_own_who_has_declined_nothing_yet() -> None:
    numbers = {e164(user_part(invented_address())) for _ in range(20)}
    assert None not in numbers
    assert len(numbers) > 10
