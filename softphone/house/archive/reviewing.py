"""One call of the house under review. What is said of it is sealed here, to the training keys of its team's leads.

Where a lead has shared it, it is also sealed for the desks of the call's agent: their words, and the sound's keys. The
service is not believed about that: whoever shares it vouches for it by a data key, which the service never has.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from uuid_utils import uuid7

from softphone.archive.crypto.review_seals import (
    is_reading_key,
    is_share,
    open_comment,
    seal_comment,
    seal_data_key,
    vouch_for_share,
)
from softphone.archive.crypto.wraps import SUITE, Recipient
from softphone.archive.files.reader import OpenedRecording
from softphone.domain.archive.permission import Viewer
from softphone.domain.archive.recordings import RATE
from softphone.domain.archive.reviews import Comment, SampleRow, check_points, checked_comment
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.house.archive.asking import Asking, decoded, refusing, understood
from softphone.house.archive.opening import WrapTold, data_keys, fetched
from softphone.house.archive.told import while_open

TRAINING = KeyRole.TRAINING


@dataclass(frozen=True, slots=True)
class RowTold:
    recording: str
    agent: str
    line: str | None
    opened_at: datetime
    closed_at: datetime
    time_zone: str
    expires_on: date | None
    reviewed_at: datetime | None
    comments: int
    kept_reviewed: bool


def sample_row(told: RowTold) -> SampleRow:
    return SampleRow(
        told.recording,
        told.agent,
        told.line,
        told.opened_at,
        (told.closed_at - told.opened_at).total_seconds(),
        told.time_zone,
        told.expires_on,
        told.reviewed_at,
        told.comments,
        told.kept_reviewed,
    )


@dataclass(frozen=True, slots=True)
class OpenedTold:
    row: RowTold | None
    bytes: int
    wraps: tuple[WrapTold, ...]


@dataclass(frozen=True, slots=True)
class _Seal:
    key_id: str
    suite: str
    sealed: str


@dataclass(frozen=True, slots=True)
class CommentTold:
    comment: str
    sample: int
    answers: str | None
    at: datetime
    mine: bool
    of_agent: bool
    keys: tuple[str, ...]
    """training keys of whoever said it"""
    seal: _Seal | None


@dataclass(frozen=True, slots=True)
class _Score:
    item: str
    points: int
    version: int


@dataclass(frozen=True, slots=True)
class _Other:
    since: datetime
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Desk:
    """One of the call's agent. `signer`: the key that its tokens are bound to, which has signed for `public_key`."""

    desk: str
    thumbprint: str
    signer: str
    public_key: str
    signature: str
    sealed: bool


@dataclass(frozen=True, slots=True)
class _State:
    shared: bool
    version: int
    scores: tuple[_Score, ...]
    comments: tuple[CommentTold, ...]
    others: tuple[_Other, ...]
    desks: tuple[_Desk, ...]
    vouched: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    review: _State


def open_review(
    asking: Asking, recording: str, items: Mapping[str, int], policy: Callable[[], Policy | None]
) -> Reviewing:
    """Its keys come once the log has it."""
    told = asking.post(f"/v1/reviews/{recording}/open", None, OpenedTold)
    assert told.row is not None  # of what is opened for review there is one
    keys = data_keys(asking, recording, TRAINING, told.wraps)
    reader = fetched(asking, recording, f"/v1/recordings/{recording}/file", told.bytes, keys)
    reviewing = Reviewing(asking, sample_row(told.row), reader, keys, items, policy)
    # What is shared reaches a desk that its agent has had only since. That can wait for the next opening.
    with suppress(ArchiveError):
        reviewing.seal_what_is_shared()
    return reviewing


class Reviewing:
    """For one thread. What it last told is what a change is compared with: whoever was faster is not written over."""

    def __init__(
        self,
        asking: Asking,
        row: SampleRow,
        reader: OpenedRecording,
        keys: Mapping[int, bytes],
        items: Mapping[str, int],
        policy: Callable[[], Policy | None],
    ) -> None:
        self._asking = asking
        self._keys = keys
        self._items = items
        self._policy = policy
        self._path = f"/v1/reviews/{row.recording}"
        self._last: tuple[str, _State] | None = None
        """with its ETag"""
        self.row = row
        self.reader = reader

    def close(self) -> None:
        self.reader.close()
        with suppress(ArchiveError):
            self._asking.tell(f"{self._path}/open", method="DELETE")

    # --- what is said of it ---------------------------------------------------------------------

    def comments(self) -> tuple[Comment, ...]:
        return tuple(
            comment_told(one, opened_words(self._asking, one, self.row.recording), self._policy())
            for one in self._state().comments
        )

    def comment(self, sample: int, text: str) -> Comment:
        text = checked_comment(text)
        if not 0 <= sample <= self.reader.length:
            length = f"{self.reader.length / RATE:.2f}"
            raise ArchiveError("error.container.past_end", id=self.row.recording, length=length)
        state, id = self._state(), str(uuid7())
        seals = [
            _sealed(text, self.row.recording, id, one.public_key, "training", one.key_id)
            for one in leads_of(self._policy(), self.row)
        ]
        if self._is_shared(state):
            seals += [
                _sealed(text, self.row.recording, id, decoded(one.public_key), "agent", one.thumbprint)
                for one in self._theirs(state)
            ]
        with while_open(self.row.recording):
            self._asking.tell(f"{self._path}/comments/{id}", {"sample": sample, "seals": seals}, method="PUT")
        return next(one for one in self.comments() if one.id == id)

    def remove(self, comment_id: str) -> None:
        with while_open(self.row.recording), refusing():
            gone = self._asking.connection.ask("DELETE", f"/v1/comments/{comment_id}").json
        if gone != {"removed": True} and any(one.comment == comment_id for one in self._state().comments):
            raise ArchiveError("error.review.not_your_comment")

    def scores(self) -> Mapping[str, int]:
        return {one.item: one.points for one in self._state().scores if one.points}

    def score(self, item: str, points: int) -> None:
        check_points(self._items, item, points)
        last = self._last[1] if self._last else self._state()
        seen = next((one.version for one in last.scores if one.item == item), 0)
        with while_open(self.row.recording):
            self._asking.tell(f"{self._path}/scores/{item}", {"points": points, "seen": seen}, method="PUT")
        self._state()

    @property
    def shared(self) -> bool:
        return self._is_shared(self._state())

    def share(self, on: bool) -> None:
        last = self._last[1] if self._last else self._state()
        if self._is_shared(last) if on else not last.shared:
            return
        told: dict[str, Any] = {"on": on, "seen": last.version}
        if on:
            vouched = vouch_for_share(next(iter(self._keys.values())), self.row.recording, last.version + 1)
            told |= {"vouched": _b64(vouched), **self._for_desks(self._state(), anew=True)}
        with while_open(self.row.recording):
            self._asking.tell(f"{self._path}/share", told, method="PUT")
        self._state()

    def others(self) -> tuple[str, ...]:
        """Who else has it open, as the policy calls them."""
        return tuple(name_of(self._policy(), one.keys) for one in self._state().others)

    def seal_what_is_shared(self) -> None:
        state = self._state()
        if self._is_shared(state) and (told := self._for_desks(state))["wraps"]:
            self._asking.tell(f"{self._path}/seals", told)

    # --- how ------------------------------------------------------------------------------------

    def _state(self) -> _State:
        headers = {"If-None-Match": self._last[0]} if self._last else None
        with while_open(self.row.recording), refusing():
            answer = self._asking.connection.ask("GET", self._path, headers=headers)
        if self._last is None or answer.status == 200:
            self._last = answer.headers.get("etag", ""), understood(answer.json, _Read).review
        return self._last[1]

    def _is_shared(self, state: _State) -> bool:
        """By a lead's word, not by the service's."""
        vouched = decoded(state.vouched or "")
        return state.shared and is_share(vouched, self._keys.values(), self.row.recording, state.version)

    def _theirs(self, state: _State) -> list[_Desk]:
        """Desks of its agent whose own key has signed for the key that they read by."""
        return [
            one
            for one in state.desks
            if is_reading_key(decoded(one.public_key), one.desk, decoded(one.signature), decoded(one.signer))
        ]

    def _for_desks(self, state: _State, *, anew: bool = False) -> dict[str, list[dict[str, Any]]]:
        wraps, seals = list[dict[str, Any]](), list[dict[str, Any]]()
        for desk in self._theirs(state):
            if desk.sealed and not anew:
                continue
            public = decoded(desk.public_key)
            for segment, key in self._keys.items():
                sealed = seal_data_key(key, public, self.row.recording, segment)
                wraps.append({"desk": desk.desk, "segment": segment, "suite": SUITE, "sealed": _b64(sealed)})
            for one in state.comments:
                text = opened_words(self._asking, one, self.row.recording)
                if text is not None:
                    sealed = seal_comment(text, public, self.row.recording, one.comment)
                    seals.append({"desk": desk.desk, "comment": one.comment, "suite": SUITE, "sealed": _b64(sealed)})
        return {"wraps": wraps, "seals": seals}


def comment_told(one: CommentTold, text: str | None, policy: Policy | None) -> Comment:
    """`text`: None where no key here opens it, as it is for keys that the policy names no more."""
    by = "" if one.mine or one.of_agent else name_of(policy, one.keys)
    return Comment(one.comment, one.sample, text or "", one.at, by, one.answers or "", one.of_agent, one.mine)


def opened_words(asking: Asking, one: CommentTold, recording: str) -> str | None:
    """By a training key that is here."""
    private = asking.private_key(one.seal.key_id) if one.seal else None
    if one.seal is None or private is None:
        return None
    return open_comment(decoded(one.seal.sealed), private, recording, one.comment)


def name_of(policy: Policy | None, keys: Iterable[str]) -> str:
    """As the policy calls whose key it is; empty: it names none of them."""
    named = {one.key_id: one.id for one in _training(policy)} if policy else {}
    return next((named[one] for one in keys if one in named), "")


def leads_of(policy: Policy | None, row: SampleRow) -> list[Recipient]:
    """Who may read what is said of this call: the leads of its team, as the signed policy names them (L2).

    Raises ArchiveError where this desk has no policy: the service is not believed about whose key it is.
    """
    if policy is None:
        raise ArchiveError("error.review.no_policy")
    led = [one for one in policy.team if Viewer(frozenset(), teams=(one,)).leads(row.line, row.agent)]
    ids = {id for team in led for id in team.leads}
    found = [one for one in _training(policy) if not policy.team or one.id in ids]
    return [one for one in found if _opens(policy, one.id, row.line)]


def _sealed(text: str, recording: str, comment: str, public: bytes, role: str, key_id: str) -> dict[str, str]:
    sealed = seal_comment(text, public, recording, comment)
    return {"role": role, "key_id": key_id, "suite": SUITE, "sealed": _b64(sealed)}


def _training(policy: Policy) -> list[Recipient]:
    return [Recipient(one.id, TRAINING, decoded(one.public_key)) for one in policy.recipients(TRAINING)]


def _opens(policy: Policy, id: str, of_line: str | None) -> bool:
    line = policy.line_named(of_line)
    return line is None or any(one.id == id and one.opens(line) for one in policy.recipients(TRAINING))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
