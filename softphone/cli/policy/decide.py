"""`klartone policy decide`: what the rulebook would choose for one call, from facts as JSON, in JSON."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StrictBool, ValidationError
from pydantic_core import PydanticCustomError

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import load_to_try, wanted_signer
from softphone.calls.numbers import e164, spellings
from softphone.cli.policy.asking import Asked, asked_rulebook
from softphone.domain.decision import Decision, Facts, PurposePlan, not_recorded
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Policy, exempt, language_for
from softphone.domain.purpose import Direction
from softphone.plugin.own import OwnNotices
from softphone.texts import Texts


def _in_every_zone(at: datetime) -> datetime:
    """At either end of the calendar there are zones in which a time has no date."""
    if not MINYEAR < at.year < MAXYEAR:
        raise ValueError(at.year)
    return at


def _number(written: str) -> str:
    """Digits as a telephone shows them, or an address at the exchange; empty if withheld."""
    if written.strip() and not re.fullmatch(r"[\d+*#\s().\-/]*\d[\d+*#\s().\-/]*|\S+@\S+", written.strip()):
        raise PydanticCustomError("number", "no number")
    return written


class GivenFacts(BaseModel):
    """The facts about a call. Only the line must be named; null: the call belongs to none."""

    model_config = ConfigDict(extra="forbid")

    line: str | None
    direction: Direction = Direction.INBOUND
    number: Annotated[str, AfterValidator(_number)] | None = None
    """as a telephone shows it, in any usual spelling; null: withheld"""
    drawn: StrictBool = False
    declined_earlier: StrictBool = False
    at: Annotated[AwareDatetime, AfterValidator(_in_every_zone)] | None = None
    """null: now"""


def policy_decide(arguments: argparse.Namespace) -> int:
    """`--json FACTS`, or `-` for stdin. One JSON object on stdout. Raises KlartoneError for invalid facts."""
    tell = texts(arguments.told_in)
    given = given_facts(_stdin() if arguments.json == "-" else arguments.json, tell)
    loaded = load_to_try(arguments, tell)
    policy = loaded.policy
    if given.line is not None and policy.line_named(given.line) is None:
        known = ", ".join(line.id for line in policy.line) or "–"
        raise KlartoneError("error.policy.no_such_line", value=given.line[:60], known=known)
    with asked_rulebook(Home.of(arguments)) as asked:
        own = asked.own(loaded, tell, signed=bool(wanted_signer(arguments)))
        decision = decided(asked, policy, own, given)
    print(json.dumps(as_json(decision), ensure_ascii=False))  # noqa: T201
    return 0


def given_facts(text: str, tell: Texts) -> GivenFacts:
    """Raises KlartoneError with all that is wrong, for invalid JSON or other facts than these."""
    try:
        return GivenFacts.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    if faults[0]["type"] == "json_invalid":
        raise KlartoneError("error.policy.facts_no_json")
    if not faults[0]["loc"]:
        raise KlartoneError("error.policy.facts_no_object")
    fields = dict.fromkeys(_fault(str(one["loc"][0]), one["type"], str(one["input"])[:60], tell) for one in faults)
    raise KlartoneError("error.policy.facts", faults=" ".join(fields))


def _fault(key: str, kind: str, value: str, tell: Texts) -> str:
    if kind == "extra_forbidden":
        return tell("policy.facts.unknown", key=key[:60], known=", ".join(GivenFacts.model_fields))
    if kind == "missing":
        return tell("policy.facts.missing", key=key)
    code = f"policy.facts.{key}"
    return tell(code if code in tell else "policy.facts.yes_no", key=key, value=value, allowed=", ".join(Direction))


def _stdin() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise KlartoneError("error.policy.facts_no_json") from None


def decided(asked: Asked, policy: Policy, own: OwnNotices, given: GivenFacts) -> Decision:
    """As in the engine: an exempt number, in any spelling, is not even asked about."""
    line = policy.line_named(given.line)
    written = given.number.strip() if given.number else ""
    number = e164(written) if written else None
    for spelling in (number, *spellings(written)):
        reason = exempt(policy, line, given.direction, spelling)
        if reason is not None:
            return not_recorded(reason)
    facts = Facts(
        given.line,
        given.direction,
        number,
        language_for(policy, line, number) if line else policy.notice_language,
        given.declined_earlier,
        (given.at or datetime.now(UTC)).astimezone(UTC),
    )
    return asked.decision(policy, own, facts, drawn=given.drawn)


def as_json(decision: Decision) -> dict[str, object]:
    def of(plan: PurposePlan) -> dict[str, str | None]:
        return {"state": plan.state.value, "basis": plan.basis.value if plan.basis else None}

    return {
        "documentation": of(decision.documentation),
        "training": of(decision.training),
        "notice": decision.notice.value if decision.notice else None,
        "how": decision.how.value,
        "reasons": [reason.value for reason in decision.reasons],
    }
