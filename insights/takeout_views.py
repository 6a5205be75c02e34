"""The data as files: of one customer for a manager, of the whole store for the owner."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer
from insights.takeout import making
from stores import jobs
from stores.access import for_role, me
from stores.models import Job, Role, Store


@require_safe
@for_role(Role.MANAGER)
def customer_data(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Everything about one customer as a zip of CSV and JSON."""
    found = get_object_or_404(Customer.objects.for_store(store).filter(erased_at=None), public_id=public_id)
    content = making.of_customer(store, found, by=me(request), at=timezone.now())
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="customer-{found.public_id}.zip"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_role(Role.OWNER)
def takeouts(request: HttpRequest, store: Store) -> HttpResponse:
    """The last files with everything; POST begins a new one."""
    if request.method == "POST":
        job = making.begin(store, by=me(request), at=timezone.now())
        return redirect("insights:takeout", store.slug, job.public_id)
    return render(request, "insights/takeouts.html", {"nav_key": "customers", "lately": making.lately(store)})


@require_safe
@for_role(Role.OWNER)
def takeout(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """How far a file is, and the file; asked by htmx it is the moving part alone."""
    job = _found(store, public_id)
    context = {
        "nav_key": "customers",
        "job": job,
        "is_running": job.state == Job.State.RUNNING,
        "is_there": making.is_there(job),
        "progress": jobs.progress(job, timezone.now()),
    }
    partial = request.htmx  # type: ignore[attr-defined]
    return render(request, "insights/_takeout.html" if partial else "insights/takeout.html", context)


def _found(store: Store, public_id: str) -> Job:
    rows = Job.objects.for_store(store).filter(kind=making.KIND).select_related("store", "by")
    found: Job = get_object_or_404(rows, public_id=public_id)
    return found


@require_safe
@for_role(Role.OWNER)
def takeout_file(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The zip with a CSV for each table."""
    job = _found(store, public_id)
    if not making.is_there(job):
        raise Http404("not ready, or forgotten")
    name = f"{store.slug}-{job.started_at:%Y-%m-%d}.zip"
    return FileResponse(making.archive_of(job), as_attachment=True, filename=name)  # type: ignore[return-value]
