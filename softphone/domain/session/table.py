"""The guideline's table of notices, for the session: what each speaks of, what it asks, which knows special circumstances."""

from __future__ import annotations

from softphone.domain.decision import NoticeId
from softphone.domain.notice import COVERS, MENTIONS, SPECIAL, PurposeMention, asks
from softphone.domain.purpose import Purpose

__all__ = ["ASKS", "COVERS", "REFUSE_TRAINING", "SPECIAL", "covered_purposes"]

ASKS: dict[NoticeId, frozenset[Purpose]] = {notice: frozenset(asks(notice)) for notice in NoticeId}

REFUSE_TRAINING: frozenset[NoticeId] = frozenset(
    notice
    for notice, (documentation, training) in MENTIONS.items()
    if training is PurposeMention.OPT_OUT
    or (training is PurposeMention.ASKED and documentation is not PurposeMention.ASKED)
)
"""the notices that tie the opt-out keys to training alone (G31): after one, these keys refuse nothing else"""


def covered_purposes(given: NoticeId, decided: NoticeId | None) -> frozenset[Purpose]:
    """The purposes of which a notice given elsewhere says the same as ours would: whether it asks, and for training whether
    it offers an opt-out. The party has not been told of the others (G05)."""
    if decided is None:
        return frozenset()
    return frozenset(
        purpose
        for purpose in COVERS[given] & COVERS[decided]
        if (purpose in ASKS[given]) is (purpose in ASKS[decided])
        and (purpose is not Purpose.TRAINING or purpose in ASKS[given] or (given in SPECIAL) is (decided in SPECIAL))
    )
