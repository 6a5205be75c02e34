"""A list of orders: each as if it had been told by itself, all in a few statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Consent, Customer, Order, OrderLine, Product
from customers.rules import BadEmail
from customers.services import Line, OrderData, Outcome, Person, record_order, record_orders
from tests.conftest import NOW

MUG = Line("MUG-1", "Mug", "kitchen", 1, 155_000)


@pytest.fixture
def report(store):
    """`report("1", "bea@example.com", total_minor=100)`: an order as a shop tells it."""

    def make(external_id: str, email: str = "", *, person: Person | None = None, **facts) -> OrderData:
        told = person or (Person("Bea Cruz", email) if email else None)
        values = {"total_minor": 155_000, "placed_at": NOW, "lines": (MUG,), **facts}
        return OrderData("api", external_id, store.currency, person=told, **values)

    return make


def outcomes(recorded) -> list[str]:
    return [one.outcome for one in recorded]


def test_orders_people_and_products_of_a_list_are_written(store, report):
    recorded = record_orders(store, [report("1", "bea@example.com"), report("2", "eli@example.com")], at=NOW)
    assert outcomes(recorded) == [Outcome.CREATED] * 2
    assert [one.order.external_id for one in recorded] == ["1", "2"]
    assert {one.email_norm for one in Customer.objects.for_store(store)} == {"bea@example.com", "eli@example.com"}
    assert Product.objects.for_store(store).get().category.name == "kitchen"
    assert OrderLine.objects.for_store(store).count() == 2


def test_an_order_told_three_times_in_a_list_is_one_as_it_was_told_last(store, report):
    told = [report("1", "bea@example.com"), report("1", "bea@example.com"), report("1", total_minor=90)]
    assert outcomes(record_orders(store, told, at=NOW)) == [Outcome.CREATED, Outcome.UNCHANGED, Outcome.UPDATED]
    order = Order.objects.for_store(store).get()
    assert (order.total_minor, order.customer.email_norm, order.lines.count()) == (90, "bea@example.com", 1)


def test_a_list_told_again_changes_nothing(store, report):
    told = [report(str(number), f"bea{number}@example.com") for number in range(3)]
    record_orders(store, told, at=NOW)
    later = NOW + timedelta(days=1)
    assert outcomes(record_orders(store, told, at=later)) == [Outcome.UNCHANGED] * 3
    assert not Order.objects.for_store(store).filter(updated_at=later).exists()


def test_news_of_known_orders_are_taken_and_never_go_back(store, report):
    record_orders(store, [report("1"), report("2"), report("3")], at=NOW)
    later, gone = NOW + timedelta(days=3), {"refunded_minor": 155_000, "cancelled_at": NOW + timedelta(days=2)}
    told = [report("1", delivered_at=later), report("2", **gone), report("3", "bea@example.com")]
    assert outcomes(record_orders(store, told, at=later)) == [Outcome.UPDATED] * 3
    old = record_orders(store, [report("1"), report("2"), report("3")], at=later + timedelta(days=1))
    assert outcomes(old) == [Outcome.UNCHANGED] * 3
    delivered, refunded, named = Order.objects.for_store(store).order_by("external_id")
    assert (delivered.delivered_at, delivered.updated_at) == (later, later)
    assert (refunded.refunded_at, refunded.cancelled_at) == (later, gone["cancelled_at"])
    assert named.customer.email_norm == "bea@example.com"


def test_each_order_counts_from_when_it_was_reported(store, report):
    first, second = NOW - timedelta(days=2), NOW - timedelta(days=1)
    told = [report("1", "bea@example.com", reported_at=first), report("1", total_minor=5, reported_at=second)]
    record_orders(store, [*told, report("2", refunded_minor=155_000)], at=NOW)
    one, other = Order.objects.for_store(store).order_by("external_id")
    assert (one.recorded_at, one.updated_at, one.customer.recorded_at) == (first, second, first)
    assert (other.recorded_at, other.refunded_at) == (NOW, NOW)


def test_who_is_known_by_mail_in_one_row_is_known_by_phone_in_the_next(store, report):
    told = [
        report("1", "bea@example.com"),
        report("2", person=Person("", "Bea@Example.com", "+639170000001")),
        report("3", person=Person(phone="0917 000 0001", external_id="c-9")),
        report("4", person=Person("Somebody", external_id="c-9")),
    ]
    recorded = record_orders(store, told, at=NOW)
    bea = Customer.objects.for_store(store).get()
    assert {one.order.customer_id for one in recorded} == {bea.pk}
    assert (bea.name, bea.email_norm, bea.phone_norm, bea.external_id) == (
        "Bea Cruz", "bea@example.com", "+639170000001", "c-9",
    )  # fmt: skip


def test_blanks_of_known_people_are_filled_and_nothing_else(store, report):
    record_order(store, report("1", person=Person(email="bea@example.com")), at=NOW)
    told = Person("Bea Cruz", "bea@example.com", "+639170000001", "c-9", "fil")
    other = Person("Another Name", "other@example.com", external_id="c-9", locale="en")
    record_orders(store, [report("2", person=told), report("3", person=other)], at=NOW)
    bea = Customer.objects.for_store(store).get()
    assert (bea.name, bea.name_norm, bea.phone_norm, bea.locale) == ("Bea Cruz", "bea cruz", "+639170000001", "fil")
    assert (bea.email, bea.email_norm) == ("bea@example.com", "bea@example.com")


def test_an_address_of_somebody_else_stays_theirs(store, report):
    record_order(store, report("1", person=Person("Eli", phone="+639170000001")), at=NOW)
    told = [report("2", "bea@example.com"), report("3", person=Person("Bea", "bea@example.com", "+639170000001"))]
    recorded = record_orders(store, told, at=NOW)
    assert recorded[0].order.customer_id == recorded[1].order.customer_id
    assert set(Customer.objects.for_store(store).values_list("email_norm", "phone_norm")) == {
        ("bea@example.com", ""), ("", "+639170000001"),
    }  # fmt: skip


def test_what_people_agree_to_is_written_as_it_was_said(store, report):
    def agreed(external_id: str, **consent: bool) -> OrderData:
        return report(external_id, person=Person("Bea", "bea@example.com", consent=consent))

    record_orders(store, [agreed("1", email=True), agreed("2", email=True)], at=NOW, consent_source="till")
    record_orders(store, [agreed("3", sms=True), agreed("4", email=False)], at=NOW, consent_source="shop")
    bea = Customer.objects.for_store(store).get()
    assert (bea.email_consent, bea.sms_consent) == (False, True)
    said = Consent.objects.for_store(store).order_by("pk").values_list("channel", "granted", "source")
    assert list(said) == [("email", True, "till"), ("sms", True, "shop"), ("email", False, "shop")]


def test_a_bad_order_among_good_ones_loses_only_itself(store, report):
    told = [
        report("1", "bea@example.com"),
        report("2", "no address"),
        report("3", "eli@example.com", total_minor=-1),
        report("4", "zoe@example.com", code="\x00"),
        report("5", "ava\x00@example.com"),
        report("6", "max@example.com"),
    ]
    recorded = record_orders(store, told, at=NOW)
    created, refused = Outcome.CREATED, Outcome.REFUSED
    assert outcomes(recorded) == [created, refused, refused, created, refused, created]
    assert isinstance(recorded[1].problem, BadEmail)
    assert sorted(Order.objects.for_store(store).values_list("external_id", flat=True)) == ["1", "4", "6"]
    assert not Customer.objects.for_store(store).filter(email_norm="eli@example.com").exists()


def test_statements_do_not_grow_with_the_list(store, report):
    def statements(start: int, count: int) -> int:
        numbers = range(start, start + count)
        told = [
            report(str(number), f"bea{number}@example.com", lines=(Line(f"SKU-{number}", "Mug", "kitchen"),))
            for number in numbers
        ]
        with CaptureQueriesContext(
            connection,
        ) as made:
            record_orders(store, told, at=NOW)
            record_orders(store, [report(str(number), total_minor=7) for number in numbers], at=NOW)
        return len(made)

    few = statements(0, 3)
    assert statements(1000, 300) == few < 25


def test_an_empty_list_is_no_error(store):
    assert record_orders(store, [], at=NOW) == []
