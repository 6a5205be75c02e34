"""Asking chosen customers for a good word, where that is allowed; for some minutes it can be taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers import bulk
from customers.models import Customer
from outreach import journeys, reach
from outreach.bulk import cancel_all
from outreach.kinds import Kind
from outreach.starting import Fact, start_all
from referrals.audiences.members import everybody
from referrals.services.campaigns import values_of
from referrals.services.programs import programs_for
from stores.models import Job, Store, User
from surveys import rules as survey_rules
from surveys.models import Response


@dataclass(frozen=True)
class Asked:
    """How many are asked, and how many are not, by the slug of the reason."""

    job: Job
    why_not: dict[str, int]


def ask(store: Store, customers: Sequence[int], *, by: User, at: datetime) -> Asked:
    """Plan an ask to these customers (by id) in some minutes, but not to whoever may or should not be asked now.

    Those who are unhappy, wait for help, did not agree, were written to lately or have no program are left out.
    """
    journey = journeys.journey_of(store, Kind.ASK)
    job = bulk.note(store, bulk.ASK, {}, 0, len(customers), by=by, at=at)
    people = list(reach.judged(everybody(store).filter(pk__in=customers), store, journey, at).order_by("pk"))
    reasons = _reasons(store, people, is_on=journey.is_on, at=at)
    due, about = at + bulk.OFFERED, about_of(job)
    wanted = [one for one in people if not reasons[one.pk]]
    facts = [Fact(one, f"{about}:{one.pk}", at=at, due_at=due, about=about) for one in wanted]
    job.done = start_all(store, journey, facts, at=at, more=values_of)
    job.save(update_fields=["done"])
    return Asked(job, dict(Counter(reason for reason in reasons.values() if reason)))


def about_of(job: Job) -> str:
    """What the messages are about: taking back finds them by it."""
    return f"ask:{job.public_id}"


def _reasons(store: Store, people: Sequence[Customer], *, is_on: bool, at: datetime) -> dict[int, str]:
    """By customer why they are not asked; '' for whoever is."""
    ids = [one.pk for one in people]
    programs, unhappy = programs_for(store, ids, at), _unhappy(store, ids)
    found = {}
    for one in people:
        without = "" if one.pk in programs else "paused"
        last = "unhappy" if one.pk in unhappy else ""
        found[one.pk] = ("" if is_on else "switched_off") or without or last or one.why_not  # type: ignore[attr-defined]
    return found


def _unhappy(store: Store, customers: Sequence[int]) -> set[int]:
    """Whose last answer was unhappy."""
    answers = Response.objects.for_store(store).filter(customer__in=customers, is_suspect=False)
    last = answers.order_by("customer", "-at", "-pk").distinct("customer")
    return {one.customer_id for one in last if one.group is survey_rules.Group.DETRACTOR}


def take_back(job: Job, by: User, at: datetime) -> None:
    """Nobody who has not been asked yet is asked."""
    cancel_all(job.store, about_of(job), reason="taken_back", at=at)


# How everything is undone that is done to several customers at once.
UNDO = {**bulk.UNDO, bulk.ASK: take_back}
