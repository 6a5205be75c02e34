"""Checks: how strict they are, whom the store has blocked, and what is odd at the counter."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals import changes, queries
from referrals.fraud import blocks, counter, facts, learning, settings
from referrals.fraud.forms import BlockForm, StrictnessForm, SuspectForm
from referrals.fraud.rules import WEIGHTS, Name
from referrals.models import Block, Referral
from referrals.services import deciding
from stores.access import for_role, me
from stores.lists import keyset_page
from stores.models import Role, Store


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def checks(request: HttpRequest, store: Store) -> HttpResponse:
    """Thresholds, weights, and how often people overturned each signal."""
    now, strict = timezone.now(), settings.strictness_of(store)
    form = StrictnessForm(request.POST or None, strictness=strict)
    if request.method == "POST" and form.is_valid():
        changed = settings.change(store, form.strictness, by=me(request), at=now)
        messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing changed."))
        return redirect("referrals:checks", store=store.slug)
    records = learning.records(store, now)
    lines = [{"field": form[f"weight_{name}"], "record": records[name], "usual": WEIGHTS[name]} for name in Name.values]
    context = {"form": form, "lines": lines, "strictness": strict}
    return _page(request, "checks", context, status=422 if form.errors else 200)


@for_role(Role.OWNER)
@require_safe
def at_the_counter(request: HttpRequest, store: Store) -> HttpResponse:
    """What staff did at the counter that is worth a question."""
    return _page(request, "counter", {"oddities": counter.oddities(store, timezone.now())})


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def block_list(request: HttpRequest, store: Store) -> HttpResponse:
    """Whom the store has blocked; POST adds one that was typed."""
    form = BlockForm(request.POST or None, store=store)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        blocks.block(store, form.suspect, reason=reason, by=me(request), at=timezone.now())
        messages.success(request, _("Blocked. Purchases in which it turns up do not count from now on."))
        return redirect("referrals:blocks", store=store.slug)
    lifted = request.session.pop("lifted_block", "")
    context = {
        "form": form,
        "page": keyset_page(blocks.standing(store).select_related("by"), "at", request.GET.get("after", "")),
        "lifted": Block.objects.for_store(store).filter(public_id=lifted).first() if lifted else None,
    }
    return _page(request, "blocks", context, status=422 if form.errors else 200)


@for_role(Role.MANAGER)
@require_POST
def change_block(request: HttpRequest, store: Store, public_id: str, action: str) -> HttpResponse:
    """Lift a block, or take that back; each undoes the other."""
    row = get_object_or_404(Block.objects.for_store(store).select_related("store"), public_id=public_id)
    if action == "lift" and blocks.lift(row, by=me(request), at=timezone.now()):
        request.session["lifted_block"] = row.public_id
    elif action == "restore" and blocks.restore(row, by=me(request), at=timezone.now()):
        messages.success(request, _("It is blocked again."))
    return redirect("referrals:blocks", store=store.slug)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def block(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Block what one referral's friend is known by, or some of it."""
    one = get_object_or_404(queries.with_people(store).select_related("program"), public_id=public_id)
    known = facts.read(store, [one], timezone.now())[0]
    suspects = {blocks.hashed(store, each.what, each.value)[:20]: each for each in blocks.suspects(known)}
    choices = [(key, f"{each.what.label}: {queries.isolate(each.shown)}") for key, each in suspects.items()]
    form = SuspectForm(request.POST or None, choices=choices, initial={"also_void": True})
    if request.method == "POST" and form.is_valid():
        _block(request, one, [suspects[key] for key in form.cleaned_data["which"]], form)
        return redirect("referrals:approvals", store=store.slug)
    context = {"form": form, "one": one, "may_void": one.status in queries.WAITING, "suspects": suspects}
    return _page(request, "block", context, status=422 if form.errors else 200)


def _block(request: HttpRequest, one: Referral, chosen: list[blocks.Suspect], form: SuspectForm) -> None:
    now, reason = timezone.now(), form.cleaned_data["reason"]
    with transaction.atomic():
        for suspect in chosen:
            blocks.block(one.store, suspect, reason=reason, by=me(request), at=now)
        if form.cleaned_data["also_void"] and one.status in queries.WAITING:
            deciding.void_referral(one, reason=Referral.Reason.BLOCKED, at=now, by=me(request))
    words = ngettext("%(count)s thing is blocked.", "%(count)s things are blocked.", len(chosen))
    messages.success(request, words % {"count": changes.number(len(chosen))})


def _page(request: HttpRequest, name: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    return render(
        request,
        f"referrals/dashboard/checks/{name}.html",
        {"nav_key": "approvals", "tab": name, **context},
        status=status,
    )
