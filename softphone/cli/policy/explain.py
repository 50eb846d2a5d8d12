"""`klartone policy explain`: what the policy means for each line, in sentences to be read aloud, and what the party hears.

It asks the rulebook itself, so it says what happens in a call.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import load_draft, printable, wanted_signer
from softphone.cli.policy.asking import Asked, asked_rulebook
from softphone.cli.policy.telling import LineTeller, Paragraph, in_words_lacking, of_the_whole
from softphone.domain.decision import Facts, NoticeDelivery
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Line, LoadedPolicy, Policy, PolicyFault, day_of, notice_way
from softphone.domain.purpose import Direction, Language, Reason
from softphone.plugin.own import OwnNotices
from softphone.texts import Texts

WIDTH = 92


def policy_explain(arguments: argparse.Namespace) -> int:
    """One line if it is named, else all of them. Raises KlartoneError for an unknown line."""
    tell = texts(arguments.told_in)
    if arguments.policy is not None and arguments.line is None and arguments.file is not None:
        arguments.line, arguments.file = (
            str(arguments.file),
            None,
        )  # with the file given by the option, the one word is the line
    loaded, keyless = load_draft(arguments, tell)
    policy, now = loaded.policy, datetime.now(UTC)
    wanted = {line.id for line in policy.line if arguments.line in (None, line.id)}
    if not wanted and arguments.line is not None:
        known = ", ".join(line.id for line in policy.line) or "–"
        raise KlartoneError("error.policy.no_such_line", value=arguments.line[:60], known=known)
    with asked_rulebook(Home.of(arguments)) as asked:
        own = asked.own(loaded, tell, signed=bool(wanted_signer(arguments)))
        loaded = loaded.with_remarks(*own.remarks)
        lines = _section(
            ", ".join(one.name for one in policy.controller),
            "=",
            [
                ("", [tell("explain.keys_to_come")] if keyless else []),
                ("", of_the_whole(policy, tell)),
                (tell("explain.about.warnings"), _doubts(loaded, None, tell)),
                (tell("explain.about.confirmed"), _doubts(loaded, None, tell, confirmed=True)),
            ],
        )
        for line in (one for one in own.lines if one.id in wanted):
            teller = LineTeller(policy, line, day_of(policy, now), tell)
            paragraphs = [
                *teller.what_is_recorded(),
                (tell("explain.about.notice"), list(_heard(asked, policy, line, own, now, teller))),
                *teller.what_the_party_can_do(),
                (tell("explain.about.warnings"), _doubts(loaded, line, tell)),
                (tell("explain.about.confirmed"), _doubts(loaded, line, tell, confirmed=True)),
            ]
            lines += _section(f"{line.name[tell.language]} ({line.id})", "-", paragraphs)
    print("\n".join(lines).strip())  # noqa: T201
    return 0


def _heard(
    asked: Asked, policy: Policy, line: Line, own: OwnNotices, now: datetime, teller: LineTeller
) -> Iterator[str]:
    """How the party is told, and in which words: for a call in the sample, and for one that is not.

    Raises KlartoneError if the rulebook gives no answer, which is not guessed.
    """
    ways = {way: notice_way(line, way) for way in line.calls}
    language = policy.language_of(line)
    facts = Facts(line.id, line.calls[0], None, language, declined_earlier=False, at=now)
    share = line.training.sample if line.training is not None else 0
    possible = [drawn for drawn, there in ((True, share > 0), (False, share < 1)) if there]
    decisions = [asked.decision(policy, own, facts, drawn=drawn) for drawn in possible]
    if any(Reason.RULEBOOK_FAILED in one.reasons for one in decisions):
        raise KlartoneError("error.plugin.failed", plugin=asked.plugins.desk.plugin)
    notices = list(dict.fromkeys(one.notice for one in decisions if one.notice is not None))
    if not notices:
        if line.documentation or line.training:
            yield teller.say("explain.notice.none")
        return
    yield teller.say("explain.notice.before")
    coming_in = next((ways[way] for way in (Direction.INBOUND, Direction.INTERNAL) if way in ways), None)
    if coming_in is not None:
        yield teller.say(f"explain.notice.{coming_in}")
    if Direction.OUTBOUND in ways:
        yield teller.say(f"explain.notice.outbound.{ways[Direction.OUTBOUND]}")
    if any((line.id, notice, language) in own.sounds for notice in notices) and NoticeDelivery.PLAY in ways.values():
        yield teller.say("explain.notice.own_sound")
    for n, notice in enumerate(notices):
        text = asked.text(policy, line, notice, language)
        which = "" if len(notices) == 1 else ".drawn" if n == 0 else ".not_drawn"
        yield teller.say(f"explain.notice.text{which}", notice=notice.value, text=text.to_read.shown if text else "…")
    if line.language_by_country:
        yield teller.say("explain.notice.by_country")
    if line.language_key:
        yield teller.say("explain.notice.language_key", key=line.language_key)
    if line.language_by_country or line.language_key:
        other = next(one for one in Language if one is not language)
        for notice in notices:
            text = asked.text(policy, line, notice, other)
            yield teller.say(
                f"explain.notice.text.{other}", notice=notice.value, text=text.to_read.shown if text else "…"
            )
    if line.warning_tone is not None:
        yield teller.say("explain.notice.warning_tone", seconds=round(line.warning_tone.length().total_seconds()))


def _doubts(loaded: LoadedPolicy, line: Line | None, tell: Texts, *, confirmed: bool = False) -> list[str]:
    """What is doubtful about this line; None: about the policy as a whole. `confirmed`: those confirmed, by whom and when."""
    ids = [one.id for one in loaded.policy.line]
    place = "line[" if line is None else f"line[{ids.index(line.id) + 1}]"

    def sentence(one: PolicyFault) -> str:
        lacking = one.params.get("lacking")
        in_words = {"lacking": in_words_lacking(lacking.split(", "), tell)} if isinstance(lacking, str) else {}
        text = tell("policy.by_rule", sentence=tell(one.code, **{**one.params, **in_words}), rule=one.rule)
        return f"{text} {tell('policy.confirmed_by', by=one.by, on=one.on)}" if one.by else text

    return [
        sentence(one)
        for one in loaded.remarks
        if bool(one.by) is confirmed and (one.key.startswith(place) if line else not one.key.startswith("line["))
    ]


def _section(heading: str, rule: str, paragraphs: Iterable[Paragraph]) -> list[str]:
    lines = [printable(heading), rule * len(heading)]
    for about, sentences in paragraphs:
        if sentences:
            lead = f"{about}. " if about else ""
            said = printable(" ".join((lead + " ".join(sentences)).split()))
            lines += ["", *textwrap.wrap(said, WIDTH, break_long_words=False, break_on_hyphens=False)]
    return [*lines, ""]
