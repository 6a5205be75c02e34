"""What needs a person today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from insights.numbers.people import net_sales
from outreach import complaints
from outreach.complaints import State
from outreach.models import Message
from referrals.models import Partnership, Referral
from rewards.models import Fulfilment, Recount
from stores.models import Store
from surveys.models import RecoveryCase

WAITING = (Referral.Status.PENDING, Referral.Status.FLAGGED)
LOOK_BACK = timedelta(days=90)  # of messages; bounds the index range


@dataclass(frozen=True)
class Todo:
    """How many wait for whom. `at_stake_minor` is what the waiting friends paid, in the store's currency."""

    unhappy: int
    unhappy_since: datetime | None
    overdue: int  # of the unhappy, those who wait longer than they were promised
    referrals: int
    flagged: int
    at_stake_minor: int
    unknown: int
    complaints: State  # about advertising mails, and whether they are stopped for it
    complained: int
    to_hand_over: int  # rewards that the store sees to by hand: gifts of its own, donations
    late_to_hand_over: int
    books_wrong: bool  # the nightly recount found something
    invited: int  # other stores that would be partners

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits."""
        waiting = self.unhappy or self.referrals or self.unknown or self.to_hand_over or self.books_wrong
        return not (waiting or self.invited or self.complaints != State.GOOD)


def todo(store: Store, at: datetime) -> Todo:
    """What a person has to decide, and what only they can put right."""
    cases = RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.OPEN)
    late = Count("pk", filter=Q(promise_at__lt=at))
    unhappy = cases.aggregate(count=Count("pk"), since=Min("opened_at"), overdue=late)
    waiting = Referral.objects.for_store(store).filter(status__in=WAITING)
    flagged = Count("pk", filter=Q(status=Referral.Status.FLAGGED))
    spam = complaints.counts(store, at)
    tasks = Fulfilment.objects.for_store(store).filter(status=Fulfilment.Status.OPEN)
    by_hand = tasks.aggregate(count=Count("pk"), late=Count("pk", filter=Q(due_at__lt=at)))
    referrals = waiting.aggregate(count=Count("pk"), flagged=flagged, sum=net_sales(store))
    return Todo(
        unhappy=unhappy["count"],
        unhappy_since=unhappy["since"],
        overdue=unhappy["overdue"],
        referrals=referrals["count"],
        flagged=referrals["flagged"],
        at_stake_minor=referrals["sum"],
        unknown=unknown(store, at),
        complaints=State.STOP if complaints.is_stopped(store) else spam.state,
        complained=spam.complained,
        to_hand_over=by_hand["count"],
        late_to_hand_over=by_hand["late"],
        books_wrong=Recount.objects.for_store(store).exclude(problems=[]).exists(),
        invited=Partnership.objects.for_store(store).filter(status=Partnership.Status.INVITED).count(),
    )


def unknown(store: Store, at: datetime) -> int:
    """Messages of which nobody knows whether they arrived."""
    recent = Message.objects.for_store(store).filter(due_at__gt=at - LOOK_BACK)
    return recent.filter(status=Message.Status.UNKNOWN).count()
