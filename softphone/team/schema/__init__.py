"""The house's database: its tables, the rights on them, and the functions that alone write. `HEAD` is the newest revision."""

HEAD = "0030"
SCHEMA = "klartone"
OWNER, RULES = "klartone_owner", "klartone_rules"
"""own the tables, and the functions; nobody signs in as either"""
SERVICE, SIGN_IN, SWEEPER, MIGRATOR = "klartone_service", "klartone_signin", "klartone_sweeper", "klartone_migrator"
"""the logins; each may no more than its part of the program does"""
LOGINS = (SERVICE, SIGN_IN, SWEEPER, MIGRATOR)
