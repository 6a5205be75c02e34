"""A list of orders leaves what the same orders leave that are told one after the other: rows, outcomes, problems."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Category, Consent, Customer, Order, OrderLine, Product
from customers.rules import BadEmail, BadPhone
from customers.services import Line, OrderData, Outcome, Person, orders, record_order, record_orders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
# Few names, so that they meet: the same mailbox by another name, two names that belong to two people.
PEOPLE = st.builds(
    Person,
    name=st.sampled_from(["", "Bea Cruz", " Bea\u202e C. "]),
    email=st.sampled_from(["", "bea@example.com", " Bea@Example.com", "eli@example.com", "no address"]),
    phone=st.sampled_from(["", "+639170000001", "0917 000 0001", "+639170000002", "12"]),
    external_id=st.sampled_from(["", "c-1", "c-2"]),
    locale=st.sampled_from(["", "fil"]),
    address=st.sampled_from(["", "1 Rose St, Manila"]),
    consent=st.dictionaries(st.sampled_from(["email", "sms"]), st.booleans()),
).filter(lambda one: one.email or one.phone or one.external_id)
LINES = st.lists(
    st.builds(Line, st.sampled_from(["MUG-1", "PEN-1"]), st.just("Thing"), st.sampled_from(["", "kitchen"])), max_size=2
)
ORDERS = st.builds(
    OrderData,
    source=st.just("api"),
    external_id=st.sampled_from(["1", "2", "3"]),
    currency=st.sampled_from(["PHP", "PHP", "PHP", "no currency"]),  # the database refuses it
    total_minor=st.sampled_from([100, 90]),
    placed_at=st.just(NOW - 5 * DAY),
    delivered_at=st.sampled_from([None, NOW - 3 * DAY, NOW - 2 * DAY]),
    cancelled_at=st.sampled_from([None, NOW - DAY]),
    refunded_minor=st.sampled_from([0, 30, 100]),
    code=st.sampled_from(["", "SARA-7K2Q9"]),
    named=st.sampled_from(["", "Sara"]),
    location=st.sampled_from(["", "katipunan"]),
    person=st.none() | PEOPLE,
    lines=LINES.map(tuple),
    reported_at=st.sampled_from([None, NOW - DAY]),
    changed_at=st.sampled_from([None, NOW - 4 * DAY, NOW - 2 * DAY]),
)


def singly(store, told: list[OrderData]) -> list[Any]:
    """The outcome of each; a problem by its class."""
    said: list[Any] = []
    for one in told:
        try:
            with transaction.atomic():
                said.append(record_order(store, one, at=NOW, consent_source="shop")[1])
        except Exception as problem:
            said.append(type(problem))
    return said


def in_a_list(store, told: list[OrderData]) -> list[Any]:
    recorded = record_orders(store, told, at=NOW, consent_source="shop")
    return [type(one.problem) if one.outcome == Outcome.REFUSED else one.outcome for one in recorded]


def rows(store) -> dict[str, list[Any]]:
    """Everything that is there, people and orders by their names."""
    buyer = ("customer__external_id", "customer__email_norm", "customer__phone_norm")
    facts = [*orders.CHANGEABLE[1:], "source", "external_id", "currency", "placed_at", "location__code", "recorded_at"]
    known = {
        Customer: [
            field.attname for field in Customer._meta.concrete_fields if field.attname not in ("id", "public_id")
        ],
        Consent: [*buyer, "channel", "granted", "source", "at"],
        Order: [*buyer, *facts],
        OrderLine: ["order__external_id", "product__sku", "quantity", "unit_price_minor"],
        Product: ["sku", "name", "category__name"],
        Category: ["name"],
    }
    return {
        model.__name__: sorted(model.objects.for_store(store).values_list(*names), key=repr)
        for model, names in known.items()
    }


def played(store, tell, before: list[OrderData], told: list[OrderData]) -> tuple[list[Any], dict[str, list[Any]]]:
    """What `tell` said and left of `told` where `before` was known; rolled back."""
    with transaction.atomic():
        singly(store, before)
        end = tell(store, told), rows(store)
        transaction.set_rollback(True)
    return end


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(ORDERS, max_size=2), told=st.lists(ORDERS, min_size=2, max_size=4))
def test_a_list_leaves_what_the_same_orders_leave_singly(store, before, told):
    assert played(store, in_a_list, before, told) == played(store, singly, before, told)


def test_the_comparison_sees_orders_that_were_told_in_another_order(store):
    """The control: what is compared does differ where something was done differently."""
    first = OrderData("api", "1", "PHP", 100, NOW, person=Person("Bea", "bea@example.com"))
    told = [first, replace(first, total_minor=90)]
    assert played(store, in_a_list, [], told) != played(store, singly, [], told[::-1])


def test_what_is_wrong_is_said_of_each(store):
    bad = [Person(email="no address"), Person(phone="12")]
    told = [OrderData("api", str(place), "PHP", 1, NOW, person=one) for place, one in enumerate(bad)]
    assert in_a_list(store, told) == [BadEmail, BadPhone] == singly(store, told)


def test_a_product_is_what_it_was_first_called(store):
    mugs = [Line("MUG-1", "Mug", category) for category in ("", "kitchen")]
    told = [OrderData("api", str(place), "PHP", 1, NOW, lines=(mug,)) for place, mug in enumerate(mugs)]
    assert played(store, in_a_list, [], told) == played(store, singly, [], told)
