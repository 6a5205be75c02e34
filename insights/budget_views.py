"""How the programs' budgets stand, at any date."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from referrals.models import Program
from rewards import spans
from rewards.services.statements import budget_standings
from stores.access import for_role
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def budgets(request: HttpRequest, store: Store) -> HttpResponse:
    """Each program: promised, earned, paid, expired, against its ceiling and places."""
    typed, now = request.GET.get("on", ""), timezone.now()
    read = spans.read_day(typed)
    on = read or now.astimezone(store.zone).date()
    programs = list(Program.objects.for_store(store).select_related("budget").order_by("status", "-created_at", "pk"))
    standings = budget_standings(store, [one.budget for one in programs], spans.ends_at(on, store.zone))
    context = {
        "nav_key": "rewards",
        "rows": [(one, standings[one.budget_id]) for one in programs],
        "on": on,
        "typed": typed,
        "is_unread": bool(typed) and read is None,
    }
    return render(request, "insights/budgets.html", context)
