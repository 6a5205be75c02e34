"""The terms of a program: as the owner writes them, as versions that are kept, as plain values for the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, QuerySet

from customers.models import Order, Product
from referrals.models import Program
from rewards.models import Budget, Ladder, Offer, Terms, Tier, TierChoice
from stores.models import Location, Store
from stores.tenancy import StoreQuerySet

Facts = dict[str, Any]


@dataclass(frozen=True)
class OfferTerms:
    """What an offer is to promise; exactly one of `percent` and `amount_minor` is set. Fields as Offer's."""

    kind: Offer.Kind
    percent: int | None = None
    amount_minor: int | None = None
    minimum_minor: int = 0
    valid_days: int = 90
    most_minor: int | None = None
    months: int | None = 0
    sku: str = ""  # of the free product
    words: str = ""
    is_personal: bool = False
    place: str = ""  # the code of the only location


@dataclass(frozen=True)
class TierTerms:
    """A step of a ladder; `choices` is what may be picked in place of its offer."""

    threshold: int
    gives: Tier.Gives
    offer: OfferTerms
    name: str = ""
    within_days: int | None = None
    choices: Sequence[OfferTerms] = ()


@dataclass(frozen=True)
class Limits:
    """Who and what counts, and how often; fields as Terms'. None is no limit."""

    most_rewards: int | None = None
    most_in_period: int | None = None
    period_days: int = 30
    minimum_order_minor: int = 0
    new_only: bool = True
    look_back_days: int | None = None
    one_a_household: bool = False
    only_products: Sequence[dict[str, str]] = ()
    not_products: Sequence[dict[str, str]] = ()


@dataclass(frozen=True)
class Crediting:
    """Whom to credit, and what a partial refund does; fields as Terms'."""

    visit_days: int = 30
    touch: Terms.Touch = Terms.Touch.LAST
    is_sticky: bool = True
    evidence: Sequence[str] = ()
    refund: Terms.Refund = Terms.Refund.PROPORTION


@dataclass(frozen=True)
class ProgramTerms:
    """Everything an owner decides about a program. Budget and places hold over all its versions; None is no limit."""

    name: str
    friend: OfferTerms
    tiers: Sequence[TierTerms]
    hold_days: int = 14
    claim_days: int = 60
    friend_tiers: Sequence[TierTerms] = ()
    second: OfferTerms | None = None
    limits: Limits = Limits()
    crediting: Crediting = Crediting()
    ceiling_minor: int | None = None
    places: int | None = None


TEN_PERCENT = OfferTerms(Offer.Kind.PERCENT_OFF, percent=10)
DEFAULT_TERMS = ProgramTerms("", TEN_PERCENT, [TierTerms(1, Tier.Gives.EACH, TEN_PERCENT)])


def make_terms(store: Store, budget: Budget, terms: ProgramTerms, *, number: int, at: datetime) -> Terms:
    """A version of a program's terms; never changed, so that what was promised stays known."""
    limits, crediting = asdict(terms.limits), asdict(terms.crediting)
    lists = {name: list(limits.pop(name)) for name in ("only_products", "not_products")}
    return Terms.objects.create(
        store=store,
        budget=budget,
        number=number,
        friend_offer=make_offer(store, terms.friend),
        ladder=make_ladder(store, terms.tiers),
        friend_ladder=make_ladder(store, terms.friend_tiers) if terms.friend_tiers else None,
        second_offer=make_offer(store, terms.second) if terms.second else None,
        hold_days=terms.hold_days,
        claim_days=terms.claim_days,
        typical_minor=average_order(store, at) or 0,
        made_at=at,
        **limits,
        **lists,
        **{**crediting, "evidence": list(crediting["evidence"])},
    )


def average_order(store: Store, at: datetime) -> int | None:
    """The average order of the last year in minor units of the store's currency; None without orders."""
    orders: StoreQuerySet = Order.objects.for_store(store).filter(
        placed_at__gte=at - timedelta(days=365), currency=store.currency, cancelled_at=None, refunded_at=None
    )
    average = orders.aggregate(average=Avg("total_minor"))["average"]
    return int(average) if average else None


def make_offer(store: Store, terms: OfferTerms) -> Offer:
    """A new offer; offers are never changed, so that what was promised stays known."""
    is_product = terms.kind == Offer.Kind.FREE_PRODUCT
    product = Product.objects.for_store(store).filter(sku=terms.sku).first() if is_product else None
    return Offer.objects.create(
        store=store,
        kind=terms.kind,
        percent=terms.percent,
        amount_minor=terms.amount_minor,
        most_minor=terms.most_minor,
        currency=store.currency,
        minimum_minor=terms.minimum_minor,
        valid_days=terms.valid_days,
        months=terms.months,
        product=product,
        words=product.name[:120] if product else terms.words,  # as it was called when it was promised
        is_personal=terms.is_personal,
        location=Location.objects.for_store(store).filter(code=terms.place).first() if terms.place else None,
    )


def make_ladder(store: Store, tiers: Sequence[TierTerms]) -> Ladder:
    """A new ladder with its steps."""
    ladder = Ladder.objects.create(store=store)
    for one in tiers:
        tier = Tier.objects.create(
            store=store,
            ladder=ladder,
            name=one.name,
            threshold=one.threshold,
            gives=one.gives,
            within_days=one.within_days,
            offer=make_offer(store, one.offer),
        )
        TierChoice.objects.bulk_create(
            TierChoice(store=store, tier=tier, offer=make_offer(store, offer)) for offer in one.choices
        )
    return ladder


def uncapped(terms: ProgramTerms) -> list[OfferTerms]:
    """The offers of which nobody knows what they come to: percentages without a cap. A budget bears none."""
    tiers = [*terms.tiers, *terms.friend_tiers]
    offers = [terms.friend, *(offer for tier in tiers for offer in (tier.offer, *tier.choices))]
    offers += [terms.second] if terms.second else []
    return [offer for offer in offers if offer.kind.is_percentage and offer.most_minor is None]


def terms_of(program: Program, version: Terms | None = None) -> ProgramTerms:
    """The program's present terms, or those of an older version under its present name and budget."""
    terms = version or program.terms
    return ProgramTerms(
        name=program.name,
        friend=terms_of_offer(terms.friend_offer),
        tiers=_tiers_of(terms.ladder),
        hold_days=terms.hold_days,
        claim_days=terms.claim_days,
        friend_tiers=_tiers_of(terms.friend_ladder) if terms.friend_ladder else (),
        second=terms_of_offer(terms.second_offer) if terms.second_offer else None,
        limits=Limits(**{field.name: getattr(terms, field.name) for field in fields(Limits)}),
        crediting=Crediting(**{field.name: getattr(terms, field.name) for field in fields(Crediting)}),
        ceiling_minor=program.budget.ceiling_minor,
        places=program.budget.places,
    )


def _tiers_of(ladder: Ladder) -> list[TierTerms]:
    tiers = ladder.tiers.select_related("offer__product").prefetch_related("choices__offer__product")
    return [
        TierTerms(
            one.threshold,
            Tier.Gives(one.gives),
            terms_of_offer(one.offer),
            one.name,
            one.within_days,
            [terms_of_offer(choice.offer) for choice in one.choices.all()],
        )
        for one in tiers.order_by("threshold", "gives")
    ]


def terms_of_offer(offer: Offer) -> OfferTerms:
    """What an offer promises, as it is written down."""
    return OfferTerms(
        Offer.Kind(offer.kind),
        offer.percent,
        offer.amount_minor,
        offer.minimum_minor,
        offer.valid_days,
        offer.most_minor,
        offer.months,
        offer.product.sku if offer.product else "",
        offer.words,
        offer.is_personal,
        offer.location.code if offer.location else "",
    )


def describe(program: Program) -> Facts:
    """The terms as plain values, for the history."""
    return {
        **facts_of(terms_of(program), program.budget.currency),
        "version": program.terms.number,
        "audience": program.audience,
        "starts_at": program.starts_at.isoformat() if program.starts_at else None,
        "ends_at": program.ends_at.isoformat() if program.ends_at else None,
    }


def facts_of(terms: ProgramTerms, currency: str) -> Facts:
    """Terms as plain values, in force or not."""
    plain = asdict(terms)
    listed = {name: [dict(rule) for rule in plain["limits"][name]] for name in ("only_products", "not_products")}
    return {
        "name": terms.name,
        "hold_days": terms.hold_days,
        "claim_days": terms.claim_days,
        "friend": _offer_facts(terms.friend, currency),
        "tiers": [_tier_facts(tier, currency) for tier in _in_order(terms.tiers)],
        "friend_tiers": [_tier_facts(tier, currency) for tier in _in_order(terms.friend_tiers)],
        "second": _offer_facts(terms.second, currency) if terms.second else None,
        "limits": {**plain["limits"], **listed},
        "crediting": {**plain["crediting"], "evidence": list(terms.crediting.evidence)},
        "ceiling_minor": terms.ceiling_minor,
        "places": terms.places,
    }


def terms_from(facts: Facts) -> ProgramTerms:
    """The terms that `facts_of` wrote down; what an older history does not name is as a plain program has it."""
    limits, crediting = dict(facts.get("limits", {})), dict(facts.get("crediting", {}))
    crediting |= {"touch": Terms.Touch(crediting.get("touch", Crediting.touch))}
    crediting |= {"refund": Terms.Refund(crediting.get("refund", Crediting.refund))}
    second = facts.get("second")
    return ProgramTerms(
        name=facts["name"],
        friend=_offer_from(facts["friend"]),
        tiers=[_tier_from(tier) for tier in facts["tiers"]],
        hold_days=facts["hold_days"],
        claim_days=facts["claim_days"],
        friend_tiers=[_tier_from(tier) for tier in facts.get("friend_tiers", [])],
        second=_offer_from(second) if second else None,
        limits=Limits(**limits),
        crediting=Crediting(**crediting),
        ceiling_minor=facts.get("ceiling_minor"),
        places=facts.get("places"),
    )


def _tier_from(facts: Facts) -> TierTerms:
    return TierTerms(
        facts["threshold"],
        Tier.Gives(facts["gives"]),
        _offer_from(facts),
        facts.get("name", ""),
        facts.get("within_days"),
        [_offer_from(one) for one in facts.get("choices", [])],
    )


def _offer_from(facts: Facts) -> OfferTerms:
    named = {field.name: facts[field.name] for field in fields(OfferTerms) if field.name in facts}
    return OfferTerms(**{**named, "kind": Offer.Kind(facts["kind"])})


def _in_order(tiers: Sequence[TierTerms]) -> list[TierTerms]:
    return sorted(tiers, key=lambda tier: (tier.threshold, tier.gives))


def _tier_facts(tier: TierTerms, currency: str) -> Facts:
    return {
        "name": tier.name,
        "threshold": tier.threshold,
        "gives": str(tier.gives),
        "within_days": tier.within_days,
        "choices": [_offer_facts(offer, currency) for offer in tier.choices],
        **_offer_facts(tier.offer, currency),
    }


def _offer_facts(offer: OfferTerms, currency: str) -> Facts:
    return {**asdict(offer), "kind": str(offer.kind), "currency": currency}


def current_ladders(store: Store) -> QuerySet[Any]:
    """The ids of the ladders that the store's programs have now."""
    return Program.objects.for_store(store).values("terms__ladder")
