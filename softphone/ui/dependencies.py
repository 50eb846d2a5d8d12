"""What the desk is connected to. No widget, no thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.domain.errors import KlartoneError
from softphone.system.endpoint import Endpoint
from softphone.wire.snapshot import Settings

if TYPE_CHECKING:
    from softphone.ui.app import Desk


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DeskDependencies:
    """`find_endpoint` gives the engine that last started, or None. `start_engine` starts one and returns at once, or raises
    EngineError; `why_not` says, once, why that one does not come up, and `came_up` is told that it has.
    `store_password(account_id, password)` may block, so it runs off the GUI's thread; it raises KeyringError.
    """

    find_endpoint: Callable[[], Endpoint | None]
    start_engine: Callable[[], None]
    store_password: Callable[[str, str], None]
    texts: Path
    """folder of translations"""
    icons: Path
    themes: Path
    why_not: Callable[[], KlartoneError | None] = lambda: None
    came_up: Callable[[], None] = lambda: None
    settings: Settings = field(default_factory=Settings)
    """as last saved: language and look before the first snapshot"""
    on_ready: Callable[[Desk], None] | None = None
    """called once the first whole state is drawn"""
    keep_notes: Callable[[Mapping[str, str]], None] = lambda _: None
    """notes that the engine has not taken, by their call, until the next start; none: there are no more. May block, and
    raises KeyringError"""
    kept_notes: Callable[[], Mapping[str, str]] = dict
    """those of the start before; may block, and raises KeyringError"""
    save_support: Callable[[str], None] = lambda _: None
    """writes what helps from afar into this file; may block, and raises KlartoneError"""
    join_house: Callable[[str, threading.Event, Callable[[bool], None]], None] = lambda _link, _stopped, _asks: None
    """makes this phone a desk of the house whose link it is; may block, where a person signs in until the event is set, and
    raises KlartoneError"""
    offers_review: Callable[[], bool] = lambda: False
    """whether this keyring can hear training recordings; may block"""
    shares_review: Callable[[], bool] = lambda: False
    """whether reviews may be shared with who is here"""
    start_review: Callable[[bool], None] = lambda _shared: None
    """starts the review beside the desk, or what is shared with who is here, and returns at once, or raises KlartoneError"""
    now: Callable[[], datetime] = utc_now
    place: Path | None = None
    """file of where the window was; None: nothing is remembered"""
    show: bool = True
    """false: the window is made and driven but not shown"""
    links: Path | None = None
    """folder of the socket where links to call somebody come in; None: none do"""
    target: str = ""
    """whom the link that this desk was opened with names"""
