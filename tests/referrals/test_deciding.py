"""What a referral brings when it counts, what a refund makes of that, and what waits for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.services import OrderData, record_order
from outreach.kinds import Kind
from outreach.models import Message
from referrals.models import Referral
from referrals.services import deciding, programs, promising, refunds
from referrals.services.links import share_link_of
from referrals.services.terms import Crediting, Limits, OfferTerms, ProgramTerms, TierTerms
from rewards.models import Commitment, Offer, Reward, Terms, Tier
from rewards.services import granting, recounting, vouchers
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, HOUR, LONG_AGO, count, messages, refer, take_gift
from tests.rewards.books_world import balances, budget_of, purse_of, use

pytestmark = pytest.mark.django_db
CREDIT = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=500)
OFF = OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=300)
EACH = TierTerms(1, Tier.Gives.EACH, CREDIT)
BASE = ProgramTerms("Deciding", OFF, [EACH])


@pytest.fixture
def terms(store):
    """Put other terms in force."""

    def change(**changes) -> None:
        programs.change_program(programs.program_of(store), replace(BASE, **changes), by=None, at=LONG_AGO)

    change()
    return change


def send_back(referral: Referral, minor: int, *, at=NOW + DAY) -> None:
    """The shop reports that so much of the order was sent back."""
    order = referral.order
    told = OrderData(
        order.source, order.external_id, order.currency, order.total_minor, order.placed_at, refunded_minor=minor
    )
    record_order(referral.store, told, at=at)


def rewards_of(store, **which) -> list[Reward]:
    return list(Reward.objects.for_store(store).filter(**which).select_related("offer").order_by("pk"))


def fresh(referral: Referral) -> Referral:
    return Referral.objects.select_related(*deciding.JOINED).get(pk=referral.pk, store_id=referral.store_id)


class TestPartOfItComesBack:
    def test_rewards_become_smaller_once(self, store, share_link, terms):
        referral = count(refer(share_link, total_minor=1000), at=NOW)
        send_back(referral, 300)
        assert refunds.answer_refunds(store, NOW + DAY) == 1
        assert refunds.answer_refunds(store, NOW + DAY) == 0
        (reward,) = rewards_of(store)
        assert (reward.amount_minor, reward.reduced_minor) == (500, 150)
        assert (balances(store)["credit"], budget_of(store).committed_minor) == (350, 350 + 300)

    def test_what_counts_afterwards_is_given_as_small(self, store, share_link, terms):
        referral = refer(share_link, total_minor=1000)
        send_back(referral, 300)
        count(referral, at=NOW + DAY)
        assert (rewards_of(store)[0].reduced_minor, balances(store)["credit"]) == (150, 350)
        assert messages(store, Kind.REWARD)[0].context["gift"] == "₱3.50 store credit"

    def test_its_holder_is_told_kindly_if_they_had_read_of_it(self, store, share_link, terms):
        referral = count(refer(share_link, total_minor=1000), at=NOW)
        Message.objects.for_store(store).filter(kind=Kind.REWARD).update(status="sent", sent_at=NOW)
        send_back(referral, 300)
        refunds.answer_refunds(store, NOW + DAY)
        (told,) = messages(store, Kind.REWARD_VOIDED)
        assert (told.context["gift"], told.context["left"]) == ("₱5 store credit", "₱3.50")
        assert told.context["why"] == "part of the purchase was returned"

    def test_who_has_not_read_of_it_is_told_nothing(self, store, share_link, terms):
        referral = count(refer(share_link, total_minor=1000), at=NOW)
        send_back(referral, 300)
        refunds.answer_refunds(store, NOW + DAY)
        assert messages(store, Kind.REWARD_VOIDED) == []

    @pytest.mark.parametrize(
        ("rule", "status", "reason", "left"),
        [
            (Terms.Refund.KEEP, "approved", "", 500),
            (Terms.Refund.TAKE_BACK, "voided", "refunded", 0),
            (Terms.Refund.PROPORTION, "voided", "too_small", 0),
        ],
    )
    @pytest.mark.parametrize("counts_before", [True, False])
    def test_by_rule(self, store, share_link, terms, rule, status, reason, left, counts_before):
        terms(crediting=Crediting(refund=rule), limits=Limits(minimum_order_minor=800))
        referral = refer(share_link, total_minor=1000)
        if counts_before:
            count(referral, at=NOW)
        send_back(referral, 300)
        refunds.answer_refunds(store, NOW + DAY)
        deciding.approve_due(store, NOW + 20 * DAY)
        referral.refresh_from_db()
        assert (referral.status, referral.reason) == (status, reason)
        assert balances(store).get("credit", 0) == left

    def test_too_much_came_back_before_the_sweep_that_approves(self, store, share_link, terms):
        terms(crediting=Crediting(refund=Terms.Refund.TAKE_BACK))
        referral = refer(share_link, total_minor=1000)
        send_back(referral, 1)
        assert deciding.approve_due(store, NOW + 20 * DAY) == 0
        assert rewards_of(store) == []

    def test_a_late_report_is_found_at_night(self, store, share_link, terms):
        referral = count(refer(share_link, total_minor=1000), at=NOW)
        send_back(referral, 300, at=NOW + DAY)
        later = NOW + DAY + refunds.LOOK_BACK + HOUR
        assert refunds.answer_refunds(store, later) == 0
        assert refunds.answer_refunds(store, later, since=LONG_AGO) == 1

    def test_queries_do_not_grow_with_what_was_answered(self, store, share_link, terms):
        def look() -> int:
            with CaptureQueriesContext(connection) as seen:
                refunds.answer_refunds(store, NOW + DAY)
            return len(seen)

        referrals = [count(refer(share_link, f"Friend {one}", total_minor=1000), at=NOW) for one in "abcd"]
        send_back(referrals[0], 300)
        refunds.answer_refunds(store, NOW + DAY)
        before = look()
        for referral in referrals[1:]:
            send_back(referral, 300)
        refunds.answer_refunds(store, NOW + DAY)
        assert look() == before


class TestOwedIsSettled:
    def test_the_next_letter_says_so(self, store, share_link, terms):
        first = count(refer(share_link, total_minor=1000), at=NOW)
        use(purse_of(share_link.customer), 400)
        send_back(first, 1000)
        refunds.answer_refunds(store, NOW + DAY)
        assert balances(store)["owed"] == -400
        count(refer(share_link, "Cora Diaz", total_minor=1000), at=NOW + DAY)
        assert balances(store).get("owed", 0) == 0
        told = messages(store, Kind.REWARD)[-1]
        assert (told.context["gift"], told.context["settled"]) == ("₱5 store credit", "₱4")
        assert recounting.problems(store) == []


class TestNoRoom:
    @pytest.fixture
    def dear(self, store, share_link, terms):
        """A referral whose commission came out dearer than was promised."""
        commission = OfferTerms(Offer.Kind.COMMISSION, percent=10)
        terms(tiers=[TierTerms(1, Tier.Gives.EACH, commission)], ceiling_minor=20_000)
        return refer(share_link, total_minor=1_000_000)

    def test_it_waits_for_a_person_and_nothing_is_lost(self, store, dear):
        assert deciding.approve_due(store, NOW + 20 * DAY) == 0
        dear = fresh(dear)
        assert (dear.status, dear.reason, dear.number) == ("flagged", "full", None)
        assert dear.promise.status == Commitment.Status.HELD
        assert list(dear.events.order_by("pk").values_list("status", "reason"))[-1] == ("flagged", "full")
        assert rewards_of(store) == []
        assert recounting.problems(store) == []

    def test_who_tries_again_without_room_changes_nothing(self, store, dear):
        deciding.approve_due(store, NOW + 20 * DAY)
        assert not deciding.approve_referral(fresh(dear), at=NOW + 20 * DAY, by_hand=True)
        assert fresh(dear).events.filter(reason="full").count() == 1

    def test_with_more_room_a_person_counts_it(self, store, dear):
        deciding.approve_due(store, NOW + 20 * DAY)
        budget = budget_of(store)
        budget.ceiling_minor = 200_000
        budget.save()
        assert deciding.approve_referral(fresh(dear), at=NOW + 20 * DAY, by_hand=True)
        assert (fresh(dear).status, fresh(dear).reason) == ("approved", "")
        assert balances(store)["payable"] == 100_000


class TestLimits:
    def test_only_so_many_friends_are_rewarded(self, store, share_link, terms):
        terms(limits=Limits(most_rewards=2))
        made = [count(refer(share_link, f"Friend {one}", total_minor=1000), at=NOW) for one in "abc"]
        assert len(rewards_of(store, side="advocate")) == 2
        assert list(made[2].events.filter(reason="limit").values_list("status", flat=True)) == ["approved"]

    def test_one_that_is_voided_makes_room_for_another(self, store, share_link, terms):
        terms(limits=Limits(most_rewards=2))
        made = [count(refer(share_link, f"Friend {one}", total_minor=1000), at=NOW) for one in "abc"]
        deciding.void_referral(made[0], reason=Referral.Reason.STAFF, at=NOW)
        count(refer(share_link, "Friend d", total_minor=1000), at=NOW)
        assert len(rewards_of(store, side="advocate", status="granted")) == 2

    def test_in_a_period(self, store, share_link, terms):
        terms(limits=Limits(most_in_period=1, period_days=30))
        for number, name in enumerate(["a", "b", "c"]):
            count(refer(share_link, f"Friend {name}", total_minor=1000), at=NOW + 20 * number * DAY)
        assert len(rewards_of(store, side="advocate")) == 2  # the first and, 40 days on, the third


class TestSteps:
    def test_every_second_and_once(self, store, share_link, terms):
        terms(tiers=[TierTerms(2, Tier.Gives.EVERY, CREDIT), TierTerms(3, Tier.Gives.ONCE, OFF)])
        for one in "abcd":
            count(refer(share_link, f"Friend {one}", total_minor=1000), at=NOW)
        kinds = [reward.offer.kind for reward in rewards_of(store)]
        assert kinds == ["store_credit", "fixed_off", "store_credit"]

    def test_within_days(self, store, share_link, terms):
        terms(tiers=[TierTerms(2, Tier.Gives.ONCE, CREDIT, within_days=10)])
        count(refer(share_link, "Friend a", total_minor=1000), at=NOW)
        count(refer(share_link, "Friend b", total_minor=1000), at=NOW + 11 * DAY)
        assert rewards_of(store) == []
        count(refer(share_link, "Friend c", total_minor=1000), at=NOW + 12 * DAY)
        assert len(rewards_of(store)) == 1

    def test_a_step_is_one_over_all_versions_of_the_terms(self, store, share_link, terms):
        step = TierTerms(1, Tier.Gives.EVERY, CREDIT)
        terms(tiers=[step])
        first = count(refer(share_link, "Friend a", total_minor=1000), at=NOW)
        terms(tiers=[replace(step, name="renamed")])
        count(refer(share_link, "Friend b", total_minor=1000), at=NOW)
        deciding.void_referral(first, reason=Referral.Reason.STAFF, at=NOW)
        assert len(rewards_of(store, status="granted")) == 1


class TestSecondLevel:
    def test_who_sent_the_advocate_earns_too_and_loses_it_with_the_friend(self, store, share_link, terms):
        terms(second=OfferTerms(Offer.Kind.CASH, amount_minor=100))
        bea = count(refer(share_link, "Bea Cruz", total_minor=1000), at=NOW).friend
        cora = count(refer(share_link_of(bea, at=NOW), "Cora Diaz", total_minor=1000), at=NOW)
        (second,) = rewards_of(store, offer__kind="cash")
        assert second.customer == share_link.customer
        deciding.void_referral(cora, reason=Referral.Reason.STAFF, at=NOW)
        second.refresh_from_db()
        assert (second.status, second.reason) == ("voided", "staff")


def test_gifts_that_nobody_used_give_their_room_back(store, share_link, terms):
    terms(places=3)
    claim = take_gift(share_link)
    assert promising.release_unused(store, NOW + 59 * DAY) == 0
    assert promising.release_unused(store, NOW + 61 * DAY) == 1
    vouchers.expire_due(store, NOW + 100 * DAY)
    claim.promise.refresh_from_db()
    assert claim.promise.status == Commitment.Status.RELEASED
    assert (balances(store), budget_of(store).places_taken) == ({}, 0)


def test_a_purchase_that_never_counts_gives_the_claims_room_back(store, share_link, terms):
    terms(places=3)
    referral = refer(share_link, total_minor=1000, cancelled_at=NOW)
    assert (referral.status, referral.reason) == ("voided", "cancelled")
    assert budget_of(store).places_taken == 0
    assert granting.choose_due(store, NOW) == 0
