"""What tests of the house's archive share: one PostgreSQL and one S3 for the run; each test has a database and a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from softphone.team.objects import Storage
from softphone.team.schema import setting_up
from tests.peers import seaweedfs
from tests.peers.postgres import Server, shared
from tests.team.house import House
from tests.team.served import Team

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


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with seaweedfs.seaweedfs() as address:
        yield address


@pytest.fixture
def storage(s3: str) -> Storage:
    return seaweedfs.bucket(s3)


@pytest.fixture
def team(tmp_path: Path, postgres: Server, database: str, storage: Storage) -> Iterator[Team]:
    """It serves, and has a policy."""
    made = Team(tmp_path, postgres, database, storage)
    made.policy()
    try:
        made.start()
        yield made
    finally:
        made.stop()
