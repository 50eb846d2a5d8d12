"""More wordings as companies write them, gathered after the word lists: what they do with what they did not know."""

from __future__ import annotations

from plugins.datatilsynet.tests.wordings import DA, EN, Case

RIGHTS_DA = "Læs om dine rettigheder og retten til indsigt på {page}."
OBJECT_DA = "Læs om retten til indsigelse og indsigt på {page}."
RIGHTS_EN = "Your rights, including access, are described at {page}."
OBJECT_EN = "Read about your rights to object and of access at {page}."

MORE = [
    Case(
        "it may be recorded, or not",
        "N4",
        DA,
        "Denne samtale kan blive optaget til uddannelses- og kvalitetsformål.",
        "Ønsker du ikke at samtalen optages, bedes du oplyse det til medarbejderen, så slår vi optagelsen fra. "
        + RIGHTS_DA,
        unsure="hedged",
    ),
    Case(
        "right",
        "N4",
        DA,
        "Opkaldet bliver optaget af hensyn til intern træning.",
        "Såfremt du ikke ønsker dette, kan du blot oplyse medarbejderen herom, hvorefter optagelsen stoppes. "
        + RIGHTS_DA,
    ),
    Case(
        "right",
        "N7",
        DA,
        "For at kunne dokumentere vores aftaler optager og opbevarer vi alle samtaler. Optagelserne bruges"
        " desuden i undervisningen af nye kolleger.",
        "Siger du fra over for medarbejderen, indgår dit opkald ikke i undervisningen. " + OBJECT_DA,
    ),
    Case(
        "right",
        "N7",
        DA,
        "Samtalen optages og gemmes, så det kan dokumenteres, hvad vi har talt om, og den kan indgå i"
        " oplæringen af vores personale.",
        "Hvis du hellere vil være fri for, at den bruges i oplæringen, skal du blot sige det. Så udelader vi den. "
        + OBJECT_DA,
    ),
    Case(
        "right",
        "N1",
        DA,
        "Vi gør opmærksom på, at samtalen båndes og gemmes af dokumentationshensyn, herunder hvad der bliver sagt.",
        "Indsigelser og anmodninger om indsigt behandles som beskrevet på {page}.",
    ),
    Case(
        "right",
        "N1",
        DA,
        "Alle samtaler med SmartForsikring bliver optaget og opbevaret i tre måneder. Det gør vi for at"
        " kunne dokumentere indholdet.",
        "Du har ret til at få indsigt i optagelsen og ret til at gøre indsigelse. Læs det hele på {page}.",
    ),
    Case(
        "right",
        "N2",
        DA,
        "Må vi optage denne samtale og gemme den til dokumentation af det, vi aftaler?",
        "Dit samtykke kan altid tilbagekaldes, og så sletter vi optagelsen. " + RIGHTS_DA,
        "Tryk på tasten 1 for at give lov. Gør du ikke noget, optager vi ikke.",
        unsure="silence",
    ),
    Case(
        "right",
        "N3",
        DA,
        "Giver du os lov til at optage samtalen, så vi kan blive bedre til vores arbejde og uddanne nye kolleger?",
        "Du kan til enhver tid sige nej igen, og så sletter vi. " + RIGHTS_DA,
        "Ja: tast 1.",
        unsure="withdraw",
    ),
    Case(
        "right",
        "N6",
        DA,
        "Samtalen optages og gemmes, for at vi kan dokumentere, hvad der er aftalt.",
        OBJECT_DA + " Må vi også bruge den til at uddanne vores ansatte? Du kan når som helst trække et ja tilbage, så"
        " bruger vi den ikke mere.",
        "Tryk 1 for ja.",
    ),
    Case(
        "deletion",
        "N6",
        DA,
        "Samtalen optages og gemmes, for at vi kan dokumentere, hvad der er aftalt.",
        OBJECT_DA + " Må vi også bruge den til at uddanne vores ansatte? Du kan når som helst trække et ja tilbage, så"
        " fjerner vi optagelsen.",
        "Tryk 1 for ja.",
        forbidden="deletion",
    ),
    Case(
        "deletion",
        "N7",
        DA,
        "Samtalen optages og gemmes, for at vi kan dokumentere, hvad der er aftalt, og for at uddanne vores ansatte.",
        "Sig til, hvis du ikke vil være med til uddannelsen, så sletter vi samtalen. " + OBJECT_DA,
        missing="say_so_then",
        forbidden="deletion",
    ),
    Case(
        "deletion",
        "N1",
        DA,
        "Samtalen optages og gemmes, for at vi kan dokumentere, hvad der er aftalt.",
        "Du kan til enhver tid få slettet optagelsen ved at kontakte os. " + OBJECT_DA,
        forbidden="deletion",
    ),
    Case(
        "optout",
        "N5",
        DA,
        "Vi optager samtalen til uddannelse af vagtcentralens personale.",
        "Du kan frabede dig optagelsen. " + OBJECT_DA,
        forbidden="opt_out",
    ),
    Case(
        "optout",
        "N8",
        DA,
        "Vi optager samtalen til dokumentation af forløbet og uddannelse af personalet.",
        "Hvis du ikke ønsker optagelse, så tryk 9. " + OBJECT_DA,
        forbidden="key_without_effect opt_out",
    ),
    Case(
        "silence",
        "N2",
        DA,
        "Må vi optage denne samtale og gemme den til dokumentation af det, vi aftaler?",
        "Du kan altid fortryde, så sletter vi optagelsen. " + RIGHTS_DA,
        "Tryk 1 for ja. Hvis du ikke trykker noget, betragter vi det som et ja, og samtalen optages.",
        forbidden="silence_as_yes",
    ),
    Case(
        "no withdraw then",
        "N2",
        DA,
        "Må vi optage denne samtale og gemme den til dokumentation af det, vi aftaler?",
        "Du kan altid fortryde. " + RIGHTS_DA,
        "Tryk 1 for ja.",
        missing="withdraw_then",
    ),
    Case(
        "key 2 for yes",
        "N2",
        DA,
        "Må vi optage denne samtale og gemme den til dokumentation af det, vi aftaler?",
        "Du kan altid fortryde, så sletter vi den. " + RIGHTS_DA,
        "Tryk 2 for ja.",
        missing="press_1",
        forbidden="key_without_effect",
    ),
    Case(
        "training not named",
        "N4",
        DA,
        "Samtalen optages.",
        "Sig til, hvis du ikke vil optages, så stopper vi. " + RIGHTS_DA,
        missing="train",
    ),
    Case(
        "law",
        "N7",
        DA,
        "Vi skal ifølge lovgivningen optage og gemme samtalen for at dokumentere, hvad der aftales. Vi"
        " bruger den også til at uddanne vores folk.",
        "Sig til, hvis du ikke vil have det sidste, så lader vi være. " + OBJECT_DA,
        forbidden="law",
    ),
    Case(
        "it may be recorded, or not",
        "N4",
        EN,
        "Calls may be recorded for training and monitoring purposes.",
        "If you do not want your call recorded, please inform the agent and recording will be stopped. " + RIGHTS_EN,
        unsure="hedged",
    ),
    Case(
        "right",
        "N4",
        EN,
        "To help us train our people, this call is being recorded.",
        "Not happy with that? Just say so and we'll switch it off. " + RIGHTS_EN,
    ),
    Case(
        "right",
        "N7",
        EN,
        "We record and retain all calls so that we have evidence of what was agreed, and our trainers use"
        " them for coaching.",
        "Should you prefer that yours is left out of coaching, just mention it and it will be left out. " + OBJECT_EN,
    ),
    Case(
        "right",
        "N7",
        EN,
        "Your call is recorded and saved to document what you and we say. We also use it in the training of"
        " new colleagues.",
        "You are free to decline the use for training: tell us, and we will not use it for that. " + OBJECT_EN,
    ),
    Case(
        "right",
        "N1",
        EN,
        "All calls are taped and kept on record for documentation of the advice given.",
        "You can object to this and ask for a copy of your recording. How is explained at {page}.",
    ),
    Case(
        "right",
        "N1 obligation",
        EN,
        "Financial regulation requires us to record and store this conversation in order to document your"
        " instructions.",
        "You have the right to access the recording. Details at {page}.",
    ),
    Case(
        "right",
        "N2",
        EN,
        "With your permission we would like to record and keep this conversation, to be able to document our"
        " agreement.",
        "You can revoke your permission at any moment; we then destroy the recording. " + RIGHTS_EN,
        "To give permission, press 1.",
    ),
    Case(
        "right",
        "N2",
        EN,
        "We would like to record and keep this conversation, to be able to document our agreement.",
        "You can withdraw at any time and have it deleted. " + RIGHTS_EN,
        "Press one for yes. If you press nothing, we carry on without recording.",
    ),
    Case(
        "right",
        "N6",
        EN,
        "This call is recorded and kept to document the agreement.",
        OBJECT_EN + " May we use it for staff training too? Should you regret your yes later, you can take it back at"
        " any time and we will stop using it.",
        "Press 1 for yes.",
    ),
    Case(
        "deletion",
        "N7",
        EN,
        "Your call is recorded and saved to document what you and we say. We also use it in the training of"
        " new colleagues.",
        "Tell us if you'd rather we didn't, and we will remove the recording. " + OBJECT_EN,
        missing="say_so_then",
        forbidden="deletion",
    ),
    Case(
        "deletion",
        "N1",
        EN,
        "Your call is recorded and saved to document what you and we say.",
        "You may request erasure at any time. " + OBJECT_EN,
        forbidden="deletion",
    ),
    Case(
        "deletion",
        "N8",
        EN,
        "Your call is recorded to document what you and we say and to train our dispatchers.",
        "We will delete your recording on request. " + OBJECT_EN,
        forbidden="deletion",
    ),
    Case(
        "optout",
        "N5",
        EN,
        "Calls are recorded to train our dispatchers.",
        "You may opt out by telling the dispatcher. " + OBJECT_EN,
        forbidden="opt_out",
    ),
    Case(
        "silence",
        "N2",
        EN,
        "We would like to record and keep this conversation, to be able to document our agreement.",
        "You can withdraw at any time and have it deleted. " + RIGHTS_EN,
        "Press 1 for yes. If you do not press anything, we will assume that you agree.",
        forbidden="silence_as_yes",
    ),
    Case(
        "stop",
        "N7",
        EN,
        "Your call is recorded and saved to document what you and we say. We also use it in the training of"
        " new colleagues.",
        "If you do not want this, tell us and we will turn off the recording. " + OBJECT_EN,
        missing="say_so_then",
        forbidden="stops_recording",
    ),
    Case(
        "callback",
        "N7",
        EN,
        "Your call is recorded and saved to document what you and we say. We also use it in the training of"
        " new colleagues.",
        "If you do not want this, tell us and we will not use it but ring you back without recording. " + OBJECT_EN,
        forbidden="no_call_back",
    ),
    Case(
        "no then",
        "N7",
        EN,
        "Your call is recorded and saved to document what you and we say. We also use it in the training of"
        " new colleagues.",
        "If you do not want that, tell us. " + OBJECT_EN,
        missing="say_so_then",
    ),
    Case(
        "not recorded",
        "N1",
        EN,
        "Your call is not recorded, but we keep notes as documentation of what is said.",
        OBJECT_EN,
        missing="recorded",
        unsure="unclear",
    ),
]
