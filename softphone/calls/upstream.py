"""What an exchange says in its INVITE that it has told the party already: the header `Klartone-Told`, read. Pure.

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
    """`keys`: what the party pressed there, in that order. `language` None: the exchange does not say."""

    notice: NoticeId
    language: Language | None = None
    keys: str = ""


def read_upstream_notice(values: tuple[str, ...]) -> UpstreamNotice | None:
    """`N7;language=da;keys=1` as it stands in one header; None for anything else.

    A parameter that is not known here is passed over, as SIP does. What is said twice is not believed in either form.
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
