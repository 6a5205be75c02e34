"""The outbox, one letter in it, and deciding about a message nobody knows the fate of."""

from __future__ import annotations

from csp.decorators import csp_replace
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from customers.models import Channel
from outreach import queries, services
from outreach.models import Message
from stores.access import for_role
from stores.lists import keyset_page
from stores.models import Role, Store

# A letter's own page inside the frame: no script, its own style attributes and blocks, pictures with
# the letter. `sandbox` holds when somebody opens the address by itself, too.
LETTER_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@require_safe
@for_role(Role.MANAGER)
def outbox(request: HttpRequest, store: Store) -> HttpResponse:
    """What would have left by mail or text, newest first, while the outbox channel is in use."""
    channel = request.GET.get("channel", "")
    context = {
        "nav_key": "messages",
        "channel": channel if channel in Channel.values else "",
        "channels": [(Channel.EMAIL, _("Mail")), (Channel.SMS, _("Texts"))],
        "page": keyset_page(queries.outbox(store, channel), "at", request.GET.get("after", "")),
    }
    return render(request, "outreach/dashboard/outbox.html", context)


@require_safe
@for_role(Role.MANAGER)
def letter(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One letter or text as it was received."""
    item = get_object_or_404(queries.outbox(store), public_id=public_id)
    is_text = item.channel == Channel.SMS
    context = {
        "nav_key": "messages",
        "item": item,
        "is_text": is_text,
        "plain": is_text or not item.html or request.GET.get("as") == "text",
        "linked_text": with_links(item.text),
    }
    return render(request, "outreach/dashboard/letter.html", context)


def with_links(text: str) -> SafeString:
    """The text escaped, with its addresses as links that open in a new window."""
    return mark_safe(urlize(text, nofollow=True, autoescape=True).replace("<a ", '<a target="_blank" '))


@require_safe
@xframe_options_sameorigin
@csp_replace(LETTER_POLICY)
@for_role(Role.MANAGER)
def letter_html(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The HTML part of a letter, for the frame on its page; its links open in new windows."""
    item = get_object_or_404(queries.outbox(store), public_id=public_id)
    return HttpResponse(in_new_windows(item.html))


def in_new_windows(html: str) -> str:
    """The letter with `<base target="_blank">` in its head: a framed link must not open in the frame."""
    base = '<base target="_blank">'
    head, found, rest = html.partition("<head>")
    return f"{head}{found}{base}{rest}" if found else base + html


@require_POST
@for_role(Role.MANAGER)
def settle(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A person says of a message with unknown fate: `arrived` yes, or send it again."""
    message = get_object_or_404(Message.objects.for_store(store), public_id=public_id)
    arrived = request.POST.get("arrived", "")
    if arrived not in ("yes", "no"):
        messages.error(request, _("Choose whether it arrived or is to be sent again."))
    elif not services.settle_unknown(message, was_sent=arrived == "yes", at=timezone.now()):
        messages.info(request, _("Somebody decided about this message before you."))
    elif arrived == "yes":
        messages.success(request, _("Noted: it arrived."))
    else:
        messages.success(request, _("It will be sent again within a minute."))
    return redirect("insights:messages", store.slug)
