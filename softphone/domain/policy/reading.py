"""From a policy file's contents to a `Policy`, or to every fault in it at once, each with its line and key.

Takes plain data and the lines of its keys; who reads the file is `system.policy_file`.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from softphone.domain.decision import NoticeId
from softphone.domain.errors import Param
from softphone.domain.policy import checks
from softphone.domain.policy.calls import day_of
from softphone.domain.policy.confirming import ABOUT_CONFIRMATIONS, SHORT, as_word, doubt_hash
from softphone.domain.policy.doubts import doubts
from softphone.domain.policy.faults import (
    KeyPath,
    NamedSound,
    PolicyError,
    PolicyFault,
    in_file_order,
    line_of,
    spelled,
)
from softphone.domain.policy.fields import LocalText, PolicyPart
from softphone.domain.policy.model import (
    Confirmed,
    Controller,
    House,
    Line,
    Outbound,
    Policy,
    Recipient,
    ScoreItem,
    SoundFile,
    Team,
    Upstream,
    Wording,
)
from softphone.domain.policy.purposes import (
    Assessment,
    CategoriesGrounds,
    Documentation,
    DocumentedCategories,
    Factors,
    Need,
    NumbersGround,
    NumbersGrounds,
    Sensitive,
    SpecialCircumstances,
    Training,
)
from softphone.domain.purpose import Language

_TABLES: Mapping[str, type[PolicyPart]] = {
    "": Policy,
    "controller": Controller,
    "house": House,
    "upstream": Upstream,
    "recipient": Recipient,
    "team": Team,
    "score": ScoreItem,
    "confirmed": Confirmed,
    "line": Line,
    "outbound": Outbound,
    "sensitive": Sensitive,
    "documentation": Documentation,
    "training": Training,
    "special_circumstances": SpecialCircumstances,
    "assessment": Assessment,
    "G20": Need,
    "G21": Factors,
    "cpr_ground": NumbersGrounds,
    "special_categories_ground": CategoriesGrounds,
}
_GROUNDS: Mapping[str, type[PolicyPart]] = {
    "cpr_ground": NumbersGround,
    "special_categories_ground": DocumentedCategories,
}
_WANTED = {
    "string_type": "text",
    "int_type": "number",
    "int_from_float": "number",
    "bool_type": "yes_no",
    "tuple_type": "list",
    "mapping_type": "table",
    "dict_type": "table",
    "model_type": "table",
    "model_attributes_type": "table",
    "is_instance_of": "text",
}
_OWN = frozenset(
    {"period", "period_of_days", "share", "number", "short_number", "public_key", "signing_key"}
    | {"keys", "time_zone"}
    | {"page", "page_spoken", "page_front", "day", "host", "address", "mark"}
)
_PATTERNS = {"language_key": "one_key", "hash": "hash"}
"""any other value of the wrong form is an id"""

_NESTED = 5
"""tables within tables, at most: a part can be pruned so often before it is empty"""

_RESTS_ON = {"no_hosts": "upstream", "not_informed": "employees_informed_on"}
"""doubts about a line that may come from something at the top that could not be read"""

Part = TypeVar("Part", bound=PolicyPart)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that can be used. `remarks` are not faults: a person should know them (G22)."""

    policy: Policy
    remarks: tuple[PolicyFault, ...]
    lines: Mapping[KeyPath, int]
    """where each key stands in the file"""
    path: str = ""
    sha256: str = ""
    """of the file's bytes, in hexadecimal; empty for a policy that came from no file"""
    places: tuple[int, ...] = ()
    """the file's index (from 0) of each of the policy's lines, where some were left out; empty: all are there"""

    def with_remarks(self, *more: PolicyFault) -> LoadedPolicy:
        """With what was found later, in its notices."""
        return replace(self, remarks=in_file_order([*self.remarks, *more]))

    def without(self, lines: Collection[int]) -> LoadedPolicy:
        """Without these of the file's lines, counted from 0, so that the others can be judged."""
        places = self.places or tuple(range(len(self.policy.line)))
        kept = [n for n, place in enumerate(places) if place not in lines]
        policy = self.policy.model_copy(update={"line": tuple(self.policy.line[n] for n in kept)})
        return replace(self, policy=policy, places=tuple(places[n] for n in kept))

    def in_file(self, path: KeyPath) -> KeyPath:
        """A path of this policy, as the file counts its lines."""
        if self.places and len(path) > 1 and path[0] == "line" and isinstance(path[1], int):
            return ("line", self.places[path[1]], *path[2:])
        return path


class PolicyPartlyRead(PolicyError):  # noqa: N818 - as it is said
    """A policy with faults of which some lines could be read whole.

    `readable` holds them and their doubts. They are judged with the rest and never used in a call.
    """

    def __init__(
        self, faults: Sequence[PolicyFault], readable: LoadedPolicy, sounds: Sequence[NamedSound] = ()
    ) -> None:
        super().__init__(faults, sounds=sounds)
        self.readable = readable


def policy_from(
    data: Mapping[str, Any], lines: Mapping[KeyPath, int], now: datetime, path: str = "", sha256: str = ""
) -> LoadedPolicy:
    """Validate the file's contents. `now` (aware) tells which dates have passed.

    Raises PolicyError with every fault found; PolicyPartlyRead if some lines could be read whole all the same.
    """
    findings: list[checks.Finding] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        findings += [_finding(one, data) for one in error.errors(include_url=False)]
    reported = {finding.path for finding in findings}
    findings += [finding for finding in _cross_checks(data) if finding.path not in reported]
    findings = [one for one in findings if not (one.code == "no_entry" and _within(one.path, findings))]
    meant = {(*finding.path[:-1], finding.params["near"]) for finding in findings if "near" in finding.params}
    findings = [finding for finding in findings if finding.path not in meant]
    if findings or policy is None:
        faults = [_fault(finding, lines) for finding in findings]
        part = _readable(data, [finding.path for finding in findings])
        sounds = _sounds(data, lines, but=part[1] if part else ())
        if part is None:
            raise PolicyError(faults, sounds=sounds)
        loaded = LoadedPolicy(part[0], (), lines, path, sha256, part[1])
        raise PolicyPartlyRead(faults, _doubted(loaded, now, [finding.path for finding in findings]), sounds)
    loaded = _doubted(LoadedPolicy(policy, (), lines, path, sha256), now)
    if unconfirmed := _unconfirmed(loaded):
        raise PolicyPartlyRead(unconfirmed, loaded)
    return loaded


def _doubted(loaded: LoadedPolicy, now: datetime, faulty: Sequence[KeyPath] = ()) -> LoadedPolicy:
    """With its doubts, except those that a fault may have caused."""

    def is_fault(finding: checks.Finding) -> bool:
        path = loaded.in_file(finding.path)
        rests_on = _RESTS_ON.get(finding.code, "") if faulty else ""
        return any(path[: len(one)] == one or one[: len(path)] == path or one[:1] == (rests_on,) for one in faulty)

    found = [one for one in doubts(loaded.policy, day_of(loaded.policy, now)) if not is_fault(one)]
    return loaded.with_remarks(*(_confirmable(loaded, one) for one in found))


def _confirmable(loaded: LoadedPolicy, doubt: checks.Finding) -> PolicyFault:
    """A doubt, with who has confirmed it and when."""
    warning = warning_at(loaded, doubt.path, doubt.code, **doubt.params)
    if doubt.code in ABOUT_CONFIRMATIONS:
        return warning
    hash_ = doubt_hash(loaded.policy, doubt)
    one = next((one for one in loaded.policy.confirmed if one.hash == hash_), None)
    return replace(warning, hash=hash_, by=one.by if one else "", on=one.on if one else None)


def _unconfirmed(loaded: LoadedPolicy) -> list[PolicyFault]:
    """Faults until a person has confirmed them: the law obliges to record before employees are told (L1)."""
    code = "policy.fault.informed_unconfirmed"
    return [
        replace(one, code=code, params={**one.params, "hash": one.hash[:SHORT], "path": as_word(loaded.path)})
        for one in loaded.remarks
        if one.code == "policy.warning.informed_obliged" and not one.by
    ]


def fault_at(loaded: LoadedPolicy, path: KeyPath, code: str, /, **params: Param) -> PolicyFault:
    """A fault found later, in a sound file that the policy names."""
    return _fault(checks.Finding(loaded.in_file(path), code, params), loaded.lines)


def warning_at(loaded: LoadedPolicy, path: KeyPath, code: str, /, **params: Param) -> PolicyFault:
    """A doubt found later, in what the policy comes to (a notice's length)."""
    return _fault(checks.Finding(loaded.in_file(path), code, params), loaded.lines, "warning")


def unsigned_sounds(loaded: LoadedPolicy) -> list[PolicyFault]:
    """Recorded notices without a hash. Where a policy must be signed, the voice speaks them: no signature covers their files."""
    return [
        warning_at(
            *(loaded, ("line", n, "sound", notice.value, language.value), "sound_unsigned"),
            line=line.id,
            notice=notice.value,
            language=language.value,
            path=named.file,
        )
        for n, line in enumerate(loaded.policy.line)
        for notice, files in line.sound.items()
        for language, named in files.items()
        if named.hash is None
    ]


def _fault(finding: checks.Finding, lines: Mapping[KeyPath, int], kind: str = "fault") -> PolicyFault:
    return PolicyFault(
        line_of(lines, finding.path), spelled(finding.path), f"policy.{kind}.{finding.code}", finding.params
    )


def _within(path: KeyPath, findings: Sequence[checks.Finding]) -> bool:
    """Whether a fault lies deeper: a list whose entries are faulty is not empty."""
    return any(len(one.path) > len(path) and one.path[: len(path)] == path for one in findings)


def _as_written(path: KeyPath, data: Mapping[str, Any]) -> KeyPath:
    """One controller may be a section of its own: then nothing in it is an entry of a list."""
    alone = path[:2] == ("controller", 0) and isinstance(data.get("controller"), dict)
    return ("controller", *path[2:]) if alone else path


def _finding(error: ErrorDetails, data: Mapping[str, Any]) -> checks.Finding:
    path = _as_written(tuple(part for part in error["loc"] if part != "[key]"), data)
    kind = error["type"]
    context = error.get("ctx", {})
    key = spelled(path[-1:]).strip("[]")
    if kind == "missing":
        return _missing(path, key)
    if kind == "extra_forbidden":
        return _unknown_key(path, key)
    if kind in ("enum", "literal_error"):
        if path[-2:] == ("training", "basis") and error["input"] == "legal_obligation":
            return checks.Finding(path, "obligation_training")
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        allowed = re.sub(r"<[\w.]+: ([^>]*)>", r"\1", allowed)  # an enum's member, as the file has it
        return checks.Finding(path, "not_one_of", {"value": str(error["input"])[:60], "allowed": allowed})
    if kind in ("greater_than_equal", "less_than_equal"):
        if key in ("capacity", "points"):
            return checks.Finding(path, key, {"value": str(error["input"])[:60]})
        return checks.Finding(path, "not_one_of", {"value": str(error["input"])[:60], "allowed": "0, 1"})
    if kind == "string_too_short":
        return checks.Finding(path, "empty", {"name": key})
    if kind == "string_too_long":
        return checks.Finding(path, "too_long", {"most": int(context.get("max_length", 0))})
    if kind == "string_pattern_mismatch":
        return checks.Finding(path, _PATTERNS.get(key, "id"), {"value": str(error["input"])[:60]})
    if kind == "too_short":
        return checks.Finding(path, "no_entry", {"name": key})
    if kind in _OWN:
        return checks.Finding(path, kind, {name: str(value) for name, value in context.items()})
    return checks.Finding(path, f"wanted_{_WANTED.get(kind, 'other')}", {"name": key})


def _missing(path: KeyPath, key: str) -> checks.Finding:
    """A key that the whole file lacks has no line."""
    if len(path) > 1:
        return checks.Finding(path, "missing", {"name": key})
    if key not in _TABLES:
        return checks.Finding(path, "missing_at_top", {"name": key})
    return checks.Finding(path, "missing_section", {"section": "[controller]" if key == "controller" else f"[[{key}]]"})


def _unknown_key(path: KeyPath, key: str) -> checks.Finding:
    names = [part for part in path[:-1] if isinstance(part, str)]
    table = names[-1] if names else ""
    other = Wording if "wording" in names else SoundFile if "sound" in names else LocalText
    ground = _GROUNDS.get(names[-2]) if len(names) > 1 else None
    known = list((ground or _TABLES.get(table, other)).model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return checks.Finding(path, "unknown_key_near", {"name": key[:60], "near": near[0]})
    return checks.Finding(path, "unknown_key", {"name": key[:60], "known": ", ".join(known)})


def _cross_checks(data: Mapping[str, Any]) -> list[checks.Finding]:
    """The checks between values, on all that can be read, so that one fault does not hide another."""
    lines = _parts(Line, data, "line")
    recipients = _parts(Recipient, data, "recipient")
    owners = _parts(Controller, data, "controller")
    teams = _parts(Team, data, "team")
    scores = _parts(ScoreItem, data, "score")
    kinds = {"line": lines, "recipient": recipients, "controller": owners, "team": teams, "score": scores}
    findings = checks.doubles(lines, kinds)
    findings += checks.lengths(data)
    findings += checks.controllers(lines, owners)
    findings += checks.authorities(lines, owners)
    findings += checks.teams(teams, lines, recipients)
    findings += checks.exchanges(lines, teams)
    findings += checks.scores(scores, teams)
    for path, line, raw in lines:
        findings += _of_a_line(path, line, raw)
    if all(part is not None for _, part, _ in recipients):
        findings += checks.openers(data, lines, recipients)
    return findings


def _readable(data: Mapping[str, Any], faulty: Sequence[KeyPath]) -> tuple[Policy, tuple[int, ...]] | None:
    """The lines and their controllers that could be read whole, the lines' indexes, and whatever else could be read. None if
    there are none."""
    owners = [owner for _, _, raw in _parts(Controller, data, "controller") if (owner := _whole(Controller, raw))]
    several = isinstance(data.get("controller"), list) and len(data["controller"]) > 1
    there = {owner.id if several else None for owner in owners}
    lines: list[Line] = []
    places: list[int] = []
    for path, _, raw in _parts(Line, data, "line"):
        line = _whole(Line, raw)
        unsure = any(one[:2] == path and one[2:3] in (("wording",), ("controller",)) for one in faulty)
        if line is not None and not unsure and (line.controller if several else None) in there:
            lines.append(line)
            places.append(int(path[1]))
    confirmed = [one for _, _, raw in _parts(Confirmed, data, "confirmed") if (one := _whole(Confirmed, raw))]
    apart = {
        "version": 1,
        "controller": owners,
        "recipient": [],
        "team": [],
        "score": [],
        "line": lines,
        "confirmed": confirmed,
    }
    policy = _part(Policy, {**data, **apart}) if lines else None
    return (policy, tuple(places)) if policy is not None else None


def _sounds(data: Mapping[str, Any], lines: Mapping[KeyPath, int], *, but: Collection[int]) -> list[NamedSound]:
    """The sound files that the file's lines name, whatever else is wrong with them. `but`: lines that were read whole."""
    found: list[NamedSound] = []
    for path, _, raw in _parts(Line, data, "line"):
        for notice, by_language in _table(raw.get("sound")).items() if path[1] not in but else ():
            for language, given in _table(by_language).items():
                here = (*path, "sound", notice, language)
                if isinstance(file := _table(given).get("file", given), str):
                    found.append(NamedSound(line_of(lines, here), spelled(here), file))
    return found


def _whole(kind: type[Part], raw: Any) -> Part | None:
    try:
        return kind.model_validate(raw)
    except ValidationError:
        return None


def _of_a_line(path: KeyPath, line: Line | None, raw: Mapping[str, Any]) -> list[checks.Finding]:
    findings: list[checks.Finding] = []
    documentation = _part(Documentation, raw.get("documentation"))
    if documentation:
        given = "retention" in raw["documentation"]
        findings += checks.documentation((*path, "documentation"), documentation, given)
    training = _part(Training, raw.get("training"))
    if training:
        findings += checks.training((*path, "training"), training)
        special = training.special_circumstances
        if special is not None:
            findings += checks.special_circumstances((*path, "training", "special_circumstances"), special)
    sensitive = _part(Sensitive, raw.get("sensitive"))
    if sensitive:
        rescue = raw.get("emergency_service") is True
        findings += checks.sensitive((*path, "sensitive"), sensitive, documentation, training, rescue=rescue)
        worded = _table(raw.get("wording"))
        findings += checks.explicit_consent((*path, "sensitive"), sensitive, training, documentation, worded)
    if line is not None:
        findings += checks.times(path, line)
        findings += checks.marks(path, line)
    findings += checks.keys(path, raw.get("opt_out_key", "*9"), raw.get("language_key", ""))
    for notice, by_language in _table(raw.get("wording")).items():
        for language, words in _table(by_language).items():
            if notice in tuple(NoticeId) and language in tuple(Language) and isinstance(words, dict):
                findings += checks.wording(path, NoticeId(notice), Language(language), _table(words))
    return findings


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _parts(kind: type[Part], data: Mapping[str, Any], name: str) -> list[checks.Placed[Part]]:
    entries: Any = data.get(name)
    if name == "controller" and isinstance(entries, dict):  # one section for a list of one
        return [((name,), _part(kind, entries), cast("dict[str, Any]", entries))]
    if not isinstance(entries, list):
        return []
    placed: list[checks.Placed[Part]] = []
    for n, raw in enumerate(cast("list[Any]", entries)):
        table = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        placed.append(((name, n), _part(kind, table), table))
    return placed


def _part(kind: type[Part], raw: Any) -> Part | None:
    """The part as far as it can be read, without what is wrong in it. None if that leaves something necessary out."""
    if not isinstance(raw, dict):
        return None
    rest = copy.deepcopy(cast("dict[str, Any]", raw))
    for _ in range(_NESTED):
        try:
            return kind.model_validate(rest)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                path = tuple(step for step in one["loc"] if step != "[key]")
                # a table that lacks something goes as a whole
                _prune(rest, path[:-1] if one["type"] == "missing" else path)
    return None


def _prune(table: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        if isinstance(table, dict):
            table = cast("dict[Any, Any]", table).get(part)
        elif isinstance(table, list) and isinstance(part, int):
            # entries keep their places, so a faulty entry takes the whole list along
            cast("list[Any]", table).clear()
            return
    if isinstance(table, dict) and path:
        cast("dict[Any, Any]", table).pop(path[-1], None)
    elif isinstance(table, list):
        cast("list[Any]", table).clear()
