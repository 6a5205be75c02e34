"""Share materials: what was printed and what it brought, a new print run with its preview, its files."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from referrals import audiences
from referrals.forms.materials import MaterialForm, looked_at
from referrals.materials import drawing, results, words
from referrals.models import PrintRun
from referrals.services import prints
from referrals.services.programs import live_program, program_of
from stores import jobs, lists
from stores.access import for_role, me
from stores.models import Job, Role, Store

LOOK_DPI = {"mm": 80, "px": 48}  # of a preview: as wide as the screen shows it
BEST = 5
FORMATS = {"pdf": "application/pdf", "png": "image/png", "txt": "text/plain; charset=utf-8"}


@require_safe
@for_role(Role.MANAGER)
def materials(request: HttpRequest, store: Store) -> HttpResponse:
    """The print runs, the newest first, with what each brought; the best of the page as bars."""
    runs = PrintRun.objects.for_store(store).select_related("location", "staff", "store")
    page = lists.keyset_page(runs, "made_at", request.GET.get("after", ""))
    brought = results.brought(store, page.rows)
    rows = [(run, brought[run.pk], brought[run.pk].cost_minor(run)) for run in page.rows]
    context = {
        "nav_key": "materials",
        "rows": rows,
        "next": page.next,
        "best": _best(rows),
        "is_paused": live_program(store, timezone.now()) is None,
    }
    return render(request, "referrals/dashboard/materials/list.html", context)


def _best(rows: list[tuple[PrintRun, results.Brought, int]]) -> list[tuple[PrintRun, results.Brought, float]]:
    """The runs that are scanned most, with the bars' lengths in percent."""
    ranked = sorted(rows, key=lambda row: row[1].scans, reverse=True)[:BEST]
    most = max((row[1].scans for row in ranked), default=0)
    return [(run, one, 100 * one.scans / most) for run, one, _cost in ranked if one.scans] if most else []


@require_http_methods(["GET", "POST"])
@for_role(Role.MANAGER)
def new_material(request: HttpRequest, store: Store) -> HttpResponse:
    """Choose what to print and for whom, see it, make it. POST `step` look only looks."""
    if request.method == "GET":
        return _form_page(request, store, MaterialForm(initial=_usual(request, store), store=store))
    form = MaterialForm(request.POST, store=store)
    if request.POST.get("step") == "look":
        return _form_page(request, store, form)
    if not form.is_valid():
        return _form_page(request, store, form, status=422)
    try:
        run = prints.begin(store, form.wish, by=me(request), at=timezone.now())
    except prints.NotNow:
        form.add_error(None, _("No program runs for them, so the codes would lead nowhere. Let it run first."))
        return _form_page(request, store, form, status=422)
    except audiences.BadCondition:
        form.add_error("whom", _("A condition of this segment is not known any more. Mend the segment first."))
        return _form_page(request, store, form, status=422)
    messages.success(request, _("Made. Its codes are good from now on."))
    return redirect("referrals:material", store.slug, run.public_id)


def _usual(request: HttpRequest, store: Store) -> dict[str, str]:
    """A form to begin with; `?customer=` (a public id) comes from a customer's page."""
    people = Customer.objects.for_store(store).filter(public_id=request.GET.get("customer", ""), erased_at=None)
    customer = people.first()
    return {
        "material": PrintRun.Material.CARDS,
        "language": store.locale,
        "whom": PrintRun.Whom.CUSTOMER if customer else PrintRun.Whom.STORE,
        "customer": (customer.email or customer.phone or customer.name) if customer else "",
    }


def _form_page(request: HttpRequest, store: Store, form: MaterialForm, *, status: int = 200) -> HttpResponse:
    context = {"nav_key": "materials", "form": form, **_look(store, _as_sent(form))}
    return render(request, "referrals/dashboard/materials/new.html", context, status=status)


def _as_sent(form: MaterialForm) -> MaterialForm:
    """The form as if its first values had been sent, so that they can be looked at."""
    if form.is_bound:
        return form
    sent = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return MaterialForm(sent, store=form.store)


@require_POST
@for_role(Role.MANAGER)
def preview(request: HttpRequest, store: Store) -> HttpResponse:
    """The picture beside the form; nothing is stored, and its code leads nowhere."""
    context = _look(store, MaterialForm(request.POST, store=store))
    return render(request, "referrals/dashboard/materials/_look.html", context)


def _look(store: Store, form: MaterialForm) -> dict[str, Any]:
    """The first page as a picture of a run that is not made."""
    now = timezone.now()
    wish = looked_at(form)
    run, program = prints.draft(store, wish, at=now), live_program(store, now) or program_of(store, now)
    shape = drawing.SHAPES[PrintRun.Material(run.material)]
    run.code = "PREVIEW"
    piece = words.example(run, program, wish.customer) if run.is_gift else words.invitation(run, program)
    return {
        "picture": picture_of(run, piece) if drawing.can_draw() else "",
        "run": run,
        "piece": piece,
        "text": words.as_text(run, piece),
        "shape": shape,
    }


def picture_of(run: PrintRun, piece: words.Piece) -> str:
    """The first page of a run that is not made, as the address of a picture."""
    shape = drawing.SHAPES[PrintRun.Material(run.material)]
    document = drawing.pdf(run, [piece] * shape.a_page, is_preview=True)
    picture = drawing.png(document, run, dpi=LOOK_DPI[shape.unit])
    return f"data:image/png;base64,{b64encode(picture).decode()}"


@require_safe
@for_role(Role.MANAGER)
def material(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """A print run: its files, its words, what it brought. Asked by htmx it is the moving part alone."""
    run = _found(store, public_id)
    context = {"nav_key": "materials", "run": run, "shape": drawing.SHAPES[PrintRun.Material(run.material)]}
    context |= _progress(run)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "referrals/dashboard/materials/_files.html", context)
    one = results.brought(store, [run])[run.pk]
    context |= {"one": one, "cost_minor": one.cost_minor(run), "steps": _steps(run, one), **_words(run)}
    return render(request, "referrals/dashboard/materials/run.html", context)


def _found(store: Store, public_id: str) -> PrintRun:
    rows = PrintRun.objects.for_store(store).select_related("store", "location", "staff", "by")
    found: PrintRun = get_object_or_404(rows, public_id=public_id)
    return found


def _progress(run: PrintRun) -> dict[str, Any]:
    """How far a large run is; a small one is always ready."""
    job = prints.job_of(run) if run.whom == PrintRun.Whom.SEGMENT else None
    is_running = job is not None and job.state == Job.State.RUNNING
    return {
        "job": job,
        "is_running": is_running,
        "seen": job.done + job.failed if job else 0,
        "is_ready": drawing.can_draw() and (job is None or (not is_running and prints.has_sheets(run))),
        "is_over": run.is_over(timezone.now()),
        "can_draw": drawing.can_draw(),
    }


def _words(run: PrintRun) -> dict[str, Any]:
    """The words alone, for what people copy; none where each piece has others."""
    if run.whom == PrintRun.Whom.SEGMENT:
        return {"text": ""}
    try:
        pieces = prints.pieces_of(run, timezone.now())
    except prints.NotNow:
        return {"text": "", "is_resting": True}
    return {"text": words.as_text(run, pieces[0]), "piece": pieces[0]}


def _steps(run: PrintRun, one: results.Brought) -> list[tuple[str, int, float]]:
    """From the paper to the purchase, in people, with the bars' lengths in percent."""
    steps = [(_("Scanned it"), one.scans)]
    if not run.is_gift:
        steps += [(_("Got a link of their own"), one.joined), (_("Friends who opened it"), one.friends)]
    steps += [(_("Friends who took the gift"), one.taken), (_("Friends who bought"), one.bought)]
    most = max(number for _label, number in steps)
    return [(label, number, 100 * number / most if most else 0) for label, number in steps]


@require_safe
@for_role(Role.MANAGER)
def material_file(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The run as a file: `format` pdf, png (of `page`, from 1) or txt."""
    run, kind = _found(store, public_id), request.GET.get("format", "pdf")
    if kind not in FORMATS:
        raise Http404("no such format")
    try:
        content = _file(run, kind, request.GET.get("page", "1"))
    except prints.NotNow:
        messages.error(request, _("No program runs for them, so the codes would lead nowhere. Let it run first."))
        content = None
    except drawing.CannotDraw:
        content = None  # the page says why
    if content is None:
        return redirect("referrals:material", store.slug, public_id)
    response = HttpResponse(content, content_type=FORMATS[kind])
    response["Content-Disposition"] = f'attachment; filename="{store.slug}-{run.material}-{run.language}.{kind}"'
    return response


def _file(run: PrintRun, kind: str, page: str) -> bytes | None:
    """None while a large run is not ready. Raises NotNow, Http404 for a page that is not there."""
    if kind == "txt":
        text = _words(run)["text"]
        return str(text).encode() if text else None
    document = prints.document(run, timezone.now())
    if document is None or kind == "pdf":
        return document
    try:
        return drawing.png(document, run, page=int(page) - 1)
    except (ValueError, IndexError) as error:
        raise Http404("no such page") from error


@require_POST
@for_role(Role.MANAGER)
def draw_again(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Make the sheets of a large run again."""
    run = _found(store, public_id)
    if run.whom != PrintRun.Whom.SEGMENT:
        raise Http404("always ready")
    prints.draw_again(run, by=me(request), at=timezone.now())
    return redirect("referrals:material", store.slug, public_id)


@require_POST
@for_role(Role.MANAGER)
def stop_material(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Make no more of them."""
    job = prints.job_of(_found(store, public_id))
    if job and jobs.stop(job, at=timezone.now()):
        messages.success(request, _("Stopped. The codes that are made stay good."))
    return redirect("referrals:material", store.slug, public_id)
