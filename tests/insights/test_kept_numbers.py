"""The numbers of a large store's home are counted in the background: the same numbers, a few minutes old at most."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from insights.home import board, keep_numbers
from insights.models import KeptNumbers
from insights.numbers import kept
from insights.numbers.people import funnel
from insights.numbers.period import CHOICES, Period
from stores.l10n import format_time
from stores.models import Role
from tests.insights.report_world import grow

NUMBERS = ("brought", "share", "share_change", "share_line", "feelings", "bars", "advice", "trend", "advocates", "todo")


@pytest.fixture
def large(store, played, monkeypatch):
    """A store whose every visit is many, grown for a year."""
    monkeypatch.setattr(kept, "LARGE", 0)
    grow(store)
    return store


@pytest.mark.parametrize("days", CHOICES)
def test_what_is_kept_is_what_a_count_says(large, days):
    at = timezone.now()
    assert keep_numbers(large, at) == len(CHOICES)
    found = kept.find(large, days, at)
    assert found
    assert len(found.values) == 10
    live = board(large, Period(days, at), Role.OWNER)
    with kept.reading(found):
        shown = board(large, Period(days, at), Role.OWNER)
    for name in NUMBERS:
        assert getattr(shown, name) == getattr(live, name), name
    assert live.brought.friends.total


def test_the_page_counts_none_of_them_again(owner, large, django_assert_max_num_queries):
    url, at = reverse("insights:home", args=[large.slug]), timezone.now()
    keep_numbers(large, at)
    row = KeptNumbers.objects.for_store(large).get(days=30)
    values = {
        name: ([["asked", 4711], *value[1:]] if name.startswith("funnel") else value)
        for name, value in row.values.items()
    }
    KeptNumbers.objects.for_store(large).filter(pk=row.pk).update(values=values)
    page = owner.get(url).content.decode()
    assert "4,711" in page
    assert f"Numbers as counted at {format_time(at, 'en', large.zone)}." in page
    KeptNumbers.objects.for_store(large).filter(pk=row.pk).update(at=at - 2 * kept.FRESH[30])
    page = owner.get(url).content.decode()  # too old: the page counts
    assert "4,711" not in page
    assert "Numbers as counted" not in page


def test_each_period_is_counted_anew_when_it_has_grown_old(large):
    at = timezone.now()
    assert [keep_numbers(large, at + timedelta(minutes=minutes)) for minutes in (0, 1, 5, 30, 60)] == [3, 0, 1, 2, 3]


def test_a_small_store_keeps_nothing(store, played):
    at = timezone.now()
    KeptNumbers.objects.create(store=store, days=30, at=at, values={})  # from when it was larger
    assert keep_numbers(store, at) == 0
    assert not KeptNumbers.objects.for_store(store).exists()


def test_numbers_of_another_store_are_not_taken(large, other_store):
    at = timezone.now()
    period = Period(30, at)
    mine = funnel(large, period)
    assert mine[0].people
    with kept.reading(kept.Kept(other_store.pk, period, {"funnel 30 0": [["asked", 4711]]})):
        assert funnel(large, period) == mine
