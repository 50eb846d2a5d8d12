"""Plugins: found, run in a process of their own and asked with a time limit. The rulebook is one, and so is
each voice.

What a plugin answers is data. The rulebook's decision is checked against the policy before it counts.
"""
