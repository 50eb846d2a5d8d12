"""The catalog's tables as the program reads and writes them: their columns by kind. How they come to be is in migrations/.

Times are text, ISO 8601 in UTC; ids are text. Every row carries its desk's id, so that archives can be joined.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()


def _table(name: str, text: str, *, numbers: str = "", blobs: str = "") -> Table:
    kinds = ((text, Text), (numbers, Integer), (blobs, LargeBinary))
    return Table(name, metadata, *(Column(one, kind) for names, kind in kinds for one in names.split()))


meta = _table("meta", "name value")
calls = _table(
    "calls",
    "call desk line direction started_at notice language time_zone agent call_group",
    blobs="number_sealed number_index",
)
"""`call_group`: the first of those that were transferred one into the next; none: it is the first itself"""
recordings = _table("recordings", "recording call desk opened_at closed_at restricted broke_off_at line agent")
purposes = _table(
    "purposes",
    "recording purpose desk basis retention expires_on stands reason reviewed_at at_end keep_reviewed judge_by",
)
reviews = _table("reviews", "recording desk at by", numbers="shared")
review_comments = _table("review_comments", "comment recording desk text at by", numbers="sample")
review_scores = _table("review_scores", "recording item desk at by", numbers="points")
sample_tallies = _table("sample_tallies", "desk line agent month what", numbers="count")
segments = _table("segments", "recording desk opened_at purposes", numbers="segment chunks")
wraps = _table("wraps", "recording role key_id suite desk", numbers="segment slot")
"""which keys open what; what is sealed for them lies in a file of its own, in this slot (`crypto/slots`)"""
holds = _table(
    "holds",
    "hold recording desk raised_for raised_by at provisional_until confirm_by why"
    " lifted_at lifted_reason confirmed_at look_again",
)
audit = _table("audit", "desk at event rule call recording params previous hash", numbers="number")
checkpoints = _table("checkpoints", "desk hash at key signature", numbers="number")
audit_begins = _table("audit_begins", "desk hash at key signature", numbers="number")
call_backs = _table("call_backs", "call desk line at until", blobs="number_sealed number_index")
refusals = _table("refusals", "desk at until", blobs="number_index")
party_languages = _table("party_languages", "desk language at until", blobs="number_index")
upheld = _table("upheld", "line purpose desk at until", blobs="number_index")
"""objections that custody upheld: later calls of the number on the line are not recorded for the purpose (G23)"""
past_calls = _table("past_calls", "call desk agent at until", blobs="sealed note number_index")
"""an agent's own calls, also those of which nothing was recorded, for as long as `own_calls` says. `number_index`: of those with
a note, by which its party's request finds it"""
sample_runs = _table(
    "sample_runs", "line agent desk share taken until", numbers="number block start next", blobs="seed"
)
outbox = _table("outbox", "desk id kind call recording told at failed", numbers="seq", blobs="number_sealed")
"""what the house is to hear, in this order; `id` makes it the same when it is told again"""
shipped = _table("shipped", "recording call desk at state copy receipt head_hash failed until", numbers="head")
"""how far a recording has come on its way to the house, and what has become of the copy here"""
condemned = _table("condemned", "recording desk at")
touched = _table("touched", "desk kind id", numbers="seq")
"""what a backup does not have yet; the catalog itself fills it, whichever way a change comes"""


def time_in(column: object) -> datetime | None:
    """The time that a column holds. None if it holds none.

    Also for what somebody put in past the program: bytes, a time without a zone, or a year from which nothing can be counted
    on.
    """
    if not isinstance(column, str):
        return None
    try:
        at = datetime.fromisoformat(column)
    except ValueError:
        return None
    return at if at.tzinfo is not None and MINYEAR < at.year < MAXYEAR else None
