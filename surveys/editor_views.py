"""The store's own questions: what is asked when, in which words, and the codes to hang up."""

from __future__ import annotations

from io import BytesIO

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
from stores import tokens
from stores.access import for_role
from stores.models import Location, Role, Store, User
from surveys import rules, wording
from surveys.editor_forms import SurveyForm, scale_of
from surveys.models import Question, Survey
from surveys.public_forms import scores_for
from surveys.services import editing
from surveys.walk_in_views import origin_of

PRODUCTS_OFFERED = 200


@for_role(Role.MANAGER)
@require_GET
def surveys(request: HttpRequest, store: Store) -> HttpResponse:
    """Every question with how many answered it."""
    rows = Survey.objects.for_store(store).select_related("product", "category", "location", "segment")
    counted = rows.annotate(answers=Count("responses"), last_at=Max("responses__at")).order_by("-is_on", "name")
    context = {"nav_key": "reports", "tab": "questions", "surveys": counted, **_switches(store)}
    return render(request, "surveys/dashboard/surveys.html", context)


def _switches(store: Store) -> dict[str, object]:
    """What has to be on elsewhere for a question to be asked."""
    return {"periodic_is_on": journey_of(store, Kind.PERIODIC).is_on, "site": origin_of(store)}


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
    """Change a question; answers that came before keep their own scale."""
    return _edit(request, store, _find(store, public_id))


def _find(store: Store, public_id: str) -> Survey:
    rows = Survey.objects.for_store(store).select_related("store", "product", "location")
    return get_object_or_404(rows, public_id=public_id)


def _edit(request: HttpRequest, store: Store, found: Survey) -> HttpResponse:
    before = editing.facts_of(found) if found.pk else {}
    is_used = bool(found.pk and editing.is_used(found))
    form = SurveyForm(request.POST or None, instance=found, store=store, is_used=is_used)
    if request.method == "POST" and form.is_valid():
        kept = form.typed()
        editing.save_survey(kept, before=before, by=_me(request), at=timezone.now())
        messages.success(request, _("Saved: “%(name)s” is asked from now on.") % {"name": kept.name}
                         if kept.is_on else _("Saved. “%(name)s” is switched off.") % {"name": kept.name})  # fmt: skip
        return redirect("surveys:survey", store=store.slug, public_id=kept.public_id)
    context = {
        "nav_key": "reports",
        "survey": found,
        "form": form,
        "is_used": is_used,
        "products": Product.objects.for_store(store).order_by("name")[:PRODUCTS_OFFERED],
        **_switches(store),
        **_preview(request, store, found),
    }
    return render(request, "surveys/dashboard/survey.html", context, status=422 if form.errors else 200)


@for_role(Role.MANAGER)
@require_POST
def preview(request: HttpRequest, store: Store) -> HttpResponse:
    """What people would see, for what is typed."""
    form = SurveyForm(request.POST, instance=Survey(), store=store)
    form.is_valid()  # what cannot be read is left out
    found = form.typed()
    found.occasion = request.POST.get("occasion", "")
    found.question = request.POST.get("question", "")
    return render(request, "surveys/dashboard/_survey_preview.html", _preview(request, store, found))


def _preview(request: HttpRequest, store: Store, found: Survey) -> dict[str, object]:
    """The answer page's words in the language chosen beside the editor."""
    asked = request.POST.get("language", "")
    language = asked if asked in dict(settings.LANGUAGES) else store.locale
    question = scale_of(found)
    of_five = question is Question.CSAT
    with translation.override(language):
        shown = {
            "asked": wording.question_text(store, found, product=found.product.name if found.product else ""),
            "more": wording.more_texts(found),
            "faces": wording.faces() if of_five else [],
            "scores": [] if of_five else scores_for(question),
            "language": language,
            "dir": "rtl" if language == "fa" else "ltr",
            "ranges": {group.value: _range(group, of_five=of_five) for group in rules.Group},
        }
    return {"shown": shown, "languages_to_preview": settings.LANGUAGES}


def _range(group: rules.Group, *, of_five: bool) -> tuple[int, int]:
    scores = rules.scores_of(group, of_five=of_five)
    return scores[0], scores[-1]


@for_role(Role.MANAGER)
@require_POST
def switch_survey(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """On or off; each undoes the other."""
    found, wanted = _find(store, public_id), request.POST.get("on") == "1"
    if found.is_on != wanted:
        editing.switch(found, on=wanted, by=_me(request), at=timezone.now())
        words = _("“%(name)s” is asked from now on.") if wanted else _("“%(name)s” is not asked any more.")
        messages.success(request, words % {"name": found.name})
    return redirect("surveys:surveys", store=store.slug)


@for_role(Role.MANAGER)
@require_POST
def delete_survey(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Delete a question that was never asked; one that was can be switched off."""
    found = _find(store, public_id)
    if editing.delete_survey(found, by=_me(request), at=timezone.now()):
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


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
