"""What is left of a call's recordings, and who can open it, told from nothing but the transactions that the session asks for.

A model of the store in the table's own words: it knows wraps and holds, and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softphone.domain import changes as c


@dataclass
class Shelf:
    """For each recording and segment the roles it is wrapped for; holds by id."""

    wraps: dict[str, dict[int, set[str]]] = field(default_factory=dict[str, dict[int, set[str]]])
    holds: dict[str, str] = field(default_factory=dict[str, str])
    log: list[str] = field(default_factory=list[str])
    """event and rule of every audit entry"""
    told: set[tuple[str, object]] = field(default_factory=set[tuple[str, object]])
    """what the entries say beside that, by name"""
    remembered: bool = False
    """the refusal is on the do-not-sample list"""
    called_back: bool = False

    def write(self, commit: c.Commit) -> None:
        self.log += [f"{entry.event} {entry.rule}" for entry in commit.entries]
        self.told |= {(name, value) for entry in commit.entries for name, value in entry.params.items()}
        for change in commit.changes:
            self._change(change)

    def _change(self, change: c.Change) -> None:
        match change:
            case c.OpenRecording():
                self.wraps[change.recording] = {}
            case c.OpenSegment():
                self.wraps[change.recording][change.segment] = {"custody", *change.purposes}
            case c.AddWraps(withheld=False):
                for segment in change.segments:
                    self.wraps[change.recording][segment].add(change.purpose)
            case c.DropWraps():
                self._drop(change.recording, change.role)
            case c.Restrict():
                self._drop(change.recording, "documentation", "training")
            case c.Discard():
                self.wraps.pop(change.recording, None)
            case c.PlaceHold():
                self.holds[change.hold] = change.by
            case c.LiftHold():
                self.holds.pop(change.hold, None)
            case c.RememberRefusal():
                self.remembered = True
            case c.ListCallBack():
                self.called_back = True
            case _:
                pass

    def _drop(self, recording: str, *roles: str) -> None:
        for segment in self.wraps.get(recording, {}).values():
            segment.difference_update(roles)

    def openers(self) -> list[str]:
        """Everybody who can open anything that is left of the call; nobody: nothing is left."""
        return sorted({role for segments in self.wraps.values() for roles in segments.values() for role in roles})

    def segments(self) -> list[list[str]]:
        """Purposes that can open each segment, in order of time."""
        return [
            sorted(roles - {"custody"}) for segments in self.wraps.values() for _, roles in sorted(segments.items())
        ]
