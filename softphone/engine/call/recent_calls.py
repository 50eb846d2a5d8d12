"""The agent's own calls, today's and for as long as `own_calls` says: their rows, also over a restart, and one taken up
again.

It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.finding.history import PastRow
from softphone.archive.seen.access import OWN_CALLS
from softphone.calls.live import LiveCall
from softphone.calls.numbers import is_internal, is_number
from softphone.calls.policy.lines import line_state
from softphone.calls.ports import RulesPort
from softphone.domain.events import Now
from softphone.domain.policy import Policy
from softphone.domain.policy.doubts import LONGEST_OWN_CALLS
from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.retention import expires_on, local_day
from softphone.domain.session import brought_up_to_date, reopened, same
from softphone.engine.call.own_list import read, written
from softphone.wire.snapshot import EARLIER, CallPhase, PastCall

ROWS = 200
MISSED = 50
"""rows of missed calls that stay, however many others there are"""
OPEN_FOR = 600.0
"""seconds without a press after which an open row closes"""
LOOK_BACK = 3_600.0
"""seconds after which the archive is asked again for the rows' notes: others erase them, and their last day comes"""
LOOK = 3.0
"""seconds between two looks at the archive's state of an open row: others may change it"""


class RecentCalls:
    """`own` are this desk's accounts: their ids by their addresses."""

    def __init__(
        self,
        rules: RulesPort,
        clock: Callable[[], Now],
        own: Callable[[], Mapping[str, str]],
        keep: Callable[[OwnCall], None] = lambda _call: None,
    ) -> None:
        """`keep`: stores a row for after a restart."""
        self._rules = rules
        self._clock = clock
        self._own = own
        self._keep = keep
        self._rows: dict[str, PastCall] = {}
        self._agents: dict[str, str] = {}
        """the address of each row's account"""
        self._drawn: tuple[date, Policy | None, tuple[PastCall, ...]] | None = None
        """`shown` as it was last drawn, under that day and policy; None once a row is another"""
        self._saved: set[str] = set()
        """whose note was written since the archive was last asked"""

    @property
    def agents(self) -> tuple[str, ...]:
        """The accounts whose calls the archive is asked for."""
        return tuple(self._own())

    @property
    def account(self) -> str:
        """The agent of a call that names none."""
        return next(iter(self._own().values()), "")

    def shown(self) -> tuple[PastCall, ...]:
        """Those of this day and of the days before that `own_calls` shows, in the policy's time zone, newest first."""
        today = local_day(self._clock().utc, self._zone)
        if self._drawn is not None and self._drawn[:2] == (today, self._rules.policy):
            return self._drawn[2]
        rows = sorted(self._rows.values(), key=lambda row: (row.at, row.id), reverse=True)
        shown = tuple(row for row in rows if self._until(row) > today or local_day(row.at, self._zone) == today)[:ROWS]
        self._drawn = today, self._rules.policy, shown
        return shown

    def since(self, now: datetime) -> datetime:
        """The time from which the archive is asked for them: without a policy, as far back as one may say."""
        policy = self._rules.policy
        return now - max(policy.own_calls.length() if policy else LONGEST_OWN_CALLS, timedelta(days=1))

    def find(self, call: str) -> PastCall | None:
        """One of the rows shown: an older one cannot be taken up."""
        return next((row for row in self.shown() if row.id == call), None)

    def earlier(self, call: LiveCall, shown: Sequence[PastCall], over: Sequence[PastCall]) -> tuple[PastCall, ...]:
        """Calls with its number before it, of the rows `shown` and of those `over` that have no row yet."""
        number = call.e164 or call.number
        if not call.e164 and not is_number(number) and not (call.policy and is_internal(call.policy, number)):
            return ()  # withheld: a gateway may write "unknown" for anybody
        here = {row.id for row in over}
        those = [*over, *(row for row in shown if row.id not in here)]
        found = [row for row in those if row.number == number and row.id != call.id and row.at <= call.arrived_at]
        return tuple(sorted(found, key=lambda row: (row.at, row.id), reverse=True)[:EARLIER])

    def put(self, row: PastCall, agent: str = "", *, noted: bool = False) -> None:
        """A new row, or what has become of one; then `agent` is known already. `noted`: its note is to be written too."""
        before = self._rows.get(row.id)
        if before:
            # The policy may not be read yet, or may no longer know the line.
            row = replace(row, line=row.line or before.line, broke_off=before.broke_off, unseen=before.unseen)
        self._rows[row.id] = row
        if agent:
            self._agents[row.id] = agent
        if row != before or noted:
            self._drawn = None
            self.keep(row, noted=noted)
        while len(self._rows) > ROWS:
            # A caller who rings two hundred times does not push the agent's own calls out, nor do these a missed one.
            missed = [one for one in self._rows.values() if one.outcome == "missed"]
            gone = min(missed if len(missed) > MISSED else self._rows.values(), key=lambda one: one.at).id
            del self._rows[gone]
            self._agents.pop(gone, None)
            self._saved.discard(gone)

    def keep(self, row: PastCall, agent: str = "", *, noted: bool = False) -> None:
        """For after a restart, also before the row is shown."""
        agent, until = agent or self._agents.get(row.id, ""), self._until(row)
        if agent and until > local_day(row.at, self._zone):
            if noted:
                self._saved.add(row.id)
            self._keep(written(row, agent, until, noted=noted))

    def note(self, row: PastCall, agent: str = "") -> None:
        """The agent's note about a call that may have no row yet."""
        if row.id in self._rows:
            self.put(row, agent, noted=True)
        else:
            self.keep(row, agent, noted=True)

    def seen(self, calls: Collection[str]) -> None:
        """The agent has looked at these, or has talked to who it was."""
        for row in [row for row in self._rows.values() if row.unseen and row.id in calls]:
            self._rows[row.id] = seen = replace(row, unseen=False)
            self._drawn = None
            self.keep(seen)

    def locked(self, calls: Collection[str]) -> None:
        """They are held now, those of them that are here."""
        for row in [row for row in self._rows.values() if row.id in calls]:
            self.put(replace(row, outcome="locked"))

    def gone(self, call: str) -> None:
        """Nothing is kept of it any more."""
        if row := self._rows.get(call):
            self.put(replace(row, outcome="deleted", kept=False, note=""))

    def remember(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None:
        """The archive's answer about an earlier run's calls, and their own list. Of this run's, more is known here."""
        here = set(self._rows)
        self._drawn = None
        kept = {one.facts.call for one in past}
        for one in own:
            row = read(one)
            if row is None or row.id in here:
                continue
            # What was kept of it then may have gone since.
            gone = row.kept and row.id not in kept
            self._rows[row.id] = replace(row, kept=False, outcome="deleted", why=None) if gone else row
            self._agents[row.id] = one.agent
        for one in past:
            if one.facts.call not in here:
                row = replace(self.taken_up(one).past(self._clock()), line=one.facts.line)
                self.put(row, one.facts.agent or "")

    def asked(self) -> None:
        """The archive is asked for the rows: its answer does not have the notes that are written from now on."""
        self._saved.clear()

    def look_at_notes(self, own: Sequence[OwnCall], live: Mapping[str, LiveCall]) -> None:
        """Others may have erased some, also of a call that is still on or in its wrap-up."""
        stored = {one.call: one.note or "" for one in own}
        for call in live.values():
            if call.id not in self._saved:
                call.note = stored.get(call.id, call.note)
        for row in [*self._rows.values()]:
            if row.id not in self._saved and row.note != (note := stored.get(row.id, row.note)):
                self._rows[row.id] = replace(row, note=note)
                self._drawn = None

    def taken_up(self, past: PastRow) -> LiveCall:
        """The call as in its wrap-up. The line's words, and how long a hold may stand, are those in force now."""
        facts, policy, now = past.facts, self._rules.policy, self._clock()
        line = policy.line_named(facts.line) if policy and facts.line else None
        row = self._rows.get(facts.call)
        agent, talked = facts.agent or "", (row.seconds if row else 0.0) or past.seconds
        call = LiveCall(
            id=facts.call,
            group=row.group if row else facts.group,
            account=self._own().get(agent, agent),
            agent=agent,
            direction=facts.direction,
            name=row.name if row else "",
            number=facts.number or "",
            e164=facts.number,
            policy=policy,
            book=self._rules.book,
            line=line,
            language=facts.language,
            arrived_at=facts.started_at,
            phase=CallPhase.ENDED,
            reopened=True,
            answered_at=facts.started_at,
            ended_at=facts.started_at + timedelta(seconds=talked),
            talked=talked,
            decided=True,
            state=reopened(past.kept, terms_afterwards(policy)),
            notice_id=facts.notice,
            expires=past.kept.expires(),
            note=row.note if row else "",
            refused_before=row.refused if row else frozenset(),
            line_words=line_state(policy, line, now.utc) if policy and line else None,
            shuts_at=now.mono + OPEN_FOR,
            looks_at=now.mono + LOOK,
        )
        call.objection_answer = call.answer_to_objection(facts.language)
        return call

    def bring_up_to_date(self, call: LiveCall, past: PastRow) -> bool:
        """The open call becomes what the archive has of it now. False if nothing has changed."""
        fresh = self.taken_up(past)
        if same(call.state, fresh.state):
            return False
        call.state = brought_up_to_date(call.state, fresh.state)
        call.expires = fresh.expires
        return True

    def _until(self, row: PastCall) -> date:
        """The day on which it is no longer shown."""
        policy = self._rules.policy
        return expires_on(row.at, policy.own_calls if policy else OWN_CALLS, self._zone)

    @property
    def _zone(self) -> str:
        policy = self._rules.policy
        return policy.time_zone if policy else "UTC"
