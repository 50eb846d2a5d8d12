"""The policy in force, its notices and its rulebook, as the calls use them. Loading takes a thread; a call never waits for it.

A policy is taken up when its notices are ready. A faulty one is refused with all its faults, and the last good one stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.notice import NoticeSound, NoticeText
from softphone.domain.policy import Line, LoadedPolicy, Policy, PolicyError, share_text
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.sampling import drawn, roll
from softphone.engine.store import Post
from softphone.plugin.client import PluginWord
from softphone.plugin.notices import NoticeBook, NoticeMaker
from softphone.plugin.rulebook import RulebookDesk
from softphone.system.logbook import log, where
from softphone.system.policy_file import load_policy
from softphone.wire import LineState, PolicyPhase, PolicyState, Said

_log = log.getChild("engine")


class EngineRules:
    """`secret` keys the draw of the sample. `decided` is `Calls.decided`, set before the first call. Without a rulebook
    there is no `maker`, and no call is recorded."""

    def __init__(
        self,
        maker: NoticeMaker | None,
        rulebook: RulebookDesk,
        secret: bytes,
        post: Post,
        changed: Callable[[], None],
        fault: Callable[[str, Said | None], None],
    ) -> None:
        self._maker = maker
        self._rulebook = rulebook
        self._secret = secret
        self._post = post
        self._changed = changed
        self._fault = fault
        self._book = NoticeBook()
        self._asked_for = ""
        self._loads = 0
        self.decided: Callable[[str, Decision], None] = lambda _call, _decision: None
        self.policy: Policy | None = None
        self.state = PolicyState(PolicyPhase.MISSING)

    @property
    def trouble(self) -> Reason:
        """Why no call can be recorded while there is no policy."""
        return Reason.POLICY_FAULTY if self.state.phase is PolicyPhase.FAULTY else Reason.POLICY_MISSING

    def load(self, path: str) -> None:
        """Reads and takes up the policy at `path`, beside the loop. An empty path means none."""
        self._loads += 1
        if not path:
            self.policy, self._book = None, NoticeBook()
            self.state = PolicyState(PolicyPhase.MISSING)
            self._changed()
            return
        if self.policy is None:
            self.state = PolicyState(PolicyPhase.LOADING, path)
            self._changed()
        threading.Thread(target=self._read, args=(Path(path), self._loads), name="policy", daemon=True).start()

    def lines(self) -> tuple[LineState, ...]:
        policy = self.policy
        if policy is None:
            return ()
        party = policy.controller.party
        return tuple(
            LineState(
                id=line.id,
                name={one: line.name[one] for one in Language},
                numbers=line.numbers,
                party={one: party[one] for one in Language},
                why={purpose: {one: why[one] for one in Language} for purpose in Purpose if (why := line.why(purpose))},
                sample=share_text(line.training.sample) if line.training else "",
            )
            for line in policy.line
        )

    def draw(self, line: Line, call: str) -> bool:
        return line.training is not None and drawn(line.training.sample, roll(self._secret, call))

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        """By `policy`, the one that held when it rang."""
        self._rulebook.decide(
            policy,
            facts,
            drawn=drawn,
            callback=lambda decision: self._post(lambda: self.decided(call, decision)),
        )

    def text(self, line: Line, notice: NoticeId, language: Language) -> NoticeText | None:
        return self._book.text(line.id, notice, language)

    def notice(self, line: Line, notice: NoticeId, language: Language) -> NoticeSound | None:
        return self._book.sound(line.id, notice, language)

    def word(self, word: PluginWord) -> None:
        """From the plugin host, on its thread."""
        self._post(lambda: self._fault(f"plugin.{word.plugin}", Said(word.code, {"plugin": word.plugin})))

    # --- beside the loop -------------------------------------------------------------------------

    def _read(self, path: Path, number: int) -> None:
        try:
            loaded = load_policy(path)
            book = self._maker.prepare(loaded) if self._maker else NoticeBook()
        except PolicyError as error:
            faults = tuple(Said(one.code, one.params, one.line, one.key) for one in error.faults)
            self._post(lambda: self._refused(str(path), faults, number))
        except Exception as error:  # noqa: BLE001 - a path that no system takes, a library's own error: said, never silent
            _log.error("bug %s", where(type(error), error.__traceback__))
            unknown = Said("policy.fault.unreadable", {"path": str(path), "detail": type(error).__name__})
            self._post(lambda: self._refused(str(path), (unknown,), number))
        else:
            self._post(lambda: self._loaded(loaded, book, number))

    def _loaded(self, loaded: LoadedPolicy, book: NoticeBook, number: int) -> None:
        if number != self._loads:
            return  # another has been asked for since
        self.policy, self._book = loaded.policy, book
        remarks = tuple(Said(one.code, one.params, one.line, one.key) for one in loaded.remarks)
        self._fault("notices", Said("fault.notice.unspoken", {"count": len(book.unspoken)}) if book.unspoken else None)
        self.state = PolicyState(
            PolicyPhase.READY, loaded.path, loaded.policy.controller.name, loaded.policy.time_zone, remarks
        )
        self._changed()

    def _refused(self, path: str, faults: tuple[Said, ...], number: int) -> None:
        if number != self._loads:
            return
        controller = self.policy.controller.name if self.policy else ""
        zone = self.policy.time_zone if self.policy else "UTC"
        self.state = PolicyState(PolicyPhase.FAULTY, path, controller, zone, faults)
        self._changed()
