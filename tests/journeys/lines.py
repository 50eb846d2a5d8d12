"""The journeys' policy: one line for each notice, all of them with a recorded notice of one second unless it is to be spoken.

Text only: `policy_text` makes the file, `NUMBERS` says which number a line has.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

_HEAD = Template("""\
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
public_key = "$documentation_key"

[[recipient]]
id = "lead-1"
purpose = "training"
public_key = "$training_key"

[[recipient]]
id = "protection-1"
purpose = "custody"
public_key = "$custody_key"
""")

_LINE = Template("""
[[line]]
id = "$id"
name = { da = "Linje $id", en = "Line $id" }
numbers = ["$number"]
language = "$language"
answer_time = "PT2S"
repeat = 0
$sound
""")

_ASSESSMENT = """
[line.documentation.assessment]
why = { da = "Aftaler skal kunne dokumenteres", en = "We must be able to document agreements" }
G20 = { a = "Begge parter har gavn af det.", b = "Næsten alle opkald ender med en aftale.", c = "Aftalen er mundtlig." }
G21 = { a = "Notater viser ikke, hvad der blev lovet." }
conclusion = "Behovet kan ikke dækkes på anden måde."
"""

_DOCUMENTATION = {
    "interest": '\n[line.documentation]\nbasis = "legitimate_interest"\nretention = "P3M"\n' + _ASSESSMENT,
    "obligation": '\n[line.documentation]\nbasis = "legal_obligation"\nretention = "P5Y"\n',
    "consent": '\n[line.documentation]\nbasis = "consent"\nretention = "P3M"\n',
    "": "",
}

_TRAINING = Template("""
[line.training]
basis = "$basis"
retention = "P3M"
sample = "$sample"
why_this_number = "Alle opkald gennemgås."
$more
""")

_SPECIAL = """
[line.training.special_circumstances]
why = { da = "Vagten skal kunne redde liv", en = "The watch must be able to save lives" }
decided_on = 2026-01-01
expires_on = 2099-01-01
"""

_KINDS = {
    # as LINES has it: basis, and what more its section says
    "legitimate_interest": ("legitimate_interest", 'opt_out = "stop"'),
    "call_back": ("legitimate_interest", 'opt_out = "call_back"'),
    "special": ("legitimate_interest", _SPECIAL),
    "consent": ("consent", ""),
}

LINES: Mapping[str, tuple[str, str, str]] = {
    # documentation, training, sample
    "n1": ("interest", "", ""),
    "n1-obligation": ("obligation", "", ""),
    "n2": ("consent", "", ""),
    "n3": ("", "consent", "100 %"),
    "n4": ("", "legitimate_interest", "100 %"),
    "n6": ("interest", "consent", "100 %"),
    "n7": ("interest", "legitimate_interest", "100 %"),
    "n7-obligation": ("obligation", "legitimate_interest", "100 %"),
    "n2n3": ("consent", "consent", "100 %"),
    "not-drawn": ("", "legitimate_interest", "0 %"),
    "n4-call-back": ("", "call_back", "100 %"),
    "n5": ("", "special", "100 %"),
    "n8": ("interest", "special", "100 %"),
    "n2n4": ("consent", "legitimate_interest", "100 %"),
    "n2n5": ("consent", "special", "100 %"),
}
NUMBERS = {line: f"+4570102{index:03}" for index, line in enumerate(LINES)}

NOTICE_FILE = "notice.wav"
_NOTICES = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", '"N2+N3"', '"N2+N4"', '"N2+N5"')


def policy_text(
    keys: Mapping[str, str], *, lines: tuple[str, ...], spoken: bool, language: str, top: str = "", each: str = ""
) -> str:
    """`keys`: public keys (base64) by role. `spoken`: the voice speaks the notices; else they are `NOTICE_FILE`. `top`: tables
    beside the lines; `each`: what every line says beside."""
    files = f'{{ da = "{NOTICE_FILE}", en = "{NOTICE_FILE}" }}'
    sound = "" if spoken else "sound = { " + ", ".join(f"{notice} = {files}" for notice in _NOTICES) + " }"
    parts = [_HEAD.substitute({f"{role}_key": key for role, key in keys.items()}), f"{top}\n"]
    sound = f"{sound}\n{each}"
    for line in lines:
        documentation, training, sample = LINES[line]
        parts.append(_LINE.substitute(id=line, number=NUMBERS[line], language=language, sound=sound))
        parts.append(_DOCUMENTATION[documentation])
        if training:
            basis, more = _KINDS[training]
            parts.append(_TRAINING.substitute(basis=basis, sample=sample, more=more))
    return "".join(parts)
