"""What people were given: the list, one reward, taking it back by hand."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rewards import queries
from rewards.forms import WordsForm
from rewards.models import Offer, Reward
from rewards.services import granting
from rewards.wording import REASONS, offer_text
from stores.access import for_role, me
from stores.lists import EXPORT_LIMIT, csv_response
from stores.models import Role, Store
from stores.services import note


@require_safe
@for_role(Role.MANAGER)
def rewards(request: HttpRequest, store: Store) -> HttpResponse:
    """What people were given, newest first, by status, kind and person."""
    filters = queries.read_filters(request.GET.dict())
    if request.GET.get("format") == "csv":
        return _as_csv(store, filters)
    page = queries.page(store, filters, request.GET.get("after", ""))
    context = {
        "nav_key": "rewards",
        "page": page,
        "rows": [(one, offer_text(one.offer, store)) for one in page.rows],
        "filters": filters,
        "statuses": Reward.Status.choices,
        "kinds": Offer.Kind.choices,
    }
    return render(request, "rewards/list.html", context)


def _as_csv(store: Store, filters: queries.Filters) -> HttpResponse:
    header = [_("Customer"), _("Reward"), _("Kind"), _("For"), _("Given"), _("State"), _("Reason")]
    rows = queries.rewards(store, filters).order_by("-granted_at", "-pk")[:EXPORT_LIMIT]
    cells = (
        [
            str(one.customer), offer_text(one.offer, store), one.offer.get_kind_display(), one.get_side_display(),
            one.granted_at, one.get_status_display(), REASONS.get(one.reason, one.reason),
        ]
        for one in rows
    )  # fmt: skip
    return csv_response("rewards", header, cells)


@require_safe
@for_role(Role.MANAGER)
def reward(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One reward: what and why, its terms, its code or task, its entries."""
    return _page(request, store, _found(store, public_id), WordsForm())


@require_http_methods(["POST"])
@for_role(Role.MANAGER)
def take_back(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Take it back by hand, with words that are kept."""
    found, form = _found(store, public_id), WordsForm(request.POST)
    if not form.is_valid():
        return _page(request, store, found, form, status=422)
    with transaction.atomic():
        at = timezone.now()
        taken = granting.take_back(found, reason="staff", at=at)
        if taken:
            after = {"words": form.cleaned_data["words"]}
            note(store, "reward.taken_back", subject=found.public_id, after=after, by=me(request), at=at)
    if taken:
        messages.success(request, _("The reward is taken back. What was used of it is owed by the customer now."))
    else:
        messages.info(request, _("It had been taken back before."))
    return redirect("rewards:reward", store.slug, found.public_id)


def _found(store: Store, public_id: str) -> Reward:
    joined = ("customer", "offer__product", "tier", "terms__budget", "voucher", "fulfilment", "store")
    found: Reward = get_object_or_404(Reward.objects.for_store(store).select_related(*joined), public_id=public_id)
    return found


def _page(request: HttpRequest, store: Store, one: Reward, form: WordsForm, status: int = 200) -> HttpResponse:
    context = {
        "nav_key": "rewards",
        "one": one,
        "gift": offer_text(one.offer, store),
        "voucher": getattr(one, "voucher", None),
        "task": getattr(one, "fulfilment", None),
        "steps": queries.steps_of(store, one),
        "payouts": queries.payouts_of(store, one),
        "why": REASONS.get(one.reason, one.reason),
        "words": queries.words_of(store, one) if one.status == Reward.Status.VOIDED else "",
        "form": form,
    }
    return render(request, "rewards/reward.html", context, status=status)
