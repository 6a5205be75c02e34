"""Two devices without internet, one code: one redemption and one clear conflict; with controls."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from datetime import timedelta
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from checkout.models import Held
from checkout.services import permits, replaying
from customers.models import Order
from customers.services import Person
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from rewards.models import Redemption
from rewards.services import ledger, vouchers
from stores import codes
from stores.models import Membership, Role, User
from tests.conftest import NOW, make_order_of
from tests.races.test_redeem import without_index

DEVICES = 8


@pytest.fixture
def devices(committed_store, in_store):
    """Clients of as many cashiers, each with a permit of an hour ago; `send(number, code, key)`."""
    clients, signed = [], []
    for number in range(DEVICES):
        user = User.objects.create_user(f"{secrets.token_hex(4)}@example.com")
        in_store(lambda user=user: Membership.objects.create(store=committed_store, user=user, role=Role.STAFF))
        clients.append(Client())
        clients[-1].force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        issued = timezone.now() - timedelta(hours=1)
        facts = {"device": f"device-{number}", "location": None, "at": issued}
        signed.append(
            permits.sign(in_store(lambda user=user, facts=facts: permits.issue(committed_store, user, **facts)))
        )

    def send(number, code, key=""):
        given_at = int(timezone.now().timestamp() * 1000)
        body = {"key": key or codes.public_id(), "code": code, "amount": 100_00, "discount": 10_00}
        body |= {"given_at": given_at, "permit": signed[number]}
        path = f"/c/{committed_store.slug}/offline/held/"
        return clients[number].post(path, json.dumps(body), content_type="application/json")

    return send


@pytest.fixture
def voucher(committed_store, in_store):
    return in_store(
        lambda: vouchers.issue(
            committed_store, program_of(committed_store).terms.friend_offer, key="race", at=timezone.now()
        )
    )


def counted(in_store, store):
    return in_store(
        lambda: (
            Redemption.objects.for_store(store).count(),
            Order.objects.for_store(store).filter(source="checkout").count(),
            Counter(Held.objects.for_store(store).values_list("status", flat=True)),
        )
    )


def test_many_devices_with_one_code_end_in_one_redemption(committed_store, in_store, at_once, devices, voucher):
    answers = at_once(DEVICES, lambda number: devices(number, voucher.code))
    assert {one.status_code for one in answers} == {200}
    assert Counter(one.json()["state"] for one in answers) == {"done": 1, "refused": DEVICES - 1}
    assert counted(in_store, committed_store) == (1, 1, {"done": 1, "refused": DEVICES - 1})
    winner = in_store(lambda: Redemption.objects.for_store(committed_store).get())
    rows = in_store(lambda: list(replaying.conflicts(committed_store)))
    assert {(one.reason, one.redemption_id) for one in rows} == {("used", winner.pk)}
    assert in_store(lambda: ledger.total(committed_store)) == 0


def test_one_key_sent_by_many_at_once_counts_once(committed_store, in_store, at_once, devices):
    """A share code may be used again and again: only the key stands in the way."""
    code, key = _share_code(committed_store, in_store), codes.public_id()
    answers = at_once(DEVICES, lambda number: devices(number, code, key))
    assert Counter((one.status_code, one.json()["state"]) for one in answers) == {(200, "done"): DEVICES}
    assert counted(in_store, committed_store) == (1, 1, {"done": 1})


def test_control_without_the_key_each_sending_counts(committed_store, in_store, at_once, devices):
    code = _share_code(committed_store, in_store)
    at_once(DEVICES, lambda number: devices(number, code))
    assert counted(in_store, committed_store)[0] == DEVICES


def test_control_without_the_guard_on_vouchers_all_of_them_redeem(committed_store, in_store, at_once, devices, voucher):
    """The guarded UPDATE and the lock that reads the row afresh taken away, and the index below them."""
    with without_index(committed_store):
        with mock.patch.object(vouchers, "_refresh"), mock.patch.object(vouchers, "_use"):
            at_once(DEVICES, lambda number: devices(number, voucher.code))
        assert counted(in_store, committed_store)[0] == DEVICES
        in_store(lambda: Held.objects.for_store(committed_store).delete())  # they name redemptions that go now


def _share_code(store, in_store):
    sara = Person("Sara Ahmadi", "sara@example.com")
    return in_store(lambda: share_link_of(make_order_of(store, sara, at=NOW).customer, at=NOW).code)
