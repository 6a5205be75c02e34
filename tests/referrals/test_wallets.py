"""Passes: signed so that a phone believes them, by keys that are encrypted and never shown; without keys no button."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1, sha256
from io import BytesIO
from zipfile import ZipFile

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings as site_settings
from django.utils import timezone
from PIL import Image

from referrals.models import Program, WalletKey
from referrals.services import programs, wallets
from referrals.services.programs import program_of
from stores import tokens
from stores.models import AuditEvent
from stores.tenancy import acting_for

PAGE = "/d/rosewater/materials/wallet/"
ISSUER = "3388000000012345678"
DIGEST_OF_MESSAGE, TIME_OF_SIGNING = bytes.fromhex("2a864886f70d010904"), bytes.fromhex("2a864886f70d010905")


@cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def key_text(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def certificate(names, *, by, issuer=None, days=365, key=None):
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names.items()])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject)
    made = made.serial_number(7).public_key((key or by).public_key())
    start = timezone.now() - timedelta(days=400)
    return made.not_valid_before(start).not_valid_after(timezone.now() + timedelta(days=days)).sign(by, SHA256())


def apple_values(*, days=365, user="pass.com.example.rosewater") -> dict[str, str]:
    """What an owner pastes: their certificate, its key, and the one of Apple that vouches for it."""
    between = certificate({NameOID.COMMON_NAME: "Apple WWDR of a test"}, by=rsa_key(1))
    names = {NameOID.USER_ID: user, NameOID.ORGANIZATIONAL_UNIT_NAME: "TEAM123456", NameOID.COMMON_NAME: "Pass"}
    own = certificate(names, by=rsa_key(1), issuer=between.subject, days=days, key=rsa_key(2))
    texts = {"certificate": own, "between": between}
    return {name: one.public_bytes(Encoding.PEM).decode() for name, one in texts.items()} | {
        "key": key_text(rsa_key(2))
    }


def google_values() -> dict[str, str]:
    account = {"client_email": "goodword@shop.example", "private_key": key_text(rsa_key(3))}
    return {"issuer": ISSUER, "account": json.dumps(account)}


@pytest.fixture
def url(store, share_link):
    return f"/me/{tokens.make(tokens.Purpose.SHARE, store.pk, share_link.customer)}"


@pytest.fixture
def keys(store):
    """The store has keys for both wallets."""
    for wallet, values in (("apple", apple_values()), ("google", google_values())):
        wallets.save(store, wallet, values, by=None, at=timezone.now())


# -- What a phone checks --


def tag_and_body(der: bytes, start: int = 0) -> tuple[int, bytes, int]:
    """(tag, content, where the next one begins) of the DER value at `start`."""
    length, at = der[start + 1], start + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(der[at : at + size], "big"), at + size
    return der[start], der[at : at + length], at + length


def parts(body: bytes) -> list[tuple[int, bytes, bytes]]:
    """(tag, content, whole) of each value in `body`."""
    found, at = [], 0
    while at < len(body):
        tag, content, after = tag_and_body(body, at)
        found.append((tag, content, body[at:after]))
        at = after
    return found


def is_signed(signature: bytes, message: bytes, public_key) -> bool:
    """Whether this is a detached PKCS#7 signature of the message by that key, with the time of signing."""
    content_info = parts(tag_and_body(signature)[1])
    signed_data = parts(tag_and_body(content_info[1][1])[1])
    assert len(parts(signed_data[2][1])) == 1, "detached: the message itself is not in it"
    assert len(parts(signed_data[3][1])) == 2, "both certificates"
    signer = parts(parts(signed_data[-1][1])[0][1])
    attributes = next(whole for tag, _content, whole in signer if tag == 0xA0)
    values = {parts(one)[0][1]: parts(parts(one)[1][1])[0][1] for _, one, _ in parts(tag_and_body(attributes)[1])}
    assert TIME_OF_SIGNING in values
    try:
        public_key.verify(signer[-1][1], b"\x31" + attributes[1:], PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return values[DIGEST_OF_MESSAGE] == sha256(message).digest()


def files_of(page) -> dict[str, bytes]:
    assert page.status_code == 200
    with ZipFile(BytesIO(page.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_phone_believes_the_pass(client, url, keys, share_link):
    page = client.get(f"{url}/pass.pkpass")
    assert page["Content-Type"] == "application/vnd.apple.pkpass"
    files = files_of(page)
    manifest = json.loads(files["manifest.json"])
    assert manifest == {
        name: sha1(body).hexdigest() for name, body in files.items() if name not in ("manifest.json", "signature")
    }
    assert is_signed(files["signature"], files["manifest.json"], rsa_key(2).public_key())
    assert not is_signed(files["signature"], files["manifest.json"] + b" ", rsa_key(2).public_key())
    assert not is_signed(files["signature"], files["manifest.json"], rsa_key(1).public_key())
    assert [Image.open(BytesIO(files[f"icon{name}.png"])).size for name in ("", "@2x", "@3x")] == [
        (29, 29),
        (58, 58),
        (87, 87),
    ]


def test_the_pass_says_code_link_and_gift_and_nothing_else_of_the_person(client, url, keys, share_link):
    facts = json.loads(files_of(client.get(f"{url}/pass.pkpass?lang=fa"))["pass.json"])
    assert facts["passTypeIdentifier"] == "pass.com.example.rosewater"
    assert facts["teamIdentifier"] == "TEAM123456"
    (barcode,) = facts["barcodes"]
    assert (barcode["message"], barcode["altText"]) == (
        f"{site_settings.SITE_URL}/r/{share_link.code}",
        share_link.code,
    )
    assert "٪" in facts["storeCard"]["primaryFields"][0]["value"]
    for hidden in ("Ahmadi", "sara@example.com"):
        assert hidden not in json.dumps(facts)


def test_google_gets_the_pass_when_somebody_taps(client, url, keys, share_link):
    address = client.get(f"{url}/google-pass")["Location"]
    head, body, signature = address.removeprefix("https://pay.google.com/gp/v/save/").split(".")

    def raw(text):
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))

    rsa_key(3).public_key().verify(raw(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
    claims = json.loads(raw(body))
    assert json.loads(raw(head)) == {"alg": "RS256", "typ": "JWT"}
    assert (claims["iss"], claims["aud"], claims["typ"]) == ("goodword@shop.example", "google", "savetowallet")
    (card,) = claims["payload"]["genericObjects"]
    assert card["id"].startswith(f"{ISSUER}.")
    assert card["barcode"]["alternateText"] == share_link.code
    assert "Ahmadi" not in json.dumps(claims)


# -- The buttons --


def buttons(client, url) -> tuple[bool, bool]:
    text = client.get(url).content.decode()
    return "Add to Apple Wallet" in text, "Add to Google Wallet" in text


def test_without_keys_there_is_no_button(client, url, store):
    assert buttons(client, url) == (False, False)
    assert client.get(f"{url}/pass.pkpass").status_code == 404
    assert client.get(f"{url}/google-pass").status_code == 404
    wallets.save(store, "apple", apple_values(), by=None, at=timezone.now())
    assert buttons(client, url) == (True, False)


def test_after_its_end_a_certificate_signs_nothing(client, url, store):
    wallets.save(store, "apple", apple_values(days=-1), by=None, at=timezone.now())
    assert buttons(client, url) == (False, False)
    assert client.get(f"{url}/pass.pkpass").status_code == 404


def test_a_resting_program_hands_out_no_pass(client, url, store, keys):
    programs.set_status(program_of(store), Program.Status.PAUSED, by=None, at=timezone.now())
    assert buttons(client, url) == (False, False)
    assert client.get(f"{url}/pass.pkpass").status_code == 404


# -- The keys --


def test_an_owner_pastes_and_removes_them(owner, store):
    answer = owner.post(PAGE, {"wallet": "apple", **{f"apple-{name}": text for name, text in apple_values().items()}})
    assert answer.status_code == 302
    row = WalletKey.objects.for_store(store).get()
    assert row.names["team"] == "TEAM123456"
    page = owner.get(PAGE).content.decode()
    assert "Ready" in page
    assert "PRIVATE KEY" not in page
    assert owner.post(PAGE, {"wallet": "apple", "step": "remove"}).status_code == 302
    assert not WalletKey.objects.for_store(store).exists()
    assert set(AuditEvent.objects.for_store(store).values_list("action", flat=True)) >= {
        "wallet.saved",
        "wallet.removed",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "nonsense"}, "cannot be read"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"}, "cannot be read"),
        ({"key": "KEY OF ANOTHER"}, "belongs to another"),
        ({"certificate": "NO PASS"}, "not for passes"),
        ({"between": "OF ANOTHER"}, "belongs to another"),
        ({"key": ""}, "This field is required"),
    ],
)
def test_what_cannot_sign_is_refused_and_stays_typed(owner, store, change, words):
    others = {
        "KEY OF ANOTHER": key_text(rsa_key(1)),
        "NO PASS": apple_values(user="com.example")["certificate"],
        "OF ANOTHER": apple_values()["certificate"],
    }
    values = apple_values() | {name: others.get(text, text) for name, text in change.items()}
    answer = owner.post(PAGE, {"wallet": "apple", **{f"apple-{name}": text for name, text in values.items()}})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not WalletKey.objects.for_store(store).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "abc"},
        {"account": "{}"},
        {"account": "[1]"},
        {"account": '{"private_key": "x", "client_email": "a@b"}'},
    ],
)
def test_what_google_would_not_take_is_refused(owner, store, change):
    values = google_values() | change
    answer = owner.post(PAGE, {"wallet": "google", **{f"google-{name}": text for name, text in values.items()}})
    assert answer.status_code == 422
    assert not WalletKey.objects.for_store(store).exists()


def test_only_owners_see_the_page(manager, owner):
    assert manager.get(PAGE).status_code == 403
    assert owner.get(PAGE).status_code == 200
    assert owner.post(PAGE, {"wallet": "other"}).status_code == 404


def test_in_the_database_they_are_sealed_to_their_store(store, other_store, keys):
    row = WalletKey.objects.for_store(store).get(wallet="apple")
    assert "PRIVATE" not in row.secrets + json.dumps(row.names)
    with acting_for(other_store):  # a copied row signs nothing there
        facts = {"names": row.names, "secrets": row.secrets, "changed_at": row.changed_at}
        WalletKey.objects.create(store=other_store, wallet="apple", **facts)
        assert wallets.offered(other_store, timezone.now()) == {"apple"}
        assert wallets.opened(other_store, "apple", timezone.now()) is None


def test_they_outlive_a_change_of_the_secret_key(client, url, store, keys, settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-key-of-fifty-characters"
    assert wallets.renew_secrets(store, datetime.now(UTC)) == 2
    settings.SECRET_KEY_FALLBACKS = []
    assert wallets.opened(store, "apple", timezone.now()) is not None
    settings.SECRET_KEY = "a-third-one-that-nobody-was-told-of-at-all"
    assert wallets.opened(store, "apple", timezone.now()) is None
