"""Offers that are worth more than usual for a while: amounts and percentages grow, with their caps.

A product or a thing of the owner's own cannot. Offers never change, so a grown one is another.
"""

from __future__ import annotations

from rewards.models import Offer

USUAL = 100
FIXED_KINDS = (Offer.Kind.FREE_PRODUCT, Offer.Kind.CUSTOM)  # two of them would be another promise
SAME = (
    "store_id", "kind", "currency", "minimum_minor", "valid_days", "months", "product_id", "words", "is_personal",
    "location_id",
)  # fmt: skip
VALUE = (*SAME, "percent", "amount_minor", "most_minor")


def grown(offer: Offer, percent: int) -> Offer:
    """The offer worth `percent` of what it is; not in the database. At most everything (100 %) is off."""
    if percent == USUAL or offer.kind in FIXED_KINDS:
        return offer
    values = {field: getattr(offer, field) for field in SAME}
    return Offer(
        **values,
        percent=None if offer.percent is None else min(offer.percent * percent // USUAL, 100),
        amount_minor=_scaled(offer.amount_minor, percent),
        most_minor=_scaled(offer.most_minor, percent),
    )


def _scaled(minor: int | None, percent: int) -> int | None:
    return None if minor is None else minor * percent // USUAL


def is_alike(one: Offer, other: Offer) -> bool:
    """Whether two offers promise the same."""
    return all(getattr(one, field) == getattr(other, field) for field in VALUE)


def kept(offer: Offer) -> Offer:
    """The offer in the database: an equal one that is there already, else this one."""
    if offer.pk:
        return offer
    same = Offer.objects.filter(store_id=offer.store_id)
    for field in VALUE:
        value = getattr(offer, field)
        same = same.filter(**({f"{field}__isnull": True} if value is None else {field: value}))
    found: Offer | None = same.order_by("pk").first()
    if found is None:
        offer.save()
    return found or offer
