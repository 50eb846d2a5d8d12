#!/usr/bin/env python
"""Writes docs/team-api.json, the description of the team's API (OpenAPI), from its routes."""

from __future__ import annotations

import json
from pathlib import Path

from softphone.team.api.app import description

at = Path(__file__).resolve().parent.parent / "docs" / "team-api.json"
at.write_text(json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
