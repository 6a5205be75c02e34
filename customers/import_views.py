"""Customers and orders from a file: brought, looked at, taken in, with what was refused as a file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import import_wording
from customers.import_forms import ENCODINGS, FileForm, MappingForm
from customers.importing import columns, tables, working
from customers.models import Import
from stores import jobs
from stores.access import for_role, me
from stores.lists import csv_response
from stores.models import Job, Role, Store

LATELY = 20


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.MANAGER)
def imports(request: HttpRequest, store: Store) -> HttpResponse:
    """The files that were brought, the newest first; POST brings one to be looked at."""
    kind = request.GET.get("kind") if request.GET.get("kind") in Import.Kind.values else Import.Kind.CUSTOMERS
    form = FileForm(request.POST or None, request.FILES or None, initial={"kind": kind})
    if request.method == "POST" and form.is_valid():
        run = _bring(request, store, form)
        if run:
            return redirect("customers:import", store.slug, run.public_id)
    lately = Import.objects.for_store(store).exclude(begun_at=None).defer("content").select_related("by")
    context = {"nav_key": "customers", "form": form, "lately": lately.order_by("-made_at")[:LATELY]}
    return render(request, "customers/imports.html", context, status=422 if form.errors else 200)


def _bring(request: HttpRequest, store: Store, form: FileForm) -> Import | None:
    """The file, kept; None when it cannot be read, and the form says why."""
    file, kind = form.cleaned_data["file"], form.cleaned_data["kind"]
    try:
        if file.size > working.MOST_BYTES:
            raise working.TooLarge
        return working.bring(store, kind, file.name, file.read(), by=me(request), at=timezone.now())
    except working.TooLarge:
        form.add_error(
            "file", _("The file is larger than 20 MB. Split it and bring the parts; rows in both count once.")
        )
    except tables.Unreadable as error:
        form.add_error("file", str(error))
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.MANAGER)
def one_import(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A file: while nobody has begun, what will be understood of it; then how far it is and what became of it."""
    run = _found(store, public_id)
    if run.begun_at:
        return _progress(request, run)
    if not run.content:
        messages.info(request, _("This file was not taken in within a day, so it was forgotten. Bring it again."))
        return redirect("customers:imports", store.slug)
    form = MappingForm(request.POST or None, run=run)
    if request.method != "POST" or not form.is_valid():
        return _look(request, form, status=422 if form.errors else 200)
    titles = run.columns
    working.change(run, **form.wish)
    if not _is_readable(form):
        return _look(request, form, status=422)
    if request.POST.get("step") == "look" or run.columns != titles:
        return redirect("customers:import", store.slug, run.public_id)
    working.begin(run, by=me(request), at=timezone.now())
    return redirect("customers:import", store.slug, run.public_id)


def _found(store: Store, public_id: str) -> Import:
    found: Import = get_object_or_404(
        Import.objects.for_store(store).select_related("store", "by"), public_id=public_id
    )
    return found


def _is_readable(form: MappingForm) -> bool:
    """Whether the file can be read in the letters that were chosen; titles that read otherwise then are kept."""
    run = form.run
    try:
        table = working.table_of(run)
    except tables.Unreadable:
        form.add_error("encoding", _("The file is not written in these letters. Choose others."))
        return False
    if table.columns != run.columns:
        working.change(run, columns=table.columns, mapping=columns.guess(run.kind, table.columns, [run.mapping]))
    return True


def _look(request: HttpRequest, form: MappingForm, *, status: int) -> HttpResponse:
    run = form.run
    try:
        table = working.table_of(run)
    except tables.Unreadable:
        table = tables.Table(run.columns, [])
    read = working.preview(run, table)
    context: dict[str, Any] = {
        "nav_key": "customers",
        "run": run,
        "form": form,
        "rows": len(table.rows),
        "header": import_wording.header(run.kind),
        "preview": [(one, import_wording.cells(run.store, one)) for one in read],
        "bad": sum(bool(one.problem) for one in read),
        "is_guessed": run.encoding not in ("utf-8-sig", "utf-16"),
        "letters": ENCODINGS.get(run.encoding, ""),
    }
    return render(request, "customers/import_look.html", context, status=status)


def _progress(request: HttpRequest, run: Import) -> HttpResponse:
    job, undoing = working.job_of(run), working.undo_job_of(run)
    now_at = undoing or job
    context = {
        "nav_key": "customers",
        "run": run,
        "job": now_at,
        "is_undoing": undoing is not None,
        "is_running": now_at is not None and now_at.state == Job.State.RUNNING,
        "progress": jobs.progress(now_at, timezone.now()) if now_at else None,
        "counts": working.counts(run),
        "undone": working.undone(run) if undoing else None,
    }
    partial = request.htmx  # type: ignore[attr-defined]
    return render(request, "customers/_import.html" if partial else "customers/import.html", context)


@require_safe
@for_role(Role.MANAGER)
def import_errors(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The refused rows with the reason in a last column, ready to mend and bring again."""
    run = _found(store, public_id)
    return csv_response(f"refused-{run.public_id}", [*run.columns, _("Problem")], working.error_lines(run))


@require_POST
@for_role(Role.MANAGER)
def stop_import(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Take no more of it in."""
    run = _found(store, public_id)
    job = working.job_of(run)
    if job and jobs.stop(job, at=timezone.now()):
        working.forget_content(run)
        messages.success(request, _("Stopped. What was taken in so far stays, until you undo it."))
    return redirect("customers:import", store.slug, public_id)
