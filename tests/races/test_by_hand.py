"""Two people who decide the same thing by hand at once: one after the other, or one of them is told. With controls."""

from __future__ import annotations

import secrets
from threading import Barrier

import pytest
from django.db.models import QuerySet

from customers.services import Person
from referrals.models import Appeal, Referral
from referrals.services import appeals, attribution, links
from referrals.services.appeals import Decided, Missing
from referrals.services.attribution import CannotCredit, credit_by_hand
from rewards.models import Budget
from rewards.services import recounting
from stores.models import AuditEvent, User
from stores.tenancy import acting_for
from tests.conftest import NOW, make_order_of


@pytest.fixture
def boss(committed) -> User:
    return User.objects.create_user(f"{secrets.token_hex(4)}@example.com")


@pytest.fixture
def link_of(committed_store, in_store):
    """The share link of an advocate of that name."""

    def make(name):
        person = Person(name, f"{name.lower()}@example.com")
        return links.share_link_of(make_order_of(committed_store, person, at=NOW).customer, at=NOW)

    return lambda name: in_store(lambda: make(name))


@pytest.fixture
def order_of(committed_store, in_store):
    """An order of a friend."""
    return lambda name: in_store(
        lambda: make_order_of(committed_store, Person(name, f"{name.lower()}@example.com"), at=NOW)
    )


@pytest.fixture
def credit(committed_store, boss):
    """Credit an order to a link's advocate in a transaction of its own."""

    def run(order, link):
        with acting_for(committed_store):
            return credit_by_hand(order, link, by=boss, reason="they said so", at=NOW)

    return run


@pytest.fixture
def standing(committed_store, in_store):
    """The referrals in force; there must be one an order, and a place taken for each that waits."""

    def look():
        assert recounting.problems(committed_store) == []
        found = list(Referral.objects.for_store(committed_store).in_force().exclude(status="voided"))
        assert len({one.order_id for one in found}) == len(found)
        assert Budget.objects.get(store=committed_store).places_taken == len(found)
        return found

    return lambda: in_store(look)


def refusals(answers):
    return [one.reason if isinstance(one, CannotCredit) else one for one in answers if isinstance(one, Exception)]


def test_one_order_credited_by_many_at_once_counts_for_the_last_one(at_once, order_of, link_of, credit, standing):
    order, people = order_of("Bea"), [link_of(name) for name in ("Sara", "Omid", "Eli", "Ann")]
    answers = at_once(4, lambda number: credit(order, people[number]))
    assert refusals(answers) == []
    (one,) = standing()
    assert one.pk == max(answer.pk for answer in answers)


def test_the_same_credit_sent_twice_at_once_is_one(at_once, order_of, link_of, credit, standing):
    order, sara = order_of("Bea"), link_of("Sara")
    assert refusals(at_once(6, lambda _: credit(order, sara))) == []
    assert [one.advocate_id for one in standing()] == [sara.customer_id]


def test_two_orders_of_one_friend_at_once_count_once(at_once, order_of, link_of, credit, standing):
    orders, sara = [order_of("Bea"), order_of("Bea")], link_of("Sara")
    assert refusals(at_once(2, lambda number: credit(orders[number], sara))) == ["known_customer"]
    assert len(standing()) == 1


def test_control_without_the_orders_lock_one_is_refused_for_no_reason(
    at_once, order_of, link_of, credit, standing, monkeypatch
):
    order, people = order_of("Bea"), [link_of("Sara"), link_of("Omid")]
    gate, aside = Barrier(2), attribution._set_aside

    def together(*args):
        aside(*args)
        gate.wait(timeout=30)

    monkeypatch.setattr(attribution, "_set_aside", together)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    answers = at_once(2, lambda number: credit(order, people[number]))
    assert refusals(answers) == ["known_customer"]  # the database stopped it, with a reason that is not true
    assert len(standing()) == 1


# -- Appeals --


@pytest.fixture
def appeal(committed_store, in_store, link_of):
    """Sara says that a friend is missing."""
    sara = link_of("Sara").customer

    return in_store(lambda: appeals.say_missing(sara, Missing(friend_name="Bea"), at=NOW))


@pytest.fixture
def decide(committed_store, boss):
    """Accept the appeal for an order, or decline it (None), in a transaction of its own."""

    def run(appeal, order):
        with acting_for(committed_store):
            fresh = Appeal.objects.for_store(committed_store).select_related("customer__store", "store").get()
            if order:
                return appeals.accept(fresh, order, "Found", by=boss, at=NOW)
            return appeals.decline(fresh, "Nobody of that name", by=boss, at=NOW)

    return run


def outcome(committed_store, appeal):
    fresh = Appeal.objects.for_store(committed_store).get(pk=appeal.pk)
    events = AuditEvent.objects.for_store(committed_store).filter(action="appeal.decided", subject=appeal.public_id)
    return fresh.status, events.count()


def test_two_managers_decide_an_appeal_once(committed_store, in_store, at_once, appeal, order_of, decide, standing):
    order = order_of("Bea")
    answers = at_once(2, lambda number: decide(appeal, [order, None][number]))
    assert [type(one) for one in answers if isinstance(one, Exception)] == [Decided]
    status, events = in_store(lambda: outcome(committed_store, appeal))
    assert events == 1
    assert len(standing()) == (status == Appeal.Status.ACCEPTED)


def test_six_managers_accept_it_for_different_orders_and_one_is_credited(
    committed_store, in_store, at_once, appeal, order_of, decide, standing
):
    orders = [order_of(f"Bea{number}") for number in range(6)]
    answers = at_once(6, lambda number: decide(appeal, orders[number]))
    assert sum(isinstance(one, Decided) for one in answers) == 5
    assert len(standing()) == 1
    assert in_store(lambda: outcome(committed_store, appeal)) == (Appeal.Status.ACCEPTED, 1)


def test_control_without_the_guarded_step_both_decide(
    committed_store, in_store, at_once, appeal, order_of, decide, standing, monkeypatch
):
    gate, orders = Barrier(2), [order_of("Bea"), order_of("Eli")]

    def careless(appeal, to, answer, *, by, at):
        gate.wait(timeout=30)
        Appeal.objects.filter(pk=appeal.pk, store_id=appeal.store_id).update(status=to, decided_at=at)

    monkeypatch.setattr(appeals, "_close", careless)
    answers = at_once(2, lambda number: decide(appeal, orders[number]))
    assert refusals(answers) == []
    assert len(standing()) == 2
