"""What people answer, and may change."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stores.tenancy import insert_new
from surveys import rules
from surveys.models import Invitation, Response, ResponseEvent
from surveys.services.recovery import open_case


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


def respond(invitation: Invitation, *, score: int, comment: str, at: datetime) -> Response:
    """Record an answer, or change it within 14 days; the last write wins and the history stays.

    A detractor's answer opens a case at once. Raises TooLate.
    """
    known = response_to(invitation)
    if not _may_answer(invitation, known, at):
        raise TooLate(invitation.public_id)
    if known and (known.score, known.comment) == (score, comment):
        return known
    with transaction.atomic(savepoint=False):
        # The lock lets two tabs write one after the other; the second changes the first's answer.
        Invitation.objects.filter(pk=invitation.pk, store_id=invitation.store_id).update(silent_ask_at=None)
        response = _write(invitation, known, score, comment, at)
        if rules.group_of(score) is rules.Group.DETRACTOR:
            open_case(response, at=at)
    return response


def _write(invitation: Invitation, known: Response | None, score: int, comment: str, at: datetime) -> Response:
    response = Response(
        store_id=invitation.store_id,
        invitation=invitation,
        customer=invitation.customer,
        score=score,
        comment=comment,
        at=at,
    )
    if known or not insert_new(response):
        response = known or Response.objects.get(store_id=invitation.store_id, invitation=invitation)
        response.score, response.comment, response.changed_at = score, comment, at
        response.version += 1
        response.save()
    ResponseEvent.objects.create(store_id=invitation.store_id, response=response, score=score, comment=comment, at=at)
    return response


def note_ask_shown(response: Response, *, at: datetime) -> None:
    """The answer page asked this person to refer."""
    Response.objects.filter(pk=response.pk, store_id=response.store_id, ask_shown_at=None).update(ask_shown_at=at)
