"""The checks between a policy's values: what the guideline and the keys demand of them together.

Each gives findings with the path of a key; `reading` adds the line. `doubts` finds what is lawful but doubtful.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar, cast

from softphone.domain.decision import NoticeId
from softphone.domain.errors import Param
from softphone.domain.lines import EXTENSION, host_of, overlap
from softphone.domain.notice import asks
from softphone.domain.policy.faults import KeyPath
from softphone.domain.policy.model import Controller, Line, Recipient, ScoreItem, Team
from softphone.domain.policy.period import Period
from softphone.domain.policy.purposes import EXPLICIT_CONSENT, Documentation, Sensitive, SpecialCircumstances, Training
from softphone.domain.purpose import Basis, KeyRole, Language, Purpose

Part = TypeVar("Part")
Placed = tuple[KeyPath, Part | None, Mapping[str, Any]]
"""its place, the part if it could be read, and its raw table"""

CONSENT_KEYS = ("1", "2")
"""the keys that say yes, in the order in which a notice asks"""

LEAST_ANSWER_TIME = timedelta(seconds=2)
LEAST_WARNING_TONE = timedelta(seconds=2)
LEAST_PAUSE = timedelta(seconds=1)
LEAST_AUDIT_RETENTION = Period(months=12)
"""a complaint, or a question about who opened what, often comes months later"""
_ANY_DAY = date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Finding:
    path: KeyPath
    code: str
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])


def documentation(path: KeyPath, part: Documentation, retention_given: bool) -> list[Finding]:
    """On obligation the policy states the other rule's period; none is assumed (G10)."""
    if part.basis is Basis.LEGAL_OBLIGATION and not retention_given:
        return [Finding((*path, "retention"), "retention_needed")]
    return _kept_at_all(path, part.keeps)


def training(path: KeyPath, part: Training) -> list[Finding]:
    """Special circumstances need interest (G32). A reviewed recording is kept no longer than an unreviewed one (G38)."""
    found = _kept_at_all(path, part.retention)
    if part.keep_reviewed is not None and not part.keep_reviewed.never_longer_than(part.retention):
        params = {"value": str(part.keep_reviewed), "retention": str(part.retention)}
        found.append(Finding((*path, "keep_reviewed"), "keep_reviewed_longer", params))
    if part.special_circumstances is not None and part.basis is Basis.CONSENT:
        found.append(Finding((*path, "special_circumstances"), "special_on_consent"))
    return found


def special_circumstances(path: KeyPath, part: SpecialCircumstances) -> list[Finding]:
    if part.expires_on < part.decided_on:
        return [Finding((*path, "expires_on"), "special_dates", {"value": str(part.expires_on)})]
    return []


def _kept_at_all(path: KeyPath, period: Period) -> list[Finding]:
    """A recording that goes on the day it is made serves no purpose."""
    if period.after(_ANY_DAY) == _ANY_DAY:
        return [Finding((*path, "retention"), "retention_none", {"value": str(period)})]
    return []


def sensitive(
    path: KeyPath, part: Sensitive, documented: Documentation | None, trained: Training | None, *, rescue: bool
) -> list[Finding]:
    """Special categories and CPR numbers need an exception, purpose by purpose (G09).

    Training with them needs explicit consent, except under special circumstances in an emergency service (`rescue`).
    """
    found: list[Finding] = []
    if part.recorded and trained is not None and trained.basis is not Basis.CONSENT:
        grounds = [part.ground(kind, Purpose.TRAINING) for kind in part.recorded]
        named = all(one is not None and one.ground != EXPLICIT_CONSENT for one in grounds)
        if not (rescue and trained.special_circumstances is not None and named):
            kinds = ", ".join(part.recorded)
            found.append(Finding((*path, "expected"), "sensitive_training", {"kinds": kinds}))
    if not found:
        found += [
            Finding((*path, f"{kind}_ground"), "ground_lacking", {"purpose": purpose.value, "kind": kind})
            for kind in part.recorded
            for purpose, used in ((Purpose.DOCUMENTATION, documented), (Purpose.TRAINING, trained))
            if used is not None and part.ground(kind, purpose) is None
        ]
    if part.pause.length() < LEAST_PAUSE:
        found.append(Finding((*path, "pause"), "pause_none", {"value": str(part.pause)}))
    return found


def explicit_consent(
    path: KeyPath,
    part: Sensitive,
    trained: Training | None,
    documented: Documentation | None,
    worded: Mapping[str, Any],
) -> list[Finding]:
    """A consent to train on special categories is explicit only if the question names them (G09).

    The rulebook's own questions never do. Both languages need one, since any call can change to the other. `worded`: the raw
    table of the line's own words.
    """
    if trained is None or trained.basis is not Basis.CONSENT or trained.sample == 0:
        return []
    if "special_categories" not in part.recorded:
        return []
    asked_too = documented is not None and documented.effective_basis is Basis.CONSENT
    notice = NoticeId.N3 if documented is None else NoticeId.N2_N3 if asked_too else NoticeId.N6
    own = worded.get(notice.value)
    lacking = [one.value for one in Language if not isinstance(own, Mapping) or one.value not in own]
    params = {"notice": notice.value, "languages": ", ".join(lacking)}
    return [Finding((*path, "expected"), "explicit_consent", params)] if lacking else []


def times(path: KeyPath, line: Line) -> list[Finding]:
    """Nobody can answer a question without time to (G03); a tone that never ends drowns the call."""
    found: list[Finding] = []
    if line.answer_time.length() < LEAST_ANSWER_TIME:
        found.append(Finding((*path, "answer_time"), "answer_time_none", {"value": str(line.answer_time)}))
    if line.warning_tone is not None and line.warning_tone.length() < LEAST_WARNING_TONE:
        found.append(Finding((*path, "warning_tone"), "tone_too_often", {"value": str(line.warning_tone)}))
    return found


def marks(path: KeyPath, line: Line) -> list[Finding]:
    """In a recorded notice a key before the reason is no informed answer, and a notice that asks nothing has no question."""
    found: list[Finding] = []
    for notice, files in line.sound.items():
        for language, one in files.items():
            here = (*path, "sound", notice.value, language.value, "question")
            if one.question is not None and not asks(notice):
                found.append(Finding(here, "mark_not_asked", {"notice": notice.value}))
            elif one.question is not None and one.essentials is not None and one.question < one.essentials:
                found.append(Finding(here, "mark_order"))
    return found


def keys(path: KeyPath, opt_out_key: object, language_key: object) -> list[Finding]:
    """The opt-out keys match first, then the language key. Neither may swallow a yes or the other."""
    found: list[Finding] = []
    for name, value in (("opt_out_key", opt_out_key), ("language_key", language_key)):
        if isinstance(value, str) and value[:1] in CONSENT_KEYS:
            found.append(Finding((*path, name), "key_is_a_yes", {"value": value[:60]}))
    both = isinstance(language_key, str) and isinstance(opt_out_key, str) and bool(language_key)
    if both and str(opt_out_key)[:1] == str(language_key)[:1]:
        found.append(Finding((*path, "language_key"), "key_taken", {"value": str(language_key)[:60]}))
    return found


def wording(path: KeyPath, notice: NoticeId, language: Language, raw: Mapping[str, Any]) -> list[Finding]:
    """Our own words have a question exactly where the notice asks (G03), and only known placeholders."""
    found: list[Finding] = []
    here = (*path, "wording", notice.value, language.value)
    asked = bool(asks(notice))
    if asked and "question" not in raw:
        found.append(Finding((*here, "question"), "question_needed", {"notice": notice.value}))
    if not asked and "question" in raw:
        found.append(Finding((*here, "question"), "question_not_asked", {"notice": notice.value}))
    for name, text in raw.items():
        if isinstance(text, str) and (place := _wrong_place(text)) is not None:
            found.append(Finding((*here, name), "place", {"value": place[:60]}))
    return found


def _wrong_place(text: str) -> str | None:
    try:
        named = [place for _, place, form, turn in string.Formatter().parse(text) if place is not None or form or turn]
    except ValueError:
        return "{"
    return next((f"{{{name}}}" for name in named if name not in ("page", "keys")), None)


def controllers(lines: Sequence[Placed[Line]], owners: Sequence[Placed[Controller]]) -> list[Finding]:
    """Each line has a known controller: named, if there are several (G13)."""
    several = len(owners) > 1
    nameless = [path for path, _, raw in owners if several and "id" not in raw]
    found = [Finding((*path, "id"), "missing", {"name": "id"}) for path in nameless]
    known = [str(raw["id"]) for _, _, raw in owners if "id" in raw]
    for path, _, raw in lines:
        named = raw.get("controller")
        if named is None and several:
            found.append(Finding((*path, "controller"), "which_controller", {"known": ", ".join(known)}))
        elif isinstance(named, str) and named not in known and owners and not nameless:
            params = {"value": named[:60], "known": ", ".join(known) or "–"}
            found.append(Finding((*path, "controller"), "no_controller", params))
    return found


def authorities(lines: Sequence[Placed[Line]], owners: Sequence[Placed[Controller]]) -> list[Finding]:
    """Only a public authority can rest a purpose on public task (G02)."""
    found: list[Finding] = []
    for path, _, raw in lines:
        owner = next((one for one in owners if len(owners) == 1 or one[2].get("id") == raw.get("controller")), None)
        # a key that means neither yes nor no is reported where it stands
        if owner is None or owner[2].get("authority", False) is not False:
            continue
        for purpose in ("documentation", "training"):
            part = raw.get(purpose)
            if isinstance(part, dict) and cast("dict[str, Any]", part).get("basis") == Basis.PUBLIC_TASK:
                found.append(Finding((*path, purpose, "basis"), "no_authority"))
    return found


def teams(
    found_teams: Sequence[Placed[Team]], lines: Sequence[Placed[Line]], recipients: Sequence[Placed[Recipient]]
) -> list[Finding]:
    """A team's lines exist, and its leads can open what its agents are trained by (L2)."""
    found: list[Finding] = []
    known_lines = {str(raw.get("id")) for _, _, raw in lines}
    roles = {str(raw.get("id")): raw.get("purpose") for _, _, raw in recipients}
    for path, team, _ in found_teams:
        if team is None:
            continue
        for n, line in enumerate(team.lines):
            if line not in known_lines:
                found.append(Finding((*path, "lines", n), "no_line", {"value": line}))
        for n, lead in enumerate(team.leads):
            if lead not in roles:
                found.append(Finding((*path, "leads", n), "no_lead", {"value": lead}))
            elif roles[lead] != KeyRole.TRAINING:
                found.append(Finding((*path, "leads", n), "lead_cannot_open", {"value": lead}))
    return found


def scores(found_scores: Sequence[Placed[ScoreItem]], found_teams: Sequence[Placed[Team]]) -> list[Finding]:
    """A question's teams exist."""
    known = {str(raw.get("id")) for _, _, raw in found_teams}
    return [
        Finding((*path, "teams", n), "no_team", {"value": team})
        for path, item, _ in found_scores
        if item is not None
        for n, team in enumerate(item.teams)
        if team not in known
    ]


def lengths(data: Mapping[str, Any]) -> list[Finding]:
    """The person who judges has at least a day for it (G10). The log keeps what it proves for at least
    a year (G11)."""
    found: list[Finding] = []
    for key, code, least in (
        ("judge_within", "judge_within_none", Period(days=1)),
        ("audit_retention", "audit_short", LEAST_AUDIT_RETENTION),
    ):
        try:
            period = Period.parse(str(data.get(key, least)))
        except ValueError:  # report it as what it is
            continue
        if not least.never_longer_than(period):
            found.append(Finding((key,), code, {"value": str(period)}))
    return found


def doubles(
    lines: Sequence[Placed[Line]],
    named: Mapping[str, Sequence[Placed[Any]]],
) -> list[Finding]:
    """An id names one thing of its kind; a number belongs to one line."""
    found: list[Finding] = []
    owners: dict[str, list[tuple[str, str]]] = {}
    for path, line, _ in lines:
        if line is None:
            continue
        for n, number in enumerate(line.numbers):
            alike = owners.setdefault(number.partition("@")[0], [])
            taken = next(((other, owner) for other, owner in alike if overlap(number, other)), None)
            if taken is not None and taken[1] == line.id:
                found.append(Finding((*path, "numbers", n), "number_again", {"value": number}))
            elif taken is not None:
                params = {"value": number, "other": taken[1]}
                found.append(Finding((*path, "numbers", n), "number_twice", params))
            alike.append((number, line.id))
    for placed in named.values():
        seen: set[str] = set()
        for path, _, raw in placed:
            name = raw.get("id")
            if isinstance(name, str) and name in seen:
                found.append(Finding((*path, "id"), "id_twice", {"value": name[:60]}))
            seen.add(str(name))
    return found


def exchanges(lines: Sequence[Placed[Line]], teams: Sequence[Placed[Team]]) -> list[Finding]:
    """An extension is its exchange's own: where the agents are at several, it must say at which."""
    hosts = sorted({host_of(agent.partition("@")[2].lower()) for _, team, _ in teams if team for agent in team.agents})
    if len(hosts) < 2:
        return []
    return [
        Finding(
            (*path, "numbers", n), "extension_where", {"value": number, "hosts": ", ".join(hosts), "host": hosts[0]}
        )
        for path, line, _ in lines
        if line is not None
        for n, number in enumerate(line.numbers)
        if EXTENSION.fullmatch(number)
    ]


def openers(
    data: Mapping[str, Any], lines: Sequence[Placed[Line]], recipients: Sequence[Placed[Recipient]]
) -> list[Finding]:
    """Each purpose in use has recipients of its own, and somebody has custody.

    A key for two purposes would go on opening what a no to one of them takes from it (G31).
    """
    if "recipient" not in data and not lines:
        return []
    found: list[Finding] = []
    reported: set[KeyRole] = set()
    for path, _, raw in lines:
        used = [role for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING) if role.value in raw]
        for role in (*used, *([KeyRole.CUSTODY] if used else [])):
            there = [one for _, one, _ in recipients if one is not None and one.purpose is role]
            if role in reported or any(_opens(one, raw) for one in there):
                continue
            if not there:
                reported.add(role)  # once, for the whole policy
            if role is KeyRole.CUSTODY:
                found.append(Finding(path if there else ("recipient",), "no_custody_here" if there else "no_custody"))
            else:
                code = "no_recipient_here" if there else "no_recipient"
                found.append(Finding((*path, role.value), code, {"role": role.value}))
    known = {
        name: {one for _, _, raw in lines if isinstance(one := raw.get(key), str)}
        for name, key in (("line", "id"), ("controller", "controller"))
    }
    holders: dict[str, Recipient] = {}
    for path, recipient, _ in recipients:
        if recipient is None:
            continue
        if recipient.controller is not None and recipient.controller not in known["controller"]:
            params = {"value": recipient.controller, "known": _listed(known["controller"])}
            found.append(Finding((*path, "controller"), "no_controller", params))
        found += [
            Finding((*path, "lines", n), "no_line", {"value": line})
            for n, line in enumerate(recipient.lines)
            if line not in known["line"]
        ]
        other = holders.setdefault(recipient.public_key, recipient)
        if other.purpose is not recipient.purpose:
            params = {"id": recipient.id, "other": other.id}
            found.append(Finding((*path, "public_key"), "key_of_another_purpose", params))
    return found


def _opens(recipient: Recipient, line: Mapping[str, Any]) -> bool:
    """Like `Recipient.opens`, for a line that may have faults."""
    named = recipient.controller in (None, line.get("controller"))
    return named and (not recipient.lines or line.get("id") in recipient.lines)


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "–"
