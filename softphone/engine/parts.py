"""What the loop turns: the parts that the bootstrap connects, and the clients that are attached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.turns import seconds
from softphone.engine.accounts import Accounts
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.journal import Journal
from softphone.engine.server import Client
from softphone.engine.sip.phone import Phone
from softphone.engine.sound import Sound
from softphone.engine.storage.store import Store
from softphone.wire.snapshot import HouseState, Settings


@dataclass(slots=True)
class Parts:
    """What the bootstrap connects. `save` stores what the second settings have otherwise than the first; `alone_ends` is
    off if somebody else ends the engine."""

    phone: Phone
    calls: PhoneCalls
    rules: PolicyInForce
    store: Store
    accounts: Accounts
    sound: Sound
    settings: Settings
    save: Callable[[Settings, Settings], None]
    read_settings: Callable[[], tuple[Settings, Mapping[str, str]]] = lambda: (Settings(), {})
    """as their files say now, and what is locked. It waits for a disk. Raises SettingsError"""
    alone_ends: bool = True
    locked: Mapping[str, str] = field(default_factory=dict[str, str])
    """settings that nobody changes here, by key, and where that is said"""
    journal: Journal = field(default_factory=Journal)
    house: Callable[[], HouseState | None] = lambda: None
    """the house that this desk belongs to"""
    strangers: Callable[[str, int], None] = lambda host, calls: None  # noqa: ARG005 - nobody is told
    """gets addresses whose calls were refused"""


class Clients:
    """The attached clients. Made before the loop, since its parts speak to clients."""

    def __init__(self) -> None:
        self.attached: dict[Client, float] = {}
        """when each was last heard of"""

    def tell(self, message: object) -> None:
        for client in self.attached:
            client.outbox.put(message)

    def say_goodbye(self) -> None:
        """Write what waits, then let each go."""
        for client in self.attached:
            client.outbox.close()

    def desk_heard(self) -> float | None:
        """When a desk was last heard of; None without one."""
        now = seconds()
        heard = (heard if client.pings else now for client, heard in self.attached.items() if client.desk)
        return max(heard, default=None)
