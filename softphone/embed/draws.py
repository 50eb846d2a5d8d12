"""The sample of a phone without our archive: drawn in memory, exact for as long as this process lives (G33, G34)."""

from __future__ import annotations

import secrets

from softphone.domain.policy import Line
from softphone.domain.sampling import SampleRun, free_place, is_drawn, use

Of = tuple[str, str]
"""a line's id and an agent"""


class Draws:
    """A run for each line and agent. A share that has changed is a new run."""

    def __init__(self) -> None:
        self._runs: dict[Of, SampleRun] = {}
        self._held: dict[str, tuple[Of, int]] = {}
        """call to run and place, until it is answered or comes to nothing"""

    def draw(self, line: Line, agent: str, call: str) -> bool:
        """Whether this call is in its line's sample. Asked again, the same call has the same answer."""
        if line.training is None:
            return False
        of = line.id, agent
        run = self._runs.get(of)
        if run is None or run.share != line.training.sample:
            run = self._runs[of] = SampleRun(secrets.token_bytes(32), line.training.sample)
            self._held = {one: held for one, held in self._held.items() if held[0] != of}
        if call not in self._held:
            self._held[call] = of, free_place(run, {place for other, place in self._held.values() if other == of})
        return is_drawn(run, self._held[call][1])

    def use(self, call: str) -> None:
        """It was answered: its place is used up."""
        if held := self._held.pop(call, None):
            of, place = held
            self._runs[of] = use(self._runs[of], place)

    def forget(self, call: str) -> None:
        """It came to nothing: its place is free for another."""
        self._held.pop(call, None)
