"""Two customers become one while something else happens to them: nothing is lost, nothing doubled."""

from __future__ import annotations

from threading import Barrier

import pytest

from customers.models import Customer, CustomerMerge, Order
from customers.services import Person
from referrals.models import Referral
from referrals.services import attribution, deciding, merging, programs, redeeming
from referrals.services.links import share_link_of
from referrals.services.terms import TEN_PERCENT, OfferTerms, ProgramTerms, TierTerms, make_offer
from rewards.models import Account, Offer, Redemption, Reward, Tier, Voucher
from rewards.services import granting, ledger
from rewards.services.vouchers import Bill
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY

LATER = NOW + 30 * DAY
HUNDRED = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00)
KEPT, GONE = "kept@example.com", "gone@example.com"


@pytest.fixture
def pair(committed_store, in_store):
    """Two customers, 100 of store credit each, and a friend's referral of the one who goes."""

    def make() -> tuple[Customer, Customer]:
        terms = ProgramTerms("Race", TEN_PERCENT, [TierTerms(1, Tier.Gives.EACH, HUNDRED)])
        programs.change_program(programs.program_of(committed_store), terms, by=None, at=NOW)
        found = []
        for email in (KEPT, GONE):
            one = make_order_of(committed_store, Person("Sara", email), at=NOW).customer
            offer = make_offer(committed_store, HUNDRED)
            granting.grant(one, offer, side=Reward.Side.CUSTOMER, key=f"gift:{one.pk}", at=NOW)
            found.append(one)
        code = share_link_of(found[1], at=NOW).code
        attribution.attribute_order(
            make_order_of(committed_store, Person("Bea", "bea@example.com"), at=NOW, code=code), at=NOW
        )
        return found[0], found[1]

    return in_store(make)


@pytest.fixture
def act(committed_store):
    """What may happen at the same moment, each in a transaction of its own."""
    store = committed_store

    def merge(pair, *, turned: bool = False):
        survivor, gone = (
            Customer.objects.select_related("store").get(pk=one.pk) for one in (pair[::-1] if turned else pair)
        )
        return merging.merge(survivor, gone, by=None, at=LATER)

    def order(_pair):
        return make_order_of(store, Person("Sara", GONE), at=LATER)

    def redeem(pair):
        code = (
            Voucher.objects.for_store(store)
            .get(kind="credit", issued_at=NOW, key__startswith=f"credit:{pair[1].pk}:")
            .code
        )
        return redeeming.redeem(store, code, Bill(60_00, "PHP"), at=LATER)

    def approve(_pair):
        referral = Referral.objects.for_store(store).select_related(*deciding.JOINED).get()
        return deciding.approve_referral(referral, at=LATER)

    def earn(pair):
        gone = Customer.objects.select_related("store").get(pk=pair[1].pk)
        return granting.grant(
            gone, make_offer(store, HUNDRED), side=Reward.Side.CUSTOMER, key="in that moment", at=LATER
        )

    def run(name, pair, **options):
        with acting_for(store):
            return {"merge": merge, "order": order, "redeem": redeem, "approve": approve, "earn": earn}[name](
                pair, **options
            )

    return run


@pytest.fixture
def settled(committed_store, in_store):
    """After the sweep: the balance of all, where it lies, and who has the orders."""

    def look(pair) -> tuple[int, int, int]:
        merging.bring_along(committed_store, LATER)
        assert ledger.total(committed_store) == 0
        assert ledger.drift(committed_store) == {}
        accounts = Account.objects.for_store(committed_store).filter(kind="credit")
        held = {one.customer_id: one.balance_minor for one in accounts}
        left = Order.objects.for_store(committed_store).filter(customer=pair[1]).count()
        return held.get(pair[0].pk, 0), held.get(pair[1].pk, 0), left

    return lambda pair: in_store(lambda: look(pair))


@pytest.mark.parametrize(("what", "kept"), [("order", 200_00), ("approve", 300_00), ("earn", 300_00)])
def test_what_comes_in_during_a_merge_ends_with_the_survivor(at_once, pair, act, settled, what, kept):
    answers = at_once(2, lambda number: act(("merge", what)[number], pair))
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert settled(pair) == (kept, 0, 0)


def test_a_use_of_credit_during_a_merge_is_counted_once_or_refused(
    at_once, pair, act, settled, committed_store, in_store
):
    answers = at_once(2, lambda number: act(("merge", "redeem")[number], pair))
    assert isinstance(answers[0], CustomerMerge)
    used = in_store(lambda: Redemption.objects.for_store(committed_store).count())
    assert used in (0, 1)
    assert settled(pair) == (200_00 - used * 60_00, 0, 0)


def test_twelve_merges_of_the_same_two_are_one(at_once, pair, act, settled):
    answers = at_once(12, lambda _: act("merge", pair))
    assert len({one.pk for one in answers}) == 1
    assert settled(pair) == (200_00, 0, 0)


def test_a_into_b_while_b_into_a_ends_in_one_direction(at_once, pair, act, committed_store, in_store):
    answers = at_once(2, lambda number: act("merge", pair, turned=bool(number)))
    refused = [one for one in answers if isinstance(one, merging.CannotMerge)]
    assert len(refused) == 1
    assert in_store(lambda: Customer.objects.for_store(committed_store).exclude(merged_into=None).count()) == 1
    assert in_store(lambda: ledger.total(committed_store)) == 0


def test_control_without_holding_both_a_circle_is_merged(at_once, pair, act, committed_store, in_store, monkeypatch):
    gate = Barrier(2)

    def unheld(survivor, gone):
        rows = Customer.objects.select_related("store")
        found = rows.get(pk=survivor.pk), rows.get(pk=gone.pk)
        gate.wait(timeout=30)
        return found

    monkeypatch.setattr(merging, "_held", unheld)
    monkeypatch.setattr(merging, "_carry", lambda *_: None)
    monkeypatch.setattr(merging, "_fill", lambda *_: {})
    answers = at_once(2, lambda number: act("merge", pair, turned=bool(number)))
    assert not any(isinstance(one, merging.CannotMerge) for one in answers)
    assert in_store(lambda: Customer.objects.for_store(committed_store).exclude(merged_into=None).count()) == 2
