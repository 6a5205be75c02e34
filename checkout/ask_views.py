"""What to ask in person: tasks that wait for the customer's next visit."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from checkout import pages
from checkout.access import at_counter
from customers.models import Customer
from outreach import staff_tasks
from outreach.models import Task
from rewards.models import Redemption
from stores.models import Store

MOST_ROWS = 100


def asks_for(store: Store, customer: Customer | None) -> list[Task]:
    """What to ask the customer at the till; nothing for somebody unknown."""
    return staff_tasks.to_ask(store, customer, timezone.now()) if customer else []


def buyer_of(redemption: Redemption) -> Customer | None:
    """Who stands at the till: the voucher's holder, or the order's customer."""
    return redemption.voucher.customer or (redemption.order.customer if redemption.order else None)


@require_safe
@at_counter
def asks(request: HttpRequest, store: Store) -> HttpResponse:
    """Everybody whom somebody should ask at their next visit."""
    rows = staff_tasks.open_tasks(store, staff_tasks.NEXT_VISIT).filter(due_at__lte=timezone.now())[:MOST_ROWS]
    undo = request.session.pop("asked", "")
    return render(request, "checkout/asks.html", pages.frame(request, store, rows=rows, undo=undo))


def _task(store: Store, public_id: str) -> Task:
    """A question for the visit: the counter ends nothing else."""
    rows = Task.objects.for_store(store).filter(way=staff_tasks.NEXT_VISIT)
    found: Task = get_object_or_404(rows, public_id=public_id)
    return found


@require_POST
@at_counter
def asked(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """They were asked, or did not want to be."""
    task = _task(store, public_id)
    status = Task.Status.DECLINED if request.POST.get("outcome") == Task.Status.DECLINED else Task.Status.DONE
    if staff_tasks.end(task, status, at=timezone.now(), by=pages.cashier(request)):
        request.session["asked"] = task.public_id  # the next page offers an undo
        messages.success(request, _("Noted. Thank you for asking."))
    else:
        messages.info(request, _("Somebody had noted this before you."))
    return redirect("checkout:asks", store.slug)


@require_POST
@at_counter
def unasked(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Undo."""
    staff_tasks.reopen(_task(store, public_id), at=timezone.now(), by=pages.cashier(request))
    return redirect("checkout:asks", store.slug)
