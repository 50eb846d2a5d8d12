"""The house's database: its tables, the rights on them, and the functions that alone write. `HEAD`: the tables' newest step."""

import re

HEAD = "0032"
SERVES = "0.1.0"
"""the oldest version of the program whose functions are all still here: desks and services are updated one by one"""
SCHEMA = "klartone"
OWNER, RULES = "klartone_owner", "klartone_rules"
"""own the tables, and the functions; nobody signs in as either"""
SERVICE, SIGN_IN, SWEEPER, MIGRATOR = "klartone_service", "klartone_signin", "klartone_sweeper", "klartone_migrator"
"""the logins; each may no more than its part of the program does"""
LOGINS = (SERVICE, SIGN_IN, SWEEPER, MIGRATOR)


def release(version: str) -> tuple[int, ...]:
    """Of the program: what comes later is more."""
    return tuple(int(one) for one in re.findall(r"\d+", version)[:3])
