"""What partner stores owe each other for a month: one statement, a copy on each side.

The paying store's sweep reads its own books and writes both copies in one transaction, inside its own wall and
then inside the other's. The first day of a month is left for whatever is still being booked; a month is settled
once (the statement is unique), and months that were missed are settled in their order. What a statement says of
money is all that the books hold by the end of its month less what was stated before: so nothing is stated twice
or never, and the statements' sum is what the books say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum

from referrals.models import Partnership, PartnerStatement, Visit
from referrals.services import deciding, partners
from rewards import spans
from rewards.models import Account, Entry, Offer, Reward
from rewards.services import payouts
from rewards.services.ledger import Fact
from stores.models import Store
from stores.tenancy import acting_for, insert_new

GRACE = timedelta(days=1)
AT_ONCE = 200  # statements a sweep writes at most; the next goes on
NOT_EARNED = (Fact.PAYOUT, Fact.RETURN)  # what moves a purse without anything being earned or taken back
Key = tuple[int, str]  # the customer who stands for the other store, currency


@dataclass(frozen=True)
class Figures:
    """What the other store's customers brought in a time; money in minor units."""

    visits: int = 0
    friends: int = 0
    orders: int = 0
    sales_minor: int = 0
    commission_minor: int = 0  # with the corrections
    corrections_minor: int = 0


@dataclass(frozen=True)
class Due:
    """A month that a partnership is to be settled for."""

    partnership: Partnership
    month: spans.Month


def keep(store: Store, at: datetime) -> int:
    """All that is to be done for a store's partnerships at `at` (aware UTC); returns how many things were."""
    if not partners.partnerships(store).exclude(customer=None).exists():
        return 0
    return partners.follow_gift(store, at) + settle_due(store, at) + tell_numbers(store, at)


# -- What the books say --


def _booked(
    store: Store, customers: Iterable[int], *, until: datetime, since: datetime | None = None
) -> dict[Key, tuple[int, int]]:
    """Earned, and taken back (zero or below), by the partner and currency: entries before `until`, from `since` on."""
    purses = Q(account__kind__in=(Account.Kind.PAYABLE, Account.Kind.OWED), account__customer__in=list(customers))
    entries = Entry.objects.for_store(store).filter(purses, transaction__at__lt=until)
    entries = entries.exclude(transaction__kind__in=NOT_EARNED)
    if since:
        entries = entries.filter(transaction__at__gte=since)
    earned = Q(transaction__kind=Fact.GRANT)
    rows = entries.order_by().values_list("account__customer", "currency")
    sums = rows.annotate(
        plus=Sum("amount_minor", filter=earned, default=0), minus=Sum("amount_minor", filter=~earned, default=0)
    )
    return {(customer, currency): (plus, minus) for customer, currency, plus, minus in sums}


def _brought(
    store: Store, customers: Iterable[int], since: datetime, until: datetime
) -> dict[Key, tuple[int, int, int]]:
    """Friends, orders and their sum by the partner and currency, of commission that was granted in that time."""
    granted = Reward.objects.for_store(store).filter(customer__in=list(customers), offer__kind=Offer.Kind.COMMISSION)
    rows = granted.filter(granted_at__gte=since, granted_at__lt=until).order_by()
    sums = rows.values_list("customer", "offer__currency").annotate(
        friends=Count("pk", filter=~Q(key__contains=":order:")),
        orders=Count("pk"),
        sales=Sum("order_minor", default=0),
    )
    return {(customer, currency): (friends, orders, sales) for customer, currency, friends, orders, sales in sums}


# -- Settling a month --


def settle_due(store: Store, at: datetime) -> int:
    """Write the statements of all months that are over and not settled yet; returns how many this call wrote."""
    return sum(_settle(store, one, at) for one in _all_due(store, at))


def _settle(store: Store, due: Due, at: datetime) -> int:
    written: list[int] = []
    deciding.for_each([due], lambda one: written.append(_settle_month(store, one, at)))
    return sum(written)


def _all_due(store: Store, at: datetime) -> list[Due]:
    """The oldest months first; three queries when nothing is due, however many partners there are."""
    mine = partners.partnerships(store).exclude(customer=None).order_by("agreement")
    rows = list(mine.annotate(last=Max("statements__month", filter=Q(statements__is_payer=True))))
    found = [due for row in rows for due in _months_of(store, row, at)]
    ended = [due.partnership for due in found if due.partnership.status == Partnership.Status.ENDED]
    news = _news(store, ended)
    kept = (due for due in found if due.partnership not in ended or _has_news(store, due, news))
    return sorted(kept, key=lambda due: (due.month.first, due.partnership.agreement))[:AT_ONCE]


def _months_of(store: Store, row: Partnership, at: datetime) -> Iterator[Due]:
    """The months of a partnership that are over and come after the last one that was settled."""
    last: date | None = row.last  # type: ignore[attr-defined]  # annotated
    jalali = store.country in spans.JALALI_COUNTRIES
    month = spans.month_of(last or row.at.astimezone(store.zone).date(), jalali=jalali)
    if last:
        month = spans.month_of(month.after, jalali=jalali)
    while spans.starts_at(month.after, store.zone) + GRACE <= at:
        yield Due(row, month)
        month = spans.month_of(month.after, jalali=jalali)


def _news(store: Store, ended: Sequence[Partnership]) -> dict[int, datetime]:
    """By customer, when something was last earned or taken back by a partner of former days."""
    if not ended:
        return {}
    people = {row.customer_id for row in ended}
    entries = Entry.objects.for_store(store).filter(account__customer__in=people)
    moved = entries.exclude(transaction__kind__in=NOT_EARNED).order_by().values_list("account__customer")
    return dict(moved.annotate(Max("transaction__at")))


def _has_news(store: Store, due: Due, news: dict[int, datetime]) -> bool:
    """Of an ended partnership: whether this month is needed, because it stood then or something came since."""
    start, _end = due.month.bounds(store.zone)
    ended, last = due.partnership.ended_at, news.get(due.partnership.customer_id or 0)
    return (ended is not None and start <= ended) or (last is not None and start <= last)


def _settle_month(store: Store, due: Due, at: datetime) -> int:
    """One month of one partnership, in each currency; how many statements this call wrote."""
    row, (start, end) = due.partnership, due.month.bounds(store.zone)
    assert row.customer is not None
    booked = _booked(store, [row.customer.pk], until=end)
    brought = _brought(store, [row.customer.pk], start, end)
    stated = _stated(row)
    currencies = {store.currency, *stated} | {currency for _customer, currency in [*booked, *brought]}
    written = 0
    for currency in sorted(currencies):
        key = (row.customer.pk, currency)
        plus, minus = (
            now - before for now, before in zip(booked.get(key, (0, 0)), stated.get(currency, (0, 0)), strict=True)
        )
        friends, orders, sales = brought.get(key, (0, 0, 0))
        if currency != store.currency and not any((plus, minus, orders)):
            continue
        figures = Figures(0, friends, orders, sales, plus + minus, minus)
        written += _write(row, due.month.first, currency, figures, at)
    return written


def _stated(row: Partnership) -> dict[str, tuple[int, int]]:
    """What was stated so far by currency: earned, and taken back."""
    mine = statements(row).filter(is_payer=True).order_by()
    sums = mine.values_list("currency").annotate(total=Sum("commission_minor"), minus=Sum("corrections_minor"))
    return {currency: (total - minus, minus) for currency, total, minus in sums}


def _write(row: Partnership, month: date, currency: str, figures: Figures, at: datetime) -> int:
    """Both copies, and the right to be paid; nothing where a twin was faster."""
    facts = {name: value for name, value in asdict(figures).items() if name != "visits"}
    facts |= {"month": month, "currency": currency, "made_at": at}
    assert row.customer is not None
    with transaction.atomic():
        if not insert_new(PartnerStatement(store_id=row.store_id, partnership=row, is_payer=True, **facts)):
            return 0
        payouts.settle(row.store, row.customer, currency, figures.commission_minor)
        with acting_for(row.other_id):
            theirs = Partnership.objects.get(store_id=row.other_id, agreement=row.agreement)
            PartnerStatement.objects.create(store_id=row.other_id, partnership=theirs, is_payer=False, **facts)
    return 1


def statements(row: Partnership) -> QuerySet[PartnerStatement]:
    """This side's copies, the newest first."""
    rows: QuerySet[PartnerStatement] = PartnerStatement.objects.filter(store_id=row.store_id, partnership=row)
    return rows.order_by("-month", "-is_payer", "currency")


# -- This month so far --


def tell_numbers(store: Store, at: datetime) -> int:
    """Write what partners brought this month to both sides, where it has changed; how many did."""
    month = spans.month_of(at.astimezone(store.zone).date(), jalali=store.country in spans.JALALI_COUNTRIES)
    start, end = month.bounds(store.zone)
    # In one order everywhere: two stores' sweeps that write to each other wait, and not in a circle.
    agreed = partners.partnerships(store).filter(status=Partnership.Status.AGREED).order_by("agreement")
    rows = {row.customer_id: row for row in agreed if row.customer_id}
    booked = _booked(store, rows, since=start, until=end)
    brought, visits = _brought(store, rows, start, end), _visits(store, rows, start, end)
    told = 0
    for customer, row in rows.items():
        key = (customer, store.currency)
        plus, minus = booked.get(key, (0, 0))
        friends, orders, sales = brought.get(key, (0, 0, 0))
        figures = Figures(visits.get(customer, 0), friends, orders, sales, plus + minus, minus)
        facts = {"month": month.first.isoformat(), "currency": store.currency, **asdict(figures)}
        if facts != {name: value for name, value in row.brought.items() if name != "at"}:
            told += deciding.for_each([(row, store, {**facts, "at": at.isoformat()})], lambda one: _tell(*one))
    return told


def _visits(store: Store, customers: Iterable[int], start: datetime, end: datetime) -> dict[int, int]:
    came = Visit.objects.for_store(store).filter(link__customer__in=list(customers), is_bot=False)
    counts = came.filter(at__gte=start, at__lt=end).order_by().values_list("link__customer").annotate(Count("pk"))
    return dict(counts)


def _tell(row: Partnership, here: Store, facts: dict[str, object]) -> bool:
    """Both sides' rows, the lower store id first; the other's learns by what name and currency we go now."""
    told: dict[int, dict[str, object]] = {
        row.store_id: {"brought": facts},
        row.other_id: {"sent": facts, "other_name": here.name, "other_currency": here.currency},
    }
    for store_id in sorted(told):
        with acting_for(store_id):
            Partnership.objects.filter(store_id=store_id, agreement=row.agreement).update(**told[store_id])
    return True
