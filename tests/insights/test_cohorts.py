"""Friends against others: numbers against a calculation of their own, equal time for everybody, lists and files."""

import csv
from datetime import timedelta
from io import StringIO
from math import isclose
from statistics import fmean, variance

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights.numbers.cohorts import Cohort, compare, firsts
from tests.conftest import NOW
from tests.insights.report_world import DAY, credit, links_of, people, purchase

AT = timezone.now()  # pages take their own now, some minutes later
URL = "/d/rosewater/reports/friends/"
quietly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
BUYERS = 6
an_order = st.fixed_dictionaries(
    {
        "buyer": st.integers(0, BUYERS - 1),
        # Around the edges: the window is 90 days, 30 are followed, so first purchases lie 120 to 30 days back.
        "days": st.sampled_from([0, 1, 29, 30, 31, 59, 60, 61, 89, 90, 119, 120, 121, 150]),
        "total": st.integers(0, 9),
        "refunded": st.integers(0, 3),
        "currency": st.sampled_from(["PHP", "PHP", "PHP", "USD"]),
        "gone": st.sampled_from(["", "", "", "", "cancelled", "refunded"]),
        "credit": st.sampled_from(["", "", "pending", "approved", "flagged", "voided"]),
    }
)


def write(store, orders):
    """The buyers' orders; of one buyer at most one referral that is not void, as the database wants it."""
    persons = people(store, BUYERS + 1)
    link, taken = links_of(persons[-1:])[0], set()
    for one in orders:
        buyer = persons[one["buyer"]]
        order = purchase(
            store, buyer, NOW - one["days"] * DAY, one["total"],
            refunded_minor=min(one["refunded"], one["total"]), currency=one["currency"],
            cancelled_at=NOW if one["gone"] == "cancelled" else None,
            refunded_at=NOW if one["gone"] == "refunded" else None,
        )  # fmt: skip
        one["credited"] = one["credit"] if one["credit"] == "voided" or one["buyer"] not in taken else ""
        if one["credited"]:
            credit(link, buyer, order, status=one["credited"])
            taken |= {one["buyer"]} if one["credited"] != "voided" else set()


def by_hand(orders):
    """For friends and others: (purchases after the first, spent) of each, in plain Python."""
    found = {True: [], False: []}
    for buyer in range(BUYERS):
        mine = [one for one in orders if one["buyer"] == buyer and not one["gone"]]
        if not mine:
            continue
        earliest = max(one["days"] for one in mine)
        first = next(one for one in mine if one["days"] == earliest)  # of several at once the one written first
        if not 30 <= earliest < 120:
            continue
        within = [one for one in mine if earliest - 30 <= one["days"] <= earliest]
        spent = sum(one["total"] - min(one["refunded"], one["total"]) for one in within if one["currency"] == "PHP")
        found[first["credited"] in ("pending", "approved")].append((len(within) - 1, spent))
    return found


@quietly
@given(orders=st.lists(an_order, max_size=25))
def test_both_groups_are_those_worked_out_by_hand(store, orders):
    with transaction.atomic():
        write(store, orders)
        found, expected = compare(store, Cohort(90, 30, NOW)), by_hand(orders)
        for group, values in ((found.friends, expected[True]), (found.others, expected[False])):
            assert group.people == len(values)
            assert group.came_back.hits == sum(later > 0 for later, _spent in values)
            for mean, one in ((group.later, [v[0] for v in values]), (group.spent, [v[1] for v in values])):
                assert isclose(mean.value, fmean(one) if one else 0)
                assert isclose(mean.variance, variance(one) if len(one) > 1 else 0, abs_tol=1e-9)
        transaction.set_rollback(True)


@pytest.fixture
def shop(store):
    """25 friends of whom 20 come back, 40 others of whom 8 do; bought 100 days ago and again 20 days later."""
    persons = people(store, 66)
    link = links_of(persons[-1:])[0]
    for place, one in enumerate(persons[:-1]):
        first = purchase(store, one, AT - 100 * DAY, 10_000)
        is_friend = place < 25
        if is_friend:
            credit(link, one, first)
        if place < 20 or 25 <= place < 33:
            purchase(store, one, AT - 80 * DAY, 5_000)
    return persons


def test_a_clear_difference_is_called_one(manager, shop):
    page = manager.get(URL, {"came": 90, "followed": 30})
    text = page.content.decode()
    assert "80%" in text
    assert "20%" in text
    assert "Friends: more, and chance alone hardly explains it." in text
    assert "Nobody was sent by chance" in text


def test_later_purchases_beyond_the_time_do_not_count(store, shop):
    for one in shop[33:65]:
        purchase(store, one, AT - 69 * DAY, 1_000_000)  # the 31st day
    found = compare(store, Cohort(90, 30, AT))
    assert found.others.came_back.hits == 8
    assert found.spend_more.is_clear


def test_with_few_people_only_numbers_are_shown(manager, store):
    persons = people(store, 30)
    link = links_of(persons[-1:])[0]
    for place, one in enumerate(persons[:-1]):
        first = purchase(store, one, AT - 100 * DAY)
        if place < 19:
            credit(link, one, first)
    page = manager.get(URL, {"came": 90, "followed": 30})
    text = page.content.decode()
    assert "So far 19 friends and 10 others." in text
    assert page.context["measures"] == []
    assert "%" not in page.context["tables"][0].header
    assert [len(row) for row in page.context["tables"][0].rows] == [3] * 4


@pytest.mark.parametrize(("only", "count"), [("", 65), ("friends", 25), ("others-back", 8), ("friends-back", 20)])
def test_every_number_opens_its_customers(manager, shop, only, count):
    found = manager.get(URL + "customers/", {"came": 90, "followed": 30, "only": only, "format": "csv"})
    rows = list(csv.reader(StringIO(found.content.decode("utf-8-sig"))))
    assert len(rows) == count + 1


def test_the_links_of_the_table_lead_to_as_many_rows(manager, shop):
    page = manager.get(URL, {"came": 90, "followed": 30})
    links = [(cell.url, cell.value) for row in page.context["tables"][0].rows for cell in row if cell.url]
    assert len(links) == 4
    for url, count in links:
        found = manager.get(url + "&format=csv").content.decode("utf-8-sig")
        assert len(list(csv.reader(StringIO(found)))) == count + 1


def test_the_file_has_what_is_shown(manager, shop):
    page = manager.get(URL, {"came": 90, "followed": 30})
    table = page.context["tables"][0]
    found = manager.get(URL, {"came": 90, "followed": 30, "format": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.reader(StringIO(found)))
    assert rows[0] == list(table.header)
    assert [row[0] for row in rows[1:]] == [row[0].value for row in table.rows]
    assert ["Part that came back", "Friends", "0.8"] in [row[:3] for row in rows]


def test_the_next_day_is_not_followed_long_enough(store, shop):
    """Whoever bought fewer days ago than are followed is left out, whatever they bought since."""
    assert firsts(store, Cohort(90, 90, AT)).count() == 65
    assert firsts(store, Cohort(90, 180, AT)).count() == 0
    assert firsts(store, Cohort(90, 90, AT - timedelta(days=11))).count() == 0


def test_queries_do_not_grow_with_rows(manager, store, shop, django_assert_num_queries):
    with django_assert_num_queries(10):
        manager.get(URL, {"came": 90, "followed": 30})
    for one in people(store, 300):
        purchase(store, one, AT - 90 * DAY)
    with django_assert_num_queries(10):
        manager.get(URL, {"came": 90, "followed": 30})
