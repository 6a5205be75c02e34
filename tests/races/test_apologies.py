"""Twelve apologies at once never slip over the monthly cap; the control without the lock does."""

from __future__ import annotations

import time
from threading import Barrier

from customers.services import Person
from rewards.models import Offer, Reward
from rewards.services import apologies, granting, ledger
from stores.models import Store
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of

AT_ONCE, EACH, CAP = 12, 300_00, 1_000_00


def bea_of(store, in_store):
    in_store(lambda: Store.objects.filter(pk=store.pk).update(apology_cap_minor=CAP))
    return in_store(lambda: make_order_of(store, Person("Bea", "bea@example.com"), at=NOW).customer)


def given(store, in_store):
    return in_store(
        lambda: sum(
            Reward.objects.for_store(store)
            .filter(key__startswith="apology:", status="granted")
            .values_list("offer__amount_minor", flat=True)
        )
    )


def test_the_cap_holds(committed_store, in_store, at_once):
    bea = bea_of(committed_store, in_store)

    def give(number):
        with acting_for(committed_store):
            person = type(bea).objects.select_related("store").get(pk=bea.pk)
            kind = Offer.Kind.STORE_CREDIT if number % 2 else Offer.Kind.FIXED_OFF
            return apologies.give(person, kind=kind, amount_minor=EACH, key=f"{number}:0", at=NOW, by=None)

    answers = at_once(AT_ONCE, give)
    refused = [one for one in answers if isinstance(one, apologies.OverCap)]
    assert len(refused) == AT_ONCE - 3, answers
    assert {one.left_minor for one in refused} == {100_00}
    assert given(committed_store, in_store) == 900_00
    assert in_store(lambda: ledger.total(committed_store)) == 0
    assert in_store(lambda: ledger.drift(committed_store)) == {}


def test_a_double_tap_gives_one(committed_store, in_store, at_once):
    bea = bea_of(committed_store, in_store)

    def give(_):
        with acting_for(committed_store):
            person = type(bea).objects.select_related("store").get(pk=bea.pk)
            facts = {"kind": Offer.Kind.FIXED_OFF, "amount_minor": EACH, "key": "7:0"}
            return apologies.give(person, **facts, at=NOW, by=None)

    answers = at_once(AT_ONCE, give)
    assert len({one.pk for one in answers}) == 1
    assert given(committed_store, in_store) == EACH


def test_control_without_the_lock_the_cap_breaks(committed_store, in_store, at_once):
    """Look, then give: what `apologies.give` would be without the person's row locked."""
    bea, looked = bea_of(committed_store, in_store), Barrier(AT_ONCE)

    def give(number):
        with acting_for(committed_store):
            person = type(bea).objects.select_related("store").get(pk=bea.pk)
            left = apologies.left_this_month(person.store, person, at=NOW)
            looked.wait(timeout=30)
            time.sleep(0.05)
            if left < EACH:
                raise apologies.OverCap(left)
            offer = Offer.objects.create(
                store=person.store, kind=Offer.Kind.FIXED_OFF, amount_minor=EACH, currency="PHP"
            )
            return granting.grant(person, offer, side=Reward.Side.CUSTOMER, key=f"apology:{number}:0", at=NOW)

    at_once(AT_ONCE, give)
    assert given(committed_store, in_store) > CAP
