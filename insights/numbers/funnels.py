"""The funnel under filters, and split by one property: how many people at each step, and what friends paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, F, Q, Value

from insights.numbers import people
from insights.numbers.people import AskedBy, asks_on_answers, asks_sent, net_of_row, net_sales
from insights.numbers.period import piece_of, steps
from insights.numbers.scope import KNOWN, STEPS, WHO, Scope, asks_of_staff, rows, team_of, was_staff
from referrals.models import Referral
from rewards.models import Redemption
from stores.models import Store

SHOWN = 20  # rows of a split
MOST_STAFF = 50


@dataclass(frozen=True)
class Piece:
    """A stretch of time, `end` not included (aware), and what it is called."""

    start: datetime
    end: datetime
    label: str


@dataclass
class Line:
    """One row: people by step (None: the step does not know it) and their purchases, net, in minor units."""

    key: str
    label: str = ""
    people: dict[str, int | None] = field(default_factory=dict)
    sales_minor: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Split:
    """The funnel by one property, the largest first; `more` rows are not shown."""

    by: str
    lines: list[Line]
    more: int = 0


def counter(step: str, condition: Q | None = None) -> Aggregate:
    """How the people of a step are counted: visitors once, whatever they opened."""
    if step == "visits":
        return Count("visitor", distinct=True, filter=condition)
    return Count("pk", filter=condition)


def whole(store: Store, scope: Scope) -> Line:
    """The funnel itself, a query a step."""
    line = Line("")
    for step in STEPS:
        known = scope.knows(step)
        sums = {"people": counter(step)} | ({"sales": net_sales(store)} if step == "bought" else {})
        found = rows(store, step, scope).aggregate(**sums) if known else {"people": None}
        line.people[step] = found["people"]
        line.sales_minor = found.get("sales", line.sales_minor)
    return line


# -- By how the advocate was asked --


def by_way(store: Store, scope: Scope) -> Split:
    """By how the advocate was asked: whoever was asked in two ways stands in both lines. A query a step."""
    lines = {way.value: Line(way.value, str(way.label)) for way in AskedBy}
    for step in STEPS:
        found = _ways(store, scope, step) if scope.knows(step) else None
        for key, line in lines.items():
            line.people[step], sales = found.get(key, (0, 0)) if found is not None else (None, None)
            line.sales_minor = sales if step == "bought" else line.sales_minor
    return Split("way", [line for line in lines.values() if any(line.people.values())])


def _ways(store: Store, scope: Scope, step: str) -> dict[str, tuple[int, int]]:
    """People of a step and what they paid, by way; the asks are read once, not once for each way."""
    messages, answers = asks_sent(store, scope.period), asks_on_answers(store, scope.period)
    on_page = answers.order_by().values_list("customer_id", Value(AskedBy.PAGE.value))
    asks = messages.order_by().values_list("customer_id", "channel").union(on_page)
    person = "visitor" if step == "visits" else "pk"
    paid = net_of_row(store) if step == "bought" else Value(0)
    wanted = rows(store, step, scope).order_by().values_list(F(WHO[step]), F(person), paid)
    (whom, asked), (who, seen) = asks.query.sql_with_params(), wanted.query.sql_with_params()
    # Both halves are Django's own.
    sql = f"""SELECT ask.way, count(DISTINCT one.person), sum(one.paid)
        FROM ({who}) AS one (who, person, paid) LEFT JOIN ({whom}) AS ask (who, way) ON ask.who = one.who
        GROUP BY ask.way"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*seen, *asked])
        return {AskedBy.NOT.value if way is None else way: (count, int(paid)) for way, count, paid in cursor.fetchall()}


# -- By pieces of the time --

TIMES = {"visits": "at", "claims": "at", "bought": "created_at", "counted": "created_at"}


def by_time(store: Store, scope: Scope, pieces: Sequence[Piece]) -> Split:
    """By pieces of the time: whoever was asked in two of them stands in both. A query a step."""
    lines = [Line(piece.start.isoformat(), piece.label, since=piece.start, until=piece.end) for piece in pieces]
    edges = [piece.start for piece in pieces] + [pieces[-1].end]
    for step in STEPS:
        found = _times(store, scope, step, edges) if scope.knows(step) else None
        for place, line in enumerate(lines):
            line.people[step] = found[place].get("people", 0) if found else None
            line.sales_minor = found[place].get("sales", 0) if found and step == "bought" else line.sales_minor
    return Split("time", lines)


def _times(store: Store, scope: Scope, step: str, edges: list[datetime]) -> list[dict[str, Any]]:
    if step not in TIMES:
        return _people_by_time(store, scope, step, edges)
    sums: dict[str, Any] = {"people": counter(step)} | ({"sales": net_sales(store)} if step == "bought" else {})
    return steps(rows(store, step, scope), TIMES[step], edges, **sums)


def _people_by_time(store: Store, scope: Scope, step: str, edges: list[datetime]) -> list[dict[str, Any]]:
    """Those asked, or those who shared: each once a piece, however many rows speak for it."""
    sources = people.asks_by_time(store, scope) if step == "asked" else people.shares_by_time(store, scope)
    each = [
        found.annotate(piece=piece_of(column, edges)).order_by().values_list("piece", who)
        for found, column, who in sources
    ]
    (sql, seen), (wanted, asked) = each[0].union(*each[1:]).query.sql_with_params(), _wanted(store, scope, step)
    count = f"SELECT piece, count(*) FROM ({sql}) AS seen (piece, who) {wanted} GROUP BY piece"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(count, [*seen, *asked])
        found = dict(cursor.fetchall())
    return [{"people": found.get(place + 1, 0)} for place in range(len(edges) - 1)]


def _wanted(store: Store, scope: Scope, step: str) -> tuple[str, tuple[Any, ...]]:
    """The condition on `who` by the other filters; none without them."""
    if not set(scope.filters) & set(KNOWN):
        return "", ()
    sql, values = rows(store, step, scope).order_by().values("pk").query.sql_with_params()
    return f"WHERE who IN ({sql})", values


# -- By staff: each step counts all of them in one query --


def by_staff(store: Store, scope: Scope) -> Split:
    """By who asked, and by who redeemed the friend's gift at the counter."""
    asked = asks_of_staff(store).filter(**scope.within("task__message__due_at")).exclude(by=None)
    bought = people.bought(store, scope).values("order")
    served = Redemption.objects.for_store(store).filter(reversed_at=None, order__in=bought).exclude(by=None)
    users = asked.order_by().values_list("by").union(served.order_by().values_list("by"))
    team = list(team_of(store).filter(user__in=users)[:MOST_STAFF])
    lines = [Line(str(one.pk), str(one.user)) for one in team]
    for step in STEPS:
        known = team and scope.knows(step) and step in KNOWN["staff"]
        sums: dict[str, Any] = {}
        for place, one in enumerate(team if known else ()):
            condition = was_staff(store, scope, one, step)
            sums[f"people{place}"] = counter(step, condition)
            sums |= {f"sales{place}": net_sales(store, also=condition)} if step == "bought" else {}
        found = rows(store, step, scope).aggregate(**sums) if known else {}
        for place, line in enumerate(lines):
            line.people[step] = found.get(f"people{place}")
            line.sales_minor = found.get(f"sales{place}", line.sales_minor)
    return Split("staff", [line for line in lines if any(line.people.values())])


# -- Lines by a column that each row has one of --


def by_came(store: Store, scope: Scope) -> Split:
    """By what speaks for the friend's purchase."""
    split = _grouped(store, scope, "came", {"bought": ("evidence", "evidence")})
    for line in split.lines:
        line.label = str(Referral.Evidence(line.key).label)
    return split


def by_program(store: Store, scope: Scope) -> Split:
    """By the program whose gift it is."""
    columns = ("program__public_id", "program__name")
    return _grouped(store, scope, "program", {"claims": columns, "bought": columns})


def by_run(store: Store, scope: Scope) -> Split:
    """By what was printed with the link, or led to it."""
    columns = ("link__run__public_id", "link__run__name")
    return _grouped(store, scope, "run", {"visits": columns, "claims": columns, "bought": columns})


def by_location(store: Store, scope: Scope) -> Split:
    """By the branch where the friend bought."""
    return _grouped(store, scope, "location", {"bought": ("order__location__public_id", "order__location__name")})


def _grouped(store: Store, scope: Scope, by: str, columns: dict[str, tuple[str, str]]) -> Split:
    """Lines by a column that each row has one of; a query for each step that has it."""
    lines: dict[str, Line] = defaultdict(lambda: Line(""))
    for step, (key, label) in columns.items():
        if not scope.knows(step):
            continue
        sums: dict[str, Any] = {"people": counter(step)}
        if step == "bought":
            sums |= {"approved": Count("pk", filter=Q(status=Referral.Status.APPROVED)), "sales": net_sales(store)}
        for row in rows(store, step, scope).order_by().values(key, label).annotate(**sums):
            if row[key] is not None:
                _add(lines[row[key]], row[key], row[label], step, row)
    for line in lines.values():
        for step in STEPS:
            known = scope.knows(step) and (step in columns or (step == "counted" and "bought" in columns))
            line.people[step] = line.people.get(step, 0) if known else None
    return _largest(by, lines.values())


def _add(line: Line, key: str, label: str, step: str, row: dict[str, Any]) -> None:
    line.key, line.label = key, label
    line.people[step] = row["people"]
    if step == "bought":
        line.people["counted"], line.sales_minor = row["approved"], row["sales"]


def _largest(by: str, lines: Iterable[Line]) -> Split:
    """The lines with the most purchases first, then with the most people at any step."""

    def size(line: Line) -> tuple[int, int, str]:
        counts = [count or 0 for count in line.people.values()]
        return -(line.people["bought"] or 0), -max(counts), line.label

    ordered = sorted(lines, key=size)
    return Split(by, ordered[:SHOWN], max(len(ordered) - SHOWN, 0))
