"""The owner's home, the rows behind its numbers, one customer, and the messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers import consents
from customers.models import Customer
from insights import letters, portrait
from insights.home import board, is_new
from insights.numbers import kept
from insights.numbers.period import CHOICES, Period
from insights.numbers.scope import Scope
from insights.reporting import filters_of
from insights.rows import listing
from insights.setup.steps import for_home as setup_board
from insights.timeline import SORTS, timeline
from outreach.models import Message
from referrals.doubles import merges_of
from referrals.services import forgetting
from stores.access import for_role
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def home(request: HttpRequest, store: Store) -> HttpResponse:
    """What needs me today, and what it brought."""
    at = timezone.now()
    period = Period.chosen(request.GET.get("days", ""), at)
    counted = kept.find(store, period.days, at)
    if counted:
        period = counted.period
    with kept.reading(counted):
        gathered = board(store, period, request.role, at)  # type: ignore[attr-defined]
    context = {
        "nav_key": "home",
        "greeting": greeting(store, request.user.get_short_name(), at),  # type: ignore[union-attr]
        "period": period,
        "periods": CHOICES,
        "counted_at": period.end if counted else None,
        "is_new": is_new(store),
        "setup": setup_board(store, request.role),  # type: ignore[attr-defined]
        "board": gathered,
    }
    return render(request, "insights/home.html", context)


def greeting(store: Store, name: str, at: datetime) -> str:
    """Good morning, afternoon or evening, by the store's clock."""
    hour = at.astimezone(store.zone).hour
    if 4 <= hour < 12:
        return _("Good morning, %(name)s") % {"name": name}
    if 12 <= hour < 18:
        return _("Good afternoon, %(name)s") % {"name": name}
    return _("Good evening, %(name)s") % {"name": name}


@require_safe
@for_role(Role.MANAGER)
def rows(request: HttpRequest, store: Store, what: str) -> HttpResponse:
    """The rows behind a number of the home page; `?format=csv` gives them as a file."""
    scope = Scope.chosen(store, request.GET, timezone.now())
    only = request.GET.get("only", "")
    found = listing(store, what, scope, only)
    if found is None:
        raise Http404("no such list")
    if request.GET.get("format") == "csv":
        newest = found.rows.order_by(f"-{found.column}", "-pk")[:EXPORT_LIMIT]
        return csv_response(what, found.header, ([cell.plain for cell in found.cells(row)] for row in newest))
    page = keyset_page(found.rows, found.column, request.GET.get("after", ""))
    context = {
        "nav_key": "reports" if scope.filters else "home",
        "listing": found,
        "only": only,
        "period": scope.period,
        "periods": CHOICES,
        "filters": filters_of(scope),
        "scope": scope,
        "rows": [found.cells(row) for row in page.rows],
        "page": page,
    }
    return render(request, "insights/rows.html", context)


@require_safe
@for_role(Role.MANAGER)
def customer(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Everything about one customer."""
    found = get_object_or_404(Customer.objects.for_store(store), public_id=public_id)
    if found.merged_into:
        return redirect("insights:customer", store=store.slug, public_id=found.merged_into.public_id)
    waiting = None if found.erased_at else forgetting.job_of(found)
    sort = request.GET.get("show", "") if request.GET.get("show") in SORTS else ""
    context: dict[str, Any] = {
        "nav_key": "customers",
        "customer": found,
        "portrait": portrait.of(store, found, at=timezone.now()),
        "sort": sort,
        "sorts": SORTS,
        "timeline": timeline(store, found, sort=sort, after=request.GET.get("after", "")),
        "merges": merges_of(store, found),
        "consents": consents.standing(store, found),
        "forgetting": waiting,
        "forgotten_at": forgetting.due_at(waiting) if waiting else None,
    }
    return render(request, "insights/customer.html", context)


@require_safe
@for_role(Role.MANAGER)
def messages(request: HttpRequest, store: Store) -> HttpResponse:
    """What goes out next, what went out, what did not and why, and what nobody knows."""
    show = letters.Show.chosen(request.GET.get("show", ""))
    at = timezone.now()
    if request.GET.get("format") == "csv":
        lines = letters.page(store, show, "", size=EXPORT_LIMIT).rows
        return csv_response(f"messages-{show.value}", letters.header(), (line.cells() for line in lines))
    context = {
        "nav_key": "messages",
        "show": show,
        "shows": letters.tabs(store, at),
        "page": letters.page(store, show, request.GET.get("after", "")),
        "unknown": Message.Status.UNKNOWN,
    }
    return render(request, "insights/messages.html", context)
