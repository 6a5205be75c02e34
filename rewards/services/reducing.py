"""What is taken back of a reward: part of it, when part of the purchase that brought it came back, or all.

| what it is | part of it | all of it |
|---|---|---|
| amount off or free product, unused | its code takes less off, less is promised | the code is closed |
| the same, used | what the smaller code would not have taken off is owed | what it took off is owed |
| percent off, unused | untouched | the code is closed |
| the same, used | that part of what it took off is owed | what it took off is owed |
| credit, card, cash, commission | from the account they lie in; the rest is owed | the same |
| donation, something of the owner's own | while it is not carried out | while it is not given to the charity |
| still to be chosen | remembered, and taken off what is chosen | nothing is promised any more |

What was reduced stays so: a refund that is told smaller later gives nothing back. What is owed
is settled with what the person earns next (`granting`), and never asked for otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction

from django.db import transaction
from django.db.models import F, Sum

from rewards import rules
from rewards.models import Account, Budget, Commitment, Entry, Fulfilment, Offer, Redemption, Reward, Voucher
from rewards.services import budgets, ledger, vouchers

Kind = Offer.Kind


def reduce(reward: Reward, kept: Fraction, *, at: datetime) -> int:
    """Make a reward smaller, to the share `kept` (0..1) of what it was; `at` is aware UTC.

    Returns what this call took off it, in minor units: 0 when it was as small before, or is beyond reach.
    """
    with transaction.atomic():
        alive = Reward.objects.filter(pk=reward.pk, store_id=reward.store_id).exclude(status=Reward.Status.VOIDED)
        fresh = alive.select_for_update(of=("self",)).first()
        if fresh is None:
            return 0
        reward.status, reward.amount_minor, reward.reduced_minor = fresh.status, fresh.amount_minor, fresh.reduced_minor
        part = _reduce(reward, kept, at)
        if part:
            alive.update(reduced_minor=F("reduced_minor") + part)
            reward.reduced_minor += part
    return part


def has_too_much(reward: Reward, kept: Fraction) -> bool:
    """Whether `reduce` has something to do, by what was read with voucher and fulfilment: no query for what is done."""
    voucher, fulfilment = getattr(reward, "voucher", None), getattr(reward, "fulfilment", None)
    return _is_in_reach(reward, voucher, fulfilment) and (_excess(reward, kept) > 0 or not reward.amount_minor)


def kept_of(reward: Reward) -> Fraction:
    """Which share of a reward is left after partial refunds."""
    return Fraction(left_of(reward), reward.amount_minor) if reward.amount_minor else Fraction(1)


def left_of(reward: Reward) -> int:
    """What is left of a reward after partial refunds, in minor units."""
    return reward.amount_minor - reward.reduced_minor


def key_of(reward: Reward) -> str:
    """Under which what is reserved for the reward stands."""
    return f"reward:{reward.pk}"


def budget_of(reward: Reward) -> Budget | None:
    """The budget it is taken of; None for what no program promised."""
    return reward.terms.budget if reward.terms else None


# -- Part of it --


def _reduce(reward: Reward, kept: Fraction, at: datetime) -> int:
    if reward.status == Reward.Status.CHOOSING:
        return _excess(reward, kept)  # all of the room is kept for what is chosen
    voucher, fulfilment = _voucher_of(reward), _fulfilment_of(reward)
    if not _is_in_reach(reward, voucher, fulfilment):
        return 0
    code = _code(voucher)
    is_used = code is not None and code.status == Voucher.Status.REDEEMED
    if code and is_used:
        _note_worth(reward, code)
    part = _excess(reward, kept)
    if part and (reward.offer.kind == Kind.CUSTOM or (code and not is_used)):
        _promise_less(reward, voucher, left_of(reward) - part, key=_fact(reward, part), at=at)
    elif part:
        taken = _to_take(reward, voucher, part)
        claw_back(reward, taken, account_behind(reward, voucher), key=_fact(reward, part), at=at)
        _give_back(reward, taken)
    return part


def _is_in_reach(reward: Reward, voucher: Voucher | None, fulfilment: Fulfilment | None) -> bool:
    """Whether part of it can be taken now: not of what was handed over or has ended, nor of an unused percentage."""
    if fulfilment and fulfilment.status != Fulfilment.Status.OPEN:
        return False
    if voucher is None or voucher.kind != Voucher.Kind.OFFER or voucher.status == Voucher.Status.REDEEMED:
        return True
    return voucher.status == Voucher.Status.ISSUED and reward.offer.kind != Kind.PERCENT_OFF


def _excess(reward: Reward, kept: Fraction) -> int:
    """What has to go so that no more than the share `kept` is left; nothing where less is left already."""
    return max(left_of(reward) - rules.part_of(reward.amount_minor, kept), 0)


def _fact(reward: Reward, part: int) -> str:
    """The business key: the reward, and how far it is reduced by this."""
    return f"reduce:{reward.pk}:{reward.reduced_minor + part}"


def _note_worth(reward: Reward, voucher: Voucher) -> None:
    """What a percentage came to is known once it is used."""
    used = _used(voucher)
    worth = max(used, reward.reduced_minor) if reward.offer.kind == Kind.PERCENT_OFF else max(used, reward.amount_minor)
    if worth != reward.amount_minor:
        reward.amount_minor = worth
        Reward.objects.filter(pk=reward.pk, store_id=reward.store_id).update(amount_minor=worth)


def _to_take(reward: Reward, voucher: Voucher | None, part: int) -> int:
    """What the person has to give back when `part` of what is left goes: what they had beyond the rest."""
    left, had = left_of(reward), _had(reward, voucher)
    return max(had - (left - part), 0) - max(had - left, 0)


def _had(reward: Reward, voucher: Voucher | None) -> int:
    """What came to its holder: what a code took off bills, what of a card did not end unused, else all of it."""
    if voucher is None:
        return reward.amount_minor
    if voucher.kind == Voucher.Kind.OFFER:
        return _used(voucher)
    ended = Entry.objects.filter(store_id=reward.store_id, transaction__key=f"expire:{voucher.pk}")
    kept = ended.filter(account__kind=Account.Kind.BREAKAGE).aggregate(total=Sum("amount_minor"))["total"]
    return reward.amount_minor - int(kept or 0)


def _used(voucher: Voucher) -> int:
    """What live redemptions of the voucher took off bills."""
    live = Redemption.objects.filter(store_id=voucher.store_id, voucher=voucher, reversed_at=None)
    return int(live.aggregate(total=Sum("discount_minor"))["total"] or 0)


def _promise_less(reward: Reward, voucher: Voucher | None, left_minor: int, *, key: str, at: datetime) -> None:
    """What is not used yet, or not handed over, is worth `left_minor` from now on."""
    if voucher:
        Voucher.objects.filter(pk=voucher.pk, store_id=voucher.store_id).update(most_minor=left_minor)
        voucher.most_minor = left_minor
    for promise in promises_of(reward):
        if promise.status == Commitment.Status.HELD:
            budgets.shrink(promise, promise.promised_minor - left_minor, key=key, at=at)


def _give_back(reward: Reward, part: int) -> None:
    for promise in promises_of(reward):
        if promise.status == Commitment.Status.SPENT:
            budgets.give_back(promise, part)


# -- All of it --


def undo(reward: Reward, at: datetime) -> None:
    """Take all of a reward back that was just voided; for `granting.take_back` only."""
    voucher, fulfilment = _voucher_of(reward), _fulfilment_of(reward)
    was_done = fulfilment is not None and not _call_off(fulfilment, at)
    if was_done and reward.offer.kind == Kind.DONATION:
        return
    purse = account_behind(reward, voucher)
    code = _code(voucher)
    if code and code.status == Voucher.Status.REDEEMED:
        _note_worth(reward, code)
    if was_done or purse is not None or (code and not vouchers.void(code, at=at)):
        taken = _to_take(reward, voucher, left_of(reward))
        claw_back(reward, taken, purse, key=f"clawback:{reward.pk}", at=at)
    if voucher and not code:
        _close_card(voucher)
    for promise in promises_of(reward):
        budgets.release(promise, at=at)


def undo_use(redemption: Redemption, *, at: datetime) -> None:
    """The use of a code was undone: nothing is owed for it any more, and the code is as its reward is now.

    For whoever calls `vouchers.reverse`, in the same transaction.
    """
    voucher = redemption.voucher
    if voucher.reward_id is None or voucher.kind != Voucher.Kind.OFFER:
        return
    rows = Reward.objects.filter(store_id=voucher.store_id, pk=voucher.reward_id)
    reward = rows.select_related("offer", "customer", "store", "terms__budget").select_for_update(of=("self",)).get()
    voucher.refresh_from_db(fields=["status", "used", "most_minor"])
    if reward.status == Reward.Status.VOIDED:
        _forgive(reward, redemption.discount_minor, key=f"forgive:{redemption.public_id}", at=at)
        vouchers.void(voucher, at=at)
        for promise in promises_of(reward):
            budgets.stay_released(promise, key=f"void:{redemption.public_id}", at=at)
    elif reward.reduced_minor:
        owed = max(redemption.discount_minor - left_of(reward), 0)
        _forgive(reward, owed, key=f"forgive:{redemption.public_id}", at=at)
        if reward.offer.kind == Kind.PERCENT_OFF:
            rows.update(reduced_minor=0)
        else:
            _promise_less(reward, voucher, left_of(reward), key=f"again:{redemption.public_id}", at=at)


def _forgive(reward: Reward, amount_minor: int, *, key: str, at: datetime) -> None:
    """What was owed is owed no more; what was settled of it meanwhile comes back as store credit."""
    if not amount_minor:
        return
    store, currency = reward.store, reward.offer.currency
    debt, credit = ledger.held(
        ledger.account(store, Account.Kind.OWED, currency, reward.customer),
        ledger.account(store, Account.Kind.CREDIT, currency, reward.customer),
    )
    open_still = min(amount_minor, -debt.balance_minor)
    cost = ledger.account(store, Account.Kind.COST, currency, budget=budget_of(reward))
    amounts = {cost: -amount_minor, debt: open_still}
    if open_still < amount_minor:
        amounts[credit] = amount_minor - open_still
        vouchers.credit_voucher(store, reward.customer, currency, at=at)
    ledger.post(store, key=key, kind=ledger.Fact.REVERSE, amounts=amounts, at=at)


# -- Where it lies --


def _voucher_of(reward: Reward) -> Voucher | None:
    """Its own code or card, locked."""
    mine = Voucher.objects.filter(store_id=reward.store_id, reward=reward).select_related("store")
    return mine.select_for_update(of=("self",)).first()


def _code(voucher: Voucher | None) -> Voucher | None:
    """The voucher where it carries a promise; None for a card, which holds money."""
    return voucher if voucher and voucher.kind == Voucher.Kind.OFFER else None


def _fulfilment_of(reward: Reward) -> Fulfilment | None:
    mine = Fulfilment.objects.filter(store_id=reward.store_id, reward=reward)
    return mine.select_for_update().first()


def account_behind(reward: Reward, voucher: Voucher | None) -> Account | None:
    """Where what was earned at once lies; None for promises, and for what waits to be chosen or handed over."""
    kind, store, currency = Kind(reward.offer.kind), reward.store, reward.offer.currency
    if not kind.is_held or reward.status == Reward.Status.CHOOSING or not ledger.is_posted(store, f"grant:{reward.pk}"):
        return None
    if kind == Kind.GIFT_CARD and voucher:
        return ledger.account(store, Account.Kind.GIFT, currency, card=voucher)
    if kind == Kind.DONATION:
        return ledger.account(store, Account.Kind.CHARITY, currency)
    held = Account.Kind.CREDIT if kind == Kind.STORE_CREDIT else Account.Kind.PAYABLE
    return ledger.account(store, held, currency, reward.customer)


def promises_of(reward: Reward) -> Iterable[Commitment]:
    """What was reserved for the reward, under any of its keys, locked."""
    keys = (f"voucher:{key_of(reward)}", key_of(reward), f"{key_of(reward)}:chosen")
    found = (budgets.commitment_of(reward.store, key) for key in keys)
    return [promise for promise in found if promise]


def _call_off(fulfilment: Fulfilment, at: datetime) -> bool:
    """Nobody need hand it over any more; False when it was done."""
    waiting = Fulfilment.objects.filter(pk=fulfilment.pk, store_id=fulfilment.store_id, status=Fulfilment.Status.OPEN)
    return bool(waiting.update(status=Fulfilment.Status.VOIDED, ended_at=at))


def _close_card(card: Voucher) -> None:
    alive = Voucher.objects.filter(pk=card.pk, store_id=card.store_id, status=Voucher.Status.ISSUED)
    alive.update(status=Voucher.Status.VOIDED)


def claw_back(reward: Reward, amount_minor: int, purse: Account | None, *, key: str, at: datetime) -> None:
    """Take `amount_minor` back: from the purse what it holds, the rest is owed."""
    if not amount_minor:
        return
    store, currency = reward.store, reward.offer.currency
    debt = ledger.account(store, Account.Kind.OWED, currency, reward.customer)
    available = 0
    if purse and purse.kind in Account.PERSONAL:
        purse, debt = ledger.held(purse, debt)
        available = min(purse.balance_minor, amount_minor)
    elif purse:
        available = amount_minor  # the store's own accounts keep no running balance
    amounts = {
        ledger.account(store, Account.Kind.COST, currency, budget=budget_of(reward)): amount_minor,
        debt: available - amount_minor,
    }
    if purse:
        amounts[purse] = -available
    ledger.post(store, key=key, kind=ledger.Fact.CLAWBACK, amounts=amounts, at=at)
