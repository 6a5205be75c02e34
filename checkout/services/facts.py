"""What a device may know ahead, to tell without a line what a code gives.

Codes stand in it as salted hashes: the list tells what a code gives to whoever has the code, and nobody
the codes. Only what cannot change while the permit holds is in it: uses of an offer, once, by anybody, at
this place. Store credit and gift cards (their balance moves) and personal codes need the line.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db.models import F, Q

from checkout.services.permits import Permit
from referrals.models import Claim, ShareLink
from referrals.services.programs import programs_for
from referrals.services.promising import has_room
from rewards.models import Offer, Terms, Voucher
from rewards.services.vouchers import is_given_later
from rewards.wording import offer_text
from stores.models import Store

MOST = 1000  # vouchers, and as many share codes: some 200 KB
HASH_BYTES = 12


def hashed(salt: str, code: str) -> str:
    """A normalised code as the list names it; static/js/counter/facts.js does the same."""
    return urlsafe_b64encode(sha256(f"{salt}:{code}".encode()).digest()[:HASH_BYTES]).decode()


@dataclass
class _List:
    """Offers once each, and codes that name them by their place."""

    store: Store
    salt: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    offers: list[dict[str, Any]] = field(default_factory=list)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)

    def add(self, code: str, offer: Offer, *, who: str, most_minor: int | None = None, again: bool = False) -> None:
        """One code, who sent its bearer, a cap of its own, and whether many may use it."""
        if offer.pk not in self.places:
            self.places[offer.pk] = len(self.offers)
            self.offers.append(_offer(offer, self.store))
        told: dict[str, Any] = {"offer": self.places[offer.pk]}
        if who:
            told["who"] = who
        if most_minor is not None:
            told["most"] = most_minor
        if again:
            told["again"] = True
        self.codes[hashed(self.salt, code)] = told


def _offer(offer: Offer, store: Store) -> dict[str, Any]:
    return {
        "gives": offer_text(offer, store),
        "percent": offer.percent,
        "amount": offer.amount_minor,
        "most": offer.most_minor,
        "minimum": offer.minimum_minor,
    }


def collect(store: Store, permit: Permit, *, at: datetime) -> dict[str, Any]:
    """The list for this permit: salt, offers, codes. A fixed number of queries, and a bounded list."""
    found = _List(store)
    vouchers = list(_vouchers(store, permit, at))
    senders = _senders(store, vouchers)
    for voucher in vouchers:
        assert voucher.offer is not None
        found.add(voucher.code, voucher.offer, who=senders.get(voucher.pk, ""), most_minor=voucher.most_minor)
    for link, terms in _share_codes(store, permit, at):
        found.add(link.code_norm, terms.friend_offer, who=link.customer.short_name, again=True)
    return {"salt": found.salt, "offers": found.offers, "codes": found.codes}


def _is_told(offer: Offer, store: Store, location: int | None) -> bool:
    """Whether a device can work out by itself what the offer takes off."""
    return (
        offer.currency == store.currency
        and not is_given_later(offer)
        and not Offer.Kind(offer.kind).is_held
        and offer.location_id in (None, location)
    )


def _vouchers(store: Store, permit: Permit, at: datetime) -> Iterable[Voucher]:
    """Those that anybody may use once, here, until the permit ends and beyond; the last to end first."""
    until = datetime.fromtimestamp(permit.until, UTC)
    held = Voucher.objects.for_store(store).filter(status=Voucher.Status.ISSUED, kind=Voucher.Kind.OFFER)
    open_ones = held.filter(Q(expires_at=None) | Q(expires_at__gt=until), Q(starts_at=None) | Q(starts_at__lte=at))
    mine = open_ones.filter(Q(location=None) | Q(location=permit.location), uses=1, is_personal=False)
    # expire_due marks a code some minutes after its end: what ends with the permit is left out above.
    rows = mine.select_related("offer").order_by(F("expires_at").desc())[:MOST]
    return (voucher for voucher in rows if _is_told(voucher.offer, store, permit.location))


def _senders(store: Store, vouchers: list[Voucher]) -> dict[int, str]:
    """Who sent the holder of a friend's gift, by the voucher's id."""
    gifts = [voucher.pk for voucher in vouchers if voucher.key.startswith("friend:")]
    taken = Claim.objects.for_store(store).filter(voucher__in=gifts).select_related("link__customer")
    return {claim.voucher_id: claim.link.customer.short_name for claim in taken if claim.voucher_id}


def _share_codes(store: Store, permit: Permit, at: datetime) -> Iterable[tuple[ShareLink, Terms]]:
    """The newest links of people whose friends get something now, with the terms by which they get it."""
    until = datetime.fromtimestamp(permit.until, UTC)
    links = ShareLink.objects.for_store(store).filter(Q(expires_at=None) | Q(expires_at__gt=until))
    newest = list(links.select_related("customer").order_by("-pk")[:MOST])
    programs = programs_for(store, {link.customer_id for link in newest}, at)
    open_terms = {terms.pk: terms for terms in {program.terms for program in programs.values()}}
    given = {pk for pk, terms in open_terms.items() if _is_given(terms, store, permit.location)}
    for link in newest:
        program = programs.get(link.customer_id)
        if program and program.terms_id in given:
            yield link, open_terms[program.terms_id]


def _is_given(terms: Terms, store: Store, location: int | None) -> bool:
    offer = terms.friend_offer
    return offer is not None and not offer.is_personal and _is_told(offer, store, location) and has_room(terms)
