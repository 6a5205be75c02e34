"""Staff credits an order: the service, the form, and the words that say why this advocate and not another."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from customers.models import Customer
from customers.services import Person
from referrals import reasons
from referrals.models import Referral
from referrals.services import attribution, deciding
from referrals.services.attribution import CannotCredit, credit_by_hand
from referrals.services.links import record_visit, share_link_of
from rewards.models import Budget, Commitment, Reward
from stores.models import AuditEvent
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, count, refer


@pytest.fixture
def other_link(make_customer):
    """The share link of a second advocate, Omid Karimi."""
    return share_link_of(make_customer("Omid Karimi", "omid@example.com", at=NOW - 100 * DAY), at=NOW)


@pytest.fixture
def order(store):
    """An order of Bea Cruz, who is new."""
    return make_order_of(store, Person("Bea Cruz", "bea@example.com"), at=NOW, external_id="1001")


@pytest.fixture
def boss(manager):
    """The manager's user."""
    return manager.user


def by_hand(order, link, boss, reason="Bea told us at the counter") -> Referral:
    return credit_by_hand(order, link, by=boss, reason=reason, at=NOW)


def test_an_order_of_nobody_is_credited(order, share_link, boss):
    referral = by_hand(order, share_link, boss)
    assert (referral.evidence, referral.status, referral.advocate) == ("staff", "pending", share_link.customer)
    assert referral.candidates[0]["words"] == "Bea told us at the counter"
    assert referral.promise.status == Commitment.Status.HELD
    event = AuditEvent.objects.get(action="referral.credited")
    assert (event.user, event.subject, event.after["order"]) == (boss, referral.public_id, "1001")
    assert event.after["reason"] == "Bea told us at the counter"


def test_a_guests_order_is_credited(store, share_link, boss):
    guest = make_order_of(store, None, at=NOW)
    referral = by_hand(guest, share_link, boss)
    assert (referral.friend, referral.status) == (None, "pending")


def test_who_was_credited_before_is_not_any_more(store, order, share_link, other_link, boss):
    order.code = share_link.code_norm
    order.save(update_fields=["code"])
    before = attribution.attribute_order(order, at=NOW)
    after = by_hand(order, other_link, boss)
    before.refresh_from_db()
    assert (before.status, before.reason, before.replaced_at) == ("voided", "replaced", NOW)
    assert before.promise.status == Commitment.Status.RELEASED
    assert before.events.order_by("-pk").first().by == boss
    assert (after.advocate, after.promise.status) == (other_link.customer, Commitment.Status.HELD)
    assert attribution.credited(order) == after
    assert [(row["evidence"], row["why_not"]) for row in after.candidates] == [("staff", ""), ("code", "staff")]
    assert attribution.attribute_orders(store, NOW) == 0


def test_there_and_back_again_holds_one_place(order, share_link, other_link, boss):
    for link in (share_link, other_link, share_link):
        last = by_hand(order, link, boss)
    held = Commitment.objects.filter(status=Commitment.Status.HELD)
    assert held.get() == last.promise
    assert Budget.objects.get(pk=last.terms.budget_id).places_taken == 1


def test_what_did_not_count_may_be_credited_to_somebody(order, share_link, other_link, boss):
    order.code = share_link.code_norm
    order.save(update_fields=["code"])
    before = attribution.attribute_order(order, at=NOW)
    deciding.void_referral(before, reason=Referral.Reason.STAFF, at=NOW, by=boss)
    after = by_hand(order, other_link, boss)
    before.refresh_from_db()
    assert (before.reason, before.replaced_at, after.status) == ("staff", NOW, "pending")


def test_what_has_counted_is_taken_back_first(share_link, other_link, boss):
    counted = count(refer(share_link), at=NOW + 20 * DAY)
    with pytest.raises(CannotCredit, match="counted"):
        by_hand(counted.order, other_link, boss)
    counted.refresh_from_db()
    assert (counted.status, counted.replaced_at) == ("approved", None)
    assert Reward.objects.filter(customer=share_link.customer, status="granted").exists()


def refused(order, link, boss) -> str:
    with pytest.raises(CannotCredit) as error:
        by_hand(order, link, boss)
    assert not AuditEvent.objects.filter(action="referral.credited").exists()
    return error.value.reason


def test_nobody_is_their_own_friend(store, share_link, boss):
    own = make_order_of(store, Person("Sara", "sara@example.com"), at=NOW)
    assert refused(own, share_link, boss) == "own_code"
    assert not Referral.objects.exists()


@pytest.mark.parametrize(("column", "reason"), [("cancelled_at", "cancelled"), ("refunded_at", "refunded")])
def test_what_came_back_is_not_credited(column, reason, order, share_link, boss):
    setattr(order, column, NOW)
    order.save(update_fields=[column])
    assert refused(order, share_link, boss) == reason


def test_a_friend_counts_once(store, order, share_link, other_link, boss):
    order.code = share_link.code_norm
    order.save(update_fields=["code"])
    first = attribution.attribute_order(order, at=NOW)
    assert first.status == "pending"
    second = make_order_of(store, Person("Bea Cruz", "bea@example.com"), at=NOW + DAY)
    assert refused(second, other_link, boss) == "known_customer"


def test_the_budget_stands_above_staff(store, order, share_link, boss):
    budget = attribution.program_of(store).budget
    Budget.objects.filter(pk=budget.pk).update(places=0)
    assert refused(order, share_link, boss) == "full"


def test_the_database_keeps_one_referral_in_force_an_order(order, share_link, boss):
    first = by_hand(order, share_link, boss)
    copy = Referral.objects.get(pk=first.pk)
    copy.pk, copy.public_id, copy.promise, copy.friend = None, "another", None, None
    with pytest.raises(IntegrityError, match="referral_order_once"), transaction.atomic():
        copy.save(force_insert=True)
    with pytest.raises(IntegrityError, match="referral_replaced_is_voided"), transaction.atomic():
        Referral.objects.filter(pk=first.pk).update(replaced_at=NOW)


# -- The form --


@pytest.fixture
def url(store):
    return reverse("referrals:credit", args=[store.slug])


def test_a_manager_credits_an_order(manager, url, order, share_link):
    form = {"number": "1001", "advocate": "sara@example.com", "reason": "She told us"}
    answer = manager.post(url, form, follow=True)
    assert "is credited to Sara Ahmadi" in answer.content.decode()
    assert Referral.objects.get().advocate == share_link.customer
    assert "She told us" in answer.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": "9999"}, "There is no order of this number"),
        ({"number": ""}, "required"),
        ({"advocate": "nobody@example.com"}, "Nobody is found by this"),
        ({"advocate": "bea@example.com"}, "own order"),
        ({"reason": ""}, "required"),
    ],
)
def test_a_bad_form_says_what_to_mend_and_keeps_the_rest(change, words, manager, url, order, share_link):
    typed = {"number": "1001", "advocate": "sara@example.com", "reason": "Told <us>", **change}
    answer = manager.post(url, typed)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert all(f'value="{value}"' in page for value in change.values() if value)
    assert not Referral.objects.exists()


def test_of_several_one_is_chosen(manager, url, store, order, share_link, make_customer):
    make_customer("Sara Azimi", "azimi@example.com")
    twin = make_order_of(store, Person("Cy Tan", "cy@example.com"), at=NOW, external_id="1001", source="pos")
    typed = {"number": "1001", "advocate": "sara", "reason": "Told us"}
    page = manager.post(url, typed).content.decode()
    assert page.count('name="order_id"') == page.count('name="advocate_id"') == 2
    picked = {"order_id": twin.public_id, "advocate_id": share_link.customer.public_id}
    assert manager.post(url, {**typed, **picked}).status_code == 302
    assert Referral.objects.get().order == twin


def test_the_counter_may_not(staff, url, order, share_link):
    answer = staff.post(url, {"number": "1001", "advocate": "sara@example.com", "reason": "x"})
    assert answer.status_code == 403
    assert not Referral.objects.exists()


def test_an_order_of_another_store_is_not_found(stranger, store, other_store, order):
    own = reverse("referrals:credit", args=[other_store.slug])
    answer = stranger.post(own, {"number": "1001", "advocate": "sara", "reason": "x"})
    assert "There is no order of this number" in answer.content.decode()


def test_buyers_who_named_somebody_are_listed_to_choose(manager, store, order, make_customer):
    for last in ("Ahmadi", "Azimi"):
        made = make_customer(f"Sara {last}", f"{last.lower()}@example.com", at=NOW - 100 * DAY)
        Customer.objects.filter(pk=made.pk).update(found_by_name=True)
    order.named = "sara"
    order.save(update_fields=["named"])
    assert attribution.attribute_orders(store, NOW) == 0
    page = manager.get(reverse("referrals:approvals", args=[store.slug])).content.decode()
    assert "Buyers who named somebody" in page
    assert "azimi%40example.com" in page
    shown = manager.get(
        reverse("referrals:credit", args=[store.slug]), {"number": "1001", "advocate": "azimi@example.com"}
    )
    assert 'value="azimi@example.com"' in shown.content.decode()


# -- Why this advocate and not another --


def test_every_evidence_and_every_reason_has_its_sentence():
    assert set(reasons.CHOSEN) == set(Referral.Evidence)
    assert set(reasons.RIVAL) == set(Referral.Evidence) - {Referral.Evidence.STAFF}
    assert {str(why) for why in reasons.WHY_NOT} == {"late", "own", "bound", "weaker", "touch", "staff"}


def test_the_row_says_who_else_spoke_for_it(manager, store, order, share_link, other_link):
    came = record_visit(other_link, visitor="v" * 32, is_bot=False, at=NOW - DAY)
    order.code, order.visit = share_link.code_norm, came.token
    order.save(update_fields=["code", "visit"])
    referral = attribution.attribute_order(order, at=NOW)
    page = manager.get(reverse("referrals:approvals", args=[store.slug])).content.decode()
    plain = page.replace("\u2068", "").replace("\u2069", "")
    assert f"Bea Cruz gave the code {share_link.code} of Sara Ahmadi." in plain
    assert "They also came by the link of Omid Karimi on" in plain
    assert "In your program this counts less." in plain
    portrait = manager.get(reverse("insights:customer", args=[store.slug, order.customer.public_id])).content.decode()
    assert "They also came by the link of" in portrait
    Customer.objects.filter(pk=other_link.customer_id).update(name="", email="", erased_at=NOW)
    assert "somebody who is no longer here" in reasons.rivals_of(store, [referral])[referral.pk][0]


def test_rivals_of_many_cost_one_query(store, share_link, other_link, django_assert_num_queries):
    rows = []
    for number in range(5):
        came = record_visit(other_link, visitor=str(number) * 32, is_bot=False, at=NOW - DAY)
        person = Person("Bea", f"b{number}@example.com")
        bought = make_order_of(store, person, at=NOW, code=share_link.code, visit=came.token)
        rows.append(attribution.attribute_order(bought, at=NOW))
    with django_assert_num_queries(1):
        assert all(reasons.rivals_of(store, rows).values())
