"""Apple Wallet: a .pkpass is a zip of pass.json, pictures, their SHA-1 hashes, and a signature of those.

Source: Apple, "Building a Pass" and "Creating the Source for a Pass" (Wallet developer guide).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha1
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw

from referrals.wallets.cards import Card

KIND = "application/vnd.apple.pkpass"
ICON = 29  # points; a picture for each density of screen
DENSITIES = {"icon.png": 1, "icon@2x.png": 2, "icon@3x.png": 3}
QR = "PKBarcodeFormatQR"


class BadKey(ValueError):
    """What was pasted does not serve; `field` says which, `reason` why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Signer:
    """A store's certificate for passes with its key, and Apple's own that vouches for it."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    between: x509.Certificate

    @property
    def pass_type(self) -> str:
        """The identifier that Apple gave, for example pass.com.example.shop."""
        return _named(self.certificate, NameOID.USER_ID)

    @property
    def team(self) -> str:
        """The developer team's identifier."""
        return _named(self.certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)

    @property
    def until(self) -> datetime:
        """When the certificate ends, aware UTC."""
        return self.certificate.not_valid_after_utc


def signer(certificate: str, key: str, between: str) -> Signer:
    """The signer that these PEM texts make. Raises BadKey."""
    own, vouching = _certificate("certificate", certificate), _certificate("between", between)
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError) as error:  # TypeError: it has a password
        raise BadKey("key", "unreadable") from error
    if not isinstance(private, RSAPrivateKey):
        raise BadKey("key", "unreadable")
    if private.public_key() != own.public_key():
        raise BadKey("key", "other")
    if own.issuer != vouching.subject:
        raise BadKey("between", "other")
    made = Signer(own, private, vouching)
    if not made.pass_type.startswith("pass.") or not made.team:
        raise BadKey("certificate", "no_pass")
    return made


def _certificate(field: str, text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise BadKey(field, "unreadable") from error


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def package(card: Card, by: Signer) -> bytes:
    """The card as a signed .pkpass."""
    files = {"pass.json": json.dumps(_pass(card, by), ensure_ascii=False).encode(), **_icons(card.rgb)}
    manifest = json.dumps({name: sha1(body, usedforsecurity=False).hexdigest() for name, body in files.items()})
    files |= {"manifest.json": manifest.encode(), "signature": _signature(manifest.encode(), by)}
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return packed.getvalue()


def _signature(manifest: bytes, by: Signer) -> bytes:
    """Detached PKCS#7 with the time of signing and both certificates."""
    made = PKCS7SignatureBuilder().set_data(manifest).add_signer(by.certificate, by.key, SHA256())
    options = [PKCS7Options.DetachedSignature, PKCS7Options.Binary]
    return made.add_certificate(by.between).sign(Encoding.DER, options)


def _pass(card: Card, by: Signer) -> dict[str, object]:
    """pass.json: the friend's gift large, the code below its QR."""
    barcode = {"format": QR, "message": card.url, "messageEncoding": "utf-8", "altText": card.code}
    told = [_field("code", _("Your code"), card.code), _field("link", _("Your link"), card.url)]
    yours = [_field("you", _("For you"), card.you_get)] if card.you_get else []
    return {
        "formatVersion": 1,
        "passTypeIdentifier": by.pass_type,
        "teamIdentifier": by.team,
        "serialNumber": card.serial,
        "organizationName": card.shop,
        "description": _("Your code for friends at %(store)s") % {"store": card.shop},
        "logoText": card.shop,
        "backgroundColor": "rgb({}, {}, {})".format(*card.rgb),
        "foregroundColor": "rgb(255, 255, 255)",
        "labelColor": "rgb(255, 255, 255)",
        "barcodes": [barcode],
        "storeCard": {
            "primaryFields": [_field("friend", _("For your friend"), card.friend_gets)],
            "secondaryFields": yours,
            "backFields": told,
        },
    }


def _field(key: str, label: str, value: str) -> dict[str, str]:
    return {"key": key, "label": label, "value": value}


@cache
def _icons(rgb: tuple[int, int, int]) -> dict[str, bytes]:
    """A white parcel with a ribbon on the store's colour, in each density."""
    return {name: _icon(rgb, ICON * density) for name, density in DENSITIES.items()}


def _icon(rgb: tuple[int, int, int], size: int) -> bytes:
    picture, written, unit = Image.new("RGB", (size, size), rgb), BytesIO(), size / ICON
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom, color in (
        (6, 10, 23, 13, "white"),
        (7, 15, 22, 23, "white"),
        (13, 10, 16, 23, rgb),
    ):
        draw.rectangle((left * unit, top * unit, right * unit - 1, bottom * unit - 1), fill=color)
    for left in (8, 15):
        draw.ellipse((left * unit, 5 * unit, (left + 6) * unit, 10 * unit), outline="white", width=max(round(unit), 1))
    picture.save(written, "PNG")
    return written.getvalue()
