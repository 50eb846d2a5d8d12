"""Whether a call is in the sample."""

from __future__ import annotations

from fractions import Fraction

import pytest

from softphone.domain.sampling import drawn, roll

SECRET = b"a secret of this desk"


@pytest.mark.rule("G34")
@pytest.mark.parametrize("percent", [1, 10, 50, 90])
def test_about_as_many_calls_are_drawn_as_the_share_says(percent: int) -> None:
    share = Fraction(percent, 100)
    calls = 20_000
    hits = sum(drawn(share, roll(SECRET, f"call {n}")) for n in range(calls))
    spread = float(calls * share * (1 - share)) ** 0.5
    assert abs(hits - calls * share) < 4 * spread


@pytest.mark.rule("G34")
def test_none_are_drawn_at_nought_and_all_at_a_hundred_percent() -> None:
    rolls = [roll(SECRET, str(n)) for n in range(500)] + [Fraction(0), Fraction(2**64 - 1, 2**64)]
    assert not any(drawn(Fraction(0), one) for one in rolls)
    assert all(drawn(Fraction(1), one) for one in rolls)


def test_a_draw_can_be_repeated_and_not_foreseen_without_the_secret() -> None:
    ours = [drawn(Fraction(1, 2), roll(SECRET, str(n))) for n in range(64)]
    assert ours == [drawn(Fraction(1, 2), roll(SECRET, str(n))) for n in range(64)]
    assert ours != [drawn(Fraction(1, 2), roll(b"another secret", str(n))) for n in range(64)]
