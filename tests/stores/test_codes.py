"""Codes that carry value, and tokens of links: as long, as even and as apart as is promised (rules 44, 45)."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import codes, tokens
from stores.tokens import Purpose

characters = st.text(codes.ALPHABET, min_size=codes.VOUCHER_LENGTH, max_size=codes.VOUCHER_LENGTH)


def with_check(text: str) -> str:
    return text + codes.check_character(text)


def test_a_voucher_code_is_ten_characters_and_a_check():
    made = [codes.voucher_code() for _ in range(2_000)]
    assert len(set(made)) == len(made)
    assert all(len(one) == 11 and codes.has_good_check(one) for one in made)
    assert set("".join(made)) == set(codes.ALPHABET)
    assert not set(codes.ALPHABET) & set("01OIL")
    assert len(codes.ALPHABET) ** codes.VOUCHER_LENGTH > 780_000_000 * 1_000_000  # half a chance at 1 M live codes


@given(characters, st.data())
def test_every_wrong_character_is_found(text, data):
    code = with_check(text)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(codes.ALPHABET).filter(lambda one: one != code[place]))
    assert not codes.has_good_check(code[:place] + other + code[place + 1 :])


@given(characters)
def test_every_two_that_change_places_are_found(text):
    code = with_check(text)
    for one, other in combinations(range(len(code)), 2):
        swapped = list(code)
        swapped[one], swapped[other] = code[other], code[one]
        assert codes.has_good_check("".join(swapped)) == (code[one] == code[other])


def test_control_a_plain_sum_would_not_find_them(monkeypatch):
    def plain(text):
        return codes.ALPHABET[-sum(map(codes.ALPHABET.index, text)) % len(codes.ALPHABET)]

    monkeypatch.setattr(codes, "check_character", plain)
    code = with_check("23456789AB")
    assert codes.has_good_check("32" + code[2:])


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_opens_its_own_door_only(purpose):
    token = tokens.make(purpose, 7, 99)
    assert tokens.read(purpose, token) == (7, 99)
    for other in set(Purpose) - {purpose}:
        with pytest.raises(tokens.BadToken):
            tokens.read(other, token)


@given(st.data())
def test_a_token_with_one_other_character_opens_none(data):
    token = tokens.make(Purpose.SHARE, 7, 99)
    place = data.draw(st.integers(0, len(token) - 2))  # the last one carries bits that mean nothing
    other = data.draw(st.sampled_from("abcXYZ019").filter(lambda one: one != token[place]))
    changed = token[:place] + other + token[place + 1 :]
    with pytest.raises(tokens.BadToken):
        tokens.read(Purpose.SHARE, changed)
