"""`klartone policy …`, a file for each command."""
