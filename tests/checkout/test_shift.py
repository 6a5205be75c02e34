"""The summary of a shift."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from checkout.services import permits, replaying
from checkout.services.replaying import Sent
from checkout.shift import shares
from referrals.services import redeeming
from referrals.services.programs import program_of
from rewards.services import vouchers
from rewards.services.vouchers import Bill
from stores import codes
from stores.models import Role

PAGE = "/c/rosewater/shift/"


@pytest.fixture
def sell(store):
    """A code of 10 % on a bill, by somebody, now."""

    def go(by, minor=100_00, **facts):
        at = timezone.now()
        offer = program_of(store).terms.friend_offer
        code = facts.pop("code", "") or vouchers.issue(store, offer, key=f"v{minor}{by}{at}", at=at).code
        return redeeming.redeem(store, code, Bill(minor, "PHP"), at=at, by=by, **facts).redemption

    return go


def test_an_empty_day_says_so(staff, store):
    assert "No code yet today" in staff.get(PAGE).content.decode()


def test_each_one_s_part_is_summed_without_what_was_undone(sell, staff, store, make_user):
    other = make_user(Role.STAFF, store)
    sell(staff.user), sell(staff.user, 50_50), sell(other, 30_00)
    redeeming.undo(sell(staff.user, 70_00), at=timezone.now(), by=staff.user)
    mine, theirs = shares(store, staff.user, timezone.now())
    assert (mine.is_mine, mine.done, mine.undone, mine.bills_minor, mine.off_minor) == (True, 2, 1, 150_50, 15_05)
    assert mine.paid_minor == 135_45
    assert (theirs.is_mine, theirs.done, theirs.off_minor) == (False, 1, 3_00)
    page = re.sub(r"\s+", " ", staff.get(PAGE).content.decode())
    assert "135.45" in page


def test_a_friend_is_counted_for_who_rang_it_up(sell, staff, store, share_link):
    from customers.services import Person

    sell(staff.user, code=share_link.code, person=Person("Bea", phone="+639170000001"))
    assert shares(store, staff.user, timezone.now())[0].friends == 1


def test_it_costs_the_same_for_a_long_day(sell, staff, store, make_user):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(PAGE).status_code == 200
        return len(queries)

    sell(staff.user)
    few = cost()
    for _ in range(5):
        sell(make_user(Role.STAFF, store))
    assert cost() == few
    assert few <= 12


def test_who_had_a_code_refused_after_all_is_there_though_nothing_else_came_of_the_day(sell, staff, store, make_user):
    mate, at = make_user(Role.STAFF, store), timezone.now()
    permit = permits.issue(store, mate, device="device", location=None, at=at)
    sent = Sent(codes.public_id(), "NOTACODE234", 100_00, 10_00, at)
    replaying.replay(store, sent, permit, at=at)
    (only,) = shares(store, staff.user, timezone.now())
    assert (only.who, only.refused, only.done) == (mate.get_short_name(), 1, 0)
    page = staff.get(PAGE).content.decode()
    assert "Refused after all" in page
    assert "First at" not in page
