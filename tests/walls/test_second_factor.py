"""Owners who need more than a password, because their store or the operator asks for it; log-ins are counted."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from stores import limits
from stores.models import Store
from tests.conftest import PASSWORD

HOME = "/d/rosewater/"


@pytest.fixture(params=["store", "operator"])
def asked(request, store, settings):
    """Owners are asked for a second factor."""
    if request.param == "operator":
        settings.OWNERS_NEED_SECOND_FACTOR = True
    else:
        Store.objects.filter(pk=store.pk).update(owners_need_second_factor=True)


@pytest.mark.usefixtures("asked")
def test_an_owner_sets_one_up_first(owner):
    for path in (HOME, f"{HOME}settings/", f"{HOME}rewards/payouts/"):
        assert owner.get(path).url == "/2fa/"
    assert owner.post(f"{HOME}settings/", {"name": "Changed"}).url == "/2fa/"
    assert owner.get("/c/rosewater/").status_code == 200
    TOTP.activate(owner.user, generate_totp_secret())
    assert owner.get(f"{HOME}settings/").status_code == 200


@pytest.mark.usefixtures("asked")
def test_nobody_else_is_asked(manager, staff):
    assert manager.get(HOME).status_code == 200
    assert staff.get("/c/rosewater/").status_code == 200


def test_without_the_wish_nobody_is_asked(owner):
    assert owner.get(f"{HOME}settings/").status_code == 200


@pytest.mark.usefixtures("asked")
def test_a_password_set_anew_does_not_get_past_it(owner, client):
    TOTP.activate(owner.user, generate_totp_secret())
    answer = client.post("/login/", {"login": owner.user.email, "password": PASSWORD})
    assert answer.url.startswith("/2fa/authenticate/")
    assert client.get(HOME).url.startswith("/login/")


# -- Passwords are counted --


def log_in(email: str, password: str = PASSWORD, address: str = "10.0.0.1") -> int:
    client = Client(REMOTE_ADDR=address)
    client.post("/login/", {"login": email, "password": password})
    return "_auth_user_id" in client.session


def test_five_wrong_passwords_lock_the_address_even_for_the_right_one(owner):
    for number in range(5):
        assert not log_in(owner.user.email, "wrong", f"10.0.0.{number}")
    assert not log_in(owner.user.email, address="10.0.1.1")
    assert not log_in(owner.user.email.upper(), address="10.0.1.2")


def test_right_passwords_are_not_counted(owner):
    assert all(log_in(owner.user.email) for _ in range(25))


def test_one_network_tries_twenty_passwords_a_minute(owner):
    for number in range(20):
        assert not log_in(f"nobody{number}@example.com", "wrong")
    assert not log_in(owner.user.email)
    assert log_in(owner.user.email, address="10.0.1.1")


def test_behind_a_proxy_people_are_told_apart(owner, settings):
    settings.TRUSTED_PROXIES = 1
    for number in range(20):
        headers = {"x-forwarded-for": f"203.0.113.9, 198.51.100.{number}"}
        Client(headers=headers).post("/login/", {"login": f"nobody{number}@example.com", "password": "wrong"})
    assert log_in(owner.user.email)


def test_without_the_counter_people_still_get_in(owner, monkeypatch):
    def away(*_):
        raise ConnectionError

    monkeypatch.setattr(limits, "_add", away)
    monkeypatch.setattr(limits, "_away_until", 0.0)
    assert log_in(owner.user.email)
