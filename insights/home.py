"""Everything on the owner's home, gathered and put into words for the template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from customers.models import Order
from insights import plots
from insights.agenda import AT_ONCE, Item, agenda
from insights.happenings import Happening, latest
from insights.numbers import kept
from insights.numbers.feelings import Feelings, Point, feelings, trend
from insights.numbers.intervals import Part
from insights.numbers.leaders import Leader, leaders
from insights.numbers.money import Brought, brought, sharing
from insights.numbers.people import ShareRate, Step, funnel, share_rate
from insights.numbers.period import Period
from insights.numbers.scope import Scope
from insights.numbers.todo import Todo, todo
from stores.models import Role, Store
from surveys.models import Response
from surveys.rules import ENOUGH
from surveys.theme_queries import Line, rising

TOP = 5  # who brought the most friends
ENOUGH_ASKED = ENOUGH  # with fewer people a rate says nothing
# What is usual. Sharing: vendors publish 7, 15, 30 % of those who see the ask as meh, solid, great. The
# other two have no published figure; they are set so that 3-5 % of visits buy, which has.
USUAL_SHARING, USUAL_TAKING, USUAL_BUYING = 0.15, 0.12, 0.33


@dataclass(frozen=True)
class Bar:
    """One step of the funnel as it is drawn."""

    what: str
    label: str
    people: int
    width: float  # percent of the longest
    rate: float | None  # of the step it is compared with
    per: float | None  # or how many for each of that step, when there are more


@dataclass(frozen=True)
class Board:
    """What the home page shows."""

    todo: Todo
    agenda: list[Item]
    before: str  # the period before, as in an address
    rising: Line | None  # the theme that unhappy people mention more than before
    brought: Brought
    friends_line: str
    sales_line: str
    share: ShareRate
    share_change: float | None  # points, as a part
    share_line: str
    feelings: Feelings
    feelings_line: str
    recent_answers: list[Response]  # in place of a score, when there are few
    bars: list[Bar]
    advice: str
    trend: list[Point]
    plot: plots.LinePlot
    advocates: list[Leader]
    latest: list[Happening]

    @property
    def trend_answers(self) -> int:
        """How many answers the plot stands on."""
        return sum(point.score.answers for point in self.trend if point.score)

    @property
    def has_plot(self) -> bool:
        """Whether they are enough to draw one."""
        return self.trend_answers >= ENOUGH

    @property
    def first_items(self) -> list[Item]:
        """What stands on the page."""
        return self.agenda[:AT_ONCE]

    @property
    def later_items(self) -> list[Item]:
        """What is behind a tap."""
        return self.agenda[AT_ONCE:]


def is_new(store: Store) -> bool:
    """Whether nothing was bought and nobody answered yet: then the page says how to begin."""
    return not (Order.objects.for_store(store).exists() or Response.objects.for_store(store).exists())


def board(store: Store, period: Period, role: Role, at: datetime | None = None) -> Board:
    """Gather it all; the number of queries does not depend on the number of rows.

    What has to be done is as of `at`, by default the end of the period.
    """
    at = at or period.end
    sums, felt, points = brought(store, period), feelings(store, period), trend(store, period)
    share, before = share_rate(store, period), share_rate(store, period.earlier)
    steps, waiting = funnel(store, period), todo(store, at)
    return Board(
        todo=waiting,
        agenda=agenda(store, waiting, role, at),
        before=Scope(period, since=period.earlier.start, until=period.start).address(),
        rising=rising(store, period.end),
        brought=sums,
        friends_line=plots.sparkline(sums.friends.steps),
        sales_line=plots.sparkline(sums.sales.steps),
        share=share,
        share_change=_change(share.part, before.part),
        share_line=plots.sparkline(sharing(store, period)),
        feelings=felt,
        feelings_line=plots.sparkline([point.score.score for point in points if point.score]),
        recent_answers=[] if felt.is_enough else _recent_answers(store, period),
        bars=bars(steps),
        advice=advice(steps),
        trend=points,
        plot=plots.score_plot(points),
        advocates=leaders(store, Scope(period), sort="friends", size=TOP),
        latest=latest(store),
    )


def keep_numbers(store: Store, at: datetime) -> int:
    """Count a large store's numbers for the next visitors of its home; returns how many periods."""
    return kept.refresh(store, at, lambda period: board(store, period, Role.OWNER))


def _change(now: Part, before: Part) -> float | None:
    """By how much a part grew; None unless both are of people enough."""
    return now.hits / now.of - before.hits / before.of if now.is_enough and before.is_enough else None


def _recent_answers(store: Store, period: Period) -> list[Response]:
    answers = Response.objects.for_store(store).counted().filter(**period.within("at"))
    return list(answers.select_related("customer").order_by("-at")[:3])


def labels() -> dict[str, str]:
    """What the steps of the funnel are called."""
    return {
        "asked": _("Asked"),
        "shared": _("Shared it"),
        "visits": _("Friends who visited"),
        "claims": _("Friends who took the gift"),
        "bought": _("Friends who bought"),
        "counted": _("Counted"),
    }


def bars(steps: list[Step]) -> list[Bar]:
    """The funnel's steps with their lengths, each compared with the one above it."""
    most, names = max((step.people for step in steps), default=0), labels()
    drawn = []
    for place, step in enumerate(steps):
        above = steps[place - 1].people if place else 0
        part = step.people / above if above >= ENOUGH_ASKED else None
        more = part is not None and part > 1
        width = plots.bar(step.people, most)
        drawn.append(
            Bar(step.what, names[step.what], step.people, width, None if more else part, part if more else None)
        )
    return drawn


def advice(steps: list[Step]) -> str:
    """One sentence about the step that loses the most people; '' while there are too few to tell."""
    people = {step.what: step.people for step in steps}
    if people["asked"] < ENOUGH_ASKED:
        return ""
    chances = {
        _("Most people stop between being asked and sharing. Try a bigger gift or a shorter text."): (
            *("shared", "asked"),
            USUAL_SHARING,
        ),
        _("Many friends look and leave without the gift. Make clear what they get, and until when."): (
            *("claims", "visits"),
            USUAL_TAKING,
        ),
        _("Many friends take the gift and do not come. A smaller minimum or a longer time helps."): (
            *("bought", "claims"),
            USUAL_BUYING,
        ),
    }
    # Each rate against what is usual for it, so that the weakest step is named and not just the first.
    weakness = {
        text: (people[part] / people[whole]) / usual
        for text, (part, whole, usual) in chances.items()
        if people[whole] >= ENOUGH_ASKED
    }
    worst = min(weakness, key=lambda text: weakness[text], default="")
    return worst if worst and weakness[worst] < 1 else ""
