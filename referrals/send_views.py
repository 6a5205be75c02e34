"""Sending a message of the store's own by hand: whom it reaches, the press of the button, how far it is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Segment
from outreach.models import Journey
from outreach.wording import reason_text
from referrals import audiences, changes
from referrals.services import campaigns
from referrals.services.programs import live_program
from stores.access import for_role, me
from stores.codes import random_characters
from stores.models import Job, Role, Store

EVERYBODY = "all"
LATELY = 5


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def send(request: HttpRequest, store: Store) -> HttpResponse:
    """Choose the people and the message, see whom it reaches; POST begins to send, once for the page's `key`."""
    chosen = request.POST if request.method == "POST" else request.GET
    journeys, segments = campaigns.sendable(store), list(Segment.objects.for_store(store).order_by("name"))
    journey = next((one for one in journeys if one.public_id == chosen.get("journey")), None)
    wanted = chosen.get("segment") or _usual(journey)
    segment = next((one for one in segments if one.public_id == wanted), None)
    is_chosen = journey is not None and (segment is not None or wanted == EVERYBODY)
    if request.method == "POST":
        if journey is None or not is_chosen:
            raise Http404("no such message or people")
        return _begin(request, store, journey, segment)
    context = {
        "nav_key": "messages",
        "journeys": journeys,
        "journey": journey,
        "segments": segments,
        "segment": segment,
        "wanted": wanted,
        "is_paused": live_program(store, timezone.now()) is None,
        "key": random_characters(20),
        "lately": Job.objects.for_store(store).filter(kind=campaigns.KIND).order_by("-started_at")[:LATELY],
        "forecast": _forecast(store, journey, segment) if journey and is_chosen else None,
    }
    return render(request, "referrals/dashboard/send.html", context)


def _usual(journey: Journey | None) -> str:
    """The people the message was made for."""
    return journey.segment.public_id if journey and journey.segment else EVERYBODY if journey else ""


def _forecast(store: Store, journey: Journey, segment: Segment | None) -> dict[str, Any] | None:
    try:
        found = campaigns.forecast(store, journey, segment, timezone.now())
    except audiences.BadCondition:
        return None
    return {
        "reachable": found.reachable,
        "total": found.total,
        "reasons": [(why_not(reason), number) for reason, number in found.skipped.items()],
        "examples": found.examples,
    }


def why_not(reason: str) -> str:
    """Why some are not written to, as a heading over their number."""
    if reason == "cap":
        return _("They had as many messages this week as you allow.")
    if reason == "not_in_audience":
        return _("The message is for another segment, and they are not in it.")
    return reason_text(reason)


def _begin(request: HttpRequest, store: Store, journey: Journey, segment: Segment | None) -> HttpResponse:
    key = request.POST.get("key", "")[:40] or random_characters(20)
    try:
        job, is_new = campaigns.send(store, journey, segment, key=key, by=me(request), at=timezone.now())
    except campaigns.NotNow:
        messages.error(request, _("The program is paused: let it run first, then send."))
        return redirect("referrals:send", store=store.slug)
    except audiences.BadCondition:
        messages.error(request, _("A condition of this segment is not known any more. Mend the segment first."))
        return redirect("referrals:send", store=store.slug)
    if not is_new:
        messages.info(request, _("It was being sent already: nobody gets it twice."))
    return redirect("referrals:sending", store=store.slug, public_id=job.public_id)


@require_safe
@for_role(Role.MANAGER)
def sending(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """How far it is; asked by htmx it is the moving part alone, which asks again until the work has ended."""
    job = get_object_or_404(Job.objects.for_store(store), kind=campaigns.KIND, public_id=public_id)
    journey = Journey.objects.for_store(store).filter(pk=job.data["journey"]).first()
    segment = Segment.objects.for_store(store).filter(pk=job.data["segment"]).first()
    skipped = sorted(job.data.get("skipped", {}).items(), key=lambda one: -one[1])
    waiting = campaigns.waiting(store, job)
    context = {
        "nav_key": "messages",
        "job": job,
        "journey": journey,
        "segment": segment,
        "is_everybody": job.data["segment"] is None,
        "seen": job.done + job.failed,
        "waiting": waiting,
        "gone": max(job.done - waiting, 0),
        "reasons": [(why_not(reason), number) for reason, number in skipped],
        "is_running": job.state == Job.State.RUNNING,
    }
    part = bool(request.htmx)  # type: ignore[attr-defined]
    return render(request, f"referrals/dashboard/{'_sending' if part else 'sending'}.html", context)


@require_POST
@for_role(Role.MANAGER)
def stop_sending(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Take back what has not gone yet."""
    job = get_object_or_404(Job.objects.for_store(store), kind=campaigns.KIND, public_id=public_id)
    count = campaigns.stop(store, job, at=timezone.now())
    words = ngettext(
        "Stopped. %(count)s message was taken back.", "Stopped. %(count)s messages were taken back.", count
    )
    messages.success(request, words % {"count": changes.number(count)})
    return redirect("referrals:sending", store=store.slug, public_id=job.public_id)
