"""The pages of the doctor's codes, docs/it/fault-codes.md and its Danish one, made from the closed list of faults and the
sentences. `make settings` runs it.

    python .ci/fault_tables.py

`pages()` gives each file's text; a test holds the files to it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from softphone.cli.doctor.faults import THEMES  # noqa: E402
from softphone.domain.purpose import Language  # noqa: E402
from softphone.texts import Texts  # noqa: E402

DOCUMENTS = {Language.EN: Path("docs/it/fault-codes.md"), Language.DA: Path("docs/da/it/fault-codes.md")}
HEAD = {
    Language.EN: """# What `doctor` calls a fault

[Dansk](../da/it/fault-codes.md)

<!-- made by .ci/fault_tables.py from softphone/cli/doctor/faults.py -->

`klartone doctor` says each in the window's own words, `klartone doctor --json` with its code. A code stays the same over
versions and languages. `fail`: calls, or the recording that is due, do not work; the command ends with 1. `warn`: Klartone
works, but not as it should. What stands in `{…}` is filled in. Codes that begin with `doctor.` are the command's own. The
others stand in the window too, in the same words. Where the organisation has locked what is at fault, the place is named
instead of what to do.
""",
    Language.DA: """# Det, `doctor` kalder en fejl

[English](../../it/fault-codes.md)

<!-- made by .ci/fault_tables.py from softphone/cli/doctor/faults.py -->

`klartone doctor` siger dem med vinduets egne ord, `klartone doctor --json` med deres kode. En kode er den samme i alle
udgaver og på begge sprog. `fail`: Opkald, eller den optagelse, der skal ske, virker ikke; kommandoen slutter med 1. `warn`:
Klartone virker, men ikke som det skal. Det, der står i `{…}`, fyldes ud. Koder, der begynder med `doctor.`, er kommandoens
egne. De andre står også i vinduet med samme ord. Har organisationen låst det, der er galt, nævnes stedet i stedet for det,
der skal gøres.
""",
}
COLUMNS = {
    Language.EN: ("code", "status", "what it says", "what to do", "who"),
    Language.DA: ("kode", "status", "det siger den", "det skal gøres", "hvem"),
}
LOCKED_IN = "locked_in"
"""filled in only where the organisation has locked what is at fault: then another remedy stands there"""
HEADINGS = {
    "account": {Language.EN: "The account and its server", Language.DA: "Kontoen og dens server"},
    "network": {Language.EN: "The network", Language.DA: "Netværket"},
    "phone": {Language.EN: "The phone that runs", Language.DA: "Den telefon, der kører"},
    "folders": {Language.EN: "Folders", Language.DA: "Mapper"},
    "archive": {Language.EN: "The archive and its backup", Language.DA: "Arkivet og sikkerhedskopien"},
    "house": {Language.EN: "Your organisation's archive", Language.DA: "Organisationens arkiv"},
    "clock": {Language.EN: "The clock and the screen", Language.DA: "Uret og skærmen"},
    "sound": {Language.EN: "Sound", Language.DA: "Lyd"},
    "keys": {Language.EN: "Keys", Language.DA: "Nøgler"},
    "policy": {Language.EN: "The policy and the plugins", Language.DA: "Reglerne og tilføjelserne"},
    "settings": {Language.EN: "Settings", Language.DA: "Indstillinger"},
    "program": {Language.EN: "The program itself", Language.DA: "Programmet selv"},
}


def pages(root: Path = ROOT) -> dict[Path, str]:
    """By the file's place in the project."""
    folder = root / "resources" / "translations"
    names = {
        name for po in folder.glob("*/*.po") for name in re.findall(r"(?<!\{)\{(\w+)\}", po.read_text(encoding="utf-8"))
    }
    unfilled = {name: f"{{{name}}}" for name in names - {LOCKED_IN}}
    return {path: _page(Texts(folder, language), unfilled) for language, path in DOCUMENTS.items()}


def _page(texts: Texts, unfilled: dict[str, str]) -> str:
    columns = COLUMNS[texts.language]
    out = [HEAD[texts.language]]
    for theme, faults in THEMES.items():
        out += [f"## {HEADINGS[theme][texts.language]}", ""]
        out += [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
        for code, fault in faults.items():
            what, remedy = (one.replace("|", "\\|") for one in texts.halves(code, **unfilled))
            out.append(f"| `{code}` | {fault.status} | {what} | {remedy} | {texts(f'doctor.by.{fault.by}')} |")
        out.append("")
    return "\n".join(out)


def main() -> int:
    for path, text in pages().items():
        (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
