"""Advocates found by the name their friend says: only those who allowed it, never more than a few."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.models import Customer, Order
from customers.rules import clean_name, folded_name
from stores.limits import count
from stores.models import AuditEvent, Store, User

SHORTEST = 3  # letters; fewer would list the customers
MOST = 5  # candidates that are shown
WINDOW = 600  # seconds
TRIES = {"till": 30, "network": 10, "store": 300}

# ~>=~ and ~<~ compare as the text_pattern_ops index does and are leakproof, so that row-level security lets
# them use it (RELIABILITY rule 38); nothing of UTF-8 sorts after U+10FFFF.
_MATCHES = """
    SELECT asked.name, found.id
    FROM unnest(%s::text[]) AS asked(name)
    CROSS JOIN LATERAL (
        SELECT id, name_norm FROM customers_customer
        WHERE store_id = %s AND name_norm ~>=~ asked.name AND name_norm ~<~ (asked.name || chr(1114111))
          AND found_by_name AND merged_into_id IS NULL AND erased_at IS NULL
        ORDER BY name_norm <> asked.name, name_norm, id LIMIT %s
    ) AS found
    ORDER BY asked.name, found.name_norm <> asked.name, found.name_norm, found.id
"""


def folded(typed: str) -> str:
    """The name as it is compared, '' when too little was typed: "Sara A." looks for "sara a"."""
    name = re.sub(r"[.,;:…]+(?=\s|$)", "", folded_name(clean_name(typed)))[:120]
    return name if len(re.findall(r"[^\W\d_]", name)) >= SHORTEST else ""


def candidates(store: Store, typed: str) -> list[Customer]:
    """At most five advocates whose name is, or begins with, what was typed; the same name first."""
    return matches(store, [typed]).get(typed, [])[:MOST]


def matches(store: Store, names: Iterable[str]) -> dict[str, list[Customer]]:
    """By name as typed, who may be meant: up to one more than are shown, so that "several" is known. Two queries."""
    asked = {typed: name for typed in names if (name := folded(typed))}
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_MATCHES, [sorted(set(asked.values())), store.pk, MOST + 1])
        rows = cursor.fetchall()
    people = Customer.objects.for_store(store).select_related("store").in_bulk({pk for _name, pk in rows})
    found: dict[str, list[Customer]] = defaultdict(list)
    for name, pk in rows:
        found[name].append(people[pk])
    return {typed: found[name] for typed, name in asked.items() if found[name]}


def only_one(typed: str, people: list[Customer]) -> Customer | None:
    """Whom a name means without doubt: the only match, or the only one who is called exactly so in full."""
    name = folded(typed)
    exact = [one for one in people if one.name_norm == name] if " " in name else []
    certain = exact or people
    return certain[0] if len(certain) == 1 else None


def masked(customer: Customer) -> str:
    """Somebody as staff may read them out to a friend of theirs: "Sara A., phone ending 21"."""
    name = customer.short_name
    if len(customer.phone_norm) < 6:  # a short number's end would be most of it
        return name
    return _("%(name)s, phone ending %(digits)s") % {"name": name, "digits": customer.phone_norm[-2:]}


def too_many(store: Store, who: str, *, where: str) -> bool:
    """Count one more look-up by this till or network; True past its limit, or past the store's of strangers."""
    mine = count(f"names:{where}:{store.pk}:{who}", per_seconds=WINDOW)
    if where == "till":
        return mine > TRIES["till"]
    return mine > TRIES["network"] or count(f"names:{store.pk}", per_seconds=WINDOW) > TRIES["store"]


def put_aside(order: Order, *, by: User | None, at: datetime) -> bool:
    """Nobody need look any more whom this order's buyer meant; True if this call did it."""
    return _set_aside(order, at, by=by, at=at)


def take_up_again(order: Order, *, by: User | None, at: datetime) -> bool:
    """Undo that; True if this call did it."""
    return _set_aside(order, None, by=by, at=at)


def _set_aside(order: Order, aside_at: datetime | None, *, by: User | None, at: datetime) -> bool:
    rows = Order.objects.filter(pk=order.pk, store_id=order.store_id).exclude(named="")
    with transaction.atomic():
        if not rows.filter(name_aside_at__isnull=aside_at is not None).update(name_aside_at=aside_at):
            return False
        action = "order.name_aside" if aside_at else "order.name_again"
        AuditEvent.objects.create(store_id=order.store_id, at=at, user=by, action=action, subject=order.public_id)
    return True
