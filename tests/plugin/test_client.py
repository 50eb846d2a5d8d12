"""The engine's side of the plugin host, against real host processes with real misbehaving plugins."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from softphone.domain.decision import Decision, Facts, not_recorded
from softphone.domain.purpose import Direction, Language, Reason
from softphone.plugin.client import Failure, PluginFailed, PluginHost, PluginReport
from softphone.plugin.contract import DECIDE, DecideParams
from softphone.plugin.manifest import Plugin
from softphone.plugin.rulebook import RulebookClient
from tests.peers.processes import command_line, until
from tests.plugin import hostile
from tests.policies import policy_of

POLICY = policy_of().policy
LINE = POLICY.line[0]
FACTS = Facts(LINE.id, Direction.INBOUND, "+4520123456", Language.DA, False, datetime(2026, 11, 25, tzinfo=UTC))
ASKED = DecideParams(FACTS, LINE, True)
FINE = not_recorded(Reason.LINE_NOT_RECORDED)


class Hosted:
    """A running host with the words it has said."""

    def __init__(self, host: PluginHost, words: queue.SimpleQueue[PluginReport], mended: list[str]) -> None:
        self.host = host
        self.words = words
        self.mended = mended

    def ask(self, plugin: str, timeout: float = 20.0) -> Decision | PluginFailed:
        return self.host.ask_and_wait(plugin, DECIDE, ASKED, timeout=timeout)

    def failure(self, plugin: str, timeout: float = 20.0) -> Failure:
        answer = self.ask(plugin, timeout)
        assert isinstance(answer, PluginFailed)
        assert answer.plugin == plugin
        return answer.failure

    def word(self) -> tuple[str, str, Failure]:
        word = self.words.get(timeout=20)
        return word.code.rsplit(".", 1)[-1], word.plugin, word.failure


Hosting = Callable[..., Hosted]


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[Hosting]:
    running: list[PluginHost] = []

    def start(*ways: str, rulebook: str | None = None, command: list[str] | None = None, idle: float = 30) -> Hosted:
        words: queue.SimpleQueue[PluginReport] = queue.SimpleQueue()
        plugins: list[Plugin] = [hostile.plugin(tmp_path, way) for way in ways]
        extra = {"command": command} if command is not None else {}
        mended: list[str] = []
        host = PluginHost(
            plugins, rulebook=rulebook or ways[0], on_word=words.put, on_mended=mended.append, idle=idle, **extra
        )
        running.append(host)
        host.start()
        return Hosted(host, words, mended)

    yield start
    for host in running:
        host.stop()


def host_processes() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if "softphone.plugin.host" in command_line(one)]


def test_a_plugin_that_answers_is_heard(hosting: Hosting) -> None:
    assert hosting("good").ask("good") == FINE


def test_a_plugin_gets_the_line_it_is_asked_about_and_no_more(hosting: Hosting) -> None:
    assert hosting("curious").ask("curious") == not_recorded(Reason.PRIVATE)


def test_what_a_plugin_prints_never_gets_into_the_answers(hosting: Hosting) -> None:
    hosted = hosting("chatty")
    assert [hosted.ask("chatty"), hosted.ask("chatty")] == [FINE, FINE]


@pytest.mark.parametrize(
    ("way", "failure"),
    [("throws", Failure.THREW), ("nothing", Failure.THREW), ("nonsense", Failure.THREW), ("dies", Failure.DIED)],
)
def test_a_rulebook_that_fails_is_asked_again_and_left_out_after_three_in_a_row(
    hosting: Hosting, way: str, failure: Failure
) -> None:
    hosted = hosting(way, "good", rulebook=way)

    assert [hosted.failure(way) for _ in range(4)] == [failure, failure, failure, Failure.LEFT_OUT]

    assert [hosted.word() for _ in range(3)] == [("failed", way, failure)] * 2 + [("left_out", way, failure)]
    assert hosted.ask("good") == FINE


def test_a_good_answer_ends_the_row_of_failures_and_is_told_of_once(hosting: Hosting, tmp_path: Path) -> None:
    hosted = hosting("moody")
    assert hosted.ask("moody") == FINE
    mood = tmp_path / "moody" / "mood"
    for _ in range(3):
        mood.touch()
        assert [hosted.failure("moody"), hosted.failure("moody")] == [Failure.THREW] * 2
        mood.unlink()
        assert [hosted.ask("moody"), hosted.ask("moody")] == [FINE, FINE]
    assert hosted.mended == ["moody"] * 3


@pytest.mark.calm
def test_a_regex_that_holds_the_interpreter_lock_is_killed_in_time_and_the_engine_does_not_notice(
    hosting: Hosting,
) -> None:
    hosted = hosting("catastrophic", "good", rulebook="catastrophic")
    assert hosted.ask("good") == FINE
    (before,) = [one for one in host_processes() if "catastrophic" in command_line(one)]
    answers: queue.SimpleQueue[Decision | PluginFailed] = queue.SimpleQueue()

    asked = time.monotonic()
    hosted.host.ask("catastrophic", DECIDE, ASKED, answers.put, timeout=0.5)
    returned = time.monotonic() - asked
    worst = 0.0
    while answers.empty():
        ticked = time.monotonic()
        time.sleep(0.005)
        worst = max(worst, time.monotonic() - ticked)
    took = time.monotonic() - asked

    assert answers.get() == PluginFailed("catastrophic", Failure.TIMED_OUT)
    assert returned < 0.05
    assert 0.5 <= took < 2.0
    assert worst < 0.3
    assert not before.is_running() or before.status() == psutil.STATUS_ZOMBIE
    assert hosted.word() == ("failed", "catastrophic", Failure.TIMED_OUT)
    assert hosted.ask("good") == FINE


def test_another_plugin_than_the_rulebook_is_left_out_as_soon_as_it_hangs_or_dies(hosting: Hosting) -> None:
    hosted = hosting("good", "slow", "dies", "moody", rulebook="good")
    assert hosted.ask("moody") == FINE

    assert [hosted.failure("slow", 0.5), hosted.failure("slow")] == [Failure.TIMED_OUT, Failure.LEFT_OUT]
    assert hosted.word() == ("left_out", "slow", Failure.TIMED_OUT)
    assert [hosted.failure("dies"), hosted.failure("dies")] == [Failure.DIED, Failure.LEFT_OUT]
    assert hosted.ask("good") == FINE


@pytest.mark.parametrize(("way", "failure"), [("unimportable", Failure.THREW), ("dies_on_import", Failure.DIED)])
def test_a_plugin_that_cannot_be_imported_leaves_the_others_alone(hosting: Hosting, way: str, failure: Failure) -> None:
    hosted = hosting("good", way, "moody", rulebook="good")

    assert hosted.failure(way) is Failure.LEFT_OUT
    assert hosted.word() == ("left_out", way, failure)
    assert [hosted.ask("moody"), hosted.ask("good")] == [FINE, FINE]


def test_a_rulebook_is_not_kept_waiting_by_another_plugin_that_hangs(hosting: Hosting) -> None:
    hosted = hosting("good", "catastrophic", rulebook="good")
    answers: queue.SimpleQueue[Decision | PluginFailed] = queue.SimpleQueue()
    assert hosted.ask("good") == FINE

    hosted.host.ask("catastrophic", DECIDE, ASKED, answers.put, timeout=30)
    assert [hosted.ask("good", 10), hosted.ask("good", 10)] == [FINE, FINE]
    assert answers.empty()


def test_a_host_is_started_for_other_plugins_when_one_of_them_is_asked(hosting: Hosting) -> None:
    hosted = hosting("good", "moody", rulebook="good")
    assert hosted.ask("good") == FINE
    assert len(host_processes()) == 1
    assert hosted.ask("moody") == FINE
    assert len(host_processes()) == 2


def test_a_question_whose_time_is_up_while_another_is_answered_is_nobodys_fault(hosting: Hosting) -> None:
    hosted = hosting("curious", "good", "slow", rulebook="curious")
    answers: queue.SimpleQueue[Decision | PluginFailed] = queue.SimpleQueue()
    assert hosted.ask("good") == FINE

    hosted.host.ask("slow", DECIDE, ASKED, answers.put, timeout=1.0)
    hosted.host.ask("good", DECIDE, ASKED, answers.put, timeout=0.3)

    assert answers.get(timeout=20) == PluginFailed("good", Failure.BUSY)
    assert answers.get(timeout=20) == PluginFailed("slow", Failure.TIMED_OUT)
    assert hosted.word() == ("left_out", "slow", Failure.TIMED_OUT)
    assert hosted.words.empty()


def test_an_urgent_question_goes_before_those_that_wait(hosting: Hosting) -> None:
    hosted = hosting("good", "moody", rulebook="good")
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    for n in range(20):
        hosted.host.ask("good", DECIDE, ASKED, lambda _, n=n: answers.put(f"patient {n}"), timeout=30)
    hosted.host.ask("good", DECIDE, ASKED, lambda _: answers.put("urgent"), timeout=30, urgent=True)

    order = [answers.get(timeout=30) for _ in range(21)]
    assert order.index("urgent") < 20
    order.remove("urgent")
    assert order == [f"patient {n}" for n in range(20)]


@pytest.mark.parametrize("line", ["not json", "[1, 2]", '{"id": 77, "result": null}', '{"ready": 1}\n{"ready": 2}'])
def test_a_host_that_talks_nonsense_is_ended(hosting: Hosting, line: str) -> None:
    script = f"import sys, time\nprint({line!r}, flush=True)\ntime.sleep(60)"
    hosted = hosting("good", command=[sys.executable, "-c", script])
    assert hosted.failure("good", 10) in (Failure.NO_HOST, Failure.NONSENSE, Failure.LEFT_OUT)


def test_a_host_that_never_makes_sense_is_not_started_for_ever(hosting: Hosting, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    script = f"open({str(starts)!r}, 'a').write('x')\nprint('{{}}', flush=True)"
    hosted = hosting("good", command=[sys.executable, "-c", script])
    assert hosted.failure("good", 10) is Failure.NO_HOST
    assert hosted.failure("good", 10) is Failure.NO_HOST
    assert len(starts.read_text()) <= 3


def test_a_host_that_cannot_be_started_fails_every_question(hosting: Hosting, tmp_path: Path) -> None:
    hosted = hosting("good", command=[str(tmp_path / "no such program")])
    assert [hosted.failure("good"), hosted.failure("good")] == [Failure.NO_HOST, Failure.NO_HOST]


def test_a_host_that_was_killed_by_somebody_else_is_started_again(hosting: Hosting) -> None:
    hosted = hosting("good")
    assert hosted.ask("good") == FINE
    (process,) = host_processes()
    process.kill()
    assert hosted.ask("good") in (FINE, PluginFailed("good", Failure.DIED))
    assert hosted.ask("good") == FINE


def test_a_voice_that_nobody_asks_holds_no_memory_and_speaks_again_while_the_rulebook_stays(hosting: Hosting) -> None:
    hosted = hosting("good", "chatty", rulebook="good", idle=0.5)
    assert (hosted.ask("good"), hosted.ask("chatty")) == (FINE, FINE)
    rulebook, _ = sorted(host_processes(), key=lambda one: one.create_time())
    until(lambda: host_processes() == [rulebook], 10, "the end of the other plugins' process")
    assert (hosted.ask("good"), hosted.ask("chatty")) == (FINE, FINE)
    assert rulebook in host_processes()
    assert hosted.words.empty()


def test_stopping_ends_the_process_and_answers_what_was_asked(hosting: Hosting) -> None:
    hosted = hosting("good", "slow", rulebook="good")
    assert hosted.ask("good") == FINE
    answers: queue.SimpleQueue[Decision | PluginFailed] = queue.SimpleQueue()
    hosted.host.ask("slow", DECIDE, ASKED, answers.put, timeout=30)
    hosted.host.stop()
    assert answers.get(timeout=15) == PluginFailed("slow", Failure.STOPPED)
    assert hosted.failure("good") is Failure.STOPPED
    assert host_processes() == []


@pytest.mark.parametrize("way", ["throws", "catastrophic", "too_bold", "nonsense", "dies"])
def test_a_rulebook_that_fails_means_not_recorded_and_why(hosting: Hosting, way: str) -> None:
    hosted = hosting(way)
    # the host is up before it rings
    hosted.host.ask_and_wait("nobody", DECIDE, ASKED, timeout=20)
    decisions: queue.SimpleQueue[Decision] = queue.SimpleQueue()
    RulebookClient(hosted.host, way).decide(POLICY, FACTS, drawn=True, callback=decisions.put, timeout=3)
    assert decisions.get(timeout=20) == not_recorded(Reason.RULEBOOK_FAILED)


def test_what_is_exempt_is_decided_without_asking(hosting: Hosting) -> None:
    decisions: list[Decision] = []
    emergency = Facts(LINE.id, Direction.OUTBOUND, "112", Language.DA, False, FACTS.at)
    RulebookClient(hosting("too_bold").host, "too_bold").decide(
        POLICY, emergency, drawn=True, callback=decisions.append
    )
    assert decisions == [not_recorded(Reason.EMERGENCY)]
