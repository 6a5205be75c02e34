"""Something done to the chosen customers of the list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from customers import bulk, exporting, tagging
from customers.forms import TagForm
from customers.models import Customer
from stores.access import for_role, me
from stores.l10n import format_number
from stores.lists import csv_response
from stores.models import Job, Role, Store


@require_POST
@for_role(Role.MANAGER)
def several(request: HttpRequest, store: Store) -> HttpResponse:
    """Do `action` to the chosen customers: tag, untag, silence, export; the list then offers to undo it."""
    found, action = chosen_ids(request, store), request.POST.get("action", bulk.TAG)
    facts: dict[str, Any] = {"by": me(request), "at": timezone.now()}
    if not found:
        messages.info(request, _("Choose at least one row first."))
    elif action == "export":
        return _file(store, found)
    elif action == bulk.SILENCE:
        _say(request, bulk.silence(store, found, **facts))
    else:
        _tag(request, store, found, action, facts)
    return redirect(back_to(request, store))


def chosen_ids(request: HttpRequest, store: Store) -> list[int]:
    """Ids of the ticked customers."""
    chosen = request.POST.getlist("chosen")[: tagging.MOST_AT_ONCE]
    people = Customer.objects.for_store(store).filter(public_id__in=chosen, erased_at=None)
    return list(people.values_list("pk", flat=True))


def back_to(request: HttpRequest, store: Store) -> str:
    """The list with the filters it had: only the query comes from the form."""
    query = QueryDict(request.POST.get("query", "")[:1000]).urlencode()
    return f"{reverse('customers:list', args=[store.slug])}{'?' if query else ''}{query}"


def _file(store: Store, found: list[int]) -> HttpResponse:
    people = Customer.objects.for_store(store).filter(pk__in=found).prefetch_related("share_links")
    rows = people.order_by("-recorded_at", "-pk")
    return csv_response("customers", exporting.header(), (exporting.cells(one) for one in rows))


def _tag(request: HttpRequest, store: Store, found: list[int], action: str, facts: dict[str, Any]) -> None:
    form = TagForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["tag"][0]))
        return
    do = bulk.untag if action == bulk.UNTAG else bulk.tag
    _say(request, do(store, found, form.cleaned_data["tag"], **facts))


def _say(request: HttpRequest, job: Job) -> None:
    """What was done, in a sentence."""
    count, tag = job.done, job.data.get("tag", "")
    said = {
        bulk.TAG: ngettext("%(count)s more has the tag “%(tag)s”.", "%(count)s more have the tag “%(tag)s”.", count),
        bulk.UNTAG: ngettext("“%(tag)s” was taken off %(count)s.", "“%(tag)s” was taken off %(count)s.", count),
        bulk.SILENCE: ngettext(
            "%(count)s gets no messages any more but about their own orders.",
            "%(count)s get no messages any more but about their own orders.",
            count,
        ),
    }[job.data["action"]]
    shown = format_number(count, request.LANGUAGE_CODE)  # type: ignore[attr-defined]
    messages.success(request, said % {"tag": f"\u2068{tag}\u2069", "count": shown})
