"""What people answer, and may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from outreach import services as outreach
from stores.models import Store
from stores.rows import insert_rows, update_rows
from surveys import rules
from surveys.models import Invitation, Response, ResponseEvent, Via
from surveys.services.recovery import open_case

CHANGED = ("score", "comment", "changed_at", "version", "is_suspect")  # by another answer


class TooLate(Exception):
    """The time to answer, or to change an answer, is over."""


def may_answer(invitation: Invitation, at: datetime) -> bool:
    """Whether an answer, or a change of the one given, is still taken at `at`."""
    return _may_answer(invitation, response_to(invitation), at)


def _may_answer(invitation: Invitation, response: Response | None, at: datetime) -> bool:
    if response:
        return at <= response.at + rules.CHANGE_WINDOW
    start = invitation.decided_at or invitation.due_at
    return at <= start + rules.ANSWER_WINDOW and invitation.customer.erased_at is None


def response_to(invitation: Invitation) -> Response | None:
    """The answer that was given, if any."""
    return Response.objects.filter(store_id=invitation.store_id, invitation=invitation).first()


@dataclass(frozen=True)
class Answer:
    """What somebody says to an invitation, when and where; `trapped`: a program filled in what people never see."""

    invitation: Invitation
    score: int
    comment: str
    at: datetime
    via: Via = Via.EMAIL
    trapped: bool = False


def respond(
    invitation: Invitation, *, score: int, comment: str, at: datetime, via: Via = Via.EMAIL, trapped: bool = False
) -> Response:
    """Record an answer, or change it within 14 days; the last write wins and the history stays.

    A detractor's answer opens a case at once. Raises TooLate. One that was `trapped` (a program filled
    in what people never see) is kept apart, and never takes the place of a person's.
    """
    responses = respond_all(invitation.store, [Answer(invitation, score, comment, at, via, trapped)])
    if not responses:
        raise TooLate(invitation.public_id)
    return responses[0]


def respond_all(store: Store, answers: Sequence[Answer]) -> list[Response]:
    """Record answers to different invitations as `respond` does; those that come too late are left out."""
    known = _responses_to(store, [answer.invitation for answer in answers])
    taken = [one for one in answers if _may_answer(one.invitation, known.get(one.invitation.pk), one.at)]
    news = [one for one in taken if not _is_old(known.get(one.invitation.pk), one)]
    if news:
        with transaction.atomic(savepoint=False):
            said = [one for one in news if not one.trapped]
            _end_waiting(store, said)
            # What a twin wrote while we waited for the lock.
            known |= _responses_to(store, [one.invitation for one in news if one.invitation.pk in known])
            known |= _write(store, known, news)
            for one in said:
                if known[one.invitation.pk].group is rules.Group.DETRACTOR:
                    open_case(known[one.invitation.pk], at=one.at)
    return [known[one.invitation.pk] for one in taken]


def _responses_to(store: Store, invitations: Sequence[Invitation]) -> dict[int, Response]:
    """The answers that were given, by the invitation's id."""
    if not invitations:
        return {}
    given = Response.objects.for_store(store).filter(invitation__in=[invitation.pk for invitation in invitations])
    return {response.invitation_id: response for response in given}


def _is_old(response: Response | None, answer: Answer) -> bool:
    """Whether this changes nothing: said before, or a program's after a person's."""
    if response is None:
        return False
    same = (response.score, response.comment) == (answer.score, answer.comment)
    return answer.trapped or (same and not response.is_suspect)


def _end_waiting(store: Store, answers: Sequence[Answer]) -> None:
    """Who has answered gets no reminder and no later ask.

    The lock of the update lets two tabs write one after the other; the second changes the first's answer.
    """
    if not answers:
        return
    pks = [one.invitation.pk for one in answers]
    Invitation.objects.for_store(store).filter(pk__in=pks).update(silent_ask_at=None)
    abouts = [f"invitation:{pk}" for pk in pks]
    outreach.cancel_all_about(store, abouts, reason="answered", at=max(one.at for one in answers))


def _write(store: Store, known: dict[int, Response], answers: Sequence[Answer]) -> dict[int, Response]:
    """Write answers and their history; returns the responses by the invitation's id."""
    first = [_response(store, one) for one in answers if one.invitation.pk not in known]
    if len(insert_rows(first)) < len(first):  # another tab was faster
        known = known | _responses_to(store, [one.invitation for one in answers])
    new = {response.invitation_id: response for response in first if response.pk and response.invitation_id}
    later = [one for one in answers if one.invitation.pk not in new]
    changing = [one for one in later if not one.trapped]
    for one in changing:
        _change(known[one.invitation.pk], score=one.score, comment=one.comment, at=one.at)
    update_rows([known[one.invitation.pk] for one in changing], CHANGED)
    responses = new | {one.invitation.pk: known[one.invitation.pk] for one in later}
    insert_rows([_event(responses[one.invitation.pk], one) for one in answers if one not in later or not one.trapped])
    return responses


def _response(store: Store, answer: Answer) -> Response:
    invitation = answer.invitation
    return Response(
        store=store,
        invitation=invitation,
        customer=invitation.customer,
        survey_id=invitation.survey_id,
        question=invitation.question,
        via=answer.via,
        is_suspect=answer.trapped,
        score=answer.score,
        comment=answer.comment,
        at=answer.at,
    )


def change(response: Response, *, score: int, comment: str, at: datetime) -> None:
    """Write another answer over the one given."""
    _change(response, score=score, comment=comment, at=at)
    update_rows([response], CHANGED)


def _change(response: Response, *, score: int, comment: str, at: datetime) -> None:
    """Put the other answer on the row (in memory); a score changed in seconds is not a person's choice."""
    is_hasty = rules.is_hasty(response.changed_at or response.at, at)
    response.is_suspect = is_hasty and (response.is_suspect or score != response.score)
    response.score, response.comment, response.changed_at = score, comment, at
    response.version += 1


def _event(response: Response, answer: Answer) -> ResponseEvent:
    return ResponseEvent(
        store_id=response.store_id, response=response, score=answer.score, comment=answer.comment, at=answer.at
    )


def note_asks_shown(store: Store, shown: dict[int, datetime]) -> None:
    """The answer page asked these people to refer: response's id -> when."""
    fresh = Response.objects.for_store(store).filter(pk__in=shown, ask_shown_at=None).select_for_update()
    responses = list(fresh.order_by("pk"))
    for response in responses:
        response.ask_shown_at = shown[response.pk]
    update_rows(responses, ("ask_shown_at",))
