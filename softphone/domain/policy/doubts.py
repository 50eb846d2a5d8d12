"""What is lawful and yet to be thought about: a policy's warnings, and the one fall-back that it does not choose (G22).

Each gives findings with the path of a key, as `checks` does; none of them keeps a policy from being used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from urllib.parse import unquote, urlsplit

from softphone.domain.decision import How, NoticeId
from softphone.domain.policy.calls import notice_way
from softphone.domain.policy.checks import Finding
from softphone.domain.policy.faults import KeyPath
from softphone.domain.policy.fields import share_text
from softphone.domain.policy.model import Controller, Line, Policy
from softphone.domain.policy.period import Period
from softphone.domain.policy.purposes import THREE_MONTHS, AtEnd, Documentation, Sensitive, Training
from softphone.domain.purpose import Basis, Direction, Language, Purpose

LONGEST_NOTICE = 25.0
"""seconds; a longer one is not listened to"""
LARGE_SAMPLE = Fraction(1, 4)
"""without consent, the need for so many is judged strictly"""
LONGEST_HOLD_AFTER_REFUSAL = timedelta(days=31)
LONGEST_HOLD_UNCONFIRMED = timedelta(days=92)
LONGEST_JUDGEMENT = timedelta(days=92)
LONGEST_OWN_CALLS = timedelta(days=31)
"""an agent looks up what happened lately; who looks further back has a reason of another kind"""
LONGEST_ANSWER_TIME = Period(seconds=30)
"""a key that is pressed later answers no question any more"""
LONGEST_WRAP_UP = Period(seconds=3600)
LONGEST_WARNING_TONE = Period(seconds=300)
"""a rarer tone is one that most calls end without"""
LONGEST_SPECIAL = timedelta(days=731)
"""two years; a decision that nobody takes anew is none"""

_GENERAL_PAGE = re.compile(
    r"privat(?:livs?|data)?[-_]?(?:politik|beskyttelse)|privacy|persondata|personoplysning(?:er|spolitik)|data-?protection"
    r"|databeskyttelse|datapolitik|cookie|gdpr|handelsbetingelser|vilkaar|vilkår|terms",
    re.IGNORECASE,
)
_ABOUT_CALLS = re.compile(r"telefon|samtale|opkald|optag|call|record|phone", re.IGNORECASE)


def doubts(policy: Policy, today: date) -> list[Finding]:
    """`today`: in the policy's time zone."""
    found: list[Finding] = []
    several = len(policy.controller) > 1
    for n, controller in enumerate(policy.controller):
        found += _page(("controller", n) if several else ("controller",), controller)
    found += _whole(policy, today)
    if policy.line and all(line.employees_informed_on is None for line in policy.line):
        found += _informed((), policy.employees_informed_on, today)
        policy_told = True
    else:
        policy_told = False
    for n, line in enumerate(policy.line):
        path: KeyPath = ("line", n)
        if not policy_told and (line.documentation or line.training):
            found += _informed(path, policy.informed_on(line), today)
        found += _line(path, line, policy)
        if line.documentation is not None:
            found += _documentation((*path, "documentation"), line.documentation, line)
        if line.training is not None:
            found += _training((*path, "training"), line.training, line, today)
        found += _sensitive((*path, "sensitive"), line.sensitive, line)
    return found


def long_notice(policy: Policy, line: str, notice: NoticeId, language: Language, seconds: float) -> Finding | None:
    """A notice as it is read or played, where it is longer than a caller listens (25 s)."""
    if seconds <= LONGEST_NOTICE:
        return None
    for n, one in enumerate(policy.line):
        if one.id == line:
            own = next(
                (
                    name
                    for name, given in (("sound", one.sound), ("wording", one.wording))
                    if language in given.get(notice, {})
                ),
                None,
            )
            path: KeyPath = ("line", n, own, notice.value, language.value) if own else ("line", n)
            params = {"notice": notice.value, "language": language.value, "seconds": round(seconds)}
            return Finding(path, "long_notice", params)
    return None


def _page(path: KeyPath, controller: Controller) -> Iterator[Finding]:
    """G06: a link to the general privacy policy will typically not do, and the front page is no direct link. What is read
    there must be what the controller wrote."""
    parts = urlsplit(controller.page)
    if parts.scheme != "https":
        yield Finding((*path, "page"), "page_http", {"value": controller.page[:120]})
    where = unquote(f"{parts.path}?{parts.query}#{parts.fragment}")
    if parts.path.strip("/") == "" and not parts.query and not parts.fragment:
        if not _ABOUT_CALLS.search(parts.hostname or ""):
            yield Finding((*path, "page"), "page_front", {"value": controller.page[:120]})
    elif _GENERAL_PAGE.search(where) and not _ABOUT_CALLS.search(where):
        yield Finding((*path, "page"), "page_general", {"value": controller.page[:120]})


def _whole(policy: Policy, today: date) -> Iterator[Finding]:
    for key, value, longest in (
        ("hold_after_refusal", policy.hold_after_refusal, LONGEST_HOLD_AFTER_REFUSAL),
        ("hold_unconfirmed", policy.hold_unconfirmed, LONGEST_HOLD_UNCONFIRMED),
        ("judge_within", policy.judge_within, LONGEST_JUDGEMENT),
        ("own_calls", policy.own_calls, LONGEST_OWN_CALLS),
    ):
        if value.length() > longest:
            yield Finding((key,), f"long_{key}", {"value": str(value), "days": longest.days})
    longer = [
        line.id
        for line in policy.line
        for purpose in Purpose
        if (kept := line.retention(purpose)) is not None and not kept.never_longer_than(policy.audit_retention)
    ]
    if longer:
        params = {"value": str(policy.audit_retention), "lines": ", ".join(dict.fromkeys(longer))}
        yield Finding(("audit_retention",), "audit_shorter", params)
    if not policy.emergency:
        yield Finding(("emergency",), "no_emergency")
    obliged = [line.id for line in policy.line if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION]
    if policy.never_record and obliged:
        params = {"lines": ", ".join(obliged), "left": ", ".join(policy.never_record)}
        yield Finding(("never_record",), "obligation_numbers", params)
    for n, one in enumerate(policy.confirmed):
        if one.on > today:
            yield Finding(("confirmed", n, "on"), "confirmed_later", {"value": str(one.on), "by": one.by[:60]})


def _informed(path: KeyPath, on: date | None, today: date) -> Iterator[Finding]:
    """L1: the employees are recorded persons, and are informed before a line goes live."""
    if on is None:
        yield Finding((*path, "employees_informed_on"), "not_informed")
    elif on > today:
        yield Finding((*path, "employees_informed_on"), "informed_later", {"value": str(on)})


def _line(path: KeyPath, line: Line, policy: Policy) -> Iterator[Finding]:
    for key, value, longest in (
        ("answer_time", line.answer_time, LONGEST_ANSWER_TIME),
        ("wrap_up", line.wrap_up, LONGEST_WRAP_UP),
        ("warning_tone", line.warning_tone, LONGEST_WARNING_TONE),
    ):
        if value is not None and value.length() > longest.length():
            yield Finding((*path, key), f"long_{key}", {"value": str(value), "most": str(longest)})
    if line.emergency_service and (line.documentation or line.training):
        yield from _emergency(path, line)
    if line.notice == "upstream" and not policy.upstream.hosts:
        yield Finding((*path, "notice"), "no_hosts")
    if line.opt_out_key[:1].isdecimal() and (line.documentation or line.training):
        yield Finding((*path, "opt_out_key"), "opt_out_digit", {"value": line.opt_out_key})
    part = line.documentation
    if line.whistle_blower and part is not None and part.effective_basis.can_be_objected_to:
        yield Finding((*path, "documentation", "basis"), "whistle_blower")
    if line.whistle_blower and line.training is not None:
        yield Finding((*path, "training"), "whistle_blower_training")
    if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION:
        yield from _obliged(path, line)


def _emergency(path: KeyPath, line: Line) -> Iterator[Finding]:
    """While a notice plays nothing of the agent goes out, and help waits for no notice."""
    played = {way for way in line.calls if notice_way(line, way) is How.PLAY}
    if played - {Direction.OUTBOUND}:
        yield Finding((*path, "notice"), "emergency_played")
    if Direction.OUTBOUND in played:
        yield Finding((*path, "outbound", "notice"), "emergency_played")


def _obliged(path: KeyPath, line: Line) -> Iterator[Finding]:
    """What the law requires to be recorded, and the policy leaves out; calls between our own extensions it seldom means."""
    left_out = [way.value for way in (Direction.INBOUND, Direction.OUTBOUND) if way not in line.calls]
    if left_out:
        yield Finding((*path, "calls"), "obligation_calls", {"left": ", ".join(left_out)})
    if line.never_record:
        params = {"lines": line.id, "left": ", ".join(line.never_record)}
        yield Finding((*path, "never_record"), "obligation_numbers", params)


def _documentation(path: KeyPath, part: Documentation, line: Line) -> Iterator[Finding]:
    if part.lacks_assessment:
        lacking = ", ".join(part.assessment.lacks) if part.assessment else "assessment"
        yield Finding(path, "no_assessment", {"lacking": lacking, "line": line.id})
    obliged = part.basis is Basis.LEGAL_OBLIGATION
    if obliged and part.rule is None:
        yield Finding((*path, "rule"), "no_rule")
    if not obliged and part.why_kept is None:
        yield Finding((*path, "why_kept"), "no_why_kept")
    if not obliged and part.why_longer is None and not part.keeps.never_longer_than(THREE_MONTHS):
        yield Finding((*path, "retention"), "documentation_longer", {"value": str(part.keeps)})


def _training(path: KeyPath, part: Training, line: Line, today: date) -> Iterator[Finding]:
    if part.why_longer is None and not part.retention.never_longer_than(THREE_MONTHS):
        yield Finding((*path, "retention"), "training_longer", {"value": str(part.retention)})
    if part.why_longer is None and part.at_end is AtEnd.REVIEW:
        yield Finding((*path, "at_end"), "training_judged")
    if part.sample > 0 and part.why_kept is None:
        yield Finding((*path, "why_kept"), "no_why_kept")
    if part.sample == 1:
        yield Finding((*path, "sample"), "every_call")
    elif part.sample >= LARGE_SAMPLE and part.basis is not Basis.CONSENT:
        yield Finding((*path, "sample"), "large_sample", {"value": share_text(part.sample)})
    if part.sample > 0 and part.capacity is None:
        yield Finding((*path, "capacity"), "no_capacity")
    special = part.special_circumstances
    if special is None:
        return
    here = (*path, "special_circumstances")
    if not line.emergency_service:
        yield Finding(here, "special_elsewhere")
    if special.expires_on - special.decided_on > LONGEST_SPECIAL:
        params = {"decided": str(special.decided_on), "expires": str(special.expires_on)}
        yield Finding((*here, "expires_on"), "special_long", params)
    if today > special.expires_on:
        yield Finding((*here, "expires_on"), "special_expired", {"value": str(special.expires_on)})
    elif today < special.decided_on:
        yield Finding((*here, "decided_on"), "special_not_yet", {"value": str(special.decided_on)})


def _sensitive(path: KeyPath, part: Sensitive, line: Line) -> Iterator[Finding]:
    """Of training on such data `checks` tells, for there a consent must always be explicit (G09)."""
    for kind in ("cpr", "special_categories"):
        if part.ground(kind) is not None and kind not in part.expected:
            yield Finding((*path, f"{kind}_ground"), "ground_for_nothing", {"kind": kind})
    if "special_categories" in part.recorded and line.basis(Purpose.DOCUMENTATION) is Basis.CONSENT:
        own = line.wording.get(NoticeId.N2, {})
        lacking = [one.value for one in Language if one not in own]
        if lacking:
            params = {"notice": NoticeId.N2.value, "languages": ", ".join(lacking)}
            yield Finding((*path, "expected"), "consent_names_nothing", params)
