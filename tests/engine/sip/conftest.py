"""Phones for the tests of a module, each in a process of its own, and no call left over.

`agent` is Klartone's side. `customer` is record-aware (RFC 7866). `guarded` stands behind an edge, as the engine's phone does.
All say the frame counter.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.peers.second_phone import SecondPhone, second_phone


@pytest.fixture(scope="module")
def agent_process() -> Generator[SecondPhone]:
    with second_phone(counter=True) as phone:
        yield phone


@pytest.fixture(scope="module")
def customer_process() -> Generator[SecondPhone]:
    with second_phone(counter=True, record_aware=True) as phone:
        yield phone


@pytest.fixture(scope="module")
def guarded_process() -> Generator[SecondPhone]:
    with second_phone(counter=True, edge=True) as phone:
        yield phone


def _fresh(phone: SecondPhone) -> Generator[SecondPhone]:
    phone.do("end_calls")
    phone.wait_for("Idle")
    phone.do("forget")
    yield phone
    assert not phone.told("PhoneFault")
    assert not phone.told("FrameFault")


@pytest.fixture
def agent(agent_process: SecondPhone) -> Generator[SecondPhone]:
    yield from _fresh(agent_process)


@pytest.fixture
def customer(customer_process: SecondPhone) -> Generator[SecondPhone]:
    yield from _fresh(customer_process)


@pytest.fixture
def guarded(guarded_process: SecondPhone) -> Generator[SecondPhone]:
    yield from _fresh(guarded_process)
