"""Who was asked, who shared, who came of it: the rows behind the funnel and the share rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast

from customers.models import Customer
from insights.numbers.period import Period
from outreach.models import Kind, Message
from referrals.models import Claim, Referral, ShareLink, Visit
from referrals.services.terms import current_ladders
from rewards.models import Tier
from stores.models import Store
from surveys.models import Response

BOUGHT = (Referral.Status.PENDING, Referral.Status.APPROVED)


def asked(store: Store, period: Period) -> QuerySet[Any]:
    """Ids of customers who were asked for a good word, by a message or on the answer page."""
    by_message = Message.objects.for_store(store).filter(
        kind=Kind.ASK, status=Message.Status.SENT, **period.within("due_at")
    )
    on_page = Response.objects.for_store(store).filter(**period.within("ask_shown_at"))
    return by_message.order_by().values_list("customer_id").union(on_page.order_by().values_list("customer_id"))


def sharers(store: Store, period: Period) -> QuerySet[Any]:
    """Ids of customers whose link was at work: they tapped share, or somebody came by it."""
    tapped = ShareLink.objects.for_store(store).filter(**period.within("shared_at"))
    visited = visits(store, period)
    credited = bought(store, period)
    return (
        tapped.order_by()
        .values_list("customer_id")
        .union(visited.order_by().values_list("link__customer_id"), credited.order_by().values_list("advocate_id"))
    )


def visits(store: Store, period: Period) -> QuerySet[Any]:
    """Openings of share links by people."""
    return Visit.objects.for_store(store).filter(is_bot=False, **period.within("at"))


def claims(store: Store, period: Period) -> QuerySet[Any]:
    """Friends who took the gift."""
    return Claim.objects.for_store(store).filter(**period.within("at"))


def bought(store: Store, period: Period) -> QuerySet[Any]:
    """Friends' first orders that count, or will when their return window is over."""
    return Referral.objects.for_store(store).filter(status__in=BOUGHT, **period.within("created_at"))


@dataclass(frozen=True)
class Step:
    """One bar of the funnel: how many people, and which rows they are (`what`, see `insights.rows`)."""

    what: str
    people: int


def funnel(store: Store, period: Period) -> list[Step]:
    """From the ask to the friend who counts, in people; a step may be larger than the one above it."""
    friends = bought(store, period)
    by_status = dict(friends.order_by().values_list("status").annotate(count=Count("pk")))
    return [
        Step("asked", asked(store, period).count()),
        Step("shared", sharers(store, period).count()),
        Step("visits", visits(store, period).aggregate(people=Count("visitor", distinct=True))["people"]),
        Step("claims", claims(store, period).count()),
        Step("bought", sum(by_status.values())),
        Step("counted", by_status.get(Referral.Status.APPROVED, 0)),
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


def share_rate(store: Store, period: Period) -> ShareRate:
    """Of the people asked in the period, those whose link was at work in it."""
    people = asked(store, period)
    return ShareRate(people.count(), people.intersection(sharers(store, period)).count())


@dataclass(frozen=True)
class Advocate:
    """A customer with what their friends brought, in minor units of the store's currency."""

    customer: Customer
    friends: int
    sales_minor: int
    tier: Tier | None


def net_sales(store: Store, path: str = "order__") -> Sum:
    """What orders brought after refunds, in the store's currency; other currencies are left out."""
    net = F(f"{path}total_minor") - F(f"{path}refunded_minor")
    return Sum(Cast(net, BigIntegerField()), filter=Q(**{f"{path}currency": store.currency}), default=0)


def top_advocates(store: Store, period: Period, *, limit: int = 5) -> list[Advocate]:
    """Who brought the most friends in the period, with the tier they stand on."""
    ranked = list(
        bought(store, period)
        .order_by()
        .values("advocate_id")
        .annotate(friends=Count("pk"), sales=net_sales(store))
        .order_by("-friends", "-sales", "advocate_id")[:limit]
    )
    people = Customer.objects.for_store(store).in_bulk([row["advocate_id"] for row in ranked])
    tiers = tiers_of(store, list(people))
    return [
        Advocate(people[row["advocate_id"]], row["friends"], row["sales"], tiers.get(row["advocate_id"]))
        for row in ranked
    ]


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
