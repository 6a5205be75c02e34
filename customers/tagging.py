"""Tags: words a store puts on its customers."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from customers.models import Customer, CustomerTag
from stores.l10n import fold_text
from stores.models import Store

PARTNER = "partner"  # who works with the store: audiences and programs ask for it by name
STAFF = "staff"  # who works in it
LONGEST = 40
MOST_AT_ONCE = 500


class BadTag(ValueError):
    """Not a tag; the text says to people why."""


def folded_tag(typed: str) -> str:
    """The tag as it is kept and compared: no case, no accents, one kind of Persian letters. Raises BadTag.

    So "VIP", "vip" and "Vip " are one tag, and so are the two ways to write a Persian yeh.
    """
    tag = fold_text(typed.replace("\x00", "").lstrip("#"))
    if not tag:
        raise BadTag(_("Write a word for the tag."))
    if len(tag) > LONGEST:
        raise BadTag(_("A tag has at most 40 characters."))
    if "," in tag or "،" in tag:
        raise BadTag(_("One tag at a time, without a comma."))
    return tag


def tag(store: Store, customers: Iterable[int], typed: str) -> int:
    """Put the tag on these customers of the store (by id); returns how many did not have it. Raises BadTag."""
    word = folded_tag(typed)
    known = set(Customer.objects.for_store(store).filter(pk__in=list(customers)).values_list("pk", flat=True))
    tagged = CustomerTag.objects.for_store(store).filter(tag=word, customer__in=known)
    missing = known - set(tagged.values_list("customer_id", flat=True))
    CustomerTag.objects.bulk_create(
        [CustomerTag(store=store, customer_id=pk, tag=word) for pk in sorted(missing)], ignore_conflicts=True
    )
    return len(missing)


def untag(store: Store, customers: Iterable[int], typed: str) -> int:
    """Take the tag off these customers (by id); returns how many had it. Raises BadTag."""
    word = folded_tag(typed)
    rows = CustomerTag.objects.for_store(store).filter(customer__in=list(customers), tag=word)
    return rows.delete()[0]


def set_tags(customer: Customer, typed: Iterable[str]) -> list[str]:
    """Give the customer exactly these tags; returns them as kept. Raises BadTag."""
    wanted = {folded_tag(one) for one in typed}
    mine = CustomerTag.objects.filter(store_id=customer.store_id, customer=customer)
    mine.exclude(tag__in=wanted).delete()
    CustomerTag.objects.bulk_create(
        [CustomerTag(store_id=customer.store_id, customer=customer, tag=one) for one in sorted(wanted)],
        ignore_conflicts=True,
    )
    return sorted(wanted)


def tags_of(customer: Customer) -> list[str]:
    """The customer's tags, by the alphabet."""
    rows = CustomerTag.objects.filter(store_id=customer.store_id, customer=customer)
    return sorted(rows.values_list("tag", flat=True))


def tags_in(store: Store) -> list[str]:
    """Every tag that somebody of the store has."""
    return list(CustomerTag.objects.for_store(store).order_by("tag").values_list("tag", flat=True).distinct())
