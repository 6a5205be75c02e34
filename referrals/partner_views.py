"""Partner stores: the list and the offer, one of them with links and numbers, where to be paid, statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.forms.partners import PartnerForm
from referrals.models import Partnership, PartnerStatement
from referrals.public.sharing import qr_svg
from referrals.public_forms import PayoutForm
from referrals.services import partner_statements, partners
from rewards import spans
from rewards.addresses import Method
from rewards.models import Offer
from rewards.services.addresses import Details
from rewards.services.statements.exporting import units
from rewards.wording import offer_text
from stores import limits
from stores.access import for_role, me
from stores.lists import csv_response
from stores.models import AuditEvent, Role, Store

Status = Partnership.Status
ORDER = [Status.INVITED, Status.AGREED, Status.OFFERED, Status.ENDED]
OFFERS_A_DAY, DAY = 20, 86_400
SHOWN, HISTORY = 24, 20
STEPS: dict[str, Promise] = {
    "partner.offered": gettext_lazy("Offered"),
    "partner.agreed": gettext_lazy("Agreed"),
    "partner.declined": gettext_lazy("Declined"),
    "partner.withdrawn": gettext_lazy("Taken back"),
    "partner.ended": gettext_lazy("Ended"),
    "partner.resumed": gettext_lazy("The end was undone"),
    "partner.paid_to": gettext_lazy("Another address for payments"),
}


# -- The list, the offer --


@require_safe
@for_role(Role.MANAGER)
def partner_list(request: HttpRequest, store: Store) -> HttpResponse:
    """Every partner, who waits for an answer first; the owner can ask another."""
    return _list(request, store, PartnerForm())


@require_POST
@for_role(Role.OWNER)
def offer(request: HttpRequest, store: Store) -> HttpResponse:
    """Ask another store; what speaks against it stands beside the field."""
    form = PartnerForm(request.POST)
    if form.is_valid():
        if limits.count(f"partners:offers:{store.pk}", per_seconds=DAY) > OFFERS_A_DAY:
            form.refuse("many")
        elif _offer(request, store, form):
            return redirect("referrals:partners", store.slug)
    return _list(request, store, form, status=422)


def _offer(request: HttpRequest, store: Store, form: PartnerForm) -> bool:
    try:
        made = partners.offer(store, form.cleaned_data["slug"], form.deal, by=me(request), at=timezone.now())
    except partners.NoSuchStore:
        form.refuse("missing")
    except partners.OwnStore:
        form.refuse("own")
    except partners.AlreadyThere:
        form.refuse("there")
    else:
        messages.success(request, _("%(name)s is asked. You can take it back until they answer.") % _named(made))
        return True
    return False


def _list(request: HttpRequest, store: Store, form: PartnerForm, *, status: int = 200) -> HttpResponse:
    rows = sorted(partners.partnerships(store)[:200], key=lambda row: ORDER.index(Status(row.status)))
    context = {
        "nav_key": "program",
        "rows": [(row, deal_text(row, store), Numbers.of(row.brought), Numbers.of(row.sent)) for row in rows],
        "form": form,
    }
    return render(request, "referrals/dashboard/partners/list.html", context, status=status)


def deal_text(row: Partnership, store: Store) -> str:
    """What each pays the other, in words."""
    commission = Offer(kind=Offer.Kind.COMMISSION, percent=row.percent, months=row.months, currency=store.currency)
    return offer_text(commission, store)


@dataclass(frozen=True)
class Numbers:
    """What one side brought this month so far, as both sides hold it."""

    figures: partner_statements.Figures
    currency: str
    at: datetime | None

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Numbers | None:
        """As it was told; None before anything was."""
        if not facts:
            return None
        names = partner_statements.Figures.__dataclass_fields__
        figures = partner_statements.Figures(**{name: facts[name] for name in names})
        return cls(figures, facts["currency"], parse_datetime(facts["at"]))


# -- One of them --


@require_safe
@for_role(Role.MANAGER)
def partner(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One partner: the agreement, the link, this month, the statements; ?format=csv has all statements."""
    row = _found(store, public_id)
    if request.GET.get("format") == "csv":
        return _csv(row, list(partner_statements.statements(row)))
    url = f"{settings.SITE_URL}/r/{row.other_code}" if row.other_code else ""
    method, _colon, hint = row.paid_to.partition(":")
    events = AuditEvent.objects.for_store(store).filter(subject=row.public_id, action__in=STEPS)
    context = {
        "nav_key": "program",
        "row": row,
        "deal": deal_text(row, store),
        "url": url,
        "qr": qr_svg(url, label=_("QR code of your link")) if url else "",
        "brought": Numbers.of(row.brought),
        "sent": Numbers.of(row.sent),
        "statements": [Shown.of(row, one) for one in partner_statements.statements(row)[:SHOWN]],
        "paid_to": (Method(method).label, hint) if method in Method.values else None,
        "may_undo": partners.may_undo(row, timezone.now()),
        "history": [(one, STEPS[one.action]) for one in events.select_related("user").order_by("-pk")[:HISTORY]],
    }
    return render(request, "referrals/dashboard/partners/partner.html", context)


@require_POST
@for_role(Role.OWNER)
def partner_step(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """`accept`, `end` (take back, decline, end) or `undo`."""
    row, at = _found(store, public_id), timezone.now()
    step = request.POST.get("step", "")
    try:
        if step == "accept":
            said = _accept(request, row, at)
        elif step == "end":
            said = _end(request, row, at)
        elif step == "undo":
            said = _undo(request, row, at)
        else:
            raise Http404("no such step")
    except partners.AlreadyThere:
        said = _("There is another offer between you by now: look at the list.")
    if said:
        messages.success(request, said)
    else:
        messages.info(request, _("It stood otherwise by then: look below."))
    return redirect("referrals:partner", store.slug, row.public_id)


def _accept(request: HttpRequest, row: Partnership, at: datetime) -> str:
    if not partners.accept(row, by=me(request), at=at):
        return ""
    return _("Agreed. Send your customers by the link below, and say where %(name)s is to pay you.") % _named(row)


def _end(request: HttpRequest, row: Partnership, at: datetime) -> str:
    if not partners.end(row, by=me(request), at=at):
        return ""
    if row.status == Status.AGREED:
        return _("Ended. The links have stopped; who came before still counts. You can undo it for a day.")
    return _("Declined.") if row.status == Status.INVITED else _("Taken back.")


def _undo(request: HttpRequest, row: Partnership, at: datetime) -> str:
    return _("It goes on as it was, with the same links.") if partners.undo_end(row, by=me(request), at=at) else ""


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.OWNER)
def paid_to(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Where the other store is to pay this one."""
    row = _found(store, public_id)
    if row.customer_id is None:
        raise Http404("nothing is agreed")
    form = PayoutForm(request.POST if request.method == "POST" else None, currency=row.other_currency)
    if form.is_bound and form.is_valid():
        details = Details(*(form.cleaned_data[name] for name in ("number", "holder", "bank")))
        partners.save_paid_to(row, Method(form.cleaned_data["method"]), details, by=me(request), at=timezone.now())
        messages.success(request, _("Kept: %(name)s pays you there from now on.") % _named(row))
        return redirect("referrals:partner", store.slug, row.public_id)
    context = {"nav_key": "program", "row": row, "form": form}
    return render(request, "referrals/dashboard/partners/paid_to.html", context, status=422 if form.errors else 200)


# -- Statements --


@dataclass(frozen=True)
class Shown:
    """A statement with who pays whom, and its address."""

    statement: PartnerStatement
    last: date  # day of its month
    payer: str
    payee: str

    @classmethod
    def of(cls, row: Partnership, one: PartnerStatement) -> Shown:
        """The same on both sides: a month that does not begin on the first is a Jalali one."""
        sides = (row.store.name, row.other_name) if one.is_payer else (row.other_name, row.store.name)
        after = spans.month_of(one.month, jalali=one.month.day != 1).after
        return cls(one, after - spans.DAY, *sides)

    @property
    def name(self) -> str:
        """In its address: which month, which direction, which currency."""
        one = self.statement
        return f"{one.month.isoformat()}-{'pays' if one.is_payer else 'gets'}-{one.currency}"

    @property
    def earned_minor(self) -> int:
        """The commission before what was taken back."""
        return self.statement.commission_minor - self.statement.corrections_minor


@require_safe
@for_role(Role.MANAGER)
def statement(request: HttpRequest, store: Store, public_id: str, name: str) -> HttpResponse:
    """One statement, for the printer or as a file."""
    row = _found(store, public_id)
    found = next((one for one in partner_statements.statements(row) if Shown.of(row, one).name == name), None)
    if found is None:
        raise Http404("no such statement")
    if request.GET.get("format") == "csv":
        return _csv(row, [found])
    context = {"nav_key": "program", "row": row, "deal": deal_text(row, store), "shown": Shown.of(row, found)}
    return render(request, "referrals/dashboard/partners/statement.html", context)


def _csv(row: Partnership, found: list[PartnerStatement]) -> HttpResponse:
    header = [
        _("From"), _("Until"), _("Pays"), _("Gets"), _("New customers"), _("Purchases"), _("Their sum"),
        _("Commission"), _("Taken back"), _("To be paid"), _("Currency"),
    ]  # fmt: skip
    return csv_response(f"partner-{row.public_id}", header, _cells(row, found))


def _cells(row: Partnership, found: list[PartnerStatement]) -> Iterator[list[object]]:
    for one in found:
        shown = Shown.of(row, one)
        amounts = (one.sales_minor, shown.earned_minor, one.corrections_minor, one.commission_minor)
        sums = [units(amount, one.currency) for amount in amounts]
        yield [one.month, shown.last, shown.payer, shown.payee, one.friends, one.orders, *sums, one.currency]


def _found(store: Store, public_id: str) -> Partnership:
    rows = partners.partnerships(store).select_related("store", "customer__store", "program__terms")
    found: Partnership = get_object_or_404(rows, public_id=public_id)
    return found


def _named(row: Partnership) -> dict[str, str]:
    return {"name": f"\u2068{row.other_name}\u2069"}
