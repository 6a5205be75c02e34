"""Segments: saved audiences, with how many they are and ten of them before anything is saved."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import exporting
from customers.models import Customer, Segment
from referrals import audiences
from referrals.audiences.members import as_conditions
from referrals.segment_forms import Editor, as_typed, reshaped
from stores.access import for_role
from stores.lists import EXPORT_LIMIT, csv_response
from stores.models import Role, Store

UNDO_SALT, UNDO_SECONDS = "goodword.segment", 7 * 86400


@require_safe
@for_role(Role.MANAGER)
def segments(request: HttpRequest, store: Store) -> HttpResponse:
    """Every segment: who is in it in words, how many, what uses it; `?gone=` offers to bring one back."""
    names, used = audiences.Names(store), audiences.uses(store)
    rows = [
        {"segment": one, "words": audiences.in_words(as_conditions(one), names), "uses": used.get(one.pk, [])}
        for one in Segment.objects.for_store(store).annotate(size=Count("members")).order_by("name")
    ]
    gone = _gone(store, request.GET.get("gone", ""))
    context = {"nav_key": "customers", "rows": rows, "gone": gone, "ticket": request.GET.get("gone", "")}
    return render(request, "referrals/dashboard/segments.html", context)


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def new_segment(request: HttpRequest, store: Store) -> HttpResponse:
    """A segment to be. POST `step` says what for: save (the default), look, add, remove-N."""
    return _edit(request, store, None)


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def segment(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A saved segment; `step` as for a new one, and delete."""
    found = get_object_or_404(Segment.objects.for_store(store).select_related("store"), public_id=public_id)
    if request.POST.get("step") == "delete":
        return _delete(request, store, found)
    return _edit(request, store, found)


def _edit(request: HttpRequest, store: Store, found: Segment | None) -> HttpResponse:
    step = request.POST.get("step", "save")
    if request.method != "POST":
        return _page(request, found, Editor(as_typed(found) if found else {}, store, check=False))
    if step == "add" or step.startswith("remove-"):
        return _page(request, found, Editor(reshaped(request.POST), store, check=False))
    editor = Editor(request.POST, store)
    if not editor.is_valid():
        return _page(request, found, editor, status=422)
    if step == "look":
        return _page(request, found, editor)
    try:
        saved = audiences.save(store, name=editor.name, conditions=editor.readable(), at=timezone.now(), segment=found)
    except audiences.NameTaken:
        editor.refuse_name()
        return _page(request, found, editor, status=422)
    messages.success(request, _("Saved. Who belongs to it is worked out anew every ten minutes."))
    return redirect("referrals:segment", store=store.slug, public_id=saved.public_id)


def _page(request: HttpRequest, found: Segment | None, editor: Editor, *, status: int = 200) -> HttpResponse:
    store = editor.names.store
    context = {
        "nav_key": "customers",
        "segment": found,
        "uses": audiences.uses(store).get(found.pk, []) if found else [],
        "editor": editor,
        **_look(store, Editor(editor.data, store)),
    }
    return render(request, "referrals/dashboard/segment.html", context, status=status)


def _look(store: Store, editor: Editor) -> dict[str, Any]:
    """What stands beside the editor: who they are in words, how many, ten of them; for conditions that can be read."""
    conditions, at = editor.readable(), timezone.now()
    if conditions is None:
        return {"conditions": [], "is_readable": not editor.rows}
    return {
        "conditions": audiences.in_words(conditions, editor.names),
        "is_readable": True,
        "count": audiences.count(store, conditions, at),
        "examples": audiences.examples(store, conditions, at),
    }


@require_POST
@for_role(Role.MANAGER)
def segment_preview(request: HttpRequest, store: Store) -> HttpResponse:
    """The part of the page beside the editor, for what is typed."""
    return render(request, "referrals/dashboard/_segment_look.html", _look(store, Editor(request.POST, store)))


@require_safe
@for_role(Role.MANAGER)
def segment_csv(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The members as a file, those last come to know first."""
    found = get_object_or_404(Segment.objects.for_store(store), public_id=public_id)
    people = Customer.objects.for_store(store).filter(segments__segment=found).prefetch_related("share_links")
    rows = people.order_by("-recorded_at", "-pk")[:EXPORT_LIMIT]
    return csv_response(f"segment-{found.public_id}", exporting.header(), (exporting.cells(one) for one in rows))


def _delete(request: HttpRequest, store: Store, found: Segment) -> HttpResponse:
    try:
        kept = audiences.delete(found)
    except audiences.InUse as error:
        for name in error.args[0]:
            words = {"name": f"\u2068{name}\u2069"}
            messages.error(request, _("It stays: “%(name)s” is sent to it. Choose other people there first.") % words)
        return redirect("referrals:segment", store=store.slug, public_id=found.public_id)
    ticket = signing.dumps({**kept, "store": store.pk}, salt=UNDO_SALT, compress=True)
    return redirect(f"{reverse('referrals:segments', args=[store.slug])}?{urlencode({'gone': ticket})}")


@require_POST
@for_role(Role.MANAGER)
def restore_segment(request: HttpRequest, store: Store) -> HttpResponse:
    """Undo a deletion, by the ticket it left."""
    kept = _gone(store, request.POST.get("ticket", ""))
    if kept is None:
        raise Http404("no such ticket")
    try:
        audiences.restore(store, kept, at=timezone.now())
    except audiences.NameTaken:
        messages.error(request, _("Another segment has this name by now. Give that one another name first."))
    except audiences.BadCondition:
        messages.error(request, _("It cannot be brought back: a condition is not known any more."))
    else:
        messages.success(request, _("It is back."))
    return redirect("referrals:segments", store=store.slug)


def _gone(store: Store, ticket: str) -> dict[str, Any] | None:
    """The deleted segment that a ticket of this store names; None when it is none, or too old."""
    try:
        kept: dict[str, Any] = signing.loads(ticket, salt=UNDO_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        return None
    return kept if kept.get("store") == store.pk else None
