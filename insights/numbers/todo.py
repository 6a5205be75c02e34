"""What needs a person today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from insights.numbers.people import net_sales
from outreach.models import Message
from referrals.models import Referral
from stores.models import Store
from surveys.models import RecoveryCase

WAITING = (Referral.Status.PENDING, Referral.Status.FLAGGED)
LOOK_BACK = timedelta(days=90)  # of messages; bounds the index range


@dataclass(frozen=True)
class Todo:
    """How many wait for whom. `at_stake_minor` is what the waiting friends paid, in the store's currency."""

    unhappy: int
    unhappy_since: datetime | None
    referrals: int
    flagged: int
    at_stake_minor: int
    unknown: int

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits."""
        return not (self.unhappy or self.referrals or self.unknown)


def todo(store: Store, at: datetime) -> Todo:
    """The three things a person has to decide."""
    cases = RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.OPEN)
    unhappy = cases.aggregate(count=Count("pk"), since=Min("opened_at"))
    waiting = Referral.objects.for_store(store).filter(status__in=WAITING)
    flagged = Count("pk", filter=Q(status=Referral.Status.FLAGGED))
    referrals = waiting.aggregate(count=Count("pk"), flagged=flagged, sum=net_sales(store))
    return Todo(
        unhappy=unhappy["count"],
        unhappy_since=unhappy["since"],
        referrals=referrals["count"],
        flagged=referrals["flagged"],
        at_stake_minor=referrals["sum"],
        unknown=unknown(store, at),
    )


def unknown(store: Store, at: datetime) -> int:
    """Messages of which nobody knows whether they arrived."""
    recent = Message.objects.for_store(store).filter(due_at__gt=at - LOOK_BACK)
    return recent.filter(status=Message.Status.UNKNOWN).count()
