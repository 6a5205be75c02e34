"""The advocate's own page, and what they send from it: no login, the token in the address is the key.

Every form is a plain POST that leads back to the page, so that a second tap does nothing new.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from customers.services.preferences import set_preferences
from outreach.rendering import unsubscribe_url
from referrals.materials import drawing
from referrals.models import Program, Referral, ShareLink
from referrals.public import devices, friends
from referrals.public.contests import cards_of
from referrals.public.ladders import boost_of, standing_of
from referrals.public.limits import WINDOW, too_many_forms
from referrals.public.pages import gone, is_bot, owner_of
from referrals.public.progress import progress_of
from referrals.public.sharing import share_panel
from referrals.public.terms import Speaker, terms_path
from referrals.public_forms import AppealForm, MissingForm, PayoutForm, PreferencesForm
from referrals.services import appeals, links, wallets
from referrals.services.devices import hashed, note_device
from referrals.services.programs import program_for, program_of
from rewards.addresses import Method
from rewards.models import Reward
from rewards.services import granting
from rewards.services.addresses import Details, address_of, save_address
from stores.middleware import speak
from stores.models import Store
from stores.public import public_page
from surveys.services import testimonials

OwnerView = Callable[..., HttpResponse]


def own_page(view: OwnerView) -> OwnerView:
    """Give a view the token's customer; whoever is unknown or erased gets the page for everything that is gone."""

    @public_page
    @wraps(view)
    def page(request: HttpRequest, token: str, **kwargs: str) -> HttpResponse:
        owner = owner_of(request, token)
        if owner is None:
            return gone(request)
        speak(request, owner.locale, owner.store.locale)
        return view(request, owner, token, **kwargs)

    return page


def own_form(view: OwnerView) -> OwnerView:
    """The same for a form: what is sent is counted, and past the limit the visitor is asked to come back later."""

    @own_page
    @wraps(view)
    def page(request: HttpRequest, owner: Customer, token: str, **kwargs: str) -> HttpResponse:
        if request.method == "POST" and too_many_forms(owner):
            response = render(request, "referrals/public/busy.html", {"token": token}, status=429)
            response["Retry-After"] = str(WINDOW)
            return response
        return view(request, owner, token, **kwargs)

    return page


def _back(token: str, part: str) -> HttpResponse:
    return redirect(f"{reverse('referral:share', args=[token])}#{part}")


# -- The page --


@require_safe
@own_page
def share(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """Share in one tap; see where each friend and reward stands, and why."""
    now, store = timezone.now(), owner.store
    link = links.share_link_of(owner, at=now)
    link.customer = owner
    response = render(request, "referrals/public/share.html", page_of(link, token, program_for(owner, now)))
    if is_bot(request):
        return response
    known = devices.known_device(request)
    value = known or devices.new_device()
    note_device(owner, hashed(store, value), at=now)
    return response if known else devices.remember(response, value)


def page_of(link: ShareLink, token: str, mine: Program | None) -> dict[str, object]:
    """Everything that the advocate's page shows; `mine` is the program that runs for them, None while none does."""
    owner, now = link.customer, timezone.now()
    store: Store = owner.store
    program = mine or program_of(store, now)
    standing = standing_of(store, owner, program.terms.ladder, now)
    return {
        "name": friends.short(owner.first_name),
        "panel": share_panel(store, link, program, standing),
        "progress": progress_of(store, owner, standing, now),
        "live": mine is not None,
        "ends_at": mine.ends_at if mine else None,
        "boost": boost_of(mine, now) if mine else None,
        "contests": cards_of(owner, now),
        "terms_url": terms_path(program.terms),
        "terms": Speaker(program.terms, store, get_language() or "en").wording(standing.tiers),
        "token": token,
        "owner": owner,
        "beacon": reverse("referral:shared", args=[token]),
        "story_url": reverse("referral:story", args=[token]) if drawing.can_draw() else "",
        "testimonials": testimonials.feed(store, 3),
        "wallets": wallets.offered(store, now) if mine else (),
        "stop_url": unsubscribe_url(store, owner),
    }


@public_page
@require_POST
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Beacon: a share button was tapped. No CSRF cookie: the token is the secret."""
    return note_shared(owner_of(request, token))


def note_shared(customer: Customer | None) -> HttpResponse:
    """Note the first tap on a share button; nothing for whoever is not there."""
    if customer is None or customer.erased_at:
        return HttpResponse(status=404)
    now = timezone.now()
    links.note_shared(links.share_link_of(customer, at=now), at=now)
    return HttpResponse(status=204)


# -- Rewards and cash --


@require_POST
@own_form
def choose(request: HttpRequest, owner: Customer, token: str, reward: str) -> HttpResponse:
    """Pick what a reward is to be; what was picked before stays."""
    mine = Reward.objects.for_store(owner.store).filter(customer=owner, public_id=reward)
    found = mine.select_related("offer", "tier__offer", "terms__budget", "customer__store", "store").first()
    if found is None:
        return gone(request)
    picked = {offer.public_id: offer for offer in granting.options_of(found)}.get(request.POST.get("offer", ""))
    if picked:
        # A tap before this one, or the day it was chosen by itself: the page shows what it became.
        with suppress(granting.NotOffered):
            granting.choose(found, picked, at=timezone.now())
    return _back(token, "rewards")


@require_http_methods(["GET", "HEAD", "POST"])
@own_form
def payout(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """Where the cash is to go; what stands there already is not shown again but for its end."""
    known = address_of(owner)
    sent = request.POST if request.method == "POST" else None
    form = PayoutForm(sent, currency=owner.store.currency, initial={"method": known and known.method})
    if form.is_bound and form.is_valid():
        details = Details(*(form.cleaned_data[name] for name in ("number", "holder", "bank")))
        save_address(owner, Method(form.cleaned_data["method"]), details, at=timezone.now())
        return _back(token, "cash")
    context = {"form": form, "token": token, "known": known, "way": Method(known.method).label if known else ""}
    return render(request, "referrals/public/payout.html", context, status=400 if form.errors else 200)


# -- Friends --


@require_http_methods(["GET", "HEAD", "POST"])
@own_form
def missing(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """A friend who should be there: the store's people look for them."""
    form = MissingForm(request.POST if request.method == "POST" else None)
    many = False
    if form.is_bound and form.is_valid():
        try:
            appeals.say_missing(owner, appeals.Missing(**form.cleaned_data), at=timezone.now())
        except appeals.TooMany:
            many = True
        else:
            return _back(token, "friends")
    status = 429 if many else 400 if form.errors else 200
    return render(request, "referrals/public/missing.html", {"form": form, "token": token, "many": many}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@own_form
def appeal(request: HttpRequest, owner: Customer, token: str, referral: str) -> HttpResponse:
    """Say why a friend should count; once, and a person answers."""
    mine = friends.shown_referrals(owner.store, owner).filter(public_id=referral, status=Referral.Status.VOIDED)
    found = mine.select_related("friend", "advocate", "store").first()
    if found is None:
        return gone(request)
    if found.appeals.exists():
        return _back(token, "friends")
    form = AppealForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        appeals.contest(found, form.cleaned_data["words"], at=timezone.now())
        return _back(token, "friends")
    _state, _words, why = friends.state_of(found)
    context = {"form": form, "token": token, "why": why, "name": friends.shown_name(found.friend, owner)}
    return render(request, "referrals/public/appeal.html", context, status=400 if form.errors else 200)


@require_POST
@own_form
def preferences(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """What others may see of them."""
    form = PreferencesForm(request.POST)
    if form.is_valid():
        set_preferences(owner, **form.cleaned_data)
    return _back(token, "preferences")
