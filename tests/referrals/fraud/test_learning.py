"""How often people overturned a signal, and weights that follow it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from referrals.fraud import learning, settings
from referrals.fraud.rules import WEIGHTS
from referrals.models import Referral
from referrals.services import deciding
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.referrals.fraud.test_examining import fresh, self_referral
from tests.referrals.fraud.world import DAY, Story, play


@pytest.fixture
def decide(store, owner):
    """A function: so many held ones are voided, so many counted by a person."""

    def run(confirmed: int, overturned: int) -> None:
        for _ in range(confirmed):
            deciding.void_referral(fresh(self_referral(store)), reason=Referral.Reason.STAFF, at=NOW, by=owner.user)
        for _ in range(overturned):
            deciding.approve_referral(fresh(self_referral(store)), at=NOW, by=owner.user)

    return run


def follow(store, *, on=True, at=NOW):
    now = settings.strictness_of(store)
    settings.change(store, replace(now, weights_follow=on), by=None, at=NOW)
    return learning.follow(store, at)


def test_it_counts_what_people_said(store, decide):
    decide(2, 1)
    self_referral(store)  # nobody decided about it
    record = learning.records(store, NOW)["device"]
    assert (record.confirmed, record.overturned) == (2, 1)
    assert learning.records(store, NOW)["card"].share_overturned is None


def test_a_refund_afterwards_says_nothing_about_it(store, owner, decide):
    decide(0, 1)
    counted = Referral.objects.for_store(store).get(status="approved")
    deciding.void_referral(fresh(counted), reason=Referral.Reason.REFUNDED, at=NOW)
    assert learning.records(store, NOW)["device"].overturned == 1


def test_the_last_word_of_a_person_is_theirs(store, owner, decide):
    decide(0, 1)
    counted = Referral.objects.for_store(store).get(status="approved")
    deciding.void_referral(fresh(counted), reason=Referral.Reason.STAFF, at=NOW, by=owner.user)
    record = learning.records(store, NOW)["device"]
    assert (record.confirmed, record.overturned) == (1, 0)


def test_what_was_never_held_is_no_decision(store, owner):
    light = play(store, Story(referrer="retailmenot.com"))
    deciding.approve_referral(fresh(light), at=NOW, by=owner.user)
    assert learning.records(store, NOW)["coupon_site"].decided == 0


def test_a_year_later_it_is_forgotten(store, decide):
    decide(1, 0)
    assert learning.records(store, NOW + 366 * DAY)["device"].decided == 0


def test_weights_follow_where_the_store_wishes_so(store, decide):
    decide(0, 3)
    assert follow(store) == 1
    assert settings.strictness_of(store).weights["device"] == round(2 * 60 * 1 / 5)
    assert learning.follow(store, NOW) == 0  # the next night finds nothing to do
    event = AuditEvent.objects.for_store(store).filter(action="checks.changed").latest("pk")
    assert (event.user, event.after) == (None, {"weights": {"device": 24}})


def test_weights_stay_where_nobody_wished_so(store, decide):
    decide(0, 3)
    assert follow(store, on=False) == 0
    assert settings.strictness_of(store).weights == WEIGHTS


def test_it_asks_once_whatever_there_is(store, decide, django_assert_num_queries):
    decide(1, 1)
    with django_assert_num_queries(1):
        learning.records(store, NOW)


def test_another_stores_decisions_do_not_count(store, other_store, decide):
    decide(0, 1)
    with acting_for(other_store):
        assert learning.records(other_store, NOW)["device"].decided == 0
