"""How far a program's budget is used: promised, earned, paid, expired, at any date.

Read from the entries, in two queries however many there are. What a person holds is one account over all
programs, so of what they used, what came from the program that gave them something first is used first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, Sum

from rewards.models import Budget, Commitment
from stores.models import Store


@dataclass(frozen=True)
class BudgetStanding:
    """A budget at one moment, in minor units of `currency`.

    `earned_minor` is what promises came to, less what was taken back: of it `paid_minor` has left the
    house (used at checkout, paid out, donated, handed over) and `held_minor` is owed. `expired_minor` is
    what people let lapse, promises and gift cards alike. Ceiling and places are today's; None is no limit.
    """

    at: datetime
    currency: str
    ceiling_minor: int | None
    places: int | None
    places_taken: int = 0
    promised_minor: int = 0
    earned_minor: int = 0
    paid_minor: int = 0
    held_minor: int = 0
    expired_minor: int = 0
    kept_minor: int = 0  # of the expired, what had been earned: the rest of gift cards

    @property
    def used_minor(self) -> int:
        """What counts against the ceiling: promised, and earned but for what the store kept."""
        return self.promised_minor + self.earned_minor - self.kept_minor

    @property
    def left_minor(self) -> int | None:
        """What may still be promised; None without a ceiling."""
        return None if self.ceiling_minor is None else max(self.ceiling_minor - self.used_minor, 0)

    @property
    def places_left(self) -> int | None:
        """How many friends may still come; None without a limit."""
        return None if self.places is None else max(self.places - self.places_taken, 0)

    @property
    def used_share(self) -> float | None:
        """The used part of the ceiling, 0 to 1; None without one."""
        return None if not self.ceiling_minor else min(max(self.used_minor / self.ceiling_minor, 0), 1)

    @property
    def used_percent(self) -> int:
        """The same in whole percent, for a bar; 0 without a ceiling."""
        return round((self.used_share or 0) * 100)


def budget_standing(budget: Budget, at: datetime) -> BudgetStanding:
    """One budget as it stood at `at` (aware UTC, that moment included)."""
    return budget_standings(budget.store, [budget], at)[budget.pk]


def budget_standings(store: Store, budgets: Iterable[Budget], at: datetime) -> dict[int, BudgetStanding]:
    """Several budgets of a store by their id, in two queries."""
    wanted = list(budgets)
    sums, places = _sums(store, [one.pk for one in wanted], at), _places(store, [one.pk for one in wanted], at)
    return {
        one.pk: BudgetStanding(
            at=at,
            currency=one.currency,
            ceiling_minor=one.ceiling_minor,
            places=one.places,
            places_taken=places.get(one.pk, 0),
            **sums.get(one.pk, {}),
        )
        for one in wanted
    }


def _places(store: Store, ids: list[int], at: datetime) -> dict[int, int]:
    """Places of commitments made and not released by `at`."""
    rows = Commitment.objects.for_store(store).filter(budget__in=ids, places__gt=0, at__lte=at)
    gone = Q(status=Commitment.Status.RELEASED, ended_at__lte=at)
    taken = rows.exclude(gone).order_by().values("budget").annotate(taken=Sum("places"))
    return dict(taken.values_list("budget", "taken"))


def _sums(store: Store, ids: list[int], at: datetime) -> dict[int, dict[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"store": store.pk, "ids": ids, "at": at})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {int(row.pop("budget_id")): {name: int(value) for name, value in row.items()} for row in rows}


# `own`: each transaction on the budgets' own accounts. `purses`: the accounts that got or gave something in
# them. `flows`: all that moved there, each with the budget it is charged to, if any; two accounts of people
# who were found to be one are one purse. `shares`: what each budget put in, and what was in before it.
SUMS = """
WITH own AS (
    SELECT a.budget_id, e.transaction_id, t.kind,
        coalesce(sum(e.amount_minor) FILTER (WHERE a.kind = 'promised'), 0) AS promised,
        coalesce(-sum(e.amount_minor) FILTER (WHERE a.kind = 'cost'), 0) AS earned
    FROM rewards_account a
    JOIN rewards_entry e ON e.store_id = a.store_id AND e.account_id = a.id
    JOIN rewards_ledgertransaction t ON t.store_id = e.store_id AND t.id = e.transaction_id
    WHERE a.store_id = %(store)s AND a.budget_id = ANY(%(ids)s) AND a.kind IN ('promised', 'cost') AND t.at <= %(at)s
    GROUP BY a.budget_id, e.transaction_id, t.kind
), others AS (
    SELECT own.budget_id, own.earned, a.id AS account_id, a.kind, e.amount_minor
    FROM own
    JOIN rewards_entry e ON e.store_id = %(store)s AND e.transaction_id = own.transaction_id
    JOIN rewards_account a ON a.store_id = e.store_id AND a.id = e.account_id
    WHERE a.kind NOT IN ('promised', 'contingent', 'cost')
), purses AS (
    SELECT DISTINCT a.id, coalesce(c.merged_into_id, c.id, 0) AS person, a.card_id, a.kind, a.currency
    FROM others
    JOIN rewards_account a ON a.store_id = %(store)s AND a.id = others.account_id
    LEFT JOIN customers_customer c ON c.store_id = a.store_id AND c.id = a.customer_id
    WHERE a.kind IN ('credit', 'gift', 'payable', 'charity')
), flows AS (
    SELECT p.person, p.card_id, p.kind AS purse, p.currency, e.amount_minor, t.kind, t.at,
        charged.budget_id, charged.is_charged
    FROM purses p
    JOIN rewards_entry e ON e.store_id = %(store)s AND e.account_id = p.id
    JOIN rewards_ledgertransaction t ON t.store_id = e.store_id AND t.id = e.transaction_id AND t.at <= %(at)s
    LEFT JOIN LATERAL (
        SELECT a.budget_id, true AS is_charged FROM rewards_entry x
        JOIN rewards_account a ON a.store_id = x.store_id AND a.id = x.account_id AND a.kind = 'cost'
        WHERE x.store_id = %(store)s AND x.transaction_id = e.transaction_id LIMIT 1
    ) charged ON true
), outs AS (
    SELECT person, card_id, purse, currency,
        -sum(amount_minor) FILTER (WHERE kind <> 'expire') AS used,
        -sum(amount_minor) FILTER (WHERE kind = 'expire') AS kept
    FROM flows WHERE is_charged IS NULL GROUP BY person, card_id, purse, currency
), puts AS (
    SELECT person, card_id, purse, currency, budget_id, sum(amount_minor) AS put, min(at) AS first
    FROM flows WHERE is_charged GROUP BY person, card_id, purse, currency, budget_id
), shares AS (
    SELECT puts.*, coalesce(sum(put) OVER (
        PARTITION BY person, card_id, purse, currency ORDER BY first, budget_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS earlier
    FROM puts
), held AS (
    SELECT s.budget_id, sum(s.put) AS put,
        sum(greatest(0, least(s.put, coalesce(o.used, 0) - s.earlier))) AS used, sum(coalesce(o.kept, 0)) AS kept
    FROM shares s
    LEFT JOIN outs o ON (o.person, o.purse, o.currency) = (s.person, s.purse, s.currency)
        AND o.card_id IS NOT DISTINCT FROM s.card_id
    WHERE s.budget_id = ANY(%(ids)s) GROUP BY s.budget_id
), direct AS (
    SELECT budget_id, sum(amount_minor) AS paid FROM others
    WHERE kind IN ('redeemed', 'delivered', 'paid', 'donated') AND earned <> 0 GROUP BY budget_id
), totals AS (
    SELECT budget_id, sum(promised) AS promised, sum(earned) AS earned,
        -sum(promised) FILTER (WHERE kind = 'lapse') AS lapsed
    FROM own GROUP BY budget_id
)
SELECT t.budget_id, t.promised AS promised_minor, t.earned AS earned_minor,
    coalesce(d.paid, 0) + coalesce(h.used, 0) AS paid_minor,
    coalesce(h.put, 0) - coalesce(h.used, 0) - coalesce(h.kept, 0) AS held_minor,
    coalesce(t.lapsed, 0) + coalesce(h.kept, 0) AS expired_minor, coalesce(h.kept, 0) AS kept_minor
FROM totals t LEFT JOIN direct d USING (budget_id) LEFT JOIN held h USING (budget_id)
"""
