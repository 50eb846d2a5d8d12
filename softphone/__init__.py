"""Klartone: a softphone that records only what it may, tells the party so, and shows why."""

__version__ = "0.1.0"
