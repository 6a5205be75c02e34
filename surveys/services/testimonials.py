"""A customer's words, shown with their permission: the only writer of testimonials.

The customer decides what is shown and under which name, and takes it back at any time; the store decides
only whether to show it. It never changes the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from customers.models import Customer
from outreach import journeys
from outreach import services as outreach
from outreach.models import Hold, Kind
from outreach.rendering import language_of, unsubscribe_url
from rewards.models import Reward
from stores import tokens
from stores.models import Store, User
from stores.tenancy import insert_new
from surveys import rules
from surveys.models import Question, Response, Testimonial, TestimonialEvent

SHORTEST = 20  # characters of a comment worth showing
LONGEST = 1000
LOOK_BACK = timedelta(hours=1)
MISSED = timedelta(days=30)
REST = timedelta(days=90)  # between two such questions to one person
PERMISSION_VERSION = 1  # of the sentence below: raise it with every change of its meaning
Status = Testimonial.Status


class ChangedMeanwhile(Exception):
    """The customer changed their words after the page was opened."""


def permission_sentence(store: Store) -> str:
    """What a customer agrees to, in the active language; kept with their answer, letter for letter."""
    return _(
        "%(store)s may show these words with the name I chose on its website and on the pages its customers"
        " share. I get nothing for it, and I can take it back at any time."
    ) % {"store": store.name}


def page_url(testimonial: Testimonial) -> str:
    """The customer's page: allow, change, take back."""
    return f"{settings.SITE_URL}/t/{tokens.make(tokens.Purpose.TESTIMONIAL, testimonial.store_id, testimonial)}"


def names_of(customer: Customer) -> list[str]:
    """The names a person may be shown under, the fullest first; '' is "a customer"."""
    return list(dict.fromkeys([customer.short_name, customer.first_name, ""]))


# -- Asking --


def could_ask(store: Store, at: datetime) -> QuerySet[Any]:
    """Happy answers with words worth showing whose giver was not asked about them, and may be asked.

    Nobody who said no before, or was asked lately, or waits for help.
    """
    asked = Testimonial.objects.for_store(store).filter(customer=OuterRef("customer"))
    tired = asked.filter(Q(status__in=[Status.DECLINED, Status.REVOKED]) | Q(asked_at__gt=at - REST))
    held = Hold.objects.for_store(store).filter(customer=OuterRef("customer"))
    happy = Response.objects.for_store(store).filter(
        _happy(), is_suspect=False, testimonial=None, customer__isnull=False, customer__erased_at=None
    )
    spoken = happy.annotate(length=Length("comment")).filter(length__gte=SHORTEST)
    return spoken.filter(~Exists(tired), ~Exists(held)).select_related("customer__store")


def _happy() -> Q:
    promoter = rules.Group.PROMOTER
    return Q(question=Question.NPS, score__in=rules.scores_of(promoter)) | Q(
        question=Question.CSAT, score__in=rules.scores_of(promoter, of_five=True)
    )


def ask_due(store: Store, at: datetime, *, look_back: timedelta = LOOK_BACK) -> int:
    """Ask those whose happy answer is as old as the journey waits; returns how many were asked.

    They are looked at only then: who has changed their mind meanwhile is not asked.
    """
    journey = journeys.journey_of(store, Kind.TESTIMONIAL)
    if not journey.is_on:
        return 0
    last, asked = at - journey.wait, 0
    first = max(last - look_back, journey.started_at) if journey.started_at else last - look_back
    people: set[int] = set()
    for response in could_ask(store, at).filter(at__gt=first, at__lte=last).order_by("at", "pk"):
        if response.customer_id not in people:
            people.add(response.customer_id)
            asked += ask(response, at=at, by=None) is not None
    return asked


def ask_missed(store: Store, at: datetime) -> int:
    """The nightly repair: the same with a longer look back."""
    return ask_due(store, at, look_back=MISSED)


def ask(response: Response, *, at: datetime, by: User | None) -> Testimonial | None:
    """Ask a person for permission to show their words, once an answer; None if they were asked before.

    `by` is the person of the store who pressed the button, whatever the journey's switch says.
    """
    customer = response.customer
    if customer is None or customer.erased_at or response.group is not rules.Group.PROMOTER:
        return None
    store = customer.store
    kind = journeys.journey_of(store, Kind.TESTIMONIAL)
    journey = kind if kind.is_on and by is None else _at_once(store)
    testimonial = Testimonial(
        store=store,
        response=response,
        customer=customer,
        text=response.comment.strip()[:LONGEST],
        shown_name=customer.short_name[:80],
        language=language_of(store, customer),
        asked_at=at,
    )
    with transaction.atomic():
        if not insert_new(testimonial):
            return None
        _note(testimonial, at=at, by=by)
        links = {"action": page_url(testimonial), "unsubscribe": unsubscribe_url(store, customer)}
        journeys.start(
            customer,
            journey,
            key=f"testimonial:{response.pk}",
            context={"words": testimonial.text[:200], "by_hand": by is not None, "links": links},
            fact_at=response.at if by is None else at,
            at=at,
            due_at=at,
            about=_about(testimonial),
        )
    return testimonial


def _at_once(store: Store) -> Any:
    journey = journeys.default_journey(store, Kind.TESTIMONIAL)
    journey.is_on = True
    return journey


def _about(testimonial: Testimonial) -> str:
    return f"testimonial:{testimonial.pk}"


# -- What the customer decides --


def allow(testimonial: Testimonial, *, text: str, shown_name: str, permission: str, at: datetime) -> bool:
    """The customer lets these words be shown under this name; False when that is what stood already.

    Words the store has not seen are not shown before it has: changed ones wait for it again.
    """
    with transaction.atomic():
        current = _locked(testimonial)
        said = (text, shown_name)
        if current.status == Status.GRANTED and (current.text, current.shown_name) == said:
            return False
        Testimonial.objects.for_store(current.store).filter(pk=current.pk).update(
            status=Status.GRANTED,
            text=text,
            shown_name=shown_name,
            permission=permission,
            permission_version=PERMISSION_VERSION,
            is_published=False,
            decided_at=at,
        )
        _settled(testimonial, at=at)
    return True


def decline(testimonial: Testimonial, *, at: datetime) -> bool:
    """The customer does not want their words shown; what was shown is gone at once. False if so before."""
    with transaction.atomic():
        current = _locked(testimonial)
        to = Status.REVOKED if current.status == Status.GRANTED else Status.DECLINED
        if to not in Testimonial.MOVES[Status(current.status)]:
            return False
        rows = Testimonial.objects.for_store(current.store).filter(pk=current.pk)
        rows.update(status=to, is_published=False, decided_at=at)
        _settled(testimonial, at=at)
    return True


def _locked(testimonial: Testimonial) -> Testimonial:
    rows = Testimonial.objects.for_store(testimonial.store).select_related("store")
    return rows.select_for_update(of=("self",)).get(pk=testimonial.pk)


def _settled(testimonial: Testimonial, *, at: datetime) -> None:
    testimonial.refresh_from_db()
    _note(testimonial, at=at, by=None)
    outreach.cancel_about(testimonial.store, _about(testimonial), reason="answered", at=at)


def of_customer(customer: Customer) -> QuerySet[Any]:
    """The words of theirs that a store may show."""
    rows = Testimonial.objects.for_store(customer.store).filter(customer=customer, status=Status.GRANTED)
    return rows.select_related("store", "customer").order_by("pk")


# -- What the store decides --


def publish(testimonial: Testimonial, *, shown: bool, seen: datetime, at: datetime, by: User | None) -> bool:
    """Show allowed words, or hide them; False when they stood so before.

    `seen` is the `decided_at` of the words the person looked at. Raises ChangedMeanwhile when the customer
    has decided something else since.
    """
    with transaction.atomic():
        current = _locked(testimonial)
        if shown and (current.status != Status.GRANTED or current.decided_at != seen):
            raise ChangedMeanwhile(testimonial.public_id)
        if current.is_published == shown:
            return False
        Testimonial.objects.for_store(current.store).filter(pk=current.pk).update(is_published=shown)
        testimonial.refresh_from_db()
        _note(testimonial, at=at, by=by)
    return True


def _note(testimonial: Testimonial, *, at: datetime, by: User | None) -> None:
    TestimonialEvent.objects.create(
        store_id=testimonial.store_id,
        testimonial=testimonial,
        status=testimonial.status,
        text=testimonial.text,
        is_published=testimonial.is_published,
        at=at,
        by=by,
    )


# -- Showing --


@dataclass(frozen=True)
class Words:
    """What is shown of a testimonial, and nothing else: the words, the agreed name ('' is "a customer").

    `rewarded`: they are given rewards for friends who buy, which readers are to know (FTC 16 CFR 255.5).
    """

    text: str
    name: str
    language: str
    rewarded: bool


def feed(store: Store, limit: int = 12) -> list[Words]:
    """The words that may be shown now, the newest first; two queries."""
    rows = Testimonial.objects.for_store(store).filter(
        status=Status.GRANTED, is_published=True, customer__erased_at=None
    )
    shown = list(rows.order_by("-decided_at", "-pk")[:limit])
    rewarded = _rewarded(store, {row.customer_id for row in shown}) if shown else set()
    return [Words(row.text, row.shown_name, row.language, row.customer_id in rewarded) for row in shown]


def _rewarded(store: Store, customers: set[int]) -> set[int]:
    given = Reward.objects.for_store(store).filter(customer__in=customers, side=Reward.Side.ADVOCATE)
    return set(given.exclude(status=Reward.Status.VOIDED).values_list("customer_id", flat=True))
