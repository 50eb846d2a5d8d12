"""One at a time, of engines and desks in a home and of demos in a folder: a lock that the system releases when its process
ends.

Not the way to the engine: that is `endpoint`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO

from softphone.domain.errors import EngineError
from softphone.locking import locked

FILE = "engine.lock"
DESK = "desk.lock"
"""held by a desk as long as it lives, so that others see it. A second one has its window shown, and ends"""
ENDS_WITHIN = 5.0
"""seconds that an ending engine may take until another may begin"""
_TRY_EVERY = 0.05


def take_turn(folder: Path, wait: float = ENDS_WITHIN) -> IO[bytes]:
    """The lock of this home, held until the returned file is closed or the process is gone.

    Raises EngineError if another engine holds it for longer than `wait` seconds, or the folder cannot be written.
    """
    limit = time.monotonic() + wait
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / FILE).open("ab")
    except OSError as error:
        raise EngineError("error.engine.cannot_listen", folder=str(folder), detail=error.strerror or "") from None
    while not locked(file):
        if time.monotonic() > limit:
            file.close()
            raise EngineError("error.engine.running", folder=str(folder))
        time.sleep(_TRY_EVERY)
    return file
