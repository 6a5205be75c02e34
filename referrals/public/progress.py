"""What an advocate sees of their own friends, rewards and way up the ladder. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from customers.models import Customer
from referrals.models import Appeal, Visit
from referrals.public.friends import Friend, friends_of
from referrals.public.holdings import Holdings, holdings_of
from referrals.public.ladders import Standing, gets
from rewards.models import Tier
from stores.models import Store


@dataclass(frozen=True)
class Climb:
    """The way to the next step of the ladder."""

    done: int
    needed: int
    gets: str
    name: str
    gives: str
    within_days: int | None = None

    @property
    def left(self) -> int:
        """Friends still to come."""
        return self.needed - self.done

    @property
    def parts(self) -> list[bool]:
        """One part a friend, True where reached; empty when there would be too many to tell apart."""
        return [place < self.done for place in range(self.needed)] if self.needed <= 12 else []


@dataclass(frozen=True)
class Progress:
    """Everything below the share buttons."""

    approved: int
    climb: Climb | None
    friends: list[Friend]
    more_friends: int
    opened: int
    opened_last: datetime | None
    holdings: Holdings
    missing: list[Appeal]  # friends they said are missing, newest first


def progress_of(store: Store, owner: Customer, standing: Standing, at: datetime) -> Progress:
    """The advocate's own friends, rewards and credit at `at`; a fixed number of queries."""
    appeals = list(Appeal.objects.for_store(store).filter(customer=owner).order_by("-at", "-pk")[:100])
    friends, more = friends_of(store, owner, at, appeals)
    visits = Visit.objects.for_store(store).filter(link__customer=owner, is_bot=False)
    opened = visits.aggregate(n=Count("pk"), last=Max("at"))
    return Progress(
        approved=standing.number,
        climb=climb_of(store, standing),
        friends=friends,
        more_friends=more,
        opened=opened["n"],
        opened_last=opened["last"],
        holdings=holdings_of(store, owner, at),
        missing=[appeal for appeal in appeals if appeal.kind == Appeal.Kind.MISSING],
    )


def climb_of(store: Store, standing: Standing) -> Climb | None:
    """The nearest step ahead; None at the top."""
    tier = standing.ahead
    if tier is None:
        return None
    count = standing.count(tier)
    done = count % tier.threshold if tier.gives == Tier.Gives.EVERY else count
    return Climb(done, tier.threshold, gets(tier, store), tier.name, tier.gives, tier.within_days)
