"""Orders as most shops tell them are read as the serializer reads them, and what it refuses is left to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.serializers import ValidationError

from checkout.api.orders import OrderIn, as_order
from checkout.api.told import ordinary
from customers.services import OrderData

SHAPE = OrderIn()
NEEDED = {"source", "external_id", "currency", "total_minor", "placed_at"}
LEFT_OUT = object()
TIME = "2026-11-20T10:00:00+08:00"
TIMES = [TIME, "2026-11-20T02:00:00Z", "2026-11-20 10:00", "2026-02-30T10:00:00Z", "1969-01-01T00:00:00Z", ""]
NO_TEXT = [None, LEFT_OUT, 7, True, [], {}]
ANY_TEXT = ["", " ", "\t a\u00a0", "x", "مهسا", "a" * 20, "b" * 41, "c" * 121, "d" * 255, *NO_TEXT]
AMOUNTS = [0, 1, 155_000, 10**13, 10**13 + 1, -1, 12.0, "12", True, None, LEFT_OUT]
LOCALES = ["fil", "FA-ir", "en_US-x", "english", "f", *ANY_TEXT]
YES_OR_NO = [True, False, None, "yes", 1, LEFT_OUT]


CONSENT = {"email": YES_OR_NO, "sms": YES_OR_NO}
CUSTOMER = {
    "external_id": ["c-9", *ANY_TEXT],
    "name": ["Bea Cruz", *ANY_TEXT],
    "email": [" Bea@example.com ", *ANY_TEXT],
    "phone": ["0917 000 0001", *ANY_TEXT],
    "locale": LOCALES,
    "address": ["1 Rose St\nManila", *ANY_TEXT],
}
LINE = {
    "sku": ["MUG-1", *ANY_TEXT],
    "name": ["Mug", *ANY_TEXT],
    "category": ["kitchen", *ANY_TEXT],
    "quantity": [1, 2, 0, 10**6, 10**6 + 1, 1.0, "1", True, None, LEFT_OUT],
    "unit_price_minor": AMOUNTS,
}
ORDER = {
    "source": ["pos", *ANY_TEXT],
    "external_id": ["1001", *ANY_TEXT],
    "currency": ["PHP", "php", "XXXX", "", None, LEFT_OUT, 7],
    "total_minor": [155_000, *AMOUNTS],
    "placed_at": [*TIMES, "2999-01-01T00:00:00Z", None, LEFT_OUT, 7],
    "delivered_at": [None, LEFT_OUT, "2999-01-01T00:00:00Z", *TIMES],
    "cancelled_at": [None, LEFT_OUT, *TIMES],
    "refunded_minor": [0, *AMOUNTS],
    "updated_at": [None, LEFT_OUT, "2999-01-01T00:00:00Z", *TIMES],
    "code": ["SARA-7K2Q9", *ANY_TEXT],
    "visit": ["", *ANY_TEXT],
    "advocate_name": ["", *ANY_TEXT],
    "card_hash": [LEFT_OUT, "", None, "0123456789abcdef", "no hash"],
    "location": ["katipunan", *ANY_TEXT],
}
OBJECTS = {"order": ORDER, "customer": CUSTOMER, "consent": CONSENT, "line": LINE}
ODD = [(name, field, value) for name, one in OBJECTS.items() for field, values in one.items() for value in values]
ODD += [(name, "surprise", 1) for name in OBJECTS]
ODD += [("order", "customer", value) for value in (LEFT_OUT, None, "Bea", {}, {"name": "Bea"})]
ODD += [("order", "lines", value) for value in (LEFT_OUT, None, {}, [], [None], ["MUG-1"])]
ODD += [("customer", "consent", value) for value in (LEFT_OUT, None, [], {})]


def order_with(*changes: tuple[str, str, Any]) -> dict[str, Any]:
    """The usual order but for these fields of its parts."""
    parts = {name: {field: values[0] for field, values in one.items()} for name, one in OBJECTS.items()}
    parts["customer"]["consent"], parts["order"]["customer"] = parts["consent"], parts["customer"]
    parts["order"]["lines"] = [parts["line"], dict(parts["line"])]
    for name, field, value in changes:
        parts[name][field] = value
    for part in parts.values():
        for field in [field for field, value in part.items() if value is LEFT_OUT]:
            del part[field]
    return parts["order"]


def read_in_full(item: Any) -> OrderData | None:
    try:
        return as_order(SHAPE.run_validation(item))
    except ValidationError:
        return None


def test_one_thing_that_is_odd_is_read_as_the_serializer_reads_it_or_left_to_it():
    wrong = [change for change in ODD if ordinary(order_with(change)) not in (None, read_in_full(order_with(change)))]
    assert wrong == []
    left = [change for change in ODD if ordinary(order_with(change)) is None and read_in_full(order_with(change))]
    assert {field for _, field, _ in left} <= {"card_hash", "locale", "lines"}  # the long way round, seldom


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ODD), max_size=4))
def test_several_odd_things_are_no_different(changes):
    found = ordinary(order_with(*changes))
    assert found is None or found == read_in_full(order_with(*changes))


@pytest.mark.parametrize("item", [None, 7, "an order", [], {}, {"source": "pos"}])
def test_what_is_no_order_is_left_to_the_serializer(item):
    assert ordinary(item) is None


def test_the_order_of_the_documentation_is_read_at_once(order_body):
    assert ordinary(order_body) == read_in_full(order_body) is not None


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_needed_is_needed(order_body, name):
    assert ordinary({key: value for key, value in order_body.items() if key != name}) is None


def test_it_knows_every_field_that_the_serializer_knows(order_body):
    """A field that is added there alone would send every order the long way round."""
    customer = dict.fromkeys(SHAPE.fields["customer"].fields, "") | {"email": "bea@example.com", "consent": {}}
    line = dict.fromkeys(SHAPE.fields["lines"].child.fields, "a") | {"quantity": 1, "unit_price_minor": 1}
    whole = {name: None for name in SHAPE.fields if name != "card_hash"} | order_body
    item = {**whole, "refunded_minor": 0, "customer": customer, "lines": [line]}
    assert ordinary(item) == read_in_full(item) is not None
