"""The words for a call's connection: one small word when it is not good, and all the figures for who asks."""

from __future__ import annotations

from softphone.texts import Texts
from softphone.wire.snapshot import Quality


def quality_word(texts: Texts, quality: Quality | None) -> str:
    """Empty while the connection is good, or not known yet."""
    return "" if quality is None or quality.word == "good" else texts(f"quality.{quality.word}")


def quality_rows(texts: Texts, quality: Quality) -> tuple[tuple[str, str], ...]:
    """What each figure is, and the figure."""

    def share(of: float | None) -> str:
        return texts("quality.unknown") if of is None else texts("quality.share", percent=texts.decimal(of * 100))

    def time(of: float | None) -> str:
        return texts("quality.unknown") if of is None else texts("quality.ms", ms=round(of * 1000))

    rating = texts("quality.rated", r=round(quality.r), mos=texts.decimal(quality.mos))
    return (
        (texts("quality.connection"), texts(f"quality.{quality.word}")),
        (texts("quality.rating"), rating),
        (texts("quality.loss"), share(quality.loss)),
        (texts("quality.loss_there"), share(quality.loss_there)),
        (texts("quality.jitter"), time(quality.jitter)),
        (texts("quality.jitter_there"), time(quality.jitter_there)),
        (texts("quality.round_trip"), time(quality.round_trip)),
        (texts("quality.buffer"), time(quality.buffer)),
        (texts("quality.codec"), quality.codec),
    )
