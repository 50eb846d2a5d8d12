"""`klartone team`: the house's service and its people. What `klartone[team]` brings is imported in these modules alone."""
