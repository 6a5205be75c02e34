"""The calendar of messages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from insights.calendar import DAYS, calendar
from stores.access import for_role
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def calendar_page(request: HttpRequest, store: Store) -> HttpResponse:
    """What goes out in the next 14 days, by hour and kind."""
    context = {"nav_key": "messages", "calendar": calendar(store, timezone.now()), "days": DAYS}
    return render(request, "insights/calendar.html", context)
