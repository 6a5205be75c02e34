"""What people are told about their rewards after the news that one is there: it ends soon, it was taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import translation

from customers.models import Customer
from outreach.journeys import journey_of, start
from outreach.kinds import Kind
from outreach.models import Journey, Message
from outreach.rendering import language_of, unsubscribe_url
from outreach.starting import Fact
from outreach.sweeping import Sweep, Touch, run
from rewards.models import Account, Reward, Voucher
from rewards.services import granting, reducing, vouchers
from rewards.wording import REASONS, lazy_credit_text, lazy_offer_text, offer_text
from stores import tokens
from stores.codes import spaced
from stores.l10n import format_money
from stores.models import Store

SETTLED = timedelta(days=1)  # who has just been given something need not hear that it ends


def sweep(store: Store, since: datetime | None, at: datetime) -> int:
    """Tell people whose reward ends soon, or was taken back, after `since` (None: as far back as it is news)."""
    return run(store, SWEEPS, since=since, at=at)


def ending(store: Store, journey: Journey, since: datetime, at: datetime) -> list[Voucher]:
    """Unused vouchers that came within the journey's wait of their end after `since`.

    Not those that were given so near to it: their holder has just read until when they are good.
    """
    unused = Voucher.objects.for_store(store).filter(status=Voucher.Status.ISSUED).exclude(customer=None)
    near = unused.filter(expires_at__gt=since + journey.wait, expires_at__lte=at + journey.wait)
    rows = near.select_related("customer", "offer").order_by("expires_at", "pk")
    return [row for row in rows if row.expires_at - journey.wait > row.issued_at + SETTLED]


def ends_soon(store: Store, journey: Journey, voucher: Voucher, **values: object) -> Fact:
    """That a voucher of `ending` ends soon; `values` is what its words need besides the code and the day."""
    assert voucher.customer is not None
    assert voucher.expires_at is not None
    moment = voucher.expires_at - journey.wait
    return Fact(
        voucher.customer,
        key=f"{journey.kind}:{voucher.pk}",
        at=moment,
        due_at=moment,
        not_after=min(moment + Kind(journey.kind).spec.fresh, voucher.expires_at),
        about=vouchers.about(voucher.pk),
        values={"code": spaced(voucher.code), "until": last_day(store, voucher), **values},
    )


def last_day(store: Store, voucher: Voucher) -> str:
    """The day of the voucher's end on the store's calendar, as JSON keeps it; '' for no end."""
    return voucher.expires_at.astimezone(store.zone).date().isoformat() if voucher.expires_at else ""


def own_page(customer: Customer) -> dict[str, str]:
    """The button to the page where a person sees their rewards, and its link."""
    path = reverse("referral:share", args=[tokens.make(tokens.Purpose.SHARE, customer.store_id, customer)])
    return {"action": f"{settings.SITE_URL}{path}", "share": f"{settings.SITE_URL}{path}"}


def gift_text(reward: Reward) -> str:
    """What a reward gives, in the active language, as small as partial refunds have left it."""
    offer = reward.offer
    if reward.reduced_minor and offer.amount_minor is not None:
        offer = copy(offer)
        offer.amount_minor = reducing.left_of(reward)
    return offer_text(offer, reward.store)


def tell_given(reward: Reward, *, at: datetime, **values: object) -> None:
    """The good news that a reward is there; `values` is what its words need besides: why it was earned."""
    store, customer, voucher = reward.store, reward.customer, vouchers.voucher_of(reward)
    settled, language = granting.settled(reward), language_of(store, customer)
    with translation.override(language):
        gift = gift_text(reward)
        settled_text = format_money(settled, reward.offer.currency, language, toman=store.toman) if settled else ""
    start(
        customer,
        journey_of(store, Kind.REWARD),
        key=f"reward:{reward.pk}",
        context={
            "gift": gift,
            "code": spaced(voucher.code) if voucher else "",
            "until": last_day(store, voucher) if voucher else "",
            "settled": settled_text,
            "links": {**own_page(customer), "unsubscribe": unsubscribe_url(store, customer)},
            **values,
        },
        fact_at=at,
        at=at,
        about=vouchers.about(voucher.pk) if voucher else f"reward:{reward.pk}",
    )


def tell_smaller(reward: Reward, *, at: datetime) -> None:
    """Tell who had read of a reward that part of the purchase came back, and what they keep."""
    store, customer = reward.store, reward.customer
    read = Message.objects.for_store(store).filter(key=f"reward:{reward.pk}", sent_at__isnull=False)
    if not read.exists():
        return
    language = language_of(store, customer)
    with translation.override(language):
        left = format_money(reducing.left_of(reward), reward.offer.currency, language, toman=store.toman)
        values = {"gift": offer_text(reward.offer, store), "left": left, "why": str(REASONS["part_returned"])}
    links = {**own_page(customer), "unsubscribe": unsubscribe_url(store, customer)}
    start(
        customer,
        journey_of(store, Kind.REWARD_VOIDED),
        key=f"reward_reduced:{reward.pk}:{reward.reduced_minor}",
        context={**values, "links": links},
        fact_at=at,
        at=at,
        about=f"reward:{reward.pk}",
    )


def _expiring(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Rewards, and store credit where it ends. Of a friend's gift only those tell who know the friend."""
    near = ending(store, journey, since, at)
    purses = _purses(store, [row for row in near if row.kind == Voucher.Kind.CREDIT])
    for voucher in near:
        assert voucher.customer is not None
        gift = _gift(store, voucher, purses)
        if gift:
            yield ends_soon(store, journey, voucher, gift=gift, links=own_page(voucher.customer))


def _gift(store: Store, voucher: Voucher, purses: dict[tuple[int | None, str], int]) -> object:
    """What is about to be lost, in words; None for nothing of theirs."""
    if voucher.kind == Voucher.Kind.CREDIT:
        left = purses.get((voucher.customer_id, voucher.currency), 0)
        return lazy_credit_text(left, voucher.currency, store) if left else None
    return lazy_offer_text(voucher.offer, store) if voucher.reward_id and voucher.offer else None


def _purses(store: Store, vouchers: Iterable[Voucher]) -> dict[tuple[int | None, str], int]:
    """What is left of people's store credit, by customer and currency."""
    people = {voucher.customer_id for voucher in vouchers}
    if not people:
        return {}
    purses = Account.objects.for_store(store).filter(kind=Account.Kind.CREDIT, customer__in=people)
    return {(one.customer_id, one.currency): one.balance_minor for one in purses}


def _voided(store: Store, journey: Journey, since: datetime, at: datetime) -> Iterator[Fact]:
    """Rewards taken back whose holder had read of them; the others have lost nothing they know of."""
    key = Concat(Value("reward:"), Cast(OuterRef("pk"), CharField()))
    read = Message.objects.filter(store=OuterRef("store"), key=key, sent_at__isnull=False)
    taken = Reward.objects.for_store(store).filter(status=Reward.Status.VOIDED, voided_at__gte=since, voided_at__lte=at)
    for reward in taken.filter(Exists(read)).select_related("customer", "offer").order_by("voided_at", "pk"):
        assert reward.voided_at is not None
        yield Fact(
            reward.customer,
            key=f"reward_voided:{reward.pk}",
            at=reward.voided_at,
            about=f"reward:{reward.pk}",
            values={
                "gift": lazy_offer_text(reward.offer, store),
                "why": REASONS.get(reward.reason, ""),
                "links": own_page(reward.customer),
            },
        )


# A voucher of `ending`.
ENDING = Touch(Voucher, "expires_at", where="status = 'issued'", shift=1)
SWEEPS = (
    Sweep(Kind.REWARD_EXPIRING, _expiring, touches=(ENDING,), when_due=True),
    Sweep(Kind.REWARD_VOIDED, _voided, touches=(Touch(Reward, "voided_at", where="status = 'voided'"),)),
)
