"""What people of the store do by hand: calls with their script, notes to write, questions at the next visit."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from outreach import staff_tasks
from outreach.kinds import Way
from outreach.models import Task
from stores.access import for_role, me
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store

WAYS = [Way.CALL, Way.NOTE, Way.VISIT]
ENDED = "ended"
MOST_SHEETS = 100  # notes on one print


@require_safe
@for_role(Role.MANAGER)
def tasks(request: HttpRequest, store: Store) -> HttpResponse:
    """What is to do, by way; or what was done lately, with an undo."""
    chosen = request.GET.get("show", "")
    if request.GET.get("format") == "csv":
        return _csv(store, chosen)
    context = {
        "nav_key": "messages",
        "ways": _tabs(store),
        "chosen": chosen if chosen in (*Way.values, ENDED) else "",
        "ended": ENDED,
        "page": _page(store, chosen, request.GET.get("after", "")),
    }
    return render(request, "outreach/dashboard/tasks.html", context)


def _tabs(store: Store) -> list[dict[str, Any]]:
    """Each way with how many wait; one query."""
    waiting = list(staff_tasks.open_tasks(store).order_by().values_list("way", flat=True)[:EXPORT_LIMIT])
    return [{"way": way, "label": way.label, "count": waiting.count(way)} for way in WAYS]


def _page(store: Store, chosen: str, after: str) -> Any:
    if chosen == ENDED:
        return keyset_page(_rows(store, chosen), "ended_at", after)
    return keyset_page(_rows(store, chosen), "due_at", after, oldest_first=True)


def _rows(store: Store, chosen: str) -> Any:
    if chosen == ENDED:
        ended = Task.objects.for_store(store).exclude(ended_at=None)
        return ended.select_related("customer", "message")
    return staff_tasks.open_tasks(store, Way(chosen) if chosen in WAYS else None)


def _csv(store: Store, chosen: str) -> HttpResponse:
    """Exactly what is shown, as a file."""
    header = [_("Customer"), _("Phone"), _("Address"), _("What"), _("Words"), _("When"), _("Status")]
    rows = (
        [
            str(task.customer),
            task.customer.phone,
            task.customer.postal_address,
            task.get_way_display(),
            task.words,
            task.ended_at or task.due_at,
            task.get_status_display(),
        ]
        for task in _rows(store, chosen)[:EXPORT_LIMIT]
    )
    return csv_response("tasks", header, rows)


@require_safe
@for_role(Role.MANAGER)
def notes(request: HttpRequest, store: Store) -> HttpResponse:
    """Every note that waits to be written, one to a sheet with its address, for the printer."""
    rows = staff_tasks.open_tasks(store, Way.NOTE)[:MOST_SHEETS]
    return render(request, "outreach/dashboard/notes.html", {"nav_key": "messages", "rows": rows})


@require_POST
@for_role(Role.MANAGER)
def end_task(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Done, not reached, or did not want to."""
    task = _task(store, public_id)
    outcome = request.POST.get("outcome", "")
    if outcome not in staff_tasks.FATES:
        messages.error(request, _("Choose whether it is done, nobody was reached, or they did not want to."))
        return _back(request, store)
    note = request.POST.get("note", "")[:2000]
    at, by = timezone.now(), request.user
    if staff_tasks.end(task, Task.Status(outcome), note=note, at=at, by=by):  # type: ignore[arg-type]
        messages.success(
            request, _("Noted for %(customer)s. You can undo it under “Ended”.") % {"customer": task.customer}
        )
    else:
        messages.info(request, _("Somebody had ended this task before you."))
    return _back(request, store)


@require_POST
@for_role(Role.MANAGER)
def reopen_task(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Undo."""
    task = _task(store, public_id)
    if staff_tasks.reopen(task, at=timezone.now(), by=me(request)):
        messages.success(request, _("It is to do again."))
    else:
        messages.info(request, _("It is to do already."))
    return _back(request, store)


def _task(store: Store, public_id: str) -> Task:
    found: Task = get_object_or_404(Task.objects.for_store(store).select_related("customer"), public_id=public_id)
    return found


def _back(request: HttpRequest, store: Store) -> HttpResponse:
    """To the list the button was on."""
    chosen = request.POST.get("show", "")
    response = redirect("outreach:tasks", store.slug)
    if chosen in (*Way.values, ENDED):
        response["Location"] += f"?show={chosen}"
    return response
