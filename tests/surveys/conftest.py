"""People who were asked, and people who are unhappy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.models import Invitation, RecoveryCase
from surveys.services import answering


@pytest.fixture
def unhappy(store, make_order):
    """A function that makes an unhappy customer: `unhappy("bea@example.com", hours_ago=30)`."""

    def make(email="bea@example.com", *, name="Bea Cruz", comment="It came broken", hours_ago=2.0):
        order = make_order(email, name=name)
        at = timezone.now() - timedelta(hours=hours_ago)
        invitation = Invitation.objects.create(store=store, order=order, customer=order.customer, due_at=at)
        response = answering.respond(invitation, score=2, comment=comment, at=at)
        return RecoveryCase.objects.for_store(store).select_related("customer__store").get(response=response)

    return make


@pytest.fixture
def case(unhappy):
    """One who waits for help."""
    return unhappy()
