"""Fixtures for faults: a stack of the test's own, and messages that are due."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Customer
from outreach.models import Kind, Message
from referrals.services.programs import open_store
from stores.models import Store
from tests.planned import plan_message
from tests.stack import Stack


@pytest.fixture
def stack(django_db_blocker) -> Iterator[Stack]:
    """Everything but the processes; what they said is shown when the test fails."""
    with django_db_blocker.unblock(), Stack() as stack:
        yield stack
        print(stack.log())


@pytest.fixture
def store(stack) -> Store:
    """A store on the stack's database."""
    return stack.call(open_store, slug="corner", name="Corner", currency="PHP", at=timezone.now())


def plan_letters(stack: Stack, store: Store, count: int) -> set[str]:
    """As many messages that are due now, each to another person; their references."""

    def plan() -> set[str]:
        at = timezone.now() - timedelta(seconds=1)
        emails = [f"{secrets.token_hex(6)}@example.com" for _ in range(count)]
        people = [Customer(store=store, name="Sara", email=email, email_norm=email, recorded_at=at) for email in emails]
        links = {"survey": f"{stack.url}/s/x", "unsubscribe": f"{stack.url}/u/x"}
        context = {"product": "Mug", "links": links}
        planned = [
            plan_message(person, Kind.SURVEY, key=f"survey:{person.pk}", due_at=at, context=context, at=at)
            for person in Customer.objects.bulk_create(people)
        ]
        return {message.public_id for message in planned}

    return stack.inside(store, plan)


@pytest.fixture
def due(stack, store) -> Callable[[int], set[str]]:
    """`due(500)`: as many messages that are due now; their references."""
    return lambda count: plan_letters(stack, store, count)


@pytest.fixture
def statuses(stack, store) -> Callable[[], dict[str, str]]:
    """What stands in the queue: reference -> status."""
    rows = Message.objects.for_store(store)
    return lambda: stack.inside(store, lambda: dict(rows.values_list("public_id", "status")))
