"""The customers list, and what staff write down about people."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import bulk, exporting, particulars, queries, tagging
from customers.forms import ParticularsForm, TagForm
from customers.models import Customer, Segment
from stores.access import for_role, me
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def customer_list(request: HttpRequest, store: Store) -> HttpResponse:
    """Customers, newest first, 50 a page; `q` searches, `chip`, `segment` and `tag` filter, `format=csv` downloads."""
    typed, chip = request.GET.get("q", "").replace("\x00", ""), request.GET.get("chip", "")
    segments, tags = list(Segment.objects.for_store(store).order_by("name")), tagging.tags_in(store)
    segment = next((one for one in segments if one.public_id == request.GET.get("segment")), None)
    tag = next((one for one in tags if one == request.GET.get("tag")), "")
    looked = queries.look(store, typed, chip, segment=segment, tag=tag)
    found = looked.people
    if request.GET.get("format") == "csv":
        newest = found.prefetch_related("share_links").order_by("-recorded_at", "-pk")[:EXPORT_LIMIT]
        return csv_response("customers", exporting.header(), (exporting.cells(one) for one in newest))
    context = {
        "nav_key": "customers",
        "typed": typed,
        "chip": chip if chip in queries.CHIPS else "",
        "chips": queries.CHIPS,
        "is_cut": looked.is_cut,
        "segments": segments,
        "segment": segment,
        "tags": tags,
        "tag": tag,
        "undoable": bulk.last_of(store, me(request), timezone.now()),
        "page": keyset_page(found.prefetch_related("tags", "share_links"), "recorded_at", request.GET.get("after", "")),
    }
    return render(request, "customers/list.html", context)


@require_POST
@for_role(Role.MANAGER)
def tags(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Put a tag on one customer (`action` tag), or take it off (untag)."""
    found = get_object_or_404(Customer.objects.for_store(store), public_id=public_id)
    form = TagForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["tag"][0]))
    elif request.POST.get("action") == "untag":
        tagging.untag(store, [found.pk], form.cleaned_data["tag"])
    else:
        tagging.tag(store, [found.pk], form.cleaned_data["tag"])
    return redirect("insights:customer", store=store.slug, public_id=found.public_id)


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def edit(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Birthday, time zone and postal address of one customer."""
    found = get_object_or_404(Customer.objects.for_store(store).filter(erased_at=None), public_id=public_id)
    form = ParticularsForm(request.POST or None, customer=found)
    if request.method == "POST" and form.is_valid():
        changed = particulars.change(found, **form.facts)
        messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing changed."))
        return redirect("insights:customer", store=store.slug, public_id=found.public_id)
    context = {"nav_key": "customers", "customer": found, "form": form}
    return render(request, "customers/edit.html", context, status=422 if form.errors else 200)
