"""What happened in a store as plain facts, written to the database, and counted again in plain Python."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from customers.models import Customer
from insights.numbers.scope import STEPS
from tests.conftest import NOW
from tests.insights.report_world import DAY, ask, credit, links_of, look, people, purchase, take

quietly = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PEOPLE = 4
COUNTS = ("pending", "approved")

days = st.sampled_from([0, 1, 8, 29, 31, 45])  # some before the time looked at
who = st.integers(0, PEOPLE - 1)
facts = st.fixed_dictionaries(
    {
        "asks": st.lists(st.tuples(who, st.sampled_from(["email", "sms", "page"]), days), max_size=6),
        "taps": st.lists(st.tuples(who, days), max_size=3, unique_by=lambda one: one[0]),
        "looks": st.lists(st.tuples(who, st.sampled_from("xyz"), days), max_size=6, unique=True),
        "gifts": st.lists(st.tuples(who, days), max_size=4),
        "bought": st.lists(
            st.tuples(
                who,
                days,
                st.sampled_from([*COUNTS, "flagged", "voided"]),
                st.sampled_from(["code", "visit"]),
                st.integers(0, 2),  # where
                st.integers(1, 9),  # what they paid
            ),
            max_size=6,
        ),
        # Later purchases: of which of the friends, how many days ago, for how much.
        "again": st.lists(st.tuples(st.integers(0, 5), days, st.integers(1, 9)), max_size=4),
    }
)


def write(store, told, places):
    """The facts as rows; the people in the order of their numbers."""
    persons = people(store, PEOPLE)
    links = links_of(persons)
    for one, way, day in told["asks"]:
        ask(store, persons[one], NOW - day * DAY, way)
    for one, day in told["taps"]:
        links[one].shared_at = NOW - day * DAY
        links[one].save()
    for one, visitor, day in told["looks"]:
        look(links[one], visitor, NOW - day * DAY)
    for one, day in told["gifts"]:
        take(links[one], Customer.objects.create(store=store, name="Friend"), NOW - day * DAY)
    friends = []
    for one, day, status, evidence, place, total in told["bought"]:
        friends.append(Customer.objects.create(store=store, name="Friend"))
        order = purchase(store, friends[-1], NOW - day * DAY, total, location=places[place])
        credit(links[one], friends[-1], order, status, evidence=evidence)
    for which, day, total in told["again"]:
        if which < len(friends):
            purchase(store, friends[which], NOW - day * DAY, total)
    return persons


def by_hand(told, *, way="", came="", place=None, last=30, first=-1):
    """People by step, of whom more than `first` and fewer than `last` days ago; None where the filter says nothing
    about a step. And what the friends paid.
    """

    def within(day):
        return first < day < last

    def ways(one):
        return {used for person, used, day in told["asks"] if person == one and day < 30}

    def wanted(one):
        return not way or (not ways(one) if way == "not" else way in ways(one))

    purchases = [
        one for one in told["bought"]
        if one[2] in COUNTS and within(one[1]) and wanted(one[0])
        and (not came or one[3] == came) and (place is None or one[4] == place)
    ]  # fmt: skip
    looks = [(one, visitor) for one, visitor, day in told["looks"] if within(day) and wanted(one)]
    found = {
        "asked": len({one for one, used, day in told["asks"] if within(day) and wanted(one)}),
        "shared": len({one for one in sharers(told, last=last, first=first) if wanted(one)}),
        "visits": len({visitor for _one, visitor in looks}),
        "claims": sum(within(day) and wanted(one) for one, day in told["gifts"]),
        "bought": len(purchases),
        "counted": sum(one[2] == "approved" for one in purchases),
    }
    if came or place is not None:
        found |= dict.fromkeys(STEPS[:4])
    return found, sum(one[5] for one in purchases)


def sharers(told, *, last=30, first=-1):
    """Whose link was at work."""
    found = {one for one, day in told["taps"] if first < day < last}
    found |= {one for one, _visitor, day in told["looks"] if first < day < last}
    return found | {one[0] for one in told["bought"] if one[2] in COUNTS and first < one[1] < last}


def returned_by_hand(told):
    """New customers, what they paid first, how often they came again, what they paid then."""
    first = [one for one in told["bought"] if one[2] in COUNTS and one[1] < 30]
    again = [
        total for which, day, total in told["again"]
        if which < len(told["bought"]) and day < 30
        and told["bought"][which][2] in COUNTS and day < told["bought"][which][1]
    ]  # fmt: skip
    return len(first), sum(one[5] for one in first), len(again), sum(again)


def places_of_advocates(told, sort):
    """(whose number, place, friends, counted, sales) of each who brought a friend, the best first."""
    found = []
    for one in range(PEOPLE):
        mine = [bought for bought in told["bought"] if bought[0] == one and bought[2] in COUNTS and bought[1] < 30]
        if mine:
            counted = sum(bought[2] == "approved" for bought in mine)
            found.append((one, len(mine), counted, sum(bought[5] for bought in mine)))

    def score(row):
        return (row[1], row[3]) if sort == "friends" else (row[3], row[1])

    found.sort(key=lambda row: (score(row)[0], score(row)[1], -row[0]), reverse=True)
    better = [sum(score(other) > score(row) for other in found) for row in found]
    return [(row[0], place + 1, *row[1:]) for row, place in zip(found, better, strict=True)]
