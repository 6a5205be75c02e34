"""Writes about people and orders: the only writer of customers, consents, products and orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from customers import rules
from customers.models import Category, Channel, Consent, Customer, Event, Order, OrderLine, Product
from stores.codes import normalise
from stores.models import Location, Store
from stores.tenancy import insert_new


@dataclass(frozen=True)
class Person:
    """Who somebody says they are. E-mail and phone as typed; `consent` maps channel to yes or no."""

    name: str = ""
    email: str = ""
    phone: str = ""
    external_id: str = ""
    locale: str = ""
    consent: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A product in an order; the unit price is in minor units of the order's currency."""

    sku: str
    name: str
    category: str = ""
    quantity: int = 1
    unit_price_minor: int = 0


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
    location: str = ""
    person: Person | None = None
    lines: tuple[Line, ...] = ()


class Outcome:
    """What recording an order did."""

    CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


def find_or_create_customer(
    store: Store, person: Person, *, at: datetime, source: str, known: set[str] | None = None
) -> Customer:
    """The customer this person is: by the shop's id, else e-mail, else phone; made when unknown.

    What was blank is filled in; a filled e-mail or phone is never overwritten, and one that belongs
    to another customer stays theirs. `known` (see `Shared`) spares the look-up of people who cannot be
    there yet. Raises BadEmail, BadPhone.
    """
    email = rules.normal_email(person.email)
    phone = rules.normal_phone(person.phone, store.country)
    names = {name for name in (person.external_id, email, phone) if name}
    may_be_known = known is None or bool(names & known)
    if known is not None:
        known |= names
    customer = _find(store, person.external_id, email, phone) if may_be_known else None
    if customer is None:
        return _create(store, person, email, phone, at, source)
    _fill_in(customer, person, email, phone)
    for channel, granted in person.consent.items():
        record_consent(customer, Channel(channel), granted=granted, source=source, at=at)
    return customer


def find_customer(store: Store, person: Person) -> Customer | None:
    """The customer this person is, None when unknown; changes nothing. Raises BadEmail, BadPhone."""
    email = rules.normal_email(person.email)
    return _find(store, person.external_id, email, rules.normal_phone(person.phone, store.country))


def _find(store: Store, external_id: str, email: str, phone: str) -> Customer | None:
    known = Q(pk=None)
    for column, value in (("external_id", external_id), ("email_norm", email), ("phone_norm", phone)):
        if value:
            known |= Q(**{column: value})
    found = list(Customer.objects.for_store(store).filter(known)) if len(known) > 1 else []
    ranked = sorted(
        found, key=lambda one: (not external_id or one.external_id != external_id, not email or one.email_norm != email)
    )
    return ranked[0] if ranked else None


def _create(store: Store, person: Person, email: str, phone: str, at: datetime, source: str) -> Customer:
    name = rules.clean_name(person.name)
    said = {Channel(channel): granted for channel, granted in person.consent.items()}
    customer = Customer(
        store=store,
        external_id=person.external_id,
        name=name,
        name_norm=rules.folded_name(name),
        email=person.email.strip(),
        email_norm=email,
        phone=phone,
        phone_norm=phone,
        locale=person.locale,
        email_consent=said.get(Channel.EMAIL, False),
        sms_consent=said.get(Channel.SMS, False),
        recorded_at=at,
    )
    if not insert_new(customer):  # a twin was faster: theirs is the row
        theirs = _find(store, person.external_id, email, phone)
        if theirs is None:  # not by these: one of them belongs to somebody else
            raise IntegrityError("customer conflicts with one that cannot be seen")
        return theirs
    if said:
        Consent.objects.bulk_create(
            Consent(store=store, customer=customer, channel=channel, granted=granted, source=source[:80], at=at)
            for channel, granted in said.items()
        )
    return customer


def _fill_in(customer: Customer, person: Person, email: str, phone: str) -> None:
    """Fill blanks; a value that another customer holds is left with them."""
    name = rules.clean_name(person.name)
    wanted: dict[str, dict[str, Any]] = {
        "external_id": {"external_id": person.external_id},
        "name": {"name": name, "name_norm": rules.folded_name(name)},
        "email_norm": {"email": person.email.strip(), "email_norm": email},
        "phone_norm": {"phone": phone, "phone_norm": phone},
        "locale": {"locale": person.locale},
    }
    for column, values in wanted.items():
        if values[column] and not getattr(customer, column):
            _try_update(customer, values)


def _try_update(customer: Customer, values: dict[str, Any]) -> None:
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=customer.pk, store_id=customer.store_id).update(**values)
    except IntegrityError:
        return
    for column, value in values.items():
        setattr(customer, column, value)


def record_consent(
    customer: Customer, channel: Channel, *, granted: bool, source: str, at: datetime, wording: str = ""
) -> bool:
    """Write down a yes or no for marketing on `channel`; True when it differs from what stood."""
    column = f"{channel}_consent"
    if granted and getattr(customer, column):
        return False
    mine = Customer.objects.filter(pk=customer.pk, store_id=customer.store_id, **{column: not granted})
    changed = mine.update(**{column: granted})
    if changed or not granted:
        Consent.objects.create(
            store_id=customer.store_id,
            customer=customer,
            channel=channel,
            granted=granted,
            source=source[:80],
            wording=wording[:250],
            at=at,
        )
    setattr(customer, column, granted)
    return bool(changed)


@dataclass
class Shared:
    """What the orders of one list have in common, read once instead of for each (`shared_by`)."""

    orders: set[tuple[str, str]]  # (source, external_id) known before
    products: dict[str, Product]
    locations: dict[str, Location]
    people: set[str]  # shop's ids, e-mails and phones that some customer may have


def shared_by(store: Store, many: Sequence[OrderData]) -> Shared:
    """Look up, and make, what these orders share."""
    known = Order.objects.for_store(store).filter(external_id__in={one.external_id for one in many})
    codes = {one.location for one in many if one.location}
    return Shared(
        orders=set(known.values_list("source", "external_id")),
        products=find_or_create_products(store, [line for one in many for line in one.lines]),
        locations={code: found for code in codes if (found := _location(store, code))},
        people=_known_names(store, [one.person for one in many if one.person]),
    )


def _known_names(store: Store, people: Sequence[Person]) -> set[str]:
    """Every name of the customers that share an id, an e-mail or a phone with these people.

    What cannot be read as an address names nobody; recording it says so.
    """
    ids, emails, phones = set(), set(), set()
    for person in people:
        with suppress(rules.BadEmail, rules.BadPhone):
            ids.add(person.external_id)
            emails.add(rules.normal_email(person.email))
            phones.add(rules.normal_phone(person.phone, store.country))
    same = Q(external_id__in=ids - {""}) | Q(email_norm__in=emails - {""}) | Q(phone_norm__in=phones - {""})
    rows = Customer.objects.for_store(store).filter(same)
    return {name for row in rows.values_list("external_id", "email_norm", "phone_norm") for name in row if name}


def record_order(
    store: Store, data: OrderData, *, at: datetime, consent_source: str = "", shared: Shared | None = None
) -> tuple[Order, str]:
    """Write an order down, or bring the known one up to date; returns it and an Outcome.

    Idempotent on (source, external_id). Times and refunds never move backwards: a late copy of an
    old state changes nothing (RELIABILITY rule 13). `consent_source` names where the person's consent
    was stated, the order's source by default; `shared` spares look-ups for a list. Raises BadEmail,
    BadPhone.
    """
    source = consent_source or data.source
    with transaction.atomic(savepoint=False):
        named = Order.objects.for_store(store).filter(source=data.source, external_id=data.external_id)
        is_new = shared is not None and (data.source, data.external_id) not in shared.orders
        has_lines = Exists(OrderLine.objects.filter(store=store, order=OuterRef("pk")))
        known = None if is_new else named.annotate(has_lines=has_lines).select_for_update(of=("self",)).first()
        if known:
            return known, _bring_up_to_date(store, known, data, at, source)
        created = _create_order(store, data, at, source, shared)
        if shared:
            shared.orders.add((data.source, data.external_id))
        if created:
            return created, Outcome.CREATED
        known = named.annotate(has_lines=has_lines).get()
        return known, _bring_up_to_date(store, known, data, at, source)


def _create_order(store: Store, data: OrderData, at: datetime, source: str, shared: Shared | None) -> Order | None:
    """The new order with its lines; None when a twin was faster."""
    person = data.person
    order = Order(
        store=store,
        customer=find_or_create_customer(store, person, at=at, source=source, known=shared.people if shared else None)
        if person
        else None,
        source=data.source,
        external_id=data.external_id,
        currency=data.currency,
        total_minor=data.total_minor,
        refunded_minor=data.refunded_minor,
        placed_at=data.placed_at,
        delivered_at=data.delivered_at,
        cancelled_at=data.cancelled_at,
        refunded_at=_refund_time(data, at),
        code=normalise(data.code),
        location=shared.locations.get(data.location) if shared else _location(store, data.location),
        recorded_at=at,
        updated_at=at,
    )
    if not insert_new(order):
        return None
    _add_lines(store, order, data.lines, shared)
    return order


def _add_lines(store: Store, order: Order, lines: tuple[Line, ...], shared: Shared | None = None) -> None:
    if not lines:
        return
    products = shared.products if shared else find_or_create_products(store, lines)
    OrderLine.objects.bulk_create(
        OrderLine(
            store=store,
            order=order,
            product=products[line.sku],
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
        )
        for line in lines
    )


def _refund_time(data: OrderData, at: datetime) -> datetime | None:
    full = rules.refunded_in_full(total_minor=data.total_minor, refunded_minor=data.refunded_minor)
    return at if full else None


def _bring_up_to_date(store: Store, order: Order, data: OrderData, at: datetime, source: str) -> str:
    changes: dict[str, Any] = {}
    for column in ("delivered_at", "cancelled_at"):
        if getattr(order, column) is None and getattr(data, column) is not None:
            changes[column] = getattr(data, column)
    if order.total_minor != data.total_minor:
        changes["total_minor"] = data.total_minor
    if data.refunded_minor > order.refunded_minor:
        changes["refunded_minor"] = data.refunded_minor
        if order.refunded_at is None and _refund_time(data, at):
            changes["refunded_at"] = at
    if data.code and not order.code:
        changes["code"] = normalise(data.code)
    if data.person and order.customer_id is None:
        changes["customer"] = find_or_create_customer(store, data.person, at=at, source=source)
    if data.lines and not getattr(order, "has_lines", True):  # the till redeemed first and reports the sale after
        _add_lines(store, order, data.lines)
        changes["updated_at"] = at
    if not changes:
        return Outcome.UNCHANGED
    changes["updated_at"] = at
    for column, value in changes.items():
        setattr(order, column, value)
    order.save(update_fields=list(changes))
    return Outcome.UPDATED


def _location(store: Store, code: str) -> Location | None:
    if not code:
        return None
    return Location.objects.get_or_create(store=store, code=code, defaults={"name": code})[0]


def find_or_create_products(store: Store, lines: Iterable[Line]) -> dict[str, Product]:
    """The products of these lines by SKU; new ones and their categories are made."""
    by_sku = {line.sku: line for line in lines}
    if not by_sku:
        return {}
    known = {one.sku: one for one in Product.objects.for_store(store).filter(sku__in=by_sku)}
    missing = [line for sku, line in by_sku.items() if sku not in known]
    if missing:
        categories = _categories(store, {line.category for line in missing if line.category})
        Product.objects.bulk_create(
            [
                Product(store=store, sku=line.sku, name=line.name or line.sku, category=categories.get(line.category))
                for line in missing
            ],
            ignore_conflicts=True,
        )
        known = {one.sku: one for one in Product.objects.for_store(store).filter(sku__in=by_sku)}
    return known


def _categories(store: Store, names: set[str]) -> dict[str, Category]:
    if names:
        Category.objects.bulk_create([Category(store=store, name=name) for name in names], ignore_conflicts=True)
    return {one.name: one for one in Category.objects.for_store(store).filter(name__in=names)}


def record_event(
    store: Store,
    *,
    external_id: str,
    kind: str,
    person: Person,
    data: dict[str, Any],
    happened_at: datetime,
    at: datetime,
) -> tuple[Event, bool]:
    """Write down something that happened to a person; idempotent on `external_id`. True when new."""
    customer = find_or_create_customer(store, person, at=at, source="api")
    return Event.objects.get_or_create(
        store=store,
        external_id=external_id,
        defaults={"kind": kind, "customer": customer, "at": happened_at, "data": data},
    )


def set_days_to_value(store: Store, *, categories: dict[int, int | None], products: dict[int, int | None]) -> int:
    """Set time to value in days by row id, None for "as the level above says"; returns how many rows changed."""
    changed = 0
    for model, wanted in ((Category, categories), (Product, products)):
        for pk, days in sorted(wanted.items()):
            rows = model.objects.for_store(store).filter(pk=pk)
            changed += rows.exclude(time_to_value_days=days).update(time_to_value_days=days)
    return changed


def attach_customer(order: Order, customer: Customer, *, at: datetime) -> None:
    """Name the buyer of an order that had none."""
    nobodys = Order.objects.filter(pk=order.pk, store_id=order.store_id, customer=None)
    nobodys.update(customer=customer, updated_at=at)
    order.customer = customer


def cancel_order(order: Order, *, at: datetime) -> bool:
    """The purchase did not happen after all; True if this call said so first."""
    standing = Order.objects.filter(pk=order.pk, store_id=order.store_id, cancelled_at=None)
    return bool(standing.update(cancelled_at=at, updated_at=at))
