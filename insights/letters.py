"""Messages and planned questions in one list: what goes out next, what went, what did not and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from customers.models import Customer
from outreach.models import Kind, Message
from outreach.wording import reason_text
from stores.lists import PAGE, Page
from stores.models import Store
from surveys.models import Invitation

COUNTED_DAYS = timedelta(days=30)  # of what is over: bounds the index range


class Show(Enum):
    """Which messages the page shows; the value stands in the URL."""

    NEXT = "next"
    SENT = "sent"
    NOT = "not"
    UNKNOWN = "unknown"

    @classmethod
    def chosen(cls, typed: str) -> Show:
        """The one named in the URL, else what goes out next."""
        return cls(typed) if typed in {one.value for one in cls} else cls.NEXT

    @property
    def label(self) -> str:
        """What its tab says."""
        return {
            Show.NEXT: _("Goes out next"),
            Show.SENT: _("Went out"),
            Show.NOT: _("Did not go out"),
            Show.UNKNOWN: _("Nobody knows"),
        }[self]


STATUSES = {
    Show.NEXT: (Message.Status.PENDING, Message.Status.SENDING),
    Show.SENT: (Message.Status.SENT,),
    Show.NOT: (Message.Status.SKIPPED, Message.Status.FAILED),
    Show.UNKNOWN: (Message.Status.UNKNOWN,),
}
TONES = {
    Message.Status.PENDING: "wait",
    Message.Status.SENT: "good",
    Message.Status.FAILED: "bad",
    Message.Status.UNKNOWN: "bad",
}


@dataclass(frozen=True)
class Line:
    """One message, or a question that is not a message yet (then `message` is None)."""

    customer: Customer
    what: str
    about: str
    at: datetime
    channel: str
    to: str
    status: str
    status_tone: str
    reason: str
    message: Message | None

    def cells(self) -> list[object]:
        """The line as the CSV file has it; see `header`."""
        return [str(self.customer), self.what, self.about, self.at, self.to, self.status, self.reason]


def header() -> list[str]:
    """The titles over `Line.cells`."""
    return [_("Customer"), _("Message"), _("About"), _("When"), _("To"), _("Status"), _("Why")]


def page(store: Store, show: Show, cursor: str, *, size: int = PAGE) -> Page:
    """Lines of both kinds merged by their time; what goes out next from the soonest, the rest from the newest."""
    place = Place.read(cursor)
    messages = Message.objects.for_store(store).filter(status__in=STATUSES[show])
    found = _window(messages, 0, show, place, size)
    if show in (Show.NEXT, Show.NOT):
        status = Invitation.Status.PLANNED if show is Show.NEXT else Invitation.Status.SKIPPED
        found += _window(Invitation.objects.for_store(store).filter(status=status), 1, show, place, size)
    found.sort(key=lambda one: one[0], reverse=show is not Show.NEXT)
    lines = [_of_message(row) if isinstance(row, Message) else _of_invitation(row) for _place, row in found[:size]]
    return Page(lines, found[size - 1][0].written() if len(found) > size else "")


@dataclass(frozen=True, order=True)
class Place:
    """Where a line stands in the merged list: its time, then its table, then its row."""

    at: datetime
    table: int
    pk: int

    @classmethod
    def read(cls, cursor: str) -> Place | None:
        """The place a cursor names; None for one that cannot be read."""
        try:
            moment, table, pk = cursor.split("~")
            place = cls(datetime.fromisoformat(moment), int(table), int(pk))
        except ValueError:
            return None
        return place if place.at.tzinfo and abs(place.pk) < 2**63 else None

    def written(self) -> str:
        """As a cursor in the URL."""
        return f"{self.at.isoformat()}~{self.table}~{self.pk}"


def _window(rows: QuerySet[Any], table: int, show: Show, place: Place | None, size: int) -> list[tuple[Place, Any]]:
    """The first `size` + 1 rows of one table beyond `place`, with theirs."""
    way, sign = ("gt", "") if show is Show.NEXT else ("lt", "-")
    if place:
        rows = rows.filter(**{f"due_at__{way}e": place.at})
        beyond = Q(**{f"due_at__{way}": place.at})
        if table == place.table:
            beyond |= Q(due_at=place.at, **{f"pk__{way}": place.pk})
        elif (table > place.table) == (show is Show.NEXT):
            beyond |= Q(due_at=place.at)
        rows = rows.filter(beyond)
    ordered = rows.select_related("customer").order_by(f"{sign}due_at", f"{sign}pk")[: size + 1]
    return [(Place(row.due_at, table, row.pk), row) for row in ordered]


def _of_message(row: Message) -> Line:
    return Line(
        customer=row.customer,
        what=row.get_kind_display(),
        about=str(row.context.get("product") or row.context.get("gift") or ""),
        at=row.due_at,
        channel=row.channel,
        to=row.to or row.customer.email or row.customer.phone,
        status=row.get_status_display(),
        status_tone=TONES.get(Message.Status(row.status), "plain"),
        reason=reason_text(row.reason),
        message=row,
    )


def _of_invitation(row: Invitation) -> Line:
    return Line(
        customer=row.customer,
        what=str((Kind.FOLLOW_UP if row.is_follow_up else Kind.SURVEY if row.order_id else Kind.PERIODIC).label),
        about=row.product_name,
        at=row.due_at,
        channel="",
        to=row.customer.email or row.customer.phone,
        status=row.get_status_display(),
        status_tone="wait" if row.status == Invitation.Status.PLANNED else "plain",
        reason=reason_text(row.reason),
        message=None,
    )


@dataclass(frozen=True)
class Tab:
    """A tab with how many lines it has; of what is over, in the last 30 days."""

    show: Show
    count: int


def tabs(store: Store, at: datetime) -> list[Tab]:
    """The tabs of the page; two queries."""
    recent = Message.objects.for_store(store).filter(due_at__gt=at - COUNTED_DAYS)
    messages = recent.aggregate(
        **{show.value: Count("pk", filter=Q(status__in=statuses)) for show, statuses in STATUSES.items()}
    )
    planned = Invitation.objects.for_store(store).filter(due_at__gt=at - COUNTED_DAYS)
    invitations = planned.aggregate(
        next=Count("pk", filter=Q(status=Invitation.Status.PLANNED)),
        not_asked=Count("pk", filter=Q(status=Invitation.Status.SKIPPED)),
    )
    more = {Show.NEXT: invitations["next"], Show.NOT: invitations["not_asked"]}
    return [Tab(show, messages[show.value] + more.get(show, 0)) for show in Show]
