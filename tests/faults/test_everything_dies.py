"""kill -9 of web, worker, their children, beat and Postgres while a shop is at work (RELIABILITY G1-G5, G9, G11).

One storm, and then one test for each guarantee; the controls show that the same looks would see it broken.
What happens to one code at many tills without its guards is in tests/races/test_redeem.py, to letters that are sent
again blindly in test_worker_killed.py.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import close_old_connections
from django.utils import timezone

from customers.models import Order
from customers.services import Person
from outreach.models import Kind, Message
from referrals.models import Referral
from referrals.services import attribution, deciding
from referrals.services.links import share_link_of
from referrals.services.programs import open_store, program_of
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer, Redemption, Reward, Voucher
from rewards.services import granting, ledger, recounting, vouchers
from stores import tokens
from stores.api_auth import hash_key
from stores.models import ApiKey
from surveys.models import Invitation, Response
from tests.conftest import make_order_of
from tests.faults.crew import SHORT
from tests.faults.load import Line, Load
from tests.faults.postgres import Postgres
from tests.faults.storm import VICTIMS, Storm
from tests.planned import plan_message
from tests.stack import Stack, missing, repeated, until

LEASE = int(SHORT["LEASE_SECONDS"])
ROUNDS = 2
CODES, ASKED, ADVOCATES, LETTERS = 120, 60, 12, 150
EACH = 0.12  # seconds between two letters: some are on their way at any moment
KEY = "gw_" + "5" * 40
DAY = timedelta(days=1)
LONG_AGO = timezone.now() - 300 * DAY


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """The shop, and everything that has happened to it in the storm."""
    with (
        django_db_blocker.unblock(),
        Postgres() as postgres,
        Stack(postgres.urls, **SHORT, API_CALLS_PER_MINUTE="1000000") as stack,
    ):
        try:
            yield survive(stack, postgres)
        finally:
            print(stack.log())


def survive(stack: Stack, postgres: Postgres) -> SimpleNamespace:
    store = stack.call(open_store, slug="corner", name="Corner", currency="PHP", at=LONG_AGO)
    facts = stack.inside(store, lambda: furnish(store, stack))
    load = Load(stack.url, KEY, **facts.pop("load"))
    storm = Storm(stack, postgres, seed=secrets.randbelow(10**6), busy=load.answers)
    begin = time.monotonic()
    stack.start("web", "worker", "beat")
    starting = time.monotonic() - begin  # on this machine, today
    due = stack.inside(store, lambda: write_letters(store, facts["people"], stack))
    load.start()
    storm.rage(rounds=ROUNDS)
    calm = time.monotonic()
    stack.call(close_old_connections)  # ours went with the server
    load.finish()
    until(lambda: not stack.inside(store, lambda: waiting(store)), what="all is over", seconds=LEASE + 30 + starting)
    recovered = time.monotonic() - calm
    calls, broken = (sum(getattr(line, what) for line in load.lines) for what in ("calls", "broken"))
    print(f"{dict(storm.deaths)}: {calls} calls, {broken} without an answer; all over {recovered:.1f} s after the last")
    return SimpleNamespace(stack=stack, store=store, load=load, storm=storm, due=due, broken=broken)


def furnish(store, stack) -> dict[str, object]:
    """Codes, a purse, advocates, people who were asked."""
    ApiKey.objects.create(store=store, prefix=KEY[:8], hash=hash_key(KEY), scopes=list(ApiKey.SCOPES))
    yesterday = timezone.now() - DAY
    people = [
        make_order_of(store, Person(f"Sara {number}", f"sara{number}@example.com"), at=yesterday).customer
        for number in range(max(ADVOCATES, ASKED))
    ]
    offer = program_of(store).terms.friend_offer
    codes = [vouchers.issue(store, offer, key=f"code-{number}", at=yesterday).code for number in range(CODES)]
    credit = make_offer(store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=1_000_00))
    granting.grant(people[0], credit, side=Reward.Side.ADVOCATE, key="credit", at=yesterday)
    surveys = []
    for person in people[:ASKED]:
        order = Order.objects.for_store(store).get(customer=person)
        asked = Invitation.objects.create(
            store=store, order=order, customer=person, due_at=yesterday, status="invited", decided_at=timezone.now()
        )
        surveys.append(tokens.make(tokens.Purpose.SURVEY, store.pk, asked))
    load = {
        "codes": codes,
        "purse": Voucher.objects.for_store(store).get(kind="credit").code,
        "advocates": [share_link_of(person, at=yesterday).code for person in people[:ADVOCATES]],
        "surveys": surveys,
    }
    return {"load": load, "people": people}


def write_letters(store, people, stack) -> set[str]:
    """Letters that fall due one after the other; their references."""
    now = timezone.now()
    context = {"product": "Mug", "links": {"survey": f"{stack.url}/s/x", "unsubscribe": f"{stack.url}/u/x"}}
    letters = [
        plan_message(
            people[number % len(people)], Kind.REWARD, key=f"letter:{number}", context=context, at=now,
            due_at=now + timedelta(seconds=EACH * number),
        )
        for number in range(LETTERS)
    ]  # fmt: skip
    return {letter.public_id for letter in letters}


def waiting(store) -> list[Message]:
    """What should have gone out by now and has not."""
    now = timezone.now()
    rows = Message.objects.for_store(store)
    return list(rows.filter(status="sending")) + list(rows.filter(status="pending", due_at__lte=now))


@pytest.fixture
def look(world):
    """`look(lambda: ...)`: run something inside the shop's wall."""
    return lambda work: world.stack.inside(world.store, work)


def test_everybody_died_and_the_shop_was_busy(world):
    """Or the others would prove nothing."""
    assert world.storm.deaths == dict.fromkeys(VICTIMS, ROUNDS)
    assert world.broken > 20
    assert len(world.load.taken) > 20
    assert len(world.load.stored) > 50
    assert len(world.load.answered) > 10
    assert sum(map(bool, world.load.used.values())) > 10


def test_an_order_brings_at_most_one_reward_a_side(world, look):
    """G1: after all sweeps have run twice more."""

    def sweep():
        for _ in range(2):
            attribution.attribute_orders(world.store, timezone.now(), since=LONG_AGO)
            deciding.approve_due(world.store, timezone.now())

    look(sweep)
    credited = look(lambda: Counter(Referral.objects.for_store(world.store).values_list("order_id", flat=True)))
    rewards = look(lambda: list(Reward.objects.for_store(world.store).values_list("key", "side")))
    given = Counter((key.split(":")[1], side) for key, side in rewards if key.startswith("referral:"))
    print(f"{len(credited)} referrals, {len(given)} rewards")
    assert given
    assert set(given.values()) == set(credited.values()) == {1}


def test_a_code_is_used_once(world, look):
    """G2: each code was tried at two tills, and each till asked until it was told."""
    rows = Redemption.objects.for_store(world.store).values_list("voucher__code", "public_id")
    uses = look(lambda: list(rows.filter(voucher__code__in=world.load.codes)))
    told = {code: ids for code, ids in world.load.used.items() if ids}
    assert {len(ids) for ids in told.values()} == {1}
    assert told.items() <= {code: [public_id] for code, public_id in uses}.items()
    assert len({code for code, _ in uses}) == len(uses)


def test_the_books_are_right(world, look):
    """G3."""
    assert look(lambda: ledger.total(world.store)) == 0
    assert look(lambda: ledger.drift(world.store)) == {}
    assert look(lambda: recounting.problems(world.store)) == []


def uses_of_the_purse(world) -> set[str]:
    rows = Redemption.objects.for_store(world.store).filter(voucher__code=world.load.purse)
    return set(rows.values_list("public_id", flat=True))


def test_who_asked_again_had_one_effect(world, look):
    """G4: as many uses as there were takers, each the one its taker was told of."""
    assert look(lambda: uses_of_the_purse(world)) == set(world.load.taken)
    assert len(set(world.load.taken)) == len(world.load.taken)


def test_what_was_answered_is_there(world, look):
    """G5."""
    orders = look(lambda: Counter(Order.objects.for_store(world.store).values_list("external_id", flat=True)))
    answered = {name for name, is_answered in world.load.posted.items() if is_answered}
    assert (world.load.stored | answered) <= set(orders)
    assert set(orders.values()) == {1}
    scores = look(lambda: dict(Response.objects.for_store(world.store).values_list("invitation_id", "score")))
    told = {tokens.read(tokens.Purpose.SURVEY, token)[1]: score for token, score in world.load.answered.items()}
    assert told.items() <= scores.items()


def test_each_letter_was_accepted_once(world, look):
    """G9: or waits for a person, because its sender died over it."""
    counts = world.stack.mail.counts()
    rows = Message.objects.for_store(world.store)
    fates = look(lambda: dict(rows.filter(public_id__in=world.due).values_list("public_id", "status")))
    unknown = {reference for reference, status in fates.items() if status == "unknown"}
    print(f"{len(counts)} letters accepted, {dict(Counter(fates.values()))} of the {LETTERS}")
    assert repeated(counts) == {}
    assert missing(counts, world.due) <= unknown
    assert set(fates.values()) <= {"sent", "unknown"}
    # Two processes send; each death of theirs, or of the database under them, leaves one.
    assert len(unknown) <= 2 * sum(world.storm.deaths[name] for name in ("worker", "a child of worker", "postgres"))


# -- Controls --


def test_control_who_reports_once_and_looks_at_no_answer_loses_orders(world, look):
    """G5: a call without an answer is one that may not have been heard."""
    orders = look(lambda: set(Order.objects.for_store(world.store).values_list("external_id", flat=True)))
    lost = set(world.load.posted) - orders
    print(f"control: {len(lost)} of {len(world.load.posted)} orders lost")
    assert lost


def test_control_who_asks_again_under_another_key_pays_twice(world, look):
    """G4."""
    before = look(lambda: uses_of_the_purse(world))
    careless = Line(world.stack.url, KEY, seed=1, careless=True)
    for number in range(40):
        world.load.take(careless, f"careless-{number}")
    assert len(look(lambda: uses_of_the_purse(world)) - before) > 40
