"""The question's page, opened from a letter without login.

A token is whatever the mail's reader makes of it: it may be forwarded. So the page shows what was
bought and the answer given, and nothing else about the person: no name, no address. A GET writes
nothing, because mail scanners open every link of a letter.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from outreach.rendering import unsubscribe_url
from stores.middleware import speak
from stores.public import enter_by_token, public_page
from stores.tokens import Purpose
from surveys import rules, wording
from surveys.models import Invitation, Question, Response, Survey, Via
from surveys.public_forms import COMMENT_LENGTH, AnswerForm, read_score, scores_for
from surveys.services import answering


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Ask from 0 to 10, or 1 to 5; only a POST records, and may change the answer for 14 days."""
    invitation = open_invitation(request, token)
    if invitation is None:
        return closed(request, status=404)
    known = response_to(invitation)
    if not _takes_answers(invitation):
        return closed(request, status=410)
    question = invitation.question
    if request.method != "POST":
        return _page(
            request, invitation, AnswerForm(initial=_initial(request, known, question), question=question), known
        )
    form = AnswerForm(request.POST, question=question)
    if not form.is_valid():
        return _page(request, invitation, form, known, status=400)
    try:
        _record(invitation, form)
    except answering.TooLate:
        return closed(request, status=410)
    return redirect("referral:thanks", token=token)


def _record(invitation: Invitation, form: AnswerForm) -> None:
    """A program that fills in everything is noted, and gets the same friendly page."""
    given, message = form.cleaned_data, invitation.message
    answering.respond(
        invitation,
        score=given["score"],
        comment=given["comment"],
        at=timezone.now(),
        via=Via.SMS if message and message.channel == Via.SMS else Via.EMAIL,
        trapped=form.is_trapped,
    )


def open_invitation(request: HttpRequest, token: str) -> Invitation | None:
    """The invitation of a survey link, the request bound to its store and language; None for no such link."""
    pk = enter_by_token(request, Purpose.SURVEY, token)
    if pk is None:
        return None
    store = request.store  # type: ignore[attr-defined]
    found = (
        Invitation.objects.for_store(store)
        .filter(pk=pk)
        .select_related("customer__store", "order", "survey", "message")
        .first()
    )
    if found:
        speak(request, found.customer.locale, store.locale)
    return found


def response_to(invitation: Invitation) -> Response | None:
    """The answer given so far."""
    responses = Response.objects.filter(store_id=invitation.store_id, invitation=invitation)
    return responses.select_related("customer__store").first()


def closed(request: HttpRequest, *, status: int) -> HttpResponse:
    """The polite page for a link that takes no answer: unknown (404), too late, or of an erased person (410)."""
    return render(request, "surveys/public/closed.html", status=status)


def _takes_answers(invitation: Invitation) -> bool:
    return invitation.customer.erased_at is None and answering.may_answer(invitation, timezone.now())


def _initial(request: HttpRequest, known: Response | None, question: Question) -> dict[str, object]:
    """What stands chosen before the person touches the page: the link's score, else their answer."""
    asked = read_score(request.GET.get("score", ""), question)
    if known is None or known.is_suspect:
        return {"score": asked}
    return {"score": asked or str(known.score), "comment": known.comment}


def _page(
    request: HttpRequest, invitation: Invitation, form: AnswerForm, known: Response | None, *, status: int = 200
) -> HttpResponse:
    store, known = invitation.customer.store, None if known and known.is_suspect else known
    context = {
        "asked": wording.asked_by(invitation, store),
        "product": invitation.product_name,
        "bought_at": invitation.order.placed_at if invitation.order else None,
        "known": known,
        "change_until": known.at + rules.CHANGE_WINDOW if known else None,
        "stop_url": unsubscribe_url(store, invitation.customer),
        **question_context(form, invitation.survey),
    }
    return render(request, "surveys/public/answer.html", context, status=status)


def question_context(form: AnswerForm, survey: Survey | None) -> dict[str, object]:
    """What `surveys/public/_question.html` shows."""
    of_five = form.question is Question.CSAT
    return {
        "form": form,
        "scores": scores_for(form.question),
        "faces": wording.faces() if of_five else [],
        "bands": {group.value: rules.scores_of(group, of_five=of_five) for group in rules.Group},
        "more": wording.more_texts(survey),
        "comment_length": COMMENT_LENGTH,
    }
