"""How a notice may say what the guideline's table wants of it, in Danish and in English: what a listener would take it to mean.

Written from the guideline's own speaks and this program's, not from the code that judges a wording; it knows no notice.
"""

from __future__ import annotations

import re

from softphone.domain.purpose import Language

_SAID: dict[str, tuple[str, str]] = {
    "recorded": (r"\boptag(e|es|er|et)\b", r"\brecord(ed|ing|s)?\b"),
    "wish": (r"vil (også )?gerne|ønsker|\bmå vi\b", r"(would|we'd) (also )?like|wish|\bmay we\b"),
    "the law": (r"\bpligt\b|\bloven\b", r"\bthe law\b|\blegally\b"),
    "kept": (r"\bgemme(r|s)?\b|opbevare(r|s)?", r"\bkeep\b|\bkept\b|\bstore"),
    "documents": (r"\bdokumente(re|res)\b|som dokumentation", r"\bdocument(ation)?\b"),
    "happened": (r"\bhvad der (er )?sk(er|et)\b", r"\bhappen(s|ed)\b"),
    "said": (r"\bvi siger\b|\bsiges\b|\bsagt\b", r"\bwe say\b|\bsaid\b"),
    "agreements": (r"\baftale(r|s)?\b", r"\bagree(d|ments?)?\b"),
    "trains": (r"\buddan(ne|nelse)\b", r"\btrain(ing)?\b"),
    "staff": (r"medarbejdere|personale", r"\bstaff\b|employees"),
    "page": (r"nordlys\.dk/telefonsamtaler", r"nordlys\.dk/telefonsamtaler"),
    "object": (r"indsigelse", r"\bobject(ion)?\b"),
    "access": (r"\bindsigt\b", r"\baccess\b"),
    "press 1": (r"\btryk 1\b", r"\bpress 1\b"),
    "press 2": (r"\btryk 2\b", r"\bpress 2\b"),
    "withdraw at any time": (r"(siger du ja|et ja)[^.]* altid fortryde", r"(say yes|a yes)[^.]* at any time"),
    "then it is deleted": (r"så sletter vi|vil slette", r"we( will)? delete"),
    "deleted when no yes is left": (r"intet ja tilbage, sletter", r"delete it when no yes is left"),
    "then it is no longer used": (
        r"holder vi op med det|ikke længere",
        r"we stop (using|keeping) it for that|no longer",
    ),
    "then it is not used": (r"lader vi være|ikke blive brugt", r"we won't|it won't be|not be used"),
    "say so if you do not want it": (r"\bsig (bare )?til\b", r"\bsay so\b"),
    "it is stopped and deleted": (
        r"stopper vi og sletter det, vi har optaget",
        r"stop and delete what we have recorded",
    ),
    "called back without recording": (r"ringer tilbage uden at optage", r"call you back without recording"),
    # what must not be said where it is not so
    "deletion": (r"\bslet", r"\bdelet|\beras"),
    "opt-out": (
        r"\bsig (bare )?til\b|lader vi være|ikke vil (optages|have)|tryk [*#]",
        r"\bsay so\b|we won't|don't want|press [*#]",
    ),
}


def says(text: str, fact: str, language: Language) -> bool:
    """Whether a listener hears the fact in the text. KeyError for a fact that no table knows."""
    return re.search(_SAID[fact][list(Language).index(language)], text, re.IGNORECASE | re.DOTALL) is not None
