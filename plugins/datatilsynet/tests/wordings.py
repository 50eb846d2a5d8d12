"""Own wordings as companies write them, and what the check shows beside each: written from the guideline's table, not from the check.

What is refused is structural; all else is a doubt, and every one of them waits for a person all the same.
"""  # noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugins.datatilsynet.tests.lines import line
from softphone.domain.decision import NoticeId
from softphone.domain.policy import Line
from softphone.domain.policy.model import Wording
from softphone.domain.purpose import Language

DA, EN = Language.DA, Language.EN
INTEREST, OBLIGATION, CONSENT = "legitimate_interest", "legal_obligation", "consent"

BASES: dict[str, tuple[str | None, str | None]] = {
    "N1": (INTEREST, None),
    "N1 obligation": (OBLIGATION, None),
    "N2": (CONSENT, None),
    "N3": (None, CONSENT),
    "N4": (None, INTEREST),
    "N4 call-back": (None, "call_back"),
    "N5": (None, "special"),
    "N6": (INTEREST, CONSENT),
    "N6 obligation": (OBLIGATION, CONSENT),
    "N7": (INTEREST, INTEREST),
    "N7 obligation": (OBLIGATION, INTEREST),
    "N8": (INTEREST, "special"),
    "N8 obligation": (OBLIGATION, "special"),
    "N2+N3": (CONSENT, CONSENT),
    "N2+N4": (CONSENT, INTEREST),
    "N2+N5": (CONSENT, "special"),
}


@dataclass(frozen=True)
class Own:
    """A wording on a line of these bases; `missing` and `forbidden` refuse it, `unsure` is shown to who confirms it."""

    bases: str
    language: Language
    essentials: str
    facts: str | None = None
    question: str | None = None
    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    more: tuple[tuple[str, Any], ...] = (("opt_out_key", ""),)
    """of the line"""

    @property
    def notice(self) -> NoticeId:
        return NoticeId(self.bases.partition(" ")[0])

    @property
    def line(self) -> Line:
        documentation, training = BASES[self.bases]
        return line(documentation, training, **dict(self.more))

    @property
    def wording(self) -> Wording:
        return Wording(essentials=self.essentials, facts=self.facts, question=self.question)


KEYED = (("opt_out_key", "*9"),)
DOCUMENT = "Vi optager og gemmer samtalen for at dokumentere, hvad der sker, og hvad vi siger og aftaler."
DOCUMENT_EN = "We record and keep this call to document what happens and what we say and agree."
OBJECT = "Du kan gøre indsigelse mod optagelsen og få indsigt i den. Læs hvordan på {page}."
OBJECT_EN = "You can object to the recording, and you can ask for access to it. See how at {page}."
RIGHTS = "Læs om dine rettigheder, også indsigt, på {page}."
RIGHTS_EN = "Your rights, access included, are at {page}."
ASK = "Vi vil gerne optage og gemme samtalen for at dokumentere, hvad der sker, og hvad vi siger og aftaler."
ASK_TRAIN = "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere."
REGRET = f"Siger du ja, kan du altid fortryde, så sletter vi den. {RIGHTS}"
TRAINS = "Samtalen bliver optaget og brugt til at uddanne vores medarbejdere."
TRAINS_EN = "This call is recorded and used to train our staff."
MAY = "Tryk 1, hvis vi må optage. Ellers lader vi være."
ALSO = "Vi bruger den også til at uddanne vores medarbejdere."

WORDINGS = [
    # Lawful, and refused before
    Own(
        "N1",
        DA,
        "Vi optager og gemmer samtalen, så vi bagefter kan vise, hvad der skete, og hvad vi sagde og aftalte.",
        OBJECT,
        unsure=("document",),
    ),
    Own(
        "N1",
        DA,
        DOCUMENT,
        "Du kan sige, at du er imod det, og få indsigt i optagelsen. Læs mere på {page}.",
        unsure=("object",),
    ),
    Own(
        "N4",
        DA,
        "Vi optager samtalen, så vores medarbejdere kan blive dygtigere.",
        f"Vil du ikke have det, så sig til, så stopper vi og sletter. {RIGHTS}",
        unsure=("train",),
    ),
    Own("N1", DA, DOCUMENT, f"{OBJECT} Du kan bede os vurdere, om den skal slettes.", unsure=("deletion",)),
    Own(
        "N1",
        EN,
        "We record this call and keep it so that we can show afterwards what was said and agreed.",
        OBJECT_EN,
        unsure=("document",),
    ),
    Own("N3", DA, ASK_TRAIN, REGRET, "Sig ja, eller tryk på tasten 1, hvis vi må."),
    # Certain before, and not: a person reads each, and some of it is shown
    Own(
        "N1",
        DA,
        DOCUMENT,
        "Læs på {page}, om du har ret til indsigt, og om du kan gøre indsigelse.",
        unsure=("right_open",),
    ),
    Own(
        "N7",
        DA,
        f"{DOCUMENT} {ALSO}",
        f"Hvis du ikke vil have det, så sig til, så bruger vi den ikke til det nu. {OBJECT}",
    ),
    Own(
        "N6",
        DA,
        DOCUMENT,
        f"{OBJECT} Vi vil også gerne bruge den til at uddanne vores medarbejdere. Siger du ja, kan du altid fortryde, så holder vi op senere.",  # noqa: E501
        "Tryk 1, hvis vi må.",
    ),
    Own(
        "N1",
        DA,
        "Vi skal optage og gemme samtalen for at dokumentere, hvad vi siger og aftaler.",
        OBJECT,
        unsure=("law",),
    ),
    Own(
        "N2+N3",
        DA,
        "Vi vil gerne optage samtalen for at dokumentere, hvad vi siger og aftaler, og for at uddanne vores medarbejdere.",
        f"Et ja kan du altid fortryde, så holder vi op. {RIGHTS}",
        "Tryk 1 for ja til dokumentation, tryk 2 for ja til uddannelse, eller tryk begge, hvis vi må optage.",
        unsure=("both_keys",),
    ),
    # What the check finds nothing against still waits
    Own("N1", DA, DOCUMENT, OBJECT),
    Own("N1", EN, DOCUMENT_EN, OBJECT_EN),
    Own("N2", DA, ASK, REGRET, MAY),
    Own("N3", DA, ASK_TRAIN, REGRET, MAY),
    Own("N4", EN, TRAINS_EN, f"If you don't want that, just say so, and we stop and delete it. {RIGHTS_EN}"),
    Own(
        "N7",
        EN,
        f"{DOCUMENT_EN} We also use it to train our staff.",
        f"If you don't want it used for training, just say so{{keys}}, and it won't be. {OBJECT_EN}",
        more=KEYED,
    ),
    Own("N5", DA, "Samtalen bliver optaget, så vi kan uddanne vores medarbejdere.", OBJECT),
    Own(
        "N8",
        EN,
        "This call is recorded, both to document what happens and what we say and agree, and to train our staff.",
        OBJECT_EN,
    ),
    # Facts that the check does not find
    Own("N1", DA, DOCUMENT, "Læs mere på {page}.", unsure=("access", "object")),
    Own(
        "N2",
        DA,
        "Vi optager samtalen for at dokumentere, hvad vi siger og aftaler.",
        RIGHTS,
        MAY,
        unsure=("wish", "withdraw", "any_time"),
    ),
    Own("N4", DA, TRAINS, RIGHTS, unsure=("say_so",)),
    Own(
        "N4 call-back",
        DA,
        TRAINS,
        f"Hvis du ikke vil optages, så sig til, så sletter vi det. {RIGHTS}",
        unsure=("call_back",),
    ),
    Own(
        "N1",
        DA,
        "Vi vil gerne optage og gemme samtalen for at dokumentere, hvad vi siger og aftaler.",
        OBJECT,
        unsure=("wish_as_fact",),
    ),
    Own("N1", DA, "Vi optager samtalen for at dokumentere den.", OBJECT, unsure=("kept", "document_what")),
    Own(
        "N7",
        DA,
        f"{DOCUMENT} {ALSO}",
        f"Hvis du ikke vil have det, så sig til, så lader vi være. {OBJECT}",
        unsure=("opt_out_key",),
        more=KEYED,
    ),
    Own("N1", DA, f"{DOCUMENT} Den bruges også til statistik.", OBJECT, unsure=("other_purpose",)),
    Own(
        "N1",
        DA,
        DOCUMENT,
        "Du kan gøre indsigelse og få indsigt; se vores privatlivspolitik på {page}.",
        unsure=("page_general",),
    ),
    # What is structural
    Own("N1", DA, DOCUMENT, "Du kan gøre indsigelse mod optagelsen og få indsigt i den.", missing=("page",)),
    Own("N1", DA, "Samtalen bliver optaget og gemt.", OBJECT, missing=("document",), unsure=("document_what",)),
    Own("N7", DA, DOCUMENT, f"Hvis du ikke vil have det, så sig til, så lader vi være. {OBJECT}", missing=("train",)),
    Own("N3", DA, ASK_TRAIN, f"{MAY} {REGRET}", "Tak for hjælpen.", missing=("question_last",)),
    Own(
        "N4",
        DA,
        TRAINS,
        f"Hvis du ikke vil have det, så tryk stjerne 7, så stopper vi. {RIGHTS}",
        forbidden=("key_without_effect",),
        unsure=("opt_out_key",),
        more=KEYED,
    ),
    Own("N1", DA, DOCUMENT, f"{OBJECT} Sig til{{keys}}.", forbidden=("keys_without_opt_out",), more=KEYED),
    Own("N2", DA, ASK, REGRET, "Tryk 1, hvis vi ikke må optage.", forbidden=("yes_by_refusing",)),
    # Plain promises that must not be made
    Own("N1", DA, DOCUMENT, f"{OBJECT} Hvis du beder om det, sletter vi optagelsen.", forbidden=("deletion",)),
    Own(
        "N5",
        DA,
        "Samtalen bliver optaget, så vi kan uddanne vores medarbejdere.",
        f"{OBJECT} Hvis du ikke vil optages, så sig til, så stopper vi.",
        forbidden=("opt_out",),
    ),
    Own(
        "N7",
        DA,
        f"{DOCUMENT} {ALSO}",
        f"Hvis du ikke vil have det, så sig til, så stopper vi optagelsen. {OBJECT}",
        forbidden=("stops_recording",),
    ),
    Own(
        "N1 obligation",
        DA,
        "Vi har pligt til at optage og gemme samtalen for at dokumentere, hvad vi siger og aftaler.",
        OBJECT,
        forbidden=("object_to_obligation",),
        unsure=("rights",),
    ),
    Own(
        "N1",
        EN,
        "The law requires us to record and keep this call to document what we say and agree.",
        OBJECT_EN,
        forbidden=("law",),
    ),
    Own(
        "N2",
        EN,
        "We would like to record and keep this call to document what we say and agree.",
        f"You can withdraw a yes at any time, and we delete it. {RIGHTS_EN} If you stay on the line, you agree.",
        "Press 1 if we may.",
        forbidden=("silence_as_yes",),
    ),
    Own(
        "N3",
        DA,
        ASK_TRAIN,
        REGRET,
        "Tryk 1, hvis vi må. Ellers kan vi desværre ikke hjælpe dig.",
        forbidden=("pressure",),
    ),
    Own(
        "N4",
        DA,
        TRAINS,
        f"Hvis du ikke vil optages, så sig til, så ringer vi tilbage uden at optage. {RIGHTS}",
        forbidden=("no_call_back",),
    ),
    Own(
        "N2+N3",
        EN,
        "We'd like to record this call to document what we say and agree, and to train our staff.",
        f"You can withdraw a yes at any time, and we stop. {RIGHTS_EN}",
        "Press 1 to allow training. Press 2 to allow documentation.",
        forbidden=("keys_swapped", "keys_swapped"),
    ),
]
