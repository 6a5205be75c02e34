"""A month of the books, or any span: what was owed at its start, what came and went, what is owed at its end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, Sum

from rewards.models import Account, Entry
from rewards.services.ledger import Fact
from stores.models import Store

Books = Account.Kind
# What each movement of a liability is called in a statement; reversals count where what they undo counts.
COLUMNS: dict[str, tuple[Fact, ...]] = {
    "earned": (Fact.GRANT,),
    "used": (Fact.REDEEM, Fact.REVERSE),
    "paid": (Fact.PAYOUT, Fact.RETURN),
    "given": (Fact.DONATE, Fact.DELIVER),
    "expired": (Fact.EXPIRE,),
    "taken_back": (Fact.CLAWBACK,),
}


@dataclass
class Sums:
    """One kind of liability in a span of time, in minor units: `moved` by column of COLUMNS, and "other"."""

    kind: Account.Kind
    opening_minor: int = 0
    moved: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def closing_minor(self) -> int:
        """What is owed at the end."""
        return self.opening_minor + sum(self.moved.values())

    @property
    def cells(self) -> list[int]:
        """The movements in the order of COLUMNS, the others last."""
        return [self.moved[column] for column in [*COLUMNS, "other"]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was owed and nothing moved."""
        return not (self.opening_minor or any(self.moved.values()))


@dataclass(frozen=True)
class Month:
    """The books of one currency from `start` to `end` (aware UTC, `end` not included), in minor units."""

    currency: str
    start: datetime
    end: datetime
    owed: list[Sums]  # by kind of liability
    promised: Sums  # not a debt: promised, and neither used nor earned yet
    owed_by_people: Sums  # what they must give back; below zero
    cost_minor: int  # of rewards, less what was taken back
    breakage_minor: int  # expired unused, kept by the store

    @property
    def owed_to_you_minor(self) -> int:
        """What customers have to give back at the end; above zero."""
        return -self.owed_by_people.closing_minor

    @property
    def total(self) -> Sums:
        """All liabilities together."""
        together = Sums(Books.CREDIT, sum(one.opening_minor for one in self.owed))
        for one in self.owed:
            for column, amount in one.moved.items():
                together.moved[column] += amount
        return together


def liabilities(store: Store, at: datetime) -> dict[str, dict[str, int]]:
    """What the store owed at `at` (aware UTC, included), by currency and kind of account, in minor units."""
    entries = Entry.objects.for_store(store).filter(account__kind__in=Account.LIABILITIES, transaction__at__lte=at)
    sums = entries.order_by().values_list("currency", "account__kind").annotate(total=Sum("amount_minor"))
    owed: dict[str, dict[str, int]] = defaultdict(dict)
    for currency, kind, total in sums:
        if total:
            owed[currency][kind] = total
    return dict(owed)


def month_of(store: Store, start: datetime, end: datetime) -> list[Month]:
    """The books from `start` to `end`, one for each currency, the store's own first; one query."""
    opening, within = Q(transaction__at__lt=start), Q(transaction__at__gte=start)
    rows = (
        Entry.objects.for_store(store)
        .filter(transaction__at__lt=end)
        .order_by()
        .values_list("currency", "account__kind", "transaction__kind")
        .annotate(before=Sum("amount_minor", filter=opening), during=Sum("amount_minor", filter=within))
    )
    by_currency: dict[str, dict[str, Sums]] = defaultdict(_all_kinds)
    for currency, kind, fact, before, during in rows:
        sums = by_currency[currency][kind]
        sums.opening_minor += before or 0
        sums.moved[_column(kind, fact)] += during or 0
    currencies = sorted(list(by_currency) or [store.currency], key=lambda one: (one != store.currency, one))
    return [_month(currency, start, end, by_currency[currency]) for currency in currencies]


def _all_kinds() -> dict[str, Sums]:
    return {str(kind): Sums(kind) for kind in Books}


def _column(kind: str, fact: str) -> str:
    if kind == Books.PROMISED:
        return fact
    return next((column for column, facts in COLUMNS.items() if fact in facts), "other")


def _month(currency: str, start: datetime, end: datetime, sums: dict[str, Sums]) -> Month:
    return Month(
        currency=currency,
        start=start,
        end=end,
        owed=[sums[kind] for kind in Account.LIABILITIES],
        promised=sums[Books.PROMISED],
        owed_by_people=sums[Books.OWED],
        cost_minor=-sum(sums[Books.COST].moved.values()),
        breakage_minor=sum(sums[Books.BREAKAGE].moved.values()),
    )
