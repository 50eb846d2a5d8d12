"""While a call rings: look up what the archive knows, ask the rulebook, and begin the session under its choice.

No answer, a late one or nonsense means *not recorded*, and the call goes on. An exempt call is not asked about. From the
rulebook's choice a purpose is excluded (`domain.excluding`) by an upheld objection, by employees who have not been informed, by
a key or a lookup that is missing. Nothing is ever added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softphone.calls.live import LiveCall
from softphone.calls.notices import CallNotices
from softphone.calls.numbers import e164, spellings
from softphone.calls.passports import carried_to
from softphone.calls.policy.reading import plain_address
from softphone.calls.ports import RulesPort, StorePort
from softphone.calls.stepping import SessionRunner
from softphone.calls.upstream import read_upstream_notice
from softphone.domain import events as ev
from softphone.domain.decision import Decision, Facts, LookupResult, not_recorded, out_of_the_sample, unless_keyless
from softphone.domain.excluding import unless_upheld, until_employees_are_informed
from softphone.domain.house_knows import HouseKnows, with_house
from softphone.domain.policy import Line, Policy, day_of, exempt, language_for
from softphone.domain.policy.terms import terms
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.session import may_ask_for_recording
from softphone.wire.from_engine import Fault
from softphone.wire.snapshot import CallRole, CodedText

DECISION_TIME = 2.0
"""seconds that the archive, and then the rulebook, has to answer; no answer in time means not recorded"""


class CallSetup:
    """One for all calls. `tell` reaches every client, `desk` knows whether a desk is there."""

    def __init__(
        self,
        store: StorePort,
        rules: RulesPort,
        notices: CallNotices,
        stepper: SessionRunner,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        desk: Callable[[], bool],
    ) -> None:
        self._store = store
        self._rules = rules
        self._notices = notices
        self._stepper = stepper
        self._clock = clock
        self._tell = tell
        self._desk = desk

    def begin(self, call: LiveCall) -> None:
        policy = call.policy
        if policy is None:
            self._ring(call, not_recorded(self._rules.trouble))
        elif call.role is CallRole.CONSULTATION:
            self._ring(call, not_recorded(Reason.INTERNAL))
        elif reason := _exempt(call, policy):
            self._ring(call, not_recorded(reason))
        elif self._store.unopened:
            # A call that cannot be recorded is not announced as recorded.
            self._ring(call, not_recorded(Reason.STORAGE_FAILED))
        else:
            call.decide_by = self._clock().mono + DECISION_TIME
            call.looked_up = True
            self._store.look_up(call)

    def hear_exchange(self, call: LiveCall, said: tuple[str, ...], host: str, proved: str = "") -> None:
        """What an exchange says that the party has been told: believed from a listed one, else noted (G05).

        `host` is where the message came from. By TLS the exchange has `proved` a name, and that name must be listed: an
        address proves nothing beside it.
        """
        if not said:
            return
        if proved:
            names = call.policy.upstream.hosts if call.policy else ()
            listed = _one_spelling(proved) in {_one_spelling(one) for one in names}
        else:
            listed = plain_address(host) in self._rules.exchanges
        notice = read_upstream_notice(said) if listed else None
        if notice:
            call.believe(notice)
        else:
            call.upstream_ignored = True
            self._stepper.occurred(call, "upstream_ignored", {"why": "malformed" if listed else "not_listed"})

    def answered(self, call: LiveCall) -> None:
        """The archive's place for a ringing call is no longer needed."""
        if call.looked_up:
            self._store.answered(call.id)

    def looked_up(self, call: LiveCall, known: LookupResult) -> None:
        if call.decided or call.line is None:
            return
        if self._store.unopened:
            # The archive could not be opened after all. A call that cannot be recorded is not announced as recorded.
            self._ring(call, not_recorded(Reason.STORAGE_FAILED))
            return
        # A no that came with the call excludes what one that stands here does, and no notice speaks of it.
        before = call.refused_before
        declined = known.declined_earlier or Purpose.TRAINING in before
        call.lookup = known = replace(known, declined_earlier=declined, upheld=known.upheld | before)
        if call.policy and not call.language_settled:
            call.language = language_for(call.policy, call.line, call.e164, known.language)
        if call.calls_back:
            # What the party was promised when it declined (N4). The agent says whether the promise is kept: an answering
            # machine answers as well.
            self._ring(call, not_recorded(Reason.CALL_BACK))
        else:
            self._ask(call, known)

    def heard_late(self, call: LiveCall, house: HouseKnows) -> None:
        """The house's answer, once its time was over. It can only narrow this call: training is left out already."""
        if call.wants_recording:
            return  # the party's later word
        call.lookup = with_house(call.lookup, house, silent=True)
        if call.decided and call.calls_back:
            self._stepper.feed(call, ev.RefusedBefore(tuple(Purpose), Reason.CALL_BACK))
        elif call.decided and house.upheld:
            self._stepper.feed(call, ev.RefusedBefore(tuple(sorted(house.upheld)), Reason.DECLINED_EARLIER))

    def decided(self, call: LiveCall, decision: Decision) -> None:
        """The rulebook's answer. A repeated or unasked one changes nothing."""
        if not call.lookup.looked_up:
            decision = out_of_the_sample(decision, Reason.STORAGE_FAILED)
        elif call.lookup.house_silent:
            decision = out_of_the_sample(decision, Reason.HOUSE_UNREACHABLE)
        if _only_training_is_keyless(call.lookup, call.line):
            decision = out_of_the_sample(decision, Reason.NO_KEY)
        decision = self._unless_upheld(call, unless_keyless(decision, call.lookup))
        if not _employees_informed(call):
            decision = until_employees_are_informed(decision)
        if not call.decided:
            self._ring(call, not_recorded(Reason.CALL_BACK) if call.calls_back else decision)
        elif call.awaits_new_decision:
            call.awaits_new_decision = False
            if not may_ask_for_recording(call.state):
                return  # too late: the reason already given stays
            if self._notices.has(call, decision):
                self._notices.take(call, decision)
                # The catalog names the notice that was given.
                self._store.ring(call)
                anew = self._terms(call, call.policy, call.line, decision) if call.policy and call.line else None
                self._stepper.feed(call, ev.PartyAsksForRecording(decision, anew))
            else:
                # Another no cannot change what is kept of the call so far.
                why = {Reason.RULEBOOK_FAILED: "failed", Reason.NO_KEY: "no_key"}.get(decision.reasons[0], "no")
                self._tell(Fault(CodedText(f"fault.asked_anew.{why}"), call.id))

    def _unless_upheld(self, call: LiveCall, decision: Decision) -> Decision:
        """A notice for the rest alone may be one that the line never gives. Then nothing is recorded, because of the
        objection, and not for want of a notice."""
        left = unless_upheld(decision, call.lookup)
        has_notice = left is decision or left.notice is None or self._notices.has(call, left)
        return left if has_notice else not_recorded(Reason.DECLINED_EARLIER)

    def ask_anew(self, call: LiveCall) -> None:
        """The party now wants what it declined, so its earlier no no longer counts.

        If it wants documentation to go on, having meant its no for training alone, that no stands.
        """
        if call.line and not call.awaits_new_decision:
            call.awaits_new_decision = call.wants_recording = True
            call.lookup = replace(call.lookup, upheld=frozenset())
            self._ask(call, replace(call.lookup, declined_earlier=bool(call.state.live)))

    def run_due(self, call: LiveCall) -> None:
        if call.decide_by is not None and call.decide_by <= self._clock().mono and not call.decided:
            self._ring(call, not_recorded(Reason.RULEBOOK_FAILED if call.asked else Reason.STORAGE_FAILED))

    def _ask(self, call: LiveCall, known: LookupResult) -> None:
        policy, line = call.policy, call.line
        if policy and line:
            drawn = line.training is not None and known.drawn and line.id not in call.book.untrained
            drawn = drawn and not known.house_silent
            # Documentation goes on, even if nobody could open the call for training.
            drawn = drawn and not _only_training_is_keyless(known, line)
            facts = Facts(
                line.id,
                call.direction,
                call.e164,
                call.language,
                known.declined_earlier,
                call.arrived_at,
                known.reviewers_have_enough,
            )
            if not call.asked:
                # A slow archive takes nothing of the rulebook's time.
                call.asked, call.decide_by = True, self._clock().mono + DECISION_TIME
            self._rules.ask(call.id, policy, facts, drawn=drawn)

    def _ring(self, call: LiveCall, decision: Decision) -> None:
        """The session begins, and gets the events of the meantime."""
        policy = call.policy
        if decision.notice:
            self._notices.take(call, decision)
            if call.text is None:
                decision = not_recorded(Reason.NOTICE_FAILED)
        conditions = ev.Terms()
        if policy and call.line:
            conditions = self._terms(call, policy, call.line, decision)
        call.decided = True
        self._store.ring(call)
        notice = decision.notice.value if decision.notice else None
        self._stepper.occurred(call, "decided", {"notice": notice, "reason": decision.reasons[0].value})
        ours, withheld = not call.incoming, call.e164 is None
        rang = ev.Rang(
            call.id,
            call.direction,
            call.language,
            decision,
            conditions,
            carried_to(call),
            ours=ours,
            withheld=withheld,
        )
        self._stepper.feed(call, rang)
        if call.upstream:
            self._stepper.feed(call, ev.UpstreamVouched(call.upstream.notice, call.upstream.keys))
        elif call.upstream_ignored:
            self._stepper.feed(call, ev.UpstreamIgnored())
        if not self._desk():
            self._stepper.feed(call, ev.DeskChanged(present=False))
        waiting, call.waiting = call.waiting, []
        for event in waiting:
            self._stepper.feed(call, event)

    def _terms(self, call: LiveCall, policy: Policy, line: Line, decision: Decision) -> ev.Terms:
        short = self._notices.newcomer_text(call)
        conditions = terms(
            policy,
            line,
            decision.notice,
            language=call.language,
            day=day_of(policy, call.arrived_at),
            reading_time=call.text.to_read.reading_time if call.text else 0.0,
            newcomer_reading_time=short.to_read.reading_time if short else None,
        )
        if conditions.other_language not in call.other_languages:
            # A key that leads to no notice does nothing.
            conditions = replace(conditions, other_language=None, language_key="")
        return conditions


def _exempt(call: LiveCall, policy: Policy) -> Reason | None:
    """In any spelling: a call to 112 is one to +45 112 as well."""
    ours = [spelt for own in call.ours for spelt in (e164(own), *spellings(own)) if spelt]
    for number in (call.e164, *spellings(call.number)) if call.number else (None,):
        if reason := exempt(policy, call.line, call.direction, number, ours):
            unclear = call.line_unclear and reason is Reason.LINE_NOT_RECORDED
            return Reason.LINE_UNCLEAR if unclear else reason
    return None


def _employees_informed(call: LiveCall) -> bool:
    """Whether the line's agents had been told by the day of the call that they are recorded. A missing date is a doubt about
    the policy, and does not stop recording."""
    informed = call.policy.informed_on(call.line) if call.policy and call.line else None
    return call.policy is None or informed is None or informed <= day_of(call.policy, call.arrived_at)


def _only_training_is_keyless(known: LookupResult, line: Line | None) -> bool:
    return line is not None and line.documentation is not None and known.keyless == frozenset({Purpose.TRAINING})


def _one_spelling(host: str) -> str:
    return plain_address(host.strip("[]")).rstrip(".").lower()
