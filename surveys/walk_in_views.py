"""Questions that people answer without an invitation: at the counter by a QR code, on the shop's own site.

A GET writes nothing. The page gives each answer a name of its own, so that a double tap is one answer
and "change my answer" finds it; who knows the name may change it for 14 days, and sees no address.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, trans_real
from django.views.decorators.http import require_http_methods

from stores import directory, limits
from stores.codes import public_id
from stores.framing import framed, origins_of
from stores.middleware import speak
from stores.models import Location, Store
from stores.public import act_in, address_of, enter_by_token, network_of, public_page
from stores.tokens import Purpose
from surveys import rules, wording
from surveys.models import Question, Response, Survey, Via
from surveys.public_forms import WalkInForm, read_name, read_score
from surveys.public_views import closed, question_context
from surveys.services import walk_ins
from surveys.services.answering import TooLate

WINDOW = 600
PER_ADDRESS = 40  # in ten minutes; a shop's own Wi-Fi is one address for everybody at the counter


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def counter(request: HttpRequest, token: str, place: str = "") -> HttpResponse:
    """What the QR code at the counter opens; `place` is the code of the branch where it hangs."""
    survey = _at_the_counter(request, token)
    if survey is None:
        return closed(request, status=404)
    location = survey.location or Location.objects.for_store(survey.store).filter(code=place).first()
    return _serve(request, survey, location, Via.COUNTER)


def _at_the_counter(request: HttpRequest, token: str) -> Survey | None:
    """The survey a code names, the request bound to its store; None for a code that is not ours."""
    pk = enter_by_token(request, Purpose.COUNTER, token)
    if pk is None:
        return None
    rows = Survey.objects.for_store(request.store).filter(pk=pk, occasion=Survey.Occasion.COUNTER)  # type: ignore[attr-defined]
    return rows.select_related("store", "location").first()


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def widget(request: HttpRequest, shop: str) -> HttpResponse:
    """The question inside the shop's own site, framed there and nowhere else; `?survey=` chooses one of several."""
    store_id = directory.store_id_by_slug(shop)
    store = directory.enter(store_id) if store_id else None
    surveys = (
        Survey.objects.for_store(store).filter(occasion=Survey.Occasion.WIDGET) if store else Survey.objects.none()
    )
    asked = request.GET.get("survey", "")
    chosen = surveys.filter(public_id=read_name(asked)) if asked else surveys.filter(is_on=True)
    survey = chosen.select_related("store", "location").order_by("-pk").first()
    if store is None or survey is None:
        response = closed(request, status=404)
        response.keeps_no_cookie = True  # type: ignore[attr-defined]  # as for those that are there: stores.framing
        return response
    act_in(request, store)
    return framed(_serve(request, survey, survey.location, Via.WIDGET), store)


def _serve(request: HttpRequest, survey: Survey, location: Location | None, via: Via) -> HttpResponse:
    _speak(request, survey.store)
    if thanked := request.GET.get("thanks"):
        return _thanks(request, survey, read_name(thanked))
    if not survey.is_on:
        return closed(request, status=410)
    if request.method == "POST":
        return _take(request, survey, location, via)
    changing = read_name(request.GET.get("change", ""))
    return _ask(request, survey, walk_ins.answer_named(survey, changing) if changing else None)


def _speak(request: HttpRequest, store: Store) -> None:
    """A language that the visitor's browser asks for and we speak; else the store's."""
    wanted = trans_real.parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500])
    speak(request, *(code.split("-")[0] for code, _weight in wanted), store.locale)


def _ask(request: HttpRequest, survey: Survey, known: Response | None) -> HttpResponse:
    question = Question(survey.question)
    asked = read_score(request.GET.get("score", ""), question)
    initial = {"score": asked, "name": public_id()}
    if known and timezone.now() <= known.at + rules.CHANGE_WINDOW:
        initial = {"score": asked or str(known.score), "comment": known.comment, "name": known.public_id}
    return _page(request, survey, WalkInForm(initial=initial, question=question))


def _take(request: HttpRequest, survey: Survey, location: Location | None, via: Via) -> HttpResponse:
    form = WalkInForm(request.POST, question=Question(survey.question), country=survey.store.country)
    network = network_of(address_of(request))
    if network and limits.count(f"answers:{survey.pk}:{network}", per_seconds=WINDOW) > PER_ADDRESS:
        response = _page(request, survey, form, status=429, busy=True)
        response["Retry-After"] = str(WINDOW)
        return response
    if not form.is_valid():
        return _page(request, survey, form, status=400)
    given = form.cleaned_data
    try:
        answer = walk_ins.answer_walk_in(
            survey,
            name=given["name"],
            score=given["score"],
            comment=given["comment"],
            via=via,
            at=timezone.now(),
            person=form.person(get_language() or ""),
            location=location,
            trapped=form.is_trapped,
            hasty=_is_hasty(request, survey, network),
        )
    except TooLate:
        return closed(request, status=410)
    return redirect(_with(request, thanks=answer.public_id))


def _is_hasty(request: HttpRequest, survey: Survey, network: str) -> bool:
    """Whether the same device answered seconds ago."""
    device = sha256(f"{network} {request.headers.get('User-Agent', '')}".encode()).hexdigest()[:32]
    seconds = int(rules.HASTE.total_seconds())
    return bool(network) and limits.count(f"answered:{survey.pk}:{device}", per_seconds=seconds) > 1


def _thanks(request: HttpRequest, survey: Survey, name: str) -> HttpResponse:
    answer = walk_ins.answer_named(survey, name)
    if answer is None:
        return redirect(_with(request))
    context = {
        "answer": answer,
        "unhappy": answer.group is rules.Group.DETRACTOR,
        "case": getattr(answer, "case", None) if answer.customer_id else None,
        "change_url": _with(request, change=name) if timezone.now() <= answer.at + rules.CHANGE_WINDOW else "",
        "parents": _parents(survey),
    }
    return render(request, "surveys/public/walk_in_thanks.html", context)


def _parents(survey: Survey) -> list[str] | None:
    """The sites in whose frame the question stands; None where it is a page of its own."""
    return origins_of(survey.store) if survey.occasion == Survey.Occasion.WIDGET else None


def _with(request: HttpRequest, **query: str) -> str:
    """This page again, with the survey and the language that were chosen."""
    kept = {key: request.GET[key] for key in ("survey", "lang") if request.GET.get(key)}
    asked = urlencode({**kept, **query})
    return f"{request.path}?{asked}" if asked else request.path


def _page(
    request: HttpRequest, survey: Survey, form: WalkInForm, *, status: int = 200, busy: bool = False
) -> HttpResponse:
    context = {
        "asked": wording.question_text(survey.store, survey),
        "action": _with(request),
        "busy": busy,
        "parents": _parents(survey),
        **question_context(form, survey),
    }
    return render(request, "surveys/public/walk_in.html", context, status=status)
