"""Google Wallet: a link that carries the pass in a signed token, so nothing is sent to Google until somebody taps it.

Source: Google Wallet API, "Generic pass: issue with JWT"; RFC 7519 and RFC 7515 (RS256).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils.translation import gettext as _

from referrals.wallets.apple import BadKey
from referrals.wallets.cards import Card

SAVE = "https://pay.google.com/gp/v/save/"
ISSUER = re.compile(r"[0-9]{10,24}")


@dataclass(frozen=True)
class Signer:
    """A store's issuer number at Google, and the service account that may issue for it."""

    issuer: str
    account: str
    key: RSAPrivateKey


def signer(issuer: str, account: str) -> Signer:
    """The signer of an issuer number and a service account's JSON file. Raises BadKey."""
    if not ISSUER.fullmatch(issuer):
        raise BadKey("issuer", "unreadable")
    try:
        facts = json.loads(account)
        key = load_pem_private_key(facts["private_key"].encode(), None)
        name = str(facts["client_email"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadKey("account", "unreadable") from error
    if not isinstance(key, RSAPrivateKey) or "@" not in name:
        raise BadKey("account", "unreadable")
    return Signer(issuer, name, key)


def save_link(card: Card, by: Signer, at: datetime) -> str:
    """Where a tap puts the card into the wallet."""
    claims = {
        "iss": by.account,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(at.timestamp()),
        "origins": [],
        "payload": {"genericClasses": [{"id": _class(by)}], "genericObjects": [_object(card, by)]},
    }
    body = ".".join(_part(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{SAVE}{body}.{_text(by.key.sign(body.encode(), PKCS1v15(), SHA256()))}"


def _class(by: Signer) -> str:
    return f"{by.issuer}.goodword"


def _object(card: Card, by: Signer) -> dict[str, object]:
    modules = [("friend", _("For your friend"), card.friend_gets), ("you", _("For you"), card.you_get)]
    return {
        "id": f"{by.issuer}.{card.serial}",
        "classId": _class(by),
        "state": "ACTIVE",
        "cardTitle": _said(card, card.shop),
        "header": _said(card, card.friend_gets),
        "subheader": _said(card, _("For your friend")),
        "hexBackgroundColor": card.color,
        "barcode": {"type": "QR_CODE", "value": card.url, "alternateText": card.code},
        "textModulesData": [{"id": key, "header": label, "body": text} for key, label, text in modules if text],
        "linksModuleData": {"uris": [{"id": "link", "uri": card.url, "description": _("Your link")}]},
    }


def _said(card: Card, text: str) -> dict[str, object]:
    return {"defaultValue": {"language": card.language, "value": text}}


def _part(facts: Mapping[str, object]) -> str:
    return _text(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
