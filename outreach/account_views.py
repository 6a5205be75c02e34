"""Mail and texts: by whose account they leave, what the providers reported, and whether mailboxes believe them."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Channel
from outreach import accounts, complaints, domains
from outreach.account_forms import AccountForm, TestTextForm, label_of, offered
from outreach.channels import Letter, NotNow, Refused, Uncertain
from outreach.models import ChannelAccount
from stores import limits, secrets
from stores.access import for_role, me
from stores.models import Role, Store

TESTS_AN_HOUR = 10


@dataclass(frozen=True)
class Card:
    """One channel as the page shows it."""

    channel: str
    account: ChannelAccount | None
    provider: str
    sender: str
    is_outbox: bool
    is_readable: bool
    webhook: str


@for_role(Role.OWNER)
@require_safe
def channels(request: HttpRequest, store: Store) -> HttpResponse:
    """How mail and texts leave."""
    return _page(request, store, "channels", {"test_form": TestTextForm(country=store.country)})


@for_role(Role.OWNER)
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def channel(request: HttpRequest, store: Store, channel: str) -> HttpResponse:
    """The store's own account on a channel: choose a provider (`?provider=`), type what it wants."""
    way, account = _channel(channel), accounts.own(store, channel)
    listed = offered(way)
    chosen = request.GET.get("provider", "") or (account.provider if account else "")
    context: dict[str, Any] = {"channel": way, "providers": listed, "provider": chosen, "account": account}
    if chosen not in dict(listed):
        return _page(request, store, "channel", context)
    same = account is not None and account.provider == chosen
    kept = _values(account) if account and same else {}
    sender = account.sender if account else ""
    form = AccountForm(way, chosen, request.POST or None, kept=kept, sender=sender)
    if request.method == "POST" and form.is_valid():
        sender = form.cleaned_data["sender"]
        accounts.save(store, way, provider=chosen, values=form.values, sender=sender, by=me(request), at=timezone.now())
        if way == Channel.EMAIL:
            transaction.on_commit(lambda: domains.check_store(store, timezone.now()), robust=True)
        messages.success(request, _("Saved. Send yourself a test before your customers get anything."))
        return redirect("outreach:channels", store.slug)
    return _page(request, store, "channel", {**context, "form": form, "label": label_of(way, chosen)})


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, store: Store, channel: str) -> HttpResponse:
    """Let go of the store's own account: GET asks, naming it, because its keys are gone then."""
    account = get_object_or_404(ChannelAccount.objects.for_store(store), channel=_channel(channel))
    if request.method == "GET":
        label = label_of(account.channel, account.provider)
        return _page(request, store, "remove_channel", {"account": account, "label": label})
    accounts.remove(account, by=me(request), at=timezone.now())
    messages.success(request, _("The account was removed, and its keys with it."))
    return redirect("outreach:channels", store.slug)


@for_role(Role.OWNER)
@require_POST
def test_send(request: HttpRequest, store: Store, channel: str) -> HttpResponse:
    """One message to the owner themselves: mail to the address they log in with, a text to the number typed."""
    way = _channel(channel)
    form = TestTextForm(request.POST if way == Channel.SMS else None, country=store.country)
    if way == Channel.SMS and not form.is_valid():
        return _page(request, store, "channels", {"test_form": form}, status=422)
    to = form.cleaned_data["number"] if way == Channel.SMS else me(request).email
    if limits.count(f"test-send:{store.pk}", per_seconds=3600) > TESTS_AN_HOUR:
        messages.error(request, _("That were many tests in one hour. Wait a while, then go on."))
    else:
        # After the commit: nobody waits for a provider inside a transaction.
        transaction.on_commit(lambda: _try(request, store, way, to))
    return redirect("outreach:channels", store.slug)


@for_role(Role.OWNER)
@require_POST
def records(request: HttpRequest, store: Store) -> HttpResponse:
    """Look the domain's records up in DNS now."""
    transaction.on_commit(lambda: domains.check_store(store, timezone.now()), robust=True)
    return redirect("outreach:channels", store.slug)


@for_role(Role.OWNER)
@require_POST
def resume(request: HttpRequest, store: Store) -> HttpResponse:
    """Advertising by mail goes out again, once the owner has read what to do about complaints."""
    if request.POST.get("read") != "yes":
        messages.error(request, _("Please read what to change first, and say that you did."))
    elif complaints.lift(store, by=me(request), at=timezone.now()):
        messages.success(request, _("Advertising by mail goes out again. We keep counting."))
    return redirect("outreach:channels", store.slug)


def _try(request: HttpRequest, store: Store, way: Channel, to: str) -> None:
    """Send the test and say what came of it."""
    send = accounts.transport_for(store, way)
    if send is None:
        messages.info(request, _("Nothing leaves yet: no account is set, so messages stay on the outbox page."))
        return
    body = _("This is a test from %(store)s. It works.") % {"store": store.name}
    reference = f"test{timezone.now():%Y%m%d%H%M%S%f}"
    try:
        send(Letter(reference, to, _("A test from %(store)s") % {"store": store.name}, body, sender_name=store.name))
    except Refused as error:
        messages.error(request, _("The provider refused it: %(reason)s") % {"reason": error})
    except NotNow as error:
        messages.error(request, _("It could not be handed over: %(reason)s") % {"reason": error})
    except Uncertain:
        messages.warning(request, _("The provider did not answer. Look whether it arrived before you try again."))
    else:
        messages.success(request, _("A test is on its way to %(to)s.") % {"to": to})


def _channel(name: str) -> Channel:
    if name not in Channel.values or not settings.OWN_ACCOUNTS:
        raise Http404
    return Channel(name)


def _values(account: ChannelAccount) -> dict[str, str]:
    """What is on record; nothing when no key of ours opens it, so that everything is asked again."""
    try:
        return dict(accounts.open_account(account).values)
    except secrets.Unreadable:
        return {}


def _card(way: Channel, account: ChannelAccount | None) -> Card:
    is_mail = way == Channel.EMAIL
    outbox = (settings.EMAIL_CHANNEL if is_mail else settings.SMS_CHANNEL) == "outbox"
    servers = parseaddr(settings.DEFAULT_FROM_EMAIL)[1] if is_mail else settings.SMS_SENDER
    return Card(
        channel=way,
        account=account,
        provider=label_of(way, account.provider) if account else "",
        sender=account.sender if account else servers,
        is_outbox=account is None and outbox,
        is_readable=account is None or bool(_values(account)),
        webhook=accounts.webhook_url(account) if account and accounts.reports_back(account) else "",
    )


def _overview(store: Store) -> dict[str, Any]:
    """What the first page shows."""
    owned = {account.channel: account for account in accounts.all_own(store)}
    mail = owned.get(Channel.EMAIL)
    sending = domains.of(mail)
    return {
        "mail": _card(Channel.EMAIL, mail),
        "texts": _card(Channel.SMS, owned.get(Channel.SMS)),
        "domain": sending.domain if sending else "",
        "records": domains.remembered(sending),
        "complaints": complaints.counts(store, timezone.now()),
        "is_stopped": complaints.is_stopped(store),
        "own_allowed": settings.OWN_ACCOUNTS,
    }


def _page(
    request: HttpRequest, store: Store, name: str, context: dict[str, Any], status: int | None = None
) -> HttpResponse:
    if name == "channels":
        context |= _overview(store)
    form = context.get("form")
    refused = 422 if request.method == "POST" and getattr(form, "errors", None) else 200
    context = {"nav_key": "settings", "tab": "channels", **context}
    return render(request, f"outreach/dashboard/{name}.html", context, status=status or refused)
