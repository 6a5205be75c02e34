"""From a mail provider's webhook call to news: signatures and payloads are read by anymail's own views.

A provider that signs is believed by its signature; the others are believed because they know the secret
address (`ChannelAccount.token`). What a call means is anymail's normalised event, except where that
says too little: whether a bounce is for good (`_is_soft`), whether a refusal closes the address
(`_closes`). Sources for these two: SES notification contents (bounceType), Postmark bounce types,
SparkPost bounce classification codes, SendGrid event reference (bounce type "blocked"), Mailjet event
API (hard_bounce, error), Brevo transactional webhooks (soft_bounce, blocked), MailerSend activities,
Mandrill webhook format (soft_bounce), Resend email.bounced (bounce.type).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailInsecureWebhookWarning,
    AnymailNotSupportedWarning,
)
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailCoreWebhookView
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.mailtrap import MailtrapTrackingWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postal import PostalTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from anymail.webhooks.unisender_go import UnisenderGoTrackingWebhookView
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from outreach.channels.sms import Forged
from outreach.mail_providers import MAIL_PROVIDERS
from outreach.models import ProviderEvent, Suppression
from outreach.reports import News, plain

# Of webhooks without basic auth (their address is the secret), and of SendGrid, which the form tells of.
for _category in (AnymailInsecureWebhookWarning, AnymailNotSupportedWarning):
    warnings.filterwarnings("ignore", category=_category)

What = ProviderEvent.What
Reason = Suppression.Reason
Raw = Mapping[str, Any]
VIEWS: dict[str, type[AnymailCoreWebhookView]] = {
    "amazon_ses": AmazonSESTrackingWebhookView,
    "brevo": BrevoTrackingWebhookView,
    "mailersend": MailerSendTrackingWebhookView,
    "mailgun": MailgunTrackingWebhookView,
    "mailjet": MailjetTrackingWebhookView,
    "mailtrap": MailtrapTrackingWebhookView,
    "mandrill": MandrillCombinedWebhookView,
    "postal": PostalTrackingWebhookView,
    "postmark": PostmarkTrackingWebhookView,
    "resend": ResendTrackingWebhookView,
    "sendgrid": SendGridTrackingWebhookView,
    "sparkpost": SparkPostTrackingWebhookView,
    "unisender_go": UnisenderGoTrackingWebhookView,
}
WHAT = {
    EventType.DELIVERED: What.DELIVERED,
    EventType.OPENED: What.OPENED,
    EventType.CLICKED: What.CLICKED,
    EventType.COMPLAINED: What.COMPLAINED,
    EventType.UNSUBSCRIBED: What.UNSUBSCRIBED,
    EventType.BOUNCED: What.BOUNCED,
    EventType.REJECTED: What.FAILED,
    EventType.FAILED: What.FAILED,
    EventType.QUEUED: What.OTHER,
    EventType.SENT: What.OTHER,
    EventType.DEFERRED: What.OTHER,
}
SOFT_CLASSES = {"1", "20", "21", "22", "23", "24", "25", "40", "50", "51", "52", "53", "54", "70"}  # SparkPost
REFERENCE = re.compile(r"(\d{1,18})\.([a-z0-9]{8,20})")
TOLERANCE = timedelta(minutes=5)
OLDEST = timedelta(days=2)  # Mailgun tries for 8 hours, with the signature of the first time


class Unreadable(Exception):
    """The call is the provider's, and not what its documentation describes."""


def read(provider: str, values: Mapping[str, str], request: HttpRequest, now: datetime) -> list[News]:
    """The news in one webhook call; raises Forged, and Unreadable."""
    view = _view(provider, values, request)
    _check(provider, view, values, request, now)
    try:
        events = view.parse_events(request)
        news = [_news(provider, event) for event in events]
    except (AnymailError, AnymailConfigurationError, *BROKEN) as error:
        raise Unreadable(type(error).__name__) from error
    return _apart([one for one in news if one])


# What a parser raises over a body it does not expect.
BROKEN = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, OverflowError)


def confirms(provider: str, request: HttpRequest) -> str:
    """The address to call so that Amazon begins to report; '' for every other call.

    Only Amazon's own: a page of somebody else's would have us call whatever they like.
    """
    if provider != "amazon_ses":
        return ""
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return ""
    url = str(said.get("SubscribeURL", "")) if isinstance(said, dict) else ""
    is_amazons = re.fullmatch(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/\?[\w=&:%.-]+", url)
    return url if said.get("Type") == "SubscriptionConfirmation" and is_amazons else ""


def confirm(url: str) -> None:
    """Call the address that `confirms` found; its answer says nothing we need."""
    httpx.get(url, timeout=10, follow_redirects=False)


# -- Is it the provider? --


class _Amazon(AmazonSESTrackingWebhookView):
    """Without boto3: events are read, and a subscription is confirmed by `confirms`."""

    def __init__(self) -> None:
        AnymailCoreWebhookView.__init__(self)
        self.basic_auth: list[str] = []

    def auto_confirm_sns_subscription(self, sns_message: Mapping[str, Any]) -> None:
        """Not here."""


def _view(provider: str, values: Mapping[str, str], request: HttpRequest) -> AnymailCoreWebhookView:
    """anymail's view with this account's secret. Nothing is left for it to fill in from the server's settings."""
    row = MAIL_PROVIDERS[provider]
    secret = values.get(row.proof, "") if row.proof else ""
    if row.proof and not secret:
        raise Forged("no key to check it with")
    if provider == "amazon_ses":
        view: AnymailCoreWebhookView = _Amazon()
    else:
        given: dict[str, Any] = {"webhook_secret": []}
        if row.proof and provider != "resend":
            given[row.proof] = secret
        if provider == "resend":
            given["signing_secret"] = None  # its signature is checked here: anymail wants a package for that
        elif provider == "mailgun":
            given["api_key"] = None
        elif provider == "mandrill":
            given["webhook_url"] = settings.SITE_URL + request.get_full_path()
        try:
            view = VIEWS[provider](**given)
        except (ValueError, TypeError, binascii.Error, UnicodeError) as error:  # a key that is none
            raise Forged("the key to check it with cannot be read") from error
    view.setup(request)
    return view


def _check(
    provider: str, view: AnymailCoreWebhookView, values: Mapping[str, str], request: HttpRequest, now: datetime
) -> None:
    try:
        view.run_validators(request)
    except (SuspiciousOperation, AnymailError, *BROKEN) as error:
        raise Forged(type(error).__name__) from error
    if provider == "resend":
        _check_svix(values["signing_secret"], request, now)
    elif provider == "mailgun":
        _check_age(request, now)


def _check_svix(secret: str, request: HttpRequest, now: datetime) -> None:
    """Standard Webhooks: HMAC-SHA256 over id, time and body; the time is of this try, so it must be fresh."""
    name, stamp = request.headers.get("svix-id", ""), request.headers.get("svix-timestamp", "")
    try:
        key = base64.b64decode(secret.strip().removeprefix("whsec_"))
        sent = datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Forged("no signature") from error
    mark = base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + request.body, hashlib.sha256).digest())
    given = [part.partition(",")[2].encode() for part in request.headers.get("svix-signature", "").split()]
    if not name or abs(now - sent) > TOLERANCE or not any(hmac.compare_digest(mark, one) for one in given):
        raise Forged("the signature does not match")


def _check_age(request: HttpRequest, now: datetime) -> None:
    """Mailgun signs a time and a token, not the body: an old pair must not carry new news for ever."""
    try:
        if request.content_type == "application/json":
            stamp = json.loads(request.body)["signature"]["timestamp"]
        else:
            stamp = request.POST["timestamp"]
        age = now - datetime.fromtimestamp(float(stamp), UTC)
    except (*BROKEN, OSError) as error:
        raise Forged("no time") from error
    if not -TOLERANCE <= age <= OLDEST:
        raise Forged("too old")


# -- What does it say? --


def _news(provider: str, event: AnymailTrackingEvent) -> News | None:
    """One event as news; None for kinds that mean nothing to us."""
    what = WHAT.get(event.event_type)
    if what is None:
        return None
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    if what == What.BOUNCED and SOFT.get(provider, _never)(raw):
        what = What.SOFT_BOUNCED
    if provider == "postal" and event.event_type == EventType.FAILED:
        what = What.BOUNCED  # HardFail: the other server said no for good
    store_id, reference = _reference(event)
    return News(
        event_id=_event_id(event),
        what=what,
        at=event.timestamp if event.timestamp and event.timestamp.tzinfo else None,
        provider_id=plain(event.message_id),
        reference=reference,
        store_id=store_id,
        address=plain(event.recipient).strip().lower(),
        closes=_closes(provider, event, raw) if what == What.FAILED else "",
    )


def _event_id(event: AnymailTrackingEvent) -> str:
    """The provider's id of the event; where it gives none, a fingerprint of all it says."""
    if event.event_id and event.event_id != "None":
        return plain(f"{event.event_type}:{event.event_id}")
    raw = event.esp_event
    said = raw if isinstance(raw, (dict, list)) else dict(raw.lists())
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)
    return f"{event.event_type}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _apart(news: Iterable[News]) -> list[News]:
    """Events of one call that share an id, one for each recipient as Amazon does, are told apart by their place."""
    kept: dict[str, News] = {}
    for one in news:
        event_id, place = one.event_id, 1
        while event_id in kept and kept[event_id].address != one.address:
            place += 1
            event_id = f"{one.event_id}#{place}"
        kept.setdefault(event_id, News(**{**vars(one), "event_id": event_id}))
    return list(kept.values())


def _reference(event: AnymailTrackingEvent) -> tuple[int | None, str]:
    """Our own mark on the letter (`mail_providers.marked`): the store and the message."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    tags = [str(tag).removeprefix("goodword-") for tag in event.tags or [] if tag]
    for text in (str(metadata.get("goodword", "")), *tags):
        found = REFERENCE.fullmatch(text)
        if found:
            return int(found[1]), found[2]
    return None, ""


def _never(raw: Raw) -> bool:
    return False


def _inside(raw: Raw) -> Raw:
    """SparkPost wraps an event twice, Mailgun once."""
    wrapped: Any = raw.get("event-data") or next(iter(raw.get("msys", {}).values()), {})
    return wrapped if isinstance(wrapped, dict) else {}


MAILGUNS_LIST = ("suppress-bounce", "suppress-complaint", "suppress-unsubscribe")
UNISENDERS_SOFT = {
    "err_blacklisted",
    "err_lost",
    "err_mailbox_full",
    "err_spam_rejected",
    "err_spam_skipped",
    "err_too_large",
    "err_will_retry",
}
# Turned down for today, or because of the letter: the address may well be good.
SOFT: dict[str, Callable[[Raw], bool]] = {
    "amazon_ses": lambda raw: raw.get("bounce", {}).get("bounceType") != "Permanent",
    "brevo": lambda raw: raw.get("event") == "soft_bounce",
    "mailersend": lambda raw: raw.get("data", {}).get("type") == "soft_bounced",
    "mailgun": lambda raw: _inside(raw).get("reason") not in (None, "bounce", *MAILGUNS_LIST),
    "mailjet": lambda raw: not raw.get("hard_bounce"),
    "mandrill": lambda raw: raw.get("event") == "soft_bounce",
    "postmark": lambda raw: raw.get("Type") in ("SoftBounce", "VirusNotification"),
    "resend": lambda raw: raw.get("data", {}).get("bounce", {}).get("type") in ("Transient", "Undetermined"),
    "sendgrid": lambda raw: raw.get("type") == "blocked",
    "sparkpost": lambda raw: str(_inside(raw).get("bounce_class", "")) in SOFT_CLASSES,
    "unisender_go": lambda raw: raw.get("delivery_info", {}).get("delivery_status") in UNISENDERS_SOFT,
}
REFUSED_FOR = {
    RejectReason.BOUNCED: Reason.BOUNCED,
    RejectReason.INVALID: Reason.BOUNCED,
    RejectReason.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
}
# The provider's own list of closed addresses; elsewhere "blocked" means our letter or our domain.
LISTED: dict[tuple[str, str, str], Reason] = {
    ("brevo", "event", "blocked"): Reason.BOUNCED,
    ("mailjet", "error", "preblocked"): Reason.BOUNCED,
    ("mailjet", "error", "blacklisted"): Reason.BOUNCED,
    ("mailjet", "error", "spam reporter"): Reason.COMPLAINED,
    ("sendgrid", "reason", "Spam Reporting Address"): Reason.COMPLAINED,
}


def _closes(provider: str, event: AnymailTrackingEvent, raw: Raw) -> str:
    """Why never to write there again, of a letter that the provider did not even try to deliver; '' for no reason."""
    for (whose, key, value), reason in LISTED.items():
        if provider == whose and raw.get(key) == value:
            return str(reason)
    is_about_address = event.event_type == EventType.REJECTED and raw.get("error_related_to") not in ("sender", "spam")
    return str(REFUSED_FOR.get(event.reject_reason, "")) if is_about_address else ""
