"""Codes and ids: what people type, what URLs carry.

Source: RELIABILITY rules 44-45 (sizes), OWASP ASVS 11.5.1 (128 bits for unguessable tokens).
"""

import hmac
import re
import secrets
from itertools import count
from operator import mul

from django.conf import settings

from stores.l10n import fold_digits

# No 0, O, 1, I, L. 31 is prime, so the check character finds every wrong or swapped character.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
PUBLIC_ID_LENGTH = 20  # 99 bits: named in URLs of people who are logged in
VOUCHER_LENGTH = 10  # 50 bits; at 1 M live codes half a chance after 10^8 guesses and more


# Of the 256 bytes the first 248 stand for characters, eight each; the others are drawn again, so that all are alike.
_EVEN = len(ALPHABET) * 8
_CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_DRAWN_AGAIN = bytes(range(_EVEN, 256))


def random_characters(length: int) -> str:
    """`length` characters of ALPHABET from the system's generator."""
    found = b""
    while len(found) < length:
        found += secrets.token_bytes(length + 8).translate(_CHARACTERS, _DRAWN_AGAIN)
    return found[:length].decode()


def public_id() -> str:
    """An opaque name for a row, for URLs and the API."""
    return random_characters(PUBLIC_ID_LENGTH).lower()


def derived_id(purpose: str, facts: str) -> str:
    """A public id that follows from `facts` by our key: the same for the same facts, not to be guessed."""
    key = f"goodword.{purpose}:{settings.SECRET_KEY}".encode()
    digest = hmac.digest(key, facts.encode(), "sha256")
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:PUBLIC_ID_LENGTH]).lower()


def check_character(characters: str) -> str:
    """The character that makes a weighted sum of `characters` divisible by 31.

    Characters outside ALPHABET count by their code point, so that any text gets an answer.
    """
    return ALPHABET[-sum(map(mul, count(2), map(_VALUES.__getitem__, characters))) % len(ALPHABET)]


class _Values(dict[str, int]):
    """What a character counts."""

    def __missing__(self, character: str) -> int:
        return ord(character) % len(ALPHABET)


_VALUES = _Values(zip(ALPHABET, range(len(ALPHABET)), strict=True))


def voucher_code() -> str:
    """A new voucher code: 10 random characters and one check character."""
    characters = random_characters(VOUCHER_LENGTH)
    return characters + check_character(characters)


def voucher_codes(number: int) -> list[str]:
    """So many of them."""
    return [characters + check_character(characters) for characters in _pieces(number, VOUCHER_LENGTH)]


def public_ids(number: int) -> list[str]:
    """So many opaque names for rows."""
    return [characters.lower() for characters in _pieces(number, PUBLIC_ID_LENGTH)]


def _pieces(number: int, length: int) -> list[str]:
    """`number` times `length` random characters: cut from one draw it takes half the time."""
    drawn = random_characters(number * length)
    return [drawn[start : start + length] for start in range(0, len(drawn), length)]


def has_good_check(code: str) -> bool:
    """Whether a normalised voucher code ends in the right check character."""
    return len(code) == VOUCHER_LENGTH + 1 and check_character(code[:-1]) == code[-1]


def normalise(typed: str) -> str:
    """Fold what a person typed, scanned or said into the form codes are stored in.

    Case, spaces, dashes, look-alikes (O/0, I/L/1) and Persian or Arabic digits never matter; a
    scanned link is cut to its last part. At most 40 characters of the result matter.
    """
    text = fold_digits(typed[:4096]).strip()
    if "/" in text:
        text = text.split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^0-9A-Z]", "", text.upper()).translate(LOOK_ALIKES)[:40]


def spaced(code: str) -> str:
    """A voucher code in groups, as people read it aloud: ABCD-EFGH-JKM."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
