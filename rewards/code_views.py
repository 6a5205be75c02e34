"""Codes in numbers: made for a campaign, brought in from the shop's system, given out, closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rewards.code_forms import CodesForm
from rewards.models import Pool, Voucher
from rewards.services import pools
from rewards.wording import offer_text
from stores import jobs
from stores.access import for_role, me
from stores.l10n import format_number
from stores.lists import csv_response
from stores.models import Job, Role, Store

SHOWN = 200  # pools; a store has a few dozen


@require_safe
@for_role(Role.MANAGER)
def codes(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's pools, newest first, with what became of their codes."""
    found = list(Pool.objects.for_store(store).select_related("offer", "by").order_by("-made_at", "-pk")[:SHOWN])
    counts = pools.counts_of(store, [pool.pk for pool in found])
    rows = [(pool, offer_text(pool.offer, store), counts.get(pool.pk, pools.Counts())) for pool in found]
    return render(request, "rewards/codes.html", {"nav_key": "rewards", "rows": rows})


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def new_codes(request: HttpRequest, store: Store) -> HttpResponse:
    """Make codes, or bring the shop's own in."""
    if request.method != "POST":
        return _form(request, CodesForm(store=store))
    form = CodesForm(request.POST, request.FILES, store=store)
    if form.is_valid():
        try:
            return redirect("rewards:pool", store.slug, _begin(request, store, form).public_id)
        except pools.NameTaken:
            form.add_error("name", _("You have codes with this name. Give these another one."))
        except pools.BadCodes as refused:
            form.add_error("lines", _bad_lines(refused))
    return _form(request, form, status=422)


def _form(request: HttpRequest, form: CodesForm, *, status: int = 200) -> HttpResponse:
    return render(request, "rewards/new_codes.html", {"nav_key": "rewards", "form": form}, status=status)


def _begin(request: HttpRequest, store: Store, form: CodesForm) -> Pool:
    values, offer = form.cleaned_data, form.offer
    facts: dict[str, Any] = {"by": request.user, "at": timezone.now()}
    if values["source"] == "ours":
        return pools.make(store, values["name"], offer, values["number"], form.conditions, **facts)[0]
    give_out = values["give_out"]
    return pools.bring_in(store, values["name"], offer, values["codes"], form.conditions, give_out=give_out, **facts)[0]


def _bad_lines(refused: pools.BadCodes) -> str:
    named = ", ".join(f"{number}: “{text}”" for number, text in refused.lines)
    return _("These lines are no codes (4 to 40 letters and digits): %(lines)s") % {"lines": named}


@require_safe
@for_role(Role.MANAGER)
def pool(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """One pool: how far the making is (asked by htmx it is the moving part alone), counts, the file."""
    found = _found(store, public_id)
    if request.GET.get("format") == "csv":
        return csv_response(f"codes-{found.public_id}", [_("Code"), _("State"), _("Until")], _cells(store, found))
    job = _job(store, found)
    context = {
        "nav_key": "rewards",
        "pool": found,
        "gives": offer_text(found.offer, store),
        "counts": pools.counts_of(store, [found.pk]).get(found.pk, pools.Counts()),
        "job": job,
        "seen": job.done + job.failed if job else 0,
        "is_running": bool(job and job.state == Job.State.RUNNING),
    }
    part = bool(request.htmx)  # type: ignore[attr-defined]
    return render(request, f"rewards/{'_pool' if part else 'pool'}.html", context)


def _found(store: Store, public_id: str) -> Pool:
    rows = Pool.objects.for_store(store).select_related("offer", "store", "by")
    found: Pool = get_object_or_404(rows, public_id=public_id)
    return found


def _job(store: Store, found: Pool) -> Job | None:
    jobs_of = Job.objects.for_store(store).filter(kind=pools.KIND, subject=f"pool:{found.pk}")
    return jobs_of.order_by("-pk").first()  # type: ignore[no-any-return]


def _cells(store: Store, found: Pool) -> Iterator[list[object]]:
    rows = Voucher.objects.for_store(store).filter(pool=found).order_by("pk")
    for voucher in rows.iterator(chunk_size=2000):
        yield [voucher.as_shown, voucher.get_status_display(), voucher.expires_at]


@require_POST
@for_role(Role.MANAGER)
def stop(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Make no more of them."""
    job = _job(store, _found(store, public_id))
    if job and jobs.stop(job, at=timezone.now()):
        messages.success(request, _("Stopped. The codes that are made stay good."))
    return redirect("rewards:pool", store.slug, public_id)


@require_POST
@for_role(Role.MANAGER)
def close(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Void what nobody holds or has used."""
    closed = pools.close(_found(store, public_id), by=me(request), at=timezone.now())
    words = ngettext("%(count)s code is good no more.", "%(count)s codes are good no more.", closed)
    messages.success(request, words % {"count": format_number(closed, request.LANGUAGE_CODE)})  # type: ignore[attr-defined]
    return redirect("rewards:pool", store.slug, public_id)
