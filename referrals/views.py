"""Approvals: which referrals count. The program's own pages are in program_views."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from referrals import changes, queries
from referrals.forms import ReasonForm
from referrals.models import Referral
from referrals.services import deciding
from stores.access import for_role, me
from stores.lists import EXPORT_LIMIT, csv_response
from stores.models import Role, Store

MOST_AT_ONCE = 200


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def approvals(request: HttpRequest, store: Store) -> HttpResponse:
    """Referrals that wait, those that need a look first; `?tab=decided` shows the past; POST decides several."""
    if request.method == "POST":
        return _decide_several(request, store)
    decided, cursor = request.GET.get("tab") == "decided", request.GET.get("after", "")
    if request.GET.get("format") == "csv":
        return _as_csv(store, decided=decided)
    flagged = not decided and request.GET.get("only") == "flagged"
    page = queries.decided_page(store, cursor) if decided else queries.waiting_page(store, cursor, flagged=flagged)
    context = {
        "nav_key": "approvals",
        "tab": "decided" if decided else "waiting",
        "flagged": flagged,
        "rows": queries.rows_of(store, page.rows, timezone.now()),
        "next": page.next,
        "named": queries.named_orders(store, timezone.now()) if not (decided or cursor) else [],
        "name_aside": queries.order_named(store, request.session.pop("name_aside", "")),
        "decided": decided,
        "counts": queries.counts(store),
    }
    return render(request, "referrals/dashboard/approvals.html", context)


def _as_csv(store: Store, *, decided: bool) -> HttpResponse:
    found = queries.decided(store).order_by("-decided_at", "-pk") if decided else queries.waiting(store)
    header = [_("Friend"), _("Customer"), _("Evidence"), _("Order"), _("Amount"), _("Ordered"), _("State"),
              _("Reason"), _("Counts by itself on"), _("Decided"), _("By"), _("Signs")]  # fmt: skip
    rows = queries.rows_of(store, list(found[:EXPORT_LIMIT]), timezone.now())
    return csv_response("approvals", header, (_cells(row, store) for row in rows))


def _cells(row: queries.Row, store: Store) -> list[object]:
    one = row.referral
    waits = one.status == Referral.Status.PENDING
    return [
        one.friend, one.advocate, row.evidence, one.order.external_id, changes.money(one.order.total_minor, store),
        one.order.placed_at, one.get_status_display(), one.get_reason_display(), one.hold_until if waits else None,
        one.decided_at, row.by, "; ".join(line.words for line in row.signals),
    ]  # fmt: skip


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, store: Store, public_id: str, decision: str) -> HttpResponse:
    """One referral: `approve` (POST only) counts it; `void` is final, so GET names what is lost and POST does it."""
    found = get_object_or_404(queries.with_people(store), public_id=public_id)
    if decision == "void":
        return _void(request, store, [found])
    if decision != "approve":
        raise Http404("no such decision")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    _approve(request, [found])
    return redirect("referrals:approvals", store=store.slug)


def _decide_several(request: HttpRequest, store: Store) -> HttpResponse:
    chosen = request.POST.getlist("chosen")[:MOST_AT_ONCE]
    found = list(queries.with_people(store).filter(public_id__in=chosen).order_by("hold_until", "pk"))
    action = request.POST.get("action")
    if action not in ("approve", "void"):
        raise Http404("no such decision")
    if not found:
        messages.info(request, _("Choose at least one row first."))
    elif action == "void":
        return _void(request, store, found)
    else:
        _approve(request, found)
    return redirect("referrals:approvals", store=store.slug)


def _approve(request: HttpRequest, referrals: Sequence[Referral]) -> None:
    at = timezone.now()
    moved = sum(deciding.approve_referral(one, at=at, by=me(request)) for one in referrals)
    full = sum(deciding.lacks_room(one) for one in referrals)
    _say_how_many(request, moved, len(referrals) - full)
    if full:
        words = ngettext(
            "%(count)s waits: the program's budget has no room for what it earns. Raise the budget, then count it.",
            "%(count)s wait: the program's budget has no room for what they earn. Raise the budget, then count them.",
            full,
        )
        messages.warning(request, words % {"count": changes.number(full)})


def _say_how_many(request: HttpRequest, moved: int, asked: int) -> None:
    if moved:
        words = ngettext("%(count)s was counted.", "%(count)s were counted.", moved)
        messages.success(request, words % {"count": changes.number(moved)})
    if moved < asked:
        words = ngettext("%(count)s had been decided before.", "%(count)s had been decided before.", asked - moved)
        messages.info(request, words % {"count": changes.number(asked - moved)})


def _void(request: HttpRequest, store: Store, referrals: Sequence[Referral]) -> HttpResponse:
    """The page that names what is lost, until a reason comes with the POST."""
    sent = request.method == "POST" and "reason" in request.POST
    form = ReasonForm(request.POST if sent else None)
    if sent and form.is_valid():
        return _do_void(request, store, referrals, Referral.Reason(form.cleaned_data["reason"]))
    live = [one for one in referrals if one.status != Referral.Status.VOIDED]
    context = {
        "nav_key": "approvals",
        "form": form,
        "rows": queries.rows_of(store, live, timezone.now()),
        "losses": queries.losses(store, live),
        "total_minor": queries.order_total(live),
    }
    return render(request, "referrals/dashboard/void.html", context, status=422 if form.errors else 200)


def _do_void(
    request: HttpRequest, store: Store, referrals: Sequence[Referral], reason: Referral.Reason
) -> HttpResponse:
    at = timezone.now()
    moved = sum(deciding.void_referral(one, reason=reason, at=at, by=me(request)) for one in referrals)
    if moved:
        words = ngettext("%(count)s does not count.", "%(count)s do not count.", moved)
        messages.success(request, words % {"count": changes.number(moved)})
    else:
        messages.info(request, _("It had been decided before."))
    return redirect("referrals:approvals", store=store.slug)
