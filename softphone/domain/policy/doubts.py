"""What is lawful but doubtful: a policy's warnings, and the one fall-back that it does not choose (G22).

Each gives findings with the path of a key, as `checks` does. A person can confirm each. Only one keeps a policy from being
used until then (`informed_obliged`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from urllib.parse import unquote, urlsplit

from softphone.domain.decision import NoticeDelivery, NoticeId
from softphone.domain.policy.calls import notice_way
from softphone.domain.policy.checks import Finding
from softphone.domain.policy.confirming import as_name
from softphone.domain.policy.faults import KeyPath
from softphone.domain.policy.fields import ABOUT_CALLS, share_text
from softphone.domain.policy.model import Controller, Line, Policy
from softphone.domain.policy.period import Period
from softphone.domain.policy.purposes import (
    EXPLICIT_CONSENT,
    FACTORS,
    THREE_MONTHS,
    Assessment,
    AtEnd,
    Documentation,
    OptOut,
    Sensitive,
    Training,
)
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, OnFailure, Purpose

LONGEST_NOTICE = 25.0
"""seconds; callers do not listen to a longer one"""
LARGE_SAMPLE = Fraction(1, 4)
"""without consent, the need for so many is judged strictly"""
LONGEST_HOLD_AFTER_REFUSAL = timedelta(days=31)
LONGEST_HOLD_UNCONFIRMED = timedelta(days=92)
LONGEST_JUDGEMENT = timedelta(days=92)
LONGEST_OWN_CALLS = timedelta(days=31)
"""an agent looks up recent calls; looking further back needs another reason"""
LONGEST_ANSWER_TIME = Period(seconds=30)
"""a key that is pressed later no longer answers a question"""
LONGEST_WRAP_UP = Period(seconds=3600)
LONGEST_WARNING_TONE = Period(seconds=300)
"""most calls end without a rarer tone"""
LONGEST_SPECIAL = timedelta(days=731)
"""two years; after that somebody must decide anew"""

MOST_REVIEWED = 500
"""calls that one reviewer can hear in a week that holds nothing else, without using them"""
LEAST_LETTERS = 20
"""letters; a shorter text gives no reason"""
LEAST_CONCLUSION = 10
"""letters; *the need is there* concludes, *yes* does not"""
_EMERGENCY = frozenset({"112", "114", "1813", "000", "110", "111", "113", "119", "911", "999"})
"""numbers called in an emergency, here and elsewhere (114 and 1813: the police and the doctor, in Denmark)"""

_GENERAL_PAGE = re.compile(
    r"privat(?:livs?|data)?[-_]?(?:politik|beskyttelse)|privacy|persondata|personoplysning(?:er|spolitik)|data-?protection"
    r"|databeskyttelse|datapolitik|cookie|gdpr|handelsbetingelser|vilkaar|vilkår|terms",
    re.IGNORECASE,
)
_ABOUT_PAGE = re.compile(
    r"(?:om|om-os|om_os|about|about-us|kontakt|contact|forside|home|index|profil)(?:\.\w+)?", re.IGNORECASE
)
_SHORTENERS = frozenset(
    {
        "bit.ly",
        "tinyurl.com",
        "t.ly",
        "goo.gl",
        "kortlink.dk",
        "is.gd",
        "ow.ly",
        "t.co",
        "rebrand.ly",
        "cutt.ly",
        "buff.ly",
    }
)
_RESCUE = re.compile(
    r"alarm|nød|akut|redning|rescue|emergency|ambulanc|brandv|fire (?:service|brigade)|\b11[24]\b|1813|amk|vagtcentral|lægevagt"
    r"|sos|giftlinj|poison|politi|police|krise|crisis|livlinj|lifeline",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"anden (?:måde|vis)|andre måder|anderledes|skriftlig|på skrift|ordrebekræft|bekræftelse|\b(?:e-?)?mail|\bbrev(?:e|et)?\b"
    r"|otherwise|(?:another|other) way|other means|in writing|\bletters?\b|confirmation",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:ikke|aldrig|ingen|intet|hverken|uden|næppe|kun|not|never|no|nor|neither|without|cannot|only|hardly)\b|n't\b",
    re.IGNORECASE,
)
_DANISH = ("+45", "+298", "+299")
_NATIONAL = 6
"""digits of the shortest number that is no extension (the Faroes, Greenland)"""


def doubts(policy: Policy, today: date) -> list[Finding]:
    """`today`: in the policy's time zone."""
    found: list[Finding] = []
    several = len(policy.controller) > 1
    for n, controller in enumerate(policy.controller):
        found += _page(("controller", n) if several else ("controller",), controller)
    found += _whole(policy, today)
    found += _keys(policy)
    found += _two_names(policy)
    found += _informed(policy, today)
    for n, line in enumerate(policy.line):
        path: KeyPath = ("line", n)
        found += _line(path, line, policy)
        if line.documentation is not None:
            found += _documentation((*path, "documentation"), line.documentation, line)
        if line.training is not None:
            found += _training((*path, "training"), line.training, line, today)
            found += _reviewers((*path, "training"), line.training, line, policy)
        found += _sensitive((*path, "sensitive"), line.sensitive, line, policy.controller_of(line))
    return found


def long_notice(policy: Policy, line: str, notice: NoticeId, language: Language, seconds: float) -> Finding | None:
    """A notice that takes longer, read or played, than a caller listens (25 s)."""
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
    """G06: a link to the general privacy policy will typically not do. A link that redirects shows what the controller did
    not write."""
    here, value = (*path, "page"), {"value": controller.page[:120]}
    parts = urlsplit(controller.page)
    last = unquote(parts.path).rstrip("/").rpartition("/")[2]
    if parts.scheme != "https":
        yield Finding(here, "page_http", value)
    if (parts.hostname or "").removeprefix("www.") in _SHORTENERS:
        yield Finding(here, "page_short", value)
    elif _GENERAL_PAGE.search(last) and not ABOUT_CALLS.search(last):
        yield Finding(here, "page_general", value)
    elif _ABOUT_PAGE.fullmatch(last):
        yield Finding(here, "page_about", value)
    elif not last:
        yield Finding(here, "page_host", value)


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
    for n, number in enumerate(policy.emergency):
        if number not in _EMERGENCY:
            yield Finding(("emergency", n), "emergency_number", {"value": number})
    obliged = [line.id for line in policy.line if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION]
    if policy.never_record and obliged:
        params = {"lines": ", ".join(obliged), "left": ", ".join(policy.never_record)}
        yield Finding(("never_record",), "obligation_numbers", params)
    for n, one in enumerate(policy.confirmed):
        if one.on > today:
            yield Finding(("confirmed", n, "on"), "confirmed_later", {"value": str(one.on), "by": one.by[:60]})
        if as_name(one.by) is None:
            yield Finding(("confirmed", n, "by"), "confirmed_name", {"value": one.by[:60]})


def _informed(policy: Policy, today: date) -> Iterator[Finding]:
    """L1: employees are recorded persons, and are informed before a line goes live.

    Until then a line records on obligation alone, and only once a person has confirmed that.
    """
    recorded = [(n, line) for n, line in enumerate(policy.line) if line.documentation or line.training]
    if policy.line and all(line.employees_informed_on is None for line in policy.line):
        dates: list[tuple[KeyPath, date | None]] = [((), policy.employees_informed_on)]
    else:
        dates = [(("line", n), policy.informed_on(line)) for n, line in recorded]
    obliged = [(n, line) for n, line in recorded if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION]
    for path, on in dates:
        here = (*path, "employees_informed_on")
        if on is None:
            yield Finding(here, "not_informed")
        elif on > today and (len(obliged) < len(recorded) if not path else int(path[1]) not in dict(obliged)):
            yield Finding(here, "informed_later", {"value": str(on)})
    for n, line in obliged:
        if (on := policy.informed_on(line)) is not None and on > today:
            yield Finding(("line", n, "employees_informed_on"), "informed_obliged", {"value": str(on), "line": line.id})


def _keys(policy: Policy) -> Iterator[Finding]:
    """One key that opens the recordings of two controllers."""
    opened: dict[str, set[str]] = {}
    for recipient in policy.recipient:
        theirs = {
            policy.controller_of(line).name
            for line in policy.line
            if recipient.opens(line) and _seals_for(recipient.purpose, line)
        }
        opened.setdefault(recipient.public_key, set()).update(theirs)
    reported: set[str] = set()
    for n, recipient in enumerate(policy.recipient):
        controllers = opened[recipient.public_key]
        if len(controllers) > 1 and recipient.public_key not in reported:
            reported.add(recipient.public_key)
            params = {"id": recipient.id, "controllers": ", ".join(sorted(controllers))}
            yield Finding(("recipient", n, "public_key"), "shared_key", params)


def _two_names(policy: Policy) -> Iterator[Finding]:
    """A number in full on one line, and as a user at the exchange on another: a call to it could be either's."""
    users = [
        (n, k, name, digits)
        for n, line in enumerate(policy.line)
        for k, name in enumerate(line.numbers)
        if (digits := _user_digits(name))
    ]
    lengths = {len(digits) for *_, digits in users}
    full: dict[str, list[tuple[Line, str]]] = {}
    for line in policy.line:
        for number in line.numbers:
            if number.startswith("+") and "@" not in number:
                for length in lengths:
                    full.setdefault(number[-length:], []).append((line, number))
    for n, k, name, digits in users:
        for other, number in full.get(digits, ()):
            if other is not policy.line[n]:
                params = {"value": name, "other": number, "line": other.id}
                yield Finding(("line", n, "numbers", k), "number_two_names", params)


def _user_digits(name: str) -> str:
    """A national number's at least, of a user at an exchange; or empty."""
    user, at, _ = name.partition("@")
    digits = user.removeprefix("+").removeprefix("00")
    return digits if at and digits.isdecimal() and len(digits) >= _NATIONAL else ""


def _seals_for(role: KeyRole, line: Line) -> bool:
    part = {KeyRole.DOCUMENTATION: line.documentation, KeyRole.TRAINING: line.training}
    return _recorded(line) if role is KeyRole.CUSTODY else part[role] is not None


def _recorded(line: Line) -> bool:
    return line.documentation is not None or line.training is not None


def _line(path: KeyPath, line: Line, policy: Policy) -> Iterator[Finding]:
    for key, value, longest in (
        ("answer_time", line.answer_time, LONGEST_ANSWER_TIME),
        ("wrap_up", line.wrap_up, LONGEST_WRAP_UP),
        ("warning_tone", line.warning_tone, LONGEST_WARNING_TONE),
    ):
        if value is not None and value.length() > longest.length():
            yield Finding((*path, key), f"long_{key}", {"value": str(value), "most": str(longest)})
    if line.emergency_service and _recorded(line):
        yield from _emergency(path, line)
        names = (*(line.name[one] for one in Language), policy.controller_of(line).name)
        if not any(_RESCUE.search(one) for one in names):
            yield Finding((*path, "emergency_service"), "emergency_doubtful")
    yield from _choices(path, line, policy)
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


def _choices(path: KeyPath, line: Line, policy: Policy) -> Iterator[Finding]:
    """What hardly goes with the chosen basis."""
    documented, trained = line.basis(Purpose.DOCUMENTATION), line.basis(Purpose.TRAINING)
    if policy.controller_of(line).authority:
        for purpose, part in ((Purpose.DOCUMENTATION, line.documentation), (Purpose.TRAINING, line.training)):
            if part is not None and part.basis is Basis.LEGITIMATE_INTEREST:
                yield Finding((*path, purpose.value, "basis"), "authority_interest")
    calls_back = line.training is not None and line.training.opt_out is OptOut.CALL_BACK
    if calls_back and (line.documentation is not None or trained is Basis.CONSENT):
        yield Finding((*path, "training", "opt_out"), "call_back_beside")
    if (
        line.on_failure is OnFailure.END
        and Basis.CONSENT in (documented, trained)
        and documented is not Basis.LEGAL_OBLIGATION
    ):
        yield Finding((*path, "on_failure"), "end_on_consent")
    if Direction.INTERNAL in line.calls and Basis.CONSENT in (documented, trained):
        yield Finding((*path, "calls"), "internal_consent")
    if (
        line.objection_in_call == "go_on"
        and not line.emergency_service
        and documented not in (None, Basis.LEGAL_OBLIGATION)
    ):
        yield Finding((*path, "objection_in_call"), "go_on_elsewhere")
    agents = {agent.removeprefix("sip:").partition("@")[0] for team in policy.team for agent in team.agents}
    for n, number in enumerate(line.numbers):
        user = number.partition("@")[0]
        if not line.emergency_service and user in {*_EMERGENCY, *policy.emergency}:
            yield Finding((*path, "numbers", n), "extension_emergency", {"value": number})
        elif user in agents and _recorded(line):
            yield Finding((*path, "numbers", n), "extension_is_agent", {"value": number})
    numbers = [number for number in line.numbers if number.startswith("+") and "@" not in number]
    abroad = sum(not number.startswith(_DANISH) for number in numbers)
    language, changes = policy.language_of(line), bool(line.language_key) or line.language_by_country
    most = Language.EN if 2 * abroad > len(numbers) else Language.DA if 2 * abroad < len(numbers) else language
    if _recorded(line) and numbers and not changes and language is not most:
        yield Finding((*path, "language"), "notice_foreign", {"language": language.value})


def _emergency(path: KeyPath, line: Line) -> Iterator[Finding]:
    """While a notice plays the agent cannot be heard, and help cannot wait for a notice."""
    played = {way for way in line.calls if notice_way(line, way) is NoticeDelivery.PLAY}
    if played - {Direction.OUTBOUND}:
        yield Finding((*path, "notice"), "emergency_played")
    if Direction.OUTBOUND in played:
        yield Finding((*path, "outbound", "notice"), "emergency_played")


def _obliged(path: KeyPath, line: Line) -> Iterator[Finding]:
    """Calls that the law obliges to record and the policy leaves out. The law seldom means those between our own extensions."""
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
    elif part.assessment is not None and part.basis.can_be_objected_to:
        yield from _assessed((*path, "assessment"), part.assessment)
    obliged = part.basis is Basis.LEGAL_OBLIGATION
    if obliged and part.rule is None:
        yield Finding((*path, "rule"), "no_rule")
    if obliged and part.rule is not None and not _names_a_rule(part.rule):
        yield Finding((*path, "rule"), "reason_short", {"name": "rule", "value": part.rule})
    yield from _reason(path, "why_longer", part.why_longer)
    if not obliged and part.why_kept is None:
        yield Finding((*path, "why_kept"), "no_why_kept")
    if not obliged and part.why_longer is None and not part.keeps.never_longer_than(THREE_MONTHS):
        yield Finding((*path, "retention"), "documentation_longer", {"value": str(part.keeps)})


def _assessed(path: KeyPath, part: Assessment) -> Iterator[Finding]:
    """An answer that says nothing, or says that the need can be met otherwise (G20, G22)."""
    answers = {f"G20.{name}": getattr(part.G20, name) for name in "abc"}
    answers |= {f"G21.{name}": getattr(part.G21, name) for name in FACTORS} | {"conclusion": part.conclusion}
    for name, answer in answers.items():
        here = (*path, *name.split("."))
        if answer is None:
            continue
        if _letters(answer) < (LEAST_CONCLUSION if name == "conclusion" else LEAST_LETTERS):
            yield Finding(here, "need_short", {"name": name, "value": answer})
        clauses = re.split(r"[,.;:–]\s", answer)
        otherwise = any(_OTHERWISE.search(one) and not _NEGATED.search(one) for one in clauses)
        if otherwise and not name.startswith("G21"):
            yield Finding(here, "need_otherwise", {"name": name, "value": answer})


def _reason(path: KeyPath, name: str, given: str | None) -> Iterator[Finding]:
    if given is not None and _letters(given) < LEAST_LETTERS:
        yield Finding((*path, name), "reason_short", {"name": name, "value": given})


def _letters(text: str) -> int:
    return sum(one.isalpha() for one in text)


def _names_a_rule(text: str) -> bool:
    """A law's name, or its short form with a paragraph (*FIL § 46*)."""
    return _letters(text) >= LEAST_LETTERS or (_letters(text) >= 3 and any(one.isdigit() for one in text))


def _reviewers(path: KeyPath, part: Training, line: Line, policy: Policy) -> Iterator[Finding]:
    """Only as many calls as are used, which includes being reviewed (G33)."""
    if part.sample == 0 or part.capacity is None:
        return
    most = MOST_REVIEWED * max(1, len(policy.recipients(KeyRole.TRAINING, line)))
    if part.capacity > most:
        yield Finding((*path, "capacity"), "capacity_large", {"value": part.capacity, "most": most})
    elif part.sample == 1:
        yield Finding((*path, "capacity"), "capacity_all", {"value": part.capacity})


def _training(path: KeyPath, part: Training, line: Line, today: date) -> Iterator[Finding]:
    yield from _reason(path, "why_longer", part.why_longer)
    yield from _reason(path, "why_this_number", part.why_this_number)
    if part.why_longer is None and not part.retention.never_longer_than(THREE_MONTHS):
        yield Finding((*path, "retention"), "training_longer", {"value": str(part.retention)})
    if part.why_longer is None and part.at_end is AtEnd.REVIEW:
        yield Finding((*path, "at_end"), "training_judged")
    if part.sample > 0 and part.why_kept is None:
        yield Finding((*path, "why_kept"), "no_why_kept")
    if part.sample == 1 and part.capacity is None:
        yield Finding((*path, "sample"), "every_call")
    elif part.sample < 1 and part.sample >= LARGE_SAMPLE and part.basis is not Basis.CONSENT:
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


def _sensitive(path: KeyPath, part: Sensitive, line: Line, controller: Controller) -> Iterator[Finding]:
    """For training on such data see `checks`: consent to it must always be explicit (G09)."""
    for kind in ("cpr", "special_categories"):
        for purpose in Purpose:
            ground, used = part.ground(kind, purpose), line.basis(purpose)
            here = (*path, f"{kind}_ground", purpose.value)
            if ground is None:
                continue
            if kind not in part.expected or used is None:
                yield Finding(here, "ground_for_nothing", {"kind": kind})
            elif ground.ground in (EXPLICIT_CONSENT, "section_11_2_2") and used is not Basis.CONSENT:
                yield Finding(here, "ground_without_consent", {"ground": ground.ground})
            elif kind == "cpr" and (ground.ground == "section_11_1") is not controller.authority:
                yield Finding(here, "ground_authority", {"ground": ground.ground})
    paused = [kind for kind in part.expected if kind not in part.recorded]
    trained = line.basis(Purpose.TRAINING)
    if paused and line.training is not None and line.training.sample > 0 and trained is not Basis.CONSENT:
        yield Finding((*path, "expected"), "sensitive_interest", {"kinds": ", ".join(paused)})
    if "special_categories" in part.recorded and line.basis(Purpose.DOCUMENTATION) is Basis.CONSENT:
        own = line.wording.get(NoticeId.N2, {})
        lacking = [one.value for one in Language if one not in own]
        if lacking:
            params = {"notice": NoticeId.N2.value, "languages": ", ".join(lacking)}
            yield Finding((*path, "expected"), "consent_names_nothing", params)
