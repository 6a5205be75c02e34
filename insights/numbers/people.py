"""Who was asked, who shared, who came of it: the rows behind the funnel and the share rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    FloatField,
    Q,
    QuerySet,
    Sum,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from insights.numbers.intervals import Part
from insights.numbers.kept import kept
from insights.numbers.period import Period, Span
from outreach.kinds import Kind, Way
from outreach.models import Message
from referrals.models import Claim, Referral, ShareLink, Visit
from referrals.services.terms import current_ladders
from rewards.models import Tier
from stores.models import Store
from surveys.models import Response

BOUGHT = (Referral.Status.PENDING, Referral.Status.APPROVED)
ASKS = (Kind.ASK, Kind.REASK)
EVERY = Q()


class AskedBy(TextChoices):
    """How somebody was asked for a good word."""

    EMAIL = Way.EMAIL.value, Way.EMAIL.label
    SMS = Way.SMS.value, Way.SMS.label
    CALL = Way.CALL.value, Way.CALL.label
    NOTE = Way.NOTE.value, Way.NOTE.label
    VISIT = Way.VISIT.value, _("In person")
    PAGE = "page", _("Right after their answer")
    NOT = "not", _("Not asked in this time")


def asked(store: Store, span: Span, way: AskedBy | None = None) -> QuerySet[Any]:
    """Ids of customers who were asked for a good word, by a message or on the answer page, or only by one `way`."""
    messages, answers = asks_sent(store, span), asks_on_answers(store, span)
    on_page = answers.order_by().values_list("customer_id")
    if way is AskedBy.PAGE:
        return on_page
    if way:
        return messages.filter(channel=way).order_by().values_list("customer_id")
    return messages.order_by().values_list("customer_id").union(on_page)


def asks_sent(store: Store, span: Span) -> QuerySet[Any]:
    """Messages that asked for a good word, sent or done by staff."""
    return Message.objects.for_store(store).filter(kind__in=ASKS, status=Message.Status.SENT, **span.within("due_at"))


def asks_on_answers(store: Store, span: Span) -> QuerySet[Any]:
    """Answers after which their writer was asked at once."""
    answers: QuerySet[Any] = Response.objects.for_store(store).filter(**span.within("ask_shown_at"))
    return answers.exclude(customer=None)


Source = tuple[QuerySet[Any], str, str]  # rows, the column of their time, and that of the customer


def asks_by_time(store: Store, span: Span) -> list[Source]:
    """Everything that makes somebody `asked`."""
    return [
        (asks_sent(store, span), "due_at", "customer_id"),
        (asks_on_answers(store, span), "ask_shown_at", "customer_id"),
    ]


def shares_by_time(store: Store, span: Span) -> list[Source]:
    """Everything that makes somebody a sharer."""
    return [
        (ShareLink.objects.for_store(store).filter(**span.within("shared_at")), "shared_at", "customer_id"),
        (visits(store, span), "at", "link__customer_id"),
        (bought(store, span), "created_at", "advocate_id"),
    ]


def sharers(store: Store, span: Span) -> QuerySet[Any]:
    """Ids of customers whose link was at work: they tapped share, or somebody came by it."""
    first, *others = [rows.order_by().values_list(who) for rows, _at, who in shares_by_time(store, span)]
    return first.union(*others)


def visits(store: Store, span: Span) -> QuerySet[Any]:
    """Openings of share links by people."""
    return Visit.objects.for_store(store).filter(is_bot=False, **span.within("at"))


def claims(store: Store, span: Span) -> QuerySet[Any]:
    """Friends who took the gift."""
    return Claim.objects.for_store(store).filter(**span.within("at"))


def bought(store: Store, span: Span) -> QuerySet[Any]:
    """Friends' first orders that count, or will when their return window is over."""
    return Referral.objects.for_store(store).filter(status__in=BOUGHT, **span.within("created_at"))


@dataclass(frozen=True)
class Step:
    """One bar of the funnel: how many people, and which rows they are (`what`, see `insights.rows`)."""

    what: str
    people: int


def funnel(store: Store, period: Period) -> list[Step]:
    """From the ask to the friend who counts, in people; a step may be larger than the one above it."""
    return [Step(*one) for one in kept("funnel", store, period, lambda: _funnel(store, period))]


def _funnel(store: Store, period: Period) -> list[tuple[str, int]]:
    friends = bought(store, period)
    by_status = dict(friends.order_by().values_list("status").annotate(count=Count("pk")))
    return [
        ("asked", asked(store, period).count()),
        ("shared", sharers(store, period).count()),
        ("visits", visits(store, period).aggregate(people=Count("visitor", distinct=True))["people"]),
        ("claims", claims(store, period).count()),
        ("bought", sum(by_status.values())),
        ("counted", by_status.get(Referral.Status.APPROVED, 0)),
    ]


@dataclass(frozen=True)
class ShareRate:
    """How many of those asked shared."""

    asked: int
    shared: int

    @property
    def rate(self) -> float | None:
        """Their part, 0..1; None when nobody was asked."""
        return self.shared / self.asked if self.asked else None

    @property
    def part(self) -> Part:
        """The same with its margin, where there are people enough."""
        return Part(self.shared, self.asked)


def share_rate(store: Store, period: Period) -> ShareRate:
    """Of the people asked in the period, those whose link was at work in it."""
    return ShareRate(*kept("share rate", store, period, lambda: _share_rate(store, period)))


def _share_rate(store: Store, period: Period) -> tuple[int, int]:
    people = asked(store, period)
    return people.count(), people.intersection(sharers(store, period)).count()


def net_sales(store: Store, path: str = "order__", *, also: Q = EVERY) -> Sum:
    """What orders brought after refunds, in the store's currency (others are left out), of rows that are `also` so."""
    net = F(f"{path}total_minor") - F(f"{path}refunded_minor")
    own = Q(**{f"{path}currency": store.currency})
    return Sum(Cast(net, BigIntegerField()), filter=own & also, default=0)


def net_of_row(store: Store, path: str = "order__") -> Case:
    """What one order brought after refunds, in the store's currency; nothing in another."""
    net = Cast(F(f"{path}total_minor") - F(f"{path}refunded_minor"), BigIntegerField())
    return Case(When(**{f"{path}currency": store.currency}, then=net), default=Value(0), output_field=BigIntegerField())


def squared_sales(store: Store, path: str = "order__") -> Sum:
    """The sum of the squares of what orders brought: what says how far chance moves their sum."""
    net = Cast(F(f"{path}total_minor") - F(f"{path}refunded_minor"), FloatField())
    return Sum(net * net, filter=Q(**{f"{path}currency": store.currency}), default=0.0)


def tiers_of(store: Store, customers: list[int]) -> dict[int, Tier]:
    """The step of the ladder in force that each customer has reached, by customer id."""
    counted = Referral.objects.for_store(store).filter(advocate__in=customers, status=Referral.Status.APPROVED)
    numbers = dict(counted.order_by().values_list("advocate").annotate(count=Count("pk")))
    steps = Tier.objects.for_store(store).filter(ladder__in=current_ladders(store))
    ladder = list(steps.order_by("-threshold", "gives"))
    reached = {
        customer: next((tier for tier in ladder if tier.threshold <= numbers.get(customer, 0)), None)
        for customer in customers
    }
    return {customer: tier for customer, tier in reached.items() if tier}
