"""By whose account messages leave: a store's own with a provider, or the server's; and how to change it.

The values of an account are sealed (`stores.secrets`) and shown to nobody again. A secret that was
replaced still proves reports for ROTATION, since providers change over at their own pace.
"""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.db import connection, transaction
from django.urls import reverse

from customers.models import Channel
from outreach.channels import Letter, NotNow, email, sms
from outreach.channels.outside import pin
from outreach.mail_providers import MAIL_PROVIDERS, SMTP, marked
from outreach.models import ChannelAccount
from stores import secrets
from stores.models import Store, User
from stores.services import note
from stores.tenancy import acting_for

ROTATION = timedelta(days=3)
OWN_TIMEOUT = (5, 10)  # seconds to connect, and between two pieces of an answer
Transport = Callable[[Letter], str]
LookUp = Callable[[str, str], str | None]


@dataclass(frozen=True)
class Opened:
    """An account's values, readable; `before` are those replaced lately, which still prove reports."""

    values: Mapping[str, str] = field(repr=False)
    before: Mapping[str, str] = field(repr=False, default_factory=dict)


# -- Sending --


def transport_for(store: Store, channel: str) -> Transport | None:
    """How a letter of the store leaves by this channel; None when nothing is set and it stays in the outbox.

    A sample's never leave, whatever is set: its people are made up. What comes back serves any number of
    letters: it answers with the provider's id, or raises as `outreach.channels` says. Call it outside a transaction.
    """
    if store.is_sample:
        return None
    account = own(store, channel)
    if account is not None:
        return _own_transport(store, account)
    if channel == Channel.EMAIL:
        return _server_mail(store) if settings.EMAIL_CHANNEL != "outbox" else None
    return _server_texts() if settings.SMS_CHANNEL != "outbox" else None


def look_up_for(store: Store, channel: str, begun_at: datetime) -> LookUp | None:
    """How to ask the provider after a message, by our reference and its own id: "sent", "failed" or None.

    None where nobody can be asked: mail providers cannot, some text gateways can; and where the account
    was changed after the hand-over began: another one knows nothing of it.
    """
    account = own(store, channel)
    if channel != Channel.SMS or (account and account.changed_at > begun_at):
        return None
    mine = text_account(account) if account else server_texts()
    if account is None and settings.SMS_CHANNEL == "outbox":
        return None
    if mine is None or not sms.GATEWAYS[mine.provider].finds:
        return None
    return lambda reference, provider_id: sms.GATEWAYS[mine.provider].look_up(mine, reference, provider_id)


def repeats_for(store: Store, channel: str, begun_at: datetime) -> timedelta | None:
    """For how long the provider takes a second hand-over of the same message for the first; None: it never does,
    or the account was changed after the first began."""
    account = own(store, channel)
    if account and account.changed_at > begun_at:
        return None
    slug = account.provider if account else server_mail_provider()
    provider = MAIL_PROVIDERS.get(slug) if channel == Channel.EMAIL else None
    return provider.repeats if provider else None


def own(store: Store, channel: str) -> ChannelAccount | None:
    """The store's own account for this channel, while the server lets stores have one."""
    if not settings.OWN_ACCOUNTS:
        return None
    with acting_for(store):
        return ChannelAccount.objects.for_store(store).filter(channel=channel).first()


def all_own(store: Store) -> list[ChannelAccount]:
    """Every account of the store's own, while the server lets stores have them."""
    return list(ChannelAccount.objects.for_store(store)) if settings.OWN_ACCOUNTS else []


def _own_transport(store: Store, account: ChannelAccount) -> Transport:
    try:
        values = open_account(account).values
        known = account.provider in (MAIL_PROVIDERS if account.channel == Channel.EMAIL else sms.GATEWAYS)
    except secrets.Unreadable:
        known = False
    if not known:
        return _not_now
    if account.channel == Channel.SMS:
        mine = text_account(account)
        return lambda letter: sms.GATEWAYS[account.provider].send(mine, letter)  # type: ignore[arg-type]

    def deliver(letter: Letter) -> str:
        prepare = marked(account.provider, f"{store.pk}.{letter.reference}")
        line = mail_connection(account.provider, values)
        return email.deliver(letter, connection=line, sender=account.sender, prepare=prepare)

    return deliver


def _not_now(letter: Letter) -> str:
    """An account that cannot be opened: its messages wait for the owner to type the keys again."""
    raise NotNow("account cannot be opened", timedelta(hours=1))


def mail_connection(provider: str, values: Mapping[str, str], base_url: str = "") -> Any:
    """A connection of its own to the provider, not yet open; `base_url` stands in for its address in tests."""
    row = MAIL_PROVIDERS[provider]
    options = row.settings(values)
    if row is SMTP:
        return get_connection(row.backend, timeout=settings.EMAIL_TIMEOUT, **options)
    if base_url:
        options["api_url"] = base_url
    if provider != "amazon_ses":
        options["timeout"] = OWN_TIMEOUT
    line: Any = get_connection(row.backend, **options)
    if not base_url and provider == "postal":  # the only one whose address the owner types
        line.open()
        pin(line.session)
    return line


def text_account(account: ChannelAccount) -> sms.Account | None:
    """The account as the gateways take it; None when it cannot be opened."""
    try:
        values = open_account(account).values
    except secrets.Unreadable:
        return None
    return sms.Account(account.provider, values, account.sender, report_url=webhook_url(account))


def server_mail_provider() -> str:
    """The provider of the server's own mail ("mailgun"); '' for SMTP."""
    path = settings.EMAIL_BACKEND.split(".")
    return path[2] if path[:2] == ["anymail", "backends"] else ""


def server_texts() -> sms.Account:
    """The server's own account with a text gateway, from its settings."""
    provider, token = settings.SMS_PROVIDER, settings.SMS_WEBHOOK_TOKEN
    values = {"token": settings.SMS_TOKEN, **settings.SMS_FIELDS}
    reports_to = _address(Channel.SMS, provider, token) if token else ""
    return sms.Account(provider, values, settings.SMS_SENDER, reports_to, base_url=settings.SMS_URL)


def _server_mail(store: Store) -> Transport:
    slug = server_mail_provider()
    if not slug:
        return email.deliver
    return lambda letter: email.deliver(letter, prepare=marked(slug, f"{store.pk}.{letter.reference}"))


def _server_texts() -> Transport:
    mine = server_texts()
    return lambda letter: sms.GATEWAYS[mine.provider].send(mine, letter)


# -- Reports --


def webhook_url(account: ChannelAccount) -> str:
    """Where the provider is to send its reports. It is a secret: whoever knows it may report."""
    return _address(account.channel, account.provider, account.token)


def _address(channel: str, provider: str, token: str) -> str:
    name = "in:mail" if channel == Channel.EMAIL else "in:texts"
    return settings.SITE_URL + reverse(name, args=[provider, token])


def reports_back(account: ChannelAccount) -> bool:
    """Whether this provider can call us."""
    table: Mapping[str, Any] = MAIL_PROVIDERS if account.channel == Channel.EMAIL else sms.GATEWAYS
    row = table.get(account.provider)
    return bool(row and row.reports_back)


def store_by_token(token: str) -> int | None:
    """The id of the store whose account has this token in its webhook address."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT goodword_store_by_channel_token(%s)", [token])
        return cursor.fetchone()[0]


def note_report(account: ChannelAccount, at: datetime) -> None:
    """Remember that the provider has called; at most once a minute, so that a flood of reports queues at no row."""
    if account.reported_at is None or account.reported_at < at - timedelta(minutes=1):
        ChannelAccount.objects.filter(store_id=account.store_id, pk=account.pk).update(reported_at=at)


# -- Changing --


def open_account(account: ChannelAccount, at: datetime | None = None) -> Opened:
    """The account's values. Raises secrets.Unreadable when no key opens them."""
    kept = json.loads(secrets.unseal(account.secrets, _context(account.store_id, account.channel)))
    until = kept.get("until")
    still = at is not None and until is not None and at < datetime.fromisoformat(until)
    return Opened(kept["values"], kept["before"] if still else {})


def save(
    store: Store,
    channel: Channel,
    *,
    provider: str,
    values: Mapping[str, str],
    sender: str,
    by: User | None,
    at: datetime,
) -> ChannelAccount:
    """Give the store this account on the channel, in place of the one it had; the audit names no secret.

    The webhook's address stays while the provider does.
    """
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # a double click makes one account
        before = ChannelAccount.objects.for_store(store).select_for_update().filter(channel=channel).first()
        same = before is not None and before.provider == provider
        account = before or ChannelAccount(store=store, channel=channel, created_at=at)
        sealed = _sealed(account, values, _values_before(before) if same else {}, at)
        was = _shown(before) if before else {}
        account.provider, account.sender, account.secrets, account.changed_at = provider, sender, sealed, at
        if not same:
            account.token, account.reported_at = random.token_urlsafe(32), None
        account.save()
        note(store, "account.saved", subject=channel, before=was, after=_shown(account), by=by, at=at)
    return account


def remove(account: ChannelAccount, *, by: User | None, at: datetime) -> None:
    """Let go of the account and its keys; the server's own serves from now on."""
    with transaction.atomic():
        note(account.store, "account.removed", subject=account.channel, before=_shown(account), by=by, at=at)
        ChannelAccount.objects.filter(store_id=account.store_id, pk=account.pk).delete()


def renew_secrets(store: Store, at: datetime) -> int:
    """After a change of SECRET_KEY: seal again under the new one; returns how many."""
    renewed = 0
    for account in ChannelAccount.objects.for_store(store).select_for_update():
        fresh = secrets.renew(account.secrets, _context(store.pk, account.channel))
        if fresh is not None:
            mine = ChannelAccount.objects.for_store(store).filter(pk=account.pk, secrets=account.secrets)
            renewed += mine.update(secrets=fresh)
    return renewed


def _sealed(account: ChannelAccount, values: Mapping[str, str], before: Mapping[str, str], at: datetime) -> str:
    kept = {"values": dict(values), "before": dict(before), "until": (at + ROTATION).isoformat()}
    return secrets.seal(json.dumps(kept), _context(account.store_id, account.channel))


def _values_before(account: ChannelAccount | None) -> Mapping[str, str]:
    try:
        return open_account(account).values if account else {}
    except secrets.Unreadable:
        return {}


def _shown(account: ChannelAccount) -> dict[str, str]:
    """What the audit keeps: whose account and which sender, no values."""
    return {"provider": account.provider, "sender": account.sender}


def _context(store_id: int, channel: str) -> str:
    return f"channel:{store_id}:{channel}"
