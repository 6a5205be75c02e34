"""Customers' words: which may be shown, which are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from outreach.journeys import journey_of
from outreach.kinds import Kind
from stores.access import for_role, me
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store
from surveys.models import Response, Testimonial, TestimonialEvent
from surveys.services import testimonials

Status = Testimonial.Status
SHOWN = {
    "new": Q(status=Status.GRANTED, is_published=False),
    "public": Q(status=Status.GRANTED, is_published=True),
    "asked": Q(status=Status.ASKED),
    "no": Q(status__in=[Status.DECLINED, Status.REVOKED]),
}


@for_role(Role.MANAGER)
@require_GET
def words(request: HttpRequest, store: Store) -> HttpResponse:
    """Testimonials by what became of them; `?show=could` lists happy comments nobody asked about."""
    typed, now = request.GET.get("show", ""), timezone.now()
    counts = _counts(store)
    show = typed if typed in {*SHOWN, "could"} else "new" if counts["new"] or not counts["public"] else "public"
    rows, column = _rows(store, show, now)
    if request.GET.get("format") == "csv":
        return _as_csv(rows, show)
    context = {
        "nav_key": "testimonials",
        "show": show,
        "counts": counts,
        "page": keyset_page(rows, column, request.GET.get("after", "")),
        "is_on": journey_of(store, Kind.TESTIMONIAL).is_on,
    }
    return render(request, "surveys/dashboard/testimonials.html", context)


def _counts(store: Store) -> dict[str, int]:
    rows = Testimonial.objects.for_store(store)
    return rows.aggregate(**{name: Count("pk", filter=chosen) for name, chosen in SHOWN.items()})


def _rows(store: Store, show: str, at: datetime) -> tuple[QuerySet[Any], str]:
    """The rows of a choice, and the time they stand by."""
    if show == "could":
        return testimonials.could_ask(store, at), "at"
    rows = Testimonial.objects.for_store(store).filter(SHOWN[show]).select_related("customer", "response")
    return rows, "asked_at"


def _as_csv(rows: QuerySet[Any], show: str) -> HttpResponse:
    if show == "could":
        header = [_("Customer"), _("Score"), _("Comment"), _("Answered")]
        lines = ([row.customer, row.score, row.comment, row.at] for row in rows.order_by("-at")[:EXPORT_LIMIT])
        return csv_response("could-ask", header, lines)
    header = [
        _("Customer"),
        _("Shown as"),
        _("Words"),
        _("State"),
        _("Shown"),
        _("Asked on"),
        _("Decided"),
        _("They agreed to"),
    ]
    newest = rows.order_by("-asked_at")[:EXPORT_LIMIT]
    lines = (
        [row.customer, row.shown_name, row.text, row.get_status_display(), int(row.is_published), row.asked_at,
         row.decided_at, row.permission]
        for row in newest
    )  # fmt: skip
    return csv_response("testimonials", header, lines)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def testimonial(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One testimonial with its history; POST `action` shows or hides it."""
    rows = Testimonial.objects.for_store(store).select_related("store", "customer", "response")
    found = get_object_or_404(rows, public_id=public_id)
    if request.method == "POST":
        _switch(request, found)
        return redirect(_back(request) or request.path)
    events = TestimonialEvent.objects.for_store(store).filter(testimonial=found).select_related("by")
    context = {
        "nav_key": "testimonials",
        "one": found,
        "events": events.order_by("-pk"),
        "customer_page": testimonials.page_url(found),
    }
    return render(request, "surveys/dashboard/testimonial.html", context)


def _switch(request: HttpRequest, found: Testimonial) -> None:
    shown = {"publish": True, "hide": False}.get(request.POST.get("action", ""))
    if shown is None:
        raise Http404("no such step")
    seen = parse_datetime(request.POST.get("seen", "")) or found.asked_at
    try:
        moved = testimonials.publish(found, shown=shown, seen=seen, at=timezone.now(), by=me(request))
    except testimonials.ChangedMeanwhile:
        messages.warning(request, _("They changed their words or their mind meanwhile. Look again."))
        return
    if moved and shown:
        messages.success(request, _("It is shown now. You can hide it again."))
    elif moved:
        messages.success(request, _("Hidden. You can show it again."))


def _back(request: HttpRequest) -> str:
    """Where a list's button was pressed."""
    wanted = request.POST.get("back", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


@for_role(Role.MANAGER)
@require_POST
def ask_now(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Ask somebody whether their words may be shown, without waiting for the journey."""
    now = timezone.now()
    answer = Response.objects.for_store(store).select_related("customer__store").filter(public_id=public_id).first()
    if answer is None:
        raise Http404("no such answer")
    may_be = testimonials.could_ask(store, now).filter(pk=answer.pk).exists()
    if may_be and testimonials.ask(answer, at=now, by=me(request)):
        messages.success(request, _("They are asked."))
    else:
        messages.info(request, _("They were asked already, or may not be asked."))
    return redirect(_back(request) or reverse("surveys:testimonials", args=[store.slug]))
