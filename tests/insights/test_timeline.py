"""Everything about one customer, newest first: nothing twice, nothing lost, by pages and by sorts."""

from datetime import timedelta

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from customers import consents, tagging
from customers.models import Channel, Consent, CustomerTag, Event
from customers.services import Person
from insights.timeline import SORTS, SOURCES, _cursor, _read, timeline
from outreach.services import is_suppressed, unsubscribe
from referrals.models import Visit
from referrals.services import merging
from referrals.services.links import share_link_of
from stores.models import AuditEvent
from tests.conftest import NOW, make_order_of

DAY = timedelta(days=1)


@pytest.fixture
def url(store):
    return lambda customer, name="insights:customer": reverse(name, args=[store.slug, customer.public_id])


def everything(store, customer, *, size: int, sort: str = "") -> list:
    lines, after = [], ""
    for _ in range(100):
        page = timeline(store, customer, sort=sort, after=after, size=size)
        lines += page.lines
        after = page.next
        if not after:
            return lines
    raise AssertionError("the pages do not end")


def told(lines) -> list[tuple]:
    return [(one.at, one.text, one.detail) for one in lines]


@pytest.fixture
def busy(store, make_customer):
    """A customer with rows of many kinds, some at the very same moment."""
    one = make_customer("Sara Ahmadi", "sara@example.com")
    for number in range(12):
        make_order_of(store, Person("Sara", "sara@example.com"), at=NOW - (number // 4) * DAY, external_id=f"#{number}")
    for channel in Channel:
        consents.write_down(one, channel, granted=True, said="x", by=None, at=NOW, source="api")
    link = share_link_of(one, at=NOW)
    for number in range(5):
        Visit.objects.create(store=store, link=link, visitor=str(number), hour=NOW, at=NOW - DAY)
    Visit.objects.create(store=store, link=link, visitor="robot", hour=NOW, at=NOW, is_bot=True)
    Event.objects.create(store=store, customer=one, external_id="e", kind="fitting", at=NOW)
    CustomerTag.objects.create(store=store, customer=one, tag="vip", at=NOW)
    CustomerTag.objects.create(store=store, customer=one, tag="older", at=None)
    return one


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pages_lose_nothing_and_tell_nothing_twice(store, busy, size):
    whole = timeline(store, busy, size=1000).lines
    paged = everything(store, busy, size=size)
    assert told(paged) == told(whole)
    assert [one.at for one in whole] == sorted((one.at for one in whole), reverse=True)
    assert len([one for one in whole if "Bought for" in one.text]) == 13
    assert [one.text for one in whole if "opened the link" in one.text] == [
        "5 people opened the link of \u2068Sara Ahmadi\u2069"
    ]
    assert len([one for one in whole if "tag" in one.text]) == 1


def test_sorts_part_the_whole(store, busy):
    whole = told(timeline(store, busy, size=1000).lines)
    parts = [line for sort in SORTS for line in told(everything(store, busy, size=4, sort=sort))]
    assert sorted(parts) == sorted(whole)
    assert {source.sort for source in SOURCES} == set(SORTS)
    assert all(
        "opened the link" in text or "shared" in text
        for _, text, _ in told(timeline(store, busy, sort="friends").lines)
    )


@given(st.text(max_size=40))
def test_any_cursor_is_read(text):
    moment, seen = _read(text)
    assert seen == 0 or (moment is not None and 0 <= seen <= 2000)


def test_a_cursor_is_read_as_it_was_written():
    assert _read(_cursor([(NOW, 0, 1, None), (NOW, 0, 0, None)], NOW, 3)) == (NOW, 5)
    assert _read(_cursor([(NOW + DAY, 0, 1, None), (NOW, 0, 0, None)], NOW + DAY, 3)) == (NOW, 1)


def test_merging_and_splitting_are_told(store, busy, make_customer):
    merge = merging.merge(busy, make_customer("Sara A", "s@example.com"), by=None, at=NOW + DAY)
    merging.split(merge, by=None, at=NOW + 2 * DAY)
    texts = [one.text for one in timeline(store, busy, sort="choices").lines]
    assert texts[:2] == ["The two entries were split again", "Another entry was found to be the same person"]


def test_visits_are_told_by_days_of_the_store_without_robots(store, busy):
    link = share_link_of(busy, at=NOW)
    evening = NOW.replace(hour=15, minute=59)  # 23:59 in Manila; a minute later it is tomorrow
    for number, at in enumerate((evening, evening + timedelta(minutes=2), evening + timedelta(minutes=3))):
        Visit.objects.create(store=store, link=link, visitor=f"v{number}", hour=NOW, at=at)
    told_days = [line for line in timeline(store, busy, sort="friends").lines if "opened the link" in line.text]
    assert [line.text[:2] for line in told_days] == ["2 ", "1 ", "5 "]


def test_its_queries_do_not_grow(store, busy, make_customer, django_assert_num_queries):
    nobody = make_customer("Zoe")
    for one in (busy, nobody):
        with django_assert_num_queries(len(SOURCES)):
            timeline(store, one)
    with django_assert_num_queries(sum(source.sort == "friends" for source in SOURCES)):
        timeline(store, busy, sort="friends")


def test_the_page_filters_and_pages(manager, url, busy, monkeypatch):
    content = manager.get(url(busy), {"show": "friends"}).content.decode()
    assert "opened the link" in content
    assert "Bought for" not in content
    content = manager.get(url(busy), {"show": "nonsense", "after": "~"}).content.decode()
    assert "Bought for" in content
    assert "Nothing of this kind yet" in manager.get(url(busy), {"show": "rewards"}).content.decode()


def test_another_customers_rows_are_not_told(store, busy, make_customer):
    other = make_customer("Bea", "bea@example.com")
    assert len(timeline(store, other).lines) == 1


# -- Consent --


def say(client, url, customer, **values):
    return client.post(url(customer, "customers:consent"), values, follow=True).content.decode()


def test_a_yes_is_written_down_with_who_when_and_where(manager, url, store, make_customer):
    one = make_customer()
    content = say(manager, url, one, channel="email", granted="yes", said="on the phone")
    consent = Consent.objects.for_store(store).get(customer=one)
    assert (consent.granted, consent.wording, consent.source) == (True, "on the phone", "staff: Leila Santos")
    assert "on the phone" in content
    assert "staff: Leila Santos" in content
    assert AuditEvent.objects.for_store(store).get(action="consent.changed").user == manager.user


def test_a_yes_without_where_it_was_said_is_refused(manager, url, store, make_customer):
    one = make_customer()
    assert "Write where and how they agreed" in say(manager, url, one, channel="email", granted="yes", said=" ")
    assert not Consent.objects.for_store(store).exists()


@pytest.mark.parametrize(
    "values", [{}, {"channel": "fax", "granted": "no"}, {"channel": "email", "granted": "perhaps"}]
)
def test_nonsense_changes_nothing(manager, url, store, make_customer, values):
    say(manager, url, make_customer(), **values)
    assert not Consent.objects.for_store(store).exists()


def test_a_no_counts_at_once_and_a_yes_opens_no_closed_address(manager, url, store, make_customer):
    one = make_customer()
    say(manager, url, one, channel="sms", granted="yes", said="shop")
    say(manager, url, one, channel="sms", granted="no")
    one.refresh_from_db()
    assert not one.sms_consent
    unsubscribe(store, one, source="unsubscribe link", at=NOW)
    content = say(manager, url, one, channel="email", granted="yes", said="shop")
    assert is_suppressed(store, one)
    assert "nothing goes there" in content


def test_consent_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, manager, url, store, make_customer):
    one = make_customer()
    target = url(one, "customers:consent")
    values = {"channel": "email", "granted": "no"}
    assert stranger.post(target, values).status_code == 404
    assert staff.post(target, values).status_code == 403
    assert manager.get(target).status_code == 405
    assert not Consent.objects.for_store(store).exists()


def test_when_a_tag_was_given_is_kept(store, make_customer):
    one = make_customer()
    tagging.tag(store, [one.pk], "vip")
    assert CustomerTag.objects.for_store(store).get().at is not None
