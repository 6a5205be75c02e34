"""What providers report about our messages, and what people answer to them: each piece of news takes effect once.

A row of ProviderEvent for the news and what follows from it are one transaction (RELIABILITY rules 12, 14):
the provider may say it again, in any order, on two connections at once. News that would change nothing
leaves no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.constants import OnConflict

from customers.models import Channel
from outreach import complaints, replies, services
from outreach.channels.sms import Said
from outreach.models import Message, MessageEvent, ProviderEvent, Suppression
from stores.models import Store

What = ProviderEvent.What
# Where the news is written on the message. One that failed did not arrive either.
COLUMNS = {
    What.DELIVERED: "delivered_at",
    What.OPENED: "opened_at",
    What.CLICKED: "clicked_at",
    What.BOUNCED: "bounced_at",
    What.FAILED: "bounced_at",
    What.COMPLAINED: "complained_at",
}
CLOSES = {
    What.BOUNCED: Suppression.Reason.BOUNCED,
    What.COMPLAINED: Suppression.Reason.COMPLAINED,
    What.UNSUBSCRIBED: Suppression.Reason.UNSUBSCRIBED,
}
SOFT_BOUNCES, SOFT_WINDOW = 3, timedelta(days=30)  # so many messages in so long: the address is as good as dead
ID_LENGTH = 200
SOURCE = "provider's report"


@dataclass(frozen=True)
class News:
    """One piece of news. A message is named by `provider_id`, by our own `reference`, or both.

    `event_id` is the same when it is told again. `at` is when it happened, if the provider says so.
    `address` is whom it is about, normalised; `closes` why never to write there again, beyond what
    `what` says by itself. `store_id` is known where the reference holds it. OTHER: the provider has it.
    """

    event_id: str
    what: ProviderEvent.What
    at: datetime | None = None
    provider_id: str = ""
    reference: str = ""
    store_id: int | None = None
    address: str = field(default="", repr=False)
    closes: str = ""
    text: str = field(default="", repr=False)  # INBOUND: what somebody wrote
    said: Said = Said.NOTHING


def plain(text: object) -> str:
    """As a column can hold it; '' for None."""
    return "" if text is None else str(text).replace("\x00", "").encode("utf-8", "ignore").decode()


def apply(
    store: Store, channel: Channel, source: str, news: Sequence[News], at: datetime, *, is_own: bool = True
) -> int:
    """Let each piece of news take effect, once for its event id; returns how many were new.

    `source` names the account: "mailgun:<public id>". On the server's own account (`is_own` False)
    news about a message we do not know may concern anybody, so it is left alone.
    """
    with transaction.atomic():
        known = _messages(store, channel, news)
        told = [(one, _named(known, one)) for one in news]
        wanted = {_id(one): (one, message) for one, message in told if _matters(one, message, is_own)}
        fresh = [wanted[event_id] for event_id in _insert(store, source, wanted, at)]
        _stamp(store, fresh, at)
        for one, message in fresh:
            _follow(store, channel, one, message, at)
        if channel == Channel.EMAIL and any(one.what == What.COMPLAINED for one, _message in fresh):
            complaints.watch(store, at)
    return len(fresh)


def _id(one: News) -> str:
    """What is told apart by; an id too long for its column is kept as its hash."""
    return one.event_id if len(one.event_id) <= ID_LENGTH else sha256(one.event_id.encode()).hexdigest()


def _messages(store: Store, channel: Channel, news: Iterable[News]) -> list[Message]:
    """The messages the news is about, locked in one order, so that two calls at once do not wait for each other."""
    ids = {one.provider_id[:120] for one in news if one.provider_id}
    references = {one.reference for one in news if one.reference}
    if not ids and not references:
        return []
    named = Message.objects.for_store(store).filter(Q(provider_id__in=ids) | Q(public_id__in=references))
    return list(named.filter(channel=channel).order_by("pk").select_for_update(no_key=True))


def _named(known: Iterable[Message], one: News) -> Message | None:
    for message in known:
        by_id = one.provider_id and message.provider_id == one.provider_id[:120]
        if by_id or (one.reference and message.public_id == one.reference):
            return message
    return None


def _matters(one: News, message: Message | None, is_own: bool) -> bool:
    if one.what == What.INBOUND:
        return True
    if message is None:
        return is_own and bool(one.address) and bool(one.closes or one.what in CLOSES)
    return one.what != What.OTHER or _is_open(message)


def _insert(store: Store, source: str, wanted: dict[str, tuple[News, Message | None]], at: datetime) -> list[str]:
    """Write the rows; the ids of those that were not there before."""
    rows = [
        ProviderEvent(store=store, source=source, event_id=event_id, what=one.what, message=message, at=at)
        for event_id, (one, message) in wanted.items()
    ]
    if not rows:
        return []
    meta = ProviderEvent._meta
    fields = [one for one in meta.concrete_fields if one is not meta.pk]
    inserted = ProviderEvent._base_manager.all()._insert(  # type: ignore[attr-defined]
        rows,
        fields,
        returning_fields=[meta.get_field("event_id")],
        on_conflict=OnConflict.IGNORE,
        using=connection.alias,
    )
    return [row[0] for row in inserted if row]  # on a conflict of a single row Django returns [None]


def _stamp(store: Store, fresh: Iterable[tuple[News, Message | None]], at: datetime) -> None:
    """Write the time on each message's row where none stands; one statement a column."""
    stamps: dict[str, dict[int, datetime]] = {}
    for one, message in fresh:
        column = COLUMNS.get(one.what)
        if column and message:
            when = one.at if one.at and message.created_at <= one.at <= at else at  # their clock may be wrong
            firsts = stamps.setdefault(column, {})
            firsts[message.pk] = min(when, firsts.get(message.pk, when))
    for column, firsts in stamps.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE outreach_message SET {column} = news.at"  # noqa: S608 - the column is one of COLUMNS
                " FROM unnest(%s::bigint[], %s::timestamptz[]) AS news (id, at)"
                f" WHERE store_id = %s AND outreach_message.id = news.id AND {column} IS NULL",
                [list(firsts), list(firsts.values()), store.pk],
            )


# -- What follows from one piece of news --


def _follow(store: Store, channel: Channel, one: News, message: Message | None, at: datetime) -> None:
    if one.what == What.INBOUND:
        replies.heed(store, one.address, one.text, one.said, at=at)
        return
    if message:
        _settle(message, one, at)
    reason = one.closes or CLOSES.get(one.what) or _worn_out(store, one, message, at)
    if not reason:
        return
    if one.what == What.UNSUBSCRIBED:  # a wish for silence; a dead address closes only itself
        customer = message.customer if message else replies.customer_of(store, channel, one.address)
        if customer:
            services.unsubscribe(store, customer, source=SOURCE, at=at)
    _close(store, channel, message.to if message else one.address, Suppression.Reason(reason), at)


def _is_open(message: Message) -> bool:
    """Whether the provider's word about it settles something: nobody knows its fate, or it waits for another try."""
    waits = message.status == Message.Status.PENDING and message.attempts > 0
    return waits or message.status == Message.Status.UNKNOWN


def _settle(message: Message, one: News, at: datetime) -> None:
    was_sent = one.what != What.FAILED
    if message.status == Message.Status.UNKNOWN:
        services.settle_by_report(message, was_sent=was_sent, at=at, provider_id=one.provider_id)
    elif _is_open(message) and was_sent:
        # It waits to be sent again, and has arrived: whoever decided so had not heard yet. The row is locked.
        Message.objects.filter(store_id=message.store_id, pk=message.pk).update(
            status=Message.Status.SENT, reason="", sent_at=message.started_at or at
        )
        MessageEvent.objects.create(store_id=message.store_id, message=message, status=Message.Status.SENT, at=at)


def _worn_out(store: Store, one: News, message: Message | None, at: datetime) -> str:
    """BOUNCED when an address has turned down SOFT_BOUNCES messages within the window, '' otherwise."""
    if one.what != What.SOFT_BOUNCED or message is None:
        return ""
    turned_down = ProviderEvent.objects.for_store(store).filter(
        what=What.SOFT_BOUNCED,
        at__gt=at - SOFT_WINDOW,
        message__customer=message.customer_id,
        message__to=message.to,
    )
    messages = turned_down.values("message").distinct().count()
    return Suppression.Reason.BOUNCED if messages >= SOFT_BOUNCES else ""


def _close(store: Store, channel: Channel, address: str, reason: Suppression.Reason, at: datetime) -> None:
    """Never write there again; a stop that the person may take back becomes one they may not."""
    services.suppress(store, channel, address, reason=reason, source=SOURCE, at=at)
    if reason != Suppression.Reason.UNSUBSCRIBED:
        Suppression.objects.for_store(store).filter(
            channel=channel,
            address_hash=services.hash_address(store, channel, address),
            reason=Suppression.Reason.UNSUBSCRIBED,
        ).update(reason=reason)


def settle_reported(store: Store, at: datetime) -> int:
    """Messages whose report came while they were still being handed over, and which then were given up as unknown."""
    told = Q(delivered_at__isnull=False) | Q(bounced_at__isnull=False) | Q(opened_at__isnull=False)
    unknown = Message.objects.for_store(store).filter(told, status=Message.Status.UNKNOWN)
    return sum(services.settle_by_report(message, was_sent=True, at=at) for message in unknown)


def stores_of(channel: Channel, one: News) -> set[int]:
    """On the server's own account: the stores this piece of news is for."""
    if one.what == What.INBOUND:
        return _ids("SELECT * FROM goodword_stores_that_texted(%s)", one.address)
    found = {one.store_id} if one.store_id else set()
    if one.provider_id:
        found |= _ids("SELECT * FROM goodword_stores_by_provider_message(%s)", one.provider_id[:120])
    return found


def _ids(query: str, value: str) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, [value])
        return {row[0] for row in cursor.fetchall()}
