"""Cash that was earned: who is to be paid, the lists for the bank, what became of each payment.

A list is made in one transaction: people's accounts are claimed with SKIP LOCKED, and an index keeps anybody
from standing on two open lists. The books move when a payment is marked paid, and back when it came back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from customers.models import Customer
from rewards import spans
from rewards.models import Account, Payout, PayoutAddress, PayoutList, Recount, RewardSettings
from rewards.services import ledger
from rewards.services.ledger import Fact, Posting
from stores.models import Store, User
from stores.rows import insert_rows
from stores.services import note
from stores.tenancy import insert_new

MOST_ON_A_LIST = 5_000
UNDO_WINDOW = timedelta(days=90)  # banks send money back for weeks


class Waits:
    """Why cash that was earned is not paid out yet."""

    NO_ADDRESS = "no_address"
    TOO_SMALL = "too_small"
    YEAR_LIMIT = "year_limit"
    LISTED = "listed"
    SETTLES = "settles"  # settled month by month, and this month is not over


class BooksBroken(Exception):
    """The last recount found the books wrong: nothing is paid out until somebody has looked."""


class StillOpen(Exception):
    """Some payments of the list are neither paid nor failed."""


@dataclass(frozen=True)
class Due:
    """What one person has earned in cash, and how much of it may be paid now; `why` the rest waits (a `Waits`)."""

    customer: Customer
    currency: str
    earned_minor: int
    now_minor: int
    why: str
    address: PayoutAddress | None

    @property
    def waits_minor(self) -> int:
        """What is not paid with the next list."""
        return self.earned_minor - self.now_minor


def settings_of(store: Store) -> RewardSettings:
    """What the store decided, or the defaults."""
    found: RewardSettings | None = RewardSettings.objects.for_store(store).first()
    return found or RewardSettings(store=store)


def change_settings(store: Store, wanted: dict[str, object], *, by: User | None, at: datetime) -> list[str]:
    """Put these fields of RewardSettings in force; returns those that changed."""
    with transaction.atomic():
        insert_new(RewardSettings(store=store))
        current = RewardSettings.objects.select_for_update().get(store=store)
        changes = {field: value for field, value in wanted.items() if getattr(current, field) != value}
        if changes:
            before = {field: getattr(current, field) for field in changes}
            RewardSettings.objects.filter(pk=current.pk, store=store).update(**changes)
            note(store, "rewards.settings", before=before, after=changes, by=by, at=at)
    return list(changes)


def purses(store: Store) -> QuerySet[Account]:
    """Accounts of people who have cash to get."""
    return Account.objects.for_store(store).filter(kind=Account.Kind.PAYABLE, balance_minor__gt=0)


def payable_by_currency(store: Store) -> dict[str, int]:
    """All cash that was earned and not paid, by currency."""
    return dict(
        purses(store)
        .order_by()
        .values("currency")
        .annotate(total=Sum("balance_minor"))
        .values_list("currency", "total")
    )


def due(store: Store, accounts: Iterable[Account], *, at: datetime) -> list[Due]:
    """What may be paid of each account now, in four queries (five with settled ones); expects `customer` joined."""
    accounts = list(accounts)
    people = [account.customer_id for account in accounts]
    settings = settings_of(store)
    addresses = {one.customer_id: one for one in PayoutAddress.objects.for_store(store).filter(customer__in=people)}
    known = Payout.objects.for_store(store).annotate(person=Coalesce("customer__merged_into", "customer"))
    known = known.filter(person__in=people).order_by()
    listed = set(known.filter(status=Payout.Status.LISTED).values_list("person", "currency"))
    start = _year_start(store, settings, at)
    paid = known.filter(status=Payout.Status.PAID, ended_at__gte=start, ended_at__lte=at)
    sums = {
        (person, currency): total
        for person, currency, total in paid.values_list("person", "currency").annotate(Sum("amount_minor"))
    }
    gone = _gone(store, accounts)
    return [
        _settled(account, addresses, (account.customer_id, account.currency) in listed, gone)
        if account.settled_minor is not None
        else _due(account, settings, addresses, (account.customer_id, account.currency) in listed, sums)
        for account in accounts
    ]


Sums = dict[tuple[int | None, str], int]


def _gone(store: Store, accounts: Iterable[Account]) -> Sums:
    """What was ever paid out, or is about to be, of accounts that are settled; nobody is merged who has one."""
    settled = [account.customer_id for account in accounts if account.settled_minor is not None]
    if not settled:
        return {}
    kept = Payout.objects.for_store(store).filter(customer__in=settled).exclude(status=Payout.Status.FAILED)
    rows = kept.order_by().values_list("customer", "currency").annotate(Sum("amount_minor"))
    return {(person, currency): total for person, currency, total in rows}


def _settled(account: Account, addresses: dict[int, PayoutAddress], is_listed: bool, gone: Sums) -> Due:
    """One account's that is settled month by month, with a partner store: a person's limits are not theirs."""
    assert account.customer is not None
    room = (account.settled_minor or 0) - gone.get((account.customer_id, account.currency), 0)
    amount = max(min(account.balance_minor, room), 0)
    address = addresses.get(account.customer.pk)
    stop = Waits.LISTED if is_listed else Waits.SETTLES if not amount else "" if address else Waits.NO_ADDRESS
    now = 0 if stop else amount
    why = stop or (Waits.SETTLES if now < account.balance_minor else "")
    return Due(account.customer, account.currency, account.balance_minor, now, why, address)


def settle_from_now(store: Store, customer: Customer, currency: str) -> None:
    """What this customer earns in cash is paid out as it is settled (`settle`), not as it is earned."""
    purse = ledger.account(store, Account.Kind.PAYABLE, currency, customer)
    Account.objects.for_store(store).filter(pk=purse.pk, settled_minor=None).update(settled_minor=0)


def settle(store: Store, customer: Customer, currency: str, amount_minor: int) -> None:
    """So much more (below zero: less) may be paid out of what they earned."""
    settle_from_now(store, customer, currency)
    mine = Account.objects.for_store(store).filter(kind=Account.Kind.PAYABLE, customer=customer, currency=currency)
    mine.update(settled_minor=F("settled_minor") + amount_minor)


def _year_start(store: Store, settings: RewardSettings, at: datetime) -> datetime:
    jalali = store.country in spans.JALALI_COUNTRIES
    first = spans.year_start(at.astimezone(store.zone).date(), settings.year_starts_month, jalali=jalali)
    return spans.starts_at(first, store.zone)


def _due(
    account: Account,
    settings: RewardSettings,
    addresses: dict[int, PayoutAddress],
    is_listed: bool,
    paid: Sums,
) -> Due:
    """One account's. The limits are in the store's currency and hold for that one."""
    assert account.customer is not None
    is_own = account.currency == settings.store.currency
    limit = settings.cash_limit_minor if is_own else None
    amount, limited = account.balance_minor, False
    if limit is not None:
        room = max(limit - paid.get((account.customer_id, account.currency), 0), 0)
        amount, limited = min(amount, room), room < amount
    address = addresses.get(account.customer.pk)
    why = ""
    if is_listed:
        why = Waits.LISTED
    elif address is None:
        why = Waits.NO_ADDRESS
    elif limited and amount == 0:
        why = Waits.YEAR_LIMIT
    elif is_own and amount < settings.smallest_payout_minor:
        # What is left of the year's limit may be below the smallest payout: then the limit is what stops it.
        why = Waits.YEAR_LIMIT if limited else Waits.TOO_SMALL
    now = 0 if why else amount
    return Due(
        account.customer,
        account.currency,
        account.balance_minor,
        now,
        why or (Waits.YEAR_LIMIT if limited else ""),
        address,
    )


def make_list(store: Store, currency: str, *, by: User | None, at: datetime) -> PayoutList | None:
    """Put everybody who may be paid now on one list; None where there is nobody.

    Of two people who do it at once the second finds nobody. Raises BooksBroken.
    """
    if Recount.objects.for_store(store).exclude(problems=[]).exists():
        raise BooksBroken(store.slug)
    with transaction.atomic():
        mine = purses(store).filter(currency=currency).select_related("customer").order_by("pk")
        claimed = list(mine.select_for_update(of=("self",), skip_locked=True)[:MOST_ON_A_LIST])
        ready = [one for one in due(store, claimed, at=at) if one.now_minor]
        if not ready:
            return None
        batch = PayoutList.objects.create(store=store, currency=currency, made_at=at, by=by)
        listed = insert_rows([_payout(batch, one) for one in ready])
        if not listed:  # a twin stood in the index already
            transaction.set_rollback(True)
            return None
        after = {"people": len(listed), "amount_minor": sum(one.amount_minor for one in listed), "currency": currency}
        note(store, "payouts.listed", subject=batch.public_id, after=after, by=by, at=at)
    return batch


def _payout(batch: PayoutList, one: Due) -> Payout:
    assert one.address is not None
    return Payout(
        store_id=batch.store_id,
        batch=batch,
        customer=one.customer,
        amount_minor=one.now_minor,
        currency=one.currency,
        method=one.address.method,
        sealed=one.address.sealed,
        hint=one.address.hint,
    )


def mark_paid(store: Store, payouts: Iterable[int], *, by: User | None, at: datetime) -> int:
    """These payments (ids) have left: the books follow. How many this call moved; twice moves nothing.

    What was taken back since the list was made is owed by the person now: the money is gone.
    """
    with transaction.atomic():
        moving = _claim(store, payouts, Payout.Status.PAID, at)
        accounts = _locked_accounts(store, moving)
        currencies = {one.currency for one in moving}
        paid = {currency: ledger.account(store, Account.Kind.PAID, currency) for currency in currencies}
        ledger.post_all(
            store,
            [_paid(store, one, accounts[one.customer_id, one.currency], paid[one.currency], at) for one in moving],
        )
        if moving:
            subject = moving[0].public_id if len(moving) == 1 else ""
            after = {"payouts": [one.public_id for one in moving]}
            note(store, "payouts.paid", subject=subject, after=after, by=by, at=at)
    return len(moving)


def _claim(store: Store, payouts: Iterable[int], to: Payout.Status, at: datetime) -> list[Payout]:
    """Lock the rows that may take this step and take it; in order of id, so that nobody waits in a circle."""
    sources = [source for source, targets in Payout.MOVES.items() if to in targets]
    rows = Payout.objects.for_store(store).filter(pk__in=list(payouts), status__in=sources)
    moving = list(rows.select_for_update().order_by("pk"))
    Payout.objects.for_store(store).filter(pk__in=[one.pk for one in moving], status__in=sources).update(
        status=to, ended_at=at
    )
    return moving


def _locked_accounts(store: Store, payouts: Sequence[Payout]) -> dict[tuple[int, str], Account]:
    """What each person has to get, held with what they owe. After two customers became one it lies with that one."""
    people = {one.customer_id for one in payouts}
    heirs = dict(
        Customer.objects.for_store(store).filter(pk__in=people).values_list("pk", Coalesce("merged_into", "pk"))
    )
    wanted = {(heirs[one.customer_id], one.currency) for one in payouts}
    insert_rows(
        [
            Account(store=store, kind=Account.Kind.PAYABLE, customer_id=one, currency=currency)
            for one, currency in wanted
        ]
    )
    kinds = (Account.Kind.PAYABLE, Account.Kind.OWED)
    rows = Account.objects.for_store(store).filter(kind__in=kinds, customer__in=set(heirs.values()))
    held = {
        (row.customer_id, row.currency): row
        for row in rows.select_related("customer").select_for_update(of=("self",), no_key=True).order_by("pk")
        if row.kind == Account.Kind.PAYABLE
    }
    return {(one.customer_id, one.currency): held[heirs[one.customer_id], one.currency] for one in payouts}


def _paid(store: Store, payout: Payout, purse: Account, paid: Account, at: datetime) -> Posting:
    taken = min(payout.amount_minor, purse.balance_minor)
    amounts = {purse: -taken, paid: payout.amount_minor}
    if taken < payout.amount_minor:
        amounts[_debt(store, purse)] = taken - payout.amount_minor
    purse.balance_minor -= taken  # two payments of one person: the second sees what the first left
    return Posting(f"payout:{payout.pk}", Fact.PAYOUT, amounts, at)


def _debt(store: Store, purse: Account) -> Account:
    return ledger.account(store, Account.Kind.OWED, purse.currency, purse.customer)


def short_by(store: Store, payouts: Iterable[Payout]) -> dict[int, int]:
    """By how much open payments (ids) are above what their person has to get by now: it was taken back meanwhile."""
    waiting = [one for one in payouts if one.status == Payout.Status.LISTED]
    people = [one.customer_id for one in waiting]
    held = purses(store).filter(customer__in=people).values_list("customer", "currency", "balance_minor")
    left = {(person, currency): balance for person, currency, balance in held}
    gaps = {one.pk: one.amount_minor - left.get((one.customer_id, one.currency), 0) for one in waiting}
    return {pk: gap for pk, gap in gaps.items() if gap > 0}


def mark_failed(store: Store, payout: Payout, *, by: User | None, at: datetime, words: str = "") -> bool:
    """The payment did not go out, or the bank sent it back: it is to be paid again. True if this call did it.

    What the person owes by now is settled from what came back.
    """
    with transaction.atomic():
        moving = _claim(store, [payout.pk], Payout.Status.FAILED, at)
        if not moving:
            return False
        was_paid = moving[0].status == Payout.Status.PAID
        if was_paid:
            _came_back(store, moving[0], at)
        Payout.objects.for_store(store).filter(pk=payout.pk).update(note=words[:200])
        action = "payouts.came_back" if was_paid else "payouts.left_out"
        after = {"amount_minor": payout.amount_minor, "currency": payout.currency}
        note(store, action, subject=payout.public_id, after=after, by=by, at=at)
    return True


def _came_back(store: Store, payout: Payout, at: datetime) -> None:
    purse = _locked_accounts(store, [payout])[payout.customer_id, payout.currency]
    [debt] = ledger.held(_debt(store, purse))
    settled = min(payout.amount_minor, -debt.balance_minor)
    paid = ledger.account(store, Account.Kind.PAID, payout.currency)
    amounts = {paid: -payout.amount_minor, debt: settled, purse: payout.amount_minor - settled}
    ledger.post(store, key=f"return:{payout.pk}", kind=Fact.RETURN, amounts=amounts, at=at)


def close(batch: PayoutList, *, by: User | None, at: datetime) -> bool:
    """Nothing of the list is open any more; False if it was closed before. Raises StillOpen."""
    store = batch.store
    with transaction.atomic():
        PayoutList.objects.for_store(store).select_for_update().get(pk=batch.pk)
        if Payout.objects.for_store(store).filter(batch=batch, status=Payout.Status.LISTED).exists():
            raise StillOpen(batch.public_id)
        moved = PayoutList.objects.for_store(store).filter(pk=batch.pk, closed_at=None).update(closed_at=at)
        if moved:
            note(store, "payouts.closed", subject=batch.public_id, by=by, at=at)
    return bool(moved)
