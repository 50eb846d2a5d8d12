"""Wordings as companies write them, and what there is to find in each. Written from the guideline's table, not from the check."""

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
class Case:
    """`missing`, `forbidden`, `unsure`: the codes to be found, in any order, and no others."""

    what: str
    bases: str
    language: Language
    essentials: str
    facts: str | None = None
    question: str | None = None
    missing: str = ""
    forbidden: str = ""
    unsure: str = ""
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


def keyed(key: str) -> tuple[tuple[str, Any], ...]:
    return (("opt_out_key", key),)


MORE_DA = (
    "På vores hjemmeside, {page}, kan du læse mere om vores behandling af personoplysninger i forbindelse med optagelsen"
    " af telefonsamtalen og om "
)
RIGHTS_DA = MORE_DA + "dine rettigheder, herunder din ret til indsigt i optagelsen."
OBJECT_DA = MORE_DA + "din ret til at gøre indsigelse mod optagelsen og din ret til indsigt i optagelsen."
DOCUMENT_DA = (
    "Samtalen optages og opbevares med henblik på at dokumentere, hvad der er sket og sagt under samtalen, herunder"
    " eventuelt indgåede aftaler."
)
RIGHTS_EN = "Visit {page} to read about your rights, including your right of access to the recording."
OBJECT_EN = "Visit {page} to read about your right to object to the recording and your right of access to it."
DOCUMENT_EN = (
    "Calls to this number are recorded and stored as documentation of what has happened, and of what has been said and"
    " agreed."
)

CASES = [
    # --- right: the guideline's own -----------------------------------------------------------------
    Case("the guideline's own", "N1", DA, DOCUMENT_DA, OBJECT_DA),
    Case(
        "the guideline's own",
        "N3",
        DA,
        "Vi ønsker at optage samtalen for at kunne uddanne vores medarbejdere.",
        "Du kan til enhver tid trække dit samtykke tilbage, hvorefter vi vil slette samtalen. " + RIGHTS_DA,
        "Tryk 1, hvis vi må optage samtalen til dette formål.",
    ),
    Case(
        "the guideline's own",
        "N4",
        DA,
        "Vi optager samtalen for at kunne uddanne vores medarbejdere.",
        RIGHTS_DA
        + " Hvis du ikke ønsker, at samtalen bliver optaget, skal du gøre opmærksom på det, hvorefter vi vil slå"
        " optagelsen fra.",
    ),
    Case(
        "the guideline's own",
        "N4 call-back",
        DA,
        "Vi optager samtalen for at kunne uddanne vores medarbejdere.",
        RIGHTS_DA
        + " Hvis du ikke ønsker, at samtalen bliver optaget, skal du gøre opmærksom på det, hvorefter du vil blive"
        " ringet op efterfølgende, uden at samtalen optages.",
    ),
    Case("the guideline's own", "N5", DA, "Vi optager samtalen for at kunne uddanne vores medarbejdere.", OBJECT_DA),
    Case(
        "the guideline's own",
        "N6",
        DA,
        DOCUMENT_DA,
        "Vi ønsker herudover at anvende optagelsen for at kunne uddanne vores medarbejdere. Du kan til enhver tid trække dit"
        " samtykke tilbage, hvorefter vi ikke længere vil anvende samtalen i uddannelsesøjemed. " + OBJECT_DA,
        "Tryk 1, hvis vi må anvende samtalen til dette formål.",
    ),
    Case(
        "the guideline's own",
        "N7",
        DA,
        DOCUMENT_DA + " Vi anvender herudover optagelsen for at kunne uddanne vores medarbejdere.",
        OBJECT_DA
        + " Hvis du ikke ønsker, at samtalen bliver brugt i uddannelsesøjemed, skal du gøre opmærksom på det, så vil"
        " samtalen ikke blive brugt til dette formål.",
    ),
    Case(
        "the guideline's own",
        "N8",
        DA,
        "Samtalen optages med henblik på at dokumentere, hvad der er sket og sagt under samtalen, herunder eventuelt indgåede"
        " aftaler, og for at uddanne vores medarbejdere.",
        OBJECT_DA,
    ),
    # --- right: others' ----------------------------------------------------------------------------
    Case(
        "an insurer's",
        "N1",
        DA,
        "Velkommen til Fjordens Forsikring. Af hensyn til dokumentation af det, vi aftaler, bliver samtalen optaget og gemt.",
        "Du finder alt om vores samtaleoptagelser på {page}, også hvordan du får en kopi eller gør indsigelse.",
        unsure="happened said",
    ),
    Case(
        "a bank's, which deletes later than its policy says",
        "N1 obligation",
        DA,
        "Ifølge loven skal vi optage og opbevare samtaler om værdipapirer, så vi kan dokumentere de ordrer og råd, der gives.",
        "Optagelsen slettes efter 5 år. Du har ret til indsigt, læs mere på {page}.",
        unsure="unclear happened",
    ),
    Case(
        "a municipality's",
        "N2",
        DA,
        "Goddag. Må vi optage samtalen og gemme den, så vi kan dokumentere, hvad der bliver aftalt om din sag?",
        "Du kan når som helst ombestemme dig, og så bliver optagelsen slettet. Dine rettigheder, blandt dem indsigt, står på"
        " {page}.",
        "Tast 1 for at sige ja.",
        unsure="happened said",
    ),
    Case(
        "a webshop's",
        "N4",
        DA,
        "Hej og velkommen til. Vi optager nogle af vores samtaler, også denne her, og bruger dem til oplæring i kundeservice.",
        "Har du ikke lyst til at blive optaget? Sig det bare til os, så slukker vi med det samme. Har du spørgsmål til dine"
        " rettigheder, fx indsigt, så kig på {page}.",
        unsure="hedged unclear",
    ),
    Case(
        "a telephone company's",
        "N4",
        DA,
        "Din samtale optages til brug for kvalitetssikring og coaching af vores rådgivere.",
        "Vil du ikke optages, så giv os blot besked, eller tryk stjerne 9. Så afbryder vi optagelsen og sletter den."
        " Dine rettigheder, herunder retten til indsigt, finder du på {page}.",
        more=keyed("*9"),
    ),
    Case(
        "a utility's",
        "N7",
        DA,
        "Vi optager og arkiverer samtalen som dokumentation for det, vi aftaler, og vi træner vores medarbejdere med den.",
        "Hvis du ikke vil have, at dit opkald bruges til træning, så sig det til medarbejderen, så holder vi det ude."
        " Læs på {page}, hvordan du gør indsigelse og får indsigt.",
        unsure="happened said",
    ),
    Case(
        "a doctors' emergency line's",
        "N8",
        DA,
        "Opkald til lægevagten optages for at dokumentere forløbet og det, der bliver sagt, og for at træne vores personale.",
        "Du har ret til at gøre indsigelse og til at få indsigt i optagelsen. Du kan ikke frabede dig optagelsen. Se {page}.",
        unsure="unclear agreed",
    ),
    Case(
        "a travel agency's",
        "N2+N3",
        DA,
        "Vi vil gerne optage opkaldet, dels for at dokumentere det aftalte, dels for at uddanne vores rejsekonsulenter.",
        "Du kan altid trække et ja tilbage, og når der ikke er noget ja tilbage, sletter vi optagelsen. Læs om dine"
        " rettigheder og om indsigt på {page}.",
        "Tast 1, hvis vi må gemme den som dokumentation. Tast 2, hvis vi må bruge den til træning.",
        unsure="happened said",
    ),
    Case(
        "a housing association's",
        "N2+N4",
        DA,
        "Samtalen bliver optaget og brugt i oplæringen af nye kolleger.",
        "Vil du ikke være med til det, så sig til, eller tryk *9, og så bruger vi den ikke. Dine rettigheder, herunder indsigt,"
        " kan du læse om på {page}. Vi vil også gerne opbevare samtalen, så vi kan dokumentere aftaler. Du kan altid fortryde,"
        " og så stopper vi.",
        "Tryk 1, hvis det er i orden, at vi gemmer den som dokumentation.",
        more=keyed("*9"),
        unsure="happened said",
    ),
    Case("a bank's", "N1", EN, DOCUMENT_EN, OBJECT_EN),
    Case(
        "a broker's",
        "N1 obligation",
        EN,
        "We are required by law to record and retain this call as evidence of your orders.",
        "You can request a copy; details are at {page}.",
        unsure="happened said",
    ),
    Case(
        "a charity's",
        "N2",
        EN,
        "May we record and store this call, so that there is documentation of what we agree?",
        "You may withdraw your consent at any time, and the recording will be erased. You will find your rights, such as"
        " access, at {page}.",
        "Please press 1 to say yes. If you don't, we won't record, and nothing else changes.",
        unsure="unclear happened said",
    ),
    Case(
        "a hotel's",
        "N3",
        EN,
        "We'd like to record your call for staff training.",
        "You can change your mind whenever you like, and we'll erase it. For your rights, access included, see {page}.",
        "Press 1 if that's fine with you.",
        unsure="",
    ),
    Case(
        "the well-known one, made whole",
        "N4",
        EN,
        "Calls are recorded for training and quality purposes.",
        "If you'd rather not be recorded, please let our adviser know and we'll switch the recording off. For your rights,"
        " including access, visit {page}.",
    ),
    Case(
        "one that calls back",
        "N4 call-back",
        EN,
        "Your call is recorded to coach our advisers.",
        "If you do not wish to be recorded, tell us and we will call you back without recording. Your rights, including the"
        " right of access, are explained at {page}.",
    ),
    Case(
        "an ambulance service's",
        "N5",
        EN,
        "Calls are recorded for the training of our dispatchers.",
        "You have the right to object and the right of access. Both are explained at {page}.",
    ),
    Case(
        "an insurer's",
        "N6",
        EN,
        DOCUMENT_EN,
        OBJECT_EN
        + " We would also like to use the recording to coach our staff. You can withdraw at any time; from then on it"
        " will no longer be used for that.",
        "Press 1 if you agree to its use for coaching.",
    ),
    Case(
        "a power company's",
        "N7",
        EN,
        "This call is recorded and kept as proof of what is agreed, and it is used to train our staff.",
        "If you don't want it used for training, just tell the person you speak to and it will not be. " + OBJECT_EN,
        unsure="happened said",
    ),
    Case(
        "one that says when it deletes",
        "N7",
        EN,
        "This call is recorded and kept as proof of what is agreed, and it is used to train our staff.",
        "Recordings are deleted after three months. If you don't want it used for training, just tell the person you speak to"
        " and it will not be. " + OBJECT_EN,
        unsure="happened said",
    ),
    Case(
        "one that says that it does not delete",
        "N1",
        EN,
        DOCUMENT_EN,
        OBJECT_EN + " We do not delete recordings before that.",
    ),
    Case(
        "one that says that it does not delete",
        "N1",
        DA,
        DOCUMENT_DA,
        OBJECT_DA + " Vi sletter ikke optagelsen før tid.",
    ),
    # --- one fact is missing ---------------------------------------------------------------------------
    Case(
        "not recorded",
        "N1",
        DA,
        "Vi gemmer samtalen som dokumentation for, hvad vi aftaler.",
        OBJECT_DA,
        missing="recorded",
        unsure="happened said",
    ),
    Case(
        "said of somebody else",
        "N1",
        DA,
        "Samtalen bliver ikke optaget, men vi gemmer et notat, der dokumenterer, hvad vi aftaler.",
        "Du kan gøre indsigelse og få indsigt. Se {page}.",
        missing="recorded",
        unsure="unclear happened said",
    ),
    Case(
        "not kept",
        "N1",
        DA,
        "Samtalen optages for at dokumentere, hvad vi aftaler.",
        OBJECT_DA,
        missing="kept",
        unsure="happened said",
    ),
    Case("not what for", "N1", DA, "Vær opmærksom på, at samtalen optages og gemmes.", OBJECT_DA, missing="document"),
    Case(
        "no page",
        "N1",
        DA,
        DOCUMENT_DA,
        "Du kan gøre indsigelse og få indsigt. Læs mere på vores hjemmeside.",
        missing="page",
    ),
    Case(
        "the general privacy policy",
        "N1",
        DA,
        DOCUMENT_DA,
        "Om indsigelse og indsigt kan du læse i vores privatlivspolitik på hjemmesiden.",
        missing="page",
    ),
    Case(
        "no objection",
        "N1",
        DA,
        DOCUMENT_DA,
        "Du har ret til indsigt i optagelsen. Læs mere på {page}.",
        missing="object",
    ),
    Case(
        "no access",
        "N1",
        DA,
        DOCUMENT_DA,
        "Du kan gøre indsigelse mod optagelsen. Læs hvordan på {page}.",
        missing="access",
    ),
    Case("no training", "N7", DA, DOCUMENT_DA, OBJECT_DA, missing="train say_so"),
    Case(
        "no way to decline",
        "N4",
        DA,
        "Samtalen optages til uddannelsesbrug.",
        RIGHTS_DA,
        missing="say_so",
    ),
    Case(
        "the way to decline is on the page only",
        "N7",
        DA,
        DOCUMENT_DA + " Vi bruger den også til at uddanne vores medarbejdere.",
        OBJECT_DA + " Der kan du også læse, hvad du kan gøre.",
        missing="say_so",
        unsure="unclear",
    ),
    Case(
        "not what happens then",
        "N7",
        DA,
        DOCUMENT_DA + " Vi bruger den også til at uddanne vores medarbejdere.",
        OBJECT_DA + " Hvis du ikke ønsker, at den bruges til uddannelse, så sig det til medarbejderen.",
        missing="say_so_then",
    ),
    Case(
        "no opt-out key",
        "N7",
        DA,
        DOCUMENT_DA + " Vi bruger den også til at uddanne vores medarbejdere.",
        OBJECT_DA + " Hvis du ikke ønsker, at den bruges til uddannelse, så sig til, så lader vi være.",
        unsure="opt_out_key",
        more=keyed("*9"),
    ),
    Case(
        "no call back",
        "N4 call-back",
        DA,
        "Vi optager samtalen for at kunne uddanne vores medarbejdere.",
        RIGHTS_DA + " Hvis du ikke ønsker det, skal du sige til, så stopper vi optagelsen.",
        missing="call_back",
    ),
    Case(
        "no wish: it is recorded as if asked already",
        "N3",
        DA,
        "Samtalen bliver optaget og brugt til at uddanne vores medarbejdere.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis det er i orden.",
        missing="wish",
    ),
    Case(
        "no key",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Sig ja, hvis vi må.",
        missing="press_1",
    ),
    Case(
        "the question comes first",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere. Tryk 1, hvis vi må.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tak, fordi du ringer.",
        missing="question_last",
        unsure="unclear",
    ),
    Case(
        "no withdrawal",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere.",
        RIGHTS_DA,
        "Tryk 1, hvis vi må optage.",
        missing="withdraw",
    ),
    Case(
        "withdrawal, but not at any time",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere.",
        "Du kan trække dit samtykke tilbage, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis vi må optage.",
        missing="any_time",
    ),
    Case(
        "withdrawal, and not what happens then",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere.",
        "Du kan altid trække dit samtykke tilbage. " + RIGHTS_DA,
        "Tryk 1, hvis vi må optage.",
        missing="withdraw_then",
    ),
    Case(
        "not recorded",
        "N1",
        EN,
        "We keep documentation of what is agreed with you.",
        OBJECT_EN,
        missing="recorded",
        unsure="happened said",
    ),
    Case(
        "not kept",
        "N1",
        EN,
        "Calls are recorded to document what we agree.",
        OBJECT_EN,
        missing="kept",
        unsure="happened said",
    ),
    Case("not what for", "N1", EN, "Please note that calls are recorded and stored.", OBJECT_EN, missing="document"),
    Case("no page", "N1", EN, DOCUMENT_EN, "You may object, and you have a right of access.", missing="page"),
    Case(
        "the general privacy policy",
        "N1",
        EN,
        DOCUMENT_EN,
        "How to object and get access is in our privacy policy.",
        missing="page",
    ),
    Case(
        "no objection",
        "N8",
        EN,
        "This call is recorded as documentation of what we say and to train our staff.",
        "You have a right of access; read more at {page}.",
        missing="object",
        unsure="happened agreed",
    ),
    Case(
        "no access",
        "N5",
        EN,
        "Calls are recorded to train our staff.",
        "You may object to this. See {page}.",
        missing="access",
    ),
    Case(
        "no way to decline",
        "N4",
        EN,
        "Calls are recorded for training and quality purposes.",
        RIGHTS_EN,
        missing="say_so",
    ),
    Case(
        "not what happens then",
        "N4",
        EN,
        "Calls are recorded for training and quality purposes.",
        "If you don't want to be recorded, please tell our adviser. " + RIGHTS_EN,
        missing="say_so_then",
    ),
    Case(
        "no opt-out key",
        "N4",
        EN,
        "Calls are recorded for training and quality purposes.",
        "If you don't want to be recorded, please tell our adviser and we will stop. " + RIGHTS_EN,
        unsure="opt_out_key",
        more=keyed("*9"),
    ),
    Case(
        "no key",
        "N2",
        EN,
        "We would like to record and keep this call to document what we agree.",
        "You can withdraw at any time, and we delete it. " + RIGHTS_EN,
        "Stay on the line if that is fine.",
        missing="press_1",
        unsure="unclear happened said",
    ),
    Case(
        "not at any time",
        "N6",
        EN,
        DOCUMENT_EN,
        OBJECT_EN
        + " We would also like to train our staff with it. You can withdraw your consent, and we stop using it.",
        "Press 1 if we may use it for training.",
        missing="any_time",
    ),
    # --- what must not be promised ------------------------------------------------------------------------
    Case(
        "deletion on demand",
        "N1",
        DA,
        DOCUMENT_DA,
        OBJECT_DA + " Vi sletter den selvfølgelig, hvis du beder om det.",
        forbidden="deletion",
    ),
    Case(
        "not deleted, unless you ask",
        "N1",
        DA,
        DOCUMENT_DA,
        OBJECT_DA + " Vi sletter den ikke, medmindre du beder om det.",
        unsure="deletion unclear",
    ),
    Case(
        "deletion instead of no more training",
        "N6",
        DA,
        DOCUMENT_DA,
        "Vi vil også gerne bruge den til træning af vores medarbejdere. Siger du ja, kan du til enhver tid fortryde, og så"
        " bliver samtalen slettet. " + OBJECT_DA,
        "Tryk 1, hvis vi må bruge den til træning.",
        forbidden="deletion",
    ),
    Case(
        "stops the recording, which goes on",
        "N7",
        DA,
        DOCUMENT_DA + " Vi bruger den også til at uddanne vores medarbejdere.",
        OBJECT_DA + " Hvis du ikke ønsker det, så sig til, så stopper vi optagelsen.",
        forbidden="stops_recording",
    ),
    Case(
        "an opt-out under special circumstances",
        "N5",
        DA,
        "Vi optager samtalen for at kunne uddanne vores medarbejdere.",
        OBJECT_DA + " Ønsker du ikke at blive optaget, så sig til, så slukker vi.",
        forbidden="opt_out",
    ),
    Case(
        "objection to what the law demands",
        "N1 obligation",
        DA,
        "Loven kræver, at vi optager og gemmer samtalen for at dokumentere, hvad vi aftaler.",
        OBJECT_DA,
        forbidden="object_to_obligation",
        unsure="happened said",
    ),
    Case(
        "a law that is not there",
        "N1",
        DA,
        "Vi er forpligtet til at optage og gemme samtalen for at dokumentere, hvad vi aftaler.",
        OBJECT_DA,
        forbidden="law",
        unsure="happened said",
    ),
    Case(
        "silence as a yes",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis vi må optage. Bliver du i røret uden at trykke, accepterer du optagelsen.",
        forbidden="silence_as_yes",
    ),
    Case(
        "a yes as the price of the service",
        "N2",
        DA,
        "Vi vil gerne optage og gemme samtalen for at dokumentere, hvad vi aftaler.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis vi må optage, ellers kan vi desværre ikke hjælpe dig.",
        forbidden="pressure",
        unsure="happened said",
    ),
    Case(
        "a no by the key that says yes",
        "N3",
        DA,
        "Vi vil gerne optage samtalen og bruge den til at uddanne vores medarbejdere.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis du ikke vil optages.",
        forbidden="yes_by_refusing",
    ),
    Case(
        "the keys the wrong way round",
        "N2+N3",
        DA,
        "Vi vil gerne optage samtalen, både for at dokumentere det aftalte og for at uddanne vores medarbejdere.",
        "Du kan altid fortryde, og er der intet ja tilbage, sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis vi må bruge den til uddannelse. Tryk 2, hvis vi må gemme den som dokumentation.",
        forbidden="keys_swapped keys_swapped",
        unsure="happened said",
    ),
    Case(
        "all deleted, though a yes is left",
        "N2+N3",
        EN,
        "We would like to record this call to document what we agree and to train our staff.",
        "You can change your mind at any time and we will delete the recording. " + RIGHTS_EN,
        "Press 1 if we may keep it as documentation. Press 2 if we may use it for training.",
        forbidden="deletion",
        unsure="happened said",
    ),
    Case(
        "training on a line that does none",
        "N1",
        EN,
        DOCUMENT_EN + " We also use calls to train our staff.",
        OBJECT_EN,
        forbidden="not_for_train",
    ),
    Case(
        "no training, and says so",
        "N1",
        EN,
        DOCUMENT_EN + " They are not used for training.",
        OBJECT_EN,
    ),
    Case(
        "deletion on demand",
        "N1",
        EN,
        DOCUMENT_EN,
        OBJECT_EN + " You can have the recording deleted whenever you ask us.",
        forbidden="deletion",
    ),
    Case(
        "deletion on demand, without a comma",
        "N7",
        EN,
        "This call is recorded and kept as proof of what is agreed, and it is used to train our staff.",
        "If you do not want this just tell us and we delete it and will not use it. " + OBJECT_EN,
        forbidden="deletion",
        unsure="happened said",
    ),
    Case(
        "an opt-out under special circumstances",
        "N8",
        EN,
        "This call is recorded to document what happens and to train our staff.",
        OBJECT_EN + " If you would prefer not to be recorded, let us know and we'll stop.",
        forbidden="opt_out",
        unsure="said agreed",
    ),
    Case(
        "a call back that nobody will make",
        "N4",
        EN,
        "Calls are recorded for training and quality purposes.",
        "If you don't want to be recorded, please tell us and we will call you back without recording. " + RIGHTS_EN,
        forbidden="no_call_back",
    ),
    Case(
        "a key that does nothing",
        "N4",
        EN,
        "Calls are recorded for training and quality purposes.",
        "If you don't want to be recorded, say so or press star 8, and we will stop. " + RIGHTS_EN,
        unsure="opt_out_key",
        forbidden="key_without_effect",
        more=keyed("*9"),
    ),
    Case(
        "silence as a yes",
        "N3",
        EN,
        "We would like to record this call to train our staff.",
        "You can withdraw at any time and we will delete the recording. " + RIGHTS_EN,
        "Press 1 to agree. By continuing to hold you also consent to the recording.",
        forbidden="silence_as_yes",
    ),
    Case(
        "a yes as the price of the service",
        "N3",
        EN,
        "We would like to record this call to train our staff.",
        "You can withdraw at any time and we will delete the recording. " + RIGHTS_EN,
        "Press 1 to continue.",
        forbidden="pressure",
    ),
    Case(
        "a law that is not there",
        "N1",
        EN,
        "We are required by law to record and keep this call to document what is agreed.",
        OBJECT_EN,
        forbidden="law",
        unsure="happened said",
    ),
    # --- what words leave open ------------------------------------------------------------------------------
    Case(
        "training in other words",
        "N4",
        DA,
        "Vi optager samtalen for at forbedre vores service.",
        "Hvis du ikke vil optages, så sig til, så stopper vi. " + RIGHTS_DA,
        unsure="train",
    ),
    Case(
        "another address",
        "N1",
        DA,
        DOCUMENT_DA,
        "Læs om indsigelse og indsigt på www.fjorden.dk/optagelser.",
        unsure="page_other",
    ),
    Case(
        "half of what is documented",
        "N1",
        DA,
        "Vi optager og gemmer samtalen for at dokumentere, hvad vi aftaler.",
        OBJECT_DA,
        unsure="happened said",
    ),
    Case(
        "half of what is documented",
        "N1",
        EN,
        "We record and keep this call to document what we say and agree.",
        OBJECT_EN,
        unsure="happened",
    ),
    Case(
        "a yes that is said, and no more",
        "N2",
        DA,
        "Vi vil gerne optage samtalen. Siger du ja, gemmer vi den for at dokumentere, hvad der sker, og hvad vi aftaler.",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1, hvis vi må optage.",
        unsure="said",
    ),
    Case(
        "a yes that is said, and no more",
        "N2",
        EN,
        "If you say yes, we record and keep this call to document what happens.",
        "If you agree, you can change your mind at any time, and we delete it. " + RIGHTS_EN,
        "Press 1 if we may record.",
        unsure="said agreed",
    ),
    Case(
        "documentation of what?",
        "N1",
        EN,
        "This call is recorded and stored for documentation.",
        OBJECT_EN,
        unsure="happened said agreed",
    ),
    Case(
        "a wish where it is a fact",
        "N1",
        EN,
        "We would like to record and keep this call to document what we agree.",
        OBJECT_EN,
        unsure="wish_as_fact happened said",
    ),
    Case(
        "another purpose",
        "N4",
        EN,
        "Calls are recorded for training, quality and marketing purposes.",
        "If you don't want to be recorded, please tell us and we will stop. " + RIGHTS_EN,
        unsure="other_purpose",
    ),
    Case(
        "only under a condition",
        "N1",
        DA,
        "Hvis du bestiller noget, optager og gemmer vi samtalen, så vi kan dokumentere, hvad vi aftaler.",
        OBJECT_DA,
        unsure="document kept recorded unclear happened said",
    ),
    Case(
        "a key for a no, which is none",
        "N2",
        DA,
        "Må vi optage samtalen og gemme den for at dokumentere, hvad vi aftaler?",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 1 for ja, eller tryk 2 for nej.",
        unsure="key_without_effect happened said",
    ),
    Case(
        "consent is spoken of, and there is none",
        "N1",
        EN,
        DOCUMENT_EN,
        OBJECT_EN + " You can withdraw your consent at any time.",
        unsure="consent_named unclear",
    ),
    Case(
        "which key is for what?",
        "N2+N3",
        EN,
        "We would like to record this call to document what we agree and to train our staff.",
        "You can change your mind at any time; when no yes is left, we delete it. " + RIGHTS_EN,
        "Press 1 if the first is fine. Press 2 if the second is fine.",
        unsure="key_for_purpose key_for_purpose happened said",
    ),
    Case(
        "a place for keys that there are not",
        "N1",
        DA,
        DOCUMENT_DA,
        OBJECT_DA + " Har du spørgsmål{keys}.",
        forbidden="keys_without_opt_out",
        unsure="unclear",
    ),
    Case(
        "objection to which of the two?",
        "N8 obligation",
        DA,
        "Loven kræver, at vi optager samtalen for at dokumentere, hvad vi aftaler. Vi bruger den også til at uddanne vores folk.",
        "Du kan gøre indsigelse og få indsigt. Læs hvordan på {page}.",
        unsure="object_to_training happened said",
    ),
    Case(
        "a page that is called the privacy policy",
        "N1",
        DA,
        DOCUMENT_DA,
        "Læs om indsigelse og indsigt i vores privatlivspolitik på {page}.",
        unsure="page_general access",
    ),
    Case(
        "access, and no word of other rights",
        "N4",
        DA,
        "Samtalen optages til uddannelse.",
        "Hvis du ikke vil optages, så sig til, så stopper vi. Du kan få indsigt i optagelsen. Læs hvordan på {page}.",
        unsure="rights",
    ),
]
