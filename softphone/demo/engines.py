"""The demo's engines: a slow one is waited for, one that crashed is started once more, one that says why it cannot is the end."""

from __future__ import annotations

import time
from collections.abc import Callable

from softphone.bootstrap.home import Home
from softphone.bootstrap.starting import EngineStarter
from softphone.demo.director import Played
from softphone.domain.errors import KlartoneError
from softphone.system.last_words import CRASHED, SLOW
from softphone.ui.driver import end_program
from softphone.wire.snapshot import CodedText

MOST_STARTS = 2
MOST_SECONDS = 120.0
"""since the first start, without an engine that a desk could attach to"""


class DemoEngines(EngineStarter):
    """`interrupted`: whether the demo was told to end."""

    def __init__(self, home: Home, played: Played, interrupted: Callable[[], bool]) -> None:
        super().__init__(home)
        self._played = played
        self._interrupted = interrupted
        self._since = time.monotonic()

    def __call__(self) -> None:
        if self._interrupted():
            end_program()
        elif len(self.engines) == MOST_STARTS and not self.coming_up:
            self._give_up("engine")
        else:
            super().__call__()

    def why_not(self) -> KlartoneError | None:
        why = super().why_not()
        if why is not None and why.code not in (CRASHED, SLOW):
            self._played.fault = CodedText(why.code, why.params)
            self._give_up("engine")
        elif time.monotonic() - self._since > MOST_SECONDS:
            self._give_up("slow")
        return why

    def _give_up(self, why: str) -> None:
        self._played.failed = why
        end_program()
