"""Calls of providers as they come over the wire: fixtures, signed as each provider's documentation says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.test import Client

from tests.fakes import kavenegar, twilio, vonage

FIXTURES = Path(__file__).parent / "fixtures"
MAIL = sorted(path.stem for path in (FIXTURES / "mail").glob("*.json"))
SMS = sorted(path.stem for path in (FIXTURES / "sms").glob("*.json"))


@cache
def _fixture(folder: str, provider: str) -> str:
    return (FIXTURES / folder / f"{provider}.json").read_text()


def fixture(folder: str, provider: str, reference: str = "none") -> dict[str, Any]:
    """A provider's message id and events, with our reference in the places where it comes back."""
    return json.loads(_fixture(folder, provider).replace("$REFERENCE", reference))


@cache
def keys(kind: str, whose: str) -> Any:
    """A private key; `whose` so that there can be a wrong one."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def public(kind: str, whose: str = "right") -> str:
    der = (
        keys(kind, whose)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(der).decode()


# What each account knows; a provider without a line proves nothing but its address.
def mail_values(provider: str) -> dict[str, str]:
    return {
        "mailersend": {"api_token": "ms", "signing_secret": "right"},
        "mailgun": {"api_key": "mg", "api_url": "https://api.mailgun.net/v3", "webhook_signing_key": "right"},
        "mailtrap": {"api_token": "mt", "tracking_secret": "right"},
        "mandrill": {"api_key": "md", "webhook_key": "right"},
        "postal": {"api_key": "po", "api_url": "https://postal.example.net", "webhook_key": public("rsa")},
        "resend": {"api_key": "rs", "signing_secret": "whsec_" + base64.b64encode(b"right").decode()},
        "sendgrid": {
            "api_key": "sg",
            "api_url": "https://api.sendgrid.com/v3/",
            "tracking_webhook_verification_key": public("ec"),
        },
        "unisender_go": {"api_key": "right", "api_url": "https://go1.unisender.ru/ru/transactional/api/v1/"},
    }.get(provider, {"api_key": "k"})


SIGNED = {"mailersend", "mailgun", "mailtrap", "mandrill", "postal", "resend", "sendgrid", "unisender_go"}
SMS_VALUES = {
    "twilio": {"account_sid": twilio.SID, "auth_token": twilio.TOKEN},
    "vonage": {"api_key": vonage.KEY, "api_secret": vonage.SECRET, "signature_secret": vonage.SIGNATURE},
    "kavenegar": {"api_key": kavenegar.KEY, "report_key": kavenegar.REPORT_KEY},
}


def hexmac(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def mail_call(provider: str, payload: Any, url: str, now: float, secret: str = "right", event_id: str = "") -> dict:
    """What the test client posts."""
    text = json.dumps(payload)
    headers: dict[str, str] = {}
    kind = "application/json"
    if provider == "mailgun":
        token = payload["signature"]["token"]
        mark = hexmac(secret, f"{int(now)}{token}".encode())
        text = text.replace("$NOW", str(int(now))).replace("$SIGNATURE", mark)
    elif provider == "unisender_go":
        auth = hashlib.md5(text.replace("$AUTH", secret).encode()).hexdigest()
        text = text.replace("$AUTH", auth)
    elif provider == "mandrill":
        text, kind = urlencode({"mandrill_events": text}), "application/x-www-form-urlencoded"
        signed = f"{url}mandrill_events{json.dumps(payload)}".encode()
        mark = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha1).digest()).decode()
        headers["x-mandrill-signature"] = mark
    body = text.encode()
    if provider == "mailersend":
        headers["signature"] = hexmac(secret, body)
    elif provider == "mailtrap":
        headers["mailtrap-signature"] = hexmac(secret, body)
    elif provider == "postal":
        mark = keys("rsa", secret).sign(body, padding.PKCS1v15(), hashes.SHA1())
        headers["x-postal-signature"] = base64.b64encode(mark).decode()
    elif provider == "sendgrid":
        mark = keys("ec", secret).sign(str(int(now)).encode() + body, ec.ECDSA(hashes.SHA256()))
        headers["x-twilio-email-event-webhook-signature"] = base64.b64encode(mark).decode()
        headers["x-twilio-email-event-webhook-timestamp"] = str(int(now))
    elif provider == "resend":
        name = event_id or "msg_" + hashlib.sha256(body).hexdigest()[:20]
        signed = f"{name}.{int(now)}.".encode() + body
        mark = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        headers |= {"svix-id": name, "svix-timestamp": str(int(now)), "svix-signature": f"v1,{mark}"}
    elif provider == "amazon_ses":
        headers |= {"x-amz-sns-message-type": payload["Type"], "x-amz-sns-message-id": payload["MessageId"]}
    return {"path": urlsplit(url).path, "data": body, "content_type": kind, "headers": headers}


def sms_call(provider: str, fields: Any, url: str, *, wrong: bool = False) -> dict:
    """What the test client posts for a gateway."""
    if provider == "twilio":
        made = twilio.callback(url, fields, token="wrong" if wrong else twilio.TOKEN)
    elif provider == "vonage":
        made = vonage.webhook(fields, **({"secret": "wrong"} if wrong else {}))
    else:
        made = kavenegar.call(fields, key="wrong" if wrong else kavenegar.REPORT_KEY)
        url = f"{url}?{urlencode(made.query)}"
    headers = {name: value for name, value in made.headers.items() if name.lower() != "content-type"}
    kind = "application/json" if provider == "vonage" else "application/x-www-form-urlencoded"
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return {"path": path, "data": made.body, "content_type": kind, "headers": headers}


def post(call: dict, client: Client | None = None) -> Any:
    """Make the call."""
    return (client or Client()).post(**call)
