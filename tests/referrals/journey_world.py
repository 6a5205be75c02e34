"""What the tests of journeys play with: journeys switched on, friends who claim and buy, time that passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from customers.models import Customer, Order
from customers.services import Person
from outreach.kinds import Kind, Trigger
from outreach.models import Journey, Message
from referrals.models import Claim, Referral, ShareLink
from referrals.services import attribution, claims, deciding, journeying, programs
from referrals.services.terms import OfferTerms, TierTerms, terms_of
from rewards.models import Offer, Tier
from stores.models import Store
from tests.conftest import NOW, make_order_of

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
LONG_AGO = NOW - 1000 * DAY


def switch(store: Store, kind: Kind, *, on: bool = True, since: datetime | None = LONG_AGO, **fields) -> Journey:
    """The store's journey of a kind, on or off; `wait` as a time span."""
    spec = kind.spec
    wait = fields.pop("wait", spec.wait)
    values = {
        "trigger": spec.trigger,
        "wait_minutes": wait // MINUTE,
        "ways": [str(way) for way in spec.ways],
        "is_on": on,
        "started_at": since,
        **fields,
    }
    if kind is Kind.OWN:
        return Journey.objects.create(store=store, kind=kind, name="Own", **values)
    return Journey.objects.update_or_create(store=store, kind=kind, defaults=values)[0]


def own(store: Store, trigger: Trigger, **fields) -> Journey:
    """A message of the owner's own, switched on."""
    return switch(store, Kind.OWN, trigger=trigger, **fields)


def sweep(store: Store, at: datetime, since: datetime | None = None) -> int:
    """Everything beat would have run in the hour before `at`."""
    return journeying.sweep(store, since or at - HOUR, at)


def messages(store: Store, kind: Kind) -> list[Message]:
    """What was planned of a kind, oldest first."""
    return list(Message.objects.for_store(store).filter(kind=kind).select_related("customer").order_by("pk"))


def take_gift(link: ShareLink, name: str = "Bea Cruz", *, at: datetime = NOW, email: str = "") -> Claim:
    """A friend takes the gift of a link."""
    address = email or f"{name.lower().replace(' ', '.')}@example.com"
    return claims.claim(link, Person(name, address), at=at)


def buy(claim: Claim, *, at: datetime = NOW, **facts) -> Order:
    """The friend buys, with their code on the order."""
    person = Person(claim.friend.name, claim.friend.email)
    return make_order_of(claim.link.store, person, at=at, code=claim.voucher.code, **facts)


def refer(link: ShareLink, name: str = "Bea Cruz", *, at: datetime = NOW, **facts) -> Referral:
    """A friend takes the gift and buys."""
    referral = attribution.attribute_order(buy(take_gift(link, name, at=at), at=at, **facts), at=at)
    assert referral is not None
    return referral


def count(referral: Referral, *, at: datetime) -> Referral:
    """Let a referral count at once."""
    fresh = Referral.objects.select_related(*deciding.JOINED).get(pk=referral.pk, store_id=referral.store_id)
    assert deciding.approve_referral(fresh, at=at, by_hand=True)
    return fresh


def ladder(store: Store, *thresholds: int, names: tuple[str, ...] = ()) -> None:
    """Put a ladder of these steps in force: 10 %, 20 %, 30 % ..."""
    before = terms_of(programs.program_of(store))
    named = names or ("",) * len(thresholds)
    steps = [
        TierTerms(threshold, Tier.Gives.EACH, OfferTerms(Offer.Kind.PERCENT_OFF, percent=10 * (place + 1)), name)
        for place, (threshold, name) in enumerate(zip(thresholds, named, strict=True))
    ]
    changed = replace(before, tiers=steps)
    programs.change_program(programs.program_of(store), changed, by=None, at=NOW)


def pause(store: Store) -> None:
    """Pause the program."""
    program = programs.program_of(store)
    programs.set_status(program, program.Status.PAUSED, by=None, at=NOW)


def consenting(customer: Customer) -> Customer:
    """The customer, who agreed to advertising by e-mail."""
    customer.email_consent = True
    customer.save(update_fields=["email_consent"])
    return customer
