"""Secrets at rest: a dump of the database must not give the right to send (RELIABILITY rule 53).

Sealed with Fernet (AES-CBC and HMAC) under a key derived from SECRET_KEY by HKDF. The context, such
as "channel:12:email", is part of the derivation: a sealed text moved to another row cannot be opened
there. Keys in SECRET_KEY_FALLBACKS still open; `renew` seals again under the current one.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """No key of ours opens this text in this context: the keys changed, or somebody altered it."""


def seal(text: str, context: str) -> str:
    """The text as ciphertext that only `unseal` with the same context reads."""
    return _box(context).encrypt(text.encode()).decode()


def unseal(sealed: str, context: str) -> str:
    """The text again; raises Unreadable."""
    try:
        return _box(context).decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise Unreadable(context) from None


def renew(sealed: str, context: str) -> str | None:
    """The same secret under the current SECRET_KEY; None when it is under that already. Raises Unreadable."""
    try:
        _fernet(settings.SECRET_KEY, context).decrypt(sealed.encode())
    except (InvalidToken, UnicodeError):
        return seal(unseal(sealed, context), context)
    return None


def _box(context: str) -> MultiFernet:
    return MultiFernet([_fernet(key, context) for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]])


def _fernet(key: str, context: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"goodword.secrets:{context}".encode())
    return Fernet(urlsafe_b64encode(derived.derive(key.encode())))
