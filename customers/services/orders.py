"""Orders in: one or a thousand, as often as the shop likes to report them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from customers import rules
from customers.models import Customer, Order, OrderLine
from customers.services.people import Mention, Person, find_or_create_customers, mention
from customers.services.products import Line, location_ids, product_ids
from stores.codes import normalise
from stores.models import Store
from stores.rows import in_halves, insert_rows, insert_values, update_rows

# What a later report of the same order may change.
CHANGEABLE = (
    "customer_id", "total_minor", "refunded_minor", "delivered_at", "cancelled_at", "refunded_at", "code", "visit",
    "named", "card_hash", "changed_at", "updated_at",
)  # fmt: skip
LONGEST_NAMED = 120
Key = tuple[str, str]


@dataclass(frozen=True)
class OrderData:
    """An order as a shop, a file or the counter reports it; times are aware."""

    source: str
    external_id: str
    currency: str
    total_minor: int
    placed_at: datetime
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunded_minor: int = 0
    code: str = ""
    visit: str = ""  # the token that came to the shop's site with the buyer
    named: str = ""  # whom the buyer named as having sent them
    card_hash: str = ""  # of the payment card, made by the shop
    location: str = ""
    person: Person | None = None
    lines: tuple[Line, ...] = ()
    reported_at: datetime | None = None  # when the shop said so, if not just now
    changed_at: datetime | None = None  # when the order was last changed, by the shop's own clock


class Outcome:
    """What recording an order did."""

    CREATED, UPDATED, UNCHANGED, REFUSED = "created", "updated", "unchanged", "refused"


@dataclass(frozen=True)
class Recorded:
    """What became of one reported order; where it was refused, `problem` says why."""

    order: Order | None
    outcome: str
    problem: Exception | None = None


def record_order(store: Store, data: OrderData, *, at: datetime, consent_source: str = "") -> tuple[Order, str]:
    """Write an order down, or bring the known one up to date; returns it and an Outcome.

    As `record_orders`. Raises BadEmail, BadPhone.
    """
    report = _report(store, data, at, consent_source)
    with transaction.atomic(savepoint=False):
        recorded = _record(store, [report])[0]
    assert recorded.order is not None
    return recorded.order, recorded.outcome


def record_orders(store: Store, many: Sequence[OrderData], *, at: datetime, consent_source: str = "") -> list[Recorded]:
    """Write orders down in a few statements, however many; one Recorded for each, in their order.

    Idempotent on (source, external_id), also within the list, which counts as if it were told one
    after the other. Times and refunds never move backwards: a late copy of an old state changes
    nothing (RELIABILITY rule 13). A total may rise and fall by an exchange: it is the one the shop
    changed last (`changed_at`), or the one that came last where it never says when. A bad order stops
    no other. `consent_source` names where people's consent was stated, the order's source by default.
    """
    read = [_read(store, data, at, consent_source) for data in many]
    good = [one for one in read if isinstance(one, _Report)]
    done = iter(in_halves(good, partial(_record, store), refused=_refused))
    return [one if isinstance(one, Recorded) else next(done) for one in read]


@dataclass
class _Report:
    """An order that was reported, and who bought."""

    data: OrderData
    at: datetime
    buyer: Mention | None

    @property
    def key(self) -> Key:
        return self.data.source, self.data.external_id


def _report(store: Store, data: OrderData, at: datetime, consent_source: str) -> _Report:
    at, source = data.reported_at or at, consent_source or data.source
    return _Report(data, at, mention(store, data.person, at=at, source=source) if data.person else None)


def _read(store: Store, data: OrderData, at: datetime, consent_source: str) -> _Report | Recorded:
    try:
        return _report(store, data, at, consent_source)
    except (rules.BadEmail, rules.BadPhone) as error:
        return Recorded(None, Outcome.REFUSED, error)


def _refused(report: _Report, problem: Exception) -> Recorded:
    return Recorded(None, Outcome.REFUSED, problem)


def _record(store: Store, reports: Sequence[_Report]) -> list[Recorded]:
    book = _OrderBook(store, reports)
    recorded = [book.enter(report) for report in reports]
    overtaken = book.write()
    if overtaken:  # a twin was faster with these: now they are known, and brought up to date
        again = [place for place, report in enumerate(reports) if report.key in overtaken]
        for place, one in zip(again, _record(store, [reports[place] for place in again]), strict=True):
            recorded[place] = one
    return recorded


class _OrderBook:
    """The orders a list speaks of, known ones locked, in memory; what changed is written at the end, at once."""

    def __init__(self, store: Store, reports: Sequence[_Report]) -> None:
        self.store = store
        known = _known(store, reports)
        self.orders = {_key(order): order for order in known}
        self.with_lines = _with_lines(store, known)
        self.buyers = _buyers(store, reports, self.orders)
        self.locations = location_ids(store, {report.data.location for report in reports if report.data.location})
        self.made: list[Order] = []
        self.changed: dict[Key, Order] = {}
        self.lines: list[tuple[Order, tuple[Line, ...]]] = []

    def enter(self, report: _Report) -> Recorded:
        """Enter a report: a new order, or news of a known one."""
        order = self.orders.get(report.key)
        if order is None:
            return Recorded(self._new(report), Outcome.CREATED)
        if not self._bring_up_to_date(order, report):
            return Recorded(order, Outcome.UNCHANGED)
        order.updated_at = report.at
        if order.pk:
            self.changed[report.key] = order
        return Recorded(order, Outcome.UPDATED)

    def _new(self, report: _Report) -> Order:
        data = report.data
        order = Order(
            store=self.store,
            customer=self.buyers.get(report.key) if report.buyer else None,
            source=data.source,
            external_id=data.external_id,
            currency=data.currency,
            total_minor=data.total_minor,
            refunded_minor=data.refunded_minor,
            placed_at=data.placed_at,
            delivered_at=data.delivered_at,
            cancelled_at=data.cancelled_at,
            refunded_at=_refund_time(report),
            code=normalise(data.code),
            visit=rules.visit_token(data.visit),
            named=rules.clean_name(data.named)[:LONGEST_NAMED],
            card_hash=rules.card_hash(data.card_hash),
            location_id=self.locations.get(data.location),
            recorded_at=report.at,
            updated_at=report.at,
            changed_at=data.changed_at,
        )
        self.orders[report.key] = order
        self.made.append(order)
        self._add_lines(order, data.lines)
        return order

    def _bring_up_to_date(self, order: Order, report: _Report) -> bool:
        """Whether the report told anything new."""
        data, before = report.data, {name: getattr(order, name) for name in CHANGEABLE}
        order.delivered_at = order.delivered_at or data.delivered_at
        order.cancelled_at = order.cancelled_at or data.cancelled_at
        if _is_newest(order, data):
            order.total_minor = data.total_minor
            order.changed_at = data.changed_at or order.changed_at
        if data.refunded_minor > order.refunded_minor:
            order.refunded_minor = data.refunded_minor
            order.refunded_at = order.refunded_at or _refund_time(report)
        order.code = order.code or normalise(data.code)
        order.visit = order.visit or rules.visit_token(data.visit)
        order.named = order.named or rules.clean_name(data.named)[:LONGEST_NAMED]
        order.card_hash = order.card_hash or rules.card_hash(data.card_hash)
        if report.buyer and order.customer_id is None:
            order.customer = self.buyers[report.key]
        # The till may have redeemed first and reports what was sold only now.
        return self._add_lines(order, data.lines) or any(getattr(order, name) != before[name] for name in CHANGEABLE)

    def _add_lines(self, order: Order, lines: tuple[Line, ...]) -> bool:
        """Remember what was sold, if that is not known yet."""
        if not lines or _key(order) in self.with_lines:
            return False
        self.with_lines.add(_key(order))
        self.lines.append((order, lines))
        return True

    def write(self) -> set[Key]:
        """Put everything into the database; returns the new orders that somebody else wrote meanwhile."""
        # In the order of their names: two lists that share orders must not wait for each other crosswise.
        insert_rows(sorted(self.made, key=_key))
        update_rows(list(self.changed.values()), CHANGEABLE)
        self._write_lines([(order, line) for order, lines in self.lines if order.pk for line in lines])
        return {_key(order) for order in self.made if not order.pk}

    def _write_lines(self, lines: list[tuple[Order, Line]]) -> None:
        products = product_ids(self.store, [line for _, line in lines])
        rows = [
            {
                "store_id": self.store.pk,
                "order_id": order.pk,
                "product_id": products[line.sku],
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price_minor,
            }
            for order, line in lines
        ]
        insert_values(OrderLine, rows)


def _key(order: Order) -> Key:
    return order.source, order.external_id


def _known(store: Store, reports: Sequence[_Report]) -> list[Order]:
    """The orders these reports speak of, locked."""
    named = Order.objects.for_store(store).filter(
        source__in={report.data.source for report in reports},
        external_id__in={report.data.external_id for report in reports},
    )
    return list(named.select_for_update().order_by("pk"))


def _with_lines(store: Store, known: Sequence[Order]) -> set[Key]:
    """Which of these have their lines."""
    keys = {order.pk: _key(order) for order in known}
    lines = OrderLine.objects.for_store(store).filter(order__in=keys) if keys else OrderLine.objects.none()
    return {keys[order] for order in lines.values_list("order_id", flat=True).distinct()}


def _buyers(store: Store, reports: Sequence[_Report], known: dict[Key, Order]) -> dict[Key, Customer]:
    """Who placed the orders that have no customer yet, by what was first said of it."""
    first: dict[Key, Mention] = {}
    for report in reports:
        order = known.get(report.key)
        if report.buyer and (order is None or order.customer_id is None):
            first.setdefault(report.key, report.buyer)
    return dict(zip(first, find_or_create_customers(store, list(first.values())), strict=True)) if first else {}


def _is_newest(order: Order, data: OrderData) -> bool:
    """Whether a report is no older than what is known; one of unknown age is older than any whose age is known."""
    return order.changed_at is None or (data.changed_at is not None and data.changed_at >= order.changed_at)


def _refund_time(report: _Report) -> datetime | None:
    """When the order counts as refunded in full; None while it does not."""
    data = report.data
    full = rules.refunded_in_full(total_minor=data.total_minor, refunded_minor=data.refunded_minor)
    return report.at if full else None


def attach_customer(order: Order, customer: Customer, *, at: datetime) -> None:
    """Name the buyer of an order that had none."""
    nobodys = Order.objects.filter(pk=order.pk, store_id=order.store_id, customer=None)
    nobodys.update(customer=customer, updated_at=at)
    order.customer = customer


def change_total(order: Order, total_minor: int, *, at: datetime) -> None:
    """The bill that we record ourselves came to something else after all."""
    Order.objects.filter(pk=order.pk, store_id=order.store_id).update(total_minor=total_minor, updated_at=at)
    order.total_minor = total_minor


def cancel_order(order: Order, *, at: datetime) -> bool:
    """The purchase did not happen after all; True if this call said so first."""
    standing = Order.objects.filter(pk=order.pk, store_id=order.store_id, cancelled_at=None)
    return bool(standing.update(cancelled_at=at, updated_at=at))
