"""Answers that nobody was invited to: by the QR code at the counter, on the shop's own site."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from customers.models import Customer
from customers.services import Person, find_or_create_customer
from stores.models import Location
from stores.tenancy import insert_new
from surveys import rules
from surveys.models import Response, ResponseEvent, Survey, Via
from surveys.services.answering import TooLate, change
from surveys.services.recovery import open_case


def answer_walk_in(
    survey: Survey,
    *,
    name: str,
    score: int,
    comment: str,
    via: Via,
    at: datetime,
    person: Person | None = None,
    location: Location | None = None,
    trapped: bool = False,
    hasty: bool = False,
) -> Response:
    """Record an answer, once for `name` (what its form was given as the answer's public id), or change it
    within 14 days; the last write wins and the history stays. Raises TooLate.

    `person` is whom to answer, if they said so: an address to reply to, not a yes to letters. Of the
    unhappy only those can be helped. What was `trapped` or `hasty` is kept apart and counts nowhere.
    """
    with transaction.atomic(savepoint=False):
        customer = None if trapped or person is None else _customer(survey, person, at)
        response = Response(
            store_id=survey.store_id,
            public_id=name,
            survey=survey,
            customer=customer,
            location=location,
            question=survey.question,
            via=via,
            is_suspect=trapped or hasty,
            score=score,
            comment=comment,
            at=at,
        )
        if not insert_new(response):
            known = answer_named(survey, name, lock=True)
            if known is None or at > known.at + rules.CHANGE_WINDOW:
                raise TooLate(name)
            is_new_contact = customer is not None and known.customer is None
            if trapped or ((known.score, known.comment) == (score, comment) and not is_new_contact):
                return known
            if is_new_contact:
                known.customer = customer
                Response.objects.for_store(survey.store).filter(pk=known.pk).update(customer=customer)
            change(known, score=score, comment=comment, at=at)
            response = known
        ResponseEvent.objects.create(store_id=survey.store_id, response=response, score=score, comment=comment, at=at)
        if response.customer and response.group is rules.Group.DETRACTOR:
            open_case(response, at=at)
    return response


def _customer(survey: Survey, person: Person, at: datetime) -> Customer:
    return find_or_create_customer(survey.store, person, at=at, source=f"survey {survey.name}"[:80])


def answer_named(survey: Survey, name: str, *, lock: bool = False) -> Response | None:
    """The answer that was given under that name, if it came without an invitation."""
    rows = Response.objects.for_store(survey.store).filter(survey=survey, public_id=name, invitation=None)
    if lock:
        return rows.select_for_update().first()
    return rows.select_related("customer").first()
