"""What a widget draws from: the last snapshot, the words, the look and the time. It holds no widget and changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

import uuid_utils

from softphone.domain.lines import find, names
from softphone.domain.status import Status
from softphone.texts import Texts
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import Theme
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Account, CallPhase, CallRole, CallState, CodedText, LineState, PastCall, PolicyPhase


@dataclass(frozen=True, slots=True)
class View:
    """`snapshot` is None until the first one; `connected` is false while the engine is gone, and nothing can be pressed."""

    snapshot: Snapshot | None
    texts: Texts
    theme: Theme
    icons: Icons
    now: datetime
    """UTC"""
    connected: bool
    trouble: str = ""
    """why the engine does not come up, in words; empty while it may just be coming"""
    about: str = ""
    """the id of the call that is drawn, for the part of a window that is a call's: a press there is meant for it alone"""

    def of(self, call: CallState) -> View:
        """The same, to draw what belongs to this call."""
        return self if self.about == call.id else replace(self, about=call.id)

    @property
    def calls(self) -> tuple[CallState, ...]:
        """Those that are not over, as they came."""
        calls = self.snapshot.calls if self.snapshot else ()
        return tuple(call for call in calls if call.phase is not CallPhase.ENDED)

    @property
    def call(self) -> CallState | None:
        """The call that the window shows, if any: the active one; of a consultation the party's, who waits."""
        going = self.calls
        begun = [call for call in going if call.phase is not CallPhase.INCOMING]
        active = next((call for call in begun if call.active), None) or next(iter(begun or going), None)
        if active is not None and active.role is CallRole.CONSULTATION:
            return next((call for call in going if call.id == active.consults_for), active)
        return active

    @property
    def parties(self) -> tuple[CallState, ...]:
        """The calls with a tab of their own: a consultation stands with the party that it is about."""
        ids = {call.id for call in self.calls}
        return tuple(call for call in self.calls if call.consults_for not in ids)

    @property
    def waiting(self) -> CallState | None:
        """Who rings while the agent is in a call."""
        shown = self.call
        return next((call for call in self.calls if call.phase is CallPhase.INCOMING and call is not shown), None)

    def consultation(self, call: CallState) -> CallState | None:
        """The call to a colleague about this one."""
        return next((one for one in self.calls if one.consults_for == call.id), None)

    def heard_alone(self, call: CallState) -> CallState | None:
        """The colleague whom the agent talks to while the party waits; in a conference all are heard."""
        colleague = self.consultation(call)
        return None if colleague is None or colleague.conference else colleague

    @property
    def last(self) -> CallState | None:
        """The call that is in wrap-up. Of one with a colleague nothing is left to do."""
        calls = self.snapshot.calls if self.snapshot else ()
        over = (call for call in reversed(calls) if call.phase is CallPhase.ENDED and not call.reopened)
        return next((call for call in over if call.role is CallRole.PARTY), None)

    @property
    def missed(self) -> tuple[PastCall, ...]:
        """Those that nobody has looked at."""
        rows = self.snapshot.history if self.snapshot else ()
        return tuple(row for row in rows if row.unseen and not row.broke_off)

    @property
    def lost(self) -> tuple[PastCall, ...]:
        """Those in which the phone broke off, and that nobody has dealt with."""
        rows = self.snapshot.history if self.snapshot else ()
        return tuple(row for row in rows if row.unseen and row.broke_off)

    def reopened(self, call: str) -> CallState | None:
        """This call, if it was an earlier one that the desk has taken up again."""
        calls = self.snapshot.calls if self.snapshot else ()
        return next((one for one in calls if one.reopened and one.id == call), None)

    def line(self, line: str | None) -> LineState | None:
        lines = self.snapshot.lines if self.snapshot else ()
        return next((state for state in lines if state.id == line), None)

    def line_of_call(self, call: CallState | PastCall) -> LineState | None:
        """As it was when the call rang, if that is known yet."""
        return (call.line_words if isinstance(call, CallState) else None) or self.line(call.line)

    def name_of_line(self, call: CallState | PastCall) -> str:
        """The name that the call's line had, in the desk's language, or nothing."""
        state = self.line_of_call(call)
        return state.name.get(self.texts.language, state.id) if state else ""

    def line_name(self, line: str | None) -> str:
        """The line's name in the desk's language, or nothing."""
        state = self.line(line)
        return state.name.get(self.texts.language, state.id) if state else ""

    def line_of(self, account: Account) -> LineState | None:
        """The line of the account's own number, whatever is chosen for a call."""
        if self.snapshot is None:
            return None
        user, _, exchange = account.address.partition("@")
        own, lines = _digits(user).removeprefix("00"), self.snapshot.lines
        known = (one for line in lines for one in line.numbers if one.startswith("+"))
        number = next((one for one in known if own and own in _spelled(one)), None)
        exchanges = [one.account.address.partition("@")[2] for one in self.snapshot.accounts]
        return find(names(user, number, exchange, exchanges), lines, lambda line: line.numbers).line

    def party(self, call: CallState | PastCall) -> str:
        """The policy's word for the person at the other end, as it stands within a sentence."""
        state = self.line_of_call(call)
        word = state.party.get(self.texts.language, "") if state else ""
        return word or self.texts("party.default")

    @property
    def last_good(self) -> bool:
        """The policy file as it is now is refused, and the good one from before holds."""
        policy = self.snapshot.policy if self.snapshot else None
        return policy is not None and policy.phase is PolicyPhase.FAULTY and bool(policy.controller)

    def seconds_to(self, at: datetime | None) -> int:
        """Whole seconds left, rounded up, never below 0."""
        return max(0, -int((self.now - at) // timedelta(seconds=1))) if at else 0


def who(view: View, call: CallState) -> str:
    """The name at the other end, or the number."""
    return call.name or readable(call.number) or view.texts("party.unknown")


def first_name(name: str) -> str:
    """The first word of a name; nothing if that is a number or an address."""
    first = name.partition(" ")[0]
    return first if first[:1].isalpha() and not set(first) & set("@:") else ""


def short_name(view: View, call: CallState) -> str:
    """The name where there is little room: the first word of it, or the number's last digits."""
    return first_name(call.name) or f"…{readable(call.number)[-5:].strip()}" if call.number else who(view, call)


def new_id() -> str:
    """A command's id: UUIDv7 as text."""
    return str(uuid_utils.uuid7())


def version(status: Status | None) -> int:
    """The version that goes back with a command, as it was shown."""
    return status.version if status else 0


def duration(seconds: float) -> str:
    """02:14, or 1:02:14."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _spelled(number: str) -> tuple[str, str]:
    """International, and as it is dialled within its country."""
    return _digits(number), _digits(number.removeprefix("+45"))


@lru_cache(1024)
def readable_target(target: str) -> str:
    """A SIP or tel URI as people write an address: without its scheme and parameters."""
    scheme, colon, rest = target.partition(":")
    return readable((rest if colon and scheme.lower() in ("sip", "sips", "tel") else target).partition(";")[0])


def say_coded(texts: Texts, said: CodedText) -> str:
    """What the engine says, with its numbers as people write them."""
    told = {
        name: readable_target(value) if name in ("target", "number") and isinstance(value, str) else value
        for name, value in said.params.items()
    }
    return texts(said.code, **told)


def readable(number: str) -> str:
    """A number of any country as people there write it: +45 20 12 34 56. Whatever is none stays as it came."""
    digits = number.removeprefix("+45")
    if digits != number and len(digits) == 8 and digits.isdecimal():
        return " ".join(("+45", *(digits[i : i + 2] for i in range(0, 8, 2))))
    if not (number.startswith("+") and number[1:].isdecimal()):
        return number
    import phonenumbers  # not before the first window, which shows Danish ones

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return shown if _digits(shown) == number[1:] else number


def upper_first(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def lower_first(sentence: str) -> str:
    """With a small letter, as after a colon or a dot; a word in capitals (CPR) stays as it is."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
