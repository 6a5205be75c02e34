"""What a friend's coming promises the advocate: room in the budget and a place, taken before anybody is told."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from referrals.models import Claim
from referrals.services import boosts
from rewards import rules
from rewards.models import Budget, Commitment, Terms
from rewards.services import budgets, granting, growing, ledger, vouchers
from stores.models import Store


def promise_advocate(store: Store, terms: Terms, *, key: str, at: datetime) -> Commitment:
    """Reserve the most that one referral can bring to those who sent the friend, and the friend's place.

    With room for a boost where there is such room, else for the usual rewards. Raises budgets.Exhausted.
    """
    percent = boosts.most_percent(terms, at)
    if percent != growing.USUAL:
        try:
            with transaction.atomic():
                promise = _commit(store, terms, _to_advocates(terms, percent), key=key, at=at)
                _leave_room_for_gift(terms)
                return promise
        except budgets.Exhausted:
            pass  # no room to grow: the usual is promised
    return _commit(store, terms, _to_advocates(terms), key=key, at=at)


def _leave_room_for_gift(terms: Terms) -> None:
    """Raises budgets.Exhausted where a boost took what the friend's own gift needs."""
    budget = Budget.objects.get(pk=terms.budget_id, store_id=terms.store_id)
    if not budgets.fits(budget, _gift(terms)):
        raise budgets.Exhausted(f"terms:{terms.pk}")


def _gift(terms: Terms) -> int:
    """What the friend's gift takes besides; one that is given later is among what the referral brings."""
    return 0 if vouchers.is_given_later(terms.friend_offer) else granting.worth(terms.friend_offer, terms)


def _commit(store: Store, terms: Terms, most: int, *, key: str, at: datetime) -> Commitment:
    currency = terms.budget.currency
    return budgets.commit(store, terms.budget, key=key, amount_minor=most, currency=currency, places=1, at=at)


def _to_advocates(terms: Terms, percent: int = growing.USUAL) -> int:
    tiers = granting.steps_of(terms.ladder)
    worth = {
        pk: max(
            granting.worth(growing.grown(offer, percent), terms) for offer in [tier.offer, *granting.choices_of(tier)]
        )
        for pk, tier in tiers.items()
    }
    most = rules.most_at_once(granting.as_steps(tiers), worth)
    if terms.second_offer:
        most += granting.worth(terms.second_offer, terms)
    if vouchers.is_given_later(terms.friend_offer):
        most += granting.worth(terms.friend_offer, terms)
    return most


def has_room(terms: Terms) -> bool:
    """Whether one more friend may be promised the gift; only the reservation itself is sure."""
    budget = terms.budget
    if budget.places is not None and budget.places_taken >= budget.places:
        return False
    return budget.ceiling_minor is None or budgets.fits(budget, most_for(terms))


def most_for(terms: Terms) -> int:
    """The most that one friend can come to, the gift included, in minor units."""
    return _gift(terms) + _to_advocates(terms)


def keep_promise(promise: Commitment, *, at: datetime) -> None:
    """The referral counts: what it brings takes its room by itself now; the place stays taken."""
    amounts = budgets.settle(promise, 0, at=at)
    if amounts:
        ledger.post(promise.store, key=f"keep:{promise.pk}", kind="keep", amounts=amounts, at=at)


def release_unused(store: Store, at: datetime) -> int:
    """Gifts that were taken and led to no purchase in time: their room and places are free again."""
    unused = Claim.objects.for_store(store).filter(expires_at__lte=at, promise__status=Commitment.Status.HELD)
    due = unused.filter(promise__referral=None).select_related("promise__budget", "promise__store").order_by("pk")
    return sum(budgets.release(claim.promise, at=at, fact=ledger.Fact.LAPSE) for claim in due[:500] if claim.promise)
