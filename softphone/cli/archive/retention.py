"""`klartone archive sweep` and `reviewed`: deletes what has reached its end."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, time

from softphone.archive.seen.machine import MachineArchive
from softphone.archive.seen.upkeep import DEFAULT_TERMS, REPORTS, SweepTerms, Swept, SweptItem
from softphone.bootstrap.archive.shared import opened, print_line
from softphone.bootstrap.archive.viewing import PolicyRefusedError, policy_of, seeing, seen_here
from softphone.bootstrap.home import Home, texts
from softphone.cli.progress import STOPPED, Progress, progress
from softphone.domain.archive.permission import NOBODY
from softphone.domain.errors import KeyringError
from softphone.texts import Texts


def archive_reviewed(arguments: argparse.Namespace) -> int:
    """It has been used to train (G33). It is kept for that no longer than its line's policy or `--keep` says (G38)."""
    tell, keep = texts(), arguments.keep
    with seeing(arguments) as viewing:
        since = viewing.archive.reviews.mark(arguments.id, keep=keep)
    code = "archive.reviewed.before" if since else "archive.reviewed"
    print_line(tell(code, id=arguments.id, day=since))
    return 0


def archive_sweep(arguments: argparse.Namespace) -> int:
    """Status 1 if the clock was not believed, 130 if somebody ended it.

    Only a person who finds everything sees which recordings it is about, and what a later day would bring. Others get the
    sums. `--now` names a day. Dates are days: noon, UTC, is that day wherever a policy's time zone is likely to be.
    """
    tell = texts()
    clock = datetime.now(UTC)
    another_day = arguments.now and arguments.now != clock.date()
    now = datetime.combine(arguments.now, time(12), UTC) if another_day else clock
    with opened(arguments) as archive, progress() as running:
        try:
            seen = seen_here(arguments, archive, by_keys=True).archive
        except KeyringError:
            if now > clock or arguments.clock_is_right:
                raise
            # What is due goes, for anybody. Only the person to whom recordings may be named is not known.
            seen = archive.seen_by(NOBODY)
        looked = _SweepPreview(running, tell)
        sweeping = seen.upkeep.sweep(
            now,
            clock=clock,
            clock_is_right=arguments.clock_is_right,
            dry_run=arguments.dry_run,
            terms=_terms(arguments, archive),
            go_on=looked.go_on,
        )
        looked.total = sweeping.total
        report = _SweepReport(arguments, running, clock, tell, named=sweeping.named)
        for item in sweeping.items:
            report.item(item)
        report.end()
    return STOPPED if running.stopped else int(report.doubtful)


def _terms(arguments: argparse.Namespace, archive: MachineArchive) -> SweepTerms | None:
    """What the policy in force says of the sweep. None for a policy that cannot be used: its terms are not guessed.

    A policy that the archive refuses gives none either. It says so, and the catalog's own dates decide.
    """
    settings, _ = Home.of(arguments).settings(only_look=True)
    try:
        policy = policy_of(settings, archive)
    except PolicyRefusedError as error:
        print(texts()("sweep.policy_refused", **error.params), file=sys.stderr)  # noqa: T201
        return None
    if policy is None and not settings.policy:
        return DEFAULT_TERMS
    return SweepTerms(policy.judge_within, policy.audit_retention) if policy else None


_FEW = 20
"""recordings; with more, they are not named one by one"""
_SUMS = {
    Swept.PURPOSE_EXPIRED: "ended",
    Swept.NOT_JUDGED: "ended",
    Swept.DISCARDED: "deleted",
    Swept.TO_JUDGE: "listed",
}


class _SweepPreview:
    """How many recordings have been looked at, of about how many."""

    def __init__(self, running: Progress, tell: Texts) -> None:
        self._running = running
        self._tell = tell
        self._done = 0
        self.total = 0

    def go_on(self) -> bool:
        self._running.tell(self._sentence)
        self._done += 1
        return not self._running.stopped

    def _sentence(self) -> str:
        return self._tell("sweep.progress", done=self._done, total=max(self.total, self._done))


class _SweepReport:
    """What is swept, said as it happens, so nothing is gathered; and the sums at the end. `named`: with the recordings."""

    def __init__(
        self, arguments: argparse.Namespace, running: Progress, clock: datetime, tell: Texts, *, named: bool
    ) -> None:
        self._named = named
        self._unnamed: dict[Swept, SweptItem] = {}
        self._json = bool(arguments.json)
        self._dry_run = bool(arguments.dry_run)
        self._running = running
        self._clock = clock
        self._tell = tell
        self._done = self._reported = 0
        self._sums: dict[str, int] = {"ended": 0, "deleted": 0, "listed": 0, "forgotten": 0}
        self._kept_back: list[str] = []
        self.doubtful = False

    def item(self, item: SweptItem) -> None:
        if self._named or item.recording is None:
            self._say(item)
        elif item.what in REPORTS and item.what is not Swept.TO_JUDGE:
            before = self._unnamed.get(item.what)
            count = before.count + 1 if before else 1
            self._unnamed[item.what] = SweptItem(item.what, None, item.rule, count=count)
        self._sums[_SUMS.get(item.what, "forgotten")] += item.what in _SUMS or item.what not in REPORTS
        if item.what in REPORTS:
            self._reported += item.what is not Swept.TO_JUDGE
        else:
            self._done += 1
        self.doubtful = self.doubtful or item.what is Swept.CLOCK_DOUBTFUL

    def end(self) -> None:
        stopped = self._running.stopped
        for item in self._unnamed.values():
            self._say(item)
        if self._json:
            sums = {**self._sums, "reported": self._reported, "dry_run": self._dry_run, "stopped": stopped}
            print_line(json.dumps({"sums": sums}))
            return
        tell = self._tell
        for line in self._kept_back if len(self._kept_back) < _FEW else ():
            print_line(line)
        if any(self._sums.values()):
            lines = [tell("sweep.sums.would" if self._dry_run else "sweep.sums", **self._sums)]
        else:
            lines = [tell("sweep.none" if self._reported or stopped else "sweep.nothing")]
        if self._reported:
            lines.append(tell("sweep.reported", count=self._reported))
        if stopped:
            lines.append(tell("sweep.stopped"))
        print_line(" ".join(lines))

    def _say(self, item: SweptItem) -> None:
        if self._json or self._dry_run or item.recording is None:
            self._running.clear()
        if self._json:
            print_line(json.dumps(_as_json(item), ensure_ascii=False))
            return
        line = self._sentence(item)
        if item.recording:
            line = f"{item.recording}  {line}"
        elif item.what in self._unnamed:
            line = f"{item.count} × {line}"
        self._line(item, line)

    def _line(self, item: SweptItem, line: str) -> None:
        """A line a recording in a dry run, or if they are few; what a person must see to, always."""
        if self._dry_run or item.recording is None or (item.what in REPORTS and item.what is not Swept.TO_JUDGE):
            print_line(line)
        elif len(self._kept_back) < _FEW:
            self._kept_back.append(line)

    def _sentence(self, item: SweptItem) -> str:
        tell = self._tell
        purpose = tell(f"purpose.{item.purpose}") if item.purpose else ""
        given = {"purpose": purpose, "count": item.count, "since": item.since, "until": item.until}
        sentence = tell(f"sweep.{item.what}", today=self._clock.date(), **given)
        if item.locked and item.what in (Swept.PURPOSE_EXPIRED, Swept.NOT_JUDGED):
            return tell("sweep.stays_locked", sentence=sentence)
        return sentence


def _as_json(item: SweptItem) -> dict[str, str | int | bool]:
    facts: dict[str, str | int | bool | None] = {
        "what": item.what.value,
        "recording": item.recording,
        "purpose": item.purpose.value if item.purpose else None,
        "rule": item.rule,
        "since": item.since.isoformat() if item.since else None,
        "judge_by": item.until.isoformat() if item.until else None,
        "count": item.count,
        "locked": item.locked,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}
