"""A year of orders and answers for a shop, by a seeded generator; it ends at the moment given."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from customers.services import Line, OrderData, Person
from insights.demo.shops import Shop
from insights.replay.history import Answer

YEAR = 365
LATE, CANCELLED, REFUNDED = 0.08, 0.02, 0.03
HAPPY = ((10, 0.42), (9, 0.22), (8, 0.15), (7, 0.08), (6, 0.05), (4, 0.04), (2, 0.04))
LATE_ANSWERS = ((9, 0.12), (7, 0.18), (5, 0.3), (3, 0.2), (1, 0.2))


def people_of(shop: Shop) -> list[Person]:
    """The shop's regulars and passers-by, with what they agreed to."""
    luck = Random(f"{shop.slug}:people")
    people = []
    for number in range(shop.people):
        consent = {"email": luck.random() < 0.7, "sms": luck.random() < 0.35}
        people.append(
            Person(
                name=f"{luck.choice(shop.names)} {luck.choice(shop.surnames)}",
                email="" if luck.random() < 0.12 else f"{shop.slug}.{number:04d}@example.com",
                phone=f"{shop.phone_prefix}{number:04d}",
                external_id=f"c-{number:04d}",
                locale=shop.locale if luck.random() < 0.9 else "en",
                consent=consent,
            )
        )
    return people


def year_of(shop: Shop, until: datetime, *, days: int = YEAR) -> tuple[list[OrderData], dict[str, Answer]]:
    """The shop's orders of the `days` before `until` (aware), and what their buyers will answer when asked."""
    luck, people = Random(f"{shop.slug}:orders"), people_of(shop)
    zone, number = ZoneInfo(shop.timezone), 0
    orders: list[OrderData] = []
    answers: dict[str, Answer] = {}
    for day in range(days, -1, -1):
        growth = 0.7 + 0.6 * (days - day) / days
        for _ in range(_poisson(luck, shop.orders_a_day * growth)):
            number += 1
            placed = _moment(luck, until, day, zone)
            # A few regulars buy often: the square of a uniform number favours the first of the list.
            person = people[int(luck.random() ** 2 * len(people))]
            order, late = _order(shop, luck, f"{shop.slug[:1].upper()}{number:05d}", placed, person)
            answer = _answer(shop, luck, late)
            if placed <= until:
                orders.append(_known_by(order, until))
            if answer:
                answers[order.external_id] = answer
    return orders, answers


def _poisson(luck: Random, mean: float) -> int:
    """How many come in a day. Source: Knuth, The Art of Computer Programming 3.4.1."""
    limit, product, count = 2.718281828**-mean, luck.random(), 0
    while product > limit:
        product *= luck.random()
        count += 1
    return count


def _moment(luck: Random, until: datetime, days_ago: int, zone: ZoneInfo) -> datetime:
    """Some time in opening hours, local."""
    day = (until.astimezone(zone) - timedelta(days=days_ago)).date()
    return datetime.combine(day, time(9), tzinfo=zone) + timedelta(minutes=luck.randrange(11 * 60))


def _order(shop: Shop, luck: Random, external_id: str, placed: datetime, person: Person) -> tuple[OrderData, bool]:
    items = luck.sample(shop.items, k=luck.choices((1, 2, 3), (0.6, 0.3, 0.1))[0])
    lines = tuple(
        Line(item.sku, item.name, item.category, luck.choices((1, 2), (0.8, 0.2))[0], item.price_minor)
        for item in items
    )
    total = sum(line.quantity * line.unit_price_minor for line in lines)
    late, fate = luck.random() < LATE, luck.random()
    days = luck.uniform(22, 30) if late else luck.uniform(1.5, 6)
    return (
        OrderData(
            source="shop",
            external_id=external_id,
            currency=shop.currency,
            total_minor=total,
            placed_at=placed,
            delivered_at=placed + timedelta(days=days) if shop.delivers and fate > CANCELLED else None,
            cancelled_at=placed + timedelta(hours=luck.uniform(1, 20)) if fate <= CANCELLED else None,
            refunded_minor=total if CANCELLED < fate <= CANCELLED + REFUNDED else 0,
            location=luck.choice(list(shop.locations)) if shop.locations else "",
            person=person,
            lines=lines,
        ),
        late and shop.delivers,
    )


def _known_by(order: OrderData, until: datetime) -> OrderData:
    """The order as it is known at `until`: what comes later has not happened."""
    delivered = order.delivered_at if order.delivered_at and order.delivered_at <= until else None
    cancelled = order.cancelled_at if order.cancelled_at and order.cancelled_at <= until else None
    values = {**order.__dict__, "delivered_at": delivered, "cancelled_at": cancelled}
    return OrderData(**values)


def _answer(shop: Shop, luck: Random, late: bool) -> Answer | None:
    scores, weights = zip(*(LATE_ANSWERS if late else HAPPY), strict=True)
    score, speaks, words = luck.choices(scores, weights)[0], luck.random() < 0.45, luck.random()
    answers, delay = luck.random() < shop.answering, timedelta(hours=luck.expovariate(1 / 14))
    said = shop.praise if score >= 7 else shop.complaints
    comment = said[int(words * len(said))] if speaks and said else ""
    return Answer(delay, score, comment) if answers else None
