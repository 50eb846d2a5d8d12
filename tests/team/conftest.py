"""What tests of the house's archive share: one PostgreSQL for the run, and for each test a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from softphone.team.schema import setting_up
from tests.peers.postgres import Server, shared
from tests.team.house import House

TEMPLATE = "klartone_house"
_numbers = count()


def _prepare(server: Server) -> None:
    server.make(TEMPLATE)
    list(setting_up.set_up(server.conninfo(TEMPLATE), {}))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    base = tmp_path_factory.getbasetemp()
    with shared(base if worker_id == "master" else base.parent, _prepare) as server:
        yield server


@pytest.fixture
def database(postgres: Server, worker_id: str) -> Iterator[str]:
    """Its name: set up, and empty."""
    name = f"{worker_id}_{next(_numbers)}"
    postgres.make(name, TEMPLATE)
    yield name
    postgres.drop(name)


@pytest.fixture
def house(postgres: Server, database: str) -> Iterator[House]:
    with House(postgres, database) as made:
        yield made
