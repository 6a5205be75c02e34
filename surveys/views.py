"""Unhappy customers, and how long products take to show their value."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from customers.services import set_days_to_value
from stores.access import for_role
from stores.lists import EXPORT_LIMIT, csv_response
from stores.models import Role, Store, User
from surveys import queries
from surveys.forms import NoteForm, days_from
from surveys.models import RecoveryCase
from surveys.services import recovery


@for_role(Role.MANAGER)
@require_GET
def cases(request: HttpRequest, store: Store) -> HttpResponse:
    """Who waits for help, the oldest promise first; `?tab=ended` shows who had it."""
    ended, now = request.GET.get("tab") == "ended", timezone.now()
    rows = queries.cases(store, ended=ended)
    if request.GET.get("format") == "csv":
        return _as_csv(rows)
    page = queries.page_of(rows, ended=ended, cursor=request.GET.get("after", ""))
    for case in page.rows:
        case.bought, case.overdue = queries.bought(case), queries.is_overdue(case, now)
    context = {"nav_key": "unhappy", "page": page, "ended": ended, "open_count": queries.count_open(store)}
    return render(request, "surveys/dashboard/cases.html", context)


def _as_csv(rows: queries.QuerySet[RecoveryCase]) -> HttpResponse:
    header = [_("Customer"), _("Phone"), _("E-mail"), _("Bought"), _("Score"), _("Comment"), _("State"), _("Since"),
              _("Promised until"), _("Ended"), _("With")]  # fmt: skip
    return csv_response(
        "unhappy-customers",
        header,
        (
            [
                case.customer, case.customer.phone, case.customer.email, "; ".join(queries.bought(case)),
                case.response.score, case.response.comment, case.get_status_display(), case.opened_at,
                case.promise_at, case.ended_at, case.assignee,
            ]
            for case in rows[:EXPORT_LIMIT]
        ),
    )  # fmt: skip


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One unhappy customer: whom to call, what happened, and the steps (POST `action`)."""
    rows = queries.with_facts(RecoveryCase.objects.for_store(store))
    found = get_object_or_404(rows, public_id=public_id)
    form = NoteForm()
    if request.method == "POST":
        step = STEPS.get(request.POST.get("action", ""))
        if step is None:
            raise Http404("no such step")
        form = step(request, found)
        if form.is_valid():
            return redirect("surveys:case", store=store.slug, public_id=public_id)
    context = {
        "nav_key": "unhappy",
        "case": found,
        "bought": queries.bought(found),
        "overdue": queries.is_overdue(found, timezone.now()),
        "history": queries.history(found),
        "helpers": queries.helpers(store),
        "form": form,
    }
    return render(request, "surveys/dashboard/case.html", context, status=422 if form.errors else 200)


def _note(request: HttpRequest, found: RecoveryCase) -> NoteForm:
    form = NoteForm(request.POST, is_needed=_("Write the note first."))
    if form.is_valid():
        recovery.add_note(found, form.cleaned_data["note"], at=timezone.now(), by=_me(request))
    return form


def _assign(request: HttpRequest, found: RecoveryCase) -> NoteForm:
    chosen = request.POST.get("assignee", "")
    helpers = {str(user.pk): user for user in queries.helpers(found.store)}
    if chosen and chosen not in helpers:
        raise Http404("no such person here")
    if helpers.get(chosen) != found.assignee:
        recovery.assign(found, helpers.get(chosen), at=timezone.now(), by=_me(request))
    return _nothing_to_refuse()


def _solve(request: HttpRequest, found: RecoveryCase) -> NoteForm:
    form = NoteForm(request.POST)
    if form.is_valid() and _end(request, found, form, solved=True):
        messages.success(request, _("Solved. They may be asked for things again. Opened by mistake? Open it again."))
    return form


def _close(request: HttpRequest, found: RecoveryCase) -> NoteForm:
    form = NoteForm(request.POST, is_needed=_("Say in a few words why there was no solution."))
    if form.is_valid() and _end(request, found, form, solved=False):
        messages.success(request, _("Closed without a solution. You can open it again."))
    return form


def _end(request: HttpRequest, found: RecoveryCase, form: NoteForm, *, solved: bool) -> bool:
    moved = recovery.end_case(found, solved=solved, note=form.cleaned_data["note"], at=timezone.now(), by=_me(request))
    if not moved:
        messages.info(request, _("It had been ended already."))
    return moved


def _reopen(request: HttpRequest, found: RecoveryCase) -> NoteForm:
    if recovery.reopen_case(found, at=timezone.now(), by=_me(request)):
        messages.success(request, _("Open again. Until it ends they are asked for nothing."))
    return _nothing_to_refuse()


def _nothing_to_refuse() -> NoteForm:
    return NoteForm({"note": ""})


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


STEPS: dict[str, Callable[[HttpRequest, RecoveryCase], NoteForm]] = {
    "note": _note,
    "assign": _assign,
    "solve": _solve,
    "close": _close,
    "reopen": _reopen,
}


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def timing(request: HttpRequest, store: Store) -> HttpResponse:
    """Days until the value shows, by category and by product; POST saves the rows that were shown."""
    search, page = request.GET.get("q", "").strip(), request.GET.get("page")
    categories = queries.categories(store, search)
    products = queries.products(store, search, page)
    wrong = _save_days(request, store, categories, list(products)) if request.method == "POST" else 0
    if request.method == "POST" and not wrong:
        return redirect(f"{reverse('surveys:timing', args=[store.slug])}?{request.GET.urlencode()}")
    context = {
        "nav_key": "settings",
        "tab": "timing",
        "categories": categories,
        "page": products,
        "search": search,
        "wrong": wrong,
    }
    return render(request, "surveys/dashboard/timing.html", context, status=422 if wrong else 200)


def _save_days(request: HttpRequest, store: Store, categories: list, products: list) -> int:
    """Save all days as typed, or none: how many rows were refused. Rows get `typed` and `error` for the page."""
    wanted: dict[str, dict[int, int | None]] = {"category": {}, "product": {}}
    wrong = 0
    for kind, rows in (("category", categories), ("product", products)):
        for row in rows:
            row.typed = request.POST.get(f"{kind}-{row.pk}")
            if row.typed is None:
                continue
            try:
                wanted[kind][row.pk] = days_from(row.typed)
            except ValidationError as error:
                row.error, wrong = error.message, wrong + 1
    if not wrong:
        changed = set_days_to_value(store, categories=wanted["category"], products=wanted["product"])
        words = ngettext("%(count)s row was changed.", "%(count)s rows were changed.", changed)
        messages.success(request, words % {"count": changed})
    return wrong
