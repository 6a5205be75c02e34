"""Cash: who is to be paid, the lists for the bank, what became of each payment; and the store's limits."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rewards.addresses import Method
from rewards.forms import LimitsForm
from rewards.models import Payout, PayoutList
from rewards.services import payouts as paying
from rewards.services import recounting
from rewards.services.addresses import Details, details_of
from rewards.services.statements.exporting import units
from stores import secrets
from stores.access import for_role, me
from stores.l10n import format_number
from stores.lists import PAGE, Page, csv_response, row_number
from stores.models import Role, Store
from stores.services import note

LISTS_SHOWN = 20
PEOPLE_SHOWN = 200
_STEPS = {
    "paid": gettext_lazy("Noted as paid to %(customer)s. If the money comes back, say so here."),
    "failed": gettext_lazy("Noted: %(customer)s is to be paid again with the next list."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.OWNER)
def payouts(request: HttpRequest, store: Store) -> HttpResponse:
    """Who has cash to get and why some wait; POST makes a list of one currency."""
    if request.method == "POST":
        return _make_list(request, store)
    sums = paying.payable_by_currency(store)
    chosen = request.GET.get("currency", "")
    currency = (
        chosen if chosen in sums else store.currency if store.currency in sums else next(iter(sums), store.currency)
    )
    mine = paying.purses(store).filter(currency=currency).select_related("customer")
    due = paying.due(store, mine.order_by("pk")[: paying.MOST_ON_A_LIST], at=timezone.now())
    context = {
        "nav_key": "rewards",
        "sums": sums,
        "currency": currency,
        "due": sorted(due, key=lambda one: (one.now_minor == 0, -one.earned_minor))[:PEOPLE_SHOWN],
        "ready": [one for one in due if one.now_minor],
        "ready_minor": sum(one.now_minor for one in due),
        "waits_minor": sum(one.waits_minor for one in due),
        "lists": _lists(store).order_by("-made_at", "-pk")[:LISTS_SHOWN],
        "recount": recounting.last(store),
    }
    return render(request, "rewards/payouts.html", context)


def _lists(store: Store) -> QuerySet[PayoutList]:
    """Lists with how many are on them, how many are open, and their sum."""
    is_open, gone = Q(payouts__status=Payout.Status.LISTED), Q(payouts__status=Payout.Status.FAILED)
    return PayoutList.objects.for_store(store).annotate(
        people=Count("payouts"),
        open=Count("payouts", filter=is_open),
        total_minor=Sum("payouts__amount_minor", filter=~gone),
    )


def _make_list(request: HttpRequest, store: Store) -> HttpResponse:
    currency = request.POST.get("currency", "")
    if currency not in paying.payable_by_currency(store):
        messages.info(request, _("There is nobody to pay in this currency."))
        return redirect("rewards:payouts", store.slug)
    try:
        batch = paying.make_list(store, currency, by=me(request), at=timezone.now())
    except paying.BooksBroken:
        messages.error(request, _("The books do not add up. Nothing is paid out until somebody has looked at them."))
        return redirect("rewards:payouts", store.slug)
    if batch is None:
        messages.info(request, _("Nobody can be paid right now: they wait for the reason beside their name."))
        return redirect("rewards:payouts", store.slug)
    messages.success(request, _("The list is made. Download it for your bank; then say here what was paid."))
    return redirect("rewards:payout_list", store.slug, batch.public_id)


@require_safe
@for_role(Role.OWNER)
def one_list(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A list with each payment and what became of it."""
    batch = _found(store, public_id)
    page = _page(batch, request.GET.get("after", ""))
    short = paying.short_by(store, page.rows)
    counts = (
        _payouts(batch)
        .order_by()
        .aggregate(
            open=Count("pk", filter=Q(status=Payout.Status.LISTED)),
            paid=Count("pk", filter=Q(status=Payout.Status.PAID)),
            open_minor=Sum("amount_minor", filter=Q(status=Payout.Status.LISTED)),
            paid_minor=Sum("amount_minor", filter=Q(status=Payout.Status.PAID)),
        )
    )
    context = {
        "nav_key": "rewards",
        "batch": batch,
        "page": page,
        "rows": [(one, _method(one), short.get(one.pk, 0)) for one in page.rows],
        "counts": counts,
    }
    return render(request, "rewards/payout_list.html", context)


def _page(batch: PayoutList, cursor: str) -> Page:
    """Some payments of a list; the cursor is the id of the one before them."""
    found = list(_payouts(batch).filter(pk__gt=row_number(cursor) or 0).order_by("pk")[: PAGE + 1])
    return Page(found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else "")


def _method(payout: Payout) -> str:
    return str(Method(payout.method).label) if payout.method in Method.values else payout.method


@require_POST
@for_role(Role.OWNER)
def bank_file(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The open payments as a file, with the numbers readable: the one place where they are. Written down."""
    batch = _found(store, public_id)
    rows = list(_payouts(batch).filter(status=Payout.Status.LISTED).order_by("pk"))
    header = [_("Reference"), _("Name"), _("How"), _("Number"), _("Bank"), _("Amount"), _("Currency"), _("Note")]
    after = {"people": len(rows)}
    note(store, "payouts.exported", subject=batch.public_id, after=after, by=me(request), at=timezone.now())
    return csv_response(f"payouts-{batch.public_id}", header, (_cells(one) for one in rows))


def _cells(payout: Payout) -> list[object]:
    try:
        details, words = details_of(payout), ""
    except secrets.Unreadable:
        details, words = Details("", ""), _("The number cannot be read: ask the customer for it again.")
    name = details.holder or str(payout.customer)
    amount = units(payout.amount_minor, payout.currency)
    number = details.number.removeprefix("+")  # providers take both; spreadsheets take a plus for a formula
    return [payout.public_id, name, _method(payout), number, details.bank, amount, payout.currency, words]


@require_POST
@for_role(Role.OWNER)
def all_paid(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Every open payment of the list was paid."""
    batch = _found(store, public_id)
    open_ones = list(_payouts(batch).filter(status=Payout.Status.LISTED).values_list("pk", flat=True))
    moved = paying.mark_paid(store, open_ones, by=me(request), at=timezone.now())
    words = ngettext("%(count)s payment is noted as paid.", "%(count)s payments are noted as paid.", moved)
    messages.success(request, words % {"count": format_number(moved, get_language() or "en")})
    return redirect("rewards:payout_list", store.slug, batch.public_id)


@require_POST
@for_role(Role.OWNER)
def close_list(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Nothing of it is open any more."""
    batch = _found(store, public_id)
    try:
        paying.close(batch, by=me(request), at=timezone.now())
        messages.success(request, _("The list is closed."))
    except paying.StillOpen:
        messages.error(request, _("Say of each payment first whether it was paid."))
    return redirect("rewards:payout_list", store.slug, batch.public_id)


@require_POST
@for_role(Role.OWNER)
def step(request: HttpRequest, store: Store, public_id: str, payout: str) -> HttpResponse:
    """One payment: `paid`, or `failed` (left out, or sent back by the bank)."""
    batch = _found(store, public_id)
    found = get_object_or_404(_payouts(batch), public_id=payout)
    at, by = timezone.now(), request.user
    action = request.POST.get("action", "")
    if action == "paid":
        moved = paying.mark_paid(store, [found.pk], by=by, at=at) == 1  # type: ignore[arg-type]
    elif action == "failed":
        words = request.POST.get("words", "").replace("\x00", "")
        moved = paying.mark_failed(store, found, by=by, at=at, words=words)  # type: ignore[arg-type]
    else:
        raise Http404("no such step")
    if moved:
        messages.success(request, _STEPS[action] % {"customer": found.customer})
    else:
        messages.info(request, _("It had been noted before."))
    return redirect("rewards:payout_list", store.slug, batch.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.OWNER)
def limits(request: HttpRequest, store: Store) -> HttpResponse:
    """How cash is paid and how codes go together."""
    settings = paying.settings_of(store)
    form = LimitsForm(request.POST or None, store=store, settings=settings)
    if request.method == "POST" and form.is_valid():
        changed = paying.change_settings(store, form.cleaned_data, by=me(request), at=timezone.now())
        messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
        return redirect("rewards:limits", store.slug)
    context = {"nav_key": "rewards", "form": form}
    return render(request, "rewards/limits.html", context, status=422 if form.errors else 200)


def _found(store: Store, public_id: str) -> PayoutList:
    found: PayoutList = get_object_or_404(PayoutList.objects.for_store(store), public_id=public_id)
    return found


def _payouts(batch: PayoutList) -> QuerySet[Payout]:
    return Payout.objects.for_store(batch.store).filter(batch=batch).select_related("customer", "batch")
