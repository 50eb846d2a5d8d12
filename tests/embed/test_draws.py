"""The sample of a phone without an archive: exact in every block, and a call that comes to nothing gives its place back."""

from __future__ import annotations

from fractions import Fraction

import pytest

from softphone.embed.draws import Draws
from tests.policies import policy_of

TENTH = policy_of().policy.line[0]
AGENT = "agent"


def test_the_line_is_one_that_samples_a_tenth() -> None:
    assert TENTH.training is not None
    assert TENTH.training.sample == Fraction(1, 10)


@pytest.mark.rule("G34")
def test_of_the_calls_that_are_answered_the_share_is_drawn_and_no_more() -> None:
    draws = Draws()
    drawn = sum(answered(draws, AGENT, f"call-{n}") for n in range(3_000))
    # A block is at most three tenfolds long: what is drawn ahead or behind is at most its share of one.
    assert abs(drawn - 300) <= 3


@pytest.mark.rule("G34")
def test_each_agent_has_the_share_of_their_own_calls() -> None:
    draws = Draws()
    drawn = dict.fromkeys(("one", "other"), 0)
    for n in range(1_000):
        agent = "one" if n % 3 else "other"
        drawn[agent] += answered(draws, agent, f"call-{n}")
    assert abs(drawn["one"] - 66) <= 3
    assert abs(drawn["other"] - 33) <= 3


@pytest.mark.rule("G34")
def test_a_call_that_comes_to_nothing_gives_its_place_to_the_next() -> None:
    draws = Draws()
    first = draws.draw(TENTH, AGENT, "first")
    assert draws.draw(TENTH, AGENT, "first") is first
    draws.forget("first")
    assert draws.draw(TENTH, AGENT, "second") is first


@pytest.mark.rule("G34")
def test_calls_that_ring_at_once_have_places_of_their_own() -> None:
    draws = Draws()
    at_once = [f"call-{n}" for n in range(60)]
    drawn = sum(draws.draw(TENTH, AGENT, call) for call in at_once)
    for call in at_once:
        draws.use(call)
    assert 3 <= drawn <= 9


def test_a_line_without_training_draws_nobody() -> None:
    assert not Draws().draw(policy_of().policy.line[1], AGENT, "call")


def answered(draws: Draws, agent: str, call: str) -> bool:
    drawn = draws.draw(TENTH, agent, call)
    draws.use(call)
    draws.forget(call)
    return drawn
