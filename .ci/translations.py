"""Compiles each catalog resources/translations/**/<catalog>.po to the .mo beside it, where it is newer."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

for source in sorted(Path(__file__).parent.parent.glob("resources/translations/**/*.po")):
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        continue
    with source.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    with target.open("wb") as file:
        write_mo(file, catalog)
