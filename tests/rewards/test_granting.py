"""Worked examples: every kind of reward, unused, used in part, used whole, made smaller and taken back."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from referrals.services.terms import OfferTerms, TierTerms, make_ladder
from rewards.models import Account, Commitment, Fulfilment, Reward, Tier, TierChoice, Voucher
from rewards.services import budgets, fulfilling, granting, ledger, recounting, reducing, vouchers
from tests.conftest import NOW
from tests.rewards.books_world import Kind, balances, budget_of, earn, numbers, offer, purse_of, terms_of, use

pytestmark = pytest.mark.django_db
SEVEN, FOUR = Fraction(7, 10), Fraction(4, 10)
CODES = [Kind.FIXED_OFF, Kind.FREE_PRODUCT]
PURSES = [Kind.STORE_CREDIT, Kind.GIFT_CARD]
CASH = [Kind.CASH, Kind.COMMISSION]
HELD = {Kind.STORE_CREDIT: "credit", Kind.GIFT_CARD: "gift", Kind.CASH: "payable", Kind.COMMISSION: "payable"}


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi")


@pytest.fixture
def give(store, sara):
    """A reward of 500 of the store's program; of a percentage, one that is reckoned at 500."""

    def given(kind: Kind, **fields) -> Reward:
        terms = terms_of(store)
        if kind == Kind.FREE_PRODUCT:
            fields["product"] = sara.orders.get().lines.get().product
        if not kind.is_percentage:
            return earn(sara, kind, 500, terms=terms, **fields)
        promised = offer(store, kind, None, percent=20, most_minor=500, **fields)
        earned = granting.Earned(promised, Reward.Side.ADVOCATE, f"test:{next(numbers)}", terms=terms, order_minor=2500)
        return granting.grant_earned(sara, earned, at=NOW)

    return given


@pytest.fixture
def books(store):
    """The balances, after looking whether the books are right and the budget says the same."""

    def look() -> dict[str, int]:
        assert recounting.problems(store) == []
        return balances(store)

    return look


def code_of(reward: Reward) -> Voucher:
    """How it is spent: its own code or card, or the person's store credit."""
    return purse_of(reward.customer) if reward.offer.kind == Kind.STORE_CREDIT else reward.voucher


def committed(store) -> int:
    budget = budget_of(store)
    budget.refresh_from_db()
    return budget.committed_minor


def take_back(reward: Reward) -> None:
    assert granting.take_back(reward, reason="refunded", at=NOW)
    assert not granting.take_back(reward, reason="refunded", at=NOW)


class TestTakenBack:
    @pytest.mark.parametrize("kind", list(Kind))
    def test_unused_nothing_is_left_anywhere(self, store, give, books, kind):
        reward = give(kind)
        assert committed(store) == 500
        take_back(reward)
        assert books() == {}
        assert committed(store) == 0
        assert (reward.status, reward.reason) == (Reward.Status.VOIDED, "refunded")

    @pytest.mark.parametrize("kind", [*CODES, Kind.PERCENT_OFF])
    @pytest.mark.parametrize("bill", [310, 5000])
    def test_a_used_code_is_owed(self, store, give, books, kind, bill):
        reward = give(kind)
        taken = use(reward.voucher, bill).discount_minor
        take_back(reward)
        assert books() == {"redeemed": taken, "owed": -taken}
        assert committed(store) == 0

    @pytest.mark.parametrize("kind", PURSES)
    @pytest.mark.parametrize("bill", [200, 500])
    def test_of_money_what_is_left_goes_back_and_the_rest_is_owed(self, store, give, books, kind, bill):
        reward = give(kind)
        use(code_of(reward), bill)
        take_back(reward)
        assert books() == {"redeemed": bill, "owed": -bill}
        assert committed(store) == 0

    @pytest.mark.parametrize("kind", CASH)
    @pytest.mark.parametrize("paid", [200, 500])
    def test_cash_that_was_paid_out_is_owed(self, store, give, books, kind, paid):
        reward = give(kind)
        pay(reward, paid)
        take_back(reward)
        assert books() == {"paid": paid, "owed": -paid}

    def test_what_was_given_to_a_charity_stays_given(self, store, give, books):
        reward = give(Kind.DONATION)
        assert fulfilling.done(reward.fulfilment, by=None, at=NOW)
        take_back(reward)
        assert books() == {"cost": -500, "donated": 500}
        assert committed(store) == 500

    def test_what_was_handed_over_is_owed(self, store, give, books):
        reward = give(Kind.CUSTOM)
        fulfilling.done(reward.fulfilment, by=None, at=NOW)
        take_back(reward)
        assert books() == {"delivered": 500, "owed": -500}

    def test_what_nobody_need_do_any_more_is_off_the_list(self, store, give):
        for kind in (Kind.DONATION, Kind.CUSTOM):
            take_back(give(kind))
        states = Fulfilment.objects.for_store(store).values_list("status", flat=True)
        assert set(states) == {Fulfilment.Status.VOIDED}

    @pytest.mark.parametrize("kind", [Kind.FIXED_OFF, Kind.PERCENT_OFF])
    def test_what_ended_unused_is_not_owed(self, store, give, books, kind):
        reward = give(kind, valid_days=1)
        vouchers.expire_due(store, reward.voucher.expires_at)
        take_back(reward)
        assert books() == {}

    def test_of_a_card_that_ended_only_what_was_used_is_owed(self, store, give, books):
        card = give(Kind.GIFT_CARD)
        use(card.voucher, 120)
        vouchers.expire_due(store, card.voucher.expires_at)
        take_back(card)
        assert books() == {"redeemed": 120, "breakage": 380, "cost": -380, "owed": -120}
        assert committed(store) == 0


def pay(reward: Reward, amount: int) -> None:
    """Cash leaves the person's account, as a list that is marked paid does."""
    store, currency = reward.store, reward.offer.currency
    payable = ledger.account(store, Account.Kind.PAYABLE, currency, reward.customer)
    paid = ledger.account(store, Account.Kind.PAID, currency)
    ledger.post(store, key=f"pay:{reward.pk}", kind="payout", amounts={payable: -amount, paid: amount}, at=NOW)


class TestMadeSmaller:
    @pytest.mark.parametrize("kind", [*PURSES, *CASH, Kind.DONATION])
    def test_what_is_held_becomes_less(self, store, give, books, kind):
        reward, name = give(kind), HELD.get(kind, "charity")
        assert reducing.reduce(reward, SEVEN, at=NOW) == 150
        assert books() == {"cost": -350, name: 350}
        assert reducing.reduce(reward, FOUR, at=NOW) == 150
        assert (books(), committed(store)) == ({"cost": -200, name: 200}, 200)
        take_back(reward)
        assert (books(), committed(store)) == ({}, 0)

    @pytest.mark.parametrize("kind", PURSES)
    def test_what_was_spent_of_it_is_owed(self, store, give, books, kind):
        reward = give(kind)
        use(code_of(reward), 400)
        reducing.reduce(reward, FOUR, at=NOW)
        assert books() == {"cost": -200, "redeemed": 400, "owed": -200}
        take_back(reward)
        assert books() == {"redeemed": 400, "owed": -400}

    @pytest.mark.parametrize("kind", CODES)
    def test_an_unused_code_takes_less_off(self, store, give, books, kind):
        reward = give(kind)
        reducing.reduce(reward, SEVEN, at=NOW)
        assert (books(), committed(store)) == ({"promised": 350, "contingent": -350}, 350)
        assert use(reward.voucher, 5000).discount_minor == 350
        assert (books(), committed(store)) == ({"cost": -350, "redeemed": 350}, 350)
        reducing.reduce(reward, FOUR, at=NOW)
        assert (books(), committed(store)) == ({"cost": -200, "redeemed": 350, "owed": -150}, 200)
        take_back(reward)
        assert (books(), committed(store)) == ({"redeemed": 350, "owed": -350}, 0)

    @pytest.mark.parametrize("kind", CODES)
    @pytest.mark.parametrize(("bill", "owed"), [(310, 0), (400, 50), (500, 150)])
    def test_of_a_used_code_only_what_the_smaller_one_would_not_have_taken_off_is_owed(
        self, store, give, books, kind, bill, owed
    ):
        reward = give(kind)
        use(reward.voucher, bill)
        reducing.reduce(reward, SEVEN, at=NOW)
        assert balances(store).get("owed", 0) == -owed
        take_back(reward)
        assert books() == {"redeemed": bill, "owed": -bill}

    def test_a_percentage_is_untouched_while_unused(self, store, give, books):
        reward = give(Kind.PERCENT_OFF)
        assert reducing.reduce(reward, SEVEN, at=NOW) == 0
        assert use(reward.voucher, 2000).discount_minor == 400
        assert books() == {"cost": -400, "redeemed": 400}

    def test_of_a_used_percentage_that_part_is_owed(self, store, give, books):
        reward = give(Kind.PERCENT_OFF)
        use(reward.voucher, 1000)
        assert reducing.reduce(reward, SEVEN, at=NOW) == 60
        assert reducing.reduce(reward, FOUR, at=NOW) == 60
        assert (books(), committed(store)) == ({"cost": -80, "redeemed": 200, "owed": -120}, 80)
        assert (reward.amount_minor, reward.reduced_minor) == (200, 120)
        take_back(reward)
        assert books() == {"redeemed": 200, "owed": -200}

    def test_something_of_the_owners_own_until_it_is_handed_over(self, store, give, books):
        reward = give(Kind.CUSTOM)
        reducing.reduce(reward, SEVEN, at=NOW)
        assert books() == {"promised": 350, "contingent": -350}
        fulfilling.done(reward.fulfilment, by=None, at=NOW)
        assert reducing.reduce(reward, FOUR, at=NOW) == 0
        assert (books(), committed(store)) == ({"cost": -350, "delivered": 350}, 350)

    def test_not_what_was_given_to_the_charity(self, store, give, books):
        reward = give(Kind.DONATION)
        fulfilling.done(reward.fulfilment, by=None, at=NOW)
        assert reducing.reduce(reward, SEVEN, at=NOW) == 0
        assert books() == {"cost": -500, "donated": 500}

    @pytest.mark.parametrize("kind", list(Kind))
    def test_twice_is_once_and_it_never_grows_back(self, store, give, books, kind):
        reward = give(kind)
        first = reducing.reduce(reward, FOUR, at=NOW)
        before = books()
        assert reducing.reduce(reward, FOUR, at=NOW) == 0
        assert reducing.reduce(reward, SEVEN, at=NOW) == 0
        assert (books(), reward.reduced_minor) == (before, first)

    @pytest.mark.parametrize("kind", list(Kind))
    def test_what_was_taken_back_is_not_made_smaller(self, store, give, books, kind):
        reward = give(kind)
        take_back(reward)
        assert reducing.reduce(reward, SEVEN, at=NOW) == 0
        assert books() == {}

    def test_of_a_card_that_ended_nothing_is_owed_that_nobody_used(self, store, give, books):
        card = give(Kind.GIFT_CARD)
        use(card.voucher, 120)
        vouchers.expire_due(store, card.voucher.expires_at)
        reducing.reduce(card, SEVEN, at=NOW)
        assert "owed" not in books()


class TestAUseUndone:
    def undo(self, use):
        vouchers.reverse(use, at=NOW)
        reducing.undo_use(use, at=NOW)

    @pytest.mark.parametrize("kind", [*CODES, Kind.PERCENT_OFF])
    def test_after_it_was_taken_back_nothing_is_owed_and_the_code_is_closed(self, store, give, books, kind):
        reward = give(kind)
        used = use(reward.voucher, 1000)
        take_back(reward)
        self.undo(used)
        assert (books(), committed(store)) == ({}, 0)
        reward.voucher.refresh_from_db()
        assert reward.voucher.status == Voucher.Status.VOIDED

    @pytest.mark.parametrize("kind", CODES)
    def test_after_it_became_smaller_the_code_is_as_small(self, store, give, books, kind):
        reward = give(kind)
        used = use(reward.voucher, 1000)
        reducing.reduce(reward, SEVEN, at=NOW)
        self.undo(used)
        assert (books(), committed(store)) == ({"promised": 350, "contingent": -350}, 350)
        used = use(reward.voucher, 1000)
        assert used.discount_minor == 350
        self.undo(used)
        assert books() == {"promised": 350, "contingent": -350}

    def test_of_a_percentage_nothing_is_owed_until_it_is_used_again(self, store, give, books):
        reward = give(Kind.PERCENT_OFF)
        used = use(reward.voucher, 1000)
        reducing.reduce(reward, SEVEN, at=NOW)
        self.undo(used)
        assert books() == {"promised": 500, "contingent": -500}
        use(reward.voucher, 2000)
        reducing.reduce(reward, SEVEN, at=NOW)
        assert books() == {"cost": -280, "redeemed": 400, "owed": -120}

    def test_what_was_settled_meanwhile_comes_back_as_store_credit(self, store, give, books):
        reward = give(Kind.FIXED_OFF)
        used = use(reward.voucher, 1000)
        take_back(reward)
        give(Kind.CASH)
        assert books() == {"redeemed": 500, "cost": -500}
        self.undo(used)
        assert books() == {"cost": -500, "credit": 500}


class TestNetted:
    @pytest.mark.parametrize("kind", [*PURSES, *CASH])
    def test_what_is_owed_is_settled_with_what_is_earned_next(self, store, give, books, kind):
        first = give(Kind.STORE_CREDIT)
        use(code_of(first), 300)
        take_back(first)
        assert books() == {"redeemed": 300, "owed": -300}
        second = give(kind)
        assert granting.settled(second) == 300
        assert books() == {"redeemed": 300, "cost": -500, HELD[kind]: 200}
        third = give(kind)
        assert granting.settled(third) == 0

    def test_a_code_settles_nothing(self, store, give, books):
        first = give(Kind.STORE_CREDIT)
        use(code_of(first), 300)
        take_back(first)
        assert granting.settled(give(Kind.FIXED_OFF)) == 0
        assert books()["owed"] == -300


class TestChoosing:
    @pytest.fixture
    def waiting(self, store, sara):
        """A reward of 500 cash, in place of which 300 of credit or 200 off may be picked."""
        choices = [OfferTerms(Kind.STORE_CREDIT, amount_minor=300), OfferTerms(Kind.FIXED_OFF, amount_minor=200)]
        step = TierTerms(1, Tier.Gives.EACH, OfferTerms(Kind.CASH, amount_minor=500), choices=choices)
        tier = make_ladder(store, [step]).tiers.get()
        earned = granting.Earned(tier.offer, Reward.Side.ADVOCATE, "choice", tier=tier, terms=terms_of(store))
        return granting.grant_earned(sara, earned, at=NOW)

    def test_room_is_kept_for_the_dearest_and_the_rest_is_free_once_chosen(self, store, waiting, books):
        assert (books(), committed(store)) == ({"promised": 500, "contingent": -500}, 500)
        credit = TierChoice.objects.for_store(store).get(offer__kind=Kind.STORE_CREDIT).offer
        granting.choose(waiting, credit, at=NOW)
        assert (books(), committed(store)) == ({"cost": -300, "credit": 300}, 300)
        with pytest.raises(granting.NotOffered):
            granting.choose(waiting, credit, at=NOW)

    def test_what_was_made_smaller_meanwhile_is_so_whatever_is_chosen(self, store, waiting, books):
        reducing.reduce(waiting, SEVEN, at=NOW)
        off = TierChoice.objects.for_store(store).get(offer__kind=Kind.FIXED_OFF).offer
        granting.choose(waiting, off, at=NOW)
        assert (books(), committed(store)) == ({"promised": 140, "contingent": -140}, 140)
        assert (waiting.amount_minor, waiting.reduced_minor) == (200, 60)

    def test_taken_back_before_it_was_chosen(self, store, waiting, books):
        take_back(waiting)
        assert (books(), committed(store)) == ({}, 0)

    def test_who_does_not_choose_gets_the_usual(self, store, waiting, books):
        ends = NOW + timedelta(days=14)
        assert granting.choose_due(store, ends - timedelta(seconds=1)) == 0
        assert granting.choose_due(store, ends) == 1
        assert books() == {"cost": -500, "payable": 500}
        assert granting.choose_due(store, ends) == 0


def test_what_is_promised_of_a_budget_is_smaller_only_while_it_is_held(store, give):
    reward = give(Kind.FIXED_OFF)
    promise = budgets.commitment_of(store, f"voucher:reward:{reward.pk}")
    use(reward.voucher, 1000)
    promise.refresh_from_db()
    budgets.shrink(promise, 100, key="late", at=NOW)
    assert Commitment.objects.for_store(store).get(pk=promise.pk).promised_minor == 500
    assert recounting.problems(store) == []
