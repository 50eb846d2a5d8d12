"""The house's archive: one address for many desks. A package of its own, with `klartone[team]`; no desk's program imports it."""
