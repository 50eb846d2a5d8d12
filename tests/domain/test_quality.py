"""The E-model against what ITU-T has published of it, and the word that people see."""

from __future__ import annotations

import pytest

from softphone.domain.quality import G711, G722, Codec, Judge, mos, r_factor


def test_a_perfect_line_is_what_g107_says_of_its_defaults() -> None:
    """G.107 clause 7.7: all defaults give R = 93.2."""
    assert r_factor(G711, loss=0, one_way_ms=0) == pytest.approx(93.2, abs=0.05)
    assert mos(93.2) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(("r", "published"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_mos_is_that_of_g107_annex_b(r: float, published: float) -> None:
    assert mos(r) == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize(("percent", "published"), [(1, 5), (2, 7), (3, 10), (5, 15), (7, 20), (10, 25)])
def test_loss_takes_off_what_was_heard_of_g711_with_concealment(percent: float, published: float) -> None:
    """G.113 (02/2001) table I.2: Ie by random loss, listened to before there was a formula."""
    lost = r_factor(G711, loss=0, one_way_ms=0) - r_factor(G711, loss=percent / 100, one_way_ms=0)
    assert lost == pytest.approx(published, abs=2.5)


@pytest.mark.parametrize(
    ("codec", "published"),
    [
        (Codec(11.0, 19.0), {0: 11, 0.5: 13, 1: 15, 1.5: 17, 2: 19, 3: 23, 4: 26, 8: 36, 16: 49}),
        (Codec(15.0, 16.1), {0: 15, 0.5: 17, 1: 19, 1.5: 22, 2: 24, 3: 27, 4: 32, 8: 41, 16: 55}),
        (Codec(5.0, 10.0), {0: 5, 1: 16, 2: 21, 3: 26, 5: 33}),
    ],
    ids=["G.729A+VAD", "G.723.1+VAD 6.3", "GSM EFR"],
)
def test_loss_takes_off_what_g113_lists_for_other_codecs_too(codec: Codec, published: dict[float, float]) -> None:
    """G.113 (02/2001) table I.2, by the Ie and Bpl of the later appendix I: the formula, beyond the one codec that we use."""
    perfect = r_factor(Codec(0.0, 25.1), loss=0, one_way_ms=0)
    taken_off = {percent: perfect - r_factor(codec, loss=percent / 100, one_way_ms=0) for percent in published}
    assert taken_off == pytest.approx(published, abs=3)


def test_a_lost_packet_counts_alike_where_it_is_concealed_alike() -> None:
    """G.113 lists no Bpl for G.722."""
    for percent in (1, 2, 5):
        narrow, wide = (
            r_factor(codec, loss=0, one_way_ms=0) - r_factor(codec, loss=percent / 100, one_way_ms=0)
            for codec in (G711, G722)
        )
        assert wide == pytest.approx(narrow, abs=1.5)


def test_delay_is_nothing_until_a_hundred_ms_and_then_grows() -> None:
    """G.107's Idd alone: 3.0 at 200 ms, 14.8 at 300 ms, 24.1 at 400 ms, beside the echo that the delay lets be heard."""
    rated = [r_factor(G711, loss=0, one_way_ms=ms) for ms in (0, 100, 200, 300, 400)]
    assert rated == sorted(rated, reverse=True)
    assert rated[0] - rated[1] < 3
    assert rated[1] - rated[2] > 3.0
    assert rated[2] - rated[4] > 24.1 - 3.1


def test_a_wide_band_is_rated_on_its_own_scale() -> None:
    """G.107.1: 129 less G.722's 13 (G.113 appendix IV), brought to a hundred."""
    assert r_factor(G722, loss=0, one_way_ms=0) == pytest.approx((129 - 13) / 1.29, abs=0.2)
    for nonsense in (-1.0, 2.0):
        assert 0 <= r_factor(G722, loss=nonsense, one_way_ms=10_000) <= 100


def test_the_word_neither_flutters_nor_hides_a_bad_line() -> None:
    judge = Judge()
    assert [judge.look(r) for r in (30, 90)] == ["good", "good"], "one look proves nothing"
    assert [judge.look(r) for r in (75, 75)] == ["good", "poor"]
    assert {judge.look(r) for r in (82, 79, 83, 82, 83)} == {"poor"}, "around the limit it stays"
    assert [judge.look(r) for r in (85, 85)] == ["poor", "good"]
    assert [judge.look(r) for r in (40, 70, 40, 40)] == ["good", "poor", "poor", "bad"]
    assert [judge.look(r) for r in (62, 62, 65, 65)] == ["bad", "bad", "bad", "poor"]
