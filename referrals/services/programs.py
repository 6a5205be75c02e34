"""A store's program: made with the store, edited by owner and manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.models import Order
from referrals.models import Program
from rewards.models import Ladder, Offer, Tier, Voucher
from stores.codes import public_id
from stores.l10n import exponent
from stores.models import AuditEvent, Membership, Role, Store, User
from stores.services import change_settings
from stores.tenancy import acting_for


@dataclass(frozen=True)
class OfferTerms:
    """What an offer is to promise; exactly one of `percent` and `amount_minor` is set."""

    kind: Offer.Kind
    percent: int | None = None
    amount_minor: int | None = None
    minimum_minor: int = 0
    valid_days: int = 90


@dataclass(frozen=True)
class TierTerms:
    """A step of the ladder."""

    threshold: int
    gives: Tier.Gives
    offer: OfferTerms
    name: str = ""


@dataclass(frozen=True)
class ProgramTerms:
    """Everything an owner decides about the program."""

    name: str
    friend: OfferTerms
    tiers: Sequence[TierTerms]
    hold_days: int = 14
    claim_days: int = 60


TEN_PERCENT = OfferTerms(Offer.Kind.PERCENT_OFF, percent=10)
DEFAULT_TERMS = ProgramTerms("", TEN_PERCENT, [TierTerms(1, Tier.Gives.EACH, TEN_PERCENT)])


def open_store(
    *,
    slug: str,
    name: str,
    currency: str,
    timezone: str = "UTC",
    locale: str = "en",
    country: str = "",
    toman: bool = False,
    owner: User | None = None,
    terms: ProgramTerms = DEFAULT_TERMS,
    at: datetime,
) -> Store:
    """A new store with a running program (by default 10 % off for both sides, 14 days of hold)."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # The wall shows a store only to itself, so its number is needed before its row.
            cursor.execute("SELECT nextval(pg_get_serial_sequence('stores_store', 'id'))")
            number = cursor.fetchone()[0]
        with acting_for(number):
            store = Store.objects.create(
                id=number,
                public_id=public_id(),
                slug=slug,
                name=name,
                currency=currency,
                timezone=timezone,
                locale=locale,
                country=country,
                toman=toman,
                created_at=at,
            )
            if owner:
                Membership.objects.create(store=store, user=owner, role=Role.OWNER)
            Program.objects.create(
                store=store,
                name=terms.name or name,
                friend_offer=make_offer(store, terms.friend),
                ladder=make_ladder(store, terms.tiers),
                hold_days=terms.hold_days,
                claim_days=terms.claim_days,
                created_at=at,
            )
    return store


def make_offer(store: Store, terms: OfferTerms) -> Offer:
    """A new offer; offers are never changed, so that what was promised stays known."""
    return Offer.objects.create(
        store=store,
        kind=terms.kind,
        percent=terms.percent,
        amount_minor=terms.amount_minor,
        currency=store.currency,
        minimum_minor=terms.minimum_minor,
        valid_days=terms.valid_days,
    )


def make_ladder(store: Store, tiers: Sequence[TierTerms]) -> Ladder:
    """A new ladder with its steps."""
    ladder = Ladder.objects.create(store=store)
    for tier in tiers:
        Tier.objects.create(
            store=store,
            ladder=ladder,
            name=tier.name,
            threshold=tier.threshold,
            gives=tier.gives,
            offer=make_offer(store, tier.offer),
        )
    return ladder


def live_program(store: Store) -> Program | None:
    """The store's program if it runs, without its offers."""
    return Program.objects.for_store(store).filter(status=Program.Status.LIVE).first()


def program_of(store: Store) -> Program:
    """The store's program with its friend's offer."""
    return Program.objects.for_store(store).select_related("friend_offer", "ladder", "store").get()


def change_program(program: Program, terms: ProgramTerms, *, by: User | None, at: datetime) -> Program:
    """Put new terms in force. Vouchers and rewards given before keep theirs."""
    with transaction.atomic():
        before = describe(program)
        Program.objects.filter(pk=program.pk, store_id=program.store_id).update(
            name=terms.name,
            friend_offer=make_offer(program.store, terms.friend),
            ladder=make_ladder(program.store, terms.tiers),
            hold_days=terms.hold_days,
            claim_days=terms.claim_days,
            version=program.version + 1,
        )
        changed = program_of(program.store)
        _audit(changed, "program.changed", before, describe(changed), by=by, at=at)
    return changed


class CurrencyInUse(Exception):
    """Orders or vouchers are in the store's currency already."""


def currency_in_use(store: Store) -> bool:
    """Whether the store's currency can no longer change."""
    return Order.objects.for_store(store).exists() or Voucher.objects.for_store(store).exists()


def change_currency(store: Store, currency: str, *, toman: bool, by: User | None, at: datetime) -> None:
    """Put a store that has sold nothing yet on another currency; amounts promised keep their number (10 stays 10).

    Raises CurrencyInUse.
    """
    with transaction.atomic():
        if currency_in_use(store):
            raise CurrencyInUse(store.slug)
        program, before = program_of(store), store.currency
        terms = _in_currency(terms_of(program), before, currency)
        change_settings(store, {"currency": currency, "toman": toman and currency == "IRR"}, by=by, at=at)
        if currency != before:
            program.store = store
            change_program(program, terms, by=by, at=at)


def _in_currency(terms: ProgramTerms, before: str, after: str) -> ProgramTerms:
    def turned(offer: OfferTerms) -> OfferTerms:
        amount = None if offer.amount_minor is None else max(1, rescale(offer.amount_minor, before, after))
        return replace(offer, amount_minor=amount, minimum_minor=rescale(offer.minimum_minor, before, after))

    tiers = [replace(tier, offer=turned(tier.offer)) for tier in terms.tiers]
    return replace(terms, friend=turned(terms.friend), tiers=tiers)


def rescale(minor: int, before: str, after: str) -> int:
    """The same number of whole units in another currency's minor units; what is finer is cut off."""
    return minor * 10 ** exponent(after) // 10 ** exponent(before)


def terms_of(program: Program) -> ProgramTerms:
    """The program's present terms."""
    tiers = program.ladder.tiers.select_related("offer").order_by("threshold", "gives")
    return ProgramTerms(
        name=program.name,
        friend=_terms_of_offer(program.friend_offer),
        tiers=[TierTerms(one.threshold, Tier.Gives(one.gives), _terms_of_offer(one.offer), one.name) for one in tiers],
        hold_days=program.hold_days,
        claim_days=program.claim_days,
    )


def _terms_of_offer(offer: Offer) -> OfferTerms:
    return OfferTerms(Offer.Kind(offer.kind), offer.percent, offer.amount_minor, offer.minimum_minor, offer.valid_days)


def set_status(program: Program, status: Program.Status, *, by: User | None, at: datetime) -> None:
    """Pause the program, or let it run again."""
    with transaction.atomic():
        Program.objects.filter(pk=program.pk, store_id=program.store_id).update(status=status)
        _audit(program, "program.status", {"status": program.status}, {"status": status}, by=by, at=at)
        program.status = status


def describe(program: Program) -> dict[str, Any]:
    """The terms as plain values, for the history."""
    tiers = program.ladder.tiers.select_related("offer").order_by("threshold", "gives")
    return {
        "name": program.name,
        "hold_days": program.hold_days,
        "claim_days": program.claim_days,
        "friend": _offer_facts(program.friend_offer),
        "tiers": [
            {"name": tier.name, "threshold": tier.threshold, "gives": tier.gives, **_offer_facts(tier.offer)}
            for tier in tiers
        ],
    }


def _offer_facts(offer: Offer) -> dict[str, Any]:
    return {
        "kind": offer.kind,
        "percent": offer.percent,
        "amount_minor": offer.amount_minor,
        "minimum_minor": offer.minimum_minor,
        "valid_days": offer.valid_days,
        "currency": offer.currency,
    }


def _audit(
    program: Program, action: str, before: dict[str, Any], after: dict[str, Any], *, by: User | None, at: datetime
) -> None:
    AuditEvent.objects.create(
        store=program.store, at=at, user=by, action=action, subject=program.public_id, before=before, after=after
    )
