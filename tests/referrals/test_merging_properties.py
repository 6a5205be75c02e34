"""Any history of two people, merged, lived on, split again: the books add up, nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from itertools import count as numbers

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, CustomerMerge, Order
from customers.services import Person
from referrals.models import Referral
from referrals.services import carrying, deciding, merging, programs, redeeming
from referrals.services.links import share_link_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms, make_offer
from rewards.models import Account, Entry, Offer, Reward, Tier, Voucher
from rewards.services import granting, ledger
from rewards.services.vouchers import Bill, NotRedeemable
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, count, refer

TERMS = ProgramTerms(
    "Any",
    OfferTerms(Offer.Kind.PERCENT_OFF, percent=10),
    [
        TierTerms(1, Tier.Gives.EACH, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00)),
        TierTerms(2, Tier.Gives.ONCE, OfferTerms(Offer.Kind.CASH, amount_minor=70_00)),
    ],
)
STEPS = ("order", "refer", "refer_each_other", "same_friend", "credit", "euro", "cash", "spend", "take_back", "void")
histories = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), max_size=7)


class World:
    """Two people, and what may happen to them."""

    def __init__(self, store) -> None:
        self.store, self.serial = store, numbers()
        self.people = [
            make_order_of(store, Person(f"P{n}", f"p{n}-{id(self)}@example.com"), at=NOW).customer for n in (0, 1)
        ]

    def who(self, which: int) -> Customer:
        return Customer.objects.select_related("store", "merged_into__store").get(pk=self.people[which].pk).today

    def play(self, step: str, which: int) -> None:
        getattr(self, step)(self.who(which))

    def order(self, one: Customer) -> None:
        make_order_of(self.store, Person("P", one.email), at=NOW)

    def refer(self, one: Customer, name: str = "") -> None:
        referral = refer(share_link_of(one, at=NOW), name or f"F{next(self.serial)} {id(self)}", at=NOW)
        if referral.status == Referral.Status.PENDING:
            count(referral, at=NOW)

    def refer_each_other(self, one: Customer) -> None:
        other = next(person for person in self.people if person.pk != one.pk)
        from referrals.services.attribution import attribute_order

        order = make_order_of(self.store, Person("P", other.email), at=NOW, code=share_link_of(one, at=NOW).code)
        attribute_order(order, at=NOW)

    def same_friend(self, one: Customer) -> None:
        self.refer(one, f"Common {id(self)}")

    def earn(self, one: Customer, kind: Offer.Kind, currency: str = "PHP") -> None:
        offer = make_offer(self.store, OfferTerms(kind, amount_minor=50_00))
        if currency != "PHP":
            offer = Offer.objects.create(store=self.store, kind=kind, amount_minor=50_00, currency=currency)
        granting.grant(one, offer, side=Reward.Side.CUSTOMER, key=f"any:{next(self.serial)}:{id(self)}", at=NOW)

    def credit(self, one: Customer) -> None:
        self.earn(one, Offer.Kind.STORE_CREDIT)

    def euro(self, one: Customer) -> None:
        self.earn(one, Offer.Kind.STORE_CREDIT, "EUR")

    def cash(self, one: Customer) -> None:
        self.earn(one, Offer.Kind.CASH)

    def spend(self, one: Customer) -> None:
        code = Voucher.objects.for_store(self.store).filter(customer=one, kind="credit", currency="PHP").first()
        if code:
            try:
                redeeming.redeem(self.store, code.code, Bill(30_00, "PHP"), at=NOW)
            except NotRedeemable:
                assert ledger.credit_balance(self.store, one, "PHP") == 0

    def take_back(self, one: Customer) -> None:
        mine = Reward.objects.for_store(self.store).filter(customer=one, side="customer", status="granted")
        reward = mine.select_related("offer", "store", "customer", "terms__budget").first()
        if reward:
            granting.take_back(reward, reason="any", at=NOW)

    def void(self, one: Customer) -> None:
        mine = Referral.objects.for_store(self.store).filter(advocate=one).exclude(status="voided")
        referral = mine.select_related(*deciding.JOINED).first()
        if referral:
            deciding.void_referral(referral, reason=Referral.Reason.STAFF, at=NOW)

    def money(self) -> Counter[tuple[str, str]]:
        """What both hold and owe together."""
        held: Counter[tuple[str, str]] = Counter()
        for one in Account.objects.for_store(self.store).filter(customer__in=self.people):
            held[one.kind, one.currency] += one.balance_minor
        return +held if all(value >= 0 for value in held.values()) else held

    def rows(self) -> Counter[str]:
        """How many rows of each table either has."""
        links = (*carrying.LINKS, *carrying.RULED)
        return Counter(
            {link.label: link.rows(self.store).filter(**{f"{link.column}__in": self.people}).count() for link in links}
        )

    def owners(self) -> set[tuple[str, int, int]]:
        links = (*carrying.LINKS, *carrying.RULED)
        return {
            (link.label, pk, whose)
            for link in links
            for pk, whose in link.rows(self.store)
            .filter(**{f"{link.column}__in": self.people})
            .values_list("pk", link.column)
            if link.label != "customers.customer.merged_into"
        }

    def check(self) -> None:
        assert ledger.total(self.store) == 0
        assert ledger.drift(self.store) == {}
        for currency in ("PHP", "EUR"):
            entries = Entry.objects.for_store(self.store).filter(currency=currency)
            assert sum(entries.values_list("amount_minor", flat=True)) == 0
        alive = Referral.objects.for_store(self.store).exclude(status="voided")
        assert max(Counter(alive.values_list("friend", flat=True)).values(), default=1) == 1


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(before=histories, between=histories, after=histories)
def test_any_history(store, before, between, after):
    with transaction.atomic():
        programs.change_program(programs.program_of(store), TERMS, by=None, at=NOW)
        world = World(store)
        for step in before:
            world.play(*step)
        money, rows, owners = world.money(), world.rows(), world.owners()
        voided = Referral.objects.for_store(store).filter(status="voided").count()
        made = merging.merge(world.who(0), world.who(1), by=None, at=NOW + DAY)
        world.check()
        voids = Referral.objects.for_store(store).filter(status="voided").count() - voided
        if not voids:  # a referral that the merge voids takes back what it brought, as everywhere
            assert world.money() == money
        merged = world.rows()
        merged["customers.customer.merged_into"] = 0
        assert +merged == +rows
        for step in between:
            if step[0] != "refer_each_other":
                world.play(*step)
        world.check()
        money, rows = world.money(), world.rows()
        assert merging.split(made, by=None, at=NOW + 2 * DAY)
        world.check()
        assert world.money() == money
        rows["customers.customer.merged_into"] = 0
        assert +world.rows() == +rows
        assert owners <= world.owners() or between or voids
        for step in after:
            world.play(*step)
        world.check()
        assert not CustomerMerge.objects.for_store(store).filter(split_at=None).exists()
        assert Order.objects.for_store(store).exists()
        transaction.set_rollback(True)
