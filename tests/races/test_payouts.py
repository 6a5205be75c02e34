"""Cash is listed once and paid once, whoever presses at the same moment; and the controls."""

from __future__ import annotations

from threading import Barrier

from customers.services import Person
from rewards.addresses import Method
from rewards.models import Account, Fulfilment, Payout, PayoutList, Reward
from rewards.services import fulfilling, granting, ledger, payouts
from rewards.services.addresses import Details, save_address
from stores.tenancy import StoreQuerySet, acting_for
from tests.conftest import NOW, make_order_of
from tests.rewards.books_world import Kind, balances, earn

AT_ONCE, PEOPLE = 8, 6


def people_with_cash(store):
    made = []
    for number in range(PEOPLE):
        person = make_order_of(store, Person(f"Friend {number}", f"f{number}@example.com"), at=NOW).customer
        earn(person, Kind.CASH)
        save_address(person, Method.GCASH, Details("+639171234567", person.name), at=NOW)
        made.append(person)
    return made


def make(store):
    with acting_for(store):
        return payouts.make_list(store, "PHP", by=None, at=NOW)


def pay(store, ids):
    with acting_for(store):
        return payouts.mark_paid(store, ids, by=None, at=NOW)


def test_owners_who_list_at_once_list_everybody_once(committed_store, in_store, at_once):
    in_store(lambda: people_with_cash(committed_store))
    answers = at_once(AT_ONCE, lambda _number: make(committed_store))
    assert not [one for one in answers if isinstance(one, Exception)], answers
    listed = in_store(lambda: list(Payout.objects.for_store(committed_store).values_list("customer", flat=True)))
    assert len(listed) == len(set(listed)) == PEOPLE
    empty = in_store(lambda: PayoutList.objects.for_store(committed_store).filter(payouts=None).count())
    assert empty == 0


def test_control_the_index_stands_where_the_lock_is_missing(committed_store, in_store, at_once, monkeypatch):
    """Without SKIP LOCKED, and with everybody having looked before anybody lists, the index keeps the twins out."""
    in_store(lambda: people_with_cash(committed_store))
    looked, due = Barrier(AT_ONCE), payouts.due

    def slow(*args, **kwargs):
        found = due(*args, **kwargs)
        looked.wait(timeout=30)
        return found

    def careless(rows):
        Payout.objects.bulk_create(rows)
        return rows

    monkeypatch.setattr(payouts, "due", slow)
    monkeypatch.setattr(StoreQuerySet, "select_for_update", lambda rows, **_how: rows)
    monkeypatch.setattr(payouts, "insert_rows", careless)
    refused = [one for one in at_once(AT_ONCE, lambda _number: make(committed_store)) if isinstance(one, Exception)]
    assert len(refused) == AT_ONCE - 1
    assert all("payout_listed_once" in str(one) for one in refused)
    assert in_store(lambda: Payout.objects.for_store(committed_store).count()) == PEOPLE


def test_paid_by_several_at_once_moves_once(committed_store, in_store, at_once):
    in_store(lambda: people_with_cash(committed_store))
    make(committed_store)
    ids = in_store(lambda: list(Payout.objects.for_store(committed_store).values_list("pk", flat=True)))
    answers = at_once(AT_ONCE, lambda number: pay(committed_store, ids if number % 2 else ids[::-1]))
    assert sorted(answers) == [0] * (AT_ONCE - 1) + [PEOPLE], answers
    assert in_store(lambda: balances(committed_store)) == {"cost": -500 * PEOPLE, "paid": 500 * PEOPLE}
    assert in_store(lambda: ledger.drift(committed_store)) == {}


def test_control_look_then_pay_pays_twice_but_for_the_key(committed_store, in_store, at_once):
    """Without the guarded step both would post: only the business key of the ledger stops the second."""
    in_store(lambda: people_with_cash(committed_store)[:1])
    make(committed_store)
    looked = Barrier(AT_ONCE)

    def careless(number):
        with acting_for(committed_store):
            payout = Payout.objects.for_store(committed_store).order_by("pk").first()
            assert payout.status == Payout.Status.LISTED
            looked.wait(timeout=30)
            purse = ledger.account(committed_store, Account.Kind.PAYABLE, "PHP", payout.customer)
            paid = ledger.account(committed_store, Account.Kind.PAID, "PHP")
            key = f"payout:{payout.pk}:{number}"  # as if each were a fact of its own
            ledger.post(committed_store, key=key, kind="payout", amounts={purse: -500, paid: 500}, at=NOW)

    answers = at_once(AT_ONCE, careless)
    refused = [one for one in answers if isinstance(one, Exception)]
    assert len(refused) == AT_ONCE - 1
    assert all("account_not_overdrawn" in str(one) for one in refused)


def test_handed_over_and_taken_back_at_once(committed_store, in_store, at_once):
    def prepared():
        person = make_order_of(committed_store, Person("Bea", "bea@example.com"), at=NOW).customer
        return earn(person, Kind.CUSTOM)

    reward = in_store(prepared)

    def act(number):
        with acting_for(committed_store):
            if number % 2:
                fresh = Reward.objects.select_related("offer", "store", "customer").get(
                    pk=reward.pk, store=committed_store
                )
                return granting.take_back(fresh, reason="staff", at=NOW)
            task = Fulfilment.objects.select_related("store", "reward").get(reward=reward.pk, store=committed_store)
            return fulfilling.done(task, by=None, at=NOW)

    answers = at_once(AT_ONCE, act)
    done = [one for number, one in enumerate(answers) if number % 2 == 0 and one is True]
    taken = [one for number, one in enumerate(answers) if number % 2 and one is True]
    assert len(taken) == 1, answers
    assert len(done) <= 1
    owed = {"delivered": 500, "owed": -500} if done else {}
    assert in_store(lambda: balances(committed_store)) == owed
