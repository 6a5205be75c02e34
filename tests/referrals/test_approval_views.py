import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.utils import timezone

from customers.services import Person
from referrals.models import Referral, ReferralEvent
from referrals.services import attribution, deciding
from referrals.services.links import share_link_of
from rewards.models import Reward, Voucher
from stores.tenancy import acting_for
from tests.conftest import make_order_of

URL = "/d/rosewater/approvals/"


@pytest.fixture
def referred(store, share_link, make_order):
    """A function that makes a friend's order by Sara's code, and its pending referral."""

    def make(email="bea@example.com", name="Bea Cruz", days_ago=3.0):
        order = make_order(email, name=name, days_ago=days_ago, recorded=timezone.now(), code=share_link.code)
        placed = timezone.now() - timedelta(days=days_ago)
        type(order).objects.filter(pk=order.pk).update(placed_at=placed)
        order.refresh_from_db()
        return attribution.attribute_order(order, at=timezone.now())

    return make


@pytest.fixture
def referral(referred):
    return referred()


def status(referral):
    return Referral.objects.for_store(referral.store).get(pk=referral.pk).status


def decide(referral, decision):
    return f"{URL}{referral.public_id}/{decision}/"


def test_those_to_look_at_come_first_then_by_the_day_they_count(manager, referred):
    late, early = referred("late@example.com", days_ago=1), referred("early@example.com", days_ago=9)
    flagged = referred("flag@example.com", days_ago=0.5)
    Referral.objects.filter(pk=flagged.pk).update(status="flagged")
    rows = manager.get(URL).context["rows"]
    assert [row.referral.pk for row in rows] == [flagged.pk, early.pk, late.pk]


def test_each_row_says_how_it_is_known_and_what_it_brings(manager, referral, share_link):
    page = manager.get(URL).content.decode()
    for words in ("Bea Cruz", "Sara Ahmadi", share_link.code, "₱1,550", "3 days ago", "10% off"):
        assert words in page


def test_it_says_when_nothing_waits(manager, store):
    assert "Nothing waits for you" in manager.get(URL).content.decode()


def test_the_past_says_why_and_who(manager, referral):
    manager.post(decide(referral, "void"), {"reason": "staff"})
    page = manager.get(f"{URL}?tab=decided").content.decode()
    assert "the store decided so" in page
    assert str(manager.user) in page


def test_the_list_downloads(manager, referral):
    answer = manager.get(f"{URL}?format=csv")
    rows = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1][:2] == ["Bea Cruz", "Sara Ahmadi"]


def test_its_queries_do_not_grow(manager, referred, django_assert_max_num_queries):
    for number in range(6):
        referred(f"f{number}@example.com")
    with django_assert_max_num_queries(19):
        manager.get(URL)
    manager.post(URL, {"action": "approve", "chosen": [one.public_id for one in Referral.objects.all()]})
    with django_assert_max_num_queries(19):
        manager.get(f"{URL}?tab=decided")


# -- One --


def test_it_counts_one_now(manager, referral):
    assert manager.post(decide(referral, "approve")).status_code == 302
    assert status(referral) == "approved"
    assert ReferralEvent.objects.for_store(referral.store).get(status="approved").by == manager.user
    assert Reward.objects.for_store(referral.store).filter(side="advocate").count() == 1


def test_counting_twice_gives_one_reward(manager, referral):
    manager.post(decide(referral, "approve")), manager.post(decide(referral, "approve"))
    assert Reward.objects.for_store(referral.store).filter(side="advocate").count() == 1


def test_it_names_what_is_lost_before_it_is_final(manager, referral):
    deciding.approve_referral(referral, at=timezone.now(), by=manager.user)
    page = manager.get(decide(referral, "void")).content.decode()
    for words in ("This is final", "₱1,550", "Sara Ahmadi", "10% off"):
        assert words in page
    assert status(referral) == "approved"


def test_it_voids_with_a_reason_and_takes_back(manager, referral):
    deciding.approve_referral(referral, at=timezone.now(), by=manager.user)
    assert manager.post(decide(referral, "void"), {"reason": "known_customer"}).status_code == 302
    assert (status(referral), Referral.objects.get(pk=referral.pk).reason) == ("voided", "known_customer")
    assert set(Voucher.objects.for_store(referral.store).values_list("status", flat=True)) == {"voided"}


@pytest.mark.parametrize("form", [{}, {"reason": ""}, {"reason": "paused"}, {"reason": "x"}])
def test_no_reason_changes_nothing(manager, referral, form):
    assert manager.post(decide(referral, "void"), form).status_code in (200, 422)
    assert status(referral) == "pending"


def test_what_is_void_stays_void(manager, referral):
    manager.post(decide(referral, "void"), {"reason": "staff"})
    manager.post(decide(referral, "approve"))
    assert status(referral) == "voided"


def test_counting_takes_posts_only(manager, referral):
    assert manager.get(decide(referral, "approve")).status_code == 405
    assert manager.put(decide(referral, "void")).status_code == 405
    assert status(referral) == "pending"


def test_an_unknown_decision_is_not_found(manager, referral):
    assert manager.post(decide(referral, "delete")).status_code == 404


@pytest.mark.parametrize("decision", ["approve", "void"])
def test_strangers_and_staff_decide_nothing(stranger, staff, referral, decision):
    assert stranger.post(decide(referral, decision), {"reason": "staff"}).status_code == 404
    assert staff.post(decide(referral, decision), {"reason": "staff"}).status_code == 403
    assert status(referral) == "pending"


def test_another_stores_referral_is_not_here(manager, other_store, store):
    with acting_for(other_store):
        at = timezone.now()
        sara = make_order_of(other_store, Person("Sara", "sara@example.com"), at=at).customer
        link = share_link_of(sara, at=at)
        order = make_order_of(other_store, Person("Bea", "bea@example.com"), at=at, code=link.code)
        theirs = attribution.attribute_order(order, at=at)
    assert manager.post(decide(theirs, "approve")).status_code == 404
    manager.post(URL, {"action": "approve", "chosen": [theirs.public_id]})
    with acting_for(other_store):
        assert status(theirs) == "pending"


# -- Several --


def test_it_counts_several(manager, referred):
    both = [referred("a@example.com"), referred("b@example.com")]
    referred("c@example.com")
    manager.post(URL, {"action": "approve", "chosen": [one.public_id for one in both]})
    assert sorted(status(one) for one in Referral.objects.all()) == ["approved", "approved", "pending"]


def test_several_are_named_before_they_are_void(manager, referred):
    both = [referred("a@example.com"), referred("b@example.com")]
    form = {"action": "void", "chosen": [one.public_id for one in both]}
    page = manager.post(URL, form)
    assert "₱3,100" in page.content.decode()
    assert {status(one) for one in both} == {"pending"}
    assert manager.post(URL, form | {"reason": "staff"}).status_code == 302
    assert {status(one) for one in both} == {"voided"}


@pytest.mark.parametrize("form", [{"action": "approve"}, {"action": "approve", "chosen": ["nonsense"]}])
def test_none_chosen_changes_nothing(manager, referral, form):
    assert manager.post(URL, form).status_code == 302
    assert status(referral) == "pending"


def test_several_take_no_other_method(manager):
    assert manager.put(URL).status_code == 405


def test_strangers_and_staff_decide_none_of_several(stranger, staff, referral):
    form = {"action": "approve", "chosen": [referral.public_id]}
    assert stranger.post(URL, form).status_code == 404
    assert staff.post(URL, form).status_code == 403
    assert status(referral) == "pending"
