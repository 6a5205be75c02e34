"""What needs a person today."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from insights.numbers.kept import kept
from insights.numbers.people import net_sales
from outreach import complaints
from outreach.complaints import State
from outreach.models import Message
from referrals import appeals_found
from referrals.models import Partnership, Referral
from rewards.models import Fulfilment, Recount
from rewards.services import fulfilling
from stores.models import Store
from surveys.models import RecoveryCase

WAITING = (Referral.Status.PENDING, Referral.Status.FLAGGED)
LOOK_BACK = timedelta(days=90)  # of messages; bounds the index range


@dataclass(frozen=True)
class Todo:
    """How many wait for whom, and who comes first. `at_stake_minor` is what the waiting friends paid, in the store's
    currency.
    """

    unhappy: int
    overdue: int  # of the unhappy, those who wait longer than they were promised
    case: RecoveryCase | None
    referrals: int
    flagged: int
    referral: Referral | None  # of the flagged
    at_stake_minor: int
    appeals: int
    unknown: int
    complaints: State  # about advertising mails, and whether they are stopped for it
    complained: int
    to_hand_over: int  # rewards that the store sees to by hand: gifts of its own, donations
    late_to_hand_over: int
    task: Fulfilment | None
    books_wrong: bool  # the nightly recount found something
    invited: int  # other stores that would be partners

    @property
    def by_themselves(self) -> int:
        """Friends' purchases that count without anybody's look, when their return time is over."""
        return self.referrals - self.flagged


def todo(store: Store, at: datetime) -> Todo:
    """What a person has to decide, and what only they can put right."""
    cases = RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.OPEN)
    unhappy = cases.aggregate(count=Count("pk"), overdue=Count("pk", filter=Q(promise_at__lt=at)))
    waiting = Referral.objects.for_store(store).filter(status__in=WAITING)
    flagged = Count("pk", filter=Q(status=Referral.Status.FLAGGED))
    spam = complaints.Counts(*kept("complaints", store, None, lambda: astuple(complaints.counts(store, at))))
    tasks = fulfilling.open_tasks(store)
    by_hand = tasks.aggregate(count=Count("pk"), late=Count("pk", filter=Q(due_at__lt=at)))
    referrals = waiting.aggregate(count=Count("pk"), flagged=flagged)
    at_stake = kept("at stake", store, None, lambda: waiting.aggregate(sum=net_sales(store))["sum"])
    return Todo(
        unhappy=unhappy["count"],
        overdue=unhappy["overdue"],
        case=cases.select_related("customer", "response").order_by("promise_at", "pk").first(),
        referrals=referrals["count"],
        flagged=referrals["flagged"],
        referral=_first_flagged(store),
        at_stake_minor=at_stake,
        appeals=appeals_found.count_waiting(store),
        unknown=unknown(store, at),
        complaints=State.STOP if complaints.is_stopped(store) else spam.state,
        complained=spam.complained,
        to_hand_over=by_hand["count"],
        late_to_hand_over=by_hand["late"],
        task=tasks.first(),
        books_wrong=Recount.objects.for_store(store).exclude(problems=[]).exists(),
        invited=Partnership.objects.for_store(store).filter(status=Partnership.Status.INVITED).count(),
    )


def _first_flagged(store: Store) -> Referral | None:
    """The one that its page shows first."""
    flagged = Referral.objects.for_store(store).filter(status=Referral.Status.FLAGGED)
    return flagged.select_related("advocate", "friend", "order", "store", "link").order_by("hold_until", "pk").first()


def unknown(store: Store, at: datetime) -> int:
    """Messages of which nobody knows whether they arrived."""
    recent = Message.objects.for_store(store).filter(due_at__gt=at - LOOK_BACK)
    return recent.filter(status=Message.Status.UNKNOWN).count()
