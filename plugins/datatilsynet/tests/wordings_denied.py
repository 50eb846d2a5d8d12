"""Wordings that take back what they must grant: a right denied, silence as a yes, a no that costs, a choice that there is not.

None may be used without a person; what is clear is refused.
"""

from __future__ import annotations

from plugins.datatilsynet.tests.wordings import DA, EN, Case
from softphone.domain.purpose import Language

RECORD_DA = "Vi optager og gemmer samtalen for at dokumentere, hvad der sker, og hvad vi siger og aftaler."
RECORD_EN = "We record and keep this call to document what happens and what we say and agree."
TRAIN_DA = "Samtalen bliver optaget, så vi kan uddanne vores personale."
TRAIN_EN = "This call is recorded so that we can train our staff."
WISH_DA = "Vi vil gerne optage samtalen for at uddanne vores medarbejdere."
WISH_EN = "We would like to record this call to train our staff."
BACK_DA = "Du kan altid fortryde, så sletter vi den. Læs om dine rettigheder, også indsigt, på {page}."
BACK_EN = (
    "You can change your mind at any time, and we delete it. Your rights, access included, are described at {page}."
)
BOTH_DA = "Du kan gøre indsigelse mod optagelsen og få indsigt i den. Læs hvordan på {page}."
BOTH_EN = "You can object to the recording, and you can ask for access to it. See how at {page}."
PRESS_DA, PRESS_EN = "Tryk 1, hvis vi må.", "Press 1 if we may."


def n1(facts: str, missing: str = "", forbidden: str = "", unsure: str = "", essentials: str = RECORD_DA) -> Case:
    language = DA if essentials == RECORD_DA else EN
    return Case("denied", "N1", language, essentials, facts, None, missing, forbidden, unsure)


def n3(added: str, missing: str = "", forbidden: str = "", unsure: str = "", *, english: bool = False) -> Case:
    if english:
        return Case("forced", "N3", EN, WISH_EN, f"{BACK_EN} {added}", PRESS_EN, missing, forbidden, unsure)
    return Case("forced", "N3", DA, WISH_DA, f"{BACK_DA} {added}", PRESS_DA, missing, forbidden, unsure)


HEALTH = (("sensitive", {"expected": ["special_categories"], "special_categories_ground": "art. 9(2)(a)"}),)

DENIED = [
    n1(
        "Du har ingen ret til indsigelse, men du kan få indsigt. Læs mere på {page}.", missing="object", unsure="access"
    ),
    n1("Du kan ikke gøre indsigelse, men få indsigt. Læs hvordan på {page}.", missing="object", unsure="access"),
    n1(
        "Du kan gøre indsigelse, men du har ikke krav på indsigt. Læs hvordan på {page}.",
        missing="access",
        unsure="object",
    ),
    n1("Du kan gøre indsigelse, men ingen får indsigt. Læs hvordan på {page}.", missing="access", unsure="object"),
    n1("Indsigelse er ikke mulig, men du kan få indsigt. Læs hvordan på {page}.", unsure="access object"),
    n1("Du kan gøre indsigelse. Retten til indsigt er udelukket. Læs hvordan på {page}.", unsure="access"),
    n1(
        "Hverken indsigelse eller indsigt er mulig. Læs hvorfor på {page}.",
        missing="access object",
        unsure="unclear unclear",
    ),
    n1(
        "Du kan gøre indsigelse og få indsigt, dog ikke i denne samtale. Læs hvordan på {page}.", unsure="access object"
    ),
    n1(
        "You have no right to object, but you can get access. See how at {page}.",
        essentials=RECORD_EN,
        missing="object",
        unsure="access",
    ),
    n1(
        "You can't object, but you can get access. See how at {page}.",
        essentials=RECORD_EN,
        missing="object",
        unsure="access",
    ),
    n1(
        "You can object, but nobody gets access. See how at {page}.",
        essentials=RECORD_EN,
        missing="access",
        unsure="object",
    ),
    n1(
        "You can object. Access to the recording is excluded. See how at {page}.", essentials=RECORD_EN, unsure="access"
    ),
    n1(
        "By calling you waive your right to object and your right of access. See {page}.",
        essentials=RECORD_EN,
        unsure="access object",
    ),
    n1(f"Ønsker du ikke at blive optaget, så slukker vi for båndet. {BOTH_DA}", unsure="opt_out"),
    n1(f"Vil du ikke optages, stopper vi. {BOTH_DA}", unsure="opt_out"),
    n1(f"If you'd rather not be recorded, we switch the tape off. {BOTH_EN}", essentials=RECORD_EN, unsure="opt_out"),
    n1(f"Optagelsen kan høres af alle. {BOTH_DA}", unsure="unclear"),
    n1(f"Anyone may buy the recording. {BOTH_EN}", essentials=RECORD_EN, unsure="unclear"),
    n1(f"Du hæfter selv for følgerne. {BOTH_DA}", unsure="unclear"),
    n1(f"All of it is your own responsibility. {BOTH_EN}", essentials=RECORD_EN, unsure="unclear"),
    Case("denied", "N5", DA, TRAIN_DA, f"Du kan bare bede os lade være. {BOTH_DA}", unsure="unclear"),
    Case("denied", "N5", EN, TRAIN_EN, f"You can simply ask us to leave it. {BOTH_EN}", unsure="unclear"),
    Case(
        "denied",
        "N1 obligation",
        DA,
        "Vi har pligt til at optage og gemme samtalen, så det kan dokumenteres, hvad vi siger og aftaler.",
        "Du kan protestere mod optagelsen. Du har ret til indsigt. Læs mere på {page}.",
        unsure="object_to_obligation happened",
    ),
    Case(
        "denied",
        "N1 obligation",
        EN,
        "The law requires us to record and keep this call, to document what we say and agree.",
        "You can protest against the recording. You have a right of access; read more at {page}.",
        unsure="object_to_obligation happened",
    ),
    n3("Hører vi intet, optager vi.", forbidden="silence_as_yes"),
    n3("Hvis vi ikke hører andet, optager vi.", forbidden="silence_as_yes"),
    n3("Bliver du i røret, tager vi det som et ja.", forbidden="silence_as_yes"),
    n3("Lægger du ikke på, har du accepteret.", forbidden="silence_as_yes"),
    n3("Din tavshed er et ja.", unsure="silence"),
    n3("Den, der tier, samtykker.", unsure="unclear"),
    n3("If we hear nothing, we record.", english=True, forbidden="silence_as_yes"),
    n3("Staying on the line counts as a yes.", english=True, forbidden="silence_as_yes"),
    n3("If you don't hang up, you have accepted.", english=True, forbidden="silence_as_yes"),
    n3("Siger du nej, kan vi desværre ikke hjælpe dig.", forbidden="pressure"),
    n3("Uden et ja må du vente længere.", forbidden="pressure"),
    n3("Uden dit samtykke koster det et gebyr.", forbidden="pressure"),
    n3("Et nej kan få betydning for din sag.", unsure="unclear"),
    n3("Vi hjælper helst dem, der siger ja.", unsure="unclear"),
    n3("If you say no, we cannot help you.", english=True, forbidden="pressure"),
    n3("Without a yes you will have to wait longer.", english=True, forbidden="pressure"),
    n3("Callers who agree are served first.", english=True, unsure="unclear"),
    n3("Siger du nej, sletter vi din sag.", unsure="aimed_elsewhere"),
    n3("If you say no, we delete your order.", english=True, unsure="aimed_elsewhere"),
    Case("yes to what?", "N3", DA, WISH_DA, BACK_DA, "Tryk 1 for uddannelse.", unsure="key_says_yes"),
    Case("yes to what?", "N3", EN, WISH_EN, BACK_EN, "Press 1 for training.", unsure="key_says_yes"),
    Case(
        "health, which the question names",
        "N6 obligation",
        DA,
        "Vi har pligt til at optage og gemme samtalen, så det kan dokumenteres, hvad vi siger og aftaler.",
        "Læs om din ret til indsigt på {page}. Siger du ja, kan du altid fortryde, så holder vi op.",
        "Tryk 1, hvis vi må bruge den til at uddanne vores medarbejdere, også det, du siger om dit helbred.",
        unsure="names_sensitive unclear happened",
        more=HEALTH,
    ),
    Case(
        "health, which the question does not name",
        "N6 obligation",
        DA,
        "Vi har pligt til at optage og gemme samtalen, så det kan dokumenteres, hvad vi siger og aftaler.",
        "Læs om din ret til indsigt på {page}. Siger du ja, kan du altid fortryde, så holder vi op.",
        "Tryk 1, hvis vi må bruge den til at uddanne vores medarbejdere.",
        unsure="names_sensitive happened",
        more=HEALTH,
    ),
    Case(
        "health on consent, which the question does not name",
        "N2",
        EN,
        "We would like to record and keep this call to document what we say and agree.",
        "If you say yes, you can change your mind at any time, and we delete it. Your rights, access included, are at {page}.",
        "Press 1 if we may record.",
        unsure="names_sensitive happened",
        more=HEALTH,
    ),
]

TAKEN_BACK: dict[Language, list[str]] = {
    DA: [
        "Du kan få indsigt, men kun mod betaling.",
        "Indsigt giver vi desværre sjældent.",
        "Du har mistet din ret til at gøre indsigelse.",
        "Retten til indsigt gælder ikke her.",
        "Medmindre du lægger på, optager vi.",
        "Så længe du ikke siger noget, optager vi.",
        "Er du stadig i røret, har vi dit ja.",
        "Ved at tale videre accepterer du.",
        "Siger du nej, afbryder vi samtalen.",
        "Uden dit ja kan du ikke få hjælp.",
        "Kun de, der trykker 1, bliver betjent.",
        "Trykker du ikke, går din sag bagerst i køen.",
        "Du kan altid fortryde, men optagelsen beholder vi.",
        "Et ja kan ikke trækkes tilbage.",
        "Optagelsen gemmes for altid.",
        "Vi gemmer den, uanset hvad du svarer.",
        "Vi optager alligevel.",
        "Svarer du ikke, tæller det som ja.",
        "Du skal trykke 1 for at komme videre.",
        "Sletning sker ikke.",
        "Vi hjælper dig hurtigere, hvis du siger ja.",
        "Siger du ja, får du rabat.",
        "Uddannelse kan du ikke undgå.",
        "Vi deler optagelsen med vores partnere.",
    ],
    EN: [
        "You can get access only for a fee.",
        "You lose your right to object.",
        "Your right of access does not apply here.",
        "Unless you hang up, we record.",
        "We record as long as you say nothing.",
        "By speaking on you accept.",
        "If you say no, we end the call.",
        "Without your consent you get no help.",
        "Only those who press 1 are served.",
        "If you do not press, you go to the back of the queue.",
        "A yes cannot be withdrawn.",
        "We keep the recording whatever you answer.",
        "We record anyway.",
        "We help you faster if you say yes.",
        "If you say yes, you get a discount.",
        "Staff training cannot be declined.",
        "Your yes is assumed.",
        "Silence is consent.",
        "We record you all the same.",
    ],
}
"""sentences that spoil a notice which says all it must"""
