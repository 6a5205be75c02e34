"""Where providers call: reports about mail and texts, and texts that people send back.

Answers: 200 whenever the call is the provider's, also when it means nothing to us (a provider that gets
errors stops calling), 401 when nobody can show that it is, 404 for an address that nobody has, 5xx when
our database is away, so that they call again. The address and some bodies are secrets: neither is logged.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from customers.models import Channel
from outreach import accounts, mail_reports, reports, tasks
from outreach.channels import sms
from outreach.mail_providers import MAIL_PROVIDERS
from outreach.models import ChannelAccount
from outreach.text_reports import read as read_texts
from stores import directory, secrets
from stores.models import Store
from stores.tenancy import acting_for

logger = logging.getLogger("goodword.reports")

MOST_BYTES = {Channel.EMAIL: 4 * 1024 * 1024, Channel.SMS: 256 * 1024}  # some send a thousand events at once
Read = Callable[[str, Mapping[str, str], HttpRequest, datetime], list[reports.News]]


@dataclass(frozen=True)
class Source:
    """Whose account the call is about: a store's own, or the server's (`account` None). `values` may prove it."""

    name: str
    values: tuple[Mapping[str, str], ...]
    store: Store | None = None
    account: ChannelAccount | None = None


View = Callable[[HttpRequest, str, str], HttpResponse]


def hushed(view: View) -> View:
    """Answer without a line in the log that shows the address, whatever the status."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, provider: str, token: str) -> HttpResponse:
        try:
            response = view(request, provider, token)
        except Exception:
            logger.exception("a call of %s could not be worked through", provider)
            transaction.set_rollback(True)
            response = HttpResponse(status=500)
        response._has_been_logged = True  # type: ignore[attr-defined] # django.utils.log.log_response looks at it
        response["Cache-Control"] = "no-store"
        return response

    return answer


@hushed
def mail(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """A mail provider's report."""
    source = _source(Channel.EMAIL, provider, token) if provider in mail_reports.VIEWS else None
    if source is None:
        return HttpResponse(status=404)
    if request.method != "POST":  # some ask whether anybody is there before they begin
        return HttpResponse()
    return _take(request, Channel.EMAIL, provider, source, mail_reports.read) or HttpResponse()


@hushed
def texts(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """A text gateway's report, or a text that somebody sent back; some gateways call by GET."""
    source = _source(Channel.SMS, provider, token) if provider in sms.GATEWAYS else None
    if source is None:
        return HttpResponse(status=404)
    if request.method not in ("GET", "POST"):
        return HttpResponse()
    # Twilio would send any other words as a reply.
    done = HttpResponse("<Response/>", content_type="text/xml")
    return _take(request, Channel.SMS, provider, source, read_texts) or done


def _source(channel: Channel, provider: str, token: str) -> Source | None:
    """Who is called at this address; binds the request to the store. None: nobody, or by another provider."""
    server = settings.MAIL_WEBHOOK_TOKEN if channel == Channel.EMAIL else settings.SMS_WEBHOOK_TOKEN
    if server and hmac.compare_digest(token.encode(), server.encode()):
        return Source(f"{provider}:server", (_server_values(channel, provider),))
    store_id = accounts.store_by_token(token)
    store = directory.enter(store_id) if store_id else None
    if store is None:
        return None
    mine = ChannelAccount.objects.for_store(store).filter(token=token, channel=channel, provider=provider)
    account = mine.first()
    if account is None:
        return None
    try:
        opened = accounts.open_account(account, timezone.now())
    except secrets.Unreadable:
        logger.error("the %s account of store %s cannot be opened", channel, store.pk)
        return Source(f"{provider}:{account.public_id}", (), store, account)
    values = (opened.values, opened.before) if opened.before else (opened.values,)
    return Source(f"{provider}:{account.public_id}", values, store, account)


def _server_values(channel: Channel, provider: str) -> Mapping[str, str]:
    """The server's own keys for this provider."""
    if channel == Channel.SMS:
        return accounts.server_texts().values if provider == settings.SMS_PROVIDER else {}
    proof = MAIL_PROVIDERS[provider].proof
    return {proof: str(settings.ANYMAIL.get(f"{provider}_{proof}".upper(), ""))} if proof else {}


def _take(request: HttpRequest, channel: Channel, provider: str, source: Source, read: Read) -> HttpResponse | None:
    """Check the call and let its news take effect; an answer when something was wrong with it, else None."""
    if not _has_body(request, MOST_BYTES[channel]):
        return HttpResponse(status=413)
    now = timezone.now()
    try:
        news = _proven(request, provider, source, read, now)
    except sms.Forged as error:
        logger.warning("a call in the name of %s was refused: %s", provider, error)
        return HttpResponse(status=401)
    except mail_reports.Unreadable as error:
        logger.warning("a call of %s could not be read: %s", provider, error)
        return None
    for store_id, own_news in _by_store(channel, source, news).items():
        with acting_for(store_id):
            store = source.store or Store.objects.filter(pk=store_id).first()
            if store is not None:
                reports.apply(store, channel, source.name, own_news, now, is_own=source.account is not None)
    if source.account is not None:
        accounts.note_report(source.account, now)
    url = mail_reports.confirms(provider, request)
    if url:
        transaction.on_commit(lambda: tasks.confirm_reports.delay(url))
    return None


def _has_body(request: HttpRequest, most: int) -> bool:
    """Whether the body is there and not too long; read once, no further than that."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            return False
        return len(request.body) <= most
    except (ValueError, UnreadablePostError, RawPostDataException):
        return False


def _proven(request: HttpRequest, provider: str, source: Source, read: Read, now: datetime) -> list[reports.News]:
    """The news, by the present secret or one replaced lately; raises Forged."""
    failure = sms.Forged("no key to check it with")
    for values in source.values:
        try:
            return read(provider, values, request, now)
        except sms.Forged as error:
            failure = error
    raise failure


def _by_store(channel: Channel, source: Source, news: list[reports.News]) -> dict[int, list[reports.News]]:
    """The news of each store it concerns, by the store's id; of a store's own account, that store's alone."""
    if source.store is not None:
        mine = source.store.pk
        return {mine: [one for one in news if one.store_id in (None, mine)]}
    found: dict[int, list[reports.News]] = {}
    for one in news:
        for store_id in reports.stores_of(channel, one):
            found.setdefault(store_id, []).append(one)
    return dict(sorted(found.items()))
