"""Signed links without login: survey, share page, unsubscribe.

A token names a purpose, a store and a row, and ends in a 128-bit HMAC. Nothing is stored, nothing
expires (an unsubscribe link must work for years); a rotated key stays in SECRET_KEY_FALLBACKS.
Source: OWASP ASVS 11.5.1; RELIABILITY rule 45.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import Enum
from hashlib import sha256

from django.conf import settings
from django.db import models

MAC_BYTES = 16


class Purpose(Enum):
    """What a token lets its holder do; a token of one purpose is refused for another."""

    SURVEY = b"s"
    SHARE = b"m"
    UNSUBSCRIBE = b"u"
    COUNTER = b"q"
    TESTIMONIAL = b"t"
    TERMS = b"v"


class BadToken(Exception):
    """The token was not made by us for this purpose."""


def make(purpose: Purpose, store_id: int, row: models.Model | int) -> str:
    """A token of some 30 URL-safe characters for the row of that store."""
    pk = row if isinstance(row, int) else int(row.pk)
    body = _number(store_id) + _number(pk)
    return urlsafe_b64encode(body + _mac(settings.SECRET_KEY, purpose, body)).decode().rstrip("=")


def read(purpose: Purpose, token: str) -> tuple[int, int]:
    """(store id, row id) of a token; raises BadToken."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise BadToken from error
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(mac, _mac(key, purpose, body)) for key in keys):
        raise BadToken
    store_id, rest = _read_number(body)
    return store_id, _read_number(rest)[0]


def _mac(key: str, purpose: Purpose, body: bytes) -> bytes:
    return hmac.new(b"goodword.link:" + key.encode(), purpose.value + body, sha256).digest()[:MAC_BYTES]


def _number(value: int) -> bytes:
    """Length-prefixed big-endian bytes."""
    raw = value.to_bytes((value.bit_length() + 7) // 8 or 1, "big")
    return bytes([len(raw)]) + raw


def _read_number(raw: bytes) -> tuple[int, bytes]:
    end = 1 + raw[0]
    return int.from_bytes(raw[1:end], "big"), raw[end:]
