"""A whole house on one machine: `make team-demo` tells its day as a story, and a journey proves it. All of it is real."""

from importlib import import_module

import_module("pydantic.fields")  # PySide's import hook reads what comes after it, and stumbles over this half loaded
