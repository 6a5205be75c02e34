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
from surveys import rules
from surveys.models import Invitation, Response
from surveys.public_forms import COMMENT_LENGTH, SCORES, AnswerForm, read_score
from surveys.services import answering


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Ask from 0 to 10; only a POST records, and may change the answer for 14 days."""
    invitation = open_invitation(request, token)
    if invitation is None:
        return closed(request, status=404)
    known = response_to(invitation)
    if not _takes_answers(invitation):
        return closed(request, status=410)
    if request.method != "POST":
        return _page(request, invitation, AnswerForm(initial=_initial(request, known)), known)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, invitation, form, known, status=400)
    if not form.is_trapped:  # a program that fills in everything gets the same friendly page
        try:
            given = form.cleaned_data
            answering.respond(invitation, score=given["score"], comment=given["comment"], at=timezone.now())
        except answering.TooLate:
            return closed(request, status=410)
    return redirect("referral:thanks", token=token)


def open_invitation(request: HttpRequest, token: str) -> Invitation | None:
    """The invitation of a survey link, the request bound to its store and language; None for no such link."""
    pk = enter_by_token(request, Purpose.SURVEY, token)
    if pk is None:
        return None
    store = request.store  # type: ignore[attr-defined]
    found = Invitation.objects.for_store(store).filter(pk=pk).select_related("customer__store", "order").first()
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


def _initial(request: HttpRequest, known: Response | None) -> dict[str, object]:
    """What stands chosen before the person touches the page: the link's score, else their answer."""
    asked = read_score(request.GET.get("score", ""))
    if known is None:
        return {"score": asked}
    return {"score": asked or str(known.score), "comment": known.comment}


def _page(
    request: HttpRequest, invitation: Invitation, form: AnswerForm, known: Response | None, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "scores": SCORES,
        "product": invitation.product_name,
        "bought_at": invitation.order.placed_at,
        "known": known,
        "change_until": known.at + rules.CHANGE_WINDOW if known else None,
        "comment_length": COMMENT_LENGTH,
        "stop_url": unsubscribe_url(invitation.customer.store, invitation.customer),
    }
    return render(request, "surveys/public/answer.html", context, status=status)
