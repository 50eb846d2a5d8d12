"""Right wordings, plainly put, as companies write them, gathered after the word lists.

A check that sends these to a person is too strict.
"""

from __future__ import annotations

from plugins.datatilsynet.tests.wordings import DA, EN, Case

PLAIN = [
    Case(
        "a power company's",
        "N1",
        DA,
        "Velkommen til Vestkraft. Vi gør opmærksom på, at samtalen bliver optaget og opbevaret, så vi kan "
        "dokumentere, hvad vi har aftalt.",
        "Du har ret til at gøre indsigelse og til at få indsigt i optagelsen. Læs mere på {page}.",
        unsure="happened said",
    ),
    Case(
        "a shop's",
        "N1",
        DA,
        "Af dokumentationshensyn optager og gemmer vi alle telefonsamtaler, så vi kan bevise, hvad der er aftalt.",
        "Du kan til enhver tid gøre indsigelse, og du kan få en kopi af optagelsen. Se hvordan på {page}.",
        unsure="happened said",
    ),
    Case(
        "a short one",
        "N1",
        DA,
        "Din samtale optages og gemmes som dokumentation for indholdet.",
        "På {page} kan du læse om dine rettigheder, herunder retten til indsigt og indsigelse.",
    ),
    Case(
        "a pension fund's",
        "N1 obligation",
        DA,
        "Vi er efter loven forpligtet til at optage og opbevare samtalen, så de aftaler, vi indgår, kan dokumenteres.",
        "Du kan få indsigt i optagelsen. Du kan læse mere på {page}.",
        unsure="happened said",
    ),
    Case(
        "a bank's",
        "N2",
        DA,
        "Vi vil gerne have lov til at optage og gemme samtalen, så det kan dokumenteres, hvad vi taler om og aftaler.",
        "Du kan til enhver tid trække dit samtykke tilbage, og så sletter vi optagelsen. Læs om dine rettigheder,"
        " herunder indsigt, på vores hjemmeside {page}.",
        "Tryk 1, hvis det er i orden. Ellers bliver samtalen ikke optaget.",
        unsure="happened",
    ),
    Case(
        "a school's",
        "N3",
        DA,
        "Må vi optage samtalen? Vi bruger den til at træne vores medarbejdere.",
        "Du kan altid ombestemme dig, og så sletter vi optagelsen. Dine rettigheder, blandt andet indsigt, finder"
        " du på {page}.",
        "Tryk 1 for ja.",
    ),
    Case(
        "a municipality's",
        "N3",
        DA,
        "Vi vil meget gerne optage samtalen til uddannelse af vores medarbejdere.",
        "Du kan altid trække dit ja tilbage. Så sletter vi samtalen med det samme. Læs mere om dine rettigheder "
        "og om indsigt på {page}.",
        "Tast 1, hvis du siger ja til det.",
    ),
    Case(
        "a call centre's",
        "N4",
        DA,
        "Vi optager samtalen for at kunne uddanne vores medarbejdere og sikre kvaliteten af vores service.",
        "Vil du ikke optages, så sig det til medarbejderen. Så stopper vi optagelsen og sletter det, der er "
        "optaget. Læs om dine rettigheder, herunder indsigt, på {page}.",
    ),
    Case(
        "a helpline's",
        "N4",
        DA,
        "Opkaldet optages til intern uddannelse og kvalitetssikring.",
        "Ønsker du ikke at blive optaget, kan du sige det til den, du taler med, og så slukker vi for optagelsen."
        " Dine rettigheder, fx indsigt, kan du læse om på {page}.",
    ),
    Case(
        "a rescue service's",
        "N5",
        DA,
        "Samtalen optages til træning af vores vagtpersonale.",
        "Du kan gøre indsigelse, og du har ret til indsigt i optagelsen. Læs mere på {page}.",
    ),
    Case(
        "a union's",
        "N6",
        DA,
        "Vi optager og gemmer samtalen for at dokumentere det, vi aftaler.",
        "Du kan få indsigt i optagelsen og gøre indsigelse mod den. Se {page}. Vi vil også gerne bruge samtalen "
        "til at uddanne vores medarbejdere. Du kan altid sige nej igen og trække dit samtykke tilbage, så holder "
        "vi op med det.",
        "Tryk 1, hvis vi må bruge samtalen til uddannelse.",
        unsure="happened said",
    ),
    Case(
        "an insurer's",
        "N7",
        DA,
        "Samtalen bliver optaget og gemt for at dokumentere, hvad vi aftaler. Den bliver også brugt til at "
        "uddanne vores medarbejdere.",
        "Vil du ikke have, at den bruges til uddannelse, så sig det bare, så bruger vi den ikke til det. Læs om "
        "indsigt og indsigelse på {page}.",
        unsure="happened said",
    ),
    Case(
        "a phone company's",
        "N7",
        DA,
        "Vi optager og gemmer samtalen som dokumentation for vores aftaler, og vi bruger den, når vi uddanner nye"
        " medarbejdere.",
        "Hvis du ikke vil være med til det sidste, skal du bare sige til, så bruger vi den ikke til uddannelse. "
        "Du kan læse om din ret til indsigt og indsigelse på {page}.",
        unsure="unclear happened said",
    ),
    Case(
        "a power company's",
        "N1",
        EN,
        "Welcome to Westpower. Please note that this call is recorded and kept so that we can document what we agree.",
        "You have the right to object and the right to a copy of the recording. Read more at {page}.",
        unsure="happened said",
    ),
    Case(
        "a shop's",
        "N1",
        EN,
        "For documentation purposes, we record and store all calls, so that we can prove what was agreed.",
        "You can object at any time, and you can get access to the recording. See {page}.",
        unsure="happened said",
    ),
    Case(
        "a bank's",
        "N2",
        EN,
        "We would like your permission to record and store this call to document what we discuss and agree.",
        "You can withdraw your consent at any time, and we will then delete the recording. You can read about "
        "your rights, including access, on our website, {page}.",
        "Press 1 to agree. Otherwise the call will not be recorded.",
        unsure="happened",
    ),
    Case(
        "a school's",
        "N3",
        EN,
        "May we record this call to train our employees?",
        "You can always change your mind, and then we will delete the recording. Read about your rights, "
        "including access, at {page}.",
        "Press 1 if you say yes.",
    ),
    Case(
        "a call centre's",
        "N4",
        EN,
        "This call is recorded for quality assurance and staff training.",
        "If you do not want to be recorded, please tell the person you are talking to, and we will stop recording"
        " and delete what has been recorded. Read about your rights, including access, at {page}.",
    ),
    Case(
        "a rescue service's",
        "N5",
        EN,
        "This call is recorded to train our emergency staff.",
        "You can object to the recording, and you have a right of access to it. Read more at {page}.",
    ),
    Case(
        "an insurer's",
        "N6",
        EN,
        "We record and keep this call to document what we agree.",
        "You can object to the recording or ask for a copy of it at {page}. We would also like to use the "
        "recording to train our staff. You can withdraw your consent at any time, and we will stop using it.",
        "Press 1 if you agree.",
        unsure="happened said",
    ),
    Case(
        "a phone company's",
        "N7",
        EN,
        "We record and keep this call to document our agreement, and we use it to train our staff.",
        "If you do not want us to use it for training, just say so, and we will not. You can read about access "
        "and how to object at {page}.",
        unsure="happened said",
    ),
    Case(
        "a hotel's",
        "N7",
        EN,
        "This call is recorded and stored to document what we say, and it will also be used for training.",
        "Tell us if you do not want it to be used for training, and it will not be used for that. Your rights, "
        "including the right to object and the right of access, are explained at {page}.",
        unsure="happened agreed",
    ),
]
