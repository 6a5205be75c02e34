"""What people answered, under the filters of the answers page: which rows, the score, and where it differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from customers.models import Category, OrderLine, Product
from insights.numbers.period import STEPS, Period, edges, steps
from outreach.models import Message
from stores.models import Location, Store
from surveys.models import FOLLOW_UP, Invitation, Question, Response, Survey, Via
from surveys.rules import (
    ENOUGH,
    Group,
    NetPromoterScore,
    Satisfaction,
    group_of,
    net_promoter_score,
    satisfaction,
    scale,
    scores_of,
)

SATISFIED = 4  # of five, and more
SHOWN = 20  # rows of a breakdown
ORDERS, AFTER_CASES = "orders", "follow-up"  # what stands for "no survey of the store's own" in the address
Estimate = NetPromoterScore | Satisfaction


@dataclass(frozen=True)
class Chosen:
    """The filters in the address. `group` and `only_suspect` choose rows of the list, the others numbers, too."""

    period: Period
    question: Question = Question.NPS
    via: str = ""
    survey: Survey | str | None = None
    product: Product | None = None
    category: Category | None = None
    location: Location | None = None
    since: datetime | None = None  # a step of the trend
    until: datetime | None = None
    group: Group | None = None
    only_suspect: bool = False

    @property
    def of_five(self) -> bool:
        """Whether it is about satisfaction."""
        return self.question is Question.CSAT

    def about(self, store: Store, prefix: str = "") -> Q:
        """The filter by survey and what was bought, for answers (`prefix` "invitation__") or invitations ('')."""
        wanted = Q()
        if isinstance(self.survey, Survey):
            wanted &= Q(survey=self.survey)
        elif self.survey == AFTER_CASES:
            wanted &= Q(**{f"{prefix}key__startswith": FOLLOW_UP})
        elif self.survey == ORDERS:
            wanted &= Q(survey=None, **{f"{prefix}order__isnull": False})
        lines = OrderLine.objects.for_store(store).filter(order=OuterRef(f"{prefix}order"))
        # Not by a join: a person who bought two things of a category gave one answer.
        if self.product:
            wanted &= Q(Exists(lines.filter(product=self.product)))
        if self.category:
            wanted &= Q(Exists(lines.filter(product__category=self.category)))
        return wanted


def answers(store: Store, chosen: Chosen) -> QuerySet[Any]:
    """The rows of the list."""
    rows = _answers(store, chosen).filter(is_suspect=chosen.only_suspect)
    if chosen.group:
        rows = rows.filter(score__in=scores_of(chosen.group, of_five=chosen.of_five))
    return rows


def counted(store: Store, chosen: Chosen) -> QuerySet[Any]:
    """The rows that the numbers are made of."""
    return _answers(store, chosen).filter(is_suspect=False)


def _answers(store: Store, chosen: Chosen) -> QuerySet[Any]:
    rows = Response.objects.for_store(store).filter(chosen.about(store, "invitation__"), question=chosen.question)
    rows = rows.filter(**chosen.period.within("at"))
    if chosen.since:
        rows = rows.filter(at__gte=chosen.since)
    if chosen.until:
        rows = rows.filter(at__lt=chosen.until)
    if chosen.via:
        rows = rows.filter(via=chosen.via)
    if chosen.location:
        rows = rows.filter(Q(location=chosen.location) | Q(location=None, invitation__order__location=chosen.location))
    return rows


@dataclass(frozen=True)
class Tally:
    """How often each score was given, and what may be said of it: a score from ENOUGH answers on, else the answers."""

    counts: dict[int, int]
    of_five: bool = False

    @property
    def answers(self) -> int:
        """The sample."""
        return sum(self.counts.values())

    @property
    def is_enough(self) -> bool:
        """Whether a score may be shown."""
        return self.answers >= ENOUGH

    def of(self, group: Group) -> int:
        """How many of a group."""
        return sum(self.counts.get(score, 0) for score in scores_of(group, of_five=self.of_five))

    @property
    def estimate(self) -> Estimate | None:
        """The score with its interval, however small the sample; None without answers."""
        if self.of_five:
            satisfied = sum(count for score, count in self.counts.items() if score >= SATISFIED)
            return satisfaction(satisfied, self.answers)
        return net_promoter_score(self.of(Group.PROMOTER), self.of(Group.PASSIVE), self.of(Group.DETRACTOR))

    @property
    def score(self) -> Estimate | None:
        """The score where it may be shown."""
        return self.estimate if self.is_enough else None

    @property
    def each(self) -> list[tuple[int, str]]:
        """The answers one by one, the best first, with their groups."""
        listed = sorted(self.counts.items(), reverse=True)
        return [(score, group_of(score, of_five=self.of_five).value) for score, count in listed for _ in range(count)]

    @property
    def parts(self) -> dict[str, float]:
        """Each group in percent."""
        return {group.value: 100 * self.of(group) / self.answers if self.answers else 0 for group in Group}

    @property
    def groups(self) -> dict[str, int]:
        """Each group in people."""
        return {group.value: self.of(group) for group in Group}


def tally(store: Store, chosen: Chosen) -> Tally:
    """The scores of the whole; one query."""
    rows = counted(store, chosen).order_by().values_list("score").annotate(count=Count("pk"))
    return Tally(dict(rows), chosen.of_five)


def suspects(store: Store, chosen: Chosen) -> int:
    """How many answers were left out because a program seems to have given them."""
    return _answers(store, chosen).filter(is_suspect=True).count()


@dataclass(frozen=True)
class Point:
    """A step of time: its answers and, from ENOUGH of them on, its score."""

    start: datetime
    end: datetime
    tally: Tally

    @property
    def score(self) -> Estimate | None:
        """As plots want it."""
        return self.tally.score


def trend(store: Store, chosen: Chosen, *, months: bool) -> list[Point]:
    """Twelve weeks, or twelve twelfths of a year, up to the end of the period; one query."""
    span = Period(365 if months else 7 * STEPS, chosen.period.end)
    scores = scale(of_five=chosen.of_five)
    marks, columns = edges(span), {f"n{score}": Count("pk", filter=Q(score=score)) for score in scores}
    whole = replace(chosen, period=span, since=None, until=None)
    found = steps(counted(store, whole), "at", marks, **columns)
    width = timedelta(days=span.days) / STEPS
    points = []
    for start, step in zip(marks, found, strict=False):
        counts = {score: step.get(f"n{score}", 0) for score in scores}
        points.append(Point(start, start + width, Tally(counts, chosen.of_five)))
    return points


# -- Where it differs --


@dataclass(frozen=True)
class Part:
    """One row of a breakdown: `key` is what the filter `by` has in the address."""

    by: str
    key: str
    label: str
    tally: Tally


@dataclass(frozen=True)
class Breakdown:
    """The score by one property; `more` rows are not shown."""

    by: str
    parts: list[Part]
    more: int


def _by(store: Store, chosen: Chosen, columns: list[Any]) -> Iterable[tuple[Any, ...]]:
    """(columns..., score, answers) of the rows that numbers are made of."""
    rows = counted(store, chosen).order_by()
    return rows.values_list(*columns, "score").annotate(count=Count("pk", distinct=True))


def breakdown(store: Store, chosen: Chosen, by: str, *, words: Callable[[str, str], str]) -> Breakdown:
    """The score by `by`, the most answers first; one query. `words` names what has no name of its own."""
    counts: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for key, name, score, count in _by(store, chosen, COLUMNS[by]()):
        if key is not None:
            counts[(str(key), name or words(by, str(key)))][score] += count
    parts = [Part(by, key, label, Tally(dict(found), chosen.of_five)) for (key, label), found in counts.items()]
    parts.sort(key=lambda part: (-part.tally.answers, part.label))
    return Breakdown(by, parts[:SHOWN], max(len(parts) - SHOWN, 0))


def _nameless() -> Value:
    return Value("", output_field=CharField())


COLUMNS: dict[str, Callable[[], list[Any]]] = {
    "product": lambda: ["invitation__order__lines__product__public_id", "invitation__order__lines__product__name"],
    "category": lambda: [
        "invitation__order__lines__product__category_id",
        "invitation__order__lines__product__category__name",
    ],
    "location": lambda: [
        Coalesce("location__public_id", "invitation__order__location__public_id"),
        Coalesce("location__name", "invitation__order__location__name"),
    ],
    "via": lambda: ["via", _nameless()],
    "survey": lambda: [
        Case(
            When(survey__isnull=False, then=F("survey__public_id")),
            When(invitation__key__startswith=FOLLOW_UP, then=Value(AFTER_CASES)),
            default=Value(ORDERS),
            output_field=CharField(),
        ),
        F("survey__name"),
    ],
}


# -- Who answered at all --


@dataclass(frozen=True)
class ResponseRate:
    """How many of the delivered invitations of the time were answered."""

    delivered: int
    answered: int

    @property
    def rate(self) -> float | None:
        """The part, 0..1; None when nobody was asked."""
        return self.answered / self.delivered if self.delivered else None


def delivered(store: Store, chosen: Chosen) -> QuerySet[Any]:
    """Invitations whose message went out in the time and did not come back."""
    period = chosen.period.within("message__sent_at")
    rows = Invitation.objects.for_store(store).filter(
        chosen.about(store), message__status=Message.Status.SENT, message__bounced_at=None, **period
    )
    of_five = Q(survey__question=Question.CSAT)
    rows = rows.filter(of_five if chosen.of_five else ~of_five | Q(survey=None))
    if chosen.since:
        rows = rows.filter(message__sent_at__gte=chosen.since)
    if chosen.until:
        rows = rows.filter(message__sent_at__lt=chosen.until)
    if chosen.via:
        rows = rows.filter(message__channel=chosen.via)
    if chosen.location:
        rows = rows.filter(order__location=chosen.location)
    return rows


def response_rate(store: Store, chosen: Chosen) -> ResponseRate:
    """One query."""
    answered = Count("pk", filter=Q(response__is_suspect=False))
    found = delivered(store, chosen).aggregate(delivered=Count("pk"), answered=answered)
    return ResponseRate(found["delivered"], found["answered"])


def is_invited(via: str) -> bool:
    """Whether answers that came this way had an invitation."""
    return via not in (Via.COUNTER, Via.WIDGET)
