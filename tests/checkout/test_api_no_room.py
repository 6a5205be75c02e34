"""A referral for which the budget has no room: the API and approvals say so, and that it can be mended."""

from __future__ import annotations

import pytest

from customers.services import Person
from referrals.models import Referral
from referrals.services import attribution
from referrals.services.programs import change_program, program_of
from referrals.services.terms import TierTerms
from rewards.models import Budget, Tier
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import LONG_AGO, refer
from tests.referrals.program_world import ONCE, terms_with


@pytest.fixture
def dear(store, share_link):
    """A referral whose commission came out dearer than was promised."""
    terms = terms_with(tiers=[TierTerms(1, Tier.Gives.EACH, ONCE)], ceiling_minor=10_000_000)
    change_program(program_of(store), terms, by=None, at=LONG_AGO)
    referral = refer(share_link, total_minor=9_000_000)
    Budget.objects.filter(store=store).update(ceiling_minor=Budget.objects.get(store=store).committed_minor)
    return referral


def test_the_api_names_the_budget_and_mended_it_counts(api, post, store, dear):
    for _ in range(2):
        answer = post(api, f"referrals/{dear.public_id}/approve/")
        assert (answer.status_code, answer.json()["type"]) == (409, "no-room")
        assert "budget has no room" in answer.json()["detail"]
    Budget.objects.filter(store=store).update(ceiling_minor=10_000_000)
    assert post(api, f"referrals/{dear.public_id}/approve/").json()["status"] == "approved"


def test_approvals_name_the_budget(manager, dear):
    page = manager.post(
        "/d/rosewater/approvals/", {"action": "approve", "chosen": [dear.public_id]}, follow=True
    ).content.decode()
    assert "has no room for what it earns" in page
    assert "decided before" not in page


def test_who_found_no_place_is_told_that(api, post, store, share_link):
    Budget.objects.filter(store=store).update(places=0)
    order = make_order_of(store, Person("Eli", "eli@example.com"), at=NOW, code=share_link.code)
    referral = attribution.attribute_order(order, at=NOW)
    assert (referral.status, referral.reason) == (Referral.Status.VOIDED, Referral.Reason.FULL)
    answer = post(api, f"referrals/{referral.public_id}/approve/")
    assert (answer.status_code, answer.json()["type"]) == (409, "no-room")


def test_what_was_decided_is_still_said_to_be(api, post, dear):
    post(api, f"referrals/{dear.public_id}/void/")
    assert post(api, f"referrals/{dear.public_id}/approve/").json()["type"] == "already-decided"
