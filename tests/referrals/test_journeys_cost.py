"""What sweeps cost, and that they may run as often as they like: nothing grows with the people, nothing comes twice."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Order
from customers.services import Person, record_event
from outreach.kinds import Kind, Trigger
from outreach.models import Message
from outreach.services import cancel_all_about
from referrals.models import Claim, Referral, ReferralEvent, ShareLink
from referrals.services import journeying, stopping
from referrals.services.links import share_links_of
from referrals.services.programs import program_of
from rewards.models import Reward, Voucher
from rewards.services import granting, telling
from stores.ticks import for_each_store
from surveys.models import RecoveryCase, Response
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, HOUR, MINUTE, ladder, own, refer, sweep, switch, take_gift

pytestmark = pytest.mark.django_db

OURS = [
    Kind.SHARE_REMINDER,
    Kind.REASK,
    Kind.FRIEND_CLAIMED,
    Kind.FRIEND_BOUGHT,
    Kind.FRIEND_APPROVED,
    Kind.REWARD_EXPIRING,
    Kind.REWARD_VOIDED,
    Kind.TIER_REACHED,
    Kind.TIER_NEAR,
    Kind.GIFT_EXPIRING,
    Kind.BROUGHT_HERE,
    Kind.BIRTHDAY,
    Kind.WELCOME_BACK,
    Kind.CONGRATULATIONS,
]
OWN_TRIGGERS = [
    Trigger.ORDER,
    Trigger.DELIVERED,
    Trigger.FIRST_ORDER,
    Trigger.NTH_ORDER,
    Trigger.EVENT,
    Trigger.SCORE,
    Trigger.SOLVED,
    Trigger.BIRTHDAY,
    Trigger.ANNIVERSARY,
    Trigger.AWAY,
]


@pytest.fixture
def everything_on(store):
    """Every kind that starts here, and a message of the owner's own for every trigger."""
    for kind in OURS:
        switch(store, kind, **({"number": 1} if kind is Kind.CONGRATULATIONS else {}))
    for trigger in OWN_TRIGGERS:
        own(store, trigger, event_kind="milestone", number={Trigger.NTH_ORDER: 1}.get(trigger), wait=120 * DAY)
    ladder(store, 1, 2, 3)
    return store


def live_through(store, name: str) -> None:
    """What makes one message of every kind, all found by a sweep at NOW."""
    person = Person(f"{name} Advocate", f"{name}@example.com")
    advocate = make_order_of(store, person, at=NOW - 130 * DAY, delivered_at=NOW).customer
    Customer.objects.filter(pk=advocate.pk).update(birth_month=11, birth_day=20, time_zone="Europe/London")
    link = share_links_of(store, dict.fromkeys([advocate], NOW))[advocate.pk]
    for number, kept in enumerate((True, True, False)):
        referral = refer(link, f"{name} Friend{number}", at=NOW - 10 * DAY, delivered_at=NOW - DAY)
        if kept:
            Referral.objects.filter(pk=referral.pk).update(status="approved", decided_at=NOW, number=number + 1)
        else:
            Referral.objects.filter(pk=referral.pk).update(created_at=NOW, hold_until=NOW + 14 * DAY)
        Order.objects.filter(pk=referral.order_id).update(updated_at=NOW)
    take_gift(link, f"{name} Claimer", at=NOW)
    ending = take_gift(link, f"{name} Waverer", at=NOW - 83 * DAY)
    Voucher.objects.filter(pk=ending.voucher_id).update(expires_at=NOW + 7 * DAY)
    for key, voided in (("ends", False), ("voided", True)):
        offer = program_of(store).terms.friend_offer
        reward = granting.grant(advocate, offer, side="customer", key=f"{name}:{key}", at=NOW - 83 * DAY)
        Voucher.objects.filter(reward=reward).update(expires_at=NOW + 7 * DAY)
        sent(store, advocate, Kind.REWARD, f"reward:{reward.pk}", NOW - 83 * DAY)
        if voided:
            granting.take_back(reward, reason="staff", at=NOW)
    silent = make_order_of(store, Person(f"{name} Silent", f"{name}.silent@example.com"), at=NOW - 8 * DAY).customer
    sent(store, silent, Kind.ASK, f"ask:{name}", NOW - 7 * DAY)
    rested = make_order_of(store, Person(f"{name} Rested", f"{name}.rested@example.com"), at=NOW - 190 * DAY).customer
    sent(store, rested, Kind.ASK, f"old ask:{name}", NOW - 180 * DAY)
    away = Person(f"{name} Away", f"{name}.away@example.com")
    make_order_of(store, away, at=NOW - 120 * DAY, delivered_at=NOW - 110 * DAY)
    first = Person(f"{name} First", f"{name}.first@example.com")
    year_ago = NOW - timedelta(days=365)
    make_order_of(store, first, at=year_ago, delivered_at=year_ago + DAY)
    make_order_of(store, first, at=NOW, delivered_at=NOW)
    make_order_of(store, Person(f"{name} New", f"{name}.new@example.com"), at=NOW, delivered_at=NOW)
    record_event(store, external_id=name, kind="milestone", person=person, data={}, happened_at=NOW, at=NOW)
    answer = Response.objects.create(store=store, customer=advocate, score=9, at=NOW)
    times = {"opened_at": NOW, "promise_at": NOW, "ended_at": NOW}
    RecoveryCase.objects.create(store=store, response=answer, customer=advocate, status="solved", **times)


def sent(store, customer, kind, key, at):
    Message.objects.create(store=store, customer=customer, kind=kind, key=key, status="sent", due_at=at, sent_at=at)


def kinds_of(store, before=frozenset()):
    """How often each kind was planned since `before` (ids)."""
    rows = Message.objects.for_store(store).exclude(pk__in=before).filter(kind__in=[*OURS, Kind.OWN])
    found = {}
    for kind, key in rows.values_list("kind", "key"):
        name = key.split(":")[2] if kind == Kind.OWN else kind
        found[name] = found.get(name, 0) + 1
    return found


def known(store):
    return set(Message.objects.for_store(store).values_list("pk", flat=True))


EACH_SWEEP = {"since": NOW - 20 * HOUR}  # the day began ten hours ago in London, eighteen in Manila


def test_every_kind_starts(everything_on):
    store = everything_on
    live_through(store, "Ana")
    before = known(store)
    sweep(store, NOW, **EACH_SWEEP)
    found = kinds_of(store, before)
    own_names = {"order", "delivered", "nth_order", "event", "score", "solved", "birthday", "anniversary", "away"}
    assert set(found) == {str(kind) for kind in OURS} | own_names


def test_sweeping_again_now_and_later_makes_no_twin(everything_on):
    store = everything_on
    live_through(store, "Ana")
    sweep(store, NOW, **EACH_SWEEP)
    journeying.repair(store, NOW)
    before = known(store)
    for minutes in (0, 0, 1, 30, 59):
        sweep(store, NOW + minutes * MINUTE, **EACH_SWEEP)
        journeying.repair(store, NOW + minutes * MINUTE)
        for step in (journeying.tell_steps, journeying.answer_purchases, journeying.keep_days):
            assert step(store, NOW + minutes * MINUTE) == 0
    assert known(store) == before
    assert len(before) == len(set(Message.objects.for_store(store).values_list("key", flat=True)))


def statements(work) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


@pytest.mark.parametrize("at_night", [False, True])
def test_ten_times_the_people_cost_not_one_statement_more(everything_on, at_night):
    store = everything_on
    costs, found = [], []
    live_through(store, "Zoe")
    journeying.sweep(store, None, NOW)  # from here on something waits, and is looked at
    for crowd in (["Ana"], [f"Ana{number}" for number in range(10)]):
        for name in crowd:
            live_through(store, name)
        before = known(store)
        since = None if at_night else NOW - 20 * HOUR
        costs.append(statements(lambda since=since: journeying.sweep(store, since, NOW)))
        found.append(kinds_of(store, before))
    assert all(found[1][kind] >= 10 for kind in found[0])
    assert costs[0] == costs[1]


def test_stopping_costs_the_same_for_many(everything_on):
    store, costs = everything_on, []
    for crowd in (["Ana"], [f"Ana{number}" for number in range(10)]):
        for name in crowd:
            live_through(store, name)
        sweep(store, NOW, **EACH_SWEEP)
        Message.objects.for_store(store).filter(status="pending").update(due_at=NOW)
        Order.objects.for_store(store).filter(refunded_at=None, updated_at=NOW).update(refunded_at=NOW)
        Referral.objects.for_store(store).filter(status="pending").update(status="voided")
        ShareLink.objects.for_store(store).update(shared_at=NOW)
        stopped = []
        costs.append(statements(lambda stopped=stopped: stopped.append(stopping.stop_pointless(store, NOW))))
        assert stopped[0] >= 5 * len(crowd)
    assert costs[0] == costs[1]


def test_a_tick_in_which_nothing_happened_costs_two_statements_whatever_is_on(store):
    """The journeys, and whether anything happened for any of them."""
    for kind in OURS:
        if kind not in (Kind.BIRTHDAY, Kind.SHARE_REMINDER, Kind.REASK):  # these are looked for each time
            switch(store, kind)
    for step in (journeying.tell_steps, journeying.answer_purchases, journeying.keep_days):
        assert statements(lambda step=step: step(store, NOW)) == 2
    assert statements(lambda: telling.sweep(store, NOW - HOUR, NOW)) == 2
    assert statements(lambda: stopping.stop_pointless(store, NOW)) == 1
    assert statements(lambda: sweep(store, NOW)) == 3


def test_with_nothing_switched_on_purchases_cost_one(store):
    assert statements(lambda: journeying.answer_purchases(store, NOW)) == 1


def test_a_store_that_fails_stops_no_other(store, other_store, monkeypatch):
    seen = []

    def step(one, at):
        seen.append(one.pk)
        if one.pk == store.pk:
            raise RuntimeError

    for_each_store(step, NOW)
    assert {store.pk, other_store.pk} <= set(seen)


def test_share_links_are_made_for_many_at_once(store, make_customer):
    people = [make_customer(f"Person {number}") for number in range(12)]
    kept = share_links_of(store, dict.fromkeys(people[:2], NOW))
    costs = statements(lambda: share_links_of(store, dict.fromkeys(people, NOW)))
    links = share_links_of(store, dict.fromkeys(people, NOW))
    assert costs <= 3
    assert set(links) == {person.pk for person in people}
    assert {pk: links[pk].code for pk in kept} == {pk: link.code for pk, link in kept.items()}
    assert ShareLink.objects.for_store(store).count() == 12


def test_a_code_that_is_taken_is_drawn_again(store, make_customer, monkeypatch):
    codes = iter(["SAME-22222", "SAME-22222", "SAME-33333"])
    monkeypatch.setattr("referrals.rules.new_code", lambda name, fallback: next(codes))
    people = [make_customer(f"Person {number}") for number in range(2)]
    links = share_links_of(store, dict.fromkeys(people, NOW))
    assert sorted(link.code for link in links.values()) == ["SAME-22222", "SAME-33333"]


def test_other_stores_facts_start_nothing_here(everything_on, other_store):
    live_through(everything_on, "Ana")
    assert sweep(other_store, NOW, **EACH_SWEEP) == 0
    assert cancel_all_about(other_store, ["voucher:1", "order:1"], reason="used", at=NOW) == 0
    assert Claim.objects.for_store(everything_on).exists()
    assert ReferralEvent.objects.for_store(everything_on).exists()
    assert Reward.objects.for_store(everything_on).exists()
