"""Who brought friends: everybody, the best first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import Coalesce, Rank

from customers.models import Customer
from insights.numbers.kept import kept
from insights.numbers.people import net_sales, tiers_of
from insights.numbers.scope import Scope, rows
from referrals.models import Referral
from rewards.models import Tier
from stores.models import Store

PAGE = 50
SORTS = ("friends", "sales")


@dataclass(frozen=True)
class Leader:
    """A customer with the friends who bought: those that `counted` already, and what all of them paid, net."""

    place: int
    customer: Customer
    friends: int
    counted: int
    sales_minor: int
    tier: Tier | None

    @property
    def waiting(self) -> int:
        """Friends whose purchase may still be returned."""
        return self.friends - self.counted


def leaders(store: Store, scope: Scope, *, sort: str, start: int = 0, size: int = PAGE) -> list[Leader]:
    """`size` of them from `start` on; four queries. Equals share a place; who was found to be somebody else counts as
    that one.
    """
    if scope.filters:
        ranked = _ranked(store, scope, sort, start, size)
    else:
        name = f"leaders {sort} {start} {size}"
        ranked = kept(name, store, scope.period, lambda: _ranked(store, scope, sort, start, size))
    people = Customer.objects.for_store(store).in_bulk([row["who"] for row in ranked])
    tiers = tiers_of(store, list(people))
    return [
        Leader(row["place"], people[row["who"]], row["friends"], row["counted"], row["sales"], tiers.get(row["who"]))
        for row in ranked
        if row["who"] in people  # the import that brought somebody may have been undone since it was counted
    ]


def _ranked(store: Store, scope: Scope, sort: str, start: int, size: int) -> list[dict[str, Any]]:
    ahead = [F(name).desc() for name in sorted(SORTS, key=lambda name: name != sort)]
    found = (
        rows(store, "bought", scope)
        .annotate(who=Coalesce("advocate__merged_into", "advocate"))
        .order_by()
        .values("who")
        .annotate(friends=Count("pk"), counted=Count("pk", filter=Q(status=Referral.Status.APPROVED)))
        .annotate(sales=net_sales(store))
        .annotate(place=Window(Rank(), order_by=ahead))
        .order_by(*ahead, "who")[start : start + size]
    )
    return list(found)


def how_many(store: Store, scope: Scope) -> int:
    """How many customers brought a friend."""
    who = Coalesce("advocate__merged_into", "advocate")
    found: int = rows(store, "bought", scope).aggregate(people=Count(who, distinct=True))["people"]
    return found
