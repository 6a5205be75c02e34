"""What staff see of appeals: which wait, and the orders that an advocate may mean. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.models import Customer, Order
from referrals.models import Appeal, Referral
from stores.l10n import fold_digits
from stores.models import Store

SHOWN = 20  # orders of one appeal
LOOK_BACK = timedelta(days=365)
PEOPLE = 20  # of the same name


@dataclass(frozen=True)
class Candidate:
    """An order that may be meant: how it was found, and who is credited with it so far."""

    order: Order
    found: str
    credited: Referral | None
    hint: str  # why it cannot be chosen; '' when it can


def appeals_of(store: Store) -> QuerySet[Appeal]:
    """The store's appeals with everybody they name."""
    return Appeal.objects.for_store(store).select_related(
        "customer", "by", "store", "referral__order", "referral__friend", "referral__link__customer__store",
        "referral__link__store",
    )  # fmt: skip


def waiting(store: Store) -> QuerySet[Appeal]:
    """Those without an answer, the oldest first."""
    return appeals_of(store).filter(status=Appeal.Status.OPEN).order_by("at", "pk")


def count_waiting(store: Store) -> int:
    """How many wait for an answer."""
    return int(Appeal.objects.for_store(store).filter(status=Appeal.Status.OPEN).aggregate(n=Count("pk"))["n"])


def candidates(appeal: Appeal) -> list[Candidate]:
    """The orders that fit, best evidence first: by number, by contact, by name; a fixed number of queries."""
    found: dict[int, tuple[Order, str]] = {}
    for orders, how in _searches(appeal):
        for order in orders:
            found.setdefault(order.pk, (order, how))
    rows = list(found.values())[:SHOWN]
    return [_candidate(appeal, order, how) for order, how in rows]


def candidate_order(appeal: Appeal, public_id: str) -> Order | None:
    """One of the appeal's orders, which staff picked."""
    if appeal.referral:
        return appeal.referral.order if appeal.referral.order.public_id == public_id else None
    return next((one.order for one in candidates(appeal) if one.order.public_id == public_id), None)


def _searches(appeal: Appeal) -> Iterator[tuple[list[Order], str]]:
    orders = _orders(appeal)
    if appeal.order_number:
        yield list(orders.filter(external_id__in=spellings(appeal.order_number))[:SHOWN]), str(_("by the number"))
    contact = _by_contact(appeal)
    if contact:
        yield list(orders.filter(contact)[:SHOWN]), str(_("by phone or e-mail"))
    name = rules.folded_name(appeal.friend_name)
    if name:
        people = Customer.objects.for_store(appeal.store).filter(name_norm__startswith=name, erased_at=None)
        ids = list(people.values_list("pk", flat=True)[:PEOPLE])
        yield list(orders.filter(customer__in=ids)[:SHOWN]), str(_("by the name"))


def _orders(appeal: Appeal) -> QuerySet[Order]:
    credits = Referral.objects.for_store(appeal.store).filter(replaced_at=None).select_related("advocate")
    recent = Order.objects.for_store(appeal.store).filter(placed_at__gte=appeal.at - LOOK_BACK)
    joined = recent.select_related("customer", "store").prefetch_related(Prefetch("referrals", credits, "in_force"))
    return joined.order_by("-placed_at", "-pk")


def spellings(number: str) -> set[str]:
    """An order's number as people copy it: with # or without, in capitals or not, in any digits."""
    plain = fold_digits(number).strip().lstrip("#").strip()
    return {form for bare in (plain, plain.upper(), plain.lower()) for form in (bare, f"#{bare}") if bare}


def _by_contact(appeal: Appeal) -> Q | None:
    """The friend by e-mail or phone; None where what was written is neither."""
    typed = appeal.friend_contact
    try:
        if "@" in typed:
            return Q(customer__email_norm=rules.normal_email(typed))
        return Q(customer__phone_norm=rules.normal_phone(typed, appeal.store.country)) if typed else None
    except (rules.BadEmail, rules.BadPhone):
        return None


def _candidate(appeal: Appeal, order: Order, found: str) -> Candidate:
    credited = next(iter(order.in_force), None)  # type: ignore[attr-defined]
    return Candidate(order, found, credited, _against(appeal, order, credited))


def _against(appeal: Appeal, order: Order, credited: Referral | None) -> str:
    if order.customer_id == appeal.customer_id:
        return str(_("It is their own order."))
    if order.cancelled_at or order.refunded_at:
        return str(_("It was cancelled or sent back."))
    if credited and credited.status == Referral.Status.APPROVED:
        return str(_("It has counted already."))
    if credited and credited.status != Referral.Status.VOIDED and credited.advocate_id == appeal.customer_id:
        return str(_("It is credited to them already, and waits."))
    return ""
