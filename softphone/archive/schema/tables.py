"""The catalog's tables as the program reads and writes them. How they come to be is in migrations/, never here.

Times are text, ISO 8601 in UTC; ids are text. Every row carries its desk's id, so that archives can be joined.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

calls = Table(
    "calls",
    metadata,
    Column("call", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("line", Text),
    Column("direction", Text, nullable=False),
    Column("number_sealed", LargeBinary),
    Column("number_index", LargeBinary),
    Column("started_at", Text, nullable=False),
    Column("notice", Text),
    Column("language", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("agent", Text),
)

recordings = Table(
    "recordings",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("call", Text, nullable=False),
    Column("desk", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("restricted", Text),
    Column("broke_off_at", Text),
    Column("line", Text),
    Column("agent", Text),
)

purposes = Table(
    "purposes",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("basis", Text),
    Column("retention", Text),
    Column("expires_on", Text),
    Column("stands", Text, nullable=False),
    Column("reason", Text),
    Column("reviewed_at", Text),
    Column("at_end", Text, nullable=False, server_default="delete"),
    Column("keep_reviewed", Text),
    Column("judge_by", Text),
)

reviews = Table(
    "reviews",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("shared", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
)

review_comments = Table(
    "review_comments",
    metadata,
    Column("comment", Text, primary_key=True),
    Column("recording", Text, nullable=False),
    Column("desk", Text, nullable=False),
    Column("sample", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
)

review_scores = Table(
    "review_scores",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("points", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
)

sample_tallies = Table(
    "sample_tallies",
    metadata,
    Column("desk", Text, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("count", Integer, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("purposes", Text, nullable=False),
    Column("chunks", Integer),
)

wraps = Table(
    "wraps",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("suite", Text, nullable=False),
    Column("desk", Text, nullable=False),
    Column("slot", Integer, nullable=False),
)
"""which keys open what; what is sealed for them lies in a file of its own, in this slot (`keys/slots`)"""

holds = Table(
    "holds",
    metadata,
    Column("hold", Text, primary_key=True),
    Column("recording", Text, nullable=False),
    Column("desk", Text, nullable=False),
    Column("raised_for", Text, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("provisional_until", Text),
    Column("confirm_by", Text),
    Column("why", Text, nullable=False),
    Column("lifted_at", Text),
    Column("lifted_reason", Text),
    Column("confirmed_at", Text),
    Column("look_again", Text),
)

audit = Table(
    "audit",
    metadata,
    Column("desk", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("recording", Text),
    Column("params", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("desk", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", Text, nullable=False),
)

audit_begins = Table(
    "audit_begins",
    metadata,
    Column("desk", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", Text, nullable=False),
)

call_backs = Table(
    "call_backs",
    metadata,
    Column("call", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("number_sealed", LargeBinary),
    Column("number_index", LargeBinary),
    Column("line", Text),
    Column("at", Text, nullable=False),
    Column("until", Text),
)

refusals = Table(
    "refusals",
    metadata,
    Column("number_index", LargeBinary, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("until", Text, nullable=False),
)

party_languages = Table(
    "party_languages",
    metadata,
    Column("number_index", LargeBinary, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("until", Text, nullable=False),
)

upheld = Table(
    "upheld",
    metadata,
    Column("number_index", LargeBinary, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("until", Text, nullable=False),
)
"""objections that custody upheld: later calls of the number on the line are not recorded for the purpose (G23)"""

past_calls = Table(
    "past_calls",
    metadata,
    Column("call", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""an agent's own calls, also those of which nothing was recorded, for as long as `own_calls` says"""

sample_runs = Table(
    "sample_runs",
    metadata,
    Column("line", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("seed", LargeBinary, nullable=False),
    Column("share", Text, nullable=False),
    Column("block", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("next", Integer, nullable=False),
    Column("taken", Text, nullable=False),
    Column("until", Text),
)

condemned = Table(
    "condemned",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("at", Text, nullable=False),
)

touched = Table(
    "touched",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("desk", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
)
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
