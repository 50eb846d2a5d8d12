"""Own reviews that leads have shared with the agent at this desk: read, heard and answered, through the same interface.

What is shared was sealed for this desk's reading key. It goes when it is shared no longer, with a hold, with the training.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from uuid_utils import uuid7

from softphone.archive.crypto.review_seals import open_comment, open_data_key, seal_comment
from softphone.archive.crypto.wraps import SUITE, Recipient
from softphone.domain.archive.interface import Reader
from softphone.domain.archive.recordings import Mark, OwnReview
from softphone.domain.archive.reviews import (
    Comment,
    Figures,
    Marks,
    SampleFilter,
    SamplePage,
    SampleQuery,
    SampleRow,
    TeamLed,
    checked_comment,
    sought_of,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.sampling import Verdict
from softphone.house.archive.asking import Asking, decoded, refusing, understood
from softphone.house.archive.opening import WrapTold, fetched
from softphone.house.archive.reviewing import CommentTold, RowTold, comment_told, leads_of, sample_row
from softphone.house.archive.told import answers, is_missing, while_open


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: tuple[RowTold, ...]


@dataclass(frozen=True, slots=True)
class _Score:
    item: str
    points: int


@dataclass(frozen=True, slots=True)
class _State:
    scores: tuple[_Score, ...]
    comments: tuple[CommentTold, ...]
    thumbprint: str


@dataclass(frozen=True, slots=True)
class _Read:
    review: _State


@dataclass(frozen=True, slots=True)
class _Opened:
    bytes: int
    wraps: tuple[WrapTold, ...]


class SharedReviews:
    """`Reviews` for the call's agent: their own calls that are shared. `key`: the desk's private reading key. `opened` hears
    which one the agent has opened, and which are shared."""

    agent = True

    def __init__(
        self,
        asking: Asking,
        key: Callable[[], bytes | None],
        policy: Callable[[], Policy | None],
        opened: Callable[[str, Sequence[str]], None] = lambda _one, _all: None,
    ) -> None:
        self._asking, self._key, self._policy, self._opened = asking, key, policy, opened

    def teams(self, policy: Policy) -> tuple[TeamLed, ...]:
        """One: what is shared with them, on the card of any team."""
        return (TeamLed("", None, (), self._asking.viewer.agents, None, policy.score),)

    def page(self, query: SampleQuery, after: str | None = None, limit: int = 200) -> SamplePage:  # noqa: ARG002
        """All at once: there are few."""
        return SamplePage(tuple(self._rows(query)), None)

    def counts(self, query: SampleQuery) -> Mapping[SampleFilter, int]:
        count = sum(1 for _ in self._rows(query))
        return {SampleFilter.ALL: count, SampleFilter.WAITING: count, SampleFilter.REVIEWED: 0}

    def figures(self, query: SampleQuery, capacity: int | None = None) -> Figures:  # noqa: ARG002
        return Figures(0, 0, 0, 0, 0, 0, 0.0, None, Verdict.NONE)

    def marks(self) -> Marks:
        return Marks(())

    def row(self, recording: str) -> SampleRow | None:
        return next((one for one in self._rows() if one.recording == recording), None)

    def living(self, recordings: Iterable[str]) -> Collection[str]:
        return {*recordings} & {one.recording for one in self._rows()}

    def open(self, recording: str, items: Iterable[tuple[str, int]] = ()) -> SharedReviewing:  # noqa: ARG002
        rows = {one.recording: one for one in self._rows()}
        row = rows.get(recording)
        if row is None:
            raise ArchiveError("error.archive.closed_to_role", id=recording, role="agent")
        with while_open(recording):
            told = self._asking.post(f"/v1/shared/{recording}/open", None, _Opened)
        self._opened(recording, tuple(rows))
        return SharedReviewing(self._asking, row, self._reader(recording, told), self._key, self._policy)

    def still(self, recording: str) -> bool:
        return answers(self._asking, f"/v1/shared/{recording}/still")

    def mark(self, id: str, *, heard: int = 0, keep: Period | None = None) -> date | None:  # noqa: ARG002
        raise ArchiveError("error.archive.not_yours")

    def own_review(self, recording: str) -> OwnReview:
        """What `find.show` tells an agent of it. Empty where nothing is shared."""
        try:
            state = read(self._asking, recording)
        except ArchiveError as error:
            if is_missing(error):
                return OwnReview()
            raise
        key = self._key()
        words = [(one.sample, text) for one in state.comments if (text := _words(key, recording, one)) is not None]
        return OwnReview(tuple((one.item, one.points) for one in state.scores if one.points), tuple(words))

    def _rows(self, query: SampleQuery | None = None) -> Iterator[SampleRow]:
        told = self._asking.get("/v1/shared", _Rows).rows
        sought = sought_of(query.search)[0] if query else ""
        for row in map(sample_row, told):
            one = replace(row, reviewed_at=None)  # the leads' own affair
            if query and query.since and one.opened_at < query.since:
                continue
            if query and query.until and one.opened_at >= query.until:
                continue
            if not sought or sought in (one.line or "").lower() or (query and one.line in query.named):
                yield one

    def _reader(self, recording: str, told: _Opened) -> Reader:
        """Without a key for its sound it is read alone."""
        key, keys = self._key(), dict[int, bytes]()
        for one in told.wraps if key else ():
            opened = open_data_key(decoded(one.sealed), key or b"", recording, one.segment)
            if opened is not None:
                keys[one.segment] = opened
        if not keys:
            return _Silent()
        return fetched(self._asking, recording, f"/v1/shared/{recording}/file", told.bytes, keys)


class SharedReviewing:
    """For one thread. The agent reads it, and answers: `comment` is an answer to the comment before that moment."""

    def __init__(
        self,
        asking: Asking,
        row: SampleRow,
        reader: Reader,
        key: Callable[[], bytes | None],
        policy: Callable[[], Policy | None],
    ) -> None:
        self._asking, self._key, self._policy = asking, key, policy
        self.row, self.reader = row, reader

    @property
    def shared(self) -> bool:
        return True

    def others(self) -> tuple[str, ...]:
        return ()

    def comments(self) -> tuple[Comment, ...]:
        key, policy, recording = self._key(), self._policy(), self.row.recording
        return tuple(comment_told(one, _words(key, recording, one), policy) for one in self._state().comments)

    def comment(self, sample: int, text: str) -> Comment:
        """Answers the last comment at or before that moment, or else the first."""
        text, state = checked_comment(text), self._state()
        theirs = [one for one in state.comments if not one.mine]
        if not theirs:
            raise ArchiveError("error.review.nothing_to_answer")
        before = [one for one in theirs if one.sample <= sample] or theirs[:1]
        id = str(uuid7())
        seals = [_sealed(text, self.row.recording, id, one) for one in leads_of(self._policy(), self.row)]
        if (own := self._public()) is not None:
            mine = seal_comment(text, own, self.row.recording, id)
            seals.append({"role": "agent", "key_id": state.thumbprint, "suite": SUITE, "sealed": _b64(mine)})
        body = {"sample": before[-1].sample, "answers": before[-1].comment, "seals": seals}
        with while_open(self.row.recording):
            self._asking.tell(f"/v1/reviews/{self.row.recording}/comments/{id}", body, method="PUT")
        return next(one for one in self.comments() if one.id == id)

    def remove(self, comment_id: str) -> None:
        with while_open(self.row.recording), refusing():
            gone = self._asking.connection.ask("DELETE", f"/v1/comments/{comment_id}").json
        if gone != {"removed": True} and any(one.comment == comment_id for one in self._state().comments):
            raise ArchiveError("error.review.not_your_comment")

    def scores(self) -> Mapping[str, int]:
        return {one.item: one.points for one in self._state().scores if one.points}

    def score(self, item: str, points: int) -> None:  # noqa: ARG002
        raise ArchiveError("error.archive.not_yours")

    def share(self, on: bool) -> None:  # noqa: ARG002
        raise ArchiveError("error.archive.not_yours")

    def close(self) -> None:
        self.reader.close()

    def _state(self) -> _State:
        with while_open(self.row.recording):
            return read(self._asking, self.row.recording)

    def _public(self) -> bytes | None:
        key = self._key()
        return X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() if key else None


class SharedArchive:
    """What a review window of an agent asks: `reviews` and no more. For any thread."""

    looks = 1.0

    def __init__(self, reviews: SharedReviews, written: Callable[[], Hashable]) -> None:
        self.reviews, self._written = reviews, written

    def written(self) -> Hashable:
        return self._written()

    def beside(self) -> SharedArchive:
        return self

    def close(self) -> None:
        pass


class _Silent:
    """A call whose sound no key here opens."""

    length = 0

    def pcm(self, at: int = 0) -> Iterator[Any]:  # noqa: ARG002
        return iter(())

    def marks(self) -> list[Mark]:
        return []

    def close(self) -> None:
        pass


def read(asking: Asking, recording: str) -> _State:
    with refusing():
        told = asking.connection.ask("GET", f"/v1/shared/{recording}").json
    return understood(told, _Read).review


def _words(key: bytes | None, recording: str, one: CommentTold) -> str | None:
    if key is None or one.seal is None:
        return None
    return open_comment(decoded(one.seal.sealed), key, recording, one.comment)


def _sealed(text: str, recording: str, comment: str, to: Recipient) -> dict[str, str]:
    sealed = seal_comment(text, to.public_key, recording, comment)
    return {"role": "training", "key_id": to.key_id, "suite": SUITE, "sealed": _b64(sealed)}


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
