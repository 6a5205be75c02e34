"""Finding customers: by what was typed, and by the chips of the list."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers import searching
from customers.models import PARTNER_STORE, Customer, Segment
from stores.models import Store

ADVOCATES, UNHAPPY, UNSUBSCRIBED = "advocates", "unhappy", "unsubscribed"
CHIPS: dict[str, Promise | str] = {
    ADVOCATES: _("Have a share link"),
    UNHAPPY: _("Unhappy"),
    UNSUBSCRIBED: _("No messages please"),
}
# Nameless stand-ins for buyers without a name, who hold the code on a receipt; nobody looks for them.
GUESTS = Q(external_id__startswith="guest:")
# Neither erased nor found to be somebody else, nor standing for a partner store: people.
HERE = Q(erased_at=None, merged_into=None) & ~Q(external_id__startswith=PARTNER_STORE)


def find(store: Store, typed: str, chip: str, *, segment: Segment | None = None, tag: str = "") -> QuerySet[Customer]:
    """The store's customers that match what was typed, the chip, the segment's members and the tag; '' is no filter.

    What finds how: `customers.searching`.
    """
    return look(store, typed, chip, segment=segment, tag=tag).people


@dataclass(frozen=True)
class Look:
    """The customers that were found; `is_cut` when more match than are gone through."""

    people: QuerySet[Customer]
    is_cut: bool = False


def look(store: Store, typed: str, chip: str, *, segment: Segment | None = None, tag: str = "") -> Look:
    """As `find`, and whether that is all."""
    people = _chosen(Customer.objects.for_store(store).filter(HERE).exclude(GUESTS), chip)
    if segment:
        people = people.filter(segments__segment=segment)
    if tag:
        people = people.filter(tags__tag=tag)
    if not typed.strip():
        return Look(people)
    is_chosen = bool(chip or segment or tag)
    found = searching.search(store, typed, most=searching.MOST_OF_CHOSEN if is_chosen else searching.MOST)
    if found.is_cut and is_chosen:  # those who are cut off may be the ones who were chosen
        return Look(searching.among(people, store, typed))
    return Look(people.filter(pk__in=found.ids), found.is_cut)


def _chosen(people: QuerySet[Customer], chip: str) -> QuerySet[Customer]:
    """Share links and cases stand in tables of higher floors; they are reached by their rows' names only."""
    if chip == ADVOCATES:
        return people.filter(share_links__is_main=True)
    if chip == UNHAPPY:
        return people.filter(pk__in=people.filter(cases__isnull=False, cases__ended_at=None).values("pk"))
    if chip == UNSUBSCRIBED:
        said_no = people.filter(consents__granted=False).values("pk")
        return people.filter(pk__in=said_no, email_consent=False, sms_consent=False)
    return people
