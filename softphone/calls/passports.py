"""Call passports at this desk: read from a call that a colleague transferred, and made for one that is transferred from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from softphone.calls.live import LiveCall
from softphone.calls.numbers import e164, is_houses, user_part
from softphone.domain.events import CarriedAnswers, Now
from softphone.domain.passport import (
    LIVES,
    TOLD_WITHIN,
    Doubt,
    Passport,
    Told,
    carried,
    claims_of,
    doubt_about,
    fingerprint,
    read_passport,
    read_refusals,
    refusals_as_claims,
)
from softphone.domain.purpose import Purpose
from softphone.domain.session import carried_answers
from softphone.system.passports import Presented, Seal, present, unsigned
from softphone.wire.snapshot import CallRole, PastCall

MOST_NUMBERS = 64


@dataclass(frozen=True, slots=True)
class _Refusals:
    at: datetime
    group: str
    refused: frozenset[Purpose]


class Passports:
    """One for all calls. Without a `seal` this desk proves nothing, and passes refusals on all the same."""

    def __init__(self, clock: Callable[[], Now]) -> None:
        self.seal: Seal | None = None
        self._clock = clock
        self._used: dict[str, datetime] = {}
        """passports that came with a call, and when they were made"""
        self._issued: dict[str, datetime] = {}
        """this desk's own, likewise"""
        self._refusals: dict[str, _Refusals] = {}
        """by the party's number"""

    def receive(self, call: LiveCall, values: tuple[str, ...], called: Iterable[str]) -> Doubt | None:
        """What came with `call`. Each refusal counts at once; the rest only without the doubt that is returned.

        `called`: the user parts by which this desk was called.
        """
        presented = [present(one) for one in values]
        call.refused_before = frozenset(refused for one in presented for refused in read_refusals(one.claims))
        passport = read_passport(presented[0].claims) if len(presented) == 1 else None
        if passport is None:
            return Doubt.UNREADABLE
        doubt = self._doubt(call, presented[0], passport, called)
        if doubt is None:
            call.passport, call.group = passport, passport.group
            if (told := passport.told) and call.text_of(told.notice, told.language) is not None:
                call.language = told.language
        return doubt

    def _doubt(self, call: LiveCall, presented: Presented, passport: Passport, called: Iterable[str]) -> Doubt | None:
        now = self._clock().utc
        if call.policy is None or not presented.proved_by(call.policy.house.keys, now):
            return Doubt.UNPROVED
        named = {spelt for one in called for spelt in (one, e164(one)) if spelt}
        target = e164(passport.target)
        doubt = doubt_about(passport, named | ({passport.target} if target in named else set()), now)
        if doubt is Doubt.ANOTHER_TARGET and presented.text in self._issued:
            doubt = None  # a transfer of ours that comes back: nobody answered there
        if doubt is not None:
            return doubt
        self._used = {text: made for text, made in self._used.items() if now - made <= LIVES}
        if presented.text in self._used:
            return Doubt.USED
        self._used[presented.text] = passport.made_at
        return None

    def issue(self, call: LiveCall, target: str) -> str:
        """For a call that is transferred to `target`; empty if that is not the house's, or there is nothing to say."""
        policy, line, now = call.policy, call.line, self._clock().utc
        if policy is None or line is None or not is_houses(policy, target, call.agent):
            return self.issue_refusals(call, target)
        if self.seal is None or not self.seal.is_certified(policy.house.keys, now):
            # Nobody would believe it, and the refusals alone are short.
            return self.issue_refusals(call, target)
        said, refused = carried_answers(call.state), call.refused
        told = Told(said.notice, call.state.language, said.told_at) if said.notice and said.told_at else None
        passport = Passport(
            call.group,
            user_part(target),
            now,
            fingerprint(policy.controller_of(line).name),
            line.id,
            told,
            frozenset(said.informed) - refused if told else frozenset(),
            frozenset(said.consented) - refused if told else frozenset(),
            refused,
        )
        text = self.seal.sign(claims_of(passport))
        self._issued = {one: made for one, made in self._issued.items() if now - made <= LIVES} | {text: now}
        return text

    def remember(self, calls: Iterable[LiveCall]) -> None:
        """What the parties of these calls have refused so far: it binds a call back, too."""
        for call in calls:
            if call.role is CallRole.PARTY:
                refused = call.refused
                said = _Refusals(self._clock().utc, call.group, refused)
                if refused or not call.reopened:
                    self._note(call.e164 or call.number, said)

    def recall(self, rows: Iterable[PastCall]) -> None:
        """The calls before this engine's start, the first of them first."""
        known = {number for number, said in self._refusals.items() if said.refused}
        for row in rows:
            if row.number not in known:
                over = row.at + timedelta(seconds=row.seconds)
                self._note(row.number, _Refusals(over, row.group or row.id, row.refused))

    def _note(self, number: str, said: _Refusals) -> None:
        """A yes in a call of the same group is the later word. That another call's party said nothing takes no refusal back."""
        known = self._refusals.get(number)
        if number and (said.refused or known is None or known.group == said.group or not known.refused):
            self._refusals[number] = said
        while len(self._refusals) > MOST_NUMBERS:
            gone = next((one for one, it in self._refusals.items() if not it.refused), next(iter(self._refusals)))
            del self._refusals[gone]

    def call_back(self, call: LiveCall) -> None:
        """We call a party back. What it refused comes along; that it was told does not: somebody else may answer."""
        said = self._refusals.get(call.e164 or call.number)
        if said is not None and self._clock().utc - said.at <= TOLD_WITHIN and call.role is CallRole.PARTY:
            call.group, call.refused_before = said.group, call.refused_before | said.refused

    def issue_refusals(self, call: LiveCall, target: str) -> str:
        """A short one, unsigned: what the party has refused, and nothing else. Empty as `issue` is."""
        refused = call.refused
        if not refused or call.policy is None or not is_houses(call.policy, target, call.agent):
            return ""
        return unsigned(refusals_as_claims(refused))


def carried_to(call: LiveCall) -> CarriedAnswers | None:
    """What counts of it on the call's line."""
    if call.policy is None or call.line is None:
        return None
    controller = fingerprint(call.policy.controller_of(call.line).name)
    return carried(call.passport, call.refused_before, controller, call.line.id)
