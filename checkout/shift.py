"""What one shift came to: who redeemed how much today, whom it brought, what stayed open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, Sum

from checkout import pages
from checkout.models import Held
from referrals.models import Referral
from stores.models import Store, User


@dataclass(frozen=True)
class Share:
    """One person's part of the day; amounts in minor units of the store's currency."""

    who: str
    is_mine: bool
    done: int = 0
    undone: int = 0
    bills_minor: int = 0
    off_minor: int = 0
    first: datetime | None = None
    last: datetime | None = None
    friends: int = 0
    refused: int = 0  # taken without internet, and not good after all

    @property
    def paid_minor(self) -> int:
        """What customers paid."""
        return self.bills_minor - self.off_minor


def shares(store: Store, user: User, at: datetime) -> list[Share]:
    """Everybody's part of today, one's own first, then by name. Four queries, whatever the day was like."""
    rows = pages.redemptions_today(store, at).filter(currency=store.currency).exclude(by=None).order_by()
    live = Q(reversed_at=None)
    counted = rows.values("by").annotate(
        done=Count("pk", filter=live),
        undone=Count("pk", filter=~live),
        bills_minor=Sum("amount_minor", filter=live, default=0),
        off_minor=Sum("discount_minor", filter=live, default=0),
        first=Min("at"),
        last=Max("at"),
    )
    numbers = {row.pop("by"): row for row in counted}
    friends, refused = _friends(store, at), _refused(store, at)
    people = User.objects.filter(pk__in={*numbers, *refused})
    found = [
        Share(
            one.get_short_name(),
            one == user,
            **numbers.get(one.pk, {}),
            friends=friends.get(one.pk, 0),
            refused=refused.get(one.pk, 0),
        )
        for one in people
    ]
    return sorted(found, key=lambda one: (not one.is_mine, one.who))


def _friends(store: Store, at: datetime) -> dict[int, int]:
    """New friends whose first purchase somebody rang up today."""
    today = {"order__redemptions__at__gte": pages.day_start(store, at), "order__redemptions__reversed_at": None}
    mine = Referral.objects.for_store(store).in_force().filter(**today).exclude(status=Referral.Status.VOIDED)
    by = mine.order_by().values_list("order__redemptions__by").annotate(n=Count("pk", distinct=True))
    return dict(by.exclude(order__redemptions__by=None))


def _refused(store: Store, at: datetime) -> dict[int, int]:
    odd = Held.objects.for_store(store).filter(status=Held.Status.REFUSED, received_at__gte=pages.day_start(store, at))
    return dict(odd.order_by().values_list("by").annotate(n=Count("pk")))
