"""The answers page: its filters as the address has them, and everything on it, put into words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.models import Category, Product
from insights import plots
from insights.addresses import moment, named, one_of
from insights.numbers import answers as numbers
from insights.numbers.answers import AFTER_CASES, ORDERS, Breakdown, Chosen, Point, ResponseRate, Tally
from insights.numbers.period import Period
from insights.rows import Cell, person, score_cell, when
from stores.models import Location, Store
from surveys.models import Invitation, Question, Response, Survey, Via
from surveys.rules import Group

USUAL_DAYS = "90"
BREAKDOWNS = ("survey", "via", "location", "category", "product")
ADDRESS = ("question", "via", "survey", "product", "category", "location", "since", "until", "group", "suspect")


def chosen_by(store: Store, asked: QueryDict, at: datetime) -> Chosen:
    """The filters of an address; Http404 for one that names what the store does not have."""
    return Chosen(
        period=Period.chosen(asked.get("days") or USUAL_DAYS, at),
        question=one_of(Question, asked.get("question")) or Question.NPS,
        via=one_of(Via, asked.get("via")) or "",
        survey=_survey(store, asked.get("survey", "")),
        product=named(Product, store, "public_id", asked.get("product", "")),
        category=named(Category, store, "pk", asked.get("category", "")),
        location=named(Location, store, "public_id", asked.get("location", "")),
        since=moment(asked.get("since", "")),
        until=moment(asked.get("until", "")),
        group=one_of(Group, asked.get("group")),
        only_suspect=asked.get("suspect") == "1",
    )


def _survey(store: Store, typed: str) -> Survey | str | None:
    return typed if typed in (ORDERS, AFTER_CASES) else named(Survey, store, "public_id", typed)


# -- Words --


def words(by: str, key: str) -> str:
    """What a row of a breakdown is called that has no name of its own."""
    if by == "via":
        return capfirst(str(Via(key).label)) if key in Via.values else key
    return {
        ORDERS: _("After each purchase"),
        AFTER_CASES: _("After a solved case"),
        "location": _("A branch"),
    }.get(key, key)


def titles() -> dict[str, str]:
    """What the breakdowns are called."""
    return {
        "survey": _("By question"),
        "via": _("By the way it came"),
        "location": _("By branch"),
        "category": _("By category"),
        "product": _("By product"),
    }


def firsts() -> dict[str, str]:
    """The first column of each breakdown."""
    return {
        "survey": _("Question"),
        "via": _("Way"),
        "location": _("Branch"),
        "category": _("Category"),
        "product": _("Product"),
    }


def groups(question: Question) -> list[tuple[str, str]]:
    """The three groups with their scores, for chips and keys."""
    if question is Question.CSAT:
        texts = (_("Happy (5)"), _("In between (3–4)"), _("Unhappy (1–2)"))
    else:
        texts = (_("Happy (9–10)"), _("In between (7–8)"), _("Unhappy (0–6)"))
    return list(zip((group.value for group in Group), texts, strict=True))


@dataclass(frozen=True)
class Filter:
    """A filter that is set, as a chip that takes it away."""

    names: list[str]  # in the address
    label: str


def filters_of(chosen: Chosen) -> list[Filter]:
    """The filters that numbers and list follow, in words."""
    found = [
        Filter(["via"], words("via", chosen.via)) if chosen.via else None,
        Filter(["survey"], words("survey", str(chosen.survey))) if chosen.survey else None,
        Filter(["product"], str(chosen.product)) if chosen.product else None,
        Filter(["category"], str(chosen.category)) if chosen.category else None,
        Filter(["location"], str(chosen.location)) if chosen.location else None,
        Filter(["since", "until"], _("A part of the time")) if chosen.since or chosen.until else None,
    ]
    return [one for one in found if one]


# -- The page --


@dataclass(frozen=True)
class Board:
    """What stands over the list."""

    tally: Tally
    rate: ResponseRate | None  # None where nobody is invited
    suspects: int
    points: list[Point]
    plot: plots.LinePlot
    breakdowns: list[tuple[str, str, Breakdown]]  # title, first column, rows
    months: bool
    has_both: bool  # questions of both kinds were asked


def board(store: Store, chosen: Chosen, *, step: str) -> Board:
    """Gather the numbers; how many queries that takes depends on no number of rows."""
    points, months = _trend(store, chosen, step)
    heads, first = titles(), firsts()
    parts = [(by, numbers.breakdown(store, chosen, by, words=words)) for by in BREAKDOWNS]
    other = Survey.objects.for_store(store).filter(question=Question.CSAT).exists() or chosen.of_five
    return Board(
        tally=numbers.tally(store, chosen),
        rate=numbers.response_rate(store, chosen) if numbers.is_invited(chosen.via) else None,
        suspects=numbers.suspects(store, chosen),
        points=points,
        plot=plots.score_plot(points),
        breakdowns=[(heads[by], first[by], one) for by, one in parts if one.parts],
        months=months,
        has_both=other,
    )


def _trend(store: Store, chosen: Chosen, step: str) -> tuple[list[Point], bool]:
    """By weeks or months as asked; unasked by what suits the time looked at."""
    months = step == "month" or (step != "week" and chosen.period.days == 365)
    return numbers.trend(store, chosen, months=months), months


@dataclass(frozen=True)
class Rows:
    """The list: its columns, its rows from new to old by `column`."""

    header: Sequence[str]
    rows: Any
    column: str
    cells: Callable[[Any], list[Cell]]


def answer_rows(store: Store, chosen: Chosen) -> Rows:
    """The answers themselves."""
    rows = numbers.answers(store, chosen).select_related(
        "customer", "survey", "location", "invitation__order__location"
    )

    def cells(row: Response) -> list[Cell]:
        order = row.invitation.order if row.invitation else None
        place = row.location or (order.location if order else None)
        name = person(store, row.customer) if row.customer else Cell(_("gave no name"))
        return [
            when(row.at),
            name,
            score_cell(row),
            Cell(row.comment),
            Cell(row.invitation.product_name if row.invitation else ""),
            Cell(str(place or "")),
            Cell(str(row.get_via_display())),
            Cell(_asked_by(row.survey, row.invitation)),
        ]

    header = [_("When"), _("Customer"), _("Score"), _("Comment"), _("Product"), _("Branch"), _("Way"), _("Question")]
    return Rows(header, rows, "at", cells)


def _asked_by(survey: Survey | None, invitation: Invitation | None) -> str:
    if survey:
        return survey.name
    return words("survey", AFTER_CASES if invitation and invitation.is_follow_up else ORDERS)


def invited_rows(store: Store, chosen: Chosen) -> Rows:
    """Who was asked, answered or not: the denominator of the response rate."""
    rows = numbers.delivered(store, chosen).select_related("customer", "message", "survey", "response")

    def cells(row: Invitation) -> list[Cell]:
        assert row.message is not None  # the rows are those whose message went out
        answer = getattr(row, "response", None)
        said = score_cell(answer) if answer and not answer.is_suspect else Cell(_("no answer yet"))
        way = Via(row.message.channel).label if row.message.channel in Via.values else row.message.channel
        return [
            when(row.message.sent_at),
            person(store, row.customer),
            said,
            Cell(str(way)),
            Cell(row.product_name),
            Cell(_asked_by(row.survey, row)),
        ]

    header = [_("Delivered"), _("Customer"), _("Answer"), _("Way"), _("Product"), _("Question")]
    return Rows(header, rows, "due_at", cells)
