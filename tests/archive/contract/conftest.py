"""One house a module, before each archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.archive.contract.worlds import WORLDS, World, made


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            one, marks=[pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")] if one == "house" else []
        )
        for one in WORLDS
    ],
)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    one: Any = made(request.param, tmp_path_factory.mktemp("contract"), request)
    yield one
    one.close()
