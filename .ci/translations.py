"""Compiles each catalog resources/translations/**/<catalog>.po to the .mo beside it, where it is newer."""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

for source in sorted(Path(__file__).parent.parent.glob("resources/translations/**/*.po")):
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        continue
    with source.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    # Whoever reads it meanwhile has the one before, whole.
    half = target.with_suffix(f".{os.getpid()}")
    with half.open("wb") as file:
        write_mo(file, catalog)
    half.replace(target)
