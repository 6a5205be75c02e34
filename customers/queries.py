"""Finding customers: by what was typed, and by the chips of the list."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import PARTNER_STORE, Customer, Segment
from customers.rules import BadEmail, BadPhone, folded_name, normal_email, normal_phone
from stores.codes import normalise
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
FEW = 50  # matches of an exact search
SHORTEST_CODE = 5


def find(store: Store, typed: str, chip: str, *, segment: Segment | None = None, tag: str = "") -> QuerySet[Customer]:
    """The store's customers that match what was typed, the chip, the segment's members and the tag; '' is no filter.

    An e-mail, a phone, the shop's own number or a code find exactly; anything else is the start of
    a name.
    """
    people = _chosen(Customer.objects.for_store(store).filter(HERE).exclude(GUESTS), chip)
    if segment:
        people = people.filter(segments__segment=segment)
    if tag:
        people = people.filter(tags__tag=tag)
    text = typed.strip()[:200]
    if not text:
        return people
    exact = _exact(store, text)
    return people.filter(pk__in=_as_known_today(store, exact)) if exact else people.filter(name_starts_with(text))


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


def _exact(store: Store, text: str) -> list[int]:
    """Ids of those whom the text names exactly, each way tried by its own index."""
    people = Customer.objects.for_store(store)
    found: set[int] = set(people.filter(external_id=text).values_list("pk", flat=True)[:FEW])
    if "@" in text:
        found.update(people.filter(email_norm=_email(text)).exclude(email_norm="").values_list("pk", flat=True))
    phone = _phone(store, text)
    if phone:
        found.update(people.filter(phone_norm=phone).values_list("pk", flat=True))
    code = normalise(text)
    if len(code) >= SHORTEST_CODE:
        found.update(people.filter(share_links__code_norm=code).values_list("pk", flat=True))
        found.update(people.filter(vouchers__code=code).values_list("pk", flat=True)[:FEW])
    return sorted(found)


def _as_known_today(store: Store, found: list[int]) -> QuerySet[Any]:
    """Their ids; of a row that was merged away, that of whom it leads to."""
    rows = Customer.objects.for_store(store).filter(pk__in=found)
    return rows.annotate(today_id=Coalesce("merged_into_id", "pk")).values("today_id")


def _email(text: str) -> str:
    try:
        return normal_email(text)
    except BadEmail:
        return ""


def _phone(store: Store, text: str) -> str:
    try:
        return normal_phone(text, store.country)
    except BadPhone:
        return ""


def name_starts_with(typed: str) -> Func:
    """The condition that the folded name starts with the folded text.

    starts_with() is leakproof and reads the text_pattern_ops index; LIKE is not, and row-level
    security would keep it out of the index (RELIABILITY rule 38).
    """
    return Func(F("name_norm"), Value(folded_name(typed)), function="starts_with", output_field=BooleanField())
