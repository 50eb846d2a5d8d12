"""What the log's entries say of each other, for `verify`: erasures that the call's own log does not bear out, policies without
the signature that was asked for, keys that no policy named. Of the rows, only who can open what is read.

Whoever has the desk's keys can write a whole call's log that holds together: that is not found on the machine itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, except_, func, select

from softphone.archive.examine.facts import Finding, Reading
from softphone.archive.examine.repair import Repair
from softphone.archive.log.audit import KEY_SHOWN
from softphone.archive.log.policies import PolicyHistory, successors
from softphone.archive.log.written import WHOLE
from softphone.archive.outbox.shipping import COPY_GONE, ERASED_THERE
from softphone.archive.schema.readable import params_of, read_row
from softphone.archive.schema.tables import audit, recordings, wraps
from softphone.domain.purpose import Basis, Purpose

ERASED = ("recording_discarded", "sweep_discarded")
ERASED_AGAIN = "erased_again"
"""by a restore: it had gone since the backup"""
_TOLD = (*ERASED, ERASED_AGAIN, Repair.NARROWED.value, COPY_GONE, ERASED_THERE)
"""entries after which a recording need not be here"""
_CONSENT, _SPECIAL = "G03", "G32"
"""the rules by which a purpose became active: on consent, and under special circumstances"""
_ENDED = ("sweep_purpose_expired", "sweep_not_judged", "judged_ended", "case_upheld")
"""entries of a recording by which one purpose of it ends for good"""
_TRAINING_ENDED = ("training_used", "training_unopened", "sweep_hold_void")
_NO_REFUSAL = frozenset({"private", "voicemail"})
"""reasons that take back whatever no law obliges to record; so does that the notice was not understood"""
_PAGE = 200


@dataclass(slots=True)
class _Call:
    """A call's entries, in order, as far as they matter here."""

    active: dict[str, str] = field(default_factory=dict[str, str])
    """a purpose, and the rule by which it became active last"""
    obliged: set[str] = field(default_factory=set[str])
    ended: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """a purpose, and the reasons for which it ended"""
    events: set[str] = field(default_factory=set[str])
    made_for: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """a recording, and the purposes of its segments"""
    gone: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """a recording, and what of it has ended by itself"""
    closed: set[str] = field(default_factory=set[str])
    """recordings with sound that ended as they should"""
    erased: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    """recording, event, and the entry's number"""

    def read(self, row: Any) -> None:
        params = params_of(row)
        of, purpose = str(row.recording), str(params.get("purpose", ""))
        self.events.add(row.event)
        if row.event == "purpose_active":
            self.active[purpose] = row.rule
            if params.get("basis") == Basis.LEGAL_OBLIGATION:
                self.obliged.add(purpose)
        elif row.event == "purpose_ended":
            self.ended[purpose].add(str(params.get("reason", "")))
        elif row.event == "segment_opened":
            self.made_for[of] |= set(str(params.get("purposes", "")).split())
        elif row.event in _ENDED:
            self.gone[of].add(purpose)
        elif row.event in _TRAINING_ENDED:
            self.gone[of].add(Purpose.TRAINING.value)
        elif row.event == "recording_closed":
            self.closed.add(of)
        elif row.event in ERASED and (params.get("why") != "empty" or of in self.closed):
            # Nothing was recorded of the others: a segment that never had a sample.
            self.erased.append((of, row.event, row.number))

    def unfounded(self) -> Iterator[tuple[str, str, int]]:
        """Erasures that leave a purpose out of account: recording, purpose, entry. What the log does not tell of from its
        beginning, as an earlier version's or what has gone in its time, is passed over."""
        for recording, event, number in self.erased:
            for purpose in sorted(self.made_for.get(recording, set()) & self.active.keys()):
                if not self._is_over(recording, purpose, event):
                    yield recording, purpose, number

    def _is_over(self, recording: str, purpose: str, event: str) -> bool:
        reasons = self.ended.get(purpose, set())
        if purpose in self.gone.get(recording, ()):
            return True
        if purpose not in self.obliged and ("not_understood" in self.events or reasons & _NO_REFUSAL):
            return True
        if purpose == Purpose.DOCUMENTATION:
            # An objection opens a case, and on obligation there is none: only a consent is the party's to take back.
            return self.active[purpose] == _CONSENT and bool(reasons)
        if self.active[purpose] == _SPECIAL and event == ERASED[0]:
            # Grounds open a case too; undecided, it goes on its own date.
            return bool(reasons - {"grounds_given"})
        return bool(reasons)


def erasures(reading: Reading, step: Callable[[], object] = lambda: None) -> Iterator[Finding]:
    """Recordings erased for a reason that does not fit its basis and its call's log."""
    after = ""
    while True:
        with reading() as connection:
            asked = select(audit.c.call).where(audit.c.event.in_(ERASED), audit.c.call > after).distinct()
            those = connection.execute(asked.order_by(audit.c.call).limit(_PAGE)).scalars().all()
            calls = _calls(connection, those)
        for call in calls:
            for recording, purpose, number in call.unfounded():
                yield Finding("erasure_unfounded", {"recording": recording, "purpose": purpose, "number": number})
        step()
        if not those:
            return
        after = those[-1]


def untold(connection: Connection) -> Iterator[Finding]:
    """Recordings that the log tells of, that are not here, and of whose end it tells nothing."""
    of = audit.c.recording
    begun = select(of).where(of.is_not(None), audit.c.event.in_(("segment_opened", WHOLE)))
    told = select(of).where(of.is_not(None), audit.c.event.in_(_TOLD))
    for recording in connection.execute(except_(begun, select(recordings.c.recording), told)).scalars():
        yield Finding("erasure_untold", {"recording": recording})


def _calls(connection: Connection, those: Sequence[str]) -> Iterable[_Call]:
    found: dict[str, _Call] = defaultdict(_Call)
    columns = (audit.c.call, audit.c.recording, audit.c.event, audit.c.rule, audit.c.number, audit.c.params)
    for row in connection.execute(select(*columns).where(audit.c.call.in_(those)).order_by(audit.c.number)):
        if row.call:
            read_row(row, found[row.call].read)
    return found.values()


def policies(connection: Connection) -> Iterator[Finding]:
    """Policies taken up without the signature that was asked for, under which something was recorded; and wraps for keys that
    none had named which counts."""
    history = PolicyHistory.of(connection)
    for number, sha256 in history.unsigned:
        yield Finding("policy_unsigned", {"number": number, "sha256": sha256[:KEY_SHOWN]})
    if history.first is None:
        return
    named = set(history.named)
    for old, new in successors(connection):
        if old[:KEY_SHOWN] in named:
            named.add(new[:KEY_SHOWN])
    asked = select(wraps.c.key_id).distinct()
    for key in connection.execute(asked).scalars().all():
        if str(key)[:KEY_SHOWN] in named:
            continue
        of_key = select(wraps.c.recording).where(wraps.c.key_id == key).distinct()
        # Of what was recorded before policies named their keys nothing is known.
        first = select(audit.c.recording).where(audit.c.recording.in_(of_key)).group_by(audit.c.recording)
        since = first.having(func.min(audit.c.number) > history.first).order_by(audit.c.recording)
        for recording in connection.execute(since).scalars():
            yield Finding("wrap_of_no_policy", {"recording": recording, "key": str(key)[:KEY_SHOWN]})
