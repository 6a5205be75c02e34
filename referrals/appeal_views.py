"""Appeals: customers who miss a friend, or contest a decision; a manager answers each."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from referrals import appeals_found, queries
from referrals.models import Appeal, Referral
from referrals.services import appeals as service
from referrals.services.attribution import CannotCredit
from stores import lists
from stores.access import for_role, me
from stores.models import Role, Store


class AnswerForm(forms.Form):
    """What the customer reads."""

    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The customer reads it on their page."),
    )


# Why an order could not be credited, to whoever answers.
REFUSALS = {
    Referral.Reason.OWN_CODE: gettext_lazy("It is the customer's own order."),
    Referral.Reason.CANCELLED: gettext_lazy("The order was cancelled."),
    Referral.Reason.REFUNDED: gettext_lazy("The order was sent back."),
    Referral.Reason.FULL: gettext_lazy("The program's budget or places are used up. Raise them first, then accept."),
    Referral.Reason.KNOWN_CUSTOMER: gettext_lazy("This friend counts for another order already."),
    CannotCredit.COUNTED: gettext_lazy("The order has counted for a customer already."),
}


@for_role(Role.MANAGER)
@require_safe
def appeals(request: HttpRequest, store: Store) -> HttpResponse:
    """Those that wait for an answer, the oldest first; `?tab=answered` shows the past."""
    answered, cursor = request.GET.get("tab") == "answered", request.GET.get("after", "")
    if answered:
        past = appeals_found.appeals_of(store).exclude(status=Appeal.Status.OPEN)
        page = lists.keyset_page(past, "decided_at", cursor)
    else:
        page = lists.keyset_page(appeals_found.waiting(store), "at", cursor, oldest_first=True)
    context = {
        "nav_key": "approvals",
        "tab": "appeals",
        "rows": page.rows,
        "next": page.next,
        "answered": answered,
        "counts": queries.counts(store),
    }
    return render(request, "referrals/dashboard/appeals.html", context)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One appeal with the orders that may be meant; POST accepts it for one of them, or declines it."""
    found = get_object_or_404(appeals_found.appeals_of(store), public_id=public_id)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        problem = _decide(request, found, form.cleaned_data["answer"])
        if not problem:
            return redirect("referrals:appeals", store=store.slug)
    candidates = [] if found.referral or found.status != Appeal.Status.OPEN else appeals_found.candidates(found)
    context = {
        "nav_key": "approvals",
        "one": found,
        "form": form,
        "problem": problem,
        "candidates": candidates,
        "chosen": request.POST.get("order", ""),
    }
    status = 422 if problem or form.errors else 200
    return render(request, "referrals/dashboard/appeal.html", context, status=status)


def _decide(request: HttpRequest, found: Appeal, answer: str) -> str:
    """Do what the button says; a sentence where it cannot be done."""
    try:
        if request.POST.get("decision") == "accept":
            return _accept(request, found, answer)
        if request.POST.get("decision") != "decline":
            return _("Choose what to do.")
        if not answer:
            return _("Write why: the customer reads it.")
        service.decline(found, answer, by=me(request), at=timezone.now())
    except service.Decided:
        messages.info(request, _("It had been answered before."))
        return ""
    messages.success(request, _("Answered."))
    return ""


def _accept(request: HttpRequest, found: Appeal, answer: str) -> str:
    order = appeals_found.candidate_order(found, request.POST.get("order", ""))
    if order is None:
        return _("Choose the order that is meant.")
    try:
        referral = service.accept(found, order, answer, by=me(request), at=timezone.now())
    except service.NotCredited as error:
        return str(REFUSALS.get(error.reason, _("This order cannot be credited.")))
    if referral.status == Referral.Status.APPROVED:
        messages.success(request, _("Accepted: the friend counts."))
    else:
        messages.success(request, _("Accepted: the friend counts when the return time is over."))
    return ""
