"""A call passport: what counts of one that is proved, forged, late, used or meant for another call, and of what is none."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from softphone.domain.decision import NoticeId
from softphone.domain.passport import (
    Doubt,
    Passport,
    Told,
    carried,
    claims_of,
    doubt_about,
    read_passport,
    read_refusals,
)
from softphone.domain.purpose import Language, Purpose
from softphone.system.passports import Seal, certify, present, unsigned
from softphone.system.signature import public_half

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING
NOW = datetime(2026, 11, 29, 9, 41, tzinfo=UTC)
HOUSE, DESK, STRANGER = (Ed25519PrivateKey.generate().private_bytes_raw() for _ in range(3))
HOUSES = (public_half(STRANGER), public_half(HOUSE))
CERTIFICATE = certify(public_half(DESK), HOUSE, NOW + timedelta(days=1))
SEAL = Seal(DESK, CERTIFICATE)
PASSPORT = Passport(
    "01a20000-0000-7000-8000-000000000001",
    "204",
    NOW,
    "0123456789abcdef",
    "salg",
    Told(NoticeId.N6, Language.DA, NOW - timedelta(minutes=3)),
    frozenset({DOC, TRAIN}),
    frozenset({TRAIN}),
)

purposes = some.frozensets(some.sampled_from(Purpose))
EPOCH = datetime.fromtimestamp(0, UTC)
moments = some.integers(1, 2**33 - 1).map(lambda at: datetime.fromtimestamp(at, UTC))
words = some.from_regex(r"[!-~]{1,40}", fullmatch=True)


@some.composite
def passports(draw: some.DrawFn) -> Passport:
    refused = draw(purposes)
    made_at = draw(moments)
    told_at = some.integers(0, 86_400).map(lambda ago: made_at - timedelta(seconds=ago)).filter(lambda at: at > EPOCH)
    told = draw(some.none() | some.builds(Told, some.sampled_from(NoticeId), some.sampled_from(Language), told_at))
    active = draw(purposes) - refused if told else frozenset[Purpose]()
    group, target, controller, line = (draw(words) for _ in range(4))
    agreed = draw(purposes) & active
    return Passport(group, target, made_at, controller, line, told, active, agreed, refused)


@given(passports())
def test_what_is_written_is_read_and_proved_and_fits_into_a_uri(passport: Passport) -> None:
    text = SEAL.sign(claims_of(passport))
    presented = present(text)
    assert read_passport(presented.claims) == passport
    assert presented.proved_by(HOUSES, NOW)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", text)


def test_an_ordinary_one_leaves_room_in_a_datagram() -> None:
    assert len(SEAL.sign(claims_of(PASSPORT))) < 800


@given(passports(), some.data())
def test_no_changed_sign_is_proved_and_its_refusals_are_all_that_is_left(
    passport: Passport, data: some.DataObject
) -> None:
    text = SEAL.sign(claims_of(passport))
    at = data.draw(some.integers(0, len(text) - 1))
    other = data.draw(some.sampled_from("AZaz09-_.~=?"))
    forged = f"{text[:at]}{other}{text[at + 1 :]}"
    if forged != text:
        assert not present(forged).proved_by(HOUSES, NOW)


@pytest.mark.parametrize(
    "text",
    [
        unsigned(claims_of(PASSPORT)),
        Seal(DESK, "").sign(claims_of(PASSPORT)),
        Seal(STRANGER, CERTIFICATE).sign(claims_of(PASSPORT)),
        Seal(DESK, certify(public_half(DESK), DESK, NOW + timedelta(days=1))).sign(claims_of(PASSPORT)),
        Seal(DESK, certify(public_half(DESK), HOUSE, NOW)).sign(claims_of(PASSPORT)),
        # A certificate in the place of a passport, and the other way round.
        f"{CERTIFICATE}~{CERTIFICATE}",
        f"{SEAL.sign(claims_of(PASSPORT)).partition('~')[0]}~{SEAL.sign(claims_of(PASSPORT)).partition('~')[0]}",
    ],
    ids=["unsigned", "no certificate", "a stranger's", "certified by itself", "run out", "certificate", "twice"],
)
def test_what_no_house_stands_behind_is_not_proved(text: str) -> None:
    assert not present(text).proved_by(HOUSES, NOW)
    assert not present(SEAL.sign(claims_of(PASSPORT))).proved_by((), NOW)


def test_it_counts_for_its_target_and_five_minutes() -> None:
    for late, doubt in (
        (timedelta(), None),
        (timedelta(seconds=300), None),
        (timedelta(seconds=301), Doubt.LATE),
        (timedelta(seconds=-30), None),
        (timedelta(seconds=-31), Doubt.LATE),
    ):
        assert doubt_about(PASSPORT, ["204"], NOW + late) is doubt
    assert doubt_about(PASSPORT, ["205", "+4570102030"], NOW) is Doubt.ANOTHER_TARGET


def test_being_told_and_a_yes_count_for_the_same_controller_and_line_alone_and_a_refusal_for_all() -> None:
    no = frozenset({DOC})
    found = carried(PASSPORT, no, PASSPORT.controller, "salg")
    assert found is not None
    assert (found.refused, found.informed, found.consented) == ((DOC,), (DOC, TRAIN), (TRAIN,))
    for controller, line in (("another", "salg"), (PASSPORT.controller, "support")):
        found = carried(PASSPORT, no, controller, line)
        assert found is not None
        assert (found.refused, found.informed, found.consented, found.notice) == ((DOC,), (), (), None)
    assert carried(None, frozenset(), PASSPORT.controller, "salg") is None


WRONG: list[dict[str, Any]] = [
    {"yes": "dt", "on": "t"},
    {"on": "d", "no": "d"},
    {"on": "x"},
    {"on": ["d"]},
    {"iat": True},
    {"iat": 1e300},
    {"iat": -1},
    {"iat": 2**40},
    {"aud": ""},
    {"aud": "a" * 129},
    {"sub": "with space"},
    {"line": 7},
    {"notice": "N99"},
    {"notice": []},
    {"lang": "kl"},
    {"told": "then"},
    {"told": int(NOW.timestamp()) + 1},
    {"told": int(NOW.timestamp()) - 86_401},
    {"more": 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_claims_that_are_not_whole_are_none_though_signed(wrong: dict[str, Any]) -> None:
    claims = {**claims_of(PASSPORT), **wrong}
    assert read_passport(claims) is None
    assert present(SEAL.sign(claims)).proved_by(HOUSES, NOW)


def test_one_that_tells_nothing_carries_nothing_but_its_refusals() -> None:
    silent = replace(PASSPORT, told=None, active=frozenset(), agreed=frozenset(), refused=frozenset({TRAIN}))
    assert read_passport(claims_of(silent)) == silent
    found = carried(silent, silent.refused, silent.controller, silent.line)
    assert found is not None
    assert (found.refused, found.informed, found.notice) == ((TRAIN,), (), None)


@given(some.text(max_size=60) | some.from_regex(r"[A-Za-z0-9_.~-]{0,80}", fullmatch=True))
def test_whatever_comes_in_its_place_is_nothing(text: str) -> None:
    presented = present(text)
    assert not presented.proved_by(HOUSES, NOW)
    assert read_passport(presented.claims) is None


def test_a_refusal_is_read_from_whatever_says_it_and_from_nothing_else() -> None:
    def said(claims: Any, signature: str = "") -> frozenset[Purpose]:
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return read_refusals(present(f"garbage.{middle}.{signature}").claims)

    assert said({"no": "t"}) == {TRAIN}
    assert said({"no": "td", "on": 7}, "AAAA") == {DOC, TRAIN}
    for claims in ({"no": ["t"]}, {"no": 1}, ["no", "t"], "t", None, {"yes": "t"}):
        assert said(claims) == frozenset()
    deep = "[" * 1_000
    for text in ("", "a.b", "..", "a.!.b", f"a.{base64.urlsafe_b64encode(deep.encode()).decode()}.b", "a" * 5_000):
        assert read_refusals(present(text).claims) == frozenset()
