"""Why this advocate and not another: what a referral kept of its evidence, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from customers.models import Customer
from referrals.crediting import Why
from referrals.models import Referral
from stores.l10n import format_date
from stores.models import Store

Evidence = Referral.Evidence
# The evidence that was chosen.
CHOSEN: dict[str, Promise] = {
    Evidence.VOUCHER: gettext_lazy("%(friend)s used the gift they had taken from the link of %(advocate)s."),
    Evidence.CODE: gettext_lazy("%(friend)s gave the code %(code)s of %(advocate)s."),
    Evidence.RECEIPT: gettext_lazy("%(friend)s gave the code %(code)s from a receipt or parcel of %(advocate)s."),
    Evidence.CLAIM: gettext_lazy("%(friend)s had taken the gift of %(advocate)s with the same e-mail or phone."),
    Evidence.VISIT: gettext_lazy("%(friend)s came to the shop by the link of %(advocate)s on %(day)s."),
    Evidence.NAME: gettext_lazy("%(friend)s named %(advocate)s as who sent them."),
    Evidence.STAFF: gettext_lazy("Your team credited %(advocate)s: %(words)s"),
}
# The evidence for somebody else.
RIVAL: dict[str, Promise] = {
    Evidence.VOUCHER: gettext_lazy("A gift from the link of %(advocate)s was used as well."),
    Evidence.CODE: gettext_lazy("The code of %(advocate)s was given as well."),
    Evidence.RECEIPT: gettext_lazy("A code from a receipt or parcel of %(advocate)s was given as well."),
    Evidence.CLAIM: gettext_lazy("They had also taken the gift of %(advocate)s."),
    Evidence.VISIT: gettext_lazy("They also came by the link of %(advocate)s on %(day)s."),
    Evidence.NAME: gettext_lazy("They also named %(advocate)s."),
}
WHY_NOT: dict[str, Promise] = {
    Why.LATE: gettext_lazy("That was too long ago."),
    Why.OWN: gettext_lazy("That is the buyer, and nobody is their own friend."),
    Why.BOUND: gettext_lazy("But who takes a gift stays the friend of the customer it came from."),
    Why.WEAKER: gettext_lazy("In your program this counts less."),
    Why.TOUCH: gettext_lazy("Of equal evidence your program takes the first or the last, and this was the other."),
    Why.STAFF: gettext_lazy("Your team decided otherwise."),
}


def evidence_of(referral: Referral) -> str:
    """How it is known that this friend came by that customer, in words."""
    chosen: dict[str, Any] = next(iter(referral.candidates), {})
    said = {
        "friend": isolate(str(referral.friend) if referral.friend else _("A guest")),
        "advocate": isolate(str(referral.advocate)),
        "code": isolate(referral.link.code),
        "day": _day(chosen.get("at"), referral.store),
        "words": isolate(chosen.get("words", "")),
    }
    return str(CHOSEN[referral.evidence]) % said


def rivals_of(store: Store, referrals: Iterable[Referral]) -> dict[int, list[str]]:
    """By referral id, who else spoke for it and why they were not credited; one query at most."""
    rivals = {one.pk: [row for row in one.candidates if row["why_not"] in WHY_NOT] for one in referrals}
    wanted = {row["advocate"] for rows in rivals.values() for row in rows}
    people = Customer.objects.for_store(store).filter(public_id__in=wanted) if wanted else ()
    names = {one.public_id: str(one) for one in people}
    return {pk: list(dict.fromkeys(_in_words(row, names, store) for row in rows)) for pk, rows in rivals.items()}


def _in_words(row: dict[str, Any], names: dict[str, str], store: Store) -> str:
    advocate = names.get(row["advocate"]) or _("somebody who is no longer here")
    said = {"advocate": isolate(advocate), "day": _day(row["at"], store)}
    return f"{str(RIVAL[row['evidence']]) % said} {WHY_NOT[row['why_not']]}"


def _day(at: str | None, store: Store) -> str:
    """The day of a kept moment, as the store's calendar has it; '' where none was kept."""
    return format_date(datetime.fromisoformat(at), get_language() or "en", store.zone) if at else ""


def isolate(text: str) -> str:
    """The text kept together in a line of the other direction (Unicode FSI and PDI)."""
    return f"\u2068{text}\u2069"
