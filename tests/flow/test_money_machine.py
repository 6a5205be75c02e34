"""A machine that does with two stores' money whatever people do, in any order, and looks at the books after each step.

Two stores with their own currency and terms; every kind of reward. Each run is one transaction that is
rolled back. 10,000 steps in all, always the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Q
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from customers.models import Customer, CustomerMerge, Order
from customers.services import OrderData, Person, record_order
from outreach.models import Journey
from referrals.models import Claim, Referral, ShareLink
from referrals.services import (
    attribution,
    claims,
    deciding,
    erasing,
    later,
    merging,
    programs,
    promising,
    redeeming,
    refunds,
)
from referrals.services.links import share_link_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.addresses import Method
from rewards.models import Fulfilment, Offer, Payout, Redemption, Reward, Tier, Voucher
from rewards.services import addresses, budgets, fulfilling, granting, payouts, reducing, vouchers
from stores.models import Store
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

Kind, Gives = Offer.Kind, Tier.Gives
DAY = timedelta(days=1)
START = NOW - 300 * DAY
EXAMPLES, STEPS = 210, 50
EVER = START - 1000 * DAY
SHARES = [10, 30, 60, 90, 100]
BILLS = [100, 450, 2_000, 9_000]
PLACES = st.integers(0, 30)
ADDRESS = (Method.GCASH, addresses.Details("09170000001", "Ann Cruz"))
DEARS = [3_000, 9_999, 20_000, 55_000]
# What happens, the usual more often.
OFTEN = [
    *["take_the_gift", "use_a_code", "let_time_pass"] * 3,
    *["buy", "approve"] * 4,
    *["send_back", "choose", "hand_over", "pay_out", "undo_a_use"] * 2,
    *["call_off", "decide_against", "find_two_to_be_one", "find_one_to_be_two", "forget_somebody"],
]

FIRST = ProgramTerms(
    "First",
    OfferTerms(Kind.FIXED_OFF, amount_minor=700, valid_days=12),
    [
        TierTerms(1, Gives.EACH, OfferTerms(Kind.STORE_CREDIT, amount_minor=1_000)),
        TierTerms(2, Gives.EVERY, OfferTerms(Kind.PERCENT_OFF, percent=20, valid_days=15)),
        TierTerms(
            2,
            Gives.ONCE,
            OfferTerms(Kind.CASH, amount_minor=1_500),
            choices=[OfferTerms(Kind.GIFT_CARD, amount_minor=1_700), OfferTerms(Kind.FIXED_OFF, amount_minor=1_600)],
        ),
    ],
    hold_days=5,
    claim_days=20,
    second=OfferTerms(Kind.CASH, amount_minor=300),
    ceiling_minor=25_000,
    places=9,
)
SECOND = ProgramTerms(
    "Second",
    OfferTerms(Kind.GIFT_CARD, amount_minor=400, valid_days=12),
    [
        TierTerms(1, Gives.EACH, OfferTerms(Kind.COMMISSION, percent=10, months=None)),
        TierTerms(2, Gives.EVERY, OfferTerms(Kind.CUSTOM, amount_minor=900, words="A tasting")),
        TierTerms(2, Gives.ONCE, OfferTerms(Kind.DONATION, amount_minor=800, words="The shelter")),
        TierTerms(3, Gives.ONCE, OfferTerms(Kind.FREE_PRODUCT, amount_minor=600, sku="MUG-1")),
    ],
    hold_days=3,
    claim_days=20,
    friend_tiers=[TierTerms(2, Gives.EVERY, OfferTerms(Kind.FIXED_OFF, amount_minor=250, valid_days=15))],
    ceiling_minor=60_000,
)


@dataclass
class World:
    """Two stores as every run finds them."""

    stores: list[Store]
    links: dict[int, list[ShareLink]] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def world(make_store) -> World:
    found = World([])
    for slug, currency, terms in (("pesos", "PHP", FIRST), ("dollars", "USD", SECOND)):
        store = make_store(slug, currency=currency)
        people = [Person(name, f"{name}@example.com") for name in ("ann", "ben")]
        orders = [make_order_of(store, person, at=START - DAY) for person in people]
        programs.change_program(programs.program_of(store), terms, by=None, at=START - 100 * DAY)
        Journey.objects.for_store(store).update(is_on=False)  # letters move no money
        found.links[store.pk] = [share_link_of(order.customer, at=START) for order in orders]
        found.stores.append(store)
    return found


class Machine(RuleBasedStateMachine):
    """Each rule is something that people do; what is not possible just now does nothing."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.at, self.friends, self.told = START, 0, 0
        self.store = self.world.stores[0]

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def rows(self, model, *where: Q, **which):
        return model.objects.for_store(self.store).filter(*where, **which).order_by("pk")

    def pick(self, rows, place: int) -> Any:
        pks = list(rows.values_list("pk", flat=True))
        return rows.get(pk=pks[place % len(pks)]) if pks else None

    def do(self, name: str, number: int, what: Callable[[], object]) -> None:
        """One step in one of the stores, in a transaction of its own."""
        self.world.steps[name] += 1
        self.store = self.world.stores[number % 2]
        self.at += timedelta(minutes=7)
        with acting_for(self.store), transaction.atomic():
            what()

    @rule(what=st.sampled_from(OFTEN), number=PLACES, other=PLACES, flag=st.booleans())
    def somebody_does(self, what, number, other, flag):
        """One rule for all of it: Hypothesis switches rules off in most runs, and then hardly anything happens."""
        getattr(self, what)(number, other, flag)

    # -- What people do --

    def take_the_gift(self, number, other, flag):
        def step():
            self.friends += 1
            link = self.world.links[self.store.pk][number // 2 % 2]
            with suppress(claims.NotForThem):
                claims.claim(link, Person("Friend", f"friend{self.friends}@example.com"), at=self.at)

        self.do("claim", number, step)

    def buy(self, number, other, flag):
        def step():
            by_code, total = other % 2 == 0, DEARS[other % 4]
            claim = None if by_code else self.pick(self.rows(Claim).select_related("friend"), number)
            person = self.buyer(claim, number, known=flag)
            code = self.world.links[self.store.pk][number // 2 % 2].code if by_code else ""
            self.tell(f"o{self.told}", total, person, code=code)
            attribution.attribute_orders(self.store, self.at, since=EVER)

        self.do("buy", number, step)

    def buyer(self, claim: Claim | None, number: int, *, known: bool) -> Person:
        customer = claim.friend if claim else self.pick(self.rows(Customer, erased_at=None), number) if known else None
        if customer and customer.email:
            return Person(customer.name, customer.email)
        self.friends += 1
        return Person("Guest", f"guest{self.friends}@example.com")

    def tell(self, name: str, total: int, person: Person | None, **facts) -> None:
        self.told += 1
        facts.setdefault("placed_at", self.at)
        data = OrderData(
            source="shop", external_id=name, currency=self.store.currency, total_minor=total, person=person, **facts
        )
        record_order(self.store, data, at=self.at)

    def send_back(self, number, other, flag):
        def step():
            order = self.pick(self.rows(Order), number)
            part = order.total_minor * SHARES[other % 5] // 100
            self.retell(order, refunded_minor=max(part, order.refunded_minor))

        self.do("refund", number, step)

    def call_off(self, number, other, flag):
        self.do("cancel", number, lambda: self.retell(self.pick(self.rows(Order), number), cancelled_at=self.at))

    def retell(self, order: Order, **facts) -> None:
        facts = {"placed_at": order.placed_at, "refunded_minor": order.refunded_minor, **facts}
        data = OrderData(
            source=order.source,
            external_id=order.external_id,
            currency=order.currency,
            total_minor=order.total_minor,
            **facts,
        )
        record_order(self.store, data, at=self.at)
        if self.told % 2:
            refunds.answer_refunds(self.store, self.at)

    def approve(self, number, other, flag):
        def step():
            waiting = self.rows(Referral, status__in=["pending", "flagged"]).select_related(*deciding.JOINED)
            found = self.pick(waiting, number)
            if found:
                deciding.approve_referral(found, at=self.at, by_hand=True)

        self.do("approve", number, step)

    def decide_against(self, number, other, flag):
        def step():
            live = self.rows(Referral).exclude(status="voided").select_related(*deciding.JOINED)
            found = self.pick(live, number)
            if found:
                deciding.void_referral(found, reason=Referral.Reason.STAFF, at=self.at)

        self.do("void", number, step)

    def let_time_pass(self, number, other, flag):
        def step():
            self.at += (2, 6, 25)[other % 3] * DAY
            attribution.attribute_orders(self.store, self.at, since=EVER)
            refunds.answer_refunds(self.store, self.at, since=EVER)
            deciding.approve_due(self.store, self.at)
            later.reward_later(self.store, self.at, since=EVER)
            granting.choose_due(self.store, self.at)
            promising.release_unused(self.store, self.at)
            vouchers.expire_due(self.store, self.at)

        self.do("time", number, step)

    def use_a_code(self, number, other, flag):
        def step():
            codes = self.rows(Voucher, status="issued").select_related("offer", "customer", "store")
            voucher = self.pick(codes, number)
            if voucher:
                with suppress(vouchers.NotRedeemable):
                    vouchers.redeem(
                        voucher,
                        vouchers.Bill(BILLS[other % 4], self.store.currency, bearer_id=voucher.customer_id),
                        at=self.at,
                    )

        self.do("redeem", number, step)

    def undo_a_use(self, number, other, flag):
        def step():
            uses = self.rows(Redemption, reversed_at=None).select_related(
                "voucher__store", "order", "transaction", "store"
            )
            use = self.pick(uses, number)
            if use:
                redeeming.reverse(use, at=self.at)

        self.do("reverse", number, step)

    def choose(self, number, other, flag):
        def step():
            waiting = self.rows(Reward, status="choosing")
            reward = self.pick(waiting.select_related("offer", "tier", "terms__budget", "customer", "store"), number)
            if reward:
                offers = granting.options_of(reward)
                granting.choose(reward, offers[number % len(offers)], at=self.at)

        self.do("choose", number, step)

    def hand_over(self, number, other, flag):
        def step():
            task = self.pick(self.rows(Fulfilment).select_related("store", "reward"), number)
            if task:
                with suppress(fulfilling.Gone):
                    if not fulfilling.done(task, by=None, at=self.at):
                        fulfilling.undo(task, by=None, at=self.at)

        self.do("hand over", number, step)

    def pay_out(self, number, other, flag):
        def step():
            for purse in payouts.purses(self.store).select_related("customer"):
                if not purse.customer.merged_into_id and not purse.customer.erased_at:
                    addresses.save_address(purse.customer, *ADDRESS, at=self.at)
            payouts.make_list(self.store, self.store.currency, by=None, at=self.at)
            listed = self.rows(Payout, status="listed")
            payouts.mark_paid(self.store, listed.values_list("pk", flat=True), by=None, at=self.at)
            paid = self.pick(self.rows(Payout, status="paid"), number)
            if flag and paid:
                payouts.mark_failed(self.store, paid, by=None, at=self.at)

        self.do("pay out", number, step)

    def find_two_to_be_one(self, number, other, flag):
        def step():
            people = self.rows(Customer, merged_into=None, erased_at=None).select_related("store")
            with suppress(merging.CannotMerge), transaction.atomic():
                merging.merge(self.pick(people, number), self.pick(people, other), by=None, at=self.at)

        self.do("merge", number, step)

    def find_one_to_be_two(self, number, other, flag):
        def step():
            made = self.pick(self.rows(CustomerMerge, split_at=None), number)
            if made:
                with suppress(merging.CannotMerge), transaction.atomic():
                    merging.split(made, by=None, at=self.at)

        self.do("split", number, step)

    def forget_somebody(self, number, other, flag):
        def step():
            one = self.pick(self.rows(Customer, merged_into=None, erased_at=None).select_related("store"), number)
            if one and number % 3 == 0:
                with suppress(erasing.CannotErase), transaction.atomic():
                    erasing.erase(one, by=None, at=self.at)

        self.do("erase", number, step)

    # -- What must hold --

    @invariant()
    def the_books_are_right(self) -> None:
        with acting_for(self.store), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(WRONG)
            assert [name for (name,) in cursor.fetchall()] == []


# What may be wrong, each with a condition that finds it; the wall shows the store's own rows only.
RULES = {
    "a transaction does not sum to zero": """
        SELECT 1 FROM rewards_entry GROUP BY transaction_id
        HAVING sum(amount_minor) <> 0 OR count(DISTINCT currency) > 1""",
    "a balance is not the sum of its entries": """
        SELECT 1 FROM rewards_account a WHERE kind IN ('credit', 'gift', 'payable', 'owed')
        AND balance_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM rewards_entry WHERE account_id = a.id)""",
    "a balance is below zero": """
        SELECT 1 FROM rewards_account WHERE CASE kind WHEN 'owed' THEN balance_minor > 0 ELSE balance_minor < 0 END""",
    "what is promised is not what is reserved": """
        SELECT 1 FROM (
            SELECT a.budget_id, a.currency, e.amount_minor FROM rewards_entry e
            JOIN rewards_account a ON a.id = e.account_id AND a.kind = 'promised'
            UNION ALL SELECT budget_id, currency, -promised_minor FROM rewards_commitment WHERE status = 'held'
        ) both_sides GROUP BY budget_id, currency HAVING sum(amount_minor) <> 0""",
    "a budget is not what is taken of it": """
        SELECT 1 FROM rewards_budget b LEFT JOIN (
            SELECT budget_id, sum(amount_minor) AS taken, sum(places) AS places FROM rewards_commitment
            WHERE status <> 'released' GROUP BY budget_id
        ) c ON c.budget_id = b.id
        WHERE committed_minor <> coalesce(taken, 0) OR places_taken <> coalesce(c.places, 0)
        OR committed_minor > ceiling_minor OR places_taken > b.places""",
    "room is kept for a code that has ended": """
        SELECT 1 FROM rewards_commitment c WHERE status = 'held' AND key LIKE 'voucher:%' AND NOT EXISTS (
            SELECT 1 FROM rewards_voucher v WHERE v.status = 'issued' AND 'voucher:' || v.key = c.key)""",
    "room is kept for a reward that has ended": """
        SELECT 1 FROM rewards_commitment c WHERE status = 'held' AND key LIKE 'reward:%' AND NOT EXISTS (
            SELECT 1 FROM rewards_reward r LEFT JOIN rewards_fulfilment f ON f.reward_id = r.id
            WHERE r.id = split_part(c.key, ':', 2)::bigint AND (r.status = 'choosing' OR f.status = 'open'))""",
    "room is kept for a referral that was decided": """
        SELECT 1 FROM referrals_referral r JOIN rewards_commitment c ON c.id = r.promise_id
        WHERE r.status IN ('approved', 'voided') AND c.status = 'held'""",
    "something was taken back without a reason": """
        SELECT 1 FROM referrals_referral WHERE status = 'voided' AND reason = ''
        UNION ALL SELECT 1 FROM rewards_reward WHERE status = 'voided' AND reason = ''""",
    "a referral is not where its history says": """
        SELECT 1 FROM referrals_referral r WHERE status <> (
            SELECT e.status FROM referrals_referralevent e WHERE e.referral_id = r.id ORDER BY e.id DESC LIMIT 1)""",
    "a reward stands for a friend who does not count": """
        SELECT 1 FROM referrals_referral r JOIN rewards_reward w ON w.store_id = r.store_id AND w.status <> 'voided'
        AND w.key IN (
            'referral:' || r.id || ':advocate', 'referral:' || r.id || ':second', 'referral:' || r.id || ':friend')
        WHERE r.status = 'voided'""",
    "a code of a reward that was taken back can be used": """
        SELECT 1 FROM rewards_voucher v JOIN rewards_reward r ON r.id = v.reward_id
        WHERE v.status = 'issued' AND r.status = 'voided'""",
    "a reward was earned twice for one friend": """
        SELECT 1 FROM rewards_reward WHERE status <> 'voided' AND tier_id IS NOT NULL
        GROUP BY split_part(key, ':', 2), split_part(key, ':', 4), side, tier_id HAVING count(*) > 1""",
    "a reward did not cost what it came to": """
        SELECT 1 FROM rewards_reward r JOIN rewards_offer o ON o.id = r.offer_id
        LEFT JOIN rewards_voucher v ON v.reward_id = r.id LEFT JOIN rewards_fulfilment f ON f.reward_id = r.id
        WHERE o.kind IN ('store_credit', 'gift_card', 'cash', 'commission', 'donation')
        AND r.status <> 'choosing' AND coalesce(v.status, '') <> 'expired'
        AND (SELECT coalesce(-sum(e.amount_minor), 0) FROM rewards_entry e
             JOIN rewards_account a ON a.id = e.account_id AND a.kind = 'cost'
             JOIN rewards_ledgertransaction t ON t.id = e.transaction_id
             WHERE split_part(t.key, ':', 1) IN ('grant', 'reduce', 'clawback')
             AND split_part(t.key, ':', 2) = r.id::text)
        <> CASE WHEN r.status = 'granted' OR f.status = 'done' THEN r.amount_minor - r.reduced_minor ELSE 0 END""",
}
WRONG = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS ({found})" for name, found in RULES.items())


def run(world: World, *, examples: int, steps: int = STEPS) -> None:
    """Play so many runs, always the same."""
    machine = type("Machine", (Machine,), {"world": world, "TestCase": None})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_people_do_the_books_are_right(world):
    run(world, examples=EXAMPLES)
    assert sum(world.steps.values()) >= 10_000
    assert min(world.steps.values()) > 100, world.steps


def _claw_back_twice(monkeypatch):
    real = reducing.claw_back

    def twice(reward, amount_minor, purse, *, key, at):
        real(reward, amount_minor, purse, key=key, at=at)
        real(reward, amount_minor, purse, key=f"{key}:again", at=at)

    monkeypatch.setattr(reducing, "claw_back", twice)


def _keep_what_expired(monkeypatch):
    monkeypatch.setattr(vouchers.budgets, "commitments_of", lambda store, keys: {})


def _forget_the_promise(monkeypatch):
    monkeypatch.setattr(budgets, "settle", lambda commitment, actual_minor, *, at: {})


def _take_nothing_back(monkeypatch):
    monkeypatch.setattr(granting, "take_back", lambda reward, *, reason, at: False)


@pytest.mark.parametrize("broken", [_claw_back_twice, _keep_what_expired, _forget_the_promise, _take_nothing_back])
def test_a_rule_broken_on_purpose_is_found(world, monkeypatch, broken):
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        run(world, examples=40)
