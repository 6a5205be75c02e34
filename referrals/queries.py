"""What the dashboard reads about referrals and the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Case, Count, IntegerField, Prefetch, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Customer, Order
from referrals import changes
from referrals.models import Program, Referral, ReferralEvent
from referrals.services.claims import gives_credit_later
from referrals.services.programs import OfferTerms, describe
from rewards import rules as reward_rules
from rewards.models import Offer, Redemption, Reward, Tier, Voucher
from rewards.services import granting
from rewards.wording import offer_text
from stores import lists
from stores.l10n import exponent
from stores.models import AuditEvent, Store
from stores.tenancy import StoreQuerySet

WAITING = [Referral.Status.FLAGGED, Referral.Status.PENDING]
DECIDED = [Referral.Status.APPROVED, Referral.Status.VOIDED]
HISTORY = 20
CHEAP_UNTIL = 100  # in the money people count in. Source: EFFECTIVENESS, "% off when cheap, amount when dear" [15]


@dataclass
class Row:
    """A referral with what a person needs to decide about it."""

    referral: Referral
    evidence: str
    days: int  # from the order until now
    brings: list[str] = field(default_factory=list)  # what approving gives, in words
    by: str = ""  # who decided; '' for the engine


def waiting(store: Store) -> QuerySet[Referral]:
    """What can still be decided: those that need a look first, then by the day they count by themselves."""
    rank = Case(When(status=Referral.Status.FLAGGED, then=Value(0)), default=Value(1), output_field=IntegerField())
    return with_people(store).filter(status__in=WAITING).order_by(rank, "hold_until", "pk")


def decided(store: Store) -> QuerySet[Referral]:
    """What was decided, by people or by the engine."""
    events = Prefetch("events", ReferralEvent.objects.select_related("by").order_by("-pk"))
    return with_people(store).filter(status__in=DECIDED).prefetch_related(events)


def with_people(store: Store) -> QuerySet[Referral]:
    """The store's referrals with everybody and everything a row names."""
    return Referral.objects.for_store(store).select_related(
        "advocate", "friend", "order", "link", "store", "ladder", "friend_offer"
    )


def counts(store: Store) -> dict[str, int]:
    """How many need a look, and how many wait in all."""
    mine = Referral.objects.for_store(store).filter(status__in=WAITING)
    return mine.aggregate(waiting=Count("pk"), flagged=Count("pk", filter=Q(status=Referral.Status.FLAGGED)))


def waiting_page(store: Store, cursor: str) -> lists.Page:
    """A page of `waiting`; `cursor` is what the page before named."""
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    found = list(waiting(store)[start : start + lists.PAGE + 1])
    return lists.Page(found[: lists.PAGE], str(start + lists.PAGE) if len(found) > lists.PAGE else "")


def decided_page(store: Store, cursor: str) -> lists.Page:
    """A page of `decided`, latest first."""
    return lists.keyset_page(decided(store), "decided_at", cursor)


def rows_of(store: Store, referrals: Sequence[Referral], at: datetime) -> list[Row]:
    """The referrals with evidence and consequences in words; a fixed number of queries."""
    gifts = _gifts_ahead(store, [one for one in referrals if one.status in WAITING])
    return [
        Row(
            referral=one,
            evidence=evidence_of(one),
            days=max(0, (at - one.order.placed_at).days),
            brings=gifts.get(one.pk, []),
            by=_decider(one) if one.status in DECIDED else "",
        )
        for one in referrals
    ]


def evidence_of(referral: Referral) -> str:
    """How it is known that this friend came by that customer, in words."""
    words = {
        "friend": isolate(_friend(referral)),
        "advocate": isolate(str(referral.advocate)),
        "code": isolate(referral.link.code),
    }
    if referral.evidence == Referral.Evidence.VOUCHER:
        return _("%(friend)s used the gift they had taken from the link of %(advocate)s.") % words
    if referral.evidence == Referral.Evidence.CODE:
        return _("%(friend)s gave the code %(code)s of %(advocate)s.") % words
    return _("%(friend)s had taken the gift of %(advocate)s with the same e-mail or phone.") % words


def isolate(text: str) -> str:
    """The text kept together in a line of the other direction (Unicode FSI and PDI)."""
    return f"\u2068{text}\u2069"


def _friend(referral: Referral) -> str:
    return str(referral.friend) if referral.friend else _("A guest")


def _decider(referral: Referral) -> str:
    """Who took the last step; expects `decided`'s prefetched events."""
    event = next(iter(referral.events.all()), None)
    return str(event.by) if event and event.by else ""


def _gifts_ahead(store: Store, referrals: Sequence[Referral]) -> dict[int, list[str]]:
    """By referral id, what approving it now would give to both sides."""
    if not referrals:
        return {}
    ladders = {pk: granting.steps_of(ladder) for pk, ladder in {one.ladder_id: one.ladder for one in referrals}.items()}
    done = approved_by(store, {one.advocate_id for one in referrals})
    gifts, given = {}, _have_their_gift(store, referrals)
    for one in referrals:
        tiers = ladders[one.ladder_id]
        earned = reward_rules.earned_tiers(granting.as_steps(tiers), done.get(one.advocate_id, 0) + 1)
        gifts[one.pk] = [_to(one.advocate, tiers[step.pk].offer, store) for step in earned]
        if one.friend and (gives_credit_later(one.friend_offer) or one.pk not in given):
            gifts[one.pk].append(_to(one.friend, one.friend_offer, store))
    return gifts


def _have_their_gift(store: Store, referrals: Sequence[Referral]) -> set[int]:
    """Referrals whose friend has the gift already; many at once of what `attribution.gift_was_given` says of one."""
    used = Redemption.objects.for_store(store).filter(order__in=[one.order_id for one in referrals], reversed_at=None)
    orders = set(used.values_list("order_id", flat=True))
    keys = {f"friend:{one.friend_id}" for one in referrals}
    held = set(Voucher.objects.for_store(store).filter(key__in=keys).values_list("key", flat=True))
    return {one.pk for one in referrals if one.order_id in orders or f"friend:{one.friend_id}" in held}


def _to(person: Customer, offer: Offer, store: Store) -> str:
    return _("%(gift)s for %(name)s") % {"gift": offer_text(offer, store), "name": isolate(str(person))}


def approved_by(store: Store, advocates: Iterable[int]) -> dict[int, int]:
    """How many approved referrals each of these customers has."""
    mine = Referral.objects.for_store(store).filter(advocate__in=list(advocates), status=Referral.Status.APPROVED)
    return dict(mine.order_by().values_list("advocate").annotate(n=Count("pk")))


@dataclass(frozen=True)
class Loss:
    """A reward that is taken back; `used_minor` of it was spent already and becomes owed."""

    who: str
    gift: str
    used_minor: int


def losses(store: Store, referrals: Sequence[Referral]) -> list[Loss]:
    """What both sides lose when these referrals stop counting, as `deciding.void_referral` would take it."""
    approved = [one for one in referrals if one.status == Referral.Status.APPROVED]
    if not approved:
        return []
    keys = [f"referral:{one.pk}:{side}" for one in approved for side in ("advocate", "friend")]
    fewer = Counter(one.advocate_id for one in approved)
    lost = Q(key__in=keys)
    for advocate, number in approved_by(store, fewer).items():
        above = Q(customer=advocate, tier__threshold__gt=number - fewer[advocate], tier__gives=Tier.Gives.ONCE)
        lost |= above
    rewards = Reward.objects.for_store(store).filter(lost, status=Reward.Status.GRANTED)
    found = list(rewards.select_related("customer", "offer", "voucher").order_by("pk"))
    used = _used(store, [voucher.pk for voucher in map(voucher_of, found) if voucher])
    return [
        Loss(str(one.customer), offer_text(one.offer, store), used.get(getattr(voucher_of(one), "pk", 0), 0))
        for one in found
    ]


def voucher_of(reward: Reward) -> Voucher | None:
    """The reward's voucher; store credit has none."""
    return getattr(reward, "voucher", None)


def _used(store: Store, vouchers: list[int]) -> dict[int, int]:
    live = Redemption.objects.for_store(store).filter(voucher__in=vouchers, reversed_at=None)
    return dict(live.order_by().values_list("voucher").annotate(total=Sum("discount_minor")))


def order_total(referrals: Iterable[Referral]) -> int:
    """What the friends' orders come to, in minor units."""
    return sum(one.order.total_minor for one in referrals)


# -- The program --


def effects(store: Store) -> list[str]:
    """Whom new terms do not touch, and whom they do."""
    given = Voucher.objects.for_store(store).filter(status=Voucher.Status.ISSUED, kind=Voucher.Kind.OFFER).count()
    coming = Referral.objects.for_store(store).filter(status__in=WAITING).count()
    lines = []
    if given:
        words = ngettext(
            "%(count)s gift or reward is given and not used yet: it keeps what it promised.",
            "%(count)s gifts and rewards are given and not used yet: they keep what they promised.",
            given,
        )
        lines.append(words % {"count": changes.number(given)})
    if coming:
        words = ngettext(
            "%(count)s purchase of a friend waits to be counted: it is rewarded by the steps of its day.",
            "%(count)s purchases of friends wait to be counted: they are rewarded by the steps of their day.",
            coming,
        )
        lines.append(words % {"count": changes.number(coming)})
    return lines or [_("Nobody holds a gift or waits for a reward yet.")]


@dataclass(frozen=True)
class Version:
    """A change of the program in the past."""

    at: datetime
    by: str
    lines: list[str]


def history(program: Program) -> list[Version]:
    """The latest changes of the program in words, newest first."""
    events = AuditEvent.objects.for_store(program.store).filter(
        action__in=["program.changed", "program.status"], subject=program.public_id
    )
    return [
        Version(event.at, str(event.user or ""), changes.in_words(event.before, event.after, program.store))
        for event in events.select_related("user").order_by("-at", "-pk")[:HISTORY]
    ]


def average_order(store: Store, at: datetime) -> int | None:
    """The average order of the last year in minor units of the store's currency; None without orders."""
    orders: StoreQuerySet = Order.objects.for_store(store).filter(
        placed_at__gte=at - timedelta(days=365), currency=store.currency, cancelled_at=None, refunded_at=None
    )
    average = orders.aggregate(average=Avg("total_minor"))["average"]
    return int(average) if average else None


def advice(terms: OfferTerms, store: Store, average_minor: int | None) -> str:
    """Percentages look bigger on cheap goods, amounts on dear ones, by the store's own average order."""
    if not average_minor:
        return ""
    words = {"average": _money(average_minor, store)}
    is_dear = average_minor > CHEAP_UNTIL * 10 ** (exponent(store.currency) + store.toman)
    if terms.percent is not None and is_dear:
        words |= {
            "percent": changes.number(terms.percent),
            "amount": _money(average_minor * terms.percent // 100, store),
        }
        return (
            _(
                "Your average order is %(average)s. For dear goods an amount looks bigger: "
                "%(amount)s off costs you about the same as %(percent)s%%."
            )
            % words
        )
    if terms.amount_minor and not is_dear:
        share = max(1, round(100 * terms.amount_minor / average_minor))
        words["percent"] = changes.number(share)
        return (
            _(
                "Your average order is %(average)s. For cheap goods a percentage looks bigger: "
                "%(percent)s%% off costs you about the same."
            )
            % words
        )
    return _("Your average order is %(average)s: this kind of gift suits it.") % words


def _money(minor: int, store: Store) -> str:
    return changes.money(minor, store)


def preview(program: Program, after: changes.Facts, store: Store) -> dict[str, Any]:
    """What saving would change, and for whom."""
    lines = changes.in_words(describe(program), after, store)
    return {"changes": lines, "effects": effects(store) if lines else []}
