"""Secret sharing: the field's own examples, shares that another program made, and what too few shares tell."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.archive.keys.shamir import combine, inverse, multiply, split

SECRET = bytes(range(0, 256, 8))
FOREIGN = [
    bytes.fromhex(one)
    for one in (
        "a2c0161403d58abf37ef8d54fdd97c73e85d998a2a6d5701c50886348441b75354",
        "096c7e166647f56ed1bb3d1929e8583ad06aab353621718b6756c357dd0d19090e",
        "cd628860e5b3fb05915bbecedaf84208e71516a1915c5c490ad931b75c73bd609f",
        "53ead82fd3c27c691c7e95199fa66f5df2cd3f93a30fc2382c5e5b172f24b8612c",
        "ebfdbc2ac4cdddcf174975c1f5575c1b528e4f8423ecac7d0a592ecdea9e39a119",
    )
]
"""of SECRET, three of five, made by pyshamir 1.1.0, which is HashiCorp Vault's way of sharing"""


@pytest.mark.parametrize(
    ("a", "b", "product"),
    [
        (0x57, 0x83, 0xC1),  # FIPS 197, section 4.2
        (0x57, 0x13, 0xFE),  # FIPS 197, section 4.2.1
        (0x57, 0x02, 0xAE),
        (0x57, 0x10, 0x07),
        (0x53, 0xCA, 0x01),
    ],
)
def test_the_field_multiplies_as_its_standard_says(a: int, b: int, product: int) -> None:
    assert multiply(a, b) == multiply(b, a) == product


def test_every_element_but_0_has_its_inverse() -> None:
    assert all(multiply(a, inverse(a)) == 1 for a in range(1, 256))
    assert inverse(0) == 0


@pytest.mark.parametrize("chosen", list(combinations(range(5), 3)))
def test_shares_that_another_program_made_are_put_together(chosen: tuple[int, ...]) -> None:
    assert combine([FOREIGN[number] for number in chosen]) == SECRET


def test_all_five_give_it_too_and_two_do_not() -> None:
    assert combine(FOREIGN) == SECRET
    assert all(combine(pair) != SECRET for pair in combinations(FOREIGN, 2))


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_sufficient_shares_give_the_secret_in_any_order(secret: bytes, data: st.DataObject) -> None:
    shares = data.draw(st.integers(2, 12))
    need = data.draw(st.integers(2, shares))
    made = split(secret, shares, need)
    chosen = data.draw(st.permutations(made))[: data.draw(st.integers(need, shares))]
    assert combine(chosen) == secret


def test_one_share_less_is_consistent_with_every_secret() -> None:
    """For each possible byte there is a missing share with which it would be the secret: the two tell nothing."""
    one, two, _ = split(b"\x2a", 3, 3)
    told = {combine([one, two, bytes([value, 3])]) for value in range(256)}
    assert told == {bytes([value]) for value in range(256)}


@pytest.mark.parametrize(("shares", "need"), [(3, 1), (2, 3), (256, 2), (0, 0)])
def test_what_cannot_be_split_is_refused(shares: int, need: int) -> None:
    with pytest.raises(ValueError, match=f"{need}, {shares}"):
        split(SECRET, shares, need)


@pytest.mark.parametrize(
    "shares", [[], [b"", b""], [FOREIGN[0], FOREIGN[0]], [FOREIGN[0], FOREIGN[1][1:]], [b"\x01\x00", b"\x02\x01"]]
)
def test_what_are_no_shares_is_refused(shares: list[bytes]) -> None:
    with pytest.raises(ValueError, match=str(len(shares))):
        combine(shares)
