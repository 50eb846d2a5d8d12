"""What every recording in memory is of: a second of sound. Not a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from softphone.domain.archive import recordings as r


class Tone:
    """What every recording here is of: a second of sound."""

    length = r.RATE

    def pcm(self, at: int = 0) -> Iterator[Any]:
        yield np.full((r.RATE - at, 2), 1_000, np.int16)

    def marks(self) -> list[r.Mark]:
        return []

    def close(self) -> None:
        pass
