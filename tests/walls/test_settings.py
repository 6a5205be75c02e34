"""A server as an operator sets it up: https, checks clean, no key of a page in the log, secrets sealed."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import subprocess
import sys

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.db import connection

from stores.logs import JsonFormatter
from tests.databases import ROOT

DOCUMENT = ROOT / "docs" / "security.md"

SCRIPT = """
import json, django
django.setup()
from django.conf import settings
from django.core import checks
from django.test import Client
found = [str(one) for one in checks.run_checks(include_deployment_checks=True)]
pages = [Client(headers={"host": "goodword.example"}).get(path, secure=True)
         for path in ("/healthz?lang=fa&theme=dark", "/no-such-page", "/api/v1/nothing/")]
cookies = {name: [bool(one["secure"]), bool(one["httponly"]), one["samesite"]]
           for page in pages for name, one in page.cookies.items()}
names = [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME]
flags = [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.DEBUG]
plain = Client(headers={"host": "goodword.example"}).get("/login/").status_code
print(json.dumps([found, [dict(page.headers) for page in pages], cookies, names, flags, plain]))
"""


def test_a_server_with_https_passes_every_check_for_deployment():
    env = {name: value for name, value in os.environ.items() if name not in ("PYTEST_CURRENT_TEST", "DEBUG")}
    env |= {
        "SITE_URL": "https://goodword.example",
        "ALLOWED_HOSTS": "goodword.example",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found, pages, cookies, names, flags, plain = json.loads(done.stdout.splitlines()[-1])
    assert found == []
    for headers in pages:
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "object-src 'none'" in headers["Content-Security-Policy"]
    assert cookies == {"lang": [True, True, "Lax"], "theme": [True, True, "Lax"]}
    assert names == ["__Host-session", "__Host-csrf"]
    assert flags == [True, True, True, False]
    assert plain == 301


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Not Found: /me/AgMBAgME_x-y/payout", "Not Found: /me/***/payout"),
        ("Bad Request: /s/AgMBAgME", "Bad Request: /s/***"),
        ("/in/mail/brevo/0123456789abcdef", "/in/mail/brevo/***"),
        ("/password/reset/key/1-c0ffee-abc/", "/password/reset/key/***/"),
        ("Not Found: /d/rosewater/customers/", "Not Found: /d/rosewater/customers/"),
    ],
)
def test_the_key_in_an_address_is_not_logged(said, logged):
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (said,), None)
    assert json.loads(JsonFormatter().format(record))["message"] == logged
    try:
        raise ValueError(said)
    except ValueError:
        record.exc_info = sys.exc_info()
    assert logged in json.loads(JsonFormatter().format(record))["error"]


def test_second_factors_are_sealed_and_still_work(owner, store):
    secret = totp.generate_totp_secret()
    app, codes = totp.TOTP.activate(owner.user, secret), RecoveryCodes.activate(owner.user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert stored.count("gAAAA") == 2
    counter = next(totp.yield_hotp_counters_from_time())
    assert app.validate_code(totp.format_hotp_value(totp.hotp_value(secret, counter)))
    assert codes.validate_code(codes.get_unused_codes()[0])


def test_a_seed_from_before_it_was_sealed_still_works(owner):
    secret = totp.generate_totp_secret()
    app = totp.TOTP(Authenticator.objects.create(user=owner.user, type="totp", data={"secret": secret}))
    counter = next(totp.yield_hotp_counters_from_time())
    assert app.validate_code(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def test_what_the_security_list_names_is_there():
    text = DOCUMENT.read_text()
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]+\.\w+)`", text))
    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_security_list_has_every_line_of_level_two_and_says_what_is_not_held():
    """OWASP ASVS 5.0 has 253 requirements on levels 1 and 2; each stands in one row, alone or in a group."""
    rows = re.findall(r"^\| ([\d., ]+?) \| (held|part|no|operator|none) \| (.+) \|$", DOCUMENT.read_text(), re.M)
    numbers = [number for ids, _state, _by in rows for number in ids.replace(" ", "").split(",")]
    assert len(numbers) == len(set(numbers)) == 253
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", number) for number in numbers)
    assert all(by.strip() for _ids, _state, by in rows)
