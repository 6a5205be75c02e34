"""What every editor does with its draft: it is shown, thrown away, brought back, or somebody else was faster."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from stores import drafts
from stores.access import me
from stores.drafts import Notice
from stores.models import AuditEvent, Draft, Store


def drop(request: HttpRequest, store: Store, subject: str, address: str) -> HttpResponse:
    """Throw the draft away, with an undo, and back to the editor at `address`."""
    event = drafts.drop_draft(store, subject, by=me(request), at=timezone.now())
    return redirect(f"{address}?dropped={event.pk}" if event else address)


def undrop(request: HttpRequest, store: Store, subject: str, address: str) -> HttpResponse:
    """Bring back the draft of POST `event`, and back to the editor at `address`."""
    event = drafts.dropped(store, subject, request.POST.get("event", ""))
    if event is None:
        raise Http404("no such draft")
    try:
        drafts.bring_back(event, by=me(request), at=timezone.now())
    except drafts.SavedMeanwhile:
        messages.error(request, _("There is a newer draft by now: it stays."))
    return redirect(address)


def saved(draft: Draft | None, lines: list[str] | None = None) -> Notice:
    """Somebody else's draft came first; `lines` say what is different here."""
    return Notice("saved", str(draft.by or ""), draft.saved_at, lines or []) if draft else Notice("saved")


def published(event: AuditEvent | None) -> Notice:
    """Somebody else published first."""
    return Notice("published", str(event.user or ""), event.at) if event else Notice("published")


def shown(request: HttpRequest, store: Store, subject: str, base: str, notice: Notice | None) -> dict[str, Any]:
    """What an editor's page says of the draft of `subject`; `base` seals what is in force by now."""
    draft = drafts.draft_of(store, subject)
    post = request.POST if request.method == "POST" else None
    return {
        "draft": draft,
        "is_draft_outdated": draft is not None and draft.base != base,
        "base": drafts.base_of(post, base, notice),
        "begun": drafts.begun_of(post, draft, notice),
        "dropped": drafts.dropped(store, subject, request.GET.get("dropped", "")),
    }
