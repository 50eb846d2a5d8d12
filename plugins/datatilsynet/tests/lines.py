"""Lines of every combination of bases, and a call's facts, for this plugin's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from softphone.domain.decision import Facts
from softphone.domain.policy import Controller, Line
from softphone.domain.purpose import Direction, Language

CONTROLLER = Controller.model_validate(
    {"name": "Nordlys El A/S", "page": "https://www.nordlys.dk/telefonsamtaler", "contact": "post@nordlys.dk"}
)
WHOLE = {
    "why": "Aftaler skal kunne dokumenteres",
    "G20": {
        "a": "Begge parter har gavn af, at det aftalte kan vises.",
        "b": "Næsten alle opkald ender med en aftale.",
        "c": "Aftalen kan ikke vises på anden måde.",
    },
    "G21": {"d": "nuancer"},
    "conclusion": "Behovet er der.",
}


def line(documentation: str | None = None, training: str | None = None, **more: Any) -> Line:
    """`documentation`: a basis, or `unfinished` for interest without a whole assessment. `training`: a basis, `special`
    for special circumstances, or `call_back` for interest with that opt-out. `more`: keys of the line itself."""
    table: dict[str, Any] = {"id": "salg", "name": "Salg", **more}
    if documentation == "unfinished":
        table["documentation"] = {"basis": "legitimate_interest", "assessment": WHOLE | {"G21": {}}}
    elif documentation is not None:
        table["documentation"] = {"basis": documentation, "retention": "P3M", "assessment": WHOLE}
    if training is not None:
        basis = "legitimate_interest" if training in ("special", "call_back") else training
        described: dict[str, Any] = {
            "basis": basis,
            "sample": "10 %",
            "why_this_number": "Så mange gennemgås hver uge.",
        }
        if training == "special":
            described["special_circumstances"] = {
                "why": "Liv og helbred",
                "decided_on": "2026-01-15",
                "expires_on": "2027-01-14",
            }
        if training == "call_back":
            described["opt_out"] = "call_back"
        table["training"] = described
    return Line.model_validate(table)


def facts(
    direction: Direction = Direction.INBOUND, number: str | None = "+4520123456", declined_earlier: bool = False
) -> Facts:
    return Facts("salg", direction, number, Language.DA, declined_earlier, datetime(2026, 11, 25, tzinfo=UTC))
