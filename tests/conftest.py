"""The house's archive, for whatever tests ask for it: one PostgreSQL and one S3 for the run; each test has a database and a
bucket. Nothing is imported or started before the first of them asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from softphone.team.objects import Storage
    from tests.peers.postgres import Server
    from tests.team.served import Team

TEMPLATE = "klartone_house"
_numbers = count()


def _prepare(server: Server) -> None:
    from softphone.team.schema import setting_up

    server.make(TEMPLATE)
    list(setting_up.set_up(server.conninfo(TEMPLATE), {}))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    from tests.peers.postgres import shared

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


@pytest.fixture(scope="session")
def s3(request: pytest.FixtureRequest) -> Iterator[str]:
    """SeaweedFS, or another where a test says so (`radosgw.TOO`)."""
    from tests.peers import radosgw, seaweedfs

    other = getattr(request, "param", "") == "radosgw"
    with radosgw.radosgw() if other else seaweedfs.seaweedfs() as address:
        yield address


@pytest.fixture
def storage(s3: str) -> Storage:
    from tests.peers import seaweedfs

    return seaweedfs.bucket(s3)


@pytest.fixture
def team(tmp_path: Path, postgres: Server, database: str, storage: Storage) -> Iterator[Team]:
    """It serves, and has a policy."""
    from tests.team.served import Team

    made = Team(tmp_path, postgres, database, storage)
    made.policy()
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def team_tls(tmp_path: Path, postgres: Server, database: str, storage: Storage) -> Iterator[Team]:
    """It serves as the program calls it: at its own address, by TLS, with a certificate of `made.authority`."""
    from tests.peers.processes import free_port
    from tests.team.served import Team

    made = Team(tmp_path, postgres, database, storage, address=f"https://localhost:{free_port()}")
    made.policy()
    try:
        made.start()
        yield made
    finally:
        made.end()
