"""The books as people read them: a month, what is owed at a date, one customer's account, a file for bookkeeping."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.models import Customer
from rewards import spans
from rewards.models import Account
from rewards.services import recounting, statements
from rewards.wording import offer_text
from stores.access import for_role
from stores.lists import csv_response, harmless
from stores.models import Role, Store

Books = Account.Kind
ACCOUNTS = {
    Books.CREDIT: gettext_lazy("Store credit"),
    Books.GIFT: gettext_lazy("Gift cards"),
    Books.PAYABLE: gettext_lazy("Cash to be paid out"),
    Books.CHARITY: gettext_lazy("To be given to charities"),
    Books.OWED: gettext_lazy("Owed by the customer"),
    Books.REDEEMED: gettext_lazy("Used with a code"),
}
COLUMNS = {
    "earned": gettext_lazy("earned"),
    "used": gettext_lazy("used"),
    "paid": gettext_lazy("paid out"),
    "given": gettext_lazy("donated"),
    "expired": gettext_lazy("expired"),
    "taken_back": gettext_lazy("taken back"),
    "other": gettext_lazy("other"),
}


@require_safe
@for_role(Role.MANAGER)
def month(request: HttpRequest, store: Store) -> HttpResponse:
    """A month: what was owed at its start, what came and went, what is owed at its end; and that at any date."""
    today = timezone.now().astimezone(store.zone).date()
    chosen = _month(request, today)
    start, end = chosen.bounds(store.zone)
    typed = request.GET.get("on", "")
    on = spans.read_day(typed) or today
    context = {
        "nav_key": "rewards",
        "month": chosen,
        "label": chosen.label(get_language() or "en"),
        "next": chosen.after if chosen.after <= today else None,
        "books": [_in_words(one) for one in statements.month_of(store, start, end)],
        "columns": COLUMNS.values(),
        "on": on,
        "typed": typed,
        "is_unread": bool(typed) and spans.read_day(typed) is None,
        "owed": _owed(store, on),
        "recount": recounting.last(store),
        "problems": _problems(store),
    }
    return render(request, "rewards/books.html", context)


def _month(request: HttpRequest, today: date) -> spans.Month:
    wanted = spans.read_day(request.GET.get("month", "")) or today
    return spans.month_of(wanted, jalali=spans.is_jalali(get_language() or "en"))


def _in_words(one: statements.Month) -> dict[str, object]:
    rows = [(ACCOUNTS[sums.kind], sums) for sums in one.owed if not sums.is_empty]
    return {"month": one, "rows": rows, "total": one.total}


def _owed(store: Store, on: date) -> list[tuple[str, list[tuple[object, int]], int]]:
    """What the store owed at the end of a day: by currency, each kind, and the sum."""
    owed = statements.liabilities(store, spans.ends_at(on, store.zone))
    return [
        (
            currency,
            [(ACCOUNTS[Books(kind)], kinds[kind]) for kind in Account.LIABILITIES if kind in kinds],
            sum(kinds.values()),
        )
        for currency, kinds in sorted(owed.items(), key=lambda pair: (pair[0] != store.currency, pair[0]))
    ]


def _problems(store: Store) -> list[str]:
    last = recounting.last(store)
    known = recounting.Problem
    return [str(known(one).label) if one in known.values else one for one in last.problems] if last else []


@require_safe
@for_role(Role.OWNER)
def bookkeeping(request: HttpRequest, store: Store) -> HttpResponse:
    """Every entry of a month as a file for a bookkeeping program, however many there are."""
    chosen = _month(request, timezone.now().astimezone(store.zone).date())
    rows = statements.bookkeeping(store, *chosen.bounds(store.zone))
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="books-{chosen.first.isoformat()}.csv"'
    return response  # type: ignore[return-value]  # streams, and has headers like any other


class _Echo:
    """A file that gives back what is written to it, so that rows can be streamed."""

    def write(self, value: str) -> str:
        return value


def _lines(rows: Iterable[list[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(statements.BOOKKEEPING)
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


@require_safe
@for_role(Role.MANAGER)
def customer(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One customer's account, in words, with what was left after each step; for the printer, or as a file."""
    found = get_object_or_404(Customer.objects.for_store(store), public_id=public_id)
    on = spans.read_day(request.GET.get("on", ""))
    until: datetime | None = spans.ends_at(on, store.zone) if on else None
    lines = statements.lines_of(store, found, until=until)
    rows = [(line, ACCOUNTS.get(Books(line.kind), line.kind), _about(line, store)) for line in lines]
    if request.GET.get("format") == "csv":
        header = [_("Date"), _("What"), _("Account"), _("For"), _("Amount"), _("Left"), _("Currency")]
        return csv_response("statement", header, (_cells(*row) for row in rows))
    context = {"nav_key": "rewards", "customer": found, "rows": rows, "on": on}
    return render(request, "rewards/statement.html", context)


def _cells(line: statements.Line, account: object, about: str) -> list[object]:
    amount = statements.units(line.amount_minor, line.currency)
    left = "" if line.balance_minor is None else statements.units(line.balance_minor, line.currency)
    return [line.at, line.label, account, about, amount, left, line.currency]


def _about(line: statements.Line, store: Store) -> str:
    """What a line is for, in words."""
    if line.offer:
        return offer_text(line.offer, store)
    if line.order:
        return _("order %(number)s") % {"number": line.order}
    return line.card[-4:] if line.card else ""
