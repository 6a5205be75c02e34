"""The complaint guard: how many of a store's advertising mails were marked as spam, and what follows.

Source: Gmail's sender guidelines (below 0.1 %, never 0.3 %; RELIABILITY section 4, bulk rules). The rate
is that of the mails of the last 30 days: of these, the share that somebody complained about. An alarm
costs nothing and comes exactly at its threshold. A stop costs the shop its advertising, so it wants
LEAST complaints besides: one angry person among 200 readers is half a percent and says nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Count, Q, Subquery, Value
from django.db.models.functions import Greatest

from customers.models import Channel
from outreach.models import Kind, Message, Stop, StopLift
from stores.models import Store, User
from stores.services import note
from stores.tenancy import insert_new

WINDOW = timedelta(days=30)
ALARM, STOP = 1, 3  # per thousand
LEAST = 3
REASON = "complaints"  # of the Stop, and of what it holds back


class State(StrEnum):
    """What the rate means."""

    GOOD = "good"
    ALARM = "alarm"
    STOP = "stop"


@dataclass(frozen=True)
class Counts:
    """Advertising mails of the window, and how many of them somebody marked as spam."""

    sent: int
    complained: int

    @property
    def rate(self) -> float:
        """As a part of one."""
        return self.complained / self.sent if self.sent else 0.0

    @property
    def state(self) -> State:
        """Thresholds count as reached when they are met; whole numbers, so that 0.3 % is 0.3 %."""
        if self.complained >= LEAST and self.complained * 1000 >= self.sent * STOP:
            return State.STOP
        if self.complained and self.complained * 1000 >= self.sent * ALARM:
            return State.ALARM
        return State.GOOD


def counts(store: Store, at: datetime) -> Counts:
    """The numbers of the last 30 days, or since somebody lifted the last stop."""
    lifts = StopLift.objects.for_store(store).filter(channel=Channel.EMAIL).order_by("-at").values("at")[:1]
    mails = Message.objects.for_store(store).filter(
        channel=Channel.EMAIL,
        sent_at__gt=Greatest(Value(at - WINDOW), Subquery(lifts)),  # Postgres leaves a missing one out
        kind__in=[kind for kind in Kind if kind.is_marketing],
    )
    return Counts(**mails.aggregate(sent=Count("pk"), complained=Count("pk", filter=~Q(complained_at=None))))


def watch(store: Store, at: datetime) -> State:
    """Look at the rate and stop advertising by mail where it is too high; after each complaint, and hourly."""
    found = counts(store, at)
    if found.state == State.STOP and insert_new(Stop(store=store, channel=Channel.EMAIL, reason=REASON, at=at)):
        after = {"sent": found.sent, "complained": found.complained}
        note(store, "mail.stopped", subject=REASON, after=after, by=None, at=at)
    return found.state


def is_stopped(store: Store) -> bool:
    """Whether advertising by mail is held back because of complaints."""
    return Stop.objects.for_store(store).filter(channel=Channel.EMAIL, reason=REASON).exists()


def lift(store: Store, *, by: User, at: datetime) -> bool:
    """Let advertising go out again; complaints count afresh from here. False when nothing stood in its way."""
    with transaction.atomic():
        gone, _rows = Stop.objects.for_store(store).filter(channel=Channel.EMAIL, reason=REASON).delete()
        if gone:
            StopLift.objects.create(store=store, channel=Channel.EMAIL, at=at, by=by)
            note(store, "mail.resumed", subject=REASON, by=by, at=at)
    return bool(gone)
