"""What the words of messages about sharing need, read for many people at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.functional import Promise

from customers.models import Customer
from outreach.starting import Fact
from referrals.models import Program, Referral, ShareLink
from referrals.services.links import landing_url, share_links_of
from referrals.services.programs import programs_for
from rewards import rules
from rewards.models import Tier
from rewards.services.granting import as_steps
from rewards.services.telling import own_page
from rewards.wording import lazy_offer_text
from stores.models import Store


def to_share(store: Store, facts: Sequence[Fact], at: datetime) -> list[dict[str, Any]]:
    """The code, the links and what both sides get, for each fact's person; nothing where no program is theirs."""
    people = [fact.customer for fact in facts]
    programs = programs_for(store, [person.pk for person in people], at)
    rewarded = [person for person in people if person.pk in programs]
    if not rewarded:
        return [{} for _ in facts]
    links = share_links_of(store, dict.fromkeys(rewarded, at))
    ladders = {program.terms.ladder_id for program in programs.values()}
    gains = Gains(store, ladders, [person.pk for person in rewarded])
    return [_to_share(person, programs.get(person.pk), links, gains) for person in people]


def _to_share(person: Customer, program: Program | None, links: dict[int, ShareLink], gains: Gains) -> dict[str, Any]:
    if program is None:
        return {}
    link = links[person.pk]
    return {
        "code": link.code,
        "friend_gets": lazy_offer_text(program.terms.friend_offer, program.store),
        "you_get": gains.next_for(person.pk, program.terms.ladder_id),
        "links": own_page(person) | {"landing": landing_url(link)},
    }


class Gains:
    """What advocates have brought and what is next for them on their ladders, read at once."""

    def __init__(self, store: Store, ladders: Iterable[int], advocates: Iterable[int]) -> None:
        self.store = store
        self.ladders: dict[int, dict[int, Tier]] = {}
        tiers = Tier.objects.for_store(store).filter(ladder__in=set(ladders)).select_related("offer")
        for tier in tiers.order_by("threshold", "gives"):
            self.ladders.setdefault(tier.ladder_id, {})[tier.pk] = tier
        approved = Referral.objects.for_store(store).filter(
            advocate__in=set(advocates), status=Referral.Status.APPROVED
        )
        self.counts: dict[int, int] = dict(
            approved.values("advocate").annotate(number=Count("pk")).values_list("advocate", "number")
        )

    def number(self, advocate: int) -> int:
        """How many of their friends count."""
        return self.counts.get(advocate, 0)

    def next_for(self, advocate: int, ladder: int) -> Promise | str:
        """What their next friend brings them, or what the first step that brings something does; '' for nothing."""
        tiers, number = self.ladders.get(ladder, {}), self.number(advocate) + 1
        steps = as_steps(tiers)
        earned = rules.earned_tiers(steps, number)
        step = earned[0] if earned else rules.next_step(steps, number)
        return lazy_offer_text(tiers[step.pk].offer, self.store) if step else ""

    def step_above(self, advocate: int, ladder: int) -> Tier | None:
        """The next step of the ladder; None at the top."""
        tiers = self.ladders.get(ladder, {})
        step = rules.next_step(as_steps(tiers), self.number(advocate))
        return tiers[step.pk] if step else None

    def reached_with(self, number: int, ladder: int) -> Tier | None:
        """The step that the `number`-th friend reached; not the lowest, of which the first reward tells."""
        tiers = list(self.ladders.get(ladder, {}).values())
        lowest = min((tier.threshold for tier in tiers), default=0)
        return next((tier for tier in tiers if tier.threshold == number > lowest), None)
