"""What an exchange says in its INVITE that it has told the party already: reads the header `Klartone-Told`. Pure.

Whether that exchange is believed is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language

HEADER = "Klartone-Told"

_KEYS = re.compile(r"[0-9*#]{0,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UpstreamNotice:
    """`keys`: what the party pressed there, in order. `language` None: the exchange does not say."""

    notice: NoticeId
    language: Language | None = None
    keys: str = ""


def read_upstream_notice(values: tuple[str, ...]) -> UpstreamNotice | None:
    """`N7;language=da;keys=1` from one header; None for anything else.

    An unknown parameter is passed over, as SIP does. A repeated parameter is believed in neither form.
    """
    if len(values) != 1:
        return None
    first, *rest = (part.strip() for part in values[0].split(";"))
    fields: dict[str, str] = {}
    for part in rest:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name.lower() in fields:
            return None
        fields[name.lower()] = value
    keys = fields.get("keys", "")
    if not _KEYS.fullmatch(keys):
        return None
    try:
        language = Language(fields["language"].lower()) if "language" in fields else None
        return UpstreamNotice(NoticeId(first), language, keys)
    except ValueError:
        return None
