import pytest
from django.urls import reverse
from django.utils import timezone

from customers.services import Person
from insights import portrait
from insights.timeline import timeline
from outreach.models import Kind
from outreach.services import unsubscribe
from rewards.models import Voucher
from rewards.services import vouchers
from stores.tenancy import act_for
from tests.conftest import make_order_of
from tests.planned import note_skipped


@pytest.fixture
def url(store):
    return lambda customer: reverse("insights:customer", args=[store.slug, customer.public_id])


def test_it_shows_everything_about_an_advocate(manager, url, played):
    page = manager.get(url(played)).content.decode()
    assert played.share_links.get().code in page
    for words in (
        "Bought for",
        "Asked how it was",
        "answered",
        "shared their link",
        "sent",
        "earned",
        "Agreed to mail",
    ):
        assert words in page


def test_the_friend_sees_who_sent_them(manager, url, played, store):
    friend = played.referrals_made.get().friend
    page = manager.get(url(friend)).content.decode()
    assert "Who sent them" in page
    assert "took the gift" in page
    assert "used" in page


def test_the_facts_are_true(store, played):
    facts = portrait.of(store, played, at=timezone.now())
    assert (facts.orders, facts.spent_minor) == (1, 155_000)
    assert facts.link.customer == played
    assert len(facts.made) == 1
    assert facts.received == []
    assert len(facts.vouchers) == 1
    assert not facts.is_closed


def test_a_reason_is_told_in_words(manager, url, played, store):
    note_skipped(played, Kind.ASK, key="ask:x", reason="cooldown", at=timezone.now())
    assert "They had a message from you not long before." in manager.get(url(played)).content.decode()


def test_an_open_case_stands_on_top(manager, url, play):
    unhappy = play(score=1)
    page = manager.get(url(unhappy)).content.decode()
    assert "Help them" in page
    assert "not asked for anything" in page


def test_who_unsubscribed_is_shown_so(manager, url, played, store):
    unsubscribe(store, played, source="unsubscribe link", at=timezone.now())
    page = manager.get(url(played)).content.decode()
    assert "Asked not to be written to" in page
    assert "Asked for no more mail" in page


def test_undone_and_voided_things_say_so(store, played):
    friend = played.referrals_made.get().friend
    voucher = Voucher.objects.for_store(store).get(customer=friend)
    vouchers.reverse(voucher.redemptions.get(), at=timezone.now())
    assert "undone" in [line.detail for line in timeline(store, friend).lines]


def test_a_name_with_markup_stays_text(manager, url, make_customer):
    customer = make_customer("<script>alert(1)</script>")
    assert "<script>alert" not in manager.get(url(customer)).content.decode()


def test_queries_do_not_grow_with_rows(manager, url, play, store, django_assert_max_num_queries):
    advocate = play(friends=6)
    play.approve()
    for _ in range(5):
        make_order_of(store, Person(advocate.name, advocate.email), at=timezone.now())
    with django_assert_max_num_queries(42):
        manager.get(url(advocate))


def test_it_refuses_a_post(manager, url, played):
    assert manager.post(url(played)).status_code == 405


def test_it_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, client, url, played):
    assert stranger.get(url(played)).status_code == 404
    assert staff.get(url(played)).status_code == 403
    assert client.get(url(played)).status_code == 302


def test_another_stores_customer_is_not_found(manager, store, other_store):
    act_for(other_store)
    theirs = make_order_of(other_store, Person("Eve", "eve@example.com"), at=timezone.now()).customer
    act_for(store)
    assert manager.get(reverse("insights:customer", args=[store.slug, theirs.public_id])).status_code == 404
