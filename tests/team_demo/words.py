"""The story's sentences, in Danish and English, by what happens."""

from __future__ import annotations

from softphone.domain.purpose import Language

_WORDS = {
    "servers": (
        "Serverne kører: PostgreSQL, et S3-lager (SeaweedFS) og Klartones tjeneste på {address}.",
        "The servers run: PostgreSQL, an S3 store (SeaweedFS) and Klartone's service at {address}.",
    ),
    "policy": (
        "Sofie, Lars og Mette har hver sin nøgle. Databeskyttelse har underskrevet reglerne.",
        "Sofie, Lars and Mette each have a key of their own. Data protection has signed the policy.",
    ),
    "joined": (
        "Alle er med via et link hver: {who}.",
        "Everybody has joined, each by a link: {who}.",
    ),
    "desks": ("Tre telefoner er klar til opkald.", "Three phones are ready to be called."),
    "calls": (
        "Tre kunder ringer. Hver af dem hører, at der optages, før optagelsen begynder.",
        "Three callers ring. Each hears of the recording before it begins.",
    ),
    "recording": (
        "{who}: optager, efter at kunden har hørt hele meddelelsen.",
        "{who}: recording, now that the caller has heard the whole notice.",
    ),
    "untrained": (
        "{who}: arkivet svarede ikke inden for 0,3 s, så samtalen bruges ikke til uddannelse.",
        "{who}: the archive did not answer within 0.3 s, so this call is left out of training.",
    ),
    "dispute": ("{who}: trykker på Tvist. Optagelsen låses.", "{who}: presses Dispute. The recording is locked."),
    "shipped": (
        "{who}: samtalen er slut, og arkivet har kvitteret for optagelsen.",
        "{who}: the call is over, and the archive has signed for the recording.",
    ),
    "lead": (
        "Lars, teamleder: ser {count} samtaler fra andre computere og intet nummer. Den omstridte er ikke med.",
        "Lars, team lead: sees {count} calls from other machines, and no number. The disputed one is not among them.",
    ),
    "reviewed": (
        "Lars hører en af dem ({seconds} s), giver 4 point og skriver en kommentar.",
        "Lars opens one ({seconds} s of sound), gives 4 points and writes a comment.",
    ),
    "said": ("En rolig start.", "A calm beginning."),
    "found": (
        "Mette, databeskyttelse: finder {count} optagelser ud fra kundens nummer, fra {desks} telefoner.",
        "Mette, data protection: finds {count} recordings by the caller's number, from {desks} phones.",
    ),
    "answered": (
        "Kunden beder om indsigt. Mette låser dem, laver en kopi til kunden og svarer.",
        "The caller asks for access. Mette locks them, makes the caller a copy and answers.",
    ),
    "released": (
        "Tvisten er løst, og Mette låser op. Lars ser nu {count} samtaler.",
        "The dispute is settled, and Mette lifts the lock. Lars now sees {count} calls.",
    ),
    "heard": (
        "Mette ser i loggen, at den ene af dem er åbnet eller kopieret {count} gange, af hvem og hvorfor.",
        "In the log Mette sees that one of them was opened or copied {count} times, by whom and why.",
    ),
    "objected": (
        "Kunden gør indsigelse i et brev. Mette afviser den med en grund; optagelsen er imens kun hendes.",
        "The caller objects by letter. Mette rejects it for a reason; until then the recording is hers alone.",
    ),
    "erased": (
        "En anden kunde vil have sin optagelse slettet. Mette giver medhold, og filen er væk fra lageret.",
        "Another caller wants a recording erased. Mette agrees, and its file is gone from storage.",
    ),
    "stays": (
        "Det bliver stående. Skriv for {who}, eller »team«: for eksempel »mette archive list« eller »team people«. "
        "En tom linje lukker det ned.",
        "The house stays. Type for {who}, or “team”: “mette archive list”, say, or “team people”. "
        "An empty line shuts it down.",
    ),
    "nobody": ("Skriv først, hvem det er: {who} eller »team«.", "Say first who it is: {who} or “team”."),
    "it": (
        "Ib, IT: ser {count} personer og deres computere. Samtaler får han ikke:",
        "Ib, IT: sees {count} people and their machines. Calls are refused to him:",
    ),
    "verified": (
        "Database, lager og log er sammenlignet. Alt stemmer.",
        "Database, storage and log have been compared. All of it agrees.",
    ),
    "done": (
        "Alt er lukket ned, og intet er efterladt på computeren.",
        "Everything has been shut down, and nothing is left on this machine.",
    ),
}


def words(language: Language, code: str, **params: object) -> str:
    danish, english = _WORDS[code]
    return (danish if language is Language.DA else english).format(**params)
