"""The store's own questions: what is asked when, in which words, and the codes to hang up."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import Product
from outreach.journeys import journey_of
from outreach.models import Kind
from stores import draft_views, drafts, previews, tokens
from stores.access import for_role, me
from stores.drafts import Notice
from stores.framing import origins_of
from stores.models import Location, Role, Store
from stores.previews import chosen
from surveys import publishing, rules, wording
from surveys.editor_forms import SurveyForm, scale_of
from surveys.models import Question, Survey
from surveys.public_forms import AnswerForm, WalkInForm
from surveys.public_views import question_context
from surveys.services import editing

PRODUCTS_OFFERED = 200


@for_role(Role.MANAGER)
@require_GET
def surveys(request: HttpRequest, store: Store) -> HttpResponse:
    """Every question with how many answered it."""
    rows = Survey.objects.for_store(store).select_related("product", "category", "location", "segment")
    counted = rows.annotate(answers=Count("responses"), last_at=Max("responses__at")).order_by("-is_on", "name")
    drafted = drafts.subjects(store, "survey")
    context = {"nav_key": "reports", "tab": "questions", "surveys": counted, "drafted": drafted, **_switches(store)}
    return render(request, "surveys/dashboard/surveys.html", context)


def _switches(store: Store) -> dict[str, object]:
    """What has to be on elsewhere for a question to be asked."""
    return {"periodic_is_on": journey_of(store, Kind.PERIODIC).is_on, "site": ", ".join(origins_of(store))}


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_survey(request: HttpRequest, store: Store) -> HttpResponse:
    """Make a question."""
    occasion = request.GET.get("occasion", "")
    start = Survey(occasion=occasion if occasion in Survey.Occasion.values else Survey.Occasion.PRODUCT)
    return _edit(request, store, start)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def survey(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Change a question; answers that came before keep their own scale.

    POST `step` says what for: save (a draft), publish, look, drop and undrop the draft.
    """
    found = _find(store, public_id)
    if request.method == "GET":
        return _opened(request, store, found)
    step = request.POST.get("step", "save")
    if step in ("drop", "undrop"):
        act = draft_views.drop if step == "drop" else draft_views.undrop
        return act(request, store, publishing.subject_of(found), _address(found))
    if step == "save":
        return _save_draft(request, store, found)
    return _edit(request, store, found)


def _find(store: Store, public_id: str) -> Survey:
    rows = Survey.objects.for_store(store).select_related("store", "product", "location")
    return get_object_or_404(rows, public_id=public_id)


def _opened(request: HttpRequest, store: Store, found: Survey) -> HttpResponse:
    """The draft where there is one, else what is in force; `?version=` an older version, to look at."""
    asked, draft = request.GET.get("version", ""), drafts.draft_of(store, publishing.subject_of(found))
    if not asked:
        return _edit(request, store, found, draft.typed if draft else None)
    facts = publishing.facts_of_version(found, asked)
    if facts is None:
        raise Http404("no such version")
    in_force, is_on = editing.facts_of(found), found.is_on
    for fact, value in (facts | {"is_on": is_on}).items():
        setattr(found, fact, value)
    return _edit(request, store, found, in_force=in_force, notice=Notice("version"))


def _edit(
    request: HttpRequest,
    store: Store,
    found: Survey,
    typed: Mapping[str, str] | None = None,
    *,
    in_force: editing.Facts | None = None,
    notice: Notice | None = None,
) -> HttpResponse:
    """The editor with what was sent, or `typed`, or what `found` is; `in_force` where `found` is an older version."""
    before = in_force or (editing.facts_of(found) if found.pk else {})
    is_used, step = bool(found.pk and editing.is_used(found)), request.POST.get("step", "publish")
    form = SurveyForm(request.POST or typed, instance=found, store=store, is_used=is_used)
    is_readable = not form.is_bound or form.is_valid()
    shown = form.typed() if form.is_bound else found
    status = 409 if notice and request.method == "POST" else 422 if request.method == "POST" and form.errors else 200
    if request.method == "POST" and is_readable and step == "publish" and not notice:
        try:
            return _publish(request, store, shown, before)
        except drafts.Unseen:
            notice = _outdated(found, before, request.POST.get("base", ""))
            status = 422 if notice.kind == "look" else 409
    context = {
        "nav_key": "reports",
        "survey": found,
        "form": form,
        "is_used": is_used,
        "products": Product.objects.for_store(store).order_by("name")[:PRODUCTS_OFFERED],
        "notice": notice,
        "coming": publishing.coming_of(store, shown, before) if is_readable else None,
        **_switches(store),
        **_drafted(request, store, found, before, notice),
        **_preview(request, store, shown),
    }
    return render(request, "surveys/dashboard/survey.html", context, status=status)


def _drafted(
    request: HttpRequest, store: Store, found: Survey, in_force: editing.Facts, notice: Notice | None
) -> dict[str, object]:
    """The draft, what somebody else did meanwhile, older versions; nothing of it for a new question."""
    base = drafts.seal(in_force, {})
    if not found.pk:
        return {"base": base, "address": reverse("surveys:new_survey", args=[store.slug])}
    steps, undo = publishing.history(found), request.GET.get("undo", "")
    return {
        **draft_views.shown(request, store, publishing.subject_of(found), base, notice),
        "undo_to": undo if undo and any(one.back_to == undo for one in steps) else "",
        "history": steps,
        "address": _address(found),
        "back_address": reverse("surveys:survey_back", args=[store.slug, found.public_id]),
    }


def _publish(request: HttpRequest, store: Store, kept: Survey, before: editing.Facts) -> HttpResponse:
    """Keep a new question, or put a changed one in force as it was shown. Raises drafts.Unseen."""
    at, by = timezone.now(), me(request)
    if kept.pk is None:
        editing.save_survey(kept, before=before, by=by, at=at)
        messages.success(request, _("Published: “%(name)s” is asked from now on.") % {"name": kept.name})
        return _to(kept)
    undo = _version_now(kept)
    changed = editing.publish(kept, seal=request.POST.get("seal", ""), by=by, at=at)
    drafts.end_draft(store, publishing.subject_of(kept), request.POST.get("begun", ""))
    if not changed:
        messages.info(request, _("Nothing was different, so nothing changed."))
        return _to(kept)
    latest = publishing.latest(kept)
    undo = undo or (f"-{latest.pk}" if latest else "")
    words = _("Published: “%(name)s” is asked like this from now on.") if kept.is_on else _(
        "Published. “%(name)s” is switched off.")  # fmt: skip
    messages.success(request, words % {"name": kept.name})
    return _to(kept, undo=undo)


def _version_now(found: Survey) -> str:
    """How the version that holds until now will be named: by its event, or as what the next one comes after."""
    made = publishing.events_of(found).filter(after__has_key="wording").first()
    return str(made.pk) if made else ""


def _address(found: Survey) -> str:
    return reverse("surveys:survey", args=[found.store.slug, found.public_id])


def _to(found: Survey, **asked: object) -> HttpResponse:
    """Back to the editor; `undo` is the version that held until now."""
    return redirect(f"{_address(found)}?{urlencode(asked)}" if asked else _address(found))


def _save_draft(request: HttpRequest, store: Store, found: Survey) -> HttpResponse:
    """Keep what is typed, right or wrong: nobody is asked it."""
    subject, base = publishing.subject_of(found), drafts.seal(editing.facts_of(found), {})
    typed, begun = drafts.fields_of(request.POST, besides=("language",)), request.POST.get("begun", "")
    try:
        drafts.save_draft(store, subject, typed, base=base, begun=begun, by=me(request), at=timezone.now())
    except drafts.SavedMeanwhile:
        return _edit(request, store, found, notice=draft_views.saved(drafts.draft_of(store, subject)))
    messages.success(request, _("Saved as a draft: nobody is asked it until you publish it."))
    return _to(found)


def _outdated(found: Survey, in_force: editing.Facts, base: str) -> Notice:
    """Who was faster; or that there was no look at the changes yet."""
    if base == drafts.seal(in_force, {}):
        return Notice("look")
    return draft_views.published(publishing.latest(found))


@for_role(Role.MANAGER)
@require_POST
def survey_back(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Put an older version in force again; whether it is switched on stays as it is."""
    found = _find(store, public_id)
    facts = publishing.facts_of_version(found, request.POST.get("version", ""))
    if facts is None:
        raise Http404("no such version")
    undo = _version_now(found)
    try:
        changed = editing.go_back(found, facts, by=me(request), at=timezone.now())
    except editing.NotThere:
        words = _("Something that version names is not there any more, or its name is taken. Look at it, and publish.")
        messages.error(request, words)
        return _to(found)
    if changed:
        messages.success(request, _("The older version holds again, from now on."))
    return _to(found, undo=undo)


@for_role(Role.MANAGER)
@require_POST
def preview(request: HttpRequest, store: Store, public_id: str = "") -> HttpResponse:
    """What people would see, for what is typed, and what publishing it changes."""
    found = _find(store, public_id) if public_id else Survey()
    before = editing.facts_of(found) if found.pk else {}
    form = SurveyForm(request.POST, instance=found, store=store, is_used=bool(found.pk and editing.is_used(found)))
    coming = publishing.coming_of(store, form.typed(), before) if form.is_valid() else None
    shown = form.typed()  # what cannot be read is left out
    if not before:
        shown.occasion, shown.question = request.POST.get("occasion", ""), request.POST.get("question", "")
    context = {"is_part": True, "coming": coming, **_preview(request, store, shown)}
    return render(request, "surveys/dashboard/_survey_beside.html", context)


def _preview(request: HttpRequest, store: Store, found: Survey) -> dict[str, object]:
    """The page with the question, as people see it, in the language chosen beside the editor."""
    language = chosen(request.POST.get("language", ""), dict(settings.LANGUAGES), store.locale)
    question = scale_of(found)
    of_five = question is Question.CSAT
    is_walk_in = found.occasion in (Survey.Occasion.COUNTER, Survey.Occasion.WIDGET)
    with translation.override(language):
        product = found.product.name if found.product else ""
        form = WalkInForm(question=question) if is_walk_in else AnswerForm(question=question)
        context = {
            "asked": wording.question_text(store, found, product=product),
            "product": product,
            "stop_url": "#",
            "parents": None,
            **question_context(form, found),
        }
        page = previews.page(request, f"surveys/public/{'walk_in' if is_walk_in else 'answer'}.html", context, language)
        shown = {
            "more": wording.more_texts(found),
            "ranges": {group.value: _range(group, of_five=of_five) for group in rules.Group},
            "dir": "rtl" if language == "fa" else "ltr",
        }
    return {"page": page, "language": language, "shown": shown, "languages_to_preview": settings.LANGUAGES}


def _range(group: rules.Group, *, of_five: bool) -> tuple[int, int]:
    scores = rules.scores_of(group, of_five=of_five)
    return scores[0], scores[-1]


@for_role(Role.MANAGER)
@require_POST
def switch_survey(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """On or off; each undoes the other."""
    found, wanted = _find(store, public_id), request.POST.get("on") == "1"
    if found.is_on != wanted:
        editing.switch(found, on=wanted, by=me(request), at=timezone.now())
        words = _("“%(name)s” is asked from now on.") if wanted else _("“%(name)s” is not asked any more.")
        messages.success(request, words % {"name": found.name})
    return redirect("surveys:surveys", store=store.slug)


@for_role(Role.MANAGER)
@require_POST
def delete_survey(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Delete a question that was never asked; one that was can be switched off."""
    found = _find(store, public_id)
    if editing.delete_survey(found, by=me(request), at=timezone.now()):
        messages.success(request, _("“%(name)s” was deleted.") % {"name": found.name})
        return redirect("surveys:surveys", store=store.slug)
    messages.error(request, _("People were asked this, and their answers stay. Switch it off instead."))
    return redirect("surveys:survey", store=store.slug, public_id=public_id)


@for_role(Role.MANAGER)
@require_GET
def print_code(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The code to hang up at the counter: a page to print, one branch at a time; `?format=svg` is the picture."""
    found = _find(store, public_id)
    if found.occasion != Survey.Occasion.COUNTER:
        raise Http404("only codes for the counter are printed")
    branches = [found.location] if found.location else list(Location.objects.for_store(store).order_by("name"))
    asked = request.GET.get("branch", "")
    branch = found.location or next((one for one in branches if one.code == asked), None)
    url = counter_url(found, branch)
    if request.GET.get("format") == "svg":
        return _as_svg(url, f"{store.slug}-{branch.code if branch else 'counter'}")
    language = request.GET.get("language") or store.locale
    language = language if language in dict(settings.LANGUAGES) else "en"
    with translation.override(language):
        asks = wording.question_text(store, found)
    context = {
        "survey": found,
        "branch": branch,
        "branches": branches if not found.location else [],
        "url": url,
        "qr": qr_svg(url),
        "asks": asks,
        "language": language,
        "dir": "rtl" if language == "fa" else "ltr",
        "languages_to_print": settings.LANGUAGES,
    }
    return render(request, "surveys/dashboard/print_code.html", context)


def counter_url(found: Survey, branch: Location | None) -> str:
    """What the code says: the public page, with the branch where it hangs."""
    token = tokens.make(tokens.Purpose.COUNTER, found.store_id, found)
    in_words = branch is not None and found.location_id is None
    name, arguments = (
        ("survey:counter_at", [token, branch.code]) if in_words and branch else ("survey:counter", [token])
    )
    return f"{settings.SITE_URL}{reverse(name, args=arguments)}"


def qr_svg(url: str) -> SafeString:
    """A QR code as inline SVG, dark on light, with room around it."""
    code = segno.make(url, error="m", micro=False)
    return mark_safe(code.svg_inline(scale=6, border=4, dark="#10231f", light="#fff", omitsize=True, svgclass="qr"))


def _as_svg(url: str, name: str) -> HttpResponse:
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", scale=10, border=4)
    response = HttpResponse(picture.getvalue(), content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="{name}.svg"'
    return response
