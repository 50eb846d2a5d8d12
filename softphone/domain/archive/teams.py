"""The teams that a person leads, by the policy: whose calls, how many can be reviewed in a week, on what card."""

from __future__ import annotations

from collections.abc import Iterable

from softphone.domain.archive.permission import Viewer
from softphone.domain.archive.reviews import TeamLed
from softphone.domain.policy import LocalText, Policy, ScoreItem, Team


def teams_led(viewer: Viewer, policy: Policy) -> tuple[TeamLed, ...]:
    if viewer.all_teams:
        name = LocalText(da="Demo", en="Demo") if viewer.demo else None
        lines = tuple(line.id for line in policy.line)
        return (TeamLed("", name, lines, (), _capacity(policy, lines), policy.score),)
    return tuple(
        TeamLed(team.id, team.name, team.lines, team.agents, _team_capacity(policy, team), _card(policy, team))
        for team in viewer.teams
    )


def _card(policy: Policy, team: Team) -> tuple[ScoreItem, ...]:
    return tuple(item for item in policy.score if not item.teams or team.id in item.teams)


def _team_capacity(policy: Policy, team: Team) -> int | None:
    """None too if another team shares one of its lines: a line's capacity is for all its reviewers, and the policy does not
    divide it."""
    others = {line for one in policy.team if one.id != team.id for line in one.lines}
    return None if others & set(team.lines) else _capacity(policy, team.lines)


def _capacity(policy: Policy, lines: Iterable[str]) -> int | None:
    """What the reviewers of these lines say they can review in a week; None: nobody has said."""
    found = [policy.line_named(line) for line in lines]
    said = [one.training.capacity for one in found if one and one.training and one.training.capacity]
    return sum(said) or None
