"""Asking several customers at once, and undoing what was done to several."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from customers import bulk
from customers.bulk_views import back_to, chosen_ids
from outreach.wording import reason_text
from referrals.services import asking_by_hand
from stores.access import for_role, me
from stores.l10n import format_number
from stores.models import Job, Role, Store


@require_POST
@for_role(Role.MANAGER)
def ask_several(request: HttpRequest, store: Store) -> HttpResponse:
    """Ask the chosen customers for a good word, where that is allowed; says who is not asked and why."""
    found = chosen_ids(request, store)
    if not found:
        messages.info(request, _("Choose at least one row first."))
    else:
        _say(request, asking_by_hand.ask(store, found, by=me(request), at=timezone.now()))
    return redirect(back_to(request, store))


def _say(request: HttpRequest, asked: asking_by_hand.Asked) -> None:
    language, count = request.LANGUAGE_CODE, asked.job.done  # type: ignore[attr-defined]
    if count:
        said = ngettext("%(count)s is asked in ten minutes.", "%(count)s are asked in ten minutes.", count)
        messages.success(request, said % {"count": format_number(count, language)})
    for reason, number in sorted(asked.why_not.items(), key=lambda one: -one[1]):
        words = {"count": format_number(number, language), "reason": reason_text(reason)}
        messages.info(request, _("Not asked, %(count)s: %(reason)s") % words)


@require_POST
@for_role(Role.MANAGER)
def undo_several(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Undo what was done to several customers some minutes ago."""
    rows = Job.objects.for_store(store).select_related("store").filter(kind=bulk.KIND)
    job = get_object_or_404(rows, public_id=public_id)
    try:
        bulk.undo(job, ways=asking_by_hand.UNDO, by=me(request), at=timezone.now())
    except bulk.NotUndone:
        messages.info(request, _("This cannot be undone any more."))
    else:
        messages.success(request, _("Undone. What has changed since stays as it is."))
    return redirect(back_to(request, store))
