"""The house beside a running engine: news on their own thread, the courier, and what both tell the loop. A phone that belongs to
no house has none of it, until it joins one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from softphone.bootstrap.home import Home
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.turns import Post
from softphone.domain.archive.decisions import Overdue
from softphone.domain.errors import KlartoneError, UnreachableError
from softphone.domain.house_knows import HouseWaiting
from softphone.engine.loop import Engine
from softphone.engine.parts import Parts
from softphone.engine.storage.store import Store
from softphone.house.membership import HouseFolder
from softphone.system.logbook import log
from softphone.wire.snapshot import CodedText, HouseState, Settings

if TYPE_CHECKING:
    # A phone that belongs to no house loads none of it.
    from softphone.house.connection import Connection
    from softphone.house.courier import Courier
    from softphone.house.news import Taken
    from softphone.house.numbers import HouseNumbers
    from softphone.house.watch import Heard, NewsWatch

_AGAIN = 30.0
"""seconds until a keyring that gave nothing is asked again"""
_log = log.getChild("house")


class HouseBeside:
    """`engine` is asked for when it is there. What is not said to be elsewhere is on the loop's thread."""

    def __init__(
        self, home: Home, post: Post, store: Store, rules: PolicyInForce, engine: Callable[[], Engine]
    ) -> None:
        self._home, self._post, self._store, self._rules, self._engine = home, post, store, rules, engine
        self._folder = HouseFolder(home.folders.data)
        store.in_house = self._folder.is_there()
        self._watch: NewsWatch | None = None
        self._begins = threading.Lock()
        self._ended = threading.Event()
        self.parts: Parts | None = None
        self.connection: Connection | None = None
        """to the house; None: this phone belongs to none, or its key cannot be had"""
        self.state: HouseState | None = None

    def begin(self, settings: Settings) -> None:
        """Whenever the settings were read: the phone may have joined meanwhile. From any thread; it does not wait."""
        watch = self._watch
        if watch is not None:
            watch.look()
        elif self._folder.is_there():
            threading.Thread(target=self._begin, args=(settings,), name="house begins", daemon=True).start()

    def _begin(self, settings: Settings) -> None:
        """A keyring may ask its user."""
        from softphone.bootstrap.house import desk_of
        from softphone.house.courier import Courier
        from softphone.house.numbers import HouseNumbers
        from softphone.house.overdue import overdue
        from softphone.house.watch import NewsWatch

        with self._begins:
            if self._watch is not None or self._ended.is_set():
                return
            try:
                membership = self._folder.read()
                if membership is None:
                    return
                desk = desk_of(self._home, settings)
                connection = desk.connection(membership)
            except KlartoneError as error:
                self._fault(error)
                again = threading.Timer(_AGAIN, self.begin, (settings,))
                again.daemon = True
                again.start()
                return
            ask, since = connection.ask, membership.since_at
            courier = Courier(
                *(ask, self._store.shipped, self._receipt_keys, since),
                head_key=self._head_key,
                policy=lambda: self._rules.policy,
            )
            watch = NewsWatch(
                *(desk, connection),
                taken=self._taken,
                heard=self._heard,
                gone=self._gone,
                waiting=self._waiting,
                backlog=self._backlog,
            )
            self._watch, self.connection = watch, connection
            self._store.house_overdue = partial(overdue, connection)
        state = HouseState(membership.address, membership.since_at, self._folder.heard(), membership.policy)
        self._post(lambda: self._joined(state, courier, HouseNumbers(ask)))
        watch.start()

    def close(self) -> None:
        self._ended.set()
        if self._watch is not None:
            self._watch.stop()

    def _joined(self, state: HouseState, courier: Courier, numbers: HouseNumbers) -> None:
        self.state = state
        self._store.in_house = True
        self._store.ship_by(courier, numbers)
        self._engine().changed()

    def _receipt_keys(self) -> tuple[str, ...]:
        policy = self._rules.policy
        return policy.house.receipt_key if policy else ()

    def _head_key(self) -> str:
        policy = self._rules.policy
        return (policy.house.head_key or "") if policy else ""

    def _waiting(self) -> tuple[int, str]:
        now = self._store.shipping
        if now is None:
            return 0, ""
        code = now.refusal.code if now.refusal else now.trouble.code if now.trouble else ""
        return now.count, code

    # --- on the news' thread ----------------------------------------------------------------------

    def _taken(self, taken: Taken) -> None:
        """The policy at once, for the next call; accounts and the rest once no call is on."""
        held, _ = self._home.settings_in_force(only_look=True)
        _log.info("taken in: policy %d, settings %d", taken.membership.policy, taken.membership.settings)
        self._post(lambda: self._use(held.settings))

    def _heard(self, heard: Heard) -> None:
        one, error = heard.membership, heard.trouble
        # That the network is away for a while is everyday life. What waits for the house, the desk shows by itself.
        trouble = None if error is None or isinstance(error, UnreachableError) else CodedText(error.code, error.params)
        state = HouseState(one.address, one.since_at, heard.at, one.policy, trouble, heard.shared)
        self._post(lambda: self._show(state))

    def _backlog(self, waiting: HouseWaiting) -> None:
        self._store.house_waiting = waiting

    def _gone(self) -> None:
        with self._begins:
            self._watch = self.connection = None
            self._store.house_overdue = Overdue
        self._post(self._left)

    def _fault(self, error: KlartoneError) -> None:
        said = CodedText(error.code, error.params)
        self._post(lambda: self._engine().fault("house", said))

    # --- on the loop ------------------------------------------------------------------------------

    def _use(self, settings: Settings) -> None:
        parts = self.parts
        assert parts is not None
        now = (settings.policy, settings.policy_signer, settings.policy_guarded)
        if now != (parts.settings.policy, parts.settings.policy_signer, parts.settings.policy_guarded):
            policy, signer, guarded = now
            parts.settings = replace(parts.settings, policy=policy, policy_signer=signer, policy_guarded=guarded)
            self._rules.load(policy, signer, guarded=guarded)
        self._engine().read_settings()

    def _show(self, state: HouseState) -> None:
        if self.state is None:
            return
        self.state = state
        self._engine().fault("house", state.trouble)

    def _left(self) -> None:
        self.state = None
        self._store.in_house = False
        self._store.ship_by(None)
        self._engine().fault("house", None)
        self._engine().read_settings()
