"""Who may speak for the party: the one believed source of RTP, and when another takes its place.

The signalled address is the source. Another address (NAT) is latched once for each address that the peer signals. While the
source sends, packets from others are dropped silently. It decides by addresses and times alone, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from softphone.edge.relay.events import Counters

Address = tuple[str, int]

FOLLOW_AFTER = 2.0
"""seconds of silence after which the source counts as not sending"""
LATCH_AFTER = 0.3
"""seconds for which another address must have been sending, alone, before it is latched. A peer that can send from its
signalled address has done so by then"""
BELIEVE = 5
"""packets within `BELIEVE_WITHIN` that make another address a sender: a single datagram changes nothing"""
BELIEVE_WITHIN = 1.0


class Verdict(Enum):
    PASS = "pass"  # noqa: S105 - no password
    HEARD_ONLY = "heard_only"
    """the agent may hear it, to know who it is; a key in it does not count"""
    UNPROVED = "unproved"
    """from the party's address, and old or without its key: PJMEDIA judges it, and it says nothing of the party"""
    DROP = "drop"


class Doubt(Enum):
    RAISED = "raised"
    SETTLED = "settled"


@dataclass(slots=True)
class _Candidate:
    address: Address
    since: float
    times: list[float] = field(default_factory=list[float])

    def heard(self, now: float) -> None:
        self.times = [at for at in self.times[1 - BELIEVE :] if now - at < BELIEVE_WITHIN]
        if not self.times:
            self.since = now
        self.times.append(now)

    @property
    def sends(self) -> bool:
        return len(self.times) >= BELIEVE


class Source:
    """One call's. `judge` gets every sane RTP packet from the network; then `read_news` says what became of a doubt."""

    def __init__(self, counters: Counters) -> None:
        self.signalled: Address | None = None
        self.pinned: Address | None = None
        self.held = False
        self._counters = counters
        self._doubted: Address | None = None
        """the party, once the agent says that it is the same caller"""
        self._news: list[Doubt] = []
        self._heard_at = 0.0
        self._candidate: _Candidate | None = None
        self._answered = False
        self._before_hold: str | None = None
        """the host that spoke for the party when the hold began, until somebody speaks after it"""

    # --- what SIP says -----------------------------------------------------------------------------

    def signal(self, address: Address | None) -> None:
        """The address in the peer's SDP. A repeated one changes nothing, so it gives no new latch."""
        if address is None or address == self.signalled:
            return
        self.signalled = address
        self.pinned = self._candidate = None
        self._settle()

    def answer(self) -> None:
        """What came before pins nothing."""
        if not self._answered:
            self._answered = True
            self.pinned = self._candidate = None

    def resume(self, pinned: Address | None, now: float, doubted: Address | None, before_hold: str | None) -> None:
        """The call, and a doubt, were under way before this relay began."""
        self._answered = True
        self.pinned, self._heard_at, self._before_hold = pinned, now, before_hold
        if doubted is not None:
            self.doubt(doubted)

    def hold(self, *, on: bool, now: float, theirs: bool = True) -> None:
        """Nobody has to send in a hold. After one of theirs the earlier sender comes first again.

        After one of ours the address that SIP then names is the party's: an exchange takes such a call in, and lets it out
        of its path again.
        """
        self.held = on
        if on:
            host = self.pinned or self.signalled
            if theirs:
                self._before_hold = self._before_hold or (host[0] if host else None)
        else:
            self._candidate = None
            self._heard_at = now

    # --- the doubt ---------------------------------------------------------------------------------

    @property
    def doubted(self) -> Address | None:
        return self._doubted

    @property
    def before_hold(self) -> str | None:
        return self._before_hold

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def doubt(self, address: Address) -> None:
        if self._doubted is None:
            self._counters.doubted += 1
            self._news.append(Doubt.RAISED)
        self._doubted = address

    def same_caller(self, now: float) -> None:
        """The agent knows the voice."""
        if self._doubted is not None:
            self.pinned, self._heard_at = self._doubted, now
            self._candidate = None
            self._settle()

    def read_news(self) -> list[Doubt]:
        news, self._news = self._news, []
        return news

    def _settle(self) -> None:
        if self._doubted is not None:
            self._doubted = None
            self._news.append(Doubt.SETTLED)

    # --- packets -----------------------------------------------------------------------------------

    def judge(self, address: Address, now: float, authentic: Callable[[], bool] | None = None) -> Verdict:
        """`authentic`: whether the packet is new and was made with the party's key; None where there is none."""
        if address == self.pinned:
            return self._own(address, now) if authentic is None or authentic() else Verdict.UNPROVED
        if authentic is not None:
            return self._by_key(address, now, authentic)
        if address == self.signalled:
            return self._from_signalled(address, now)
        candidate = self._candidate
        if candidate is None or (candidate.address != address and self._yields(candidate, address, now)):
            candidate = self._candidate = _Candidate(address, now)
        if candidate.address != address or (self.pinned is not None and now - self._heard_at < FOLLOW_AFTER):
            return Verdict.DROP
        candidate.heard(now)
        if not candidate.sends:
            return Verdict.DROP
        if self.pinned is None:
            return self._latch(candidate, now)
        if address[0] == self.pinned[0]:
            self._counters.followed += 1
            self._pin(address, now)
            return Verdict.PASS
        self.doubt(address)
        return Verdict.HEARD_ONLY

    def _by_key(self, address: Address, now: float, authentic: Callable[[], bool]) -> Verdict:
        """Nobody else has the key, so there is nothing to doubt; without it nobody is a candidate."""
        silent = self.pinned is None or now - self._heard_at >= FOLLOW_AFTER
        if not (silent or address == self.signalled) or not authentic():
            return Verdict.DROP
        if self.pinned is not None:
            self._counters.followed += 1
        elif address != self.signalled:
            self._counters.latched += 1
        self._pin(address, now)
        return self._spoke(address)

    def _yields(self, candidate: _Candidate, address: Address, now: float) -> bool:
        """A source that has fallen silent gives way to another; a stranger's host to the signalled one."""
        fell_silent = not candidate.times or now - candidate.times[-1] >= BELIEVE_WITHIN
        host = self.signalled[0] if self.signalled else None
        return fell_silent or (address[0] == host != candidate.address[0])

    def _own(self, address: Address, now: float) -> Verdict:
        self._heard_at = now
        if self._doubted != address:
            # The expected source is back: the other was not the party.
            self._settle()
        return self._spoke(address)

    def _from_signalled(self, address: Address, now: float) -> Verdict:
        """The signalled address comes first. Whoever was latched in its place may have been anybody."""
        was_another = self._answered and self.pinned is not None
        self._pin(address, now)
        if was_another:
            self.doubt(address)
        return self._spoke(address)

    def _latch(self, candidate: _Candidate, now: float) -> Verdict:
        if now - candidate.since < LATCH_AFTER:
            return Verdict.DROP
        self._counters.latched += 1
        self._pin(candidate.address, now)
        return self._spoke(candidate.address)

    def _spoke(self, address: Address) -> Verdict:
        """The source sends. The first to send after a hold is on the earlier host, or in doubt."""
        if self._before_hold is not None and not self.held:
            if address[0] != self._before_hold:
                self.doubt(address)
            self._before_hold = None
        return Verdict.HEARD_ONLY if self._doubted == address else Verdict.PASS

    def _pin(self, address: Address, now: float) -> None:
        self.pinned, self._heard_at, self._candidate = address, now, None
        if self._doubted is not None and self._doubted != address:
            self._settle()
