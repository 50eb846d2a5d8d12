"""What is wrong with a settings file: all of it, each with its line, its key and what to write."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter, ValidationError

from softphone.domain.policy import KeyPath, PolicyFault, key_lines
from softphone.domain.policy.faults import in_file_order, line_of, spelled
from softphone.system.settings_machine import TABLES
from softphone.system.settings_schema import ACCOUNT_SCHEMA, SETTINGS, Scope, Wrong, doubts_of, machine_doubts
from softphone.system.toml import broken
from softphone.wire.snapshot import Account, Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from softphone.domain.errors import Param

_WANTED = {
    "string_type": "text",
    "int_type": "number",
    "int_parsing": "number",
    "int_from_float": "number",
    "bool_type": "yes_no",
    "bool_parsing": "yes_no",
    "tuple_type": "list",
    "dataclass_type": "table",
}


def faults_of(text: str | None, error: ValueError | RecursionError | None) -> tuple[PolicyFault, ...]:
    """`text`: None if it is not text; `error`: its reader's message. In the order of the file."""
    if text is None:
        return (PolicyFault(1, "", "settings.fault.binary"),)
    if isinstance(error, tomllib.TOMLDecodeError):
        return (broken(text, str(error)),)
    if not isinstance(error, ValidationError):
        # tomllib does not survive thousands of brackets, or of digits.
        return (PolicyFault(1, "", "policy.fault.broken_somewhere"),)
    return in_file_order(own_faults(tomllib.loads(text), lines_of(text)))


def doubts_in(text: str) -> tuple[PolicyFault, ...]:
    """As `faults_of`, of a user's file that can be read: what cannot be used in it."""
    return in_file_order(own_faults(tomllib.loads(text), lines_of(text)))


def lines_of(text: str) -> dict[KeyPath, int]:
    """Key path -> line; empty for what no scanner survives."""
    try:
        return key_lines(text)
    except RecursionError:
        return {}


def unknown(path: KeyPath, lines: Mapping[KeyPath, int], known: Sequence[str]) -> PolicyFault:
    name = str(path[-1])[:60]
    near = difflib.get_close_matches(name, known, n=1)
    code = "unknown_key_near" if near else "unknown_key"
    params: Mapping[str, Param] = {"name": name, "near": near[0]} if near else {"name": name, "known": ", ".join(known)}
    return PolicyFault(line_of(lines, path), spelled(path), f"policy.fault.{code}", params)


@dataclass(slots=True)
class Usable:
    """Of a table: what can be used of it, and what is wrong with the rest."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    faults: list[PolicyFault] = field(default_factory=list[PolicyFault])
    faulty: set[str] = field(default_factory=set[str])
    """keys of which nothing can be used"""


def usable(table: Mapping[str, Any], at: KeyPath, lines: Mapping[KeyPath, int]) -> Usable:
    """Of one of an organisation's tables, which stands `at` this place of its file."""
    found = Usable()
    known = [key for key, one in SETTINGS.items() if one.scope is not Scope.USER]

    def wrong(key: str, path: KeyPath, code: str, params: Mapping[str, Param]) -> None:
        found.faults.append(PolicyFault(line_of(lines, (*at, *path)), spelled((*at, *path)), code, params))
        found.faulty.add(key)

    for key, raw in table.items():
        setting = SETTINGS.get(key)
        if setting is None:
            found.faults.append(unknown((*at, key), lines, known))
            found.faulty.add(key)
        elif setting.scope is Scope.USER:
            wrong(key, (key,), "settings.fault.user_only", {"name": key})
        elif key == "accounts" and isinstance(raw, list | tuple):
            whole, faults = _accounts(cast("list[Any]", raw), at, lines, machine_doubts)
            found.values[key] = tuple(whole.values())
            found.faults += faults
        else:
            value, faults = _value(key, raw, at, lines)
            found.faults += faults
            if faults:
                found.faulty.add(key)
                continue
            for path, code, params in machine_doubts({key: value}):
                wrong(key, path, code, params)
            if key not in found.faulty:
                found.values[key] = value
    found.faults = list(in_file_order(found.faults))
    return found


def own_faults(table: Mapping[str, Any], lines: Mapping[KeyPath, int]) -> list[PolicyFault]:
    """Of a user's file: its shape and its values in one round."""
    faults: list[PolicyFault] = []
    known = [key for key, one in SETTINGS.items() if one.scope is not Scope.MACHINE]
    for key, raw in table.items():
        setting = SETTINGS.get(key)
        if key in TABLES:
            faults.append(PolicyFault(line_of(lines, (key,)), key, "settings.fault.machine_table", {"name": key}))
        elif setting is None:
            faults.append(unknown((key,), lines, known))
        elif setting.scope is Scope.MACHINE:
            faults.append(PolicyFault(line_of(lines, (key,)), key, "settings.fault.machine_only", {"name": key}))
        elif key == "accounts" and isinstance(raw, list):
            faults += _accounts(cast("list[Any]", raw), (), lines, doubts_of)[1]
        else:
            value, wrong = _value(key, raw, (), lines)
            faults += wrong
            if not wrong:
                faults += [_doubt((), lines, *one) for one in doubts_of({key: value})]
    return faults


def _accounts(
    raw: Sequence[Any], at: KeyPath, lines: Mapping[KeyPath, int], doubts: Callable[[Mapping[str, Any]], Wrong]
) -> tuple[dict[int, Account], list[PolicyFault]]:
    """Those that can be used, by their place in the list, and what is wrong with the others."""
    whole: dict[int, Account] = {}
    faults: list[PolicyFault] = []
    for n, one in enumerate(raw):
        value, wrong = _value("accounts", [one], at, lines, n)
        faults += wrong
        if not wrong:
            whole[n] = value[0]
    places = list(whole)
    for path, code, params in list(doubts({"accounts": tuple(whole.values())})):
        where = path
        if len(path) > 1:
            n = places[int(path[1])]
            where = (path[0], n, *path[2:])
            whole.pop(n, None)
        faults.append(_doubt(at, lines, where, code, params))
    return whole, faults


def _value(
    key: str, raw: Any, at: KeyPath, lines: Mapping[KeyPath, int], place: int | None = None
) -> tuple[Any, list[PolicyFault]]:
    """`place`: of the one account in `raw`."""
    try:
        return getattr(TypeAdapter(Settings).validate_python({key: raw}), key), []
    except ValidationError as error:
        return None, [_fault(one, at, lines, place) for one in error.errors(include_url=False)]


def _doubt(
    at: KeyPath, lines: Mapping[KeyPath, int], path: KeyPath, code: str, params: Mapping[str, Param]
) -> PolicyFault:
    return PolicyFault(line_of(lines, (*at, *path)), spelled((*at, *path)), code, params)


def _fault(error: ErrorDetails, at: KeyPath, lines: Mapping[KeyPath, int], place: int | None) -> PolicyFault:
    path: KeyPath = error["loc"]
    if place is not None:
        path = (path[0], place, *path[2:])
    path = (*at, *path)
    name, kind = str(path[-1])[:60] if path else "", error["type"]
    params: Mapping[str, Param] = {"name": name}
    match kind:
        case "unexpected_keyword_argument":
            return unknown(path, lines, _known(path))
        case "enum" | "literal_error":
            context: dict[str, Any] = error.get("ctx", {})
            allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
            code, params = "not_one_of", {"value": str(error["input"])[:60], "allowed": allowed}
        case "missing" | "missing_argument":
            code = "missing"
        case _:
            code = f"wanted_{_WANTED.get(kind, 'other')}"
    return PolicyFault(line_of(lines, path), spelled(path), f"policy.fault.{code}", params)


def _known(path: Iterable[str | int]) -> list[str]:
    return [one.key for one in ACCOUNT_SCHEMA] if "accounts" in path else list(SETTINGS)
