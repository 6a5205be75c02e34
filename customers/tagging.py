"""Tags: words a store puts on its customers."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from customers.models import Customer, CustomerTag
from stores.l10n import fold_text
from stores.models import Store

PARTNER = "partner"  # who works with the store: audiences and programs ask for it by name
STAFF = "staff"  # who works in it
LONGEST = 40
MOST_AT_ONCE = 500
# From each tag to the next in the index, instead of through all its rows.
_EVERY_TAG = """
    WITH RECURSIVE found(tag) AS (
        (SELECT tag FROM customers_customertag WHERE store_id = %s ORDER BY tag LIMIT 1)
        UNION ALL
        SELECT (SELECT tag FROM customers_customertag AS next
                WHERE next.store_id = %s AND next.tag > found.tag ORDER BY tag LIMIT 1)
        FROM found WHERE found.tag IS NOT NULL
    )
    SELECT tag FROM found WHERE tag IS NOT NULL
"""


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
    return len(tag_new(store, customers, typed))


def tag_new(store: Store, customers: Iterable[int], typed: str) -> set[int]:
    """As `tag`; returns the ids of those who did not have it, so that it can be undone."""
    word = folded_tag(typed)
    known = set(Customer.objects.for_store(store).filter(pk__in=list(customers)).values_list("pk", flat=True))
    tagged = CustomerTag.objects.for_store(store).filter(tag=word, customer__in=known)
    missing = known - set(tagged.values_list("customer_id", flat=True))
    CustomerTag.objects.bulk_create(
        [CustomerTag(store=store, customer_id=pk, tag=word) for pk in sorted(missing)], ignore_conflicts=True
    )
    return missing


def untag(store: Store, customers: Iterable[int], typed: str) -> int:
    """Take the tag off these customers (by id); returns how many had it. Raises BadTag."""
    return len(untag_known(store, customers, typed))


def untag_known(store: Store, customers: Iterable[int], typed: str) -> set[int]:
    """As `untag`; returns the ids of those who had it, so that it can be undone."""
    word = folded_tag(typed)
    rows = CustomerTag.objects.for_store(store).filter(customer__in=list(customers), tag=word)
    known = set(rows.select_for_update().values_list("customer_id", flat=True))
    rows.delete()
    return known


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
    """Every tag that somebody of the store has; as quick for a million tagged customers as for ten."""
    with connection.cursor() as cursor:
        cursor.execute(_EVERY_TAG, [store.pk, store.pk])
        return [tag for (tag,) in cursor.fetchall()]
