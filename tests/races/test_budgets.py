"""The last places and the last of a budget (RELIABILITY G3): nobody is promised what is not there."""

from __future__ import annotations

import secrets
from dataclasses import replace
from threading import Barrier

import pytest
from django.db.models import F

from customers.services import Person
from referrals.models import Claim, Referral
from referrals.services import attribution, claims, links, programs
from referrals.services.terms import OfferTerms, TierTerms, terms_of
from rewards.models import Account, Budget, Commitment, Entry, Offer, Tier, Voucher
from rewards.services import budgets, ledger, vouchers
from rewards.services.vouchers import Bill
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

PLACES, FRIENDS, TILLS = 20, 500, 20
TEN = OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=10_00)


@pytest.fixture
def limited(committed_store, in_store):
    """`limited(places=20)`: put a limit on the store's program (10.00 to both sides); returns a share link."""

    def put(**limits):
        def work():
            program = programs.program_of(committed_store)
            terms = replace(terms_of(program), friend=TEN, tiers=[TierTerms(1, Tier.Gives.EACH, TEN)], **limits)
            programs.change_program(program, terms, by=None, at=NOW)
            sara = make_order_of(committed_store, Person("Sara Ahmadi", "sara@example.com"), at=NOW).customer
            return links.share_link_of(sara, at=NOW)

        return in_store(work)

    return put


def take(store, link, number):
    """A friend takes the gift; why not, or ''."""
    with acting_for(store):
        try:
            claims.claim(link, Person(f"Friend {number}", f"friend-{number}@example.com"), at=NOW)
        except claims.NotForThem as refused:
            return refused.reason
    return ""


def budget_of(store):
    return programs.program_of(store).budget


def test_five_hundred_at_once_on_the_last_twenty_places(committed_store, in_store, at_once, limited):
    link = limited(places=PLACES)

    def crowd(till):
        return [take(committed_store, link, number) for number in range(till, FRIENDS, TILLS)]

    answers = [one for some in at_once(TILLS, crowd) for one in some]
    assert len(answers) == FRIENDS
    assert answers.count("") == PLACES
    assert set(answers) == {"", Referral.Reason.FULL}
    assert in_store(lambda: Claim.objects.for_store(committed_store).count()) == PLACES
    assert in_store(lambda: Voucher.objects.for_store(committed_store).count()) == PLACES
    assert in_store(lambda: budget_of(committed_store).places_taken) == PLACES
    assert in_store(lambda: ledger.total(committed_store)) == 0


def test_at_once_on_the_last_of_the_money(committed_store, in_store, at_once, limited):
    """100.00, 20.00 a friend: five; each promise stands in the books, and no more."""
    link = limited(ceiling_minor=100_00)
    answers = at_once(12, lambda number: take(committed_store, link, number))
    assert answers.count("") == 5
    budget = in_store(lambda: budget_of(committed_store))
    assert budget.committed_minor == 100_00
    promised = Entry.objects.filter(store=committed_store, account__kind=Account.Kind.PROMISED)
    assert in_store(lambda: sum(promised.values_list("amount_minor", flat=True))) == 100_00


def careless(gate):
    """Look, then write what was seen: what taking a place would be without its guard."""

    def take_room(budget, amount_minor, places):
        seen = Budget.objects.get(pk=budget.pk, store_id=budget.store_id)
        if places > 0 and seen.places is not None and seen.places_taken >= seen.places:
            return False
        if places > 0:
            gate.wait(timeout=30)
        mine = Budget.objects.filter(pk=budget.pk, store_id=budget.store_id)
        return bool(mine.update(places_taken=seen.places_taken + places, committed_minor=F("committed_minor")))

    return take_room


def test_control_without_the_guard_the_last_place_is_given_many_times(
    committed_store, in_store, at_once, limited, monkeypatch
):
    link = limited(places=1)
    monkeypatch.setattr(budgets, "_take", careless(Barrier(6)))
    answers = at_once(6, lambda number: take(committed_store, link, number))
    assert answers.count("") == 6


def test_the_check_alone_stops_the_careless_way(committed_store, in_store, at_once, limited, monkeypatch):
    link = limited(places=1)

    def unguarded(budget, amount_minor, places):
        mine = Budget.objects.filter(pk=budget.pk, store_id=budget.store_id)
        return bool(mine.update(places_taken=F("places_taken") + places))

    monkeypatch.setattr(budgets, "_take", unguarded)

    def attempt(number):
        try:
            return take(committed_store, link, number)
        except Exception as error:
            return type(error).__name__

    answers = at_once(6, attempt)
    assert answers.count("") == 1
    assert in_store(lambda: Claim.objects.for_store(committed_store).count()) == 1


def test_orders_by_code_share_the_same_places(committed_store, in_store, at_once, limited):
    """Buyers who never took a gift take the places too; the others' purchases do not count, and say why."""
    link = limited(places=3)

    def buy(number):
        with acting_for(committed_store):
            person = Person(f"Buyer {number}", f"buyer-{number}-{secrets.token_hex(2)}@example.com")
            order = make_order_of(committed_store, person, at=NOW, code=link.code)
            referral = attribution.attribute_order(order, at=NOW)
            return referral.reason

    answers = at_once(8, buy)
    assert answers.count("") == 3
    assert set(answers) == {"", Referral.Reason.FULL}
    held = Commitment.objects.filter(store=committed_store, status=Commitment.Status.HELD, places=1)
    assert in_store(held.count) == 3


def test_what_was_promised_is_honoured_when_others_took_the_room(committed_store, in_store, limited):
    """An undone use finds its room taken: the code still gives what it said, the budget is not exceeded."""
    link = limited(ceiling_minor=40_00)

    def play():
        first = claims.claim(link, Person("Bea", "bea@example.com"), at=NOW).voucher
        used = vouchers.redeem(first, Bill(6_00, "PHP"), at=NOW)  # 6.00 of the 10.00 reserved
        program = programs.program_of(committed_store)
        for number, amount in ((1, 24_00 - 10_00), (2, 10_00)):
            budgets.commit(
                committed_store, program.budget, key=f"x:{number}", amount_minor=amount, currency="PHP", at=NOW
            )
        vouchers.reverse(used, at=NOW)
        again = vouchers.redeem(first, Bill(100_00, "PHP"), at=NOW)
        return again.discount_minor, budget_of(committed_store).committed_minor

    discount, taken = in_store(play)
    assert discount == 10_00
    assert taken <= 40_00
    assert in_store(lambda: (ledger.total(committed_store), ledger.drift(committed_store))) == (0, {})
