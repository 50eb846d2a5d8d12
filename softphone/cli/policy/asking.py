"""The rulebook as a command asks it: in the plugin host, through the same desk as the engine."""

from __future__ import annotations

import queue
from collections.abc import Generator
from contextlib import contextmanager

from softphone.bootstrap.home import Home
from softphone.bootstrap.plugins import RulePlugins, rule_plugins
from softphone.bootstrap.policy.file import tell_faults
from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.errors import KlartoneError
from softphone.domain.excluding import until_employees_are_informed
from softphone.domain.notice import NoticeText
from softphone.domain.policy import Line, LoadedPolicy, Policy, PolicyError, day_of
from softphone.domain.purpose import Language
from softphone.plugin.notices import NoticeMaker
from softphone.plugin.own import OwnNotices
from softphone.texts import Texts

ANSWER_WITHIN = 20.0
"""seconds; the host has to start first, and nobody waits on a telephone"""


class Asked:
    """A rulebook to be asked. Every call blocks until it has answered or failed."""

    def __init__(self, plugins: RulePlugins, maker: NoticeMaker) -> None:
        self.plugins = plugins
        self.maker = maker

    def decision(self, policy: Policy, own: OwnNotices, facts: Facts, *, drawn: bool) -> Decision:
        """As for a ringing call. A rulebook that fails means not recorded, with that reason.

        While a question's words wait for a person, nobody is drawn. Before the employees are told, only what the law obliges
        to is recorded.
        """
        answers: queue.SimpleQueue[Decision] = queue.SimpleQueue()
        drawn = drawn and facts.line not in own.untrained
        self.plugins.desk.decide(policy, facts, drawn=drawn, callback=answers.put, timeout=ANSWER_WITHIN)
        decision = answers.get()
        line = policy.line_named(facts.line)
        informed = policy.informed_on(line) if line is not None else None
        later = informed is not None and informed > day_of(policy, facts.at)
        return until_employees_are_informed(decision) if later else decision

    def own(self, loaded: LoadedPolicy, tell: Texts, *, signed: bool) -> OwnNotices:
        """What the controller brings itself, as the phone would use it. `signed`: the phone uses only a signed policy.

        What it must not use goes to stderr, and raises PolicyError.
        """
        try:
            return self.maker.check(loaded, signed=signed)
        except PolicyError as error:
            tell_faults(error, tell)
            raise

    def text(self, policy: Policy, line: Line, notice: NoticeId, language: Language) -> NoticeText | None:
        return self.maker.text(policy, line, notice, language)


@contextmanager
def asked_rulebook(home: Home) -> Generator[Asked]:
    """For as long as a command needs it. Raises KlartoneError without a rulebook: then no call is recorded either."""
    plugins = rule_plugins(home, lambda _: None)
    if plugins.maker is None:
        raise plugins.faults[0] if plugins.faults else KlartoneError("error.plugin.missing", plugin=plugins.desk.plugin)
    plugins.host.start()
    try:
        yield Asked(plugins, plugins.maker)
    finally:
        plugins.host.stop()
