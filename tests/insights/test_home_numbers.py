"""The numbers of the home page: worked out again in plain Python, and each opens exactly the rows it counts."""

import csv
import re
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from insights.home import board
from insights.numbers.feelings import feelings
from insights.numbers.money import brought
from insights.numbers.people import funnel, share_rate
from insights.numbers.period import Period
from stores.models import Role
from surveys.models import Response
from tests.conftest import NOW
from tests.insights.by_hand import by_hand, facts, places_of_advocates, quietly, sharers, write
from tests.insights.report_world import DAY, branches, credit, links_of, look, people, purchase

MONTH = Period(30, NOW)
BEFORE = {"last": 60, "first": 30}


@quietly
@given(told=facts)
def test_the_numbers_are_those_worked_out_by_hand(store, told):
    with transaction.atomic():
        persons = write(store, told, branches(store))
        now, earlier = by_hand(told), by_hand(told, **BEFORE)
        sums = brought(store, MONTH)
        assert (sums.friends.total, sums.sales.total) == (now[0]["bought"], now[1])
        assert (sums.friends.before, sums.sales.before) == (earlier[0]["bought"], earlier[1])
        assert {step.what: step.people for step in funnel(store, MONTH)} == now[0]
        for period, span in ((MONTH, {}), (MONTH.earlier, BEFORE)):
            asked = {one for one, _way, day in told["asks"] if span.get("first", -1) < day < span.get("last", 30)}
            rate = share_rate(store, period)
            assert (rate.asked, rate.shared) == (len(asked), len(asked & sharers(told, **span)))
        best = places_of_advocates(told, "friends")[:5]
        shown = board(store, MONTH, Role.OWNER).advocates
        assert [(one.customer, one.friends, one.sales_minor) for one in shown] == [
            (persons[one[0]], one[2], one[4]) for one in best
        ]
        transaction.set_rollback(True)


@quietly
@given(answers=st.lists(st.tuples(st.integers(0, 10), st.sampled_from([1, 29, 31, 59, 61])), max_size=60))
def test_the_score_is_that_worked_out_by_hand(store, answers):
    with transaction.atomic():
        (one,) = people(store, 1)
        for score, day in answers:
            Response.objects.create(store=store, customer=one, score=score, at=NOW - day * DAY)
        felt = feelings(store, MONTH)
        now = [score for score, day in answers if day < 30]
        before = [score for score, day in answers if 30 < day < 60]
        assert felt.answers == len(now)
        assert (felt.now.score if felt.now else None) == net_score(now)
        assert (felt.before.score if felt.before else None) == net_score(before)
        assert felt.is_enough == (len(now) >= 20)
        transaction.set_rollback(True)


def net_score(scores):
    if not scores:
        return None
    happy, unhappy = sum(score >= 9 for score in scores), sum(score <= 6 for score in scores)
    return pytest.approx(100 * (happy - unhappy) / len(scores))


# -- Every number opens its rows --


class Links(HTMLParser):
    """The links of a page to rows: (address, text)."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        href = dict(attrs).get("href") or ""
        if tag == "a" and re.search(r"/(rows|answers)/", href):
            self.open = [href, ""]

    def handle_data(self, data):
        if self.open:
            self.open[1] += data

    def handle_endtag(self, tag):
        if tag == "a" and self.open:
            self.found.append((self.open[0], " ".join(self.open[1].split())))
            self.open = None


@pytest.fixture
def month_of_trade(store, play):
    """A shop in which every number of the page is another one: two thirds of a year's loops, some of them before."""
    for place in range(3):
        play(f"Advocate {place}", friends=place + 1, days_ago=22)
    for place in range(4):
        play(f"Earlier {place}", friends=1, days_ago=45)
    play("Silent", friends=0, days_ago=21)
    play("Unhappy", score=3, days_ago=21)
    play.approve()
    (fan,) = people(store, 1)
    (link,) = links_of([fan])
    at = timezone.now() - timedelta(days=2)
    for visitor in ("a", "a", "b"):
        look(link, visitor, at)
        at += timedelta(hours=1)  # one opening an hour
    credit(link, None, purchase(store, None, at, 12_300))


def rows_behind(manager, address):
    found = manager.get(address + "&format=csv").content.decode("utf-8-sig")
    return list(csv.reader(StringIO(found)))[1:]


def test_every_number_opens_exactly_the_rows_it_counts(manager, store, month_of_trade):
    page = manager.get(reverse("insights:home", args=[store.slug])).content.decode()
    links = [(address, text) for address, text in Links(page).found if "/rows/" in address]
    counts = sums = 0
    for address, text in links:
        rows = rows_behind(manager, address)
        if "₱" in text:
            money = float(re.search(r"₱([\d,.]+)", text)[1].replace(",", ""))
            column = 2  # "Bought for", "Cost"
            assert sum(float(row[column]) for row in rows) == money, (address, text)
            sums += 1
        elif re.search(r"\d", text):
            count = number_in(text)
            assert len(rows) == count, (address, text)
            counts += 1
    assert counts >= 15
    assert sums >= 4


def number_in(text):
    """The number that a link is about: of "3 of 5 asked" those asked, else the first."""
    of = re.search(r"(\d+) of (\d+)( asked)?", text)
    return int(of[2] if of[3] else of[1]) if of else int(re.search(r"\d+", text)[0])


def test_the_number_before_opens_its_rows(manager, store, month_of_trade):
    page = manager.get(reverse("insights:home", args=[store.slug])).content.decode()
    address = next(address for address, text in Links(page).found if "in the same time before" in text)
    assert len(rows_behind(manager, address)) == 4
