"""Reports: the funnel, friends against others, cost and return, who brings friends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from insights import reporting
from insights.numbers import cohorts, leaders
from insights.numbers.cohorts import Cohort
from insights.numbers.period import CHOICES, Period
from insights.numbers.scope import Scope
from insights.report_forms import MarginForm
from insights.reporting import Table
from insights.rows import first_purchases
from stores.access import for_role
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store


def _page(request: HttpRequest, tab: str, tables: Sequence[Table], context: dict[str, Any]) -> HttpResponse:
    """The page, or with `?format=csv&table=` one of its tables as a file."""
    if request.GET.get("format") == "csv":
        table = reporting.of_key(tables, request.GET.get("table", tables[0].key))
        if table is None:
            raise Http404("no such table")
        return table.as_file(tab)
    shown = {"nav_key": "reports", "tab": tab, "tables": tables, "at": timezone.now(), **context}
    return render(request, f"insights/reports/{tab}.html", shown)


def _scoped(scope: Scope) -> dict[str, Any]:
    return {"scope": scope, "period": scope.period, "periods": CHOICES, "filters": reporting.filters_of(scope)}


@require_safe
@for_role(Role.MANAGER)
def funnel(request: HttpRequest, store: Store) -> HttpResponse:
    """People at each step, whole and split by one property each."""
    scope = Scope.chosen(store, request.GET, timezone.now())
    board = reporting.funnel(store, scope)
    return _page(request, "funnel", board.tables, {**_scoped(scope), "board": board})


@require_safe
@for_role(Role.MANAGER)
def compared(request: HttpRequest, store: Store) -> HttpResponse:
    """Customers whom a friend sent, and all others, followed equally long."""
    cohort = Cohort.chosen(request.GET.get("came", ""), request.GET.get("followed", ""), timezone.now())
    found = cohorts.compare(store, cohort)
    table = reporting.cohort_table(store, cohort, found)
    context = {
        "cohort": cohort,
        "found": found,
        "measures": reporting.measures(store, found),
        "came_choices": cohorts.CAME,
        "followed_choices": cohorts.FOLLOWED,
    }
    return _page(request, "cohorts", [table], context)


@require_safe
@for_role(Role.MANAGER)
def firsts(request: HttpRequest, store: Store) -> HttpResponse:
    """The first purchases behind the comparison; `?format=csv` gives them as a file."""
    cohort = Cohort.chosen(request.GET.get("came", ""), request.GET.get("followed", ""), timezone.now())
    only = request.GET.get("only", "")
    found = first_purchases(store, cohort, only)
    if request.GET.get("format") == "csv":
        newest = found.rows.order_by(f"-{found.column}", "-pk")[:EXPORT_LIMIT]
        return csv_response("first-purchases", found.header, ([c.plain for c in found.cells(row)] for row in newest))
    page = keyset_page(found.rows, found.column, request.GET.get("after", ""))
    context = {
        "nav_key": "reports",
        "listing": found,
        "only": only,
        "cohort": cohort,
        "rows": [found.cells(row) for row in page.rows],
        "page": page,
    }
    return render(request, "insights/reports/firsts.html", context)


@require_safe
@for_role(Role.MANAGER)
def returned(request: HttpRequest, store: Store) -> HttpResponse:
    """What friends paid, what rewards cost, what is left; of the whole store."""
    scope = Scope(Period.chosen(request.GET.get("days", ""), timezone.now()))
    board, form = reporting.returned(store, scope), MarginForm(request.GET if "margin" in request.GET else None)
    margin = form.cleaned_data["margin"] if form.is_bound and form.is_valid() else None
    context = {**_scoped(scope), "board": board, "form": form, "margin": margin}
    if margin is not None:
        context |= {"gained": board.whole.gained_minor(margin), "for_one": board.whole.earned_for_one(margin)}
    return _page(request, "returns", board.tables, context)


@require_safe
@for_role(Role.MANAGER)
def leaderboard(request: HttpRequest, store: Store) -> HttpResponse:
    """Who brought friends, the best first; the file has all of them."""
    scope = Scope.chosen(store, request.GET, timezone.now())
    asked = request.GET.get("sort", "")
    sort = asked if asked in leaders.SORTS else leaders.SORTS[0]
    whole, number = request.GET.get("format") == "csv", _number(request.GET.get("page", ""))
    size = EXPORT_LIMIT if whole else leaders.PAGE
    found = leaders.leaders(store, scope, sort=sort, start=0 if whole else number * size, size=size)
    people = leaders.how_many(store, scope)
    context = {
        **_scoped(scope),
        "sort": sort,
        "people": people,
        "before": number if number else None,
        "next": number + 2 if people > (number + 1) * size else None,
    }
    return _page(request, "leaders", [reporting.leader_table(store, scope, found)], context)


def _number(typed: str) -> int:
    """The page's number in an address, from 1 on, as a count from 0."""
    return max(int(typed) - 1, 0) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0
