"""Stop our letters: one click from a mail program (RFC 8058), two from a person."""

from __future__ import annotations

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from customers.models import Customer
from outreach import services
from stores.middleware import speak
from stores.public import enter_by_token, public_page
from stores.tokens import Purpose

SOURCE = "unsubscribe link"


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A GET only asks: scanners open every link of a letter. A POST stops at once, whatever its body."""
    pk = enter_by_token(request, Purpose.UNSUBSCRIBE, token)
    if pk is None:
        # A mail program must not believe that its one click worked.
        return render(request, "outreach/public/bad_link.html", status=400 if request.method == "POST" else 200)
    store = request.store  # type: ignore[attr-defined]
    found = Customer.objects.for_store(store).select_related("merged_into").filter(pk=pk).first()
    customer = found.today if found else None
    speak(request, customer.locale if customer else "", store.locale)
    if customer is None or customer.erased_at:
        return _page(request, "stopped", can_undo=False)
    if request.method != "POST":
        return _page(request, "stopped" if services.is_suppressed(store, customer) else "confirm")
    if _asks_again(request):
        services.resubscribe(store, customer, source=SOURCE, at=timezone.now())
        return _page(request, "resumed")
    services.unsubscribe(store, customer, source=SOURCE, at=timezone.now())
    return _page(request, "stopped")


def _asks_again(request: HttpRequest) -> bool:
    """Whether the person undoes it. A body that cannot be read is a plain "stop": the token is good."""
    try:
        return request.POST.get("resubscribe") == "1"
    except (MultiPartParserError, UnreadablePostError, SuspiciousOperation, UnicodeError):
        return False


def _page(request: HttpRequest, state: str, *, can_undo: bool = True) -> HttpResponse:
    return render(request, "outreach/public/unsubscribe.html", {"state": state, "can_undo": can_undo})
