"""The store's programs: the list, their states, boosts; the store's money. Their editor is in `editor_views`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals import queries
from referrals.editor_views import find_program, overlapping
from referrals.forms import BoostForm, CurrencyForm, NewStoreForm, boost_initial, completed, usual_facts
from referrals.models import Boost, Program
from referrals.services import boosts, programs
from stores import drafts, limits
from stores.access import for_role, me
from stores.models import Role, Store

STORES_A_DAY = 20


@for_role(Role.MANAGER)
@require_safe
def program_list(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's programs with their state, dates and budgets."""
    drafted = drafts.subjects(store, "program")
    context = {"nav_key": "program", "rows": queries.program_rows(store, timezone.now()), "drafted": drafted}
    return render(request, "referrals/dashboard/programs.html", context)


# -- States --


@for_role(Role.MANAGER)
@require_POST
def program_status(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Pause a program that was published, let it run again, end it; each can be undone. The editor publishes."""
    wanted, found = request.POST.get("status", ""), find_program(store, public_id)
    if wanted not in Program.Status.values:
        raise Http404("no such status")
    if found.status == Program.Status.DRAFT:
        messages.info(request, _("Look at it first, then press Publish."))
        return redirect("referrals:program", store=store.slug, public_id=found.public_id)
    try:
        moved = programs.set_status(found, Program.Status(wanted), by=me(request), at=timezone.now())
    except programs.Overlapping:
        messages.error(request, overlapping())
    else:
        if moved:
            messages.success(request, _moved_to(found))
    return redirect("referrals:program", store=store.slug, public_id=found.public_id)


def _moved_to(program: Program) -> str:
    if program.status == Program.Status.PAUSED:
        return _("Paused: nobody is asked, links show a friendly page, gifts already given stay good.")
    if program.status == Program.Status.ENDED:
        return _("Ended: nobody is asked any more, gifts and rewards already promised stay good.")
    if queries.state_of(program, timezone.now()) == "over":
        return _("It may run, but its end is past. Give it a later end.")
    return _("The program runs.")


# -- Boosts --


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_boost(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A time in which customers earn more."""
    found, at = find_program(store, public_id), timezone.now()
    form = BoostForm(request.POST or None, initial=boost_initial(*_next_week(at)))
    if request.method == "POST" and form.is_valid():
        boosts.make_boost(found, form.boost_data, by=me(request), at=at)
        messages.success(request, _("The boost is set."))
        return redirect("referrals:program", store=store.slug, public_id=found.public_id)
    context = {"nav_key": "program", "program": found, "form": form}
    return render(request, "referrals/dashboard/boost.html", context, status=422 if request.method == "POST" else 200)


def _next_week(at: datetime) -> tuple[datetime, datetime]:
    """Seven whole days from tomorrow on the store's clock."""
    today = at.astimezone(timezone.get_current_timezone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1), today + timedelta(days=8)


@for_role(Role.MANAGER)
@require_POST
def boost_change(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Stop a boost before its end, or undo that."""
    boost = get_object_or_404(
        Boost.objects.for_store(store).select_related("program__store", "store"), public_id=public_id
    )
    if request.POST.get("to") == "stop":
        if boosts.stop_boost(boost, by=me(request), at=timezone.now()):
            messages.success(request, _("Stopped. Purchases placed until now still count for it."))
    elif boosts.resume_boost(boost, by=me(request), at=timezone.now()):
        messages.success(request, _("The boost goes on as if it had not been stopped."))
    return redirect("referrals:program", store=store.slug, public_id=boost.program.public_id)


# -- Money, and opening a store --


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def currency(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's money: may change until the first order."""
    locked = programs.currency_in_use(store)
    initial = {"currency": store.currency, "toman": store.toman}
    form = CurrencyForm(request.POST or None, initial=initial)
    if request.method == "POST" and not locked and form.is_valid():
        programs.change_currency(store, **form.cleaned_data, by=me(request), at=timezone.now())
        messages.success(request, _("Saved. Amounts kept their number: look at your rewards next."))
        return redirect("referrals:programs", store=store.slug)
    context = {"nav_key": "settings", "tab": "currency", "form": form, "locked": locked}
    refused = request.method == "POST"
    return render(request, "referrals/dashboard/currency.html", context, status=422 if refused else 200)


@login_required
@require_http_methods(["GET", "POST"])
def new_store(request: HttpRequest) -> HttpResponse:
    """Open a store; whoever does is its owner. Its program runs at once, with 10 % off for both sides.

    It is the first of the six steps of setting up; POST `action` skip opens one with the usual facts.
    """
    usual = usual_facts(request.headers.get("Accept-Language", ""), translation.get_language() or "en")
    is_skip = request.POST.get("action") == "skip"
    form = NewStoreForm(completed(request.POST, usual) if is_skip else request.POST or None, initial=usual)
    if request.method == "POST" and form.is_valid():
        opened = _open(request, form, is_skip=is_skip)
        if opened:
            return redirect("insights:setup_step", store=opened.slug, step="sells")
    return render(request, "referrals/dashboard/new_store.html", {"form": form}, status=422 if form.errors else 200)


def _open(request: HttpRequest, form: NewStoreForm, *, is_skip: bool) -> Store | None:
    user, facts = me(request), form.cleaned_data
    if limits.count(f"new_store:{user.pk}", per_seconds=86400) > STORES_A_DAY:
        form.add_error(None, _("That were many stores in one day. Go on tomorrow."))
        return None
    try:
        setup = {"open": True, "skipped" if is_skip else "saved": ["who"]}
        toman = facts["currency"] == "IRR"
        return programs.open_store(**facts, toman=toman, owner=user, setup=setup, at=timezone.now())
    except IntegrityError:  # somebody took the address in between
        form.add_error("slug", _("That address is taken. Try another, for example with your town."))
        return None
