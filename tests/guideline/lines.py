"""The controller's line of a case, as its policy file would have it: pieces of TOML by name, put together to a whole file.

No rule is here. What a piece leads to is the tables' to say.
"""

from __future__ import annotations

from softphone.domain.policy import LoadedPolicy
from softphone.system.policy_file import parse_policy

HEAD = """\
version = 1
{policy}

[controller]
name = "Nordlys El A/S"
page = "{page}"
contact = "databeskyttelse@nordlys.dk"
authority = {authority}

[[recipient]]
id = "case-1"
purpose = "documentation"
public_key = "O6ofWFVOZjqGv8iPgjdkf0+AmRJ6lJQ8ZGGu60ZaXD4="

[[recipient]]
id = "lead-1"
purpose = "training"
public_key = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="

[[recipient]]
id = "protection-1"
purpose = "custody"
public_key = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="

[[line]]
id = "salg"
name = "{name}"
numbers = ["+4570102030"]
"""

ASSESSMENT = """
[line.documentation.assessment]
why = { da = "Aftaler skal kunne dokumenteres", en = "We must be able to document agreements" }
G20 = { a = "Vores interesse vejer tungest her.", b = "Næsten alle samtaler er aftaler.", c = "Et notat rækker ikke til at vise det." }
G21 = { d = "Nuancer afgør, hvad der er aftalt." }
conclusion = "Vi må optage uden samtykke."
"""  # noqa: E501

DOCUMENTATION = {
    "obligation": 'basis = "legal_obligation"\nretention = "P5Y"\nwhy_longer = "Loven siger fem år."',
    "interest": 'basis = "legitimate_interest"' + ASSESSMENT,
    "public task": 'basis = "public_task"' + ASSESSMENT,
    "consent": 'basis = "consent"',
    "interest, not assessed": 'basis = "legitimate_interest"',
}

_NUMBER = 'sample = "10 %"\nwhy_this_number = "Så mange når vi at gennemgå."\ncapacity = 20\n'

TRAINING = {
    "interest": 'basis = "legitimate_interest"\n' + _NUMBER,
    "public task": 'basis = "public_task"\n' + _NUMBER,
    "consent": 'basis = "consent"\n' + _NUMBER,
    "interest, calls back": 'basis = "legitimate_interest"\nopt_out = "call_back"\n' + _NUMBER,
    "special circumstances": 'basis = "legitimate_interest"\n'
    + _NUMBER
    + """
[line.training.special_circumstances]
why = { da = "Liv og helbred afhænger af det", en = "Lives depend on it" }
decided_on = 2026-01-02
expires_on = 2026-12-31
""",
}


PAGE = "https://nordlys.dk/telefonsamtaler"


def policy_text(documentation: str, training: str, line: str, policy: str, page: str) -> str:
    """Each purpose is the name of a piece above, or TOML of its own; empty: the line does not have it."""
    tasks = ("public task", 'basis = "public_task"')
    authority = str(any(one in f"{documentation} {training}" for one in tasks)).lower()
    name = "Alarmlinjen" if "emergency_service" in line else "Salgslinjen"
    text = HEAD.format(policy=policy, page=page, authority=authority, name=name)
    keys, _, tables = line.partition("\n[")
    text += keys + "\n"
    if documentation:
        text += f"\n[line.documentation]\n{DOCUMENTATION.get(documentation, documentation)}\n"
    if training:
        text += f"\n[line.training]\n{TRAINING.get(training, training)}\n"
    return text + (f"\n[{tables}" if tables else "")


def read(
    documentation: str = "",
    training: str = "",
    line: str = "",
    policy: str = "",
    *,
    page: str | None = None,
    informed: bool = True,
) -> LoadedPolicy:
    """By the reader that the program uses. PolicyError where the policy cannot be used. `informed`: the agents were told (L1)."""
    if informed:
        policy += "\nemployees_informed_on = 2026-01-02"
    return parse_policy(policy_text(documentation, training, line, policy, PAGE if page is None else page))
