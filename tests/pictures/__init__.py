"""Pictures of the desk in every state it can reach now, of snapshots that a real engine sent in real calls. Not a test."""

from importlib import import_module

import_module("pydantic.fields")  # PySide's import hook reads what comes after it, and stumbles over this half loaded
