"""What the dashboard reads about unhappy customers and about times to value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from customers.models import Category, OrderLine, Product
from customers.rules import folded_name
from stores import lists
from stores.models import Membership, Store, User
from surveys.models import CaseEvent, RecoveryCase
from surveys.services.recovery import ASSIGNED

ROWS = 50


def cases(store: Store, *, ended: bool) -> QuerySet[RecoveryCase]:
    """Open cases, the oldest promise first; or ended ones, the latest first."""
    open_now = RecoveryCase.Status.OPEN
    rows = RecoveryCase.objects.for_store(store)
    chosen = rows.exclude(status=open_now) if ended else rows.filter(status=open_now)
    return with_facts(chosen).order_by(*(["-ended_at", "-pk"] if ended else ["promise_at", "pk"]))


def page_of(rows: QuerySet[RecoveryCase], *, ended: bool, cursor: str) -> lists.Page:
    """A page of `cases`; `cursor` is what the page before named."""
    if ended:
        return lists.keyset_page(rows, "ended_at", cursor)
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    found = list(rows[start : start + lists.PAGE + 1])
    return lists.Page(found[: lists.PAGE], str(start + lists.PAGE) if len(found) > lists.PAGE else "")


def with_facts(rows: QuerySet[RecoveryCase]) -> QuerySet[RecoveryCase]:
    """Each case with who, what they bought, and what they said."""
    lines = Prefetch("response__invitation__order__lines", OrderLine.objects.select_related("product"))
    return rows.select_related("customer", "assignee", "store", "response__invitation__order").prefetch_related(lines)


def count_open(store: Store) -> int:
    """How many people wait for help."""
    return RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.OPEN).count()


def bought(case: RecoveryCase) -> list[str]:
    """Names of what they bought, dearest first; expects `with_facts`."""
    lines = case.response.invitation.order.lines.all()
    names = [line.product.name for line in sorted(lines, key=lambda line: -line.unit_price_minor * line.quantity)]
    return names or [name for name in [case.response.invitation.product_name] if name]


def is_overdue(case: RecoveryCase, at: datetime) -> bool:
    """Whether somebody should have answered them by now; `at` is aware UTC."""
    return case.status == RecoveryCase.Status.OPEN and case.promise_at < at


@dataclass(frozen=True)
class Step:
    """A line of a case's history."""

    at: datetime
    by: str
    title: str
    note: str


def history(case: RecoveryCase) -> list[Step]:
    """What happened, latest first, in words."""
    events = list(CaseEvent.objects.for_store(case.store).filter(case=case).select_related("by").order_by("pk"))
    steps = []
    for place, event in enumerate(events):
        before = events[place - 1].status if place else ""
        steps.append(Step(event.at, str(event.by or ""), _title(event, before), _words(event)))
    return steps[::-1]


def _title(event: CaseEvent, before: str) -> str:
    if not before:
        return _("They answered, the case was opened")
    if event.status != before:
        endings = {"open": _("Opened again"), "solved": _("Solved"), "closed": _("Closed without a solution")}
        return endings[event.status]
    if event.note.startswith(ASSIGNED):
        name = event.note.removeprefix(ASSIGNED)
        return _("Now with %(name)s") % {"name": name} if name else _("Now with nobody")
    return _("Note")


def _words(event: CaseEvent) -> str:
    return "" if event.note.startswith(ASSIGNED) else event.note


def helpers(store: Store) -> list[User]:
    """Who may look after a case: everybody who works here."""
    rows = Membership.objects.for_store(store).select_related("user").order_by("user__name", "user__email")
    return [row.user for row in rows]


def products(store: Store, search: str, page: str | None) -> Page:
    """A page of the store's products with their categories; `search` looks in name and SKU."""
    rows = Product.objects.for_store(store).select_related("category").order_by("name", "pk")
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(sku__icontains=search)
    return Paginator(rows, ROWS).get_page(page)


def categories(store: Store, search: str) -> list[Category]:
    """The store's categories by name."""
    rows = Category.objects.for_store(store).order_by("name")
    return [row for row in rows if folded_name(search) in folded_name(row.name)]
