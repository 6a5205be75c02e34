"""Answering appeals: the service, and the pages of a manager."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.services import Person
from referrals import appeals_found
from referrals.models import Appeal, Referral
from referrals.services import appeals, deciding
from referrals.services.links import share_link_of
from rewards.models import Reward
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.conftest import make_order_of
from tests.referrals.journey_world import count, refer

URL = "/d/rosewater/approvals/appeals/"
DAY = timedelta(days=1)


@pytest.fixture
def bought(store, make_order):
    """A function that makes an order nobody is credited with."""

    def make(email="eli@example.com", name="Eli Two", number="1007", days_ago=2.0, **facts):
        return make_order(email, name=name, days_ago=days_ago, external_id=number, **facts)

    return make


@pytest.fixture
def missed(share_link, now):
    """A function by which Sara says that a friend is missing."""

    def say(**told):
        return appeals.say_missing(share_link.customer, appeals.Missing(**told), at=now)

    return say


@pytest.fixture
def contested(share_link, now):
    """A function that refuses a friend of Sara's, who contests it."""

    def make(reason=Referral.Reason.KNOWN_CUSTOMER, name="Bea Cruz"):
        referral = refer(share_link, name, at=now)
        deciding.void_referral(referral, reason=reason, at=now)
        referral.refresh_from_db()
        return appeals.contest(referral, "She is new.", at=now)

    return make


def in_force(order):
    return Referral.objects.for_store(order.store).filter(order=order, replaced_at=None).first()


def found(appeal):
    return [one.order.external_id for one in appeals_found.candidates(appeal)]


# -- Finding the order --


@pytest.mark.parametrize("typed", ["1007", "#1007", " # 1007 ", "۱۰۰۷"])
def test_an_order_is_found_by_its_number_however_it_is_written(bought, missed, typed):
    bought(number="1007"), bought("fay@example.com", number="10070")
    assert found(missed(order_number=typed)) == ["1007"]


def test_an_order_is_found_by_contact_and_by_name(bought, missed):
    bought(number="1007"), bought("eliza@example.com", name="Eliza Three", number="1008")
    assert found(missed(friend_contact="Eli@Example.com")) == ["1007"]
    assert set(found(missed(friend_name="eli"))) == {"1007", "1008"}
    assert found(missed(friend_name="Nobody Here")) == []
    assert found(missed(friend_contact="nonsense", order_number="%")) == []


def test_what_cannot_be_meant_says_why(store, bought, missed, make_order, now):
    own = make_order("sara@example.com", days_ago=1, external_id="1001")
    gone = bought("gus@example.com", name="Gus Four", number="1002", cancelled_at=now)
    hints = {one.order: one.hint for one in appeals_found.candidates(missed(order_number="1001"))}
    hints |= {one.order: one.hint for one in appeals_found.candidates(missed(order_number="1002"))}
    assert "own order" in hints[own]
    assert "cancelled" in hints[gone]


def test_an_old_order_is_not_meant(bought, missed):
    bought(days_ago=400)
    assert found(missed(order_number="1007")) == []


def test_another_stores_orders_are_never_found(store, other_store, missed, now):
    appeal = missed(order_number="1007", friend_contact="eli@example.com", friend_name="Eli")
    with acting_for(other_store):
        make_order_of(other_store, Person("Eli Two", "eli@example.com"), at=now, external_id="1007")
    assert found(appeal) == []


# -- Answering --


def test_accepting_a_missing_friend_credits_the_order(bought, missed, manager, now, share_link):
    order, appeal = bought(), missed(order_number="1007")
    referral = appeals.accept(appeal, order, "Found her.", by=manager.user, at=now)
    assert (referral.advocate, referral.evidence, referral.status) == (share_link.customer, "staff", "pending")
    appeal.refresh_from_db()
    assert (appeal.status, appeal.answer, appeal.by) == ("accepted", "Found her.", manager.user)
    assert AuditEvent.objects.for_store(order.store).filter(action="appeal.decided").count() == 1


def test_what_is_past_its_return_time_counts_at_once(bought, missed, manager, now):
    order, appeal = bought(days_ago=20), missed(order_number="1007")
    assert appeals.accept(appeal, order, "", by=manager.user, at=now).status == "approved"
    assert Reward.objects.for_store(order.store).filter(side="advocate").count() == 1


def test_accepting_a_contested_decision_counts_it_again(contested, manager, now):
    appeal = contested()
    referral = appeals.accept(appeal, appeal.referral.order, "You are right.", by=manager.user, at=now + 30 * DAY)
    assert (referral.status, referral.order) == ("approved", appeal.referral.order)
    assert Reward.objects.for_store(referral.store).filter(side="advocate").count() == 1


def test_a_second_answer_is_refused_and_changes_nothing(bought, missed, manager, now):
    order, appeal = bought(), missed(order_number="1007")
    appeals.decline(appeal, "No such order.", by=manager.user, at=now)
    with pytest.raises(appeals.Decided):
        appeals.accept(appeal, order, "", by=manager.user, at=now)
    assert in_force(order) is None
    appeal.refresh_from_db()
    assert appeal.status == "declined"


def test_an_order_that_cannot_be_credited_leaves_the_appeal_open(bought, missed, manager, now, make_order):
    appeal = missed(order_number="1001")
    own = make_order("sara@example.com", days_ago=1, external_id="1001")
    with pytest.raises(appeals.NotCredited):
        appeals.accept(appeal, own, "", by=manager.user, at=now)
    appeal.refresh_from_db()
    assert appeal.status == "open"


def test_a_decision_is_contested_once_and_only_where_one_was_taken(share_link, contested, now):
    appeal = contested()
    assert appeals.contest(appeal.referral, "Again.", at=now) == appeal
    with pytest.raises(appeals.NotDecided):
        appeals.contest(count(refer(share_link, "Eli Two", at=now), at=now), "Why?", at=now)


def test_twenty_in_ninety_days_at_most(missed, manager, now, monkeypatch):
    monkeypatch.setattr(appeals, "MOST_IN_PERIOD", 3)
    for number in range(3):
        appeals.decline(missed(friend_name=f"Friend {number}"), "No.", by=manager.user, at=now)
    with pytest.raises(appeals.TooMany):
        missed(friend_name="Friend 4")


# -- The pages --


def page_of(appeal):
    return f"{URL}{appeal.public_id}/"


def test_the_list_has_what_waits_and_what_was_answered(manager, missed, contested, now):
    first, second = missed(friend_name="<b>Eli</b>", words="Friday"), contested()
    text = manager.get(URL).content.decode()
    assert "&lt;b&gt;Eli&lt;/b&gt;" in text
    assert "She is new." in text
    appeals.decline(first, "No.", by=manager.user, at=now)
    assert [row.pk for row in manager.get(URL).context["rows"]] == [second.pk]
    assert [row.pk for row in manager.get(f"{URL}?tab=answered").context["rows"]] == [first.pk]


def test_it_says_when_nobody_asks(manager, store):
    assert "Nobody asks" in manager.get(URL).content.decode()
    assert "Nothing was answered yet" in manager.get(f"{URL}?tab=answered").content.decode()


def test_the_approvals_show_how_many_ask(manager, missed):
    missed(friend_name="Eli")
    assert manager.get("/d/rosewater/approvals/").context["counts"]["appeals"] == 1


def test_a_manager_accepts_for_one_of_the_orders(manager, bought, missed):
    order, appeal = bought(days_ago=-1), missed(order_number="1007")
    assert "1007" in manager.get(page_of(appeal)).content.decode()
    sent = {"decision": "accept", "order": order.public_id, "answer": "Found her."}
    assert manager.post(page_of(appeal), sent)["Location"] == URL
    assert in_force(order).advocate == appeal.customer
    assert manager.post(page_of(appeal), sent).status_code == 302  # a second tap
    assert Referral.objects.for_store(order.store).filter(order=order).count() == 1


def test_a_manager_accepts_a_contested_decision(manager, contested):
    appeal = contested()
    sent = {"decision": "accept", "order": appeal.referral.order.public_id}
    assert manager.post(page_of(appeal), sent).status_code == 302
    assert in_force(appeal.referral.order).status in ("pending", "approved")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"decision": "accept"},
        {"decision": "accept", "order": "x"},
        {"decision": "decline"},
        {"decision": "nonsense", "answer": "No."},
        {"decision": "decline", "answer": "x" * 5000},
    ],
)
def test_half_an_answer_changes_nothing_and_keeps_what_was_typed(manager, bought, missed, sent):
    order, appeal = bought(), missed(order_number="1007")
    assert manager.post(page_of(appeal), sent).status_code == 422
    appeal.refresh_from_db()
    assert appeal.status == "open"
    assert in_force(order) is None


def test_an_order_outside_the_candidates_cannot_be_sent(manager, bought, missed):
    other, appeal = bought("fay@example.com", name="Fay Three", number="2000"), missed(order_number="1007")
    assert manager.post(page_of(appeal), {"decision": "accept", "order": other.public_id}).status_code == 422
    assert in_force(other) is None


def test_declining_needs_an_answer_and_keeps_it(manager, missed):
    appeal = missed(friend_name="Eli")
    manager.post(page_of(appeal), {"decision": "decline", "answer": "Which day was it?"})
    appeal.refresh_from_db()
    assert (appeal.status, appeal.answer) == ("declined", "Which day was it?")


def test_strangers_and_the_counter_see_none_of_it(stranger, staff, missed):
    appeal = missed(friend_name="Eli")
    for path in (URL, page_of(appeal)):
        assert stranger.get(path).status_code == 404
        assert staff.get(path).status_code == 403
    assert stranger.post(page_of(appeal), {"decision": "decline", "answer": "No."}).status_code == 404
    assert staff.post(page_of(appeal), {"decision": "decline", "answer": "No."}).status_code == 403
    appeal.refresh_from_db()
    assert appeal.status == "open"


def test_its_queries_do_not_grow(manager, missed, bought, share_link, django_assert_max_num_queries):
    missed(friend_name="Eli", order_number="1007")
    with django_assert_max_num_queries(12) as few:
        manager.get(URL)
    for number in range(4):
        missed(friend_name=f"Eli {number}")
    with django_assert_max_num_queries(len(few)):
        manager.get(URL)
    appeal = Appeal.objects.filter(friend_name="Eli").get()
    bought(number="1007")
    with django_assert_max_num_queries(20) as few:
        manager.get(page_of(appeal))
    for number in range(5):
        bought(f"e{number}@example.com", number=f"30{number}")
    with django_assert_max_num_queries(len(few)):
        manager.get(page_of(appeal))


def test_a_friend_of_a_paused_moment_is_credited_when_the_store_says_so(store, bought, missed, manager):
    order, appeal = bought(days_ago=3), missed(order_number="1007")
    assert share_link_of(appeal.customer, at=timezone.now()).is_main
    assert appeals.accept(appeal, order, "", by=manager.user, at=timezone.now()).reason == ""
