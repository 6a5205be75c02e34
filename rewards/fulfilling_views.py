"""What the store does by hand for rewards: hand over, give to charities; with an undo."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rewards.models import Fulfilment
from rewards.services import fulfilling
from rewards.wording import offer_text
from stores.access import for_role, me
from stores.l10n import format_money, format_number
from stores.lists import keyset_page, row_number
from stores.models import Role, Store

DONE = "done"


@require_safe
@for_role(Role.MANAGER)
def to_do(request: HttpRequest, store: Store) -> HttpResponse:
    """What waits, the most urgent first, and what is to be given to charities; or what was done, with an undo."""
    is_done, cursor = request.GET.get("show") == DONE, request.GET.get("after", "")
    if is_done:
        rows = fulfilling.tasks(store).filter(status=Fulfilment.Status.DONE)
        page = keyset_page(rows, "ended_at", cursor)
    else:
        page = keyset_page(fulfilling.open_tasks(store), "due_at", cursor, oldest_first=True)
    context = {
        "nav_key": "rewards",
        "page": page,
        "rows": [(task, offer_text(task.reward.offer, store)) for task in page.rows],
        "charities": [] if is_done else fulfilling.charities(store),
        "is_done": is_done,
        "now": timezone.now(),
    }
    return render(request, "rewards/to_do.html", context)


@require_POST
@for_role(Role.MANAGER)
def done(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """It was handed over."""
    task, words = _found(store, public_id), request.POST.get("words", "")[:200].replace("\x00", "")
    try:
        if fulfilling.done(task, by=me(request), at=timezone.now(), words=words):
            text = _("Noted for %(customer)s. You can undo it under “Done”.")
            messages.success(request, text % {"customer": task.reward.customer})
        else:
            messages.info(request, _("Somebody had noted it before you."))
    except fulfilling.Gone:
        messages.error(request, _("This reward was taken back meanwhile: nothing is to be handed over."))
    return redirect("rewards:to_do", store.slug)


@require_POST
@for_role(Role.MANAGER)
def undo(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """It was not done after all."""
    try:
        if fulfilling.undo(_found(store, public_id), by=me(request), at=timezone.now()):
            messages.success(request, _("It is to do again."))
        else:
            messages.info(request, _("It is to do already."))
    except fulfilling.Gone:
        messages.error(request, _("This reward was taken back meanwhile: what was done stays in the books."))
    return redirect("rewards:to_do", store.slug)


@require_POST
@for_role(Role.OWNER)
def give_to_charity(request: HttpRequest, store: Store) -> HttpResponse:
    """The whole sum of one charity was given."""
    words, currency = request.POST.get("charity", "")[:120].replace("\x00", ""), request.POST.get("currency", "")[:3]
    until = row_number(request.POST.get("until", "")) or 0
    by, at = request.user, timezone.now()
    people, total = fulfilling.give_to_charity(store, words, currency, until=until, by=by, at=at)  # type: ignore[arg-type]
    if people:
        language = get_language() or "en"
        text = ngettext(
            "%(amount)s for %(charity)s are noted as given: %(people)s reward.",
            "%(amount)s for %(charity)s are noted as given: %(people)s rewards.",
            people,
        )
        amount = format_money(total, currency, language, toman=store.toman)
        messages.success(
            request, text % {"amount": amount, "charity": words, "people": format_number(people, language)}
        )
    else:
        messages.info(request, _("Nothing was open for this charity any more."))
    return redirect("rewards:to_do", store.slug)


def _found(store: Store, public_id: str) -> Fulfilment:
    joined = Fulfilment.objects.for_store(store).select_related("reward__customer", "reward__offer", "store")
    found: Fulfilment = get_object_or_404(joined, public_id=public_id)
    return found
