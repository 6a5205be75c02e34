"""Everything about one customer, newest first, a page at a time, of one sort or of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Count, F, Max, Model, Q
from django.db.models.functions import Coalesce, TruncDay
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from customers.models import Consent, Customer, CustomerMerge, CustomerTag, Event, Order
from insights.happenings import (
    Happening,
    Teller,
    page_of,
    told_case,
    told_claim,
    told_consent,
    told_invitation,
    told_message,
    told_order,
    told_redemption,
    told_referral,
    told_response,
    told_reward,
    told_share,
    told_task,
)
from insights.words import isolated, of_name
from outreach.models import Message, Task
from referrals.models import Claim, Referral, ShareLink, Visit
from rewards.models import Redemption, Reward
from stores.l10n import format_number
from stores.models import Store
from surveys.models import Invitation, RecoveryCase, Response

PAGE = 40
DEEPEST = 2_000  # at one moment: an import writes many rows in one
SORTS: dict[str, Promise | str] = {
    "orders": gettext_lazy("Orders"),
    "answers": gettext_lazy("Questions and answers"),
    "messages": gettext_lazy("Messages"),
    "friends": gettext_lazy("Friends"),
    "rewards": gettext_lazy("Rewards"),
    "choices": gettext_lazy("Choices and changes"),
}


Told = tuple[datetime, int, Happening]  # when, an id to put lines of one moment in order, the line
Fetch = Callable[[Store, Customer, datetime | None, int], list[Told]]


@dataclass(frozen=True)
class Source:
    """A table in which something about a customer happens, when, and how it is told."""

    sort: str
    model: type[Model]
    mine: Any  # from a customer to the condition of their rows
    moment: Any  # a column, or an expression
    tell: Teller | None
    joined: tuple[str, ...] = ()
    fetch: Fetch | None = None  # where a line is not a row


def _of(customer: Customer) -> Q:
    return Q(customer=customer)


def _visits(store: Store, customer: Customer, moment: datetime | None, depth: int) -> list[Told]:
    """How many people opened their link, a line a day by the store's clock."""
    rows = Visit.objects.for_store(store).filter(link__customer=customer, is_bot=False)
    days: Any = rows.annotate(day=TruncDay("at", tzinfo=store.zone)).order_by().values("day")
    days = days.annotate(moment=Max("at"), last=Max("id"), people=Count("visitor", distinct=True))
    days = days.filter(moment__lte=moment) if moment else days
    found = list(days.order_by("-moment", "-last")[:depth])
    return [(day["moment"], day["last"], _told_visits(customer, day)) for day in found]


def _told_visits(customer: Customer, day: dict[str, Any]) -> Happening:
    people = day["people"]
    text = ngettext(
        "%(count)s person opened the link of %(name)s", "%(count)s people opened the link of %(name)s", people
    )
    words = {"count": format_number(people, get_language() or "en"), "name": of_name(customer)}
    return Happening(day["moment"], "link", "plain", text % words)


def told_event(store: Store, event: Event) -> Happening:
    """Something the shop reported."""
    return Happening(event.at, "bolt", "plain", _("Your shop reported: %(kind)s") % {"kind": isolated(event.kind)})


def told_merge(store: Store, merge: CustomerMerge) -> Happening:
    """Two rows were found to be one person."""
    by = str(merge.by or "")
    text = _("Another entry was found to be the same person")
    return Happening(merge.at, "users", "plain", text, by, page_of(store, merge.survivor))


def told_split(store: Store, merge: CustomerMerge) -> Happening:
    """They were taken apart again."""
    assert merge.split_at is not None
    return Happening(merge.split_at, "users", "plain", _("The two entries were split again"), str(merge.split_by or ""))


def told_tag(store: Store, tagged: CustomerTag) -> Happening:
    """A tag that is still on them."""
    assert tagged.at is not None
    return Happening(tagged.at, "tag", "plain", _("Got the tag “%(tag)s”") % {"tag": isolated(tagged.tag)})


SOURCES = (
    Source("orders", Order, _of, "placed_at", told_order, ("location",)),
    Source("orders", Event, _of, "at", told_event),
    Source("answers", Invitation, _of, Coalesce("decided_at", "due_at"), told_invitation),
    Source("answers", Response, _of, "at", told_response, ("customer", "case")),
    Source("answers", RecoveryCase, _of, "opened_at", told_case, ("assignee",)),
    Source("messages", Message, _of, Coalesce("sent_at", "due_at"), told_message),
    Source("messages", Task, lambda one: Q(customer=one, ended_at__isnull=False), "ended_at", told_task, ("message",)),
    Source(
        "friends",
        ShareLink,
        lambda one: Q(customer=one, shared_at__isnull=False),
        "shared_at",
        told_share,
        ("customer",),
    ),
    Source("friends", Visit, _of, "at", None, fetch=_visits),
    Source(
        "friends",
        Claim,
        lambda one: Q(friend=one) | Q(link__customer=one),
        "at",
        told_claim,
        ("friend", "link__customer"),
    ),
    Source(
        "friends",
        Referral,
        lambda one: Q(advocate=one) | Q(friend=one),
        "created_at",
        told_referral,
        ("advocate", "friend", "order__location"),
    ),
    Source("rewards", Reward, _of, "granted_at", told_reward, ("customer", "offer")),
    Source(
        "rewards",
        Redemption,
        lambda one: Q(voucher__customer=one),
        "at",
        told_redemption,
        ("voucher__customer", "location", "by"),
    ),
    Source("choices", Consent, _of, "at", told_consent),
    Source("choices", CustomerMerge, lambda one: Q(survivor=one), "at", told_merge, ("by", "survivor")),
    Source(
        "choices",
        CustomerMerge,
        lambda one: Q(survivor=one, split_at__isnull=False),
        "split_at",
        told_split,
        ("split_by",),
    ),
    Source("choices", CustomerTag, lambda one: Q(customer=one, at__isnull=False), "at", told_tag),
)


@dataclass(frozen=True)
class Timeline:
    """A page of it; `next` is the cursor of the page after, '' at the end."""

    lines: list[Happening]
    next: str = ""


def timeline(store: Store, customer: Customer, *, sort: str = "", after: str = "", size: int = PAGE) -> Timeline:
    """The newest happenings before the cursor, one query a source. `sort`: a key of SORTS; anything else is all."""
    moment, seen = _read(after)
    depth = size + seen + 1
    told: list[tuple[datetime, int, int, Happening]] = []
    for place, source in enumerate(SOURCES):
        if sort not in SORTS or source.sort == sort:
            lines = (source.fetch or partial(_newest, source))(store, customer, moment, depth)
            told += [(at, -place, pk, line) for at, pk, line in lines]
    told.sort(key=lambda one: one[:3], reverse=True)
    shown, more = told[seen : seen + size], len(told) > seen + size
    return Timeline([line for *_place, line in shown], _cursor(shown, moment, seen) if more else "")


def _newest(source: Source, store: Store, customer: Customer, moment: datetime | None, depth: int) -> list[Told]:
    """The newest rows of a table, each told as a line."""
    assert source.tell is not None
    rows = source.model._base_manager.filter(source.mine(customer), store_id=store.pk)
    rows = rows.annotate(moment=F(source.moment) if isinstance(source.moment, str) else source.moment)
    rows = rows.filter(moment__lte=moment) if moment else rows
    found: Any = rows.select_related(*source.joined).order_by("-moment", "-pk")[:depth]
    return [(row.moment, row.pk, source.tell(store, row)) for row in found]


def _cursor(shown: list[tuple[datetime, int, int, Happening]], moment: datetime | None, seen: int) -> str:
    """The moment of the last line, and how many lines of that very moment have been shown."""
    last = shown[-1][0]
    same = sum(at == last for at, *_rest in shown)
    return f"{last.isoformat()}~{same + (seen if last == moment else 0)}"


def _read(cursor: str) -> tuple[datetime | None, int]:
    """What a cursor says; one that cannot be read is the start."""
    moment, _mark, seen = cursor.partition("~")
    try:
        read = parse_datetime(moment)
    except ValueError:
        read = None
    if not read or not read.tzinfo or not (seen.isascii() and seen.isdigit()) or len(seen) > 4:
        return None, 0
    return read, min(int(seen), DEEPEST)
