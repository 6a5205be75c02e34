"""The side bar of the dashboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from insights.numbers.todo import WAITING
from referrals.models import Referral
from stores.models import Role, Store
from surveys.models import RecoveryCase


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav` for managers and owners inside a store: what there is, and how many wait there.

    Unhappy customers counts open cases. Approvals counts flagged and pending referrals alike: a
    manager may decide about either before its return window is over. Two queries.
    """
    store: Store | None = getattr(request, "store", None)
    role: Role | None = getattr(request, "role", None)
    if store is None or role is None or not role.covers(Role.MANAGER):
        return {"nav": []}
    counts = {
        "unhappy": RecoveryCase.objects.for_store(store).filter(status=RecoveryCase.Status.OPEN).count(),
        "approvals": Referral.objects.for_store(store).filter(status__in=WAITING).count(),
    }
    return {"nav": [_item(store, counts, *place) for place in _places()]}


def _item(store: Store, counts: dict[str, int], key: str, label: str, name: str, icon: str) -> dict[str, Any]:
    url = reverse(name, args=[store.slug])
    return {"key": key, "label": label, "url": url, "icon": icon, "count": counts.get(key, 0)}


def _places() -> list[tuple[str, str, str, str]]:
    """Key, label, URL name and icon of each page, in the order of use."""
    return [
        ("home", _("Home"), "insights:home", "home"),
        ("customers", _("Customers"), "customers:list", "users"),
        ("unhappy", _("Unhappy customers"), "surveys:cases", "mood-sad"),
        ("approvals", _("Approvals"), "referrals:approvals", "clipboard-check"),
        ("messages", _("Messages"), "insights:messages", "message"),
        ("program", _("Program & rewards"), "referrals:programs", "gift"),
        ("rewards", _("Rewards"), "rewards:list", "coin"),
        ("materials", _("Share materials"), "referrals:materials", "printer"),
        ("testimonials", _("Testimonials"), "surveys:testimonials", "quote"),
        ("reports", _("Reports"), "insights:reports", "chart-line"),
        ("settings", _("Settings"), "stores:settings", "settings"),
    ]
