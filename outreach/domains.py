"""Which domain a store's mail comes from, and what its records say (`outreach.alignment`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings

from customers.models import Channel
from outreach import accounts
from outreach.alignment import Alignment, Resolver, check, remember
from outreach.alignment import remembered as kept
from outreach.mail_providers import MAIL_PROVIDERS
from outreach.models import ChannelAccount
from stores import secrets
from stores.models import Store


@dataclass(frozen=True)
class Sending:
    """A domain that letters come from: what its provider wants in SPF, and where its DKIM key may stand."""

    domain: str
    spf: str
    selectors: tuple[str, ...]


def of(account: ChannelAccount | None) -> Sending | None:
    """The domain that customers see, by the store's account or the server's (None).

    None while nothing leaves the house, or for mail in the name of this machine.
    """
    if account is None and settings.EMAIL_CHANNEL == "outbox":
        return None
    sender = account.sender if account else parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain = sender.rpartition("@")[2].lower()
    if "." not in domain:
        return None
    row = MAIL_PROVIDERS.get(account.provider if account else accounts.server_mail_provider())
    typed, listed = _selector(account), row.selectors if row else ()
    return Sending(domain, row.spf if row else "", (typed, *listed) if typed else listed)


def check_store(store: Store, at: datetime, resolver: Resolver | None = None) -> Alignment | None:
    """Ask DNS about the store's domain and keep the answer; None when it has none. Not inside a transaction."""
    sending = of(accounts.own(store, Channel.EMAIL))
    if sending is None:
        return None
    found = check(sending.domain, spf=sending.spf, selectors=sending.selectors, at=at, resolver=resolver)
    remember(found, spf=sending.spf, selectors=sending.selectors)
    return found


def remembered(sending: Sending | None) -> Alignment | None:
    """What the last check found; None before the first."""
    return kept(sending.domain, spf=sending.spf, selectors=sending.selectors) if sending else None


def _selector(account: ChannelAccount | None) -> str:
    if account is None:
        return str(settings.DKIM_SELECTOR)
    try:
        return accounts.open_account(account).values.get("dkim_selector", "")
    except secrets.Unreadable:
        return ""
