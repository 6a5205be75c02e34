"""The data that scenarios run on: two stores on one server, one with a tenth of the other's customers.

Made once by COPY and kept under DATA_DIR, since a million customers take minutes; scenarios add what they spend.
Visits, the most by far, are made inside the database: through Python they would take as long as all the rest.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection, connections

from bench.rows import copy, reserve
from customers.models import Category, Customer, Order, OrderLine, Product
from customers.rules import folded_name
from outreach.models import Kind, Message
from referrals.models import Claim, Program, Referral, ShareLink
from referrals.services.programs import open_store
from rewards.models import Offer, Reward
from stores import directory
from stores.codes import normalise, random_characters
from stores.models import Store
from stores.tenancy import acting_for
from surveys.models import Response

CUSTOMERS = {"small": 100_000, "large": 1_000_000}
ORDERS_EACH, LINKS = 5, 100_000  # share links: at most so many a store
VISITS_EACH, VISITS_AT_ONCE = 10, 500_000
# Of a hundred customers: how many messages wait, went out within the year, were answered, and what came of them.
WAITING, SENT, ANSWERS, CLAIMS, FRIENDS = 150, 50, 30, 12, 8
WAITING_KINDS = (Kind.ASK, Kind.SURVEY, Kind.REWARD)
FIRST = ["Sara", "Bea", "Liza", "Carlo", "Marikit", "Jun", "Ana", "Paolo", "Tess", "Gab", "مریم", "سارا", "کیان", "آرش"]
LAST = ["Cruz", "Santos", "Reyes", "Mendoza", "Garcia", "Torres", "Flores", "Aquino", "رستمی", "نوری", "موسوی"]

VISITS = """
    WITH given AS (SELECT %s::bigint AS store, %s::bigint AS link, %s::int AS links, %s::timestamptz AS now),
    one AS (
        SELECT n, md5(n::text) AS hash, now - (abs(hashint8(n)) %% 31536000) * interval '1 second' AS at
        FROM given, generate_series(%s::bigint, %s::bigint) AS n
    )
    INSERT INTO referrals_visit (store_id, link_id, visitor, token, device, hour, at, is_bot, referrer)
    SELECT store, link + abs(hashint8(n + 7)) %% links, hash, left(md5(hash), 20), '', date_trunc('hour', at), at,
           n %% 50 = 0, ''
    FROM given, one
"""


@dataclass(frozen=True)
class World:
    """The stores; `now` (aware UTC) is when the data end."""

    size: str
    store: Store
    tenth: Store
    now: datetime


def make(size: str) -> World:
    """The world of this size; its rows are made when they are not there yet."""
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    stores = [_store(f"bench-{share}", CUSTOMERS[size] // share, now) for share in (1, 10)]
    return World(size, stores[0], stores[1], now)


def _store(slug: str, customers: int, now: datetime) -> Store:
    found = directory.named(slug)
    if found:
        return found
    place = {"currency": "PHP", "timezone": "Asia/Manila", "country": "PH", "locale": "fil"}
    # Under another name until it is whole: one that was broken off is made anew.
    unfinished = f"{slug}-{random_characters(8).lower()}"
    store = open_store(slug=unfinished, name=slug.title(), at=now - timedelta(days=400), **place)
    for step in Making(store, customers, now).steps():
        with acting_for(store):
            step()
        # Only the owner may. Without statistics the checks of foreign keys read a whole table for each row.
        with connections["owner"].cursor() as cursor:
            cursor.execute("ANALYZE")
    with acting_for(store):
        Store.objects.filter(pk=store.pk).update(slug=slug)
    store.slug = slug
    return store


class Making:
    """Rows of one store, the same ones each time (a seeded generator)."""

    def __init__(self, store: Store, customers: int, now: datetime) -> None:
        self.store, self.number, self.now = store, customers, now
        self.random = random.Random(customers)

    def steps(self) -> list[Callable[[], None]]:
        """Each to be committed before the next: customers, orders, share links, visits, messages, what came of them."""
        return [
            self._make_people,
            self._make_orders,
            self._make_links,
            self._visits,
            self._make_messages,
            self._make_rest,
        ]

    def _make_people(self) -> None:
        self.first = reserve(Customer, self.number)
        copy(Customer, self._customers())
        self.products = self._products()

    def _make_orders(self) -> None:
        self.first_order = reserve(Order, self.number * ORDERS_EACH)
        copy(Order, self._orders())
        copy(OrderLine, self._lines())

    def _make_links(self) -> None:
        self.links = min(self.number, LINKS)
        self.first_link = reserve(ShareLink, self.links)
        copy(ShareLink, self._links())

    def _make_messages(self) -> None:
        copy(Message, self._waiting())
        copy(Message, self._sent())

    def _make_rest(self) -> None:
        copy(Response, self._answers())
        self.program = Program.objects.for_store(self.store).get()
        copy(Claim, self._claims())
        copy(Referral, self._friends())
        copy(Reward, self._rewards())

    def _customers(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number):
            name = f"{self.random.choice(FIRST)} {self.random.choice(LAST)}"
            email, phone = f"person{number}@example.com", f"+639{100_000_000 + number}"
            yield {
                "id": self.first + number,
                "store_id": self.store.pk,
                "external_id": f"c-{number}",
                "name": name,
                "name_norm": folded_name(name),
                "email": email,
                "email_norm": email,
                "email_alias": email,
                "phone": phone,
                "phone_norm": phone,
                "locale": ("fil", "en", "fa")[number % 3],
                "email_consent": True,
                "sms_consent": number % 2 == 0,
                "recorded_at": self._ago(400),
            }

    def _products(self) -> list[int]:
        category = Category.objects.create(store=self.store, name="kitchen")
        things = [
            Product(store=self.store, sku=f"SKU-{number}", name=f"Thing {number}", category=category)
            for number in range(200)
        ]
        return [thing.pk for thing in Product.objects.bulk_create(things)]

    def _orders(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * ORDERS_EACH):
            placed = self._ago(365)
            yield {
                "id": self.first_order + number,
                "store_id": self.store.pk,
                "customer_id": self.first + self.random.randrange(self.number),
                "source": "pos",
                "external_id": f"o-{number}",
                "currency": self.store.currency,
                "total_minor": self.random.randrange(5_000, 500_000),
                "placed_at": placed,
                "delivered_at": placed + timedelta(days=2),
                "recorded_at": placed,
                "updated_at": placed,
            }

    def _lines(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * ORDERS_EACH):
            product = self.products[number % len(self.products)]
            yield {"store_id": self.store.pk, "order_id": self.first_order + number, "product_id": product}

    def _links(self) -> Iterator[dict[str, Any]]:
        for number in range(self.links):
            code = f"P{number}-{random_characters(5)}"
            facts = {"code": code, "code_norm": normalise(code), "created_at": self.now - timedelta(days=30)}
            shared_at = self._ago(365) if number % 5 == 0 else None
            yield {
                "id": self.first_link + number,
                "store_id": self.store.pk,
                "customer_id": self.first + number,
                "shared_at": shared_at,
                **facts,
            }

    def _visits(self) -> None:
        """Spread evenly over links and the year, the n-th by a hash of n; one of fifty is a bot's."""
        for begin in range(0, self.number * VISITS_EACH, VISITS_AT_ONCE):
            end = min(begin + VISITS_AT_ONCE, self.number * VISITS_EACH) - 1
            with connection.cursor() as cursor:
                cursor.execute(VISITS, [self.store.pk, self.first_link, self.links, self.now, begin, end])

    def _waiting(self) -> Iterator[dict[str, Any]]:
        """Due from now on, over a month."""
        for number in range(self.number * WAITING // 100):
            kind = WAITING_KINDS[number // 3 % 3]  # each in every language
            yield self._message(number, kind) | {
                "key": f"waiting-{number}",
                "due_at": self.now + timedelta(seconds=number * 30 * 86_400 // (self.number * WAITING // 100)),
                "created_at": self.now,
            }

    def _sent(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * SENT // 100):
            at = self._ago(365)
            yield self._message(number, Kind.ASK) | {
                "key": f"sent-{number}",
                "status": Message.Status.SENT,
                "channel": "email",
                "to": f"person{number}@example.com",
                **dict.fromkeys(("due_at", "created_at", "started_at", "sent_at", "delivered_at"), at),
            }

    def _message(self, number: int, kind: Kind) -> dict[str, Any]:
        """As the journeys put them down: the values of the kind's fields, and the links."""
        door, gift = "https://shop.example", "10% off"
        links = {"action": f"{door}/me/{number}", "survey": f"{door}/s/{number}", "share": f"{door}/me/{number}"}
        values = {
            Kind.ASK: {"product": "Blue Mug", "code": f"P{number}-AB2CD", "friend_gets": gift, "you_get": gift},
            Kind.SURVEY: {"product": "Blue Mug", "question": "nps"},
            Kind.REWARD: {"gift": gift, "code": f"GW-{number}", "until": f"{self.now + timedelta(days=60):%Y-%m-%d}"},
        }[kind]
        return {
            "store_id": self.store.pk,
            "customer_id": self.first + number % self.number,
            "kind": kind.value,
            "context": {**values, "links": links | {"landing": f"{door}/r/P{number}"}},
        }

    def _answers(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * ANSWERS // 100):
            at, score = self._ago(365), self.random.choice((3, 6, 7, 8, 8, 9, 9, 10, 10, 10))
            facts = {"score": score, "at": at, "ask_shown_at": at if score > 8 else None}
            yield {"store_id": self.store.pk, "customer_id": self.first + number, **facts}

    def _claims(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number * CLAIMS // 100):
            at = self._ago(365)
            yield {
                "store_id": self.store.pk,
                "link_id": self.first_link + number % self.links,
                "friend_id": self.first + self.number - 1 - number,
                "program_id": self.program.pk,
                "terms_id": self.program.terms_id,
                "at": at,
                "expires_at": at + timedelta(days=30),
            }

    def _friends(self) -> Iterator[dict[str, Any]]:
        """Of those who took the gift, the first ones bought; those of the last two weeks may still return it."""
        for number in range(self.number * FRIENDS // 100):
            link, created = number * 7 % self.links, self._ago(365)
            hold_until = created + timedelta(days=14)
            counts = hold_until <= self.now
            yield {
                "store_id": self.store.pk,
                "program_id": self.program.pk,
                "terms_id": self.program.terms_id,
                "advocate_id": self.first + link,
                "link_id": self.first_link + link,
                "friend_id": self.first + self.number - 1 - number,
                "order_id": self.first_order + number,
                "evidence": Referral.Evidence.VOUCHER,
                "status": Referral.Status.APPROVED if counts else Referral.Status.PENDING,
                "created_at": created,
                "hold_until": hold_until,
                "decided_at": hold_until if counts else None,
            }

    def _rewards(self) -> Iterator[dict[str, Any]]:
        offer = Offer.objects.for_store(self.store).earliest("pk")
        for number in range(self.number * FRIENDS // 100):
            yield {
                "store_id": self.store.pk,
                "customer_id": self.first + number * 7 % self.links,
                "side": Reward.Side.ADVOCATE,
                "offer_id": offer.pk,
                "key": f"bench-{number}",
                "granted_at": self._ago(365),
            }

    def _ago(self, days: int) -> datetime:
        return self.now - timedelta(seconds=self.random.randrange(days * 86_400))
