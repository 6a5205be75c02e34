"""The calendar: every waiting message once, in the store's hours."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from insights.calendar import DAYS, calendar
from outreach.kinds import Kind
from stores.tenancy import acting_for
from tests.planned import note_skipped, plan_message

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)


def plan(customer, key, due_at, kind=Kind.ASK):
    return plan_message(customer, kind, key=key, due_at=due_at, context={}, at=AT)


def test_it_counts_by_hour_and_kind_in_the_stores_zone(store, make_customer):
    with acting_for(store):
        bea = make_customer("Bea", "bea@example.com")
        plan(bea, "a", AT + timedelta(days=1))
        plan(bea, "b", AT + timedelta(days=1, minutes=10))
        plan(bea, "c", AT + timedelta(days=1), Kind.REWARD)
        plan(bea, "overdue", AT - timedelta(days=2))
        plan(bea, "far", AT + timedelta(days=DAYS + 1))
        note_skipped(bea, Kind.ASK, key="skipped", reason="cooldown", at=AT)
        found = calendar(store, AT)
    assert [day.count for day in found.days] == [1, 3] + [0] * (DAYS - 2)
    tomorrow = found.days[1]
    assert tomorrow.day == (AT.astimezone(store.zone) + timedelta(days=1)).date()
    [hour] = tomorrow.hours
    assert hour.at == (AT + timedelta(days=1)).astimezone(store.zone).replace(minute=0)
    assert hour.kinds == [(str(Kind.ASK.label), 2), (str(Kind.REWARD.label), 1)]
    assert (found.total, found.most) == (4, 3)


def test_the_page(store, manager, staff, stranger, make_customer, django_assert_max_num_queries):
    where = reverse("insights:calendar", args=[store.slug])
    assert "Nothing is planned" in manager.get(where).content.decode()
    with acting_for(store):
        for number in range(30):
            plan(
                make_customer("P", f"p{number}@example.com"), f"k{number}", timezone.now() + timedelta(hours=number * 5)
            )
    with django_assert_max_num_queries(12):
        page = manager.get(where).content.decode()
    assert str(Kind.ASK.label) in page
    assert staff.get(where).status_code == 403
    assert stranger.get(where).status_code == 404
    assert manager.post(where).status_code == 405
