"""Which missed callers are worth a row in the list of calls: each once a minute, and no more than a person can read.

The edge asks for those that it turns away; the phone for those that came through before the edge heard that it is busy.
"""

from __future__ import annotations

MOST = 20
"""callers told of in one minute"""


class MissedCallers:
    def __init__(self) -> None:
        self._minute = 0
        self._callers: set[str] = set()

    def is_news(self, caller: str, now: float) -> bool:
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._callers = minute, set()
        if caller in self._callers or len(self._callers) >= MOST:
            return False
        self._callers.add(caller)
        return True
