"""What the dashboard reads about referrals and the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Prefetch, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext as _

from customers.models import Customer, Order, Product
from referrals import appeals_found
from referrals.fraud import words as signs
from referrals.models import Boost, Program, Referral, ReferralEvent
from referrals.public.ladders import gets
from referrals.reasons import evidence_of, isolate, rivals_of
from referrals.services import naming
from referrals.services.programs import programs_of
from rewards import rules as reward_rules
from rewards.models import Offer, Redemption, Reward, Tier, Voucher
from rewards.services import granting
from rewards.services.statements import BudgetStanding, budget_standings
from rewards.services.vouchers import is_given_later
from rewards.wording import offer_text, tier_text
from stores import lists
from stores.models import Store

WAITING = [Referral.Status.FLAGGED, Referral.Status.PENDING]
DECIDED = [Referral.Status.APPROVED, Referral.Status.VOIDED]
HISTORY, MOST_PRODUCTS = 20, 500


@dataclass
class Row:
    """A referral with what a person needs to decide about it."""

    referral: Referral
    evidence: str
    days: int  # from the order until now
    brings: list[str] = field(default_factory=list)  # what approving gives, in words
    by: str = ""  # who decided; '' for the engine
    signals: list[signs.Line] = field(default_factory=list)  # what speaks against it
    steps: list[signs.Step] = field(default_factory=list)  # how it came to where it stands
    rivals: list[str] = field(default_factory=list)  # who else spoke for it, and why they were not credited


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
        "advocate", "friend", "order", "link", "store", "terms__ladder", "terms__friend_offer"
    )


def counts(store: Store) -> dict[str, int]:
    """How many need a look, and how many wait in all; and the appeals without an answer."""
    mine = Referral.objects.for_store(store).filter(status__in=WAITING)
    referrals = mine.aggregate(waiting=Count("pk"), flagged=Count("pk", filter=Q(status=Referral.Status.FLAGGED)))
    return {**referrals, "appeals": appeals_found.count_waiting(store)}


def waiting_page(store: Store, cursor: str, *, flagged: bool = False) -> lists.Page:
    """A page of `waiting`; `cursor` is what the page before named; `flagged`: only those that need a look."""
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    rows = waiting(store).filter(status=Referral.Status.FLAGGED) if flagged else waiting(store)
    found = list(rows[start : start + lists.PAGE + 1])
    return lists.Page(found[: lists.PAGE], str(start + lists.PAGE) if len(found) > lists.PAGE else "")


def decided_page(store: Store, cursor: str) -> lists.Page:
    """A page of `decided`, latest first."""
    return lists.keyset_page(decided(store), "decided_at", cursor)


def rows_of(store: Store, referrals: Sequence[Referral], at: datetime) -> list[Row]:
    """The referrals with evidence and consequences in words; a fixed number of queries."""
    gifts = _gifts_ahead(store, [one for one in referrals if one.status in WAITING])
    signals, steps = signs.lines_of(store, referrals), signs.steps_of(store, referrals)
    rivals = rivals_of(store, referrals)
    return [
        Row(
            referral=one,
            evidence=evidence_of(one),
            days=max(0, (at - one.order.placed_at).days),
            brings=gifts.get(one.pk, []),
            by=_decider(one) if one.status in DECIDED else "",
            signals=signals[one.pk],
            steps=steps[one.pk],
            rivals=rivals[one.pk],
        )
        for one in referrals
    ]


def _decider(referral: Referral) -> str:
    """Who took the last step; expects `decided`'s prefetched events."""
    event = next(iter(referral.events.all()), None)
    return str(event.by) if event and event.by else ""


def _gifts_ahead(store: Store, referrals: Sequence[Referral]) -> dict[int, list[str]]:
    """By referral id, what approving it now would give to both sides."""
    if not referrals:
        return {}
    ladders = {one.terms.ladder_id: one.terms.ladder for one in referrals}
    steps = {pk: granting.steps_of(ladder) for pk, ladder in ladders.items()}
    done = approved_by(store, {one.advocate_id for one in referrals})
    gifts, given = {}, _have_their_gift(store, referrals)
    for one in referrals:
        tiers = steps[one.terms.ladder_id]
        earned = reward_rules.earned_tiers(granting.as_steps(tiers), done.get(one.advocate_id, 0) + 1)
        gifts[one.pk] = [_to(one.advocate, tiers[step.pk].offer, store) for step in earned]
        if one.friend and (is_given_later(one.terms.friend_offer) or one.pk not in given):
            gifts[one.pk].append(_to(one.friend, one.terms.friend_offer, store))
    return gifts


def _have_their_gift(store: Store, referrals: Sequence[Referral]) -> set[int]:
    """Referrals whose friend has the gift already; many at once of what `claims.gift_was_given` says of one."""
    used = Redemption.objects.for_store(store).filter(order__in=[one.order_id for one in referrals], reversed_at=None)
    orders = set(used.values_list("order_id", flat=True))
    keys = {f"friend:{one.friend_id}" for one in referrals}
    held = set(Voucher.objects.for_store(store).filter(key__in=keys).values_list("key", flat=True))
    return {one.pk for one in referrals if one.order_id in orders or f"friend:{one.friend_id}" in held}


def _to(person: Customer, offer: Offer, store: Store) -> str:
    return _("%(gift)s for %(name)s") % {"gift": offer_text(offer, store), "name": isolate(str(person))}


# -- Buyers who named somebody --

NAMED_FOR = timedelta(days=60)  # so long such an order is offered to be credited
MOST_NAMED = 20


@dataclass(frozen=True)
class Named:
    """An order whose buyer named somebody, and who may be meant."""

    order: Order
    people: list[Customer]


def named_orders(store: Store, at: datetime) -> list[Named]:
    """Lately named advocates whom only a person can tell apart, the latest order first; three queries at most."""
    known = Referral.objects.filter(store=store, order=OuterRef("pk"))
    told = Order.objects.for_store(store).standing().exclude(named="").filter(placed_at__gte=at - NAMED_FOR)
    told = told.filter(name_aside_at=None)
    orders = list(told.filter(~Exists(known)).select_related("customer").order_by("-placed_at")[:MOST_NAMED])
    found = naming.matches(store, {one.named for one in orders}) if orders else {}
    return [Named(one, found[one.named][: naming.MOST]) for one in orders if one.named in found]


def order_named(store: Store, public_id: str) -> Order | None:
    """The order of that public id; None for no id."""
    return Order.objects.for_store(store).filter(public_id=public_id).first() if public_id else None


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


# -- Programs --


@dataclass(frozen=True)
class ProgramRow:
    """A program as the list shows it: `state` also tells one that waits for its start, or is past its end."""

    program: Program
    state: str
    friend_gets: str
    you_get: list[str]
    budget: BudgetStanding
    boost: Boost | None

    @property
    def parts(self) -> list[tuple[str, int, float]]:
        """The bar: name, amount and percent of the ceiling, of what is paid, owed and promised."""
        ceiling = self.budget.ceiling_minor
        amounts = [
            ("paid", self.budget.paid_minor),
            ("held", self.budget.held_minor),
            ("promised", self.budget.promised_minor),
        ]
        return [(name, amount, round(100 * max(amount, 0) / ceiling, 2) if ceiling else 0) for name, amount in amounts]


def program_rows(store: Store, at: datetime) -> list[ProgramRow]:
    """The store's programs: running ones first, then the newest; a fixed number of queries."""
    shared = programs_of(store).exclude(audience=Program.Audience.STORES)
    rows = _rows(store, list(shared.order_by("-pk")), at)
    return sorted(rows, key=lambda row: ORDER.index(row.state))


def row_of(program: Program, at: datetime) -> ProgramRow:
    """One program as the list shows it."""
    return _rows(program.store, [program], at)[0]


def _rows(store: Store, found: list[Program], at: datetime) -> list[ProgramRow]:
    standings = budget_standings(store, [one.budget for one in found], at)
    steps = _steps_of(store, [one.terms.ladder_id for one in found])
    boosts = {boost.program_id: boost for boost in running_boosts(store, at)}
    return [
        ProgramRow(
            program=one,
            state=state_of(one, at),
            friend_gets=offer_text(one.terms.friend_offer, store),
            you_get=[_step_text(tier, store) for tier in steps.get(one.terms.ladder_id, [])],
            budget=standings[one.budget_id],
            boost=boosts.get(one.pk),
        )
        for one in found
    ]


def _step_text(tier: Tier, store: Store) -> str:
    return _("%(step)s: %(gift)s") % {"step": tier_text(tier), "gift": gets(tier, store)}


ORDER = ["live", "coming", "draft", "paused", "over", "ended"]


def state_of(program: Program, at: datetime) -> str:
    """The program's status; of one that is published also whether it is still to come, or over."""
    if program.status != Program.Status.LIVE or program.is_open(at):
        return str(program.status)
    return "coming" if program.starts_at and at < program.starts_at else "over"


def _steps_of(store: Store, ladders: Iterable[int]) -> dict[int, list[Tier]]:
    rows: dict[int, list[Tier]] = {}
    tiers = Tier.objects.for_store(store).filter(ladder__in=list(ladders)).select_related("offer")
    for tier in tiers.order_by("threshold", "gives").prefetch_related("choices__offer"):
        rows.setdefault(tier.ladder_id, []).append(tier)
    return rows


def running_boosts(store: Store, at: datetime) -> QuerySet[Boost]:
    """Boosts in force at `at`, the largest last."""
    rows: QuerySet[Boost] = Boost.objects.for_store(store).filter(starts_at__lte=at, ends_at__gt=at)
    return rows.filter(Q(stopped_at=None) | Q(stopped_at__gt=at)).order_by("percent")


def boosts_of(program: Program) -> QuerySet[Boost]:
    """The program's boosts, the latest first."""
    rows: QuerySet[Boost] = Boost.objects.for_store(program.store).filter(program=program)
    return rows.order_by("-starts_at", "-pk")[:HISTORY]


def products_to_pick(store: Store) -> QuerySet[Product]:
    """Products to choose a free one from, by name; a person can type any other."""
    rows: QuerySet[Product] = Product.objects.for_store(store).order_by("name")
    return rows[:MOST_PRODUCTS]
