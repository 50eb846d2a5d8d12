"""Loaded last by the process that forks a house's services and commands: what it has read, none of them reads anew, nor looks
through for garbage."""

from __future__ import annotations

import gc

from softphone import bootstrap
from softphone.cli.command_line import build_parser
from softphone.domain.purpose import Language
from softphone.team.objects import Storage
from softphone.team.objects.client import Client

Client(Storage("none", "none", "none", "http://127.0.0.1:9")).close()
for language in Language:
    build_parser(bootstrap.texts(language))
gc.collect()
gc.freeze()
