"""What is given out, as tables: a row of a table is a row of a file, people are named by their public id.

Keys, hashes, browser traces and other people's names are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from customers.models import Consent, Customer, CustomerTag, Event, Order, OrderLine
from outreach.models import Message
from referrals.models import Claim, Referral, ShareLink
from rewards.models import Entry, Redemption, Reward, Voucher
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response, Testimonial


@dataclass(frozen=True)
class Sheet:
    """A table of the file: the columns as paths from the model, and the paths by which a row is a customer's."""

    name: str
    model: type[Model]
    columns: tuple[str, ...]
    owners: tuple[str, ...] = ("customer",)

    def header(self) -> list[str]:
        """The titles: a path's words, in English, as they are for programs."""
        return [column.replace("__public_id", "_id").replace("__", "_") for column in self.columns]

    def rows(self, store: Store, *, after: int = 0) -> Any:
        """All rows of the store after that id, in order of their ids: (id, the columns)."""
        rows: Any = self.model._base_manager.filter(store_id=store.pk, pk__gt=after)
        return rows.order_by("pk").values_list("pk", *self.columns)

    def of(self, store: Store, customer: Customer) -> list[tuple[Any, ...]]:
        """The rows of one customer."""
        rows: Any = self.model._base_manager.filter(store_id=store.pk)
        mine = rows.none()
        for owner in self.owners:
            mine = mine | rows.filter(**{owner: customer.pk})
        return list(mine.order_by("pk").values_list(*self.columns))


SHEETS = (
    Sheet(
        "customers",
        Customer,
        (
            "public_id", "external_id", "name", "email", "phone", "locale", "time_zone", "birth_month", "birth_day",
            "postal_address", "email_consent", "sms_consent", "found_by_name", "on_leaderboard",
            "merged_into__public_id", "recorded_at", "erased_at",
        ),
        ("pk", "merged_into"),
    ),
    Sheet("consents", Consent, ("customer__public_id", "channel", "granted", "source", "wording", "at")),
    Sheet("tags", CustomerTag, ("customer__public_id", "tag", "at")),
    Sheet(
        "orders",
        Order,
        (
            "public_id", "customer__public_id", "source", "external_id", "currency", "total_minor", "refunded_minor",
            "placed_at", "delivered_at", "cancelled_at", "refunded_at", "code", "location__code",
        ),
    ),
    Sheet(
        "order_lines",
        OrderLine,
        ("order__public_id", "product__sku", "product__name", "quantity", "unit_price_minor"),
        ("order__customer",),
    ),
    Sheet("events", Event, ("customer__public_id", "external_id", "kind", "at", "data")),
    Sheet(
        "messages",
        Message,
        ("public_id", "customer__public_id", "kind", "channel", "to", "status", "reason", "due_at", "sent_at"),
    ),
    Sheet("questions", Invitation, ("customer__public_id", "order__public_id", "status", "reason", "due_at")),
    Sheet("answers", Response, ("public_id", "customer__public_id", "question", "score", "comment", "via", "at")),
    Sheet("cases", RecoveryCase, ("public_id", "customer__public_id", "status", "outcome", "opened_at", "ended_at")),
    Sheet(
        "testimonials",
        Testimonial,
        ("customer__public_id", "status", "text", "shown_name", "permission", "is_published", "asked_at"),
    ),
    Sheet("share_links", ShareLink, ("code", "customer__public_id", "is_main", "created_at", "shared_at")),
    Sheet("gifts_taken", Claim, ("friend__public_id", "link__customer__public_id", "at"), ("friend", "link__customer")),
    Sheet(
        "referrals",
        Referral,
        (
            "public_id", "advocate__public_id", "friend__public_id", "order__public_id", "status", "reason",
            "created_at",
        ),
        ("advocate", "friend"),
    ),
    Sheet("rewards", Reward, ("customer__public_id", "side", "offer__kind", "amount_minor", "status", "granted_at")),
    Sheet("vouchers", Voucher, ("customer__public_id", "code", "kind", "status", "issued_at", "expires_at")),
    Sheet(
        "vouchers_used",
        Redemption,
        (
            "voucher__customer__public_id", "voucher__code", "amount_minor", "discount_minor", "currency", "at",
            "reversed_at",
        ),
        ("voucher__customer",),
    ),
    Sheet(
        "books",
        Entry,
        (
            "transaction__kind", "transaction__at", "account__kind", "account__customer__public_id", "amount_minor",
            "currency",
        ),
        ("account__customer",),
    ),
)  # fmt: skip


def plain(values: Iterable[Any]) -> list[Any]:
    """Values as JSON and CSV write them; times in UTC by ISO 8601."""
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
