"""Call passports at this desk: read from a call that a colleague transferred, and made for one that is transferred from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from softphone.calls.live import LiveCall
from softphone.calls.numbers import e164, is_houses, user_part
from softphone.domain.events import CarriedAnswers, Now
from softphone.domain.passport import (
    LIVES,
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


class Passports:
    """One for all calls. Without a `seal` this desk proves nothing, and passes refusals on all the same."""

    def __init__(self, clock: Callable[[], Now]) -> None:
        self.seal: Seal | None = None
        self._clock = clock
        self._used: dict[str, datetime] = {}
        """passports that came with a call, and when they were made"""

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
        if (doubt := doubt_about(passport, named | ({passport.target} if target in named else set()), now)) is not None:
            return doubt
        self._used = {text: made for text, made in self._used.items() if now - made <= LIVES}
        if presented.text in self._used:
            return Doubt.USED
        self._used[presented.text] = passport.made_at
        return None

    def issue(self, call: LiveCall, target: str) -> str:
        """For a call that is transferred to `target`; empty if that is not the house's, or there is nothing to say."""
        policy, line = call.policy, call.line
        if policy is None or line is None or self.seal is None or not is_houses(policy, target, call.agent):
            return self.issue_refusals(call, target)
        said, refused = carried_answers(call.state), _refused(call)
        told = Told(said.notice, call.state.language, said.told_at) if said.notice and said.told_at else None
        passport = Passport(
            call.group,
            user_part(target),
            self._clock().utc,
            fingerprint(policy.controller_of(line).name),
            line.id,
            told,
            frozenset(said.informed) - refused if told else frozenset(),
            frozenset(said.consented) - refused if told else frozenset(),
            refused,
        )
        return self.seal.sign(claims_of(passport))

    def issue_refusals(self, call: LiveCall, target: str) -> str:
        """A short one, unsigned: what the party has refused, and nothing else. Empty as `issue` is."""
        refused = _refused(call)
        if not refused or call.policy is None or not is_houses(call.policy, target, call.agent):
            return ""
        return unsigned(refusals_as_claims(refused))


def _refused(call: LiveCall) -> frozenset[Purpose]:
    """Here or before. What an obligation records all the same has been refused too; a yes at this desk is the later word."""
    said = carried_answers(call.state)
    return frozenset(said.refused) | (call.refused_before - frozenset(said.consented))


def carried_to(call: LiveCall) -> CarriedAnswers | None:
    """What counts of it on the call's line."""
    if call.policy is None or call.line is None:
        return None
    controller = fingerprint(call.policy.controller_of(call.line).name)
    return carried(call.passport, call.refused_before, controller, call.line.id)
