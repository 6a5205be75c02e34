"""Where an advocate stands on their program's ladder. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, prefetch_related_objects
from django.utils.translation import gettext as _

from customers.models import Customer
from referrals.models import Boost, Program, Referral
from rewards.models import Ladder, Tier
from rewards.services import granting
from rewards.wording import offer_text
from stores.models import Store


@dataclass(frozen=True)
class Standing:
    """The steps, lowest first, and how many friends have counted: in all, and lately (days -> number)."""

    tiers: tuple[Tier, ...]
    number: int = 0
    lately: tuple[tuple[int, int], ...] = ()

    def count(self, tier: Tier) -> int:
        """How many count towards a step."""
        return dict(self.lately).get(tier.within_days, 0) if tier.within_days else self.number

    def left(self, tier: Tier) -> int:
        """How many friends the step takes yet; 0 or less when it is behind."""
        count = self.count(tier)
        return tier.threshold - count % tier.threshold if tier.gives == Tier.Gives.EVERY else tier.threshold - count

    @property
    def ahead(self) -> Tier | None:
        """The nearest step that is still to come; None at the top."""
        coming = [tier for tier in self.tiers if self.left(tier) > 0]
        return min(coming, key=self.left) if coming else None

    @property
    def next_reward(self) -> Tier | None:
        """What the next friends bring: what each one earns now, else the nearest step."""
        each = [tier for tier in self.tiers if tier.gives == Tier.Gives.EACH and self.left(tier) <= 1]
        return max(each, key=lambda tier: tier.threshold) if each else self.ahead


def tiers_of(ladder: Ladder) -> tuple[Tier, ...]:
    """The ladder's steps with what may be chosen, lowest first."""
    tiers = tuple(granting.steps_of(ladder).values())
    prefetch_related_objects(tiers, "choices__offer")
    return tiers


def standing_of(store: Store, advocate: Customer | int, ladder: Ladder, at: datetime) -> Standing:
    """Where the advocate stands on the ladder at `at`."""
    tiers = tiers_of(ladder)
    periods = sorted({tier.within_days for tier in tiers if tier.within_days})
    mine = Referral.objects.for_store(store).filter(advocate=advocate, status=Referral.Status.APPROVED)
    lately = {f"in{days}": Count("pk", filter=Q(decided_at__gt=at - timedelta(days=days))) for days in periods}
    counts = mine.aggregate(number=Count("pk"), **lately)
    return Standing(tiers, counts["number"], tuple((days, counts[f"in{days}"]) for days in periods))


def boost_of(program: Program, at: datetime) -> Boost | None:
    """What makes friends' purchases worth more at `at`; of several the largest."""
    running = Boost.objects.for_store(program.store).filter(program=program, starts_at__lte=at, ends_at__gt=at)
    found: Boost | None = running.exclude(stopped_at__lte=at).order_by("-percent").first()
    return found


def gets(tier: Tier, store: Store) -> str:
    """What a step gives in words: "₱150 store credit", or that and what may be picked in its place."""
    return either(offer_text(tier.offer, store), *(offer_text(one.offer, store) for one in tier.choices.all()))


def either(*gifts: str) -> str:
    """Several gifts of which one may be picked."""
    text = gifts[0]
    for gift in gifts[1:]:
        text = _("%(first)s or %(second)s") % {"first": text, "second": gift}
    return text
