"""Klartone inside another phone or exchange: its calls come as lines, and orders go back as lines.

The rules are the engine's own. Nothing here speaks SIP, plays a sound or keeps a recording: the other phone does.
"""
