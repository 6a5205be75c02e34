"""The counter: type or scan a code, enter the bill, redeem, undo. Works without JavaScript.

The code and a random key travel in the address, so that a till whose session ended comes back to the
same form after the login. The key becomes the redemption's public_id: a double tap, a reload or an
old tab that sends the form again finds that redemption and shows the same receipt.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checkout import guesses, name_views, pages, people_views, wording
from checkout.access import at_counter
from checkout.ask_views import asks_for, buyer_of
from checkout.forms import MOST_MINOR, BillForm
from referrals.models import Referral
from referrals.services import redeeming
from referrals.services.redeeming import Changed, NotRedeemable, OrderRef, Quote, TooLate
from rewards.models import Redemption
from rewards.rules import Reason
from rewards.services.vouchers import AlreadyReversed, Bill
from stores import codes
from stores.models import Location, Store

KEY = re.compile(f"[{codes.ALPHABET.lower()}]{{{codes.PUBLIC_ID_LENGTH}}}")


@at_counter
@require_GET
def counter(request: HttpRequest, store: Store) -> HttpResponse:
    """Ask for a code; `?location=` says once where this device stands."""
    chosen = request.GET.get("location")
    if chosen is None:
        return _ask(request, store)
    response = redirect("checkout:counter", store.slug)
    if not chosen or Location.objects.for_store(store).filter(public_id=chosen).exists():
        path = reverse("checkout:counter", args=[store.slug])
        facts = {"max_age": 365 * 86400, "path": path, "secure": settings.HTTPS, "httponly": True}
        response.set_cookie(pages.TILL_COOKIE, chosen, samesite="Lax", **facts)
    return response


def _ask(request: HttpRequest, store: Store, *, error: str = "", typed: str = "") -> HttpResponse:
    context = pages.frame(
        request,
        store,
        error=error,
        typed=typed[:80],
        say=pages.what_to_say(store),
        bill=_public_id(request, "bill"),
        amount=request.GET.get("amount", "")[:40],
        locations=Location.objects.for_store(store).order_by("name"),
    )
    return render(request, "checkout/counter.html", context)


@at_counter
@require_http_methods(["GET", "POST"])
def quote(request: HttpRequest, store: Store) -> HttpResponse:
    """Who sent them and what to give; with a bill, what is left to pay. Changes nothing."""
    typed = request.GET.get("code", "")
    if not codes.normalise(typed):
        return _ask(request, store, error=_("Type or scan a code first."), typed=typed)
    try:
        with guesses.at_till(request, store, pages.cashier(request)) as tried:
            return _quote(request, store, typed, tried)
    except guesses.Wait as wait:
        return _ask(request, store, error=str(wait), typed=typed)


def _quote(request: HttpRequest, store: Store, typed: str, tried: guesses.Try) -> HttpResponse:
    at = timezone.now()
    # Any bill is large enough here: this first look is about the code alone.
    place = pages.till_location(request, store)
    facts: dict[str, Any] = {"at": at, "location": place.code if place else "", "order_ref": _bill_before(request)}
    offered = redeeming.quote(store, typed, Bill(MOST_MINOR, store.currency), **facts)
    if offered.reason and offered.reason != Reason.OTHER_HOLDER:
        return _refuse(request, store, offered, typed, tried)
    form = _bill_form(request, store)
    total = None
    if form.is_bound and form.is_valid():
        total = redeeming.quote(store, typed, form.bill, person=form.cleaned_data["friend"], **facts)
    return _show(request, store, offered, form, total)


def _bill_form(request: HttpRequest, store: Store) -> BillForm:
    """Bound to what was posted, or to the bill that came back through the login."""
    if request.method == "POST":
        return BillForm(request.POST, store=store)
    return BillForm({"amount": request.GET["amount"]} if request.GET.get("amount") else None, store=store)


def _refuse(request: HttpRequest, store: Store, offered: Quote, typed: str, tried: guesses.Try) -> HttpResponse:
    if offered.reason == Reason.UNKNOWN and people_views.looks_like_phone(typed):
        return people_views.look(request, store, typed.strip()[: people_views.LONGEST])
    if offered.reason == Reason.UNKNOWN:
        tried.was_wrong(timezone.now())
    return _ask(request, store, error=wording.refusal(offered, store), typed=typed)


def _show(
    request: HttpRequest, store: Store, offered: Quote, form: BillForm, total: Quote | None, *, changed: bool = False
) -> HttpResponse:
    """The quote page: `offered` is about the code, `total` about the bill, if there is one yet."""
    typed = request.GET.get("code", "")
    state = {"code": typed[:80], "key": _key(request) or codes.public_id(), "bill": _public_id(request, "bill")}
    state |= name_views.state(request)
    if form.is_bound and form.data.get("amount"):
        state["amount"] = form.data["amount"][:40]
    context = pages.frame(
        request,
        store,
        offered=offered,
        gives=wording.gives(offered, store),
        shown_code=wording.shown_code(offered),
        advocate=wording.advocate(total or offered),
        instead=wording.instead(total or offered),
        given_later=wording.given_later(offered),
        refusal=wording.refusal(total, store) if total and total.reason else "",
        total=total if total and not total.reason else None,
        off_minor=-total.discount_minor if total else 0,
        changed=changed,
        form=form,
        say=pages.what_to_say(store),
        state=urlencode(state),
    )
    return render(request, "checkout/quote.html", context)


def _key(request: HttpRequest) -> str:
    return _public_id(request, "key")


def _public_id(request: HttpRequest, name: str) -> str:
    found = request.GET.get(name, "")
    return found if KEY.fullmatch(found) else ""


def _bill_before(request: HttpRequest) -> OrderRef | None:
    """The counter's own order on whose bill another code was used just now."""
    first = _public_id(request, "bill")
    return OrderRef(redeeming.SOURCE, first) if first else None


@at_counter
@require_http_methods(["GET", "POST"])
def redeem(request: HttpRequest, store: Store) -> HttpResponse:
    """Use the code on the bill: once for the form's key."""
    key = _key(request)
    if request.method == "GET" or not key:  # back from the login, or no form of ours
        return redirect(f"{reverse('checkout:quote', args=[store.slug])}?{request.GET.urlencode()}")
    known = redeeming.redemption_named(store, key, waiting=True)
    if known:
        messages.info(request, _already(known))
        return redirect("checkout:done", store.slug, key)
    form = BillForm(request.POST, store=store)
    if form.is_valid() and form.cleaned_data["shown"] is not None:
        return _redeem(request, store, form, key)
    return quote(request, store.slug)  # nobody has seen the total yet


def _already(redemption: Redemption) -> str:
    """A second tap, or a second till, gets the first one's receipt."""
    return _("Redeemed at %(time)s: this is the same receipt.") % {"time": pages.clock(redemption)}


def _redeem(request: HttpRequest, store: Store, form: BillForm, key: str) -> HttpResponse:
    location, typed = pages.till_location(request, store), request.GET.get("code", "")
    try:
        with guesses.at_till(request, store, pages.cashier(request)):
            redeeming.redeem(
                store,
                typed,
                form.bill,
                at=timezone.now(),
                person=form.cleaned_data["friend"],
                by=pages.cashier(request),
                location=location.code if location else "",
                public_id=key,
                order_ref=_bill_before(request),
                shown_minor=form.cleaned_data["shown"],
                named=name_views.named(request),
            )
    except guesses.Wait as wait:
        return _ask(request, store, error=str(wait), typed=typed)
    except NotRedeemable:
        return quote(request, store.slug)  # it says why, as it stands now, and counts a code that is not there
    except Changed as change:
        return _show(request, store, change.quote, form, change.quote, changed=True)
    return redirect("checkout:done", store.slug, key)


@at_counter
@require_GET
def done(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The receipt, with the thanks to pass on and ten minutes to undo."""
    redemption = _redemption(store, public_id)
    until = pages.undo_until(redemption)
    context = pages.frame(
        request,
        store,
        redemption=redemption,
        clock=pages.clock(redemption),
        off_minor=-redemption.discount_minor,
        payable_minor=redemption.amount_minor - redemption.discount_minor,
        referral=redeeming.referral_of(redemption),
        minutes_left=pages.minutes_left(until) if until else 0,
        asks=asks_for(store, buyer_of(redemption)),
        more_codes=pages.more_codes(redemption),
    )
    return render(request, "checkout/done.html", context)


def _redemption(store: Store, public_id: str) -> Redemption:
    found = redeeming.redemption_named(store, public_id)
    if found is None:
        raise Http404("no such redemption")
    return found


@at_counter
@require_GET
def today(request: HttpRequest, store: Store) -> HttpResponse:
    """What was redeemed since midnight where the store is."""
    rows = pages.redemptions_today(store, timezone.now()).order_by("-at")
    credited = Prefetch("order__referrals", Referral.objects.in_force().select_related("advocate"), to_attr="credited")
    joined = rows.select_related("store", "voucher__customer", "by", "location", "order").prefetch_related(credited)
    shown: list[dict[str, Any]] = [
        {"redemption": one, "clock": pages.clock(one), "can_undo": pages.undo_until(one) is not None}
        for one in joined[: pages.MOST_ROWS]
    ]
    context = pages.frame(request, store, rows=shown, zone=store.timezone)
    return render(request, "checkout/today.html", context)


@at_counter
@require_POST
def undo(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Take a redemption back, within ten minutes."""
    redemption = _redemption(store, public_id)
    try:
        redeeming.undo(redemption, at=timezone.now(), by=pages.cashier(request))
    except TooLate:
        messages.error(request, _("Ten minutes have passed, so this can no longer be undone here. Ask a manager."))
    except AlreadyReversed:
        messages.info(request, _("This had been undone before."))
    else:
        messages.success(request, _("Undone. The code may be used again."))
    return redirect("checkout:today", store.slug)
