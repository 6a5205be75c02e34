"""What the store does by hand for a reward: hand over something of its own, give to a charity. And its undo.

The reward's row is locked first, as taking it back does, so that of the two one comes after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Min, QuerySet, Sum

from rewards.models import Account, Commitment, Fulfilment, LedgerTransaction, Offer, Reward
from rewards.services import budgets, ledger, reducing
from rewards.services.ledger import Fact, Posting
from stores.models import Store, User
from stores.services import note

MOST_AT_ONCE = 500
LEFT = F("reward__amount_minor") - F("reward__reduced_minor")


class Gone(Exception):
    """The reward was taken back: nothing is to be done for it any more."""


def open_tasks(store: Store) -> QuerySet[Fulfilment]:
    """What is to be done, the most urgent first."""
    return tasks(store).filter(status=Fulfilment.Status.OPEN).order_by("due_at", "pk")


def tasks(store: Store) -> QuerySet[Fulfilment]:
    """All of them, with what a screen shows."""
    return Fulfilment.objects.for_store(store).select_related("reward__offer", "reward__customer", "by")


def charities(store: Store) -> list[dict[str, Any]]:
    """What is to be given to each charity: `words`, `currency`, `people`, `total_minor`, `until`, `last`."""
    waiting = Fulfilment.objects.for_store(store).filter(
        status=Fulfilment.Status.OPEN, reward__offer__kind=Offer.Kind.DONATION
    )
    groups: Any = waiting.order_by().values(words=F("reward__offer__words"), currency=F("reward__offer__currency"))
    sums = {"people": Count("pk"), "total_minor": Sum(LEFT), "until": Min("due_at"), "last": Max("pk")}
    return list(groups.annotate(**sums).order_by("until"))


def done(task: Fulfilment, *, by: User | None, at: datetime, words: str = "") -> bool:
    """It was handed over or given: the books follow. True if this call did it. Raises Gone."""
    store = task.store
    with transaction.atomic():
        reward = _locked_reward(task)
        if reward.status == Reward.Status.VOIDED:
            raise Gone(reward.public_id)
        if not _end(store, [task.pk], words, by, at):
            return False
        ledger.post_all(store, [_posting(task, reward, at)])
        note(store, "reward.handed_over", subject=reward.public_id, by=by, at=at)
    return True


def give_to_charity(
    store: Store, words: str, currency: str, *, until: int, by: User | None, at: datetime
) -> tuple[int, int]:
    """Every open gift to this charity up to task `until` was given: how many, and how much in minor units.

    `until` keeps what came in after the sum was read on the screen for the next time.
    """
    with transaction.atomic():
        waiting = Fulfilment.objects.for_store(store).filter(
            status=Fulfilment.Status.OPEN, pk__lte=until, reward__offer__words=words, reward__offer__currency=currency
        )
        ids = list(
            waiting.filter(reward__offer__kind=Offer.Kind.DONATION)
            .order_by("pk")
            .values_list("reward", flat=True)[:MOST_AT_ONCE]
        )
        rewards = (
            Reward.objects.for_store(store).filter(pk__in=ids).select_related("offer", "customer", "terms__budget")
        )
        alive = {
            one.pk: one
            for one in rewards.select_for_update(of=("self",)).order_by("pk")
            if one.status != Reward.Status.VOIDED
        }
        moving = list(waiting.filter(reward__in=alive).select_for_update(of=("self",)).order_by("pk"))
        _end(store, [task.pk for task in moving], "", by, at)
        total = sum(_left(alive[task.reward_id]) for task in moving)
        charity = ledger.account(store, Account.Kind.CHARITY, currency)
        donated = ledger.account(store, Account.Kind.DONATED, currency)
        times = _times_done(store, moving)
        ledger.post_all(
            store,
            [
                Posting(
                    _key(task, times[task.pk]),
                    Fact.DONATE,
                    {charity: -_left(alive[task.reward_id]), donated: _left(alive[task.reward_id])},
                    at,
                )
                for task in moving
                if _left(alive[task.reward_id])
            ],
        )
        if moving:
            after = {"people": len(moving), "amount_minor": total, "currency": currency}
            note(store, "charity.given", subject=words, after=after, by=by, at=at)
    return len(moving), total


def undo(task: Fulfilment, *, by: User | None, at: datetime) -> bool:
    """It was not done after all: to do again, with the opposite entries. True if this call did it. Raises Gone."""
    store = task.store
    with transaction.atomic():
        reward = _locked_reward(task)
        if reward.status == Reward.Status.VOIDED:
            raise Gone(reward.public_id)
        rows = Fulfilment.objects.for_store(store).filter(pk=task.pk, status=Fulfilment.Status.DONE)
        if not rows.update(status=Fulfilment.Status.OPEN, ended_at=None, by=None):
            return False
        posted = _postings_of(store, task).order_by("-pk").first()
        if posted:
            ledger.reverse(store, posted, key=f"undo:{posted.key}", at=at)
        if reward.offer.kind == Offer.Kind.CUSTOM:
            promise = _promise(reward, Commitment.Status.SPENT)
            if promise:
                budgets.reopen(promise)
        note(store, "reward.not_handed_over", subject=reward.public_id, by=by, at=at)
    return True


def _end(store: Store, ids: Sequence[int], words: str, by: User | None, at: datetime) -> int:
    waiting = Fulfilment.objects.for_store(store).filter(pk__in=ids, status=Fulfilment.Status.OPEN)
    return int(waiting.update(status=Fulfilment.Status.DONE, ended_at=at, by=by, note=words[:200]))


def _locked_reward(task: Fulfilment) -> Reward:
    rewards = Reward.objects.for_store(task.store).select_related("offer", "customer", "terms__budget", "store")
    found: Reward = rewards.select_for_update(of=("self",)).get(pk=task.reward_id)
    return found


def _left(reward: Reward) -> int:
    return reward.amount_minor - reward.reduced_minor


def _posting(task: Fulfilment, reward: Reward, at: datetime) -> Posting:
    """The entries: what was promised became a cost, or what lay with the store for a charity left."""
    store, currency, left = task.store, reward.offer.currency, _left(reward)
    key = _key(task, _times_done(store, [task])[task.pk])
    if reward.offer.kind == Offer.Kind.DONATION:
        charity = ledger.account(store, Account.Kind.CHARITY, currency)
        donated = ledger.account(store, Account.Kind.DONATED, currency)
        return Posting(key, Fact.DONATE, {charity: -left, donated: left}, at)
    promise = _promise(reward, Commitment.Status.HELD)
    amounts = budgets.settle(promise, left, at=at) if promise else {}
    cost = ledger.account(store, Account.Kind.COST, currency, budget=promise.budget if promise else None)
    delivered = ledger.account(store, Account.Kind.DELIVERED, currency)
    return Posting(key, Fact.DELIVER, amounts | {cost: -left, delivered: left}, at)


def _promise(reward: Reward, status: Commitment.Status) -> Commitment | None:
    return next((one for one in reducing.promises_of(reward) if one.status == status), None)


def _key(task: Fulfilment, times: int) -> str:
    """The business fact: done for the first time, or again after an undo."""
    return f"deliver:{task.pk}:{times + 1}"


def _postings_of(store: Store, task: Fulfilment) -> QuerySet[LedgerTransaction]:
    return LedgerTransaction.objects.for_store(store).filter(key__startswith=f"deliver:{task.pk}:")


def _times_done(store: Store, moving: Sequence[Fulfilment]) -> dict[int, int]:
    """How often each was marked done and undone before."""
    again = "undo:deliver:"
    keys = LedgerTransaction.objects.for_store(store).filter(
        kind=Fact.REVERSE, key__in=[f"{again}{task.pk}:{time}" for task in moving for time in range(1, 10)]
    )
    undone = [int(key.removeprefix(again).split(":")[0]) for key in keys.values_list("key", flat=True)]
    return {task.pk: undone.count(task.pk) for task in moving}
