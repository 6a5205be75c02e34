"""What an operator wants to know about mail and texts; for `manage.py doctor`.

None of it belongs into /readyz: one shop's complaints or lost keys must not take the server out of service.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from customers.models import Channel
from outreach import accounts, complaints, domains
from outreach.account_forms import offered
from outreach.models import ChannelAccount
from stores import secrets
from stores.directory import each_store
from stores.health import NotReady
from stores.models import Store
from stores.tenancy import acting_for


def own_accounts() -> str:
    """Every store's own account can be opened, and its provider is one we have."""
    broken, number = [], 0
    for store in each_store():
        with acting_for(store):
            for account in accounts.all_own(store):
                number += 1
                broken += [] if _works(account) else [f"{store.slug} ({account.channel})"]
    if broken:
        raise NotReady(
            f"{', '.join(broken)}: nothing leaves by these accounts. Their keys cannot be read (was SECRET_KEY changed "
            "without SECRET_KEY_FALLBACKS?) or their provider is not installed; the owners can type the keys again"
        )
    return f"{number} stores' own accounts can be opened"


def _works(account: ChannelAccount) -> bool:
    try:
        accounts.open_account(account)
    except secrets.Unreadable:
        return False
    return account.provider in dict(offered(account.channel))


def spam_complaints() -> str:
    """No store's advertising mails are marked as spam by too many."""
    now, found = timezone.now(), []
    for store in each_store():
        with acting_for(store):
            counts = complaints.counts(store, now)
            if counts.state != complaints.State.GOOD or complaints.is_stopped(store):
                words = "stopped" if complaints.is_stopped(store) else "above 0.1 %"
                found.append(f"{store.slug} {words} ({counts.complained} of {counts.sent})")
    if found:
        raise NotReady(f"too many marked mail as spam: {', '.join(found)}. The owners' settings say what helps")
    return "no store's mail is marked as spam by one in a thousand"


def sender_domains() -> str:
    """The domains that mail comes from say so in DNS."""
    now = timezone.now()
    bad: dict[str, list[str]] = {}
    good: set[str] = set()
    for store in each_store():
        domain = _looked_up(store, now, bad, good)
        if domain:
            good.add(domain)
    if bad:
        lines = "; ".join(f"{domain} lacks {', '.join(missing)}" for domain, missing in sorted(bad.items()))
        raise NotReady(f"mailboxes may not believe it: {lines}. Settings > Mail and texts shows the records to add")
    return f"{len(good)} domains looked up" if good else "nothing is sent, or DNS did not answer"


def _looked_up(store: Store, now: datetime, bad: dict[str, list[str]], good: set[str]) -> str:
    """The store's domain when its records are all right; each domain is asked for once."""
    sending = domains.of(accounts.own(store, Channel.EMAIL))
    if sending is None or sending.domain in bad or sending.domain in good:
        return ""
    found = domains.check_store(store, now)
    if found and found.is_bad:
        bad[sending.domain] = found.missing
        return ""
    return sending.domain if found and found.is_good else ""


def text_gateway() -> str:
    """The server's own gateway has what it needs."""
    if settings.SMS_CHANNEL == "outbox":
        return "go to the outbox page; set SMS_URL or SMS_PROVIDER to send for real"
    if settings.SMS_PROVIDER not in dict(offered(Channel.SMS)):
        raise NotReady(f"SMS_PROVIDER is {settings.SMS_PROVIDER}: take one of {', '.join(dict(offered(Channel.SMS)))}")
    mine = accounts.server_texts()
    if settings.SMS_PROVIDER == "generic":
        if not settings.SMS_TOKEN:
            raise NotReady("SMS_TOKEN is not set: the gateway will refuse every message")
        return "gateway and token are set"
    needed = [one.name for one in accounts.sms.GATEWAYS[settings.SMS_PROVIDER].fields if one.required]
    missing = [f"SMS_{name.upper()}" for name in needed if not mine.value(name)]
    if missing:
        raise NotReady(f"{', '.join(missing)} is not set: name it in SMS_SETTINGS, too")
    return f"{settings.SMS_PROVIDER} is set"
