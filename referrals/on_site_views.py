"""What goes on the shop's own site: the lines to copy, how it looks, and at which addresses it may stand."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from referrals.forms.on_site import AddressesForm
from referrals.services import prints
from referrals.services.programs import live_program
from stores.access import for_role, me
from stores.framing import origins_of
from stores.models import Role, Store
from stores.services import change_settings
from surveys.models import Survey


@dataclass(frozen=True)
class Piece:
    """One thing to put on a site: `line` is what is copied for it."""

    kind: str
    name: str
    about: str
    line: str


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def on_site(request: HttpRequest, store: Store) -> HttpResponse:
    """POST `step` open lets visitors get links of their own; otherwise it saves the addresses."""
    if request.method == "POST" and request.POST.get("step") == "open":
        return _open(request, store)
    form = AddressesForm(request.POST if request.method == "POST" else None, store=store)
    if not form.is_bound or not form.is_valid():
        return _page(request, store, form, status=422 if form.is_bound else 200)
    change_settings(store, {"site_addresses": form.cleaned_data["addresses"]}, by=me(request), at=timezone.now())
    messages.success(request, _("Saved. Your pages there may show it from now on."))
    return redirect("referrals:on_site", store.slug)


def _open(request: HttpRequest, store: Store) -> HttpResponse:
    try:
        prints.open_site(store, name=_("On your site"), by=me(request), at=timezone.now())
    except prints.NotNow:
        messages.error(request, _("No program runs for them, so the codes would lead nowhere. Let it run first."))
    else:
        messages.success(request, _("Done. Whoever taps the button on your site gets a link of their own."))
    return redirect("referrals:on_site", store.slug)


def _page(request: HttpRequest, store: Store, form: AddressesForm, *, status: int = 200) -> HttpResponse:
    address = settings.SITE_URL + reverse("referral:widget_script", args=[store.slug])
    context = {
        "nav_key": "materials",
        "form": form,
        "sites": origins_of(store),
        "script": format_html('<script src="{}" async></script>', address),
        "pieces": pieces(store),
        "run": prints.site_run(store),
        "is_paused": live_program(store, timezone.now()) is None,
        "language": get_language(),
        "demo_url": reverse("referral:demo_shop", args=[store.slug]) if settings.DEMO else "",
    }
    return render(request, "referrals/dashboard/materials/on_site.html", context, status=status)


def pieces(store: Store) -> list[Piece]:
    """Everything there is, in the active language; the name is also the frame's title for screen readers.

    The question has no line while none is set up: its frame would be empty.
    """
    about = [
        (
            "banner",
            _("Banner"),
            _("At the top of a page: what friends get. Who came by a friend's link sees that gift."),
        ),
        (
            "share",
            _("Share box"),
            _("On the page after an order, or in a customer's account: pass it on, with one tap."),
        ),
        ("testimonials", _("Kind words"), _("What customers wrote and allowed you to show.")),
        ("survey", _("Question"), _("How likely is it that you would recommend us?")),
    ]
    asked = Survey.objects.for_store(store).filter(occasion=Survey.Occasion.WIDGET, is_on=True).exists()
    return [
        Piece(kind, name, text, _line(kind, name) if kind != "survey" or asked else "") for kind, name, text in about
    ]


def _line(kind: str, title: str) -> str:
    return format_html(
        '<div data-goodword="{}" data-lang="{}" data-title="{}"></div>', kind, get_language() or "en", title
    )
