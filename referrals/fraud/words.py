"""Signals as people read them: what was seen, and how much it weighed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from referrals import changes
from referrals.fraud.rules import Name
from referrals.models import Referral, ReferralEvent, Signal
from stores.models import Store


@dataclass(frozen=True)
class Line:
    """A signal of a referral: in words, and the weight it had on its day."""

    words: str
    weight: int
    at: datetime


@dataclass(frozen=True)
class Step:
    """A step in a referral's past; `by` is '' for the engine."""

    status: str
    reason: str
    by: str
    at: datetime


def lines_of(store: Store, referrals: Iterable[Referral]) -> dict[int, list[Line]]:
    """By referral id, its signals, the heaviest first; one query."""
    found: dict[int, list[Line]] = defaultdict(list)
    rows = Signal.objects.for_store(store).filter(referral__in=[one.pk for one in referrals])
    for row in rows.order_by("-weight", "pk"):
        found[row.referral_id].append(Line(in_words(row.name, row.detail, store), row.weight, row.at))
    return found


def steps_of(store: Store, referrals: Sequence[Referral]) -> dict[int, list[Step]]:
    """By referral id, how it came to where it stands, oldest first; one query."""
    found: dict[int, list[Step]] = defaultdict(list)
    rows = ReferralEvent.objects.for_store(store).filter(referral__in=[one.pk for one in referrals])
    for row in rows.select_related("by").order_by("pk"):
        by = str(row.by) if row.by else ""
        found[row.referral_id].append(Step(row.get_status_display(), row.get_reason_display(), by, row.at))
    return found


def in_words(name: str, detail: dict[str, Any], store: Store) -> str:
    """A signal with what it goes by; a name that is not known any more stays as it is."""
    if name not in Name.values:
        return name
    label = str(Name(name).label)
    more = _more(name, detail, store)
    return f"{label} ({more})" if more else label


def _more(name: str, detail: dict[str, Any], store: Store) -> str:
    count = detail.get("friends") or detail.get("customers") or detail.get("orders") or 0
    shown = {"count": changes.number(count)}
    if name in (Name.SHARED_DEVICE, Name.SHARED_CARD, Name.NETWORK) and count:
        return ngettext("%(count)s other friend", "%(count)s other friends", count) % shown
    if name in (Name.TWIN, Name.RING):
        return ngettext("%(count)s customer", "%(count)s customers", count) % shown
    if name == Name.RETURNS:
        return ngettext("%(count)s order", "%(count)s orders", count) % shown
    if name == Name.FAST:
        seconds = int(detail.get("seconds", 0))
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": changes.number(seconds)}
    if name == Name.VELOCITY:
        words = {"day": changes.number(detail.get("day", 0)), "week": changes.number(detail.get("week", 0))}
        return _("%(day)s on that day, %(week)s in seven days") % words
    if name == Name.FAR_ORDER:
        words = {"low": changes.money(detail.get("low", 0), store), "high": changes.money(detail.get("high", 0), store)}
        return _("usual: %(low)s to %(high)s") % words
    return str(detail.get("site", "")) if name == Name.COUPON_SITE else ""
