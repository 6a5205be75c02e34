"""The reports put into words: tables whose every number opens its rows, and the files made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from insights import home, plots
from insights.numbers import funnels, leaders, returns
from insights.numbers.cohorts import Cohort, Comparison
from insights.numbers.funnels import Line, Split
from insights.numbers.intervals import Interval, Part
from insights.numbers.money import whole
from insights.numbers.people import Step
from insights.numbers.pieces import pieces
from insights.numbers.scope import STEPS, Scope
from insights.rows import Cell, person
from insights.words import cost_words, tier_name
from stores.lists import csv_response
from stores.models import Store
from surveys.rules import ENOUGH


@dataclass(frozen=True)
class Table:
    """A table as it is shown and exported: `note` says what its numbers mean."""

    key: str
    title: str
    note: str
    header: Sequence[str]
    rows: list[list[Cell]]
    more: int = 0  # rows that are not shown

    @property
    def titled(self) -> list[list[tuple[str, Cell]]]:
        """The rows with each cell's title beside it, for narrow screens."""
        return [list(zip(self.header, row, strict=True)) for row in self.rows]

    def as_file(self, name: str) -> HttpResponse:
        """The same rows as CSV."""
        return csv_response(f"{name}-{self.key}", self.header, ([cell.plain for cell in row] for row in self.rows))


def of_key(tables: Iterable[Table], key: str) -> Table | None:
    """The table that an address names."""
    return next((table for table in tables if table.key == key), None)


# -- Filters --


@dataclass(frozen=True)
class Filter:
    """A filter that is set, with the address without it."""

    label: str
    without: str


def filters_of(scope: Scope) -> list[Filter]:
    """The filters in words."""
    labels = {
        "way": str(scope.way.label) if scope.way else "",
        "came": str(scope.came.label) if scope.came else "",
        "program": scope.program.name if scope.program else "",
        "run": str(scope.run or ""),
        "location": str(scope.location or ""),
        "staff": str(scope.staff.user) if scope.staff else "",
        "advocate": str(scope.advocate or ""),
    }
    found = [Filter(label, scope.address(**{name: ""})) for name, label in labels.items() if label]
    if scope.since or scope.until:
        found.append(Filter(_("A part of the time"), scope.address(since="", until="")))
    return found


# -- The funnel --


@dataclass(frozen=True)
class Funnel:
    """The funnel's page: the bars, what to do about them, and the same by each property."""

    bars: list[home.Bar]
    advice: str
    unknown: list[str]  # steps that the filters do not know
    sales_minor: int | None
    tables: list[Table]


def funnel(store: Store, scope: Scope) -> Funnel:
    """Gather it; how many queries that takes depends on no number of rows."""
    line, names = funnels.whole(store, scope), home.labels()
    known = [Step(step, count) for step, count in line.people.items() if count is not None]
    return Funnel(
        bars=home.bars(known),
        advice=home.advice(known) if not scope.filters else "",
        unknown=[names[step] for step, count in line.people.items() if count is None],
        sales_minor=line.sales_minor,
        tables=funnel_tables(store, scope, line),
    )


def funnel_tables(store: Store, scope: Scope, line: Line) -> list[Table]:
    """The funnel itself and its splits; those without a row are left out."""
    time = [] if scope.piece else pieces(store, scope.period, get_language() or "en")
    splits = [
        funnels.by_way(store, scope),
        funnels.by_came(store, scope),
        funnels.by_program(store, scope),
        funnels.by_run(store, scope),
        funnels.by_location(store, scope),
        funnels.by_staff(store, scope),
        *([funnels.by_time(store, scope, time)] if time else []),
    ]
    tables = [_split_table(store, scope, split) for split in splits if split.lines]
    return [_steps_table(store, scope, line), *tables]


def _steps_table(store: Store, scope: Scope, line: Line) -> Table:
    names, above = home.labels(), None
    rows: list[list[Cell]] = []
    for step, count in line.people.items():
        if count is not None:
            rows.append([Cell(names[step]), _count(store, scope, step, count), *_part(count, above or 0)])
            above = count
    note = _(
        "People at each step. The part of the step above may be more than 100%: one customer sends several friends."
        " From and to: the 95% margin."
    )
    header = [_("Step"), _("People"), _("Of the step above"), _("From"), _("To")]
    return Table("steps", _("Step by step"), note, header, rows)


def _part(count: int, above: int) -> list[Cell]:
    """The part of the step above with its margin; empty with too few people, no margin where they are more."""
    if above < ENOUGH:
        return [Cell(None, "percent")] * 3
    interval = Part(count, above).interval if count <= above else None
    low, high = (interval.low, interval.high) if interval else (None, None)
    return [Cell(count / above, "percent"), Cell(low, "percent"), Cell(high, "percent")]


def _count(store: Store, scope: Scope, step: str, count: int | None, **filters: str) -> Cell:
    """A number of people with the way to them."""
    url = reverse("insights:rows", args=[store.slug, step]) + scope.address(**filters)
    return Cell(count, "number", url if count else "")


def _split_table(store: Store, scope: Scope, split: Split) -> Table:
    title, first, note = _split_words(scope)[split.by]
    shown = [step for step in STEPS if any(line.people[step] is not None for line in split.lines)]
    names = _short_labels()
    rows = [_split_row(store, scope, split.by, line, shown) for line in split.lines]
    sales = [_("Sales")] if "bought" in shown else []
    return Table(split.by, title, note, [first, *(names[step] for step in shown), *sales], rows, split.more)


def _short_labels() -> dict[str, str]:
    """The steps over the columns of a table."""
    return {
        "asked": _("Asked"),
        "shared": _("Shared it"),
        "visits": _("Visited"),
        "claims": _("Took the gift"),
        "bought": _("Bought"),
        "counted": _("Counted"),
    }


def _split_row(store: Store, scope: Scope, by: str, line: Line, shown: list[str]) -> list[Cell]:
    filters = {by: line.key}
    if by == "time" and line.since and line.until:
        filters = {"since": line.since.isoformat(), "until": line.until.isoformat()}
    counts = [_count(store, scope, step, line.people[step], **filters) for step in shown]
    money = _sum(store, line.sales_minor or 0, _rows_url(store, "bought", scope.address(**filters)))
    return [Cell(line.label, url=scope.address(**filters)), *counts, *([money] if "bought" in shown else [])]


def _split_words(scope: Scope) -> dict[str, tuple[str, str, str]]:
    """Title, first column and meaning of each split."""
    months = scope.period.days == 365
    return {
        "way": (
            _("By how the customer was asked"),
            _("Asked"),
            _("What followed, by the customer who sent the friend. Whoever was asked in two ways stands in both rows."),
        ),
        "came": (_("By how the friend was recognised"), _("The friend"), _("Known when the friend buys, not before.")),
        "program": (_("By program"), _("Program"), _("Known when the friend takes the gift, not before.")),
        "run": (
            _("By what was printed"),
            _("Printed"),
            _("Cards, posters and slips with a code of their own, and the links that people got by scanning them."),
        ),
        "location": (_("By branch"), _("Branch"), _("Where the friend bought; only purchases with a branch.")),
        "staff": (
            _("By member of staff"),
            _("Who"),
            _("Whom they asked in person, by phone or by hand; and friends whose gift they redeemed."),
        ),
        "time": (
            _("By month") if months else _("By week"),
            _("Month") if months else _("Week from"),
            _("What happened in that time. The first may not be whole."),
        ),
    }


# -- Friends and others --


@dataclass(frozen=True)
class Figure:
    """A number with the ends of its interval, as cells; `plot` where it is drawn."""

    value: Cell
    low: Cell
    high: Cell
    plot: plots.Margin | None = None

    @property
    def cells(self) -> list[Cell]:
        """The three in a row."""
        return [self.value, self.low, self.high]


@dataclass(frozen=True)
class Measure:
    """One question about both groups, what their difference is, and what that says."""

    title: str
    label: str  # in a table
    friends: Figure
    others: Figure
    difference: Figure
    verdict: str


def measures(store: Store, found: Comparison) -> list[Measure]:
    """The three questions of the page; none where a group is too small."""
    a, b = found.friends, found.others
    asked = [
        (_("Do they come back more often?"), _("Part that came back"), "percent"),
        (_("Do they buy more often?"), _("Purchases after the first, on average"), "decimal"),
        (_("Do they spend more?"), _("Spent on average"), "money"),
    ]
    told = [
        (a.came_back.interval, b.came_back.interval, found.more_come_back),
        (a.later.interval, b.later.interval, found.buy_more_often),
        (a.spent.interval, b.spent.interval, found.spend_more),
    ]
    return [
        _measure(store, words, one, other, difference)
        for words, (one, other, difference) in zip(asked, told, strict=True)
        if one and other and difference
    ]


def _measure(
    store: Store, words: tuple[str, str, str], friends: Interval, others: Interval, difference: Interval
) -> Measure:
    title, label, kind = words
    most = 1.0 if kind == "percent" else max(friends.high, others.high)
    return Measure(
        title,
        label,
        friends=_figure(store, friends, kind, plots.margin(friends, most)),
        others=_figure(store, others, kind, plots.margin(others, most)),
        difference=_figure(store, difference, "points" if kind == "percent" else kind),
        verdict=_verdict(difference),
    )


def _figure(store: Store, found: Interval, kind: str, plot: plots.Margin | None = None) -> Figure:
    def cell(value: float) -> Cell:
        return Cell(whole(value, store.currency) if kind == "money" else value, kind, currency=store.currency)

    return Figure(cell(found.value), cell(found.low), cell(found.high), plot)


def _verdict(difference: Interval) -> str:
    if not difference.is_clear:
        return _("No difference can be told: chance alone explains what is seen.")
    if difference.low > 0:
        return _("Friends: more, and chance alone hardly explains it.")
    return _("Friends: less, and chance alone hardly explains it.")


def cohort_table(store: Store, cohort: Cohort, found: Comparison) -> Table:
    """Everything on the page about both groups, as numbers: a row for each group and each difference."""
    rows = []
    for title, which in ((_("Customers"), ""), (_("Came back"), "-back")):
        for name, words, group in (("friends", _("Friends"), found.friends), ("others", _("Others"), found.others)):
            count = group.came_back.hits if which else group.people
            rows.append([Cell(title), Cell(words), _who(store, cohort, f"{name}{which}", count)])
    for one in measures(store, found):
        each = ((_("Friends"), one.friends), (_("Others"), one.others), (_("Difference"), one.difference))
        rows += [[Cell(one.label), Cell(words), *figure.cells] for words, figure in each]
    header = [_("What"), _("Who"), _("Number")]
    if not found.is_enough:
        return Table("cohorts", _("The numbers"), "", header, rows)
    rows = [row + [Cell("")] * (5 - len(row)) for row in rows]
    return Table("cohorts", _("The numbers"), _("From and to: the 95% margin."), [*header, _("From"), _("To")], rows)


def _who(store: Store, cohort: Cohort, only: str, count: int) -> Cell:
    url = reverse("insights:firsts", args=[store.slug]) + f"{cohort.address}&only={only}"
    return Cell(count, "number", url if count else "")


# -- Cost and return --


@dataclass(frozen=True)
class Returned:
    """The page: the whole, its bars over time, and the tables."""

    whole: returns.Return
    plot: list[plots.Column]
    tables: list[Table]


def returned(store: Store, scope: Scope) -> Returned:
    """Gather it."""
    period = scope.period
    time = pieces(store, period, get_language() or "en")
    each = returns.by_piece(store, period, time)
    tables = [
        _return_table(store, scope, time, each),
        _program_table(store, scope, returns.by_program(store, period)),
        _fact_table(store, scope, returns.by_fact(store, period)),
    ]
    series = [[one.sales_minor for one in each], [one.cost_minor for one in each]]
    plot = plots.columns([piece.label for piece in time], series)
    return Returned(returns.returned(store, period), plot, [table for table in tables if table.rows])


def _sum(store: Store, minor: int, url: str = "") -> Cell:
    return Cell(minor, "money", url if minor else "", store.currency)


def _rows_url(store: Store, what: str, address: str) -> str:
    return reverse("insights:rows", args=[store.slug, what]) + address


def _return_table(store: Store, scope: Scope, time: Sequence[funnels.Piece], each: Sequence[returns.Return]) -> Table:
    rows = []
    for piece, one in zip(time, each, strict=True):
        there = scope.address(since=piece.start.isoformat(), until=piece.end.isoformat())
        rows.append(
            [
                Cell(piece.label),
                Cell(one.friends, "number", _rows_url(store, "bought", there) if one.friends else ""),
                _sum(store, one.first_minor, _rows_url(store, "bought", there)),
                _sum(store, one.later_minor, _rows_url(store, "later", there)),
                _sum(store, one.cost_minor, _rows_url(store, "costs", there)),
                _sum(store, one.net_minor),
            ]
        )
    months = scope.period.days == 365
    header = [
        _("Month") if months else _("Week from"),
        _("New customers"),
        _("First purchases"),
        _("Later purchases"),
        _("Rewards"),
        _("Left"),
    ]
    title = _("By month") if months else _("By week")
    note = _("Purchases after refunds; rewards as the books have them. The first row may not be a whole one.")
    return Table("time", title, note, header, rows)


def _program_table(store: Store, scope: Scope, found: Sequence[returns.ProgramReturn]) -> Table:
    rows = []
    for one in found:
        there = scope.address(program=one.program.public_id) if one.program else scope.address(only="none")
        promised = one.standing.promised_minor if one.standing else 0
        rows.append(
            [
                Cell(one.program.name if one.program else _("No program: prizes, apologies")),
                Cell(one.friends, "number", _rows_url(store, "bought", there) if one.friends else ""),
                _sum(store, one.first_minor, _rows_url(store, "bought", there)),
                _sum(store, one.cost_minor, _rows_url(store, "costs", there)),
                _sum(store, one.net_minor),
                _sum(store, promised, reverse("insights:budgets", args=[store.slug])),
            ]
        )
    header = [_("Program"), _("New customers"), _("First purchases"), _("Rewards"), _("Left"), _("Still promised")]
    note = _("Still promised: what may be used or earned yet. It is no cost until then.")
    return Table("program", _("By program"), note, header, rows)


def _fact_table(store: Store, scope: Scope, found: Sequence[returns.Spending]) -> Table:
    rows = [
        [
            Cell(cost_words(one.fact)),
            Cell(one.count, "number", _rows_url(store, "costs", scope.address(only=one.fact))),
            _sum(store, one.cost_minor, _rows_url(store, "costs", scope.address(only=one.fact))),
        ]
        for one in found
    ]
    note = _("Store credit, cash and gift cards cost when they are earned, vouchers when they are used.")
    return Table("what", _("What it was spent on"), note, [_("What"), _("How often"), _("Cost")], rows)


# -- Who brings friends --


def leader_table(store: Store, scope: Scope, found: Sequence[leaders.Leader]) -> Table:
    """The places as a table."""
    rows = []
    for one in found:
        there = _rows_url(store, "bought", scope.address(advocate=one.customer.public_id))
        counted = _rows_url(store, "counted", scope.address(advocate=one.customer.public_id))
        rows.append(
            [
                Cell(one.place, "number"),
                person(store, one.customer),
                Cell(one.friends, "number", there),
                Cell(one.counted, "number", counted if one.counted else ""),
                Cell(one.waiting, "number", f"{there}&only=pending" if one.waiting else ""),
                _sum(store, one.sales_minor, there),
                Cell(tier_name(one.tier)),
            ]
        )
    header = [_("Place"), _("Customer"), _("Friends"), _("Counted"), _("Waiting"), _("Sales"), _("Step")]
    note = _("Friends who bought in this time. Equals share a place.")
    return Table("leaders", _("Who brings friends"), note, header, rows)
