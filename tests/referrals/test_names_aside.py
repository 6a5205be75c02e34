"""A name that nobody can place is put aside, and taken up again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from customers.models import Customer, Order
from customers.services import Person
from referrals import queries
from referrals.services import naming
from stores.models import AuditEvent
from tests.conftest import NOW, make_order_of

URL = "/d/rosewater/approvals/"


@pytest.fixture
def order(store, make_customer) -> Order:
    """An order whose buyer named one of two Saras."""
    for surname in ("Ahmadi", "Reyes"):
        made = make_customer(f"Sara {surname}", f"sara.{surname.lower()}@example.com")
        Customer.objects.filter(pk=made.pk).update(found_by_name=True)
    return make_order_of(store, Person("Bea", "bea@example.com"), at=NOW, named="Sara")


def step(order, action):
    return reverse("referrals:named", args=["rosewater", order.public_id, action])


def listed(store):
    return [one.order.pk for one in queries.named_orders(store, NOW)]


def test_it_is_put_aside_and_undone(manager, store, order):
    assert listed(store) == [order.pk]
    page = manager.post(step(order, "aside"), follow=True).content.decode()
    assert "is put aside" in page
    assert listed(store) == []
    assert "is put aside" not in manager.get(URL).content.decode()  # said once
    page = manager.post(step(order, "again"), follow=True).content.decode()
    assert "on the list again" in page
    assert listed(store) == [order.pk]
    actions = AuditEvent.objects.for_store(store).filter(subject=order.public_id).order_by("pk")
    assert list(actions.values_list("action", "user")) == [
        ("order.name_aside", manager.user.pk), ("order.name_again", manager.user.pk)
    ]  # fmt: skip


def test_twice_is_once(store, order):
    assert naming.put_aside(order, by=None, at=NOW)
    assert not naming.put_aside(order, by=None, at=NOW)
    assert naming.take_up_again(order, by=None, at=NOW)
    assert not naming.take_up_again(order, by=None, at=NOW)


def test_a_later_report_leaves_it_aside(store, order):
    naming.put_aside(order, by=None, at=NOW)
    make_order_of(store, Person("Bea", "bea@example.com"), at=NOW, external_id=order.external_id, named="Sara R.")
    assert listed(store) == []


@pytest.mark.parametrize("action", ["aside", "again"])
def test_not_for_others(staff, stranger, order, store, action):
    for client, status in ((staff, 403), (stranger, 404)):
        assert client.post(step(order, action)).status_code == status
    assert listed(store) == [order.pk]


def test_only_by_a_button_and_only_names(manager, order, store):
    assert manager.get(step(order, "aside")).status_code == 405
    assert manager.post(step(order, "nonsense")).status_code == 404
    plain = make_order_of(store, None, at=NOW)
    assert manager.post(step(plain, "aside")).status_code == 404
