"""A house's database alone, asked by its logins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.postgres import Server
from tests.team.house import House


@pytest.fixture
def house(postgres: Server, database: str) -> Iterator[House]:
    with House(postgres, database) as made:
        yield made
