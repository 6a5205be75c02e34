"""Questions that no order asks: after a solved case, every so often, and the one reminder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, ExpressionWrapper, F, IntegerField, OuterRef, Q, QuerySet

from customers.models import Customer, Order, SegmentMember
from customers.queries import HERE
from outreach import journeys
from outreach import services as outreach
from outreach.models import Hold, Journey, Kind, Message
from outreach.rendering import unsubscribe_url
from stores.models import Store
from stores.tenancy import insert_new
from surveys.models import FOLLOW_UP, Invitation, RecoveryCase, Survey
from surveys.services.choosing import message_words
from surveys.services.inviting import survey_url

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=1)
CATCH_UP = 2  # days a periodic survey looks back, for a server that was down


def _each(rows: Iterable[Any], step: Callable[[Any], bool]) -> int:
    done = 0
    for row in rows:
        try:
            with transaction.atomic():
                done += step(row)
        except Exception:  # one bad row must not stop the others
            logger.exception("%s %s: no question planned", type(row).__name__, row.pk)  # its name may be a person's
    return done


def _links(store: Store, invitation: Invitation) -> dict[str, str]:
    return {"survey": survey_url(store, invitation), "unsubscribe": unsubscribe_url(store, invitation.customer)}


def _context(store: Store, invitation: Invitation) -> dict[str, Any]:
    words = message_words(store, invitation)
    return {"product": invitation.product_name, **words, "links": _links(store, invitation)}


# -- After a solved case --


def ask_after_solved(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Plan "did we put it right?" for cases solved after `since` (None: the last hour); returns how many.

    Nobody who waits for help with something else is asked; the nightly repair comes back to them. What
    was planned for a case that is open again is dropped.
    """
    drop_reopened(store, at)
    journey = journeys.journey_of(store, Kind.FOLLOW_UP)
    if not journey.is_on:
        return 0
    held = Hold.objects.for_store(store).values("customer")
    solved = (
        RecoveryCase.objects.for_store(store)
        .filter(status=RecoveryCase.Status.SOLVED, customer__erased_at=None)
        .filter(ended_at__gt=since or at - LOOK_BACK, ended_at__lte=at)
        .exclude(customer__in=held)
        .select_related("customer__store", "response__invitation")
        .order_by("ended_at", "pk")
    )
    cases = {_fact(case): case for case in solved}
    asked = set(Message.objects.for_store(store).filter(key__in=cases).values_list("key", flat=True)) if cases else ()
    new = [case for fact, case in cases.items() if fact not in asked]
    return _each(new, lambda case: _follow_up(store, case, journey, at))


def _fact(case: RecoveryCase) -> str:
    """The moment it was solved is a part of the fact: the question of a reopened case was dropped."""
    assert case.ended_at is not None  # it is solved
    return f"{FOLLOW_UP}{case.pk}:{case.ended_at.timestamp():.0f}"


def _follow_up(store: Store, case: RecoveryCase, journey: Journey, at: datetime) -> bool:
    assert case.ended_at is not None  # it is solved
    if journey.started_at and case.ended_at < journey.started_at:
        return False  # solved before the owner switched the question on
    key, due = f"{FOLLOW_UP}{case.pk}", max(case.ended_at + journey.wait, at)
    about = case.response.invitation
    invitation = Invitation(
        store=store,
        key=key,
        customer=case.customer,
        status=Invitation.Status.INVITED,
        due_at=due,
        decided_at=at,
        product_name=about.product_name if about else "",
    )
    if not insert_new(invitation):
        # Solved a second time: asked again, unless they had answered.
        known = Invitation.objects.for_store(store).filter(key=key, response=None).select_related("customer__store")
        found = known.first()
        if found is None:
            return False
        invitation = found
    message = journeys.start(
        case.customer,
        journey,
        key=_fact(case),
        context=_context(store, invitation),
        fact_at=case.ended_at,
        at=at,
        about=f"case:{case.pk}",
    )
    if message:
        asked = Invitation.objects.for_store(store).filter(pk=invitation.pk)
        asked.update(message=message, due_at=message.due_at, decided_at=at)
    return message is not None


def drop_reopened(store: Store, at: datetime) -> int:
    """Cancel the follow-ups of cases that are not solved any more."""
    waiting = Message.objects.for_store(store).filter(kind=Kind.FOLLOW_UP, status=Message.Status.PENDING)
    cases = {int(about.removeprefix("case:")) for about in waiting.values_list("about", flat=True) if about}
    if not cases:
        return 0
    again = RecoveryCase.objects.for_store(store).filter(pk__in=cases).exclude(status=RecoveryCase.Status.SOLVED)
    return sum(
        outreach.cancel_about(store, f"case:{pk}", reason="open_case", at=at)
        for pk in again.values_list("pk", flat=True)
    )


# -- Every so often --


def ask_periodically(store: Store, at: datetime) -> int:
    """Ask the people of every periodic survey whose day it is; returns how many were asked.

    Each person has a day of their own in every period, by their number, so that answers come in
    steadily and not in waves.
    """
    running = Survey.objects.for_store(store).filter(occasion=Survey.Occasion.PERIODIC, is_on=True)
    surveys = list(running.exclude(every_days=None).order_by("pk"))
    journey = journeys.journey_of(store, Kind.PERIODIC) if surveys else None
    if journey is None or not journey.is_on:
        return 0
    return sum(_ask_people(store, survey, journey, at) for survey in surveys)


def _ask_people(store: Store, survey: Survey, journey: Journey, at: datetime) -> int:
    people = list(_due_people(store, survey, at).select_related("store").order_by("pk"))
    ids = {customer.pk for customer in people}
    held = dict(Hold.objects.for_store(store).filter(customer__in=ids).values_list("customer_id", "reason"))
    resting = outreach.customers_written_since(store, ids, at - timedelta(days=store.cooldown_days))

    def ask(customer: Customer) -> bool:
        reason = held.get(customer.pk) or ("cooldown" if customer.pk in resting else "")
        return _ask_periodic(survey, customer, journey, reason=reason, at=at)

    return _each(people, ask)


def _due_people(store: Store, survey: Survey, at: datetime) -> QuerySet[Any]:
    """Whose day it is, or was while nobody looked, and who was not asked in this period."""
    every = survey.every_days or 1
    today = at.astimezone(store.zone).toordinal()
    own_days = [(today - back) % every for back in range(min(CATCH_UP + 1, every))]
    asked = Invitation.objects.for_store(store).filter(
        survey=survey, customer=OuterRef("pk"), due_at__gt=at - timedelta(days=max(every - CATCH_UP, 1))
    )
    people = Customer.objects.for_store(store).filter(HERE).exclude(email_norm="", phone_norm="")
    if survey.segment_id:
        members = SegmentMember.objects.for_store(store).filter(segment=survey.segment_id)
        people = people.filter(pk__in=members.values("customer"))
    else:
        people = people.filter(Exists(Order.objects.for_store(store).standing().filter(customer=OuterRef("pk"))))
    day = ExpressionWrapper(F("pk") % every, output_field=IntegerField())
    return people.annotate(own_day=day).filter(~Q(Exists(asked)), own_day__in=own_days)


def period_of(survey: Survey, customer_id: int, day: int) -> int:
    """The number of this person's period that holds `day` (as date.toordinal)."""
    every = survey.every_days or 1
    return (day - customer_id % every) // every


def _ask_periodic(survey: Survey, customer: Customer, journey: Journey, *, reason: str, at: datetime) -> bool:
    store = customer.store
    period = period_of(survey, customer.pk, at.astimezone(store.zone).toordinal())
    invitation = Invitation(
        store=store,
        key=f"periodic:{survey.pk}:{customer.pk}:{period}",
        survey=survey,
        customer=customer,
        status=Invitation.Status.SKIPPED if reason else Invitation.Status.INVITED,
        reason=reason,
        due_at=at,
        decided_at=at,
    )
    if not insert_new(invitation) or reason:
        return False
    context = _context(store, invitation)
    message = journeys.start(customer, journey, key=invitation.key, context=context, fact_at=at, at=at)
    Invitation.objects.for_store(store).filter(pk=invitation.pk).update(message=message)
    return message is not None


# -- The one reminder --


def remind_silent(store: Store, at: datetime, *, since: datetime | None = None) -> int:
    """Plan one reminder for each question that went out after `since` (None: the last hour).

    It stands in the queue until its day, seen by everybody, and is cancelled by the answer
    (`answering.respond`).
    """
    journey = journeys.journey_of(store, Kind.SURVEY_REMINDER)
    if not journey.is_on:
        return 0
    after = since or at - LOOK_BACK
    asked = (
        Invitation.objects.for_store(store)
        .filter(
            status=Invitation.Status.INVITED,
            response=None,
            message__kind=Kind.SURVEY,
            message__status=Message.Status.SENT,
            message__sent_at__gt=after,
            message__sent_at__lte=at,
            message__due_at__gt=after - Kind.SURVEY.spec.fresh,  # an index serves it
            customer__erased_at=None,
        )
        .exclude(customer__in=Hold.objects.for_store(store).values("customer"))
        .select_related("customer__store", "message", "survey")
        .order_by("pk")
    )
    return _each(asked, lambda invitation: _remind(store, invitation, journey, at))


def _remind(store: Store, invitation: Invitation, journey: Journey, at: datetime) -> bool:
    assert invitation.message is not None
    assert invitation.message.sent_at is not None  # it went out
    key = f"survey_reminder:{invitation.pk}"
    if Message.objects.for_store(store).filter(key=key).exists():
        return False
    message = journeys.start(
        invitation.customer,
        journey,
        key=key,
        context=_context(store, invitation),
        fact_at=invitation.message.sent_at,
        at=at,
        about=reminder_of(invitation),
    )
    return message is not None


def reminder_of(invitation: Invitation) -> str:
    """What a reminder's message is about."""
    return f"invitation:{invitation.pk}"
