"""Words that staff start from when they write to an unhappy person: the store's own, or ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.models import Customer
from outreach.language import BadWords, Shown, compile_words
from outreach.rendering import language_of
from rewards.models import Offer, Reward
from rewards.services.vouchers import voucher_of
from rewards.wording import offer_text
from stores.codes import spaced
from stores.l10n import format_date
from stores.models import Store
from surveys.models import RecoveryCase, ReplyTemplate
from surveys.starters import replies_in

FIELDS = ("name", "store", "product", "gift", "code", "until")
MOST = 12  # replies in one language


@dataclass(frozen=True)
class Reply:
    """A reply to start from; `number` is its place in the list."""

    number: int
    name: str
    text: str


def field_words() -> list[tuple[str, str]]:
    """The fields a reply may name, and what each stands for."""
    return [
        ("name", _("their first name")),
        ("store", _("your store’s name")),
        ("product", _("what they bought")),
        ("gift", _("the voucher you gave, for example “₱100 off”")),
        ("code", _("its code")),
        ("until", _("its last day")),
    ]


def replies(store: Store, language: str) -> list[Reply]:
    """The store's own replies in a language; ours while it has none."""
    own = ReplyTemplate.objects.for_store(store).filter(language=language).order_by("position", "pk")
    known = list(own.values_list("name", "text")) or replies_in(language)
    return [Reply(number, name, text) for number, (name, text) in enumerate(known)]


def has_own(store: Store, language: str) -> bool:
    """Whether the store has replies of its own in a language."""
    return ReplyTemplate.objects.for_store(store).filter(language=language).exists()


def save_replies(store: Store, language: str, wanted: list[tuple[str, str]]) -> None:
    """Put these (name, text) in the place of the store's replies in a language; none brings ours back."""
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # two tabs, one after the other
        ReplyTemplate.objects.for_store(store).filter(language=language).delete()
        if wanted != replies_in(language):
            ReplyTemplate.objects.bulk_create(
                ReplyTemplate(store=store, language=language, name=name, text=text, position=place)
                for place, (name, text) in enumerate(wanted)
            )


def problems_of(text: str) -> list[str]:
    """What is wrong with a reply's text, in words; [] when it can be used."""
    try:
        compile_words(text, FIELDS)
    except BadWords as error:
        return error.problems
    return []


def draft(case: RecoveryCase, reply: Reply, *, product: str, gift: Reward | None) -> str:
    """The reply filled in for a person, in their language: what staff go on writing from."""
    store, customer = case.store, case.customer
    with translation.override(language_of(store, customer)):
        values = {key: Shown(value, value) for key, value in _values(store, customer, product, gift).items()}
    try:
        return compile_words(reply.text, FIELDS).render(values)
    except BadWords:  # written before a rule was made stricter
        return reply.text


def _values(store: Store, customer: Customer, product: str, gift: Reward | None) -> dict[str, Any]:
    values = {"name": customer.first_name, "store": store.name, "product": product}
    voucher = voucher_of(gift) if gift else None
    if gift and voucher:
        until = voucher.expires_at
        day = format_date(until, get_language() or "en", store.zone) if until else ""
        values |= {"gift": gift_text(gift.offer, store), "code": spaced(voucher.code), "until": day}
    return values


def gift_text(offer: Offer, store: Store) -> str:
    """What an apology is worth, in the active language."""
    return offer_text(offer, store)
