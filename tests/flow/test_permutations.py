"""Whatever the order in which a shop reports an order's life, it ends in the same referral and the same books (G7).

Every one of the 120 orders of five reports is played from the same start, with all sweeps between; each
run is rolled back. Which of several reasons a void was given is the first one seen, so it is not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import pytest
from django.db import connection, transaction

from customers.services import OrderData, Person, orders, record_order, record_orders
from referrals.models import Referral, ShareLink
from referrals.services import attribution, deciding, later, programs, promising, refunds
from referrals.services.terms import Crediting, Limits, OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Reward, Terms, Tier
from rewards.services import recounting, vouchers
from tests.conftest import NOW
from tests.referrals.journey_world import DAY, LONG_AGO, take_gift
from tests.rewards.books_world import balances, budget_of

pytestmark = pytest.mark.django_db
PLACED = NOW - 100 * DAY
TOTAL = 100_000
ONE, TWO = OfferTerms(Offer.Kind.COMMISSION, percent=10), OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=30_000)
TERMS = ProgramTerms(
    "Permutations",
    OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=20_000),
    [TierTerms(1, Tier.Gives.EACH, ONE), TierTerms(1, Tier.Gives.ONCE, TWO)],
    hold_days=10,  # over after the third report
    claim_days=60,
    limits=Limits(minimum_order_minor=10_000),
    ceiling_minor=10_000_000,
    places=5,
)
WAYS = ["claim", "code"]


@dataclass(frozen=True)
class Ending:
    """How a run ended, as far as it must not depend on its order."""

    referral: str
    rewards: tuple[tuple[str, str, int, int], ...]
    balances: tuple[tuple[str, int], ...]
    committed_minor: int
    places: int


@pytest.fixture
def world(store, share_link) -> Callable[[Terms.Refund], ShareLink]:
    def open_with(refund: Terms.Refund = Terms.Refund.PROPORTION) -> ShareLink:
        changed = replace(TERMS, crediting=Crediting(refund=refund))
        programs.change_program(programs.program_of(store), changed, by=None, at=LONG_AGO)
        return share_link

    return open_with


def reports_of(link: ShareLink, way: str) -> dict[str, OrderData]:
    """What the shop tells of one order, each time only what that report is about."""
    base = OrderData(
        source="shop",
        external_id="1001",
        currency="PHP",
        total_minor=TOTAL,
        placed_at=PLACED,
        person=Person("Bea Cruz", "bea.cruz@example.com"),
        code=link.code if way == "code" else "",
    )
    return {
        "placed": base,
        "paid": base,
        "delivered": replace(base, delivered_at=PLACED + 2 * DAY),
        "refunded": replace(base, refunded_minor=TOTAL),
        "cancelled": replace(base, cancelled_at=PLACED + 3 * DAY),
        "refunded 30": replace(base, refunded_minor=30_000),
        "refunded 60": replace(base, refunded_minor=60_000),
        "refunded 95": replace(base, refunded_minor=95_000),
        # The same with the shop's own time of each state; what comes late is a copy of how it was then.
        "first": replace(base, changed_at=PLACED),
        "sent": replace(base, delivered_at=PLACED + 2 * DAY, changed_at=PLACED + 2 * DAY),
        "exchanged": replace(base, total_minor=80_000, changed_at=PLACED + 4 * DAY),
        "exchanged again": replace(base, total_minor=60_000, refunded_minor=15_000, changed_at=PLACED + 5 * DAY),
        "by hand": replace(base, total_minor=99_000),  # a file, of nobody knows when
    }


def sweep(store, at) -> None:
    """What beat runs, over all orders."""
    attribution.attribute_orders(store, at, since=LONG_AGO)
    refunds.answer_refunds(store, at, since=LONG_AGO)
    deciding.approve_due(store, at)
    later.reward_later(store, at, since=LONG_AGO)
    promising.release_unused(store, at)
    vouchers.expire_due(store, at)


def one_by_one(store, number: int, report: OrderData, at) -> None:
    record_order(store, report, at=at)


def in_lists(store, number: int, report: OrderData, at) -> None:
    """Every second one comes by a list, which tells it twice."""
    if number % 2:
        record_order(store, report, at=at)
    else:
        record_orders(store, [report, report], at=at)


def play(store, link, way, names: Sequence[str], tell=one_by_one) -> Ending:
    """One run from the same start, rolled back; its reports come every six days, so that the hold ends among them."""
    with transaction.atomic():
        if way == "claim":
            take_gift(link, at=PLACED - DAY)
        known = reports_of(link, way)
        for number, name in enumerate(names):
            at = PLACED + (1 + 6 * number) * DAY
            tell(store, number, known[name], at)
            sweep(store, at)
        sweep(store, PLACED + 40 * DAY)
        sweep(store, PLACED + 61 * DAY)
        ending = ending_of(store)
        transaction.set_rollback(True)
    return ending


def ending_of(store) -> Ending:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert recounting.problems(store) == []
    referral = Referral.objects.for_store(store).get()
    assert (referral.status == Referral.Status.VOIDED) == bool(referral.reason)
    alive = Reward.objects.for_store(store).exclude(status=Reward.Status.VOIDED)
    rewards = alive.values_list("side", "offer__kind", "amount_minor", "reduced_minor")
    budget = budget_of(store)
    return Ending(
        referral.status,
        tuple(sorted(rewards)),
        tuple(sorted(balances(store).items())),
        budget.committed_minor,
        budget.places_taken,
    )


def all_endings(store, link, way, names: Sequence[str], tell=one_by_one) -> Counter[Ending]:
    return Counter(play(store, link, way, order, tell) for order in permutations(names))


NOTHING = Ending("voided", (), (), 0, 0)


@pytest.mark.parametrize("way", WAYS)
def test_all_120_orders_of_a_cancelled_and_refunded_order_end_in_nothing(store, world, way):
    names = ["placed", "paid", "delivered", "refunded", "cancelled"]
    assert all_endings(store, world(), way, names) == {NOTHING: 120}


def test_all_120_orders_of_two_partial_refunds_end_alike(store, world):
    names = ["placed", "paid", "delivered", "refunded 30", "refunded 60"]
    (ending, times), *others = all_endings(store, world(), "claim", names, in_lists).items()
    assert (others, times) == ([], 120)
    assert ending.referral == "approved"
    assert ending.rewards == (
        ("advocate", "commission", 10_000, 6_000),
        ("advocate", "fixed_off", 30_000, 18_000),
        ("friend", "store_credit", 20_000, 12_000),
    )
    assert dict(ending.balances) == {
        "cost": -12_000, "credit": 8_000, "payable": 4_000, "promised": 12_000, "contingent": -12_000
    }  # fmt: skip
    assert (ending.committed_minor, ending.places) == (24_000, 1)


@pytest.mark.parametrize(
    ("refund", "last", "status", "left"),
    [
        (Terms.Refund.KEEP, "refunded 60", "approved", {0}),
        (Terms.Refund.TAKE_BACK, "refunded 30", "voided", set()),
        (Terms.Refund.PROPORTION, "refunded 95", "voided", set()),  # below the smallest purchase that counts
        (Terms.Refund.KEEP, "refunded 95", "approved", {0}),
    ],
)
def test_by_every_rule(store, world, refund, last, status, left):
    endings = all_endings(store, world(refund), "claim", ["placed", "delivered", "paid", last])
    (ending, times), *others = endings.items()
    assert (others, times) == ([], 24)
    assert (ending.referral, {reduced for *_, reduced in ending.rewards}) == (status, left)
    assert status == "approved" or ending == NOTHING


def test_some_reports_by_the_api(store, world, api):
    """The same by both doors; the API tells the time by its own clock."""
    link = world()

    def tell(store, number, report, at):
        if number % 2:
            record_order(store, report, at=at)
            return
        body = {
            "source": report.source,
            "external_id": report.external_id,
            "currency": report.currency,
            "total_minor": report.total_minor,
            "placed_at": report.placed_at.isoformat(),
            "delivered_at": report.delivered_at and report.delivered_at.isoformat(),
            "cancelled_at": report.cancelled_at and report.cancelled_at.isoformat(),
            "refunded_minor": report.refunded_minor,
            "code": report.code,
            "customer": {"name": report.person.name, "email": report.person.email},
        }
        assert api.post("/api/v1/orders/", body, content_type="application/json").status_code in (200, 201)

    names = ["placed", "delivered", "refunded 30", "refunded"]
    assert all_endings(store, link, "code", names, tell) == {NOTHING: 24}


def left(ending: Ending) -> dict[str, int]:
    """What is left of each reward, by its kind."""
    return {kind: amount - reduced for _, kind, amount, reduced in ending.rewards}


@pytest.mark.parametrize("tell", [one_by_one, in_lists])
def test_all_orders_of_an_exchange_end_with_the_newest_total(store, world, tell):
    """60,000 of which a quarter came back: of the commission on 60,000 three quarters are left, as of all the rest."""
    names = ["first", "sent", "exchanged", "exchanged again"]
    endings = all_endings(store, world(), "claim", names, tell)
    assert sum(endings.values()) == 24
    assert {frozenset(left(one).items()) for one in endings} == {
        frozenset({"commission": 4_500, "fixed_off": 22_500, "store_credit": 15_000}.items())
    }
    assert len({(one.referral, one.balances, one.committed_minor, one.places) for one in endings}) == 1
    assert dict(next(iter(endings)).balances)["payable"] == 4_500


def test_a_report_of_unknown_age_changes_no_total_that_the_shop_dated(store, world):
    for order in permutations(["first", "exchanged"]):
        ending = play(store, world(), "claim", [*order, "by hand", "sent"])
        assert left(ending)["commission"] == 8_000


def test_without_the_shops_time_the_ending_would_hang_on_the_order(store, world, monkeypatch):
    """The control: whoever comes last wins."""
    link = world()
    monkeypatch.setattr(orders, "_is_newest", lambda order, data: True)
    right, wrong = (play(store, link, "claim", names) for names in (["first", "exchanged"], ["exchanged", "first"]))
    assert (left(right)["commission"], left(wrong)["commission"]) == (8_000, 10_000)


def test_a_run_without_the_sweep_would_be_seen(store, world, monkeypatch):
    """The control: where refunds are answered only for what waits, the ending depends on the order."""
    link = world()
    monkeypatch.setattr(refunds, "LIVE", (Referral.Status.PENDING,))
    early = play(store, link, "claim", ["placed", "refunded", "delivered", "paid"])
    late = play(store, link, "claim", ["placed", "delivered", "paid", "refunded"])
    assert early == NOTHING
    assert late != NOTHING
