"""What promises leave over is taken off the budget once, whoever gathers it; the control gathers without a lock."""

from __future__ import annotations

from threading import Barrier

import pytest
from django.db.models import F, Sum

from referrals.services import redeeming
from referrals.services.programs import program_of
from rewards.models import Budget, Commitment, Offer
from rewards.services import budgets, ledger, recounting, vouchers
from rewards.services.vouchers import Bill
from stores.tenancy import acting_for
from tests.conftest import NOW

GIFTS = 24
PROMISED, WORTH = 25_00, 10_00  # of each gift: promised, and what it comes to on a bill of 100.00


@pytest.fixture
def gifts(committed_store, in_store):
    """The codes of gifts that one budget just has room for; the first is used, so that the accounts are there."""

    def promise():
        budget = program_of(committed_store).terms.budget
        Budget.objects.filter(pk=budget.pk).update(ceiling_minor=GIFTS * PROMISED)
        offer = Offer.objects.create(store=committed_store, kind=Offer.Kind.PERCENT_OFF, percent=10, currency="PHP")
        made = [
            vouchers.issue(committed_store, offer, key=f"g:{n}", at=NOW, budget=budget, promised_minor=PROMISED).code
            for n in range(GIFTS)
        ]
        redeeming.redeem(committed_store, made[0], Bill(100_00, "PHP"), at=NOW)
        return made[1:]

    return in_store(promise)


def budget_of(store):
    return Budget.objects.get(pk=program_of(store).terms.budget_id, store=store)


def test_redeeming_gathering_and_promising_at_once_keep_the_budget_right(committed_store, in_store, at_once, gifts):
    def play(number):
        for turn, code in enumerate(gifts[number::8]):
            with acting_for(committed_store):
                redeeming.redeem(committed_store, code, Bill(100_00, "PHP"), at=NOW)
            with acting_for(committed_store):
                budgets.gather(budget_of(committed_store))
            with acting_for(committed_store):
                key = f"next:{number}:{turn}"
                budgets.commit(
                    committed_store, budget_of(committed_store), key=key, amount_minor=1_00, currency="PHP", at=NOW
                )
        return

    assert at_once(8, play) == [None] * 8
    assert in_store(lambda: budgets.committed(budget_of(committed_store))) == GIFTS * WORTH + len(gifts) * 1_00
    assert in_store(lambda: recounting.recount(committed_store, NOW)) == []
    in_store(lambda: budgets.gather_all(committed_store, NOW))
    assert in_store(lambda: budget_of(committed_store).committed_minor) == GIFTS * WORTH + len(gifts) * 1_00
    assert in_store(lambda: recounting.recount(committed_store, NOW)) == []
    assert in_store(lambda: ledger.total(committed_store)) == 0


def use(store, codes):
    for code in codes:
        redeeming.redeem(store, code, Bill(100_00, "PHP"), at=NOW)


def test_four_who_gather_take_it_once(committed_store, in_store, at_once, gifts):
    in_store(lambda: use(committed_store, gifts[:8]))
    before = in_store(lambda: budget_of(committed_store).committed_minor)

    def gather(_):
        with acting_for(committed_store):
            budgets.gather(budget_of(committed_store))

    at_once(4, gather)
    assert in_store(lambda: budget_of(committed_store).committed_minor) == before - 8 * (PROMISED - WORTH)


def test_control_without_the_lock_it_is_taken_four_times(committed_store, in_store, at_once, gifts):
    in_store(lambda: use(committed_store, gifts[:2]))
    before = in_store(lambda: budget_of(committed_store).committed_minor)
    gate = Barrier(4)

    def gather_carelessly(_):
        with acting_for(committed_store):
            left = Commitment.objects.for_store(committed_store).filter(leftover_minor__gt=0)
            total = left.aggregate(total=Sum("leftover_minor"))["total"]
            gate.wait(timeout=30)
            Budget.objects.for_store(committed_store).update(committed_minor=F("committed_minor") - total)
            left.update(leftover_minor=0)

    at_once(4, gather_carelessly)
    assert in_store(lambda: budget_of(committed_store).committed_minor) < before - 2 * (PROMISED - WORTH)
