"""Scores against a calculation of its own in Python; refreshing, whatever happened before."""

from collections import defaultdict
from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, Order, Segment
from referrals import audiences
from stores.codes import public_id
from tests.conftest import NOW

quietly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

an_order = st.fixed_dictionaries(
    {
        "buyer": st.integers(0, 11),
        "days": st.integers(-2, 9),  # few values, many ties; below zero lies ahead
        "total": st.integers(0, 5),
        "refunded": st.integers(0, 2),
        "currency": st.sampled_from(["PHP", "PHP", "PHP", "USD"]),
        "gone": st.sampled_from(["", "", "", "cancelled", "refunded"]),
    }
)


def write(store, orders):
    """Twelve customers, the last one a nameless buyer, and these orders; their ids."""
    people = Customer.objects.bulk_create(
        Customer(store=store, name=f"P{number}", external_id="guest:x" if number == 11 else "") for number in range(12)
    )
    Order.objects.bulk_create(
        Order(
            store=store,
            public_id=public_id(),
            customer=people[one["buyer"]],
            source="t",
            external_id=str(number),
            currency=one["currency"],
            total_minor=one["total"],
            refunded_minor=min(one["refunded"], one["total"]),
            placed_at=NOW - timedelta(days=one["days"]),
            cancelled_at=NOW if one["gone"] == "cancelled" else None,
            refunded_at=NOW if one["gone"] == "refunded" else None,
        )
        for number, one in enumerate(orders)
    )
    return [person.pk for person in people]


def scores_by_hand(orders):
    """Recency, frequency and spend of each buyer: sort, cut into five parts, equal values get the lowest part."""
    kept = [one for one in orders if not one["gone"] and one["days"] >= 0 and one["buyer"] != 11]
    last, often, spent = {}, defaultdict(int), defaultdict(int)
    for one in kept:
        buyer = one["buyer"]
        last[buyer] = max(last.get(buyer, -99), -one["days"])
        often[buyer] += 1
        spent[buyer] += one["total"] - min(one["refunded"], one["total"]) if one["currency"] == "PHP" else 0
    return {buyer: tuple(cut(values)[buyer] for values in (last, often, spent)) for buyer in last}


def cut(values):
    """By buyer the part of five; the first parts are the larger ones where five does not divide."""
    ranked = sorted(values, key=lambda buyer: values[buyer])
    small, more = divmod(len(ranked), 5)
    parts = [part for part in range(1, 6) for _ in range(small + (part <= more))]
    lowest = {}
    for buyer, part in zip(ranked, parts, strict=True):
        lowest.setdefault(values[buyer], part)
    return {buyer: lowest[value] for buyer, value in values.items()}


@quietly
@given(orders=st.lists(an_order, max_size=40))
def test_the_scores_are_those_worked_out_by_hand(store, orders):
    with transaction.atomic():
        ids = write(store, orders)
        expected = {ids[buyer]: scores for buyer, scores in scores_by_hand(orders).items()}
        assert audiences.scores(store, NOW) == expected
        for place, fact in enumerate(("recency", "frequency", "spend")):
            found = audiences.people(store, [{"fact": fact, "value": [2, 4]}], NOW).values_list("pk", flat=True)
            assert set(found) == {pk for pk, scores in expected.items() if 2 <= scores[place] <= 4}
        transaction.set_rollback(True)


@quietly
@given(
    orders=st.lists(an_order, max_size=30),
    first=st.integers(1, 10),
    second=st.integers(1, 10),
    later=st.integers(0, 5),
)
def test_a_refresh_leaves_what_an_empty_table_would_get(store, orders, first, second, later):
    """Whatever stood there before; and once more changes nothing."""
    with transaction.atomic():
        write(store, orders)
        at = NOW + timedelta(days=later)
        segment = save(store, "A", first, NOW)
        Segment.objects.for_store(store).filter(pk=segment.pk).update(conditions=within(second))
        audiences.refresh(segment, at=at)
        fresh = save(store, "B", second, at)
        assert members(segment) == members(fresh)
        assert audiences.refresh(segment, at=at) == audiences.members.Change(0, 0)
        assert len(members(segment)) == audiences.count(store, within(second), at)
        transaction.set_rollback(True)


def within(days):
    return [{"fact": "bought_within", "value": days}, {"fact": "frequency", "value": [1, 4]}]


def save(store, name, days, at):
    return audiences.save(store, name=name, conditions=within(days), at=at)


def members(segment):
    return sorted(segment.members.values_list("customer_id", flat=True))
