"""What a person holds: codes, credit, cash, what is chosen yet, what the store hands over. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, prefetch_related_objects

from customers.models import Customer
from referrals.models import Referral
from referrals.public.terms import terms_path
from rewards.models import Account, Fulfilment, Offer, Payout, PayoutAddress, Reward, RewardSettings, Voucher
from rewards.services import addresses, granting
from rewards.services.vouchers import is_given_later
from rewards.wording import REASONS, offer_text
from stores.models import Store

SHOWN = 50
CASH = (Offer.Kind.CASH, Offer.Kind.COMMISSION)


@dataclass(frozen=True)
class Option:
    """Something that may be picked."""

    public_id: str
    words: str


@dataclass(frozen=True)
class Holding:
    """A reward or gift. `state`: choosing, ready, used, over, back, later, credit, cash, todo, done."""

    words: str
    state: str
    code: str = ""
    until: datetime | None = None  # the code's end, the choice's, or when it is handed over
    minimum_minor: int = 0
    left_minor: int | None = None  # on a gift card
    reduced_minor: int = 0
    why: str = ""  # it was taken back
    terms: str = ""  # where those it was given under can be read
    reward: str = ""
    options: list[Option] = field(default_factory=list)
    is_donation: bool = False


@dataclass(frozen=True)
class Cash:
    """What a person has earned in cash, and where it goes."""

    balance_minor: int
    smallest_minor: int
    address: PayoutAddress | None
    payouts: list[Payout]


@dataclass(frozen=True)
class Holdings:
    """Everything under "Your rewards"."""

    rows: list[Holding]
    credit_minor: int
    owed_minor: int
    credit_code: str
    cash: Cash | None

    @property
    def has_code(self) -> bool:
        """Whether there is something to show at the counter."""
        return bool(self.credit_minor) or any(row.state == "ready" for row in self.rows)


def holdings_of(store: Store, owner: Customer, at: datetime) -> Holdings:
    """A person's rewards, gifts and balances at `at`; a number of queries that does not grow with them."""
    rewards, gifts, credit = _rewards(store, owner), *_gifts(store, owner)
    balances = _balances(store, owner, [one for one in rewards if one.offer.kind == Offer.Kind.GIFT_CARD])
    payable = balances.get((Account.Kind.PAYABLE, None), 0)
    has_cash = payable or any(one.offer.kind in CASH for one in rewards)
    choosing = [one for one in rewards if one.status == Reward.Status.CHOOSING]
    settings = _settings(store) if has_cash or choosing else RewardSettings()
    prefetch_related_objects([one.tier for one in choosing if one.tier], "choices__offer")
    rows = [_reward(store, one, balances, settings, at) for one in rewards]
    rows += _gifts_shown(store, owner, gifts, rewards, at)
    return Holdings(
        rows=sorted(rows, key=lambda row: ORDER.get(row.state, len(ORDER))),
        credit_minor=balances.get((Account.Kind.CREDIT, None), 0),
        owed_minor=-balances.get((Account.Kind.OWED, None), 0),
        credit_code=credit,
        cash=_cash(store, owner, payable, settings) if has_cash else None,
    )


ORDER = {"choosing": 0, "ready": 1, "todo": 2, "later": 2}  # what there is to do comes first


def _rewards(store: Store, owner: Customer) -> list[Reward]:
    mine = Reward.objects.for_store(store).filter(customer=owner)
    joined = mine.select_related("offer", "tier__offer", "terms", "voucher", "fulfilment")
    return list(joined.order_by("-granted_at", "-pk")[:SHOWN])


def _gifts(store: Store, owner: Customer) -> tuple[list[Voucher], str]:
    """Codes that came without a reward: a friend's gift, an apology; and the code of their store credit."""
    held = Voucher.objects.for_store(store).filter(customer=owner, reward=None).select_related("offer")
    rows = list(held.order_by("kind", "-issued_at", "-pk")[:SHOWN])  # the credit's kind sorts first
    credit = next((one.as_shown for one in rows if one.kind == Voucher.Kind.CREDIT), "")
    return [one for one in rows if one.offer], credit


Balances = dict[tuple[str, int | None], int]


def _balances(store: Store, owner: Customer, cards: list[Reward]) -> Balances:
    """The person's accounts in the store's currency, and those of their gift cards: (kind, card) -> minor units."""
    mine = Q(customer=owner, currency=store.currency)
    vouchers = [one.voucher.pk for one in cards if hasattr(one, "voucher")]
    accounts = Account.objects.for_store(store).filter(mine | Q(card__in=vouchers) if vouchers else mine)
    return {(one.kind, one.card_id): one.balance_minor for one in accounts}


def _settings(store: Store) -> RewardSettings:
    found: RewardSettings | None = RewardSettings.objects.for_store(store).first()
    return found or RewardSettings()


def _cash(store: Store, owner: Customer, payable: int, settings: RewardSettings) -> Cash:
    payouts = Payout.objects.for_store(store).filter(customer=owner, currency=store.currency).order_by("-pk")
    return Cash(payable, settings.smallest_payout_minor, addresses.address_of(owner), list(payouts[:5]))


def _reward(store: Store, reward: Reward, balances: Balances, settings: RewardSettings, at: datetime) -> Holding:
    offer = reward.offer
    facts: dict[str, Any] = {
        "words": offer_text(offer, store),
        "reduced_minor": reward.reduced_minor,
        "terms": terms_path(reward.terms) if reward.terms else "",
        "reward": reward.public_id,
        "is_donation": offer.kind == Offer.Kind.DONATION,
    }
    if reward.status == Reward.Status.VOIDED:
        return Holding(state="back", why=str(REASONS.get(reward.reason, "")), **facts)
    if reward.status == Reward.Status.CHOOSING:
        offers = granting.options_of(reward)
        options = [Option(one.public_id, offer_text(granting.as_grown(reward, one), store)) for one in offers]
        until = reward.granted_at + timedelta(days=settings.choose_days)
        return Holding(state="choosing", until=until, options=options, **facts)
    if hasattr(reward, "voucher"):
        return _with_code(reward.voucher, balances, offer, at, **facts)
    if hasattr(reward, "fulfilment"):
        done = reward.fulfilment.status == Fulfilment.Status.DONE
        day = reward.fulfilment.ended_at if done else reward.fulfilment.due_at
        return Holding(state="done" if done else "todo", until=day, **facts)
    return Holding(state="cash" if offer.kind in CASH else "credit", **facts)


def _with_code(voucher: Voucher, balances: Balances, offer: Offer, at: datetime, **facts: Any) -> Holding:
    left = balances.get((Account.Kind.GIFT, voucher.pk), 0) if voucher.kind == Voucher.Kind.GIFT else None
    state = voucher_state(voucher, at)
    return Holding(
        state="used" if state == "ready" and left == 0 else state,
        code=voucher.as_shown,
        until=voucher.expires_at,
        minimum_minor=offer.minimum_minor,
        left_minor=left,
        **facts,
    )


def _gifts_shown(
    store: Store, owner: Customer, gifts: list[Voucher], rewards: list[Reward], at: datetime
) -> list[Holding]:
    """One row each. A gift that comes when the purchase counts is a reward of its own from then on."""
    given = {one.offer_id for one in rewards if one.side == Reward.Side.FRIEND}
    shown = [one for one in gifts if not (_comes_later(one) and one.offer_id in given)]
    undecided = any(map(_comes_later, shown)) and _waits(store, owner)
    return [_gift(store, one, at, undecided=undecided) for one in shown]


def _comes_later(gift: Voucher) -> bool:
    """Whether it was used and took nothing off: it is given when the purchase counts."""
    return gift.status == Voucher.Status.REDEEMED and gift.offer is not None and is_given_later(gift.offer)


def _waits(store: Store, friend: Customer) -> bool:
    """Whether a purchase of theirs may still count."""
    undecided = (Referral.Status.PENDING, Referral.Status.FLAGGED)
    return Referral.objects.for_store(store).filter(friend=friend, status__in=undecided).exists()


def _gift(store: Store, voucher: Voucher, at: datetime, *, undecided: bool) -> Holding:
    assert voucher.offer is not None
    words = offer_text(voucher.offer, store)
    if _comes_later(voucher):
        is_donation = voucher.offer.kind == Offer.Kind.DONATION
        return Holding(words, "later" if undecided else "back", is_donation=is_donation)
    return _with_code(voucher, {}, voucher.offer, at, words=words)


def voucher_state(voucher: Voucher, at: datetime) -> str:
    """ready, used, over or back (taken back)."""
    if voucher.status == Voucher.Status.REDEEMED:
        return "used"
    if voucher.status == Voucher.Status.VOIDED:
        return "back"
    past = voucher.expires_at is not None and voucher.expires_at <= at
    return "over" if past or voucher.status == Voucher.Status.EXPIRED else "ready"
