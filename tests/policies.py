"""A whole, sound policy for tests to use as it is or to spoil, and a notice of one second. Not a fixture of any one layer."""

from __future__ import annotations

import math
import struct
import tomllib
import wave
from datetime import UTC, datetime
from pathlib import Path

from softphone.domain.policy import LoadedPolicy, key_lines, policy_from

KEYS = {
    "documentation": "O6ofWFVOZjqGv8iPgjdkf0+AmRJ6lJQ8ZGGu60ZaXD4=",
    "training": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
    "custody": "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
}

POLICY = f"""\
version = 1
time_zone = "Europe/Copenhagen"
employees_informed_on = 2020-10-01

[controller]
name = "Nordlys El A/S"
page = "https://nordlys.example/telefonsamtaler"
contact = "databeskyttelse@nordlys.example"

[[recipient]]
id = "case-1"
purpose = "documentation"
public_key = "{KEYS["documentation"]}"

[[recipient]]
id = "lead-1"
purpose = "training"
public_key = "{KEYS["training"]}"

[[recipient]]
id = "protection-1"
purpose = "custody"
public_key = "{KEYS["custody"]}"

[[line]]
id = "salg"
name = {{ da = "Salgslinjen", en = "Sales line" }}
numbers = ["+4570102030", "+4570102031"]

[line.documentation]
why_kept = "Indsigelser kommer inden for tre måneder."
basis = "legitimate_interest"
retention = "P3M"

[line.documentation.assessment]
why = {{ da = "Aftaler skal kunne dokumenteres", en = "We must be able to document agreements" }}
G20 = {{ a = "Begge parter har gavn af, at det aftalte kan vises.", b = "Næsten alle opkald ender med en aftale.", c = "Aftalen kan ikke vises på anden måde." }}
G21 = {{ a = "notater viser ikke, hvad der blev lovet", d = "nuancer afgør, hvad der er aftalt" }}
conclusion = "Behovet er der."

[line.training]
basis = "legitimate_interest"
retention = "P3M"
sample = "10 %"
capacity = 20
why_this_number = "Så mange gennemgås hver uge."
why_kept = "Til opfølgningen."
opt_out = "stop"

[[line]]
id = "support"
name = "Support"
numbers = ["+4570102040"]

[line.documentation]
basis = "legal_obligation"
retention = "P5Y"
rule = "Lov om prøver, § 1"
"""  # noqa: E501


NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def policy_of(text: str = POLICY, path: str = "", now: datetime = NOW) -> LoadedPolicy:
    """As it is read at `now`: some of its dates have passed by then."""
    return policy_from(tomllib.loads(text), key_lines(text), now, path)


def line_of_text(text: str, part: str) -> int:
    """The line on which `part` stands, from 1."""
    return text[: text.index(part)].count("\n") + 1


def write_notice(path: Path, seconds: float = 1.0, rate: int = 16_000) -> Path:
    """A short sound to stand for a recorded notice: two tones, told apart by ear and by a test."""
    samples = (
        round(9000 * math.sin(2 * math.pi * (440 if n < seconds * rate / 2 else 660) * n / rate))
        for n in range(round(seconds * rate))
    )
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path
