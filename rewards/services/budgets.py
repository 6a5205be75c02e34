"""What may be promised: reserved before anybody is told, given back when it comes to nothing.

A promise is a Commitment under a key of its own. It takes its amount, and a friend's place, of the
budget by a guarded UPDATE: of many at once exactly as many get through as there is room for. In the
books it is no debt yet (PROMISED against CONTINGENT); what it comes to is posted by whoever settles it.

What an ordinary redemption did not need stays beside its commitment (`leftover_minor`), because thousands at the
budget's one row would wait for each other; the budget counts it until somebody needs the room, or the sweep comes.
So `committed_minor` errs on the safe side only, and `committed` says what is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, Sum

from rewards.models import Account, Budget, Commitment
from rewards.services import ledger
from stores.models import Store
from stores.tenancy import insert_new

Amounts = dict[Account, int]


class Exhausted(Exception):
    """The budget, or its places, are used up: the promise must not be made."""


def commit(
    store: Store, budget: Budget | None, *, key: str, amount_minor: int, currency: str, places: int = 0, at: datetime
) -> Commitment:
    """Reserve what a promise may come to, once for `key`; `at` is aware UTC.

    Raises Exhausted, and then nothing has changed. Without a budget it only stands in the books.
    """
    wish = Commitment(
        store=store,
        budget=budget,
        key=key,
        currency=currency,
        promised_minor=amount_minor,
        amount_minor=amount_minor,
        places=places,
        at=at,
    )
    with transaction.atomic():
        if not insert_new(wish):
            return Commitment.objects.get(store=store, key=key)
        if budget and not _take(budget, amount_minor, places):
            raise Exhausted(key)
        if amount_minor:
            ledger.post(store, key=f"promise:{wish.pk}", kind="promise", amounts=_promise(wish), at=at)
    return wish


def settle(commitment: Commitment, actual_minor: int, *, at: datetime) -> Amounts:
    """A promise came to `actual_minor`: it is earned or used.

    Returns the entries that take it out of PROMISED, for the caller's own transaction. What it did not
    need is free for others at once.
    """
    held = _move(commitment, Commitment.Status.SPENT, amount_minor=actual_minor, ended_at=at)
    return _opposite(_promise(commitment)) if held and commitment.promised_minor else {}


def reopen(commitment: Commitment) -> None:
    """Its use was undone: it is a promise again, as large as before where there is room for that.

    The caller posts the opposite of what `settle` returned (`ledger.reverse` of the whole transaction does).
    """
    if not _move(commitment, Commitment.Status.HELD, amount_minor=commitment.promised_minor, ended_at=None, may=True):
        _move(commitment, Commitment.Status.HELD, amount_minor=commitment.amount_minor, ended_at=None)


def release(commitment: Commitment, *, at: datetime, fact: ledger.Fact = ledger.Fact.RELEASE) -> bool:
    """It came to nothing (void, expired), or came back (taken back): the room is free again.

    `fact` is Fact.LAPSE where nobody used it in time. True if this call did it. A promise leaves the
    books here; what was spent is the caller's to post.
    """
    was_held = commitment.status == Commitment.Status.HELD
    with transaction.atomic():
        moved = _move(commitment, Commitment.Status.RELEASED, amount_minor=0, places=0, ended_at=at)
        if moved and was_held and commitment.promised_minor:
            ledger.post(
                commitment.store,
                key=f"release:{commitment.pk}",
                kind=fact,
                amounts=_opposite(_promise(commitment)),
                at=at,
            )
    return moved


def shrink(commitment: Commitment, part_minor: int, *, key: str, at: datetime) -> None:
    """What is promised became smaller by `part_minor` (a partial refund): that room is free again.

    Only while it is held; what was spent is smaller by `give_back`. `key` names the fact in the books.
    """
    part = min(part_minor, commitment.promised_minor)
    promised = commitment.promised_minor - part
    amount = min(commitment.amount_minor, promised)
    mine = Commitment.objects.filter(pk=commitment.pk, store_id=commitment.store_id, status=Commitment.Status.HELD)
    with transaction.atomic():
        if not part or not mine.update(promised_minor=promised, amount_minor=amount):
            return
        if commitment.budget:
            _take(commitment.budget, amount - commitment.amount_minor, 0)
        smaller = _opposite(_promise(commitment, part))
        ledger.post(commitment.store, key=key, kind=ledger.Fact.RELEASE, amounts=smaller, at=at)
    commitment.promised_minor, commitment.amount_minor = promised, amount


def stay_released(commitment: Commitment, *, key: str, at: datetime) -> None:
    """A use was undone after the promise was released: the books promise it again, and here no more."""
    if commitment.status == Commitment.Status.RELEASED and commitment.promised_minor:
        amounts = _opposite(_promise(commitment))
        ledger.post(commitment.store, key=key, kind=ledger.Fact.RELEASE, amounts=amounts, at=at)


def give_back(commitment: Commitment, amount_minor: int) -> None:
    """Part of what was spent came back: a partial refund, the rest of an expired card."""
    taken = min(amount_minor, commitment.amount_minor)
    if taken:
        rows = Commitment.objects.filter(pk=commitment.pk, store_id=commitment.store_id, amount_minor__gte=taken)
        if rows.update(amount_minor=F("amount_minor") - taken):
            commitment.amount_minor -= taken
            _take(commitment.budget, -taken, 0) if commitment.budget else None


def commitments_of(store: Store, keys: Iterable[str]) -> dict[str, Commitment]:
    """The commitments of these keys."""
    rows = Commitment.objects.for_store(store).filter(key__in=list(keys)).select_related("budget", "store")
    return {row.key: row for row in rows}


def commitment_of(store: Store, key: str) -> Commitment | None:
    """The commitment of a key, locked until the transaction ends; None where nothing was promised under it."""
    rows = Commitment.objects.for_store(store).filter(key=key).select_related("budget", "store")
    found: Commitment | None = rows.select_for_update(of=("self",)).first()
    return found


def gather(budget: Budget) -> bool:
    """Take what promises left over off the budget's running number; True if there was something.

    Nobody waits: what somebody else is about to change is left for the next time.
    """
    left = Commitment.objects.filter(store_id=budget.store_id, budget=budget, leftover_minor__gt=0)
    with transaction.atomic():
        found = dict(left.order_by("pk").select_for_update(skip_locked=True).values_list("pk", "leftover_minor"))
        if found:
            left.filter(pk__in=found).update(leftover_minor=0)
            rows = Budget.objects.filter(pk=budget.pk, store_id=budget.store_id)
            rows.update(committed_minor=F("committed_minor") - sum(found.values()))
    return bool(found)


def gather_all(store: Store, at: datetime) -> int:
    """`gather` for every budget of the store that has something to gather; returns for how many."""
    left = Commitment.objects.for_store(store).filter(leftover_minor__gt=0).values("budget")
    return sum(gather(budget) for budget in Budget.objects.for_store(store).filter(pk__in=left).order_by("pk"))


def committed(budget: Budget) -> int:
    """What is promised, earned or paid of the budget (as it was read) and has not come back, to the last unit."""
    left = Commitment.objects.filter(store_id=budget.store_id, budget=budget, leftover_minor__gt=0)
    return budget.committed_minor - int(left.aggregate(total=Sum("leftover_minor"))["total"] or 0)


def fits(budget: Budget, amount_minor: int) -> bool:
    """Whether the budget (as it was read) has room for so much more; only the reservation itself is sure."""
    ceiling = budget.ceiling_minor
    if ceiling is None or budget.committed_minor + amount_minor <= ceiling:
        return True
    return committed(budget) + amount_minor <= ceiling


def _take(budget: Budget, amount_minor: int, places: int) -> bool:
    """Take (or give back) room, if need be after gathering what was left over; False when there is none."""
    return _took(budget, amount_minor, places) or (
        amount_minor > 0 and gather(budget) and _took(budget, amount_minor, places)
    )


def _took(budget: Budget, amount_minor: int, places: int) -> bool:
    rows = Budget.objects.filter(pk=budget.pk, store_id=budget.store_id)
    if amount_minor > 0:
        rows = rows.filter(Q(ceiling_minor=None) | Q(ceiling_minor__gte=F("committed_minor") + amount_minor))
    if places > 0:
        rows = rows.filter(Q(places=None) | Q(places__gte=F("places_taken") + places))
    changes = {"committed_minor": F("committed_minor") + amount_minor, "places_taken": F("places_taken") + places}
    return bool(rows.update(**changes))


def _move(
    commitment: Commitment,
    to: Commitment.Status,
    *,
    amount_minor: int,
    ended_at: datetime | None,
    places: int | None = None,
    may: bool = False,
) -> bool:
    """The guarded step, with what it changes in the budget; with `may`, False where there is no room."""
    places = commitment.places if places is None else places
    sources = [source for source, targets in Commitment.MOVES.items() if to in targets]
    rows = Commitment.objects.filter(pk=commitment.pk, store_id=commitment.store_id, status__in=sources)
    before = (commitment.amount_minor, commitment.places)
    with transaction.atomic():
        if not rows.filter(amount_minor=before[0]).update(status=to, amount_minor=amount_minor, ended_at=ended_at):
            return False
        if commitment.budget and not _take(commitment.budget, amount_minor - before[0], places - before[1]):
            if may:
                transaction.set_rollback(True)
                return False
            raise Exhausted(commitment.key)
    commitment.status, commitment.amount_minor = to, amount_minor
    return True


def _promise(commitment: Commitment, minor: int | None = None) -> Amounts:
    """The entries of the promise, or of part of it."""
    store, currency, budget = commitment.store, commitment.currency, commitment.budget
    minor = commitment.promised_minor if minor is None else minor
    promised = ledger.account(store, Account.Kind.PROMISED, currency, budget=budget)
    contingent = ledger.account(store, Account.Kind.CONTINGENT, currency, budget=budget)
    return {promised: minor, contingent: -minor}


def _opposite(amounts: Amounts) -> Amounts:
    return {account: -amount for account, amount in amounts.items()}
