"""Passes for the wallet of a phone: the owner's keys, and the advocate's buttons."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer
from referrals.forms.wallets import WalletForm
from referrals.me_views import own_page
from referrals.models import WalletKey
from referrals.public.pages import gone
from referrals.services import links, wallets
from referrals.services.programs import program_for
from referrals.wallets import apple, google
from referrals.wallets.cards import Card, card_of
from stores.access import for_role, me
from stores.models import Role, Store

Wallet = WalletKey.Wallet


@require_http_methods(["GET", "POST"])
@for_role(Role.OWNER)
def settings(request: HttpRequest, store: Store) -> HttpResponse:
    """Keep the keys of a wallet, or let go of them (POST `step` remove)."""
    forms = {wallet: WalletForm(wallet) for wallet in Wallet.values}
    status = 200
    if request.method == "POST":
        wallet = request.POST.get("wallet", "")
        if wallet not in Wallet.values:
            raise Http404("no such wallet")
        if request.POST.get("step") == "remove":
            wallets.remove(store, wallet, by=me(request), at=timezone.now())
            messages.success(request, _("Removed. The button is gone; passes in people's phones stay there."))
            return redirect("referrals:wallet", store.slug)
        forms[wallet] = WalletForm(wallet, request.POST)
        if forms[wallet].is_valid():
            wallets.save(store, wallet, forms[wallet].values, by=me(request), at=timezone.now())
            messages.success(request, _("Saved. Your customers find the button on their page."))
            return redirect("referrals:wallet", store.slug)
        status = 422
    known, live = wallets.keys_of(store), wallets.offered(store, timezone.now())
    rows = [(Wallet(wallet), forms[wallet], known.get(wallet), wallet in live) for wallet in Wallet.values]
    context = {"nav_key": "materials", "rows": rows}
    return render(request, "referrals/dashboard/materials/wallet.html", context, status=status)


@require_safe
@own_page
def apple_pass(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """The advocate's code as a signed .pkpass."""
    by, card = wallets.opened(owner.store, Wallet.APPLE, timezone.now()), _card(owner)
    if not isinstance(by, apple.Signer) or card is None:
        return gone(request)
    response = HttpResponse(apple.package(card, by), content_type=apple.KIND)
    response["Content-Disposition"] = f'attachment; filename="{owner.store.slug}.pkpass"'
    return response


@require_safe
@own_page
def google_pass(request: HttpRequest, owner: Customer, token: str) -> HttpResponse:
    """On to Google with the pass, only now that somebody has tapped."""
    by, card = wallets.opened(owner.store, Wallet.GOOGLE, timezone.now()), _card(owner)
    if not isinstance(by, google.Signer) or card is None:
        return gone(request)
    return redirect(google.save_link(card, by, timezone.now()))


def _card(owner: Customer) -> Card | None:
    """What goes on the pass; None while no program runs for them."""
    now = timezone.now()
    program = program_for(owner, now)
    if program is None:
        return None
    return card_of(links.share_link_of(owner, at=now), program, owner.store, get_language() or "en")
