"""The audit log's entries in words, for a person. What the log holds, and for how long, is the archive's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from softphone.archive.log.audit import KEY, KEY_SHOWN, LIFTED
from softphone.bootstrap.archive.shared import here
from softphone.domain.archive.recordings import AuditRow
from softphone.texts import Texts

LENGTHS = {"gap_seconds": "audit.gap", "seconds_ago": "audit.ago", "heard": "audit.heard"}
"""further details that an entry may have"""
GIVEN = ("stated", "case")
"""the reason of the person who opened it, as typed"""
CODES = frozenset(
    {"by", "deed", "found", "goes_on", "how", "kept", "kind", "language", "purpose", "purposes"}
    | {"reason", "role", "roles", "what", "why"}
)
"""whose values the program itself wrote, and has words for; any other is shown as it stands"""
TYPED = frozenset({"access_not_answered", "case_rejected", "case_upheld", "judged_ended", "judged_kept"}) | {
    "notes_erased",
    "orphan_deleted",
}
"""data protection's decisions for a reason of its own: `why`, or `reason`, is as typed"""
DAYS = frozenset({"answered", "judge_by", "look_again", "on", "since", "until"})
AT_A_DESK = frozenset({"refused", "refused_often", "limited", "token_elsewhere_refused", "key_refused"}) | {
    "account_passwords_given",
    "signed_in",
}
DESK_SHOWN = 13
"""characters of a desk's id, by which `klartone team revoke` takes it"""
_KEY = re.compile(f"[0-9a-f]{{{KEY_SHOWN + 1},}}")
"""a key's id"""
REFUSALS = frozenset({"opening_refused", "review_refused"})
"""whose `why` is the code of the refusal"""


def in_words(entry: AuditRow, tell: Texts) -> str:
    """The entry as a sentence. An event without words, such as a newer version's, is shown as it stands."""
    fields = {name: _value(entry, name, value, tell) for name, value in entry.params.items()}
    desk = fields["desk"] = _desk(entry)
    code = f"audit.{entry.event}.{entry.params.get('by')}"
    if code not in tell:
        code = f"audit.{entry.event}"
    if code not in tell:
        return " ".join([entry.event, *(f"{name}={fields[name]}" for name in entry.params)])
    person = entry.params.get("person")
    said = [tell(code, **{"by": person or "–", **fields})]
    unnamed = person and said[0] == tell(code, **{"by": "–", **fields})
    refused = entry.event in REFUSALS
    if refused and entry.params.get("why"):
        said = [f"{said[0]}: {_refusal(entry, fields, tell)}"]
    said += [
        tell(length, seconds=seconds)
        for name, length in LENGTHS.items()
        if (seconds := entry.params.get(name)) is not None
    ]
    given = [
        tell(f"audit.given.{name}.refused" if refused else f"audit.given.{name}", text=text)
        for name in GIVEN
        if (text := entry.params.get(name))
    ]
    key = entry.params.get("key")
    if isinstance(key, str) and len(key) == KEY_SHOWN and not str(entry.params.get("by")).startswith(key):
        given.append(tell("audit.given.key", text=key))
    if fields.get("found"):
        given.append(tell("audit.given.found", text=fields["found"]))
    if unnamed:
        given.append(tell("audit.given.person", text=person))
    # Where it was asked from is the question after a refusal.
    if entry.params.get("desk") and entry.event in AT_A_DESK:
        given.append(tell("audit.given.desk", text=desk))
    sentence = ", ".join([" ".join(said), *given])
    return sentence[:1].upper() + sentence[1:]


def audit_row(entry: AuditRow, tell: Texts, *about: str) -> list[str]:
    """The columns of a table. `about`: what stands before the sentence."""
    return [
        f"{entry.number:>5}",
        here(entry.at, tell.zone) if entry.at else "–",
        entry.rule,
        *about,
        in_words(entry, tell),
    ]


def as_json(entry: AuditRow) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat() if entry.at else None,
        "event": entry.event,
        "rule": entry.rule,
        "recording": entry.recording,
        "params": dict(entry.params),
    }


def _value(entry: AuditRow, name: str, value: object, tell: Texts) -> str:
    if value is None:
        return "–"
    if name in ("by", "of") and _KEY.fullmatch(str(value)):
        return f"{str(value)[:KEY_SHOWN]}…"
    if name in DAYS:
        return _day(str(value), tell)
    if name not in CODES or (name in ("why", "reason") and _is_typed(entry)):
        return str(value)
    if name == "deed" and f"audit.deed.{value}.of" in tell and (of := entry.params.get("of")):
        return tell(f"audit.deed.{value}.of", of=_value(entry, "of", of, tell))
    plain = " ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)
    plain = plain.lower() if isinstance(value, bool) else plain
    return (", " if name in ("found", "purposes", "roles") else " ").join(
        _word(name, word, tell) for word in plain.split()
    )


def _desk(entry: AuditRow) -> str:
    """A desk of a house: how its id begins, and whose it is."""
    desk, of = str(entry.params.get("desk") or "–"), entry.params.get("desk_of")
    return f"{desk[:DESK_SHOWN]} ({of})" if of else desk[:DESK_SHOWN]


def _refusal(entry: AuditRow, params: Mapping[str, str], tell: Texts) -> str:
    code = f"audit.refusal.{entry.params['why']}"
    if entry.params.get("role") is None and f"{code}.any" in tell:
        code = f"{code}.any"
    return tell(code, role=params.get("role", "–")) if code in tell else params["why"]


def _is_typed(entry: AuditRow) -> bool:
    """Data protection lifts a hold for a reason of its own, by their key, or in a house by name; a call for a code."""
    by_code = entry.params.get("why") == "undone" if "person" in entry.params else KEY not in entry.params
    return entry.event in TYPED or (entry.event == LIFTED and not by_code)


def _day(text: str, tell: Texts) -> str:
    try:
        return tell.day(date.fromisoformat(text))
    except ValueError:
        return text


def _word(name: str, value: str, tell: Texts) -> str:
    party = tell("audit.party")
    for code in (f"audit.{name}.{value}", f"purpose.{value}", f"reason.{value}.sub", f"audit.{value}"):
        if code in tell:
            said = tell(code, party=party, Party=party)
            return said if name in ("language", "roles") else said[:1].lower() + said[1:]
    return tell("audit.deed.other") if name == "deed" else value
