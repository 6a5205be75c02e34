"""What is understood of a file, as rows of a table."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from customers.importing.orders import ReadOrder
from customers.importing.people import ReadPerson
from customers.importing.working import Read
from customers.models import Import
from stores.l10n import format_date, format_list, format_money, format_number
from stores.models import Store

# Why a row of a file stays when the file is taken back.
WHY_STAYS = {
    "before": _lazy("Stays: was known before the file came"),
    "orders": _lazy("Stays: has orders from elsewhere by now"),
    "messages": _lazy("Stays: was written to"),
    "answers": _lazy("Stays: was asked or has answered"),
    "friends": _lazy("Stays: has a link, or friends who came"),
    "rewards": _lazy("Stays: has rewards or codes"),
    "changed": _lazy("Stays: was changed since"),
}


def why_stays(reason: str) -> str:
    """The reason in words."""
    return str(WHY_STAYS.get(reason, reason))


def header(kind: str) -> list[str]:
    """The titles over `cells`."""
    if kind == Import.Kind.CUSTOMERS:
        return [_("Name"), _("E-mail"), _("Phone"), _("Your number"), _("Tags")]
    return [_("Order"), _("Ordered on"), _("Total"), _("Customer"), _("Products")]


def cells(store: Store, one: Read) -> list[str]:
    """A customer or order as it will be taken in; nothing for one that will not."""
    if isinstance(one, ReadPerson):
        return _person(one)
    return _order(store, one)


def _person(one: ReadPerson) -> list[str]:
    if one.person is None:
        return []
    language = get_language() or "en"
    person = one.person
    return [person.name, person.email, person.phone, person.external_id, format_list(one.tags, language)]


def _order(store: Store, one: ReadOrder) -> list[str]:
    data, language = one.data, get_language() or "en"
    if data is None:
        return []
    person = data.person
    return [
        data.external_id,
        format_date(data.placed_at, language, store.zone),
        format_money(data.total_minor, data.currency, language, toman=store.toman),
        (person.name or person.email or person.phone or person.external_id) if person else "",
        format_number(len(data.lines), language),
    ]
