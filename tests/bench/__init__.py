"""Measures of speed and size, all on this machine and by the real processes. Never a test: nothing here passes or fails."""
