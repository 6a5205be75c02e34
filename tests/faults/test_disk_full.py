"""Postgres runs out of disk in the middle of the day: what is refused has no effect, what was answered stays.

The whole server lies on a small disk of its own (`SmallDisk`), which a file fills.
"""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from customers.models import Order
from customers.services import Person
from outreach import aftermath
from outreach.dispatch import dispatch
from outreach.models import Kind, Message, OutboxItem
from referrals.services.programs import open_store
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer, Redemption, Reward, Voucher
from rewards.services import granting, ledger
from stores import rows
from stores.api_auth import hash_key
from stores.models import ApiKey
from stores.tenancy import acting_for
from tests import databases
from tests.conftest import make_order_of
from tests.faults.postgres import SmallDisk
from tests.planned import plan_message

MEGABYTES = 200  # an empty server with our tables takes some 80
REFUSED_OFTEN = 3
KEY = "gw_" + "7" * 40
ORDERS, REDEEM = "/api/v1/orders/", "/api/v1/vouchers/redeem/"


@pytest.fixture
def server(django_db_setup, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        SmallDisk(MEGABYTES) as server,
        databases.looking_at("goodword", server.urls),
    ):
        yield server


@pytest.fixture
def store(server):
    store = open_store(slug="corner", name="Corner", currency="PHP", at=timezone.now() - timedelta(days=1))
    with acting_for(store):
        ApiKey.objects.create(store=store, prefix=KEY[:8], hash=hash_key(KEY), scopes=list(ApiKey.SCOPES))
    return store


@pytest.fixture
def shop(store):
    at = timezone.now() - timedelta(minutes=1)
    with acting_for(store):
        sara = make_order_of(store, Person("Sara", "sara@example.com"), at=at).customer
        credit = make_offer(store, OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=1_000_00))
        granting.grant(sara, credit, side=Reward.Side.ADVOCATE, key="credit", at=at)
        return Shop(Voucher.objects.for_store(store).get(kind="credit").code)


class Shop:
    """Reports orders and takes from a purse; remembers what it was told."""

    def __init__(self, purse: str) -> None:
        self.client = Client(headers={"authorization": f"Bearer {KEY}"}, raise_request_exception=False)
        self.purse, self.numbers = purse, count()
        self.stored: set[str] = set()
        self.taken: list[str] = []
        self.refused: dict[str, list[tuple]] = {ORDERS: [], REDEEM: []}

    def work(self) -> None:
        number = next(self.numbers)
        self.report([order(f"{number}-{place}") for place in range(50)])
        self.take(f"take-{number}")

    def take_one(self) -> None:
        self.take(f"take-{next(self.numbers)}")

    def report(self, orders) -> None:
        answer = self._post(ORDERS, orders)
        if answer.status_code == 200:
            assert [one["status"] for one in answer.json()["results"]] == ["created"] * len(orders)
            self.stored |= {one["external_id"] for one in orders}
        else:
            self._note(answer, ORDERS, orders)

    def take(self, key: str) -> None:
        answer = self._post(REDEEM, {"code": self.purse, "amount_minor": 1, "currency": "PHP"}, key)
        if answer.status_code == 201:
            self.taken.append(answer.json()["redemption"])
        else:
            self._note(answer, REDEEM, key)

    def _post(self, path, body, key=""):
        headers = {"idempotency-key": key} if key else {}
        return self.client.post(path, json.dumps(body), content_type="application/json", headers=headers)

    def _note(self, answer, path, what) -> None:
        """Refused in the API's own words, and told when to come again."""
        assert (answer.status_code, answer.json()["type"]) == (503, "unavailable"), answer.content
        assert answer.headers["Retry-After"] == "5"
        self.refused[path].append(what)

    def try_again(self) -> None:
        refused, self.refused = self.refused, {ORDERS: [], REDEEM: []}
        for orders in refused[ORDERS]:
            self.report(orders)
        for key in refused[REDEEM]:
            self.take(key)
        assert not any(self.refused.values())


def order(name):
    return {
        "source": "shop",
        "external_id": name,
        "currency": "PHP",
        "total_minor": 155_000,
        "placed_at": (timezone.now() - timedelta(hours=1)).isoformat(),
        "customer": {"name": "Bea " + "x" * 100, "email": f"{name}@friends.example"},
        "lines": [{"sku": f"MUG-{place}", "name": "Mug", "quantity": 1, "unit_price_minor": 1} for place in range(5)],
    }


def until_refused(server, shop) -> None:
    """Fill the disk, and work until there is no room left in the tables either."""
    server.fill()
    for step, path, most in ((shop.work, ORDERS, 100), (shop.take_one, REDEEM, 1000)):
        for _ in range(most):
            step()
            if len(shop.refused[path]) >= REFUSED_OFTEN:
                break
        else:
            raise AssertionError(f"there was room for everything: {path}")


def test_a_full_disk_refuses_and_loses_nothing(server, store, shop):
    for _ in range(3):
        shop.work()
    with acting_for(store):
        before = Order.objects.for_store(store).filter(source="shop").count()
    until_refused(server, shop)
    print(f"{len(shop.refused[ORDERS])} reports and {len(shop.refused[REDEEM])} uses refused, {len(shop.taken)} done")
    with acting_for(store):  # reading goes on
        assert Order.objects.for_store(store).filter(source="shop").count() >= before == 150
    server.free()
    shop.try_again()
    with acting_for(store):
        orders = Order.objects.for_store(store).filter(source="shop")
        assert set(orders.values_list("external_id", flat=True)) == shop.stored
        uses = Redemption.objects.for_store(store).values_list("public_id", flat=True)
        assert sorted(uses) == sorted(shop.taken)
        assert ledger.total(store) == 0
        assert ledger.drift(store) == {}


def test_letters_wait_for_room_and_go_once(server, store, shop):
    at = timezone.now()
    context = {"product": "Mug", "links": {"survey": "http://testserver/s/x", "unsubscribe": "http://testserver/u/x"}}
    shop.report([order(f"first-{place}") for place in range(100)])
    with acting_for(store):
        people = [one.customer for one in Order.objects.for_store(store).filter(source="shop")]
        letters = {
            plan_message(one, Kind.REWARD, key=f"letter:{one.pk}", due_at=at, context=context, at=at).pk
            for one in people
        }
    until_refused(server, shop)
    for _ in range(5):
        try:
            dispatch(seconds=5)
        except OperationalError:
            continue
    server.free()
    later = timezone.now() + timedelta(minutes=5)
    with acting_for(store):
        aftermath.settle_expired_leases(store, later)
        mine = Message.objects.for_store(store).filter(pk__in=letters)
        mine.filter(status="pending").update(due_at=timezone.now())
    dispatch(seconds=20)
    with acting_for(store):
        kept = list(OutboxItem.objects.for_store(store).filter(message__in=letters).values_list("message", flat=True))
        unknown = set(mine.filter(status="unknown").values_list("pk", flat=True))
        assert len(set(kept)) == len(kept)
        assert set(kept) | unknown == letters
        assert set(mine.values_list("status", flat=True)) <= {"sent", "unknown"}


def test_control_who_takes_no_room_for_a_bad_order_loses_it(server, store, shop, monkeypatch):
    """As every other error is taken: the order's own fault, told to the shop as final."""
    monkeypatch.setattr(rows, "is_unwell", lambda error: False)
    with pytest.raises(AssertionError, match="error"):  # among what should have been "created"
        until_refused(server, shop)
