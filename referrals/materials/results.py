"""What print runs brought: openings, people who got a link, gifts taken, purchases, what those cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from referrals.models import Claim, PrintRun, PrintScan, Referral, ShareLink, Visit
from rewards.models import Offer, Redemption, Reward, Voucher
from stores.models import Store

COUNTED = (Referral.Status.PENDING, Referral.Status.APPROVED)


@dataclass(frozen=True)
class Brought:
    """What a run brought until now; money in minor units of the store's currency.

    `joined` got a link of their own (invitations only), `friends` opened a link that stands on the run or was got
    by it. `gifts_minor` is what friends got off these purchases, `rewards_minor` what others were given for
    them; codes cost what they took off a bill, as in the books.
    """

    scans: int = 0
    joined: int = 0
    friends: int = 0
    taken: int = 0
    bought: int = 0
    sales_minor: int = 0
    gifts_minor: int = 0
    rewards_minor: int = 0

    def cost_minor(self, run: PrintRun) -> int:
        """Everything it cost: paper, gifts, rewards."""
        return (run.cost_minor or 0) + self.gifts_minor + self.rewards_minor


def brought(store: Store, runs: Sequence[PrintRun]) -> dict[int, Brought]:
    """By run id; eight statements, however many runs there are."""
    ids = [run.pk for run in runs]
    scans = _scans(store, ids)
    friends = _people(Visit.objects.for_store(store).filter(is_bot=False), "link__run", ids)
    joined = _count(ShareLink.objects.for_store(store), "run", ids)
    taken = _count(Claim.objects.for_store(store), "link__run", ids)
    purchases = _purchases(store, ids)
    gifts, rewards = _gifts(store, purchases), _rewards(store, purchases)
    bought, sales = Counter(one.run for one in purchases), Counter[int]()
    for one in purchases:
        sales[one.run] += one.sales_minor
    return {
        run.pk: Brought(
            scans=friends.get(run.pk, 0) if run.is_gift else scans.get(run.pk, 0),
            joined=0 if run.is_gift else joined.get(run.pk, 0),
            friends=friends.get(run.pk, 0),
            taken=taken.get(run.pk, 0),
            bought=bought[run.pk],
            sales_minor=sales[run.pk],
            gifts_minor=gifts[run.pk],
            rewards_minor=rewards[run.pk],
        )
        for run in runs
    }


def _scans(store: Store, runs: list[int]) -> dict[int, int]:
    return _people(PrintScan.objects.for_store(store).filter(is_bot=False), "run", runs)


def _people(rows: QuerySet[Any], column: str, runs: list[int]) -> dict[int, int]:
    """How many different visitors, by run; the same person on another day is another."""
    found = rows.filter(**{f"{column}__in": runs}).order_by().values_list(column)
    return dict(found.annotate(people=Count("visitor", distinct=True)))


def _count(rows: QuerySet[Any], column: str, runs: list[int]) -> dict[int, int]:
    found = rows.filter(**{f"{column}__in": runs}).order_by().values_list(column)
    return dict(found.annotate(number=Count("pk")))


@dataclass(frozen=True)
class _Purchase:
    run: int
    referral: int
    order: int
    sales_minor: int


def _purchases(store: Store, runs: list[int]) -> list[_Purchase]:
    """Friends' purchases that count, or will when their return window is over."""
    rows = Referral.objects.for_store(store).filter(link__run__in=runs, status__in=COUNTED)
    net = F("order__total_minor") - F("order__refunded_minor")
    found = rows.annotate(net=net).values_list("link__run", "pk", "order_id", "net", "order__currency")
    return [
        _Purchase(run, pk, order, net if currency == store.currency else 0) for run, pk, order, net, currency in found
    ]


def _gifts(store: Store, purchases: Sequence[_Purchase]) -> Counter[int]:
    """By run, what was taken off its purchases."""
    run_of = {one.order: one.run for one in purchases}
    rows = Redemption.objects.for_store(store).filter(order__in=run_of, reversed_at=None, currency=store.currency)
    # Of what a buyer may use, the gift alone: no reward of their own, no code of a leaflet.
    rows = rows.filter(voucher__kind=Voucher.Kind.OFFER, voucher__reward=None, voucher__pool=None)
    found: Counter[int] = Counter()
    for order, amount in rows.order_by().values_list("order").annotate(amount=Sum("discount_minor")):
        found[run_of[order]] += amount
    return found


def _rewards(store: Store, purchases: Sequence[_Purchase]) -> Counter[int]:
    """By run, what was given for its purchases; a reward's key names the referral it was earned by."""
    run_of = {one.referral: one.run for one in purchases}
    everybody = Referral.objects.for_store(store)
    people = everybody.filter(pk__in=run_of)
    holders = Q(customer__in=people.values("advocate")) | Q(customer__in=people.values("friend"))
    holders |= Q(customer__in=everybody.filter(friend__in=people.values("advocate")).values("advocate"))
    given = Reward.objects.for_store(store).filter(key__startswith="referral:").exclude(status=Reward.Status.VOIDED)
    mine = given.filter(holders, offer__currency=store.currency).select_related("offer") if run_of else ()
    by_reward = {one.pk: (one, run_of.get(int(one.key.split(":")[1]))) for one in mine}
    used = _used(store, list(by_reward))
    found: Counter[int] = Counter()
    for reward, run in by_reward.values():
        if run is not None:
            kind = Offer.Kind(reward.offer.kind)
            by_use = kind.is_code and not kind.is_held
            found[run] += used.get(reward.pk, 0) if by_use else reward.amount_minor - reward.reduced_minor
    return found


def _used(store: Store, rewards: list[int]) -> dict[int, int]:
    """By reward, what its code took off bills: that is when a code costs something, and how much."""
    rows = Redemption.objects.for_store(store).filter(voucher__reward__in=rewards, reversed_at=None)
    return dict(rows.order_by().values_list("voucher__reward").annotate(amount=Sum("discount_minor")))
