"""What the dashboard reads about themes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Value

from stores.models import Store
from surveys import rules
from surveys.matching import finder, fold_comment
from surveys.models import Question, Response, Theme, ThemeMention
from surveys.rules import Group

DAYS = (30, 90, 365)
STEPS = 12
TRIED = 2000  # newest comments that words in the editor are tried on
EXAMPLES = 8


def unhappy(before: str = "") -> Q:
    """Answers of unhappy people, on both scales; `before` leads to the answer: "response__"."""
    low = [rules.scores_of(Group.DETRACTOR), rules.scores_of(Group.DETRACTOR, of_five=True)]
    return Q(**{f"{before}question": Question.NPS, f"{before}score__in": low[0]}) | Q(
        **{f"{before}question": Question.CSAT, f"{before}score__in": low[1]}
    )


@dataclass(frozen=True)
class Line:
    """A theme's mentions in a period and in the one before, each with the comments they are a part of."""

    theme: Theme
    now: int
    of_now: int
    before: int
    of_before: int
    width: float = 0  # of its bar, in percent of the longest

    @property
    def share(self) -> float:
        """Of the period's comments, 0..1."""
        return self.now / self.of_now if self.of_now else 0

    @property
    def share_before(self) -> float | None:
        """Of the comments before; None when there were none."""
        return self.before / self.of_before if self.of_before else None

    @property
    def is_rising(self) -> bool:
        """Whether it comes up more, beyond chance."""
        return rules.is_rising(self.now, self.of_now, self.before, self.of_before)


def lines(store: Store, *, days: int, everybody: bool, at: datetime) -> list[Line]:
    """Every theme over the last `days` days, the most mentioned first; three queries, whatever their number."""
    counted = _counted(store, days, everybody, at)
    comments = _halves(_comments(store, everybody), days, at).aggregate(**_split(days, at))
    most = max((row["now"] for row in counted.values()), default=0)
    nothing = {"now": 0, "before": 0}
    found = []
    for theme in Theme.objects.for_store(store).order_by("name"):
        row = counted.get(theme.pk, nothing)
        width = max(100 * row["now"] / most, 1.5) if row["now"] else 0
        found.append(Line(theme, row["now"], comments["now"], row["before"], comments["before"], width))
    return sorted(found, key=lambda line: -line.now)


def rising(store: Store, at: datetime, *, days: int = 30) -> Line | None:
    """The theme of unhappy comments that comes up most among those that come up more than before.

    One query where nothing is mentioned often enough, four where it must be looked at.
    """
    if not any(row["now"] >= rules.RISING_FROM for row in _counted(store, days, False, at).values()):
        return None
    return next((line for line in lines(store, days=days, everybody=False, at=at) if line.is_rising), None)


def _counted(store: Store, days: int, everybody: bool, at: datetime) -> dict[int, dict[str, int]]:
    """Mentions by theme, now and before."""
    rows = _halves(_mentions(store, everybody), days, at).values("theme").annotate(**_split(days, at))
    return {row["theme"]: row for row in rows}


def _halves(rows: QuerySet[Any], days: int, at: datetime) -> QuerySet[Any]:
    return rows.filter(at__gt=at - timedelta(days=2 * days), at__lte=at)


def _split(days: int, at: datetime) -> dict[str, Count]:
    middle = at - timedelta(days=days)
    return {"now": Count("pk", filter=Q(at__gt=middle)), "before": Count("pk", filter=Q(at__lte=middle))}


def _comments(store: Store, everybody: bool) -> QuerySet[Any]:
    spoken = Response.objects.for_store(store).filter(is_suspect=False).exclude(comment="")
    return spoken if everybody else spoken.filter(unhappy())


def _mentions(store: Store, everybody: bool) -> QuerySet[Any]:
    counted = ThemeMention.objects.for_store(store).filter(response__is_suspect=False)
    return counted if everybody else counted.filter(unhappy("response__"))


@dataclass(frozen=True)
class Column:
    """Mentions in one step of time; `height` in percent of the tallest."""

    start: datetime
    count: int
    height: float


def columns(theme: Theme, *, days: int, everybody: bool, at: datetime) -> list[Column]:
    """A theme's mentions in twelve steps of the period, from old to new; one query."""
    width = timedelta(days=days) / STEPS
    edges = [at - timedelta(days=days) + step * width for step in range(STEPS)]
    bounds = [*edges, at + timedelta(microseconds=1)]
    place = Func(F("at"), Value(bounds[:-1]), function="width_bucket", output_field=IntegerField())
    rows = _mentions(theme.store, everybody).filter(theme=theme, at__gte=bounds[0], at__lt=bounds[-1])
    found = dict(rows.annotate(step=place).values("step").annotate(count=Count("pk")).values_list("step", "count"))
    most = max(found.values(), default=0)
    counts = [found.get(step + 1, 0) for step in range(STEPS)]
    return [Column(start, count, 100 * count / most if most else 0) for start, count in zip(edges, counts, strict=True)]


def examples(theme: Theme, *, days: int, everybody: bool, at: datetime) -> list[Response]:
    """The newest answers whose comment is about the theme; one query."""
    rows = _mentions(theme.store, everybody).filter(theme=theme, at__gt=at - timedelta(days=days), at__lte=at)
    found = rows.select_related("response__customer").order_by("-at", "-pk")[:EXAMPLES]
    return [row.response for row in found]


@dataclass(frozen=True)
class Trial:
    """What some words would find among the newest `tried` comments."""

    found: int
    tried: int
    examples: list[Response]


def try_words(store: Store, words: Sequence[str]) -> Trial:
    """Compare words that are being typed with the newest comments; one query, nothing is written."""
    rows = Response.objects.for_store(store).filter(is_suspect=False).exclude(comment="").select_related("customer")
    newest = list(rows.order_by("-at", "-pk")[:TRIED])
    look = finder(tuple(words))
    hits = [response for response in newest if look.search(fold_comment(response.comment))]
    return Trial(len(hits), len(newest), hits[:3])


def are_compared(store: Store) -> bool:
    """Whether every theme was compared with every comment."""
    return not Theme.objects.for_store(store).exclude(matched_to=None).exists()
